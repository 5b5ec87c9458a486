//! A stand-in Databricks workspace and a small OpenID issuer on loopback, for the demo and the tests. Its answers have the
//! shapes that the official SDK accepts; it proves nothing about how the real service behaves. Never linked into the agent.
#![forbid(unsafe_code)]

pub mod faults;
pub mod issuer;
pub mod scenario;
mod server;
mod tls;

pub use server::{Simulator, start, start_with_tls};
