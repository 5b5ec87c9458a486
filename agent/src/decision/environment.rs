//! An environment: what a scope's processes start with and may touch. Presets are already merged in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::capability::Capability;
use crate::identity::ids::{EnvName, Label, LocalName};

/// One `[environments.NAME]`, with its preset merged in.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name in the policy.
    pub name: LocalName,
    /// The preset that was merged in, where one was named.
    pub preset: Option<String>,
    /// Environment variables.
    pub variables: Variables,
    /// Files.
    pub files: Files,
    /// Kernel mechanisms.
    pub kernel: Kernel,
    /// Programs that Longhorn stands in front of.
    pub targets: Targets,
    /// Ways that the policy leaves open in so many words (`jvm`); they stand in every context and record.
    pub open: BTreeSet<String>,
}

/// Every path that these name, but for labelled files.
pub fn paths<'a>(files: &'a Files, targets: &'a Targets) -> impl Iterator<Item = &'a PathBuf> {
    let lists = [&files.read, &files.write, &files.execute, &files.protect, &files.mask, &targets.root, &targets.inside];
    lists.into_iter().flatten()
}

/// Which variables a covered process starts with: the pinned ones, then those allowed, then the context's. Nothing else.
#[derive(Clone, Default)]
pub struct Variables {
    /// Names or `PREFIX_*` patterns that pass unchanged.
    pub allow: BTreeSet<NamePattern>,
    /// Names with their exact values.
    pub pin: BTreeMap<EnvName, String>,
}

impl std::fmt::Debug for Variables {
    /// Names alone: a pinned value may be sensitive.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Variables").field("allow", &self.allow).field("pin", &self.pin.keys()).finish()
    }
}

/// A variable's name, or a prefix of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamePattern {
    /// Exactly this name.
    Exact(EnvName),
    /// Every name that begins with this (written with a trailing `*`).
    Prefix(String),
}

/// What processes may do to files. Rules only grant; everything else is denied.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// May be read.
    pub read: BTreeSet<PathBuf>,
    /// May be read and written.
    pub write: BTreeSet<PathBuf>,
    /// May be read and executed.
    pub execute: BTreeSet<PathBuf>,
    /// May be read with clearance for the label.
    pub labelled: Vec<Labelled>,
    /// Protected: mounted read-only or masked in the locked namespace, wherever it exists.
    pub protect: BTreeSet<PathBuf>,
    /// Masked: an empty directory or file stands in its place in the locked namespace (sockets of deputies).
    pub mask: BTreeSet<PathBuf>,
}

/// Files that carry a label.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The label.
    pub label: Label,
    /// May be read with clearance for it.
    pub read: BTreeSet<PathBuf>,
}

/// Kernel mechanisms.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Below this a node refuses.
    pub floor: Floor,
    /// Capabilities that are kept.
    pub keep_capabilities: BTreeSet<Capability>,
    /// Whether jobs reach the cloud's metadata service.
    pub metadata_service: MetadataService,
}

/// Whether jobs reach the cloud's metadata service, which hands the node's own identity to whoever asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetadataService {
    /// They may.
    #[default]
    Open,
    /// A firewall of the platform's closes it; `init` tries from inside the lock.
    ClosedElsewhere,
    /// The lock closes it; `init` tries from inside.
    Closed,
}

impl MetadataService {
    /// The Landlock ABI that the lock needs to close it (Linux 6.7: rules for TCP ports).
    pub const LANDLOCK: u32 = 4;
    /// The words of the policy.
    pub const WORDS: [(&str, Self); 3] =
        [("open", Self::Open), ("closed-elsewhere", Self::ClosedElsewhere), ("closed", Self::Closed)];

    /// Its word in the policy.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::ClosedElsewhere => "closed-elsewhere",
            Self::Closed => "closed",
        }
    }
}

/// The least that a node must be able to enforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The least Landlock ABI (0: none is needed).
    pub landlock: u32,
    /// Whether the private mount namespace must be there.
    pub mount: bool,
    /// Whether the capability cut must be there.
    pub capabilities: bool,
    /// Whether the system call filter must be there.
    pub seccomp: bool,
}

/// Programs that Longhorn stands in front of.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// Each starts a locked tree.
    pub root: BTreeSet<PathBuf>,
    /// Each acts only within a locked tree: sets the environment; called from outside it passes through and is recorded.
    pub inside: BTreeSet<PathBuf>,
}
