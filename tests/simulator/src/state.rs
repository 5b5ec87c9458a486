//! What the server holds.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::faults::Fault;
use crate::files::Files;
use crate::issuer::Issuer;
use crate::metastore::Changed;
use crate::policies::Policies;
use crate::scenario::Scenario;
use crate::secrets::Secrets;
use crate::tokens::Tokens;

/// All of it.
pub(crate) struct State {
    pub(crate) scenario: Scenario,
    pub(crate) issuer: Issuer,
    pub(crate) faults: Vec<Fault>,
    pub(crate) requests: BTreeMap<String, u32>,
    pub(crate) held: Held,
    /// What clients proved themselves with, each time.
    pub(crate) assertions: Vec<String>,
    pub(crate) url: String,
    /// How often every access token was taken back.
    pub(crate) taken_back: u32,
}

/// What callers made.
#[derive(Clone, Default)]
pub(crate) struct Held {
    pub(crate) catalog: Catalog,
    pub(crate) files: Files,
    pub(crate) metastore: Changed,
    pub(crate) policies: Policies,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: Tokens,
}
