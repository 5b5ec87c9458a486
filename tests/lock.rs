//! The lock, attacked: every file of `tests/attacks` is run by root on a node, first without a lock, where it must
//! succeed, then under `longhorn try`, where it must be denied. The most important ones are run by a job on a node that
//! `longhorn init` locked as well.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::{Stage, longhorn, root_or_skip, text, tree};

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

/// What a job most wants: secrets of processes outside, their end, other files, and out of the lock.
const HANDFUL: [&str; 14] = [
    "bind_over_program",
    "chmod_protected_file",
    "clone3_user_namespace",
    "connect_masked_socket",
    "execute_dropped_program",
    "keyctl_session_to_parent",
    "kill",
    "list_processes",
    "prlimit_cpu",
    "ptrace_attach",
    "read_environ",
    "read_inherited_descriptor",
    "read_protected_file",
    "smuggled_variable",
];

#[test]
fn the_most_important_attacks_are_denied_to_a_job_on_a_node_that_init_locked() {
    if !root_or_skip("attacks on an attested node") {
        return;
    }
    let stage = Stage::new("lock-attested");
    stage.bundle(|text| {
        let files = "read = [\"/mnt/host/attacks\"]\nprotect = [\"/opt/attack-protected\"]";
        text.replace("read = [\"/mnt/host/code\"]", files)
    });
    fs::create_dir_all(stage.share.join("attacks")).expect("the stage can be made");
    copy_all(&tree().join("tests/attacks"), &stage.share.join("attacks"));
    let outcomes = outcomes(&stage.command_of("lock", "attested.sh").args(HANDFUL).output().expect("a node starts"));
    for name in HANDFUL {
        let Outcome { unlocked, locked, victim } = outcomes.get(name).expect("every one of them ran");
        assert!(
            unlocked.starts_with("succeeded: ") && locked.starts_with("denied: ") && victim == "lives",
            "{name}: unlocked {unlocked}, locked {locked} (victim {victim})"
        );
    }
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
    outcomes(&command.output().expect("a node starts"))
}

/// What the stage printed, by attack.
fn outcomes(output: &Output) -> BTreeMap<String, Outcome> {
    assert!(output.status.success(), "{}", text(output));
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

/// A new directory that no rule of the policy grants, wherever the tree lies.
fn ungranted(name: &str) -> PathBuf {
    let directory = Path::new("/var/tmp").join(format!("longhorn-{name}.{}", std::process::id()));
    fs::create_dir(&directory).expect("a directory can be made");
    directory
}

/// `longhorn try`, for a command that follows.
fn try_with(options: &[&str]) -> Command {
    let mut command = Command::new(longhorn());
    command
        .arg("try")
        .args(options)
        .args(["--environment", "attacked", "--policy"])
        .arg(tree().join("tests/suites/lock/policy.toml"));
    command.arg("--").stdin(Stdio::null());
    command
}

fn observe() -> Command {
    try_with(&["--observe"])
}

#[test]
fn a_command_under_try_ends_when_its_reader_is_gone_as_it_does_without() {
    for mut command in [try_with(&[]), observe()] {
        // The lowest bit of the fourth digit from the end is SIGPIPE (proc_pid_status(5), signal(7)).
        let output = command.args(["/usr/bin/grep", "SigIgn", "/proc/self/status"]).output().expect("longhorn starts");
        let ignored = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        let digit = ignored.chars().rev().nth(3).and_then(|digit| digit.to_digit(16));
        assert_eq!(digit.map(|bits| bits & 1), Some(0), "{}", text(&output));
    }
}

/// What it says of a program in Python that must end well.
fn observed(script: &str) -> String {
    let output = observe().args(["/usr/bin/python3", "-c", script]).output().expect("longhorn starts");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn try_observe_runs_the_command_unlocked_and_names_what_the_lock_would_have_denied() {
    let directory = ungranted("observed");
    let script = "echo hello > made; mv made moved; rm moved; cat /etc/hostname > /dev/null; exit 7";
    let mut command = observe();
    command.args(["/bin/sh", "-c", script]).current_dir(&directory).env("SMUGGLED", "a-secret-value");
    let output = command.output().expect("longhorn starts");
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let real = fs::canonicalize(&directory).expect("it is there");
    for expected in [
        "UNATTESTED".to_owned(),
        "OBSERVED".to_owned(),
        "would remove variable: SMUGGLED\n".to_owned(),
        format!("would deny write: {}/made (2 times)\n", real.display()),
        format!("would deny write: {}/moved (2 times)\n", real.display()),
    ] {
        assert!(said.contains(&expected), "{expected}: {said}");
    }
    assert!(!said.contains("a-secret-value"), "a value is shown: {said}");
    assert!(!said.contains("/etc/hostname") && !said.contains("execute: /"), "what the policy grants is named: {said}");
    fs::remove_dir(&directory).expect("the command left nothing: it did what it does");
}

#[test]
fn try_observe_follows_every_process_of_the_tree() {
    let script = "import subprocess, multiprocessing as m\ndef f(x): return open('/var/lib/dpkg/status').read(1)\nif __name__ == '__main__':\n    m.get_context('fork').Pool(2).map(f, range(4)); subprocess.run(['/bin/sh', '-c', 'true < /var/log/lastlog'])";
    let said = observed(script);
    assert!(said.contains("would deny read: /var/lib/dpkg/status (4 times)\n"), "{said}");
}

#[test]
fn try_observe_calls_it_a_write_only_where_something_is_made_or_changed() {
    let directory = ungranted("observed-opens");
    fs::write(directory.join("there"), "there").expect("a file can be made");
    let real = fs::canonicalize(&directory).expect("it is there").display().to_string();
    let script = format!(
        "import os\nos.close(os.open('{real}/there', os.O_RDONLY | os.O_CREAT))\nos.close(os.open('{real}/made', os.O_RDONLY | os.O_CREAT))"
    );
    let said = observed(&script);
    fs::remove_dir_all(&directory).expect("it can be removed");
    assert!(said.contains(&format!("would deny read: {real}/there (1 times)\n")), "{said}");
    assert!(said.contains(&format!("would deny write: {real}/made (1 times)\n")), "{said}");
    assert!(!said.contains(&format!("would deny write: {real}/there")), "what was only read is called written: {said}");
}

#[test]
#[cfg(target_arch = "x86_64")]
#[expect(clippy::print_stdout, reason = "a kernel without 32-bit calls is named")]
fn try_observe_says_that_it_does_not_read_calls_of_32_bit_programs() {
    // readlink(2) by int 0x80: its number, 85, is that of creat among the calls of 64-bit programs.
    let script = "import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
page = libc.mmap(None, 4096, 7, 0x62, -1, 0)
# mov ebx, page + 64; mov ecx, page + 128; mov edx, 64; mov eax, 85; int 0x80; ret - with rbx kept
code = bytes.fromhex('53bb') + (page + 64).to_bytes(4, 'little') + bytes.fromhex('b9') + (page + 128).to_bytes(4, 'little') \\
    + bytes.fromhex('ba40000000b855000000cd805bc3')
ctypes.memmove(page, code, len(code))
ctypes.memmove(page + 64, b'/proc/self/cwd\\0', 15)
assert ctypes.CFUNCTYPE(ctypes.c_int)(page)() > 0";
    let alone = Command::new("/usr/bin/python3").args(["-c", script]).output().expect("python starts");
    if !alone.status.success() {
        println!("SKIP 32-bit calls: this kernel has none");
        return;
    }
    let said = observed(script);
    let python = fs::canonicalize("/usr/bin/python3").expect("python is there");
    assert!(said.contains(&format!("not traced: 32-bit calls of {}\n", python.display())), "{said}");
    assert!(!said.contains("would deny write"), "a call was misread: {said}");
}
