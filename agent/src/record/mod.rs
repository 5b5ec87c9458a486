//! What happened: one JSON line per event, hash-chained, Merkle-committed, durable before anybody is told (facts:
//! record A.2). The file is the truth; the journal is a mirror.
//! What a verifier reads fast of a line is a crate of its own, `longhorn_canonical` (agent/design/0014).

pub mod append;
pub mod chain;
pub mod checkpoint;
pub mod disk;
pub mod event;
pub mod journal;
mod line;
pub mod pseudonym;
mod queue;
pub mod receipt;
mod scan;
pub mod verify;

pub use append::{RecordError, Recorded, Recorder, Start};
pub use event::Event;
