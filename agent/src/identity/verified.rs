//! Proof as a value: what holding a [`Verified`] tells you.

use crate::host::clock::Timestamp;

/// A value that this room checked against keys and rules from the signed policy.
///
/// Holding one tells you that the check happened, by whom ([`Basis`]), when, and until when it may be relied on.
/// It does not tell you that the value is *enough*: that is the decision room's question. The fields are private and
/// the constructor is visible to the identity room alone; there is no `Deserialize`, no `Default`, no `From`.
#[derive(Debug)]
#[must_use]
pub struct Verified<T> {
    value: T,
    basis: Basis,
}

/// On what a verified value rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// Who vouches: an issuer, or the workspace's origin.
    pub voucher: String,
    /// With which key, where a signature was checked (a JWK's `kid` or an RFC 7638 thumbprint).
    pub key: Option<String>,
    /// When it was checked.
    pub checked: Timestamp,
    /// Until when it may be relied on.
    pub good_until: Timestamp,
    /// SHA-256 (hex) over the bytes that were checked; goes into context and record.
    pub digest: String,
    /// With what the agent got it.
    pub got_with: GotWith,
}

/// With what the agent got a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GotWith {
    /// What it was given for that: a token, a secret, a key. Also where nothing is needed.
    Given,
    /// A cloud's token about the machine's identity, which every program on it gets that reaches the metadata service.
    CloudToken,
}

impl GotWith {
    /// The word in contexts and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::CloudToken => "cloud-token",
        }
    }
}

impl<T> Verified<T> {
    pub(super) fn new(value: T, basis: Basis) -> Self {
        Self { value, basis }
    }

    /// The value, if it may still be relied on at `now`.
    pub fn at(&self, now: Timestamp) -> Option<&T> {
        (now < self.basis.good_until).then_some(&self.value)
    }

    /// On what it rests.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    pub(super) fn into_parts(self) -> (T, Basis) {
        (self.value, self.basis)
    }
}
