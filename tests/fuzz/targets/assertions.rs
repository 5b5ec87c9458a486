//! SAML: documents as they come, assertions that are signed here, and the metadata of providers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use longhorn::evidence::{SamlSource, Source, gather};
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::host::http::Http;
use longhorn::host::random::SystemRandomness;
use longhorn::host::retry::Deadline;
use longhorn::identity::certificate::SigningCertificate;
use longhorn::identity::ids::{Audience, EntityId, LocalName, WorkspaceHost};
use longhorn::identity::trust::{NameIdFormat, ProofKind, SamlSubject, SamlSubjectRule, SamlTrust, SubjectEquals, Trust};
use longhorn::identity::{Metadata, verify};

use super::{Take, fixtures, rules, shapes, shown, timed};
use crate::support::saml::{Case, ENTITY, Edit, Provider, RECIPIENT, TAIL};

fn name() -> LocalName {
    LocalName::try_from("entra").expect("a name")
}

fn trust(provider: &Provider) -> Trust {
    let saml = SamlTrust {
        name: name(),
        entity_id: EntityId::try_from(ENTITY).expect("an entity"),
        audience: Audience::try_from("longhorn").expect("an audience"),
        recipient: RECIPIENT.to_owned(),
        certificates: ["p256", "rsa"].map(|key| provider.certificate(key)).to_vec(),
        groups: Some("groups".to_owned()),
        subject: SamlSubjectRule { from: SamlSubject::NameId(NameIdFormat::Persistent), equals: SubjectEquals::ApplicationId },
    };
    Trust {
        workspaces: BTreeSet::from([WorkspaceHost::try_from("https://dbc-1.example.com").expect("an origin")]),
        require: BTreeSet::from([ProofKind::Saml(name())]),
        oidc: BTreeMap::new(),
        saml: BTreeMap::from([(name(), saml)]),
        node: None,
    }
}

/// What takes a file with an assertion: gathered and verified, as a node does it.
struct Judge {
    trust: Trust,
    http: Http,
    runtime: tokio::runtime::Runtime,
}

impl Judge {
    fn new(provider: &Provider) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        Self { trust: trust(provider), http: Http::new(None).expect("TLS can be set up"), runtime }
    }

    fn judge(&self, assertion: &[u8]) -> bool {
        let (clock, random) = (SystemClock, SystemRandomness);
        let deadline = Deadline { clock: &clock, random: &random, end: clock.boot().plus(Duration::from_secs(5)) };
        let sources = [Source::Saml(SamlSource { name: name(), assertion: assertion.to_vec() })];
        let verdict = timed(assertion.len(), || {
            let claims = self.runtime.block_on(gather(&self.http, &sources, &deadline)).expect("nobody else is asked");
            verify(&claims[0], &rules(&self.trust, ""))
        });
        match verdict {
            Ok(_) => true,
            Err(unproven) => {
                shown(&unproven.screen());
                false
            }
        }
    }
}

pub fn document() -> Take {
    let judge = Judge::new(&Provider::new());
    Box::new(move |bytes| {
        judge.judge(bytes);
    })
}

pub fn document_seeds() -> Vec<Vec<u8>> {
    let provider = Provider::new();
    let file = |text: &String| provider.file(&toml::from_str(text).expect("a case"));
    fixtures("saml").iter().map(file).filter(|file| file.len() <= super::MOST).collect()
}

/// What stands behind the signature of an assertion, signed with the rest.
pub fn signed() -> Take {
    let provider = Provider::new();
    let judge = Judge::new(&provider);
    Box::new(move |bytes| {
        let Some(tail) = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('@')) else { return };
        let edit = vec![Edit { at: "assertion".into(), from: TAIL.into(), to: tail.into() }];
        let document = Some("@ASSERTION@".to_owned());
        judge.judge(&provider.file(&Case { key: Some("p256".into()), document, edit, ..Case::default() }));
    })
}

pub fn signed_seeds() -> Vec<Vec<u8>> {
    let provider = Provider::new();
    let honest = provider.words(&Case::default(), TAIL);
    let case = Case {
        key: Some("p256".into()),
        document: Some("@ASSERTION@".to_owned()),
        edit: vec![Edit { at: "assertion".into(), from: TAIL.into(), to: honest.clone() }],
        ..Case::default()
    };
    assert!(Judge::new(&provider).judge(&provider.file(&case)), "the honest seed is refused");
    let mut seeds = vec![honest.into_bytes()];
    for text in fixtures("saml") {
        let case: Case = toml::from_str(&text).expect("a case");
        let edits = case.edit.iter().filter(|edit| edit.at == "assertion");
        let tail = edits.fold(TAIL.to_owned(), |text, edit| text.replacen(&edit.from, &edit.to, 1));
        seeds.push(provider.words(&case, &tail).into_bytes());
    }
    seeds.retain(|seed| !seed.contains(&b'@') && seed.len() <= super::MOST);
    seeds.sort();
    seeds.dedup();
    seeds
}

pub fn signed_worst() -> Vec<Vec<u8>> {
    let provider = Provider::new();
    let tail = provider.words(&Case::default(), TAIL);
    let value = "<saml:AttributeValue>ml-engineers</saml:AttributeValue>";
    let attribute = "<saml:Attribute Name=\"groups\"><saml:AttributeValue>a</saml:AttributeValue></saml:Attribute>";
    let audience = "<saml:Audience>longhorn</saml:Audience>";
    [(value, value), (attribute, "<saml:Attribute Name"), (audience, audience)]
        .map(|(part, before)| {
            let times = 58_000 / part.len();
            tail.replacen(before, &format!("{}{before}", part.repeat(times)), 1).into_bytes()
        })
        .to_vec()
}

pub fn metadata() -> Take {
    Box::new(|bytes| {
        if let Ok(read) = timed(bytes.len(), || Metadata::read(bytes)) {
            for certificate in read.certificates {
                assert_eq!(SigningCertificate::from_pem(&certificate.to_pem()), Ok(certificate));
            }
        }
    })
}

pub fn metadata_seeds() -> Vec<Vec<u8>> {
    let provider = Provider::new();
    let key = |purpose: &str, key: &str| {
        let pem = provider.certificate(key).to_pem();
        let body: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        format!(
            "<KeyDescriptor{purpose}><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>\n{}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>",
            body.join("\n")
        )
    };
    let of = |keys: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
             entityID=\"{ENTITY}\"><IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}\
             </IDPSSODescriptor></EntityDescriptor>"
        )
    };
    let signing = " use=\"signing\"";
    let two = format!("{}{}", key(signing, "rsa"), key(signing, "p384"));
    let seeds =
        [of(&key("", "p256")), of(&two), of(&format!("{}{}", key(" use=\"encryption\"", "rsa"), key(signing, "rsa"))), of("")];
    let first = Metadata::read(seeds[1].as_bytes()).map(|read| read.certificates.len());
    assert_eq!(first, Ok(2), "the honest seed is refused");
    seeds.into_iter().map(|text| [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat()).collect()
}

pub fn worst() -> Vec<Vec<u8>> {
    let keys = "<KeyDescriptor><KeyInfo xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data/></KeyInfo></KeyDescriptor>";
    let many = format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{ENTITY}\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{}</IDPSSODescriptor></EntityDescriptor>",
        keys.repeat(600)
    );
    shapes::xml().into_iter().chain([many.into_bytes()]).collect()
}
