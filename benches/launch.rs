//! Launches, `init` and rest on a node, against bubblewrap in the same run. Needs root and `bwrap`.
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod budget;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, Stdio};

use support::{Stage, longhorn, root_or_skip, text, tree};

fn main() {
    budget::of_the_binary_that_ships();
    if !root_or_skip("launch figures") {
        return;
    }
    let stage = Stage::new("bench");
    stage.bundle(|text| text.replace("mount = true", "mount = false").replace("\"3s\"", "\"600s\""));
    std::fs::copy(tree().join("benches/launch.py"), stage.share.join("code/launch.py")).expect("the script is there");
    let mut command = Command::new(tree().join("tests/support/node.sh"));
    command.arg(&stage.share).args(["sh", "-c", ". /mnt/host/code/prelude.sh; exec /usr/bin/python3 /mnt/host/code/launch.py"]);
    std::fs::copy(tree().join("tests/suites/node/prelude.sh"), stage.share.join("code/prelude.sh")).expect("it is there");
    let output = command.stdin(Stdio::null()).output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let size = std::fs::metadata(longhorn()).expect("the binary is there").len();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures =
        printed.lines().filter_map(|line| line.split_once(' ')).map(|(name, value)| (name, value.parse().expect("a number")));
    budget::compare(figures.chain([("binary-mebibytes", size as f64 / 1_048_576.0)]));
}
