//! Hashes: RFC 6962 leaves over raw lines, and the compact range of a growing Merkle tree. Pure.

use aws_lc_rs::digest::{SHA256, digest};
pub use longhorn_canonical::hex::Hash;

/// The byte before the line in what is hashed as a leaf (RFC 6962 §2.1).
pub const LEAF: u8 = 0;
const NODE: u8 = 1;

/// In one call: it allocates nothing, and a log is hashed line by line.
fn sha256(bytes: &[u8]) -> Hash {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 is 32 bytes long")
}

/// The hash of a leaf: `SHA-256(0x00 || line)`, over the raw line without its line feed (RFC 6962 §2.1). The line comes
/// with its [`LEAF`] before it, so that nobody copies it.
pub fn leaf(marked: &[u8]) -> Hash {
    debug_assert_eq!(marked.first(), Some(&LEAF));
    sha256(marked)
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut marked = [NODE; 65];
    marked[1..33].copy_from_slice(left);
    marked[33..].copy_from_slice(right);
    sha256(&marked)
}

/// The peaks over the leaves from `begin` to `end` of a Merkle tree. From 0 they are enough to grow it and to know its
/// root; from elsewhere they are what a tree that ends there takes in at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    begin: u64,
    end: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// None yet of the leaves from `begin` on.
    pub fn from(begin: u64) -> Self {
        Self { begin, end: begin, peaks: Vec::with_capacity(8) }
    }

    /// How many leaves stand before its first.
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// Whether no leaf is in it.
    pub fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// How many leaves the tree has up to here.
    pub fn size(&self) -> u64 {
        self.end
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.grow(leaf, 0);
    }

    /// Adds the leaves of `run`, which begins where this ends.
    pub fn extend(&mut self, run: &Self) {
        debug_assert_eq!(self.end, run.begin);
        for peak in &run.peaks {
            // Each peak is the largest full subtree that can begin here and ends within the run.
            self.grow(*peak, self.end.trailing_zeros().min((run.end - self.end).ilog2()));
        }
    }

    /// Adds a full subtree of `2^level` leaves.
    fn grow(&mut self, mut subtree: Hash, mut level: u32) {
        self.end += 1 << level;
        // Together with its left sibling, where that is ours, it is a full subtree of the next level.
        while self.end.trailing_zeros() > level && self.end - self.begin >= 2 << level {
            let left = self.peaks.pop().expect("the sibling ends where the subtree began, and is the last peak");
            subtree = node(&left, &subtree);
            level += 1;
        }
        self.peaks.push(subtree);
    }

    /// The root of a tree from 0; SHA-256 of nothing where it is empty.
    pub fn root(&self) -> Hash {
        match self.peaks.split_last() {
            None => sha256(&[]),
            Some((last, rest)) => rest.iter().rev().fold(*last, |right, left| node(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::digest::hex;

    fn of(line: &[u8]) -> Hash {
        leaf(&[&[LEAF], line].concat())
    }

    /// RFC 6962 §2.1, as it is written there.
    fn plain(leaves: &[&[u8]]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [one] => of(one),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                sha256(&[&[1], &plain(&leaves[..split])[..], &plain(&leaves[split..])].concat())
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
            tree.push(of(line));
            assert_eq!(tree.root(), plain(&leaves[..size]), "{size}");
            if let Some((_, root)) = roots.iter().find(|(at, _)| *at == size) {
                assert_eq!(hex(&tree.root()), *root);
            }
        }
    }

    #[test]
    fn a_tree_that_takes_in_runs_is_the_tree_that_grew_leaf_by_leaf() {
        let leaves: Vec<Hash> = (0..70u8).map(|at| of(&[at])).collect();
        let grown = |begin: usize, end: usize| {
            let mut run = Tree::from(begin as u64);
            leaves[begin..end].iter().for_each(|leaf| run.push(*leaf));
            run
        };
        for begin in 0..leaves.len() {
            for end in begin..=leaves.len() {
                let mut tree = grown(0, begin);
                tree.extend(&grown(begin, end));
                assert_eq!(tree, grown(0, end), "{begin}..{end}");
            }
        }
    }
}
