//! What is said: API answers, tokens, keys. Fetches and frames; believes nothing.

mod claim;
mod client;
mod databricks;
mod failure;
mod grant;
mod hints;
mod kept;
mod oidc;
mod source;
mod volume;

pub use claim::{Answered, Claim, DatabricksClaim, OidcClaim};
pub use client::Client;
pub use failure::{Failure, Who};
pub use hints::{Hints, HintsError};
pub use kept::Kept;
pub use oidc::Published;
pub use source::{Auth, Bearer, OidcSource, Source, WorkspaceSource, gather};
pub use volume::Volumes;
