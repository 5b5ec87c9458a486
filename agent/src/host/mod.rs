//! The world as arguments: time, randomness, HTTP, secrets and places. Nothing here decides anything.

pub mod clock;
pub mod digest;
pub mod http;
pub mod metadata;
pub mod named;
pub mod origin;
pub mod paths;
pub mod percent;
pub mod random;
pub mod retry;
pub mod secret;
pub mod survey;
