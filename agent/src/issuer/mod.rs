//! Who vouches for node keys, off the cluster: verifies a node's evidence itself, certifies one key for each instance and
//! boot, and never another one. What it certified is durable before anybody hears of it. `longhorn issue` is this room's door.

mod challenge;
mod desk;
mod key_ring;
mod ledger;
mod office;
mod refusal;
mod register;
pub mod request;
mod seeds;
pub mod server;
mod talk;

pub use challenge::Challenges;
pub use desk::{Desk, DeskError, How, Terms};
pub use ledger::{Entry, Ledger, LedgerError};
pub use office::{Counts, Issued, Office};
pub use refusal::Refusal;
pub use register::renewed_after;
pub use request::Request;
pub use talk::Talk;
