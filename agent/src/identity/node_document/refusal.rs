//! Why a cloud's word on this machine is not believed.

use super::super::pkcs7::certificate::LEAST_BITS;
use crate::host::clock::Timestamp;
use crate::screen::Screen;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeRefusal {
    /// Not the structure; what was expected.
    #[error("the instance document is malformed")]
    Malformed(&'static str),
    /// Too large.
    #[error("the instance document is larger than any that a cloud sends")]
    Oversized {
        /// The most bytes.
        most: usize,
        /// Its bytes.
        presented: usize,
    },
    /// None, or several: which of them is meant would be the attacker's choice.
    #[error("the instance document has not exactly one signer")]
    SignerCount(usize),
    /// Signed as something else.
    #[error("the instance document was signed as another type of content")]
    ContentType,
    /// SHA-1, or one that is not known.
    #[error("the instance document is signed over a digest that does not count")]
    DigestWeak,
    /// Not RSA with the signer's digest.
    #[error("the instance document is signed with an algorithm that does not count")]
    SignatureAlgorithm,
    /// There, or not there, against the custom of the kind; what was expected.
    #[error("the instance document is not signed in the way of its cloud")]
    Attributes(&'static str),
    /// Which.
    #[error("the instance document lacks a signed attribute")]
    AttributeMissing(&'static str),
    /// The attributes were signed for another content.
    #[error("the instance document holds another content than was signed")]
    DigestMismatch,
    /// Its bits.
    #[error("the instance document's signer has a key that is too short")]
    KeyWeak(usize),
    /// Somebody else signed.
    #[error("the instance document's signature does not verify")]
    SignatureInvalid,
    /// No certificate of that issuer and number.
    #[error("the instance document's signer is not one that is trusted")]
    SignerUnknown {
        /// The numbers that would do.
        expected: String,
        /// The signer's.
        presented: String,
    },
    /// Not yet, or no more.
    #[error("the instance document's signer has a certificate that does not hold now")]
    CertificateTime {
        /// Its begin.
        begins: Timestamp,
        /// Its end.
        ends: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// No chain to a root of the policy; why.
    #[error("the instance document's signer does not chain to a root of the policy")]
    ChainUntrusted(String),
    /// For something else than server authentication.
    #[error("the instance document's signer has a certificate for another purpose")]
    CertificateUsage,
    /// Of somebody else.
    #[error("the instance document's signer has a certificate of another name")]
    CertificateName {
        /// The policy's.
        expected: String,
        /// The certificate's.
        presented: String,
    },
    /// Of a machine of somebody else.
    #[error("the machine belongs to somebody whom the policy does not name")]
    Owner {
        /// account, subscription or project.
        what: &'static str,
        /// The policy's.
        expected: String,
        /// The document's.
        presented: String,
    },
    /// Signed under one region's certificate, speaking of another.
    #[error("the instance document speaks of another region than its signer's")]
    Region {
        /// The signer's.
        expected: String,
        /// The document's.
        presented: String,
    },
    /// The machine was started too long ago for a node that joins.
    #[error("the machine was started longer ago than the policy allows for a node that joins")]
    TooOld {
        /// When it was started.
        at: Timestamp,
        /// Since when is allowed.
        since: Timestamp,
    },
    /// Past its end.
    #[error("the instance document has ended")]
    Ended {
        /// Its end.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// Before its begin.
    #[error("the instance document is not valid yet")]
    NotYet {
        /// Its begin.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// Asked for by somebody else.
    #[error("the instance document was made for another node key")]
    Nonce {
        /// Of our key.
        expected: String,
        /// The document's.
        presented: String,
    },
    /// Which.
    #[error("the instance document lacks a value that it must have")]
    FieldMissing(&'static str),
    /// Which.
    #[error("a value of the instance document has the wrong form")]
    FieldMalformed(&'static str),
    /// A name stands twice.
    #[error("the instance document names something twice")]
    Ambiguous,
    /// The policy trusts another cloud, or none.
    #[error("the policy does not trust this cloud's word")]
    CloudUntrusted {
        /// The policy's.
        expected: &'static str,
        /// Whom the settings ask.
        presented: &'static str,
    },
    /// The workspace lists this node without saying on which machine.
    #[error("the workspace does not say on which machine this node runs")]
    Unlisted {
        /// The field of clusters/get.
        field: &'static str,
        /// What the cloud said.
        cloud: String,
    },
    /// A row of the table of agreement.
    #[error("the cloud speaks of another machine than the workspace")]
    Disagreement {
        /// The row's stable name.
        reason: &'static str,
        /// The field of clusters/get.
        field: &'static str,
        /// The workspace's word.
        expected: String,
        /// The cloud's.
        presented: String,
    },
}

impl NodeRefusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "document-malformed",
            Self::Oversized { .. } => "document-oversized",
            Self::SignerCount(_) => "document-signers",
            Self::ContentType => "document-content-type",
            Self::DigestWeak => "document-digest-weak",
            Self::SignatureAlgorithm => "document-signature-algorithm",
            Self::Attributes(_) => "document-attributes",
            Self::AttributeMissing(_) => "document-attribute-missing",
            Self::DigestMismatch => "document-digest-mismatch",
            Self::KeyWeak(_) => "document-key-weak",
            Self::SignatureInvalid => "document-signature-invalid",
            Self::SignerUnknown { .. } => "document-signer-unknown",
            Self::CertificateTime { .. } => "document-certificate-ended",
            Self::ChainUntrusted(_) => "document-chain-untrusted",
            Self::CertificateUsage => "document-certificate-usage",
            Self::CertificateName { .. } => "document-certificate-name",
            Self::Owner { .. } => "document-owner-mismatch",
            Self::Region { .. } => "document-region-mismatch",
            Self::TooOld { .. } => "document-too-old",
            Self::Ended { .. } => "document-ended",
            Self::NotYet { .. } => "document-not-yet-valid",
            Self::Nonce { .. } => "document-nonce-mismatch",
            Self::FieldMissing(_) => "document-field-missing",
            Self::FieldMalformed(_) => "document-field-malformed",
            Self::Ambiguous => "document-ambiguous",
            Self::CloudUntrusted { .. } => "document-cloud-untrusted",
            Self::Unlisted { .. } => "machine-not-listed",
            Self::Disagreement { reason, .. } => reason,
        }
    }

    /// Facts and hint onto the screen that the identity room began.
    pub fn tell(&self, screen: Screen) -> Screen {
        let differ = |what: &str, expected: &dyn std::fmt::Display, presented: &dyn std::fmt::Display| {
            let label = |word: &str| format!("{word} {what}").trim_end().to_owned();
            screen.clone().fact(label("expected"), expected).fact(label("presented"), presented)
        };
        const FORGED: &str = "this is not what the metadata service of the cloud sends: who answers on this node's network?";
        match self {
            Self::Malformed(expected) => differ("", expected, &"something else").hint(FORGED),
            Self::Oversized { most, presented } => differ("bytes", &format!("at most {most}"), presented).hint(FORGED),
            Self::SignerCount(presented) => differ("signers", &1, presented).hint(FORGED),
            Self::ContentType => differ("content type", &"data", &"another").hint(FORGED),
            Self::DigestWeak => differ("digest", &"SHA-256, SHA-384 or SHA-512", &"another").hint(FORGED),
            Self::SignatureAlgorithm => differ("signature", &"RSA with the signer's digest", &"another").hint(FORGED),
            Self::Attributes(expected) => differ("", expected, &"the other way").hint(FORGED),
            Self::AttributeMissing(name) => differ("signed attribute", name, &"none").hint(FORGED),
            Self::DigestMismatch => {
                differ("digest", &"that of the content", &"another").hint("the document was edited after it was signed")
            }
            Self::KeyWeak(bits) => differ("key bits", &format!("at least {LEAST_BITS}"), bits).hint(FORGED),
            Self::SignatureInvalid => {
                differ("signature", &"the signer's", &"another").hint("the document was edited, or signed by somebody else")
            }
            Self::SignerUnknown { expected, presented } => differ("certificate number", expected, presented)
                .hint("if the cloud has a new certificate, put it into [trust.node] of the signed policy"),
            Self::CertificateTime { begins, ends, now } => {
                differ("time", &format!("from {begins} to {ends}"), &format!("{now}, by our clock"))
                    .hint("this node's clock is wrong, or the policy holds a certificate that the cloud has replaced")
            }
            Self::ChainUntrusted(why) => differ("chain", &"to a root of the policy", why)
                .hint("`roots` and `intermediates` of [trust.node] must hold what stands above the cloud's signer"),
            Self::CertificateUsage => differ("usage", &"server authentication", &"another").hint(FORGED),
            Self::CertificateName { expected, presented } => differ("name", expected, presented)
                .hint("`names` of [trust.node] lists the names of the cloud's metadata service"),
            Self::Owner { what, expected, presented } => {
                differ(what, expected, presented).hint("[trust.node] of the policy names whose machines may join")
            }
            Self::Region { expected, presented } => differ("region", expected, presented)
                .hint("the certificate stands under the wrong region in the policy, or a region's key signed for another"),
            Self::TooOld { at, since } => differ("start", &format!("after {since}"), at)
                .hint("`max-age` of [trust.node] must cover how long machines wait in a pool before a cluster takes them"),
            Self::Ended { at, now } => differ("end", &format!("after {now}, by our clock"), at)
                .hint("an old document was replayed, or this clock is wrong"),
            Self::NotYet { at, now } => {
                differ("begin", &format!("before {now}, by our clock"), at).hint("this node's clock, or the cloud's, is wrong")
            }
            Self::Nonce { expected, presented } => {
                differ("nonce", expected, presented).hint("the document was asked for by another node, and replayed here")
            }
            Self::FieldMissing(name) => differ("value", name, &"none").hint(FORGED),
            Self::FieldMalformed(name) => differ("value", &format!("{name} as the cloud writes it"), &"another").hint(FORGED),
            Self::Ambiguous => differ("", &"each name once", &"a name that stands twice").hint(FORGED),
            Self::CloudUntrusted { expected, presented } => differ("cloud", expected, presented)
                .hint("`kind` of [node-document] in the settings and of [trust.node] in the policy must be the same"),
            Self::Unlisted { field, cloud } => screen
                .fact("expected", format!("{field} of this node in clusters/get"))
                .fact("presented", format!("none; the cloud says {cloud}"))
                .hint("without it nothing ties the machine to this cluster; is this cluster on the cloud that the policy names?"),
            Self::Disagreement { field, expected, presented, .. } => {
                differ(field, expected, presented).hint("the document of another machine was presented here, or the workspace's")
            }
        }
    }
}
