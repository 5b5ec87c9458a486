//! Tokens: of issuers with their discovery and keys, and our own contexts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhorn::context::seal::{Expiry, TYPE, Voucher, open};
use longhorn::context::{AuthorityKey, AuthorityPublicKey, NodeKey, NodePublicKey};
use longhorn::evidence::{Answered, Claim, OidcClaim};
use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::identity::entra::{EntraRules, Memberships, Overage, TokenVersion, pointed_to};
use longhorn::identity::ids::{Audience, DirectoryId, GraphOrigin, Issuer, LocalName, WorkspaceHost};
use longhorn::identity::trust::{Algorithm, KeyBinding, OidcTrust, ProofKind, Provider, SubjectEquals, SubjectRule, Trust};
use longhorn::identity::{GotWith, verify};
use longhorn::unverified::Unverified;
use simulator::entra::{TENANT, USER_ID};
use simulator::issuer::encode;

use super::{Take, choice, chosen, fixtures, rules, shapes, shown, split, timed};
use crate::support::evidence::Case;

const ISSUER: &str = "https://issuer.example";
const DISCOVERY: &str = r#"{"issuer":"https://issuer.example"}"#;

pub fn issuer_trust(issuer: &str) -> OidcTrust {
    OidcTrust {
        name: name(),
        issuer: Issuer::try_from(issuer).expect("an issuer"),
        jwks_hosts: BTreeSet::new(),
        audience: Audience::try_from("longhorn").expect("an audience"),
        algorithms: [
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::EdDSA,
        ]
        .into(),
        types: ["jwt", "at+jwt"].map(str::to_owned).into(),
        groups: Some("groups".into()),
        subject: SubjectRule { claim: "sub".into(), equals: SubjectEquals::ApplicationId },
        provider: Provider::Standard,
        node_key: KeyBinding::Unbound,
    }
}

pub fn name() -> LocalName {
    LocalName::try_from("okta").expect("a name")
}

fn trust(provider: Provider) -> Trust {
    Trust {
        workspaces: BTreeSet::from([WorkspaceHost::try_from("https://dbc-1.example.com").expect("an origin")]),
        require: BTreeSet::from([ProofKind::Oidc(name())]),
        oidc: BTreeMap::from([(name(), OidcTrust { provider, ..issuer_trust(ISSUER) })]),
        saml: BTreeMap::new(),
        node: None,
    }
}

/// Three lines: discovery, keys, token.
pub fn oidc() -> Take {
    let trust = trust(Provider::Standard);
    Box::new(move |bytes| {
        let (discovery, rest) = split(bytes, b'\n');
        let (keys, token) = split(rest, b'\n');
        judge(&trust, discovery, keys, token, b"");
    })
}

fn judge(trust: &Trust, discovery: &[u8], keys: &[u8], token: &[u8], graph: &[u8]) {
    let (discovery, keys, token) = (discovery.to_vec(), keys.to_vec(), token.to_vec());
    let length = discovery.len() + keys.len() + token.len() + graph.len();
    let memberships = pointed_to(&token, "groups").map(|of| Memberships { of, said: Answered::Document(graph.to_vec()) });
    let claim =
        Unverified::new(Claim::Oidc(OidcClaim { name: name(), token, discovery, keys, memberships, got_with: GotWith::Given }));
    if let Err(unproven) = timed(length, || verify(&claim, &rules(trust, ""))) {
        shown(&unproven.screen());
    }
}

pub fn oidc_seeds() -> Vec<Vec<u8>> {
    let issuer = simulator::issuer::Issuer::new().expect("keys can be made");
    let keys = issuer.keys().to_string();
    let token = |text: &String| {
        let text = text.replace("@URL@", ISSUER);
        let sign = |header: &str, claims: &str, key: &str| issuer.mint(header, claims, key).expect("it signs");
        let case = Case::read(&text);
        let token = case.token.minted(ISSUER, &case.trust, &sign);
        [DISCOVERY.as_bytes(), b"\n", keys.as_bytes(), b"\n", &token].concat()
    };
    let mut seeds: Vec<Vec<u8>> = fixtures("token").iter().map(token).collect();
    // Every kind of key.
    let kinds = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"EC","crv":"P-384","kid":"b","key_ops":["verify"],"x":"","y":""},{"kty":"oct","k":"AA"}]}"#;
    seeds.push([DISCOVERY, kinds, "e30.e30.AA"].join("\n").into_bytes());
    seeds.retain(|seed| seed.len() <= super::MOST);
    seeds
}

pub fn oidc_worst() -> Vec<Vec<u8>> {
    let json = shapes::json();
    let keys = json.iter().map(|shape| [DISCOVERY.as_bytes(), b"\n", shape, b"\n", b"e30.e30.AA"].concat());
    let ids = (0..64).map(|at| format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{at}{}"}}"#, "x".repeat(900)));
    let many = format!(r#"{{"keys":[{}]}}"#, ids.collect::<Vec<_>>().join(","));
    let tokens = [".".repeat(60_000), format!("{}.{}.", encode("{}"), "A".repeat(60_000))];
    let tokens = tokens.map(|token| [DISCOVERY, r#"{"keys":[]}"#, &token].join("\n").into_bytes());
    json.iter().cloned().chain(keys).chain([[DISCOVERY, &many, "e30.e30.AA"].join("\n").into_bytes()]).chain(tokens).collect()
}

/// Three lines: header and claims, which are signed here, and what Microsoft Graph says of groups that did not fit.
pub fn claims() -> Take {
    let entra = EntraRules {
        tenant: DirectoryId::try_from(TENANT).expect("a tenant"),
        version: TokenVersion::V2,
        overage: Overage::Graph(GraphOrigin::try_from("https://graph.example").expect("an origin")),
    };
    let trusts = [Provider::Standard, Provider::Okta, Provider::Entra(entra)].map(trust);
    let key = NodeKey::from_seed(&[7; 32]).expect("a key");
    let keys = format!(r#"{{"keys":[{}]}}"#, key.public().to_jwk());
    Box::new(move |bytes| {
        let (header, rest) = split(bytes, b'\n');
        let (claims, graph) = split(rest, b'\n');
        let token = signed(&key, header, claims);
        for trust in &trusts {
            judge(trust, DISCOVERY.as_bytes(), keys.as_bytes(), token.as_bytes(), graph);
        }
    })
}

pub fn signed(key: &NodeKey, header: &[u8], claims: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

pub fn claims_seeds() -> Vec<Vec<u8>> {
    let parts = |text: &String| {
        let plain = |header: &str, claims: &str, _: &str| {
            format!("{}\n{claims}", header.replace("RS256", "EdDSA").replace(r#","kid":"rsa-1""#, ""))
        };
        let case = Case::read(&text.replace("@URL@", ISSUER));
        case.token.minted(ISSUER, &case.trust, &plain)
    };
    let now = SystemClock.now().seconds();
    let pointer = format!(
        r#"{{"iss":"{ISSUER}","aud":"longhorn","sub":"s","iat":{now},"exp":{},"tid":"{TENANT}","ver":"2.0","oid":"{USER_ID}","hasgroups":true}}"#,
        now + 600
    );
    let resolved = [r#"{"alg":"EdDSA"}"#, &pointer, &format!(r#"{{"value":["{USER_ID}"]}}"#)].join("\n").into_bytes();
    let seeds = fixtures("token");
    seeds.iter().map(parts).filter(|seed| seed.len() <= super::MOST).chain([resolved]).collect()
}

pub fn claims_worst() -> Vec<Vec<u8>> {
    // No token is longer than 16 KiB; base64 makes a third more of it.
    let groups: Vec<String> = (0..1100).map(|at| format!("\"g{at:06}\"")).collect();
    let now = SystemClock.now().seconds();
    let honest = format!(
        r#"{{"alg":"EdDSA"}}{}{{"iss":"{ISSUER}","aud":"longhorn","sub":"s","iat":{now},"exp":{},"groups":[{}]}}"#,
        '\n',
        now + 600,
        groups.join(",")
    );
    let json = shapes::json_of(11_000);
    let behind = json.iter().map(|shape| [br#"{"alg":"EdDSA"}"#, &b"\n"[..], shape].concat());
    json.iter().map(|shape| [shape, &b"\n{}"[..]].concat()).chain(behind).chain([honest.into_bytes()]).collect()
}

/// A token as it came; header and claims that the node key signs; a node key as JWK and an authority's as text; an authority's
/// certificate around a body that it signs.
pub fn context() -> Take {
    let node = NodeKey::from_seed(&[1; 32]).expect("a key");
    let authority_key = NodeKey::from_seed(&[9; 32]).expect("a key");
    let authority = AuthorityKey::from_seed(&[9; 32]).expect("a key").public();
    Box::new(move |bytes| {
        let (kind, rest) = choice(bytes);
        match kind % 4 {
            0 => look(rest, &node, &authority),
            1 => {
                let (header, claims) = split(rest, b'\n');
                look(signed(&node, header, claims).as_bytes(), &node, &authority);
            }
            2 => timed(rest.len(), || {
                if let Ok(key) = NodePublicKey::from_jwk(rest) {
                    assert_eq!(NodePublicKey::from_jwk(key.to_jwk().as_bytes()), Ok(key));
                }
                if let Some(key) = std::str::from_utf8(rest).ok().and_then(|text| AuthorityPublicKey::parse(text).ok()) {
                    assert_eq!(AuthorityPublicKey::parse(&key.to_string()), Ok(key));
                }
            }),
            _ => {
                let certificate = signed(&authority_key, br#"{"alg":"EdDSA","typ":"longhorn-node-key+jwt"}"#, rest);
                let thumbprint = node.public().thumbprint();
                let header = format!(r#"{{"alg":"EdDSA","kid":"{thumbprint}","typ":"{TYPE}","lhc":"{certificate}"}}"#);
                look(signed(&node, header.as_bytes(), b"{}").as_bytes(), &node, &authority);
            }
        }
    })
}

fn look(token: &[u8], node: &NodeKey, authority: &AuthorityPublicKey) {
    for expiry in [Expiry::Enforced, Expiry::Ignored] {
        for voucher in [Voucher::NodeKey(node.public()), Voucher::Authority(std::slice::from_ref(authority))] {
            let opened = timed(token.len(), || open(&Unverified::new(token), &voucher, "longhorn", AT, expiry));
            if let Err(refusal) = opened {
                shown(&refusal.screen());
            }
        }
    }
}

const AT: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub fn context_seeds() -> Vec<Vec<u8>> {
    let node = NodeKey::from_seed(&[1; 32]).expect("a key");
    let authority = AuthorityKey::from_seed(&[9; 32]).expect("a key");
    let thumbprint = node.public().thumbprint();
    let now = AT.seconds();
    let certificate = authority.certify(node.public(), AT, Duration::from_secs(60));
    let header = format!(r#"{{"alg":"EdDSA","kid":"{thumbprint}","typ":"{TYPE}","lhc":"{}"}}"#, certificate.as_str());
    let claims = format!(
        r#"{{"iss":"longhorn:https://a.example","sub":"spiffe://a.example/workspace/1/job/2/run/3","aud":"longhorn","iat":{now},"nbf":{now},"exp":{},"jti":"j","node":{{"address":"10.0.0.1","role":"driver","boot":"b","key":"{thumbprint}"}},"cluster":"c-1","job":{{"id":"2","run":"3"}},"run_as":{{"kind":"user","name":"p1:00"}},"roles":[],"scope":"s","permissions":["run"],"clearance":[],"environment":"e","environment_digest":"d","enforcement":"enforce","open":[],"policy":{{"serial":1,"digest":"d"}},"membership":"listed","proofs":[]}}"#,
        now + 600
    );
    let whole = signed(&node, header.as_bytes(), claims.as_bytes());
    let opened = open(&Unverified::new(whole.as_bytes()), &Voucher::NodeKey(node.public()), "longhorn", AT, Expiry::Enforced);
    assert!(opened.is_ok(), "the honest seed is refused: {opened:?}");
    let body = certificate.as_str().split('.').nth(1).expect("a certificate has three parts");
    use base64::Engine;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64url");
    vec![
        chosen(0, &whole),
        chosen(1, format!("{header}\n{claims}")),
        chosen(2, node.public().to_jwk()),
        chosen(2, authority.public().to_string()),
        chosen(3, body),
    ]
}

pub fn context_worst() -> Vec<Vec<u8>> {
    let json = shapes::json_of(45_000);
    let of = |kind: u8| json.iter().map(move |shape| chosen(kind, shape));
    let dots = [".".repeat(60_000), "A".repeat(60_000)].map(|text| chosen(0, text));
    let behind = json.iter().map(|shape| chosen(1, [&b"{}\n"[..], shape].concat()));
    of(1).chain(behind).chain(of(2)).chain(of(3)).chain(dots).collect()
}
