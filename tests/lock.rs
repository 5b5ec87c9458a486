//! The lock, attacked: every file of `tests/attacks` is run by root on a node, first without a lock, where it must
//! succeed, then under `longhorn try`, where it must be denied.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{longhorn, root_or_skip, text, tree};

#[derive(Default)]
struct Outcome {
    unlocked: String,
    locked: String,
    victim: String,
}

#[test]
#[expect(clippy::print_stdout, reason = "an attack that this machine cannot even be asked for is named")]
fn every_attack_succeeds_unlocked_and_is_denied_under_the_lock() {
    if !root_or_skip("attacks on the lock") {
        return;
    }
    let expected = expectations();
    assert!(expected.len() > 120, "{} attacks", expected.len());
    let outcomes = attack();
    let mut problems = Vec::new();
    for (name, expect) in &expected {
        let Some(outcome) = outcomes.get(name) else {
            problems.push(format!("{name}: did not run"));
            continue;
        };
        let denied = outcome.locked.starts_with("denied: ");
        match (expect.as_str(), outcome.unlocked.split(':').next().unwrap_or_default()) {
            // This kernel has no such call, or this machine no such device: then the lock cannot be what denies it.
            (_, "impossible" | "denied") => println!("SKIP attack {name} is impossible here: {}", outcome.unlocked),
            ("denied", "succeeded") if denied && outcome.victim == "lives" => {}
            // An honest list: what no lock of this kind can close is tried as well, and must be what README says.
            ("open", "succeeded") if outcome.locked.starts_with("succeeded: ") => {}
            _ => problems
                .push(format!("{name}: unlocked {}, locked {} (victim {})", outcome.unlocked, outcome.locked, outcome.victim)),
        }
    }
    let impossible = outcomes.values().filter(|outcome| !outcome.unlocked.starts_with("succeeded")).count();
    assert!(impossible <= 16, "{impossible} attacks could not even be tried: the stage is broken");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Name to the word after `# expect:` in the first line.
fn expectations() -> BTreeMap<String, String> {
    let files = fs::read_dir(tree().join("tests/attacks")).expect("the attacks are there");
    let paths = files.map(|file| file.expect("the directory can be read").path());
    paths
        .filter(|path| {
            path.file_name().is_some_and(|name| name != "attempt.py") && path.extension().is_some_and(|kind| kind == "py")
        })
        .map(|path| {
            let source = fs::read_to_string(&path).expect("the attack can be read");
            let expect =
                source.lines().next().and_then(|line| line.strip_prefix("# expect: ")).expect("an expectation comes first");
            assert!(["denied", "open"].contains(&expect), "{}: {expect}", path.display());
            (path.file_stem().expect("a file has a name").to_string_lossy().into_owned(), expect.to_owned())
        })
        .collect()
}

fn attack() -> BTreeMap<String, Outcome> {
    let share = tree().join("target/stage/lock");
    if share.exists() {
        fs::remove_dir_all(&share).expect("the old stage can be removed");
    }
    fs::create_dir_all(share.join("attacks")).expect("the stage can be made");
    copy_all(&tree().join("tests/attacks"), &share.join("attacks"));
    copy_all(&tree().join("tests/suites/lock"), &share);
    fs::copy(longhorn(), share.join("longhorn")).expect("the binary can be copied");
    let mut command = Command::new(tree().join("tests/support/node.sh"));
    command.arg(&share).args(["/usr/bin/python3", "/mnt/host/stage.py"]).stdin(Stdio::null());
    let output = command.output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.splitn(4, ' ');
        let (Some(name), Some(how), Some(victim), Some(said)) = (words.next(), words.next(), words.next(), words.next()) else {
            panic!("not a line of the stage: {line}");
        };
        let outcome = outcomes.entry(name.to_owned()).or_default();
        if how == "locked" {
            outcome.locked = said.to_owned();
            outcome.victim = victim.to_owned();
        } else {
            outcome.unlocked = said.to_owned();
        }
    }
    outcomes
}

fn copy_all(from: &Path, to: &Path) {
    for file in fs::read_dir(from).expect("the directory is there") {
        let path = file.expect("the directory can be read").path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().expect("a file has a name"))).expect("it can be copied");
        }
    }
}
