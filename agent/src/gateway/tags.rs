//! Tags that Longhorn owns, wherever a request names one: statements of nodes, and labels of data. No job sets or deletes them.

use longhorn_json::{Json, Object, read};

use super::ask::Ask;
use super::asked::everywhere;
use super::denial::Denial;
use super::guard::Guard;

/// Names that begin so, with a dot, are Longhorn's; with `_`, labels of data. Databases compare without case, and some without accents.
const OWNED: &str = "longhorn";
/// What makes a prompt of a model, and a model of a prompt: who may change the one could then change the other.
const KIND: &str = "mlflow.prompt.is_prompt";
/// Where the server reads a trace's files, with the rights that it has itself.
const PLACE: &str = "mlflow.artifactLocation";

pub(super) fn owned(key: &str) -> Result<(), Denial> {
    let (start, rest) = key.as_bytes().split_at_checked(OWNED.len()).unwrap_or_default();
    if start.eq_ignore_ascii_case(OWNED.as_bytes()) && matches!(rest.first(), Some(b'.' | b'_')) {
        let sentence = "tags whose names begin with `longhorn.` or `longhorn_` are set by Longhorn and by people, and by no job";
        return Err(Denial::refused("tag-owned", sentence));
    }
    if taken_for_owned(key) {
        let sentence = "a database may take the letters beyond ASCII with which this tag's name begins for those of `longhorn`";
        return Err(Denial::refused("tag-owned", sentence));
    }
    Ok(())
}

/// Whether a comparison that knows no accents, widths and marks could find one of Longhorn's names here: something beyond ASCII stands
/// before a dot, or is what may be one, and the letters of ASCII before it occur in `longhorn` in this order.
fn taken_for_owned(key: &str) -> bool {
    let (mut ours, mut plain) = (OWNED.chars(), true);
    for letter in key.chars() {
        let ends = matches!(letter, '.' | '_') || !letter.is_ascii() && !letter.is_alphanumeric();
        if ends && (!plain || !letter.is_ascii() && ours.as_str().is_empty()) {
            return true;
        }
        let other = letter.is_ascii_alphanumeric() && !ours.any(|our| our.eq_ignore_ascii_case(&letter));
        if other || of_another_script(letter) {
            return false;
        }
        plain &= letter.is_ascii();
    }
    false
}

/// Letters that no comparison takes for Latin ones.
fn of_another_script(letter: char) -> bool {
    letter.is_alphabetic() && matches!(letter, '\u{370}'..='\u{1cff}' | '\u{3040}'..='\u{a6ff}' | '\u{ac00}'..='\u{d7a3}')
}

/// A tag that a request is about, by its path.
pub(super) fn own_key(ask: &Ask<'_>) -> Result<(), Denial> {
    if !ask.endpoint.guards.contains(&Guard::Key) {
        return Ok(());
    }
    ask.captures.iter().filter(|(name, _)| matches!(*name, "key" | "tag_key")).try_for_each(|(_, key)| single(key))
}

/// A tag that a request is about, by its body: nobody describes some of them, so the name of the field may stand at any depth.
pub(super) fn own_keys(members: &Object<'_>) -> Result<(), Denial> {
    everywhere(members, |members| {
        let named = ["key", "tag_key", "tagKey"].into_iter().filter_map(|name| members.get(name));
        named.filter_map(Json::text).try_for_each(single)
    })
}

/// Tags that are deleted, by a list of their names.
pub(super) fn removed_tags(members: &Object<'_>) -> Result<(), Denial> {
    everywhere(members, |members| {
        let keys = members.get("remove").map(Json::items).unwrap_or_default();
        keys.iter().try_for_each(|key| {
            let unfit = || Denial::unclear("field-unfit", "the field `remove` must be a list of texts");
            single(key.text().ok_or_else(unfit)?)
        })
    })
}

/// Whether what is made gets tags that are not MLflow's own.
pub(super) fn tagged(members: &Object<'_>) -> bool {
    let own = |tag: &Json<'_>| key_of(tag).is_some_and(|key| key.starts_with("mlflow."));
    !members.get("tags").map(Json::items).unwrap_or_default().iter().all(own)
}

/// A single tag that is set or deleted.
fn single(key: &str) -> Result<(), Denial> {
    owned(key)?;
    if key.eq_ignore_ascii_case(KIND) {
        return Err(Denial::refused("tag-owned", format!("`{KIND}` is set when a prompt is made, and never later")));
    }
    if key.eq_ignore_ascii_case(PLACE) {
        return Err(Denial::refused(
            "tag-owned",
            format!("`{PLACE}` says where the server reads a trace's files; it sets it itself"),
        ));
    }
    Ok(())
}

/// No tag at any depth is one that Longhorn owns: not in lists of keys and values, not in maps, and not in JSON within a text.
pub(super) fn owned_tags(members: &Object<'_>) -> Result<(), Denial> {
    everywhere(members, |members| {
        members
            .iter()
            .filter(|(name, _)| *name == "tags" || name.ends_with("_tags"))
            .try_for_each(|(_, tags)| free_of_owned(tags))
    })
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
