//! The writer: one thread, natural group commit. A batch is its leaves and one checkpoint, in one write and one
//! fdatasync; only then is anybody told. The only maker of fresh [`Recorded`] values.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::chain::{Hash, LEAF, Tree, leaf};
use super::checkpoint::Signer;
use super::disk::{Directory, Disk, Segment};
use super::event::{Event, Prior, RunContext};
use super::journal::Mirror;
use super::line::{Body, Frame, run};
use super::queue::{Committed, End, Item, Outcome, Queue};
use super::verify::{Known, Report, Signatures, verify};
use crate::host::clock::{BootTime, Clock};
use crate::host::digest::sha256_hex;
use crate::host::random::{Random, uuid_v7};

/// A segment is closed when it is larger, in bytes.
const SEGMENT: usize = 4 * 1024 * 1024;
/// A signing key signs no more checkpoints, and none after this time: whoever steals the node holds only the newest key.
const EPOCH_CHECKPOINTS: u32 = 64;
const EPOCH: Duration = Duration::from_secs(60);

/// Proof that an event is durable. Not `Clone`; only the record room makes one.
#[derive(Debug)]
#[must_use]
pub struct Recorded {
    pub(super) log: Arc<str>,
    pub(super) seq: u64,
    pub(super) leaf: Hash,
    pub(super) note: Arc<str>,
}

impl Recorded {
    /// The record's number.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The log that holds it.
    pub fn log(&self) -> &str {
        &self.log
    }
}

/// Why an event is not durable. Nothing may happen that would need it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {step} the record")]
pub struct RecordError {
    step: &'static str,
    #[source]
    cause: Arc<std::io::Error>,
}

impl RecordError {
    fn new(step: &'static str, cause: std::io::Error) -> Self {
        Self { step, cause: Arc::new(cause) }
    }

    pub(super) fn gone() -> Self {
        Self::new("reach the writer of", std::io::ErrorKind::BrokenPipe.into())
    }
}

/// Makes the first event from the verifier key and the origin.
pub type FirstEvent<'a> = Box<dyn FnOnce(&str, &str) -> Event + 'a>;

/// What a log starts with. The first event gets the log's keys and origin filled in by the writer.
pub struct Start<'a> {
    /// `longhorn/<workspace>/<cluster>/<node>/<boot>`; the log's id is added.
    pub origin: String,
    /// Where and for what.
    pub run: RunContext,
    /// Makes the first event: from the verifier key, the origin and the id.
    pub first: FirstEvent<'a>,
    /// The mirror in the journal, where one is wanted.
    pub mirror: Option<Mirror>,
}

/// The handle to the writer. The writer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Recorder {
    queue: Arc<End>,
    log: Arc<str>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Recorder {
    /// Starts a new log below `directory`; its first event is durable when this returns.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn create(
        directory: &Path,
        start: Start<'_>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, RecordError> {
        let log = uuid_v7(clock.now(), &*random);
        let disk = Directory::create(&directory.join(&log)).map_err(|cause| RecordError::new("create", cause))?;
        Self::on(Box::new(disk), log, start, clock, random)
    }

    /// As [`Recorder::create`], on any disk.
    ///
    /// # Errors
    /// As there.
    pub fn on(
        disk: Box<dyn Disk>,
        log: String,
        start: Start<'_>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, RecordError> {
        let name = format!("{}/{log}", start.origin);
        let signer = Signer::draw(&name, &*random);
        let first = (start.first)(&signer.vkey(), &name);
        let epoch_began = clock.boot();
        let mut writer = Writer {
            disk,
            segment: None,
            segment_size: 0,
            state: State::default(),
            signer,
            checkpoints: 0,
            epoch_began,
            unrecorded: 0,
            ended: None,
            log: log.as_str().into(),
            name,
            run: run(&start.run),
            mirror: start.mirror,
            clock: clock.clone(),
            random: random.clone(),
        };
        let first = Item { body: writer.body(&first), run: None };
        writer.commit(&[first])?;
        let queue = Arc::new(Queue::new());
        let (log, own) = (writer.log.clone(), End(queue.clone()));
        std::thread::Builder::new()
            .name("record".into())
            .spawn(move || writer.serve(&own.0))
            .map_err(|cause| RecordError::new("start the writer of", cause))?;
        Ok(Self { queue: Arc::new(End(queue)), log, clock, random })
    }

    /// The log's id.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// Records an event and waits until it is durable.
    ///
    /// # Errors
    /// When it is not.
    pub fn append(&self, event: Event) -> Result<Recorded, RecordError> {
        self.queue.0.push(self.body(&event))?.wait()
    }

    /// As [`Recorder::append`], for async callers.
    ///
    /// # Errors
    /// When it is not durable.
    pub async fn record(&self, event: Event) -> Result<Recorded, RecordError> {
        self.queue.0.push(self.body(&event))?.told().await
    }

    /// Records an event without waiting; false when the queue is full and the event was not taken.
    pub fn offer(&self, event: Event) -> bool {
        self.queue.0.offer(self.body(&event))
    }

    /// From now on records say this of where and for what.
    ///
    /// # Errors
    /// When the writer is gone.
    pub fn describe(&self, context: RunContext) -> Result<(), RecordError> {
        self.queue.0.describe(run(&context))
    }

    fn body(&self, event: &Event) -> Body {
        Body::of(event, uuid_v7(self.clock.now(), &*self.random))
    }
}

#[derive(Clone, Default)]
struct State {
    prev: Hash,
    tree: Tree,
}

struct Writer {
    disk: Box<dyn Disk>,
    segment: Option<Box<dyn Segment>>,
    segment_size: usize,
    state: State,
    signer: Signer,
    checkpoints: u32,
    epoch_began: BootTime,
    unrecorded: u64,
    /// Why nothing may be added any more.
    ended: Option<RecordError>,
    log: Arc<str>,
    name: String,
    /// Rendered.
    run: Vec<u8>,
    mirror: Option<Mirror>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Writer {
    fn serve(&mut self, queue: &Queue) {
        // Whatever queued up while the last batch was on its way to the disk shares the next; nobody waits for a timer.
        while let Some((items, batch)) = queue.take() {
            batch.tell(self.commit(&items));
        }
    }

    fn body(&self, event: &Event) -> Body {
        Body::of(event, uuid_v7(self.clock.now(), &*self.random))
    }

    /// Makes a batch durable, or leaves the log as it was.
    fn commit(&mut self, items: &[Item]) -> Outcome {
        let before = self.state.clone();
        let mut bytes = Vec::with_capacity(items.len() * 800 + 512);
        if self.unrecorded > 0 {
            let gap = self.body(&Event::Gap { count: self.unrecorded, reason: "the disk refused".into() });
            self.add(&mut bytes, &gap);
        }
        let mut place = |item: &Item| {
            if let Some(run) = &item.run {
                self.run.clone_from(run);
            }
            self.add(&mut bytes, &item.body)
        };
        let placed: Vec<(u64, Hash)> = items.iter().map(&mut place).collect();
        let next = self.epoch_over().then(|| Signer::draw(&self.name, &*self.random));
        if let Some(next) = &next {
            let rotated = self.body(&Event::KeyRotated { next_vkey: next.vkey() });
            self.add(&mut bytes, &rotated);
        }
        // The old key signs the checkpoint that commits its successor.
        let note = self.signer.checkpoint(&self.state.tree);
        bytes.extend_from_slice(&[b"\n", &*longhorn_canonical::note::line(&note), b"\n"].concat());
        if let Err(error) = self.write(&bytes[1..], before.tree.size()) {
            self.state = before;
            self.unrecorded += items.len() as u64;
            return Err(error);
        }
        self.unrecorded = 0;
        self.checkpoints += 1;
        if let Some(next) = next {
            self.signer = next;
            self.checkpoints = 0;
            self.epoch_began = self.clock.boot();
        }
        if let Some(mirror) = &self.mirror {
            items.iter().zip(&placed).for_each(|(item, (seq, leaf))| mirror.tell(item.body.name, *seq, leaf, &self.log));
        }
        Ok(Committed { log: self.log.clone(), placed, note: note.into() })
    }

    fn epoch_over(&self) -> bool {
        self.checkpoints + 1 >= EPOCH_CHECKPOINTS || self.clock.boot() >= self.epoch_began.plus(EPOCH)
    }

    fn add(&mut self, bytes: &mut Vec<u8>, body: &Body) -> (u64, Hash) {
        let State { prev, tree } = &mut self.state;
        let seq = tree.size();
        let from = bytes.len();
        let (time, boot) = (self.clock.now(), self.clock.boot());
        // The mark of a leaf stands where then the line feed of the line before does.
        bytes.push(LEAF);
        Frame { prev, seq, log: &self.log, time, boot, run: &self.run }.render(body, bytes);
        *prev = leaf(&bytes[from..]);
        tree.push(*prev);
        bytes[from] = b'\n';
        (seq, *prev)
    }

    fn write(&mut self, bytes: &[u8], first: u64) -> Result<(), RecordError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        if self.segment.is_none() || self.segment_size >= SEGMENT {
            self.open(first)?;
        }
        if self.put(bytes).is_ok() {
            return Ok(());
        }
        // Never fdatasync the same descriptor again: after an error the kernel drops the dirty pages and the next call
        // says yes. The batch goes to a new segment once; what the old one holds of it is cut away.
        if let Some(mut broken) = self.segment.take() {
            broken.cut(self.segment_size).map_err(|cause| self.end(cause))?;
        }
        self.open(first)?;
        self.put(bytes).map_err(|cause| match self.segment.take().map(|mut broken| broken.cut(0)) {
            Some(Err(cause)) => self.end(cause),
            Some(Ok(())) | None => RecordError::new("write", cause),
        })
    }

    /// A batch that was refused may lie on disk whole, signed checkpoint and all. Whatever came after it would give its
    /// numbers to other records: the log would contradict itself.
    fn end(&mut self, cause: std::io::Error) -> RecordError {
        let error = RecordError::new("cut a torn batch from", cause);
        self.ended = Some(error.clone());
        error
    }

    fn open(&mut self, first: u64) -> Result<(), RecordError> {
        self.segment = Some(self.disk.segment(first).map_err(|cause| RecordError::new("open a segment of", cause))?);
        self.segment_size = 0;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let segment = self.segment.as_mut().ok_or(std::io::ErrorKind::NotFound)?;
        segment.write_all(bytes)?;
        segment.sync()?;
        self.segment_size += bytes.len();
        Ok(())
    }
}

/// The newest log below `directory` and what its last good checkpoint covers, for the first record of the next one.
pub fn newest(directory: &Path) -> Option<Prior> {
    let logs = std::fs::read_dir(directory).ok()?.filter_map(|entry| entry.ok()).filter(|entry| entry.path().is_dir());
    let last = logs.map(|entry| entry.file_name()).max()?;
    let log = last.to_string_lossy().into_owned();
    Some(match verify(&directory.join(&last), &Known::default(), Signatures::Newest) {
        Ok(Report { verdict, committed, root_base64, unsigned_tail, .. }) => {
            Prior { log, size: committed, root: root_base64, verdict: verdict.word().into(), unsigned_tail }
        }
        Err(_) => Prior { log, size: 0, root: String::new(), verdict: "UNREADABLE".into(), unsigned_tail: 0 },
    })
}

/// SHA-256 (hex) of text that is too long for a record.
pub fn digest_of(text: &str) -> String {
    sha256_hex(text.as_bytes())
}
