//! What somebody outside the node knows of a log, and whether the log says the same.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

use crate::record::checkpoint::Checkpoint;

/// What somebody outside the node knows of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// A checkpoint.
    Checkpoint(Checkpoint),
    /// The thumbprint of the node key that the log must be bound to, and the key itself.
    NodeKey(NodeAnchor),
}

/// What an auditor brings along.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// What the log must agree with.
    pub anchors: &'a [Anchor],
    /// Numbers of records that were erased for a reason known outside the node.
    pub erased: &'a [u64],
}

/// A node key as an anchor: checks the binding that the first record carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAnchor {
    /// The Ed25519 public key.
    pub public: [u8; 32],
}

/// The bytes that a node key signs to bind a log to itself.
pub fn binding(origin: &str, vkey: &str) -> String {
    format!("longhorn-log-binding-v1\n{origin}\n{vkey}\n")
}

/// What the first record says that binds the log to a node.
pub struct Bound {
    /// The log's name.
    pub origin: String,
    /// Its first key.
    pub vkey: String,
    /// The node key's signature over both.
    pub signature: Vec<u8>,
}

/// An anchor, and whether the log was seen to agree with it.
pub struct Watched<'a> {
    anchor: &'a Anchor,
    met: bool,
}

impl<'a> Watched<'a> {
    /// Not seen yet.
    pub fn new(anchor: &'a Anchor) -> Self {
        Self { anchor, met: false }
    }

    /// The log has this checkpoint.
    pub fn see(&mut self, checkpoint: &Checkpoint) {
        self.met |=
            matches!(self.anchor, Anchor::Checkpoint(known) if known.size == checkpoint.size && known.root == checkpoint.root);
    }

    /// How a log that covers that many records contradicts it.
    pub fn contradiction(&self, bound: Option<&Bound>, covered: u64) -> Option<String> {
        match self.anchor {
            Anchor::Checkpoint(known) => {
                if bound.is_some_and(|bound| bound.origin != known.origin) {
                    Some("the known checkpoint belongs to another log".into())
                } else if known.size > covered {
                    Some(format!("a checkpoint over {} records is known; the log has {covered}: its tail was cut", known.size))
                } else if self.met {
                    None
                } else {
                    Some(format!("the log has no checkpoint over {} records with the known root", known.size))
                }
            }
            Anchor::NodeKey(node) => {
                let key = UnparsedPublicKey::new(&ED25519, &node.public);
                let signed = |bound: &Bound| key.verify(binding(&bound.origin, &bound.vkey).as_bytes(), &bound.signature).is_ok();
                (!bound.is_some_and(signed)).then(|| "the log is not bound to the known node key".into())
            }
        }
    }
}
