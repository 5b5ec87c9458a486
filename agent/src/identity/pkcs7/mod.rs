//! PKCS#7 (RFC 2315, RFC 5652) as clouds sign what they say of a machine: one signer, the content inside, nothing else.
//!
//! A strict reader of our own: [`ber`] brings what is outside to DER within bounds, [`der`] reads that and nothing looser,
//! [`certificate`] knows of a certificate what choosing a signer needs, [`signed`] is the structure, [`signature`] the check.
//! No key comes from the document unless the policy's roots vouch for it: that is the caller's part.

mod ber;
pub mod certificate;
mod der;
mod error;
mod signature;
mod signed;

pub(super) use signature::{Attributes, check};
pub(super) use signed::SignedData;
