//! The mirror in journald: its own thread and a bounded queue, because a hung journald blocks its senders for ever
//! (facts: record E.3). Absent, refused or hung, it is noted and never fatal. The file is the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing_subscriber::layer::SubscriberExt;

use super::chain::Hash;
use crate::host::digest::hex;

const QUEUE: usize = 256;
/// How long `init` may wait for a journal; a healthy one answers within a millisecond.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long until a journal that hung and went away is tried again.
const AGAIN: Duration = Duration::from_secs(1);

struct Line {
    event: &'static str,
    seq: u64,
    leaf: String,
    log: Arc<str>,
}

/// The mirror.
#[derive(Clone)]
pub struct Mirror {
    lines: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

impl Mirror {
    /// Connects; the word is for the first record: `connected`, or `hung` where the journal does not answer in time. To a
    /// hung one lines are sent as soon as it, or its successor, reads again.
    ///
    /// # Errors
    /// When no journal is here: `absent`, `refused`, or the error's own word.
    pub fn start() -> Result<(Self, &'static str), String> {
        let (lines, receiver) = sync_channel(QUEUE);
        let (connected, answer) = sync_channel(1);
        let spawned = std::thread::Builder::new().name("journal".into()).spawn(move || {
            // Connecting sends a first datagram: where nobody reads, it waits for ever.
            let layer = loop {
                match tracing_journald::layer() {
                    Ok(layer) => break layer,
                    Err(error) if connected.send(Err(word(&error))).is_ok() => return,
                    // It hung and then went away: it may come back.
                    Err(_) => std::thread::sleep(AGAIN),
                }
            };
            let layer = layer.with_field_prefix(Some("LONGHORN".into())).with_syslog_identifier("longhorn".into());
            // Nobody waits for the answer any more where it came too late.
            drop(connected.send(Ok(())));
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || forward(&receiver));
        });
        spawned.map_err(|error| error.kind().to_string())?;
        let mirror = Self { lines, dropped: Arc::default() };
        match answer.recv_timeout(PATIENCE) {
            Ok(Ok(())) => Ok((mirror, "connected")),
            Ok(Err(word)) => Err(word),
            Err(_) => Ok((mirror, "hung")),
        }
    }

    /// Offers a line; never waits.
    pub fn tell(&self, event: &'static str, seq: u64, leaf: &Hash, log: &Arc<str>) {
        if self.lines.try_send(Line { event, seq, leaf: hex(leaf), log: log.clone() }).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that the journal did not take in time.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn word(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "absent".to_owned(),
        std::io::ErrorKind::ConnectionRefused => "refused".to_owned(),
        kind => kind.to_string(),
    }
}

fn forward(lines: &Receiver<Line>) {
    while let Ok(line) = lines.recv() {
        tracing::info!(event = line.event, seq = line.seq, leaf = %line.leaf, log = %line.log, "{} is record {}", line.event, line.seq);
    }
}
