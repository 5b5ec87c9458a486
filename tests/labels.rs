//! Promises of labels in Unity Catalog, against a workspace on loopback: the policy's labels and the governed tags are held against each
//! other, tags are set as the policy says, grants that are wider are named. Each false answer is a file of `tests/fixtures/labels`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::config::signature::sign;
use longhorn::context::NodeKey;
use serde::Deserialize;
use serde_json::Value;
use simulator::Simulator;
use simulator::faults::Fault;
use simulator::scenario::Scenario;
use support::fixtures;

mod support {
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
}

const POLICY: &str = include_str!("fixtures/policy/honest.toml");
/// What it says besides.
const MORE: &str = r#"
[roles.auditor]
groups = ["databricks:auditors"]

[scopes.auditing]
clusters = { policy-ids = ["AUD1"] }
run-by = ["auditor"]
may = ["run"]
presets = ["auditor"]
environment = "python"

[models."main.ml.fraud"]
trained-in = ["training"]

[models."main.ml.fraud".aliases.champion]
promoted-by = ["engineer"]
four-eyes = false
clearance = ["internal"]

[labels.tables]
"main.gold.customers" = ["pii"]
"main.gold.orders" = ["internal"]
"main.gold.products" = []

[unity-catalog]
label-tags = "longhorn_label_"
custodians = ["platform"]
"#;

/// A workspace, and settings and policy for it.
struct Place {
    workspace: Simulator,
    place: PathBuf,
}

impl Place {
    fn new(name: &str) -> Self {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("labels-{name}"));
        if place.exists() {
            fs::remove_dir_all(&place).expect("the old place can be removed");
        }
        fs::create_dir_all(&place).expect("a place can be made");
        let this = Self { workspace: simulator::start(Scenario::honest()).expect("the simulator starts"), place };
        let secret = this.place.join("secret");
        fs::write(&secret, "agent-secret").expect("a secret can be written");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
        let (url, secret) = (this.workspace.url(), secret.display());
        let signer = STANDARD.encode(key().public().as_bytes());
        let settings = format!(
            "[workspace]\nhost = \"{url}\"\nauth = {{ kind = \"m2m\", client-id = \"agent\", secret = {{ kind = \"file\", path = \
             \"{secret}\" }} }}\nmembership = \"at-init\"\n\n[policy]\nfile = \"policy.toml\"\nsigner = \"ed25519:{signer}\"\n\
             min-serial = 1\n\n[authority]\nkind = \"published\"\ndirectory = \"/keys\"\n\n[record]\n\n[[oidc]]\nname = \"okta\"\n\
             token = {{ kind = \"file\", path = \"/t\" }}\n"
        );
        fs::write(this.place.join("longhorn.toml"), settings).expect("settings can be written");
        this.policy(|text| text);
        this
    }

    /// The policy, changed and signed.
    fn policy(&self, change: impl FnOnce(String) -> String) {
        let honest = format!("{POLICY}{MORE}")
            .replace("https://dbc-1.example.com", self.workspace.url())
            .replace("[\"okta:engineers\"]", "[\"okta:engineers\", \"databricks:ml-eng\"]")
            .replace(
                "may = [\"run\"]\nenvironment",
                "may = [\"run\"]\npresets = [\"trainer\"]\nclearance = [\"pii\", \"internal\"]\nenvironment",
            );
        let text = change(honest);
        fs::write(self.place.join("policy.toml.sig"), sign(text.as_bytes(), &key())).expect("a signature can be written");
        fs::write(self.place.join("policy.toml"), text).expect("a policy can be written");
    }

    fn longhorn(&self, arguments: &str) -> Output {
        let longhorn = std::env::var_os("LONGHORN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_longhorn").into(), PathBuf::from);
        let mut command = Command::new(longhorn);
        command.args(arguments.split(' ')).current_dir(&self.place).env_clear();
        command.envs(std::env::var_os("LONGHORN_MUTANT").map(|alive| ("LONGHORN_MUTANT", alive)));
        command.output().expect("longhorn starts")
    }

    /// The exit code and what was printed.
    fn labels(&self, command: &str) -> (i32, String) {
        came(&self.longhorn(&format!("labels {command} --settings longhorn.toml --policy policy.toml")))
    }
}

fn key() -> NodeKey {
    NodeKey::from_seed(&[1; 32]).expect("any 32 bytes are a seed")
}

fn came(output: &Output) -> (i32, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("it was not killed"), text(&output.stdout) + &text(&output.stderr))
}

/// The agent's secrets are root's.
#[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
fn root_or_skip() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root {
        println!("SKIP labels in Unity Catalog: needs root");
    }
    root
}

#[test]
fn labels_that_agree_are_said_to_and_each_difference_is_named_with_its_table() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new("check");
    let (code, said) = place.labels("check");
    assert_eq!(
        (code, said.as_str()),
        (0, "same     main.gold.customers\nsame     main.gold.orders\nsame     main.gold.products\n")
    );
    place.workspace.edit(|scenario| {
        let things = &mut scenario.metastore.things;
        let tags = |things: &mut BTreeMap<String, simulator::metastore::Thing>, name: &str, key: &str| {
            things.get_mut(name).expect("it is there").tags.insert(key.into(), String::new());
        };
        drop(things.get_mut("tables/main.gold.orders").expect("it is there").tags.remove("longhorn_label_internal"));
        tags(things, "tables/main.gold.orders", "longhorn_label_health");
        tags(things, "schemas/main.gold", "longhorn_label_secret");
        drop(things.remove("tables/main.gold.products"));
        scenario.metastore.governed.retain(|key| key != "longhorn_label_pii");
    });
    let (code, said) = place.labels("check");
    let expected = "differs  main.gold.customers more secret by main.gold\n\
        differs  main.gold.orders missing internal; more health; more secret by main.gold\n\
        unknown  main.gold.products no such table, or the agent's principal may not see it\n\
        open     longhorn_label_pii no governed tag: whoever may apply tags may set it and take it away\n";
    assert_eq!((code, said.as_str()), (79, expected));
    let (code, said) = place.labels("check --json");
    let found: Value = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!((code, &found["agrees"], &found["tables"][1]["missing"][0]), (79, &Value::Bool(false), &"internal".into()));
}

#[test]
fn what_is_missing_is_set_and_set_once_and_nothing_is_taken_away_unless_it_is_asked_for() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new("apply");
    place.policy(|text| {
        text.replace("\"main.gold.products\" = []", "\"main.gold.products\" = [\"internal\", \"pii\"]")
            .replace("\"main.gold.orders\" = [\"internal\"]", "\"main.gold.orders\" = []")
    });
    let asked = |place: &Place| {
        place.workspace.requests().get("/api/2.1/unity-catalog/entity-tag-assignments").copied().unwrap_or_default()
    };
    let will = "will set main.gold.products longhorn_label_internal\nwill set main.gold.products longhorn_label_pii\n";
    assert_eq!(place.labels("apply --dry-run"), (0, will.to_owned()));
    assert_eq!(asked(&place), 0);
    let (code, said) = place.labels("apply");
    let done = "set main.gold.products longhorn_label_internal\nset main.gold.products longhorn_label_pii\n";
    assert_eq!((code, said), (0, format!("{will}{done}")));
    assert_eq!(asked(&place), 2);
    assert_eq!(place.labels("apply"), (0, "nothing to do: every tag is set\n".to_owned()));
    let (code, said) = place.labels("check");
    assert!(code == 79 && said.contains("differs  main.gold.orders more internal\n"), "{said}");
    let gone = "will remove main.gold.orders longhorn_label_internal\nremoved main.gold.orders longhorn_label_internal\n";
    assert_eq!(place.labels("apply --remove"), (0, gone.to_owned()));
    assert_eq!(place.labels("check").0, 0);
    assert_eq!(asked(&place), 2);
}

#[test]
fn what_cannot_be_set_is_told_with_the_privilege_that_is_missing_and_the_rest_is_set() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new("denied");
    place.policy(|text| text.replace("\"main.gold.products\" = []", "\"main.gold.products\" = [\"internal\", \"pii\"]"));
    place.workspace.edit(|scenario| scenario.metastore.lacks = ["ASSIGN longhorn_label_internal".to_owned()].into());
    let (code, said) = place.labels("apply");
    let line = "failed main.gold.products longhorn_label_internal the agent's principal lacks ASSIGN on the tag policy \
        longhorn_label_internal\n";
    assert!(code == 75 && said.contains(line) && said.contains("\nset main.gold.products longhorn_label_pii\n"), "{said}");
    let place = Place::new("denied-table");
    place.policy(|text| text.replace("\"main.gold.products\" = []", "\"main.gold.products\" = [\"pii\"]"));
    place.workspace.edit(|scenario| scenario.metastore.lacks = ["APPLY TAG main.gold.products".to_owned()].into());
    let (code, said) = place.labels("apply --json");
    let told: Value = serde_json::from_str(&said).expect("it is JSON");
    let why = told["steps"].as_array().and_then(|steps| steps.last()).map(|step| step["why"].to_string()).unwrap_or_default();
    assert!(code == 75 && told["done"] == false && why.contains("lacks APPLY TAG for main.gold.products"), "{said}");
    // What nobody signed is set nowhere.
    let edited = fs::read_to_string(place.place.join("policy.toml")).expect("it can be read") + "\n# more\n";
    fs::write(place.place.join("policy.toml"), edited).expect("it can be written");
    let (code, said) = place.labels("apply");
    assert!(code == 78 && said.contains("reason: policy-signature-invalid"), "{code} {said}");
}

/// What a fixture changes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is run.
    command: String,
    /// Faults of the answers.
    #[serde(default)]
    fault: Vec<Fault>,
    /// Texts of the policy, and what stands in their place.
    #[serde(default)]
    policy: BTreeMap<String, String>,
    /// Parts of what the metastore holds, by JSON pointer.
    #[serde(default)]
    set: BTreeMap<String, Value>,
}

#[test]
fn every_false_answer_of_the_catalog_is_no_agreement_for_its_own_reason() {
    if !root_or_skip() {
        return;
    }
    fixtures::check("labels", |file, bytes| {
        let case: Case =
            toml::from_str(std::str::from_utf8(bytes).expect("it is text")).unwrap_or_else(|error| panic!("{error}"));
        let place = Place::new(file.trim_end_matches(".toml"));
        place.policy(|text| {
            case.policy.iter().fold(text, |text, (from, to)| {
                assert!(text.contains(from.as_str()), "{file}: {from}");
                text.replace(from.as_str(), to)
            })
        });
        place.workspace.edit(|scenario| {
            let mut whole = serde_json::to_value(&scenario.metastore).expect("it is JSON");
            for (pointer, value) in &case.set {
                let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
                let parent = whole.pointer_mut(parent).unwrap_or_else(|| panic!("{file}: {pointer}"));
                match parent {
                    Value::Object(members) => drop(members.insert(name.replace("~1", "/"), value.clone())),
                    Value::Array(items) => items.push(value.clone()),
                    _ => panic!("{file}: {pointer}"),
                }
            }
            scenario.metastore = serde_json::from_value(whole).expect("it is a metastore");
        });
        case.fault.iter().cloned().for_each(|fault| place.workspace.fault(fault));
        let (code, said) = came(&place.longhorn(&case.command));
        (format!("exit {code}"), fixtures::steady(&said, place.workspace.url(), &place.place.display().to_string()))
    });
}

const AGAINST: &str = "policy check policy.toml --settings longhorn.toml --against-uc";

#[test]
fn grants_that_the_policy_gives_are_not_wider() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new("grants");
    assert_eq!(
        came(&place.longhorn(AGAINST)),
        (0, "ok: nothing is wider than the policy on 5 models, tables and volumes\n".to_owned())
    );
    // Of a model in another registry the catalog is not asked, and that is said.
    place.policy(|text| text.replace("\"main.ml.fraud\"", "fraud"));
    let (code, said) = came(&place.longhorn(AGAINST));
    assert_eq!(code, 0);
    assert!(said.starts_with("elsewhere model fraud: "), "{said}");
}

#[test]
fn each_grant_that_is_wider_is_named_with_who_has_it_why_and_what_takes_it_away() {
    if !root_or_skip() {
        return;
    }
    let place = Place::new("grants-json");
    place.workspace.edit(|scenario| {
        let things = &mut scenario.metastore.things;
        let grants = &mut things.get_mut("schemas/main.gold").expect("it is there").grants;
        drop(grants.insert("ada@example.com".into(), vec!["SELECT".into()]));
    });
    let (code, said) = came(&place.longhorn(&format!("{AGAINST} --json")));
    let found: Value = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!((code, &found["ok"]), (79, &Value::Bool(false)));
    let wider: Vec<[&str; 3]> = (found["wider"].as_array().expect("a list").iter())
        .map(|one| ["securable", "principal", "remedy"].map(|name| one[name].as_str().expect("a text")))
        .collect();
    let remedy = "REVOKE SELECT ON SCHEMA `main`.`gold` FROM `ada@example.com`";
    assert_eq!(
        wider,
        [["table main.gold.customers", "ada@example.com", remedy], ["table main.gold.orders", "ada@example.com", remedy]]
    );
}
