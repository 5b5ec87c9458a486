//! Promises of the gateway before a Databricks workspace: MLflow's `databricks` client in a locked job, the simulated workspace that
//! lets in whoever logged in there, and behind it the real MLflow server.

#[path = "support/mlflow.rs"]
mod mlflow;
mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mlflow::Server;
use serde_json::{Value, json};
use simulator::scenario::{JOB, RUN};
use support::{Stage, root_or_skip, text, tree};

/// A port of loopback that nothing has.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    listener.local_addr().expect("it is bound").port()
}

/// A node of trainers and deployers whose gateway logs in at the workspace; the policy points MLflow at the gateway, and says nothing else.
fn stage(name: &str, server: &Server) -> Stage {
    let (stage, port) = (Stage::new(name), free_port());
    stage.workspace.edit(|scenario| scenario.mlflow = Some(server.url.clone()));
    stage.bundle(|text| {
        let registry = format!("[registry]\nport = {port}\nauth = {{ kind = \"workspace\" }}\n\n[[oidc]]");
        let venvs = tree().join("target").display().to_string();
        let read = ["mlflow-new", "mlflow-3.0.1", "mlflow-2.22.0"].map(|name| format!(", \"{venvs}/{name}\""));
        let pins = [
            ("MLFLOW_TRACKING_URI", "databricks"),
            ("MLFLOW_REGISTRY_URI", "databricks-uc"),
            ("DATABRICKS_HOST", &format!("http://127.0.0.1:{port}")),
            ("DATABRICKS_TOKEN", "through-the-gateway"),
        ];
        let pins: String = pins.iter().map(|(name, value)| format!(", {name} = \"{value}\"")).collect();
        let text = text
            .replace("[[oidc]]", &registry)
            .replace("read = [\"/mnt/host/code\"]", &format!("read = [\"/mnt/host/code\", \"/databricks\"{}]", read.concat()))
            .replace("may = [\"run\", ", "presets = [\"trainer\", \"deployer\"]\nmay = [\"run\", \"experiment.write\", ")
            .replace("pin = { TZ = \"UTC\" }", &format!("pin = {{ TZ = \"UTC\"{pins} }}"))
            .replace("\"3s\"", "\"600s\"");
        if text.contains("[scopes.") { text + MODELS } else { text }
    });
    let code = stage.share.join("code");
    for (file, value) in [("port", port.to_string()), ("venvs", tree().join("target").display().to_string())] {
        fs::write(code.join(file), value).expect("a file can be written");
    }
    stage
}

/// What the test's policy says of models.
const MODELS: &str = r#"
[models."main.ml.fraud"]
trained-in = ["fraud-training"]

[models."main.ml.fraud".aliases.champion]
promoted-by = ["ml-engineer"]
four-eyes = false
clearance = ["internal"]

[[models."main.ml.fraud".aliases.champion.metrics]]
name = "auc"
at-least = 0.9

[models.ranker]
trained-in = ["fraud-training"]

[models.ranker.aliases.Production]
promoted-by = ["ml-engineer"]
four-eyes = false
clearance = ["internal"]

[[models.ranker.aliases.Production.metrics]]
name = "auc"
at-least = 0.9

[models.ranker.aliases.Archived]
promoted-by = ["ml-engineer"]
four-eyes = false
clearance = ["internal"]

[roles.keeper]
groups = ["databricks:keepers"]

[models.held]
trained-in = ["fraud-training"]

[models.held.aliases.Production]
promoted-by = ["keeper"]
four-eyes = false
clearance = ["internal"]

[models.held.aliases.Archived]
promoted-by = ["ml-engineer"]
four-eyes = false
clearance = ["internal"]

[labels.tables]
"main.gold.orders" = ["internal"]
"#;

/// A script of this suite on a new node, while it runs.
fn spawned(stage: &Stage, script: &str) -> Child {
    let mut command = stage.command_of("databricks", script);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a node starts")
}

/// Does what a script on the node asks for, by making a file. One that ended says itself why.
fn step(node: &mut Child, code: &Path, name: &str, act: impl FnOnce()) {
    while !code.join(name).exists() {
        if node.try_wait().expect("it can be asked").is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    act();
    fs::write(code.join(format!("{name}.done")), "").expect("a file can be written");
}

#[test]
fn a_job_trains_with_the_databricks_client_and_a_token_that_is_nothing_elsewhere() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("databricks-used");
    let stage = stage("databricks-used", &server);
    let output = stage.command_of("databricks", "used.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let asked = stage.workspace.requests();
    assert_eq!(asked.get("/.well-known/databricks-config"), None, "the gateway answers that itself");
    assert!(asked["/api/2.0/mlflow/runs/create"] == 3, "{asked:?}");
}

#[test]
fn the_gateways_login_is_renewed_thrown_away_once_and_missed_in_one_sentence() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("databricks-login");
    let stage = stage("databricks-login", &server);
    stage.workspace.edit(|scenario| scenario.token_life = 3);
    let code = stage.share.join("code");
    let mut node = spawned(&stage, "login.sh");
    let workspace = &stage.workspace;
    step(&mut node, &code, "long", || workspace.edit(|scenario| scenario.token_life = 3600));
    step(&mut node, &code, "taken-back", || workspace.take_back());
    step(&mut node, &code, "down", || {
        workspace.edit(|scenario| scenario.client.1 = "another-secret".into());
        workspace.take_back();
    });
    step(&mut node, &code, "up", || workspace.edit(|scenario| scenario.client.1 = "agent-secret".into()));
    let output = node.wait_with_output().expect("the node ends");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_model_goes_to_unity_catalog_with_a_nodes_word_and_through_the_same_gate() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("databricks-catalog");
    let stage = stage("databricks-catalog", &server);
    let code = stage.share.join("code");
    fs::write(code.join("direct"), &server.url).expect("a file can be written");
    let mut node = spawned(&stage, "catalog.sh");
    let evil = || stage.workspace.write("/api/2.0/fs/files/Models/main/ml/fraud/1/MLmodel", b"evil");
    step(&mut node, &code, "changed", evil);
    let output = node.wait_with_output().expect("the node ends");
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8_lossy(&output.stdout);
    let judged = |word: &str| said.lines().filter(|line| line.contains(&format!("promotion.judged {word}, "))).count();
    assert_eq!((judged("allow"), judged("deny")), (4, 9), "{said}");

    // Of each version the catalog heard of the attested job, and of the table that its run used.
    let job = json!([{ "job": { "id": JOB, "job_run_id": RUN } }]);
    let lineages = stage.workspace.lineages();
    for lineage in &lineages {
        let lineage = lineage.as_ref().expect("each has the header");
        let lineage: Value = serde_json::from_slice(&STANDARD.decode(lineage).expect("it is base64")).expect("it is JSON");
        let table = json!({ "table": { "name": "main.gold.orders", "table_id": "t-1" } });
        assert_eq!(lineage, json!({ "entities": job, "lineages": [{ "source_securables": [table] }] }));
    }
    assert_eq!(lineages.len(), 6);
    let emitted = stage.workspace.emitted();
    assert!(emitted.iter().all(|said| said["model_version_lineage_info"]["entities"] == job), "{emitted:?}");

    // Whoever judges by what the catalog answers finds the file that was changed, and nothing else.
    let [secret, facts, policy, keys] =
        ["secret", "facts", "bundle/policy.toml", "published"].map(|file| stage.share.join(file).display().to_string());
    fs::write(&secret, "simulated-access-token").expect("a file can be written");
    let url = stage.workspace.url();
    let version = ["main.ml.fraud", "1", "champion"];
    let asked = ["--unity-catalog", "--registry", url, "--secret", &secret];
    let output = longhorn(&[&["model", "facts"], &version[..], &asked].concat());
    assert!(output.status.success(), "{}", text(&output));
    fs::write(&facts, output.stdout).expect("a file can be written");
    let by = ["--facts", &facts, "--policy", &policy, "--node-keys", &keys];
    let output = longhorn(&[&["model", "explain"], &version[..], &by].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("FAILS  ")?.split(' ').next()).collect();
    assert_eq!((output.status.code(), &failed[..]), (Some(79), &["model-sealed", "files-unchanged"][..]), "{}", text(&output));
}

fn longhorn(arguments: &[&str]) -> Output {
    Command::new(support::longhorn()).args(arguments).output().expect("it starts")
}
