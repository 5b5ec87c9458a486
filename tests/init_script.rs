//! Promises of the init script: what it pins is what runs, under every shell that a cluster may start it with; anything
//! else stops the node with one line and leaves nothing.

#[macro_use]
#[path = "support/promises.rs"]
mod promises;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Stage, run, text, tree};

const SHELLS: &[&str] = &["/bin/dash", "/bin/bash"];
/// The platform takes no larger init script.
const LARGEST: u64 = 64 * 1024;

/// A bundle as the README makes it: signed, then pinned by `cargo xtask pin`.
fn pinned(name: &str) -> Stage {
    let stage = Stage::new(name);
    support::pin(&stage.share.join("bundle"), "").expect("an honest bundle can be pinned");
    stage
}

fn holds_under_each_shell(name: &str, script: &str) {
    for shell in SHELLS {
        let stage = pinned(&format!("{name}-{}", shell.rsplit('/').next().unwrap_or_default()));
        let output = stage.command_of("init_script", script).env("SHELL_UNDER_TEST", shell).output().expect("a node starts");
        assert!(output.status.success(), "{shell}: {}", text(&output));
    }
}

promises! {
    holds_under_each_shell;
    an_honest_bundle_locks_the_node_and_says_so_in_one_line: "honest.sh";
    every_false_bundle_stops_with_its_own_line_and_nothing_of_it_is_executed: "refused.sh";
    it_can_be_run_twice_and_taken_back: "twice.sh";
    it_does_not_write_into_the_bundle: "read_only.sh";
    the_callers_search_path_neither_helps_nor_hurts: "path.sh";
    a_binary_exchanged_between_check_and_use_is_never_executed: "swapped.sh";
    the_platforms_variables_are_all_that_it_needs_and_all_that_longhorn_gets: "alone.sh";
    the_clusters_own_variables_do_no_harm_but_those_that_run_before_its_first_line: "environment.sh";
    a_copy_of_it_finds_the_bundle_at_its_pinned_place_which_may_be_gone_afterwards: "places.sh";
    after_a_restart_with_the_same_disk_the_result_is_the_same_and_the_log_before_is_named: "restart.sh";
    a_script_that_is_ended_from_outside_leaves_nothing: "signalled.sh";
}

#[test]
fn pinning_fills_in_exactly_the_two_digests_and_the_place_and_the_platform_takes_its_size() {
    let stage = pinned("init-pinned");
    let script = stage.share.join("bundle/longhorn-init.sh");
    let sum = |name: &str| run(Command::new("sha256sum").arg(stage.share.join("bundle").join(name)))[..64].to_owned();
    let template = fs::read_to_string(tree().join("init-scripts/longhorn-init.sh")).expect("the script is there");
    let expected = template.replace("@BINARY_SHA256@", &sum("longhorn")).replace("@SETTINGS_SHA256@", &sum("longhorn.toml"));
    assert_eq!(fs::read_to_string(&script).expect("it was written"), expected.replace("@BUNDLE@", ""));
    support::pin(&stage.share.join("bundle"), "/Volumes/a/b").expect("a place in a volume is one");
    assert_eq!(fs::read_to_string(&script).expect("it was written"), expected.replace("@BUNDLE@", "/Volumes/a/b"));
    for place in ["Volumes/a", "/Volumes/it's"] {
        let refused = support::pin(&stage.share.join("bundle"), place).expect_err("no place at all");
        assert!(refused.contains("absolute path without quotes"), "{refused}");
    }
    assert!(fs::metadata(script).expect("it was written").len() <= LARGEST);
}

#[test]
fn where_systemd_runs_the_lock_outlives_the_unit_that_ran_the_script() {
    if !support::root_or_skip("a node under systemd") {
        return;
    }
    let stage = pinned("init-booted");
    let _ = stage.command_of("init_script", "booted.sh");
    let mut command = Command::new(stage.share.join("code/booted.sh"));
    let output = command.arg(&stage.share).env("SHELL_UNDER_TEST", "/bin/bash").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn it_hands_on_the_platforms_variables_that_longhorn_reads_and_no_other() {
    let script = fs::read_to_string(tree().join("init-scripts/longhorn-init.sh")).expect("the script is there");
    let handed: Vec<String> = script
        .lines()
        .filter_map(|line| line.trim().strip_prefix("${")?.split_once('+'))
        .map(|(name, rest)| {
            assert_eq!(rest, format!("\"{name}=${name}\"}} \\"));
            name.to_owned()
        })
        .collect();
    assert_eq!(handed, longhorn::config::env_names::HINTS);
}

/// Every file of the tree that a shell reads.
fn shell_scripts(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the tree can be read") {
        let path = entry.expect("the tree can be read").path();
        let name = path.file_name().expect("an entry has a name").to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if name != "target" && name != ".git" {
                shell_scripts(&path, found);
            }
        } else if name.ends_with(".sh") || fs::read(&path).is_ok_and(|bytes| is_shell(&bytes)) {
            found.push(path);
        }
    }
}

fn is_shell(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    [&b"#!/bin/sh"[..], b"#!/bin/bash", b"#!/usr/bin/env bash"].contains(&first)
}

#[test]
fn shellcheck_finds_nothing_in_any_shell_script_of_the_tree() {
    let mut scripts = Vec::new();
    shell_scripts(tree(), &mut scripts);
    assert!(scripts.len() > 20 && scripts.iter().any(|path| path.ends_with("init-scripts/longhorn-init.sh")), "{scripts:?}");
    let mut command = Command::new("shellcheck");
    let output = command.arg("--format=gcc").args(&scripts).current_dir(tree()).output();
    let output = output.expect("shellcheck is there: `cargo xtask test` installs it");
    assert!(output.status.success(), "{}", text(&output));
}
