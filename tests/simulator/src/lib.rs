//! A stand-in Databricks workspace and a small OpenID issuer on loopback, for the demo and the tests. Its answers have the
//! shapes that the official SDK accepts; it proves nothing about how the real service behaves. Never linked into the agent.
//!
//! `server` holds connections and faults; `routes` finds the subject of a request: `login`, `clusters`, `jobs`, `policies`,
//! `secrets`, `tokens`, `files`, `scim`, `entra` (a tenant and Microsoft Graph), `metastore` (Unity Catalog), `catalog` (its models), or
//! `control`, the tests' own; `mlflow` hands on to a real MLflow server. `imds` and `documents` are a cloud's metadata
//! service, `sts` is Amazon's.
#![forbid(unsafe_code)]

mod answer;
mod asked;
mod catalog;
mod clusters;
mod control;
pub mod der;
pub mod documents;
pub mod entra;
pub mod faults;
mod files;
pub mod imds;
pub mod issuer;
mod jobs;
pub mod login;
pub mod metastore;
mod mlflow;
mod policies;
mod routes;
pub mod scenario;
mod scim;
mod secrets;
mod server;
mod state;
pub mod sts;
mod tls;
mod tokens;
mod world;

pub use server::{Simulator, start, start_with_tls};
