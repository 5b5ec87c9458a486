//! Why a SAML assertion is not believed. What it shares with tokens (issuer, audience, times, groups) has the names of those.

use longhorn_xml::{MOST, XmlError};

use crate::host::clock::Timestamp;
use crate::screen::Screen;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SamlRefusal {
    /// Its bytes.
    #[error("the assertion is larger than any that a provider sends")]
    Oversized(usize),
    /// Not the XML that is read here; where, and what stands there.
    #[error("the assertion is not plain XML")]
    Xml(XmlError),
    /// The name of the root.
    #[error("this is neither a SAML 2.0 response nor an assertion")]
    NotAnAssertion(String),
    /// The key that opens it would have to lie on every node.
    #[error("the assertion is encrypted")]
    Encrypted,
    /// How many.
    #[error("the response holds more than one assertion")]
    SeveralAssertions(usize),
    /// Which.
    #[error("the assertion holds an element that it must not hold")]
    UnexpectedElement(String),
    /// Which.
    #[error("the assertion lacks what it must have")]
    MissingElement(&'static str),
    /// Which.
    #[error("a part of the assertion has the wrong form")]
    MalformedElement(&'static str),
    /// Which.
    #[error("the assertion is of another version of SAML")]
    OtherVersion(String),
    /// Its code.
    #[error("the provider answered that it did not authenticate anybody")]
    Status(String),
    /// Which.
    #[error("an id stands twice in the document")]
    IdTwice(String),
    /// Nowhere.
    #[error("neither the response nor its assertion is signed")]
    SignatureMissing,
    /// In which element.
    #[error("a signature stands where it covers nothing that is read")]
    SignatureMisplaced(String),
    /// In one element.
    #[error("an element is signed twice")]
    SeveralSignatures,
    /// What is wrong with it.
    #[error("the signature has another form than the profile has")]
    SignatureMalformed(&'static str),
    /// How many.
    #[error("the signature covers more than one thing")]
    SeveralReferences(usize),
    /// `Reference/@URI` is not the element that the signature stands in.
    #[error("the signature covers another element than the one that is read")]
    ReferenceElsewhere {
        /// The element that it stands in.
        expected: String,
        /// What it refers to.
        presented: String,
    },
    /// Which.
    #[error("the signature changes what it covers before it digests it")]
    Transform(String),
    /// Which.
    #[error("the signature is over another canonical form")]
    Canonicalization(String),
    /// Which.
    #[error("the signature's algorithm is not allowed")]
    Method(String),
    /// Which.
    #[error("the signature's digest is not allowed")]
    Digest(String),
    /// The signature is good, the bytes are not those that were signed.
    #[error("the assertion was changed after it was signed")]
    DigestDiffers,
    /// More than four times the largest file.
    #[error("the canonical form of the assertion is longer than any honest one")]
    Expansion,
    /// For which kind of key.
    #[error("the policy has no certificate for the signature's algorithm")]
    NoKeyFor(&'static str),
    /// The certificate that fits is not valid now.
    #[error("the certificate that signed the assertion is out of its time")]
    CertificateOutOfTime {
        /// Its begin.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// Which method.
    #[error("the subject is not confirmed for a bearer")]
    NotBearer(String),
    /// `Recipient` or `Destination` is another's.
    #[error("the assertion was made for another recipient")]
    Recipient {
        /// The policy's.
        expected: String,
        /// The assertion's.
        presented: String,
    },
    /// Which.
    #[error("the assertion holds under a condition that is not understood")]
    UnknownCondition(String),
    /// Which.
    #[error("an attribute stands twice in the assertion")]
    AttributeTwice(String),
    /// Format or qualifier.
    #[error("the subject's name is of another kind than the policy names")]
    NameId {
        /// `format`, `qualifier`, `service qualifier`.
        what: &'static str,
        /// The policy's.
        expected: String,
        /// The assertion's.
        presented: String,
    },
}

impl SamlRefusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Oversized(_) => "assertion-oversized",
            Self::Xml(error) => error.reason,
            Self::NotAnAssertion(_) => "not-an-assertion",
            Self::Encrypted => "assertion-encrypted",
            Self::SeveralAssertions(_) => "assertion-ambiguous",
            Self::UnexpectedElement(_) => "element-unexpected",
            Self::MissingElement(_) => "element-missing",
            Self::MalformedElement(_) => "element-malformed",
            Self::OtherVersion(_) => "version-mismatch",
            Self::Status(_) => "status-not-success",
            Self::IdTwice(_) => "id-duplicate",
            Self::SignatureMissing => "signature-missing",
            Self::SignatureMisplaced(_) => "signature-misplaced",
            Self::SeveralSignatures => "signature-ambiguous",
            Self::SignatureMalformed(_) => "signature-malformed",
            Self::SeveralReferences(_) => "reference-ambiguous",
            Self::ReferenceElsewhere { .. } => "reference-mismatch",
            Self::Transform(_) => "transform-not-allowed",
            Self::Canonicalization(_) => "canonicalization-not-allowed",
            Self::Method(_) => "algorithm-not-allowed",
            Self::Digest(_) => "digest-not-allowed",
            Self::DigestDiffers => "digest-mismatch",
            Self::Expansion => "xml-expansion",
            Self::NoKeyFor(_) => "key-unfit",
            Self::CertificateOutOfTime { .. } => "certificate-out-of-time",
            Self::NotBearer(_) => "confirmation-not-bearer",
            Self::Recipient { .. } => "recipient-mismatch",
            Self::UnknownCondition(_) => "condition-unknown",
            Self::AttributeTwice(_) => "attribute-duplicate",
            Self::NameId { .. } => "name-id-mismatch",
        }
    }

    /// What a person reads below the headline.
    pub(in crate::identity) fn tell(&self, screen: Screen) -> Screen {
        let differ = |what: &str, expected: &dyn std::fmt::Display, presented: &dyn std::fmt::Display| {
            let label = |word: &str| format!("{word} {what}").trim_end().to_owned();
            screen.clone().fact(label("expected"), expected).fact(label("presented"), presented)
        };
        let maker = "ask whoever runs the provider how it comes to send this";
        let forged = "somebody put this document together; nothing in it is believed";
        let profile = "let the provider sign with exclusive canonicalisation, SHA-256 or better, and RSA or ECDSA";
        match self {
            Self::Oversized(bytes) => {
                differ("bytes", &format!("at most {MOST}"), bytes).hint("is this file an assertion? Limit the groups in it")
            }
            Self::Xml(error) => differ("", &"XML in UTF-8, or its base64, as SAML needs it", &error)
                .hint("is this file the assertion, and all of it? What XML has and SAML does not need is refused"),
            Self::NotAnAssertion(root) => differ("root", &"Response or Assertion of SAML 2.0", root)
                .hint("the file must hold what the provider posts as SAMLResponse"),
            Self::Encrypted => differ("", &"an assertion that is signed and not encrypted", &"an encrypted part").hint(
                "switch encryption off at the provider: the key that opens it would have to lie on every node of every cluster",
            ),
            Self::SeveralAssertions(count) => differ("assertions", &1, count).hint(forged),
            Self::UnexpectedElement(name) => differ("element", &"those of the profile alone", name).hint(maker),
            Self::MissingElement(name) => differ("part", name, &"none").hint(maker),
            Self::MalformedElement(name) => {
                differ("part", &format!("{name}, as SAML defines it"), &"something else").hint(maker)
            }
            Self::OtherVersion(version) => {
                differ("version", &"2.0", &if version.is_empty() { "none" } else { version }).hint(maker)
            }
            Self::Status(code) => differ("status", &"Success", &code.rsplit(':').next().unwrap_or_default())
                .hint("the provider refused to sign anybody in: its own log says why"),
            Self::IdTwice(id) => differ("id", &"each once", id).hint(forged),
            Self::SignatureMissing => differ("", &"a signature of the response or of its assertion", &"none")
                .hint("let the provider sign its assertions; or somebody took the signature away"),
            Self::SignatureMisplaced(parent) => {
                differ("place", &"the response or its assertion", parent).hint(forged)
            }
            Self::SeveralSignatures => differ("signatures", &1, &"several").hint(forged),
            Self::SignatureMalformed(what) => differ("", &"SignedInfo, SignatureValue, KeyInfo, and nothing else", what).hint(forged),
            Self::SeveralReferences(count) => differ("references", &1, count).hint(forged),
            Self::ReferenceElsewhere { expected, presented } => {
                differ("reference", expected, &if presented.is_empty() { "none" } else { presented }).hint(forged)
            }
            Self::Transform(name) => {
                differ("transforms", &"enveloped-signature, then xml-exc-c14n", &last(name)).hint(profile)
            }
            Self::Canonicalization(name) => differ("form", &"xml-exc-c14n without comments", &last(name)).hint(profile),
            Self::Method(name) => {
                differ("algorithm", &"rsa-sha256, rsa-sha384, rsa-sha512, ecdsa-sha256, ecdsa-sha384", &last(name)).hint(profile)
            }
            Self::Digest(name) => differ("digest", &"sha256, sha384, sha512", &last(name)).hint(profile),
            Self::DigestDiffers => {
                differ("content", &"what was signed", &"something else").hint("fetch a fresh assertion and do not touch it")
            }
            Self::Expansion => differ("bytes", &format!("at most {}", 4 * MOST), &"more").hint(forged),
            Self::NoKeyFor(kind) => differ("key", &format!("a certificate with a key for {kind}"), &"others")
                .hint("the policy's `certificates` must hold the one that the provider signs with"),
            Self::CertificateOutOfTime { from, until, now } => {
                differ("time", &format!("from {from} until {until}"), &format!("{now}, by our clock"))
                    .hint("put the provider's new certificate into the policy: `longhorn policy saml-metadata` prints it")
            }
            Self::NotBearer(method) => differ("confirmation", &"bearer", &last(method)).hint(maker),
            Self::Recipient { expected, presented } => differ("recipient", expected, &if presented.is_empty() { "none" } else { presented })
                .hint("the policy's `recipient` is the address at which the provider delivers; an assertion for another service is not ours"),
            Self::UnknownCondition(name) => differ("condition", &"an audience, one use, no proxies", name).hint(maker),
            Self::AttributeTwice(name) => {
                differ("attribute", &"each once, with all its values", name).hint("an attribute that stands twice means two things")
            }
            Self::NameId { what, expected, presented } => {
                differ(what, expected, presented).hint("the policy's `subject` says which name is read")
            }
        }
    }
}

/// The part of a long name that a person knows it by.
fn last(name: &str) -> &str {
    let short = name.trim_end_matches(['#', '/']).rsplit(['#', '/', ':']).next().unwrap_or_default();
    if short.is_empty() { "none" } else { short }
}
