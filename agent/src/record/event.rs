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
    /// How many were removed, or would have been.
    pub n: u32,
    /// Their names, as many as fit.
    pub removed: Vec<String>,
    /// How many got their pinned value instead of another one, or would have.
    pub pinned: u32,
    /// Their names, as many as fit.
    pub overridden: Vec<String>,
}

/// What a launch that was only observed says besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedLaunch {
    /// Whether it was of the job: a root target, or a caller that had the context injected. No proof.
    pub within: bool,
    /// What enforcing would have refused it for, by the refusal's stable name; empty for nothing.
    pub would_refuse: &'static str,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The first record: which log, which keys, which program, on what.
    Started {
        /// The key that signs this log's checkpoints, as C2SP writes it.
        vkey: String,
        /// The log's name: workspace, cluster, node, boot and log id.
        origin: String,
        /// Thumbprint of the node key.
        node_key: String,
        /// The node key's signature over origin and `vkey`, base64.
        binding: String,
        /// SHA-256 over the running program.
        agent_sha256: String,
        /// SHA-256 over the settings.
        settings_sha256: String,
        /// SHA-256 over the init script, as it says itself.
        script_sha256: String,
        /// The kernel's release.
        kernel: String,
        /// The kernel's boot id.
        boot: String,
        /// Whether the journal mirrors this log, and why not.
        journal: String,
        /// Under what keeper and sidecar run: a scope of systemd's, or plain.
        processes: String,
        /// The log before this one.
        prior: Option<Prior>,
    },
    /// What runs beside us when we start.
    Inventory {
        /// Programs that run: name, path and digest.
        processes: Vec<String>,
        /// Addresses and paths that are listened on.
        listeners: Vec<String>,
        /// Units and timers, each with its digest.
        units: Vec<String>,
        /// Cron's tables and scripts, each with its digest.
        cron: Vec<String>,
        /// Other init scripts and the logs of those that ran, each with its digest.
        init_scripts: Vec<String>,
        /// How many entries or digests did not fit.
        omitted: u32,
    },
    /// The driver held the nodes that the workspace lists against those that attested themselves.
    Compared {
        /// How many the workspace lists.
        listed: u32,
        /// Listed, and no attestation of theirs is published.
        missing: Vec<String>,
        /// Attested for something else than the driver: address and claim.
        differing: Vec<String>,
    },
    /// Every proof was verified and they agree.
    Attested {
        /// Whom the proofs speak of.
        actor: Actor,
        /// Each proof: its kind, who vouches, its digest.
        proofs: Vec<String>,
        /// `listed` or `provisional`.
        membership: String,
    },
    /// Refused, or could not tell: by evidence or by policy.
    Stopped {
        /// Refused, or else could not tell.
        refused: bool,
        /// The stable name.
        reason: String,
        /// The screen's first line.
        headline: String,
        /// The screen's facts.
        facts: Vec<String>,
        /// What decided, where a policy did.
        control: Option<Control>,
    },
    /// The policy says yes (or, under observe, would have).
    Granted {
        /// To whom.
        actor: Actor,
        /// What decided.
        control: Control,
        /// The scope that matched.
        scope: String,
        /// Roles that the groups give.
        roles: Vec<String>,
        /// What the scope may do, in the policy's words.
        permissions: Vec<String>,
        /// Labels of data that it may touch.
        clearance: Vec<String>,
        /// `enforce` or `observe`.
        enforcement: String,
        /// SHA-256 over the trace of every rule.
        trace_sha256: String,
    },
    /// The job was told.
    ContextIssued {
        /// The token's id.
        jti: String,
        /// Its end, in milliseconds since 1970.
        expires: i64,
        /// SHA-256 over the token.
        sha256: String,
    },
    /// The identity is gone: no more context, no more launches.
    ContextWithdrawn {
        /// The refusal's stable name.
        reason: String,
    },
    /// The lock is in place.
    LockSealed {
        /// SHA-256 over the sealed lock.
        sha256: String,
        /// `full`, `degraded` or `none`.
        strength: String,
        /// Ways that stay open, by name.
        open: Vec<String>,
        /// SHA-256 over the report of what was enforced.
        report_sha256: String,
    },
    /// The lock could not be put in place.
    LockRefused {
        /// The stable name.
        reason: String,
        /// The screen's facts.
        detail: String,
    },
    /// A covered program was launched.
    Launched {
        /// Who launched, by the kernel's word.
        process: Process,
        /// The covered program's number.
        target: u32,
        /// How it went on: `locked`, `inherited`, `passed` or `observed`.
        outcome: String,
        /// Whether the lock is of full strength.
        full: bool,
        /// The variables that were changed, or would have been.
        variables: Variables,
        /// Whether the kernel shows the marks of the lock on that process.
        corroborated: bool,
        /// Where the policy says `observe`.
        observed: Option<ObservedLaunch>,
    },
    /// Directories that covered trees were seen to use: by looks now and then, so never all of them.
    FilesSampled {
        /// Each a need and a directory that a rule could name.
        paths: Vec<String>,
        /// Whether there were more than are kept.
        full: bool,
        /// Whether the sampler ended, so that there will be no more.
        ended: bool,
    },
    /// A caller on the socket was not of the locked job.
    PeerRefused {
        /// The caller, by the kernel's word.
        process: Process,
    },
    /// A request to the registry did not go through the gateway.
    RequestRefused {
        /// The caller, by the kernel's word; 0 where it could not be told.
        process: Process,
        /// Its method.
        method: String,
        /// The endpoint as the table has it, never the path itself; empty where it is not in the table.
        endpoint: String,
        /// The rule, by its stable name.
        reason: String,
    },
    /// A statement about a run, a logged model or a version was signed, to be kept by the registry.
    StatementSigned {
        /// Whose request it follows, by the kernel's word.
        process: Process,
        /// The tag that it goes into.
        statement: String,
        /// What it is about, by its id, or by the name and version of a registered model.
        about: String,
        /// SHA-256 (hex) over the statement.
        sha256: String,
    },
    /// The gate judged whether a version may have an alias or a stage.
    PromotionJudged {
        /// Who asked, by the kernel's word.
        process: Process,
        /// Whether it may.
        passed: bool,
        /// The registered model.
        model: String,
        /// The version.
        version: String,
        /// The alias or stage.
        alias: String,
        /// The version that it stands on; empty where it is on none.
        previous: String,
        /// The checks that do not hold.
        failed: Vec<String>,
        /// Labels of the data that the version comes from.
        labels: Vec<String>,
        /// Who approved, by the policy's names, of those that the alias asks.
        approved: Vec<String>,
    },
    /// The keeper started the sidecar again.
    SidecarRestarted,
    /// The next checkpoints are signed by this key.
    KeyRotated {
        /// The next key, as C2SP writes it.
        next_vkey: String,
    },
    /// Still here.
    Heartbeat {
        /// Records that the journal's mirror did not take.
        journal_dropped: u64,
        /// Launches that could not be recorded.
        launches_unrecorded: u64,
        /// Room on the record's disk, in bytes.
        disk_free: u64,
    },
    /// Records that could not be written.
    Gap {
        /// How many.
        count: u64,
        /// Why.
        reason: String,
    },
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
    /// What a verifier said of it, before anything was added; `UNREADABLE` where it could not be read.
    pub verdict: String,
    /// Its bytes behind that checkpoint: what was on its way to the disk when it ended.
    pub unsigned_tail: u64,
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
            Self::Compared { missing, differing, .. } if missing.is_empty() && differing.is_empty() => {
                class("cluster.compared", 5001, 2, 1, 1)
            }
            Self::Compared { .. } => class("cluster.compared", 5001, 2, 3, 2),
            Self::Attested { .. } => class("identity.attested", 3002, 1, 1, 1),
            Self::Stopped { .. } => class("decision.stopped", 3003, 1, 4, 2),
            Self::Granted { .. } => class("decision.granted", 3003, 1, 1, 1),
            Self::ContextIssued { .. } => class("context.issued", 3003, 1, 1, 1),
            Self::ContextWithdrawn { .. } => class("context.withdrawn", 3003, 1, 4, 1),
            Self::LockSealed { .. } => class("lock.sealed", 5019, 1, 1, 1),
            Self::LockRefused { .. } => class("lock.refused", 5019, 1, 4, 2),
            Self::Launched { corroborated: true, .. } => class("launch.reported", 1007, 1, 1, 1),
            Self::Launched { .. } => class("launch.reported", 1007, 1, 3, 2),
            Self::FilesSampled { .. } => class("files.sampled", 1001, 14, 1, 1),
            Self::PeerRefused { .. } => class("peer.refused", 3003, 1, 3, 2),
            Self::RequestRefused { .. } => class("request.refused", 6003, 99, 3, 2),
            Self::StatementSigned { .. } => class("statement.signed", 6003, 1, 1, 1),
            Self::PromotionJudged { passed: true, .. } => class("promotion.judged", 6003, 3, 1, 1),
            Self::PromotionJudged { .. } => class("promotion.judged", 6003, 3, 3, 2),
            Self::SidecarRestarted => class("sidecar.restarted", 1008, 6, 3, 1),
            Self::KeyRotated { .. } => class("key.rotate", 3004, 3, 1, 1),
            Self::Heartbeat { .. } => class("heartbeat", 5002, 1, 1, 1),
            Self::Gap { .. } => class("log.gap", 2004, 1, 4, 2),
            Self::Sealed => class("log.seal", 1008, 7, 1, 1),
        }
    }
}
