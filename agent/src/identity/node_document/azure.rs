//! Azure's attested document: JSON inside of PKCS#7, signed straight over the content, the signer's certificate in the bag.
//! It is the signer's own certificate that must chain to a root of the policy, not the first one in the bag; its name and
//! purpose are the metadata service's; the nonce is our node key's.

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use serde_json::Value;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, aws_lc_rs as algorithms};

use super::super::node_trust::{AzureTrust, Certificate, Cloud};
use super::super::pkcs7::{Attributes, SignedData, check};
use super::super::verified::{Basis, GotWith, Verified};
use super::super::verify::{Proof, Rules};
use super::{NodeProof, NodeRefusal, base64_lines, field, list, moment, nonce, signed_object};
use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;

/// Clocks of cloud and node may differ by this.
const LEEWAY: std::time::Duration = std::time::Duration::from_secs(60);

/// What certificates of a chain may be signed with: SHA-256 or better, RSA of 2048 bits or more, or the curves of NIST.
const CHAIN: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

pub(super) fn verify(answer: &[u8], trust: &AzureTrust, rules: &Rules<'_>) -> Result<Verified<Proof>, NodeRefusal> {
    let bytes = unwrapped(answer)?;
    let signed = SignedData::parse(&bytes)?;
    let certificate = signed.signer_among(signed.certificates()).ok_or_else(|| NodeRefusal::SignerUnknown {
        expected: "the signer's own certificate in the document".to_owned(),
        presented: signed.signer_serial(),
    })?;
    check_chain(certificate, trust, rules.now)?;
    let content = signed_object(check(&signed, certificate, Attributes::Absent)?)?;
    let subscription = field(&content, "subscriptionId", uuid)?;
    if !trust.subscriptions.contains(&subscription.to_ascii_lowercase()) {
        let (expected, presented) = (list(&trust.subscriptions), subscription.to_owned());
        return Err(NodeRefusal::Owner { what: "subscription", expected, presented });
    }
    let machine = field(&content, "vmId", uuid)?;
    let expected = nonce(rules.node_key);
    let presented = field(&content, "nonce", |_| true)?;
    if presented != expected {
        return Err(NodeRefusal::Nonce { expected, presented: presented.to_owned() });
    }
    let Some(Value::Object(times)) = content.get("timeStamp") else { return Err(NodeRefusal::FieldMissing("timeStamp")) };
    let (begins, ends) = (time(field(times, "createdOn", |_| true)?)?, time(field(times, "expiresOn", |_| true)?)?);
    if rules.now.plus(LEEWAY) < begins {
        return Err(NodeRefusal::NotYet { at: begins, now: rules.now });
    }
    if rules.now >= ends {
        return Err(NodeRefusal::Ended { at: ends, now: rules.now });
    }
    let basis = Basis {
        voucher: format!("azure:{}", subscription.to_ascii_lowercase()),
        key: Some(certificate.serial()),
        checked: rules.now,
        good_until: ends.min(rules.now.plus(rules.period)),
        digest: sha256_hex(&bytes),
        got_with: GotWith::Given,
    };
    let (owner, instance) = (subscription.to_ascii_lowercase(), machine.to_ascii_lowercase());
    Ok(Verified::new(Proof::Node(NodeProof { cloud: Cloud::Azure, owner, instance, address: None }), basis))
}

/// `{"encoding":"pkcs7","signature":"…"}`: the frame, of which nothing else is looked at.
fn unwrapped(answer: &[u8]) -> Result<Vec<u8>, NodeRefusal> {
    let frame = signed_object(answer).map_err(|refusal| match refusal {
        NodeRefusal::Malformed(_) => NodeRefusal::Malformed("an answer with encoding and signature"),
        other => other,
    })?;
    match (frame.get("encoding"), frame.get("signature")) {
        (Some(Value::String(encoding)), Some(Value::String(signature))) if encoding == "pkcs7" => {
            base64_lines(signature.as_bytes())
        }
        _ => Err(NodeRefusal::Malformed("an answer with encoding pkcs7 and a signature")),
    }
}

/// RFC 5280 §6, by rustls-webpki: from the signer to a root of the policy, now, for server authentication, under our names.
fn check_chain(signer: &Certificate, trust: &AzureTrust, now: Timestamp) -> Result<(), NodeRefusal> {
    let untrusted = |error: webpki::Error| NodeRefusal::ChainUntrusted(error.to_string());
    let end = EndEntityCert::try_from(signer.der()).map_err(untrusted)?;
    let anchors = trust.roots.iter().map(|root| anchor_from_trusted_cert(root.der()));
    let anchors = anchors.collect::<Result<Vec<_>, _>>().map_err(untrusted)?;
    let between: Vec<CertificateDer<'_>> = trust.intermediates.iter().map(|one| one.der().clone()).collect();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(now.seconds()).unwrap_or(0)));
    end.verify_for_usage(CHAIN, &anchors, &between, at, KeyUsage::server_auth(), None, None).map_err(|error| match error {
        webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
            let (begins, ends) = signer.validity();
            NodeRefusal::CertificateTime { begins, ends, now }
        }
        webpki::Error::RequiredEkuNotFoundContext(_) => NodeRefusal::CertificateUsage,
        other => untrusted(other),
    })?;
    // As it stands: a wildcard is a name of many machines.
    let presented: Vec<&str> = end.valid_dns_names().collect();
    if presented.iter().any(|name| trust.names.contains(*name)) {
        return Ok(());
    }
    Err(NodeRefusal::CertificateName { expected: list(&trust.names), presented: presented.join(", ") })
}

/// `07/28/26 13:24:00 -0000`.
fn time(text: &str) -> Result<Timestamp, NodeRefusal> {
    let malformed = NodeRefusal::FieldMalformed("timeStamp");
    let bytes = text.as_bytes();
    let marks = [(2, b'/'), (5, b'/'), (8, b' '), (11, b':'), (14, b':')];
    let shaped = bytes.len() == 23 && marks.iter().all(|(at, mark)| bytes[*at] == *mark) && bytes.ends_with(b" -0000");
    let number = |at: usize| -> Option<u8> {
        let digits = bytes[at..at + 2].iter().all(u8::is_ascii_digit);
        digits.then(|| (bytes[at] - b'0') * 10 + bytes[at + 1] - b'0')
    };
    let parse = || moment(2000 + i32::from(number(6)?), [number(0)?, number(3)?, number(9)?, number(12)?, number(15)?]);
    if shaped { parse().ok_or(malformed) } else { Err(malformed) }
}

/// A UUID in its usual text, in either case.
pub fn uuid(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}
