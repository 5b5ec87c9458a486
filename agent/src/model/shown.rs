//! What the registry shows, as far as Longhorn reads it. The registry keeps statements and says none: an answer is believed about
//! names and places, never about who did what.

use longhorn_json::{Json, Object, read};

use crate::unverified::Unverified;

/// An answer that is not what the request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the registry's answer has no {0}")]
pub struct Unread(pub &'static str);

/// A logged model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedModel {
    /// Its id.
    pub id: String,
    /// The run that it names.
    pub run: Option<String>,
    /// `LOGGED_MODEL_PENDING`, `LOGGED_MODEL_READY` or `LOGGED_MODEL_UPLOAD_FAILED`.
    pub status: String,
    /// Where its files are.
    pub artifacts: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

impl LoggedModel {
    /// From the answer to `logged-models/{id}`.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn read(answer: &Unverified<Vec<u8>>) -> Result<Self, Unread> {
        let value = parsed(answer)?;
        let info = within(&value, &["model", "info"])?;
        Ok(Self {
            id: text(info, "model_id").ok_or(Unread("logged model"))?,
            run: text(info, "source_run_id").filter(|run| !run.is_empty()),
            status: text(info, "status").unwrap_or_default(),
            artifacts: text(info, "artifact_uri").unwrap_or_default(),
            tags: pairs(info.get("tags")),
        })
    }

    /// A tag's value.
    pub fn tag(&self, key: &str) -> Option<&str> {
        value_of(&self.tags, key)
    }
}

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The registered model.
    pub name: String,
    /// The version.
    pub version: String,
    /// `READY`, or what keeps it from being so.
    pub status: String,
    /// Where it was made from.
    pub source: String,
    /// The run that it names.
    pub run: Option<String>,
    /// The stage that it is in.
    pub stage: String,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

impl Version {
    /// From the answer to `model-versions/get` or `model-versions/create`.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn read(answer: &Unverified<Vec<u8>>) -> Result<Self, Unread> {
        let value = parsed(answer)?;
        let shown = within(&value, &["model_version"])?;
        Ok(Self {
            name: text(shown, "name").ok_or(Unread("name"))?,
            version: number(shown, "version").ok_or(Unread("version"))?,
            status: text(shown, "status").unwrap_or_default(),
            source: text(shown, "source").ok_or(Unread("source"))?,
            run: text(shown, "run_id").filter(|run| !run.is_empty()),
            stage: text(shown, "current_stage").unwrap_or_default(),
            tags: pairs(shown.get("tags")),
        })
    }

    /// A tag's value.
    pub fn tag(&self, key: &str) -> Option<&str> {
        value_of(&self.tags, key)
    }
}

/// A registered model: which version each alias and each stage stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered(Vec<(String, String)>);

impl Registered {
    /// From the answer to `registered-models/get`.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn read(answer: &Unverified<Vec<u8>>) -> Result<Self, Unread> {
        let value = parsed(answer)?;
        let shown = within(&value, &["registered_model"])?;
        let rows = |list: &str, key: &'static str| -> Vec<(String, String)> {
            let row = |item: &Json<'_>| Some((text(item.members()?, key)?, number(item.members()?, "version")?));
            shown.get(list).map(Json::items).unwrap_or_default().iter().filter_map(row).collect()
        };
        Ok(Self([rows("aliases", "alias"), rows("latest_versions", "current_stage")].concat()))
    }

    /// The version that an alias or a stage stands on.
    pub fn stands(&self, alias: &str) -> Option<&str> {
        value_of(&self.0, alias)
    }

    /// The same; where there is none of this very spelling, that of another case: some registries keep one for both.
    pub fn stands_in_any_case(&self, alias: &str) -> Option<&str> {
        let folded = || self.0.iter().find(|(other, _)| other.to_lowercase() == alias.to_lowercase());
        self.stands(alias).or_else(|| folded().map(|(_, version)| version.as_str()))
    }
}

/// The run that `runs/create` made.
///
/// # Errors
/// When it is no such answer.
pub fn made_run(answer: &Unverified<Vec<u8>>) -> Result<String, Unread> {
    let value = parsed(answer)?;
    text(within(&value, &["run", "info"])?, "run_id").ok_or(Unread("run"))
}

/// The logged model that `logged-models` made.
///
/// # Errors
/// When it is no such answer.
pub fn made_model(answer: &Unverified<Vec<u8>>) -> Result<String, Unread> {
    LoggedModel::read(answer).map(|model| model.id)
}

/// The place of a version's files, from the answer to `model-versions/get-download-uri`.
///
/// # Errors
/// When it is no such answer.
pub fn served(answer: &Unverified<Vec<u8>>) -> Result<String, Unread> {
    let value = parsed(answer)?;
    text(within(&value, &[])?, "artifact_uri").ok_or(Unread("place of the version's files"))
}

/// The version that `model-versions/create` made, and the source that the registry keeps of it.
///
/// # Errors
/// When it is no such answer.
pub fn made_version(answer: &Unverified<Vec<u8>>) -> Result<(String, String), Unread> {
    Version::read(answer).map(|version| (version.version, version.source))
}

/// A directory of artifacts, from the answer to `mlflow-artifacts/artifacts`: names, and whether each is a directory itself.
///
/// # Errors
/// When it is no such answer, or a name leads out of the directory.
pub fn directory(answer: &Unverified<Vec<u8>>) -> Result<Vec<(String, bool)>, Unread> {
    let value = parsed(answer)?;
    let members = value.members().ok_or(Unread("directory"))?;
    let entry = |item: &Json<'_>| {
        let item = item.members()?;
        let name = text(item, "path").filter(|name| !matches!(name.as_str(), "" | "." | "..") && !name.contains('/'))?;
        Some((name, item.get("is_dir") == Some(&Json::Bool(true))))
    };
    let items = members.get("files").map(Json::items).unwrap_or_default();
    items.iter().map(|item| entry(item).ok_or(Unread("plain names of files"))).collect()
}

/// Names in a directory, and whether each is a directory itself.
pub type Entries = Vec<(String, bool)>;

/// A directory of the workspace's own files, from the answer to `fs/directories`: names, whether each is a directory itself, and where
/// the listing goes on.
///
/// # Errors
/// When it is no such answer, or a name leads out of the directory.
pub fn workspace_directory(answer: &Unverified<Vec<u8>>) -> Result<(Entries, Option<String>), Unread> {
    let value = parsed(answer)?;
    let members = value.members().ok_or(Unread("directory"))?;
    let entry = |item: &Json<'_>| {
        let item = item.members()?;
        let name = text(item, "name").filter(|name| !matches!(name.as_str(), "" | "." | "..") && !name.contains('/'))?;
        Some((name, item.get("is_directory") == Some(&Json::Bool(true))))
    };
    let items = members.get("contents").map(Json::items).unwrap_or_default();
    let entries: Result<_, _> = items.iter().map(|item| entry(item).ok_or(Unread("plain names of files"))).collect();
    Ok((entries?, text(members, "next_page_token").filter(|token| !token.is_empty())))
}

/// An answer as text.
pub(super) fn text_of(answer: &Unverified<Vec<u8>>) -> Result<String, Unread> {
    String::from_utf8(answer.examine().clone()).map_err(|_| Unread("text"))
}

pub(super) fn parsed<'a>(answer: &'a Unverified<Vec<u8>>) -> Result<Json<'a>, Unread> {
    read(answer.examine()).map_err(|_| Unread("JSON that can be read in one way"))
}

pub(super) fn within<'v, 'a>(value: &'v Json<'a>, names: &[&'static str]) -> Result<&'v Object<'a>, Unread> {
    let mut at = value.members().ok_or(Unread("object"))?;
    for name in names {
        at = at.get(name).and_then(Json::members).ok_or(Unread(name))?;
    }
    Ok(at)
}

pub(super) fn text(members: &Object<'_>, name: &str) -> Option<String> {
    members.get(name).and_then(Json::text).map(str::to_owned)
}

/// A number, or a text that some servers write for one.
fn number(members: &Object<'_>, name: &str) -> Option<String> {
    match members.get(name)? {
        Json::Text(text) => Some(text.to_string()),
        Json::Number(text) => Some((*text).to_owned()),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => None,
    }
}

/// Lists of `key` and `value`.
pub(super) fn pairs(list: Option<&Json<'_>>) -> Vec<(String, String)> {
    let pair = |item: &Json<'_>| Some((text(item.members()?, "key")?, text(item.members()?, "value").unwrap_or_default()));
    list.map(Json::items).unwrap_or_default().iter().filter_map(pair).collect()
}

pub(super) fn value_of<'t>(tags: &'t [(String, String)], key: &str) -> Option<&'t str> {
    tags.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
}
