//! What the job is told: a signed, short-lived token, the same as JSON, and variables that repeat it.
//!
//! The files and the socket are the authority; variables are a convenience. Pure: grants, keys and the time come in.

mod authority;
mod claims;
pub mod compact;
mod issue;
mod key_file;
mod node_key;
pub mod seal;
pub mod statement;
pub mod variables;

pub use authority::{AuthorityKey, AuthorityPublicKey, Certificate, CertificateError, Machine, Vouched};
pub use claims::{Change, Claims, JobClaim, LockClaim, NodeClaim, PolicyClaim, PrincipalClaim, ProofClaim};
pub use issue::{Context, Issuing, LockSummary, issue};
pub use key_file::{parse_seed, render_seed};
pub use node_key::{KeyError, NodeKey, NodePublicKey, StrictJwk};
