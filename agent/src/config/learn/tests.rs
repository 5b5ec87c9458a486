//! What is proposed from given evidence, and that it reads where it is pasted.

use std::path::Path;

use serde_json::json;

use super::evidence::{Evidence, TRACE};
use super::*;
use crate::config::read_policy;
use crate::decision::policy::Policy;

fn base() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("tests/fixtures/policy/honest.toml")).unwrap();
    format!(
        "{text}files = {{ read = [\"/srv/data\"], write = [\"/local_disk0\"], protect = [\"/local_disk0/fixed\"] }}\nvariables = {{ allow = [\"FEATURE_*\"], pin = {{ TZ = \"UTC\" }} }}\n"
    )
}

fn read(text: &str) -> Policy {
    read_policy("policy.toml", text).map_err(|problems| problems.to_string()).unwrap().0
}

fn environment(text: &str) -> Environment {
    read(text).environments.into_values().next().unwrap()
}

fn launch(names: &[&str], within: bool) -> serde_json::Value {
    json!({
        "event": "launch.reported", "env": { "n": names.len(), "removed": names, "pinned": 1, "overridden": ["TZ", "LONGHORN_SCOPE"] },
        "ext": { "outcome": "observed", "observed": { "within": within, "would_refuse": "" } },
    })
}

fn sampled(paths: &[&str]) -> serde_json::Value {
    json!({ "event": "files.sampled", "ext": { "sampled": true, "complete": false, "paths": paths, "full": false, "ended": false } })
}

fn evidence() -> Evidence {
    let names = [
        "SPARK_HOME",
        "MY_SETTING",
        "FEATURE_A",
        "DISPLAY",
        "FRAUD_API_KEY",
        "LD_PRELOAD",
        "PYTHONPATH",
        "LONGHORN_X",
        "no name",
    ];
    let mut evidence = Evidence::default();
    let paths = [
        "read /srv/models",
        "read /srv/data",
        "write /local_disk0",
        "write /Volumes/main/gold/out",
        "write /etc",
        "write /var/lib/longhorn",
        "read /var/lib/longhorn",
        "read /home",
        "execute /opt/conda",
        "execute /local_disk0",
        "stand /databricks/driver",
        "read /Volumes",
        "own /x",
    ];
    let records = [launch(&names, true), launch(&names, true), launch(&["OUTSIDE"], false), sampled(&paths), sampled(&paths)];
    evidence.log(records.iter());
    let trace = json!({
        "kind": TRACE, "removed": ["MY_SETTING"], "overridden": [],
        "files": [
            { "need": "read", "path": "/srv/models/ada/x.bin", "directory": false, "count": 3 },
            { "need": "write", "path": "/local_disk0/fixed/x", "directory": false, "count": 1 },
            { "need": "read", "path": "/opt/\"quoted\"/x", "directory": false, "count": 1 },
        ],
    });
    assert!(evidence.trace(&trace) && !evidence.trace(&json!({ "kind": "other" })));
    evidence
}

#[test]
fn names_are_grouped_by_what_is_known_of_them_and_nothing_dangerous_is_proposed() {
    let proposal = learn(&environment(&base()), &evidence());
    let group = |name: &str| proposal.variables.iter().find(|one| one.name == name).map(|one| (one.group, one.launches));
    let rows = [
        ("SPARK_HOME", Group::Known, 2),
        ("MY_SETTING", Group::Unknown, 3),
        ("FEATURE_A", Group::There, 2),
        ("DISPLAY", Group::Leftover, 2),
        ("FRAUD_API_KEY", Group::Credential, 2),
        ("LD_PRELOAD", Group::Hook, 2),
        // A preset knows it, and it runs code all the same.
        ("PYTHONPATH", Group::Hook, 2),
        ("TZ", Group::Pinned, 2),
    ];
    for (name, expected, launches) in rows {
        assert_eq!(group(name), Some((expected, launches)), "{name}");
    }
    assert_eq!((group("LONGHORN_X"), group("OUTSIDE"), group("no name")), (None, None, None));
    let known = proposal.variables.iter().find(|one| one.name == "SPARK_HOME").unwrap();
    assert!(known.why.contains("CONFIRMED") && known.why.contains("Spark 3.5"), "{}", known.why);
    assert!(proposal.notes.iter().any(|note| note.starts_with("1 launches came from outside")), "{:?}", proposal.notes);
}

#[test]
fn directories_are_the_smallest_set_and_what_would_undo_the_lock_is_never_proposed() {
    let proposal = learn(&environment(&base()), &evidence());
    let of = |need: Need, path: &str| proposal.places.iter().find(|place| place.need == need && place.path == Path::new(path));
    let verdict = |need, path| match of(need, path).map(|place| &place.verdict) {
        Some(Verdict::There) => "there",
        Some(Verdict::Proposed) => "proposed",
        Some(Verdict::Review(_)) => "review",
        Some(Verdict::Never(_)) => "never",
        None => "absent",
    };
    let rows = [
        (Need::Read, "/srv/models", "proposed"),
        (Need::Read, "/srv/data", "there"),
        (Need::Write, "/local_disk0", "there"),
        (Need::Write, "/Volumes/main/gold/out", "proposed"),
        (Need::Write, "/etc", "never"),
        (Need::Write, "/var/lib/longhorn", "never"),
        (Need::Read, "/var/lib/longhorn", "never"),
        (Need::Read, "/home", "review"),
        (Need::Execute, "/opt/conda", "proposed"),
        (Need::Execute, "/local_disk0", "review"),
        (Need::Stand, "/databricks/driver", "never"),
        (Need::Read, "/Volumes", "absent"),
    ];
    for (need, path, expected) in rows {
        assert_eq!(verdict(need, path), expected, "{need:?} {path}");
    }
    let both = of(Need::Read, "/srv/models").unwrap();
    assert_eq!((both.traced, both.sampled), (3, 1), "how it was seen is told apart");
}

#[test]
fn what_is_proposed_reads_when_it_is_pasted_and_only_adds_and_proposes_nothing_the_second_time() {
    use crate::decision::diff::{Effect, diff};
    let base = base();
    let text = learn(&environment(&base), &evidence()).to_toml();
    let pasted = format!("{base}\n{text}");
    let (old, new) = (read(&base), read(&pasted));
    let found = diff(&old, &new);
    assert!(!found.lines.is_empty() && found.lines.iter().all(|line| line.effect == Effect::Gains), "{:?}", found.lines);
    for told in ["LD_PRELOAD", "FRAUD_API_KEY", "PYTHONPATH", "DISPLAY", "MY_SETTING", "/etc", "/home"] {
        assert!(found.lines.iter().all(|line| !line.change.to_string().ends_with(&format!(" {told}"))), "{told} is granted");
        assert!(text.contains(told), "{told} is not told: {text}");
    }
    let again = learn(&environment(&pasted), &evidence());
    assert!(again.places.iter().all(|place| place.verdict != Verdict::Proposed), "{:?}", again.places);
    assert!(again.variables.iter().all(|variable| variable.group != Group::Known), "{:?}", again.variables);
    // Every line of a list says where it comes from.
    for line in text.lines().filter(|line| line.starts_with("  \"")) {
        assert!(line.contains(", # "), "{line}");
    }
}

#[test]
fn counts_that_are_made_up_are_no_panic() {
    let file = json!({ "need": "read", "path": "/srv/models/x", "directory": false, "count": u64::MAX });
    let mut evidence = evidence();
    assert!(evidence.trace(&json!({ "kind": TRACE, "files": [file, file, 7], "removed": 7 })));
    let lying = json!({ "event": "launch.reported", "env": { "n": u64::MAX, "pinned": u64::MAX, "removed": {} }, "ext": 1 });
    evidence.log([&lying, &lying].into_iter());
    let text = learn(&environment(&base()), &evidence).to_toml();
    assert!(text.contains("18446744073709551615 times") && text.contains("names did not fit"), "{text}");
}

#[test]
fn an_unknown_name_whose_mark_is_taken_away_reads_too() {
    let base = base();
    let text = learn(&environment(&base), &evidence()).to_toml().replace("  # \"MY_SETTING\"", "  \"MY_SETTING\"");
    let read = environment(&format!("{base}\n{text}"));
    let shown = format!("{:?}", read.variables.allow);
    assert!(shown.contains("MY_SETTING") && shown.contains("SPARK_HOME"), "{shown}");
}

proptest::proptest! {
    #[test]
    fn whatever_records_say_the_proposal_reads_when_it_is_pasted(
        names in proptest::collection::vec(".{0,12}", 0..8),
        paths in proptest::collection::vec("(read|write|execute|stand|x) /?.{0,20}", 0..8),
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let mut evidence = Evidence::default();
        evidence.log([launch(&names, true), sampled(&paths)].iter());
        let base = base();
        let text = learn(&environment(&base), &evidence).to_toml();
        let outcome = read_policy("p", &format!("{base}\n{text}"));
        proptest::prop_assert!(outcome.is_ok(), "{}\n{}", text, outcome.err().map(|problems| problems.to_string()).unwrap_or_default());
    }
}
