//! `[trust.node]`: which cloud's word on a machine counts. Certificates stand in the policy itself: only that is signed.

use std::collections::{BTreeMap, BTreeSet};

use super::read_trust::{algorithms, jwks_hosts, types};
use super::reader::{At, Section};
use crate::identity::ids::LocalName;
use crate::identity::node_document::{region_fits, uuid};
use crate::identity::node_trust::{AwsTrust, AzureTrust, Certificate, Cloud, GcpTrust, LEAST_BITS, NodeTrust};
use crate::identity::trust::{KeyBinding, OidcTrust, Provider, SubjectEquals, SubjectRule};

pub(super) fn node(section: Section<'_>) -> Option<NodeTrust> {
    let kind = section.need_word("kind", &Cloud::WORDS)?;
    match kind.value {
        Cloud::Aws => aws(section).map(NodeTrust::Aws),
        Cloud::Azure => azure(section).map(NodeTrust::Azure),
        Cloud::Gcp => gcp(section).map(|trust| NodeTrust::Gcp(Box::new(trust))),
    }
}

fn aws(section: Section<'_>) -> Option<AwsTrust> {
    let accounts = shaped(&section, "accounts", "an account is 12 digits", |text| {
        text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
    });
    section.refuse_empty("certificates");
    let certificates = section.need_table("certificates").map(|table| regions(&table));
    let max_age = section.duration("max-age");
    if max_age.is_none() && section.place("max-age").is_none() {
        section.reader().error(
            section.span.clone(),
            "`max-age` is missing",
            "an instance document never ends: say how long ago a machine that joins may have been started, such as \"15m\"",
        );
    }
    if let Some(age) = max_age.as_ref().filter(|age| age.value.is_zero()) {
        section.reader().error(age.span.clone(), "`max-age` lets no machine in", "such as \"15m\"");
    }
    section.finish();
    Some(AwsTrust { accounts, certificates: certificates?, max_age: max_age?.value })
}

/// Each region with its certificates; a region that does not read has been said.
fn regions(table: &Section<'_>) -> BTreeMap<String, Vec<Certificate>> {
    let mut found = BTreeMap::new();
    for (region, text) in table.named_texts() {
        if !region_fits(&region.value) {
            table.reader().error(region.span, "not a region", "such as us-west-2");
            continue;
        }
        let Some(certificates) = pem(table, &text) else { continue };
        if certificates.iter().any(|certificate| certificate.bits() < LEAST_BITS) {
            let message = format!("a certificate whose key is not RSA of {LEAST_BITS} bits or more signs no document");
            table.reader().error(text.span, message, "take the RSA-2048 certificate of the region");
            continue;
        }
        found.insert(region.value, certificates);
    }
    found
}

fn azure(section: Section<'_>) -> Option<AzureTrust> {
    let subscriptions = shaped(&section, "subscriptions", "a subscription is a UUID", uuid);
    let roots = certificates(&section, "roots");
    let intermediates = certificates(&section, "intermediates");
    let names = shaped(&section, "names", "a DNS name as it stands in the certificate, without wildcard", |text| {
        crate::identity::ids::WorkspaceHost::try_from(format!("https://{text}").as_str()).is_ok() && !text.contains(':')
    });
    section.finish();
    let subscriptions = subscriptions.into_iter().map(|one| one.to_ascii_lowercase()).collect();
    Some(AzureTrust { subscriptions, roots, intermediates, names })
}

fn gcp(section: Section<'_>) -> Option<GcpTrust> {
    let projects = shaped(&section, "projects", "a project's id is 6 to 30 of a-z, 0-9 and -", |text| {
        (6..=30).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    });
    let issuer = section.need_parsed("issuer");
    let audience = section.need_parsed("audience");
    let jwks_hosts = jwks_hosts(&section);
    let types = types(&section);
    let algorithms = algorithms(&section);
    section.finish();
    let issuer = OidcTrust {
        name: LocalName::try_from("node").expect("it is a name"),
        issuer: issuer?.value,
        jwks_hosts,
        audience: audience?.value,
        algorithms,
        types,
        groups: None,
        // Nobody: such a token speaks of a machine.
        subject: SubjectRule { claim: "sub".to_owned(), equals: SubjectEquals::Map(BTreeMap::new()) },
        provider: Provider::Standard,
        // Always, for a machine: see `identity::node_document`.
        node_key: KeyBinding::Unbound,
    };
    Some(GcpTrust { projects, issuer })
}

fn shaped(section: &Section<'_>, key: &'static str, rule: &str, fits: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in section.need_texts(key) {
        if fits(&text.value) {
            found.insert(text.value);
        } else {
            section.reader().error(text.span, format!("not one of `{key}`: {rule}"), "");
        }
    }
    found
}

fn certificates(section: &Section<'_>, key: &'static str) -> Vec<Certificate> {
    section.need_texts(key).iter().filter_map(|text| pem(section, text)).flatten().collect()
}

fn pem(section: &Section<'_>, text: &At<String>) -> Option<Vec<Certificate>> {
    let hint = if text.value.contains("-----BEGIN") || text.value.contains('\n') {
        "from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, between three quotation marks"
    } else {
        "a file's name will not do: the signature covers this file alone. Write the certificate here, in PEM"
    };
    Certificate::from_pem(&text.value).map_err(|error| section.reader().error(text.span.clone(), error.to_string(), hint)).ok()
}
