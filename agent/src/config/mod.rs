//! What people write: settings and policy, with every problem reported at once at `file:line:column`.

mod binding;
mod check_policy;
pub mod defaults;
pub mod document;
pub mod env_names;
pub mod issuer_settings;
pub mod learn;
pub mod problem;
mod public_key;
mod read_catalog;
mod read_client;
mod read_cloud_token;
mod read_compute;
mod read_environment;
mod read_issuer_settings;
mod read_kernel;
mod read_models;
mod read_node_trust;
mod read_policy;
pub mod read_preset;
mod read_provider;
mod read_registry;
mod read_saml;
mod read_scopes;
mod read_settings;
mod read_trust;
mod reader;
pub mod render;
pub mod settings;
pub mod signature;
mod spelling;

pub use binding::{BindingRefusal, bind, scopes_left_open};
pub use read_issuer_settings::read_issuer_settings;
pub use read_policy::read_policy;
pub use read_settings::read_settings;
