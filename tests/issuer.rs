//! The issuer of node keys as its own process: what it certifies and what it refuses, that it stays up whoever talks to it,
//! and that it never certifies twice, wherever it is killed and however its disk fails.

#![expect(clippy::print_stdout, reason = "how much was tried is part of the result")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use longhorn::context::{AuthorityPublicKey, Certificate, CertificateError};
use longhorn::exit::Exit;
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::issuer::Refusal;
use longhorn::issuer::request::MOST;
use support::document::{AWS_MACHINE, AZURE_MACHINE, GCP_MACHINE, World};
use support::issuer::{Attack, BOOT, Issuer, LATER_BOOT, NAME, Place, machine, node, numbered};

mod support {
    #[path = "../support/document.rs"]
    pub mod document;
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
    #[path = "../support/issuer.rs"]
    pub mod issuer;
}

fn longhorn() -> PathBuf {
    std::env::var_os("LONGHORN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_longhorn").into(), PathBuf::from)
}

fn place(world: &World, cloud: &str, name: &str) -> Place {
    Place::new(&longhorn(), world, cloud, name)
}

fn started(place: &Place) -> Issuer {
    place.start(&[]).unwrap_or_else(|| panic!("the issuer does not start: {}", place.talk()))
}

fn keys(issuer: &Issuer) -> Vec<AuthorityPublicKey> {
    let said = issuer.send("GET", "/.well-known/jwks.json", b"").expect("it answers");
    AuthorityPublicKey::of_key_set(&said.body).expect("a key set")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_machine_of_each_cloud_has_its_key_certified_and_the_published_keys_verify_it() {
    let world = World::new();
    for (cloud, instance) in [
        ("aws", format!("aws:123456789012/{AWS_MACHINE}")),
        ("azure", format!("azure:8a205152-b25a-417f-a676-80465535a6c9/{AZURE_MACHINE}")),
        ("gcp", format!("gcp:acme-fraud/{GCP_MACHINE}")),
    ] {
        let place = place(&world, cloud, &format!("honest-{cloud}"));
        let issuer = started(&place);
        let key = node(1);
        let certificate = issuer.ask(&world, &key, BOOT, &machine(cloud)).expect("it answers").expect("it certifies");
        let now = SystemClock.now();
        let (_, vouched) = Certificate::accept(&certificate, &keys(&issuer), now).expect("it verifies");
        assert_eq!(vouched.key, *key.public());
        let machine = vouched.machine.expect("it names the machine");
        assert_eq!((machine.issuer.as_str(), machine.instance, machine.boot.as_str()), (NAME, instance, BOOT));
        let life = Duration::from_secs(3600);
        assert!(now.plus(life).since(vouched.until) < Duration::from_secs(30) && vouched.until <= now.plus(life));
        let over = Certificate::accept(&certificate, &keys(&issuer), vouched.until);
        assert!(matches!(over, Err(CertificateError::OutOfTime { .. })), "{over:?}");
        let seeds: Vec<_> = fs::read_dir(place.store().join("keys")).expect("it is there").flatten().collect();
        assert_eq!(seeds.len(), 1);
        for path in [seeds[0].path(), place.ledger()] {
            assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o7777, 0o600, "{}", path.display());
        }
        assert_eq!((issuer.metric("certified_total"), issuer.metric("alarms_total")), (1, 0));
    }
}

#[test]
fn a_second_key_of_a_machine_is_refused_and_alarmed_and_changes_nothing() {
    let world = World::new();
    let place = place(&world, "aws", "second");
    let issuer = started(&place);
    let first = issuer.ask(&world, &node(1), BOOT, &machine("aws")).expect("it answers").expect("it certifies");
    let second = issuer.ask(&world, &node(2), BOOT, &machine("aws")).expect("it answers");
    assert_eq!(second, Err("already-certified".to_owned()));
    assert_eq!(issuer.metric("alarms_total"), 1);
    let alarms = place.entries("alarm");
    assert_eq!((alarms.len(), &alarms[0]["reason"]), (1, &"already-certified".into()));
    assert_eq!(alarms[0]["key"], node(2).public().thumbprint());
    let line = format!("ALARM: already-certified key {}", node(2).public().thumbprint());
    assert!(place.talk().contains(&line), "{}", place.talk());
    assert_eq!(issuer.ask(&world, &node(1), BOOT, &machine("aws")), Some(Ok(first.clone())), "the first keeps what it has");
    drop(issuer);
    let issuer = started(&place);
    assert_eq!(issuer.ask(&world, &node(1), BOOT, &machine("aws")), Some(Ok(first)));
    assert_eq!(issuer.ask(&world, &node(2), BOOT, &machine("aws")), Some(Err("already-certified".to_owned())));
    assert_eq!(place.entries("certified").len(), 1);
    // Whoever asks without end fills no disk.
    for _ in 0..20 {
        assert_eq!(issuer.ask(&world, &node(2), BOOT, &machine("aws")), Some(Err("already-certified".to_owned())));
    }
    assert_eq!((place.entries("alarm").len(), issuer.metric("alarms_total")), (16, 21));
}

#[test]
fn the_same_request_again_has_the_same_answer_byte_for_byte_and_its_challenge_serves_no_other() {
    let world = World::new();
    let place = place(&world, "azure", "again");
    let issuer = started(&place);
    let challenge = issuer.challenge().expect("it answers");
    let request = Attack::default().request(&world, &node(1), BOOT, &machine("azure"), &challenge);
    let first = issuer.post(&request).expect("it answers");
    assert!(first.outcome().is_ok(), "{first:?}");
    for _ in 0..3 {
        assert_eq!(issuer.post(&request), Some(first.clone()));
    }
    let other = Attack::default().request(&world, &node(2), BOOT, &machine("azure"), &challenge);
    assert_eq!(issuer.post(&other).expect("it answers").outcome(), Err("challenge-used".to_owned()));
    assert_eq!((issuer.metric("certified_total"), issuer.metric("again_total")), (1, 3));
    drop(issuer);
    // Challenges end with the process that gave them; what was certified does not.
    let issuer = started(&place);
    assert_eq!(issuer.post(&request).expect("it answers").outcome(), Err("challenge-unknown".to_owned()));
    assert_eq!(issuer.ask(&world, &node(1), BOOT, &machine("azure")), Some(first.outcome()));
}

#[test]
fn as_many_boots_are_certified_as_the_settings_allow() {
    let world = World::new();
    let place = place(&world, "aws", "boots");
    place.change("boots-per-instance = 1", "boots-per-instance = 2");
    let issuer = started(&place);
    assert!(issuer.ask(&world, &node(1), BOOT, &machine("aws")).expect("it answers").is_ok());
    assert!(issuer.ask(&world, &node(2), LATER_BOOT, &machine("aws")).expect("it answers").is_ok());
    let third = issuer.ask(&world, &node(3), "0b4f5c6d-0000-4000-8000-000000000003", &machine("aws"));
    assert_eq!(third, Some(Err("too-many-boots".to_owned())));
    assert_eq!(place.entries("alarm").len(), 1);
}

#[test]
fn every_false_request_is_refused_for_its_own_reason() {
    let world = World::new();
    let longhorn = longhorn();
    let mut told = BTreeSet::new();
    support::fixtures::check("issue", |file, bytes| {
        let attack: Attack = toml::from_str(&String::from_utf8_lossy(bytes)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let cloud = attack.document.as_ref().map_or("aws", |case| case.trusted.as_deref().unwrap_or(&case.cloud));
        let place = Place::new(&longhorn, &world, cloud, &format!("false-{}", file.trim_end_matches(".toml")));
        let issuer = started(&place);
        (attack.run(&world, &issuer), String::new())
    });
    for entry in fs::read_dir(support::fixtures::folder("issue")).expect("the fixtures are there").flatten() {
        let text = fs::read_to_string(entry.path()).expect("a fixture reads");
        told.insert(text.lines().next().unwrap_or_default().trim_start_matches("# expect: ").to_owned());
    }
    // What only time, load or a disk brings is tested elsewhere in this file and beside the code.
    let elsewhere = [
        "challenge-ended",
        "busy",
        "policy-ended",
        "clock-behind",
        "evidence-unavailable",
        "store-failed",
        "no-such-path",
        "method-not-allowed",
    ];
    for (reason, status) in Refusal::TABLE {
        let covered = told.contains(&format!("{status} {reason}")) || elsewhere.contains(reason);
        assert!(covered, "no fixture is refused with {status} {reason}");
    }
}

#[test]
fn whatever_is_sent_the_issuer_answers_or_hangs_up_and_goes_on() {
    let world = World::new();
    let place = place(&world, "aws", "bytes");
    let issuer = started(&place);
    let reason = |method: &str, path: &str, body: &[u8]| {
        let said = issuer.send(method, path, body).expect("it answers");
        (said.status, said.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(reason("GET", "/", b""), (404, "no-such-path".into()));
    assert_eq!(reason("GET", "/v1/certificates", b""), (405, "method-not-allowed".into()));
    assert_eq!(reason("POST", "/v1/challenge", b"x"), (405, "method-not-allowed".into()));
    assert_eq!(reason("POST", "/v1/certificates", b""), (400, "request-malformed".into()));
    assert_eq!(reason("POST", "/v1/certificates", &vec![b'A'; MOST + 1]), (413, "request-oversized".into()));
    assert_eq!(reason("POST", "/v1/certificates", &[0xff; 100]), (400, "request-malformed".into()));
    for bytes in [
        &b""[..],
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/certificates HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST /v1/certificates HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST /v1/certificates HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        &[b"GET / HTTP/1.1\r\n".as_slice(), &b"x: y\r\n".repeat(10_000)].concat(),
        &[b"GET /".as_slice(), &b"a".repeat(100_000)].concat(),
    ] {
        let mut stream = TcpStream::connect(&issuer.address).expect("it listens");
        // It may hang up before it has read all.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
        let _ = stream.read_to_end(&mut answer);
        let shown = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || shown.starts_with("HTTP/1.1 4"), "{shown}");
    }
    // Whoever says nothing holds a place, and nobody up.
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(&issuer.address).expect("it listens")).collect();
    assert!(issuer.ask(&world, &node(1), BOOT, &machine("aws")).expect("it answers").is_ok());
    let mut one = &silent[0];
    one.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    let heard = one.read(&mut [0; 16]).map_err(|error| error.kind());
    assert!(heard == Ok(0) || heard == Err(std::io::ErrorKind::ConnectionReset), "it hangs up by itself: {heard:?}");
}

#[test]
fn a_store_serves_one_issuer_of_its_own_name_and_a_ledger_that_was_edited_none() {
    let world = World::new();
    let place = place(&world, "aws", "store");
    let mut issuer = started(&place);
    assert!(issuer.ask(&world, &node(1), BOOT, &machine("aws")).expect("it answers").is_ok());
    let said = |expected: Exit, reason: &str| {
        let output = place.command(&[]).arg("--check").output().expect("the program starts");
        let shown = text(&output);
        assert!(shown.contains(&format!("reason: {reason} ")), "{reason}: {shown}");
        assert_eq!(output.status.code(), Some(expected.code().into()), "{shown}");
        assert_eq!(support::fixtures::lacking(&shown), Vec::<String>::new());
    };
    said(Exit::Os, "store-in-use");
    let published: Vec<String> = keys(&issuer).iter().map(ToString::to_string).collect();
    assert_eq!(issuer.terminate(), Some(0));
    let output = place.command(&[]).arg("--check").output().expect("the program starts");
    assert_eq!(text(&output), format!("{}\n", published.join("\n")));
    place.change(NAME, "http://127.0.0.1:9999");
    said(Exit::Config, "store-of-another-issuer");
    place.change("http://127.0.0.1:9999", NAME);
    let seed = fs::read_dir(place.store().join("keys")).expect("it is there").flatten().next().expect("a key").path();
    fs::set_permissions(&seed, fs::Permissions::from_mode(0o644)).expect("its mode can be set");
    said(Exit::Record, "issuer-key-missing");
    fs::set_permissions(&seed, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
    let ledger = fs::read_to_string(place.ledger()).expect("it is there");
    let lines: Vec<&str> = ledger.lines().collect();
    fs::write(place.ledger(), format!("{}\n{}\n", lines[0], lines[2])).expect("it can be edited");
    said(Exit::Record, "ledger-damaged");
}

#[test]
fn a_disk_that_fails_ends_the_issuer_and_what_it_then_said_is_on_disk_or_was_no_certificate() {
    let world = World::new();
    for (at, injection) in ["fdatasync:error=EIO:when=3+", "fdatasync:error=ENOSPC:when=3+"].into_iter().enumerate() {
        let place = place(&world, "aws", &format!("disk-{at}"));
        // The store as it begins has two lines.
        let mut issuer = place.start(&strace(&[injection])).expect("it starts");
        let outcome = issuer.ask(&world, &node(1), BOOT, &machine("aws"));
        assert_eq!(outcome, Some(Err("store-failed".to_owned())), "{injection}");
        assert_eq!(issuer.ended(), Some(Exit::Record.code().into()), "{injection}");
        drop(issuer);
        // What the disk showed after that is what counts: the same key has it, and no other.
        let issuer = started(&place);
        let first = issuer.ask(&world, &node(1), BOOT, &machine("aws")).expect("it answers");
        assert!(first.is_ok(), "{first:?}");
        assert_eq!(issuer.ask(&world, &node(2), BOOT, &machine("aws")), Some(Err("already-certified".to_owned())));
        assert_eq!(place.entries("certified").len(), 1);
    }
}

/// Below strace, which stands beside the issuer and not above it: what is ended is the issuer.
fn strace(injections: &[&str]) -> Vec<String> {
    let calls: Vec<&str> = injections.iter().filter_map(|injection| injection.split(':').next()).collect();
    let mut words: Vec<String> = ["strace", "-D", "-f", "-qq", "-o", "/dev/null"].map(str::to_owned).to_vec();
    words.extend(["-e".into(), format!("trace={}", calls.join(","))]);
    words.extend(injections.iter().flat_map(|injection| ["-e".to_owned(), format!("inject={injection}")]));
    words
}

/// Two nodes race for one machine, each until it has an answer or the issuer is gone.
fn race(world: &World, issuer: &Issuer) -> Vec<(u8, Result<String, String>)> {
    std::thread::scope(|scope| {
        let racers: Vec<_> =
            [1u8, 2].map(|seed| (seed, scope.spawn(move || issuer.ask(world, &node(seed), BOOT, &machine("aws"))))).into();
        racers.into_iter().filter_map(|(seed, racer)| Some((seed, racer.join().expect("it ends")?))).collect()
    })
}

#[test]
fn killed_at_any_system_call_it_never_certifies_twice_and_the_key_that_won_can_ask_again() {
    let world = World::new();
    let (mut kills, mut after_the_answer, mut before) = (0, 0, 0);
    for call in ["write", "fsync", "fdatasync", "rename", "writev,sendto,sendmsg"] {
        for when in 1..=40 {
            let place = place(&world, "aws", &format!("killed-{}-{when}", call.split(',').next().unwrap_or_default()));
            let injections: Vec<String> = call.split(',').map(|call| format!("{call}:signal=KILL:when={when}")).collect();
            let injections: Vec<&str> = injections.iter().map(String::as_str).collect();
            let mut answers = Vec::new();
            let mut lived = false;
            if let Some(issuer) = place.start(&strace(&injections)) {
                answers = race(&world, &issuer);
                lived = issuer.send("GET", "/.well-known/jwks.json", b"").is_some_and(|said| said.status == 200);
            }
            kills += u32::from(!lived);
            let what = format!("{call} {when}: {answers:?}");
            let issuer = started(&place);
            let certified: Vec<_> = answers.iter().filter_map(|(seed, answer)| Some((*seed, answer.clone().ok()?))).collect();
            assert!(certified.len() <= 1, "{what}");
            let on_disk = place.entries("certified");
            assert!(on_disk.len() <= 1, "{what}: {on_disk:?}");
            // In the other order: what was acknowledged decides, not who asks first now.
            let again: Vec<_> =
                [2u8, 1].map(|seed| (seed, issuer.ask(&world, &node(seed), BOOT, &machine("aws")).expect("it answers"))).into();
            let winners: Vec<_> = again.iter().filter_map(|(seed, answer)| Some((*seed, answer.clone().ok()?))).collect();
            assert_eq!(winners.len(), 1, "{what}: {again:?}");
            if let Some(first) = certified.first() {
                assert_eq!(&winners[0], first, "{what}");
                after_the_answer += u32::from(!lived);
            } else if let Some(entry) = on_disk.first() {
                assert_eq!(entry["key"], node(winners[0].0).public().thumbprint(), "{what}: what is on disk has won");
                before += 1;
            }
            let loser = again.iter().find(|(seed, _)| *seed != winners[0].0).map(|(_, answer)| answer.clone());
            assert_eq!(loser, Some(Err("already-certified".to_owned())), "{what}");
            assert_eq!(place.entries("certified").len(), 1, "{what}");
            drop(issuer);
            fs::remove_dir_all(&place.directory).expect("it can be removed");
            if lived {
                break;
            }
        }
    }
    println!("killed {kills} times; {after_the_answer} after an answer, {before} with the entry on disk and no answer given");
    assert!(kills >= 15 && before >= 1, "the kills reach the steps that count: {kills}, {before}");
}

#[test]
fn many_nodes_at_once_are_each_certified_once() {
    let world = World::new();
    let place = place(&world, "aws", "many");
    let issuer = started(&place);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let (world, issuer) = (&world, &issuer);
        let ask = |at: u8| move || issuer.ask(world, &node(at), BOOT, &numbered(u32::from(at) / 2));
        let threads: Vec<_> = (0..40u8).map(|at| scope.spawn(ask(at))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends").expect("it answers")).collect()
    });
    let certified = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let refused = outcomes.iter().filter(|outcome| **outcome == Err("already-certified".to_owned())).count();
    assert_eq!((certified, refused), (20, 20), "{outcomes:?}");
    assert_eq!(place.entries("certified").len(), 20);
}
