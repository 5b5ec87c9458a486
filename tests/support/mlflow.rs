//! The real MLflow as `cargo xtask test` installs it: its Python, and its server as a process.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The repository.
pub fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a script of `tests/suites/mlflow`, or of a copy of it, by the newest MLflow's Python, with nothing of this machine's own.
pub fn script(suite: &Path, name: &str) -> Command {
    let python = tree().join("target/mlflow-new/bin/python");
    assert!(python.is_file(), "no MLflow in target/mlflow-new: `cargo xtask test` installs it");
    let mut command = Command::new(python);
    command.arg("-B").arg(suite.join(name)).env_clear().env("HOME", env!("CARGO_TARGET_TMPDIR")).stdin(Stdio::null());
    command
}

/// Where the scripts are.
pub fn suite() -> PathBuf {
    tree().join("tests/suites/mlflow")
}

/// An empty directory of this test's own.
pub fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mlflow-{name}"));
    if place.exists() {
        fs::remove_dir_all(&place).expect("the old directory can be removed");
    }
    fs::create_dir_all(&place).expect("a directory can be made");
    place
}

/// A running server with no experiments but its own first one; dropped, it is gone.
pub struct Server {
    process: Child,
    /// Its address.
    pub url: String,
}

impl Server {
    /// With a database and artifacts of its own.
    pub fn start(name: &str) -> Self {
        Self::of(script(&suite(), "server.py").arg(place(name)))
    }

    /// A way to a server in which somebody moves aliases when told to; see `meddler.py`.
    pub fn meddled(server: &Self) -> Self {
        Self::of(script(&suite(), "meddler.py").arg(&server.url))
    }

    fn of(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut line).expect("it prints text");
        assert!(line.starts_with("http://127.0.0.1:"), "the server does not start: {line:?}");
        Self { process, url: line.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // An end that fails has nobody to tell.
        let _ = self.process.wait();
    }
}
