//! Promises of the cloud's word on a machine: what is false is refused by name, what cannot be told is a failure, and neither
//! is a yes. Each false document is a file of `tests/fixtures/node-document`; the metadata service stands at its real address,
//! in a network namespace of the test's own.

#![expect(clippy::print_stdout, reason = "tests that cannot run here say so")]

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::config::{bind, read_policy, read_settings};
use longhorn::evidence::{Claim, NodeDocumentClaim};
use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::identity::agreement::WORKSPACE_AND_CLOUD;
use longhorn::identity::job::SpeaksFor;
use longhorn::identity::node_document::{NodeProof, NodeRefusal, Occasion, nonce};
use longhorn::identity::trust::Trust;
use longhorn::identity::{Proof, Rules, verify};
use longhorn::unverified::Unverified;
use simulator::documents::unhex;
use support::document::{Case, NODE_KEY, World, verify_alone};
use support::fixtures;

mod support {
    #[path = "../support/document.rs"]
    pub mod document;
    #[path = "../support/fixtures.rs"]
    pub mod fixtures;
}

fn aws() -> Case {
    Case { cloud: "aws".into(), ..Case::default() }
}

#[test]
fn every_false_document_is_refused_for_its_own_reason() {
    let world = World::new();
    fixtures::check("node-document", |file, bytes| {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{file} is not text"));
        match Case::read(text).walk(&world) {
            Ok(_) => ("granted".into(), String::new()),
            Err(unproven) => {
                let screen = unproven.screen();
                let shown = fixtures::steady(&screen.to_string(), world.simulator.url(), "");
                (format!("{}, exit {}", screen.reason, screen.exit.code()), shown)
            }
        }
    });
}

#[test]
fn an_honest_machine_is_a_proof_of_the_node_and_of_nothing_else() {
    let world = World::new();
    for (cloud, voucher) in [
        ("aws", "aws:123456789012/us-west-2"),
        ("azure", "azure:8a205152-b25a-417f-a676-80465535a6c9"),
        ("gcp", "gcp:acme-fraud"),
    ] {
        let case = Case { cloud: cloud.into(), ..Case::default() };
        let identity = case.walk(&world).unwrap_or_else(|unproven| panic!("{cloud}: {}", unproven.screen()));
        let line = identity.proofs.iter().find(|line| line.kind == "node").expect("the proof is there");
        assert_eq!((line.speaks_for, line.basis.voucher.as_str()), (SpeaksFor::Node, voucher));
        assert!(identity.groups.iter().all(|group| group.as_str().starts_with("databricks:")), "a machine is in no group");
    }
}

#[test]
fn each_row_of_the_table_of_agreement_refuses_where_exactly_its_field_differs() {
    let world = World::new();
    for row in WORKSPACE_AND_CLOUD {
        let mut case = aws();
        case.set.insert(format!("/driver/{}", row.workspace), "192.0.2.77".into());
        let screen = case.walk(&world).expect_err("a machine that differs is let in").screen();
        assert_eq!(screen.reason, row.reason);
        let labels: Vec<&str> = screen.facts.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, [format!("expected {}", row.workspace), format!("presented {}", row.workspace)]);
    }
}

#[test]
fn the_manual_prints_the_table_of_agreement_that_is_checked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("agent/manual/node-document.md");
    let text = std::fs::read_to_string(&path).expect("the page is there");
    let rows: String = (WORKSPACE_AND_CLOUD.iter())
        .map(|row| format!("| `{}` | {} | `{}` | {} |\n", row.workspace, row.cloud, row.reason, row.silence.word()))
        .collect();
    let (head, rest) = text.split_once("|---|---|---|---|\n").expect("the page has the table");
    let (shown, tail) = rest.split_once("<!-- end -->").expect("the table has an end");
    if std::env::var_os("LONGHORN_REGENERATE").is_some() {
        std::fs::write(&path, format!("{head}|---|---|---|---|\n{rows}<!-- end -->{tail}")).expect("it can be written");
        return;
    }
    assert_eq!(shown, rows, "LONGHORN_REGENERATE=1 writes it anew");
}

/// What a document of Amazon proves, if anything.
fn proven(document: &[u8], trust: &Trust) -> Option<NodeProof> {
    let now = SystemClock.now();
    let period = std::time::Duration::from_secs(600);
    let rules = Rules { trust, listed: true, period, node_key: NODE_KEY, occasion: Occasion::Join, now };
    let claim = Claim::NodeDocument(NodeDocumentClaim::Aws(STANDARD.encode(document).into_bytes()));
    let verified = verify(&Unverified::new(claim), &rules).ok()?;
    match verified.at(now) {
        Some(Proof::Node(proof)) => Some(proof.clone()),
        other => panic!("another proof: {other:?}"),
    }
}

#[test]
fn a_document_with_any_bit_flipped_or_cut_anywhere_proves_nothing() {
    let world = World::new();
    let (case, trust) = (aws(), world.trust(&aws()));
    let document = case.bytes_of(&world);
    assert!(proven(&document, &trust).is_some(), "an honest document is believed");
    for at in 0..document.len() {
        for bit in 0..8 {
            let mut other = document.clone();
            other[at] ^= 1 << bit;
            assert_eq!(proven(&other, &trust), None, "bit {bit} of byte {at}");
        }
        assert_eq!(proven(&document[..at], &trust), None, "cut at {at}");
    }
}

#[test]
fn the_largest_input_of_any_form_is_answered_within_50_ms_of_cpu() {
    let world = World::new();
    let trust = world.trust(&aws());
    let cpu = || {
        let at = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).expect("this thread has a clock");
        std::time::Duration::new(at.tv_sec().unsigned_abs(), u32::try_from(at.tv_nsec()).unwrap_or(0))
    };
    let most = 64 * 1024;
    let wrapped = |depth: usize, tag: u8, inside: Vec<u8>| [[tag, 0x80].repeat(depth), inside, [0, 0].repeat(depth)].concat();
    for (name, bytes) in [
        ("open ends", [0x30, 0x80].repeat(most / 2)),
        ("octet strings within octet strings", wrapped(30, 0x24, [4, 1, 0x61].repeat(most / 3 - 100))),
        ("sequences within sequences", wrapped(30, 0x30, [5, 0].repeat(most / 2 - 100))),
        ("one long value", [vec![0x04, 0x83, 0, 0xff, 0xf0], vec![0x61; 0xfff0]].concat()),
        ("signers", wrapped(4, 0x31, unhex("3000").repeat(most / 2 - 100))),
    ] {
        assert!(bytes.len() <= most, "{name}: {}", bytes.len());
        let began = cpu();
        assert_eq!(proven(&bytes, &trust), None, "{name}");
        let took = cpu() - began;
        assert!(took < std::time::Duration::from_millis(50), "{name} took {took:?}");
    }
}

/// A document by another program than ours.
fn by_openssl(directory: &Path, digest: &str) -> std::io::Result<Vec<u8>> {
    let mut command = Command::new("openssl");
    command.args(["cms", "-sign", "-stream", "-indef", "-binary", "-nodetach", "-nocerts", "-outform", "DER", "-md", digest]);
    command.args(["-in", "content", "-signer", "signer.pem", "-inkey", "signer.key", "-out", "document"]);
    let output = command.current_dir(directory).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(directory.join("document"))
}

#[test]
fn what_openssl_signs_in_ber_is_read_and_its_weak_digest_is_refused() {
    let world = World::new();
    let trust = world.trust(&aws());
    let directory = std::env::temp_dir().join(format!("longhorn-cms-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory can be made");
    let signer = &world.signers.aws;
    for (name, bytes) in
        [("content", aws().content()), ("signer.pem", signer.pem.clone().into()), ("signer.key", signer.key_pem.clone().into())]
    {
        std::fs::write(directory.join(name), bytes).expect("a temporary file can be written");
    }
    for (digest, expected) in [("sha256", Ok(())), ("sha384", Ok(())), ("sha512", Ok(())), ("sha1", Err(NodeRefusal::DigestWeak))]
    {
        let document = match by_openssl(&directory, digest) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return println!("SKIP documents by openssl: it is not installed");
            }
            document => document.expect("openssl signs"),
        };
        assert_eq!(document[..2], [0x30, 0x80], "it is BER");
        let claim = NodeDocumentClaim::Aws(STANDARD.encode(&document).into_bytes());
        assert_eq!(verify_alone(claim, &trust, NODE_KEY, SystemClock.now()), expected, "{digest}");
    }
    std::fs::remove_dir_all(&directory).expect("it can be removed");
}

/// Where documents that the clouds themselves signed lie; they are nobody's to hand on.
fn vectors() -> Option<PathBuf> {
    let found = std::env::var_os("LONGHORN_VECTORS").map(PathBuf::from).filter(|path| path.is_dir());
    if found.is_none() {
        println!("SKIP documents that the clouds signed: LONGHORN_VECTORS names no directory");
    }
    found
}

fn policy(world: &World, node: &str) -> Trust {
    world.read_trust(&format!("require = [\"databricks\", \"node\"]\n{node}"))
}

#[test]
fn documents_that_amazon_signed_are_believed_under_the_certificate_of_their_region_alone() {
    let Some(vectors) = vectors() else { return };
    let world = World::new();
    let read = |name: &str| std::fs::read_to_string(vectors.join("aws").join(name)).expect("a vector reads");
    let rows = [("us-west-1", "883474662888", 1_631_319_258), ("us-west-2", "278576220453", 1_630_704_344)];
    for (region, account, started) in rows {
        let document = || NodeDocumentClaim::Aws(read(&format!("iid_{region}.b64")).into_bytes());
        let under = |certified: &str, as_region: &str, accounts: &str| {
            let pem = read(&format!("cert_rsa2048_{certified}.pem"));
            policy(
                &world,
                &format!(
                    "[trust.node]\nkind = \"aws\"\naccounts = [\"{accounts}\"]\nmax-age = \"15m\"\n[trust.node.certificates]\n{as_region} = '''\n{pem}'''\n"
                ),
            )
        };
        let soon = Timestamp::from_seconds(started + 300);
        let judged =
            |trust: &Trust, now: Timestamp| verify_alone(document(), trust, NODE_KEY, now).map_err(|refusal| refusal.reason());
        let other = if region == "us-west-1" { "us-west-2" } else { "us-west-1" };
        assert_eq!(judged(&under(region, region, account), soon), Ok(()), "{region}");
        assert_eq!(judged(&under(region, region, account), Timestamp::from_seconds(started + 3600)), Err("document-too-old"));
        assert_eq!(judged(&under(region, region, "123456789012"), soon), Err("document-owner-mismatch"));
        assert_eq!(judged(&under(region, other, account), soon), Err("document-region-mismatch"));
        assert_eq!(judged(&under(other, region, account), soon), Err("document-signer-unknown"));
    }
}

#[test]
fn a_document_that_azure_signed_is_believed_up_to_the_nonce_which_is_another_nodes() {
    let Some(vectors) = vectors() else { return };
    let world = World::new();
    let read = |name: &str| std::fs::read_to_string(vectors.join("azure").join(name)).expect("a vector reads");
    let good: serde_json::Value = serde_json::from_str(&read("azure_signature_good.json")).expect("it is JSON");
    let answer = serde_json::json!({ "encoding": "pkcs7", "signature": good[0]["document"] }).to_string();
    let under = |root: &str, between: &str| {
        policy(
            &world,
            &format!(
                "[trust.node]\nkind = \"azure\"\nsubscriptions = [\"8a205152-b25a-417f-a676-80465535a6c9\"]\nnames = [\"metadata.azure.com\"]\n\
                 roots = ['''\n{}''']\nintermediates = ['''\n{}''']\n",
                read(root),
                read(between)
            ),
        )
    };
    let (root, between) = ("microsoft_tls_rsa_root_g2.pem", "microsoft_tls_g2_rsa_ca_ocsp_02.pem");
    // 2026-07-28T13:30:00Z.
    let now = Timestamp::from_seconds(1_785_245_400);
    let judged = |trust: &Trust| verify_alone(NodeDocumentClaim::Azure(answer.clone().into_bytes()), trust, NODE_KEY, now);
    let another = NodeRefusal::Nonce { expected: nonce(NODE_KEY), presented: "20260728-192400".into() };
    assert_eq!(judged(&under(root, between)), Err(another), "signature, chain, usage and name hold");
    for trust in
        [under(root, "microsoft_tls_g2_rsa_ca_ocsp_04.pem"), under("microsoft_azure_rsa_tls_issuing_ca_03_xsign.pem", between)]
    {
        assert_eq!(judged(&trust).map_err(|refusal| refusal.reason()), Err("document-chain-untrusted"));
    }
}

#[test]
fn settings_and_policy_name_the_same_cloud_or_neither_a_required_nor_an_asked_one() {
    let fixture = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        std::fs::read_to_string(path).expect("a fixture reads")
    };
    let token = "\n[[oidc]]\nname = \"okta\"\ntoken = { kind = \"file\", path = \"/t\" }\n";
    let ends = |settings: &str, policy: &str| {
        let settings = read_settings("s", &format!("{}{token}", fixture(settings))).expect("the settings read");
        let (policy, _) = read_policy("p", &fixture(policy)).expect("the policy reads");
        bind(&settings, &policy).map_err(|refusal| (refusal.reason(), refusal.screen().exit.code()))
    };
    let asked = "settings/node-document.toml";
    assert_eq!(ends(asked, "policy/node-aws.toml"), Ok(()));
    assert_eq!(ends("settings/honest.toml", "policy/honest.toml"), Ok(()));
    assert_eq!(ends("settings/honest.toml", "policy/node-aws.toml"), Err(("node-document-missing", 78)));
    assert_eq!(ends(asked, "policy/node-azure.toml"), Err(("node-document-missing", 78)));
    assert_eq!(ends(asked, "policy/honest.toml"), Err(("node-document-untrusted", 78)));
}
