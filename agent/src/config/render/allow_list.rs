//! Unity Catalog's list of init scripts that standard access mode may run. The API replaces the whole list, so ours is put
//! into the list that is there.

use serde::{Deserialize, Serialize};

use crate::decision::compute::Script;

/// The list, as `GET /api/2.1/unity-catalog/artifact-allowlists/INIT_SCRIPT` answers and as PUT takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowList {
    /// Its entries; an answer without any leaves the key out.
    #[serde(default)]
    pub artifact_matchers: Vec<Matcher>,
}

/// An entry. One with a key that is not known here is not read: it would be lost with the next PUT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// How what is allowed begins.
    pub artifact: String,
    /// `PREFIX_MATCH`: there is no other.
    pub match_type: String,
}

const PREFIX: &str = "PREFIX_MATCH";

/// What came of putting a script into a list.
#[derive(Debug, PartialEq, Eq)]
pub enum Merged {
    /// It was not there.
    Added(AllowList),
    /// This entry allows it already.
    There(AllowList, String),
    /// Nobody asks the list for such a script.
    NotAsked,
}

/// Puts the script into the list.
pub fn merge(mut list: AllowList, script: &Script) -> Merged {
    let Script::Volume(path) = script else { return Merged::NotAsked };
    let allows = |matcher: &&Matcher| matcher.match_type == PREFIX && path.starts_with(&matcher.artifact);
    if let Some(artifact) = list.artifact_matchers.iter().find(allows).map(|matcher| matcher.artifact.clone()) {
        return Merged::There(list, artifact);
    }
    list.artifact_matchers.push(Matcher { artifact: path.clone(), match_type: PREFIX.into() });
    Merged::Added(list)
}
