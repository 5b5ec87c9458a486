//! What single suites need besides, and what cannot be had everywhere: then the suite is a skip that names the reason.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::setup;
use crate::shell::{Outcome, is_root, quietly, root, step};
use crate::zig::Zig;

/// Variables for the tests of a suite.
pub type Given = Vec<(&'static str, OsString)>;
/// Gets what a suite needs.
pub type Get = fn() -> Outcome<Given>;

/// The store of images, with a base: a root file system of this machine's own distribution. In `tests/images.rs`, too.
pub fn images() -> Outcome<Given> {
    if !is_root() {
        return Err("building images needs root".into());
    }
    setup::packages(&[("buildah", "buildah"), ("mmdebstrap", "mmdebstrap")])?;
    // What an interrupted run left.
    quietly(buildah().args(["rm", "--all"]))?;
    quietly(buildah().args(["rmi", "--prune", "--force"]))?;
    if quietly(buildah().args(["inspect", "--type", "image", BASE])).is_ok() {
        return Ok(Given::new());
    }
    let suite = quietly(Command::new("sh").args(["-c", ". /etc/os-release && echo \"$VERSION_CODENAME\""]))?;
    let file = root().join("target/images/base.tar");
    step("a root file system for images", || debian(&["base", &file.display().to_string(), suite.trim()]))?;
    step("the base of images", || {
        let container = quietly(buildah().args(["from", "scratch"]))?;
        quietly(buildah().args(["add", "--quiet", container.trim()]).arg(&file).arg("/"))?;
        quietly(buildah().args(["commit", "--quiet", "--rm", container.trim(), BASE]))
    })?;
    std::fs::remove_file(file)?;
    Ok(Given::new())
}

const BASE: &str = "localhost/longhorn-base";

fn buildah() -> Command {
    let mut command = Command::new("buildah");
    command.arg("--root").arg(root().join("target/images/store"));
    command.args(["--runroot", "/run/longhorn-images", "--storage-driver", "overlay"]);
    command
}

/// Two SAML providers that we did not write, what one of them signs with, and another canonical form to compare ours with.
pub fn saml() -> Outcome<Given> {
    setup::packages(&[("xmlsec1", "xmlsec1"), ("openssl", "openssl"), ("php", "php-cli")])?;
    if !Path::new("/usr/share/simplesamlphp/www").is_dir() {
        // It names what it needs of PHP; the one module that tells no more by its files is asked for with it.
        setup::install(&["simplesamlphp", "php-xml", "php-mbstring", "php-sqlite3"])?;
    }
    setup::for_python()?;
    let venv = root().join("target/saml");
    let python = venv.join("bin/python");
    let ask = "import importlib.metadata as m; print(*(f'{name}=={m.version(name)}' for name in ('pysaml2', 'lxml')))";
    if quietly(Command::new(&python).args(["-c", ask])).is_ok_and(|found| found.trim() == SAML.join(" ")) {
        return Ok(Given::new());
    }
    step(&format!("{} into {}", SAML.join(" "), venv.display()), || {
        quietly(Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]).args(SAML);
        quietly(&mut pip)
    })?;
    Ok(Given::new())
}

const SAML: &[&str] = &["pysaml2==7.5.5", "lxml==6.1.3"];

/// Machines of another architecture, and what builds for them.
pub fn aarch64() -> Outcome<Given> {
    setup::packages(&[("qemu-system-aarch64", "qemu-system-arm"), ("cpio", "cpio")])?;
    for suite in MACHINES {
        let directory = root().join("target/machines").join(format!("arm64-{suite}"));
        if !directory.join("vmlinuz").is_file() || !directory.join("busybox").is_file() {
            step(&format!("a machine of {suite} on arm64"), || {
                debian(&["machine", &directory.display().to_string(), "arm64", suite])
            })?;
        }
    }
    let zig = Zig::install()?.python();
    setup::library(AARCH64)?;
    Ok(vec![("LONGHORN_ZIG", zig.into())])
}

/// The other architecture that Longhorn ships for.
pub const AARCH64: &str = "aarch64-unknown-linux-musl";

/// Debian's releases whose kernels are booted: one that gives a full lock, one below the floor.
const MACHINES: &[&str] = &["trixie", "bookworm"];

fn debian(arguments: &[&str]) -> Outcome<String> {
    std::fs::create_dir_all(root().join("target/images"))?;
    quietly(Command::new(root().join("tests/support/debian.sh")).args(arguments))
}
