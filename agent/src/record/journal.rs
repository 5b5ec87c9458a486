//! The mirror in journald: its own thread and a bounded queue, because a hung journald blocks its senders for ever
//! (facts: record E.3). Absent, refused or hung, it is noted and never fatal. The file is the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tracing_subscriber::layer::SubscriberExt;

use super::chain::Hash;
use crate::host::digest::hex;

const QUEUE: usize = 256;

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
    /// Connects; what went wrong is a word for the first record.
    ///
    /// # Errors
    /// When no journal is here: `absent`, `refused`, or the error's own word.
    pub fn start() -> Result<Self, String> {
        let layer = tracing_journald::layer().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "absent".to_owned(),
            std::io::ErrorKind::ConnectionRefused => "refused".to_owned(),
            kind => kind.to_string(),
        })?;
        let layer = layer.with_field_prefix(Some("LONGHORN".into())).with_syslog_identifier("longhorn".into());
        let (lines, receiver) = sync_channel(QUEUE);
        let spawned = std::thread::Builder::new().name("journal".into()).spawn(move || {
            let subscriber = tracing_subscriber::registry().with(layer);
            tracing::subscriber::with_default(subscriber, || forward(&receiver));
        });
        spawned.map_err(|error| error.kind().to_string())?;
        Ok(Self { lines, dropped: Arc::default() })
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

fn forward(lines: &Receiver<Line>) {
    while let Ok(line) = lines.recv() {
        tracing::info!(event = line.event, seq = line.seq, leaf = %line.leaf, log = %line.log, "{} is record {}", line.event, line.seq);
    }
}
