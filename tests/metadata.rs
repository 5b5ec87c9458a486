//! The metadata service as it is asked: at its real address, in a network namespace of each test's own, by the very code
//! that nodes run. Only what is signed is asked for, in the way each cloud wants, within bounds; what is no answer is a
//! failure and never a yes.

#![expect(clippy::print_stdout, reason = "tests that cannot run here say so")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use longhorn::context::AuthorityPublicKey;
use longhorn::evidence::{GoogleIssuer, Kept, NodeDocumentSource, OpenIdIssuer, Source, gather};
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::host::http::Http;
use longhorn::host::random::SystemRandomness;
use longhorn::host::retry::Deadline;
use longhorn::identity::node_document::nonce;
use longhorn::identity::node_trust::Cloud;
use simulator::imds::{Held, Imds};
use simulator::scenario::CLUSTER;
use stage::{Stage, text};
use support::document::{AWS_MACHINE, Case, NODE_KEY, World, block_on, judge, workspace};
use support::fixtures::lacking;
use support::issuer::{NAME, Place, numbered};

#[path = "support/mod.rs"]
mod stage;

mod support {
    #[path = "../support/document.rs"]
    pub mod document;
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
    #[path = "../support/issuer.rs"]
    pub mod issuer;
}

const AWS: &str = "/latest/dynamic/instance-identity/rsa2048";
const AZURE: &str = "/metadata/attested/document";
const GCP: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

/// A network of this thread's own, in which the address is this machine's.
fn link() -> Option<(World, Imds)> {
    if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_err() {
        println!("SKIP the metadata service at its real address: it needs root");
        return None;
    }
    for arguments in [&["link", "set", "lo", "up"][..], &["address", "add", "169.254.169.254/32", "dev", "lo"]] {
        let output = Command::new("ip").args(arguments).output().expect("ip is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Some((World::new(), Imds::start().expect("the address is ours")))
}

fn cloud(word: &str) -> Cloud {
    Cloud::WORDS.iter().find(|(known, _)| *known == word).expect("there is such a cloud").1
}

/// The workspace and the metadata service, as one sidecar asks them.
fn sources(world: &World, case: &Case, timeout: Duration) -> [Source; 2] {
    let url = world.simulator.url();
    let source = OpenIdIssuer {
        name: "node".try_into().expect("a name"),
        issuer: url.try_into().expect("an issuer"),
        jwks_hosts: vec![url.trim_start_matches("http://").to_owned()],
        published: Kept::default(),
    };
    [
        Source::Databricks(workspace(url)),
        Source::NodeDocument(NodeDocumentSource {
            cloud: cloud(&case.cloud),
            timeout,
            node_key: NODE_KEY.into(),
            issuer: Some(GoogleIssuer { source, audience: "https://longhorn.example/node".into() }),
        }),
    ]
}

/// The way, from the metadata service to agreement: the stable name of its end.
fn ends(world: &World, case: &Case, timeout: Duration) -> String {
    ends_from(world, case, &sources(world, case, timeout))
}

fn ends_from(world: &World, case: &Case, sources: &[Source]) -> String {
    let http = Http::new(None).expect("TLS can be set up");
    let (clock, random) = (SystemClock, SystemRandomness);
    let deadline = Deadline { clock: &clock, random: &random, end: clock.boot().plus(Duration::from_secs(20)) };
    world.simulator.edit(|scenario| *scenario = case.scenario());
    let screen = match block_on(gather(&http, sources, &deadline)) {
        Ok(claims) => match judge(&claims, &world.trust(case), false, 0, true) {
            Ok(_) => return "granted".to_owned(),
            Err(unproven) => unproven.screen(),
        },
        Err(failure) => failure.screen(),
    };
    let shown = screen.to_string();
    assert_eq!(lacking(&shown), Vec::<String>::new(), "{shown}");
    assert!(!shown.contains("session-token-of-a-test") && !shown.contains("nonce="), "{shown}");
    screen.reason.into_owned()
}

fn honest(world: &World, word: &str) -> (Case, Held) {
    let case = Case { cloud: word.into(), ..Case::default() };
    let (path, body) = match word {
        "aws" => (AWS, case.lines(world)),
        "azure" => (AZURE, case.answered(world)),
        _ => (GCP, case.token_text(world).into_bytes()),
    };
    (case, Held { bodies: BTreeMap::from([(path.to_owned(), body)]), ..Held::default() })
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn each_cloud_is_asked_in_its_own_way_under_the_node_keys_name() {
    let Some((world, imds)) = link() else { return };
    for (word, expected) in [
        ("aws", vec!["PUT /latest/api/token".to_owned(), format!("GET {AWS}")]),
        ("azure", vec![format!("GET {AZURE}?api-version=2021-02-01&nonce={}", nonce(NODE_KEY))]),
        (
            "gcp",
            vec![format!("GET {GCP}?audience=https%3A%2F%2Flonghorn.example%2Fnode%2F{NODE_KEY}&format=full&licenses=FALSE")],
        ),
    ] {
        let (case, held) = honest(&world, word);
        imds.hold(held);
        assert_eq!(ends(&world, &case, SECOND), "granted", "{word}");
        assert_eq!(imds.asked(), expected, "{word}");
    }
}

#[test]
fn a_renewal_by_googles_word_asks_its_issuer_for_no_keys() {
    let Some((world, imds)) = link() else { return };
    let (case, held) = honest(&world, "gcp");
    imds.hold(held);
    let sources = sources(&world, &case, SECOND);
    for _ in 0..3 {
        assert_eq!(ends_from(&world, &case, &sources), "granted");
    }
    assert_eq!(imds.asked().len(), 3, "each walk has a word of its own");
    assert_eq!(world.simulator.requests()["/keys"], 1, "the keys are kept");
}

#[test]
fn an_unsigned_copy_beside_a_signed_document_is_never_asked_for() {
    let Some((world, imds)) = link() else { return };
    let (case, mut held) = honest(&world, "aws");
    let forged = r#"{"accountId":"123456789012","instanceId":"i-0fedcba9876543210","privateIp":"10.0.0.2","region":"us-west-2"}"#;
    held.bodies.insert("/latest/dynamic/instance-identity/document".into(), forged.into());
    imds.hold(held);
    assert_eq!(ends(&world, &case, SECOND), "granted");
    assert!(imds.asked().iter().all(|asked| !asked.ends_with("/document")), "{:?}", imds.asked());
    // The other way round: the copy is right, and what is signed speaks of another machine.
    let mut case = case;
    case.fields.insert("instanceId".into(), "i-0fedcba9876543210".into());
    let right = r#"{"accountId":"123456789012","instanceId":"i-0123456789abcdef0","privateIp":"10.0.0.1","region":"us-west-2"}"#;
    let bodies = [(AWS, case.lines(&world)), ("/latest/dynamic/instance-identity/document", right.into())];
    imds.hold(Held { bodies: bodies.map(|(path, body)| (path.to_owned(), body)).into(), ..Held::default() });
    assert_eq!(ends(&world, &case, SECOND), "machine-mismatch");
}

#[test]
fn a_service_that_fails_is_asked_three_times_and_no_more() {
    let Some((world, imds)) = link() else { return };
    for (times, expected, asked) in [(2, "granted", 3), (100, "metadata-unavailable", 3)] {
        let (case, held) = honest(&world, "azure");
        imds.hold(Held { failing: Some((503, times)), ..held });
        assert_eq!(ends(&world, &case, SECOND), expected, "{times} failures");
        assert_eq!(imds.asked().len(), asked, "{times} failures");
    }
    let (case, held) = honest(&world, "azure");
    imds.hold(Held { slow: Some(Duration::from_secs(5)), ..held });
    let began = SystemClock.boot();
    assert_eq!(ends(&world, &case, Duration::from_millis(200)), "metadata-unavailable");
    let took = Duration::from_nanos(SystemClock.boot().0 - began.0);
    assert!(took < Duration::from_secs(4), "three tries of 200 ms took {took:?}");
}

#[test]
fn what_is_no_answer_of_a_metadata_service_is_a_failure() {
    let Some((world, imds)) = link() else { return };
    let (gcp, of_gcp) = honest(&world, "gcp");
    imds.hold(Held { unflavoured: true, ..of_gcp });
    assert_eq!(ends(&world, &gcp, SECOND), "metadata-unintelligible", "a proxy forwarded the question");
    let (aws, of_aws) = honest(&world, "aws");
    let place = format!("{}/elsewhere", world.simulator.url());
    imds.hold(Held { redirect: Some(place), ..of_aws });
    assert_eq!(ends(&world, &aws, SECOND), "metadata-unintelligible", "a redirect is not followed");
    assert!(!world.simulator.requests().contains_key("/elsewhere"), "a redirect is not followed");
    // Another cloud's service.
    imds.hold(Held::default());
    assert_eq!(ends(&world, &aws, SECOND), "metadata-unintelligible");
    let (azure, _) = honest(&world, "azure");
    imds.hold(Held { bodies: BTreeMap::from([(AZURE.to_owned(), vec![b'x'; 200 * 1024])]), ..Held::default() });
    assert_eq!(ends(&world, &azure, SECOND), "metadata-unintelligible", "too large");
    imds.hold(Held { bodies: BTreeMap::from([(AZURE.to_owned(), b"<html>".to_vec())]), ..Held::default() });
    assert_eq!(ends(&world, &azure, SECOND), "document-malformed");
}

#[test]
fn a_whole_node_joins_and_renews_by_the_clouds_word_and_another_machines_document_stops_it() {
    let Some((world, imds)) = link() else { return };
    let stage = Stage::new("machine");
    stage.workspace.edit(|scenario| {
        let cluster = scenario.clusters.get_mut(CLUSTER).expect("it is there");
        cluster["driver"]["instance_id"] = AWS_MACHINE.into();
    });
    let (mut case, held) = honest(&world, "aws");
    stage.bundle(|text| match text.contains("[trust]") {
        true => {
            let trust = world.trust_text("aws", &case);
            let required = text.replace("[\"databricks\", \"oidc:okta\"]", "[\"databricks\", \"oidc:okta\", \"node\"]");
            required.replacen("[roles.", &format!("{trust}\n[roles."), 1)
        }
        false => format!("{text}\n[node-document]\nkind = \"aws\"\n"),
    });
    imds.hold(held);
    let output = stage.node("machine.sh");
    assert!(output.status.success(), "{}", text(&output));
    assert!(imds.asked().len() > 2, "a renewal asks again: {:?}", imds.asked());
    case.fields.insert("instanceId".into(), "i-0fedcba9876543210".into());
    imds.hold(Held { bodies: BTreeMap::from([(AWS.to_owned(), case.lines(&world))]), ..Held::default() });
    let output = stage.node("refused.sh");
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(77), "{shown}");
    for told in ["reason: machine-mismatch", AWS_MACHINE, "i-0fedcba9876543210"] {
        assert!(shown.contains(told), "{shown}");
    }
}

#[test]
fn three_nodes_are_certified_by_the_issuer_and_a_second_key_of_a_machine_locks_no_node() {
    let Some((world, imds)) = link() else { return };
    let place = Place::new(&stage::longhorn(), &world, "aws", "nodes");
    place.change("127.0.0.1:0", "127.0.0.1:8443");
    let issuer = place.start(&[]).unwrap_or_else(|| panic!("the issuer does not start: {}", place.talk()));
    let stage = Stage::new("certified");
    let keys = issuer.send("GET", "/.well-known/jwks.json", b"").expect("it answers").body;
    std::fs::write(stage.share.join("keys.json"), &keys).expect("keys can be written");
    let pinned = AuthorityPublicKey::of_key_set(&keys).expect("a key set").first().expect("a key").to_string();
    let (honest, _) = honest(&world, "aws");
    let bundle = |authority: &str, more: &str| {
        stage.bundle(|text| match text.split_once("kind = \"published\"\ndirectory = \"/mnt/host/published\"") {
            None => {
                let trust = world.trust_text("aws", &honest);
                let required = text.replace("[\"databricks\", \"oidc:okta\"]", "[\"databricks\", \"oidc:okta\", \"node\"]");
                required.replacen("[roles.", &format!("{trust}\n[roles."), 1)
            }
            Some((head, tail)) => {
                let asked = "[node-document]\nkind = \"aws\"\n";
                format!("{head}kind = \"issuer\"\nurl = \"{NAME}\"\n{authority}{tail}\n{asked}{more}")
            }
        });
    };
    let run = |number: u32, script: &str| {
        let case = numbered(number);
        stage.workspace.edit(|scenario| {
            let cluster = scenario.clusters.get_mut(CLUSTER).expect("it is there");
            cluster["driver"]["instance_id"] = case.fields["instanceId"].clone();
        });
        imds.hold(Held { bodies: BTreeMap::from([(AWS.to_owned(), case.lines(&world))]), ..Held::default() });
        stage.node(script)
    };
    for (number, authority) in
        [(1, format!("keys = [\"{pinned}\"]")), (2, "keys-through-tls = true".to_owned()), (3, format!("keys = [\"{pinned}\"]"))]
    {
        bundle(&authority, "");
        let output = run(number, "certified.sh");
        assert!(output.status.success(), "node {number}: {}\n{}", text(&output), place.talk());
    }
    assert_eq!((issuer.metric("certified_total"), issuer.metric("alarms_total")), (3, 0), "{}", place.talk());
    // The same machine in the same boot, with the key of another keeper.
    let refused = |number: u32, told: &[&str], code: i32| {
        let output = run(number, "refused.sh");
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(code), "{shown}");
        told.iter().for_each(|told| assert!(shown.contains(told), "{shown}"));
        assert_eq!(lacking(&shown), Vec::<String>::new(), "{shown}");
    };
    refused(2, &["reason: issuer-refused", "already-certified"], 77);
    assert_eq!((issuer.metric("certified_total"), issuer.metric("alarms_total")), (3, 1), "{}", place.talk());
    // Signed by a key that the settings do not pin.
    bundle("keys = [\"ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"]", "");
    refused(4, &["reason: certificate-worthless"], 77);
    drop(issuer);
    bundle(&format!("keys = [\"{pinned}\"]"), "[node]\ndeadline = \"12s\"\n");
    refused(5, &["reason: certifier-unavailable"], 75);
}

/// The bundle of a stage whose policy says this of the metadata service.
fn saying(stage: &Stage, word: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suites/node/ask.py");
    std::fs::copy(from, stage.share.join("code/ask.py")).expect("it is there");
    let said = format!("[environments.python-ml.kernel]\nmetadata-service = \"{word}\"\n");
    stage.bundle(|text| match text.contains("[trust]") {
        true => text.replace("[environments.python-ml.kernel]\n", &said).replace("landlock = 3", "landlock = 4"),
        false => text,
    });
}

#[test]
fn a_job_reaches_the_metadata_service_in_no_way_where_the_policy_closes_it_and_other_ports_stay() {
    let Some((_, _imds)) = link() else { return };
    let stage = Stage::new("metadata-closed");
    saying(&stage, "closed");
    let output = stage.node("metadata_closed.sh");
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_node_whose_firewall_leaves_the_metadata_service_open_to_jobs_is_refused_and_one_whose_does_not_is_locked() {
    let Some((_, _imds)) = link() else { return };
    let stage = Stage::new("metadata-open");
    saying(&stage, "closed-elsewhere");
    let output = stage.node("metadata_open.sh");
    assert!(output.status.success(), "{}", text(&output));
    support::fixtures::screens(&stage.share.join("screens"), stage.workspace.url());
}
