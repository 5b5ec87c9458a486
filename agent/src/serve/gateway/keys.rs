//! Whose word counts for another node's key: asked of whoever knows where keys are published, and kept.

use std::cell::RefCell;
use std::collections::HashMap;

use super::questions::Asks;
use crate::context::NodePublicKey;
use crate::context::seal::Vouching;
use crate::context::statement::key_named;
use crate::unverified::Unverified;

/// So many keys are kept.
const MOST: usize = 1024;

/// The keys that were asked for.
pub(super) struct Keys {
    own: NodePublicKey,
    asks: Asks,
    known: RefCell<HashMap<String, Vouching>>,
}

impl Keys {
    pub(super) fn new(own: NodePublicKey, asks: Asks) -> Self {
        Self { own, asks, known: RefCell::default() }
    }

    /// Who vouches for the key that a token names.
    pub(super) async fn of(&self, token: &str) -> Option<Vouching> {
        let kid = key_named(&Unverified::new(token.as_bytes()))?;
        if kid == self.own.thumbprint() {
            return Some(Vouching::Published(self.own.clone()));
        }
        if let Some(known) = self.known.borrow().get(&kid) {
            return Some(known.clone());
        }
        let vouching = self.asks.key(&kid).await?;
        let mut known = self.known.borrow_mut();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(kid, vouching.clone());
        Some(vouching)
    }
}
