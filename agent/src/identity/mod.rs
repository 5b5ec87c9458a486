//! What is proven: each claim verified alone against keys and rules that the policy names, then their agreement.
//!
//! Pure: bytes, keys and the time come in, values go out.

mod agree;
pub mod agreement;
pub mod certificate;
pub mod client_assertion;
pub mod cloud_token;
mod databricks;
pub mod entra;
pub mod ids;
pub mod job;
mod jws;
mod keys;
pub mod node_document;
pub mod node_trust;
mod oidc;
mod okta;
mod pkcs7;
mod refusal;
mod saml;
mod strict_json;
pub mod trust;
mod unproven;
mod verified;
mod verify;

pub use agree::agree;
pub use refusal::Refusal;
pub use saml::metadata::{Metadata, MetadataError};
pub use saml::{SamlRefusal, XmlError};
pub use unproven::Unproven;
pub use verified::{Basis, GotWith, Verified};
pub use verify::{DatabricksProof, OidcProof, Proof, Rules, SamlProof, verify};
