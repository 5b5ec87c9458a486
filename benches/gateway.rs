//! The gateway on a node, against nginx in the same run. Needs root and `nginx`.
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod budget;
#[path = "../tests/support/mod.rs"]
mod support;

use std::net::TcpListener;
use std::process::{Command, Stdio};

use support::{Stage, root_or_skip, text, tree};

fn main() {
    budget::of_the_binary_that_ships();
    if !root_or_skip("figures of the gateway") {
        return;
    }
    let stage = Stage::new("bench-gateway");
    // All bound before one is let go: four different ones.
    let listeners = [0; 4].map(|_| TcpListener::bind("127.0.0.1:0").expect("loopback has ports"));
    let [gateway, stub, proxy, registry] =
        listeners.each_ref().map(|listener| listener.local_addr().expect("it is bound").port());
    drop(listeners);
    stage.bundle(|text| {
        let registry = format!(
            "[registry]\norigin = \"http://127.0.0.1:{stub}\"\nport = {gateway}\nauth = {{ kind = \"none\" }}\n\n[[oidc]]"
        );
        text.replace("[[oidc]]", &registry)
            .replace("may = [\"run\", ", "presets = [\"trainer\"]\nmay = [\"run\", ")
            .replace("\"3s\"", "\"600s\"")
    });
    for (from, to) in [("benches/gateway.py", "gateway.py"), ("tests/suites/node/prelude.sh", "prelude.sh")] {
        std::fs::copy(tree().join(from), stage.share.join("code").join(to)).expect("the script is there");
    }
    let script = format!(
        ". /mnt/host/code/prelude.sh; exec /usr/bin/python3 /mnt/host/code/gateway.py {gateway} {stub} {proxy} {registry}"
    );
    let mut command = Command::new(tree().join("tests/support/node.sh"));
    command.arg(&stage.share).args(["sh", "-c", &script]);
    let output = command.stdin(Stdio::null()).output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", String::from_utf8_lossy(&output.stderr).trim());
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures = printed.lines().filter_map(|line| line.split_once(' '));
    budget::compare(figures.map(|(name, value)| (name, value.parse().expect("a number"))));
}
