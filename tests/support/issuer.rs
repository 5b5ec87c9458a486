//! The issuer as its own process, nodes that ask it, and what is false about a request.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use longhorn::context::NodeKey;
use longhorn::identity::node_document::{audience, nonce};
use longhorn::issuer::request::{TYPE, binding};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::document::{AWS_MACHINE, Case, World};

/// The issuer's name; where it listens is another matter.
pub const NAME: &str = "http://127.0.0.1:8443";
/// A boot of the node's.
pub const BOOT: &str = "0b4f5c6d-0000-4000-8000-000000000001";
/// Another one.
pub const LATER_BOOT: &str = "0b4f5c6d-0000-4000-8000-000000000002";

/// A directory with a signed policy and settings.
pub struct Place {
    pub directory: PathBuf,
    longhorn: PathBuf,
}

impl Place {
    /// For this world's machines of a cloud. `name` is the directory's.
    pub fn new(longhorn: &Path, world: &World, cloud: &str, name: &str) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/issuer").join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory).expect("the old directory can be removed");
        }
        fs::create_dir_all(&directory).expect("a directory can be made");
        let url = world.simulator.url();
        let policy = format!(
            "schema = 1\nserial = 1\nnot-after = 2030-01-01T00:00:00Z\nworkspaces = [\"{url}\"]\nenforcement = \"observe\"\n\
             [trust]\nrequire = [\"databricks\", \"node\"]\n{}",
            world.trust_text(cloud, &Case::default())
        );
        fs::write(directory.join("policy.toml"), policy).expect("a policy can be written");
        let said = |command: &mut Command| {
            let output = command.output().expect("the program starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("text")
        };
        let key = directory.join("signer.key");
        let signer = said(Command::new(longhorn).args(["authority", "new"]).arg(&key));
        said(Command::new(longhorn).args(["policy", "sign"]).arg(directory.join("policy.toml")).arg("--key").arg(&key));
        let place = Self { directory, longhorn: longhorn.to_owned() };
        place.settings(signer.trim(), |text| text);
        place
    }

    /// Writes the settings anew.
    pub fn settings(&self, signer: &str, change: impl Fn(String) -> String) {
        let text = format!(
            "[issuer]\nname = \"{NAME}\"\nstore = \"{}\"\n[listen]\naddress = \"127.0.0.1:0\"\n\
             [policy]\nfile = \"policy.toml\"\nsigner = \"{signer}\"\nmin-serial = 1\n\
             [certificates]\nlifetime = \"1h\"\nkey-period = \"30d\"\nboots-per-instance = 1\n",
            self.store().display()
        );
        fs::write(self.directory.join("issuer.toml"), change(text)).expect("settings can be written");
    }

    /// Changes the settings.
    pub fn change(&self, find: &str, with: &str) {
        let path = self.directory.join("issuer.toml");
        let text = fs::read_to_string(&path).expect("the settings are there");
        assert!(text.contains(find), "{text}");
        fs::write(path, text.replace(find, with)).expect("settings can be written");
    }

    pub fn store(&self) -> PathBuf {
        self.directory.join("store")
    }

    pub fn ledger(&self) -> PathBuf {
        self.store().join("ledger.jsonl")
    }

    /// What the ledger holds of a kind.
    pub fn entries(&self, kind: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.ledger()).unwrap_or_default();
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).map(|line| line["entry"].clone());
        entries.filter(|entry| entry["kind"] == kind).collect()
    }

    /// The command, below `wrapper` if there is one.
    pub fn command(&self, wrapper: &[String]) -> Command {
        let mut command = match wrapper.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.longhorn);
                command
            }
            None => Command::new(&self.longhorn),
        };
        command.args(["issue", "--settings"]).arg(self.directory.join("issuer.toml")).stdin(Stdio::null());
        command
    }

    /// Starts it; none where it ended before it listened.
    pub fn start(&self, wrapper: &[String]) -> Option<Issuer> {
        let talk = fs::OpenOptions::new().create(true).append(true).open(self.directory.join("talk")).expect("it can be opened");
        let mut child = self.command(wrapper).stdout(Stdio::piped()).stderr(talk).spawn().expect("the issuer starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        // What it says first is where it listens.
        BufReader::new(out).read_line(&mut line).expect("it can be read");
        match line.trim().rsplit_once(" listens on ") {
            Some((_, address)) => Some(Issuer { child, address: address.to_owned() }),
            None => {
                child.wait().expect("it ends");
                None
            }
        }
    }

    /// What operators read so far.
    pub fn talk(&self) -> String {
        fs::read_to_string(self.directory.join("talk")).unwrap_or_default()
    }
}

/// A running issuer; dropped, it is gone.
pub struct Issuer {
    child: Child,
    pub address: String,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// The certificate, or the stable name of why there is none.
    pub fn outcome(&self) -> Result<String, String> {
        let body = self.json();
        match body["certificate"].as_str() {
            Some(certificate) if self.status == 200 => Ok(certificate.to_owned()),
            _ => Err(body["error"].as_str().expect("a refusal has a name").to_owned()),
        }
    }
}

impl Issuer {
    /// How it ends, within five seconds.
    pub fn ended(&mut self) -> Option<i32> {
        for _ in 0..500 {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the issuer does not end");
    }

    pub fn terminate(&mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("it lives");
        self.ended()
    }

    /// Bytes as they are, and what comes back until the other side closes; none where it breaks off.
    pub fn raw(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
        // It may answer before it has read all.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => Some(answer),
            Err(_) if !answer.is_empty() => Some(answer),
            Err(_) => None,
        }
    }

    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Option<Said> {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: issuer\r\ncontent-length: {}\r\n\r\n", body.len());
        let answer = self.raw(&[head.as_bytes(), body].concat())?;
        let at = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let status =
            std::str::from_utf8(&answer).ok().or_else(|| std::str::from_utf8(&answer[..at]).ok())?.get(9..12)?.parse().ok()?;
        Some(Said { status, body: answer[at + 4..].to_vec() })
    }

    pub fn challenge(&self) -> Option<String> {
        let said = self.send("GET", "/v1/challenge", b"")?;
        assert_eq!(said.status, 200);
        Some(said.json()["challenge"].as_str().expect("there is one").to_owned())
    }

    pub fn post(&self, request: &str) -> Option<Said> {
        self.send("POST", "/v1/certificates", request.as_bytes())
    }

    /// A whole exchange: a challenge, a document under it, a request.
    pub fn ask(&self, world: &World, node: &NodeKey, boot: &str, case: &Case) -> Option<Result<String, String>> {
        let challenge = self.challenge()?;
        Some(self.post(&Attack::default().request(world, node, boot, case, &challenge))?.outcome())
    }

    pub fn metric(&self, name: &str) -> u64 {
        let said = self.send("GET", "/metrics", b"").expect("it answers");
        let text = String::from_utf8(said.body).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("longhorn_issuer_{name} ")));
        line.expect("the metric is there").parse().expect("a number")
    }
}

pub fn node(seed: u8) -> NodeKey {
    NodeKey::from_seed(&[seed; 32]).expect("a key")
}

pub fn machine(cloud: &str) -> Case {
    Case { cloud: cloud.into(), ..Case::default() }
}

/// A machine of Amazon's by number.
pub fn numbered(number: u32) -> Case {
    let mut case = machine("aws");
    let name = format!("{}{number:04x}", &AWS_MACHINE[..AWS_MACHINE.len() - 4]);
    case.fields.insert("instanceId".into(), name.into());
    case
}

/// What is false about a request.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Attack {
    /// The request itself, so often.
    pub text: Option<String>,
    pub times: Option<usize>,
    /// Values of the header and of the body, and names that are left out.
    pub header: Map<String, Value>,
    pub body: Map<String, Value>,
    pub without: Vec<String>,
    /// Text behind the opening brace of the body, or of the header.
    pub inserted: String,
    pub inserted_into_header: String,
    /// Signed by another key than the header names.
    pub other_signer: bool,
    /// `foreign`, `edited`, `used`, or as it stands here.
    pub challenge: Option<String>,
    /// The document was asked for under another name: `key` without a challenge, `other` for another key.
    pub bound: Option<String>,
    /// The evidence.
    pub document: Option<Case>,
    /// What was certified before.
    pub before: Option<Before>,
}

/// A node that was first.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Before {
    /// By the attacker's own key.
    pub same_key: bool,
    /// Of another boot; of another machine.
    pub later_boot: bool,
    pub other_machine: bool,
}

impl Attack {
    /// The document under a challenge, as the metadata service gives it.
    fn document_of(&self, world: &World, key: &NodeKey, case: &Case, challenge: &str) -> Vec<u8> {
        let thumbprint = key.public().thumbprint();
        let name = match self.bound.as_deref() {
            None => binding(&thumbprint, challenge),
            Some("key") => thumbprint,
            Some("other") => binding(&node(99).public().thumbprint(), challenge),
            Some(other) => panic!("bound to {other}?"),
        };
        let mut case = case.clone();
        match case.cloud.as_str() {
            "azure" => {
                case.fields.entry("nonce").or_insert_with(|| nonce(&name).into());
                case.answered(world)
            }
            "gcp" => {
                case.audience.get_or_insert_with(|| audience("https://longhorn.example/node", &name));
                case.token_text(world).into_bytes()
            }
            _ => case.lines(world),
        }
    }

    /// The request.
    pub fn request(&self, world: &World, key: &NodeKey, boot: &str, case: &Case, challenge: &str) -> String {
        if let Some(text) = &self.text {
            return text.repeat(self.times.unwrap_or(1));
        }
        let document = self.document_of(world, key, case, challenge);
        let mut header =
            json!({ "alg": "EdDSA", "jwk": serde_json::from_str::<Value>(&key.public().to_jwk()).expect("JSON"), "typ": TYPE });
        let mut body = json!({ "aud": NAME, "boot": boot, "challenge": challenge, "cloud": case.cloud,
            "document": String::from_utf8(document).expect("documents are text") });
        for (part, changes) in [(&mut header, &self.header), (&mut body, &self.body)] {
            let map = part.as_object_mut().expect("an object");
            map.extend(changes.clone());
            self.without.iter().for_each(|name| drop(map.remove(name)));
        }
        let opened = |value: Value, inserted: &str| value.to_string().replacen('{', &format!("{{{inserted}"), 1);
        let (header, body) = (opened(header, &self.inserted_into_header), opened(body, &self.inserted));
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body));
        let other = node(98);
        let signer = if self.other_signer { &other } else { key };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signer.sign(signed.as_bytes())))
    }

    /// Runs it against an issuer: the stable name of what came, or `certified`.
    pub fn run(&self, world: &World, issuer: &Issuer) -> String {
        let (own, other) = (node(1), node(2));
        let case = self.document.clone().unwrap_or_else(|| machine("aws"));
        if let Some(before) = &self.before {
            let key = if before.same_key { &own } else { &other };
            let boot = if before.later_boot { LATER_BOOT } else { BOOT };
            let machine = if before.other_machine { numbered(7) } else { machine("aws") };
            let first = issuer.ask(world, key, boot, &machine).expect("it answers");
            assert!(first.is_ok(), "the first is certified: {first:?}");
        }
        let fresh = issuer.challenge().expect("it answers");
        let challenge = match self.challenge.as_deref() {
            None => fresh,
            Some("foreign") => URL_SAFE_NO_PAD.encode([7; 40]),
            Some("edited") => {
                let mut bytes = URL_SAFE_NO_PAD.decode(&fresh).expect("base64url");
                bytes[0] ^= 1;
                URL_SAFE_NO_PAD.encode(bytes)
            }
            Some("used") => {
                let first = Attack::default().request(world, &other, BOOT, &numbered(8), &fresh);
                assert!(issuer.post(&first).expect("it answers").outcome().is_ok());
                fresh
            }
            Some(text) => text.to_owned(),
        };
        let said = issuer.post(&self.request(world, &own, BOOT, &case, &challenge)).expect("it answers");
        said.outcome().map_or_else(|reason| format!("{} {reason}", said.status), |_| "certified".to_owned())
    }
}

/// Every certificate that was given, by node key.
pub type Given = BTreeMap<u8, String>;
