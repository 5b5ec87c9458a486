//! What waits for the writer, and who waits with it. All of a batch hear of it by one wake-up: with many callers the
//! wake-ups cost more than the disk.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};

use tokio::sync::Notify;

use super::append::{RecordError, Recorded};
use super::chain::Hash;
use super::line::Body;

/// No more share a checkpoint; a caller beyond that waits until the writer has taken these.
const MOST: usize = 1024;

/// A record for the writer.
pub struct Item {
    /// What it says.
    pub body: Body,
    /// From it on records say this of where and for what, rendered.
    pub run: Option<Vec<u8>>,
}

/// What became of a batch.
pub type Outcome = Result<Committed, RecordError>;

/// Where a batch lies.
pub struct Committed {
    /// The log.
    pub log: Arc<str>,
    /// Number and leaf of each record.
    pub placed: Vec<(u64, Hash)>,
    /// The checkpoint that covers them.
    pub note: Arc<str>,
}

/// Those that wait together.
#[derive(Default)]
pub struct Batch {
    outcome: OnceLock<Outcome>,
    tasks: Notify,
}

impl Batch {
    /// Tells everybody.
    pub fn tell(&self, outcome: Outcome) {
        self.outcome.get_or_init(|| outcome);
        self.tasks.notify_waiters();
    }
}

/// A record's place in its batch.
pub struct Ticket {
    batch: Arc<Batch>,
    place: usize,
}

impl Ticket {
    /// Waits for the outcome.
    pub fn wait(self) -> Result<Recorded, RecordError> {
        self.mine(self.batch.outcome.wait())
    }

    /// As [`Ticket::wait`], for tasks.
    pub async fn told(self) -> Result<Recorded, RecordError> {
        // Whoever has this before the batch is told is woken, though it may not wait yet.
        let told = self.batch.tasks.notified();
        if self.batch.outcome.get().is_none() {
            told.await;
        }
        self.mine(self.batch.outcome.get().ok_or_else(RecordError::gone)?)
    }

    fn mine(&self, outcome: &Outcome) -> Result<Recorded, RecordError> {
        let Committed { log, placed, note } = outcome.as_ref().map_err(Clone::clone)?;
        let (seq, leaf) = placed[self.place];
        Ok(Recorded { log: log.clone(), seq, leaf, note: note.clone() })
    }
}

/// The queue. It is open as long as there are both somebody to ask and a writer.
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    room: Condvar,
}

struct Waiting {
    items: Vec<Item>,
    /// For the next item.
    run: Option<Vec<u8>>,
    batch: Arc<Batch>,
    open: bool,
}

impl Queue {
    /// An empty one.
    pub fn new() -> Self {
        let waiting = Waiting { items: Vec::new(), run: None, batch: Arc::default(), open: true };
        Self { waiting: Mutex::new(waiting), arrived: Condvar::new(), room: Condvar::new() }
    }

    /// Queues, when there is room.
    ///
    /// # Errors
    /// When the writer is gone.
    pub fn push(&self, body: Body) -> Result<Ticket, RecordError> {
        let mut waiting = held(&self.waiting);
        while waiting.open && waiting.items.len() >= MOST {
            waiting = self.room.wait(waiting).expect(NOBODY_PANICS);
        }
        self.enter(waiting, body).ok_or_else(RecordError::gone)
    }

    /// Queues, if there is room; whether it did.
    pub fn offer(&self, body: Body) -> bool {
        let waiting = held(&self.waiting);
        waiting.items.len() < MOST && self.enter(waiting, body).is_some()
    }

    /// The next record, and those after it, say this of where and for what.
    ///
    /// # Errors
    /// When the writer is gone.
    pub fn describe(&self, run: Vec<u8>) -> Result<(), RecordError> {
        let mut waiting = held(&self.waiting);
        waiting.run = Some(run);
        waiting.open.then_some(()).ok_or_else(RecordError::gone)
    }

    fn enter(&self, mut waiting: MutexGuard<'_, Waiting>, body: Body) -> Option<Ticket> {
        let ticket = waiting.open.then(|| Ticket { batch: waiting.batch.clone(), place: waiting.items.len() })?;
        let run = waiting.run.take();
        waiting.items.push(Item { body, run });
        let first = waiting.items.len() == 1;
        drop(waiting);
        if first {
            self.arrived.notify_one();
        }
        Some(ticket)
    }

    /// All that queued up, when there is something; none when nobody can ask any more.
    pub fn take(&self) -> Option<(Vec<Item>, Arc<Batch>)> {
        let mut waiting = held(&self.waiting);
        while waiting.items.is_empty() {
            if !waiting.open {
                return None;
            }
            waiting = self.arrived.wait(waiting).expect(NOBODY_PANICS);
        }
        let taken = (std::mem::take(&mut waiting.items), std::mem::take(&mut waiting.batch));
        self.room.notify_all();
        Some(taken)
    }

    fn close(&self) {
        let mut waiting = held(&self.waiting);
        waiting.open = false;
        self.arrived.notify_all();
        self.room.notify_all();
    }
}

/// One end of a queue, which closes with it.
pub struct End(pub Arc<Queue>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.close();
    }
}

const NOBODY_PANICS: &str = "nobody panics while holding it";

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect(NOBODY_PANICS)
}
