//! Who vouches for this node's key: nobody but the place where it is published, a key that the node was handed, or an issuer
//! that is asked for a certificate before user code, and again when half of it is over.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use super::{Way, stopped};
use crate::config::settings::{Authority, Settings};
use crate::context::seal::carried;
use crate::context::{AuthorityKey, AuthorityPublicKey, Certificate, CertificateError, NodeKey, NodePublicKey, parse_seed};
use crate::decision::policy::Policy;
use crate::evidence::{Certified, Certifier, Failure, NodeDocumentSource, fetch};
use crate::exit::Exit;
use crate::host::clock::{BootTime, Clock, Timestamp};
use crate::host::paths;
use crate::host::retry::Deadline;
use crate::issuer::{renewed_after, request};
use crate::screen::{Screen, Verdict};
use crate::unverified::Unverified;
use crate::wire::credentials::Credentials;

/// A key that the node was handed certifies for so long.
const HANDED: Duration = Duration::from_secs(7 * 24 * 3600);
/// A challenge may end, or its issuer start anew, while the node asks: so often it begins again.
const ROUNDS: u32 = 4;

/// Who vouches for the node key.
pub enum Certification {
    /// The place where it is published.
    Published,
    /// A key that the node was handed, and what it certified.
    Key {
        /// Its public half.
        authority: AuthorityPublicKey,
        /// The certificate of this node's key.
        certificate: Certificate,
    },
    /// An issuer.
    Issuer(Box<Asking>),
}

/// An issuer, and what it certified.
pub struct Asking {
    certifier: Certifier,
    /// Absent: those that it publishes through TLS.
    keys: Option<Vec<AuthorityPublicKey>>,
    document: NodeDocumentSource,
    held: RefCell<Option<Held>>,
}

#[derive(Clone)]
struct Held {
    certificate: Certificate,
    /// From then on it is asked for anew.
    half: Timestamp,
    until: Timestamp,
}

impl Certification {
    /// As the settings say; an issuer was not asked yet.
    ///
    /// # Errors
    /// When a key that was handed over is none.
    pub(super) fn of(
        settings: &Settings,
        policy: &Policy,
        credentials: &Credentials,
        key: &NodeKey,
        clock: &dyn Clock,
    ) -> Result<Self, Screen> {
        match &settings.authority {
            Authority::Published { .. } => Ok(Self::Published),
            Authority::Key { .. } => {
                let seed = credentials.expose("authority").and_then(parse_seed).ok_or_else(|| {
                    Screen::failed("authority-key-malformed", Exit::Config, "the authority's key is not a key file")
                        .fact("expected", "what `longhorn authority new` wrote")
                        .fact("presented", "other bytes")
                        .hint("make one with `longhorn authority new`")
                })?;
                let authority = AuthorityKey::from_seed(&seed)
                    .map_err(|error| super::serve::os("the authority's key cannot be used")(io::Error::other(error)))?;
                let certificate = authority.certify(key.public(), clock.now(), HANDED);
                Ok(Self::Key { authority: authority.public(), certificate })
            }
            Authority::Issuer { url, keys } => {
                // `bind` saw that there is one.
                let document = super::node_document::source(settings, policy, key)
                    .ok_or_else(|| super::serve::os("no cloud is asked")(io::ErrorKind::NotFound.into()))?;
                let held = RefCell::new(keys.as_deref().and_then(|keys| of_before(keys, key.public(), clock.now())));
                let certifier = Certifier { url: url.clone() };
                Ok(Self::Issuer(Box::new(Asking { certifier, keys: keys.clone(), document, held })))
            }
        }
    }

    /// What goes into contexts, and for how long an issuer's still holds.
    pub(super) fn certificate(&self, now: Timestamp) -> (Option<Certificate>, Option<Duration>) {
        match self {
            Self::Published => (None, None),
            Self::Key { certificate, .. } => (Some(certificate.clone()), None),
            Self::Issuer(asking) => match &*asking.held.borrow() {
                None => (None, None),
                Some(held) => (Some(held.certificate.clone()), Some(held.until.since(now))),
            },
        }
    }
}

/// A sidecar that was started again has what the one before was given, in the context that is published.
fn of_before(keys: &[AuthorityPublicKey], key: &NodePublicKey, now: Timestamp) -> Option<Held> {
    let token = std::fs::read(paths::CONTEXT_JWT).ok()?;
    let text = carried(&Unverified::new(token.trim_ascii()))?;
    let (certificate, vouched) = Certificate::accept(&text, keys, now).ok()?;
    (vouched.key == *key).then(|| Held { certificate, half: renewed_after(vouched.from, vouched.until), until: vouched.until })
}

/// Makes sure that the key is certified: asks where nothing is held, or half of it is over.
///
/// # Errors
/// When the issuer refuses, or nothing that holds is there and it cannot be told; on record.
pub(super) async fn certify(way: &Way, end: BootTime) -> Result<(), Screen> {
    let Certification::Issuer(asking) = &way.certification else { return Ok(()) };
    let held = asking.held.borrow().clone();
    let now = way.clock.now();
    if held.as_ref().is_some_and(|held| now < held.half) {
        return Ok(());
    }
    match asking.ask(way, end).await {
        Ok(fresh) => {
            *asking.held.borrow_mut() = Some(fresh);
            Ok(())
        }
        // What is held still holds: the next renewal asks again.
        Err(screen) if screen.verdict == Verdict::Failed && held.is_some_and(|held| now < held.until) => Ok(()),
        Err(screen) => Err(stopped(way, screen, None).await),
    }
}

impl Asking {
    async fn ask(&self, way: &Way, end: BootTime) -> Result<Held, Screen> {
        let deadline = Deadline { clock: &*way.clock, random: &*way.random, end };
        let told = |failure: Failure| failure.screen();
        let mut round = 0;
        loop {
            round += 1;
            let challenge = self.certifier.challenge(&way.http, &deadline).await.map_err(told)?;
            let thumbprint = way.key.public().thumbprint();
            let source = self.document.under(request::binding(&thumbprint, &challenge));
            let document = fetch(&way.http, &source, &deadline).await.map_err(told)?;
            let request = request::compose(&way.key, &self.certifier.url, &challenge, &way.boot, self.document.cloud, &document);
            match self.certifier.certify(&way.http, &request, &deadline).await.map_err(told)? {
                Certified::Yes(text) => {
                    let keys = self.trusted(way, &deadline).await?;
                    return self.accept(&text, &keys, way);
                }
                Certified::No { reason, .. } if reason.starts_with("challenge-") && round < ROUNDS => {}
                Certified::No { reason, message } => return Err(self.refused(&reason, &message)),
            }
        }
    }

    /// The issuer's keys.
    pub(super) async fn trusted(&self, way: &Way, deadline: &Deadline<'_>) -> Result<Vec<AuthorityPublicKey>, Screen> {
        if let Some(keys) = &self.keys {
            return Ok(keys.clone());
        }
        let set = self.certifier.keys(&way.http, deadline).await.map_err(|failure| failure.screen())?;
        AuthorityPublicKey::of_key_set(&set).map_err(|error| {
            Screen::failed("certifier-unintelligible", Exit::Protocol, "the issuer of node keys publishes no key")
                .fact("asked", format!("{}/.well-known/jwks.json", self.certifier.url))
                .fact("expected", "a key set with an Ed25519 key")
                .fact("presented", error)
                .hint("is this the address of the issuer of node keys, or of something in between?")
        })
    }

    /// Only what verifiers will accept of this very key and boot.
    fn accept(&self, text: &str, keys: &[AuthorityPublicKey], way: &Way) -> Result<Held, Screen> {
        let (certificate, vouched) =
            Certificate::accept(text, keys, way.clock.now()).map_err(|error| self.worthless(keys, &error))?;
        let ours =
            vouched.machine.as_ref().is_some_and(|machine| machine.issuer == self.certifier.url && machine.boot == way.boot);
        if !ours || vouched.key != *way.key.public() {
            return Err(self.worthless(keys, &CertificateError::OtherBoot));
        }
        Ok(Held { certificate, half: renewed_after(vouched.from, vouched.until), until: vouched.until })
    }

    fn refused(&self, reason: &str, message: &str) -> Screen {
        Screen::refused("issuer-refused", Exit::RefusedEvidence, "the issuer of node keys does not certify this node's key")
            .fact("issuer", &self.certifier.url)
            .fact("expected", "a certificate")
            .fact("presented", format!("{reason}: {message}"))
            .hint(match reason {
                "already-certified" | "key-certified-elsewhere" | "too-many-boots" => {
                    "another process of this machine asked before, or it served a cluster before in this boot, as machines of pools do: the \
                     issuer's log has the alarm; start the cluster on a fresh machine"
                }
                "other-issuer" => "`url` of [authority] must be the very `name` that the issuer's settings give it",
                _ => "the issuer judges by its own policy: is [trust.node] there what this cloud and account need?",
            })
    }

    fn worthless(&self, keys: &[AuthorityPublicKey], error: &CertificateError) -> Screen {
        let kids: Vec<String> = keys.iter().map(AuthorityPublicKey::kid).collect();
        Screen::refused(
            "certificate-worthless",
            Exit::RefusedEvidence,
            "what the issuer of node keys gave is no certificate of this key",
        )
        .fact("issuer", &self.certifier.url)
        .fact("expected", format!("a certificate of this node's key and boot by one of {}", kids.join(", ")))
        .fact("presented", error)
        .hint("has the issuer a new key? Add it to `keys` of [authority]; it is published before it signs")
    }
}
