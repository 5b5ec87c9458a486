//! Promises of the table of MLflow's endpoints, `agent/src/gateway/endpoints.txt`: the installed MLflow has no endpoint that the
//! table does not know, and none that it takes for something else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "support/mlflow.rs"]
mod mlflow;

use mlflow::{place, script, suite, tree};

fn table() -> String {
    fs::read_to_string(tree().join("agent/src/gateway/endpoints.txt")).expect("the table is there")
}

/// The exit code of a check of this table, and its complaints.
fn check(suite: &Path, table: &Path) -> (Option<i32>, BTreeSet<String>) {
    let output = script(suite, "endpoints.py").arg("--check").arg(table).output().expect("python starts");
    let complaints = String::from_utf8(output.stdout).expect("it prints text");
    let code = output.status.code();
    // Else there is no verdict.
    assert!(code == Some(0) || code == Some(1), "{code:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(code == Some(0), complaints.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (code, complaints.lines().map(str::to_owned).collect())
}

#[test]
fn every_endpoint_of_the_installed_mlflow_is_in_the_table() {
    let (code, complaints) = check(&suite(), &tree().join("agent/src/gateway/endpoints.txt"));
    assert_eq!(
        (code, complaints),
        (Some(0), BTreeSet::new()),
        "tests/suites/mlflow/endpoints.py prints the table as it should be"
    );
}

#[test]
fn an_endpoint_that_is_missing_or_of_another_class_fails_the_check() {
    // From a line of the table to what stands there instead, and the complaint.
    const CHANGES: &[(&str, &str, &str)] = &[
        ("GET /version server.info -\n", "", "missing: GET /version is server.info"),
        (
            "POST /api/2.0/mlflow/registered-models/rename deny -\n",
            "POST /api/2.0/mlflow/registered-models/rename model.register -\n",
            "action: POST /api/2.0/mlflow/registered-models/rename is deny, the file has model.register",
        ),
        (
            "POST /api/2.0/mlflow/runs/update run.write UpdateRun run,finish\n",
            "POST /api/2.0/mlflow/runs/update run.write UpdateRun run\n",
            "guards: POST /api/2.0/mlflow/runs/update has run,finish, the file has run",
        ),
        (
            "GET /api/2.0/mlflow/experiments/get experiment.read GetExperiment\n",
            "GET /api/2.0/mlflow/experiments/get experiment.read *\n",
            "fields: GET /api/2.0/mlflow/experiments/get: the message is GetExperiment, the file has *",
        ),
        ("", "", "nobody has the message: GetExperiment"),
        (
            "message SetTag run_id:s run_uuid:s key:s value:s\n",
            "message SetTag run_id:s key:[s] value:s also:s\n",
            "fields: POST /api/2.0/mlflow/runs/set-tag: run_uuid is missing",
        ),
        ("", "", "fields: POST /api/2.0/mlflow/runs/set-tag: key is s, the file has [s]"),
        ("", "", "fields: POST /api/2.0/mlflow/runs/set-tag: also is not MLflow's"),
        // The words of the list are all that there are, whether MLflow has the endpoint or not.
        (
            "GET /health server.info -\n",
            "GET /health server.info -\nGET /healthy server.everything -\n",
            "no such action: GET /healthy server.everything -",
        ),
        // An older or newer MLflow's row is none of the complaints.
        (
            "GET /api/2.0/mlflow/runs/get run.read GetRun\n",
            "GET /api/2.0/mlflow/runs/get run.read GetRun\nGET /api/2.0/mlflow/runs/get-older run.read GetRun\n",
            "",
        ),
    ];
    let mut text = table();
    for (from, to, _) in CHANGES.iter().filter(|(from, _, _)| !from.is_empty()) {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    let altered = place("altered").join("endpoints.txt");
    fs::write(&altered, text).expect("a copy can be written");
    let expected = CHANGES.iter().map(|(_, _, complaint)| (*complaint).to_owned()).filter(|complaint| !complaint.is_empty());
    assert_eq!(check(&suite(), &altered), (Some(1), expected.collect()));
}

#[test]
fn an_endpoint_that_no_rule_classifies_fails_the_check() {
    let copy = place("unruly");
    for file in fs::read_dir(suite()).expect("the suite is there") {
        let path = file.expect("the directory can be read").path();
        if path.is_file() {
            fs::copy(&path, copy.join(path.file_name().expect("a file has a name"))).expect("it can be copied");
        }
    }
    let rules = fs::read_to_string(copy.join("classes.py")).expect("the rules are there");
    let fewer: String =
        rules.lines().filter(|line| !line.ends_with("\"cloud.credentials\"),")).map(|line| format!("{line}\n")).collect();
    assert_eq!(rules.lines().count(), fewer.lines().count() + 1);
    fs::write(copy.join("classes.py"), fewer).expect("the copy can be changed");
    let rows: BTreeSet<String> = table()
        .lines()
        .filter(|line| line.contains(" cloud.credentials "))
        .map(|line| line.split(" cloud.credentials ").next().expect("a split has a first part"))
        .map(|endpoint| format!("unclassified: {endpoint} is matched by no rule"))
        .collect();
    assert!(rows.len() > 2, "{rows:?}");
    assert_eq!(check(&copy, &tree().join("agent/src/gateway/endpoints.txt")), (Some(1), rows));
}

#[test]
fn every_class_of_the_table_is_in_the_one_list_and_every_class_of_the_list_is_in_the_table() {
    let rules = fs::read_to_string(suite().join("classes.py")).expect("the rules are there");
    let (_, list) = rules.split_once("\nACTIONS = {\n").expect("the list is there");
    let (list, _) = list.split_once("\n}\n").expect("the list has an end");
    let words: Vec<&str> = list.lines().map(|line| line.split('"').nth(1).expect("a word in quotes")).collect();
    let listed: BTreeSet<&str> = words.iter().copied().collect();
    assert_eq!(words.len(), listed.len(), "a class is listed twice");
    let table = table();
    let (rows, _) = table.split_once("\n\n").expect("the rows end with a blank line");
    let used: BTreeSet<&str> = rows.lines().map(|row| row.split(' ').nth(2).expect("a row has a class")).collect();
    assert_eq!(used, listed);
}
