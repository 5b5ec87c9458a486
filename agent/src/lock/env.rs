//! Environment variables: what passes is pinned, allowed or injected; everything else is gone. Names are reported, values
//! never are.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The rule of one environment, as slices of the sealed lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvRule {
    /// Names that pass, sorted.
    pub exact: Vec<Vec<u8>>,
    /// Prefixes of names that pass.
    pub prefixes: Vec<Vec<u8>>,
    /// Names with the values they get, pinned and injected, sorted by name.
    pub fixed: Vec<(Vec<u8>, Vec<u8>)>,
}

/// An environment that was built by a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// `NAME=value`, without terminator.
    pub entries: Vec<OsString>,
    /// Names that were removed, in the order of appearance.
    pub removed: Vec<OsString>,
    /// Names that were present with another value than the pinned one.
    pub overridden: Vec<OsString>,
}

/// Context variables come from Longhorn alone.
const RESERVED: &[u8] = b"LONGHORN_";

impl EnvRule {
    /// Builds the environment of a covered process.
    ///
    /// Of several entries with one name the first passes, as getenv(3) would see it; the others are removed, so that no
    /// two programs of one tree read different values. Entries without `=` have no name and are removed.
    pub fn build<'a>(&self, given: impl Iterator<Item = (&'a OsStr, &'a OsStr)>) -> Built {
        let mut built = Built::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        built.entries.extend(self.fixed.iter().map(|(name, value)| join(name, value)));
        for (name, value) in given {
            let bytes = name.as_bytes();
            if let Ok(at) = self.fixed.binary_search_by(|(fixed, _)| fixed.as_slice().cmp(bytes)) {
                if self.fixed[at].1 != value.as_bytes() {
                    built.overridden.push(name.to_owned());
                }
            } else if !bytes.starts_with(RESERVED) && self.allows(bytes) && !seen.contains(&bytes) {
                seen.push(bytes);
                built.entries.push(join(bytes, value.as_bytes()));
            } else {
                built.removed.push(name.to_owned());
            }
        }
        built
    }

    /// What an observed process starts with: what it was given, with the context's own variables instead of whatever stood
    /// under their prefix. The names are those of [`EnvRule::build`].
    pub fn observe<'a>(&self, given: impl Iterator<Item = (&'a OsStr, &'a OsStr)> + Clone) -> Built {
        let others = given.clone().filter(|(name, _)| !name.as_bytes().starts_with(RESERVED));
        let own = self.fixed.iter().filter(|(name, _)| name.starts_with(RESERVED)).map(|(name, value)| join(name, value));
        Built {
            entries: own.chain(others.map(|(name, value)| join(name.as_bytes(), value.as_bytes()))).collect(),
            ..self.build(given)
        }
    }

    /// Whether these variables are of a process that got the context injected, or of a child of one. No proof: any process
    /// can set them, and one that clears its environment has them no more.
    pub fn told<'a>(&self, given: impl Iterator<Item = (&'a OsStr, &'a OsStr)> + Clone) -> bool {
        let mut own = self.fixed.iter().filter(|(name, _)| name.starts_with(RESERVED)).peekable();
        own.peek().is_some()
            && own.all(|(name, value)| given.clone().any(|(given, with)| given.as_bytes() == name && with.as_bytes() == value))
    }

    fn allows(&self, name: &[u8]) -> bool {
        self.exact.binary_search_by(|exact| exact.as_slice().cmp(name)).is_ok()
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

fn join(name: &[u8], value: &[u8]) -> OsString {
    let mut entry = Vec::with_capacity(name.len() + value.len() + 1);
    entry.extend_from_slice(name);
    entry.push(b'=');
    entry.extend_from_slice(value);
    OsString::from_vec(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> EnvRule {
        EnvRule {
            exact: vec![b"HOME".to_vec(), b"PATH".to_vec()],
            prefixes: vec![b"FEATURE_".to_vec(), b"LONG".to_vec()],
            fixed: vec![(b"LONGHORN_SCOPE".to_vec(), b"fraud".to_vec()), (b"TZ".to_vec(), b"UTC".to_vec())],
        }
    }

    fn build(given: &[(&str, &str)]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let built = rule().build(given.iter().map(|(name, value)| (OsStr::new(*name), OsStr::new(*value))));
        let text = |list: Vec<OsString>| list.into_iter().map(|one| one.into_string().unwrap()).collect();
        (text(built.entries), text(built.removed), text(built.overridden))
    }

    #[test]
    fn what_is_not_pinned_allowed_or_injected_is_gone_and_named() {
        let (entries, removed, _) = build(&[("PATH", "/bin"), ("LD_PRELOAD", "/x.so"), ("FEATURE_A", "1"), ("FEATURE", "2")]);
        assert_eq!(entries, ["LONGHORN_SCOPE=fraud", "TZ=UTC", "PATH=/bin", "FEATURE_A=1"]);
        assert_eq!(removed, ["LD_PRELOAD", "FEATURE"]);
    }

    #[test]
    fn pinned_values_and_the_context_win_over_what_the_caller_set() {
        let (entries, removed, overridden) = build(&[("TZ", "Mars"), ("LONGHORN_SCOPE", "admin"), ("LONGHORN_ROOT", "1")]);
        assert_eq!(entries, ["LONGHORN_SCOPE=fraud", "TZ=UTC"]);
        assert_eq!(overridden, ["TZ", "LONGHORN_SCOPE"]);
        assert_eq!(removed, ["LONGHORN_ROOT"], "no pattern lets a LONGHORN_ variable in, however wide it is");
    }

    #[test]
    fn of_two_entries_with_one_name_only_the_first_passes() {
        let (entries, removed, _) = build(&[("HOME", "/root"), ("HOME", "/evil")]);
        assert!(entries.contains(&"HOME=/root".to_owned()) && !entries.contains(&"HOME=/evil".to_owned()));
        assert_eq!(removed, ["HOME"]);
    }

    #[test]
    fn a_value_of_120_kilobytes_passes_whole() {
        let long = "x".repeat(120 * 1024);
        let (entries, _, _) = build(&[("FEATURE_LONG", &long)]);
        assert_eq!(entries[2].len(), long.len() + "FEATURE_LONG=".len());
    }

    proptest::proptest! {
        #[test]
        fn nothing_undeclared_ever_passes(given in proptest::collection::vec(("[A-Z_]{0,12}", ".{0,8}"), 0..20)) {
            let rule = rule();
            let built = rule.build(given.iter().map(|(name, value)| (OsStr::new(name.as_str()), OsStr::new(value.as_str()))));
            for entry in &built.entries {
                let text = entry.to_str().unwrap();
                let (name, value) = text.split_once('=').unwrap();
                let fixed = rule.fixed.iter().find(|(one, _)| one == name.as_bytes());
                let allowed = match fixed {
                    Some((_, pinned)) => pinned == value.as_bytes(),
                    None => rule.allows(name.as_bytes()) && !name.starts_with("LONGHORN_"),
                };
                proptest::prop_assert!(allowed, "{} was let through", name);
            }
            proptest::prop_assert_eq!(built.entries.iter().filter(|entry| entry.to_str().unwrap().starts_with("TZ=")).count(), 1);
        }
    }

    #[test]
    fn observed_nothing_changes_but_the_context_and_the_names_are_those_that_enforcing_would_take() {
        let given =
            [("PATH", "/bin"), ("LD_PRELOAD", "/x.so"), ("TZ", "Mars"), ("LONGHORN_SCOPE", "forged"), ("LONGHORN_X", "1")];
        let given = || given.iter().map(|(name, value)| (OsStr::new(*name), OsStr::new(*value)));
        let observed = rule().observe(given());
        let expected = ["LONGHORN_SCOPE=fraud", "PATH=/bin", "LD_PRELOAD=/x.so", "TZ=Mars"];
        assert_eq!(observed.entries, expected.map(OsString::from));
        let built = rule().build(given());
        assert_eq!((observed.removed, observed.overridden), (built.removed, built.overridden));
        assert!(!rule().told(given()) && rule().told([(OsStr::new("LONGHORN_SCOPE"), OsStr::new("fraud"))].into_iter()));
        assert!(!EnvRule::default().told(given()), "who injects nothing cannot tell");
    }
}
