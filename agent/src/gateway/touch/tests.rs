//! What requests change, by the rows of the table.

use longhorn_json::read;

use super::super::table::Table;
use super::*;

fn touched(table: &Table, method: &str, path: &str, body: &str) -> Result<Vec<Touch>, &'static str> {
    let (endpoint, captures) = table.find(method, &format!("/api/2.0/mlflow{path}")).unwrap();
    let Json::Object(members) = read(body.as_bytes()).unwrap() else { panic!("{body} is an object") };
    touches(&endpoint.guards, &members, &captures).map_err(|denial| denial.reason)
}

#[test]
fn every_request_that_changes_evidence_says_of_what() {
    let table = Table::read();
    let (run, model) = (|id: &str| Touch::Run(id.to_owned()), |id: &str| Touch::Model(id.to_owned()));
    let version = |run: Option<&str>, model: Option<&str>| {
        Touch::NewVersion(NewVersion {
            name: "n".into(),
            source: "s".into(),
            run: run.map(str::to_owned),
            model: model.map(str::to_owned),
        })
    };
    for (method, path, body, expected) in [
        ("POST", "/runs/create", r#"{"experiment_id":"0"}"#, vec![Touch::NewRun]),
        ("POST", "/runs/log-metric", r#"{"run_id":"a","key":"k"}"#, vec![run("a")]),
        ("POST", "/runs/log-metric", r#"{"run_uuid":"a","key":"k"}"#, vec![run("a")]),
        ("POST", "/runs/log-metric", r#"{"run_id":"a","model_id":"m-1"}"#, vec![run("a"), Touch::OfModel("m-1".into())]),
        ("POST", "/runs/log-parameter", r#"{"run_id":"a"}"#, vec![run("a")]),
        ("POST", "/runs/log-model", r#"{"run_id":"a"}"#, vec![run("a")]),
        ("POST", "/runs/log-inputs", r#"{"run_id":"a","models":[{"model_id":"m-1"}]}"#, vec![run("a")]),
        ("POST", "/runs/set-tag", r#"{"run_id":"a","key":"k"}"#, vec![run("a")]),
        ("POST", "/runs/delete-tag", r#"{"run_id":"a","key":"k"}"#, vec![run("a")]),
        (
            "POST",
            "/runs/log-batch",
            r#"{"run_id":"b","metrics":[{"run_id":"b","model_id":"m-2"},{"model_id":"m-1"},{"model_id":"m-2"},{"model_id":""}]}"#,
            vec![run("b"), Touch::OfModel("m-1".into()), Touch::OfModel("m-2".into())],
        ),
        (
            "POST",
            "/runs/outputs",
            r#"{"run_id":"a","models":[{"model_id":"m-1"}]}"#,
            vec![run("a"), Touch::OfModel("m-1".into())],
        ),
        ("POST", "/runs/update", r#"{"run_id":"a","run_name":"x"}"#, vec![run("a")]),
        ("POST", "/runs/update", r#"{"run_id":"a","status":"RUNNING"}"#, vec![run("a")]),
        ("POST", "/runs/update", r#"{"run_id":"a","status":"FAILED"}"#, vec![Touch::EndOfRun("a".into(), "FAILED".into())]),
        ("POST", "/runs/update", r#"{"run_uuid":"a","status":"KILLED"}"#, vec![Touch::EndOfRun("a".into(), "KILLED".into())]),
        ("POST", "/logged-models", r#"{"source_run_id":"a"}"#, vec![Touch::NewModel(Some("a".into()))]),
        ("POST", "/logged-models", r#"{"source_run_id":""}"#, vec![Touch::NewModel(None)]),
        ("PATCH", "/logged-models/m-1", r#"{"status":"LOGGED_MODEL_READY"}"#, vec![Touch::WholeModel("m-1".into())]),
        ("PATCH", "/logged-models/m-1", r#"{"status":"LOGGED_MODEL_UPLOAD_FAILED"}"#, vec![model("m-1")]),
        ("PATCH", "/logged-models/m-1/tags", r#"{"tags":[{"key":"mlflow.modelVersions","value":"[]"}]}"#, vec![]),
        (
            "PATCH",
            "/logged-models/m-1/tags",
            r#"{"tags":[{"key":"mlflow.modelVersions","value":"[]"},{"key":"k","value":"v"}]}"#,
            vec![Touch::OfModel("m-1".into())],
        ),
        ("PATCH", "/logged-models/m-1/tags", "{}", vec![Touch::OfModel("m-1".into())]),
        ("DELETE", "/logged-models/m-1/tags/k", "{}", vec![Touch::OfModel("m-1".into())]),
        ("POST", "/logged-models/m-1/params", "{}", vec![model("m-1")]),
        ("POST", "/logged-models/m-1/artifacts/credentials-for-upload", "{}", vec![model("m-1")]),
        ("POST", "/artifacts/presigned-upload-url", r#"{"run_id":"a","path":"x"}"#, vec![run("a")]),
        ("POST", "/artifacts/credentials-for-write", r#"{"run_id":"a","path":["x"]}"#, vec![run("a")]),
        ("POST", "/model-versions/create", r#"{"name":"n","source":"s"}"#, vec![version(None, None)]),
        (
            "POST",
            "/model-versions/create",
            r#"{"name":"n","source":"s","run_id":"a","model_id":"m-1"}"#,
            vec![version(Some("a"), Some("m-1"))],
        ),
        ("GET", "/artifacts/get-presigned-upload-part-url", r#"{"run_id":"a"}"#, vec![run("a")]),
        ("GET", "/runs/get", r#"{"run_id":"a"}"#, vec![]),
    ] {
        assert_eq!(touched(&table, method, path, body), Ok(expected), "{method} {path} {body}");
    }
    let file = |path: &str| Touch::Artifact(path.to_owned());
    for (method, path) in [
        ("PUT", "-artifacts/artifacts/1/a/artifacts/x y"),
        ("DELETE", "-artifacts/artifacts/1/a/artifacts/x y"),
        ("POST", "-artifacts/mpu/create/1/a/artifacts/x y"),
        ("POST", "-artifacts/mpu/complete/1/a/artifacts/x y"),
        ("POST", "-artifacts/mpu/abort/1/a/artifacts/x y"),
    ] {
        assert_eq!(touched(&table, method, path, "{}"), Ok(vec![file("1/a/artifacts/x y")]), "{method} {path}");
    }
}

#[test]
fn what_is_done_in_unity_catalog_says_of_what() {
    let table = Table::read();
    let made = NewVersion { name: "a.b.c".into(), source: "s".into(), run: Some("r".into()), model: None };
    let promoted = Promotion { name: "a.b.c".into(), version: "3".into(), alias: "champion".into() };
    let (name, alias) = (|| "a.b.c".to_owned(), || "champion".to_owned());
    for (method, path, body, expected) in [
        (
            "POST",
            "/model-versions/create",
            r#"{"name":"a.b.c","source":"s","run_id":"r"}"#,
            Ok(vec![Touch::NewCatalogVersion(made)]),
        ),
        (
            "POST",
            "/model-versions/finalize",
            r#"{"name":"a.b.c","version":"3"}"#,
            Ok(vec![Touch::WholeVersion { name: name(), version: "3".into() }]),
        ),
        ("POST", "/model-versions/finalize", r#"{"name":"a.b.c","version":"3/../4"}"#, Err("version-unclear")),
        ("POST", "/model-versions/finalize", r#"{"name":"a.b.c","version":3}"#, Err("field-unfit")),
        ("POST", "/model-versions/finalize", r#"{"name":"a.b","version":"3"}"#, Err("name-unclear")),
        ("POST", "/model-versions/finalize", r#"{"name":"a.b.c/d","version":"3"}"#, Err("name-unclear")),
        ("POST", "/model-versions/finalize", r#"{"name":"a..c","version":"3"}"#, Err("name-unclear")),
        (
            "POST",
            "/registered-models/alias",
            r#"{"name":"a.b.c","version":"3","alias":"champion"}"#,
            Ok(vec![Touch::PromoteInCatalog(promoted)]),
        ),
        (
            "DELETE",
            "/registered-models/alias",
            r#"{"name":"a.b.c","alias":"champion"}"#,
            Ok(vec![Touch::DemoteInCatalog { name: name(), alias: alias() }]),
        ),
        ("POST", "/model-versions/emit-lineage", r#"{"name":"a.b.c","version":"3"}"#, Ok(vec![Touch::Lineage])),
    ] {
        assert_eq!(touched(&table, method, &format!("/unity-catalog{path}"), body), expected, "{method} {path} {body}");
    }
    let (endpoint, captures) = table.find("PATCH", "/api/2.1/unity-catalog/models/a.b.c/versions/3/finalize").unwrap();
    let found = touches(&endpoint.guards, &Object::default(), &captures);
    assert_eq!(found, Ok(vec![Touch::WholeVersion { name: name(), version: "3".into() }]));
}

#[test]
fn a_file_of_a_version_or_a_run_in_the_workspace_is_known_by_its_path() {
    let table = Table::read();
    for place in ["/Models/a/b/c/3/MLmodel", "/WorkspaceInternal/Mlflow/Artifacts/1/Runs/r/artifacts/x y"] {
        for method in ["PUT", "DELETE", "POST"] {
            let (endpoint, captures) = table.find(method, &format!("/api/2.0/fs/files{place}")).unwrap();
            let found = touches(&endpoint.guards, &Object::default(), &captures);
            assert_eq!(found, Ok(vec![Touch::Artifact(place.to_owned())]), "{method} {place}");
        }
    }
    let (endpoint, _) = table.find("PUT", "/api/2.0/fs/files/Volumes/a/b/c").unwrap();
    assert_eq!(endpoint.action.word(), "files.write");
}

#[test]
fn a_request_is_about_one_run_and_few_models() {
    let table = Table::read();
    for body in [r#"{"run_id":"a","metrics":[{"run_id":"b"}]}"#, r#"{"metrics":[{"run_id":"b"}]}"#] {
        assert_eq!(touched(&table, "POST", "/runs/log-batch", body), Err("two-runs"), "{body}");
    }
    let models = |count: usize| (0..count).map(|id| format!(r#"{{"model_id":"m-{id}"}}"#)).collect::<Vec<_>>().join(",");
    let body = |count| format!(r#"{{"run_id":"a","metrics":[{}]}}"#, models(count));
    assert_eq!(touched(&table, "POST", "/runs/log-batch", &body(100)).map(|touches| touches.len()), Ok(101));
    assert_eq!(touched(&table, "POST", "/runs/log-batch", &body(101)), Err("too-many-models"));
}

#[test]
fn what_is_no_id_does_not_become_part_of_a_path() {
    let table = Table::read();
    for body in
        [r#"{"run_id":"../x"}"#, r#"{"run_id":"a?b"}"#, r#"{"run_id":7}"#, r#"{"run_id":"a","metrics":[{"model_id":true}]}"#]
    {
        assert_eq!(touched(&table, "POST", "/runs/log-batch", body), Err("id-unclear"), "{body}");
    }
    assert_eq!(touched(&table, "PATCH", "/logged-models/m-1%2f..", "{}"), Err("id-unclear"));
    assert_eq!(touched(&table, "POST", "/runs/log-batch", &format!(r#"{{"run_id":"{}"}}"#, "a".repeat(65))), Err("id-unclear"));
}

#[test]
fn every_class_that_writes_evidence_has_rows_that_say_of_what() {
    // What these rows write is no part of a run, a logged model or a version of MLflow's own registry; an address to write at is for
    // other places alone.
    const BESIDE: &[&str] =
        &["unity-catalog", "traces", "lineage-tracking", "comments", "/model-versions/", "/registered-models/", "/fs/create-"];
    let touching = [
        Guard::NewRun,
        Guard::Run,
        Guard::NewModel,
        Guard::Model,
        Guard::TagsOfModel,
        Guard::Whole,
        Guard::Artifact,
        Guard::NewVersion,
        Guard::WorkspaceFile,
    ];
    let table = Table::read();
    let silent: Vec<&str> = table
        .endpoints()
        .filter(|endpoint| endpoint.method != "GET" && !BESIDE.iter().any(|part| endpoint.path.contains(part)))
        .filter(|endpoint| {
            ["run.write", "run.tag", "lineage.write", "artifact.write", "artifact.delete", "artifact.direct-write"]
                .contains(&endpoint.action.word())
        })
        .filter(|endpoint| !endpoint.guards.iter().any(|guard| touching.contains(guard)))
        .map(|endpoint| endpoint.path)
        .collect();
    assert_eq!(silent, [""; 0]);
}
