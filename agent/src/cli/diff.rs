//! `longhorn policy diff`: who gains and who loses what. The comparison is `decision::diff`; here it is printed.

use super::args::PolicyDiffArgs;
use super::policy::load;
use super::terminal::{Terminal, closed};
use crate::decision::diff::{Change, Diff, Effect, Line, Subject, diff};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::screen::{Screen, one_line};

pub(super) fn compare(args: &PolicyDiffArgs, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let (old, new) = (load(&args.old, terminal)?, load(&args.new, terminal)?);
    let found = diff(&old, &new);
    let text = if args.json { json(&old, &new, &found) } else { plain(&old, &new, &found) };
    terminal.out.write_all(text.as_bytes()).map_err(closed)?;
    Ok(Exit::Ok)
}

fn plain(old: &Policy, new: &Policy, found: &Diff) -> String {
    let mut text = String::new();
    let mut last: Option<&Subject> = None;
    for Line { subject, key, effect, change } in &found.lines {
        if last != Some(subject) {
            text.push_str(&format!("{subject}{}\n", users(subject, old, new)));
        }
        last = Some(subject);
        text.push_str(&format!("  {:8}  {key:26}  {}\n", effect.word(), one_line(&change.to_string())));
    }
    let counts: Vec<String> = [Effect::Gains, Effect::Loses, Effect::Weaker, Effect::Stronger, Effect::Changed]
        .into_iter()
        .map(|effect| (effect, found.lines.iter().filter(|line| line.effect == effect).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(effect, count)| format!("{count} {}", effect.word()))
        .collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    format!("{text}the new policy is {}{counts}\n", found.summary())
}

/// Whom an environment is for: the scopes that run in it, before or after.
fn users(subject: &Subject, old: &Policy, new: &Policy) -> String {
    let Subject::Environment(name) = subject else { return String::new() };
    let within = |policy: &Policy| {
        let of_it = policy.scopes.iter().filter(|(_, scope)| scope.environment == *name);
        of_it.map(|(scope, _)| scope.to_string()).collect::<std::collections::BTreeSet<_>>()
    };
    let scopes: Vec<String> = within(old).union(&within(new)).cloned().collect();
    if scopes.is_empty() { " (no scope runs in it)".into() } else { format!(" (scopes: {})", scopes.join(", ")) }
}

fn json(old: &Policy, new: &Policy, found: &Diff) -> String {
    let line = |Line { subject, key, effect, change }: &Line| {
        let mut line = serde_json::json!({ "subject": subject.to_string(), "key": key, "effect": effect.word().to_lowercase() });
        let said: &[(&str, &str)] = match change {
            Change::Added(what) => &[("added", what)],
            Change::Removed(what) => &[("removed", what)],
            Change::Replaced { from, to } => &[("from", from), ("to", to)],
            Change::Value(name) => &[("changed", name)],
        };
        for (key, value) in said {
            line[*key] = (*value).into();
        }
        line
    };
    let policy = |policy: &Policy| serde_json::json!({ "serial": policy.serial, "sha256": policy.digest });
    let lines: Vec<_> = found.lines.iter().map(line).collect();
    let value = serde_json::json!({ "old": policy(old), "new": policy(new), "summary": found.summary(), "lines": lines });
    format!("{value}\n")
}
