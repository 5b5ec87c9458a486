//! A SAML 2.0 assertion: signed by a key of the policy, for us, now; and what it proves. The strict profile and its reasons:
//! agent/design/0019.

mod assertion;
pub(super) mod metadata;
mod names;
mod refusal;
mod shape;
mod signature;

pub use longhorn_xml::XmlError;
pub use refusal::SamlRefusal;

use longhorn_xml::{Document, MOST};

use super::refusal::Refusal;
use super::trust::SamlTrust;
use super::unproven::Unproven;
use super::verified::{Basis, GotWith, Verified};
use super::verify::Proof;
use crate::evidence::SamlClaim;
use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;

/// No honest response has more elements: one for each of 150 groups, and some fifty.
const MOST_ELEMENTS: usize = 2000;

/// Verifies an assertion.
pub(super) fn verify(claim: &SamlClaim, trust: &SamlTrust, now: Timestamp) -> Result<Verified<Proof>, Unproven> {
    Ok(prove(&claim.document, trust, now)?)
}

fn prove(bytes: &[u8], trust: &SamlTrust, now: Timestamp) -> Result<Verified<Proof>, Refusal> {
    if bytes.len() > MOST {
        return Err(SamlRefusal::Oversized(bytes.len()).into());
    }
    let document = parse(bytes)?;
    let shape = shape::shape(&document, trust)?;
    let check = |parent: usize, at: Option<usize>| {
        at.map(|at| signature::verify(&document, parent, at, &trust.certificates, now)).transpose()
    };
    // Every signature that is there must hold, whichever of them is needed.
    let around = check(0, shape.of_response)?;
    let within = check(shape.assertion, shape.of_assertion)?;
    let signed = within.or(around).ok_or(SamlRefusal::SignatureMissing)?;
    // From here on only what was digested is read: parsed anew, so that no other reading of the document counts.
    let consumed = parse(&signed.bytes)?;
    let at = if consumed.elements[0].is(names::ASSERTION, "Assertion") {
        0
    } else {
        consumed.named(0, names::ASSERTION, "Assertion").next().ok_or(SamlRefusal::MissingElement("Assertion"))?
    };
    let (proof, good_until) = assertion::read(&consumed, at, trust, now)?;
    let basis = Basis {
        voucher: trust.entity_id.to_string(),
        key: Some(signed.certificate),
        checked: now,
        good_until,
        digest: sha256_hex(bytes),
        got_with: GotWith::Given,
    };
    Ok(Verified::new(Proof::Saml(proof), basis))
}

fn parse(bytes: &[u8]) -> Result<Document<'_>, Refusal> {
    Document::parse(bytes, MOST_ELEMENTS).map_err(|error| SamlRefusal::Xml(error).into())
}

impl From<SamlRefusal> for Refusal {
    fn from(refusal: SamlRefusal) -> Self {
        Self::Saml(refusal)
    }
}
