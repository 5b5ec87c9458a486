//! Promises of `cargo xtask demo`: every attempt is shown both ways, as root and as far as a normal user can be shown it.

mod support;

use std::process::{Command, Output};

use support::{longhorn, root_or_skip, text, tree};

/// The demo, as `cargo` would run it.
fn demo(run: &mut Command) -> Output {
    let output = run.env("LONGHORN_BIN", longhorn()).current_dir(tree()).output().expect("the demo starts");
    assert!(output.status.success(), "{}", text(&output));
    output
}

/// What it shows: on a slide, and each attempt that succeeded unlocked failed locked.
fn shown(output: &Output, attempts: usize) -> String {
    let shown = String::from_utf8(output.stdout.clone()).expect("it shows text");
    assert!(shown.lines().all(|line| line.chars().count() <= 120), "too wide: {shown}");
    let both = shown.lines().filter(|line| line.contains(" succeeded: ") && line.contains(" failed: ")).count();
    assert_eq!(both, attempts, "{shown}");
    shown
}

#[test]
fn the_demo_shows_an_honest_job_nine_attempts_a_refusal_and_two_verdicts_with_either_issuer() {
    if !root_or_skip("the demo of whole nodes") {
        return;
    }
    for options in [&[][..], &["--real-provider"]] {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["run", "--quiet", "--package", "xtask", "--", "demo"]).args(options);
        let shown = shown(&demo(&mut command), 9);
        let expected = ["locked (full)", "context     none", "reason: issuer-mismatch   exit: 77", "SEALED", "INVALID", "line  "];
        let mut from = 0;
        for word in expected {
            from += shown[from..].find(word).unwrap_or_else(|| panic!("{word} does not come in its turn: {shown}"));
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "a tree that only root may read is named")]
fn a_normal_user_is_shown_the_lock_of_this_machine_and_what_takes_root() {
    let xtask = tree().join("target/debug/xtask");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet", "--package", "xtask"]).current_dir(tree()).status();
    assert!(built.is_ok_and(|status| status.success()), "xtask is not built");
    let as_nobody = |program: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
        command
    };
    let readable = as_nobody("/bin/ls").arg(&xtask).arg(longhorn()).arg(tree()).output();
    if !readable.is_ok_and(|output| output.status.success()) {
        println!("SKIP the demo as a normal user: needs root to become one, in a tree that everybody may read");
        return;
    }
    let shown = shown(&demo(as_nobody(&xtask.display().to_string()).arg("demo")), 10);
    for word in
        ["strength   degraded", "mount-namespace-unavailable", "granted: scope fraud-training", "role-missing", "takes root"]
    {
        assert!(shown.contains(word), "{word}: {shown}");
    }
}
