//! The gateway on a node, against nginx in the same run, and against the real MLflow server asked directly. Needs root and `nginx`.
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod budget;
#[path = "../tests/support/mlflow.rs"]
mod mlflow;
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
    let printed = before_nginx() + &before_mlflow();
    let figures = printed.lines().filter_map(|line| line.split_once(' '));
    budget::compare(figures.map(|(name, value)| (name, value.parse().expect("a number"))));
}

fn before_nginx() -> String {
    let [gateway, stub, proxy, registry] = ports();
    let stage = stage("bench-gateway", gateway, &format!("http://127.0.0.1:{stub}"));
    printed(&stage, "gateway.py", &[gateway, stub, proxy, registry])
}

fn before_mlflow() -> String {
    // From here on before the machine's other work (sched(7)), with all that is started: what waits for a processor is not the gateway.
    let status = Command::new("chrt").args(["--rr", "--pid", "1", &std::process::id().to_string()]).status();
    assert!(status.expect("chrt starts").success(), "the scheduler refuses");
    let ([gateway], server) = (ports(), mlflow::Server::start("bench"));
    let direct = server.url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("its address ends in its port");
    printed(&stage("bench-gateway-mlflow", gateway, &server.url), "latency.py", &[gateway, direct])
}

/// All bound before one is let go: different ones.
fn ports<const COUNT: usize>() -> [u16; COUNT] {
    let listeners = [0; COUNT].map(|_| TcpListener::bind("127.0.0.1:0").expect("loopback has ports"));
    listeners.each_ref().map(|listener| listener.local_addr().expect("it is bound").port())
}

/// A node whose jobs may what trainers may, through a gateway to this registry.
fn stage(name: &str, gateway: u16, origin: &str) -> Stage {
    let stage = Stage::new(name);
    stage.bundle(|text| {
        let registry = format!("[registry]\norigin = \"{origin}\"\nport = {gateway}\nauth = {{ kind = \"none\" }}\n\n[[oidc]]");
        text.replace("[[oidc]]", &registry)
            .replace("may = [\"run\", ", "presets = [\"trainer\"]\nmay = [\"run\", ")
            .replace("\"3s\"", "\"600s\"")
    });
    stage
}

/// What a script of this directory prints on a node.
fn printed(stage: &Stage, script: &str, ports: &[u16]) -> String {
    let code = stage.share.join("code");
    for (from, to) in [(&*format!("benches/{script}"), script), ("tests/suites/node/prelude.sh", "prelude.sh")] {
        std::fs::copy(tree().join(from), code.join(to)).expect("the script is there");
    }
    let ports: String = ports.iter().map(|port| format!(" {port}")).collect();
    let line = format!(". /mnt/host/code/prelude.sh; exec /usr/bin/python3 /mnt/host/code/{script}{ports}");
    let mut command = Command::new(tree().join("tests/support/node.sh"));
    command.arg(&stage.share).args(["sh", "-c", &line]);
    let output = command.stdin(Stdio::null()).output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", String::from_utf8_lossy(&output.stderr).trim());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
