//! XML as a SAML assertion needs it: read strictly, into elements with their namespaces resolved, and written in the form that a
//! signature is over. What it knows nothing of is SAML.
//!
//! [`Document`] is what was read (`scan` knows its letters); [`canonical()`] is the form.
//!
//! Whoever presents an assertion has it read before anything of it is believed, so this is a crate of its own, which the release
//! build makes fast where it makes all else small (agent/design/0046).
#![forbid(unsafe_code)]

mod canonical;
mod document;
mod scan;

pub use canonical::{EXCLUSIVE, INCLUSIVE, TooLong, canonical, prefixes};
pub use document::{Attribute, Child, Document, Element, MOST, XML, XmlError, blank};
