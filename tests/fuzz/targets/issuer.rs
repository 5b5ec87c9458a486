//! What reaches the issuer of node keys, and what nodes and verifiers hear of it: requests, as they come and signed by the key
//! that they name; key sets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::context::{AuthorityPublicKey, NodeKey};
use longhorn::identity::node_trust::Cloud;
use longhorn::issuer::Request;
use longhorn::issuer::request::compose;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::tokens::signed;
use super::{MOST, Take, choice, chosen, fixtures, shapes, split, timed};

const ISSUER: &str = "https://issuer.example";
const BOOT: &str = "0ca5e5d6-1c0f-4b8a-9d54-1f3f7c1f8a01";
const CHALLENGE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A request as it came; header and body that the node key signs; a key set.
pub fn requests() -> Take {
    let node = node();
    Box::new(move |bytes| {
        let (kind, rest) = choice(bytes);
        match kind % 3 {
            0 => look(rest),
            1 => {
                let (header, body) = split(rest, b'\n');
                look(signed(&node, header, body).as_bytes());
            }
            _ => timed(rest.len(), || {
                if let Ok(keys) = AuthorityPublicKey::of_key_set(rest) {
                    keys.iter().for_each(|key| assert_eq!(AuthorityPublicKey::parse(&key.to_string()).as_ref(), Ok(key)));
                }
            }),
        }
    })
}

fn look(bytes: &[u8]) {
    match timed(bytes.len(), || Request::read(bytes, ISSUER)) {
        Ok(request) => assert!(request.boot.len() == 36 && request.document.len() < bytes.len(), "{request:?}"),
        Err(refusal) => assert!(refusal.status() >= 400 && !refusal.to_string().contains('\n'), "{refusal}"),
    }
}

fn node() -> NodeKey {
    NodeKey::from_seed(&[1; 32]).expect("a key")
}

/// What a fixture says of header and body.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Changes {
    text: Option<String>,
    header: Map<String, Value>,
    body: Map<String, Value>,
}

pub fn seeds() -> Vec<Vec<u8>> {
    let document = STANDARD.encode([7; 300]);
    let honest = compose(&node(), ISSUER, CHALLENGE, BOOT, Cloud::Aws, document.as_bytes());
    let jwk: Value = serde_json::from_str(&node().public().to_jwk()).expect("JSON");
    let set = serde_json::json!({ "keys": [jwk, { "kty": "RSA" }] }).to_string();
    let changed = fixtures("issue").into_iter().map(move |text| {
        let changes: Changes = toml::from_str(&text).expect("a fixture is TOML");
        let mut header = serde_json::json!({ "alg": "EdDSA", "jwk": jwk, "typ": longhorn::issuer::request::TYPE });
        let mut body =
            serde_json::json!({ "aud": ISSUER, "boot": BOOT, "challenge": CHALLENGE, "cloud": "aws", "document": document });
        for (part, changes) in [(&mut header, changes.header), (&mut body, changes.body)] {
            part.as_object_mut().expect("an object").extend(changes);
        }
        match changes.text {
            Some(text) => chosen(0, text),
            None => chosen(1, format!("{header}\n{body}")),
        }
    });
    changed.chain([chosen(0, honest), chosen(2, set)]).collect()
}

pub fn worst() -> Vec<Vec<u8>> {
    let header = serde_json::json!({ "alg": "EdDSA", "jwk": serde_json::from_str::<Value>(&node().public().to_jwk()).expect("JSON"),
        "typ": longhorn::issuer::request::TYPE });
    let json = shapes::json_of(MOST - 1000);
    let bodies = json.iter().map(|shape| [&[1], format!("{header}\n").as_bytes(), shape].concat());
    let headers = json.iter().map(|shape| [&[1], shape.as_slice(), b"\n{}"].concat());
    let sets = json.iter().map(|shape| chosen(2, shape));
    let dots = [chosen(0, ".".repeat(MOST - 1)), chosen(0, "A".repeat(MOST - 1))];
    bodies.chain(headers).chain(sets).chain(dots).collect()
}
