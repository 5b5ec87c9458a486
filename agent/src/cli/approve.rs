//! `longhorn model approve`: looks at what is approved as the gate does, says what it saw, and signs that a version may have an alias.

use std::time::Duration;

use super::args::ModelApproveArgs;
use super::authority::{seed, unusable};
use super::model::{Trust, candidate, checks, of_the_promoter, policy};
use super::terminal::{Terminal, closed};
use crate::context::NodeKey;
use crate::exit::Exit;
use crate::host::clock::{Clock, Timestamp};
use crate::model::{Approval, Gate, approval_tag};
use crate::screen::{Screen, one_line};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Runs it: the signature on standard output, the rest is talk.
pub fn run(args: &ModelApproveArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    approved(args, clock, terminal).unwrap_or_else(|screen| terminal.show(&screen))
}

fn approved(args: &ModelApproveArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let asked = &args.asked;
    let policy = policy(&args.policy, terminal)?;
    let key = NodeKey::from_seed(&*seed(&args.key)?).map_err(|error| unusable(Exit::Data, &error))?;
    let rule = policy.models.rule(&asked.name).and_then(|rule| rule.alias(&asked.alias));
    let named =
        policy.models.approvers.iter().find(|(_, public)| *public == key.public().as_bytes()).map(|(name, _)| name.clone());
    let approver = named.clone().filter(|name| rule.is_some_and(|rule| rule.approved_by.contains(name)));
    let approver = approver.ok_or_else(|| {
        Screen::refused("approver-unlisted", Exit::RefusedPolicy, "this key does not approve for this alias")
            .fact("expected", format!("the key of one whom `approved-by` names for {} of {}", asked.alias, asked.name))
            .fact(
                "presented",
                named.map_or("a key that the policy does not name".to_owned(), |name| format!("the key of {name}")),
            )
            .hint("[approvers.NAME] has the public half of the key, and the alias's `approved-by` the name")
    })?;
    let candidate = candidate(asked, &args.facts, &Trust::read(&args.trust)?, &policy.models.catalog, clock.now())?;
    let unasked = of_the_promoter(&policy, &candidate, &asked.alias);
    let mut verdict = Gate::new(policy.into()).judge(&candidate, &asked.alias, None);
    // Whoever else approves is no reason to, and none not to.
    verdict.checks.retain(|check| check.name != "approved");
    // Talk: nobody listening is no reason to stop.
    let _ = checks(&verdict, &unasked, terminal.err);
    let approval = Approval::of(&candidate, &asked.alias, approver.as_str(), DAY * u32::from(args.days));
    let approval = approval.filter(|_| verdict.passes()).ok_or_else(|| {
        let failed: Vec<&str> = verdict.failed().map(|check| check.name).collect();
        Screen::refused(
            "not-approvable",
            Exit::RefusedPolicy,
            "nothing is signed: the version may not have the alias, whoever approves",
        )
        .fact("expected", "every check holds, and files that are within reach")
        .fact("presented", failed.join(", "))
        .hint("an approval is asked beside the checks, never instead of one")
    })?;
    writeln!(terminal.out, "{}", approval.sign(&key)).map_err(closed)?;
    let _ = writeln!(
        terminal.err,
        "approved by {approver} until {}: version {} of {} needs it as its tag {}",
        Timestamp::from_seconds(approval.exp),
        one_line(&asked.version),
        one_line(&asked.name),
        one_line(&approval_tag(&asked.alias, approver.as_str()))
    );
    Ok(Exit::Ok)
}
