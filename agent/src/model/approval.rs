//! Approvals: what somebody signs, under a key that the policy names, so that a version may have an alias. Whoever has the key approves;
//! who that is, the policy's author knows and nobody else can tell.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::statements::VERSION_BINDING;
use crate::context::seal::{ContextRefusal, Voucher};
use crate::context::statement::{Statement, hear, say};
use crate::context::{NodeKey, NodePublicKey};
use crate::decision::models::{AliasRule, Models};
use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;
use crate::unverified::Unverified;

/// The tags of approvals begin so; a dot, the alias, a dot and the approver follow.
pub const APPROVAL: &str = "longhorn.approval";
/// An approval holds for no longer.
pub const MOST_VALID: Duration = Duration::from_secs(30 * 24 * 3600);
/// How far the approver's clock may be off from the node's.
const LEEWAY: Duration = Duration::from_secs(60);

/// The tag in which the gate looks for an approval.
pub fn approval_tag(alias: &str, approver: &str) -> String {
    format!("{APPROVAL}.{}.{approver}", alias.to_lowercase())
}

/// Somebody approves that a version has an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The registered model.
    pub name: String,
    /// The version.
    pub version: String,
    /// The alias or stage, in lower case.
    pub alias: String,
    /// SHA-256 (hex) over the manifest of the version's files.
    pub files: String,
    /// SHA-256 (hex) over the node's statement on the version: no other version has it, of this registry or of another, whatever its number.
    pub binding: String,
    /// Who approves, by the policy's name.
    pub approver: String,
    /// Signed at, in seconds since the epoch.
    pub iat: i64,
    /// Holds until then.
    pub exp: i64,
}

impl Statement for Approval {
    const TYPE: &'static str = "longhorn-approval+jwt";

    fn said_at(&self) -> i64 {
        self.iat
    }
}

impl Approval {
    /// Of a candidate, for `alias`, from now on. `None`: no node said anything of the version, or its files are out of reach.
    pub fn of(candidate: &Candidate, alias: &str, approver: &str, valid: Duration) -> Option<Self> {
        let at = candidate.seen;
        Some(Self {
            name: candidate.version.name.clone(),
            version: candidate.version.version.clone(),
            alias: alias.to_lowercase(),
            files: candidate.made.files.clone()?,
            binding: binding(candidate)?,
            approver: approver.to_string(),
            iat: at.seconds(),
            exp: at.plus(valid).seconds(),
        })
    }

    /// Signs it.
    pub fn sign(&self, key: &NodeKey) -> String {
        say(self, key, None)
    }
}

/// SHA-256 (hex) over what a node said of the version.
fn binding(candidate: &Candidate) -> Option<String> {
    candidate.version.tag(VERSION_BINDING).map(|token| sha256_hex(token.as_bytes()))
}

/// Who approved, of those that the rule names; and of the others, why not.
pub(super) fn approved(models: &Models, rule: &AliasRule, alias: &str, candidate: &Candidate) -> (BTreeSet<String>, Vec<String>) {
    let (mut found, mut lacking) = (BTreeSet::new(), Vec::new());
    for name in &rule.approved_by {
        match approval(models, name.as_str(), alias, candidate) {
            Ok(_) => _ = found.insert(name.to_string()),
            Err(presented) => lacking.push(format!("{name}: {presented}")),
        }
    }
    (found, lacking)
}

/// What this approver signed for this alias of this very version.
///
/// # Errors
/// What is presented instead.
pub fn approval(models: &Models, name: &str, alias: &str, candidate: &Candidate) -> Result<Approval, &'static str> {
    let key = models.approver(name).and_then(|key| NodePublicKey::from_bytes(key).ok()).ok_or("no key in the policy")?;
    let token = candidate.version.tag(&approval_tag(alias, name)).ok_or("none")?;
    let heard = hear::<Approval>(&Unverified::new(token.as_bytes()), &Voucher::NodeKey(&key));
    let (approval, _) = heard.map_err(|refusal| match refusal {
        ContextRefusal::SignatureInvalid | ContextRefusal::OtherKey { .. } => "one by another key",
        ContextRefusal::Malformed(_)
        | ContextRefusal::WrongHeader
        | ContextRefusal::NotCertified(_)
        | ContextRefusal::OtherAudience { .. }
        | ContextRefusal::NotYetValid { .. }
        | ContextRefusal::Expired { .. } => "something that is no approval",
    })?;
    let version = &candidate.version;
    let (made, now) = (candidate.binding.as_ref().map(|binding| binding.iat), candidate.seen);
    let (from, until) = (Timestamp::from_seconds(approval.iat), Timestamp::from_seconds(approval.exp));
    let rows = [
        ("one in another's name", approval.approver == name),
        ("one of another model", approval.name == version.name),
        ("one of another version", approval.version == version.version),
        ("one for another alias", approval.alias == alias.to_lowercase()),
        ("one of other files", Some(&approval.files) == candidate.made.files.as_ref()),
        ("one of another version that had this number", Some(&approval.binding) == binding(candidate).as_ref()),
        ("one from before the version was made", made.is_some_and(|made| from.plus(LEEWAY).seconds() >= made)),
        ("one from the future", from <= now.plus(LEEWAY)),
        ("one for longer than 30 days", until <= from.plus(MOST_VALID)),
        ("one that has expired", now < until),
    ];
    match rows.iter().find(|(_, holds)| !holds) {
        Some((presented, _)) => Err(presented),
        None => Ok(approval),
    }
}
