//! The nodes of one cluster, held against one another. Each publishes, once it is locked, what it attested: a token like a
//! context's, signed by its node key, for an audience that no other verifier accepts. The driver compares the nodes that the
//! workspace lists with those, and names whoever is missing, and whoever attested for something else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Attested, Way, tell_whom};
use crate::config::settings::{Authority, Settings};
use crate::context::seal::{ContextRefusal, Expiry, Voucher, open};
use crate::context::{Claims, LockSummary, NodePublicKey};
use crate::evidence::{Failure, Source, Volumes, WorkspaceSource};
use crate::host::clock::{BootTime, Timestamp};
use crate::host::retry::Deadline;
use crate::identity::ids::NodeAddress;
use crate::serve::session::Nodes;
use crate::unverified::Unverified;

/// The audience of what nodes publish for one another.
const AUDIENCE: &str = "longhorn-node";
/// For one look at the others; the next renewal looks again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Attestations that are read in one look; what is left is read in the next.
const MOST_READ: usize = 64;

/// Where a cluster's nodes publish; absent where the authority is no volume.
fn place<'a>(way: &'a Way, settings: &Settings) -> Option<(&'a WorkspaceSource, PathBuf)> {
    let Authority::Published { directory } = &settings.authority else { return None };
    match way.sources.first() {
        Some(Source::Databricks(workspace)) if directory.starts_with("/Volumes") => Some((workspace, directory.clone())),
        _ => None,
    }
}

fn attestations(directory: &Path, workspace: &WorkspaceSource) -> PathBuf {
    directory.join("nodes").join(workspace.hints.cluster.as_str())
}

/// The node key as a write-once file, by the agent's own principal, before user code. Directories outside of volumes are
/// `init`'s: it writes them as root.
///
/// # Errors
/// When it cannot be told whether it is published.
pub(super) async fn publish_key(way: &Way, settings: &Settings, end: BootTime) -> Result<(), Failure> {
    let Some((workspace, directory)) = place(way, settings) else { return Ok(()) };
    let deadline = Deadline { clock: &*way.clock, random: &*way.random, end };
    let volumes = Volumes::open(&way.http, workspace, &deadline).await?;
    let path = directory.join(format!("{}.jwk", way.key.public().thumbprint()));
    volumes.publish_once(&path, way.key.public().to_jwk().as_bytes()).await
}

/// The key of another node, where it was published.
pub(super) async fn published_key(way: &Way, settings: &Settings, kid: &str, deadline: &Deadline<'_>) -> Option<NodePublicKey> {
    // A thumbprint, and no path.
    let plain = kid.len() == 43 && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let Authority::Published { directory } = &settings.authority else { return None };
    let file = directory.join(format!("{}.jwk", Some(kid).filter(|_| plain)?));
    let jwk = match place(way, settings) {
        Some((workspace, _)) => Volumes::open(&way.http, workspace, deadline).await.ok()?.read(&file).await.ok()??,
        None => std::fs::read(file).ok()?,
    };
    NodePublicKey::from_jwk(&jwk).ok().filter(|key| key.thumbprint() == kid)
}

/// What this node attested, for the driver and for auditors.
///
/// # Errors
/// When it cannot be told whether it is published.
pub(super) async fn publish_attestation(
    way: &Way,
    settings: &Settings,
    attested: &Attested,
    lock: &LockSummary,
    end: BootTime,
) -> Result<(), Failure> {
    let Some((workspace, directory)) = place(way, settings) else { return Ok(()) };
    let deadline = Deadline { clock: &*way.clock, random: &*way.random, end };
    let volumes = Volumes::open(&way.http, workspace, &deadline).await?;
    let token = tell_whom(way, &attested.grant, Some(lock), AUDIENCE);
    let node = &token.claims().node;
    let path = attestations(&directory, workspace).join(format!("{}_{}.jwt", node.address, node.key));
    volumes.publish_once(&path, token.token().as_bytes()).await
}

/// The driver's view of the others, kept from one look to the next: what is written once is read once.
#[derive(Default)]
pub(super) struct Others {
    /// By the name of the file. Absent inside: the file is no attestation of that node.
    read: BTreeMap<String, Option<Claims>>,
}

impl Others {
    /// Compares; on a worker, or where nothing is published, there is nothing to say.
    pub(super) async fn look(
        &mut self,
        way: &Way,
        settings: &Settings,
        standing: &Claims,
        members: &BTreeSet<NodeAddress>,
    ) -> Option<Result<Nodes, Failure>> {
        let (workspace, directory) = place(way, settings).filter(|(workspace, _)| workspace.hints.driver)?;
        Some(self.read_new(way, workspace, &directory).await.map(|unread| self.compare(members, standing, unread)))
    }

    /// Reads what is new; returns how many were left for the next look.
    async fn read_new(&mut self, way: &Way, workspace: &WorkspaceSource, directory: &Path) -> Result<usize, Failure> {
        let deadline = Deadline { clock: &*way.clock, random: &*way.random, end: way.clock.boot().plus(PATIENCE) };
        let volumes = Volumes::open(&way.http, workspace, &deadline).await?;
        let published = attestations(directory, workspace);
        let mut names = volumes.list(&published).await?;
        names.retain(|name| !self.read.contains_key(name));
        for name in names.iter().take(MOST_READ) {
            let (Some(thumbprint), Some(token)) = (thumbprint_of(name), volumes.read(&published.join(name)).await?) else {
                self.read.insert(name.clone(), None);
                continue;
            };
            let key = volumes.read(&directory.join(format!("{thumbprint}.jwk"))).await?.unwrap_or_default();
            match attested(way.clock.now(), name, &key, &token) {
                // Its clock is ahead of ours: the next look finds it begun.
                Err(ContextRefusal::NotYetValid { .. }) => {}
                attested => _ = self.read.insert(name.clone(), attested.ok()),
            }
        }
        Ok(names.len().saturating_sub(MOST_READ))
    }

    /// A node that was started again has published twice: its last word counts.
    fn compare(&self, members: &BTreeSet<NodeAddress>, standing: &Claims, unread: usize) -> Nodes {
        let mut last: BTreeMap<&str, &Claims> = BTreeMap::new();
        for claims in self.read.values().flatten() {
            let newest = last.entry(claims.node.address.as_str()).or_insert(claims);
            if claims.iat >= newest.iat {
                *newest = claims;
            }
        }
        let listed = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let members = members.iter().map(NodeAddress::as_str);
        let (known, missing): (Vec<&str>, Vec<&str>) = members.partition(|address| last.contains_key(address));
        let differing = known.iter().filter_map(|address| standing.change(last[address]).map(|change| (address, change.claim)));
        Nodes {
            listed,
            differing: differing.map(|(address, claim)| format!("{address} {claim}")).collect(),
            // Whoever was not read yet is not missing yet.
            missing: if unread == 0 { missing.into_iter().map(str::to_owned).collect() } else { Vec::new() },
            unread: u32::try_from(unread).unwrap_or(u32::MAX),
        }
    }
}

/// `<address>_<thumbprint>.jwt`.
fn thumbprint_of(name: &str) -> Option<&str> {
    name.strip_suffix(".jwt")?.split_once('_').map(|(_, thumbprint)| thumbprint).filter(|thumbprint| thumbprint.len() == 43)
}

/// What a node attested, where the key that its name tells of signed it. It may have ended meanwhile: that it was said counts.
fn attested(now: Timestamp, name: &str, key: &[u8], token: &[u8]) -> Result<Claims, ContextRefusal> {
    let key = NodePublicKey::from_jwk(key).map_err(|_| ContextRefusal::Malformed("no key was published for it"))?;
    let claims = open(&Unverified::new(token), &Voucher::NodeKey(&key), AUDIENCE, now, Expiry::Ignored)?;
    if format!("{}_{}.jwt", claims.node.address, claims.node.key) != name {
        return Err(ContextRefusal::Malformed("its file is named for another node"));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::seal::tests::{NOW, key, token_for};

    #[test]
    fn a_nodes_attestation_counts_after_its_end_and_under_its_own_name_and_key_only() {
        let (node, other) = (key(1), key(2));
        let token = token_for(&node, AUDIENCE);
        let name = |thumbprint: &str| format!("10.0.0.1_{thumbprint}.jwt");
        let mine = name(&node.public().thumbprint());
        let judged = |now: Timestamp, name: &str, key: &str, token: &str| {
            attested(now, name, key.as_bytes(), token.as_bytes())
                .map(|claims| claims.node.address)
                .map_err(|refusal| refusal.reason())
        };
        let jwk = node.public().to_jwk();
        assert_eq!(judged(NOW.plus(Duration::from_secs(86400)), &mine, &jwk, &token), Ok("10.0.0.1".into()));
        assert_eq!(judged(NOW, &name(&other.public().thumbprint()), &jwk, &token), Err("context-malformed"));
        assert_eq!(judged(NOW, &mine, &other.public().to_jwk(), &token), Err("context-other-key"));
        assert_eq!(judged(NOW, &mine, "", &token), Err("context-malformed"));
        assert_eq!(judged(NOW, &mine, &jwk, &token_for(&node, "longhorn")), Err("context-other-audience"));
        // Of a node whose clock is ahead; the next look finds it begun.
        assert_eq!(judged(NOW.minus(Duration::from_secs(1)), &mine, &jwk, &token), Err("context-not-yet-valid"));
    }
}
