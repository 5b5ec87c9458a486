//! Secret scopes, their secrets, and who may do what with them. The limits are those of the API's documentation.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::{Outcome, Refusal, list};
use crate::asked::{Asked, text};
use crate::world::now;

/// The longest value, in bytes, the longest name, in characters, and the most secrets of a scope.
const LONGEST_VALUE: usize = 128 * 1024;
const LONGEST_NAME: usize = 128;
const MOST_SECRETS: usize = 1000;

/// By name.
pub(crate) type Secrets = BTreeMap<String, Scope>;

/// One scope.
#[derive(Clone, Default)]
pub(crate) struct Scope {
    secrets: BTreeMap<String, (Vec<u8>, u64)>,
    permissions: BTreeMap<String, Permission>,
}

/// What a principal may do; each may do what those before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Permission {
    Read,
    Write,
    Manage,
}

const PERMISSIONS: &[(&str, Permission)] =
    &[("READ", Permission::Read), ("WRITE", Permission::Write), ("MANAGE", Permission::Manage)];

impl Permission {
    fn word(self) -> &'static str {
        PERMISSIONS.iter().find(|(_, one)| *one == self).map_or("", |(word, _)| word)
    }
}

pub(crate) fn answer(asked: &Asked, call: &str, caller: &str, held: &mut Secrets) -> Outcome {
    match asked.method.as_str() {
        "GET" => read(asked, call, caller, held),
        "POST" => write(asked, call, caller, &asked.document()?, held),
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

fn read(asked: &Asked, call: &str, caller: &str, held: &mut Secrets) -> Outcome {
    if call == "scopes/list" {
        let scope = |name| json!({ "name": name, "backend_type": "DATABRICKS" });
        return Ok(list("scopes", held.keys().map(scope).collect()));
    }
    let needed = if call.starts_with("acls/") { Permission::Manage } else { Permission::Read };
    let name = asked.parameter("scope");
    let scope = opened(name, caller, needed, held)?;
    match call {
        "list" => {
            let known =
                |(key, (_, updated)): (&String, &(Vec<u8>, u64))| json!({ "key": key, "last_updated_timestamp": updated });
            Ok(list("secrets", scope.secrets.iter().map(known).collect()))
        }
        "get" => {
            let key = asked.parameter("key");
            let (value, _) = scope.secrets.get(key).ok_or_else(|| no_secret(key, name))?;
            Ok(json!({ "key": key, "value": STANDARD.encode(value) }))
        }
        "acls/list" => Ok(list("items", scope.permissions.iter().map(item).collect())),
        "acls/get" => {
            let principal = asked.parameter("principal");
            scope.permissions.get_key_value(principal).map(item).ok_or_else(|| no_acl(principal, name))
        }
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

fn write(asked: &Asked, call: &str, caller: &str, document: &Value, held: &mut Secrets) -> Outcome {
    let given = |name: &str| text(document, name).map(Option::unwrap_or_default);
    let name = given("scope")?;
    if call == "scopes/create" {
        return create(name, caller, document, held);
    }
    let needed = if matches!(call, "put" | "delete") { Permission::Write } else { Permission::Manage };
    let scope = opened(name, caller, needed, held)?;
    match call {
        "scopes/delete" => drop(held.remove(name)),
        "put" => put(given("key")?, document, scope)?,
        "delete" => {
            let key = given("key")?;
            scope.secrets.remove(key).ok_or_else(|| no_secret(key, name))?;
        }
        "acls/put" => {
            let word = given("permission")?;
            let known = PERMISSIONS.iter().find(|(one, _)| *one == word);
            let (_, permission) = known.ok_or_else(|| Refusal::invalid(format!("{word} is no permission")))?;
            match given("principal")? {
                "" => return Err(Refusal::invalid("no principal is named")),
                principal => drop(scope.permissions.insert(principal.to_owned(), *permission)),
            }
        }
        "acls/delete" => {
            let principal = given("principal")?;
            scope.permissions.remove(principal).ok_or_else(|| no_acl(principal, name))?;
        }
        _ => return Err(Refusal::unknown(&asked.path)),
    }
    Ok(json!({}))
}

/// The scope, for a caller who may do what it asks for.
fn opened<'a>(name: &str, caller: &str, needed: Permission, held: &'a mut Secrets) -> Result<&'a mut Scope, Refusal> {
    let scope = held.get_mut(name).ok_or_else(|| Refusal::absent(format!("Scope {name} does not exist!")))?;
    let may = [caller, "users"].into_iter().filter_map(|principal| scope.permissions.get(principal)).max();
    if may.is_none_or(|may| *may < needed) {
        let message = format!("User {caller} does not have {} permission on scope {name}", needed.word());
        return Err(Refusal::new(403, "PERMISSION_DENIED", message));
    }
    Ok(scope)
}

fn create(name: &str, caller: &str, document: &Value, held: &mut Secrets) -> Outcome {
    named("scope", name)?;
    if held.contains_key(name) {
        return Err(Refusal::new(400, "RESOURCE_ALREADY_EXISTS", format!("Scope {name} already exists!")));
    }
    if text(document, "scope_backend_type")?.is_some_and(|backend| backend != "DATABRICKS") {
        return Err(Refusal::unserved("scopes of another backend"));
    }
    let manager = match text(document, "initial_manage_principal")? {
        None => caller,
        Some("users") => "users",
        Some(other) => return Err(Refusal::invalid(format!("{other} cannot be the first to manage: only users can"))),
    };
    let permissions = [(manager.to_owned(), Permission::Manage)].into();
    held.insert(name.to_owned(), Scope { permissions, ..Scope::default() });
    Ok(json!({}))
}

fn put(key: &str, document: &Value, scope: &mut Scope) -> Result<(), Refusal> {
    named("key", key)?;
    let value = match (text(document, "string_value")?, text(document, "bytes_value")?) {
        (Some(text), None) => text.as_bytes().to_vec(),
        (None, Some(bytes)) => STANDARD.decode(bytes).map_err(|_| Refusal::malformed("bytes_value is no base64"))?,
        _ => return Err(Refusal::malformed("exactly one of string_value and bytes_value must be given")),
    };
    if value.len() > LONGEST_VALUE {
        return Err(Refusal::invalid(format!("a secret has at most {LONGEST_VALUE} bytes")));
    }
    if scope.secrets.len() >= MOST_SECRETS && !scope.secrets.contains_key(key) {
        return Err(Refusal::new(400, "RESOURCE_LIMIT_EXCEEDED", format!("a scope has at most {MOST_SECRETS} secrets")));
    }
    scope.secrets.insert(key.to_owned(), (value, now()));
    Ok(())
}

fn named(what: &str, name: &str) -> Result<(), Refusal> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(allowed) {
        let expected = "alphanumeric characters, dashes, underscores and periods";
        return Err(Refusal::invalid(format!("a {what} is named with 1 to {LONGEST_NAME} {expected}")));
    }
    Ok(())
}

fn item((principal, permission): (&String, &Permission)) -> Value {
    json!({ "principal": principal, "permission": permission.word() })
}

fn no_secret(key: &str, scope: &str) -> Refusal {
    Refusal::absent(format!("Failed to get secret {key} for scope {scope}"))
}

fn no_acl(principal: &str, scope: &str) -> Refusal {
    Refusal::absent(format!("{principal} has no permission on scope {scope}"))
}
