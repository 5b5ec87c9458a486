//! Promises of the mirror in the journal, with a real systemd-journald on a node: what is there when it works, and that
//! nobody waits for it when it does not.

#[macro_use]
#[path = "support/promises.rs"]
mod promises;
mod support;

use support::{Stage, text};

#[expect(clippy::print_stdout, reason = "what was measured is part of the result")]
fn holds(name: &str, script: &str) {
    let output = Stage::new(name).command_of("journal", script).output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", String::from_utf8_lossy(&output.stdout));
}

promises! {
    holds;
    every_record_is_in_the_journal_with_its_number_leaf_and_log: "mirrored.sh";
    a_node_without_a_journal_is_locked_and_says_that_it_has_none: "absent.sh";
    a_hung_journal_slows_nobody_down_and_what_it_did_not_take_is_counted: "hung.sh";
    a_journal_that_hangs_dies_and_comes_back_does_not_matter: "comes_back.sh";
}
