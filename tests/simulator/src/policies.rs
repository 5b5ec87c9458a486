//! Compute policies.
//!
//! A definition is a text and is kept as it was sent. What it says is not looked at: the real service takes an array, or a
//! rule without a type, and refuses the clusters that use it (databricks/cli pull 6492, terraform-provider-databricks issue
//! 591). That a text which is no JSON at all is refused, and the code for a name that is taken, are guesses.

use serde_json::{Value, json};

use crate::answer::{Outcome, Refusal, list};
use crate::asked::{Asked, text};
use crate::world::{now, random};

/// In the order of their making.
pub(crate) type Policies = Vec<Value>;

/// What a caller may say of a policy.
const MEMBERS: &[&str] = &["name", "definition", "description", "libraries", "max_clusters_per_user"];

pub(crate) fn answer(asked: &Asked, call: &str, caller: &str, held: &mut Policies) -> Outcome {
    match (asked.method.as_str(), call) {
        ("POST", "clusters/create") => create(&asked.document()?, caller, held),
        ("POST", "clusters/edit") => edit(&asked.document()?, held),
        ("POST", "clusters/delete") => {
            let at = position(text(&asked.document()?, "policy_id")?.unwrap_or_default(), held)?;
            held.remove(at);
            Ok(json!({}))
        }
        ("GET", "clusters/get") => Ok(held[position(asked.parameter("policy_id"), held)?].clone()),
        ("GET", "clusters/list") => sorted(asked, held),
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

fn position(id: &str, held: &Policies) -> Result<usize, Refusal> {
    let found = held.iter().position(|one| one["policy_id"] == id);
    found.ok_or_else(|| Refusal::absent(format!("Can't find a cluster policy with id: {id}.")))
}

fn create(document: &Value, caller: &str, held: &mut Policies) -> Outcome {
    check(document, None, held)?;
    let id = random(8)?.to_ascii_uppercase();
    let mut policy = json!({
        "policy_id": id, "creator_user_name": caller, "created_at_timestamp": now(), "is_default": false,
    });
    write(document, &mut policy);
    held.push(policy);
    Ok(json!({ "policy_id": id }))
}

/// All that a caller may say is said anew: what an edit leaves out is gone.
fn edit(document: &Value, held: &mut Policies) -> Outcome {
    let at = position(text(document, "policy_id")?.unwrap_or_default(), held)?;
    check(document, Some(at), held)?;
    write(document, &mut held[at]);
    Ok(json!({}))
}

fn write(document: &Value, policy: &mut Value) {
    for name in MEMBERS {
        match document.get(name) {
            Some(value) => policy[name] = value.clone(),
            None => drop(policy.as_object_mut().and_then(|policy| policy.remove(*name))),
        }
    }
}

fn check(document: &Value, but: Option<usize>, held: &Policies) -> Result<(), Refusal> {
    let name = text(document, "name")?.unwrap_or_default();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Refusal::invalid("the name of a cluster policy has 1 to 100 characters"));
    }
    if held.iter().enumerate().any(|(at, one)| Some(at) != but && one["name"] == name) {
        return Err(Refusal::invalid(format!("Cluster Policy with name `{name}` already exists")));
    }
    let definition = text(document, "definition")?;
    let family = text(document, "policy_family_id")?;
    if family.is_some() && definition.is_some() {
        return Err(Refusal::invalid("policy_family_id and definition cannot be used together"));
    }
    if family.is_some() || !document["policy_family_definition_overrides"].is_null() {
        return Err(Refusal::unserved("families of cluster policies"));
    }
    match definition.map(serde_json::from_str::<Value>) {
        Some(Err(_)) => Err(Refusal::invalid("the definition of the cluster policy is no JSON")),
        _ => Ok(()),
    }
}

/// All of them: neither version pages. The latest first, where nobody asks for another order.
fn sorted(asked: &Asked, held: &Policies) -> Outcome {
    let mut found = held.clone();
    match asked.parameter("sort_column") {
        "POLICY_NAME" => found.sort_by_key(|one| one["name"].as_str().unwrap_or_default().to_owned()),
        "POLICY_CREATION_TIME" | "" => {}
        other => return Err(Refusal::invalid(format!("{other} is no column"))),
    }
    match asked.parameter("sort_order") {
        "DESC" | "" => found.reverse(),
        "ASC" => {}
        other => return Err(Refusal::invalid(format!("{other} is no order"))),
    }
    Ok(list("policies", found))
}
