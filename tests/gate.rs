//! Promises of the promotion gate: an honest version passes, and each file of `tests/fixtures/gate` is the same version with one thing
//! wrong, denied by the checks that its first line names and by no others.
//!
//! What follows is one line for each change. `before` is what was so when nodes signed; what comes without it was changed in the
//! registry later.
//!
//! ```text
//! [before] DOCUMENT POINTER = JSON               sets a value; `absent` takes it away
//! copy DOCUMENT POINTER -> DOCUMENT POINTER      puts one value in the place of another
//! signer STATEMENT                               another key signs it, for which nobody vouches
//! before approvals /NAME/FIELD = JSON            in what an approver signs or in its header; `key` is a key's number, 0 for no signature
//! [before] policy TEXT -> TEXT                   in the policy in force; `{before}` is the digest of the one that nodes had
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use longhorn::config::read_policy;
use longhorn::context::compact::{self, Header};
use longhorn::context::seal::{TYPE, Voucher};
use longhorn::context::statement::{Statement, key_named, say};
use longhorn::context::{Claims, NodeKey};
use longhorn::host::clock::Timestamp;
use longhorn::host::digest::sha256_hex;
use longhorn::model::statements::{ModelBinding, ModelSeal, Promoted, RunBinding, RunSeal, VersionBinding};
use longhorn::model::{Candidate, Catalogued, Digests, Gate, LoggedModel, Part, Run, Shelf, Version};
use longhorn::unverified::Unverified;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;
const POLICY: &str = include_str!("fixtures/policy/honest.toml");
/// What the gate needs beside it.
const MODELS: &str = r#"
[roles.release]
groups = ["okta:release"]

[models.fraud]
trained-in = ["training"]

[models.fraud.aliases.champion]
promoted-by = ["release"]
four-eyes = true
clearance = ["internal"]

[models.fraud.aliases.reviewed]
promoted-by = ["release"]
four-eyes = true
clearance = ["internal"]
approved-by = ["ada", "grace"]
approvals = 2

[approvers.ada]
key = "ed25519:7UkoxijRwsbq6QM4kFmVYSlZJzpcY/k2NsFGFKyHN9E="

[approvers.grace]
key = "ed25519:ypOsFwUYcHHWe4PH/w7+gQjo7EUwV113JoeTM9vavnw="

[approvers.joan]
key = "ed25519:bnoc3Smwt4/ROvTFWY/v9O8qlxZuPKby5Pv8zYBQW/E="

[[models.fraud.aliases.champion.metrics]]
name = "auc"
at-least = 0.9
keeps = "higher"

[[models.fraud.aliases.champion.metrics]]
name = "loss"
at-most = 0.2

[labels.tables]
"main.gold.orders" = ["internal"]
"main.gold.customers" = ["pii"]
"#;

/// Everything that there is, by name.
struct World {
    documents: BTreeMap<&'static str, Value>,
    /// Statements that another key signs.
    foreign: Vec<String>,
    policy: String,
}

impl World {
    /// Under this policy everything is as it should be.
    fn honest(policy: String) -> Self {
        let digest = sha256_hex(policy.as_bytes());
        let environment = read_policy("policy.toml", &policy).map_err(|problems| problems.to_string()).expect("it is a policy").0;
        let environment = environment.environments.values().next().expect("there is one").digest();
        let claims = |sub: &str, scope: &str, principal: &str, roles: &[&str]| {
            json!({
                "iss": "longhorn:https://a.example", "sub": sub, "aud": "longhorn", "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3600,
                "jti": "j", "node": { "address": "10.0.0.1", "role": "driver", "boot": "b", "key": key(1).public().thumbprint() },
                "cluster": "c", "job": { "id": "1", "run": "2" },
                "run_as": { "kind": "service-principal", "name": principal }, "roles": roles, "scope": scope,
                "permissions": ["run", "model.promote"], "clearance": [], "environment": "python", "environment_digest": environment,
                "enforcement": "enforce", "open": [], "policy": { "serial": 1, "digest": digest }, "membership": "listed", "proofs": [],
            })
        };
        let run = |id: &str, table: &str, parents: Value, auc: f64| {
            json!({ "run": {
                "info": { "run_id": id, "status": "FINISHED", "artifact_uri": format!("mlflow-artifacts:/1/{id}/artifacts") },
                "data": {
                    "metrics": [{ "key": "auc", "value": auc, "timestamp": 1, "step": 0 }, { "key": "loss", "value": 0.1, "timestamp": 1, "step": 0 }],
                    "params": [{ "key": "depth", "value": "3" }],
                    "tags": [{ "key": "team", "value": "risk" }],
                },
                "inputs": {
                    "dataset_inputs": [{ "tags": [], "dataset": { "name": "d", "digest": "0", "source_type": "delta_table", "source": json!({ "delta_table_name": table }).to_string() } }],
                    "model_inputs": parents,
                },
            }})
        };
        let model = |id: &str, run: &str| {
            json!({ "model": { "info": {
                "model_id": id, "source_run_id": run, "status": "LOGGED_MODEL_READY",
                "artifact_uri": format!("mlflow-artifacts:/1/models/{id}/artifacts"), "tags": [],
            }}})
        };
        let sub = |run: u32| format!("spiffe://a.example/workspace/a.example/job/1/run/{run}");
        let documents = BTreeMap::from([
            ("trainer", claims(&sub(2), "training", "sp-train", &["engineer"])),
            ("parent-trainer", claims(&sub(1), "training", "sp-train", &["engineer"])),
            ("promoter", claims("spiffe://a.example/workspace/a.example/job/9/run/9", "release", "sp-release", &["release"])),
            ("run", run("0a", "main.gold.orders", json!([{ "model_id": "m-parent" }]), 0.95)),
            ("model", model("m-made", "0a")),
            ("parent-run", run("0b", "main.gold.orders", json!([]), 0.8)),
            ("parent-model", model("m-parent", "0b")),
            ("current-model", model("m-current", "0c")),
            ("current-run", run("0c", "main.gold.orders", json!([]), 0.93)),
            (
                "version",
                json!({ "model_version": { "name": "fraud", "version": "7", "status": "READY", "source": "models:/m-made", "run_id": "0a", "tags": [] } }),
            ),
            ("files", json!({ "made": "11", "parent": "22", "current": "33" })),
            ("ask", json!({ "alias": "champion", "lost": [] })),
            // `tables`: labels by tags, null where there is no such table; `seen`: by job and run; `unanswered`: questions.
            ("catalog", json!({ "tables": {}, "seen": [], "unanswered": [] })),
            ("statements", json!({})),
            ("approvals", json!({ "ada": {}, "grace": {} })),
        ]);
        Self { documents, foreign: Vec::new(), policy }
    }

    fn set(&mut self, line: &str) {
        let (place, value) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        let (document, pointer) = place.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        let whole = self.documents.get_mut(document).unwrap_or_else(|| panic!("{line}: no such document"));
        let (parent, last) = pointer.rsplit_once('/').unwrap_or_else(|| panic!("{line}"));
        let parent = whole.pointer_mut(parent).unwrap_or_else(|| panic!("{line}: nothing is there"));
        let value =
            (value != "absent").then(|| serde_json::from_str::<Value>(value).unwrap_or_else(|error| panic!("{line}: {error}")));
        match (parent, value) {
            (Value::Object(members), Some(value)) => drop(members.insert(last.to_owned(), value)),
            (Value::Object(members), None) => drop(members.remove(last).unwrap_or_else(|| panic!("{line}: nothing is there"))),
            (Value::Array(items), Some(value)) if last == "-" => items.push(value),
            (Value::Array(items), Some(value)) => items[last.parse::<usize>().expect("a place")] = value,
            (Value::Array(items), None) => drop(items.remove(last.parse().expect("a place"))),
            _ => panic!("{line}: nothing can be set there"),
        }
    }

    fn text(&self, document: &str, pointer: &str) -> String {
        self.documents[document].pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn signer(&self, statement: &str) -> NodeKey {
        key(if self.foreign.iter().any(|name| name == statement) { 2 } else { 1 })
    }

    /// What the node would say; `statements` may say otherwise.
    fn say<S: Statement>(&self, name: &str, honest: &S) -> String {
        let mut body = serde_json::to_value(honest).expect("it is JSON");
        for (field, value) in self.documents["statements"].get(name).and_then(Value::as_object).into_iter().flatten() {
            body[field] = value.clone();
        }
        let statement: S = serde_json::from_value(body).expect("it is such a statement");
        say(&statement, &self.signer(name), None)
    }

    fn tag(&mut self, document: &'static str, list: &str, key: &str, value: String) {
        let tags = self.documents.get_mut(document).and_then(|whole| whole.pointer_mut(list)).and_then(Value::as_array_mut);
        tags.expect("it has tags").push(json!({ "key": key, "value": value }));
    }

    /// The nodes sign what is so.
    fn sign(&mut self) {
        for (trainer, run, model, files, prefix) in [
            ("trainer", "run", "model", "/made", ""),
            ("parent-trainer", "parent-run", "parent-model", "/parent", "parent-"),
            ("parent-trainer", "current-run", "current-model", "/current", "current-"),
        ] {
            let (sub, iat) = (self.text(trainer, "/sub"), NOW);
            let claims: Claims = serde_json::from_value(self.documents[trainer].clone()).expect("they are claims");
            let signer = self.signer(&format!("{prefix}context"));
            let header = Header { alg: "EdDSA".into(), kid: signer.public().thumbprint(), lhc: None, typ: TYPE.into() };
            let context = compact::sign(&header, &claims, &signer);
            let digest = sha256_hex(context.as_bytes());
            let (run_id, model_id) = (self.text(run, "/run/info/run_id"), self.text(model, "/model/info/model_id"));
            let binding = RunBinding { run_id: run_id.clone(), context: digest.clone(), sub: sub.clone(), iat };
            let Digests { params, metrics, inputs, outputs, tags } = self.run(run).digests;
            let status = self.text(run, "/run/info/status");
            let seal = RunSeal { run_id: run_id.clone(), status, params, metrics, inputs, outputs, tags, sub: sub.clone(), iat };
            let bound =
                ModelBinding { model_id: model_id.clone(), run_id: Some(run_id.clone()), context: digest, sub: sub.clone(), iat };
            let files = self.documents["files"].pointer(files).and_then(Value::as_str).map(str::to_owned);
            let sealed = ModelSeal { model_id: model_id.clone(), files: files.clone(), sub: sub.clone(), iat };
            let said = [
                (run, "/run/data/tags", "longhorn.context", context),
                (run, "/run/data/tags", "longhorn.run_binding", self.say(&format!("{prefix}run_binding"), &binding)),
                (run, "/run/data/tags", "longhorn.run_seal", self.say(&format!("{prefix}run_seal"), &seal)),
                (model, "/model/info/tags", "longhorn.model_binding", self.say(&format!("{prefix}model_binding"), &bound)),
                (model, "/model/info/tags", "longhorn.model_seal", self.say(&format!("{prefix}model_seal"), &sealed)),
            ];
            for (document, list, key, value) in said {
                self.tag(document, list, key, value);
            }
            if prefix.is_empty() {
                let text = |pointer: &str| self.text("version", &format!("/model_version/{pointer}"));
                let version = VersionBinding {
                    name: text("name"),
                    version: text("version"),
                    source: text("source"),
                    run_id: Some(run_id),
                    model_id: self.logged().then_some(model_id),
                    files,
                    sub,
                    iat,
                };
                let token = self.say("version_binding", &version);
                let had = Promoted {
                    name: version.name.clone(),
                    version: version.version.clone(),
                    alias: "champion".into(),
                    previous: None,
                    files: version.files.clone(),
                    policy: String::new(),
                    promoter: "sp-release".into(),
                    decision: 1,
                    sub: "spiffe://a.example/workspace/a.example/job/9/run/8".into(),
                    iat,
                };
                let had = self.documents["ask"]["had"].as_bool().is_some_and(|had| had).then(|| self.say("promotion", &had));
                let approvals = [("ada", 3), ("grace", 4)].map(|(name, seed)| self.approval(name, seed, &version, &token));
                self.tag("version", "/model_version/tags", "longhorn.version_binding", token);
                if let Some(token) = had {
                    self.tag("version", "/model_version/tags", "longhorn.promotion.champion", token);
                }
                for (tag, token) in approvals {
                    self.tag("version", "/model_version/tags", &tag, token);
                }
            }
        }
    }

    /// What somebody approves: the tag, and the signature.
    fn approval(&self, name: &str, seed: u8, version: &VersionBinding, token: &str) -> (String, String) {
        let mut header = json!({ "alg": "EdDSA", "kid": null, "typ": "longhorn-approval+jwt" });
        let mut body = json!({
            "name": version.name, "version": version.version, "alias": "reviewed", "files": version.files,
            "binding": sha256_hex(token.as_bytes()), "approver": name, "iat": NOW + 600, "exp": NOW + 600 + 14 * 86_400,
        });
        let changes = &self.documents["approvals"][name];
        let number = changes["key"].as_u64().map_or(seed, |number| u8::try_from(number).expect("a small number"));
        let signer = key(number);
        header["kid"] = signer.public().thumbprint().into();
        for (field, value) in changes.as_object().expect("changes are an object") {
            match field.as_str() {
                "key" | "tag" => {}
                "alg" | "kid" | "typ" => header[field] = value.clone(),
                _ => body[field] = value.clone(),
            }
        }
        let mut token = compact::sign(&header, &body, &signer);
        if number == 0 {
            token.truncate(token.rfind('.').expect("a signature follows") + 1);
        }
        (changes["tag"].as_str().map_or_else(|| format!("longhorn.approval.reviewed.{name}"), str::to_owned), token)
    }

    fn shown(&self, document: &str) -> Unverified<Vec<u8>> {
        Unverified::new(self.documents[document].to_string().into_bytes())
    }

    fn run(&self, document: &str) -> Run {
        Run::read(&self.shown(document)).expect("it is a run")
    }

    /// Whether the version is made of a logged model.
    fn logged(&self) -> bool {
        self.documents["ask"]["model"] != false
    }

    fn catalogued(&self) -> Catalogued {
        let catalog = self.documents["catalog"].clone();
        let field = |name: &str| catalog[name].clone();
        Catalogued {
            tables: serde_json::from_value(field("tables")).expect("tables with labels"),
            seen: serde_json::from_value::<Vec<_>>(field("seen")).expect("job and run, and tables").into_iter().collect(),
            unanswered: serde_json::from_value(field("unanswered")).expect("a list of texts"),
        }
    }

    fn judged(&self) -> String {
        let (node, now) = (key(1), Timestamp::from_seconds(NOW + 86_400));
        let voucher = |token: &str| {
            let named = key_named(&Unverified::new(token.as_bytes()));
            (named == Some(node.public().thumbprint())).then(|| Voucher::NodeKey(node.public()))
        };
        let part = |run: &str, model: Option<&str>, files: &str| {
            let run = self.documents[run].is_object().then(|| self.run(run));
            let model = model.filter(|model| self.documents[*model].is_object());
            let model = model.map(|model| LoggedModel::read(&self.shown(model)).expect("it is a logged model"));
            let files = self.documents["files"].pointer(files).and_then(Value::as_str).map(str::to_owned);
            Part::of(run, model, files, &voucher, "longhorn", now)
        };
        let version = Version::read(&self.shown("version")).expect("it is a version");
        let ask = &self.documents["ask"];
        let lost = ask["lost"].as_array().expect("a list").iter().map(|id| id.as_str().expect("an id").to_owned()).collect();
        let candidate = Candidate {
            seen: now,
            shelf: if ask["shelf"] == "catalog" { Shelf::Catalog } else { Shelf::Workspace },
            binding: version.binding(&voucher),
            promoted: version.promoted(ask["alias"].as_str().expect("an alias"), &voucher),
            version,
            made: part("run", self.logged().then_some("model"), "/made"),
            parents: vec![part("parent-run", Some("parent-model"), "/parent")],
            lost,
            replaced: Some("6".to_owned()),
            current: ask["current"].as_bool().unwrap_or(true).then(|| part("current-run", None, "/current")),
            catalogued: self.catalogued(),
        };
        let policy = read_policy("policy.toml", &self.policy).map_err(|problems| problems.to_string()).expect("it is a policy").0;
        let promoter: Claims = serde_json::from_value(self.documents["promoter"].clone()).expect("they are claims");
        let verdict = Gate::new(policy.into()).judge(&candidate, ask["alias"].as_str().expect("an alias"), Some(&promoter));
        assert!(verdict.checks.iter().all(|check| !check.expected.is_empty() && !check.presented.is_empty()), "{verdict:?}");
        let mut failed: Vec<&str> = verdict.failed().map(|check| check.name).collect();
        failed.dedup();
        if failed.is_empty() { "passes".to_owned() } else { failed.join(", ") }
    }
}

fn key(seed: u8) -> NodeKey {
    NodeKey::from_seed(&[seed; 32]).expect("any 32 bytes are a seed")
}

/// `OLD -> NEW`, once; `\n` is a line end.
fn replaced(policy: &str, change: &str) -> String {
    let (old, new) = change.split_once(" -> ").expect("old and new");
    assert!(policy.contains(old), "{change}");
    policy.replacen(old, &new.replace("\\n", "\n").replace("{before}", &sha256_hex(policy.as_bytes())), 1)
}

fn came(text: &str) -> (String, String) {
    let (head, changes) = text.split_once("\n\n").unwrap_or((text, ""));
    let expected = head.lines().find_map(|line| line.strip_prefix("expect: ")).expect("it says what is expected");
    let lines = || changes.lines().filter(|line| !line.is_empty());
    let mut policy = format!("{POLICY}{MODELS}");
    lines().filter_map(|line| line.strip_prefix("before policy ")).for_each(|line| policy = replaced(&policy, line));
    let mut world = World::honest(policy);
    let before = lines().filter_map(|line| line.strip_prefix("before ")).filter(|line| !line.starts_with("policy "));
    before.for_each(|line| world.set(line));
    world.foreign = lines().filter_map(|line| line.strip_prefix("signer ")).map(str::to_owned).collect();
    world.sign();
    for line in lines() {
        if let Some(change) = line.strip_prefix("policy ") {
            world.policy = replaced(&world.policy, change);
        } else if let Some(copy) = line.strip_prefix("copy ") {
            let (from, to) = copy.split_once(" -> ").expect("from and to");
            let (document, pointer) = from.split_once(' ').expect("a document and a pointer");
            let value = world.documents[document].pointer(pointer).expect("something is there").to_string();
            world.set(&format!("{to} = {value}"));
        } else if !line.starts_with("before ") && !line.starts_with("signer ") {
            world.set(line);
        }
    }
    (expected.to_owned(), world.judged())
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// With `LONGHORN_CASE=gate/NAME` that one alone.
#[test]
fn every_version_is_judged_as_its_first_line_says() {
    let directory = fixtures().join("gate");
    let (mut wrong, mut denied, mut passed) = (Vec::new(), 0, 0);
    let only = std::env::var("LONGHORN_CASE").ok();
    for entry in std::fs::read_dir(directory).expect("the fixtures are there") {
        let path = entry.expect("it can be read").path();
        if only.as_ref().is_some_and(|only| path.strip_prefix(fixtures()).is_ok_and(|case| case != Path::new(only))) {
            continue;
        }
        let (expected, came) = came(&std::fs::read_to_string(&path).expect("it is text"));
        if came == "passes" {
            passed += 1
        } else {
            denied += 1
        }
        if expected != came {
            wrong.push(format!("{}: {came}\n  expected {expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(only.is_some() || denied >= 60 && passed >= 8, "{denied} {passed}");
}
