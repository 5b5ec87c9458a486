//! A SAML provider that signs whatever it is told to: keys and certificates of one run, an honest response, and edits of it
//! before and after it is signed. It writes text that is canonical already, so it needs no canonicalisation to sign, and ours
//! has nothing of its own to agree with.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;

use aws_lc_rs::digest::{self, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use longhorn::host::clock::{Clock, SystemClock, Timestamp};
use longhorn::identity::certificate::SigningCertificate;
use serde::Deserialize;
use simulator::scenario::PRINCIPAL;

pub const ENTITY: &str = "https://idp.example/saml";
pub const RECIPIENT: &str = "https://longhorn.example/saml";
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
const DS: &str = "http://www.w3.org/2000/09/xmldsig#";

/// What is changed of an honest response. Words between `@` are put in: `@NOW+60@` is a time, the others are in `Provider::write`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Case {
    /// The whole document; the honest response where none is given.
    pub document: Option<String>,
    /// What is signed: `assertion` (where nothing is said), `response`, `both`, `nothing`.
    pub sign: Option<String>,
    /// The key that signs: `rsa`, `other`, `next`, `p256`, `p384`, `ended`, `hmac`.
    pub key: Option<String>,
    /// The digest of what is signed: `sha256`, `sha384`, `sha512`, `sha1`.
    pub digest: Option<String>,
    /// The hash of the signature, where it is not the key's usual one: `sha384`, `sha512`, `sha1`.
    pub hash: Option<String>,
    pub edit: Vec<Edit>,
    /// This text, so often, in the place of the word `@MANY@`.
    pub many: Option<(String, usize)>,
    /// The file holds the base64 of the document, in lines.
    pub base64: bool,
    /// The file holds these bytes, so often.
    pub bytes: Option<Vec<u8>>,
    pub times: Option<usize>,
    /// How far our clock is ahead, in seconds.
    pub clock: i64,
    /// The keys of the policy's certificates; all but `other` and `next` where nothing is said.
    pub certificates: Option<Vec<String>>,
    /// The policy names no attribute with groups.
    pub no_groups: bool,
    /// The policy reads the subject from this attribute.
    pub attribute: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// `assertion` and `response`: before they are signed; `info`: SignedInfo before it is; `signature` and `document`: after.
    pub at: String,
    pub from: String,
    pub to: String,
}

pub struct Provider {
    keys: BTreeMap<&'static str, Key>,
}

enum Key {
    Rsa(RsaKeyPair),
    Elliptic(EcdsaKeyPair),
}

impl Provider {
    pub fn new() -> Self {
        let rsa = || Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key is made"));
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key is made");
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key is made");
        let keys = BTreeMap::from([
            ("rsa", rsa()),
            ("other", rsa()),
            ("next", rsa()),
            ("ended", rsa()),
            ("p256", Key::Elliptic(p256)),
            ("p384", Key::Elliptic(p384)),
        ]);
        Self { keys }
    }

    /// The certificate of a key.
    pub fn certificate(&self, key: &str) -> SigningCertificate {
        let until = if key == "ended" { "210101000000Z" } else { "491231235959Z" };
        let der = self.der(key, until);
        SigningCertificate::from_base64(&STANDARD.encode(der)).expect("a certificate")
    }

    /// The public part of a key, as the crypto library takes it.
    pub fn public_key(&self, key: &str) -> Vec<u8> {
        match &self.keys[key] {
            Key::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Key::Elliptic(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// RFC 5280 §4.1, as little of it as there may be: names are empty and the signature is none.
    fn der(&self, key: &str, until: &str) -> Vec<u8> {
        let null = [0x05, 0x00];
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
        let elliptic = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        let (kind, point) = match &self.keys[key] {
            Key::Rsa(pair) => ([der(0x06, &rsa), null.to_vec()].concat(), pair.public_key().as_ref().to_vec()),
            Key::Elliptic(pair) => {
                let point = pair.public_key().as_ref().to_vec();
                let curve: &[u8] = match point.len() {
                    65 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
                    _ => &[0x2b, 0x81, 0x04, 0x00, 0x22],
                };
                ([der(0x06, &elliptic), der(0x06, curve)].concat(), point)
            }
        };
        let key = der(0x30, &[der(0x30, &kind), der(0x03, &[&[0][..], &point].concat())].concat());
        let algorithm = der(0x30, &[der(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]), null.to_vec()].concat());
        let validity = der(0x30, &[der(0x17, b"200101000000Z"), der(0x17, until.as_bytes())].concat());
        let body =
            [der(0xa0, &der(0x02, &[2])), der(0x02, &[1]), algorithm.clone(), der(0x30, &[]), validity, der(0x30, &[]), key]
                .concat();
        der(0x30, &[der(0x30, &body), algorithm, der(0x03, &[0, 0])].concat())
    }

    /// The bytes of the file that a case describes.
    pub fn file(&self, case: &Case) -> Vec<u8> {
        if let Some(bytes) = &case.bytes {
            return bytes.repeat(case.times.unwrap_or(1));
        }
        let document = self.write(case);
        if !case.base64 {
            return document.into_bytes();
        }
        let packed = STANDARD.encode(document);
        packed.as_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n')
    }

    fn write(&self, case: &Case) -> String {
        let edited = |text: &str, at: &str| {
            let mut text = text.to_owned();
            for edit in case.edit.iter().filter(|edit| edit.at == at) {
                assert!(text.contains(&edit.from), "there is no {} in {text}", edit.from);
                text = text.replacen(&edit.from, &edit.to, 1);
            }
            self.words(case, &text)
        };
        let sign = case.sign.as_deref().unwrap_or("assertion");
        let (head, tail) = edited(&format!("{HEAD}@SPLIT@{TAIL}"), "assertion").split_once("@SPLIT@").map_or_else(
            || panic!("the edit took the place of the signature away"),
            |(head, tail)| (head.to_owned(), tail.to_owned()),
        );
        let bare = format!("{head}{tail}");
        let document = case.document.clone().unwrap_or_else(|| "@RESPONSE@".to_owned());
        // Only what stands in the document: an edit of a signature is one of that which is there.
        let signs =
            |what: &str, words: &[&str]| sign == what || sign == "both" || words.iter().any(|word| document.contains(word));
        let signature = if signs("assertion", &["@SIGNATURE@", "@SIGNATURE-OPEN@"]) {
            self.signature(case, "_assertion", &bare, &edited)
        } else {
            String::new()
        };
        let own = if ["assertion", "both"].contains(&sign) { signature.as_str() } else { "" };
        let assertion = format!("{head}{own}{tail}");
        let evil = |text: &str| {
            let text = self.words(case, text).replace("ID=\"_assertion\"", "ID=\"_evil\"");
            text.replace(PRINCIPAL, "evil").replace("ml-engineers", "administrators")
        };
        let (first, last) = edited(RESPONSE, "response").split_once("@SPLIT@").map_or_else(
            || panic!("the edit took the place of the signature away"),
            |(first, last)| (first.to_owned(), last.replace("@ASSERTION@", &assertion)),
        );
        let of_response = if signs("response", &["@RESPONSE-SIGNATURE@"]) {
            self.signature(case, "_response", &format!("{first}{last}"), &edited)
        } else {
            String::new()
        };
        let whole =
            if ["response", "both"].contains(&sign) { format!("{first}{of_response}{last}") } else { format!("{first}{last}") };
        let open = signature.trim_end_matches("</ds:Signature>");
        let rows = [
            ("@RESPONSE@", whole.as_str()),
            ("@RESPONSE-HEAD@", &first),
            ("@RESPONSE-SIGNATURE@", &of_response),
            ("@STATUS@", STATUS),
            ("@ASSERTION@", &assertion),
            ("@BARE@", &bare),
            ("@HEAD@", &head),
            ("@TAIL@", &tail),
            ("@SIGNATURE@", &signature),
            ("@SIGNATURE-OPEN@", open),
            ("@EVIL@", &evil(&format!("{HEAD}{TAIL}"))),
            ("@EVIL-HEAD@", &evil(HEAD)),
            ("@EVIL-TAIL@", &evil(TAIL)),
        ];
        // Twice: what is put in may hold a word.
        let once = |text: String| rows.iter().fold(text, |text, (word, instead)| text.replace(word, instead));
        let document = once(once(document));
        let document =
            case.many.as_ref().map_or(document.clone(), |(what, times)| document.replace("@MANY@", &what.repeat(*times)));
        edited(&document, "document")
    }

    /// Words that stand for values.
    pub fn words(&self, case: &Case, text: &str) -> String {
        let now = SystemClock.now().seconds();
        let many = case.many.as_ref().map(|(what, times)| what.repeat(*times)).unwrap_or_default();
        let mut text = text
            .replace("@PRINCIPAL@", PRINCIPAL)
            .replace("@ENTITY@", ENTITY)
            .replace("@RECIPIENT@", RECIPIENT)
            .replace("@MANY@", &many)
            .replace("@OTHER-CERTIFICATE@", &STANDARD.encode(self.der("other", "491231235959Z")));
        while let Some(at) = text.find("@NOW") {
            let end = at + 4 + text[at + 4..].find('@').expect("a word ends with @");
            let by = text[at + 4..end].trim_start_matches('+');
            let by: i64 = if by.is_empty() { 0 } else { by.parse().expect("@NOW+60@ or @NOW-60@") };
            text.replace_range(at..=end, &Timestamp::from_seconds(now + by).to_string());
        }
        text
    }

    /// A signature over canonical text, as it stands in a document.
    fn signature(&self, case: &Case, id: &str, signed: &str, edited: &dyn Fn(&str, &str) -> String) -> String {
        let name = case.digest.as_deref().unwrap_or("sha256");
        let uri = match name {
            "sha384" => format!("{MORE}sha384"),
            "sha1" => format!("{DS}sha1"),
            name => format!("http://www.w3.org/2001/04/xmlenc#{name}"),
        };
        let value = STANDARD.encode(digest(hash(name), signed.as_bytes()));
        let key = case.key.as_deref().unwrap_or("rsa");
        let method = match (key, case.hash.as_deref()) {
            ("p256", _) => format!("{MORE}ecdsa-sha256"),
            ("p384", _) => format!("{MORE}ecdsa-sha384"),
            ("hmac", _) => format!("{MORE}hmac-sha256"),
            (_, Some("sha1")) => format!("{DS}rsa-sha1"),
            (_, hash) => format!("{MORE}rsa-{}", hash.unwrap_or("sha256")),
        };
        let info =
            INFO.replace("@ID@", id).replace("@DIGEST@", &value).replace("@DIGEST-METHOD@", &uri).replace("@METHOD@", &method);
        let info = edited(&info, "info");
        let canonical = info.replacen("<ds:SignedInfo", &format!("<ds:SignedInfo xmlns:ds=\"{DS}\""), 1);
        let value = STANDARD.encode(self.sign(key, case.hash.as_deref(), canonical.as_bytes()));
        let signature =
            format!("<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>");
        edited(&signature, "signature")
    }

    fn sign(&self, key: &str, hash: Option<&str>, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        if key == "hmac" {
            // The public key as the secret one: algorithm confusion.
            let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &self.der("rsa", "491231235959Z"));
            return aws_lc_rs::hmac::sign(&secret, message).as_ref().to_vec();
        }
        match &self.keys[key] {
            Key::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match hash {
                    Some("sha384") => &signature::RSA_PKCS1_SHA384,
                    Some("sha512") => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signed).expect("it signs");
                signed
            }
            Key::Elliptic(pair) => pair.sign(&random, message).expect("it signs").as_ref().to_vec(),
        }
    }
}

fn hash(name: &str) -> &'static digest::Algorithm {
    match name {
        "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "sha384" => &digest::SHA384,
        "sha512" => &digest::SHA512,
        _ => &digest::SHA256,
    }
}

/// X.690 §8.1.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short");
    let size = match length {
        0..=0x7f => vec![length.to_be_bytes()[1]],
        0x80..=0xff => vec![0x81, length.to_be_bytes()[1]],
        _ => [&[0x82][..], &length.to_be_bytes()].concat(),
    };
    [&[tag][..], &size, content].concat()
}

const HEAD: &str = "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_assertion\" IssueInstant=\"@NOW@\" \
    Version=\"2.0\"><saml:Issuer>@ENTITY@</saml:Issuer>";
pub const TAIL: &str = "<saml:Subject><saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">@PRINCIPAL@\
    </saml:NameID><saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData \
    NotOnOrAfter=\"@NOW+600@\" Recipient=\"@RECIPIENT@\"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>\
    <saml:Conditions NotBefore=\"@NOW-60@\" NotOnOrAfter=\"@NOW+3600@\"><saml:AudienceRestriction><saml:Audience>longhorn\
    </saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant=\"@NOW@\"><saml:AuthnContext>\
    <saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef></saml:AuthnContext>\
    </saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name=\"groups\"><saml:AttributeValue>ml-engineers\
    </saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>";
const STATUS: &str =
    "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>";
const RESPONSE: &str = "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" Destination=\"@RECIPIENT@\" ID=\"_response\" \
    IssueInstant=\"@NOW@\" Version=\"2.0\"><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">@ENTITY@</saml:Issuer>\
    @SPLIT@<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>\
    @ASSERTION@</samlp:Response>";
const INFO: &str = "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\">\
    </ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"@METHOD@\"></ds:SignatureMethod><ds:Reference URI=\"#@ID@\">\
    <ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
    <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms><ds:DigestMethod \
    Algorithm=\"@DIGEST-METHOD@\"></ds:DigestMethod><ds:DigestValue>@DIGEST@</ds:DigestValue></ds:Reference></ds:SignedInfo>";
