//! Proofs, each against the bare verification of its signatures by the crypto library: the same keys, as many bytes hashed, in
//! turn, in CPU time of this thread. `cargo xtask bench` builds it as the agent is built: for musl, by the same profile.
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod budget;
#[path = "../tests/support"]
mod support {
    pub mod document;
    pub mod saml;
}

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use longhorn::context::NodeKey;
use longhorn::evidence::{Claim, NodeDocumentClaim, OidcClaim, SamlClaim};
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::identity::ids::{Audience, EntityId, Issuer, LocalName, WorkspaceHost};
use longhorn::identity::node_document::Occasion;
use longhorn::identity::trust::{
    self, Algorithm, NameIdFormat, OidcTrust, SamlSubject, SamlSubjectRule, SamlTrust, SubjectEquals, SubjectRule, Trust,
};
use longhorn::identity::{GotWith, Rules, verify};
use longhorn::unverified::Unverified;
use nix::time::{ClockId, clock_gettime};
use serde_json::Value;
use support::document::{Case as MachineCase, NODE_KEY, World};
use support::saml::{Case as AssertionCase, ENTITY, Provider, RECIPIENT};

const ISSUER: &str = "https://issuer.example";
/// The agent's: a proof allocates as it does there.
#[global_allocator]
static HEAP: longhorn_sys::shelf::Shelf = longhorn_sys::shelf::Shelf::new();

/// Rounds, each of so many of the one and of the other.
const ROUNDS: usize = 41;
const TIMES: u32 = 50;

fn main() {
    budget::of_the_binary_that_ships();
    let world = World::new();
    let figures = [
        ("token-rs256-to-signature", token("RS256")),
        ("token-es256-to-signature", token("ES256")),
        ("token-eddsa-to-signature", token("EdDSA")),
        ("assertion-to-signature", assertion()),
        ("aws-document-to-signature", aws(&world)),
        ("azure-document-to-signatures", azure(&world)),
    ];
    budget::compare(figures.into_iter());
}

/// The median of the rounds' ratios.
fn ratio(what: &str, claim: Claim, trust: &Trust, bare: impl Fn()) -> f64 {
    let claim = Unverified::new(claim);
    let (period, now) = (Duration::from_secs(600), SystemClock.now());
    let rules = Rules { trust, listed: true, period, node_key: NODE_KEY, occasion: Occasion::Join, now };
    let whole = || drop(black_box(verify(&claim, &rules)).unwrap_or_else(|unproven| panic!("{what}: {}", unproven.screen())));
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (timed(whole), timed(&bare))).collect();
    rounds.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    let (whole, bare) = rounds[ROUNDS / 2];
    println!("{what}: {whole:.1} against {bare:.1} microseconds");
    whole / bare
}

/// Microseconds of CPU time for one.
fn timed(what: impl Fn()) -> f64 {
    let cpu = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every thread has its clock"));
    let began = cpu();
    (0..TIMES).for_each(|_| what());
    (cpu() - began).as_secs_f64() * 1e6 / f64::from(TIMES)
}

fn holds(algorithm: &'static dyn VerificationAlgorithm, key: &[u8], message: &[u8], signature: &[u8]) {
    UnparsedPublicKey::new(algorithm, key).verify(black_box(message), signature).expect("the signature holds");
}

fn name(text: &str) -> LocalName {
    LocalName::try_from(text).expect("a name")
}

fn nobody() -> Trust {
    Trust {
        workspaces: BTreeSet::from([WorkspaceHost::try_from("https://dbc-1.example.com").expect("an origin")]),
        require: BTreeSet::new(),
        oidc: BTreeMap::new(),
        saml: BTreeMap::new(),
        node: None,
    }
}

fn token(algorithm: &str) -> f64 {
    let issuer = simulator::issuer::Issuer::new().expect("keys can be made");
    let own = NodeKey::from_seed(&[7; 32]).expect("a key");
    let now = SystemClock.now().seconds();
    let claims = format!(
        r#"{{"iss":"{ISSUER}","aud":"longhorn","sub":"7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11","iat":{now},"exp":{},"jti":"0123456789","groups":["ml-engineers","data"]}}"#,
        now + 86_000
    );
    let mut keys = issuer.keys();
    let of = |id: &str| format!(r#"{{"alg":"{algorithm}","kid":"{id}","typ":"JWT"}}"#);
    let minted = match algorithm {
        "RS256" => issuer.mint(&of("rsa-1"), &claims, "rsa").expect("it signs"),
        "ES256" => issuer.mint(&of("ec-1"), &claims, "ec").expect("it signs"),
        _ => {
            let mut key: Value = serde_json::from_str(&own.public().to_jwk()).expect("a JWK is JSON");
            key["kid"] = "ed-1".into();
            keys["keys"].as_array_mut().expect("a list").push(key);
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(of("ed-1")), URL_SAFE_NO_PAD.encode(&claims));
            let signature = URL_SAFE_NO_PAD.encode(own.sign(signed.as_bytes()));
            format!("{signed}.{signature}")
        }
    };
    let (message, signature) = minted.rsplit_once('.').expect("three parts");
    let (message, signature) = (message.to_owned(), URL_SAFE_NO_PAD.decode(signature).expect("base64url"));
    let part =
        |at: usize, name: &str| URL_SAFE_NO_PAD.decode(keys["keys"][at][name].as_str().unwrap_or_default()).expect("base64url");
    let (n, e) = (part(0, "n"), part(0, "e"));
    let point = [&[4][..], &part(1, "x"), &part(1, "y")].concat();
    let edwards = own.public().as_bytes().to_vec();
    let mut trust = nobody();
    let issuer = OidcTrust {
        name: name("okta"),
        issuer: Issuer::try_from(ISSUER).expect("an issuer"),
        jwks_hosts: BTreeSet::new(),
        audience: Audience::try_from("longhorn").expect("an audience"),
        algorithms: BTreeSet::from([Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]),
        types: BTreeSet::from(["jwt".to_owned()]),
        groups: Some("groups".into()),
        subject: SubjectRule { claim: "sub".into(), equals: SubjectEquals::ApplicationId },
        provider: trust::Provider::Standard,
        node_key: trust::KeyBinding::Unbound,
    };
    trust.oidc.insert(name("okta"), issuer);
    let discovery = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{ISSUER}/keys"}}"#).into_bytes();
    let (token, keys) = (minted.clone().into_bytes(), keys.to_string().into_bytes());
    let claim =
        Claim::Oidc(OidcClaim { name: name("okta"), token, discovery, keys, memberships: None, got_with: GotWith::Given });
    ratio(algorithm, claim, &trust, || match algorithm {
        "RS256" => {
            let key = RsaPublicKeyComponents { n: &n, e: &e };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, black_box(message.as_bytes()), &signature).expect("the signature holds");
        }
        "ES256" => holds(&ECDSA_P256_SHA256_FIXED, &point, message.as_bytes(), &signature),
        _ => holds(&ED25519, &edwards, message.as_bytes(), &signature),
    })
}

fn assertion() -> f64 {
    let provider = Provider::new();
    let document = provider.file(&AssertionCase::default());
    let text = String::from_utf8(document.clone()).expect("XML is text");
    let between = |from: &str, to: &str| {
        let begin = text.find(from).expect("it is there");
        let end = begin + text[begin..].find(to).expect("it is there") + to.len();
        text[begin..end].to_owned()
    };
    // What a signature is over is written as it is digested.
    let info = between("<ds:SignedInfo", "</ds:SignedInfo>");
    let info = info.replacen("<ds:SignedInfo", "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", 1);
    let signed = between("<saml:Assertion", "</saml:Assertion>").replace(&between("<ds:Signature ", "</ds:Signature>"), "");
    let value = between("<ds:SignatureValue>", "</ds:SignatureValue>");
    let value = value.trim_start_matches("<ds:SignatureValue>").trim_end_matches("</ds:SignatureValue>");
    let signature = STANDARD.decode(value).expect("base64");
    let key = provider.public_key("rsa");
    let saml = SamlTrust {
        name: name("entra"),
        entity_id: EntityId::try_from(ENTITY).expect("an entity"),
        audience: Audience::try_from("longhorn").expect("an audience"),
        recipient: RECIPIENT.to_owned(),
        certificates: vec![provider.certificate("rsa")],
        groups: Some("groups".to_owned()),
        subject: SamlSubjectRule { from: SamlSubject::NameId(NameIdFormat::Persistent), equals: SubjectEquals::ApplicationId },
    };
    let mut trust = nobody();
    trust.saml.insert(name("entra"), saml);
    ratio("SAML", Claim::Saml(SamlClaim { name: name("entra"), document }), &trust, || {
        black_box(digest(&SHA256, black_box(signed.as_bytes())));
        holds(&RSA_PKCS1_2048_8192_SHA256, &key, info.as_bytes(), &signature);
    })
}

fn aws(world: &World) -> f64 {
    let case = MachineCase { cloud: "aws".into(), ..MachineCase::default() };
    let trust = world.trust(&case);
    let content = case.content();
    // As long as the signed attributes.
    let attributes = [0; 107];
    let (key, signature) = world.signers.aws.signs(&attributes);
    ratio("AWS", Claim::NodeDocument(NodeDocumentClaim::Aws(case.lines(world))), &trust, || {
        black_box(digest(&SHA256, black_box(&content)));
        holds(&RSA_PKCS1_2048_8192_SHA256, &key, &attributes, &signature);
    })
}

/// Three signatures: of the document, of its signer's certificate, and of the one between that and the root.
fn azure(world: &World) -> f64 {
    let case = MachineCase { cloud: "azure".into(), ..MachineCase::default() };
    let trust = world.trust(&case);
    let content = case.content();
    let (key, signature) = world.attesting.signs(&content);
    let chain = world.signers.links(&world.attesting);
    ratio("Azure", Claim::NodeDocument(NodeDocumentClaim::Azure(case.answered(world))), &trust, || {
        holds(&RSA_PKCS1_2048_8192_SHA256, &key, &content, &signature);
        for (key, message, signature) in &chain {
            holds(&aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1, key, message, signature);
        }
    })
}
