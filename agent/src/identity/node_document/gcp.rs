//! Google's identity token of a machine: a JWT like any issuer's, for the policy's audience and our node key, that speaks of
//! a machine because it was asked for in full.

use serde_json::Value;

use super::super::ids::Audience;
use super::super::node_trust::{Cloud, GcpTrust};
use super::super::oidc;
use super::super::unproven::Unproven;
use super::super::verified::{Basis, GotWith, Verified};
use super::super::verify::{Proof, Rules};
use super::{NodeProof, NodeRefusal, audience, field, list, refused};
use crate::evidence::OidcClaim;
use crate::host::digest::sha256_hex;

pub(super) fn verify(claim: &OidcClaim, trust: &GcpTrust, rules: &Rules<'_>) -> Result<Verified<Proof>, Unproven> {
    let mut issuer = trust.issuer.clone();
    let ours = audience(issuer.audience.as_str(), rules.node_key);
    issuer.audience = Audience::try_from(ours.as_str()).map_err(|_| refused(NodeRefusal::Malformed("a printable audience")))?;
    let read = oidc::read(claim, &issuer, rules.now)?;
    let proof = machine(&read.claims, trust).map_err(refused)?;
    let basis = Basis {
        voucher: format!("gcp:{}", proof.owner),
        key: read.key,
        checked: rules.now,
        good_until: read.expires.min(rules.now.plus(rules.period)),
        digest: sha256_hex(&claim.token),
        got_with: GotWith::Given,
    };
    Ok(Verified::new(Proof::Node(proof), basis))
}

/// `google.compute_engine`: without `format=full` it is not there, and the token proves an account, not a machine.
fn machine(claims: &serde_json::Map<String, Value>, trust: &GcpTrust) -> Result<NodeProof, NodeRefusal> {
    let engine = claims.get("google").and_then(|google| google.get("compute_engine")).and_then(Value::as_object);
    let engine = engine.ok_or(NodeRefusal::FieldMissing("google.compute_engine"))?;
    let project = field(engine, "project_id", |text| !text.is_empty())?;
    if !trust.projects.contains(project) {
        let (expected, presented) = (list(&trust.projects), project.to_owned());
        return Err(NodeRefusal::Owner { what: "project", expected, presented });
    }
    let digits = |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let instance = field(engine, "instance_id", digits)?.to_owned();
    Ok(NodeProof { cloud: Cloud::Gcp, owner: project.to_owned(), instance, address: None })
}
