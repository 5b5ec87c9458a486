//! Checkpoints: C2SP tlog-checkpoint in a signed note with Ed25519 (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::chain::{Hash, Tree};
use crate::host::random::Random;

/// Signs the checkpoints of one epoch. Its seed is wiped when it is dropped.
pub struct Signer {
    name: String,
    pair: Ed25519KeyPair,
    public: Vec<u8>,
}

impl Signer {
    /// Draws a key for the log of this name.
    pub fn draw(name: &str, random: &dyn Random) -> Self {
        let mut seed = Zeroizing::new([0u8; 32]);
        random.fill(seed.as_mut());
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).expect("any 32 bytes are an Ed25519 seed (RFC 8032 §5.1.5)");
        let public = pair.public_key().as_ref().to_vec();
        Self { name: name.to_owned(), pair, public }
    }

    /// The verifier key: `<name>+<key id>+<base64 of 0x01 and the public key>`.
    pub fn vkey(&self) -> String {
        let id = key_id(&self.name, &self.public);
        format!("{}+{}+{}", self.name, crate::host::digest::hex(&id), STANDARD.encode([&[1], &self.public[..]].concat()))
    }

    /// The note for a tree.
    pub fn checkpoint(&self, tree: &Tree) -> String {
        let body = body(&self.name, tree.size(), &tree.root());
        let signature = self.pair.sign(body.as_bytes());
        let tagged = [&key_id(&self.name, &self.public)[..], signature.as_ref()].concat();
        format!("{body}\n\u{2014} {} {}\n", self.name, STANDARD.encode(tagged))
    }
}

/// A verifier key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vkey {
    /// The log's name, which is also its origin.
    pub name: String,
    public: Vec<u8>,
}

/// Why a note is not this log's checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not the text of a checkpoint with exactly one signature.
    #[error("it is not a checkpoint with one signature")]
    Framing,
    /// Another log's.
    #[error("it belongs to another log")]
    Origin,
    /// Signed by another key, or the text differs from what was signed.
    #[error("its signature does not verify")]
    Signature,
}

/// What stands behind the origin in a note's last line: the first four bytes name the key (c2sp.org/signed-note).
type Signature = [u8; 4 + 64];

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// Their root.
    pub root: Hash,
}

impl Vkey {
    /// Reads a verifier key. Split from the left: base64 may hold `+`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = STANDARD.decode(key).ok()?;
        let public = key.strip_prefix(&[1])?.to_vec();
        (public.len() == 32 && !name.is_empty() && crate::host::digest::hex(&key_id(name, &public)) == id)
            .then(|| Self { name: name.to_owned(), public })
    }

    /// Checks framing, origin and signature of a note.
    ///
    /// # Errors
    /// Says which of the three is wrong.
    pub fn verify(&self, note: &str) -> Result<Checkpoint, CheckpointError> {
        let (checkpoint, signature) = parse(note)?;
        if checkpoint.origin != self.name {
            return Err(CheckpointError::Origin);
        }
        let body = body(&self.name, checkpoint.size, &checkpoint.root);
        let signature = signature.strip_prefix(&key_id(&self.name, &self.public)).ok_or(CheckpointError::Signature)?;
        UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(body.as_bytes(), signature)
            .map_err(|_| CheckpointError::Signature)?;
        Ok(checkpoint)
    }
}

/// Reads a note without checking its signature. No byte of it is free: each part can be written one way only.
///
/// # Errors
/// When it is not a checkpoint with exactly one signature.
pub fn parse(note: &str) -> Result<(Checkpoint, Signature), CheckpointError> {
    let read = || {
        let mut lines = note.strip_suffix('\n')?.splitn(5, '\n');
        let (origin, size, root, empty, signed) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let digits = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let size = size.parse().ok().filter(|_| digits && empty.is_empty() && !origin.is_empty())?;
        let signature = signed.strip_prefix("\u{2014} ")?.strip_prefix(origin)?.strip_prefix(' ')?;
        Some((Checkpoint { origin: origin.to_owned(), size, root: bytes(root)? }, bytes(signature)?))
    };
    read().ok_or(CheckpointError::Framing)
}

/// So many bytes in base64, and nothing else: padding and the bits behind the last byte are what RFC 4648 §3.5 says.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The longest is a signature; the decoder wants room for what padding stands for, too.
    let mut room = [0; 72];
    let length = STANDARD.decode_slice(text, &mut room).ok()?;
    room[..length].try_into().ok()
}

fn body(origin: &str, size: u64, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", STANDARD.encode(root))
}

fn key_id(name: &str, public: &[u8]) -> [u8; 4] {
    let hash = digest(&SHA256, &[name.as_bytes(), b"\n\x01", public].concat());
    hash.as_ref()[..4].try_into().expect("a digest is longer than 4 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::random::SystemRandomness;

    #[test]
    fn a_checkpoint_can_be_written_one_way_only() {
        let note = Signer::draw("a", &SystemRandomness).checkpoint(&Tree::default());
        let (root, signature) = (note.split('\n').nth(2).unwrap(), note.trim_end().rsplit(' ').next().unwrap());
        // Before one sign of padding two bits stand for nothing, and must not be set.
        let loose = |text: &str| {
            let head = text.strip_suffix('=').unwrap();
            let (head, last) = head.split_at(head.len() - 1);
            let next = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".split(last).nth(1).unwrap();
            format!("{head}{}=", &next[..1])
        };
        assert!(parse(&note).is_ok());
        for other in [
            note.replacen("a\n0\n", "a\n00\n", 1),
            note.replacen("a\n0\n", "a\n+0\n", 1),
            note.replacen("a\n0\n", "a\n\n", 1),
            note.replacen("a\n0\n", "a\n18446744073709551616\n", 1),
            note.replacen(root, &loose(root), 1),
            note.replacen(root, root.trim_end_matches('='), 1),
            note.replacen(root, &format!("AAAA{root}"), 1),
            note.replacen(signature, &loose(signature), 1),
            note.replacen(signature, &format!("{signature}\n"), 1),
            note.replacen(signature, &signature[4..], 1),
            note.replacen("\n\n", "\n \n", 1),
            note.replacen("\u{2014} a", "\u{2014} b", 1),
            note.replacen("a\n", "\n", 1),
            note.replace('\n', "\r\n"),
            note.trim_end().to_owned(),
            format!("{note}\n"),
            note.repeat(2),
        ] {
            assert_eq!(parse(&other).err(), Some(CheckpointError::Framing), "{other}");
        }
    }

    #[test]
    fn every_byte_of_a_checkpoint_counts() {
        let signer = Signer::draw("longhorn/a/b", &SystemRandomness);
        let vkey = Vkey::parse(&signer.vkey()).unwrap();
        let mut tree = Tree::default();
        tree.push([3; 32]);
        let note = signer.checkpoint(&tree);
        assert_eq!(vkey.verify(&note).unwrap(), Checkpoint { origin: "longhorn/a/b".into(), size: 1, root: tree.root() });
        for at in 0..note.len() {
            let mut edited = note.clone().into_bytes();
            edited[at] ^= 1;
            let Ok(edited) = String::from_utf8(edited) else { continue };
            assert!(vkey.verify(&edited).is_err(), "byte {at}");
        }
        assert_eq!(
            Vkey::parse(&Signer::draw("longhorn/a/b", &SystemRandomness).vkey()).unwrap().verify(&note),
            Err(CheckpointError::Signature)
        );
        assert_eq!(
            Vkey::parse(&Signer::draw("longhorn/a/c", &SystemRandomness).vkey()).unwrap().verify(&note),
            Err(CheckpointError::Origin)
        );
    }
}
