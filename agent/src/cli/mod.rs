//! What people type. `args` is pure; each command is one file with one `run` that returns how it ended.

mod approve;
pub mod args;
mod authority;
pub mod command;
pub mod context;
mod diff;
mod doctor;
mod doctor_authority;
mod doctor_mlflow;
mod learn;
mod log;
mod model;
mod observe;
mod policy;
mod provenance;
mod render;
mod saml_metadata;
mod status;
pub mod terminal;
mod try_command;
