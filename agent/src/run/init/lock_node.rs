//! Locking the node: the plan is made, built, covered and sealed.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::documents::Verified;
use super::failed;
use super::keeper::astray;
use super::secrets::secret_files;
use crate::context::Claims;
use crate::context::variables::injected;
use crate::decision::IMDS_OPEN;
use crate::decision::environment::{Environment, Floor, MetadataService};
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::host::paths;
use crate::identity::GotWith;
use crate::identity::ids::Label;
use crate::lock::cover::{self, Means, Purpose};
use crate::lock::sealed::{Seal, SealedTarget, digest_of, seal};
use crate::lock::{
    NodeFacts, Plan, PlanError, Strength, Target, TargetKind, canary, meet, namespace, needed, plan, through, within_reach,
};
use crate::screen::Screen;
use crate::serve::publish::place;
use crate::wire::lease::parse_boot_id;
use crate::wire::verdict::FromInit;

pub(super) struct LockedNode {
    pub(super) message: FromInit,
    /// What the policy covers, as it names it.
    pub(super) programs: Vec<PathBuf>,
}

impl LockedNode {
    pub(super) fn strength(&self) -> &str {
        match &self.message {
            FromInit::Locked { strength, .. } => strength,
            FromInit::NotLocked { .. } => "none",
        }
    }
}

const ANY: Floor = Floor { landlock: 0, mount: false, capabilities: false, seccomp: false };

/// Covers without a lock: launches get the context and are reported. What enforcing would refuse this node for is no reason
/// not to look: it stands among the open ways as `refused:<reason>`, in every context and record.
pub(super) fn observe_node(verified: &Verified, claims: &Claims, receipt: &str) -> Result<LockedNode, Screen> {
    let environment = environment(&verified.policy, claims)?;
    let facts = NodeFacts::probe();
    let mut free = environment.clone();
    free.kernel.floor = ANY;
    let mut planned = plan(&free, &clearance(claims)?, &injected(claims), &facts, verified.settings.node.sidecar_uid)
        .map_err(|error| error.screen())?;
    let (covered, means) = cover_targets(&planned, Purpose::Observe)?;
    let refused = meet(&environment.kernel.floor, &facts).err().map(|below| PlanError::from(below).screen().reason);
    let uncovered = uncovered(&planned, &covered).map(|screen| screen.reason);
    planned.open = ["observe".to_owned()].into_iter().collect();
    let alone = imds_open(environment, claims).then_some(IMDS_OPEN.into());
    planned.open.extend(refused.into_iter().chain(uncovered).chain(alone).map(|reason| format!("refused:{reason}")));
    planned.strength = Strength::Degraded;
    let nowhere = canary::Canaries { denied: PathBuf::new(), sibling: PathBuf::new() };
    // Nothing of the lock but the variables is for a launcher to read.
    (planned.rules, planned.filter, planned.kept, planned.mount) = (Vec::new(), Vec::new(), 0, false);
    planned.metadata_closed = false;
    let sealed = seal_lock(&planned, receipt, &nowhere, covered.targets.clone(), claims, Purpose::Observe)?;
    Ok(LockedNode {
        message: FromInit::Locked {
            digest: digest_of(&sealed),
            strength: "none".into(),
            report: report(&planned, "none", &covered, means),
            open: planned.open,
        },
        programs: named(planned.targets),
    })
}

/// Whether enforcing would have refused this node because jobs could get the cloud's token that the agent got.
fn imds_open(environment: &Environment, claims: &Claims) -> bool {
    let open = environment.kernel.metadata_service == MetadataService::Open;
    open && claims.proofs.iter().any(|proof| proof.got_with == GotWith::CloudToken.word())
}

fn cover_targets(planned: &Plan, purpose: Purpose) -> Result<(cover::Covered, Means), Screen> {
    let launcher = crate::launch::binary().map_err(|error| failed("cannot read the launcher", error))?;
    let means = if planned.mount { Means::Bind } else { Means::Rename };
    let covered = cover::install(&planned.targets, &launcher, means, purpose).map_err(|error| not_installed(&error))?;
    Ok((covered, means))
}

fn not_installed(error: &dyn std::error::Error) -> Screen {
    Screen::failed_on_node("lock-not-installed", error)
}

/// Without a `root` target on the node no tree would ever be locked, and what acts only within one would pass through.
fn uncovered(planned: &Plan, covered: &cover::Covered) -> Option<Screen> {
    let named = |kind: Option<TargetKind>| {
        let targets = planned.targets.iter().filter(|target| kind.is_none_or(|kind| target.kind == kind));
        targets.map(|target| target.path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let refused = |name, headline, expected: String, hint| {
        let screen = Screen::refused(name, Exit::RefusedFloor, headline);
        Some(screen.fact("expected one of", expected).fact("presented", "none of them").hint(hint))
    };
    if covered.targets.is_empty() {
        let headline = "none of the programs that the policy covers is on this node";
        let hint = "name the interpreters of this node as `targets` in the policy's environment";
        return refused("nothing-covered", headline, named(None), hint);
    }
    if covered.targets.iter().all(|target| target.kind != TargetKind::Root) {
        let headline = "none of the programs that start a locked tree is on this node";
        let hint = "what acts only within such a tree would run unlocked: name this node's engine as a `root` target";
        return refused("no-root-covered", headline, named(Some(TargetKind::Root)), hint);
    }
    None
}

fn clearance(claims: &Claims) -> Result<BTreeSet<Label>, Screen> {
    let labels = claims.clearance.iter().map(|label| Label::try_from(label.as_str()));
    labels.collect::<Result<_, _>>().map_err(|error| astray("the context does not make sense", io::Error::other(error)))
}

fn report(planned: &Plan, strength: &str, covered: &cover::Covered, means: Means) -> String {
    let report = serde_json::json!({
        "strength": strength, "landlock": planned.landlock, "rules": planned.rules.len(), "filter": planned.filter.len(),
        "covered": covered.targets.iter().map(|target| target.real.display().to_string()).collect::<Vec<_>>(),
        "absent": covered.absent.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "by": match means { Means::Bind => "bind", Means::Rename => "rename" },
    });
    report.to_string()
}

/// Plans, builds, covers, seals. The plan comes from the policy that this process verified; of the context it takes only
/// what the node key signed.
pub(super) fn lock_node(verified: &Verified, claims: &Claims, receipt: &str) -> Result<LockedNode, Screen> {
    let environment = environment(&verified.policy, claims)?;
    let facts = NodeFacts::probe();
    let mut planned = plan(environment, &clearance(claims)?, &injected(claims), &facts, verified.settings.node.sidecar_uid)
        .map_err(|error| error.screen())?;
    planned.rules = needed(planned.rules, planned.landlock);
    let secrets = secret_files(&verified.settings);
    // Only a mount hides a file that a rule reaches.
    if let Some((file, granted)) = within_reach(&planned.rules, &secrets).filter(|_| !planned.mount) {
        return Err(Screen::refused(
            "secret-within-reach",
            Exit::Config,
            format!("jobs could read a secret of the agent in {}", file.display()),
        )
        .fact("expected", "secrets outside what the policy grants, or a private mount namespace that masks them")
        .fact("presented", format!("no private mount namespace, and {} is granted", granted.display()))
        .hint("move the secret to a directory that no rule of the policy reaches, and name it there in the settings"));
    }
    planned.mask.extend(secrets);
    let canaries = canary::create(Path::new(paths::CANARIES), &planned.profile)
        .map_err(|error| failed("cannot make the canaries", error))?;
    // Covered first: the namespace is a copy that must hold the covers. Until the lock is sealed every covered launch is
    // refused.
    let (covered, means) = cover_targets(&planned, Purpose::Lock)?;
    if let Some(refused) = uncovered(&planned, &covered) {
        return Err(refused);
    }
    planned.rules = through(planned.rules, &covered.shown);
    let built = match planned.mount {
        true => Some(namespace::build_and_pin(&planned, &covered.shown).map_err(|error| not_installed(&error))?),
        false => None,
    };
    if let Some(built) = built.filter(|built| !built.without.is_empty()) {
        planned.strength = Strength::Degraded;
        planned.open.extend(built.without);
        planned.open.sort();
        planned.open.dedup();
    }
    // Sealed with every open way: a sidecar that is started again knows no more than the lock says.
    let sealed = seal_lock(&planned, receipt, &canaries, covered.targets.clone(), claims, Purpose::Lock)?;
    if environment.kernel.metadata_service != MetadataService::Open {
        super::metadata::closed(environment.kernel.metadata_service)?;
    }
    Ok(LockedNode {
        message: FromInit::Locked {
            digest: digest_of(&sealed),
            strength: planned.strength.word().into(),
            report: report(&planned, planned.strength.word(), &covered, means),
            open: planned.open,
        },
        programs: named(planned.targets),
    })
}

fn named(targets: Vec<Target>) -> Vec<PathBuf> {
    targets.into_iter().map(|target| target.path).collect()
}

fn environment<'a>(policy: &'a Policy, claims: &Claims) -> Result<&'a Environment, Screen> {
    let found = policy.environments.values().find(|environment| environment.name.as_str() == claims.environment);
    found.filter(|environment| environment.digest() == claims.environment_digest).ok_or_else(|| {
        astray("the context names an environment that this policy does not have", io::ErrorKind::InvalidData.into())
    })
}

fn seal_lock(
    plan: &Plan,
    receipt: &str,
    canaries: &canary::Canaries,
    targets: Vec<SealedTarget>,
    claims: &Claims,
    purpose: Purpose,
) -> Result<Vec<u8>, Screen> {
    let boot = parse_boot_id(&claims.node.boot)
        .ok_or_else(|| astray("the context does not make sense", io::ErrorKind::InvalidData.into()))?;
    let pinned = |path: &str| plan.mount.then(|| PathBuf::from(path));
    let bytes = seal(
        plan,
        &Seal {
            boot,
            receipt: receipt.as_bytes().to_vec(),
            canary: canaries.denied.clone(),
            sibling: canaries.sibling.clone(),
            mount: pinned(paths::NAMESPACE_MOUNT),
            ipc: pinned(paths::NAMESPACE_IPC),
            targets,
            observes: purpose == Purpose::Observe,
        },
    );
    place(Path::new(paths::LOCK), &bytes).map_err(|error| failed("cannot write the sealed lock", error))?;
    Ok(bytes)
}
