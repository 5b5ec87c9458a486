//! Promises of the gateway on a whole node: the real MLflow server behind it, MLflow's own client in a locked job before it.

#[path = "support/mlflow.rs"]
mod mlflow;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use longhorn::context::seal::Voucher;
use longhorn::context::statement::{Statement, hear};
use longhorn::context::{NodePublicKey, render_seed};
use longhorn::decision::permission::PRESETS;
use longhorn::host::digest::sha256_hex;
use longhorn::model::statements::{
    CONTEXT, MODEL_SEAL, ModelSeal, RUN_BINDING, RUN_SEAL, RunBinding, RunSeal, VERSION_BINDING, VersionBinding,
};
use longhorn::model::{Digests, LoggedModel, Manifest, Run};
use longhorn::unverified::Unverified;
use mlflow::{Server, script, suite};
use serde_json::Value;
use support::{Stage, root_or_skip, text, tree};

/// A port of loopback that nothing has. The tests of this file do not share one machine with a crowd.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    listener.local_addr().expect("it is bound").port()
}

/// A node whose jobs may what trainers may, and make experiments; its gateway leads to this server.
fn stage(name: &str, server: &Server) -> (Stage, u16) {
    stage_under(name, server, |text| text)
}

/// The same, where settings and policy are changed once more.
fn stage_under(name: &str, server: &Server, change: impl Fn(String) -> String) -> (Stage, u16) {
    let (stage, port) = (Stage::new(name), free_port());
    let venv = tree().join("target/mlflow-new");
    stage.bundle(|text| {
        let registry =
            format!("[registry]\norigin = \"{}\"\nport = {port}\nauth = {{ kind = \"none\" }}\n\n[[oidc]]", server.url);
        // MLflow looks there for what kind of runtime it is on.
        let venvs = tree().join("target").display().to_string();
        let read = ["mlflow-new", "mlflow-3.0.1", "mlflow-2.22.0", "mlflow-2.13.1"].map(|name| format!(", \"{venvs}/{name}\""));
        let read = format!("read = [\"/mnt/host/code\", \"/databricks\"{}]", read.concat());
        change(
            text.replace("[[oidc]]", &registry)
                .replace("read = [\"/mnt/host/code\"]", &read)
                .replace("may = [\"run\", ", "presets = [\"trainer\"]\nmay = [\"run\", \"experiment.write\", ")
                .replace("\"3s\"", "\"600s\""),
        )
    });
    fs::write(stage.share.join("code/port"), port.to_string()).expect("a file can be written");
    fs::write(stage.share.join("code/venv"), venv.display().to_string()).expect("a file can be written");
    let copied = Command::new("cp").arg("-r").arg(tree().join("agent/src/mlflow/plugin")).arg(stage.share.join("code")).status();
    assert!(copied.expect("cp starts").success());
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

#[test]
fn what_a_job_made_is_signed_by_its_node_and_nobody_changes_it_through_the_gateway_once_it_has_ended() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-sealed");
    let (stage, _) = stage("gateway-sealed", &server);
    let direct = |arguments: &[&str]| {
        let output = script(&suite(), "direct.py").arg(&server.url).args(arguments).output().expect("python starts");
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).expect("it prints text")
    };
    fs::write(stage.share.join("code/foreign"), direct(&["make"])).expect("a file can be written");
    let output = stage.command_of("gateway", "sealed.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8(output.stdout).expect("it prints text");
    let [run, model, denied] = said.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert!(denied.parse::<u32>().expect("a number") >= 35, "{denied}");

    // Whoever has the key that the node published needs nobody else.
    let key = fs::read_dir(stage.share.join("published")).expect("it is there").next().expect("a key").expect("it can be read");
    let key = NodePublicKey::from_jwk(&fs::read(key.path()).expect("it can be read")).expect("it is a key");
    let voucher = Voucher::NodeKey(&key);
    let shown: Value = serde_json::from_str(&direct(&["show", run, model])).expect("it prints JSON");
    let seen = Run::read(&Unverified::new(shown["run"].to_string().into_bytes())).expect("it is a run");
    let (binding, _) = heard::<RunBinding>(seen.tag(RUN_BINDING), &voucher);
    let (seal, _) = heard::<RunSeal>(seen.tag(RUN_SEAL), &voucher);
    assert_eq!((&binding.run_id, &seal.run_id, &*seal.status), (&seen.id, &seen.id, "FINISHED"));
    assert_eq!((&binding.sub, binding.context), (&seal.sub, sha256_hex(seen.tag(CONTEXT).expect("a context").as_bytes())));
    let held = (&seal.params, &seal.metrics, &seal.inputs, &seal.outputs, &seal.tags);
    let now = |run: &Run| {
        let Digests { params, metrics, inputs, outputs, tags } = run.digests.clone();
        (params, metrics, inputs, outputs, tags)
    };
    let (params, metrics, inputs, outputs, tags) = now(&seen);
    assert_eq!(held, (&params, &metrics, &inputs, &outputs, &tags));
    let logged = LoggedModel::read(&Unverified::new(shown["model"].to_string().into_bytes())).expect("it is a logged model");
    let (sealed, _) = heard::<ModelSeal>(logged.tag(MODEL_SEAL), &voucher);
    assert_eq!(sealed.model_id, model);
    let versions: Vec<VersionBinding> = shown["versions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|version| {
            let version = &version["model_version"];
            let tag =
                version["tags"].as_array().expect("tags").iter().find(|tag| tag["key"] == VERSION_BINDING).expect("a statement");
            let (binding, _) = heard::<VersionBinding>(tag["value"].as_str(), &voucher);
            assert_eq!(
                (Some(&*binding.version), Some(&*binding.source)),
                (version["version"].as_str(), version["source"].as_str())
            );
            binding
        })
        .collect();
    assert_eq!(versions.len(), 2, "{versions:?}");
    let of_model = versions.iter().find(|version| version.model_id.as_deref() == Some(model)).expect("one of the logged model");
    assert_eq!((of_model.run_id.as_deref(), &of_model.files), (Some(run), &sealed.files));
    let mut files = Manifest::default();
    files.add("weights.bin".into(), sha256(b"honest"));
    let of_run = versions.iter().find(|version| version.model_id.is_none()).expect("one of the run's own files");
    assert_eq!((of_run.run_id.as_deref(), of_run.files.clone()), (Some(run), Some(files.digest())));

    // Who changes it past the gateway is found out.
    direct(&["edit", run]);
    let shown: Value = serde_json::from_str(&direct(&["show", run, model])).expect("it prints JSON");
    let seen = Run::read(&Unverified::new(shown["run"].to_string().into_bytes())).expect("it is a run");
    assert_ne!(seal.metrics, seen.digests.metrics);
    assert_eq!(seal.params, seen.digests.params);
}

/// What the test's policy says of models.
const MODELS: &str = r#"
[roles.release]
groups = ["okta:release"]

[models.fraud]
trained-in = ["fraud-training"]

[models.fraud.aliases.champion]
promoted-by = ["ml-engineer"]
four-eyes = false
clearance = ["internal"]

[[models.fraud.aliases.champion.metrics]]
name = "auc"
at-least = 0.9
keeps = "higher"

[models.fraud.aliases.audited]
promoted-by = ["ml-engineer"]
four-eyes = true
clearance = ["internal"]

[models.fraud.aliases.release]
promoted-by = ["release"]
four-eyes = false
clearance = ["internal"]

[labels.tables]
"main.gold.orders" = ["internal"]
"main.gold.customers" = ["pii"]
"#;

#[test]
fn a_retrained_model_that_satisfies_the_policy_goes_out_alone_and_one_that_does_not_is_told_why() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-gate");
    let (stage, _) = stage_under("gateway-gate", &server, |text| {
        let text = text.replace("presets = [\"trainer\"]", "presets = [\"trainer\", \"deployer\"]");
        if text.contains("[scopes.") { text + MODELS } else { text }
    });
    fs::write(stage.share.join("code/direct"), &server.url).expect("a file can be written");
    let output = stage.command_of("gateway", "promote.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8(output.stdout).expect("it prints text");
    let count: usize = said.lines().next().expect("a line").parse().expect("a number");
    let judged = |word: &str| said.lines().filter(|line| line.contains(&format!("promotion.judged {word}, "))).count();
    // Those that are no promotions, or past the gate, are refused as requests.
    assert!(count >= 25 && judged("allow") == 3 && judged("deny") == count - 4, "{count}: {said}");
    let facts = |version: &str| {
        let path = stage.share.join(format!("facts-{version}"));
        let output = longhorn(&["model", "facts", "fraud", version, "champion", "--registry", &server.url]);
        assert!(output.status.success(), "{}", text(&output));
        fs::write(&path, &output.stdout).expect("a file can be written");
        path.display().to_string()
    };
    let ([good, low], url) = ([facts("1"), facts("2")], server.url.clone());
    let model = logged_model(&good);
    let mut fetch = script(&suite(), "direct.py");
    let output = fetch.args([&server.url, "fetch", &model]).arg(stage.share.join("model")).output().expect("python starts");
    assert!(output.status.success(), "{}", text(&output));
    let files = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    // From here on there is no registry.
    drop(server);
    let gone = longhorn(&["model", "facts", "fraud", "1", "champion", "--registry", &url]);
    assert_eq!(gone.status.code(), Some(75), "{}", text(&gone));
    let [policy, keys] = ["bundle/policy.toml", "published"].map(|file| stage.share.join(file).display().to_string());
    let explained = |version: &str, facts: &str| {
        let arguments =
            ["model", "explain", "fraud", version, "champion", "--facts", facts, "--policy", &policy, "--node-keys", &keys];
        let output = longhorn(&arguments);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = explained("1", &good);
    assert!(
        code == Some(0) && said.starts_with("version 1 of fraud may have champion, as far as was looked\n"),
        "{code:?} {said}"
    );
    let (code, said) = explained("2", &low);
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("FAILS")).collect();
    assert!(code == Some(79) && failed.len() == 1 && failed[0].contains("metric"), "{code:?} {said}");
    let provenance = |facts: &str, shown: &str| {
        let output = longhorn(&[
            "model",
            "provenance",
            "fraud",
            "1",
            "--facts",
            facts,
            "--policy",
            &policy,
            "--node-keys",
            &keys,
            "--as",
            shown,
        ]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = provenance(&good, "text");
    assert!(
        code == Some(0) && said.starts_with("VERIFIED\n") && said.contains("main.gold.orders") && said.contains("internal"),
        "{said}"
    );
    let (code, said) = provenance(&good, "json");
    let story: Value = serde_json::from_str(&said).expect("it is JSON");
    assert!(
        code == Some(0) && story["verified"] == true && story["steps"].as_array().is_some_and(|steps| steps.len() == 6),
        "{said}"
    );
    let (code, said) = provenance(&good, "svg");
    assert!(code == Some(0) && said.starts_with("<svg ") && said.matches("<rect").count() == 6, "{said}");
    signed(&stage, &[&good, &low], &keys, &files);
    // Whoever edits what was written down is found out, as whoever edits the registry.
    let edited = fs::read_to_string(&good).expect("it can be read").replace("\\\"value\\\": 0.95", "\\\"value\\\": 0.99");
    fs::write(&good, edited).expect("a file can be written");
    let (code, said) = provenance(&good, "text");
    assert!(code == Some(77) && said.starts_with("NOT VERIFIED\n") && said.contains("run-sealed"), "{code:?} {said}");
    let (code, said) = explained("1", &good);
    assert!(code == Some(79) && said.contains("FAILS  run-sealed"), "{code:?} {said}");
}

/// Whom the policy asks as well, and what it says of endpoints.
const APPROVERS: &str = r#"
[approvers.ada]
key = "ed25519:7UkoxijRwsbq6QM4kFmVYSlZJzpcY/k2NsFGFKyHN9E="

[approvers.grace]
key = "ed25519:ypOsFwUYcHHWe4PH/w7+gQjo7EUwV113JoeTM9vavnw="

[models.fraud.aliases.reviewed]
promoted-by = ["ml-engineer"]
four-eyes = false
clearance = ["internal"]
approved-by = ["ada", "grace"]

[models.fraud.aliases.serving]
promoted-by = ["ml-engineer"]
four-eyes = false
clearance = ["internal"]

[[models.fraud.aliases.serving.metrics]]
name = "auc"
at-least = 0.9
"#;

#[test]
fn nobody_moves_an_alias_in_between_unnoticed_and_what_people_must_approve_waits_for_them() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-moved");
    let meddler = Server::meddled(&server);
    let (stage, _) = stage_under("gateway-moved", &meddler, |text| {
        let text =
            text.replace("presets = [\"trainer\"]\nmay = [", "presets = [\"trainer\", \"deployer\"]\nmay = [\"model.tag\", ");
        if text.contains("[scopes.") { text + MODELS + APPROVERS } else { text }
    });
    fs::write(stage.share.join("code/direct"), &meddler.url).expect("a file can be written");
    let output = stage.command_of("gateway", "moved.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let version = String::from_utf8(output.stdout).expect("it prints text").trim().to_owned();
    assert_eq!(version, "1");

    // A person looks, and signs.
    let place = |name: &str| stage.share.join(name).display().to_string();
    let [facts, policy, keys, key] = ["facts", "bundle/policy.toml", "published", "ada.key"].map(place);
    let noted = || {
        let output = longhorn(&["model", "facts", "fraud", &version, "reviewed", "--registry", &server.url]);
        assert!(output.status.success(), "{}", text(&output));
        fs::write(&facts, &output.stdout).expect("a file can be written");
    };
    let model = |verb: &str, more: &[&str]| {
        let known = ["--facts", &facts, "--policy", &policy, "--node-keys", &keys];
        let output = longhorn(&[&["model", verb, "fraud", &version][..], more, &known].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), text(&output))
    };
    noted();
    let (code, said, _) = model("explain", &["reviewed"]);
    assert!(code == Some(79) && said.contains("FAILS  approved") && said.matches("FAILS").count() == 1, "{said}");
    fs::write(&key, render_seed(&[5; 32]).as_bytes()).expect("a file can be written");
    let (code, said, talk) = model("approve", &["reviewed", "--key", &key]);
    assert!(code == Some(79) && said.is_empty() && talk.contains("approver-unlisted"), "{talk}");
    fs::write(&key, render_seed(&[3; 32]).as_bytes()).expect("a file can be written");
    let (code, said, talk) = model("approve", &["champion", "--key", &key]);
    assert!(code == Some(79) && said.is_empty() && talk.contains("approver-unlisted"), "{talk}");
    let (code, approval, talk) = model("approve", &["reviewed", "--key", &key]);
    assert!(code == Some(0) && talk.contains("as its tag longhorn.approval.reviewed.ada"), "{talk}");
    let mut tag = script(&suite(), "direct.py");
    let arguments = ["tag", &version, "longhorn.approval.reviewed.ada", approval.trim()];
    let tagged = tag.arg(&server.url).args(arguments).output().expect("python starts");
    assert!(tagged.status.success(), "{}", text(&tagged));
    noted();
    let (code, said, _) = model("explain", &["reviewed"]);
    assert!(code == Some(0) && said.contains("holds  approved"), "{said}");
    let (code, said, _) = model("provenance", &[]);
    assert!(code == Some(0) && said.contains("reviewed by ada until "), "{said}");

    // The same approval under another version, by whoever reaches the registry: it counts for none but its own.
    let copied = ["tag", "2", "longhorn.approval.reviewed.ada", approval.trim()];
    let tagged = script(&suite(), "direct.py").arg(&server.url).args(copied).output().expect("python starts");
    assert!(tagged.status.success(), "{}", text(&tagged));
    let output = stage.command_of("gateway", "reviewed.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn an_upload_whose_last_byte_was_held_back_until_its_run_was_sealed_is_broken_off() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-held");
    let (stage, _) = stage("gateway-held", &server);
    fs::write(stage.share.join("code/direct"), &server.url).expect("a file can be written");
    let output = stage.command_of("gateway", "held.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_seal_waits_for_a_file_whose_sender_went_away_before_it_was_stored() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-gone");
    let slow = Server::meddled(&server);
    let (stage, _) = stage("gateway-gone", &slow);
    fs::write(stage.share.join("code/direct"), &slow.url).expect("a file can be written");
    let output = stage.command_of("gateway", "gone.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn each_role_may_on_the_real_server_exactly_what_its_preset_says() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-roles");
    let output = script(&suite(), "direct.py").args([&server.url, "seed"]).output().expect("python starts");
    assert!(output.status.success(), "{}", text(&output));
    for (role, permissions) in PRESETS {
        let (stage, _) = stage_under(&format!("gateway-{role}"), &server, |text| {
            let Some(line) = text.lines().find(|line| line.starts_with("may = ")) else { return text };
            let may = format!("presets = [\"{role}\"]\nmay = [\"run\"]");
            text.replace("presets = [\"trainer\"]\n", "").replace(line, &may) + MODELS
        });
        fs::write(stage.share.join("code/seeded"), &output.stdout).expect("a file can be written");
        let tried = stage.command_of("gateway", "roles.sh").output().expect("a node starts");
        assert!(tried.status.success(), "{role}: {}", text(&tried));
        let said = String::from_utf8(tried.stdout).expect("it prints text");
        let rows: Vec<(&str, &str)> = said.lines().filter_map(|line| line.split_once(' ')).collect();
        assert_eq!(rows.len(), 20, "{role}: {said}");
        for (class, came) in rows {
            let given = class == "server.info" || permissions.iter().any(|permission| permission.word() == class);
            assert_eq!(came, if given { "done" } else { "denied" }, "{role}: {class}");
        }
    }
}

#[test]
fn doctor_tells_whether_the_gateway_is_the_only_way_to_the_registry() {
    let server = Server::start("gateway-doctor");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    let closed_url = format!("http://{}", closed.local_addr().expect("it is bound"));
    // A registry that asks for a credential.
    std::thread::spawn(move || {
        for stream in closed.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 4096];
            let read = std::io::Read::read(&mut stream, &mut head).expect("a request");
            assert!(read > 0);
            let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            std::io::Write::write_all(&mut stream, answer).expect("somebody listens");
        }
    });
    let stage = Stage::new("gateway-doctor");
    for (origin, expected) in [
        (server.url.as_str(), ["OPEN: it answers whoever asks", "by nobody"]),
        (closed_url.as_str(), ["asks for a credential (status 401)", "by the gateway"]),
        ("http://127.0.0.1:9", ["no connection", "by nobody"]),
    ] {
        stage.bundle(|text| {
            let registry = format!("[registry]\norigin = \"{origin}\"\nport = 5005\nauth = {{ kind = \"none\" }}\n\n[[oidc]]");
            text.replace("[[oidc]]", &registry)
        });
        let settings = stage.share.join("bundle/longhorn.toml").display().to_string();
        let output = longhorn(&["doctor", "--settings", &settings, "--mlflow"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && expected.iter().all(|line| said.contains(line)), "{origin}: {said}");
    }
}

/// The logged model that facts tell of.
fn logged_model(facts: &str) -> String {
    let facts: Value = serde_json::from_slice(&fs::read(facts).expect("it can be read")).expect("it is JSON");
    let asked = facts["answers"].as_object().expect("answers").keys().find_map(|question| {
        question.strip_prefix("/api/2.0/mlflow/logged-models/").map(|id| id.trim_end_matches('?').to_owned())
    });
    asked.expect("a logged model was asked for")
}

/// What was promoted is signed so that anybody's tool verifies it, and nothing else is signed.
fn signed(stage: &Stage, facts: &[&str; 2], keys: &str, files: &Path) {
    let [key, public, bundle] = ["key.pem", "public.pem", "model.sig"].map(|file| stage.share.join(file).display().to_string());
    let openssl = |arguments: &[&str]| {
        let status = Command::new("openssl").args(arguments).stderr(Stdio::null()).status().expect("openssl starts");
        assert!(status.success(), "{arguments:?}");
    };
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &key]);
    openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
    let sign = |version: &str, facts: &str| {
        longhorn(&["model", "sign", "fraud", version, "champion", "--facts", facts, "--key", &key, "--node-keys", keys])
    };
    let refused = sign("2", facts[1]);
    assert_eq!(refused.status.code(), Some(77), "{}", text(&refused));
    let output = sign("1", facts[0]);
    assert!(output.status.success(), "{}", text(&output));
    fs::write(&bundle, &output.stdout).expect("a file can be written");
    let verifies = || {
        let mut command = Command::new(tree().join("target/model-signing/bin/model_signing"));
        command.args(["verify", "key", "--public_key", &public, "--signature", &bundle]).arg(files);
        command.env_clear().env("HOME", env!("CARGO_TARGET_TMPDIR")).output().expect("`cargo xtask test` installs it")
    };
    let verified = verifies();
    assert!(verified.status.success(), "{}{}", text(&verified), String::from_utf8_lossy(&verified.stdout));
    fs::write(files.join("MLmodel"), "evil").expect("a file can be written");
    let tampered = verifies();
    assert!(
        !tampered.status.success()
            && format!("{}{}", text(&tampered), String::from_utf8_lossy(&tampered.stdout)).contains("MLmodel")
    );
}

fn longhorn(arguments: &[&str]) -> std::process::Output {
    Command::new(support::longhorn()).args(arguments).output().expect("it starts")
}

fn heard<S: Statement>(tag: Option<&str>, voucher: &Voucher<'_>) -> (S, NodePublicKey) {
    hear(&Unverified::new(tag.expect("a statement").as_bytes()), voucher).expect("the node said so")
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let hex = sha256_hex(bytes);
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("two digits"))
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

/// What is asked of Unity Catalog besides.
const CATALOG: &str = r#"
[unity-catalog]
label-tags = "longhorn_label_"
read-labels = true
lineage-warehouse = "abc1"
"#;

#[test]
fn tags_and_lineage_of_unity_catalog_count_at_the_gate_and_what_cannot_be_read_is_no_clear_label() {
    if !root_or_skip("a node with a gateway") {
        return;
    }
    let server = Server::start("gateway-labelled");
    let (stage, _) = stage_under("gateway-labelled", &server, |text| {
        let text = text.replace("presets = [\"trainer\"]", "presets = [\"trainer\", \"deployer\"]");
        let models = MODELS
            .replace("\n[[models.fraud.aliases.champion.metrics]]\nname = \"auc\"\nat-least = 0.9\nkeeps = \"higher\"\n", "");
        let models = format!("{models}\"main.gold.products\" = []\n{CATALOG}");
        if text.contains("[scopes.") { text + &models } else { text }
    });
    stage.workspace.edit(|scenario| {
        let things = &mut scenario.metastore.things;
        let mut tags = |table: &str, label: Option<&str>| {
            let thing = things.entry(format!("tables/main.gold.{table}")).or_default();
            thing.tags.extend(label.map(|label| (format!("longhorn_label_{label}"), String::new())));
        };
        tags("tagged", Some("internal"));
        tags("products", Some("pii"));
        tags("bare", None);
    });
    fs::write(stage.share.join("code/workspace"), stage.workspace.url()).expect("a file can be written");
    let output = stage.command_of("gateway", "labelled.sh").output().expect("a node starts");
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8(output.stdout).expect("it prints text");
    let [version, denied] = said.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert_eq!(denied, "8", "{said}");

    // The same where there is neither registry nor workspace: facts carry what both answered.
    let here = stage.share.display().to_string();
    let settings =
        fs::read_to_string(stage.share.join("bundle/longhorn.toml")).expect("it can be read").replace("/mnt/host", &here);
    fs::write(stage.share.join("here.toml"), settings).expect("a file can be written");
    let [settings, policy, keys, facts] =
        ["here.toml", "bundle/policy.toml", "published", "facts"].map(|file| stage.share.join(file).display().to_string());
    let explained = |more: &[&str]| {
        let asked = ["model", "facts", "fraud", version, "champion", "--registry", &server.url];
        let output = longhorn(&[&asked, more].concat());
        assert!(output.status.success(), "{}", text(&output));
        fs::write(&facts, output.stdout).expect("a file can be written");
        let asked =
            ["model", "explain", "fraud", version, "champion", "--facts", &facts, "--policy", &policy, "--node-keys", &keys];
        let output = longhorn(&asked);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = explained(&["--settings", &settings, "--policy", &policy]);
    assert!(code == Some(0) && said.contains("holds  labels-read") && said.ends_with("labels internal\n"), "{code:?} {said}");
    let (code, said) = explained(&[]);
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("FAILS")).collect();
    assert!(code == Some(79) && failed.len() == 1 && failed[0].contains("labels-read"), "{code:?} {said}");
}
