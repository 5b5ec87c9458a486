//! Writes the digests of a bundle, and where nodes find it, into its init script.

use std::path::Path;
use std::process::Command;

use crate::shell::{Outcome, quietly, root};

/// Pins the bundle in `directory`, which nodes will find at `place`; without one, beside the script.
pub fn pin(directory: &Path, place: Option<&str>) -> Outcome<()> {
    let place = place.unwrap_or_default();
    if place.contains('\'') || !(place.is_empty() || place.starts_with('/')) {
        return Err(format!("a bundle's place is an absolute path without quotes, not {place}").into());
    }
    let digest = |name: &str| -> Outcome<String> {
        let text = quietly(Command::new("sha256sum").arg(std::path::absolute(directory.join(name))?))?;
        Ok(text.split_whitespace().next().ok_or("sha256sum says nothing")?.to_owned())
    };
    let script = std::fs::read_to_string(root().join("init-scripts/longhorn-init.sh"))?;
    let rows =
        [("@BINARY_SHA256@", &*digest("longhorn")?), ("@SETTINGS_SHA256@", &digest("longhorn.toml")?), ("@BUNDLE@", place)];
    let pinned = rows.iter().fold(script, |text, (mark, value)| text.replace(mark, value));
    Ok(std::fs::write(directory.join("longhorn-init.sh"), pinned)?)
}
