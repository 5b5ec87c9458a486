//! What the sidecar knows of its job between two renewals, and what it answers from.

use std::rc::Rc;

use serde_json::json;

use super::peer::Peer;
use crate::context::{Context, LockSummary};
use crate::host::clock::{BootTime, Clock};
use crate::record::event::Process;
use crate::record::{Event, Recorder};

/// The job's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Locked; launches are allowed while the lease runs.
    Locked,
    /// Observing: nothing is locked, by the signed policy's word.
    Observing,
    /// The identity is gone; launches are refused.
    Withdrawn,
}

impl State {
    /// The state of a node under this lock.
    pub fn of(lock: &LockSummary) -> Self {
        if lock.strength == "none" { Self::Observing } else { Self::Locked }
    }
}

/// The nodes of the cluster, as its driver sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// How many the workspace lists.
    pub listed: u32,
    /// Listed, and nothing of theirs is published.
    pub missing: Vec<String>,
    /// Attested for something else than the driver: address and claim.
    pub differing: Vec<String>,
    /// Attestations that are not read yet.
    pub unread: u32,
}

/// The nodes of the cluster, or why they are not known now, by its stable name.
pub type Looked = Result<Nodes, &'static str>;

/// The session.
pub struct Session {
    /// The record.
    pub recorder: Recorder,
    /// What the job is told; absent once withdrawn.
    pub context: Option<Rc<Context>>,
    /// The lock.
    pub lock: LockSummary,
    /// Capabilities that the lock keeps, as bits.
    pub kept: u64,
    /// The numbers of the programs that the lock covers.
    pub targets: Vec<u32>,
    /// State.
    pub state: State,
    /// Until when launches are allowed.
    pub lease_end: BootTime,
    /// Why the last renewal did not succeed, by its stable name.
    pub last_failure: Option<String>,
    /// Absent until they were looked at, on workers, and where nodes do not publish into a volume.
    pub nodes: Option<Looked>,
    /// Launches reported.
    pub launches: u64,
    /// Launches and callers that could not be recorded.
    pub unrecorded: u64,
    /// How many of them the record already admits.
    pub gaps: u64,
    /// Callers that were not of the locked job.
    pub refused_peers: u64,
    /// Requests to the registry that did not go through.
    pub refused_requests: u64,
    /// Lines that the journal did not take.
    pub mirror: Option<crate::record::journal::Mirror>,
    /// The journal's state in words.
    pub journal: String,
    /// The clock.
    pub clock: std::sync::Arc<dyn Clock>,
}

impl Session {
    /// Capabilities that a locked peer may hold in its bounding set.
    pub fn kept_capabilities(&self) -> u64 {
        self.kept
    }

    /// The context for a locked peer.
    pub fn context_json(&self) -> Option<String> {
        self.context.as_ref().map(|context| context.json())
    }

    /// Notes a caller that is not of the locked job. At most a thousand are recorded one by one: the rest are counted.
    pub fn refused_peer(&mut self, peer: &Peer) -> Option<u64> {
        self.refused_peers += 1;
        if self.refused_peers > 1000
            || !self.recorder.offer(Event::PeerRefused { process: Process { pid: peer.pid, uid: peer.uid } })
        {
            self.unrecorded += 1;
        }
        None
    }

    /// Where a request that was refused is recorded. At most a thousand are recorded one by one: the rest are counted.
    pub fn recorder_of_request(&mut self) -> Option<Recorder> {
        self.refused_requests += 1;
        if self.refused_requests <= 1000 {
            return Some(self.recorder.clone());
        }
        self.unrecorded += 1;
        None
    }

    /// Keeps what the driver saw of the other nodes; the record has it each time that it is something else.
    pub fn compared(&mut self, nodes: Looked) {
        if let Ok(Nodes { listed, missing, differing, .. }) = &nodes
            && self.nodes.as_ref() != Some(&nodes)
            && !self.recorder.offer(Event::Compared { listed: *listed, missing: missing.clone(), differing: differing.clone() })
        {
            self.unrecorded += 1;
        }
        self.nodes = Some(nodes);
    }

    /// Has the record admit what it lacks; a full queue hears of it the next time.
    pub fn admit_gap(&mut self) {
        let count = self.unrecorded - self.gaps;
        let reason = "more launches or callers than could be recorded".into();
        if count > 0 && self.recorder.offer(Event::Gap { count, reason }) {
            self.gaps = self.unrecorded;
        }
    }

    /// The state for anybody who asks: no secret, no person.
    pub fn status_json(&self) -> String {
        let left = self.lease_end.0.saturating_sub(self.clock.boot().0);
        let claims = self.context.as_ref().map(|context| context.claims());
        let mut status = json!({
            "state": match self.state {
                State::Locked | State::Observing if left == 0 => "lapsed",
                State::Locked => "locked",
                State::Observing => "observing",
                State::Withdrawn => "withdrawn",
            },
            "subject": claims.map(|claims| claims.sub.as_str()),
            "scope": claims.map(|claims| claims.scope.as_str()),
            "strength": self.lock.strength,
            "open": self.lock.open.join(", "),
            "membership": claims.map(|claims| claims.membership.as_str()),
            "lease_seconds_left": left / 1_000_000_000,
            "context_expires": self.context.as_ref().map(|context| context.expires().to_string()),
            "last_failure": self.last_failure,
            "record": self.recorder.log(),
            "journal": self.journal,
            "journal_dropped": self.mirror.as_ref().map_or(0, |mirror| mirror.dropped()),
            "launches": self.launches,
            "launches_unrecorded": self.unrecorded,
            "peers_refused": self.refused_peers,
            "requests_refused": self.refused_requests,
        });
        match &self.nodes {
            None => {}
            Some(Ok(nodes)) => {
                status["nodes_listed"] = nodes.listed.into();
                status["nodes_missing"] = nodes.missing.join(", ").into();
                status["nodes_differing"] = nodes.differing.join(", ").into();
                status["nodes_unread"] = nodes.unread.into();
            }
            Some(Err(reason)) => status["nodes_listed"] = format!("unknown: {reason}").into(),
        }
        status.to_string()
    }
}
