//! Unity Catalog's registry of models, as MLflow's `databricks-uc` store asks it. A version is pending until it is finalised; its files
//! lie below `/Models` of the Files API.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::{Outcome, Refusal};
use crate::asked::{Asked, text};

/// What was made.
#[derive(Clone, Default)]
pub(crate) struct Catalog {
    models: BTreeMap<String, Value>,
    versions: BTreeMap<String, Vec<Value>>,
    /// The header about lineage of each version that was made, in their order.
    pub(crate) lineages: Vec<Option<String>>,
    /// What was said of lineage besides.
    pub(crate) emitted: Vec<Value>,
}

pub(crate) fn answer(asked: &Asked, call: &str, held: &mut Catalog) -> Outcome {
    let said = if asked.method == "GET" {
        let given = ["name", "version", "alias", "filter"].map(|name| (name.to_owned(), Value::from(asked.parameter(name))));
        Value::Object(given.into_iter().collect())
    } else {
        asked.document()?
    };
    let said = |name: &str| text(&said, name).map(|text| text.unwrap_or_default().to_owned());
    let (name, number) = (said("name")?, said("version")?);
    match (asked.method.as_str(), call) {
        ("GET", "registered-models:is-databricks-sdk-models-artifact-repository-enabled") => {
            Ok(json!({ "is_databricks_sdk_models_artifact_repository_enabled": false }))
        }
        ("POST", "registered-models/create") => create(asked, &name, held),
        ("GET", "registered-models/get") => Ok(json!({ "registered_model": held.model(&name)? })),
        ("POST", "registered-models/alias") => {
            held.point(&name, &said("alias")?, &number)?;
            Ok(json!({}))
        }
        ("DELETE", "registered-models/alias") => {
            let alias = said("alias")?;
            held.aliases(&name)?.retain(|other| other["alias"] != alias);
            Ok(json!({}))
        }
        ("GET", "registered-models/alias") => {
            let alias = said("alias")?;
            let found = held.aliases(&name)?.iter().find(|other| other["alias"] == alias).map(|other| other["version"].clone());
            let number = found.ok_or_else(|| Refusal::absent(format!("no alias {alias}")))?;
            Ok(json!({ "model_version": held.version(&name, number.as_str().unwrap_or_default())? }))
        }
        ("POST", "model-versions/create") => version(asked, &name, held),
        ("POST", "model-versions/finalize") => {
            let version = held.version(&name, &number)?;
            version["status"] = "READY".into();
            Ok(json!({ "model_version": version }))
        }
        ("GET", "model-versions/get") => Ok(json!({ "model_version": held.version(&name, &number)? })),
        ("GET", "model-versions/get-download-uri") => {
            Ok(json!({ "artifact_uri": held.version(&name, &number)?["storage_location"] }))
        }
        ("GET", "model-versions/search") => {
            let filter = said("filter")?;
            let of = filter.trim_start_matches("name='").trim_end_matches('\'');
            Ok(json!({ "model_versions": held.versions.get(of).cloned().unwrap_or_default() }))
        }
        ("POST", "model-versions/set-tag") => {
            let (key, value) = (said("key")?, said("value")?);
            let version = held.version(&name, &number)?;
            if let Some(tags) = version["tags"].as_array_mut() {
                tags.retain(|tag| tag["key"] != key);
                tags.push(json!({ "key": key, "value": value }));
            }
            Ok(json!({}))
        }
        ("POST", "model-versions/emit-lineage") => {
            held.emitted.push(asked.document()?);
            Ok(json!({}))
        }
        // A credential that is none: whoever gets it went past the gateway.
        ("POST", "model-versions/generate-temporary-credentials") => Ok(json!({ "credentials": {
            "aws_temp_credentials": { "access_key_id": "past", "secret_access_key": "the", "session_token": "gateway" },
        }})),
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

/// The same aliases as the SDK sets them: `models/NAME/aliases/ALIAS`.
pub(crate) fn alias(asked: &Asked, call: &str, held: &mut Catalog) -> Outcome {
    let unknown = || Refusal::unknown(&asked.path);
    let (name, alias) = call.strip_prefix("models/").and_then(|call| call.split_once("/aliases/")).ok_or_else(unknown)?;
    match asked.method.as_str() {
        "PUT" => {
            let number = asked.document()?["version_num"].as_u64().ok_or_else(|| Refusal::invalid("version_num is no number"))?;
            held.point(name, alias, &number.to_string())?;
            Ok(json!({ "alias_name": alias, "version_num": number }))
        }
        "DELETE" => {
            held.aliases(name)?.retain(|other| other["alias"] != alias);
            Ok(json!({}))
        }
        _ => Err(unknown()),
    }
}

impl Catalog {
    /// Has an alias stand on a version that is there.
    fn point(&mut self, name: &str, alias: &str, number: &str) -> Result<(), Refusal> {
        self.version(name, number)?;
        let aliases = self.aliases(name)?;
        aliases.retain(|other| other["alias"] != alias);
        aliases.push(json!({ "alias": alias, "version": number }));
        Ok(())
    }

    fn model(&mut self, name: &str) -> Result<&mut Value, Refusal> {
        self.models.get_mut(name).ok_or_else(|| Refusal::absent(format!("no model {name}")))
    }

    fn aliases(&mut self, name: &str) -> Result<&mut Vec<Value>, Refusal> {
        let model = self.model(name)?;
        model["aliases"].as_array_mut().ok_or_else(|| Refusal::invalid("no list"))
    }

    fn version(&mut self, name: &str, number: &str) -> Result<&mut Value, Refusal> {
        let versions = self.versions.get_mut(name);
        let found = versions.and_then(|versions| versions.iter_mut().find(|version| version["version"] == number));
        found.ok_or_else(|| Refusal::absent(format!("no version {number} of {name}")))
    }
}

fn create(asked: &Asked, name: &str, held: &mut Catalog) -> Outcome {
    if name.split('.').filter(|part| !part.is_empty()).count() != 3 {
        return Err(Refusal::invalid(format!("{name} has not three levels")));
    }
    if held.models.contains_key(name) {
        return Err(Refusal::new(400, "RESOURCE_ALREADY_EXISTS", format!("{name} is there")));
    }
    let body = asked.document()?;
    let tags = body["tags"].as_array().cloned().unwrap_or_default();
    let model = json!({ "name": name, "description": body["description"], "aliases": [], "tags": tags, "creation_timestamp": 1, "last_updated_timestamp": 1 });
    held.models.insert(name.to_owned(), model.clone());
    Ok(json!({ "registered_model": model }))
}

fn version(asked: &Asked, name: &str, held: &mut Catalog) -> Outcome {
    held.model(name)?;
    let body = asked.document()?;
    let versions = held.versions.entry(name.to_owned()).or_default();
    let number = (versions.len() + 1).to_string();
    let mut version = json!({
        "name": name, "version": number, "status": "PENDING_REGISTRATION", "creation_timestamp": 1, "last_updated_timestamp": 1,
        "tags": body["tags"].as_array().cloned().unwrap_or_default(), "storage_location": format!("s3://managed/{name}/{number}"),
    });
    for field in ["source", "run_id", "description", "model_id", "run_tracking_server_id"] {
        if let Some(text) = text(&body, field)? {
            version[field] = text.into();
        }
    }
    versions.push(version.clone());
    held.lineages.push(asked.headers.get("x-databricks-lineage-identifier").cloned());
    Ok(json!({ "model_version": version }))
}
