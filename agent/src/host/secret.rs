//! Secrets: never shown, never copied by accident, wiped when dropped.

use zeroize::Zeroizing;

/// A secret text.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret over. `None` when it is not printable ASCII: such a secret would break the header it goes into.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty() && text.bytes().all(printable))?;
        Some(Self(Zeroizing::new(text.to_owned())))
    }

    /// The one way in.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The bytes that a secret consists of.
pub fn printable(byte: u8) -> bool {
    (0x21..0x7f).contains(&byte)
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_printable_ascii_and_never_empty() {
        let taken = |bytes| Secret::new(bytes).map(|secret| secret.expose().to_owned());
        assert_eq!(taken(b"s3cret!~"), Some("s3cret!~".to_owned()));
        assert_eq!(taken(b""), None);
        for foreign in [&b"a b"[..], b"a\r", b"a\0", b"a\x7f", "geh\u{e4}im".as_bytes(), b"a\xff"] {
            assert_eq!(taken(foreign), None, "{foreign:?}");
        }
    }
}
