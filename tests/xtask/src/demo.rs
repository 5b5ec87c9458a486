//! The main job, on stand-ins for what only a cloud account could give: a node is attested and locked, a model is trained,
//! and a hostile job is refused what it could do a moment before.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::shell::{Outcome, is_root, quietly, root, run as execute};
use crate::{build, pin};

/// The service principal that the demo's job runs as.
const PRINCIPAL: &str = "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11";

/// Shows it.
pub fn run() -> Outcome<()> {
    let binary = build::binary()?;
    if !is_root() {
        return unprivileged(&binary);
    }
    let simulator = build::simulator()?;
    let stage = Stage::set(&binary, &simulator)?;
    title("1  a node of a job cluster starts, is attested, decided for, locked and recorded");
    stage.node("locked")?;
    title("2  what the job tries as root, first on an unlocked node, then on this one");
    stage.node("unlocked")?;
    compare(&stage.share)?;
    title("3  a node whose token was issued for another workspace");
    stage.node("refused")?;
    title("4  the auditor, without trusting the node");
    audit(&binary, &stage.share)
}

fn title(text: &str) {
    println!("\n── {text}\n");
}

/// The simulator and a directory that the nodes see.
struct Stage {
    share: PathBuf,
    simulator: Child,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Its standard input closes: it ends by itself; waited for, so that nothing is left behind.
        drop(self.simulator.stdin.take());
        let _ = self.simulator.wait();
    }
}

impl Stage {
    fn set(binary: &Path, simulator: &Path) -> Outcome<Self> {
        let share = root().join("target/demo");
        if share.exists() {
            fs::remove_dir_all(&share)?;
        }
        for directory in ["bundle", "bundle-other", "secrets", "published", "code"] {
            fs::create_dir_all(share.join(directory))?;
        }
        let ready = share.join("url");
        let child = Command::new(simulator).arg("honest").arg(&ready).stdin(Stdio::piped()).spawn()?;
        let stage = Self { share, simulator: child };
        let url = wait_for(&ready)?;
        let suite = root().join("tests/suites/demo");
        for name in ["train.py", "attempts.py"] {
            fs::copy(suite.join(name), stage.share.join("code").join(name))?;
        }
        fs::copy(suite.join("node.sh"), stage.share.join("node.sh"))?;
        let signer = quietly(Command::new(binary).args(["authority", "new"]).arg(stage.share.join("secrets/signer")))?;
        stage.secret("workspace", "agent-secret")?;
        stage.secret("token", &mint(&url, &url)?)?;
        stage.secret("token-other", &mint(&url, "https://dbc-2222.cloud.databricks.com/oidc")?)?;
        for (bundle, token) in [("bundle", "token"), ("bundle-other", "token-other")] {
            let directory = stage.share.join(bundle);
            let fill = |name: &str| -> Outcome<()> {
                let text = fs::read_to_string(suite.join(name))?;
                let host = url.trim_start_matches("http://");
                let rows = [
                    ("@URL@", url.as_str()),
                    ("@HOST@", host),
                    ("@SIGNER@", signer.trim()),
                    ("@TOKEN@", token),
                    ("@LEASE@", "10m"),
                ];
                let filled = rows.iter().fold(text, |text, (mark, value)| text.replace(mark, value));
                Ok(fs::write(directory.join(name), filled)?)
            };
            fill("policy.toml")?;
            fill("longhorn.toml")?;
            fs::copy(binary, directory.join("longhorn"))?;
            quietly(
                Command::new(binary)
                    .args(["policy", "sign"])
                    .arg(directory.join("policy.toml"))
                    .arg("--key")
                    .arg(stage.share.join("secrets/signer")),
            )?;
            pin::pin(&directory)?;
        }
        Ok(stage)
    }

    fn secret(&self, name: &str, text: &str) -> Outcome<()> {
        let path = self.share.join("secrets").join(name);
        fs::write(&path, text)?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
    }

    fn node(&self, mode: &str) -> Outcome<()> {
        execute(
            Command::new("tests/support/node.sh").arg(&self.share).args(["sh", "/mnt/host/node.sh", mode]).stdin(Stdio::null()),
        )
    }
}

fn wait_for(ready: &Path) -> Outcome<String> {
    for _ in 0..200 {
        if let Ok(text) = fs::read_to_string(ready) {
            return Ok(text);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the simulator does not start".into())
}

/// Asks the simulator's issuer for a token of `issuer`.
fn mint(url: &str, issuer: &str) -> Outcome<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let body = format!(
        r#"{{"key":"rsa","header":{{"alg":"RS256","kid":"rsa-1","typ":"JWT"}},"claims":{{"iss":"{issuer}","aud":"longhorn","sub":"{PRINCIPAL}","iat":{now},"exp":{},"groups":["ml-engineers"]}}}}"#,
        now + 3600
    );
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "POST /simulator/mint HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let token = answer.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    Ok(token.ok_or("the simulator mints no token")?.to_owned())
}

/// Side by side; everything that fails locked must have succeeded unlocked.
fn compare(share: &Path) -> Outcome<()> {
    let read = |name: &str| -> Outcome<Vec<Vec<String>>> {
        Ok(fs::read_to_string(share.join(name))?.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
    };
    let (unlocked, locked) = (read("unlocked.tsv")?, read("locked.tsv")?);
    let mut wrong = Vec::new();
    println!("   {:32} {:11} locked", "", "unlocked");
    for (free, held) in unlocked.iter().zip(&locked) {
        let [title, before, _] = &free[..] else { return Err("an attempt did not report".into()) };
        let [_, after, how] = &held[..] else { return Err("an attempt did not report".into()) };
        println!("   {title:32} {before:11} {after}: {how}");
        if before != "succeeded" || after != "failed" {
            wrong.push(title.clone());
        }
    }
    if unlocked.len() != 8 || locked.len() != 8 {
        return Err(format!("{} and {} attempts reported, not 8", unlocked.len(), locked.len()).into());
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("not shown both ways: {}", wrong.join(", ")).into()) }
}

fn audit(binary: &Path, share: &Path) -> Outcome<()> {
    let only =
        |directory: &Path| -> Outcome<PathBuf> { Ok(fs::read_dir(directory)?.next().ok_or("the directory is empty")??.path()) };
    let log = only(&share.join("log"))?;
    let published = fs::read_dir(share.join("published"))?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    // Two nodes of this demo published a key; the log says which of them it is bound to.
    let mut verified = None;
    for key in published {
        let output = Command::new(binary).args(["log", "verify"]).arg(&log).arg("--anchor").arg(key).output()?;
        if output.status.code() == Some(0) {
            verified = Some(String::from_utf8_lossy(&output.stdout).into_owned());
        }
    }
    println!(
        "$ longhorn log verify LOG --anchor NODE-KEY\n{}",
        verified.ok_or("the log does not verify against any published node key")?
    );
    let segment = only(&log)?;
    let text = fs::read_to_string(&segment)?;
    fs::write(&segment, text.replacen("\"decision\":\"allow\"", "\"decision\":\"never\"", 1))?;
    println!("$ sed -i s/allow/never/ COPY; longhorn log verify COPY");
    let output = Command::new(binary).args(["log", "verify"]).arg(&log).output()?;
    print!("{}", String::from_utf8_lossy(&output.stdout).lines().take(4).map(|line| format!("{line}\n")).collect::<String>());
    println!("exit {}", output.status.code().unwrap_or(-1));
    if output.status.code() == Some(40) { Ok(()) } else { Err("the edited log was not found out".into()) }
}

/// Without root there is no node; the lock itself can be tried.
fn unprivileged(binary: &Path) -> Outcome<()> {
    println!("not root: this machine shows the lock alone (`longhorn try`); nodes, covers, keeper and record need root");
    let policy = root().join("target/demo-policy.toml");
    let text = fs::read_to_string(root().join("tests/suites/demo/policy.toml"))?;
    let rows =
        [("@URL@", "https://dbc-1111.cloud.databricks.com"), ("@HOST@", "dbc-1111.cloud.databricks.com"), ("@LEASE@", "10m")];
    fs::write(&policy, rows.iter().fold(text, |text, (mark, value)| text.replace(mark, value)))?;
    let status = Command::new(binary)
        .args(["try", "--environment", "python-ml", "--policy"])
        .arg(&policy)
        .args(["--", "/usr/bin/python3", "-c", "open('/var/tmp/x', 'w')"])
        .status()?;
    if status.success() { Err("the lock let a write through".into()) } else { Ok(()) }
}
