//! Writes the digests of a bundle into its init script.

use std::path::Path;
use std::process::Command;

use crate::shell::{Outcome, quietly, root};

/// Pins the bundle in `directory`.
pub fn pin(directory: &Path) -> Outcome<()> {
    let digest = |name: &str| -> Outcome<String> {
        let text = quietly(Command::new("sha256sum").arg(std::path::absolute(directory.join(name))?))?;
        Ok(text.split_whitespace().next().ok_or("sha256sum says nothing")?.to_owned())
    };
    let script = std::fs::read_to_string(root().join("init-scripts/longhorn-init.sh"))?;
    let pinned = script.replace("@BINARY_SHA256@", &digest("longhorn")?).replace("@SETTINGS_SHA256@", &digest("longhorn.toml")?);
    Ok(std::fs::write(directory.join("longhorn-init.sh"), pinned)?)
}
