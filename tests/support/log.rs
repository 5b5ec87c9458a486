//! A log as tests and benches of the record start one.

use longhorn::record::event::{Prior, RunContext};
use longhorn::record::{Event, Start};

pub fn start(prior: Option<Prior>) -> Start<'static> {
    Start {
        origin: "longhorn/a.example/c-1/10.0.0.1/boot".into(),
        run: RunContext { workspace: "https://a.example".into(), ..RunContext::default() },
        first: Box::new(|vkey, origin| Event::Started {
            vkey: vkey.into(),
            origin: origin.into(),
            node_key: String::new(),
            binding: String::new(),
            agent_sha256: String::new(),
            settings_sha256: String::new(),
            script_sha256: String::new(),
            kernel: String::new(),
            boot: String::new(),
            journal: "off".into(),
            processes: "plain".into(),
            prior,
        }),
        mirror: None,
    }
}

pub fn beat(at: u64) -> Event {
    Event::Heartbeat { journal_dropped: at, launches_unrecorded: 0, disk_free: 0 }
}
