//! What Unity Catalog says: governed tags of tables, who may do what, who owns a thing, and which tables a run was seen reading. An answer
//! that is not exactly one to what was asked is no answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use longhorn_json::{Json, Object};
use serde_json::json;

use super::shown::{Unread, parsed, text, within};
use crate::decision::grants::{Held, Kind, Securable};
use crate::host::percent::percent_encode;
use crate::identity::ids::{ObjectName, TagPrefix, WarehouseId};
use crate::unverified::Unverified;

/// No list has more pages. An empty page may be followed by another one; a list without an end is none.
const MOST_PAGES: usize = 32;
/// No run is seen reading more tables.
const MOST_TABLES: usize = 1000;

/// What is asked of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Path and query.
    pub path: String,
    /// A SQL statement's request; absent where it is a GET.
    pub statement: Option<String>,
}

impl Question {
    fn get(path: String) -> Self {
        Self { path, statement: None }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.path)?;
        self.statement.as_ref().map_or(Ok(()), |statement| write!(out, " {statement}"))
    }
}

/// The answer's bytes; `None`: there is no such thing. Or why there is no answer, in one sentence.
pub type Answer = Result<Option<Unverified<Vec<u8>>>, String>;

/// Whoever answers for Unity Catalog: the workspace, or what it answered once.
pub trait UnityCatalog {
    /// Asks.
    fn ask<'a>(&'a self, question: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + 'a>>;
}

/// Labels that tags say of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tagged {
    /// By a tag of the table itself.
    pub own: BTreeSet<String>,
    /// By a tag of its schema or catalog, with that one's name.
    pub above: BTreeSet<(String, String)>,
}

impl Tagged {
    /// All of them.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(String::as_str).chain(self.above.iter().map(|(label, _)| label.as_str()))
    }
}

/// The keys of tags of schemas and catalogs that were asked for.
pub type Above = BTreeMap<Securable, Vec<String>>;

/// The labels of a table, by tags of it, of its schema and of its catalog: the platform lets tags hold for what lies below in its own
/// policies, and lists them at their own place alone. `None`: there is no such table.
///
/// # Errors
/// When it cannot be told, in one sentence.
pub async fn tagged(
    catalog: &dyn UnityCatalog,
    prefix: &TagPrefix,
    table: &ObjectName,
    known: &mut Above,
) -> Result<Option<Tagged>, String> {
    let name = table.as_str();
    let Some(own) = tags(catalog, Kind::Table, name).await? else { return Ok(None) };
    let labels = |keys: Vec<String>| keys.into_iter().filter_map(|key| prefix.label(&key).map(str::to_owned)).collect::<Vec<_>>();
    let mut found = Tagged { own: labels(own).into_iter().collect(), above: BTreeSet::new() };
    for above in Securable::new(Kind::Table, name).above() {
        let keys = match known.get(&above) {
            Some(keys) => keys.clone(),
            None => {
                let keys = tags(catalog, above.kind, &above.name).await?;
                let keys = keys.ok_or_else(|| format!("the workspace shows the table and not its {above}"))?;
                known.insert(above.clone(), keys.clone());
                keys
            }
        };
        found.above.extend(labels(keys).into_iter().map(|label| (label, above.name.clone())));
    }
    Ok(Some(found))
}

/// Whether a key is governed: only who may assign it sets or removes a tag of that key.
///
/// # Errors
/// When it cannot be told, in one sentence.
pub async fn governed(catalog: &dyn UnityCatalog, key: &str) -> Result<bool, String> {
    let Some(answer) = catalog.ask(&Question::get(format!("/api/2.1/tag-policies/{}", percent_encode(key)))).await? else {
        return Ok(false);
    };
    let value = parsed(&answer).map_err(of_catalog)?;
    match within(&value, &[]).map_err(of_catalog)?.get("tag_key").and_then(Json::text) {
        Some(of) if of == key => Ok(true),
        _ => Err("the workspace answered with another tag policy than was asked for".to_owned()),
    }
}

/// Where tags are assigned.
pub const ASSIGNMENTS: &str = "/api/2.1/unity-catalog/entity-tag-assignments";

/// The address of one tag of a table.
pub fn assignment(table: &ObjectName, key: &str) -> String {
    format!("{ASSIGNMENTS}/tables/{}/tags/{}", percent_encode(table.as_str()), percent_encode(key))
}

/// The keys of a thing's tags.
async fn tags(catalog: &dyn UnityCatalog, kind: Kind, name: &str) -> Result<Option<Vec<String>>, String> {
    let path = format!("{ASSIGNMENTS}/{}s/{}/tags", kind.word(), percent_encode(name));
    pages(catalog, &path, '?', "tag_assignments", |item| {
        let own = text(item, "entity_name").is_some_and(|of| of.eq_ignore_ascii_case(name));
        let of_kind = text(item, "entity_type").is_some_and(|of| of.strip_suffix('s') == Some(kind.word()));
        // A tag of something else says nothing of this.
        if !own || !of_kind {
            return Err("the workspace answered with a tag of something else than was asked for".to_owned());
        }
        text(item, "tag_key").ok_or_else(|| of_catalog(Unread("tag_key")))
    })
    .await
}

/// Who may do what with a thing, by itself and by what it lies in. `None`: there is no such thing.
///
/// # Errors
/// When it cannot be told, in one sentence.
pub async fn held(catalog: &dyn UnityCatalog, securable: &Securable) -> Result<Option<Vec<Held>>, String> {
    let path = format!(
        "/api/2.1/unity-catalog/effective-permissions/{}/{}?max_results=0",
        securable.kind.word(),
        percent_encode(&securable.name)
    );
    let found = pages(catalog, &path, '&', "privilege_assignments", |item| {
        let principal = text(item, "principal").ok_or_else(|| of_catalog(Unread("principal")))?;
        let privileges = item.get("privileges").map(Json::items).unwrap_or_default();
        let one = |privilege: &Json<'_>| {
            let members = privilege.members()?;
            let from = text(members, "inherited_from_name").filter(|from| !from.is_empty());
            Some(Held { principal: principal.clone(), privilege: text(members, "privilege")?, from })
        };
        privileges.iter().map(|privilege| one(privilege).ok_or_else(|| of_catalog(Unread("privilege")))).collect()
    });
    Ok(found.await?.map(|lists: Vec<Vec<Held>>| lists.into_iter().flatten().collect()))
}

/// Who owns a thing. `None`: there is no such thing.
///
/// # Errors
/// When it cannot be told, in one sentence.
pub async fn owner(catalog: &dyn UnityCatalog, securable: &Securable) -> Result<Option<String>, String> {
    let path = format!("/api/2.1/unity-catalog/{}/{}", securable.kind.collection(), percent_encode(&securable.name));
    let Some(answer) = catalog.ask(&Question::get(path)).await? else { return Ok(None) };
    let value = parsed(&answer).map_err(of_catalog)?;
    let members = within(&value, &[]).map_err(of_catalog)?;
    let named = if securable.kind == Kind::Catalog { "name" } else { "full_name" };
    if !text(members, named).is_some_and(|name| name.eq_ignore_ascii_case(&securable.name)) {
        return Err("the workspace answered about something else than was asked for".to_owned());
    }
    let owner = text(members, "owner").filter(|owner| !owner.is_empty());
    owner.map(Some).ok_or_else(|| of_catalog(Unread("owner")))
}

/// The tables that a run of a job was seen reading. What the platform did not see is not among them.
///
/// # Errors
/// When it cannot be told, in one sentence.
pub async fn seen_reading(
    catalog: &dyn UnityCatalog,
    warehouse: &WarehouseId,
    job: &str,
    run: &str,
) -> Result<Vec<String>, String> {
    const STATEMENT: &str = "SELECT DISTINCT source_table_full_name FROM system.access.table_lineage WHERE source_table_full_name \
        IS NOT NULL AND entity_metadata.job_info.job_id = :job AND (entity_metadata.job_info.job_run_id = :run OR entity_run_id = :run)";
    let parameter = |name: &str, value: &str| json!({ "name": name, "value": value, "type": "STRING" });
    let body = json!({
        "warehouse_id": warehouse.as_str(), "statement": STATEMENT, "format": "JSON_ARRAY", "disposition": "INLINE",
        "wait_timeout": "5s", "on_wait_timeout": "CONTINUE", "parameters": [parameter("job", job), parameter("run", run)],
        "row_limit": MOST_TABLES + 1,
    });
    let question = Question { path: "/api/2.0/sql/statements".to_owned(), statement: Some(body.to_string()) };
    let answer = catalog.ask(&question).await?.ok_or("the workspace has no SQL warehouses")?;
    let value = parsed(&answer).map_err(of_catalog)?;
    let state = within(&value, &["status"]).ok().and_then(|status| text(status, "state")).unwrap_or_default();
    if state != "SUCCEEDED" {
        return Err("the statement that asks for lineage did not succeed: may the agent's principal use the warehouse, and \
                    SELECT from system.access.table_lineage?"
            .to_owned());
    }
    let manifest = within(&value, &["manifest"]).map_err(of_catalog)?;
    let columns = within(&value, &["manifest", "schema"]).ok().and_then(|schema| schema.get("columns")).map(Json::items);
    let named = columns.unwrap_or_default().iter().filter_map(|column| text(column.members()?, "name"));
    if !named.eq(["source_table_full_name"]) {
        return Err(of_catalog(Unread("column that was asked for")));
    }
    let rows = within(&value, &["result"]).ok().and_then(|result| result.get("data_array")).map(Json::items).unwrap_or_default();
    let count = manifest.get("total_row_count").and_then(count).ok_or_else(|| of_catalog(Unread("total_row_count")))?;
    // What is not here whole is not known.
    if count != rows.len() || rows.len() > MOST_TABLES || manifest.get("truncated") == Some(&Json::Bool(true)) {
        return Err(format!("the run was seen reading more tables than are looked at ({MOST_TABLES}), or not all were sent"));
    }
    let table = |row: &Json<'_>| match row.items() {
        [Json::Text(name)] => Ok(name.to_string()),
        _ => Err(of_catalog(Unread("row with a table's name"))),
    };
    rows.iter().map(table).collect()
}

fn count(value: &Json<'_>) -> Option<usize> {
    match value {
        Json::Number(number) => number.parse().ok(),
        Json::Text(text) => text.parse().ok(),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => None,
    }
}

/// Every item of a list, page by page. `first` is what the page's token stands behind.
async fn pages<T>(
    catalog: &dyn UnityCatalog,
    path: &str,
    first: char,
    list: &'static str,
    mut read: impl FnMut(&Object<'_>) -> Result<T, String>,
) -> Result<Option<Vec<T>>, String> {
    let (mut found, mut url) = (Vec::new(), path.to_owned());
    for page in 0..MOST_PAGES {
        let Some(answer) = catalog.ask(&Question::get(url)).await? else {
            // What vanishes between two pages was not there whole.
            return if page == 0 { Ok(None) } else { Err(of_catalog(Unread("page that it announced"))) };
        };
        let value = parsed(&answer).map_err(of_catalog)?;
        let page = within(&value, &[]).map_err(of_catalog)?;
        match page.get(list) {
            // A list without elements is not sent.
            None => {}
            Some(Json::List(items)) => {
                for item in items {
                    found.push(read(item.members().ok_or_else(|| of_catalog(Unread(list)))?)?);
                }
            }
            Some(_) => return Err(of_catalog(Unread(list))),
        }
        match page.get("next_page_token") {
            None | Some(Json::Null) => return Ok(Some(found)),
            Some(Json::Text(token)) if token.is_empty() => return Ok(Some(found)),
            Some(Json::Text(token)) => url = format!("{path}{first}page_token={}", percent_encode(token)),
            Some(_) => return Err(of_catalog(Unread("next_page_token that is a text"))),
        }
    }
    Err(format!("the workspace's list has no end within {MOST_PAGES} pages"))
}

fn of_catalog(Unread(what): Unread) -> String {
    format!("the workspace's answer has no {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace that says one thing.
    struct Says(String);

    impl UnityCatalog for Says {
        fn ask<'a>(&'a self, _: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + 'a>> {
            Box::pin(std::future::ready(Ok(Some(Unverified::new(self.0.clone().into_bytes())))))
        }
    }

    #[test]
    fn a_run_was_seen_reading_what_a_whole_answer_to_our_own_statement_says_and_nothing_else() {
        let honest = r#"{"statement_id":"1","status":{"state":"SUCCEEDED"},"manifest":{"schema":{"columns":[{"name":"source_table_full_name"}]},"total_row_count":2,"truncated":false},"result":{"data_array":[["a.b.c"],["a.b.d"]]}}"#;
        let none = honest.replace(":2,", ":0,").replace(r#","result":{"data_array":[["a.b.c"],["a.b.d"]]}"#, "");
        let seen = |answer: &str| {
            let warehouse = WarehouseId::try_from("abc1").unwrap();
            let (says, waker) = (Says(answer.to_owned()), std::task::Waker::noop());
            let mut asked = std::pin::pin!(seen_reading(&says, &warehouse, "1", "2"));
            match asked.as_mut().poll(&mut std::task::Context::from_waker(waker)) {
                std::task::Poll::Ready(answer) => answer,
                std::task::Poll::Pending => unreachable!("it is ready"),
            }
        };
        assert_eq!(seen(honest), Ok(vec!["a.b.c".to_owned(), "a.b.d".to_owned()]));
        assert_eq!(seen(&none), Ok(Vec::new()));
        for (what, from, to) in [
            ("not done", "SUCCEEDED", "RUNNING"),
            ("failed", "SUCCEEDED", "FAILED"),
            ("no state", r#""status":{"state":"SUCCEEDED"},"#, ""),
            ("another column", "source_table_full_name", "target_table_full_name"),
            ("two columns", r#"[{"name""#, r#"[{"name":"x"},{"name""#),
            ("no columns", r#""columns":[{"name":"source_table_full_name"}]"#, ""),
            ("fewer rows than there are", ":2,", ":3,"),
            ("more rows than there are", ":2,", ":1,"),
            ("no count", r#""total_row_count":2,"#, ""),
            ("cut off", "false", "true"),
            ("a row of two", r#"["a.b.c"]"#, r#"["a.b.c","x"]"#),
            ("a row without a name", r#"["a.b.c"]"#, "[null]"),
            ("a row that is none", r#"["a.b.c"]"#, r#""a.b.c""#),
            ("a name twice", r#""result":"#, r#""result":{},"result":"#),
            ("no JSON", r#"{"statement_id""#, r#"<"statement_id""#),
        ] {
            assert!(honest.contains(from), "{what}");
            assert!(seen(&honest.replacen(from, to, 1)).is_err(), "{what}");
        }
    }
}
