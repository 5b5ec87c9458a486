//! An honest bundle with throwaway keys, the same bytes each time: settings, policy and signature, keys, a context of a
//! node, and a log. What a session makes false is then its own doing.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use longhorn::config::signature::sign;
use longhorn::context::{AuthorityKey, NodeKey, render_seed};
use longhorn::host::clock::{BootTime, Clock, Timestamp};
use longhorn::host::random::Random;
use longhorn::record::event::RunContext;
use longhorn::record::verify::binding;
use longhorn::record::{Event, Recorder, Start};

/// 2001-01-01T00:00:00Z: everything began here.
const BEGAN: Timestamp = Timestamp::from_seconds(978_307_200);
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A clock that stands.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        BEGAN
    }
    fn boot(&self) -> BootTime {
        BootTime(1)
    }
}

/// Bytes that anybody can foresee.
#[derive(Default)]
struct Foreseen(AtomicU8);

impl Random for Foreseen {
    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn key(seed: u8) -> NodeKey {
    NodeKey::from_seed(&[seed; 32]).expect("any 32 bytes are a seed")
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    fs::read_to_string(path).expect("the fixture is part of the tree")
}

/// Writes it all.
pub fn lay_out(place: &Path) {
    fs::create_dir_all(place).expect("a place can be made");
    let write = |name: &str, text: &str| fs::write(place.join(name), text).expect("a file can be written");
    let (signer, node, other) = (key(1), key(7), key(8));
    let authority = AuthorityKey::from_seed(&[9; 32]).expect("any 32 bytes are a seed");
    for (name, seed) in [("signer.key", 1), ("authority.key", 9)] {
        write(name, &render_seed(&[seed; 32]));
    }
    let policy = fixture("policy/honest.toml");
    write("policy.toml", &policy);
    write("policy.toml.sig", &sign(policy.as_bytes(), &signer));
    let pinned = format!("ed25519:{}", STANDARD.encode(signer.public().as_bytes()));
    let settings = fixture("settings/honest.toml").replace("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", &pinned);
    write("longhorn.toml", &format!("{settings}\n[[oidc]]\nname = \"okta\"\ntoken = {{ kind = \"file\", path = \"/t\" }}\n"));
    // What a registry and Unity Catalog said of a version, and what the policy would say of its model.
    write("facts.json", &fixture("facts/tagged.json"));
    write("models.toml", &fixture("facts/models.toml"));
    write("node.jwk", &node.public().to_jwk());
    write("other.jwk", &other.public().to_jwk());
    write("authority.pub", &format!("{}\n", authority.public()));
    write("stranger.pub", &format!("{}\n", AuthorityKey::from_seed(&[10; 32]).expect("a seed").public()));
    let end = BEGAN.plus(CENTURY);
    write("context.jwt", &context(&node, BEGAN, end, None));
    write("ended.jwt", &context(&node, BEGAN, BEGAN.plus(Duration::from_secs(3600)), None));
    write("future.jwt", &context(&node, end, end.plus(CENTURY), None));
    write("certified.jwt", &context(&node, BEGAN, end, Some(authority.certify(node.public(), BEGAN, CENTURY).as_str())));
    log(&place.join("log"), &node, true);
    log(&place.join("open"), &node, false);
}

/// A context token, as a node key signs it.
fn context(node: &NodeKey, begin: Timestamp, end: Timestamp, certificate: Option<&str>) -> String {
    let mut header = serde_json::json!({ "alg": "EdDSA", "kid": node.public().thumbprint(), "typ": "longhorn-context+jwt" });
    if let Some(certificate) = certificate {
        header["lhc"] = certificate.into();
    }
    let claims = serde_json::json!({
        "iss": "longhorn:https://dbc-1.example.com", "sub": "spiffe://dbc-1.example.com/workspace/dbc-1.example.com/job/1/run/2",
        "aud": "longhorn", "iat": begin.seconds(), "nbf": begin.seconds(), "exp": end.seconds(), "jti": "j",
        "node": { "address": "10.0.0.1", "role": "driver", "boot": "b", "key": node.public().thumbprint() },
        "cluster": "c-1", "job": { "id": "1", "run": "2" },
        "run_as": { "kind": "service-principal", "name": "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11" },
        "roles": ["engineer"], "scope": "training", "permissions": ["run", "model.read"], "clearance": [],
        "environment": "python", "environment_digest": "d", "enforcement": "enforce", "open": [],
        "policy": { "serial": 1, "digest": "d" }, "lock": { "digest": "d", "strength": "full" }, "membership": "listed",
        "proofs": [{ "kind": "databricks", "voucher": "https://dbc-1.example.com", "digest": "d", "speaks_for": "job" }],
    });
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(node.sign(signed.as_bytes())))
}

/// A log of a node with a few records, as `<directory>/0`.
fn log(directory: &Path, node: &NodeKey, sealed: bool) {
    let first = |vkey: &str, origin: &str| Event::Started {
        vkey: vkey.into(),
        origin: origin.into(),
        node_key: node.public().thumbprint(),
        binding: STANDARD.encode(node.sign(binding(origin, vkey).as_bytes())),
        agent_sha256: String::new(),
        settings_sha256: String::new(),
        script_sha256: String::new(),
        kernel: "6.1".into(),
        boot: "b".into(),
        journal: "off".into(),
        processes: "plain".into(),
        prior: None,
    };
    let start = Start {
        origin: "longhorn/dbc-1.example.com/c-1/10.0.0.1/b".into(),
        run: RunContext { workspace: "https://dbc-1.example.com".into(), ..RunContext::default() },
        first: Box::new(first),
        mirror: None,
    };
    fs::create_dir_all(directory).expect("a directory can be made");
    let random = Foreseen(AtomicU8::new(if sealed { 0 } else { 100 }));
    let recorder = Recorder::create(directory, start, Arc::new(Stopped), Arc::new(random)).expect("a log starts");
    let refused = Event::Stopped {
        refused: true,
        reason: "audience-mismatch".into(),
        headline: "the token is for another audience".into(),
        facts: vec!["expected audience: longhorn".into(), "presented audience: elsewhere".into()],
        control: None,
    };
    let events = [refused, Event::SidecarRestarted, Event::Gap { count: 2, reason: "the disk was full".into() }];
    for event in events.into_iter().chain(sealed.then_some(Event::Sealed)) {
        let _ = recorder.append(event).expect("it is durable");
    }
    // A name that sessions can write down.
    fs::rename(directory.join(recorder.log()), directory.join("0")).expect("a log can be renamed");
    drop(recorder);
}
