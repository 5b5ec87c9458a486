//! The files of a model: their paths below its directory, and their digests.

use std::collections::BTreeMap;

use crate::host::digest::{hex, sha256_hex};

/// SHA-256 of a file.
pub type Digest = [u8; 32];

/// Every file of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<String, Digest>);

impl Manifest {
    /// Adds a file, by its path below the directory.
    pub fn add(&mut self, path: String, digest: Digest) {
        self.0.insert(path, digest);
    }

    /// The files, in the order of their paths.
    pub fn files(&self) -> &BTreeMap<String, Digest> {
        &self.0
    }

    /// SHA-256 (hex) over the files in the order of their paths: digest in hex, two blanks, the length of the path in bytes, a blank,
    /// the path, a line end. The length keeps a path with a line end from being two.
    pub fn digest(&self) -> String {
        let line = |(path, digest): (&String, &Digest)| format!("{}  {} {path}\n", hex(digest), path.len());
        sha256_hex(self.0.iter().map(line).collect::<String>().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, u8)]) -> String {
        let mut manifest = Manifest::default();
        files.iter().for_each(|(path, byte)| manifest.add((*path).to_owned(), [*byte; 32]));
        manifest.digest()
    }

    #[test]
    fn a_manifest_is_of_every_path_and_digest_and_of_nothing_else() {
        let files = of(&[("MLmodel", 1), ("data/model.pkl", 2)]);
        assert_eq!(files, of(&[("data/model.pkl", 2), ("MLmodel", 1)]), "the order in which they came");
        for other in [
            of(&[]),
            of(&[("MLmodel", 1)]),
            of(&[("MLmodel", 2), ("data/model.pkl", 1)]),
            of(&[("MLmodel", 1), ("data/model.pkl", 3)]),
            of(&[("MLmodel", 1), ("data/model.pk", 2)]),
            of(&[("MLmodel", 1), ("data/model.pkl", 2), ("evil.py", 0)]),
        ] {
            assert_ne!(files, other);
        }
        let one = of(&[(&format!("a\n{}  1 b", hex(&[2; 32])), 1)]);
        assert_ne!(one, of(&[("a", 1), ("b", 2)]), "a path with a line end");
    }
}
