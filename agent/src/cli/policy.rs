//! `longhorn policy`: check, sign, explain. The very code that nodes run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::args::{PolicyArgs, PolicyCheckArgs, PolicyCommand, PolicyExplainArgs, PolicySignArgs};
use super::authority::{seed, unusable};
use super::terminal::{Terminal, closed};
use crate::config::document::{as_text, read_bytes};
use crate::config::problem::Problems;
use crate::config::{bind, read_policy, read_settings, scopes_left_open, signature};
use crate::context::NodeKey;
use crate::decision::policy::Policy;
use crate::decision::{IMDS_OPEN, evaluate};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::identity::ids::{
    ClusterId, ComputePolicyId, GroupName, IdError, JobId, NodeAddress, PrincipalName, RunId, WorkspaceHost,
};
use crate::identity::job::{JobIdentity, Membership, NodeRole, Principal, PrincipalKind, ProofLine, SpeaksFor, Workload};
use crate::identity::trust::ProofKind;
use crate::identity::{Basis, GotWith};
use crate::screen::{Screen, one_line};

/// Runs `longhorn policy`.
pub fn run(args: &PolicyArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    let outcome = match &args.command {
        PolicyCommand::Check(check_args) => check(check_args, clock, terminal),
        PolicyCommand::Sign(sign_args) => sign(sign_args, terminal),
        PolicyCommand::Explain(explain_args) => explain(explain_args, clock, terminal),
        PolicyCommand::Diff(diff_args) => super::diff::compare(diff_args, terminal),
        PolicyCommand::Learn(learn_args) => super::learn::propose(learn_args, terminal),
        PolicyCommand::Render(render_args) => super::render::render(render_args, terminal),
        PolicyCommand::SamlMetadata(metadata_args) => super::saml_metadata::print(metadata_args, clock, terminal),
    };
    outcome.unwrap_or_else(|screen| terminal.show(&screen))
}

/// Reads a policy for a command: problems go to stderr, all of them.
pub(super) fn load(path: &Path, terminal: &mut Terminal<'_>) -> Result<Policy, Screen> {
    read(path, &read_bytes(path)?, terminal)
}

/// The policy in bytes that were read once: what is checked is what is signed.
fn read(path: &Path, bytes: &[u8], terminal: &mut Terminal<'_>) -> Result<Policy, Screen> {
    match read_policy(&path.display().to_string(), as_text(path, bytes)?) {
        Ok((policy, warnings)) => {
            show(&warnings, terminal);
            Ok(policy)
        }
        Err(problems) => {
            show(&problems, terminal);
            Err(problems.screen("policy-problems", "the policy has problems"))
        }
    }
}

fn show(problems: &Problems, terminal: &mut Terminal<'_>) {
    // Talk: nobody listening is no reason to stop.
    let _ = write!(terminal.err, "{problems}");
}

fn check(args: &PolicyCheckArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let bytes = read_bytes(&args.policy)?;
    let policy = read(&args.policy, &bytes, terminal)?;
    if let Some(path) = &args.settings {
        let text = read_bytes(path)?;
        let settings = read_settings(&path.display().to_string(), as_text(path, &text)?).map_err(|problems| {
            show(&problems, terminal);
            problems.screen("settings-problems", "the settings have problems")
        })?;
        let signed = read_bytes(&signature::beside(&args.policy))?;
        signature::verify(&args.policy, &bytes, &signed, &settings.policy, &settings.workspace.host, clock.now())
            .map_err(|refusal| refusal.screen())?;
        bind(&settings, &policy).map_err(|refusal| refusal.screen())?;
        for scope in scopes_left_open(&settings, &policy) {
            let environment = &policy.scopes[scope].environment;
            // Talk, like every warning.
            let _ = writeln!(
                terminal.err,
                "warning: scope {scope} is refused on every node ({IMDS_OPEN}): its jobs could ask the cloud's metadata service for \
                 what is behind {}\n  = `metadata-service` of environment {environment} says \"open\"",
                settings.by_cloud_token().join(", "),
            );
        }
    }
    let line = format!(
        "ok: serial {}, ends {}, {} roles, {} scopes, {} environments, sha256 {}",
        policy.serial,
        policy.not_after,
        policy.roles.len(),
        policy.scopes.len(),
        policy.environments.len(),
        policy.digest
    );
    say(terminal, &line)
}

fn say(terminal: &mut Terminal<'_>, line: &str) -> Result<Exit, Screen> {
    writeln!(terminal.out, "{line}").map(|()| Exit::Ok).map_err(closed)
}

fn sign(args: &PolicySignArgs, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    // What nodes would refuse is not signed.
    let bytes = read_bytes(&args.policy)?;
    read(&args.policy, &bytes, terminal)?;
    let key = NodeKey::from_seed(&*seed(&args.key)?).map_err(|error| unusable(Exit::Data, &error))?;
    let path = signature::beside(&args.policy);
    std::fs::write(&path, signature::sign(&bytes, &key)).map_err(|error| {
        Screen::failed("signature-not-written", Exit::Os, "the signature cannot be written")
            .fact("file", path.display())
            .fact("expected", "a file that can be written")
            .fact("presented", error)
            .hint("the signature lies beside the policy: may you write there, and is there room?")
    })?;
    say(terminal, &format!("signed: {}", one_line(&path.display().to_string())))
}

fn explain(args: &PolicyExplainArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let policy = load(&args.policy, terminal)?;
    let identity = hypothetical(args, &policy, clock)?;
    let (outcome, trace) = evaluate(&policy, &identity, clock.now());
    let exit = outcome.as_ref().map_or_else(|refusal| refusal.screen().exit, |_| Exit::Ok);
    if args.json {
        let answer = match &outcome {
            Ok(found) => serde_json::json!({ "granted": true, "scope": found.scope.as_str() }),
            Err(refusal) => serde_json::json!({ "granted": false, "reason": refusal.reason() }),
        };
        say(terminal, &format!("{{\"answer\":{answer},\"trace\":{}}}", trace.to_json()))?;
        return Ok(exit);
    }
    let mut text = trace.to_string();
    match outcome {
        Ok(found) => {
            let scope = &policy.scopes[&found.scope];
            let may: Vec<&str> = scope.may.iter().map(|permission| permission.word()).collect();
            let clearance: Vec<String> = scope.clearance.iter().map(ToString::to_string).collect();
            text.push_str(&format!("granted: scope {}, may {}, environment {}", found.scope, may.join(", "), scope.environment));
            text.push_str(&if clearance.is_empty() { String::new() } else { format!(", clearance {}", clearance.join(", ")) });
            say(terminal, &text)?;
        }
        Err(refusal) => {
            say(terminal, text.trim_end())?;
            terminal.show(&refusal.screen());
        }
    }
    Ok(exit)
}

fn usage(expected: &str, presented: &str) -> Screen {
    Screen::failed("usage", Exit::Usage, "the command line is wrong")
        .fact("expected", expected)
        .fact("presented", presented)
        .hint("`longhorn policy explain --help` shows the options")
}

/// Text that is not what an option names.
pub(super) fn wrong(presented: &str) -> impl FnOnce(IdError) -> Screen + '_ {
    move |error| usage(&format!("{}: {}", error.kind, error.rule), presented)
}

/// An identity as it would be, had everything been proven. It is not [`crate::identity::Verified`]: it can be explained,
/// never granted.
fn hypothetical(args: &PolicyExplainArgs, policy: &Policy, clock: &dyn Clock) -> Result<JobIdentity, Screen> {
    let bound: Vec<&WorkspaceHost> = policy.trust.workspaces.iter().collect();
    let workspace = match (&args.workspace, &bound[..]) {
        (Some(given), _) => WorkspaceHost::try_from(given.as_str()).map_err(wrong(given))?,
        (None, [only]) => (*only).clone(),
        (None, [..]) => return Err(usage("--workspace URL, for the policy is for several", "none")),
    };
    let tag = |tag: &String| match tag.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err(usage("--tag KEY=VALUE", tag)),
    };
    let tags: Vec<(String, String)> = args.tags.iter().map(tag).collect::<Result<_, _>>()?;
    let workload = match &args.job {
        Some(id) => Workload::Job {
            job: JobId::try_from(id.as_str()).map_err(wrong(id))?,
            run: RunId::try_from("0").map_err(wrong("0"))?,
            name: args.job_name.clone(),
            tags,
            locked: args.locked,
        },
        None => Workload::Interactive,
    };
    let kinds: Vec<String> = if args.proofs.is_empty() {
        policy.trust.require.iter().map(ProofKind::to_string).collect()
    } else {
        args.proofs.clone()
    };
    let basis = Basis {
        voucher: "assumed".into(),
        key: None,
        checked: clock.now(),
        good_until: clock.now().plus(Duration::from_secs(60)),
        digest: String::new(),
        got_with: GotWith::Given,
    };
    Ok(JobIdentity {
        workspace,
        cluster: ClusterId::try_from("assumed").map_err(wrong("assumed"))?,
        node: NodeAddress::try_from("127.0.0.1").map_err(wrong("127.0.0.1"))?,
        role: NodeRole::Driver,
        membership: Membership::Listed,
        workload,
        principal: Principal {
            kind: PrincipalKind::of(&args.run_as),
            name: PrincipalName::try_from(args.run_as.as_str()).map_err(wrong(&args.run_as))?,
        },
        groups: args
            .groups
            .iter()
            .map(|group| GroupName::try_from(group.as_str()).map_err(wrong(group)))
            .collect::<Result<BTreeSet<_>, _>>()?,
        compute_policy: args.policy_id.as_deref().map(|id| ComputePolicyId::try_from(id).map_err(wrong(id))).transpose()?,
        members: BTreeSet::new(),
        proofs: kinds.into_iter().map(|kind| ProofLine { kind, basis: basis.clone(), speaks_for: SpeaksFor::Job }).collect(),
    })
}
