//! Building for another architecture: zig is the C compiler and the linker, and cargo-zigbuild hands them to cargo.

use std::path::PathBuf;
use std::process::Command;

use crate::setup;
use crate::shell::{Outcome, quietly, root, step};

/// Both, in an environment of their own.
pub struct Zig(PathBuf);

impl Zig {
    /// Installs exactly what `zig.txt` names, by its digests.
    pub fn install() -> Outcome<Self> {
        let (wanted, venv) = (root().join("tests/xtask/zig.txt"), root().join("target/tools/zig"));
        let noted = venv.join("installed.txt");
        let text = std::fs::read(&wanted)?;
        if std::fs::read(&noted).ok().as_ref() != Some(&text) {
            setup::for_python()?;
            step(&format!("zig into {}", venv.display()), || {
                quietly(Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
                let mut pip = Command::new(venv.join("bin/python"));
                pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
                quietly(pip.args(["--require-hashes", "--requirement"]).arg(&wanted))
            })?;
            std::fs::write(&noted, &text)?;
        }
        Ok(Self(venv))
    }

    /// What rustc is told besides: to make a binary that lies elsewhere in memory each time, which it does by itself on x86_64
    /// alone, and one without unwind tables (agent/design/0017). cargo links in the tree's root.
    pub fn flags() -> [String; 3] {
        ["-Crelocation-model=pic", "-Clink-arg=-pie", "-Clink-arg=-Wl,-T,agent/without-unwind-tables.ld"].map(str::to_owned)
    }

    /// Readies a command that builds with them.
    pub fn prepare(&self, command: &mut Command) -> Outcome<()> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(self.0.join("bin")).chain(std::env::split_paths(&path)))?;
        command.env("PATH", path).env("CARGO_ZIGBUILD_CACHE_DIR", root().join("target/tools/zigbuild"));
        // Its own C library, built once.
        command.env("ZIG_GLOBAL_CACHE_DIR", root().join("target/tools/zig-cache"));
        Ok(())
    }

    /// The Python that has it as a module: `-m ziglang cc` is a C compiler.
    pub fn python(&self) -> PathBuf {
        self.0.join("bin/python")
    }
}
