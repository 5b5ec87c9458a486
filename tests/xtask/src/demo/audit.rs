//! The auditor: the node's log as it is, and a copy of it that somebody edited.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::say;
use crate::shell::Outcome;

/// Verifies both; the edited one must be found out.
pub fn show(binary: &Path, share: &Path) -> Outcome<()> {
    let verify = |log: &str, key: &Path| -> Outcome<Output> {
        Ok(Command::new(binary).args(["log", "verify", log, "--anchor"]).arg(key).current_dir(share).output()?)
    };
    // Every node of this demo published its key; the log says which of them it is bound to.
    let published = fs::read_dir(share.join("published"))?.map(|entry| Ok(entry?.path())).collect::<Outcome<Vec<_>>>()?;
    let of_this_node = |key: &&PathBuf| verify("log", key).is_ok_and(|output| output.status.success());
    let key = published.iter().find(of_this_node).ok_or("the log does not verify against any published node key")?;
    fs::copy(key, share.join("node-key.jwk"))?;
    let shown = |log: &str, code: i32| -> Outcome<()> {
        let output = verify(log, Path::new("node-key.jwk"))?;
        say(&format!("$ longhorn log verify {log} --anchor node-key.jwk\n{}", String::from_utf8_lossy(&output.stdout)));
        say(&format!("exit {}", output.status.code().unwrap_or(-1)));
        if output.status.code() == Some(code) { Ok(()) } else { Err(format!("{log}: not exit {code}").into()) }
    };
    shown("log", 0)?;
    edit(&share.join("log"), &share.join("edited"))?;
    println!();
    say("$ cp -r log edited; sed -i s/allow/never/ edited/*");
    shown("edited", 40)
}

fn edit(log: &Path, copy: &Path) -> Outcome<()> {
    fs::create_dir(copy)?;
    for segment in fs::read_dir(log)? {
        let path = segment?.path();
        let text = fs::read_to_string(&path)?;
        fs::write(copy.join(path.file_name().unwrap_or_default()), text.replace("allow", "never"))?;
    }
    Ok(())
}
