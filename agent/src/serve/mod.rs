//! The keeper and the sidecar.
//!
//! *keeper*: tiny root parent, no network, no parsing of foreign bytes: holds sockets, lease, node key and
//! credentials so that the sidecar can be started again. *sidecar*: own uid, locked, does all talking and recording.

mod apart;
pub mod api;
pub mod descend;
pub mod gateway;
mod holder;
pub mod keeper;
pub mod launches;
pub mod peer;
pub mod places;
pub mod publish;
pub mod samples;
pub mod session;
pub mod sidecar;
