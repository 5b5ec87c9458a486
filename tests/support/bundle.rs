//! A bundle from templates, filled in and signed. Tests and demo share it, so it needs the standard library alone.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

/// What a bundle is filled with.
pub struct Filling<'a> {
    /// The suite whose templates they are.
    pub suite: &'a str,
    /// The workspace's URL.
    pub workspace: &'a str,
    /// The URL of the issuer of the job's token.
    pub issuer: &'a str,
    /// The `typ` of its tokens.
    pub kind: &'a str,
    /// Which of the stage's secrets the job presents as its token.
    pub token: &'a str,
    /// How long a lease holds.
    pub lease: &'a str,
    /// What jobs may read.
    pub code: &'a str,
    /// The policy signer's public key.
    pub signer: &'a str,
}

impl Filling<'_> {
    /// A template of the suite, filled in.
    pub fn fill(&self, tree: &Path, name: &str) -> io::Result<String> {
        let rows = [
            ("@URL@", self.workspace),
            ("@ISSUER@", self.issuer),
            ("@ISSUER-HOST@", self.issuer.split("://").nth(1).unwrap_or_default()),
            ("@TYPE@", self.kind),
            ("@TOKEN@", self.token),
            ("@LEASE@", self.lease),
            ("@CODE@", self.code),
            ("@SIGNER@", self.signer),
        ];
        let text = fs::read_to_string(tree.join("tests/suites").join(self.suite).join(name))?;
        Ok(rows.iter().fold(text, |text, (mark, value)| text.replace(mark, value)))
    }

    /// Writes a whole bundle into `directory`: settings, policy and its signature by `key`, and the binary. `change` edits
    /// settings and policy before they are signed.
    pub fn bundle(
        &self,
        tree: &Path,
        directory: &Path,
        binary: &Path,
        key: &Path,
        change: impl Fn(String) -> String,
    ) -> io::Result<()> {
        for name in ["policy.toml", "longhorn.toml"] {
            fs::write(directory.join(name), change(self.fill(tree, name)?))?;
        }
        fs::copy(binary, directory.join("longhorn"))?;
        said(Command::new(binary).args(["policy", "sign"]).arg(directory.join("policy.toml")).arg("--key").arg(key)).map(drop)
    }
}

/// Makes a signing key; returns its public half.
pub fn signer(binary: &Path, key: &Path) -> io::Result<String> {
    said(Command::new(binary).args(["authority", "new"]).arg(key)).map(|text| text.trim().to_owned())
}

/// What a command that must succeed prints.
fn said(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(io::Error::other(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr))))
}
