//! Who vouches for the key of another node, as the settings name the authority: what that node said of a run counts for the gateway of
//! this one.

use std::time::Duration;

use super::Way;
use super::certify::Certification;
use super::cluster;
use crate::config::settings::Settings;
use crate::context::seal::Vouching;
use crate::host::retry::Deadline;

/// For one question.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who vouches for the key of this thumbprint; `None` where nobody does, or it cannot be told now.
pub(super) async fn vouching(way: &Way, settings: &Settings, kid: &str) -> Option<Vouching> {
    let deadline = Deadline { clock: &*way.clock, random: &*way.random, end: way.clock.boot().plus(PATIENCE) };
    match &way.certification {
        Certification::Published => cluster::published_key(way, settings, kid, &deadline).await.map(Vouching::Published),
        Certification::Key { authority, .. } => Some(Vouching::Authority(vec![authority.clone()])),
        Certification::Issuer(asking) => asking.trusted(way, &deadline).await.ok().map(Vouching::Authority),
    }
}
