//! Promises towards providers that we did not write: pysaml2, which signs with xmlsec1; SimpleSAMLphp, asked over HTTP; and
//! libxml2's canonical form of XML that nobody would write. What they sign is understood as it comes; the same, changed by one
//! letter, is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::config::read_policy;
use longhorn::evidence::{SamlSource, Source, gather};
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::host::http::Http;
use longhorn::host::random::SystemRandomness;
use longhorn::host::retry::Deadline;
use longhorn::identity::certificate::SigningCertificate;
use longhorn::identity::ids::{Audience, EntityId, LocalName, WorkspaceHost};
use longhorn::identity::node_document::Occasion;
use longhorn::identity::trust::{NameIdFormat, ProofKind, SamlSubject, SamlSubjectRule, SamlTrust, SubjectEquals, Trust};
use longhorn::identity::{Metadata, Proof, Rules, SamlProof, verify};

const RECIPIENT: &str = "https://longhorn.example/saml";
const PRINCIPAL: &str = "7c9f2c1e-53d4-4d0e-9c3d-1f0a9f7b2c11";

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn name() -> LocalName {
    LocalName::try_from("idp").expect("a name")
}

/// What a script of `tests/suites/saml` writes into a directory of its own; the files that it names.
#[expect(clippy::print_stdout, reason = "a named skip is what the run reports")]
fn written(script: &str, part: &str, more: &[&str]) -> Option<(PathBuf, Vec<PathBuf>)> {
    let python = match script {
        "simplesamlphp.py" => PathBuf::from("/usr/bin/python3"),
        _ => tree().join("target/saml/bin/python"),
    };
    let provider = if script == "simplesamlphp.py" { "/usr/share/simplesamlphp/www" } else { "/usr/bin/xmlsec1" };
    if !python.is_file() || !Path::new(provider).exists() {
        println!("SKIP {script}: no {} or no {provider}: `cargo xtask test` installs them", python.display());
        return None;
    }
    let place = tree().join("target/tmp").join(format!("saml-{part}-{}", std::process::id()));
    std::fs::create_dir_all(&place).expect("a place can be made");
    let mut command = Command::new(python);
    command.arg(tree().join("tests/suites/saml").join(script)).arg(&place).args([RECIPIENT, PRINCIPAL]).args(more);
    let output = command.output().expect("python starts");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let files = String::from_utf8(output.stdout).expect("names of files").lines().map(PathBuf::from).collect();
    Some((place, files))
}

/// What a policy of these certificates says.
fn trusting(certificates: Vec<SigningCertificate>) -> SamlTrust {
    SamlTrust {
        name: name(),
        entity_id: EntityId::try_from("https://idp.example/saml").expect("an entity"),
        audience: Audience::try_from("longhorn").expect("an audience"),
        recipient: RECIPIENT.to_owned(),
        certificates,
        groups: Some("groups".to_owned()),
        subject: SamlSubjectRule { from: SamlSubject::NameId(NameIdFormat::Persistent), equals: SubjectEquals::ApplicationId },
    }
}

/// What a policy says whose lines `longhorn policy saml-metadata` printed.
fn printed(metadata: &Path) -> SamlTrust {
    let binary = std::env::var_os("LONGHORN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_longhorn").into(), PathBuf::from);
    let output = Command::new(binary).args(["policy", "saml-metadata", "--name", "idp"]).arg(metadata).output();
    let output = output.expect("the binary starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("it prints text");
    let text = format!(
        "schema = 1\nserial = 1\nnot-after = 2030-01-01T00:00:00Z\nworkspaces = [\"https://dbc-1111.cloud.databricks.com\"]\n\
         enforcement = \"observe\"\n[trust]\nrequire = [\"databricks\", \"saml:idp\"]\n{lines}audience = \"longhorn\"\n\
         recipient = \"{RECIPIENT}\"\ngroups = \"groups\"\n\
         subject = {{ name-id = \"persistent\", equals = \"databricks.application-id\" }}\n"
    );
    let (policy, _) = read_policy("policy.toml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    policy.trust.saml[&name()].clone()
}

/// What each file proves under such a policy, or its refusal.
fn proven(saml: SamlTrust, files: &[PathBuf]) -> Vec<Result<SamlProof, String>> {
    let trust = Trust {
        workspaces: BTreeSet::from([WorkspaceHost::try_from("https://dbc-1111.cloud.databricks.com").expect("an origin")]),
        require: BTreeSet::from([ProofKind::Databricks, ProofKind::Saml(name())]),
        oidc: BTreeMap::new(),
        saml: BTreeMap::from([(name(), saml)]),
        node: None,
    };
    let (clock, random) = (SystemClock, SystemRandomness);
    let deadline = Deadline { clock: &clock, random: &random, end: clock.boot().plus(Duration::from_secs(5)) };
    let http = Http::new(None).expect("TLS can be set up");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let source = |file: &PathBuf| {
        Source::Saml(SamlSource { name: name(), assertion: std::fs::read(file).expect("a file that was written") })
    };
    let sources: Vec<Source> = files.iter().map(source).collect();
    let claims = runtime.block_on(gather(&http, &sources, &deadline)).unwrap_or_else(|failure| panic!("{failure}"));
    let now = clock.now();
    let rules =
        Rules { trust: &trust, listed: true, period: Duration::from_secs(600), node_key: "", occasion: Occasion::Join, now };
    let prove = |claim| match verify(claim, &rules) {
        Ok(proof) => match proof.at(now) {
            Some(Proof::Saml(found)) => Ok(found.clone()),
            _ => Err("another proof".to_owned()),
        },
        Err(unproven) => Err(unproven.screen().to_string()),
    };
    claims.iter().map(prove).collect()
}

fn groups(proof: &SamlProof) -> Vec<&str> {
    proof.groups.iter().map(|group| group.as_str()).collect()
}

#[test]
fn what_pysaml2_and_xmlsec1_sign_is_understood_with_the_certificate_of_their_metadata() {
    let Some((place, files)) = written("provider.py", "one", &[]) else { return };
    let metadata = Metadata::read(&std::fs::read(place.join("metadata.xml")).expect("metadata")).expect("metadata reads");
    assert_eq!((metadata.entity_id.as_str(), metadata.certificates.len()), ("https://idp.example/saml", 1));
    assert_eq!(files.len(), 18, "three ways to sign, three hashes, XML and base64");
    for (file, proof) in files.iter().zip(proven(trusting(metadata.certificates.clone()), &files)) {
        let proof = proof.unwrap_or_else(|screen| panic!("{}: {screen}", file.display()));
        assert_eq!((proof.subject.as_str(), groups(&proof)), (PRINCIPAL, vec!["idp:data & <people>", "idp:ml-engineers"]));
    }
    // The same files under another provider's certificate.
    let other_place = written("provider.py", "other", &[]).map(|(place, _)| place).expect("it was there a moment ago");
    let other = Metadata::read(&std::fs::read(other_place.join("metadata.xml")).expect("metadata")).expect("metadata reads");
    for proof in proven(trusting(other.certificates), &files) {
        assert!(proof.expect_err("another's certificate").contains("signature-invalid"));
    }
    for place in [place, other_place] {
        std::fs::remove_dir_all(place).expect("the place can be taken away");
    }
}

#[test]
fn simplesamlphp_changes_its_key_and_a_policy_that_names_both_never_misses_an_assertion() {
    let Some((place, files)) = written("simplesamlphp.py", "php", &[]) else { return };
    let [one, one_posted, both, both_posted, two, two_posted] = &files[..] else { panic!("three steps: {files:?}") };
    let posted = [one_posted.clone(), both_posted.clone(), two_posted.clone()];
    // By the metadata of each step: which of the three assertions are believed.
    for (metadata, certificates, believed) in
        [(one, 1, [true, true, false]), (both, 2, [true, true, true]), (two, 1, [false, false, true])]
    {
        let saml = printed(metadata);
        assert_eq!((saml.entity_id.as_str(), saml.certificates.len()), ("https://idp.example/saml", certificates));
        for ((proof, believed), file) in proven(saml, &posted).into_iter().zip(believed).zip(&posted) {
            let told = format!("{} by {}", file.display(), metadata.display());
            match proof {
                Ok(proof) => {
                    assert!(believed, "{told} is believed");
                    let expected = (PRINCIPAL, vec!["idp:data & <people>", "idp:ml-engineers"]);
                    assert_eq!((proof.subject.as_str(), groups(&proof)), expected, "{told}");
                }
                Err(screen) => assert!(!believed && screen.contains("signature-invalid"), "{told}: {screen}"),
            }
        }
    }
    // A letter of what was signed.
    let text = std::fs::read(two_posted).expect("a file that was written");
    let text = String::from_utf8(STANDARD.decode(text).expect("it is posted in base64")).expect("XML is text");
    let changed = place.join("changed.xml");
    std::fs::write(&changed, text.replace("ml-engineers", "ml-engineerz")).expect("it can be written");
    let refused = proven(printed(two), &[changed]).remove(0).expect_err("a letter was changed");
    assert!(refused.contains("digest-mismatch"), "{refused}");
    std::fs::remove_dir_all(place).expect("the place can be taken away");
}

#[test]
fn the_canonical_form_is_libxml2s_for_xml_that_nobody_would_write() {
    let seed = std::process::id().to_string();
    let Some((place, files)) = written("canonical.py", "canonical", &["500", &seed]) else { return };
    let certificate = std::fs::read_to_string(place.join("certificate.pem")).expect("a certificate");
    let certificate = SigningCertificate::from_pem(&certificate).expect("a certificate");
    let (mut good, mut bad) = (0, 0);
    for (file, proof) in files.iter().zip(proven(trusting(vec![certificate]), &files)) {
        let told = file.display();
        if told.to_string().ends_with(".true.xml") {
            let proof = proof.unwrap_or_else(|screen| panic!("seed {seed}, {told}: {screen}"));
            assert_eq!((proof.subject.as_str(), groups(&proof)), (PRINCIPAL, vec!["idp:ml-engineers"]), "{told}");
            good += 1;
        } else {
            assert!(proof.expect_err("a letter was changed").contains("digest-mismatch"), "seed {seed}, {told}");
            bad += 1;
        }
    }
    assert_eq!((good, bad), (400, 100));
    std::fs::remove_dir_all(place).expect("the place can be taken away");
}
