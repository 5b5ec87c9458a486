//! The stage: a simulated workspace, an issuer, two bundles, and the directory that nodes see as `/mnt/host`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::bundle::{Filling, signer};
use super::issuer::Issuer;
use crate::pin;
use crate::shell::{Outcome, quietly, root};

/// Set, until it is dropped.
pub struct Stage {
    /// What nodes see.
    pub share: PathBuf,
    /// The workspace's URL.
    pub workspace: String,
    /// Who issues the job's token.
    pub issuer: Issuer,
    _simulator: Simulator,
}

/// The simulator's process. Its standard input closes with us: it ends by itself, and is waited for.
struct Simulator(Child);

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Stage {
    /// Sets it anew.
    pub fn set(binary: &Path, simulator: &Path, real: bool) -> Outcome<Self> {
        let share = root().join("target/demo");
        if share.exists() {
            fs::remove_dir_all(&share)?;
        }
        for directory in ["bundle", "bundle-other", "secrets", "published", "code", "log"] {
            fs::create_dir_all(share.join(directory))?;
        }
        let ready = share.join("url");
        let child = Command::new(simulator).arg("honest").arg(&ready).stdin(Stdio::piped()).spawn()?;
        let simulator = Simulator(child);
        let workspace = wait_for(&ready)?;
        let issuer = if real { Issuer::real()? } else { Issuer::Simulated { url: workspace.clone() } };
        let stage = Self { share, workspace, issuer, _simulator: simulator };
        let suite = root().join("tests/suites/demo");
        for name in ["train.py", "attempts.py"] {
            fs::copy(suite.join(name), stage.share.join("code").join(name))?;
        }
        fs::copy(suite.join("node.sh"), stage.share.join("node.sh"))?;
        stage.secret("workspace", "agent-secret")?;
        stage.secret("token", &stage.issuer.token()?)?;
        stage.secret("token-other", &stage.issuer.token_of_elsewhere()?)?;
        let key = stage.share.join("secrets/signer");
        let signer = signer(binary, &key)?;
        for (bundle, token) in [("bundle", "token"), ("bundle-other", "token-other")] {
            let directory = stage.share.join(bundle);
            let filling = Filling {
                suite: "demo",
                workspace: &stage.workspace,
                issuer: stage.issuer.url(),
                kind: stage.issuer.kind(),
                token,
                lease: "10m",
                code: "/mnt/host/code",
                signer: &signer,
            };
            filling.bundle(&root(), &directory, binary, &key, |text| text)?;
            pin::pin(&directory, None)?;
        }
        Ok(stage)
    }

    fn secret(&self, name: &str, text: &str) -> Outcome<()> {
        let path = self.share.join("secrets").join(name);
        fs::write(&path, text)?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
    }

    /// Plays one scene of `node.sh` on a node of its own; returns what it shows.
    pub fn node(&self, scene: &str) -> Outcome<String> {
        quietly(Command::new("tests/support/node.sh").arg(&self.share).args(["sh", "/mnt/host/node.sh", scene]))
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
