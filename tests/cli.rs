//! What people type, seen from outside: each file of `tests/cli` is a session that ends with the command it is about, its
//! exit code, and both its streams to the letter. Standard output is data, standard error is talk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::fixtures::{lacking, steady};
use support::honest;

mod support {
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
    #[path = "../support/honest.rs"]
    pub mod honest;
}

/// A session: what it shows, the commands before, the command, and what came of it.
struct Session {
    told: String,
    commands: Vec<String>,
    came: String,
}

impl Session {
    fn read(text: &str) -> Self {
        let (told, rest) = text.split_once("\n\n").expect("a session says what it shows, then an empty line");
        let commands = rest.lines().take_while(|line| line.starts_with("$ ")).map(|line| line[2..].to_owned()).collect();
        let came = rest.lines().skip_while(|line| line.starts_with("$ ")).map(|line| format!("{line}\n")).collect();
        Self { told: told.to_owned(), commands, came }
    }

    /// Runs it in a place of its own; only the last command may fail.
    fn run(&self, place: &Path, binary: &Path) -> String {
        let (last, before) = self.commands.split_last().expect("a session has a command");
        let shell = |command: &str| {
            let path = format!("{}:/usr/bin:/bin", binary.display());
            let mut shell = Command::new("sh");
            shell.args(["-c", command]).current_dir(place).env_clear().env("PATH", path);
            shell.envs(std::env::var_os("LONGHORN_MUTANT").map(|alive| ("LONGHORN_MUTANT", alive)));
            shell.output().expect("sh starts")
        };
        for command in before {
            let output = shell(command);
            assert!(output.status.success(), "`{command}` failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let output = shell(last);
        let text = |bytes: &[u8]| steady(&String::from_utf8_lossy(bytes), "", &place.display().to_string());
        let code = output.status.code().expect("it was not killed");
        format!("exit {code}\n--- out\n{}--- err\n{}", text(&output.stdout), text(&output.stderr))
    }
}

/// A directory with `longhorn` in it: the one that ships where `cargo xtask test` built it, else this profile's.
fn binary(place: &Path) -> PathBuf {
    let longhorn = std::env::var_os("LONGHORN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_longhorn").into(), PathBuf::from);
    let directory = place.join("bin");
    fs::create_dir_all(&directory).expect("a directory can be made");
    std::os::unix::fs::symlink(longhorn, directory.join("longhorn")).expect("a link can be made");
    directory
}

#[test]
fn every_session_comes_out_to_the_letter() {
    let sessions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut files: Vec<PathBuf> = (fs::read_dir(&sessions).expect("the sessions are part of the tree"))
        .map(|entry| entry.expect("a folder lists").path())
        .collect();
    if let Ok(only) = std::env::var("LONGHORN_CASE") {
        files.retain(|file| file.file_stem().is_some_and(|name| format!("cli/{}", name.display()) == only));
        assert!(!files.is_empty(), "there is no session {only}");
    }
    files.sort();
    let root = std::env::temp_dir().join(format!("longhorn-cli-{}", std::process::id()));
    fs::create_dir_all(&root).expect("a temporary directory is made");
    let binary = binary(&root);
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a session reads");
        let session = Session::read(&text);
        let place = root.join(file.file_stem().expect("a session has a name"));
        honest::lay_out(&place);
        let came = session.run(&place, &binary);
        wrong.extend(lacking(&came).iter().map(|lack| format!("{}: {lack}", file.display())));
        if std::env::var_os("LONGHORN_REGENERATE").is_some() {
            let commands: String = session.commands.iter().map(|command| format!("$ {command}\n")).collect();
            fs::write(&file, format!("{}\n\n{commands}{came}", session.told)).expect("a session can be written");
        } else if came != session.came {
            wrong.push(format!("{}: expected\n{}came\n{came}", file.display(), session.came));
        }
    }
    // Left behind it harms nobody; the next run has another name.
    let _ = fs::remove_dir_all(&root);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_command_waits_for_a_fifo_that_it_is_given_as_a_file() {
    let place = std::env::temp_dir().join(format!("longhorn-cli-fifo-{}", std::process::id()));
    honest::lay_out(&place);
    let binary = binary(&place);
    let make = "mkfifo fifo && mkdir keys && mkfifo keys/a.jwk && cat models.toml >> policy.toml";
    let shell = |command: &str| {
        let path = format!("{}:/usr/bin:/bin", binary.display());
        Command::new("sh").args(["-c", command]).current_dir(&place).env_clear().env("PATH", path).output().expect("sh starts")
    };
    assert!(shell(make).status.success());
    let mut wrong = Vec::new();
    for command in [
        "model explain fraud 7 champion --policy policy.toml --authority authority.pub --facts fifo",
        "model explain fraud 7 champion --policy policy.toml --facts facts.json --authority fifo",
        "model explain fraud 7 champion --policy policy.toml --facts facts.json --issuer-keys fifo",
        "model explain fraud 7 champion --policy policy.toml --facts facts.json --node-keys keys",
        "model explain fraud 7 champion --policy policy.toml --facts facts.json --authority authority.pub --promoter fifo",
        "model explain fraud 7 champion --policy fifo --facts facts.json --authority authority.pub",
        "model approve fraud 7 champion --policy policy.toml --facts facts.json --authority authority.pub --key fifo",
        "model sign fraud 7 champion --facts facts.json --authority authority.pub --key fifo",
        "model facts fraud 7 champion --registry https://127.0.0.1:9 --ca-file fifo",
        "model facts fraud 7 champion --registry https://127.0.0.1:9 --secret fifo",
        "context verify fifo --node-key node.jwk",
        "context verify context.jwt --node-key fifo",
        "context verify context.jwt --authority fifo",
        "context verify context.jwt --issuer-keys fifo",
        "policy check policy.toml --settings fifo",
        "policy learn fifo --base policy.toml --environment python",
    ] {
        let came = shell(&format!("timeout 20 longhorn {command}"));
        let said = String::from_utf8_lossy(&came.stderr).into_owned();
        if came.status.code() != Some(66) || !said.contains("  presented   not a regular file\n") {
            wrong.push(format!("{command}: {:?}\n{said}", came.status.code()));
        }
    }
    // Left behind it harms nobody; the next run has another name.
    let _ = fs::remove_dir_all(&place);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
