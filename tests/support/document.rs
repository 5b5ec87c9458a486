//! A case of a cloud's word as a document: what is changed of an honest machine, its document, its signer and the policy.

#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::config::read_policy;
use longhorn::evidence::{NodeDocumentClaim, OidcClaim};
use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::host::http::{Credentials, Http, Method, Request};
use longhorn::identity::GotWith;
use longhorn::identity::ids::LocalName;
use longhorn::identity::node_document::{audience, nonce};
use longhorn::identity::trust::Trust;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use simulator::Simulator;
use simulator::der::first;
use simulator::documents::{Custom, Like, Shape, Signer, Signers, sign, unhex, weakened};
use simulator::scenario::Scenario;

#[path = "document/walk.rs"]
mod walk;

pub use walk::{block_on, judge, verify_alone, workspace};

/// RFC 8037 appendix A.3.
pub const NODE_KEY: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
pub const AWS_MACHINE: &str = "i-0123456789abcdef0";
pub const AZURE_MACHINE: &str = "b1310a36-d400-46f6-82cb-6217df846586";
pub const GCP_MACHINE: &str = "4520031799277581759";

/// What is changed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Case {
    /// `aws`, `azure`, `gcp`; nothing is asked where it is `none`.
    pub cloud: String,
    /// The policy's, where it is another one or none.
    pub trusted: Option<String>,
    /// The node is in already.
    pub renewal: bool,
    /// Values of the signed content; `now-60` is a time as the cloud writes it.
    pub fields: Map<String, Value>,
    pub without: Vec<String>,
    /// Text behind the opening brace of the content, and behind its closing one; the whole content.
    pub inserted: String,
    pub appended: String,
    pub content: Option<String>,
    /// How it is signed, and by whom: `elsewhere`, or `made`, with a certificate of its own.
    pub shape: Shape,
    pub by: Option<String>,
    pub like: Like,
    /// That certificate has a key of 1024 bits.
    pub weak: bool,
    /// It stands in the policy all the same, behind the back of the policy's reader.
    pub listed_certificate: bool,
    /// Before the signer's certificate lies an honest one in the bag.
    pub behind_an_honest_one: bool,
    /// Of the finished document: this (hex) is its length, where it has a definite one; so much is kept, this (hex) is put
    /// behind; this (hex), so often, in its place; base64 that is none.
    pub length: Option<String>,
    pub kept: Option<usize>,
    pub behind: String,
    pub bytes: Option<String>,
    pub times: Option<usize>,
    pub text: Option<String>,
    /// The frame of an answer of Azure; the whole answer.
    pub encoding: Option<String>,
    pub answer: Option<String>,
    /// Which key signs a token, and its audience.
    pub key: Option<String>,
    pub audience: Option<String>,
    /// Parts of what the workspace holds, by JSON pointer.
    pub set: BTreeMap<String, Value>,
    /// What it does not say.
    pub unset: Vec<String>,
    /// The policy without what stands between signer and root; with another region for the certificate.
    pub no_intermediate: bool,
    pub region: Option<String>,
    /// The workspace does not list the node yet.
    pub late: bool,
    /// How far our clock is ahead, in seconds.
    pub clock: i64,
}

/// Keys and servers that every case uses.
pub struct World {
    pub simulator: Simulator,
    pub signers: Signers,
    /// Of a document of Azure, as usual.
    pub attesting: Signer,
}

impl World {
    pub fn new() -> Self {
        let signers = Signers::new().expect("keys can be made");
        let attesting = signers.attesting(&Like { serial: Some(9), ..Like::default() }).expect("a certificate can be made");
        let simulator = simulator::start(Scenario::honest()).expect("the simulator starts");
        Self { simulator, signers, attesting }
    }

    /// A policy's `[trust.node]`, as its author writes it.
    pub fn trust_text(&self, cloud: &str, case: &Case) -> String {
        let (root, between) = self.signers.chain();
        let quoted = |text: &str| format!("'''\n{text}'''");
        match cloud {
            "aws" => format!(
                "[trust.node]\nkind = \"aws\"\naccounts = [\"123456789012\"]\nmax-age = \"15m\"\n\
                 [trust.node.certificates]\n{} = {}\neu-west-9 = {}\n",
                case.region.as_deref().unwrap_or("us-west-2"),
                quoted(&self.signers.aws.pem),
                quoted(&self.signers.elsewhere.pem),
            ),
            "azure" => format!(
                "[trust.node]\nkind = \"azure\"\nsubscriptions = [\"8A205152-b25a-417f-a676-80465535a6c9\"]\n\
                 names = [\"metadata.azure.com\"]\nroots = [{}]\nintermediates = [{}]\n",
                quoted(&root),
                quoted(if case.no_intermediate { &root } else { &between }),
            ),
            "gcp" => format!(
                "[trust.node]\nkind = \"gcp\"\nprojects = [\"acme-fraud\"]\nissuer = \"{0}\"\njwks-hosts = [\"{1}\"]\n\
                 audience = \"https://longhorn.example/node\"\nalgorithms = [\"RS256\"]\ntypes = [\"jwt\"]\n",
                self.simulator.url(),
                // An address with a port is a host as well.
                self.simulator.url().trim_start_matches("http://"),
            ),
            _ => String::new(),
        }
    }

    pub fn trust(&self, case: &Case) -> Trust {
        let cloud = case.trusted.as_deref().unwrap_or(&case.cloud);
        let required = if cloud == "none" { "\"databricks\"" } else { "\"databricks\", \"node\"" };
        self.read_trust(&format!("require = [{required}]\n{}", self.trust_text(cloud, case)))
    }

    /// The inside of a policy's `[trust]`, as its reader reads it.
    pub fn read_trust(&self, inside: &str) -> Trust {
        let text = format!(
            "schema = 1\nserial = 1\nnot-after = 2030-01-01T00:00:00Z\nworkspaces = [\"{}\"]\nenforcement = \"observe\"\n\
             [trust]\n{inside}",
            self.simulator.url(),
        );
        match read_policy("policy.toml", &text) {
            Ok((policy, _)) => policy.trust,
            Err(problems) => panic!("{problems}"),
        }
    }
}

/// Seconds from now as a cloud writes them.
fn moment(cloud: &str, text: &str) -> Option<String> {
    let rest = text.strip_prefix("now")?;
    let by: i64 = if rest.is_empty() { 0 } else { rest.parse().expect("now+60 or now-60") };
    let shown = Timestamp::from_seconds(SystemClock.now().seconds() + by).to_string();
    let (year, month, day, time) = (&shown[2..4], &shown[5..7], &shown[8..10], &shown[11..19]);
    Some(if cloud == "azure" { format!("{month}/{day}/{year} {time} -0000") } else { shown })
}

impl Case {
    pub fn read(text: &str) -> Self {
        toml::from_str(text).unwrap_or_else(|error| panic!("not a case: {error}"))
    }

    /// The signed content.
    pub fn content(&self) -> Vec<u8> {
        if let Some(content) = &self.content {
            return content.clone().into_bytes();
        }
        let mut object = match self.cloud.as_str() {
            "azure" => json!({
                "licenseType": "", "nonce": nonce(NODE_KEY), "plan": { "name": "", "product": "", "publisher": "" }, "sku": "",
                "subscriptionId": "8a205152-b25a-417f-a676-80465535a6c9", "vmId": AZURE_MACHINE,
                "timeStamp": { "createdOn": "now-60", "expiresOn": "now+21540" },
            }),
            _ => json!({
                "accountId": "123456789012", "architecture": "x86_64", "billingProducts": null, "imageId": "ami-0ce3c55a31d29040e",
                "instanceId": AWS_MACHINE, "pendingTime": "now-60", "privateIp": "10.0.0.1", "region": "us-west-2",
                "version": "2017-09-30",
            }),
        };
        let map = object.as_object_mut().expect("an object");
        map.extend(self.fields.clone());
        self.without.iter().for_each(|name| drop(map.remove(name)));
        let timed = |value: &mut Value| {
            if let Some(time) = value.as_str().and_then(|text| moment(&self.cloud, text)) {
                *value = time.into();
            }
        };
        map.values_mut().for_each(timed);
        map.get_mut("timeStamp").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut).for_each(timed);
        let text = object.to_string().replacen('{', &format!("{{{}", self.inserted), 1);
        format!("{text}{}", self.appended).into_bytes()
    }

    /// The signer that this case makes for itself.
    fn made(&self, world: &World) -> Option<Signer> {
        let made = match (self.by.as_deref(), self.cloud.as_str()) {
            (Some("made"), "azure") => world.signers.attesting(&self.like),
            (Some("made"), _) => Signers::regional(&self.like),
            _ => return None,
        };
        let mut made = made.expect("a certificate can be made");
        if self.weak {
            made.certificate = weakened(&made);
        }
        Some(made)
    }

    /// The document, in bytes.
    pub fn bytes_of(&self, world: &World) -> Vec<u8> {
        self.signed(world, self.made(world).as_ref())
    }

    /// The document, in base64 lines.
    fn document(&self, world: &World, made: Option<&Signer>) -> Vec<u8> {
        if let Some(text) = &self.text {
            return text.repeat(self.times.unwrap_or(1)).into_bytes();
        }
        let bytes = match &self.bytes {
            Some(bytes) => [unhex(bytes).repeat(self.times.unwrap_or(1)), unhex(&self.behind)].concat(),
            None => {
                let mut bytes = self.signed(world, made);
                if let Some(length) = &self.length {
                    bytes = [&bytes[..1], &unhex(length), first(&bytes).1].concat();
                }
                bytes.truncate(self.kept.unwrap_or(bytes.len()));
                bytes.extend(unhex(&self.behind));
                bytes
            }
        };
        let text = STANDARD.encode(bytes);
        text.as_bytes().chunks(76).flat_map(|line| [line, b"\n"].concat()).collect()
    }

    fn signed(&self, world: &World, made: Option<&Signer>) -> Vec<u8> {
        let azure = self.cloud == "azure";
        let honest = if azure { &world.attesting } else { &world.signers.aws };
        let signer = match (self.by.as_deref(), made) {
            (_, Some(made)) => made,
            (None, None) => honest,
            (Some("elsewhere"), None) => &world.signers.elsewhere,
            (Some(other), None) => panic!("no signer {other}"),
        };
        let bag = if self.behind_an_honest_one { vec![honest] } else { Vec::new() };
        sign(if azure { Custom::Azure } else { Custom::Aws }, &self.content(), signer, &bag, &self.shape)
    }

    /// The document as Amazon's service gives it.
    pub fn lines(&self, world: &World) -> Vec<u8> {
        self.document(world, self.made(world).as_ref())
    }

    /// The document as Azure's service gives it.
    pub fn answered(&self, world: &World) -> Vec<u8> {
        self.answer(world, self.made(world).as_ref())
    }

    /// What the metadata service says.
    pub fn said(&self, world: &World, made: Option<&Signer>) -> Option<NodeDocumentClaim> {
        match self.cloud.as_str() {
            "aws" => Some(NodeDocumentClaim::Aws(self.document(world, made))),
            "azure" => Some(NodeDocumentClaim::Azure(self.answer(world, made))),
            "gcp" => Some(NodeDocumentClaim::Gcp(self.token(world))),
            "none" => None,
            other => panic!("no cloud {other:?}"),
        }
    }

    /// An answer of Azure.
    fn answer(&self, world: &World, made: Option<&Signer>) -> Vec<u8> {
        if let Some(answer) = &self.answer {
            return answer.clone().into_bytes();
        }
        let signature = String::from_utf8(self.document(world, made)).expect("base64 is text").replace('\n', "");
        let encoding = self.encoding.as_deref().unwrap_or("pkcs7");
        json!({ "encoding": encoding, "signature": signature }).to_string().into_bytes()
    }

    /// A token of Google, as text.
    pub fn token_text(&self, world: &World) -> String {
        let now = SystemClock.now().seconds();
        let engine = json!({ "project_id": "acme-fraud", "project_number": 739419398126_u64, "zone": "us-west1-a",
            "instance_id": GCP_MACHINE, "instance_name": "n", "instance_creation_timestamp": now - 60 });
        let mut claims = json!({
            "iss": world.simulator.url(), "aud": audience("https://longhorn.example/node", NODE_KEY), "sub": "107517467455664443766",
            "azp": "107517467455664443766", "iat": now, "exp": now + 3600, "google": { "compute_engine": engine },
        });
        let map = claims.as_object_mut().expect("an object");
        map.extend(self.audience.iter().map(|audience| ("aud".to_owned(), audience.clone().into())));
        let engine = map["google"]["compute_engine"].as_object_mut().expect("an object");
        engine.extend(self.fields.clone());
        self.without.iter().for_each(|name| drop(engine.remove(name)));
        if self.without.iter().any(|name| name == "google") {
            map.remove("google");
        }
        let header = r#"{"alg":"RS256","kid":"rsa-1","typ":"JWT"}"#;
        world.simulator.mint(header, &claims.to_string(), self.key.as_deref().unwrap_or("rsa"))
    }

    fn token(&self, world: &World) -> OidcClaim {
        let url = world.simulator.url();
        let fetch = |url: &str| {
            let http = Http::new(None).expect("TLS can be set up");
            let request = Request { method: Method::Get, url, credentials: Credentials::None };
            block_on(async { http.send(&request, Duration::from_secs(5)).await }).expect("the issuer answers").body
        };
        let discovery = fetch(&format!("{url}/.well-known/openid-configuration"));
        let found: Value = serde_json::from_slice(&discovery).expect("it is JSON");
        let keys = fetch(found["jwks_uri"].as_str().expect("it names its keys"));
        OidcClaim {
            name: LocalName::try_from("node").expect("a name"),
            token: self.token_text(world).into_bytes(),
            discovery,
            keys,
            memberships: None,
            got_with: GotWith::Given,
        }
    }
}
