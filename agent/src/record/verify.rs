//! Verifies a log offline, without trusting the node that wrote it. All cores take its files apart; what they find is
//! judged in the log's order.

mod anchor;
mod pieces;
mod report;
mod walk;

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, Builder, Scope};

use super::scan::{Line, lines};
pub use anchor::{Anchor, Known, NodeAnchor, binding};
use pieces::{Piece, Pieces};
pub use report::{Fault, Redaction, Report, Verdict};
use walk::{Stop, Walk};

/// Which checkpoint signatures are checked. Every root always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signatures {
    /// The last of each key: it covers all before it.
    Newest,
    /// All.
    All,
}

/// Lines, or stretches of them, that a hand tells of at once: each time it tells, a thread wakes.
const TOLD: usize = 64;
/// How often a hand tells before it waits: a segment of those that our writer makes, and the start of the next.
const AHEAD: usize = 8;

/// Bytes of a log for which threads are started.
const WORTH_A_HAND: u64 = 1024 * 1024;

/// Verifies a log directory, or one file of a log that has only one.
///
/// # Errors
/// When there is nothing to read, or it cannot be read.
pub fn verify(path: &Path, known: &Known<'_>, signatures: Signatures) -> io::Result<Report> {
    let files = segments(path)?;
    let mut walk = Walk::new(&files, known, signatures);
    let outcome = thread::scope(|scope| follow(&files, &mut walk, scope));
    walk.report(outcome)
}

fn segments(path: &Path) -> io::Result<Vec<PathBuf>> {
    if fs::metadata(path)?.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files: Vec<PathBuf> = fs::read_dir(path)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.retain(|file| file.is_file() && file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seg-")));
    files.sort();
    if files.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(files) }
}

/// Judges in this thread what the hands found. Each takes every n-th file, so no order is lost.
fn follow<'scope>(files: &'scope [PathBuf], walk: &mut Walk<'_>, scope: &'scope Scope<'scope, '_>) -> Result<(), Stop> {
    let hands = hands(files, scope);
    for (at, file) in files.iter().enumerate() {
        walk.enter(at);
        match hands.get(at % hands.len().max(1)) {
            Some(hand) => hand.iter().map_while(|found| found).try_for_each(|found| judge(&found, walk))?,
            None => take_apart(file, |found| judge(&found, walk))?,
        }
    }
    Ok(())
}

/// What stands next in a file; none at its end.
type Hand = Receiver<Option<Found>>;

/// One for each core; none for a log that is not worth a thread, and none where there are no threads to be had.
fn hands<'scope>(files: &'scope [PathBuf], scope: &'scope Scope<'scope, '_>) -> Vec<Hand> {
    let bytes: u64 = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum();
    let cores = if bytes < WORTH_A_HAND { 0 } else { thread::available_parallelism().map_or(1, NonZero::get) };
    let hand = |at| {
        let (found, hand) = sync_channel(AHEAD);
        let work = move || {
            files.iter().skip(at).step_by(cores).try_for_each(|file| {
                take_apart(file, |what| found.send(Some(what)))?;
                found.send(None)
            })
        };
        Builder::new().name("verify".into()).spawn_scoped(scope, work).ok().map(|_| hand)
    };
    (0..cores).map(hand).collect::<Option<_>>().unwrap_or_default()
}

enum Found {
    Lines(Vec<Line>),
    /// Bytes that no line feed ends.
    Torn(u64),
    /// A line of that many bytes.
    TooLong(u64),
    Unreadable(io::Error),
}

fn take_apart<E>(file: &Path, mut tell: impl FnMut(Found) -> Result<(), E>) -> Result<(), E> {
    let mut pieces = match Pieces::of(file) {
        Ok(pieces) => pieces,
        Err(error) => return tell(Found::Unreadable(error)),
    };
    // Most pieces hold fewer: a list seldom grows.
    let list = || Vec::with_capacity(2 * TOLD);
    let mut found = list();
    let end = loop {
        match pieces.next() {
            Ok(Piece::Lines(block)) => {
                if !lines(block, &mut found) {
                    break None;
                }
            }
            Ok(Piece::End(0)) => break None,
            Ok(Piece::End(bytes)) => break Some(Found::Torn(bytes)),
            Ok(Piece::TooLong(length)) => break Some(Found::TooLong(length)),
            Err(error) => break Some(Found::Unreadable(error)),
        }
        if found.len() >= TOLD {
            tell(Found::Lines(std::mem::replace(&mut found, list())))?;
        }
    };
    tell(Found::Lines(found))?;
    end.map_or(Ok(()), tell)
}

fn judge(found: &Found, walk: &mut Walk<'_>) -> Result<(), Stop> {
    match found {
        Found::Lines(lines) => lines.iter().try_for_each(|line| walk.line(line)),
        Found::Torn(bytes) => walk.torn(*bytes),
        Found::TooLong(length) => walk.too_long(*length),
        Found::Unreadable(error) => Err(walk.unreadable(error)),
    }
}
