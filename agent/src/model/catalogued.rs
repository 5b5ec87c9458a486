//! What Unity Catalog says of the data that a model comes from: the labels that tags say, and the tables that a run was seen reading. Both can
//! only add to what runs name and to what the policy knows.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::candidate::Part;
use super::catalog::{Above, Answer, Question, UnityCatalog, seen_reading, tagged};
use super::labels::table_of;
use super::registry::Registry;
use super::statements::CONTEXT;
use crate::decision::catalog::Catalog;
use crate::identity::ids::{JobId, ObjectName, RunId};

/// So many tables are asked for.
const MOST_TABLES: usize = 256;

/// What was answered, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogued {
    /// Labels of a table by its tags, by its name; absent inside: there is no such table.
    pub tables: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Tables that a job's run was seen reading, by job and run.
    pub seen: BTreeMap<(String, String), Vec<String>>,
    /// What was asked and not answered, and why. Nobody knows then what the data holds.
    pub unanswered: BTreeSet<String>,
}

impl Catalogued {
    /// The tables that the job of a part was seen reading in its run.
    pub fn seen_by(&self, part: &Part) -> &[String] {
        let seen = part.context.as_ref().and_then(|context| context.job.as_ref());
        seen.and_then(|job| self.seen.get(&(job.id.clone(), job.run.clone()))).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A registry as whoever answers for Unity Catalog.
struct Through<'r, R>(&'r R);

impl<R: Registry> UnityCatalog for Through<'_, R> {
    fn ask<'a>(&'a self, question: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + 'a>> {
        Box::pin(self.0.catalog(question))
    }
}

/// Asks what the policy wants to have asked about these runs. After the first question without an answer nothing more is asked: whoever
/// waits learns so at once.
pub(super) async fn catalogued<R: Registry>(rules: &Catalog, registry: &R, parts: &[&Part]) -> Catalogued {
    if !rules.asks() {
        return Catalogued::default();
    }
    let mut found = Catalogued::default();
    // On a heap of its own: it is rare, and large.
    if let Err(why) = Box::pin(ask(rules, &Through(registry), parts, &mut found)).await {
        found.unanswered.insert(why);
    }
    found
}

async fn ask(rules: &Catalog, catalog: &dyn UnityCatalog, parts: &[&Part], found: &mut Catalogued) -> Result<(), String> {
    if let Some(warehouse) = &rules.warehouse {
        let jobs: BTreeSet<(String, String)> = parts.iter().filter_map(|part| told(part)).collect();
        for (job, run) in jobs {
            let seen = seen_reading(catalog, warehouse, &job, &run).await;
            let seen = seen.map_err(|why| format!("lineage of job {job} run {run}: {why}"))?;
            found.seen.insert((job, run), seen);
        }
    }
    let Some(prefix) = rules.label_tags.as_ref().filter(|_| rules.read_labels) else { return Ok(()) };
    let datasets = parts.iter().filter_map(|part| part.run.as_ref()).flat_map(|run| &run.datasets);
    let named = datasets.filter_map(table_of);
    let names: BTreeSet<String> = named.chain(found.seen.values().flatten().cloned()).collect();
    if names.len() > MOST_TABLES {
        return Err(format!("labels of {} tables: no more than {MOST_TABLES} are asked for", names.len()));
    }
    let mut above = Above::new();
    for name in names {
        // What is no name of a table there has no tags there.
        let Ok(table) = ObjectName::try_from(name.as_str()) else { continue };
        let tagged = tagged(catalog, prefix, &table, &mut above).await.map_err(|why| format!("labels of {name}: {why}"))?;
        found.tables.insert(name, tagged.map(|tagged| tagged.labels().map(str::to_owned).collect()));
    }
    Ok(())
}

/// The job and the run that the context of a part names. It is not believed here: it says what to ask, by whoever writes facts down and does not
/// know whose word counts. What is answered counts for the job of a context that somebody vouches for ([`Catalogued::seen_by`]).
fn told(part: &Part) -> Option<(String, String)> {
    let token = part.run.as_ref()?.tag(CONTEXT)?;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    let id = |name: &str| claims.get("job")?.get(name)?.as_str();
    Some((JobId::try_from(id("id")?).ok()?.to_string(), RunId::try_from(id("run")?).ok()?.to_string()))
}
