//! XML Signature, one profile of it: enveloped, over the element that it stands in, by a key of the policy. Yields the bytes
//! that were digested; nothing else of the document may be believed.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn_xml::{Document, EXCLUSIVE, INCLUSIVE, blank, canonical, prefixes};

use super::names::{ENVELOPED, SIGNATURE};
use super::refusal::SamlRefusal;
use crate::host::clock::Timestamp;
use crate::identity::certificate::{SigningCertificate, SigningKey};
use crate::identity::refusal::Refusal;

/// No honest `PrefixList` names more.
const MOST_PREFIXES: usize = 16;

/// What a signature covers.
pub(super) struct Signed {
    /// The canonical bytes whose digest was signed.
    pub(super) bytes: Vec<u8>,
    /// SHA-256 (hex) of the certificate whose key signed.
    pub(super) certificate: String,
}

/// Signature methods (RFC 6931 §2.3) and the digest that each names.
const METHODS: &[(&str, Method)] = &[
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", Method::Rsa256),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", Method::Rsa384),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", Method::Rsa512),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", Method::P256),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", Method::P384),
];

/// Digest methods (XML Encryption §5.7, RFC 6931 §2.1).
const DIGESTS: &[(&str, &digest::Algorithm)] = &[
    ("http://www.w3.org/2001/04/xmlenc#sha256", &digest::SHA256),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", &digest::SHA384),
    ("http://www.w3.org/2001/04/xmlenc#sha512", &digest::SHA512),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Rsa256,
    Rsa384,
    Rsa512,
    P256,
    P384,
}

/// Checks the signature `at`, which stands in `parent`.
pub(super) fn verify(
    document: &Document<'_>,
    parent: usize,
    at: usize,
    certificates: &[SigningCertificate],
    now: Timestamp,
) -> Result<Signed, Refusal> {
    let [info, value, ..] = parts(document, at, &["SignedInfo", "SignatureValue"], Some("KeyInfo"))?[..] else {
        return Err(SamlRefusal::SignatureMalformed("a Signature without its parts").into());
    };
    let references = document.named(info, SIGNATURE, "Reference").count();
    if references > 1 {
        return Err(SamlRefusal::SeveralReferences(references).into());
    }
    let [by, method, reference] = parts(document, info, &["CanonicalizationMethod", "SignatureMethod", "Reference"], None)?[..]
    else {
        return Err(SamlRefusal::SignatureMalformed("a SignedInfo without its parts").into());
    };
    let info_prefixes = exclusive(document, by, SamlRefusal::Canonicalization)?;
    let method = method_of(document, method)?;
    let referred = Reference::read(document, parent, reference)?;
    let too_long = |_| Refusal::from(SamlRefusal::Expansion);
    let signed = canonical(document, info, None, &info_prefixes).map_err(too_long)?;
    let certificate = checks(certificates, method, &signed, &base64(document, value, "a SignatureValue")?, now)?;
    let bytes = canonical(document, parent, Some(at), &referred.prefixes).map_err(too_long)?;
    if digest::digest(referred.algorithm, &bytes).as_ref() != referred.digest {
        return Err(SamlRefusal::DigestDiffers.into());
    }
    Ok(Signed { bytes, certificate })
}

/// What is digested, and what comes of it.
struct Reference<'d> {
    prefixes: Vec<&'d str>,
    algorithm: &'static digest::Algorithm,
    digest: Vec<u8>,
}

impl<'d> Reference<'d> {
    fn read(document: &'d Document<'_>, parent: usize, at: usize) -> Result<Self, Refusal> {
        // The one element that may be meant is the one that the signature stands in (SAML 2.0 core §5.4.2).
        let expected = document.elements[parent].attribute("ID").filter(|id| plain_id(id)).map(|id| format!("#{id}"));
        let expected = expected.ok_or(SamlRefusal::MalformedElement("ID"))?;
        let presented = document.elements[at].attribute("URI").unwrap_or_default();
        if presented != expected {
            return Err(SamlRefusal::ReferenceElsewhere { expected, presented: presented.to_owned() }.into());
        }
        let [transforms, method, value] = parts(document, at, &["Transforms", "DigestMethod", "DigestValue"], None)?[..] else {
            return Err(SamlRefusal::SignatureMalformed("a Reference without its parts").into());
        };
        let named = |at: usize| document.elements[at].attribute("Algorithm").unwrap_or_default();
        let steps: Vec<usize> = document.children(transforms).collect();
        let only = steps.iter().all(|at| document.elements[*at].is(SIGNATURE, "Transform")) && document.structural(transforms);
        let [enveloped, last] = steps[..] else {
            let all: Vec<&str> = steps.iter().map(|at| named(*at)).collect();
            return Err(SamlRefusal::Transform(all.join(", ")).into());
        };
        if !only || named(enveloped) != ENVELOPED || document.children(enveloped).next().is_some() {
            return Err(SamlRefusal::Transform(named(enveloped).to_owned()).into());
        }
        let prefixes = exclusive(document, last, SamlRefusal::Transform)?;
        let presented = named(method);
        let algorithm = DIGESTS.iter().find(|(name, _)| *name == presented).map(|(_, algorithm)| *algorithm);
        let algorithm = algorithm.ok_or_else(|| SamlRefusal::Digest(presented.to_owned()))?;
        Ok(Self { prefixes, algorithm, digest: base64(document, value, "a DigestValue")? })
    }
}

/// The children of an element of a signature: exactly these, in this order, and one more where it may be.
fn parts(document: &Document<'_>, of: usize, names: &[&'static str], optional: Option<&str>) -> Result<Vec<usize>, Refusal> {
    let found: Vec<usize> = document.children(of).collect();
    let fits = |(at, name): (&usize, &&str)| document.elements[*at].is(SIGNATURE, name);
    let last = found.get(names.len()).is_none_or(|at| optional.is_some_and(|name| document.elements[*at].is(SIGNATURE, name)));
    let whole = found.len() >= names.len() && found.len() <= names.len() + 1;
    if whole && last && found.iter().zip(names).all(fits) && document.structural(of) {
        return Ok(found);
    }
    Err(SamlRefusal::SignatureMalformed("other parts than the profile has, or in another order").into())
}

/// Exclusive canonicalisation without comments, and nothing else; its `InclusiveNamespaces`.
fn exclusive<'d>(document: &'d Document<'_>, at: usize, refused: fn(String) -> SamlRefusal) -> Result<Vec<&'d str>, Refusal> {
    let element = &document.elements[at];
    let presented = element.attribute("Algorithm").unwrap_or_default();
    if presented != EXCLUSIVE {
        return Err(refused(presented.to_owned()).into());
    }
    let inner: Vec<usize> = document.children(at).collect();
    let list = match inner[..] {
        [] if document.structural(at) => return Ok(Vec::new()),
        [one] if document.elements[one].is(INCLUSIVE, "InclusiveNamespaces") && document.structural(at) => {
            document.elements[one].attribute("PrefixList").filter(|_| document.elements[one].children.is_empty())
        }
        _ => None,
    };
    let list = list.map(prefixes).filter(|list| list.len() <= MOST_PREFIXES);
    list.ok_or_else(|| SamlRefusal::SignatureMalformed("a canonicalisation with other parameters").into())
}

/// The signature algorithm comes from our list. HMAC is not in it: a public key must never serve as a secret one.
fn method_of(document: &Document<'_>, at: usize) -> Result<Method, Refusal> {
    let presented = document.elements[at].attribute("Algorithm").unwrap_or_default();
    let method = METHODS.iter().find(|(name, _)| *name == presented).map(|(_, method)| *method);
    let method = method.ok_or_else(|| SamlRefusal::Method(presented.to_owned()))?;
    if document.elements[at].children.is_empty() {
        return Ok(method);
    }
    Err(SamlRefusal::SignatureMalformed("a SignatureMethod with parameters").into())
}

/// The key is one of the policy's; what KeyInfo brings is never looked at (XML Signature §4.5 leaves it to the application).
fn checks(
    certificates: &[SigningCertificate],
    method: Method,
    signed: &[u8],
    given: &[u8],
    now: Timestamp,
) -> Result<String, Refusal> {
    let mut fitting = certificates.iter().filter(|one| fits(&one.key, method)).peekable();
    if fitting.peek().is_none() {
        return Err(SamlRefusal::NoKeyFor(word(method)).into());
    }
    let found = fitting.find(|one| verifies(&one.key, method, signed, given)).ok_or(Refusal::SignatureInvalid)?;
    if now < found.not_before || now >= found.not_after {
        return Err(SamlRefusal::CertificateOutOfTime { from: found.not_before, until: found.not_after, now }.into());
    }
    Ok(found.sha256.clone())
}

fn word(method: Method) -> &'static str {
    match method {
        Method::Rsa256 | Method::Rsa384 | Method::Rsa512 => "RSA",
        Method::P256 => "P-256",
        Method::P384 => "P-384",
    }
}

fn fits(key: &SigningKey, method: Method) -> bool {
    match (key, method) {
        (SigningKey::Rsa(_), Method::Rsa256 | Method::Rsa384 | Method::Rsa512)
        | (SigningKey::P256(_), Method::P256)
        | (SigningKey::P384(_), Method::P384) => true,
        (SigningKey::Rsa(_) | SigningKey::P256(_) | SigningKey::P384(_), _) => false,
    }
}

fn verifies(key: &SigningKey, method: Method, signed: &[u8], given: &[u8]) -> bool {
    let algorithm: &'static dyn VerificationAlgorithm = match method {
        Method::Rsa256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Method::Rsa384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Method::Rsa512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        // RFC 6931 §2.3.6: the two numbers one behind the other.
        Method::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        Method::P384 => &signature::ECDSA_P384_SHA384_FIXED,
    };
    let (SigningKey::Rsa(key) | SigningKey::P256(key) | SigningKey::P384(key)) = key;
    UnparsedPublicKey::new(algorithm, key).verify(signed, given).is_ok()
}

/// Base64 in lines, as signatures carry it (XML Signature §4.3).
fn base64(document: &Document<'_>, at: usize, what: &'static str) -> Result<Vec<u8>, Refusal> {
    let text: Option<String> = document.text(at).map(|text| text.chars().filter(|letter| !blank(*letter)).collect());
    let bytes = text.and_then(|text| STANDARD.decode(text).ok());
    bytes.ok_or_else(|| SamlRefusal::MalformedElement(what).into())
}

/// An ID that needs no escape in a URI: XPointer and percent signs must not make two texts of one name.
fn plain_id(id: &str) -> bool {
    (1..=256).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && !id.as_bytes()[0].is_ascii_digit()
}
