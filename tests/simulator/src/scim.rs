//! RFC 7644 §3.4.2: a page of a collection, of what matches `attribute eq "value"`. A page behind the last is empty.

use serde_json::{Value, json};

use crate::answer::{Outcome, Refusal};
use crate::asked::Asked;
use crate::scenario::Scenario;

pub(crate) fn answer(asked: &Asked, call: &str, scenario: &Scenario) -> Outcome {
    let named_by = match (asked.method.as_str(), call) {
        ("GET", "scim/v2/Users") => "userName",
        ("GET", "scim/v2/ServicePrincipals") => "applicationId",
        ("GET", "scim/v2/Groups") => "displayName",
        _ => return Err(Refusal::unknown(&asked.path)),
    };
    // Users and service principals have display names too.
    let kind = |one: &Value| ["userName", "applicationId"].into_iter().find(|name| one.get(name).is_some());
    let filter = asked.parameter("filter").split_once(" eq ");
    let value = |quoted: &str| serde_json::from_str(quoted).unwrap_or(Value::Null);
    let matches = |one: &&Value| {
        kind(one).unwrap_or("displayName") == named_by
            && filter.is_none_or(|(attribute, quoted)| one.get(attribute) == Some(&value(quoted)))
    };
    let found: Vec<&Value> = scenario.principals.values().filter(matches).collect();
    let start = asked.number("startIndex").unwrap_or(1).max(1);
    let page: Vec<&Value> = found.iter().skip(start - 1).take(asked.number("count").unwrap_or(100)).copied().collect();
    Ok(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": found.len(), "startIndex": start,
        "itemsPerPage": page.len(), "Resources": page,
    }))
}
