//! Presets: what a runtime needs of a node, as data. Each entry says where it comes from and how sure that is.

use std::collections::BTreeSet;
use std::path::Path;

use super::read_environment::{Part, body, over};
use super::reader::{Reader, Section};
use crate::decision::environment::{Environment, NamePattern, paths};
use crate::identity::ids::LocalName;

/// Presets that an environment can name.
const PRESETS: &[(&str, &str)] = &[
    ("databricks-14.3", include_str!("../decision/presets/databricks-14.3.toml")),
    ("databricks-15.4", include_str!("../decision/presets/databricks-15.4.toml")),
    ("databricks-16.4", include_str!("../decision/presets/databricks-16.4.toml")),
    ("databricks-17.3", include_str!("../decision/presets/databricks-17.3.toml")),
    ("linux", include_str!("../decision/presets/linux.toml")),
    ("spark-standalone", include_str!("../decision/presets/spark-standalone.toml")),
];
/// What several of them have in common.
const BASES: &[(&str, &str)] = &[
    ("databricks", include_str!("../decision/presets/databricks.toml")),
    ("linux", include_str!("../decision/presets/linux.toml")),
    ("spark", include_str!("../decision/presets/spark.toml")),
];

/// How sure an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The platform's own documentation or code says so, or tests show it.
    Confirmed,
    /// Somebody else saw it.
    Seen,
    /// It follows from what is known.
    Guess,
}

impl Certainty {
    const ALL: [Self; 3] = [Self::Confirmed, Self::Seen, Self::Guess];

    /// The word in presets and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::Seen => "SEEN",
            Self::Guess => "GUESS",
        }
    }
}

/// Things that a runtime needs, from one source.
pub struct Entry {
    /// How sure they are.
    pub certainty: Certainty,
    /// Where they come from.
    pub source: String,
    part: Part,
}

impl Entry {
    /// The names of variables that it lets through.
    pub fn allows(&self) -> &BTreeSet<NamePattern> {
        &self.part.variables.allow
    }

    /// Whether it names this path.
    pub fn names(&self, path: &Path) -> bool {
        paths(&self.part.files, &self.part.targets).any(|named| named == path)
    }
}

/// The names of the presets of this build.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// The entries of a preset and of what it builds on, its own first; none where there is no such preset.
pub fn entries(name: &str) -> Option<Vec<Entry>> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(name, text)| read(name, text))
}

/// A preset as an environment that says nothing else.
///
/// # Panics
/// When a preset of this build lacks a part of the floor: a test reads every one.
pub fn as_environment(name: &'static str) -> Option<Environment> {
    let part = preset(name)?;
    let kernel = part.kernel.complete(&Reader::new(name, ""), &(0..0)).expect("a preset of this build has a complete floor");
    Some(Environment {
        name: LocalName::try_from(name.replace('.', "-").as_str()).expect("letters, digits and dashes are a name"),
        preset: Some(name.to_owned()),
        variables: part.variables,
        files: part.files,
        kernel,
        targets: part.targets,
        open: part.open,
    })
}

/// What a preset says in all.
pub(super) fn preset(name: &str) -> Option<Part> {
    entries(name).map(|entries| entries.into_iter().fold(Part::default(), |all, entry| over(all, entry.part)))
}

/// # Panics
/// When a preset of this build does not read: a test reads every one.
fn read(name: &str, text: &str) -> Vec<Entry> {
    let reader = Reader::new(name, text);
    let table = reader.parse(text).expect("a preset of this build is TOML");
    let root = reader.section(&table);
    let bases = root.texts("base");
    let mut found: Vec<Entry> = root.tables("entry").into_iter().filter_map(entry).collect();
    root.finish();
    let problems = reader.finish();
    // It may let through what is dangerous, where a runtime needs it; a test lists every such name.
    assert!(!problems.any_error(), "a preset of this build has problems:\n{problems}");
    for base in bases {
        let (name, text) = BASES.iter().find(|(known, _)| *known == base.value).expect("a preset builds on what there is");
        found.extend(read(name, text));
    }
    found
}

fn entry(section: Section<'_>) -> Option<Entry> {
    let certainty = section.need_word("certainty", &Certainty::ALL.map(|one| (one.word(), one)));
    let source = section.need_text("source");
    let part = body(&section);
    section.finish();
    Some(Entry { certainty: certainty?.value, source: source?.value, part })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env_names::DANGEROUS;
    use crate::config::read_environment::lets_through;

    #[test]
    fn every_preset_reads_without_an_error_and_each_entry_has_a_source() {
        for name in names() {
            let environment = as_environment(name).unwrap();
            assert!(!environment.files.execute.is_empty(), "{name}");
            assert!(entries(name).unwrap().iter().all(|entry| entry.source.len() > 20), "{name}");
        }
        assert!(entries("databricks").is_none() && entries("").is_none(), "a base is no preset");
    }

    #[test]
    fn every_preset_of_a_runtime_starts_the_locked_tree_at_the_engine_and_keeps_interpreters_within_it() {
        for name in names().filter(|name| *name != "linux") {
            let targets = as_environment(name).unwrap().targets;
            assert!(!targets.root.is_empty() && targets.root.iter().all(|path| path.ends_with("bin/java")), "{name}");
            let within = |start: &str| targets.inside.iter().any(|path| path.to_string_lossy().starts_with(start));
            assert!(within("/usr/bin/python3.") && within("/usr/lib/R/"), "{name}");
        }
    }

    #[test]
    fn what_a_preset_lets_through_although_it_is_dangerous_is_listed_here() {
        let mut found = BTreeSet::new();
        for name in names() {
            for pattern in as_environment(name).unwrap().variables.allow {
                let NamePattern::Exact(exact) = &pattern else { continue };
                if DANGEROUS.iter().any(|(known, _)| lets_through(&pattern, known)) {
                    found.insert(exact.as_str().to_owned());
                }
            }
        }
        let listed: Vec<&str> = found.iter().map(String::as_str).collect();
        // Each of them a runtime sets for its own REPLs and workers; what they name runs locked like all other code.
        assert_eq!(
            listed,
            [
                "CLASSPATH",
                "OPENSSL_FORCE_FIPS_MODE",
                "PYTHONHASHSEED",
                "PYTHONPATH",
                "PYTHONUNBUFFERED",
                "PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE",
                "PYTHON_REPL_SAFE_CONFIG_MAP",
                "PYTHON_WORKER_FACTORY_PORT",
                "PYTHON_WORKER_FACTORY_SECRET",
                "R_HOME",
                "R_LIBS",
                "_RJEM_MALLOC_CONF",
            ]
        );
        let prefixes =
            |name| as_environment(name).unwrap().variables.allow.into_iter().filter(|one| matches!(one, NamePattern::Prefix(_)));
        assert!(names().flat_map(prefixes).all(|pattern| DANGEROUS.iter().all(|(known, _)| !lets_through(&pattern, known))));
    }
}
