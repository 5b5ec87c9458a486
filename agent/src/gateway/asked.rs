//! A request in the one form that is decided about and sent on: path, query and body are written anew from what was understood of
//! them, and nothing else of what came is sent.

use longhorn_json::{Json, Object, read};

use super::action::Action;
use super::ask::{Ask, Body, two_runs};
use super::denial::Denial;
use super::form::Form;
use super::guard::Guard;
use super::own::FILES_API;
use super::place::free_place;
use super::table::{Captures, Endpoint, Table};
use super::tags::{key_of, own_key, own_keys, owned, owned_tags, removed_tags, tagged};
use super::touch::{Touch, touches};
use crate::unverified::Unverified;

/// No body of JSON is longer, in bytes. MLflow's own server takes 1 MB in its largest call (`runs/log-batch`).
pub const MOST_BODY: usize = 2 * 1024 * 1024;

/// A request as it was understood.
#[derive(Debug)]
pub struct Asked<'t> {
    pub(super) endpoint: &'t Endpoint,
    pub(super) wire: String,
    pub(super) body: Option<Vec<u8>>,
    /// Every class that it is of: its endpoint's, and those that its body adds.
    pub(super) actions: Vec<Action>,
    /// What it would change.
    pub(super) touches: Vec<Touch>,
}

impl<'t> Asked<'t> {
    /// Of a head and its body. A body that is not JSON is not looked into.
    ///
    /// # Errors
    /// The denial: what is unclear, or touches what Longhorn owns.
    pub fn read(ask: Ask<'t>, said: &Unverified<impl AsRef<[u8]>>, table: &Table) -> Result<Self, Denial> {
        let endpoint = ask.endpoint();
        let mut actions = vec![endpoint.action];
        own_key(&ask)?;
        let mut members = match ask.body() {
            Body::None | Body::Stream => Object::default(),
            Body::Json => members(endpoint, said.examine().as_ref(), table)?,
        };
        of_the_path(&members, &ask.captures)?;
        look(endpoint, &mut members, &ask.captures, &mut actions)?;
        let touches = match ask.body() {
            // What a query names counts where there is no body.
            Body::None => {
                let ids = ask.target.query.iter().filter(|(name, _)| matches!(name.as_str(), "run_id" | "run_uuid"));
                let pairs = ids.map(|(name, value)| (name.as_str().into(), Json::Text(value.as_str().into())));
                let named = Object::of(pairs.collect()).ok_or_else(two_runs)?;
                touches(&endpoint.guards, &named, &ask.captures)?
            }
            Body::Json | Body::Stream => touches(&endpoint.guards, &members, &ask.captures)?,
        };
        let body = (ask.body() == Body::Json).then(|| {
            let mut bytes = Vec::with_capacity(said.examine().as_ref().len());
            Json::Object(members).write(&mut bytes);
            bytes
        });
        Ok(Self { endpoint, wire: ask.target.wire(), body, actions, touches })
    }
}

/// The body's members, as the endpoint's message has them.
fn members<'a>(endpoint: &Endpoint, bytes: &'a [u8], table: &Table) -> Result<Object<'a>, Denial> {
    let mut members = match bytes {
        [] => Object::default(),
        _ => match read(bytes) {
            Ok(Json::Object(members)) => members,
            // A server may take a string and read it once more.
            Ok(_) => return Err(Denial::unclear("body-unclear", "the body must be a JSON object")),
            Err(error) => {
                let sentence = format!("the body can be read in more than one way, or not at all: {error}");
                return Err(Denial::unclear("body-unclear", sentence));
            }
        },
    };
    match endpoint.form {
        Form::Nothing | Form::Stream => members = Object::default(),
        Form::Free => {}
        Form::Message(message) => {
            table.message(message).fit(&mut members, table).map_err(|unfit| Denial::unclear("field-unfit", unfit.to_string()))?
        }
    }
    // The older name of the same field; servers prefer now the one, now the other.
    if members.has("run_id")
        && let Some(uuid) = members.remove("run_uuid")
        && members.get("run_id") != Some(&uuid)
    {
        return Err(two_runs());
    }
    Ok(members)
}

/// A field that the path has, too, says the same: servers prefer now the one, now the other.
fn of_the_path(members: &Object<'_>, captures: &Captures) -> Result<(), Denial> {
    let says = |value: &Json<'_>, path: &str| match value {
        Json::Text(text) => text == path,
        Json::Number(number) => *number == path,
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => false,
    };
    match captures.iter().find(|(name, path)| members.get(name).is_some_and(|value| !says(value, path))) {
        None => Ok(()),
        Some((name, _)) => Err(Denial::unclear("path-and-body", format!("path and body name two values of `{name}`"))),
    }
}

/// Looks where the table says: names that Longhorn owns, places that the server would write to, and what makes more of a request than
/// its endpoint says.
fn look(endpoint: &Endpoint, members: &mut Object<'_>, captures: &Captures, actions: &mut Vec<Action>) -> Result<(), Denial> {
    for guard in &endpoint.guards {
        match guard {
            Guard::Tags | Guard::DatasetTags => owned_tags(members)?,
            Guard::PluginTags => {
                if let Some(Json::List(tags)) = members.get_mut("tags") {
                    tags.retain(|tag| key_of(tag).is_none_or(|key| owned(key).is_ok()));
                }
            }
            Guard::Key => own_keys(members)?,
            Guard::RemovedTags if anywhere(members, "remove") => {
                removed_tags(members)?;
                actions.push(Action::Needs("tag.delete"));
            }
            Guard::FreePlace => free_place(members, captures)?,
            Guard::Owner => owner(members)?,
            Guard::NewTags if tagged(members) => actions.push(Action::Needs("model.tag")),
            Guard::Aliases if anywhere(members, "aliases") => actions.push(Action::Needs("model.promote")),
            Guard::DeploymentJob if anywhere(members, "deployment_job_id") => actions.push(Action::Needs("model.deploy")),
            Guard::ArtifactLocation if ["artifact_location", "storage_location"].iter().any(|name| anywhere(members, name)) => {
                return Err(Denial::refused(
                    "artifact-location",
                    "the request would have the server write where the job says; leave the location out, and the server chooses",
                ));
            }
            Guard::Source => source(members)?,
            Guard::Finish => status(members, RUNS)?,
            Guard::Whole => status(members, MODELS)?,
            Guard::RemovedTags | Guard::NewTags => {}
            // What a copy and a served version need besides is the gate's; what is touched is looked at next.
            Guard::Aliases | Guard::DeploymentJob | Guard::ArtifactLocation | Guard::ServedEntities | Guard::Copy => {}
            Guard::NewRun | Guard::Run | Guard::NewModel | Guard::NewVersion | Guard::Artifact => {}
            Guard::Promote | Guard::Demote | Guard::Stage | Guard::NoStage => {}
            Guard::Model | Guard::TagsOfModel | Guard::OfModel => {}
            Guard::NewCatalogVersion | Guard::WholeVersion | Guard::WholeVersionAt => {}
            Guard::CatalogPromote | Guard::CatalogDemote | Guard::CatalogPromoteAt | Guard::CatalogDemoteAt => {}
            Guard::WorkspaceFile | Guard::EmitLineage => {}
            Guard::ReadCredentials => reading(members)?,
        }
    }
    Ok(())
}

/// Whether a field of this name stands at any depth.
fn anywhere(members: &Object<'_>, name: &str) -> bool {
    members.has(name) || members.values().any(|value| within(value, &mut |members| members.has(name)))
}

/// The first denial of what these members are, and every object within them.
pub(super) fn everywhere(members: &Object<'_>, look: impl Fn(&Object<'_>) -> Result<(), Denial>) -> Result<(), Denial> {
    let mut denial = Ok(());
    let mut denied = |members: &Object<'_>| {
        denial = look(members);
        denial.is_err()
    };
    if denied(members) || members.values().any(|value| within(value, &mut denied)) {
        return denial;
    }
    Ok(())
}

/// Whether any object in a value, itself included, is such a one.
fn within(value: &Json<'_>, such: &mut impl FnMut(&Object<'_>) -> bool) -> bool {
    match value {
        Json::Object(members) => such(members) || members.values().any(|value| within(value, such)),
        Json::List(items) => items.iter().any(|item| within(item, such)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => false,
    }
}

/// Who owns something of the catalog decides who else may use it: that is administration.
fn owner(members: &Object<'_>) -> Result<(), Denial> {
    everywhere(members, |members| {
        match members.iter().find(|(name, _)| OWNERS.iter().any(|one| name.eq_ignore_ascii_case(one))) {
            None => Ok(()),
            Some((name, _)) => Err(Denial::refused(
                "owner",
                format!("`{name}`: an owner is given by an administrator, and by no job; leave it out"),
            )),
        }
    })
}

const OWNERS: [&str; 3] = ["owner", "new_owner", "newOwner"];

const RUNS: &[&str] = &["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
const MODELS: &[&str] = &["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"];

/// A status by its word: servers of protobuf also take its number.
fn status(members: &Object<'_>, words: &[&str]) -> Result<(), Denial> {
    match members.get("status") {
        None => Ok(()),
        Some(status) if status.text().is_some_and(|word| words.contains(&word)) => Ok(()),
        Some(_) => Err(Denial::unclear("status-unclear", format!("`status` must be one of {}", words.join(", ")))),
    }
}

/// A credential of the storage below a version: what is written with it, nobody hashes.
fn reading(members: &Object<'_>) -> Result<(), Denial> {
    let operation = members.get("operation").and_then(Json::text);
    if matches!(operation, Some("MODEL_VERSION_OPERATION_READ" | "READ_MODEL_VERSION")) {
        return Ok(());
    }
    Err(Denial::refused(
        "credentials-to-write",
        format!("files of a version are written through the gateway, and not past it; set {FILES_API}"),
    ))
}

/// Where a version may come from: what MLflow itself keeps. Whether it is this run's is asked at the gate.
fn source(members: &Object<'_>) -> Result<(), Denial> {
    const KEPT: &[&str] = &["models:/", "runs:/", "mlflow-artifacts:/", "dbfs:/databricks/mlflow"];
    let Some(source) = members.get("source") else { return Ok(()) };
    let kept = source.text().is_some_and(|source| {
        // MLflow's readers leave out line ends and tabs, and take what stands between two slashes for a server.
        let unclear = |letter: char| letter.is_control() || "%\\?#".contains(letter);
        KEPT.iter().any(|prefix| source.starts_with(prefix))
            && !["..", "//", "/./"].iter().any(|part| source.contains(part))
            && !source.contains(unclear)
    });
    if kept {
        return Ok(());
    }
    Err(Denial::refused(
        "source-foreign",
        format!("a version comes from what MLflow keeps; expected a source that begins with {}", KEPT.join(", ")),
    ))
}
