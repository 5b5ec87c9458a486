//! `longhorn labels`: the policy's labels of tables held against the governed tags of Unity Catalog, and those tags set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::workspace::{Desk, policy, settings, signed_policy, wait};
use crate::cli::args::{LabelsApplyArgs, LabelsCheckArgs};
use crate::cli::terminal::{Terminal, closed};
use crate::decision::policy::Policy;
use crate::evidence::{Changed, Failure};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::random::Random;
use crate::identity::ids::{Label, ObjectName, TagPrefix};
use crate::model::catalog::{ASSIGNMENTS, Above, assignment, governed, tagged};
use crate::screen::{Screen, one_line};

/// How one table stands.
struct Row {
    table: String,
    /// Labels of the policy that no tag says.
    missing: BTreeSet<Label>,
    /// Labels that a tag of the table says and the policy does not.
    more: BTreeSet<String>,
    /// The same by a tag of its schema or catalog, with that one's name.
    above: BTreeSet<(String, String)>,
    /// Why nothing is known of it.
    unknown: Option<Unknown>,
}

enum Unknown {
    /// There is no such table, or it is not shown to the agent's principal.
    Table,
    /// In one sentence.
    Unread(String),
}

/// Everything that was found.
struct Found {
    rows: Vec<Row>,
    /// Keys that anybody with APPLY TAG may set and remove, or of which it cannot be told.
    keys: BTreeMap<String, Option<String>>,
}

/// Runs `labels check`: 0 only where all agree.
pub fn check(args: &LabelsCheckArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Exit {
    checked(args, clock, random, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn checked(args: &LabelsCheckArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let settings = settings(&args.settings, terminal)?;
    let policy = policy(&args.policy, terminal)?;
    let prefix = prefix(&args.policy, &policy)?;
    let desk = Desk::open(&settings, clock, random)?;
    let found = wait(look(&desk, prefix, &policy))?;
    let text = if args.json { format!("{}\n", found.json()) } else { found.text() };
    terminal.out.write_all(text.as_bytes()).map_err(closed)?;
    Ok(found.exit())
}

fn prefix<'p>(path: &Path, policy: &'p Policy) -> Result<&'p TagPrefix, Screen> {
    policy.models.catalog.label_tags.as_ref().ok_or_else(|| {
        Screen::failed("label-tags-missing", Exit::Config, "the policy does not say which tags are labels")
            .fact("file", path.display())
            .fact("expected", "`label-tags` in [unity-catalog]")
            .fact("presented", "none")
            .hint("how the keys of those governed tags begin, such as label-tags = \"longhorn_label_\"")
    })
}

/// Asks for every table of the policy and every key of its labels.
async fn look(desk: &Desk<'_>, prefix: &TagPrefix, policy: &Policy) -> Found {
    let (mut rows, mut above) = (Vec::new(), Above::new());
    for (name, labels) in &policy.models.tables {
        let mut row =
            Row { table: name.clone(), missing: BTreeSet::new(), more: BTreeSet::new(), above: BTreeSet::new(), unknown: None };
        let tagged = match ObjectName::try_from(name.as_str()) {
            Ok(table) => tagged(desk, prefix, &table, &mut above).await,
            Err(error) => Err(error.to_string()),
        };
        match tagged {
            Err(why) => row.unknown = Some(Unknown::Unread(why)),
            Ok(None) => row.unknown = Some(Unknown::Table),
            Ok(Some(tagged)) => {
                let ours = |label: &str| labels.iter().any(|ours| ours.as_str() == label);
                row.missing = labels.iter().filter(|label| !tagged.labels().any(|one| one == label.as_str())).cloned().collect();
                row.more = tagged.own.into_iter().filter(|label| !ours(label)).collect();
                row.above = tagged.above.into_iter().filter(|(label, _)| !ours(label)).collect();
            }
        }
        rows.push(row);
    }
    let mut keys = BTreeMap::new();
    for label in policy.models.tables.values().flatten().collect::<BTreeSet<_>>() {
        let key = prefix.key(label);
        match governed(desk, &key).await {
            Ok(true) => {}
            Ok(false) => drop(keys.insert(key, None)),
            Err(why) => drop(keys.insert(key, Some(why))),
        }
    }
    Found { rows, keys }
}

impl Row {
    fn agrees(&self) -> bool {
        self.missing.is_empty() && self.more.is_empty() && self.above.is_empty() && self.unknown.is_none()
    }

    /// In a word, and what besides.
    fn said(&self) -> (&'static str, String) {
        match &self.unknown {
            Some(Unknown::Table) => return ("unknown", "no such table, or the agent's principal may not see it".to_owned()),
            Some(Unknown::Unread(why)) => return ("unread", why.clone()),
            None => {}
        }
        let mut words = Vec::new();
        let list = |labels: Vec<String>| labels.join(", ");
        if !self.missing.is_empty() {
            words.push(format!("missing {}", list(self.missing.iter().map(ToString::to_string).collect())));
        }
        if !self.more.is_empty() {
            words.push(format!("more {}", list(self.more.iter().cloned().collect())));
        }
        words.extend(self.above.iter().map(|(label, above)| format!("more {label} by {above}")));
        (if self.agrees() { "same" } else { "differs" }, words.join("; "))
    }
}

impl Found {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        for row in &self.rows {
            let (word, besides) = row.said();
            lines.push(format!("{word:8} {} {besides}", row.table));
        }
        for (key, unread) in &self.keys {
            let (word, besides) = match unread {
                None => ("open", "no governed tag: whoever may apply tags may set it and take it away"),
                Some(why) => ("unread", why.as_str()),
            };
            lines.push(format!("{word:8} {key} {besides}"));
        }
        if lines.is_empty() {
            lines.push("same     the policy labels no table".to_owned());
        }
        lines.iter().map(|line| one_line(line.trim_end()) + "\n").collect()
    }

    fn json(&self) -> Value {
        let row = |row: &Row| {
            let missing: Vec<&str> = row.missing.iter().map(Label::as_str).collect();
            let above: Vec<Value> = row.above.iter().map(|(label, above)| json!({ "label": label, "by": above })).collect();
            let why = if let Some(Unknown::Unread(why)) = &row.unknown { Some(why) } else { None };
            json!({ "table": row.table, "stands": row.said().0, "missing": missing, "more": row.more, "above": above, "why": why })
        };
        let key = |(key, unread): (&String, &Option<String>)| json!({ "key": key, "stands": if unread.is_none() { "open" } else { "unread" }, "why": unread });
        json!({
            "agrees": self.exit() == Exit::Ok,
            "tables": self.rows.iter().map(row).collect::<Vec<_>>(),
            "keys": self.keys.iter().map(key).collect::<Vec<_>>(),
        })
    }

    /// What is known to differ counts first; what is not known is never agreement.
    fn exit(&self) -> Exit {
        let unread = |row: &Row| matches!(row.unknown, Some(Unknown::Unread(_)));
        if self.rows.iter().any(|row| !row.agrees() && !unread(row)) || self.keys.values().any(Option::is_none) {
            Exit::RefusedPolicy
        } else if self.rows.iter().any(unread) || !self.keys.is_empty() {
            Exit::Unavailable
        } else {
            Exit::Ok
        }
    }
}

/// One thing to do.
struct Step {
    sets: bool,
    table: ObjectName,
    key: String,
}

/// Runs `labels apply`: 0 where every step was done, or none was needed.
pub fn apply(args: &LabelsApplyArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Exit {
    applied(args, clock, random, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn applied(args: &LabelsApplyArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let settings = settings(&args.settings, terminal)?;
    // What nobody signed is set nowhere.
    let policy = signed_policy(&args.policy, &settings, clock, terminal)?;
    let prefix = prefix(&args.policy, &policy)?;
    let desk = Desk::open(&settings, clock, random)?;
    let found = wait(look(&desk, prefix, &policy))?;
    let steps = steps(&found, prefix, args.remove);
    let mut told = Told { json: args.json, lines: Vec::new(), terminal };
    for row in found.rows.iter().filter(|row| row.unknown.is_some()) {
        told.say("failed", &row.table, "", &row.said().1)?;
    }
    for step in &steps {
        told.say(if step.sets { "will set" } else { "will remove" }, step.table.as_str(), &step.key, "")?;
    }
    if !args.dry_run {
        for step in &steps {
            match wait(take(&desk, step))? {
                Ok(()) => told.say(if step.sets { "set" } else { "removed" }, step.table.as_str(), &step.key, "")?,
                Err(why) => told.say("failed", step.table.as_str(), &step.key, &why)?,
            }
        }
    }
    told.end()
}

fn steps(found: &Found, prefix: &TagPrefix, remove: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for row in &found.rows {
        let Ok(table) = ObjectName::try_from(row.table.as_str()) else { continue };
        let step = |sets: bool, key: String| Step { sets, table: table.clone(), key };
        steps.extend(row.missing.iter().map(|label| step(true, prefix.key(label))));
        if remove {
            steps.extend(row.more.iter().map(|label| step(false, format!("{prefix}{label}"))));
        }
    }
    steps
}

async fn take(desk: &Desk<'_>, step: &Step) -> Result<(), String> {
    let done: Result<Changed, Failure> = desk
        .with(async |workspace| {
            let Step { sets, table, key } = step;
            if *sets {
                let tag = json!({ "entity_type": "tables", "entity_name": table.as_str(), "tag_key": key });
                workspace.post(ASSIGNMENTS, &tag.to_string()).await
            } else {
                workspace.delete(&assignment(table, key)).await
            }
        })
        .await;
    match done {
        Ok(Changed::Done) => Ok(()),
        Ok(Changed::Denied(privilege)) => Err(match privilege {
            Some("ASSIGN") => format!("the agent's principal lacks ASSIGN on the tag policy {}", step.key),
            Some(privilege) => format!("the agent's principal lacks {privilege} for {}", step.table),
            None => format!(
                "the agent's principal may not: it needs ASSIGN on the tag policy {}, and APPLY TAG on {} with USE SCHEMA and USE \
                 CATALOG",
                step.key, step.table
            ),
        }),
        Err(failure) => Err(failure.sentence()),
    }
}

/// What was said, line by line as it happens; as one JSON document at the end.
struct Told<'t, 'o> {
    json: bool,
    lines: Vec<Value>,
    terminal: &'t mut Terminal<'o>,
}

impl Told<'_, '_> {
    fn say(&mut self, what: &str, table: &str, key: &str, why: &str) -> Result<(), Screen> {
        self.lines.push(json!({ "what": what, "table": table, "key": key, "why": why }));
        if self.json {
            return Ok(());
        }
        let line = format!("{what:11} {table} {key} {why}");
        writeln!(self.terminal.out, "{}", one_line(line.split_whitespace().collect::<Vec<_>>().join(" ").as_str()))
            .map_err(closed)
    }

    fn end(self) -> Result<Exit, Screen> {
        let failed = self.lines.iter().any(|line| line["what"] == "failed");
        if self.json {
            writeln!(self.terminal.out, "{}", json!({ "done": !failed, "steps": self.lines })).map_err(closed)?;
        } else if self.lines.is_empty() {
            writeln!(self.terminal.out, "nothing to do: every tag is set").map_err(closed)?;
        }
        Ok(if failed { Exit::Unavailable } else { Exit::Ok })
    }
}
