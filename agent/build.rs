//! Where the small launcher lies that the release build embeds. Without `LONGHORN_LAUNCHER`, or while that file does not
//! exist yet, nothing is embedded and the one binary is its own launcher. And the static binary goes without unwind tables.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=LONGHORN_LAUNCHER");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    let given = std::env::var_os("LONGHORN_LAUNCHER").map(PathBuf::from);
    // A file that is made here is newer than this run: named as something to watch, it would have everything built once more.
    given.iter().for_each(|launcher| println!("cargo::rerun-if-changed={}", launcher.display()));
    let launcher = given.unwrap_or_else(|| out.join("no-launcher"));
    if !launcher.exists() {
        std::fs::write(&launcher, b"").expect("the place of the launcher is writable");
    }
    // Under a name of its own: what runs tests sets it for them, and a build that starts in one would take it for what was given.
    println!("cargo::rustc-env=LONGHORN_EMBEDDED={}", launcher.display());
    if std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-musl") {
        let tree = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
        let (tables, launcher) = (format!("{tree}/agent/without-unwind-tables.ld"), format!("{tree}/agent/launcher.ld"));
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs,-T,{tables}");
        println!("cargo::rustc-link-arg-bin=longhorn-launch=-Wl,-T,{launcher}");
        println!("cargo::rerun-if-changed={tables}");
        println!("cargo::rerun-if-changed={launcher}");
    }
}
