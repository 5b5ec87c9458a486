//! Which fields of which proofs must agree, as data. One row for one field; the manual's tables are printed from here, and each
//! row has a test in which exactly that field differs. Here the workspace and the cloud; what the workspace's answers say among
//! themselves is [`answers`], whom a token or an assertion speaks of [`subject`].

pub mod answers;
pub mod subject;

use super::node_document::{NodeProof, NodeRefusal};
use super::node_trust::Cloud;
use super::verify::DatabricksProof;

/// One row.
pub struct Row {
    /// The reason of the refusal when it does not hold.
    pub reason: &'static str,
    /// What the workspace says, as clusters/get names it.
    pub workspace: &'static str,
    /// What the cloud says, as each names it.
    pub cloud: &'static str,
    /// What follows when the workspace is silent.
    pub silence: Silence,
    listed: fn(&Machine) -> Option<&str>,
    said: fn(&NodeProof) -> Option<&str>,
    same: fn(Cloud, &str, &str) -> bool,
}

/// What the workspace's silence on a field means, once it lists the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Refused: nothing else ties the machine to the node.
    Refused,
    /// Nothing: another row ties them.
    Passed,
}

impl Silence {
    /// The word in the manual.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused, `machine-not-listed`",
            Self::Passed => "passed: the rows above decide",
        }
    }
}

/// The machine that the workspace lists for this node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// `instance_id`.
    pub instance: Option<String>,
    /// `host_private_ip`.
    pub address: Option<String>,
}

/// The proof of the workspace against the cloud's.
pub const WORKSPACE_AND_CLOUD: &[Row] = &[
    Row {
        reason: "machine-mismatch",
        workspace: "instance_id",
        cloud: "AWS `instanceId`, Azure `vmId`, Google `instance_id`",
        silence: Silence::Refused,
        listed: |machine| machine.instance.as_deref(),
        said: |proof| Some(&proof.instance),
        same: same_machine,
    },
    Row {
        reason: "machine-address-mismatch",
        workspace: "host_private_ip",
        cloud: "AWS `privateIp`",
        silence: Silence::Passed,
        listed: |machine| machine.address.as_deref(),
        said: |proof| proof.address.as_deref(),
        same: |_, listed, said| listed == said,
    },
];

/// Checks every row. A node that the workspace does not list yet has nothing to be compared with: its lease is provisional.
pub(super) fn check(job: &DatabricksProof, proof: &NodeProof) -> Result<(), NodeRefusal> {
    let Some(machine) = &job.machine else { return Ok(()) };
    for row in WORKSPACE_AND_CLOUD {
        match ((row.listed)(machine), (row.said)(proof), row.silence) {
            (Some(listed), Some(said), _) if !(row.same)(proof.cloud, listed, said) => {
                return Err(NodeRefusal::Disagreement {
                    reason: row.reason,
                    field: row.workspace,
                    expected: listed.to_owned(),
                    presented: said.to_owned(),
                });
            }
            (None, Some(said), Silence::Refused) => {
                return Err(NodeRefusal::Unlisted { field: row.workspace, cloud: said.to_owned() });
            }
            (Some(_) | None, Some(_) | None, Silence::Refused | Silence::Passed) => {}
        }
    }
    Ok(())
}

/// Byte for byte; Azure writes its UUIDs in either case, and not everybody writes the hyphens.
fn same_machine(cloud: Cloud, listed: &str, said: &str) -> bool {
    let plain = |text: &str| text.replace('-', "").to_ascii_lowercase();
    match cloud {
        Cloud::Aws | Cloud::Gcp => listed == said,
        Cloud::Azure => plain(listed) == plain(said),
    }
}
