//! Promises of the gateway on a whole node: the real MLflow server behind it, MLflow's own client in a locked job before it.

#[path = "support/mlflow.rs"]
mod mlflow;
mod support;

use std::collections::BTreeSet;
use std::fs;

use mlflow::Server;
use support::{Stage, root_or_skip, text, tree};

/// A port of loopback that nothing has. The tests of this file do not share one machine with a crowd.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    listener.local_addr().expect("it is bound").port()
}

/// A node whose jobs may what trainers may, and make experiments; its gateway leads to this server.
fn stage(name: &str, server: &Server) -> (Stage, u16) {
    let (stage, port) = (Stage::new(name), free_port());
    let venv = tree().join("target/mlflow-new");
    stage.bundle(|text| {
        let registry =
            format!("[registry]\norigin = \"{}\"\nport = {port}\nauth = {{ kind = \"none\" }}\n\n[[oidc]]", server.url);
        // MLflow looks there for what kind of runtime it is on.
        let read = format!("read = [\"/mnt/host/code\", \"/databricks\", \"{}\"]", venv.display());
        text.replace("[[oidc]]", &registry)
            .replace("read = [\"/mnt/host/code\"]", &read)
            .replace("may = [\"run\", ", "presets = [\"trainer\"]\nmay = [\"run\", \"experiment.write\", ")
            .replace("\"3s\"", "\"600s\"")
    });
    fs::write(stage.share.join("code/port"), port.to_string()).expect("a file can be written");
    fs::write(stage.share.join("code/venv"), venv.display().to_string()).expect("a file can be written");
    (stage, port)
}

#[test]
fn a_training_job_notices_nothing_and_what_its_policy_does_not_give_is_denied_in_one_sentence_and_on_record() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-used");
    let (stage, _) = stage("gateway-used", &server);
    let output = stage.command_of("gateway", "used.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
}

/// What is written anew from what was understood: the server never sees the trick.
const HARMLESS: &[&str] =
    &["plain", "run_uuid", "null_beside_run_uuid", "unknown_field", "query_by_percent", "twin", "two_lengths"];

#[test]
fn no_spelling_that_the_server_takes_for_another_goes_through() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-spelled");
    let (stage, port) = stage("gateway-spelled", &server);
    for script in ["differentials.py", "wire.py"] {
        fs::copy(tree().join("tests/suites/mlflow").join(script), stage.share.join("code").join(script)).expect("it is there");
    }
    let output = stage.command_of("gateway", "spelled.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8(output.stdout).expect("it prints text");
    let honoured: BTreeSet<&str> = said.lines().filter_map(|line| line.split_once(" honoured ")).map(|(name, _)| name).collect();
    assert!(said.lines().count() > 40 && honoured.contains("plain"), "{said}");
    let beyond: Vec<&&str> = honoured.iter().filter(|name| !HARMLESS.contains(name)).collect();
    assert!(beyond.is_empty(), "{beyond:?} on port {port}: {said}");
}
