//! Whoever answers for the registry: the registry itself, or what it answered once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;

use serde::{Deserialize, Serialize};

use super::catalog::{Answer, Question};
use super::manifest::Digest;
use super::shelf::Shelf;
use super::shown::Unread;
use crate::context::seal::Vouching;
use crate::host::digest::{hex, unhex};
use crate::unverified::Unverified;

/// What can be asked.
pub trait Registry {
    /// Why there is no answer.
    type Error: From<Unread>;

    /// The answer to a GET. `None`: there is no such thing.
    fn get(&self, path: &str, query: &[(&str, &str)]) -> impl Future<Output = Result<Option<Unverified<Vec<u8>>>, Self::Error>>;

    /// The digest of a file, by its path below the root of artifacts. `None`: there is none.
    fn digest(&self, path: &str) -> impl Future<Output = Result<Option<Digest>, Self::Error>>;

    /// What Unity Catalog says, by the workspace or by what it said once.
    fn catalog(&self, question: &Question) -> impl Future<Output = Answer>;

    /// Who vouches for the key that a statement names. `None`: nobody, or it cannot be told.
    fn vouching(&self, token: &str) -> impl Future<Output = Option<Vouching>>;
}

/// What a registry answered about a version, and the digests of its files: enough to judge it again elsewhere. Believed no more than
/// the registry itself: what counts is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// `longhorn-facts-v1`.
    pub kind: String,
    /// By path and query: the answer's text; absent inside where there is no such thing.
    pub answers: BTreeMap<String, Option<String>>,
    /// By path below the root of artifacts: SHA-256 (hex).
    pub files: BTreeMap<String, Option<String>>,
}

/// The `kind` of [`Facts`].
pub const FACTS: &str = "longhorn-facts-v1";

impl Facts {
    /// Where the version was asked for.
    pub fn shelf(&self) -> Shelf {
        let in_catalog = |asked: &String| asked.split('?').next() == Some(Shelf::Catalog.version());
        if self.answers.keys().any(in_catalog) { Shelf::Catalog } else { Shelf::Workspace }
    }
}

/// A question as [`Facts`] name it.
fn question(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// A registry that is asked, and what it answered.
pub struct Noting<'r, R> {
    /// The registry.
    registry: &'r R,
    facts: RefCell<Facts>,
}

impl<'r, R> Noting<'r, R> {
    /// Nothing is noted yet.
    pub fn new(registry: &'r R) -> Self {
        Self { registry, facts: RefCell::new(Facts { kind: FACTS.into(), ..Facts::default() }) }
    }

    /// What was noted.
    pub fn facts(self) -> Facts {
        self.facts.into_inner()
    }
}

impl<R: Registry> Registry for Noting<'_, R> {
    type Error = R::Error;

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Unverified<Vec<u8>>>, R::Error> {
        let answer = self.registry.get(path, query).await?;
        let text = answer.as_ref().map(super::shown::text_of).transpose()?;
        self.facts.borrow_mut().answers.insert(question(path, query), text);
        Ok(answer)
    }

    async fn digest(&self, path: &str) -> Result<Option<Digest>, R::Error> {
        let digest = self.registry.digest(path).await?;
        self.facts.borrow_mut().files.insert(path.to_owned(), digest.map(|digest| hex(&digest)));
        Ok(digest)
    }

    async fn catalog(&self, question: &Question) -> Answer {
        let answer = self.registry.catalog(question).await?;
        let text = answer.as_ref().map(super::shown::text_of).transpose().map_err(|unread| unread.to_string())?;
        self.facts.borrow_mut().answers.insert(question.to_string(), text);
        Ok(answer)
    }

    async fn vouching(&self, token: &str) -> Option<Vouching> {
        self.registry.vouching(token).await
    }
}

/// A registry that is not asked again.
pub struct Noted<'f> {
    facts: &'f Facts,
    /// Who vouches for the key that a statement names.
    vouching: &'f dyn Fn(&str) -> Option<Vouching>,
}

impl<'f> Noted<'f> {
    /// What was noted, with whose word counts now.
    pub fn new(facts: &'f Facts, vouching: &'f dyn Fn(&str) -> Option<Vouching>) -> Self {
        Self { facts, vouching }
    }
}

impl Registry for Noted<'_> {
    type Error = Unread;

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Unverified<Vec<u8>>>, Unread> {
        let answer = self.facts.answers.get(&question(path, query)).ok_or(Unread("answer among these facts"))?;
        Ok(answer.as_ref().map(|text| Unverified::new(text.clone().into_bytes())))
    }

    async fn digest(&self, path: &str) -> Result<Option<Digest>, Unread> {
        let digest = self.facts.files.get(path).ok_or(Unread("such file among these facts"))?;
        digest.as_ref().map(|text| unhex(text.as_bytes()).ok_or(Unread("digest of that file"))).transpose()
    }

    async fn catalog(&self, question: &Question) -> Answer {
        let answer = self.facts.answers.get(&question.to_string()).ok_or("these facts have no answer of the workspace")?;
        Ok(answer.as_ref().map(|text| Unverified::new(text.clone().into_bytes())))
    }

    async fn vouching(&self, token: &str) -> Option<Vouching> {
        (self.vouching)(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_tell_where_the_version_was_asked_for() {
        let asked = |shelf: Shelf| {
            let answers = [(question(shelf.version(), &[("name", "a.b.c"), ("version", "1")]), None)].into();
            Facts { kind: FACTS.into(), answers, files: BTreeMap::new() }.shelf()
        };
        assert_eq!((asked(Shelf::Catalog), asked(Shelf::Workspace)), (Shelf::Catalog, Shelf::Workspace));
        assert_eq!(Facts::default().shelf(), Shelf::Workspace);
    }
}
