//! Where the small launcher lies that the release build embeds. Without `LONGHORN_LAUNCHER` nothing is embedded and the
//! one binary is its own launcher.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=LONGHORN_LAUNCHER");
    let launcher = match std::env::var_os("LONGHORN_LAUNCHER") {
        Some(path) => PathBuf::from(path),
        None => {
            let none =
                PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts")).join("no-launcher");
            std::fs::write(&none, b"").expect("cargo gives build scripts a directory to write to");
            none
        }
    };
    println!("cargo::rerun-if-changed={}", launcher.display());
    println!("cargo::rustc-env=LONGHORN_LAUNCHER={}", launcher.display());
}
