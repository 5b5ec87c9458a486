//! What the issuer does with a request, from its bytes to its answer: possession, challenge, evidence by the very code that
//! nodes verify with, then the desk. Knows nothing of connections.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use super::challenge::Challenges;
use super::desk::{Desk, DeskError, How};
use super::refusal::Refusal;
use super::request::{Request, binding};
use crate::evidence::{Claim, GoogleIssuer, present};
use crate::host::clock::{Clock, Timestamp};
use crate::host::http::Http;
use crate::host::random::Random;
use crate::host::retry::Deadline;
use crate::identity::node_document::{NodeRefusal, Occasion};
use crate::identity::node_trust::{Cloud, NodeTrust};
use crate::identity::trust::Trust;
use crate::identity::{self, Rules, verify};
use crate::unverified::Unverified;

/// For asking a cloud's issuer for its keys.
const PATIENCE: Duration = Duration::from_secs(5);
/// Evidence is judged at once; this is no promise to anybody.
const PERIOD: Duration = Duration::from_secs(60);

/// What an office works with.
pub struct Office {
    /// The store.
    pub desk: RefCell<Desk>,
    /// What is open.
    pub challenges: RefCell<Challenges>,
    /// Whom the policy trusts.
    pub trust: Trust,
    /// The policy's end.
    pub policy_end: Timestamp,
    /// Where Google's tokens are checked.
    pub google: Option<GoogleIssuer>,
    /// For that.
    pub http: Http,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Since the start.
    pub counts: Counts,
}

/// What was answered since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Certificates that were made.
    pub certified: Cell<u64>,
    /// Certificates that were given again.
    pub again: Cell<u64>,
    /// Requests that were refused, or could not be told.
    pub refused: Cell<u64>,
}

/// A request that was answered with a certificate.
#[derive(Debug)]
pub struct Issued {
    /// It.
    pub certificate: String,
    /// Of which machine.
    pub instance: String,
    /// Of which boot.
    pub boot: String,
    /// Of which key.
    pub key: String,
    /// How it came about.
    pub how: How,
}

impl Office {
    /// A challenge.
    pub fn challenge(&self) -> String {
        self.challenges.borrow().give(self.clock.boot(), &*self.random)
    }

    /// The key set.
    ///
    /// # Errors
    /// When a key that is due cannot be made.
    pub fn key_set(&self) -> Result<String, DeskError> {
        self.turn()?;
        Ok(self.desk.borrow().key_set(self.clock.now()))
    }

    /// What time asks for.
    ///
    /// # Errors
    /// When a key that is due cannot be made.
    pub fn turn(&self) -> Result<(), DeskError> {
        self.desk.borrow_mut().turn(self.clock.now(), &*self.random)
    }

    /// Makes room, now and then.
    pub fn tidy(&self) {
        self.desk.borrow_mut().tidy(self.clock.now());
    }

    /// Answers a request; says of a refused one whose key it was, where that is known.
    ///
    /// # Errors
    /// The refusal.
    pub async fn certify(&self, bytes: &[u8]) -> Result<Issued, (Refusal, Option<String>)> {
        let issuer = self.desk.borrow().terms().issuer.clone();
        let request = Request::read(bytes, &issuer).map_err(|refusal| (refusal, None))?;
        let key = request.key.thumbprint();
        self.judge(&request).await.map_err(|refusal| (refusal, Some(key)))
    }

    async fn judge(&self, request: &Request) -> Result<Issued, Refusal> {
        self.challenges.borrow().check(&request.challenge, &request.digest, self.clock.boot())?;
        if self.clock.now() >= self.policy_end {
            return Err(Refusal::PolicyEnded);
        }
        let trusted = self.trust.node.as_ref().map(NodeTrust::cloud);
        if trusted != Some(request.cloud) {
            let (expected, presented) = (trusted.map_or("none", Cloud::word), request.cloud.word());
            let untrusted: identity::Refusal = NodeRefusal::CloudUntrusted { expected, presented }.into();
            return Err(Refusal::Evidence(Box::new(untrusted.into())));
        }
        let end = self.clock.boot().plus(PATIENCE);
        let deadline = Deadline { clock: &*self.clock, random: &*self.random, end };
        let claim = present(&self.http, request.cloud, request.document.clone(), self.google.as_ref(), &deadline).await;
        let claim = claim.map_err(|_| Refusal::EvidenceUnavailable)?;
        let key = request.key.thumbprint();
        let rules = Rules {
            trust: &self.trust,
            listed: false,
            period: PERIOD,
            node_key: &binding(&key, &request.challenge),
            occasion: self.occasion(request),
            now: self.clock.now(),
        };
        let proof = verify(&Unverified::new(Claim::NodeDocument(claim)), &rules);
        let proof = proof.map_err(|unproven| Refusal::Evidence(Box::new(unproven)))?;
        // From here to the ledger nobody else comes in between: nothing is waited for.
        self.challenges.borrow_mut().accept(&request.challenge, &request.digest, self.clock.boot())?;
        if self.turn().is_err() {
            return Err(Refusal::Store);
        }
        let (certificate, instance, how) = self.desk.borrow_mut().certify(request, &proof, self.clock.now())?;
        Ok(Issued { certificate, instance, boot: request.boot.clone(), key, how })
    }

    fn occasion(&self, request: &Request) -> Occasion {
        self.desk.borrow().occasion(request)
    }
}
