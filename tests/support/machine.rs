//! Whole machines under qemu-system, emulated: another architecture, or another kernel. A machine's only disk is its memory;
//! it runs `tests/suites/machine/init.sh` and ends.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a machine is made of.
pub struct Machine {
    /// `aarch64` or `x86_64`.
    pub architecture: &'static str,
    /// Where its kernel and its busybox lie, as `tests/support/debian.sh` puts them there.
    pub parts: PathBuf,
    /// The binary under test.
    pub longhorn: PathBuf,
    /// The launcher by itself.
    pub launcher: PathBuf,
    /// A program that says what it may do.
    pub probe: PathBuf,
}

/// What one part of the script printed, and its exit code.
#[derive(Debug)]
pub struct Part {
    pub code: i32,
    pub text: String,
}

impl Machine {
    /// Boots it and waits for its end; returns what each part printed. `named` is the stage's name.
    pub fn run(&self, named: &str) -> BTreeMap<String, Part> {
        let stage = tree().join("target/stage").join(named);
        if stage.exists() {
            fs::remove_dir_all(&stage).expect("the old stage can be removed");
        }
        let disk = stage.join("disk");
        fs::create_dir_all(&disk).expect("the stage can be made");
        for directory in ["bin", "proc", "sys", "dev"] {
            fs::create_dir(disk.join(directory)).expect("the stage can be made");
        }
        let suite = tree().join("tests/suites/machine");
        let files = [
            (self.parts.join("busybox"), "bin/busybox"),
            (self.longhorn.clone(), "bin/longhorn"),
            (self.launcher.clone(), "bin/longhorn-launch"),
            (self.probe.clone(), "bin/probe"),
            (suite.join("init.sh"), "init"),
            (suite.join("policy.toml"), "policy.toml"),
        ];
        for (from, to) in files {
            fs::copy(&from, disk.join(to)).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
            fs::set_permissions(disk.join(to), fs::Permissions::from_mode(0o755)).expect("its mode can be set");
        }
        std::os::unix::fs::symlink("busybox", disk.join("bin/sh")).expect("a link can be made");
        let image = stage.join("disk.cpio");
        let mut pack = Command::new("sh");
        pack.args(["-c", "find . | cpio --quiet -o -H newc -R 0:0 > ../disk.cpio"]).current_dir(&disk);
        assert!(pack.status().expect("sh starts").success(), "the disk cannot be packed");
        let console = self.boot(&image);
        fs::write(stage.join("console"), &console).expect("the console can be kept");
        parts(&console)
    }

    fn boot(&self, disk: &Path) -> String {
        // No -accel kvm: /dev/kvm may be there and boot nothing.
        let (model, terminal) = match self.architecture {
            "aarch64" => (["-M", "virt", "-cpu", "cortex-a72"], "ttyAMA0"),
            _ => (["-M", "pc", "-cpu", "max"], "ttyS0"),
        };
        let mut command = Command::new("timeout");
        command.args(["120", &format!("qemu-system-{}", self.architecture), "-accel", "tcg", "-m", "512", "-smp", "1"]);
        command.args(model).args(["-nographic", "-nodefaults", "-no-reboot", "-serial", "stdio", "-kernel"]);
        command.arg(self.parts.join("vmlinuz")).arg("-initrd").arg(disk).arg("-append");
        command.arg(format!("console={terminal} quiet panic=-1 random.trust_cpu=on mitigations=off"));
        let output = command.stdin(Stdio::null()).output().expect("qemu starts");
        let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        assert!(output.status.success(), "qemu: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
        text
    }
}

/// The parts of what a console showed.
fn parts(console: &str) -> BTreeMap<String, Part> {
    let mut found = BTreeMap::new();
    for piece in console.split("== ").collect::<Vec<_>>().windows(2) {
        let ended = piece[1].lines().next().and_then(|line| line.strip_prefix("ended ")?.parse().ok());
        let (Some(code), Some((name, text))) = (ended, piece[0].split_once('\n')) else { continue };
        found.insert(name.to_owned(), Part { code, text: text.to_owned() });
    }
    assert!(!found.is_empty(), "the machine said nothing:\n{console}");
    found
}
