//! Documents of clouds: PKCS#7 as it comes, content that is signed here, and certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::evidence::{Claim, NodeDocumentClaim};
use longhorn::identity::certificate::SigningCertificate;
use longhorn::identity::node_trust::Certificate;
use longhorn::identity::trust::Trust;
use longhorn::identity::verify;
use longhorn::unverified::Unverified;
use serde_json::json;
use simulator::documents::{Custom, Shape, sign};

use super::{MOST, Take, choice, chosen, fixtures, rules, shapes, shown, timed};
use crate::support::document::{Case, NODE_KEY, World};

/// The policies of both clouds.
struct Trusts {
    aws: Trust,
    azure: Trust,
}

impl Trusts {
    fn new(world: &World) -> Self {
        let of = |cloud: &str| world.trust(&Case { cloud: cloud.into(), ..Case::default() });
        Self { aws: of("aws"), azure: of("azure") }
    }

    fn judge(&self, said: NodeDocumentClaim, length: usize) -> bool {
        let trust = if matches!(said, NodeDocumentClaim::Aws(_)) { &self.aws } else { &self.azure };
        let claim = Unverified::new(Claim::NodeDocument(said));
        match timed(length, || verify(&claim, &rules(trust, NODE_KEY))) {
            Ok(_) => true,
            Err(unproven) => {
                shown(&unproven.screen());
                false
            }
        }
    }
}

fn framed(document: &[u8]) -> Vec<u8> {
    json!({ "encoding": "pkcs7", "signature": STANDARD.encode(document) }).to_string().into_bytes()
}

/// A document of Amazon or of Azure in bytes; base64 as Amazon gives it; an answer as Azure gives it.
pub fn pkcs7() -> Take {
    let world = World::new();
    let trusts = Trusts::new(&world);
    Box::new(move |bytes| {
        let (kind, rest) = choice(bytes);
        let said = match kind % 4 {
            0 => NodeDocumentClaim::Aws(STANDARD.encode(rest).into_bytes()),
            1 => NodeDocumentClaim::Azure(framed(rest)),
            2 => NodeDocumentClaim::Aws(rest.to_vec()),
            _ => NodeDocumentClaim::Azure(rest.to_vec()),
        };
        trusts.judge(said, rest.len());
    })
}

pub fn pkcs7_seeds() -> Vec<Vec<u8>> {
    let world = World::new();
    let mut seeds = Vec::new();
    for text in fixtures("node-document") {
        let case = Case::read(&text);
        match case.cloud.as_str() {
            "aws" => seeds.push((0, case.lines(&world))),
            "azure" => seeds.push((1, case.answered(&world))),
            _ => {}
        }
    }
    let mut written = Vec::new();
    for (kind, said) in seeds {
        let lines = match kind {
            0 => Some(said.clone()),
            _ => serde_json::from_slice::<serde_json::Value>(&said)
                .ok()
                .and_then(|frame| frame["signature"].as_str().map(|text| text.as_bytes().to_vec())),
        };
        let bare = lines.map(|lines| lines.into_iter().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>());
        // Where it is base64 the bytes inside are worth more.
        match bare.and_then(|bare| STANDARD.decode(bare).ok()) {
            Some(bytes) => written.push(chosen(kind, bytes)),
            None => written.push(chosen(kind + 2, said)),
        }
    }
    written.retain(|seed| seed.len() <= MOST);
    written
}

pub fn pkcs7_worst() -> Vec<Vec<u8>> {
    let der = shapes::der();
    let bytes = der.iter().flat_map(|shape| [chosen(0, shape), chosen(1, shape)]);
    let lines = ["\n", "A", "=", "AA\n"].map(|part| chosen(2, part.repeat((MOST - 100) / part.len())));
    bytes.chain(lines).chain(shapes::json().iter().map(|shape| chosen(3, shape))).collect()
}

/// Content that is signed here as Amazon does it, or Azure.
pub fn machine() -> Take {
    let world = World::new();
    let trusts = Trusts::new(&world);
    Box::new(move |bytes| {
        let (kind, content) = choice(bytes);
        trusts.judge(signed(&world, kind, content), content.len());
    })
}

fn signed(world: &World, kind: u8, content: &[u8]) -> NodeDocumentClaim {
    if kind.is_multiple_of(2) {
        let document = sign(Custom::Aws, content, &world.signers.aws, &[], &Shape::default());
        NodeDocumentClaim::Aws(STANDARD.encode(document).into_bytes())
    } else {
        NodeDocumentClaim::Azure(framed(&sign(Custom::Azure, content, &world.attesting, &[], &Shape::default())))
    }
}

pub fn machine_seeds() -> Vec<Vec<u8>> {
    let world = World::new();
    let trusts = Trusts::new(&world);
    let mut seeds = Vec::new();
    for (kind, cloud) in [(0, "aws"), (1, "azure")] {
        let content = Case { cloud: cloud.into(), ..Case::default() }.content();
        assert!(trusts.judge(signed(&world, kind, &content), content.len()), "the honest seed of {cloud} is refused");
        seeds.push(chosen(kind, content));
    }
    for text in fixtures("node-document") {
        let case = Case::read(&text);
        let kind = if case.cloud == "azure" { 1 } else { 0 };
        seeds.push(chosen(kind, case.content()));
    }
    seeds.retain(|seed| seed.len() <= MOST / 2);
    seeds.sort();
    seeds.dedup();
    seeds
}

pub fn machine_worst() -> Vec<Vec<u8>> {
    shapes::json_of(45_000).iter().flat_map(|shape| [chosen(0, shape), chosen(1, shape)]).collect()
}

/// A certificate in DER, and whatever it is as PEM.
pub fn certificate() -> Take {
    Box::new(|bytes| {
        let base64 = STANDARD.encode(bytes);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
        timed(bytes.len(), || {
            if let Ok(read) = SigningCertificate::from_base64(&base64) {
                assert_eq!(SigningCertificate::from_pem(&read.to_pem()), Ok(read));
            }
            if let Ok(read) = Certificate::from_pem(&pem) {
                assert_eq!(read.len(), 1);
            }
            if let Ok(text) = std::str::from_utf8(bytes) {
                drop((SigningCertificate::from_pem(text), SigningCertificate::from_base64(text), Certificate::from_pem(text)));
            }
        });
    })
}

pub fn certificate_seeds() -> Vec<Vec<u8>> {
    let world = World::new();
    let (root, between) = world.signers.chain();
    let pems = [&root, &between, &world.signers.aws.pem, &world.attesting.pem];
    let mut seeds: Vec<Vec<u8>> = pems.iter().map(|pem| pem.as_bytes().to_vec()).collect();
    seeds.push([root.as_bytes(), between.as_bytes()].concat());
    let body = |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    seeds.extend(pems.iter().map(|pem| STANDARD.decode(body(pem)).expect("a certificate is base64")));
    let provider = crate::support::saml::Provider::new();
    let others = ["rsa", "p256", "p384", "ended"].map(|key| STANDARD.decode(body(&provider.certificate(key).to_pem())));
    seeds.extend(others.into_iter().flatten());
    seeds
}

pub fn worst() -> Vec<Vec<u8>> {
    let armour =
        ["-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "-----", "\n"];
    let pem = armour.iter().map(|part| part.repeat((MOST - 100) / part.len()).into_bytes());
    shapes::der().into_iter().chain(pem).collect()
}
