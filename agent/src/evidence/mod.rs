//! What is said: API answers, tokens, keys. Fetches and frames; believes nothing.

pub mod answers;
mod catalog;
mod certifier;
mod claim;
mod client;
mod cloud_token;
mod databricks;
mod failure;
mod grant;
mod graph;
mod hints;
mod kept;
mod login;
mod metadata;
mod node_document;
mod oidc;
mod saml;
mod sigv4;
mod source;
mod sts;
mod volume;

pub use catalog::{Changed, Login, Workspace};
pub use certifier::{Certified, Certifier};
pub use claim::{Answered, Claim, DatabricksClaim, OidcClaim, SamlClaim};
pub use client::{Client, ClientProof};
pub use cloud_token::CloudTokenSource;
pub use failure::{Failure, Who};
pub use graph::GraphSource;
pub use hints::{Hints, HintsError};
pub use kept::Kept;
pub use login::log_in;
pub use node_document::{GoogleIssuer, NodeDocumentClaim, NodeDocumentSource, fetch, present};
pub use oidc::Published;
pub use source::{Auth, Bearer, OidcSource, OpenIdIssuer, SamlSource, Source, SubjectToken, WorkspaceSource, gather};
pub use volume::Volumes;
