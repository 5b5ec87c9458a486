//! Each bad input is refused for its own reason: without that one check it comes through. `tests/mutants.toml` names the
//! checks; one copy of the tree holds all mutants, and the environment says which one is alive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutants {
    mutant: Vec<Mutant>,
    /// Cases that no single check refuses, and why.
    spared: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    find: String,
    with: String,
    /// Cases that only this check refuses, and what comes of each without it.
    #[serde(default)]
    comes: BTreeMap<String, String>,
    /// Where there is no file: the test binary, and the beginning of the test's name.
    test: Option<[String; 2]>,
    /// What that test then prints: what came through, and what the check would have said.
    #[serde(default)]
    shows: Vec<String>,
}

/// Which test reads the cases of a folder: its binary, and the beginning of its name.
const FOLDERS: &[(&str, [&str; 2])] = &[
    ("cli", ["cli", "every_session"]),
    ("cloud-token", ["workload_identity", "every_clouds_token"]),
    ("gate", ["gate", "every_version"]),
    ("gateway", ["gateway", "every_request"]),
    ("issue", ["issuer", "every_false_request"]),
    ("issuer", ["attest", "every_false_answer_of_the_issuer"]),
    ("labels", ["labels", "every_false_answer_of_the_catalog"]),
    ("node-document", ["node_document", "every_false_document"]),
    ("policy", ["config", "every_bad_policy"]),
    ("saml", ["saml", "every_false_assertion"]),
    ("settings", ["config", "every_bad_settings_file"]),
    ("token", ["attest", "every_false_token"]),
    ("workspace", ["attest", "every_false_answer_of_the_workspace"]),
];
/// Folders in which each case that is refused has its mutant.
const WHOLE: &[&str] = &["cloud-token", "gateway", "issuer", "node-document", "saml", "token", "workspace"];
/// The test binaries that are built.
const TESTS: &[&str] = &[
    "attest",
    "cli",
    "config",
    "decide",
    "gate",
    "gateway",
    "issuer",
    "labels",
    "node_document",
    "saml",
    "sealed",
    "workload_identity",
];

impl Mutant {
    /// Each run that must fail: binary, test, case, and what must be shown.
    fn runs(&self) -> Vec<(String, String, Option<&str>, Vec<&str>)> {
        let cases = self.comes.iter().map(|(case, shown)| {
            let folder = case.split('/').next().unwrap_or_default();
            let (_, [binary, test]) = FOLDERS.iter().find(|(name, _)| *name == folder).expect("a case lies in a folder");
            ((*binary).to_owned(), (*test).to_owned(), Some(case.as_str()), vec![shown.as_str()])
        });
        let test = self.test.iter().map(|[binary, test]| {
            (binary.clone(), test.clone(), None, self.shows.iter().map(String::as_str).collect::<Vec<_>>())
        });
        cases.chain(test).collect()
    }
}

const MODULE: &str = r#"
//! Which mutant is alive.
/// Whether it is this one.
pub fn on(name: &str) -> bool {
    static ALIVE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    ALIVE.get_or_init(|| std::env::var("LONGHORN_MUTANT").unwrap_or_default()) == name
}
/// A text without what stands between these two, wherever they stand: a mutant's way to read over it.
pub fn without(text: &str, from: &str, to: &str) -> &'static str {
    let mut left = text.to_owned();
    while let Some(at) = left.find(from) {
        let end = left[at..].find(to).map_or(left.len(), |end| at + end + to.len());
        left.replace_range(at..end, "");
    }
    Box::leak(left.into_boxed_str())
}
"#;

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_check_has_an_input_that_only_it_refuses() {
    let mutants = read();
    let binaries = build(&mutants.mutant);
    let mut tries = Vec::new();
    let mut passes = BTreeSet::new();
    for mutant in &mutants.mutant {
        let runs = mutant.runs();
        assert!(!runs.is_empty(), "{} has neither a case nor a test", mutant.name);
        for (binary, test, case, shows) in runs {
            // The test without a mutant passes: then its failure is the mutant's doing.
            if passes.insert((binary.clone(), test.clone())) {
                tries.push(Try { mutant: "", binary: binary.clone(), test: test.clone(), case: None, shows: Vec::new() });
            }
            tries.push(Try { mutant: &mutant.name, binary, test, case, shows });
        }
    }
    let problems = on_every_core(tries, &binaries);
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// One run of a test binary.
struct Try<'a> {
    /// Which mutant is alive; none where the name is empty.
    mutant: &'a str,
    binary: String,
    test: String,
    case: Option<&'a str>,
    shows: Vec<&'a str>,
}

impl Try<'_> {
    fn problem(&self, binaries: &BTreeMap<String, PathBuf>) -> Option<String> {
        let (passed, text) = run(&binaries[&self.binary], &self.test, self.case, self.mutant);
        let named = format!("{}: {}", self.mutant, self.case.unwrap_or(&self.test));
        match (self.mutant, passed) {
            ("", true) => None,
            ("", false) => Some(format!("`{}` fails without a mutant:\n{text}", self.test)),
            (_, true) => Some(format!("{named}: nobody notices that the check is gone")),
            (_, false) => {
                let missing = self.shows.iter().find(|shown| !text.contains(**shown))?;
                Some(format!("{named}: the failure does not show `{missing}`:\n{text}"))
            }
        }
    }
}

/// What is left to do, and the binaries that are at it: no binary runs twice at once, for it may have files of its own.
struct Left<'a> {
    tries: Vec<Try<'a>>,
    busy: BTreeSet<String>,
    problems: Vec<String>,
}

fn on_every_core(tries: Vec<Try<'_>>, binaries: &BTreeMap<String, PathBuf>) -> Vec<String> {
    let left = Mutex::new(Left { tries, busy: BTreeSet::new(), problems: Vec::new() });
    let done = Condvar::new();
    let work = || {
        let mut held = left.lock().expect("nobody panics while holding it");
        loop {
            let Left { tries, busy, .. } = &mut *held;
            let Some(at) = tries.iter().position(|one| !busy.contains(&one.binary)) else {
                if tries.is_empty() {
                    return;
                }
                held = done.wait(held).expect("nobody panics while holding it");
                continue;
            };
            let one = tries.remove(at);
            busy.insert(one.binary.clone());
            drop(held);
            let problem = one.problem(binaries);
            held = left.lock().expect("nobody panics while holding it");
            held.busy.remove(&one.binary);
            held.problems.extend(problem);
            done.notify_all();
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        (0..cores).for_each(|_| drop(scope.spawn(work)));
    });
    left.into_inner().expect("nobody panicked while holding it").problems
}

#[test]
fn every_case_of_evidence_and_of_the_gateway_that_is_refused_has_its_mutant_or_its_reason() {
    let mutants = read();
    let mut named: BTreeSet<&str> = mutants.mutant.iter().flat_map(|mutant| mutant.comes.keys().map(String::as_str)).collect();
    named.extend(mutants.spared.keys().map(String::as_str));
    let (mut refused, mut granted) = (BTreeSet::new(), BTreeSet::new());
    for folder in WHOLE {
        for file in fs::read_dir(tree().join("tests/fixtures").join(folder)).expect("the fixtures are part of the tree") {
            let path = file.expect("a folder lists").path();
            let text = String::from_utf8_lossy(&fs::read(&path).expect("a fixture reads")).into_owned();
            let Some(expected) = text.lines().next().and_then(|line| line.trim_start_matches("# ").strip_prefix("expect: "))
            else {
                continue;
            };
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a fixture has a name");
            let cases = if matches!(expected, "granted" | "allowed") { &mut granted } else { &mut refused };
            cases.insert(format!("{folder}/{name}"));
        }
    }
    let whole = |case: &&&str| WHOLE.contains(&case.split('/').next().unwrap_or_default());
    let mut named: BTreeSet<String> = named.iter().filter(whole).map(|case| (*case).to_owned()).collect();
    // What goes on may be written otherwise without a check.
    named.retain(|case| !granted.contains(case));
    assert_eq!(named, refused, "tests/mutants.toml and the fixtures name the same cases");
    assert!(mutants.spared.values().all(|why| why.len() > 10));
}

fn read() -> Mutants {
    let text = fs::read_to_string(tree().join("tests/mutants.toml")).expect("the mutants are part of the tree");
    toml::from_str(&text).expect("the mutants read")
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
    for source in ["agent/src", "agent/xml/src"].map(|of| copy.join(of)) {
        let library = source.join("lib.rs");
        let text = fs::read_to_string(&library).expect("the library is there");
        fs::write(&library, format!("{text}\npub mod mutant;\n")).expect("the copy can be written");
        fs::write(source.join("mutant.rs"), MODULE).expect("the copy can be written");
    }
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
    // Our own crates are built anew: a fingerprint that is a link changes with the build that it was taken from.
    for entry in fs::read_dir(debug.join(".fingerprint")).into_iter().flatten().filter_map(Result::ok) {
        let own = ["longhorn", "simulator"].iter().any(|name| entry.file_name().to_string_lossy().starts_with(name));
        if own {
            fs::remove_dir_all(entry.path()).expect("a fingerprint can be removed");
        }
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--no-run", "--quiet", "--message-format", "json", "--lib"]);
    cargo.args(TESTS.iter().flat_map(|name| ["--test", name]));
    let output = cargo.current_dir(copy).env("CARGO_TARGET_DIR", target).stdin(Stdio::null()).output().expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let messages: Vec<serde_json::Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let said: String = messages.iter().filter_map(|message| message["message"]["rendered"].as_str()).collect();
    assert!(output.status.success(), "the mutants do not build:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut binaries = BTreeMap::new();
    for message in messages {
        if let (Some(file), Some(name), Some(kind)) =
            (message["executable"].as_str(), message["target"]["name"].as_str(), message["target"]["kind"][0].as_str())
        {
            binaries.insert(if kind == "lib" { "lib".to_owned() } else { name.to_owned() }, file.into());
        }
    }
    binaries
}

fn run(binary: &Path, test: &str, case: Option<&str>, alive: &str) -> (bool, String) {
    let mut command = Command::new(binary);
    command.arg(test).current_dir(tree()).env("LONGHORN_MUTANT", alive).env("RUST_BACKTRACE", "0");
    // The mutated binary is the one that is started; nothing is written anew.
    command.env_remove("LONGHORN_BIN").env_remove("LONGHORN_REGENERATE").env_remove("LONGHORN_CASE");
    command.envs(case.map(|case| ("LONGHORN_CASE", case)));
    let output = command.stdin(Stdio::null()).output().expect("the test starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("running 0 tests"), "no test begins with {test}");
    (output.status.success(), text)
}
