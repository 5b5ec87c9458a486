//! What is said: API answers, tokens, keys. Fetches and frames; believes nothing.

mod claim;
mod databricks;
mod failure;
mod hints;
mod node_document;
mod oidc;
mod source;
mod volume;

pub use claim::{Answered, Claim, DatabricksClaim, OidcClaim};
pub use failure::{Failure, Who};
pub use hints::{Hints, HintsError};
pub use node_document::{GoogleIssuer, NodeDocumentClaim, NodeDocumentSource};
pub use source::{Auth, OidcSource, Source, WorkspaceSource, gather};
pub use volume::Volumes;
