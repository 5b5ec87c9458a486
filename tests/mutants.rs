//! Each bad input is refused for its own reason: without that one check it comes through. `tests/mutants.toml` names the
//! checks; one copy of the tree holds all mutants, and the environment says which one is alive.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutants {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    find: String,
    with: String,
    /// The test binary, and the beginning of the test's name.
    test: [String; 2],
    /// What the failing test prints: what came through, and what the check would have said.
    shows: Vec<String>,
}

const MODULE: &str = r#"
//! Which mutant is alive.
/// Whether it is this one.
pub fn on(name: &str) -> bool {
    static ALIVE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    ALIVE.get_or_init(|| std::env::var("LONGHORN_MUTANT").unwrap_or_default()) == name
}
"#;

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_check_has_an_input_that_only_it_refuses() {
    let text = fs::read_to_string(tree().join("tests/mutants.toml")).expect("the mutants are part of the tree");
    let mutants: Mutants = toml::from_str(&text).expect("the mutants read");
    let binaries = build(&mutants.mutant);
    let mut problems = Vec::new();
    for mutant in &mutants.mutant {
        let [binary, test] = &mutant.test;
        // The test without a mutant passes: then its failure is the mutant's doing.
        let (passed, text) = run(&binaries[binary], test, "");
        if !passed {
            problems.push(format!("{}: `{test}` fails without a mutant:\n{text}", mutant.name));
            continue;
        }
        let (passed, text) = run(&binaries[binary], test, &mutant.name);
        if passed {
            problems.push(format!("{}: `{test}` does not notice that the check is gone", mutant.name));
        } else if let Some(missing) = mutant.shows.iter().find(|shown| !text.contains(shown.as_str())) {
            problems.push(format!("{}: the failure does not show `{missing}`:\n{text}", mutant.name));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// The mutated copy's test binaries by name.
fn build(mutants: &[Mutant]) -> BTreeMap<String, PathBuf> {
    let place = tree().join("target/mutants");
    let copy = place.join("tree");
    if copy.exists() {
        fs::remove_dir_all(&copy).expect("the old copy can be removed");
    }
    fs::create_dir_all(&copy).expect("the copy can be made");
    for name in
        ["agent", "tests", "init-scripts", "benches", ".cargo", "Cargo.toml", "Cargo.lock", "README.md", "rust-toolchain.toml"]
    {
        let status = Command::new("cp").arg("-a").arg(tree().join(name)).arg(&copy).status().expect("cp starts");
        assert!(status.success(), "cannot copy {name}");
    }
    for mutant in mutants {
        let path = copy.join(&mutant.file);
        let source = fs::read_to_string(&path).expect("the mutant's file is there");
        assert_eq!(
            source.matches(&mutant.find).count(),
            1,
            "{}: `{}` must stand once in {}",
            mutant.name,
            mutant.find,
            mutant.file
        );
        let with = mutant.with.replace("MUTANT", &format!("crate::mutant::on({:?})", mutant.name));
        fs::write(&path, source.replace(&mutant.find, &with)).expect("the copy can be written");
    }
    let library = copy.join("agent/src/lib.rs");
    let source = fs::read_to_string(&library).expect("the library is there");
    fs::write(&library, format!("{source}\npub mod mutant;\n")).expect("the copy can be written");
    fs::write(copy.join("agent/src/mutant.rs"), MODULE).expect("the copy can be written");
    compile(&copy, &place.join("build"))
}

/// Builds the tests that the mutants need; dependencies that are built already are taken over by hard links.
fn compile(copy: &Path, target: &Path) -> BTreeMap<String, PathBuf> {
    let debug = target.join("debug");
    if !debug.exists() {
        fs::create_dir_all(&debug).expect("the target can be made");
        for part in [".fingerprint", "build", "deps"] {
            let from = tree().join("target/debug").join(part);
            // What is not there is built anew: slower, and no less right.
            let _ = Command::new("cp").arg("-al").arg(from).arg(&debug).stderr(Stdio::null()).status();
        }
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--no-run", "--quiet", "--message-format", "json", "--lib", "--test", "attest", "--test", "policy"]);
    let output = cargo.current_dir(copy).env("CARGO_TARGET_DIR", target).stdin(Stdio::null()).output().expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "the mutants do not build:\n{text}{}", String::from_utf8_lossy(&output.stderr));
    let mut binaries = BTreeMap::new();
    for message in text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()) {
        if let (Some(file), Some(name), Some(kind)) =
            (message["executable"].as_str(), message["target"]["name"].as_str(), message["target"]["kind"][0].as_str())
        {
            binaries.insert(if kind == "lib" { "lib".to_owned() } else { name.to_owned() }, file.into());
        }
    }
    binaries
}

fn run(binary: &Path, test: &str, alive: &str) -> (bool, String) {
    let mut command = Command::new(binary);
    command.arg(test).current_dir(tree()).env("LONGHORN_MUTANT", alive).env("RUST_BACKTRACE", "0");
    let output = command.stdin(Stdio::null()).output().expect("the test starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("running 0 tests"), "no test begins with {test}");
    (output.status.success(), text)
}
