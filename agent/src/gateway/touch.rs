//! What of the registry a request would change: what Longhorn answers for, and has to look at before it goes on. The rows of the
//! table say where the names are.

use longhorn_json::{Json, Object};

use super::ask::two_runs;
use super::denial::Denial;
use super::guard::Guard;
use super::serving::{SERVING, served};
use super::table::Captures;

/// One thing that a request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Makes a run.
    NewRun,
    /// Writes to a run, by its id.
    Run(String),
    /// Ends a run, with this status.
    EndOfRun(String, String),
    /// Makes a logged model, of the run that it names.
    NewModel(Option<String>),
    /// Writes to a logged model, by its id.
    Model(String),
    /// Says something of a logged model: a metric, a tag.
    OfModel(String),
    /// Says that a logged model is whole.
    WholeModel(String),
    /// Writes or deletes a file, by its path below the root of artifacts.
    Artifact(String),
    /// Gives a version an alias or a stage.
    Promote(Promotion),
    /// Has an endpoint serve these versions; their alias is [`SERVING`].
    Serve(Vec<Promotion>),
    /// Takes an alias away, or takes a version out of its stage.
    Demote {
        /// The registered model.
        name: String,
        /// The alias, or the stage that it goes to.
        alias: String,
    },
    /// Makes a version of a registered model.
    NewVersion(NewVersion),
    /// Makes one in Unity Catalog.
    NewCatalogVersion(NewVersion),
    /// Says that a version in Unity Catalog has all its files.
    WholeVersion {
        /// The registered model, by its three levels.
        name: String,
        /// The version.
        version: String,
    },
    /// Gives a version in Unity Catalog an alias.
    PromoteInCatalog(Promotion),
    /// Takes an alias away in Unity Catalog.
    DemoteInCatalog {
        /// The registered model.
        name: String,
        /// The alias.
        alias: String,
    },
    /// Says who reads or writes a version.
    Lineage,
}

/// A version that would be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// The registered model.
    pub name: String,
    /// Where the version comes from.
    pub source: String,
    /// The run that it names.
    pub run: Option<String>,
    /// The logged model that it names.
    pub model: Option<String>,
}

/// A version that would have an alias or a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The registered model.
    pub name: String,
    /// The version.
    pub version: String,
    /// The alias or stage.
    pub alias: String,
}

/// What a request with these guards touches. `members` are its body's, `captures` what its path holds.
///
/// # Errors
/// Where an id is none: it would become part of a path.
pub(super) fn touches(guards: &[Guard], members: &Object<'_>, captures: &Captures) -> Result<Vec<Touch>, Denial> {
    let mut found = Vec::new();
    let captured = |name: &str| captures.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone());
    for guard in guards {
        match guard {
            Guard::NewRun => found.push(Touch::NewRun),
            Guard::NewModel => found.push(Touch::NewModel(one(members, "source_run_id")?)),
            Guard::NewVersion => found.push(Touch::NewVersion(new_version(members)?)),
            Guard::NewCatalogVersion => {
                let made = new_version(members)?;
                three_levels(&made.name)?;
                found.push(Touch::NewCatalogVersion(made));
            }
            Guard::WholeVersion => {
                let (name, version) = (named(members, "name")?, numbered(members, "version")?);
                three_levels(&name)?;
                found.push(Touch::WholeVersion { name, version });
            }
            Guard::CatalogPromote => {
                let Promotion { name, version, alias } = promotion(members, "alias")?;
                three_levels(&name)?;
                found.push(Touch::PromoteInCatalog(Promotion { name, version, alias }));
            }
            Guard::CatalogDemote => {
                found.push(Touch::DemoteInCatalog { name: named(members, "name")?, alias: named(members, "alias")? });
            }
            Guard::WorkspaceFile => {
                let place = |(name, root): (&str, &str)| captured(name).map(|path| Touch::Artifact(format!("{root}{path}")));
                found.extend(WORKSPACE_FILES.into_iter().filter_map(place));
            }
            Guard::EmitLineage => found.push(Touch::Lineage),
            Guard::Run => {
                let own = one(members, "run_id")?.or(one(members, "run_uuid")?);
                // What names another run within is not for this one.
                if ids(members, "run_id")?.iter().any(|id| Some(id) != own.as_ref()) {
                    return Err(two_runs());
                }
                found.extend(own.map(Touch::Run));
            }
            Guard::Finish => {
                let status = members.get("status").and_then(Json::text);
                if let (Some(status), [Touch::Run(id)]) = (status.filter(|status| ENDED.contains(status)), &found[..]) {
                    found = vec![Touch::EndOfRun(id.clone(), status.to_owned())];
                }
            }
            Guard::Model => found.extend(captured("model_id").map(|id| id_of(&id)).transpose()?.map(Touch::Model)),
            // Whoever registers a logged model notes there as what: that is nobody's evidence.
            Guard::TagsOfModel if noted(members) => {}
            Guard::TagsOfModel => found.extend(captured("model_id").map(|id| id_of(&id)).transpose()?.map(Touch::OfModel)),
            Guard::OfModel => {
                let models = ids(members, "model_id")?;
                // Each is looked up.
                if models.len() > MOST_MODELS {
                    return Err(Denial::refused(
                        "too-many-models",
                        "the request speaks of more than 100 logged models; send several",
                    ));
                }
                found.extend(models.into_iter().map(Touch::OfModel));
            }
            Guard::Whole => {
                if let (Some("LOGGED_MODEL_READY"), Some(id)) = (members.get("status").and_then(Json::text), captured("model_id"))
                {
                    found = vec![Touch::WholeModel(id_of(&id)?)];
                }
            }
            Guard::Promote => found.push(Touch::Promote(promotion(members, "alias")?)),
            Guard::ServedEntities => {
                let versions = served(members)?;
                // Names of three parts are Unity Catalog's.
                versions.iter().filter(|one| levels(&one.name) == 3).try_for_each(|one| three_levels(&one.name))?;
                found.push(Touch::Serve(versions));
            }
            Guard::Demote => found.push(Touch::Demote { name: named(members, "name")?, alias: named(members, "alias")? }),
            Guard::Stage => found.push(match named(members, "stage")?.as_str() {
                "Staging" | "Production" => Touch::Promote(promotion(members, "stage")?),
                stage => Touch::Demote { name: named(members, "name")?, alias: stage.to_owned() },
            }),
            Guard::Artifact => found.extend(captured("artifact_path").map(Touch::Artifact)),
            _ => {}
        }
    }
    Ok(found)
}

/// What stands for the rest of a path in the rows of the Files API, and the place that it is below.
const WORKSPACE_FILES: [(&str, &str); 2] =
    [("model_file", "/Models/"), ("artifact_file", "/WorkspaceInternal/Mlflow/Artifacts/")];

fn new_version(members: &Object<'_>) -> Result<NewVersion, Denial> {
    let text = |name| members.get(name).and_then(Json::text).unwrap_or_default().to_owned();
    let (run, model) = (one(members, "run_id")?, one(members, "model_id")?);
    Ok(NewVersion { name: text("name"), source: text("source"), run, model })
}

/// A model's name in Unity Catalog becomes part of a path.
fn three_levels(name: &str) -> Result<(), Denial> {
    let level = |level: &str| {
        !level.is_empty() && !level.contains(|letter: char| letter.is_control() || letter == ' ' || "/\\%?#;".contains(letter))
    };
    if name.len() <= 765 && levels(name) == 3 && name.split('.').all(level) {
        return Ok(());
    }
    Err(Denial::unclear("name-unclear", "a model's name in Unity Catalog is `catalog.schema.model`, at most 765 bytes"))
}

fn levels(name: &str) -> usize {
    name.split('.').count()
}

fn promotion(members: &Object<'_>, alias: &str) -> Result<Promotion, Denial> {
    let alias = named(members, alias)?;
    if alias.eq_ignore_ascii_case(SERVING) {
        let sentence = format!("`{SERVING}` is no alias: in a policy it stands for serving endpoints");
        return Err(Denial::refused("alias-reserved", sentence));
    }
    Ok(Promotion { name: named(members, "name")?, version: numbered(members, "version")?, alias })
}

/// A field that must be a version's number.
pub(super) fn numbered(members: &Object<'_>, name: &str) -> Result<String, Denial> {
    let version = named(members, name)?;
    if version.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(version);
    }
    Err(Denial::unclear("version-unclear", format!("`{name}` must be a version's number, as a text")))
}

/// A field that must be a text and say something.
pub(super) fn named(members: &Object<'_>, name: &str) -> Result<String, Denial> {
    let text = members.get(name).and_then(Json::text).filter(|text| !text.is_empty());
    text.map(str::to_owned)
        .ok_or_else(|| Denial::unclear("field-unfit", format!("the field `{name}` must be a text that says something")))
}

/// Whether these tags are but MLflow's own note of the versions that were made of a logged model.
fn noted(members: &Object<'_>) -> bool {
    let tags = members.get("tags").map(Json::items).unwrap_or_default();
    let key = |tag: &Json<'_>| tag.members().and_then(|tag| tag.get("key")).and_then(Json::text) == Some("mlflow.modelVersions");
    !tags.is_empty() && tags.iter().all(key)
}

/// A request speaks of no more logged models.
const MOST_MODELS: usize = 100;

/// Statuses that a run does not come back from.
pub const ENDED: &[&str] = &["FINISHED", "FAILED", "KILLED"];

/// An id in a field of this very object. A server reads an empty one as one that was left out.
fn one(members: &Object<'_>, name: &str) -> Result<Option<String>, Denial> {
    match members.get(name) {
        None => Ok(None),
        Some(Json::Text(id)) if id.is_empty() => Ok(None),
        Some(Json::Text(id)) => id_of(id).map(Some),
        Some(_) => Err(unclear()),
    }
}

/// The ids in fields of this name, at any depth, each once.
fn ids(members: &Object<'_>, name: &str) -> Result<Vec<String>, Denial> {
    let mut found: Vec<String> = Vec::new();
    collect(members, name, &mut found)?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn collect(members: &Object<'_>, name: &str, found: &mut Vec<String>) -> Result<(), Denial> {
    found.extend(one(members, name)?);
    for inner in members.values().flat_map(|value| std::iter::once(value).chain(value.items())).filter_map(Json::members) {
        collect(inner, name, found)?;
    }
    Ok(())
}

/// MLflow's ids are letters, digits, `-` and `_`.
fn id_of(text: &str) -> Result<String, Denial> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err(unclear()) }
}

fn unclear() -> Denial {
    Denial::unclear("id-unclear", "an id of a run or of a logged model is letters, digits, `-` and `_`, at most 64")
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            touched(&table, "POST", "/runs/log-batch", &format!(r#"{{"run_id":"{}"}}"#, "a".repeat(65))),
            Err("id-unclear")
        );
    }

    #[test]
    fn every_class_that_writes_evidence_has_rows_that_say_of_what() {
        // What these rows write is no part of a run, a logged model or a version of MLflow's own registry.
        const BESIDE: &[&str] =
            &["unity-catalog", "traces", "lineage-tracking", "comments", "/model-versions/", "/registered-models/"];
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
}
