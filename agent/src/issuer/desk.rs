//! The one place where machines' keys are certified. It takes what the identity room verified, asks the register, and signs;
//! the entry is durable before the certificate leaves. One caller at a time: two nodes that race are served one after the
//! other, and the second finds what the first got.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};

use super::key_ring::KeyRing;
use super::ledger::{Entry, Ledger, LedgerError};
use super::refusal::Refusal;
use super::register::{Answer, Register};
use super::request::Request;
use super::seeds::Seeds;
use crate::context::{AuthorityKey, Machine};
use crate::exit::Exit;
use crate::host::clock::Timestamp;
use crate::host::random::Random;
use crate::identity::node_document::Occasion;
use crate::identity::{Proof, Verified};
use crate::screen::Screen;

/// A clock may be so far behind what was certified before.
const LEEWAY: Duration = Duration::from_secs(60);

/// What is certified, and how.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The issuer's name: `iss`, and whom requests must be made for.
    pub issuer: String,
    /// How long a certificate holds.
    pub lifetime: Duration,
    /// How long a key signs.
    pub period: Duration,
    /// For how many boots of one machine keys are certified.
    pub boots: u32,
}

/// Why the issuer cannot start, or go on.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A place of the store cannot be used.
    #[error("the issuer's store cannot be used: {path}")]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Another process has it.
    #[error("another issuer uses this store")]
    InUse(PathBuf),
    /// It is another issuer's.
    #[error("the store is another issuer's")]
    OtherIssuer {
        /// The settings'.
        expected: String,
        /// The store's.
        presented: String,
    },
    /// The ledger is no ledger.
    #[error("the issuer's ledger cannot be used")]
    Ledger(#[from] LedgerError),
    /// A signing key cannot be used.
    #[error("a signing key cannot be used: {kid}")]
    Key {
        /// Which.
        kid: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl DeskError {
    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let cause = std::error::Error::source(self).map(ToString::to_string).unwrap_or_default();
        match self {
            Self::Store { .. } => Screen::failed("store-unusable", Exit::Os, self.to_string())
                .fact("expected", "a directory that this user may write, and no other")
                .fact("presented", cause)
                .hint("make it for the issuer's own user, on a disk that keeps what is synced"),
            Self::InUse(path) => Screen::failed("store-in-use", Exit::Os, self.to_string())
                .fact("expected", "one issuer for one store")
                .fact("presented", format!("a lock on {}", path.display()))
                .hint("two issuers that do not know of each other would certify twice: end the other one"),
            Self::OtherIssuer { expected, presented } => {
                Screen::failed("store-of-another-issuer", Exit::Config, self.to_string())
                    .fact("expected issuer", expected)
                    .fact("presented issuer", presented)
                    .hint("name the store's own issuer in the settings, or a new directory")
            }
            Self::Ledger(error @ LedgerError::Damaged { .. }) => Screen::failed("ledger-damaged", Exit::Record, self.to_string())
                .fact("expected", "lines that follow from one another")
                .fact("presented", error)
                .hint("nothing is certified until it is known which machines have their key: see the manual, Recovery"),
            Self::Ledger(error) => {
                let cause = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
                Screen::failed("store-failed", Exit::Record, self.to_string())
                    .fact("expected", "a disk that makes it durable")
                    .fact("presented", cause)
                    .hint("is the disk of the store full or broken? Nothing was certified that is not on it")
            }
            Self::Key { .. } => Screen::failed("issuer-key-missing", Exit::Record, self.to_string())
                .fact("expected", "the file that the issuer made, of mode 0600 and its own user")
                .fact("presented", cause)
                .hint("put it back from the same backup as the ledger; see the manual, Recovery"),
        }
    }
}

/// How a certificate came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// For the first time.
    New,
    /// The same key, for longer.
    Renewed,
    /// As it was given before.
    Again,
}

/// The issuer's store, and what it was told to do.
pub struct Desk {
    terms: Terms,
    ledger: Ledger,
    register: Register,
    ring: KeyRing,
    seeds: Seeds,
    signers: HashMap<String, AuthorityKey>,
    /// Alarms since the start.
    alarms: u64,
    _alone: Flock<File>,
}

impl Desk {
    /// Takes the store over, or makes it.
    ///
    /// # Errors
    /// When it cannot be relied on.
    pub fn open(store: &Path, terms: Terms, now: Timestamp, random: &dyn Random) -> Result<Self, DeskError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| DeskError::Store { path, cause }
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(store).map_err(failed(store))?;
        let lock = store.join("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock).map_err(failed(&lock))?;
        let alone = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
            nix::errno::Errno::EWOULDBLOCK => DeskError::InUse(lock.clone()),
            errno => failed(&lock)(errno.into()),
        })?;
        let (ledger, entries) = Ledger::open(store)?;
        if let Some((_, Entry::Opened { issuer })) = entries.first()
            && *issuer != terms.issuer
        {
            return Err(DeskError::OtherIssuer { expected: terms.issuer, presented: issuer.clone() });
        }
        let ring = KeyRing::of(&entries).ok_or(LedgerError::Damaged { line: 0 })?;
        let seeds = Seeds::open(store).map_err(failed(store))?;
        seeds.sweep(&ring.kids()).map_err(failed(store))?;
        let register = Register::of(&entries);
        let mut desk = Self { terms, ledger, register, ring, seeds, signers: HashMap::new(), alarms: 0, _alone: alone };
        if entries.is_empty() {
            desk.write(Entry::Opened { issuer: desk.terms.issuer.clone() }, now)?;
        }
        desk.turn(now, random)?;
        Ok(desk)
    }

    /// Makes the keys that are due, and removes private halves that sign no more.
    ///
    /// # Errors
    /// When a key cannot be made or read.
    pub fn turn(&mut self, now: Timestamp, random: &dyn Random) -> Result<(), DeskError> {
        while let Some(signs_from) = self.ring.due(now, self.terms.period) {
            let made = self.seeds.make(random).map_err(|cause| DeskError::Key { kid: "a new one".into(), cause })?;
            self.write(Entry::Key { public: made.public().to_string(), signs_from: signs_from.millis() }, now)?;
            self.ring.add(made.public(), signs_from);
        }
        for (key, _) in self.ring.retired(now) {
            let kid = key.kid();
            self.signers.remove(&kid);
            self.seeds.discard(&kid).map_err(|cause| DeskError::Key { kid, cause })?;
        }
        if let Some(kid) = self.ring.signing(now).map(|key| key.kid())
            && !self.signers.contains_key(&kid)
        {
            let key = self.seeds.load(&kid).map_err(|cause| DeskError::Key { kid: kid.clone(), cause })?;
            self.signers.insert(kid, key);
        }
        Ok(())
    }

    /// A document that never ends proves a machine's youth once: a key that is known already only shows that it still may.
    pub fn occasion(&self, request: &Request) -> Occasion {
        if self.register.knows(&request.key.thumbprint()) { Occasion::Renewal } else { Occasion::Join }
    }

    /// Certifies the key of a request for the machine that its evidence proves.
    ///
    /// # Errors
    /// When the machine, the boot or the key is taken, or nothing can be signed or made durable.
    pub fn certify(
        &mut self,
        request: &Request,
        proof: &Verified<Proof>,
        now: Timestamp,
    ) -> Result<(String, String, How), Refusal> {
        // Only a machine's proof: everything else comes from somewhere else than a node's request.
        let Some(Proof::Node(node)) = proof.at(now) else { return Err(Refusal::Malformed("the evidence of a machine")) };
        let instance = format!("{}:{}/{}", node.cloud.word(), node.owner, node.instance);
        if self.register.last().is_some_and(|last| now.plus(LEEWAY) < last) {
            return Err(Refusal::ClockBehind);
        }
        let key = request.key.thumbprint();
        let renewal = match self.register.answer(&instance, &request.boot, &key, self.terms.boots, now) {
            Ok(Answer::Again(certificate)) => return Ok((certificate, instance, How::Again)),
            Ok(Answer::Certify { renewal }) => renewal,
            Err(refusal) => {
                self.alarm(&refusal, instance, request, now)?;
                return Err(refusal);
            }
        };
        let signer = self.ring.signing(now).and_then(|key| self.signers.get(&key.kid())).ok_or(Refusal::ClockBehind)?;
        let machine = Machine { issuer: self.terms.issuer.clone(), instance: instance.clone(), boot: request.boot.clone() };
        let certificate = signer.certify_machine(&request.key, &machine, now, self.terms.lifetime).as_str().to_owned();
        let entry = Entry::Certified {
            instance: instance.clone(),
            boot: request.boot.clone(),
            key,
            kid: signer.public().kid(),
            until: now.plus(self.terms.lifetime).seconds(),
            certificate: certificate.clone(),
            evidence: proof.basis().digest.clone(),
        };
        self.write(entry, now).map_err(|_| Refusal::Store)?;
        Ok((certificate, instance, if renewal { How::Renewed } else { How::New }))
    }

    /// On record before it is told, as far as one machine may fill the disk.
    fn alarm(&mut self, refusal: &Refusal, instance: String, request: &Request, now: Timestamp) -> Result<(), Refusal> {
        self.alarms += 1;
        if !self.register.writes_alarm(&instance) {
            return Ok(());
        }
        let (boot, key) = (request.boot.clone(), request.key.thumbprint());
        self.write(Entry::Alarm { reason: refusal.reason(), instance, boot, key }, now).map_err(|_| Refusal::Store)
    }

    fn write(&mut self, entry: Entry, now: Timestamp) -> Result<(), LedgerError> {
        self.ledger.append(&entry, now)?;
        self.register.note(&entry, now);
        Ok(())
    }

    /// Drops what no answer needs any more.
    pub fn tidy(&mut self, now: Timestamp) {
        self.register.forget_ended(now);
    }

    /// What it was told to do.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Alarms since the start.
    pub fn alarms(&self) -> u64 {
        self.alarms
    }

    /// The same as `ed25519:` and base64, for settings that pin them.
    pub fn keys_of(&self, now: Timestamp) -> Vec<String> {
        self.ring.published(now, |kid| self.register.last_end(kid)).iter().map(ToString::to_string).collect()
    }

    /// The keys that verifiers need now (RFC 7517 §5).
    pub fn key_set(&self, now: Timestamp) -> String {
        let keys = self.ring.published(now, |kid| self.register.last_end(kid));
        serde_json::json!({ "keys": keys.iter().map(|key| key.to_jwk()).collect::<Vec<_>>() }).to_string()
    }
}
