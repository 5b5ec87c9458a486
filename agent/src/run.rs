//! The way itself, on one page: from what is said to what is allowed, recorded and told.
//!
//! `attest` is walked by the sidecar, at the start and at every renewal. What root does on the node around it is in
//! [`init`]; the launcher's part, from the sealed lock to exec, is [`crate::launch::run`].

pub mod certify;
mod cluster;
pub mod facts;
pub mod grants;
pub mod init;
pub mod inventory;
pub mod issue;
pub mod keeper;
pub mod labels;
pub mod live;
mod login;
pub mod node;
mod node_document;
pub mod reach;
pub mod sample;
pub mod scope;
pub mod serve;
mod sources;
mod vouching;
mod workspace;

use std::rc::Rc;
use std::sync::Arc;

use self::certify::Certification;
use crate::context::{Change, Claims, Context, Issuing, LockSummary, NodeKey, issue};
use crate::decision::policy::{Identities, Policy};
use crate::decision::{Grant, decide};
use crate::evidence::{Source, gather};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::http::Http;
use crate::host::random::Random;
use crate::host::retry::Deadline;
use crate::identity::ids::LocalName;
use crate::identity::job::{JobIdentity, Membership, PrincipalKind, Workload};
use crate::identity::node_document::Occasion;
use crate::identity::{GotWith, Rules, Verified, agree, verify};
use crate::record::append::digest_of;
use crate::record::event::{Actor, Control, RunContext};
use crate::record::pseudonym::PseudonymKey;
use crate::record::{Event, Recorded, Recorder};
use crate::screen::Screen;

/// The audience of the contexts that are published on a node.
pub const AUDIENCE: &str = "longhorn";

/// Everything that the way needs from the world.
pub struct Way {
    /// The verified policy.
    pub policy: Rc<Policy>,
    /// Where evidence comes from.
    pub sources: Vec<Source>,
    /// Whether the workspace must list this node already.
    pub listed: bool,
    /// For the network.
    pub http: Http,
    /// How long gathering may take.
    pub patience: std::time::Duration,
    /// The node key.
    pub key: NodeKey,
    /// Who vouches for it, where that is not where it is published.
    pub certification: Certification,
    /// Persons' pseudonyms.
    pub pseudonyms: PseudonymKey,
    /// The kernel's boot id.
    pub boot: String,
    /// The record.
    pub recorder: Recorder,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// A grant that is on record.
pub struct Attested {
    /// What was granted.
    pub grant: Grant,
    /// That it is durable.
    pub recorded: Recorded,
}

/// Gathers, verifies, agrees, decides and records. `standing` is what the node was locked for, once it is: a renewal that
/// comes to anything else is a refusal.
///
/// # Errors
/// The screen of the refusal or failure, with its record's number where it could be recorded.
pub async fn attest(way: &Way, standing: Option<&Claims>) -> Result<Attested, Screen> {
    match walk(way, standing).await {
        Ok(attested) => Ok(attested),
        Err((screen, control)) => Err(stopped(way, screen, control).await),
    }
}

/// Puts on record why the way ends here.
async fn stopped(way: &Way, screen: Screen, control: Option<Control>) -> Screen {
    let facts = screen.facts.iter().map(|(label, value)| format!("{label}: {value}")).collect();
    let refused = screen.verdict == crate::screen::Verdict::Refused;
    let event = Event::Stopped { refused, reason: screen.reason.to_string(), headline: screen.headline.clone(), facts, control };
    match way.recorder.record(event).await {
        Ok(recorded) => screen.entry(recorded.seq()),
        // Nothing happens because of a refusal, so it stands even when the disk refuses the record of it.
        Err(_) => screen,
    }
}

async fn walk(way: &Way, standing: Option<&Claims>) -> Result<Attested, (Screen, Option<Control>)> {
    let end = way.clock.boot().plus(way.patience);
    let deadline = Deadline { clock: &*way.clock, random: &*way.random, end };
    let claims = gather(&way.http, &way.sources, &deadline).await.map_err(|failure| (failure.screen(), None))?;
    let rules = Rules {
        trust: &way.policy.trust,
        listed: way.listed,
        period: way.policy.lifetimes.lease * 2,
        node_key: &way.key.public().thumbprint(),
        // What stands was told under this very key.
        occasion: if standing.is_some() { Occasion::Renewal } else { Occasion::Join },
        now: way.clock.now(),
    };
    let proofs = claims
        .iter()
        .map(|claim| verify(claim, &rules))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|refusal| (refusal.screen(), None))?;
    let identity = agree(proofs, &way.policy.trust, rules.now).map_err(|refusal| (refusal.screen(), None))?;
    let decision = decide(&way.policy, &identity, rules.now);
    let grant = decision.outcome.map_err(|refusal| (refusal.screen(), Some(control(&way.policy, None))))?;
    if let Some(change) = standing.and_then(|standing| standing.change(tell(way, &grant, None).claims())) {
        return Err((changed(&change), Some(control(&way.policy, Some(grant.scope())))));
    }
    let recorded = record_grant(way, &identity, &grant, &decision.trace.to_json()).await.map_err(|screen| (screen, None))?;
    Ok(Attested { grant, recorded })
}

fn changed(change: &Change) -> Screen {
    Screen::refused("identity-changed", Exit::RefusedEvidence, "this is not the job that the node was locked for")
        .fact(format!("expected {}", change.claim), &change.locked)
        .fact(format!("presented {}", change.claim), &change.now)
        .hint("a node serves what it was locked for until it ends; start the job again")
}

async fn record_grant(way: &Way, identity: &Verified<JobIdentity>, grant: &Grant, trace: &str) -> Result<Recorded, Screen> {
    let failed = not_recorded("the decision could not be recorded; nothing happens because of it");
    let job = grant.identity();
    way.recorder.describe(run_context(job)).map_err(failed)?;
    let attested = Event::Attested {
        actor: actor(way, job),
        proofs: job
            .proofs
            .iter()
            .map(|proof| {
                let with = match proof.basis.got_with {
                    GotWith::Given => "",
                    GotWith::CloudToken => " with a cloud's word on the agent",
                };
                format!("{} by {} sha256 {}{with}", proof.kind, proof.basis.voucher, proof.basis.digest)
            })
            .collect(),
        membership: job.membership.word().to_owned(),
    };
    let _ = way.recorder.record(attested).await.map_err(failed)?;
    let words = |set: &mut dyn Iterator<Item = String>| set.collect::<Vec<_>>();
    let granted = Event::Granted {
        actor: actor(way, job),
        control: control(&way.policy, Some(grant.scope())),
        scope: grant.scope().to_string(),
        roles: words(&mut grant.roles().iter().map(ToString::to_string)),
        permissions: words(&mut grant.permissions().iter().map(|permission| permission.word().to_owned())),
        clearance: words(&mut grant.clearance().iter().map(ToString::to_string)),
        enforcement: grant.enforcement().word().to_owned(),
        trace_sha256: digest_of(trace),
    };
    debug_assert!(identity.at(way.clock.now()).is_some());
    way.recorder.record(granted).await.map_err(failed)
}

/// What could not be recorded does not happen.
fn not_recorded(headline: &'static str) -> impl Fn(crate::record::RecordError) -> Screen + Copy {
    move |error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        Screen::failed("record-failed", crate::exit::Exit::Record, headline).met(cause)
    }
}

/// Tells the job: a context for the grant, under the lock as it is.
pub fn tell(way: &Way, grant: &Grant, lock: Option<&LockSummary>) -> Context {
    tell_whom(way, grant, lock, AUDIENCE)
}

fn tell_whom(way: &Way, grant: &Grant, lock: Option<&LockSummary>, audience: &str) -> Context {
    let principal = actor(way, grant.identity()).id;
    let lifetimes = &way.policy.lifetimes;
    let lifetime = match grant.identity().membership {
        Membership::Listed => lifetimes.context,
        Membership::Provisional => lifetimes.context.min(lifetimes.provisional),
    };
    let (certificate, left) = way.certification.certificate(way.clock.now());
    // Beyond its certificate nobody would believe it.
    let lifetime = left.map_or(lifetime, |left| lifetime.min(left));
    issue(
        grant,
        &Issuing {
            key: &way.key,
            certificate: certificate.as_ref(),
            lock,
            principal: &principal,
            boot: &way.boot,
            audience,
            lifetime,
            now: way.clock.now(),
            random: &*way.random,
        },
    )
}

/// Persons stand under a pseudonym unless the signed policy says `clear`.
fn actor(way: &Way, job: &JobIdentity) -> Actor {
    let name = job.principal.name.as_str();
    let kind = job.principal.kind;
    let hidden = kind == PrincipalKind::User && way.policy.identities == Identities::Pseudonymous;
    let id = if hidden { way.pseudonyms.pseudonym(name) } else { name.to_owned() };
    Actor { id, kind: kind.word().to_owned(), kid: if hidden { way.pseudonyms.id().to_owned() } else { String::new() } }
}

fn control(policy: &Policy, scope: Option<&LocalName>) -> Control {
    Control {
        policy_serial: policy.serial,
        policy_sha256: policy.digest.clone(),
        rule: scope.map(ToString::to_string).unwrap_or_default(),
    }
}

fn run_context(job: &JobIdentity) -> RunContext {
    let (job_id, run_id) = match &job.workload {
        Workload::Job { job, run, .. } => (job.to_string(), run.to_string()),
        Workload::Interactive => (String::new(), String::new()),
    };
    RunContext {
        workspace: job.workspace.to_string(),
        cluster: job.cluster.to_string(),
        job_id,
        run_id,
        node: job.node.to_string(),
        role: job.role.word().to_owned(),
    }
}
