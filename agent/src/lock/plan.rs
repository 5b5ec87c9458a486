//! The plan: what would be enforced for an environment on a node. Pure and printable; nothing is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::env::EnvRule;
use super::files::{Grants, is_device_path};
use super::network::PORT;
use super::probe::NodeFacts;
use super::seccomp;
use super::strength::{BelowFloor, Strength, meet, open_ways};
use crate::decision::environment::{Environment, Floor, MetadataService, NamePattern};
use crate::exit::Exit;
use crate::host::paths;
use crate::identity::ids::Label;
use crate::screen::Screen;

/// What a target does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// Starts a locked tree.
    Root,
    /// Acts only within one.
    Inside,
}

/// One covered program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The number in its copy of the launcher; from 1.
    pub number: u32,
    /// What it does.
    pub kind: TargetKind,
    /// The path that the policy names.
    pub path: PathBuf,
}

/// One path rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub grants: Grants,
    /// What lay there last was no directory: it gets none of their rights.
    pub file: bool,
}

/// What would be enforced.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The environment's name; also the profile's.
    pub profile: String,
    /// Environment variables.
    pub env: EnvRule,
    /// Path rules, sorted by path.
    pub rules: Vec<PathRule>,
    /// The Landlock ABI that the rules are for.
    pub landlock: u32,
    /// Whether the metadata service's port is closed.
    pub metadata_closed: bool,
    /// Read-only in the locked namespace.
    pub protect: Vec<PathBuf>,
    /// Masked in the locked namespace.
    pub mask: Vec<PathBuf>,
    /// Whether the locked namespace is part of it.
    pub mount: bool,
    /// Capabilities kept, as bits.
    pub kept: u64,
    /// The system call filter; empty where the kernel has none.
    pub filter: Vec<longhorn_sys::seccomp::Instruction>,
    /// Covered programs.
    pub targets: Vec<Target>,
    /// The floor that was met.
    pub floor: Floor,
    /// How strong it is.
    pub strength: Strength,
    /// Ways that stay open, by name, sorted: the policy's and the node's.
    pub open: Vec<String>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The node is below the floor.
    #[error(transparent)]
    BelowFloor(#[from] BelowFloor),
    /// The policy grants what protects the lock itself.
    #[error("the policy grants {granted}, which holds Longhorn's own {own}")]
    GrantsOwn {
        /// What the policy grants.
        granted: PathBuf,
        /// What lies below it.
        own: &'static str,
    },
}

impl PlanError {
    /// What a person reads.
    pub fn screen(&self) -> Screen {
        match self {
            Self::BelowFloor(below) => below.screen(),
            Self::GrantsOwn { granted, own } => Screen::refused("plan-undoes-lock", Exit::Config, self.to_string())
                .fact("expected", format!("no grant of {own}, nor of what holds it"))
                .fact("presented", granted.display())
                .hint("such a rule would let the job undo its own lock: take it out of the policy, or name what lies beside"),
        }
    }
}

/// What no rule may reach: the record, the canaries, the real files. And what no rule may write.
const NEVER_READ: &[&str] = &["/var/lib/longhorn"];
const NEVER_WRITE: &[&str] = &["/var/lib/longhorn", paths::RUN, paths::ETC, "/opt/longhorn"];

/// Plans the lock of an environment.
///
/// # Errors
/// When the node is below the floor, or the policy asks for what would undo the lock.
pub fn plan(
    environment: &Environment,
    clearance: &BTreeSet<Label>,
    injected: &[(String, String)],
    facts: &NodeFacts,
    sidecar: u32,
) -> Result<Plan, PlanError> {
    meet(&environment.kernel.floor, facts)?;
    let metadata = environment.kernel.metadata_service;
    let metadata_closed = metadata == MetadataService::Closed;
    let kept = &environment.kernel.keep_capabilities;
    let keeps_identity = kept.iter().any(|capability| capability.changes_identity());
    let asked = (metadata == MetadataService::Open).then_some("metadata-service");
    let ways = open_ways(facts).into_iter().chain(asked).map(str::to_owned);
    let mut open: Vec<String> = environment.open.iter().cloned().chain(ways).collect();
    open.sort();
    open.dedup();
    Ok(Plan {
        profile: environment.name.to_string(),
        env: env_rule(environment, injected),
        rules: rules(environment, clearance)?,
        landlock: facts.landlock,
        metadata_closed,
        protect: environment.files.protect.iter().cloned().collect(),
        mask: environment.files.mask.iter().cloned().collect(),
        mount: facts.mount,
        kept: kept.iter().map(|capability| capability.bit()).sum(),
        filter: if facts.seccomp { seccomp::for_jobs(keeps_identity.then_some(sidecar), metadata_closed) } else { Vec::new() },
        targets: targets(environment),
        floor: environment.kernel.floor,
        strength: Strength::of(facts),
        open,
    })
}

fn env_rule(environment: &Environment, injected: &[(String, String)]) -> EnvRule {
    let mut rule = EnvRule::default();
    for pattern in &environment.variables.allow {
        match pattern {
            NamePattern::Exact(name) => rule.exact.push(name.as_str().as_bytes().to_vec()),
            NamePattern::Prefix(prefix) => rule.prefixes.push(prefix.as_bytes().to_vec()),
        }
    }
    let pins = environment.variables.pin.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // The context comes last: nothing overrides it.
    let fixed: BTreeMap<&str, &str> = pins.chain(injected.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
    rule.fixed = fixed.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect();
    rule.exact.sort();
    rule
}

fn rules(environment: &Environment, clearance: &BTreeSet<Label>) -> Result<Vec<PathRule>, PlanError> {
    let mut by_path: BTreeMap<&Path, Grants> = BTreeMap::new();
    let files = &environment.files;
    let labelled = files.labelled.iter().filter(|rule| clearance.contains(&rule.label)).flat_map(|rule| &rule.read);
    for path in files.read.iter().chain(labelled) {
        by_path.entry(path).or_default().read = true;
    }
    for path in &files.execute {
        by_path.entry(path).or_default().execute = true;
    }
    for path in &files.write {
        let grants = by_path.entry(path).or_default();
        grants.write = true;
        grants.device = is_device_path(path);
    }
    for (path, grants) in &by_path {
        own(path, NEVER_READ)?;
        if grants.write {
            own(path, NEVER_WRITE)?;
        }
    }
    // The context files are replaced by rename, so the rule must sit on their directory.
    by_path.entry(Path::new(paths::RUN)).or_default().read = true;
    by_path.entry(Path::new(paths::SOCKETS)).or_default().connect = true;
    Ok(by_path.into_iter().map(|(path, grants)| PathRule { path: path.to_owned(), grants, file: false }).collect())
}

fn own(granted: &Path, never: &[&'static str]) -> Result<(), PlanError> {
    match never.iter().find(|own| Path::new(own).starts_with(granted) || granted.starts_with(own)) {
        Some(own) => Err(PlanError::GrantsOwn { granted: granted.to_owned(), own }),
        None => Ok(()),
    }
}

fn targets(environment: &Environment) -> Vec<Target> {
    let root = environment.targets.root.iter().map(|path| (TargetKind::Root, path));
    let inside = environment.targets.inside.iter().map(|path| (TargetKind::Inside, path));
    (1u32..).zip(root.chain(inside)).map(|(number, (kind, path))| Target { number, kind, path: path.clone() }).collect()
}

impl std::fmt::Display for Plan {
    /// For a person; values of variables are left out.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "strength   {}", self.strength.word())?;
        for way in &self.open {
            writeln!(out, "open       {way}")?;
        }
        for rule in &self.rules {
            let Grants { read, write, execute, .. } = rule.grants;
            let words = [(read && !write && !execute, "read"), (write, "write"), (execute, "execute")];
            let words: Vec<&str> = words.into_iter().filter(|(on, _)| *on).map(|(_, word)| word).collect();
            if !words.is_empty() {
                writeln!(out, "{:10} {}", words.join("+"), rule.path.display())?;
            }
        }
        if self.metadata_closed {
            writeln!(out, "closed     TCP port {PORT} of every address: the cloud's metadata service")?;
        }
        for path in &self.protect {
            writeln!(out, "read-only  {}", path.display())?;
        }
        for path in &self.mask {
            writeln!(out, "masked     {}", path.display())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_of_what_holds_the_record_is_refused_with_both() {
        assert_eq!(own(Path::new("/srv"), NEVER_READ), Ok(()));
        assert_eq!(
            own(Path::new("/var"), NEVER_READ).unwrap_err().screen().to_string(),
            "longhorn: refused: the policy grants /var, which holds Longhorn's own /var/lib/longhorn\n  \
               expected    no grant of /var/lib/longhorn, nor of what holds it\n  \
               presented   /var\n\
             hint: such a rule would let the job undo its own lock: take it out of the policy, or name what lies beside\n\
             record: none   reason: plan-undoes-lock   exit: 78\n"
        );
    }
}
