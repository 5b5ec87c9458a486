//! What a job may ask of MLflow and of the model registry. Parse, canonicalise, decide, write anew: no byte of a caller's path, query
//! or JSON goes on, so that what was decided about is what the server reads. Pure; `serve::gateway` talks.
//!
//! ```text
//! Unverified<head> -> Ask -> Unverified<body> -> Asked -> Allowed | Denial
//! ```

pub mod action;
mod ask;
mod asked;
mod denial;
mod form;
mod guard;
mod own;
mod place;
mod rule;
mod serving;
mod table;
mod tags;
mod target;
mod touch;

pub use ask::{Ask, Body};
pub use asked::{Asked, MOST_BODY};
pub use denial::{Denial, Kind};
pub use own::own_answer;
pub use rule::{Allowed, decide, permit};
pub use serving::SERVING;
pub use table::{Endpoint, Table};
pub use target::Target;
pub use touch::{NewVersion, Promotion, Touch};
