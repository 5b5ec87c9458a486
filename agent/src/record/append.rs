//! The writer: one thread, natural group commit. A batch is its leaves and one checkpoint, in one write and one
//! fdatasync; only then is anybody told. The only maker of fresh [`Recorded`] values.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use super::chain::{Hash, Tree, leaf};
use super::checkpoint::Signer;
use super::disk::{Directory, Disk, Segment};
use super::event::{Event, Prior, RunContext};
use super::journal::Mirror;
use super::line::{Frame, render};
use crate::host::clock::{BootTime, Clock};
use crate::host::digest::{hex, sha256_hex};
use crate::host::random::{Random, uuid_v7};

/// Requests that wait for the writer; a caller beyond that waits too.
const QUEUE: usize = 1024;
/// No more leaves share a checkpoint.
const BATCH: usize = 512;
/// A segment is closed when it is larger, in bytes.
const SEGMENT: usize = 4 * 1024 * 1024;
/// A signing key signs no more checkpoints, and none after this time: whoever steals the node holds only the newest key.
const EPOCH_CHECKPOINTS: u32 = 64;
const EPOCH: Duration = Duration::from_secs(60);

/// Proof that an event is durable. Not `Clone`; only the record room makes one.
#[derive(Debug)]
#[must_use]
pub struct Recorded {
    pub(super) log: String,
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

type Reply = Box<dyn FnOnce(Result<Recorded, RecordError>) + Send>;

enum Request {
    Append(Box<Event>, Reply),
    Describe(Box<RunContext>),
}

/// The handle to the writer. The writer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Recorder {
    requests: SyncSender<Request>,
    log: Arc<str>,
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
            state: State { prev: "0".repeat(64), tree: Tree::default() },
            signer,
            checkpoints: 0,
            epoch_began,
            unrecorded: 0,
            ended: None,
            log: log.as_str().into(),
            name,
            run: start.run,
            mirror: start.mirror,
            clock,
            random,
        };
        writer.commit(vec![first])?;
        let (requests, receiver) = sync_channel(QUEUE);
        let log = writer.log.clone();
        std::thread::Builder::new()
            .name("record".into())
            .spawn(move || writer.serve(&receiver))
            .map_err(|cause| RecordError::new("start the writer of", cause))?;
        Ok(Self { requests, log })
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
        let (reply, answer) = sync_channel(1);
        self.post(event, Box::new(move |result| drop(reply.send(result))))?;
        answer.recv().map_err(|_| gone())?
    }

    /// As [`Recorder::append`], for async callers.
    ///
    /// # Errors
    /// When it is not durable.
    pub async fn record(&self, event: Event) -> Result<Recorded, RecordError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.post(event, Box::new(move |result| drop(reply.send(result))))?;
        answer.await.map_err(|_| gone())?
    }

    /// Records an event without waiting; false when the queue is full and the event was not taken.
    pub fn offer(&self, event: Event) -> bool {
        self.requests
            .try_send(Request::Append(Box::new(event), Box::new(|result| drop(result.map(|recorded| recorded.seq)))))
            .is_ok()
    }

    /// From now on records say this of where and for what.
    ///
    /// # Errors
    /// When the writer is gone.
    pub fn describe(&self, run: RunContext) -> Result<(), RecordError> {
        self.requests.send(Request::Describe(Box::new(run))).map_err(|_| gone())
    }

    fn post(&self, event: Event, reply: Reply) -> Result<(), RecordError> {
        self.requests.send(Request::Append(Box::new(event), reply)).map_err(|_| gone())
    }
}

fn gone() -> RecordError {
    RecordError::new("reach the writer of", std::io::ErrorKind::BrokenPipe.into())
}

#[derive(Clone)]
struct State {
    prev: String,
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
    run: RunContext,
    mirror: Option<Mirror>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Writer {
    fn serve(&mut self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let (mut events, mut replies) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            // Whatever queued up while the last batch was on its way to the disk shares this one; nobody waits for a timer.
            while let Some(request) = next {
                match request {
                    Request::Append(event, reply) => {
                        events.push(*event);
                        replies.push(reply);
                    }
                    Request::Describe(run) if events.is_empty() => self.run = *run,
                    Request::Describe(run) => {
                        self.answer(std::mem::take(&mut events), std::mem::take(&mut replies));
                        self.run = *run;
                    }
                }
                next = if events.len() < BATCH { requests.try_recv().ok() } else { None };
            }
            self.answer(events, replies);
        }
    }

    fn answer(&mut self, events: Vec<Event>, replies: Vec<Reply>) {
        if events.is_empty() {
            return;
        }
        match self.commit(events) {
            Ok(recorded) => recorded.into_iter().zip(replies).for_each(|(one, reply)| reply(Ok(one))),
            Err(error) => replies.into_iter().for_each(|reply| reply(Err(error.clone()))),
        }
    }

    /// Makes a batch durable, or leaves the log as it was.
    fn commit(&mut self, events: Vec<Event>) -> Result<Vec<Recorded>, RecordError> {
        let count = events.len() as u64;
        let before = self.state.clone();
        let mut bytes = Vec::with_capacity(events.len() * 800 + 512);
        if self.unrecorded > 0 {
            self.add(&mut bytes, &Event::Gap { count: self.unrecorded, reason: "the disk refused".into() });
        }
        let placed: Vec<(u64, Hash)> = events.iter().map(|event| self.add(&mut bytes, event)).collect();
        let next = self.epoch_over().then(|| Signer::draw(&self.name, &*self.random));
        if let Some(next) = &next {
            self.add(&mut bytes, &Event::KeyRotated { next_vkey: next.vkey() });
        }
        // The old key signs the checkpoint that commits its successor.
        let note = self.signer.checkpoint(&self.state.tree);
        bytes.extend_from_slice(b"{\"checkpoint\":");
        bytes.extend_from_slice(super::verify::checkpoint_json(&note).as_bytes());
        bytes.extend_from_slice(b"}\n");
        if let Err(error) = self.write(&bytes, before.tree.size()) {
            self.state = before;
            self.unrecorded += count;
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
            events.iter().zip(&placed).for_each(|(event, (seq, leaf))| mirror.tell(event.class().name, *seq, leaf, &self.log));
        }
        let note: Arc<str> = note.into();
        Ok(placed.into_iter().map(|(seq, leaf)| Recorded { log: self.log.to_string(), seq, leaf, note: note.clone() }).collect())
    }

    fn epoch_over(&self) -> bool {
        self.checkpoints + 1 >= EPOCH_CHECKPOINTS || self.clock.boot() >= self.epoch_began.plus(EPOCH)
    }

    fn add(&mut self, bytes: &mut Vec<u8>, event: &Event) -> (u64, Hash) {
        let seq = self.state.tree.size();
        let now = self.clock.now();
        let uid = uuid_v7(now, &*self.random);
        let frame =
            Frame { prev: &self.state.prev, seq, log: &self.log, uid: &uid, time: now, boot: self.clock.boot(), run: &self.run };
        let line = render(&frame, event);
        let hash = leaf(line.as_bytes());
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        self.state.prev = hex(&hash);
        self.state.tree.push(hash);
        (seq, hash)
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
    let report = super::verify::verify(&directory.join(&last), &[], super::verify::Signatures::Newest).ok()?;
    Some(Prior { log: last.to_string_lossy().into_owned(), size: report.committed, root: report.root_base64 })
}

/// SHA-256 (hex) of text that is too long for a record.
pub fn digest_of(text: &str) -> String {
    sha256_hex(text.as_bytes())
}
