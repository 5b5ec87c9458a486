//! `longhorn policy` and `longhorn authority new` from outside: what was signed is what counts, and each way of being
//! another policy is refused for its own reason.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use longhorn::config::settings::PolicyPin;
use longhorn::config::signature::{beside, sign, verify};
use longhorn::config::{BindingRefusal, bind, read_policy, read_settings};
use longhorn::context::NodeKey;
use longhorn::host::clock::Timestamp;
use longhorn::identity::ids::WorkspaceHost;

const FILE: &str = "policy.toml";

fn honest() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/policy/honest.toml");
    std::fs::read_to_string(path).expect("the fixture is part of the tree")
}

fn settings() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/settings/honest.toml");
    std::fs::read_to_string(path).expect("the fixture is part of the tree")
}

fn key(number: u8) -> NodeKey {
    NodeKey::from_seed(&[number; 32]).expect("any 32 bytes are a seed")
}

/// A policy that one thing may be wrong with.
struct Case {
    policy: Vec<u8>,
    signature: Vec<u8>,
    signer: [u8; 32],
    min_serial: u64,
    workspace: &'static str,
    now: i64,
}

/// 2029-12-31T23:59:59Z: the last second of the honest policy.
const LAST: i64 = 1_893_455_999;

impl Case {
    fn honest() -> Self {
        let policy = honest().into_bytes();
        Self {
            signature: sign(&policy, &key(1)).into_bytes(),
            policy,
            signer: *key(1).public().as_bytes(),
            min_serial: 1,
            workspace: "https://dbc-1.example.com",
            now: LAST,
        }
    }

    /// `ok`, or the reason; with the screen.
    fn outcome(&self) -> (String, String) {
        let pin = PolicyPin { file: FILE.into(), signer: self.signer, min_serial: self.min_serial };
        let workspace = WorkspaceHost::try_from(self.workspace).expect("a workspace");
        let now = Timestamp::from_seconds(self.now);
        match verify(Path::new(FILE), &self.policy, &self.signature, &pin, &workspace, now) {
            Ok(policy) => {
                assert_eq!(policy.serial, 1);
                ("ok".into(), String::new())
            }
            Err(refusal) => {
                let screen = refusal.screen();
                assert_eq!(screen.exit.code(), 78, "an invalid policy is one exit, whatever makes it invalid");
                assert_eq!(screen.reason, refusal.reason());
                (refusal.reason().to_owned(), screen.to_string())
            }
        }
    }
}

fn refused(change: impl FnOnce(&mut Case)) -> (String, String) {
    let mut case = Case::honest();
    change(&mut case);
    case.outcome()
}

#[test]
fn the_honest_policy_is_accepted_until_the_instant_it_ends() {
    assert_eq!(Case::honest().outcome().0, "ok");
    assert_eq!(refused(|case| case.now += 1).0, "policy-expired", "`not-after` itself is after");
}

#[test]
fn each_way_of_not_being_the_policy_is_refused_for_its_own_reason() {
    let (reason, screen) = refused(|case| case.signer = *key(2).public().as_bytes());
    assert_eq!(reason, "policy-signer-unknown");
    assert!(screen.contains("expected signer") && screen.contains("presented signer"), "{screen}");

    let (reason, screen) = refused(|case| case.min_serial = 2);
    assert_eq!(reason, "policy-rolled-back");
    assert!(screen.contains("2 or higher") && screen.contains("presented serial"), "{screen}");

    let (reason, screen) = refused(|case| case.workspace = "https://dbc-2.example.com");
    assert_eq!(reason, "policy-other-workspace");
    assert!(screen.contains("https://dbc-2.example.com") && screen.contains("https://dbc-1.example.com"), "{screen}");

    let (reason, screen) = refused(|case| case.now = LAST + 86_400);
    assert_eq!(reason, "policy-expired");
    assert!(screen.contains("2030-01-01T00:00:00Z"), "{screen}");

    // What its signer signed, and yet no policy.
    let signed = |bytes: &[u8]| {
        refused(|case| {
            case.policy = bytes.to_vec();
            case.signature = sign(bytes, &key(1)).into_bytes();
        })
    };
    let (reason, screen) = signed(b"schema = 1\n");
    assert_eq!(reason, "policy-problems");
    assert!(screen.contains("longhorn policy check"), "{screen}");
    let (reason, screen) = signed(b"schema = \xff\n");
    assert_eq!(reason, "policy-unreadable");
    assert!(screen.contains("another byte at 9"), "{screen}");
    assert_eq!(signed(b"").0, "policy-unreadable");
}

#[test]
fn a_policy_that_was_edited_after_signing_is_refused_whichever_byte_it_was() {
    let length = honest().len();
    for at in (0..length).step_by(37).chain([length - 1]) {
        let (reason, _) = refused(|case| case.policy[at] ^= 1);
        assert_eq!(reason, "policy-signature-invalid", "byte {at}");
    }
    assert_eq!(refused(|case| case.policy.push(b'\n')).0, "policy-signature-invalid");
    assert_eq!(refused(|case| case.policy.truncate(length - 1)).0, "policy-signature-invalid");
}

#[test]
fn a_signature_over_the_bare_bytes_is_none_so_no_other_document_of_that_key_passes_as_a_policy() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let (reason, _) = refused(|case| {
        let bare = STANDARD.encode(key(1).sign(&case.policy));
        case.signature =
            format!("longhorn-policy-v1 ed25519:{} {bare}\n", STANDARD.encode(key(1).public().as_bytes())).into_bytes();
    });
    assert_eq!(reason, "policy-signature-invalid");
}

#[test]
fn a_signature_of_any_other_form_is_refused() {
    let honest = String::from_utf8(Case::honest().signature).unwrap();
    for at in 0..honest.len() {
        let (reason, _) = refused(|case| case.signature.truncate(at));
        assert!(reason == "policy-signature-malformed" || reason == "policy-signature-invalid", "cut at {at}: {reason}");
    }
    let trimmed = honest.trim_end();
    let forms = [
        format!("{honest}\n"),
        format!("{honest}{honest}"),
        format!(" {honest}"),
        format!("{trimmed} more\n"),
        format!("{trimmed}\r\n"),
        honest.replace("policy-v1", "policy-v2"),
        honest.replace("policy-v1", "context-v1"),
        honest.replace("ed25519:", "rsa:"),
        honest.replace(' ', "  "),
        honest.replace(' ', "\t"),
        "\u{feff}".to_owned() + &honest,
    ];
    for form in forms {
        assert_eq!(refused(|case| case.signature = form.clone().into_bytes()).0, "policy-signature-malformed", "{form:?}");
    }
    assert_eq!(refused(|case| case.signature = vec![0xff; 100]).0, "policy-signature-malformed");
    assert_eq!(refused(|case| case.signature = vec![b'a'; 1 << 20]).0, "policy-signature-malformed");
}

#[test]
fn settings_and_policy_that_do_not_fit_together_are_refused() {
    let (policy, _) = read_policy(FILE, &honest()).unwrap();
    let token = |name: &str| format!("\n[[oidc]]\nname = \"{name}\"\ntoken = {{ kind = \"file\", path = \"/t\" }}\n");
    let with = |more: &str| read_settings("s", &(settings() + more)).unwrap();
    assert_eq!(bind(&with(&token("okta")), &policy), Ok(()));
    assert_eq!(bind(&with(""), &policy), Err(BindingRefusal::SourceMissing("oidc:okta".into())));
    assert_eq!(bind(&with(&(token("okta") + &token("entra"))), &policy), Err(BindingRefusal::SourceUnknown("entra".into())));
    // Who is asked for groups is the policy's to say, and as whom the settings'.
    let graph = "graph = { client-id = \"a\", secret = { kind = \"file\", path = \"/g\" } }\n";
    let unused = BindingRefusal::GraphClientUnused("okta".into());
    assert_eq!(bind(&with(&(token("okta") + graph)), &policy), Err(unused.clone()));
    let tenant = "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0";
    let asks = "groups = \"groups\"\noverage = \"graph\"\ngraph-host = \"graph.microsoft.com\"";
    let text = honest().replace("https://okta.example.com/oauth2", tenant).replacen("groups = \"groups\"", asks, 1);
    let (asking, _) = read_policy(FILE, &text).unwrap();
    let missing = BindingRefusal::GraphClientMissing("okta".into());
    assert_eq!(bind(&with(&token("okta")), &asking), Err(missing.clone()));
    assert_eq!(bind(&with(&(token("okta") + graph)), &asking), Ok(()));
    let screens =
        [BindingRefusal::SourceMissing("oidc:okta".into()), BindingRefusal::SourceUnknown("entra".into()), unused, missing];
    assert!(screens.iter().all(|refusal| refusal.screen().exit.code() == 78));
}

/// A directory of one test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("longhorn-policy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary directory is made");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a temporary file is written");
    }

    fn longhorn(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_longhorn")).args(arguments).current_dir(&self.0).output().expect("longhorn starts")
    }

    /// Exit code, standard output, standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.longhorn(arguments);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("it was not killed"), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Left behind it harms nobody; the next run has another name.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_key_is_made_once_for_root_alone_and_what_it_signs_is_checked_with_settings() {
    let place = Place::new("sign");
    let (code, public, _) = place.run(&["authority", "new", "signer.key"]);
    assert_eq!(code, 0);
    assert!(public.starts_with("ed25519:") && public.trim_end().len() == 8 + 44, "{public}");
    let mode = std::fs::metadata(place.0.join("signer.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let before = std::fs::read(place.0.join("signer.key")).unwrap();
    let (code, out, err) = place.run(&["authority", "new", "signer.key"]);
    assert_eq!((code, out.as_str()), (71, ""), "{err}");
    assert!(err.contains("reason: key-not-written"), "{err}");
    assert_eq!(std::fs::read(place.0.join("signer.key")).unwrap(), before, "an existing key is never overwritten");
    let secret = String::from_utf8(before).unwrap();
    let secret = secret.split(' ').nth(1).unwrap().trim_end();
    assert!(!public.contains(secret) && !err.contains(secret));

    place.write(FILE, &honest());
    let token = "\n[[oidc]]\nname = \"okta\"\ntoken = { kind = \"file\", path = \"/t\" }\n";
    let ours = settings().replace("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", public.trim_end()) + token;
    place.write("longhorn.toml", &ours);
    let check = ["policy", "check", FILE, "--settings", "longhorn.toml"];
    let (code, _, err) = place.run(&check);
    assert_eq!(code, 66, "{err}");
    assert!(err.contains("policy.toml.sig") && err.contains("reason: file-missing"), "{err}");
    assert_eq!(
        place.run(&["policy", "sign", FILE, "--key", "signer.key"]),
        (0, "signed: policy.toml.sig\n".into(), String::new())
    );
    let (code, out, err) = place.run(&check);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("ok: serial 1, ends 2030-01-01T00:00:00Z"), "{out}");

    place.write(FILE, &(honest() + "# and a remark\n"));
    let (code, out, err) = place.run(&check);
    assert_eq!((code, out.as_str()), (78, ""));
    assert!(err.contains("reason: policy-signature-invalid   exit: 78"), "{err}");

    place.write(FILE, &honest());
    place.write("longhorn.toml", &(settings() + token));
    let (code, _, err) = place.run(&check);
    assert_eq!(code, 78);
    assert!(err.contains("reason: policy-signer-unknown"), "{err}");
}

#[test]
fn what_nodes_would_refuse_is_not_signed() {
    let place = Place::new("unsigned");
    assert_eq!(place.run(&["authority", "new", "k"]).0, 0);
    place.write(FILE, &honest().replace("serial = 1", "serail = 1"));
    let (code, out, err) = place.run(&["policy", "sign", FILE, "--key", "k"]);
    assert_eq!((code, out.as_str()), (78, ""));
    assert!(err.contains("did you mean `serial`?"), "{err}");
    assert!(!beside(&place.0.join(FILE)).exists());
    place.write(FILE, &honest());
    place.write("k", "longhorn-key-v1 AAAA\n");
    let (code, _, err) = place.run(&["policy", "sign", FILE, "--key", "k"]);
    assert_eq!(code, 65);
    assert!(err.contains("reason: key-malformed"), "{err}");
}
