//! What is proven: each claim verified alone against keys and rules that the policy names, then their agreement.
//!
//! Pure: bytes, keys and the time come in, values go out.

pub mod ids;
pub mod job;
pub mod trust;
mod verified;

pub use verified::{Basis, Verified};
