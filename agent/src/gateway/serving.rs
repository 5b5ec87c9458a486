//! What a request would have an endpoint serve. What is served runs with rights of its own, under variables and with secrets that the
//! request names: so it may say which versions of registered models, how large, and how calls are split among them, and nothing else.

use longhorn_json::{Json, Object};

use super::denial::Denial;
use super::touch::{Promotion, named, numbered};

/// A serving endpoint, as the policy's rules of a model name it.
pub const SERVING: &str = "serving";
/// No request has more versions served.
const MOST_SERVED: usize = 32;

/// Of a new endpoint. Where it logs calls to, whom it guards and what it bills is no job's to say.
const ENDPOINT: &[&str] = &["name", "config", "tags", "description", "route_optimized"];
/// Of its configuration.
const CONFIGURATION: &[&str] = &["name", "served_entities", "served_models", "traffic_config"];
/// How large: each is a word, a number or a truth value.
const SIZES: &[&str] = &[
    "workload_size",
    "workload_type",
    "scale_to_zero_enabled",
    "min_provisioned_concurrency",
    "max_provisioned_concurrency",
    "min_provisioned_throughput",
    "max_provisioned_throughput",
    "provisioned_model_units",
    "burst_scaling_enabled",
];
/// A version's two names for the two lists in which it may stand.
const LISTS: [(&str, &str, &str); 2] =
    [("served_entities", "entity_name", "entity_version"), ("served_models", "model_name", "model_version")];

/// The versions that a request would have served, each of which the gate judges.
///
/// # Errors
/// The denial: a field that no job may send, something that is no version, or traffic to something else.
pub(super) fn served(members: &Object<'_>) -> Result<Vec<Promotion>, Denial> {
    // A version whose build is only begun.
    if ["model_name", "model_version"].iter().any(|name| members.has(name)) {
        only(members, &["model_name", "model_version"])?;
        return Ok(vec![version(members, "model_name", "model_version")?]);
    }
    match members.get("config") {
        None => configured(members),
        Some(Json::Object(config)) => {
            only(members, ENDPOINT)?;
            // Two names of one endpoint: servers prefer now the one, now the other.
            if config.get("name").is_some_and(|name| members.get("name") != Some(name)) {
                return Err(Denial::unclear("serving-unclear", "the endpoint and its configuration have two names"));
            }
            configured(config)
        }
        Some(_) => Err(Denial::unclear("serving-unclear", "`config` must be an object")),
    }
}

fn configured(config: &Object<'_>) -> Result<Vec<Promotion>, Denial> {
    only(config, CONFIGURATION)?;
    let (mut versions, mut names) = (Vec::new(), Vec::new());
    for (list, model, number) in LISTS {
        for entity in objects(config, list)? {
            let fields = [&["name", model, number], SIZES].concat();
            only(entity, &fields)?;
            if let Some(size) = SIZES.iter().find(|size| matches!(entity.get(size), Some(Json::Object(_) | Json::List(_)))) {
                return Err(Denial::unclear("serving-unclear", format!("`{size}` must be a word, a number or a truth value")));
            }
            let version = version(entity, model, number)?;
            let name = match entity.get("name") {
                None => format!("{}-{}", version.name, version.version),
                Some(_) => named(entity, "name")?,
            };
            if names.contains(&name) {
                return Err(Denial::unclear("serving-unclear", format!("two of what is served are called `{name}`")));
            }
            names.push(name);
            versions.push(version);
        }
    }
    if versions.is_empty() || versions.len() > MOST_SERVED {
        return Err(Denial::unclear(
            "serving-unclear",
            format!(
                "the request must name the versions that are served, from 1 to {MOST_SERVED}, also where only traffic changes"
            ),
        ));
    }
    traffic(config, &names)?;
    Ok(versions)
}

/// Every route leads to what is judged with this very request.
fn traffic(config: &Object<'_>, names: &[String]) -> Result<(), Denial> {
    let Some(traffic) = config.get("traffic_config") else { return Ok(()) };
    let traffic = traffic.members().ok_or_else(|| Denial::unclear("serving-unclear", "`traffic_config` must be an object"))?;
    only(traffic, &["routes"])?;
    for route in objects(traffic, "routes")? {
        only(route, &["served_entity_name", "served_model_name", "traffic_percentage"])?;
        let to = ["served_entity_name", "served_model_name"].iter().filter(|name| route.has(name)).collect::<Vec<_>>();
        let [to] = to[..] else {
            return Err(Denial::unclear("serving-unclear", "a route leads to one of what is served, by its name"));
        };
        let to = named(route, to)?;
        if !names.contains(&to) {
            return Err(Denial::refused(
                "serving-route",
                format!("a route leads to `{to}`, which this request does not name under what is served"),
            ));
        }
    }
    Ok(())
}

fn version(members: &Object<'_>, name: &str, number: &str) -> Result<Promotion, Denial> {
    Ok(Promotion { name: named(members, name)?, version: numbered(members, number)?, alias: SERVING.to_owned() })
}

fn objects<'m, 'a>(members: &'m Object<'a>, list: &str) -> Result<Vec<&'m Object<'a>>, Denial> {
    let unclear = || Denial::unclear("serving-unclear", format!("`{list}` must be a list of objects"));
    match members.get(list) {
        None => Ok(Vec::new()),
        Some(Json::List(items)) => items.iter().map(|item| item.members().ok_or_else(unclear)).collect(),
        Some(_) => Err(unclear()),
    }
}

/// No field but these: what nobody here knows may hand out a secret, or serve something else.
fn only(members: &Object<'_>, fields: &[&str]) -> Result<(), Denial> {
    match members.iter().find(|(name, _)| !fields.contains(name)) {
        None => Ok(()),
        Some((name, _)) => Err(Denial::refused(
            "serving-field",
            format!("of a serving endpoint no job may say `{}`; expected {}", plain(name), fields.join(", ")),
        )),
    }
}

/// A name may be anybody's; the denial stays one line.
fn plain(name: &str) -> String {
    name.chars().take(64).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
