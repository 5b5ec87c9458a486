//! What moves on the node itself: the record's files, the sealed lock, messages, and requests on the sidecar's socket.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use longhorn::context::LockSummary;
use longhorn::decision::environment::Floor;
use longhorn::evidence::Hints;
use longhorn::host::clock::{BootTime, SystemClock};
use longhorn::host::digest::sha256_hex;
use longhorn::host::random::SystemRandomness;
use longhorn::lock::env::EnvRule;
use longhorn::lock::sealed::{Seal, SealedLock, SealedTarget, seal};
use longhorn::lock::{Plan, Strength, TargetKind, seccomp};
use longhorn::record::verify::{Known, Signatures, verify};
use longhorn::record::{Event, Recorder};
use longhorn::serve::api::answer;
use longhorn::serve::session::{Session, State};
use longhorn::wire::control::ToKeeper;
use longhorn::wire::credentials::Credentials;
use longhorn::wire::lease;
use longhorn::wire::report::{Enforced, LaunchReport, Outcome};
use longhorn::wire::samples::Samples;
use longhorn::wire::verdict::{FromInit, FromSidecar, screen};
use simulator::documents::unhex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use zeroize::Zeroizing;

use super::{MOST, Take, choice, chosen, shapes, shown, timed};
use crate::support::log::{beat, start};

/// A directory of this process, which goes with its owner.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        // Nobody is harmed by what stays in a temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn place(name: &str) -> Place {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let place = parent.join(format!("longhorn-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&place).expect("a directory can be made");
    Place(place)
}

/// A segment of a log.
pub fn record() -> Take {
    let place = place("record");
    Box::new(move |bytes| {
        let file = place.0.join("seg-0");
        std::fs::write(&file, bytes).expect("a file can be written");
        if let Err(error) = timed(bytes.len(), || verify(&file, &Known::default(), Signatures::All)) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "nothing of it is a record, else it has a verdict: {error}");
        }
    })
}

fn recorder(name: &str) -> (Place, Recorder) {
    let directory = place(name);
    let recorder = Recorder::create(&directory.0, start(None), Arc::new(SystemClock), Arc::new(SystemRandomness));
    (directory, recorder.expect("a log starts"))
}

pub fn record_seeds() -> Vec<Vec<u8>> {
    let (directory, recorder) = recorder("seeds");
    for at in 0..3 {
        let _ = recorder.append(beat(at)).expect("it is durable");
    }
    let _ = recorder.append(Event::Sealed).expect("it is durable");
    let log = directory.0.join(recorder.log());
    drop(recorder);
    let files = std::fs::read_dir(log).expect("the log is there");
    let mut seeds: Vec<Vec<u8>> =
        files.map(|file| std::fs::read(file.expect("it lists").path()).expect("it can be read")).collect();
    let redacted = format!("{{\"redacted\":\"{}\",\"seq\":1,\"by\":\"a\",\"why\":\"b\"}}\n", "0".repeat(64));
    seeds.push([&seeds[0][..], redacted.as_bytes()].concat());
    seeds
}

pub fn record_worst() -> Vec<Vec<u8>> {
    let whole = record_seeds().swap_remove(0);
    let first = whole.split_inclusive(|byte| *byte == b'\n').next().expect("a log has lines").to_vec();
    let mut lines: Vec<Vec<u8>> = vec![b"\n".repeat(MOST), b"{}\n".repeat(MOST / 3), first.repeat(MOST / first.len())];
    let redacted = format!("{{\"redacted\":\"{}\",\"seq\":1,\"by\":\"a\",\"why\":\"b\"}}\n", "0".repeat(64));
    lines.push(redacted.repeat(MOST / redacted.len()).into_bytes());
    lines.extend(shapes::json().into_iter().flat_map(|shape| {
        let line = [&shape[..], b"\n"].concat();
        [[b"{\"prev\":\"", &line[..]].concat(), [b"{\"redacted\":", &line[..]].concat(), line]
    }));
    lines
}

/// The body of a sealed lock, under its digest.
pub fn sealed() -> Take {
    Box::new(|bytes| {
        let forged = [&b"LHLOCK4\n"[..], &unhex(&sha256_hex(bytes)), bytes].concat();
        drop(timed(bytes.len(), || SealedLock::parse(&forged)));
        assert!(bytes.len() < 40 || SealedLock::parse(bytes).is_err(), "bytes that were not sealed are a lock");
    })
}

pub fn sealed_seeds() -> Vec<Vec<u8>> {
    let plan = Plan {
        profile: "e".into(),
        env: EnvRule {
            exact: vec![b"PATH".to_vec()],
            prefixes: vec![b"A_".to_vec()],
            fixed: vec![(b"TZ".to_vec(), b"UTC".to_vec())],
        },
        rules: Vec::new(),
        landlock: 7,
        protect: vec![],
        mask: vec![],
        mount: true,
        metadata_closed: true,
        kept: 32,
        filter: seccomp::for_jobs(None, true),
        targets: vec![],
        floor: Floor { landlock: 3, mount: true, capabilities: true, seccomp: true },
        strength: Strength::Full,
        open: vec!["network".into()],
    };
    let more = Seal {
        boot: [7; 16],
        receipt: b"receipt".to_vec(),
        canary: "/c/denied".into(),
        sibling: "/c/allowed".into(),
        mount: Some("/run/longhorn/ns/mnt".into()),
        ipc: None,
        targets: vec![SealedTarget { number: 1, kind: TargetKind::Root, real: "/real/python3.11".into() }],
        observes: false,
    };
    let bytes = seal(&plan, &more);
    SealedLock::parse(&bytes).expect("the honest seed is a lock");
    vec![bytes[40..].to_vec()]
}

pub fn sealed_worst() -> Vec<Vec<u8>> {
    let honest = sealed_seeds().swap_remove(0);
    // Every count as large as the rest has room for, in turn.
    (16..honest.len().min(400))
        .step_by(4)
        .map(|at| {
            let count = u32::try_from((MOST - at) / 4 - 8).expect("small").to_le_bytes();
            let mut bytes = [&honest[..at], &count].concat();
            bytes.resize(MOST - 100, 0);
            bytes
        })
        .collect()
}

/// One message of each kind, by choice. What is read is written again as it came, where there is one way to write it.
pub fn wire() -> Take {
    Box::new(|bytes| {
        let (kind, rest) = choice(bytes);
        timed(rest.len(), || match kind % 8 {
            0 => {
                if let Some(report) = LaunchReport::decode(rest) {
                    assert_eq!(report.encode(), rest);
                }
            }
            1 => {
                if let Ok(message) = ToKeeper::decode(rest) {
                    assert_eq!(message.encode(), rest);
                }
            }
            2 => {
                if let Some(screen) = serde_json::from_slice::<FromSidecar>(rest).ok().and_then(screen) {
                    shown(&screen);
                }
            }
            3 => drop(serde_json::from_slice::<FromInit>(rest)),
            4 => {
                if let Some(samples) = Samples::decode(rest) {
                    assert_eq!(Samples::decode(&samples.encode()), Some(samples));
                }
            }
            5 => drop((lease::check(rest, &[7; 16], BootTime(1)), std::str::from_utf8(rest).map(lease::parse_boot_id))),
            6 => drop(Credentials::decode(Zeroizing::new(rest.to_vec()))),
            _ => {
                let mut lines = rest.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned());
                let said: Vec<Option<String>> = (0..4).map(|_| lines.next()).collect();
                let names = ["DB_CLUSTER_ID", "DB_CONTAINER_IP", "DB_IS_DRIVER", "DB_CLUSTER_NAME"];
                drop(Hints::from_variables(|name| names.iter().position(|one| *one == name).and_then(|at| said[at].clone())));
            }
        });
    })
}

pub fn wire_seeds() -> Vec<Vec<u8>> {
    let names = ["PATH", "LD_PRELOAD"].map(std::ffi::OsStr::new);
    let report = LaunchReport::new(3, Outcome::Locked, Enforced::FULL, names.into_iter(), names.into_iter());
    let mut credentials = Credentials::default();
    credentials.insert("workspace", Zeroizing::new(b"s3cret".to_vec()));
    let samples = Samples { seen: vec![("read".into(), "/usr".into())], full: true };
    let granted = FromSidecar::Granted { token: "a.b.c".into(), receipt: "r".into() };
    let locked = FromInit::Locked { digest: "d".into(), strength: "full".into(), open: vec!["jvm".into()], report: "r".into() };
    let stopped = r#"{"say":"stopped","refused":true,"headline":"h","facts":[["expected","a"]],"hint":"i","entry":4,"reason":"r","exit":77}"#;
    let text = |message: &dyn erased::Message| message.json();
    vec![
        chosen(0, report.encode()),
        chosen(1, ToKeeper::Lease(BootTime(9)).encode()),
        chosen(1, ToKeeper::Publish { json: b"{}".to_vec(), token: b"a.b.c".to_vec() }.encode()),
        chosen(1, ToKeeper::Withdraw.encode()),
        chosen(1, ToKeeper::Commit.encode()),
        chosen(2, text(&granted)),
        chosen(2, stopped),
        chosen(2, text(&FromSidecar::Ready { entry: 3 })),
        chosen(3, text(&locked)),
        chosen(3, text(&FromInit::NotLocked { reason: "r".into(), detail: "d".into() })),
        chosen(4, samples.encode()),
        chosen(5, lease::encode(&[7; 16], BootTime(9))),
        chosen(5, "7d3f8c1e-53d4-4d0e-9c3d-1f0a9f7b2c11\n"),
        chosen(6, credentials.encode().as_slice()),
        chosen(7, "1001-234039-abcde739\n10.0.0.1\nTRUE\njob-605777310657626-run-1020337925419295-main"),
    ]
}

mod erased {
    //! Messages of two kinds in one list.

    pub trait Message {
        fn json(&self) -> String;
    }

    impl<T: serde::Serialize> Message for T {
        fn json(&self) -> String {
            serde_json::to_string(self).expect("a message is JSON")
        }
    }
}

pub fn wire_worst() -> Vec<Vec<u8>> {
    let json = shapes::json();
    let of = |kind: u8| json.iter().map(move |shape| chosen(kind, shape));
    let report = [&[3, 1, 15, 0, 0, 0, 0, 0][..], &[0xff; 6], &vec![0; MOST - 100]].concat();
    let credentials = [b"LHCRED1\n", &vec![0; MOST - 100][..]].concat();
    let names = chosen(7, "a".repeat(MOST - 10));
    of(2).chain(of(3)).chain(of(4)).chain([chosen(0, report), chosen(6, credentials), names]).collect()
}

/// A request, to the very socket that processes of a job connect to.
pub fn api() -> Take {
    let (directory, recorder) = recorder("api");
    let session = Session {
        recorder,
        context: None,
        lock: LockSummary { digest: "d".into(), strength: "none".into(), open: Vec::new() },
        kept: 0,
        targets: Vec::new(),
        state: State::Observing,
        lease_end: BootTime(u64::MAX),
        last_failure: None,
        nodes: None,
        launches: 0,
        unrecorded: 0,
        gaps: 0,
        refused_peers: 0,
        refused_requests: 0,
        mirror: None,
        journal: "off".into(),
        clock: Arc::new(SystemClock),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let tasks = tokio::task::LocalSet::new();
    {
        let _inside = runtime.enter();
        let listener = UnixListener::bind(directory.0.join("socket")).expect("a socket can be made");
        tasks.spawn_local(answer(listener, Rc::new(RefCell::new(session))));
    }
    Box::new(move |bytes| {
        let answered = timed(bytes.len(), || {
            tasks.block_on(&runtime, async {
                let mut stream = UnixStream::connect(directory.0.join("socket")).await.expect("somebody listens");
                let mut answered = Vec::new();
                // A request that is refused early leaves nobody to read the rest of it.
                let said = stream.write_all(bytes).await;
                let ended = stream.shutdown().await;
                let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answered)).await;
                assert!(read.is_ok(), "no end within five seconds, after {said:?} and {ended:?}");
                answered
            })
        });
        assert!(answered.is_empty() || answered.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answered));
    })
}

pub fn api_seeds() -> Vec<Vec<u8>> {
    [
        "GET /v1/status HTTP/1.1\r\nHost: longhorn\r\n\r\n",
        "GET /v1/context HTTP/1.1\r\nHost: longhorn\r\nAccept: application/json\r\n\r\n",
        "POST /v1/context HTTP/1.1\r\nHost: longhorn\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/status HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET http://longhorn/v1/status HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

pub fn api_worst() -> Vec<Vec<u8>> {
    let fill = |part: &str| part.repeat((MOST - 200) / part.len());
    [
        format!("GET /{} HTTP/1.1\r\n\r\n", fill("a")),
        format!("GET /v1/status HTTP/1.1\r\n{}\r\n", fill("a: b\r\n")),
        format!("GET /v1/status HTTP/1.1\r\na: {}\r\n\r\n", fill("b")),
        format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", fill("1\r\na\r\n")),
        format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\na\r\n", fill("a=b;")),
        fill("GET /v1/status HTTP/1.1\r\n\r\n"),
        fill("\r\n"),
        fill("\0"),
    ]
    .map(String::into_bytes)
    .to_vec()
}
