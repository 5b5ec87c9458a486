//! Amazon's instance identity document: JSON inside of PKCS#7 in BER, signed attributes, no certificate. The policy holds
//! the certificate of each region; the signer chooses among those by issuer and number, never the document's own words.

use super::super::node_trust::{AwsTrust, Certificate, Cloud};
use super::super::pkcs7::{Attributes, SignedData, check};
use super::super::verified::{Basis, GotWith, Verified};
use super::super::verify::{Proof, Rules};
use super::{NodeProof, NodeRefusal, Occasion, base64_lines, field, list, signed_object};
use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;
use crate::identity::ids::NodeAddress;

/// Clocks of cloud and node may differ by this.
const LEEWAY: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) fn verify(document: &[u8], trust: &AwsTrust, rules: &Rules<'_>) -> Result<Verified<Proof>, NodeRefusal> {
    let bytes = base64_lines(document)?;
    let signed = SignedData::parse(&bytes)?;
    let certificate = signer(&signed, trust)?;
    let (begins, ends) = certificate.validity();
    if rules.now < begins || rules.now >= ends {
        return Err(NodeRefusal::CertificateTime { begins, ends, now: rules.now });
    }
    let content = signed_object(check(&signed, certificate, Attributes::Present)?)?;
    let account = field(&content, "accountId", |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()))?;
    if !trust.accounts.contains(account) {
        let (expected, presented) = (list(&trust.accounts), account.to_owned());
        return Err(NodeRefusal::Owner { what: "account", expected, presented });
    }
    let region = field(&content, "region", region_fits)?;
    // A region's key speaks of that region's machines alone.
    if !trust.certificates.get(region).is_some_and(|of_region| of_region.contains(certificate)) {
        let regions = trust.certificates.iter().filter(|(_, of_region)| of_region.contains(certificate));
        let expected = list(regions.map(|(region, _)| region));
        return Err(NodeRefusal::Region { expected, presented: region.to_owned() });
    }
    let instance = field(&content, "instanceId", instance_fits)?;
    let address = field(&content, "privateIp", |text| NodeAddress::try_from(text).is_ok())?;
    check_age(moment(field(&content, "pendingTime", |text| text.len() == 20)?)?, trust, rules)?;
    let basis = Basis {
        voucher: format!("aws:{account}/{region}"),
        key: Some(certificate.serial()),
        checked: rules.now,
        // It has no end of its own; it is relied on as long as the workspace's word.
        good_until: rules.now.plus(rules.period),
        digest: sha256_hex(&bytes),
        got_with: GotWith::Given,
    };
    let (owner, instance, address) = (account.to_owned(), instance.to_owned(), Some(address.to_owned()));
    Ok(Verified::new(Proof::Node(NodeProof { cloud: Cloud::Aws, owner, instance, address }), basis))
}

fn signer<'t>(signed: &SignedData, trust: &'t AwsTrust) -> Result<&'t Certificate, NodeRefusal> {
    let all = || trust.certificates.values().flatten();
    signed.signer_among(all()).ok_or_else(|| NodeRefusal::SignerUnknown {
        expected: all().map(Certificate::serial).collect::<Vec<_>>().join(", "),
        presented: signed.signer_serial(),
    })
}

/// The machine's start, within the policy's bounds when the node joins. The clock of a node may be a little behind.
fn check_age(pending: Timestamp, trust: &AwsTrust, rules: &Rules<'_>) -> Result<(), NodeRefusal> {
    if rules.now.plus(LEEWAY) < pending {
        return Err(NodeRefusal::NotYet { at: pending, now: rules.now });
    }
    let since = rules.now.minus(trust.max_age);
    match rules.occasion {
        Occasion::Join if pending < since => Err(NodeRefusal::TooOld { at: pending, since }),
        Occasion::Join | Occasion::Renewal => Ok(()),
    }
}

fn moment(text: &str) -> Result<Timestamp, NodeRefusal> {
    let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
    at.map(|at| Timestamp::from_seconds(at.unix_timestamp())).map_err(|_| NodeRefusal::FieldMalformed("pendingTime"))
}

/// `us-west-2`, `us-gov-east-1`.
pub fn region_fits(text: &str) -> bool {
    (4..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `i-` and 8 or 17 hexadecimal digits.
fn instance_fits(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix("i-").is_some_and(|digits| matches!(digits.len(), 8 | 17) && digits.bytes().all(hex))
}
