//! What a signed assertion says (SAML 2.0 core §2, profiles §4.1.4), read from the bytes that were digested and from nothing
//! else: of whom, by whom, for whom, until when, with which groups.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhorn_xml::{Document, blank};

use super::names::{ASSERTION, BEARER, GROUPS_ELSEWHERE};
use super::refusal::SamlRefusal;
use super::shape::{check_issuer, check_version};
use crate::host::clock::Timestamp;
use crate::identity::ids::GroupName;
use crate::identity::refusal::Refusal;
use crate::identity::trust::{NameIdFormat, SamlSubject, SamlTrust};
use crate::identity::verify::SamlProof;

/// Clocks of provider and node may differ by this.
const LEEWAY: Duration = Duration::from_secs(30);
/// An assertion that was issued longer ago is not relied on, whatever its end.
const OLDEST: Duration = Duration::from_secs(24 * 3600);

/// Reads the assertion `at`; returns what it proves and its end.
pub(super) fn read(
    document: &Document<'_>,
    at: usize,
    trust: &SamlTrust,
    now: Timestamp,
) -> Result<(SamlProof, Timestamp), Refusal> {
    let known = ["Issuer", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"];
    check_children(document, at, &known)?;
    check_version(document, at)?;
    let issued = instant(document, at, "IssueInstant")?.ok_or(SamlRefusal::MissingElement("IssueInstant"))?;
    check_issuer(document, one(document, at, "Issuer")?, trust)?;
    let subject = one(document, at, "Subject")?;
    let confirmed = confirmation(document, subject, trust)?;
    let conditions = one(document, at, "Conditions")?;
    let (begins, ends) = conditions_of(document, conditions, trust)?;
    let sessions: Vec<Timestamp> = (document.named(at, ASSERTION, "AuthnStatement"))
        .filter_map(|statement| instant(document, statement, "SessionNotOnOrAfter").transpose())
        .collect::<Result<_, _>>()?;
    // The first of all ends is the end: one-shot evidence bounds the lease.
    let end = sessions.into_iter().chain(ends).fold(confirmed, Ord::min);
    check_times(issued, begins, end, now)?;
    let attributes = attributes(document, at)?;
    let groups = groups(&attributes, trust)?;
    let subject = match &trust.subject.from {
        SamlSubject::NameId(format) => name_id(document, subject, *format, trust)?,
        SamlSubject::Attribute(name) => match attributes.get(name).map(Vec::as_slice) {
            Some([only]) => only.clone(),
            Some(_) => return Err(Refusal::ClaimMalformed(name.clone())),
            None => return Err(Refusal::ClaimMissing("the policy's subject attribute")),
        },
    };
    if subject.is_empty() || subject.len() > 1024 || subject.chars().any(char::is_control) {
        return Err(SamlRefusal::MalformedElement("the subject").into());
    }
    Ok((SamlProof { name: trust.name.clone(), subject, groups }, end.plus(LEEWAY)))
}

fn check_times(issued: Timestamp, begins: Option<Timestamp>, end: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if now >= end.plus(LEEWAY) {
        return Err(Refusal::TokenExpired { at: end, now });
    }
    let begins = begins.map_or(issued, |begins| begins.max(issued));
    if now.plus(LEEWAY) < begins {
        return Err(Refusal::TokenNotYetValid { at: begins, now });
    }
    if now.since(issued) > OLDEST {
        return Err(Refusal::TokenTooOld { at: issued, now });
    }
    Ok(())
}

/// One subject confirmation, of the bearer kind (profiles §4.1.4.2): for our recipient, with an end and without a begin.
fn confirmation(document: &Document<'_>, subject: usize, trust: &SamlTrust) -> Result<Timestamp, Refusal> {
    check_children(document, subject, &["NameID", "SubjectConfirmation"])?;
    let confirmation = one(document, subject, "SubjectConfirmation")?;
    let method = document.elements[confirmation].attribute("Method").unwrap_or_default();
    if method != BEARER {
        return Err(SamlRefusal::NotBearer(method.to_owned()).into());
    }
    check_children(document, confirmation, &["SubjectConfirmationData"])?;
    let data = one(document, confirmation, "SubjectConfirmationData")?;
    let presented = document.elements[data].attribute("Recipient").unwrap_or_default();
    if presented != trust.recipient {
        let expected = trust.recipient.clone();
        return Err(SamlRefusal::Recipient { expected, presented: presented.to_owned() }.into());
    }
    if document.elements[data].attribute("NotBefore").is_some() {
        return Err(SamlRefusal::MalformedElement("SubjectConfirmationData").into());
    }
    instant(document, data, "NotOnOrAfter")?.ok_or_else(|| SamlRefusal::MissingElement("NotOnOrAfter").into())
}

/// Core §2.5: every restriction must name us; a condition that is not understood makes the assertion invalid (§2.5.1.1).
fn conditions_of(
    document: &Document<'_>,
    at: usize,
    trust: &SamlTrust,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Refusal> {
    let known = |local: &str| ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"].contains(&local);
    let unknown = |at: &usize| document.elements[*at].namespace != ASSERTION || !known(document.elements[*at].local);
    if let Some(at) = document.children(at).find(unknown) {
        return Err(SamlRefusal::UnknownCondition(document.elements[at].local.to_owned()).into());
    }
    let mut restricted = false;
    for restriction in document.named(at, ASSERTION, "AudienceRestriction") {
        check_children(document, restriction, &["Audience"])?;
        let texts = document.named(restriction, ASSERTION, "Audience").map(|audience| document.text(audience));
        let audiences: Vec<String> = texts.collect::<Option<_>>().ok_or(SamlRefusal::MalformedElement("Audience"))?;
        if !audiences.iter().any(|audience| audience.trim_matches(blank) == trust.audience.as_str()) {
            let (expected, presented) = (trust.audience.to_string(), audiences.join(", "));
            return Err(Refusal::AudienceMismatch { expected, presented });
        }
        restricted = true;
    }
    if !restricted {
        return Err(SamlRefusal::MissingElement("AudienceRestriction").into());
    }
    Ok((instant(document, at, "NotBefore")?, instant(document, at, "NotOnOrAfter")?))
}

/// Core §2.7.3. A name stands once, whatever its NameFormat: two of them would mean two things.
fn attributes(document: &Document<'_>, at: usize) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let mut found = BTreeMap::new();
    for statement in document.named(at, ASSERTION, "AttributeStatement") {
        check_children(document, statement, &["Attribute"])?;
        for attribute in document.named(statement, ASSERTION, "Attribute") {
            let name = document.elements[attribute].attribute("Name").filter(|name| !name.is_empty());
            let name = name.ok_or(SamlRefusal::MalformedElement("Attribute"))?;
            check_children(document, attribute, &["AttributeValue"])?;
            // A value that holds elements says nothing that is asked for here.
            let values = document.named(attribute, ASSERTION, "AttributeValue").map(|value| document.text(value));
            let values: Option<Vec<String>> = values.collect();
            if found.insert(name.to_owned(), values).is_some() {
                return Err(SamlRefusal::AttributeTwice(name.to_owned()).into());
            }
        }
    }
    Ok(found.into_iter().filter_map(|(name, values)| Some((name, values?))).collect())
}

fn groups(attributes: &BTreeMap<String, Vec<String>>, trust: &SamlTrust) -> Result<BTreeSet<GroupName>, Refusal> {
    let Some(name) = &trust.groups else { return Ok(BTreeSet::new()) };
    // Entra: more than 150 groups. What is left out is unknown, and the link is never followed.
    if attributes.contains_key(GROUPS_ELSEWHERE) {
        return Err(Refusal::GroupsOverage("a pointer to them"));
    }
    // Without the attribute nothing is said of groups; taken for "none" it would pass every rule that denies one.
    let values = attributes.get(name).ok_or(Refusal::ClaimMissing("the policy's groups attribute"))?;
    let group = |value: &String| GroupName::try_from(format!("{}:{value}", trust.name).as_str());
    values.iter().map(|value| group(value).map_err(|_| Refusal::ClaimMalformed(name.clone()))).collect()
}

/// Core §2.2.2, §8.3: of the format that the policy names, and qualified by nobody else than the two of us.
fn name_id(document: &Document<'_>, subject: usize, format: NameIdFormat, trust: &SamlTrust) -> Result<String, Refusal> {
    let at = one(document, subject, "NameID")?;
    let element = &document.elements[at];
    let unspecified = NameIdFormat::Unspecified.uri();
    let rows = [
        ("format", format.uri(), Some(element.attribute("Format").unwrap_or(unspecified))),
        ("qualifier", trust.entity_id.as_str(), element.attribute("NameQualifier")),
        ("service qualifier", trust.audience.as_str(), element.attribute("SPNameQualifier")),
    ];
    for (what, expected, presented) in rows {
        if let Some(presented) = presented.filter(|presented| *presented != expected) {
            let (expected, presented) = (expected.to_owned(), presented.to_owned());
            return Err(SamlRefusal::NameId { what, expected, presented }.into());
        }
    }
    document.text(at).ok_or_else(|| SamlRefusal::MalformedElement("NameID").into())
}

/// The one child of a name.
fn one(document: &Document<'_>, of: usize, local: &'static str) -> Result<usize, Refusal> {
    let mut found = document.named(of, ASSERTION, local);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(SamlRefusal::MissingElement(local).into()),
        (Some(_), Some(_)) => Err(SamlRefusal::UnexpectedElement(format!("a second {local}")).into()),
    }
}

/// Elements of these names alone, in the namespace of SAML, and blanks between them.
fn check_children(document: &Document<'_>, of: usize, known: &[&str]) -> Result<(), Refusal> {
    let unknown = |at: &usize| document.elements[*at].namespace != ASSERTION || !known.contains(&document.elements[*at].local);
    if let Some(at) = document.children(of).find(unknown) {
        let (inner, outer) = (document.elements[at].local, document.elements[of].local);
        return Err(SamlRefusal::UnexpectedElement(format!("{inner} in {outer}")).into());
    }
    if document.structural(of) { Ok(()) } else { Err(SamlRefusal::MalformedElement("text between elements").into()) }
}

/// Core §1.3.3: a time in UTC, with `Z`.
fn instant(document: &Document<'_>, at: usize, name: &'static str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = document.elements[at].attribute(name) else { return Ok(None) };
    let text = text.trim_matches(blank);
    let parsed = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
    match parsed {
        Ok(parsed) if text.ends_with('Z') => Ok(Some(Timestamp::from_seconds(parsed.unix_timestamp()))),
        Ok(_) | Err(_) => Err(SamlRefusal::MalformedElement(name).into()),
    }
}
