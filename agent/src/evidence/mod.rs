//! What is said: API answers, tokens, keys. Fetches and frames; believes nothing.

mod claim;
mod databricks;
mod failure;
mod hints;
mod oidc;
mod saml;
mod source;
mod volume;

pub use claim::{Answered, Claim, DatabricksClaim, OidcClaim, SamlClaim};
pub use failure::{Failure, Who};
pub use hints::{Hints, HintsError};
pub use source::{Auth, OidcSource, SamlSource, Source, WorkspaceSource, gather};
pub use volume::Volumes;
