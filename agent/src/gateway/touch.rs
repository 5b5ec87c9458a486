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
        /// The version that leaves its stage.
        version: Option<String>,
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
            Guard::WholeVersionAt => {
                let (name, version) = (captured("full_name").unwrap_or_default(), captured("version").unwrap_or_default());
                three_levels(&name)?;
                found.push(Touch::WholeVersion { name, version: number(version, "version")? });
            }
            Guard::CatalogPromote => found.push(in_catalog(promotion(members, "alias")?)?),
            Guard::CatalogDemote => {
                found.push(Touch::DemoteInCatalog { name: named(members, "name")?, alias: named(members, "alias")? });
            }
            Guard::CatalogPromoteAt => {
                let (name, alias) = (captured("full_name").unwrap_or_default(), captured("alias").unwrap_or_default());
                let version = digits(members, "version_num")?;
                unreserved(&alias)?;
                found.push(in_catalog(Promotion { name, version, alias })?);
            }
            Guard::CatalogDemoteAt => {
                let (name, alias) = (captured("full_name").unwrap_or_default(), captured("alias").unwrap_or_default());
                found.push(Touch::DemoteInCatalog { name, alias });
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
            Guard::Demote => {
                found.push(Touch::Demote { name: named(members, "name")?, alias: named(members, "alias")?, version: None });
            }
            Guard::Stage => found.push(match stage(members)? {
                "Staging" | "Production" => Touch::Promote(promotion(members, "stage")?),
                stage => Touch::Demote {
                    name: named(members, "name")?,
                    alias: stage.to_owned(),
                    version: Some(numbered(members, "version")?),
                },
            }),
            // The role is enough to say no.
            Guard::NoStage => {
                let alias = stage(members)?.to_owned();
                found.push(Touch::Demote { name: named(members, "name")?, alias, version: None });
            }
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
    unreserved(&alias)?;
    Ok(Promotion { name: named(members, "name")?, version: numbered(members, "version")?, alias })
}

/// Stages by their exact words. Registries read them in any case, and which one it is decides whether the gate is asked.
const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];

fn stage(members: &Object<'_>) -> Result<&'static str, Denial> {
    let word = named(members, "stage")?;
    let stage = STAGES.into_iter().find(|stage| *stage == word);
    stage.ok_or_else(|| Denial::unclear("stage-unclear", format!("`stage` must be one of {}, so written", STAGES.join(", "))))
}

fn in_catalog(promotion: Promotion) -> Result<Touch, Denial> {
    three_levels(&promotion.name)?;
    Ok(Touch::PromoteInCatalog(promotion))
}

fn unreserved(alias: &str) -> Result<(), Denial> {
    if alias.eq_ignore_ascii_case(SERVING) {
        let sentence = format!("`{SERVING}` is no alias: in a policy it stands for serving endpoints");
        return Err(Denial::refused("alias-reserved", sentence));
    }
    Ok(())
}

/// A field that must be a whole number, written with digits alone.
fn digits(members: &Object<'_>, name: &str) -> Result<String, Denial> {
    match members.get(name) {
        Some(Json::Number(number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => Ok((*number).to_owned()),
        _ => Err(Denial::unclear("version-unclear", format!("`{name}` must be a version's number, in digits"))),
    }
}

/// A field that must be a version's number.
pub(super) fn numbered(members: &Object<'_>, name: &str) -> Result<String, Denial> {
    number(named(members, name)?, name)
}

fn number(version: String, name: &str) -> Result<String, Denial> {
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

/// Whether these tags are but MLflow's own note of the versions that were made of a logged model: a list, each with a name and a version.
/// One that cannot be read would keep others from registering it.
fn noted(members: &Object<'_>) -> bool {
    let tags = members.get("tags").map(Json::items).unwrap_or_default();
    let of_version = |version: &Json<'_>| version.members().is_some_and(|version| version.has("name") && version.has("version"));
    let list = |value: &str| {
        longhorn_json::read(value.as_bytes())
            .is_ok_and(|list| matches!(&list, Json::List(versions) if versions.iter().all(of_version)))
    };
    let note = |tag: &Json<'_>| {
        let Some(tag) = tag.members() else { return false };
        tag.get("key").and_then(Json::text) == Some("mlflow.modelVersions")
            && tag.get("value").and_then(Json::text).is_some_and(list)
    };
    !tags.is_empty() && tags.iter().all(note)
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
mod tests;
