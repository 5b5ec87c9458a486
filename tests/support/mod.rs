//! A stage for tests of whole nodes: a simulated workspace and issuer in this process, a signed bundle, and nodes in
//! namespaces of their own that run the very binary that ships.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bundle::Filling;
use simulator::Simulator;
use simulator::scenario::{PRINCIPAL, Scenario};

pub mod bundle;

/// The binary under test: the one that ships where `cargo xtask test` built it, else this profile's.
pub fn longhorn() -> PathBuf {
    std::env::var_os("LONGHORN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_longhorn").into(), PathBuf::from)
}

/// Root is needed to make nodes; without it a test says so and ends.
#[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
pub fn root_or_skip(what: &str) -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root {
        println!("SKIP {what}: needs root");
    }
    root
}

/// Whether slow suites run whole.
pub fn long() -> bool {
    std::env::var_os("LONGHORN_LONG").is_some_and(|value| !value.is_empty())
}

pub fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Seconds since 1970, as the tokens count.
#[expect(clippy::disallowed_methods, reason = "tokens for real processes need the real time")]
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("the clock is before the year 292 billion")
}

pub struct Stage {
    pub share: PathBuf,
    pub workspace: Simulator,
}

impl Stage {
    /// An honest workspace and bundle.
    pub fn new(name: &str) -> Self {
        let share = tree().join("target/stage").join(name);
        if share.exists() {
            fs::remove_dir_all(&share).expect("the old stage can be removed");
        }
        for directory in ["bundle", "secrets", "published", "code"] {
            fs::create_dir_all(share.join(directory)).expect("the stage can be made");
        }
        let stage = Self { share, workspace: simulator::start(Scenario::honest()).expect("the simulator starts") };
        stage.secret("workspace", "agent-secret");
        let token = stage.token(&stage.claims());
        stage.secret("token", &token);
        stage.bundle(|text| text);
        stage
    }

    pub fn secret(&self, name: &str, text: &str) {
        let path = self.share.join("secrets").join(name);
        fs::write(&path, text).expect("a secret can be written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
    }

    /// The claims of an honest token, as JSON text.
    pub fn claims(&self) -> String {
        let (url, now) = (self.workspace.url(), now());
        format!(
            r#"{{"iss":"{url}","aud":"longhorn","sub":"{PRINCIPAL}","iat":{now},"exp":{},"groups":["ml-engineers"]}}"#,
            now + 3600
        )
    }

    pub fn token(&self, claims: &str) -> String {
        self.workspace.mint(r#"{"alg":"RS256","kid":"rsa-1","typ":"JWT"}"#, claims, "rsa")
    }

    /// Writes and signs the bundle; `change` edits settings and policy before.
    pub fn bundle(&self, change: impl Fn(String) -> String) {
        let key = self.share.join("secrets/signer");
        if key.exists() {
            fs::remove_file(&key).expect("the old key can be removed");
        }
        let signer = bundle::signer(&longhorn(), &key).expect("a key can be made");
        let filling = Filling {
            suite: "demo",
            workspace: self.workspace.url(),
            issuer: self.workspace.url(),
            kind: "jwt",
            token: "token",
            lease: "3s",
            code: "/mnt/host/code",
            signer: &signer,
        };
        filling.bundle(tree(), &self.share.join("bundle"), &longhorn(), &key, change).expect("a bundle can be made");
    }

    /// Packages that a node can install from, as `cargo xtask test` fetched them.
    pub fn wheels(&self) {
        let (from, to) = (tree().join("target/wheels"), self.share.join("wheels"));
        fs::create_dir_all(&to).expect("the stage can be made");
        let files = fs::read_dir(&from).expect("`cargo xtask test` fetched the packages into target/wheels");
        for file in files {
            let path = file.expect("the directory can be read").path();
            fs::copy(&path, to.join(path.file_name().expect("a file has a name"))).expect("it can be copied");
        }
    }

    /// Runs a script of `tests/suites/node` on a new node.
    pub fn node(&self, script: &str) -> Output {
        self.command(script).output().expect("a node starts")
    }

    pub fn command(&self, script: &str) -> Command {
        self.command_of("node", script)
    }

    /// The same for a script of another suite, with every file of that suite beside it.
    pub fn command_of(&self, suite: &str, script: &str) -> Command {
        let suites = tree().join("tests/suites");
        let code = self.share.join("code");
        fs::copy(suites.join("node/prelude.sh"), code.join("prelude.sh")).expect("the prelude is there");
        if suite == "node" {
            fs::copy(suites.join(suite).join(script), code.join(script)).expect("the script is there");
        } else {
            for file in fs::read_dir(suites.join(suite)).expect("the suite is there") {
                let path = file.expect("the directory can be read").path();
                fs::copy(&path, code.join(path.file_name().expect("a file has a name"))).expect("it can be copied");
            }
        }
        let mut command = Command::new(tree().join("tests/support/node.sh"));
        command.arg(&self.share).args(["sh", &format!("/mnt/host/code/{script}")]).stdin(Stdio::null());
        command
    }
}

/// Pins a bundle as the README does; a place, unless it is empty, is where nodes find it.
pub fn pin(bundle: &Path, place: &str) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--package", "xtask", "--", "pin"]).arg(bundle).current_dir(tree());
    let output = command.args((!place.is_empty()).then_some(place)).output().expect("cargo starts");
    if output.status.success() { Ok(()) } else { Err(text(&output)) }
}

/// Runs a command that must succeed; returns its stdout.
pub fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    String::from_utf8(output.stdout).expect("it prints text")
}

/// Everything that a process printed, for messages.
pub fn text(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
