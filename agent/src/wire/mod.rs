//! What launcher, keeper and sidecar say to each other: closed, versioned, length-capped.

pub mod lease;
