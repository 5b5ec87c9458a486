//! Hashes: RFC 6962 leaves over raw lines, and the compact range of a growing Merkle tree. Pure.

use aws_lc_rs::digest::{Context, SHA256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().try_into().expect("SHA-256 is 32 bytes long")
}

/// The hash of a leaf: `SHA-256(0x00 || line)`, over the raw line without its line feed (RFC 6962 §2.1).
pub fn leaf(line: &[u8]) -> Hash {
    sha256(&[&[0], line])
}

/// The peaks of a Merkle tree, enough to grow it and to know its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one of the size is a full subtree that the new leaf completes.
        for _ in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("there is a peak for each one bit of the size");
            node = sha256(&[&[1], &left, &node]);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root; SHA-256 of nothing for an empty tree.
    pub fn root(&self) -> Hash {
        match self.peaks.split_last() {
            None => sha256(&[]),
            Some((last, rest)) => rest.iter().rev().fold(*last, |right, left| sha256(&[&[1], left, &right])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::digest::hex;

    /// RFC 6962 §2.1, as it is written there.
    fn plain(leaves: &[&[u8]]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => leaf(one),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                sha256(&[&[1], &plain(&leaves[..split]), &plain(&leaves[split..])])
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_certificate_transparency_test_vectors() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        let mut tree = Tree::default();
        for (size, line) in (1..).zip(leaves) {
            tree.push(leaf(line));
            assert_eq!(tree.root(), plain(&leaves[..size]), "{size}");
            if let Some((_, root)) = roots.iter().find(|(at, _)| *at == size) {
                assert_eq!(hex(&tree.root()), *root);
            }
        }
    }
}
