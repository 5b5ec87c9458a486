//! Installs what is missing, and only that: packages of the system, then tools into `target/`.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{Outcome, has, is_root, quietly, root, step};

/// What the build needs: the C library for static binaries, and Rust's standard library for `target`.
pub fn for_build(target: &str) -> Outcome<()> {
    packages(&[("musl-gcc", "musl-tools"), ("cc", "gcc")])?;
    library(target)
}

/// Rust's standard library for `target`.
pub fn library(target: &str) -> Outcome<()> {
    let libraries = quietly(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    if std::path::Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    // rust-toolchain.toml names the target, and rustup adds it only when it installs the toolchain itself.
    step(&format!("Rust's standard library for {target}"), || quietly(Command::new("rustup").args(["target", "add", target])))
        .map(drop)
}

/// Packages of the system that the tests need besides.
pub fn packages_for_tests() -> Outcome<()> {
    packages(&[
        ("musl-gcc", "musl-tools"),
        ("cc", "gcc"),
        ("python3", "python3"),
        ("unshare", "util-linux"),
        ("strace", "strace"),
        ("perl", "perl"),
        ("setpriv", "util-linux"),
        ("git", "git"),
        ("shellcheck", "shellcheck"),
        ("journalctl", "systemd"),
        ("systemd-nspawn", "systemd-container"),
        ("dash", "dash"),
        ("bash", "bash"),
        ("ip", "iproute2"),
        ("sudo", "sudo"),
        ("monit", "monit"),
        ("Rscript", "r-base-core"),
        ("node", "nodejs"),
        ("npm", "npm"),
    ])?;
    java()?;
    for_python()
}

/// Tools and libraries that the tests need, into `target/`.
pub fn for_tests() -> Outcome<()> {
    wheels()?;
    provider().map(drop)?;
    for (name, packages) in ENVIRONMENTS {
        environment(name, packages)?;
    }
    spark()
}

/// The engine's own: 17 where the system has it, as the runtimes do, else the next one.
fn java() -> Outcome<()> {
    if has("java") {
        return Ok(());
    }
    install(&["openjdk-17-jre-headless"]).or_else(|_| install(&["openjdk-21-jre-headless"]))
}

/// Spark with its Python, and what notebooks are made of, as a runtime has them under /databricks.
fn spark() -> Outcome<()> {
    let venv = root().join("target/spark");
    let python = venv.join("bin/python");
    // The version, and whether its Python is unpacked.
    let ask = "import importlib.metadata, ipykernel, jupyter_client, pathlib, pyspark; \
               archive = pathlib.Path(pyspark.__file__).parent / 'python/lib/pyspark.zip'; \
               print(importlib.metadata.version('pyspark'), archive.is_dir())";
    if quietly(Command::new(&python).args(["-c", ask])).is_ok_and(|found| found.trim() == format!("{SPARK} True")) {
        return Ok(());
    }
    step(&format!("Spark {SPARK} into {}", venv.display()), || {
        quietly(Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "wheel", "setuptools"]);
        quietly(&mut pip)?;
        let mut pip = Command::new(&python);
        // Spark comes as source alone: its own build step makes the wheel.
        pip.args(["-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--no-build-isolation"]);
        quietly(pip.arg(format!("pyspark=={SPARK}")).args(["ipykernel", "jupyter_client"]))?;
        quietly(Command::new(&python).arg(root().join("tests/suites/cluster/unpack.py")))
    })
    .map(drop)
}

const SPARK: &str = "4.0.5";

/// What the benches compare with.
pub fn for_benches() -> Outcome<()> {
    packages(&[
        ("bwrap", "bubblewrap"),
        ("nginx", "nginx-light"),
        ("python3", "python3"),
        ("setpriv", "util-linux"),
        ("ip", "iproute2"),
    ])?;
    java()?;
    for_python()?;
    for (name, packages) in ENVIRONMENTS.iter().filter(|(name, _)| *name == "mlflow-new") {
        environment(name, packages)?;
    }
    spark()
}

/// Packages for the tests to install on nodes, by the ordinary client.
fn wheels() -> Outcome<()> {
    let directory = root().join("target/wheels");
    let there = |name: &str| {
        std::fs::read_dir(&directory)
            .is_ok_and(|files| files.flatten().any(|file| file.file_name().to_string_lossy().starts_with(name)))
    };
    if WHEELS.iter().all(|name| there(name)) {
        return Ok(());
    }
    step(&format!("packages for Python into {}", directory.display()), || {
        let venv = root().join("target/tools/python");
        quietly(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&venv))?;
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest"]).arg(&directory).args(WHEELS);
        quietly(&mut pip)
    })
    .map(drop)
}

const WHEELS: &[&str] = &["virtualenv", "uv"];

/// The OpenID provider of `tests/suites/oidc`, exactly as its lock file says; returns the directory to run it in.
pub fn provider() -> Outcome<PathBuf> {
    packages(&[("node", "nodejs"), ("npm", "npm")])?;
    let (suite, directory) = (root().join("tests/suites/oidc"), root().join("target/oidc"));
    let lock = "package-lock.json";
    let same = std::fs::read(directory.join(lock)).ok() == Some(std::fs::read(suite.join(lock))?);
    // npm's last step writes the second lock file.
    if same && directory.join("node_modules/.package-lock.json").is_file() {
        return Ok(directory);
    }
    step(&format!("an OpenID provider into {}", directory.display()), || {
        std::fs::create_dir_all(&directory)?;
        for name in ["package.json", lock] {
            std::fs::copy(suite.join(name), directory.join(name))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(&directory);
        quietly(&mut npm)
    })?;
    Ok(directory)
}

/// An environment for Python in `target/`, with these packages in these versions and what they need.
fn environment(name: &str, packages: &[&str]) -> Outcome<()> {
    let venv = root().join("target").join(name);
    let python = venv.join("bin/python");
    let ask = "import importlib.metadata, sys; print(*(f'{name}=={importlib.metadata.version(name)}' for name in sys.argv[1:]))";
    // What is asked for is `name[extra]==version`, what is there is `name==version`.
    let named = |package: &str| -> (String, String) {
        let (name, version) = package.split_once("==").unwrap_or((package, ""));
        let name = name.split('[').next().unwrap_or(name);
        (name.to_owned(), format!("{name}=={version}"))
    };
    let (names, wanted): (Vec<String>, Vec<String>) = packages.iter().map(|package| named(package)).unzip();
    let there = |found: String| found.split_whitespace().eq(wanted.iter().map(String::as_str));
    if quietly(Command::new(&python).args(["-c", ask]).args(&names)).is_ok_and(there) {
        return Ok(());
    }
    step(&format!("{} into {}", packages.join(", "), venv.display()), || {
        quietly(Command::new("/usr/bin/python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
        quietly(pip.args(packages))
    })
    .map(drop)
}

/// What the tests run against, each in an environment of its own: the official SDK old and new, with what reads Terraform's
/// language; the clouds' own clients; MLflow whole, its server and its authentication with it, and as older runtimes have it.
const ENVIRONMENTS: &[(&str, &[&str])] = &[
    ("sdk-old", &["databricks-sdk==0.20.0", "python-hcl2==8.1.4"]),
    ("sdk-new", &["databricks-sdk==0.156.0", "python-hcl2==8.1.4"]),
    ("sdk-cloud", &["msal==1.39.0", "google-auth==2.63.0", "requests==2.34.2", "botocore==1.44.8"]),
    ("mlflow-new", &["mlflow[auth]==3.17.2", "databricks-sdk==0.156.0"]),
    ("mlflow-2.13.1", &["mlflow-skinny==2.13.1"]),
    ("mlflow-2.22.0", &["mlflow-skinny==2.22.0"]),
    ("mlflow-3.0.1", &["mlflow-skinny==3.0.1"]),
    ("model-signing", &["model-signing==1.1.1", "pyopenssl==26.4.0"]),
];

/// cargo-nextest, from PATH or built into `target/tools`.
pub fn nextest() -> Outcome<PathBuf> {
    tool("cargo-nextest")
}

/// cargo-deny, from PATH or built into `target/tools`.
pub fn deny() -> Outcome<PathBuf> {
    tool("cargo-deny")
}

fn tool(name: &str) -> Outcome<PathBuf> {
    if has(name) {
        return Ok(name.into());
    }
    let tools = root().join("target/tools");
    let program = tools.join("bin").join(name);
    if !program.is_file() {
        step(&format!("{name} into target/tools"), || {
            // Not optimised: it runs for seconds here, and would take minutes more to build.
            quietly(Command::new("cargo").args(["install", "--locked", "--quiet", "--debug", name, "--root"]).arg(&tools))
        })?;
    }
    Ok(program)
}

/// Python that can make environments: the system's has `ensurepip` only with its venv package.
pub fn for_python() -> Outcome<()> {
    packages(&[("python3", "python3")])?;
    if quietly(Command::new("/usr/bin/python3").args(["-c", "import ensurepip"])).is_ok() {
        return Ok(());
    }
    install(&["python3-venv"])
}

/// Installs what is not on PATH: rows of a program and its package.
pub fn packages(needed: &[(&str, &str)]) -> Outcome<()> {
    let missing: Vec<&str> = needed.iter().filter(|(program, _)| !has(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Installs packages of the system.
pub fn install(packages: &[&str]) -> Outcome<()> {
    if !is_root() {
        return Err(format!("these packages are missing, and installing them needs root: {}", packages.join(" ")).into());
    }
    step(&format!("apt-get install {}", packages.join(" ")), || {
        let apt = || Command::new("apt-get");
        let add = |mut command: Command| {
            quietly(
                command
                    .env("DEBIAN_FRONTEND", "noninteractive")
                    .args(["install", "-y", "-q", "--no-install-recommends"])
                    .args(packages),
            )
        };
        // The lists of a fresh machine may be old or absent.
        add(apt()).or_else(|_| quietly(apt().args(["update", "-q"])).and_then(|_| add(apt())))
    })
    .map(drop)
}
