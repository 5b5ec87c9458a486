//! What is known of runs and logged models, for a moment; and who may change one while another request does.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::host::clock::BootTime;
use crate::model::place::inside;
use crate::model::{Digest, Made};

/// What was seen counts for so long: a run that another node ends is noticed by then, and its seal tells what was written meanwhile.
pub(super) const FRESH: Duration = Duration::from_secs(2);
/// So many runs and models are kept, and digests of files.
const MOST: usize = 1024;
const MOST_FILES: usize = 4096;

/// What a request holds while it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Run(String),
    Model(String),
    /// A version in Unity Catalog, by its model's name and its number.
    Version(String, String),
    /// A registered model, by its name: only so that two do not move one alias at once.
    Registered(String),
}

/// As the registry showed it, and the job that made it, by the word of a node that somebody vouches for.
pub(super) struct Seen {
    pub(super) made: Made,
    pub(super) maker: Option<String>,
}

/// Whether something is written to it, or it is ended by that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    More,
    Last,
}

/// Held until a request is answered: several may write at once, and nobody while it is ended.
#[allow(dead_code, reason = "what counts is that it is held")]
pub(super) enum Turn {
    Writing(OwnedRwLockReadGuard<()>),
    Ending(OwnedRwLockWriteGuard<()>),
}

#[derive(Default)]
struct Place {
    turn: Arc<RwLock<()>>,
    seen: RefCell<Option<(BootTime, Rc<Seen>)>>,
}

/// What is known.
#[derive(Default)]
pub(super) struct Known {
    places: RefCell<HashMap<Thing, Rc<Place>>>,
    files: RefCell<HashMap<String, Digest>>,
}

impl Known {
    fn place(&self, thing: &Thing) -> Rc<Place> {
        let mut places = self.places.borrow_mut();
        if places.len() >= MOST && !places.contains_key(thing) {
            // Those that a request waits for or holds stay.
            places.retain(|_, place| Rc::strong_count(place) > 1 || Arc::strong_count(&place.turn) > 1);
        }
        places.entry(thing.clone()).or_default().clone()
    }

    /// Its turn: several write at once, and whoever ends it is alone.
    pub(super) async fn turn(&self, thing: &Thing, writing: Writing) -> Turn {
        let turn = self.place(thing).turn.clone();
        match writing {
            Writing::More => Turn::Writing(turn.read_owned().await),
            Writing::Last => Turn::Ending(turn.write_owned().await),
        }
    }

    /// What was seen of it within this time.
    pub(super) fn seen(&self, thing: &Thing, within: Duration, now: BootTime) -> Option<Rc<Seen>> {
        let place = self.place(thing);
        let seen = place.seen.borrow();
        seen.as_ref().filter(|(at, _)| now < at.plus(within)).map(|(_, seen)| seen.clone())
    }

    pub(super) fn see(&self, thing: &Thing, seen: Rc<Seen>, now: BootTime) {
        *self.place(thing).seen.borrow_mut() = Some((now, seen));
    }

    /// It was changed by the gateway itself.
    pub(super) fn forget(&self, thing: &Thing) {
        *self.place(thing).seen.borrow_mut() = None;
    }

    /// The digest of a file that passed, by its path below the root of artifacts.
    pub(super) fn file(&self, path: &str) -> Option<Digest> {
        self.files.borrow().get(path).copied()
    }

    /// A file passed, or was deleted, or a directory was: what was known of it no longer counts.
    pub(super) fn passed(&self, path: &str, digest: Option<Digest>) {
        let mut files = self.files.borrow_mut();
        files.retain(|other, _| !inside(other, path));
        if let Some(digest) = digest {
            if files.len() >= MOST_FILES {
                files.clear();
            }
            files.insert(path.to_owned(), digest);
        }
    }
}
