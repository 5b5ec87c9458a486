//! Every event, once: its stable name, its OCSF class, and its own fields. The list of fields is closed: what is not
//! here cannot be recorded. Names of variables stand here, values of variables never do, and no argument lists.

use serde::Serialize;

/// Where and for what: the same in every record of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunContext {
    /// The workspace's origin.
    pub workspace: String,
    /// The cluster.
    pub cluster: String,
    /// The job; empty on interactive clusters.
    pub job_id: String,
    /// The run; empty on interactive clusters.
    pub run_id: String,
    /// This node's address.
    pub node: String,
    /// `driver` or `worker`.
    pub role: String,
}

/// On whose behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// A pseudonym for persons (`p1:…`), else the application id or group.
    pub id: String,
    /// `user`, `service-principal`, `group`.
    pub kind: String,
    /// Which key made the pseudonym.
    pub kid: String,
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Control {
    /// The policy's serial.
    pub policy_serial: u64,
    /// SHA-256 over the policy.
    pub policy_sha256: String,
    /// The scope that matched; empty when none did.
    pub rule: String,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its uid.
    pub uid: u32,
}

/// Environment variables: names only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variables {
    /// How many were removed.
    pub n: u32,
    /// Their names, as many as fit.
    pub removed: Vec<String>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are named in the record's own words")]
pub enum Event {
    /// The first record: which log, which keys, which program, on what.
    Started {
        vkey: String,
        origin: String,
        node_key: String,
        binding: String,
        agent_sha256: String,
        settings_sha256: String,
        script_sha256: String,
        kernel: String,
        boot: String,
        journal: String,
        prior: Option<Prior>,
    },
    /// What runs beside us when we start.
    Inventory { processes: Vec<String>, listeners: Vec<String>, units: Vec<String>, init_scripts: Vec<String>, omitted: u32 },
    /// Every proof was verified and they agree.
    Attested { actor: Actor, proofs: Vec<String>, membership: String },
    /// Refused, or could not tell: by evidence or by policy.
    Stopped { refused: bool, reason: String, headline: String, facts: Vec<String>, control: Option<Control> },
    /// The policy says yes (or, under observe, would have).
    Granted {
        actor: Actor,
        control: Control,
        scope: String,
        roles: Vec<String>,
        permissions: Vec<String>,
        clearance: Vec<String>,
        enforcement: String,
        trace_sha256: String,
    },
    /// The job was told.
    ContextIssued { jti: String, expires: i64, sha256: String },
    /// The identity is gone: no more context, no more launches.
    ContextWithdrawn { reason: String },
    /// The lock is in place.
    LockSealed { sha256: String, strength: String, open: Vec<String>, report_sha256: String },
    /// The lock could not be put in place.
    LockRefused { reason: String, detail: String },
    /// A covered program was launched.
    Launched { process: Process, target: u32, outcome: String, full: bool, variables: Variables, corroborated: bool },
    /// A caller on the socket was not of the locked job.
    PeerRefused { process: Process },
    /// The keeper started the sidecar again.
    SidecarRestarted,
    /// The next checkpoints are signed by this key.
    KeyRotated { next_vkey: String },
    /// Still here.
    Heartbeat { journal_dropped: u64, launches_unrecorded: u64, disk_free: u64 },
    /// Records that could not be written.
    Gap { count: u64, reason: String },
    /// The last record.
    Sealed,
}

/// The log before this one on the same node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prior {
    /// Its id.
    pub log: String,
    /// Records that its last checkpoint covers.
    pub size: u64,
    /// That checkpoint's root, base64.
    pub root: String,
}

/// OCSF: class, activity, severity (1 informational … 4 high), status (1 success, 2 failure).
pub(super) struct Class {
    pub name: &'static str,
    pub class: u32,
    pub activity: u32,
    pub severity: u32,
    pub status: u32,
}

impl Event {
    pub(super) fn class(&self) -> Class {
        let class = |name, class, activity, severity, status| Class { name, class, activity, severity, status };
        match self {
            Self::Started { .. } => class("log.started", 1008, 6, 1, 1),
            Self::Inventory { .. } => class("node.inventory", 5001, 2, 1, 1),
            Self::Attested { .. } => class("identity.attested", 3002, 1, 1, 1),
            Self::Stopped { .. } => class("decision.stopped", 3003, 1, 4, 2),
            Self::Granted { .. } => class("decision.granted", 3003, 1, 1, 1),
            Self::ContextIssued { .. } => class("context.issued", 3003, 1, 1, 1),
            Self::ContextWithdrawn { .. } => class("context.withdrawn", 3003, 1, 4, 1),
            Self::LockSealed { .. } => class("lock.sealed", 5019, 1, 1, 1),
            Self::LockRefused { .. } => class("lock.refused", 5019, 1, 4, 2),
            Self::Launched { corroborated: true, .. } => class("launch.reported", 1007, 1, 1, 1),
            Self::Launched { .. } => class("launch.reported", 1007, 1, 3, 2),
            Self::PeerRefused { .. } => class("peer.refused", 3003, 1, 3, 2),
            Self::SidecarRestarted => class("sidecar.restarted", 1008, 6, 3, 1),
            Self::KeyRotated { .. } => class("key.rotate", 3004, 3, 1, 1),
            Self::Heartbeat { .. } => class("heartbeat", 5002, 1, 1, 1),
            Self::Gap { .. } => class("log.gap", 2004, 1, 4, 2),
            Self::Sealed => class("log.seal", 1008, 7, 1, 1),
        }
    }
}
