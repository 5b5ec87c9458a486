//! What the sampler tells the sidecar: directories that processes of covered trees were seen to use. Seen now and then, so
//! never all of them.

use serde::{Deserialize, Serialize};

/// Pairs in one packet: what a record has room for.
pub const MOST: usize = 16;
/// Bytes of one path.
pub const LONGEST: usize = 400;
/// What a directory can be needed for, in a word.
pub const NEEDS: [&str; 4] = ["read", "write", "execute", "stand"];

/// One packet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Each a word of [`NEEDS`] and a directory.
    pub seen: Vec<(String, String)>,
    /// Whether there were more than are kept.
    pub full: bool,
}

impl Samples {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts in a list")
    }

    /// From bytes; `None` for anything that the sampler does not say.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let samples: Self = serde_json::from_slice(bytes).ok()?;
        let path = |path: &str| path.starts_with('/') && path.len() <= LONGEST && !path.chars().any(char::is_control);
        let fits =
            samples.seen.len() <= MOST && samples.seen.iter().all(|(need, named)| NEEDS.contains(&need.as_str()) && path(named));
        fits.then_some(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bounded_lists_of_needs_and_directories_are_samples() {
        let of = |need: &str, path: &str, count: usize| Samples { seen: vec![(need.into(), path.into()); count], full: false };
        assert_eq!(Samples::decode(&of("read", "/usr", MOST).encode()), Some(of("read", "/usr", MOST)));
        for bad in [of("own", "/usr", 1), of("read", "usr", 1), of("read", "/a\nb", 1), of("read", "/usr", MOST + 1)] {
            assert_eq!(Samples::decode(&bad.encode()), None, "{bad:?}");
        }
        assert_eq!(Samples::decode(&of("read", &format!("/{}", "x".repeat(LONGEST)), 1).encode()), None);
        assert_eq!(Samples::decode(b"{\"seen\":[],\"full\":false,\"more\":1}"), None);
    }
}
