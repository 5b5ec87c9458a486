//! Unity Catalog: governed tags, grants and owners of things; and a SQL warehouse that knows which tables runs were seen reading.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Outcome, Refusal, list};
use crate::asked::{Asked, text};

/// Items of one page: few, so that whoever asks has to turn pages.
const PAGE: usize = 2;
const TAGS: &str = "entity-tag-assignments";

/// What a metastore holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metastore {
    /// By collection and whole name, such as `tables/main.gold.orders`.
    pub things: BTreeMap<String, Thing>,
    /// Keys of governed tags.
    pub governed: BTreeSet<String>,
    /// What the agent's principal lacks: `ASSIGN longhorn_label_pii`, `APPLY TAG main.gold.orders`.
    pub lacks: BTreeSet<String>,
    /// The warehouse's id.
    pub warehouse: String,
    /// Which tables runs were seen reading, by `job/run`.
    pub seen: BTreeMap<String, Vec<String>>,
}

/// A catalog, a schema, a table, a volume or a model.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thing {
    /// Who owns it.
    pub owner: String,
    /// Values of tags by their keys.
    pub tags: BTreeMap<String, String>,
    /// Privileges by principal, as they were given on this very thing.
    pub grants: BTreeMap<String, Vec<String>>,
}

impl Metastore {
    /// A catalog `main` with two schemas, three tables and a model, and the system's tables of lineage; all of it a platform group's, and
    /// nobody has more than the tests' policies give.
    pub fn honest() -> Self {
        let names = [
            "catalogs/main",
            "schemas/main.gold",
            "tables/main.gold.orders",
            "tables/main.gold.customers",
            "tables/main.gold.products",
            "schemas/main.ml",
            "models/main.ml.fraud",
            "catalogs/system",
            "schemas/system.access",
            "tables/system.access.table_lineage",
            "tables/system.access.column_lineage",
        ];
        let thing = |name: &&str| {
            let (mut tags, mut grants) = (BTreeMap::new(), BTreeMap::new());
            for (table, label) in [("tables/main.gold.orders", "internal"), ("tables/main.gold.customers", "pii")] {
                if *name == table {
                    tags.insert("domain".to_owned(), "sales".to_owned());
                    tags.insert(format!("longhorn_label_{label}"), String::new());
                    tags.insert("team".to_owned(), "crm".to_owned());
                }
            }
            let mut grant = |of: &str, principal: &str, privileges: &[&str]| {
                if *name == of {
                    grants.insert(principal.to_owned(), privileges.iter().map(|word| (*word).to_owned()).collect());
                }
            };
            grant("catalogs/main", "account users", &["USE_CATALOG", "BROWSE"]);
            grant("catalogs/main", "platform", &["ALL_PRIVILEGES"]);
            grant("schemas/main.gold", "ml-eng", &["USE_SCHEMA", "SELECT"]);
            grant("models/main.ml.fraud", "ml-eng", &["EXECUTE", "CREATE_MODEL_VERSION"]);
            grant("tables/system.access.table_lineage", "auditors", &["SELECT"]);
            (name.to_string(), Thing { owner: "platform".into(), tags, grants })
        };
        Self {
            things: names.iter().map(thing).collect(),
            governed: ["longhorn_label_internal", "longhorn_label_pii"].map(str::to_owned).into(),
            lacks: BTreeSet::new(),
            warehouse: "abc1".into(),
            seen: BTreeMap::new(),
        }
    }
}

/// What callers changed.
#[derive(Clone, Default)]
pub(crate) struct Changed {
    /// Tags by the path of their thing and their key: the value, or that it was taken away.
    tags: BTreeMap<(String, String), Option<String>>,
    /// Answers of statements that were not done at once.
    statements: Vec<Value>,
}

/// `/api/2.1/unity-catalog/…` and `/api/2.1/tag-policies/…`.
pub(crate) fn answer(asked: &Asked, call: &str, metastore: &Metastore, changed: &mut Changed) -> Outcome {
    let parts: Vec<&str> = call.split('/').collect();
    match (asked.method.as_str(), &parts[..]) {
        ("GET", ["tag-policies", key]) if metastore.governed.contains(*key) => Ok(json!({ "tag_key": key, "id": "1" })),
        ("GET", ["tag-policies", key]) => Err(Refusal::absent(format!("Tag policy {key} does not exist"))),
        ("GET", [TAGS, kind, name, "tags"]) => tags(asked, kind, name, metastore, changed),
        ("POST", [TAGS]) => {
            let document = asked.document()?;
            let named = |name: &str| text(&document, name).map(Option::unwrap_or_default);
            let (kind, name, key) = (named("entity_type")?, named("entity_name")?, named("tag_key")?);
            thing(kind, name, metastore)?;
            may_tag(name, key, metastore)?;
            if tags_of(kind, name, metastore, changed)?.contains_key(key) {
                return Err(Refusal::new(409, "ALREADY_EXISTS", format!("Tag {key} is assigned")));
            }
            let value = named("tag_value")?.to_owned();
            changed.tags.insert((format!("{kind}/{name}"), key.to_owned()), Some(value.clone()));
            Ok(assignment(kind, name, key, &value))
        }
        ("DELETE", [TAGS, kind, name, "tags", key]) => {
            may_tag(name, key, metastore)?;
            tags_of(kind, name, metastore, changed)?
                .remove(*key)
                .ok_or_else(|| Refusal::absent(format!("Tag {key} does not exist")))?;
            changed.tags.insert((format!("{kind}/{name}"), (*key).to_owned()), None);
            Ok(json!({}))
        }
        ("GET", ["effective-permissions", kind, name]) => effective(asked, kind, name, metastore),
        ("GET", [kind @ ("catalogs" | "schemas" | "tables" | "volumes" | "models"), name]) => {
            let owner = &thing(kind, name, metastore)?.owner;
            let last = name.rsplit('.').next().unwrap_or_default();
            Ok(json!({ "name": last, "full_name": name, "owner": owner }))
        }
        _ => Err(Refusal::unknown(&asked.path)),
    }
}

fn thing<'m>(kind: &str, name: &str, metastore: &'m Metastore) -> Result<&'m Thing, Refusal> {
    metastore.things.get(&format!("{kind}/{name}")).ok_or_else(|| {
        let kind = kind.trim_end_matches('s');
        let code = match kind {
            "table" => "TABLE_DOES_NOT_EXIST",
            "schema" => "SCHEMA_DOES_NOT_EXIST",
            "catalog" => "CATALOG_DOES_NOT_EXIST",
            _ => "RESOURCE_DOES_NOT_EXIST",
        };
        Refusal::new(404, code, format!("{kind} '{name}' does not exist."))
    })
}

/// To assign a governed tag one needs ASSIGN on its policy, and APPLY TAG on the thing.
fn may_tag(name: &str, key: &str, metastore: &Metastore) -> Result<(), Refusal> {
    for (privilege, on) in [("ASSIGN", key), ("APPLY TAG", name)] {
        if metastore.lacks.contains(&format!("{privilege} {on}")) {
            return Err(Refusal::new(403, "PERMISSION_DENIED", format!("User does not have {privilege} on '{on}'.")));
        }
    }
    Ok(())
}

fn tags_of(kind: &str, name: &str, metastore: &Metastore, changed: &Changed) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = thing(kind, name, metastore)?.tags.clone();
    let path = format!("{kind}/{name}");
    for ((of, key), value) in changed.tags.iter().filter(|((of, _), _)| *of == path) {
        debug_assert_eq!(*of, path);
        match value {
            Some(value) => drop(tags.insert(key.clone(), value.clone())),
            None => drop(tags.remove(key)),
        }
    }
    Ok(tags)
}

fn assignment(kind: &str, name: &str, key: &str, value: &str) -> Value {
    json!({ "entity_type": kind, "entity_name": name, "tag_key": key, "tag_value": value, "updated_by": "platform" })
}

fn tags(asked: &Asked, kind: &str, name: &str, metastore: &Metastore, changed: &Changed) -> Outcome {
    let tags = tags_of(kind, name, metastore, changed)?;
    page(asked, "tag_assignments", tags.iter().map(|(key, value)| assignment(kind, name, key, value)).collect())
}

/// What a principal has on a thing, and on what it lies in.
fn effective(asked: &Asked, kind: &str, name: &str, metastore: &Metastore) -> Outcome {
    let collection = match kind {
        "function" => "models".to_owned(),
        kind => format!("{kind}s"),
    };
    thing(&collection, name, metastore)?;
    let mut above = vec![(collection, name.to_owned(), false)];
    let mut rest = name;
    while let Some((parent, _)) = rest.rsplit_once('.') {
        let collection = if parent.contains('.') { "schemas" } else { "catalogs" };
        above.push((collection.to_owned(), parent.to_owned(), true));
        rest = parent;
    }
    let mut held: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (collection, name, inherited) in &above {
        for (principal, privileges) in &thing(collection, name, metastore)?.grants {
            for privilege in privileges {
                let mut one = json!({ "privilege": privilege });
                if *inherited {
                    one["inherited_from_name"] = name.as_str().into();
                    one["inherited_from_type"] = collection.trim_end_matches('s').to_uppercase().into();
                }
                held.entry(principal.clone()).or_default().push(one);
            }
        }
    }
    let all = held.into_iter().map(|(principal, privileges)| json!({ "principal": principal, "privileges": privileges }));
    page(asked, "privilege_assignments", all.collect())
}

/// The first page is empty and not the last: the service may do so, and whoever stops there has seen nothing.
fn page(asked: &Asked, name: &str, all: Vec<Value>) -> Outcome {
    let Some(begin) = asked.number("page_token") else { return Ok(json!({ "next_page_token": "0" })) };
    let mut page = list(name, all.iter().skip(begin).take(PAGE).cloned().collect());
    if begin + PAGE < all.len() {
        page["next_page_token"] = (begin + PAGE).to_string().into();
    }
    Ok(page)
}

/// `/api/2.0/sql/statements`: the one statement that is known, done when it is asked for again.
pub(crate) fn statement(asked: &Asked, call: &str, metastore: &Metastore, changed: &mut Changed) -> Outcome {
    let status = |state: &str, id: usize| json!({ "statement_id": format!("01-{id}"), "status": { "state": state } });
    match (asked.method.as_str(), call.strip_prefix("statements/")) {
        ("POST", None) if call == "statements" => {
            let document = asked.document()?;
            if text(&document, "warehouse_id")? != Some(&metastore.warehouse) {
                return Err(Refusal::absent("the warehouse does not exist"));
            }
            if !text(&document, "statement")?.is_some_and(|statement| statement.contains("FROM system.access.table_lineage")) {
                return Err(Refusal::unserved("this statement"));
            }
            let parameter = |name: &str| {
                let all = document["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
                all.iter().find(|one| one["name"] == name).and_then(|one| one["value"].as_str()).unwrap_or_default()
            };
            let seen = metastore.seen.get(&format!("{}/{}", parameter("job"), parameter("run"))).cloned().unwrap_or_default();
            let mut done = status("SUCCEEDED", changed.statements.len());
            let column = json!({ "name": "source_table_full_name", "position": 0, "type_name": "STRING", "type_text": "STRING" });
            done["manifest"] = json!({
                "format": "JSON_ARRAY", "schema": { "column_count": 1, "columns": [column] }, "total_chunk_count": 1,
                "total_row_count": seen.len(), "truncated": false,
            });
            done["result"] = json!({ "chunk_index": 0, "row_offset": 0, "row_count": seen.len() });
            if !seen.is_empty() {
                done["result"]["data_array"] = seen.iter().map(|table| json!([table])).collect();
            }
            changed.statements.push(done);
            Ok(status("PENDING", changed.statements.len() - 1))
        }
        ("GET", Some(id)) => {
            let number = id.strip_prefix("01-").and_then(|number| number.parse::<usize>().ok());
            let done = number.and_then(|number| changed.statements.get(number));
            done.cloned().ok_or_else(|| Refusal::absent("the statement does not exist"))
        }
        _ => Err(Refusal::unknown(&asked.path)),
    }
}
