//! What a document is: an assertion, or a response that carries one, and which signatures stand where. Every place that an
//! attack of the wrapping kind needs is refused here, before any signature is looked at.

use std::collections::BTreeSet;

use longhorn_xml::{Document, XML, blank};

use super::names::{ASSERTION, PROTOCOL, SIGNATURE, SUCCESS};
use super::refusal::SamlRefusal;
use crate::identity::refusal::Refusal;
use crate::identity::trust::SamlTrust;

/// Where things stand in a document.
pub(super) struct Shape {
    /// The assertion: the root, or a child of the response that is the root.
    pub(super) assertion: usize,
    /// The signature of the assertion.
    pub(super) of_assertion: Option<usize>,
    /// The signature of the response.
    pub(super) of_response: Option<usize>,
}

/// Finds the one assertion and the signatures.
pub(super) fn shape(document: &Document<'_>, trust: &SamlTrust) -> Result<Shape, Refusal> {
    let root = &document.elements[0];
    let response = root.is(PROTOCOL, "Response");
    if !response && !root.is(ASSERTION, "Assertion") {
        return Err(SamlRefusal::NotAnAssertion(root.local.to_owned()).into());
    }
    let encrypted = |local: &str| ["EncryptedAssertion", "EncryptedID", "EncryptedAttribute"].contains(&local);
    if document.elements.iter().any(|element| element.namespace == ASSERTION && encrypted(element.local)) {
        return Err(SamlRefusal::Encrypted.into());
    }
    if response {
        envelope(document, trust)?;
    }
    let everywhere: Vec<usize> =
        (0..document.elements.len()).filter(|at| document.elements[*at].is(ASSERTION, "Assertion")).collect();
    let assertion = match everywhere[..] {
        [only] if only == 0 || (response && document.elements[only].parent == Some(0)) => only,
        [] => return Err(SamlRefusal::MissingElement("Assertion").into()),
        [_] => return Err(SamlRefusal::UnexpectedElement("Assertion, deeper than in the response".into()).into()),
        _ => return Err(SamlRefusal::SeveralAssertions(everywhere.len()).into()),
    };
    unique_ids(document)?;
    let of_assertion = signature_of(document, assertion)?;
    let of_response = if response { signature_of(document, 0)? } else { None };
    let known = [of_assertion, of_response];
    let elsewhere = |at: &usize| document.elements[*at].is(SIGNATURE, "Signature") && !known.contains(&Some(*at));
    if let Some(at) = (0..document.elements.len()).find(elsewhere) {
        let parent = document.elements[at].parent.map_or("nothing", |parent| document.elements[parent].local);
        return Err(SamlRefusal::SignatureMisplaced(parent.to_owned()).into());
    }
    Ok(Shape { assertion, of_assertion, of_response })
}

/// What a response says around the assertion (SAML 2.0 core §3.2.2). It may be unsigned, so it only ever stops something.
fn envelope(document: &Document<'_>, trust: &SamlTrust) -> Result<(), Refusal> {
    let known = |at: usize| {
        let element = &document.elements[at];
        element.is(ASSERTION, "Issuer")
            || element.is(SIGNATURE, "Signature")
            || element.is(PROTOCOL, "Status")
            || element.is(ASSERTION, "Assertion")
    };
    if let Some(at) = document.children(0).find(|at| !known(*at)) {
        return Err(SamlRefusal::UnexpectedElement(format!("{} in a Response", document.elements[at].local)).into());
    }
    if !document.structural(0) {
        return Err(SamlRefusal::MalformedElement("Response").into());
    }
    check_version(document, 0)?;
    let statuses: Vec<usize> = document.named(0, PROTOCOL, "Status").collect();
    let [status] = statuses[..] else { return Err(SamlRefusal::MissingElement("Status, once").into()) };
    let codes: Vec<usize> = document.named(status, PROTOCOL, "StatusCode").collect();
    let [code] = codes[..] else { return Err(SamlRefusal::MissingElement("StatusCode, once").into()) };
    let value = document.elements[code].attribute("Value").unwrap_or_default();
    if value != SUCCESS {
        return Err(SamlRefusal::Status(value.to_owned()).into());
    }
    for at in document.named(0, ASSERTION, "Issuer") {
        check_issuer(document, at, trust)?;
    }
    match document.elements[0].attribute("Destination") {
        Some(presented) if presented != trust.recipient => {
            Err(SamlRefusal::Recipient { expected: trust.recipient.clone(), presented: presented.to_owned() }.into())
        }
        Some(_) | None => Ok(()),
    }
}

/// SAML 2.0 core §2.3.3, §3.2.2.
pub(super) fn check_version(document: &Document<'_>, at: usize) -> Result<(), Refusal> {
    let presented = document.elements[at].attribute("Version").unwrap_or_default();
    if presented == "2.0" { Ok(()) } else { Err(SamlRefusal::OtherVersion(presented.to_owned()).into()) }
}

/// Byte for byte, but for blanks around it (XML Schema: anyURI collapses them).
pub(super) fn check_issuer(document: &Document<'_>, at: usize, trust: &SamlTrust) -> Result<(), Refusal> {
    let text = document.text(at).ok_or(SamlRefusal::MalformedElement("Issuer"))?;
    let presented = text.trim_matches(blank);
    let entity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
    if document.elements[at].attribute("Format").is_some_and(|format| format != entity) {
        return Err(SamlRefusal::MalformedElement("Issuer").into());
    }
    if presented == trust.entity_id.as_str() {
        return Ok(());
    }
    Err(Refusal::IssuerMismatch { expected: trust.entity_id.to_string(), presented: presented.to_owned() })
}

/// The signature that is a child of an element, if there is one.
fn signature_of(document: &Document<'_>, of: usize) -> Result<Option<usize>, Refusal> {
    let mut found = document.named(of, SIGNATURE, "Signature");
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(SamlRefusal::SeveralSignatures.into()),
        (one, None) => Ok(one),
    }
}

/// However an attribute spells it, an id stands once: whoever resolves it another way finds the same element.
fn unique_ids(document: &Document<'_>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for attribute in document.elements.iter().flat_map(|element| &element.attributes) {
        let id = attribute.local.eq_ignore_ascii_case("id") && (attribute.namespace.is_empty() || attribute.namespace == XML);
        if id && !seen.insert(&*attribute.value) {
            return Err(SamlRefusal::IdTwice(attribute.value.to_string()).into());
        }
    }
    Ok(())
}
