//! SignedData (RFC 5652 §5.1) with exactly one signer and the content inside. What is in the bag is what somebody put there:
//! the signer says by issuer and number which certificate it means, and no other is looked at in its place.

use super::ber::to_der;
use super::certificate::Certificate;
use super::der::{CONTEXT_0, CONTEXT_1, INTEGER, OBJECT, OCTET_STRING, Reader, SEQUENCE, SET};
use super::error::Pkcs7Error;

/// id-signedData and id-data (RFC 5652 §4, §5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
pub(super) const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// A bag with more is nobody's.
const MOST_CERTIFICATES: usize = 8;

/// What a document consists of; nothing of it is believed yet.
#[derive(Debug)]
pub(in crate::identity) struct SignedData {
    content: Vec<u8>,
    /// In the order of the bag.
    certificates: Vec<Certificate>,
    signer: Signer,
}

/// The one SignerInfo (RFC 5652 §5.3).
#[derive(Debug)]
pub(super) struct Signer {
    pub(super) issuer: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) digest: Vec<u8>,
    /// What is inside of `[0]`, where there are signed attributes.
    pub(super) attributes: Option<Vec<u8>>,
    pub(super) algorithm: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl SignedData {
    /// Reads a document in BER or DER.
    pub(in crate::identity) fn parse(bytes: &[u8]) -> Result<Self, Pkcs7Error> {
        let der = to_der(bytes)?;
        let mut outer = Reader::new(&der);
        let mut info = outer.enter(SEQUENCE, "a PKCS#7 document")?;
        if info.read(OBJECT, "a PKCS#7 document")? != SIGNED_DATA {
            return Err(Pkcs7Error::Malformed("signed data"));
        }
        let mut explicit = info.enter(CONTEXT_0, "signed data")?;
        info.finish("nothing beside the signed data")?;
        let mut body = explicit.enter(SEQUENCE, "signed data")?;
        explicit.finish("nothing beside the signed data")?;
        version(&mut body)?;
        let digests = body.read(SET, "digest algorithms")?;
        let content = content(&mut body.enter(SEQUENCE, "content")?)?;
        let certificates = match body.optional(CONTEXT_0, "certificates")? {
            None => Vec::new(),
            Some(bag) => certificates(Reader::new(bag))?,
        };
        let _revocations = body.optional(CONTEXT_1, "revocation lists")?;
        let signers = body.enter(SET, "signers")?;
        body.finish("nothing behind the signers")?;
        let signer = the_signer(signers)?;
        // One signer, one digest: a list that says something else was put together by somebody else.
        let listed = algorithm(&mut Reader::new(digests))?;
        if listed != signer.digest || Reader::new(digests).any("digest algorithms")?.0 != digests {
            return Err(Pkcs7Error::Malformed("the signer's digest algorithm, and no other"));
        }
        Ok(Self { content, certificates, signer })
    }

    /// What the signer signed, once [`super::check`] said so.
    pub(super) fn content(&self) -> &[u8] {
        &self.content
    }

    pub(super) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The one certificate among these that the signer names. Two of that name are as bad as none.
    pub(in crate::identity) fn signer_among<'c>(
        &self,
        certificates: impl IntoIterator<Item = &'c Certificate>,
    ) -> Option<&'c Certificate> {
        let mut found = certificates.into_iter().filter(|one| one.is(&self.signer.issuer, &self.signer.serial));
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }

    /// The bag.
    pub(in crate::identity) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// How the signer names its certificate, for a screen.
    pub(in crate::identity) fn signer_serial(&self) -> String {
        crate::host::digest::hex(&self.signer.serial)
    }
}

/// EncapsulatedContentInfo (RFC 5652 §5.2): data, and there.
fn content(info: &mut Reader<'_>) -> Result<Vec<u8>, Pkcs7Error> {
    if info.read(OBJECT, "a content type")? != DATA {
        return Err(Pkcs7Error::ContentType);
    }
    let mut explicit = info.enter(CONTEXT_0, "content inside of the document")?;
    let content = explicit.read(OCTET_STRING, "content inside of the document")?;
    explicit.finish("one content")?;
    Ok(content.to_vec())
}

fn certificates(mut bag: Reader<'_>) -> Result<Vec<Certificate>, Pkcs7Error> {
    let mut found = Vec::new();
    while !bag.is_empty() {
        if found.len() == MOST_CERTIFICATES {
            return Err(Pkcs7Error::Malformed("at most 8 certificates"));
        }
        let (whole, _) = bag.read_whole(SEQUENCE, "X.509 certificates")?;
        found.push(Certificate::parse(whole)?);
    }
    Ok(found)
}

fn the_signer(mut signers: Reader<'_>) -> Result<Signer, Pkcs7Error> {
    let mut found = Vec::new();
    while !signers.is_empty() {
        found.push(signers.enter(SEQUENCE, "a signer")?);
    }
    let count = found.len();
    match (found.pop(), count) {
        (Some(only), 1) => signer(only),
        _ => Err(Pkcs7Error::Signers(count)),
    }
}

fn signer(mut info: Reader<'_>) -> Result<Signer, Pkcs7Error> {
    version(&mut info)?;
    // A key identifier instead ([0]) names a key that no policy lists.
    let mut named = info.enter(SEQUENCE, "a signer named by issuer and number")?;
    let (issuer, _) = named.read_whole(SEQUENCE, "a signer named by issuer and number")?;
    let serial = named.read(INTEGER, "a signer named by issuer and number")?;
    named.finish("a signer named by issuer and number")?;
    let digest = algorithm(&mut info)?;
    let attributes = info.optional(CONTEXT_0, "signed attributes")?.map(<[u8]>::to_vec);
    let algorithm = algorithm(&mut info)?;
    let signature = info.read(OCTET_STRING, "a signature")?;
    // Attributes that nobody signed say nothing.
    let _unsigned = info.optional(CONTEXT_1, "unsigned attributes")?;
    info.finish("nothing behind the signature")?;
    let (issuer, serial) = (issuer.to_vec(), serial.to_vec());
    Ok(Signer { issuer, serial, digest, attributes, algorithm, signature: signature.to_vec() })
}

/// AlgorithmIdentifier, with no parameters or NULL. With others it is another algorithm, which no list holds.
fn algorithm(info: &mut Reader<'_>) -> Result<Vec<u8>, Pkcs7Error> {
    const NULL: &[u8] = &[0x05, 0x00];
    let mut identifier = info.enter(SEQUENCE, "an algorithm")?;
    let object = identifier.read(OBJECT, "an algorithm")?.to_vec();
    let plain = identifier.is_empty() || identifier.any("an algorithm")?.0 == NULL && identifier.is_empty();
    Ok(if plain { object } else { Vec::new() })
}

/// 1, of the whole and of a signer that is named by issuer and number (RFC 5652 §5.1, §5.3).
fn version(reader: &mut Reader<'_>) -> Result<(), Pkcs7Error> {
    if reader.read(INTEGER, "version 1")? == [1] { Ok(()) } else { Err(Pkcs7Error::Malformed("version 1")) }
}
