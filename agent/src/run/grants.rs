//! `longhorn policy check --against-uc`: the grants of Unity Catalog on models, lineage, labelled tables and volumes, held against the policy.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::workspace::{Desk, settings, signed_policy, wait};
use crate::cli::args::PolicyCheckArgs;
use crate::cli::terminal::{Terminal, closed};
use crate::decision::grants::{Kind, Purpose, Securable, Wider, judge, judge_owner, labelled_volumes};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::random::Random;
use crate::identity::ids::ObjectName;
use crate::model::catalog::{held, owner};
use crate::screen::{Screen, one_line};

/// Where the platform keeps who read and wrote what.
const LINEAGE: [&str; 2] = ["system.access.table_lineage", "system.access.column_lineage"];

/// Everything that was found.
#[derive(Default)]
struct Found {
    wider: BTreeSet<Wider>,
    /// What could not be read, and why.
    unread: BTreeSet<(String, String)>,
    /// What the policy names and Unity Catalog does not have.
    elsewhere: BTreeSet<String>,
    /// How many things were looked at.
    looked: usize,
}

/// Runs it, after the policy itself was checked: 0 only where nothing is wider and everything could be read.
pub fn run(args: &PolicyCheckArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Exit {
    compared(args, clock, random, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn compared(args: &PolicyCheckArgs, clock: &dyn Clock, random: &dyn Random, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let path = args.settings.as_ref().ok_or_else(|| {
        Screen::failed("usage", Exit::Usage, "the command line is wrong")
            .fact("expected", "--settings FILE beside --against-uc")
            .fact("presented", "none")
    })?;
    let settings = settings(path, terminal)?;
    let policy = signed_policy(&args.policy, &settings, clock, terminal)?;
    let desk = Desk::open(&settings, clock, random)?;
    let found = wait(look(&desk, &policy))?;
    let text = if args.json { format!("{}\n", found.json()) } else { found.text() };
    terminal.out.write_all(text.as_bytes()).map_err(closed)?;
    Ok(found.exit())
}

async fn look(desk: &Desk<'_>, policy: &Policy) -> Found {
    let mut found = Found::default();
    let mut owned = BTreeSet::new();
    for (name, rule) in &policy.models.rules {
        if name.ends_with('*') {
            let why = "a rule for all models that begin so: name each to have its grants looked at";
            found.unread.insert((format!("model {name}"), why.to_owned()));
        } else if ObjectName::try_from(name.as_str()).is_err() {
            // A model of the workspace's or of MLflow's own registry.
            found.elsewhere.insert(format!("model {name}"));
        } else {
            let model = Securable::new(Kind::Model, name);
            found.grants(desk, policy, &model, Purpose::Model(rule)).await;
            owned.extend(model.above());
            owned.insert(model);
        }
    }
    for (name, labels) in policy.models.tables.iter().filter(|(_, labels)| !labels.is_empty()) {
        let table = Securable::new(Kind::Table, name);
        if let Err(error) = ObjectName::try_from(name.as_str()) {
            found.unread.insert((table.to_string(), error.to_string()));
            continue;
        }
        found.grants(desk, policy, &table, Purpose::Labelled(labels)).await;
        owned.extend(table.above());
        owned.insert(table);
    }
    let (volumes, wide) = labelled_volumes(&policy.models.paths);
    for (name, labels) in &volumes {
        let volume = Securable::new(Kind::Volume, name);
        if let Err(error) = ObjectName::try_from(name.as_str()) {
            found.unread.insert((volume.to_string(), error.to_string()));
            continue;
        }
        found.grants(desk, policy, &volume, Purpose::Files(labels)).await;
        owned.extend(volume.above());
        owned.insert(volume);
    }
    for path in wide {
        let why = "labels for all volumes below it: name each to have its grants looked at";
        found.unread.insert((format!("directory {path}"), why.to_owned()));
    }
    // Nobody of the account owns the system's tables.
    for name in LINEAGE {
        found.grants(desk, policy, &Securable::new(Kind::Table, name), Purpose::Lineage).await;
    }
    for thing in owned {
        match owner(desk, &thing).await {
            Ok(Some(owner)) => found.wider.extend(judge_owner(policy, &thing, &owner)),
            Ok(None) => found.absent(&thing),
            Err(why) => drop(found.unread.insert((thing.to_string(), why))),
        }
    }
    found
}

impl Found {
    async fn grants(&mut self, desk: &Desk<'_>, policy: &Policy, thing: &Securable, purpose: Purpose<'_>) {
        self.looked += 1;
        match held(desk, thing).await {
            Ok(Some(held)) => self.wider.extend(judge(policy, thing, purpose, &held)),
            Ok(None) => self.absent(thing),
            Err(why) => drop(self.unread.insert((thing.to_string(), why))),
        }
    }

    fn absent(&mut self, thing: &Securable) {
        self.unread.insert((thing.to_string(), "there is none, or the agent's principal may not see it".to_owned()));
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for Wider { securable, principal, privilege, why, remedy } in &self.wider {
            let who = if principal.is_empty() { "somebody who was deleted" } else { principal };
            lines.push(format!("wider    {securable}: {who} has {privilege}: {why}"));
            lines.push(format!("         {remedy}"));
        }
        lines.extend(self.unread.iter().map(|(what, why)| format!("unread   {what}: {why}")));
        lines.extend(self.elsewhere.iter().map(|what| format!("elsewhere {what}: no name in Unity Catalog; nothing was asked")));
        if self.exit() == Exit::Ok {
            lines.push(format!("ok: nothing is wider than the policy on {} models, tables and volumes", self.looked));
        }
        lines.iter().map(|line| one_line(line) + "\n").collect()
    }

    fn json(&self) -> Value {
        let wider = |one: &Wider| {
            let Wider { securable, principal, privilege, why, remedy } = one;
            json!({
                "securable": securable.to_string(), "principal": principal, "privilege": privilege, "why": why, "remedy": remedy,
            })
        };
        let unread = |(what, why): &(String, String)| json!({ "securable": what, "why": why });
        json!({
            "ok": self.exit() == Exit::Ok,
            "wider": self.wider.iter().map(wider).collect::<Vec<_>>(),
            "unread": self.unread.iter().map(unread).collect::<Vec<_>>(),
            "elsewhere": self.elsewhere,
        })
    }

    /// What is wider counts first; what could not be read is never an all clear.
    fn exit(&self) -> Exit {
        match (self.wider.is_empty(), self.unread.is_empty()) {
            (false, _) => Exit::RefusedPolicy,
            (true, false) => Exit::Unavailable,
            (true, true) => Exit::Ok,
        }
    }
}
