//! What launcher, keeper and sidecar say to each other: closed, versioned, length-capped.

pub mod control;
pub mod credentials;
pub mod holder;
pub mod lease;
pub mod packet;
pub mod report;
pub mod samples;
pub mod verdict;
