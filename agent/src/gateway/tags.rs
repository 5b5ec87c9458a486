//! Tags that Longhorn owns, wherever a request names one: statements of nodes, and labels of data. No job sets or deletes them.

use longhorn_json::{Json, Object, read};

use super::ask::Ask;
use super::asked::within;
use super::denial::Denial;
use super::guard::Guard;

/// Names that begin so, with a dot, are Longhorn's; with `_`, labels of data. Databases compare without case.
const OWNED: &str = "longhorn";
/// What makes a prompt of a model, and a model of a prompt: who may change the one could then change the other.
const KIND: &str = "mlflow.prompt.is_prompt";

pub(super) fn owned(key: &str) -> Result<(), Denial> {
    let (start, rest) = key.as_bytes().split_at_checked(OWNED.len()).unwrap_or_default();
    if start.eq_ignore_ascii_case(OWNED.as_bytes()) && matches!(rest.first(), Some(b'.' | b'_')) {
        let sentence = "tags whose names begin with `longhorn.` or `longhorn_` are set by Longhorn and by people, and by no job";
        return Err(Denial::refused("tag-owned", sentence));
    }
    Ok(())
}

/// A tag that a request is about, by its path or its query.
pub(super) fn own_key(ask: &Ask<'_>) -> Result<(), Denial> {
    if !ask.endpoint.guards.contains(&Guard::Key) {
        return Ok(());
    }
    let query = ask.target.query.iter().map(|(name, value)| (name.as_str(), value));
    let named = ask.captures.iter().map(|(name, value)| (*name, value)).chain(query);
    named.filter(|(name, _)| matches!(*name, "key" | "tag_key")).try_for_each(|(_, key)| single(key))
}

/// A single tag that is set or deleted.
pub(super) fn single(key: &str) -> Result<(), Denial> {
    owned(key)?;
    if key.eq_ignore_ascii_case(KIND) {
        return Err(Denial::refused("tag-owned", format!("`{KIND}` is set when a prompt is made, and never later")));
    }
    Ok(())
}

/// No tag at any depth is one that Longhorn owns: not in lists of keys and values, not in maps, and not in JSON within a text.
pub(super) fn owned_tags(members: &Object<'_>) -> Result<(), Denial> {
    let mut denial = Ok(());
    let mut look = |members: &Object<'_>| {
        let tags = members.iter().filter(|(name, _)| *name == "tags" || name.ends_with("_tags"));
        denial = tags.map(|(_, tags)| free_of_owned(tags)).find(Result::is_err).unwrap_or(Ok(()));
        denial.is_err()
    };
    if !look(members) {
        members.values().any(|value| within(value, &mut look));
    }
    denial
}

fn free_of_owned(tags: &Json<'_>) -> Result<(), Denial> {
    match tags {
        Json::List(tags) => tags.iter().filter_map(key_of).try_for_each(owned),
        Json::Object(tags) => tags.iter().try_for_each(|(key, _)| owned(key)),
        Json::Text(text) => match read(text.as_bytes()) {
            Ok(Json::Object(tags)) => tags.iter().try_for_each(|(key, _)| owned(key)),
            Ok(_) => Ok(()),
            Err(_) => Err(Denial::unclear("body-unclear", "tags in a text must be JSON that can be read in one way")),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

pub(super) fn key_of<'a>(tag: &'a Json<'_>) -> Option<&'a str> {
    match tag {
        Json::Object(tag) => tag.get("key").or(tag.get("tag_key")).and_then(Json::text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => None,
    }
}
