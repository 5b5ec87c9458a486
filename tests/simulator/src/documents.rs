//! Instance documents as clouds sign them, by keys made at start, and in every way in which they must not be signed.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RsaKeyPair};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_RSA_SHA256, SerialNumber, date_time_ymd,
};
use serde::Deserialize;

use crate::der::{first, issuer_and_serial, open_ended, sequence, value};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A key with its certificate.
pub struct Signer {
    key: RsaKeyPair,
    /// In DER.
    pub certificate: Vec<u8>,
    /// In PEM.
    pub pem: String,
    /// The key in PEM (PKCS#8), for other programs.
    pub key_pem: String,
}

impl Signer {
    /// The public key, as the crypto library takes it, and a signature over a message (RSASSA-PKCS1-v1_5 with SHA-256).
    ///
    /// # Panics
    /// When the crypto library refuses.
    pub fn signs(&self, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("an RSA key signs");
        (signature::KeyPair::public_key(&self.key).as_ref().to_vec(), signature)
    }
}

/// A signature of a certificate: the key that made it, what it is over, and itself.
pub type Link = (Vec<u8>, Vec<u8>, Vec<u8>);

/// What a signer's certificate is like, where that is not the usual.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Like {
    /// DNS names, of which a document of Azure has two.
    pub names: Option<Vec<String>>,
    /// Its only usage: `client` instead of `server`.
    pub client: bool,
    /// The years in which it holds.
    pub years: Option<(i32, i32)>,
    /// Whether it is a certificate authority's.
    pub authority: bool,
    /// Its number.
    pub serial: Option<u8>,
    /// Signed by another authority of the same name.
    pub stranger: bool,
}

/// How a document is signed, where that is not the usual of its cloud.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Shape {
    /// Definite lengths where the cloud has others, and the other way round.
    pub other_lengths: bool,
    /// `sha256`, `sha384` or `sha1`.
    pub digest: Option<String>,
    /// An object identifier's content in hex, in the place of the digest's, and of the one in the list of digests.
    pub digest_object: Option<String>,
    pub listed_digest: Option<String>,
    /// One more in that list.
    pub also_listed: Option<String>,
    /// Parameters of the signature's algorithm, in hex, where it has none.
    pub parameters: Option<String>,
    /// An object identifier's content in hex, in the place of the signature algorithm's.
    pub algorithm: Option<String>,
    /// With signed attributes, or without them.
    pub attributes: Option<bool>,
    /// The type of the whole, in hex.
    pub structure: Option<String>,
    /// The type of the content, in hex, and of the attribute that names it.
    pub content_type: Option<String>,
    pub attribute_type: Option<String>,
    /// Attributes that are left out, or there twice: `contentType`, `messageDigest`.
    pub without: Vec<String>,
    pub twice: Vec<String>,
    /// This is digested instead of the content.
    pub digested: Option<String>,
    /// So many signers.
    pub signers: Option<usize>,
    /// No content inside.
    pub detached: bool,
    /// No certificate in the bag, or one where the cloud has none.
    pub bag: Option<bool>,
    /// A digit of the content, the signature or the attributes is another than was signed.
    pub flipped: Option<String>,
    /// One more octet string behind the `content`, the `data` that are signed, the `signers`, the `signature`.
    pub behind: Option<String>,
    /// The signer names its certificate by this number.
    pub named: Option<u8>,
}

/// Who signs.
pub struct Signers {
    /// Of the node's own region, of another region, and of nobody.
    pub aws: Signer,
    /// See `aws`.
    pub elsewhere: Signer,
    authority: CertifiedIssuer<'static, KeyPair>,
    between: CertifiedIssuer<'static, KeyPair>,
    stranger: CertifiedIssuer<'static, KeyPair>,
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn authority(name: &str) -> Outcome<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(params)
}

impl Signers {
    /// Makes keys and certificates.
    ///
    /// # Errors
    /// When the crypto library refuses.
    pub fn new() -> Outcome<Self> {
        let root = CertifiedIssuer::self_signed(authority("Throwaway Root")?, KeyPair::generate()?)?;
        let between = CertifiedIssuer::signed_by(authority("Throwaway Between")?, KeyPair::generate()?, &root)?;
        let stranger = CertifiedIssuer::self_signed(authority("Throwaway Between")?, KeyPair::generate()?)?;
        let regional = |serial| Self::regional(&Like { serial: Some(serial), ..Like::default() });
        Ok(Self { aws: regional(7)?, elsewhere: regional(8)?, authority: root, between, stranger })
    }

    /// A self-signed certificate as Amazon has one for each region: all of one name.
    ///
    /// # Errors
    /// When the crypto library refuses.
    pub fn regional(like: &Like) -> Outcome<Signer> {
        let mut params = authority("Throwaway Web Services")?;
        apply(&mut params, like);
        signer(|key| Ok(params.self_signed(key)?))
    }

    /// A certificate as Azure's metadata service has one.
    ///
    /// # Errors
    /// When the crypto library refuses.
    pub fn attesting(&self, like: &Like) -> Outcome<Signer> {
        let usual = ["eastus.metadata.azure.com", "metadata.azure.com"].map(str::to_owned);
        let mut params = CertificateParams::new(like.names.clone().unwrap_or_else(|| usual.to_vec()))?;
        params.distinguished_name = named("metadata.azure.com");
        params.extended_key_usages =
            vec![if like.client { ExtendedKeyUsagePurpose::ClientAuth } else { ExtendedKeyUsagePurpose::ServerAuth }];
        if like.authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        apply(&mut params, like);
        let issuer = if like.stranger { &self.stranger } else { &self.between };
        signer(|key| Ok(params.signed_by(key, issuer)?))
    }

    /// What Azure's documents chain to (PEM): a root, and what stands between.
    pub fn chain(&self) -> (String, String) {
        (self.authority.pem(), self.between.pem())
    }

    /// The signatures of that chain, from a signer of Azure's up: ECDSA on P-256.
    pub fn links(&self, of: &Signer) -> Vec<Link> {
        let link = |key: &KeyPair, certificate: &[u8]| {
            let (_, outer, _) = first(certificate);
            let (signed, _, behind) = first(outer);
            let (_, _, behind) = first(behind);
            // A BIT STRING begins with the number of its unused bits, here none.
            (key.public_key_raw().to_vec(), signed.to_vec(), first(behind).1[1..].to_vec())
        };
        vec![link(self.between.key(), &of.certificate), link(self.authority.key(), self.between.der())]
    }
}

fn apply(params: &mut CertificateParams, like: &Like) {
    if let Some((begin, end)) = like.years {
        (params.not_before, params.not_after) = (date_time_ymd(begin, 1, 1), date_time_ymd(end, 1, 1));
    }
    params.serial_number = like.serial.map(|serial| SerialNumber::from(u64::from(serial)));
}

fn signer(certify: impl FnOnce(&KeyPair) -> Outcome<rcgen::Certificate>) -> Outcome<Signer> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| "no RSA key")?;
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| "no private key")?;
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&private.as_ref().to_vec().into(), &PKCS_RSA_SHA256)?;
    let certificate = certify(&pair)?;
    Ok(Signer { key, certificate: certificate.der().to_vec(), pem: certificate.pem(), key_pem: pair.serialize_pem() })
}

/// What is usual for a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custom {
    /// BER, signed attributes, no certificate.
    Aws,
    /// DER, no signed attributes, the signer's certificate.
    Azure,
}

const SIGNED_DATA: &str = "2a864886f70d010702";
const DATA: &str = "2a864886f70d010701";
const CONTENT_TYPE: &str = "2a864886f70d010903";
const SIGNING_TIME: &str = "2a864886f70d010905";
const MESSAGE_DIGEST: &str = "2a864886f70d010904";
const SHA256_WITH_RSA: &str = "2a864886f70d01010b";
const RSA: &str = "2a864886f70d010101";

/// Bytes of hex.
///
/// # Panics
/// When it is none.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap_or(0)).unwrap_or(0);
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | pair.get(1).map_or(0, |low| digit(*low))).collect()
}

fn object(hex: &str) -> Vec<u8> {
    value(0x06, &unhex(hex))
}

fn attribute(kind: &str, content: &[u8]) -> Vec<u8> {
    sequence(&[&object(kind), &value(0x31, content)])
}

/// Signs a content. `bag` is put before the signer's own certificate.
///
/// # Panics
/// When the crypto library refuses.
pub fn sign(custom: Custom, content: &[u8], by: &Signer, bag: &[&Signer], shape: &Shape) -> Vec<u8> {
    let (of, digest_object) = match shape.digest.as_deref() {
        None | Some("sha256") => (&SHA256, "608648016503040201"),
        Some("sha384") => (&SHA384, "608648016503040202"),
        Some("sha1") => (&SHA1_FOR_LEGACY_USE_ONLY, "2b0e03021a"),
        Some(other) => panic!("no digest {other}"),
    };
    let hash = |bytes: &[u8]| digest(of, bytes).as_ref().to_vec();
    // As Azure does: the signature's algorithm in the digest's place.
    let as_azure = custom == Custom::Azure && shape.digest.is_none();
    let digest_object = if as_azure { SHA256_WITH_RSA } else { digest_object };
    let digest_object = shape.digest_object.as_deref().unwrap_or(digest_object);
    let algorithm_of = |hex: &str| sequence(&[&object(hex), &[5, 0]]);
    let digest_algorithm = algorithm_of(digest_object);
    let attributes = shape.attributes.unwrap_or(custom == Custom::Aws).then(|| attributes(content, shape, &hash));
    let signed = attributes.as_ref().map_or_else(|| content.to_vec(), |inside| value(0x31, inside));
    let mut signature = vec![0; by.key.public_modulus_len()];
    let padding = if shape.digest.as_deref() == Some("sha384") { &RSA_PKCS1_SHA384 } else { &RSA_PKCS1_SHA256 };
    by.key.sign(padding, &SystemRandom::new(), &signed, &mut signature).expect("an RSA key signs");
    let flipped = |what: &str, mut bytes: Vec<u8>| {
        if shape.flipped.as_deref() == Some(what) {
            // Of the attributes the time, which nothing else than the signature holds.
            let time = bytes.windows(6).position(|window| window == b"260101");
            let at = time.filter(|_| what == "attributes").unwrap_or(bytes.len() - 4);
            bytes[at] ^= 1;
        }
        bytes
    };
    let (issuer, serial) = issuer_and_serial(&by.certificate);
    let serial = shape.named.map_or(serial, |number| value(0x02, &[number]));
    let attributes = attributes.map(|inside| value(0xa0, &flipped("attributes", inside))).unwrap_or_default();
    let parameters = shape.parameters.as_deref().map_or_else(|| vec![5, 0], unhex);
    let algorithm = sequence(&[&object(shape.algorithm.as_deref().unwrap_or(RSA)), &parameters]);
    let behind = |what: &str| if shape.behind.as_deref() == Some(what) { value(0x04, b"{}") } else { Vec::new() };
    let signature = [value(0x04, &flipped("signature", signature)), behind("signature")].concat();
    let info = sequence(&[&[2, 1, 1], &sequence(&[&issuer, &serial]), &digest_algorithm, &attributes, &algorithm, &signature]);
    let ended = (custom == Custom::Azure) == shape.other_lengths;
    let wrap = |tag: u8, inside: &[u8]| if ended { open_ended(tag, inside) } else { value(tag, inside) };
    let content = flipped("content", content.to_vec());
    let octets = if ended {
        let pieces: Vec<u8> = content.chunks(200).flat_map(|piece| value(0x04, piece)).collect();
        open_ended(0x24, &pieces)
    } else {
        value(0x04, &content)
    };
    let inside = if shape.detached { Vec::new() } else { wrap(0xa0, &[octets, behind("content")].concat()) };
    let kind = object(shape.content_type.as_deref().unwrap_or(DATA));
    let own = shape.bag.unwrap_or(custom == Custom::Azure).then_some(by);
    let certificates: Vec<u8> = bag.iter().copied().chain(own).flat_map(|signer| signer.certificate.clone()).collect();
    let certificates = if certificates.is_empty() { certificates } else { value(0xa0, &certificates) };
    let listed = [Some(shape.listed_digest.as_deref().unwrap_or(digest_object)), shape.also_listed.as_deref()];
    let body = [
        vec![2, 1, 1],
        value(0x31, &listed.into_iter().flatten().flat_map(algorithm_of).collect::<Vec<u8>>()),
        wrap(0x30, &[kind, inside].concat()),
        certificates,
        value(0x31, &info.repeat(shape.signers.unwrap_or(1))),
        behind("signers"),
    ];
    let structure = object(shape.structure.as_deref().unwrap_or(SIGNED_DATA));
    wrap(0x30, &[structure, wrap(0xa0, &wrap(0x30, &body.concat())), behind("data")].concat())
}

/// As Amazon has them: contentType, signingTime, messageDigest; in the order of DER.
fn attributes(content: &[u8], shape: &Shape, hash: &impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let digested = shape.digested.as_ref().map_or(content, |other| other.as_bytes());
    let all = [
        ("contentType", attribute(CONTENT_TYPE, &object(shape.attribute_type.as_deref().unwrap_or(DATA)))),
        ("messageDigest", attribute(MESSAGE_DIGEST, &value(0x04, &hash(digested)))),
        ("signingTime", attribute(SIGNING_TIME, &value(0x17, b"260101000000Z"))),
    ];
    let there = |name: &str| {
        let once = usize::from(!shape.without.iter().any(|left| left == name));
        once + usize::from(shape.twice.iter().any(|twice| twice == name))
    };
    let mut sorted: Vec<Vec<u8>> = all.iter().flat_map(|(name, bytes)| vec![bytes.clone(); there(name)]).collect();
    // X.690 §11.6.
    sorted.sort();
    sorted.concat()
}

/// A certificate's bytes with a modulus of 1024 bits: it is refused before anybody looks at its signature.
///
/// # Panics
/// When the certificate is none of ours.
pub fn weakened(signer: &Signer) -> Vec<u8> {
    let (_, outer, _) = first(&signer.certificate);
    let (_, body, behind) = first(outer);
    let mut parts = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (whole, _, next) = first(rest);
        parts.push(whole.to_vec());
        rest = next;
    }
    // version, serial, algorithm, issuer, validity, subject, key.
    let modulus = [&[0, 0xc1][..], &[0x55; 126], &[1]].concat();
    let key = sequence(&[&value(0x02, &modulus), &[2, 3, 1, 0, 1]]);
    parts[6] = sequence(&[&sequence(&[&object(RSA), &[5, 0]]), &value(0x03, &[&[0][..], &key].concat())]);
    value(0x30, &[value(0x30, &parts.concat()), behind.to_vec()].concat())
}
