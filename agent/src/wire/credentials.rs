//! The agent's credentials on their way from `init` (which reads files as root) through the keeper to each sidecar:
//! one sealed memory file, never a path, an argument or a variable.

use std::collections::BTreeMap;

use zeroize::{Zeroize, Zeroizing};

/// Names of credentials: `workspace`, `oidc:<issuer>`, `graph:<issuer>`, `saml:<provider>`, `registry`, `pseudonym`,
/// `authority`.
#[derive(Default)]
pub struct Credentials(BTreeMap<String, Zeroizing<Vec<u8>>>);

/// Why bytes are not credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a credentials file of this version")]
pub struct NotCredentials;

const MAGIC: &[u8; 8] = b"LHCRED1\n";

impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

impl Credentials {
    /// Adds one.
    pub fn insert(&mut self, name: impl Into<String>, secret: Zeroizing<Vec<u8>>) {
        self.0.insert(name.into(), secret);
    }

    /// One by its name.
    pub fn expose(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|secret| secret.as_slice())
    }

    /// As bytes: names and secrets, each behind its length.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let size = self.0.iter().map(|(name, secret)| name.len() + secret.len() + 8).sum::<usize>() + MAGIC.len();
        // Reserved at once: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        bytes.extend_from_slice(MAGIC);
        for (name, secret) in &self.0 {
            for part in [name.as_bytes(), secret.as_slice()] {
                bytes.extend_from_slice(&u32::try_from(part.len()).expect("secret files are capped at 64 KiB").to_le_bytes());
                bytes.extend_from_slice(part);
            }
        }
        bytes
    }

    /// From bytes; wipes them.
    ///
    /// # Errors
    /// When they are not exactly what [`Credentials::encode`] makes.
    pub fn decode(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, NotCredentials> {
        let parsed = Self::parse(&bytes);
        bytes.zeroize();
        parsed
    }

    fn parse(bytes: &[u8]) -> Result<Self, NotCredentials> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(NotCredentials)?;
        let mut found = Self::default();
        while !rest.is_empty() {
            let (name, after) = part(rest)?;
            let (secret, after) = part(after)?;
            found.insert(std::str::from_utf8(name).map_err(|_| NotCredentials)?, Zeroizing::new(secret.to_vec()));
            rest = after;
        }
        Ok(found)
    }
}

fn part(bytes: &[u8]) -> Result<(&[u8], &[u8]), NotCredentials> {
    let (length, rest) = bytes.split_at_checked(4).ok_or(NotCredentials)?;
    let length = u32::from_le_bytes(length.try_into().map_err(|_| NotCredentials)?);
    rest.split_at_checked(length as usize).ok_or(NotCredentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_survive_the_way_and_never_show_in_debug() {
        let mut credentials = Credentials::default();
        credentials.insert("workspace", Zeroizing::new(b"s3cret".to_vec()));
        credentials.insert("oidc:okta", Zeroizing::new(b"a.b.c".to_vec()));
        let again = Credentials::decode(credentials.encode()).unwrap();
        assert_eq!(again.expose("workspace"), Some(&b"s3cret"[..]));
        assert_eq!(again.expose("oidc:okta"), Some(&b"a.b.c"[..]));
        assert_eq!(again.expose("oidc:other"), None);
        assert!(!format!("{again:?}").contains("s3cret"));
        let bytes = credentials.encode();
        for length in 1..bytes.len() {
            let cut = Credentials::decode(Zeroizing::new(bytes[..length].to_vec()));
            assert!(cut.is_err() || cut.is_ok_and(|found| found.0.len() < 2), "cut at {length}");
        }
    }
}
