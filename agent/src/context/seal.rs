//! The door for contexts from outside: opens a token with the node's public key, or says what is wrong with it.

use super::authority::{AuthorityPublicKey, CertificateError, Machine, certified};
use super::claims::Claims;
use super::compact::{self, Header, Parts};
use super::node_key::NodePublicKey;
use crate::exit::Exit;
use crate::host::clock::Timestamp;
use crate::screen::Screen;
use crate::unverified::Unverified;

/// The `typ` of a context token (RFC 8725 §3.11: explicit typing).
pub const TYPE: &str = "longhorn-context+jwt";
/// The header that carries the authority's certificate of the node key.
pub const CERTIFICATE_HEADER: &str = "lhc";
/// No context token is longer.
pub const MOST: usize = 64 * 1024;

/// Whose word a verifier takes for the node key.
#[derive(Debug)]
pub enum Voucher<'a> {
    /// The node key itself, obtained from where it was published.
    NodeKey(&'a NodePublicKey),
    /// The authority's keys, of which one must have certified the node key; the certificate travels in the token.
    Authority(&'a [AuthorityPublicKey]),
}

/// The same, held on to.
#[derive(Clone, Debug)]
pub enum Vouching {
    /// The place where it was published: this is the key.
    Published(NodePublicKey),
    /// One of these authorities, by the certificate that the token carries.
    Authority(Vec<AuthorityPublicKey>),
}

impl Vouching {
    /// As a verifier takes it.
    pub fn voucher(&self) -> Voucher<'_> {
        match self {
            Self::Published(key) => Voucher::NodeKey(key),
            Self::Authority(keys) => Voucher::Authority(keys),
        }
    }
}

/// Why a token is not a context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextRefusal {
    /// Not three base64url parts with the JSON of a context.
    #[error("this is not a context token")]
    Malformed(&'static str),
    /// The header asks for something else than EdDSA and our `typ`.
    #[error("the header is not a context token's")]
    WrongHeader,
    /// The signature does not verify under the key.
    #[error("the signature does not verify")]
    SignatureInvalid,
    /// The authority does not vouch for the key.
    #[error("the authority does not vouch for the node key")]
    NotCertified(#[source] CertificateError),
    /// Signed by another node's key.
    #[error("the token was signed by another node key")]
    OtherKey {
        /// The thumbprint that was expected.
        expected: String,
        /// The thumbprint that the token names.
        presented: String,
    },
    /// For somebody else.
    #[error("the token is for another audience")]
    OtherAudience {
        /// The audience that was expected.
        expected: String,
        /// The audience that the token names.
        presented: String,
    },
    /// Not yet valid.
    #[error("the token is not valid yet")]
    NotYetValid {
        /// Its begin.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
    /// Over.
    #[error("the token has expired")]
    Expired {
        /// Its end.
        at: Timestamp,
        /// Our clock.
        now: Timestamp,
    },
}

impl ContextRefusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "context-malformed",
            Self::WrongHeader => "context-wrong-header",
            Self::SignatureInvalid => "context-signature-invalid",
            Self::NotCertified(_) => "context-not-certified",
            Self::OtherKey { .. } => "context-other-key",
            Self::OtherAudience { .. } => "context-other-audience",
            Self::NotYetValid { .. } => "context-not-yet-valid",
            Self::Expired { .. } => "context-expired",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let screen = Screen::refused(self.reason(), Exit::Data, self.to_string());
        match self {
            Self::Malformed(detail) => {
                screen.fact("expected", "three parts of base64url and JSON").fact("presented", detail).hint(EDITED)
            }
            Self::WrongHeader => screen
                .fact("expected header", format!("alg EdDSA, typ {TYPE}, kid"))
                .fact("presented header", "another")
                .hint(EDITED),
            Self::SignatureInvalid => {
                screen.fact("expected signature", "the node key's").fact("presented signature", "another").hint(EDITED)
            }
            Self::NotCertified(cause) => screen
                .fact("expected", "a certificate of the node key by this authority")
                .fact("presented", cause)
                .hint("name the authority that certified this node's key"),
            Self::OtherKey { expected, presented } | Self::OtherAudience { expected, presented } => screen
                .fact("expected", expected)
                .fact("presented", presented)
                .hint("a context belongs to one node and one audience; it cannot be carried elsewhere"),
            Self::NotYetValid { at, now } => screen
                .fact("expected begin", format!("before {now}, by our clock"))
                .fact("presented begin", at)
                .hint("check this machine's clock"),
            Self::Expired { at, now } => screen
                .fact("expected end", format!("after {now}, by our clock"))
                .fact("presented end", at)
                .hint("a context is short-lived; --expired verifies an old one for an audit"),
        }
    }
}

const EDITED: &str = "the token was edited, cut, or made by something else; fetch it again from the node it belongs to";

/// Whether the end of a token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// An expired token is refused.
    Enforced,
    /// An auditor reads an old token.
    Ignored,
}

/// Opens a token.
///
/// # Errors
/// When it is not a context of that voucher for that audience at that time.
pub fn open(
    token: &Unverified<&[u8]>,
    voucher: &Voucher<'_>,
    audience: &str,
    now: Timestamp,
    expiry: Expiry,
) -> Result<Claims, ContextRefusal> {
    let (header, parts) = split(token.examine(), TYPE)?;
    let read = |payload: &[u8]| {
        serde_json::from_slice::<Claims>(payload).map_err(|_| ContextRefusal::Malformed("its claims are not a context's"))
    };
    // An old token was good when the certificate was: what a key says after its end is nobody's word.
    let at = match expiry {
        Expiry::Enforced => now,
        Expiry::Ignored => Timestamp::from_seconds(read(&parts.payload)?.iat),
    };
    let (vouched, machine) = signer(&header, &parts, voucher, at)?;
    let claims = read(&parts.payload)?;
    if claims.aud != audience {
        return Err(ContextRefusal::OtherAudience { expected: audience.to_owned(), presented: claims.aud });
    }
    if claims.node.key != vouched.thumbprint() {
        return Err(ContextRefusal::OtherKey { expected: vouched.thumbprint(), presented: claims.node.key });
    }
    if machine.is_some_and(|machine| machine.boot != claims.node.boot) {
        return Err(ContextRefusal::NotCertified(CertificateError::OtherBoot));
    }
    if now < Timestamp::from_seconds(claims.nbf) {
        return Err(ContextRefusal::NotYetValid { at: Timestamp::from_seconds(claims.nbf), now });
    }
    if expiry == Expiry::Enforced && now >= Timestamp::from_seconds(claims.exp) {
        return Err(ContextRefusal::Expired { at: Timestamp::from_seconds(claims.exp), now });
    }
    Ok(claims)
}

/// The certificate that a token of this node's own carries, as it stands there: whoever relies on it accepts it first.
pub fn carried(token: &Unverified<&[u8]>) -> Option<String> {
    split(token.examine(), TYPE).ok()?.0.lhc
}

/// Whose key signed it, where the voucher stands behind that key at that time.
pub(super) fn signer(
    header: &Header,
    parts: &Parts<'_>,
    voucher: &Voucher<'_>,
    at: Timestamp,
) -> Result<(NodePublicKey, Option<Machine>), ContextRefusal> {
    let (key, machine) = match voucher {
        Voucher::NodeKey(key) => ((*key).clone(), None),
        Voucher::Authority(authority) => {
            let certificate = header.lhc.as_deref().ok_or(ContextRefusal::NotCertified(CertificateError::Absent))?;
            let vouched = certified(certificate, authority, at).map_err(ContextRefusal::NotCertified)?;
            (vouched.key, vouched.machine)
        }
    };
    if header.kid != key.thumbprint() {
        return Err(ContextRefusal::OtherKey { expected: key.thumbprint(), presented: header.kid.clone() });
    }
    if !key.verify(parts.signed, &parts.signature) {
        return Err(ContextRefusal::SignatureInvalid);
    }
    Ok((key, machine))
}

pub(super) fn split<'a>(token: &'a [u8], typ: &str) -> Result<(Header, Parts<'a>), ContextRefusal> {
    if token.len() > MOST {
        return Err(ContextRefusal::Malformed("more than 64 KiB"));
    }
    let parts = compact::split(token.strip_suffix(b"\n").unwrap_or(token)).map_err(ContextRefusal::Malformed)?;
    let header: Header = serde_json::from_slice(&parts.header).map_err(|_| ContextRefusal::WrongHeader)?;
    // RFC 8725 §3.1: the algorithm is ours, never the token's choice.
    if header.alg != "EdDSA" || header.typ != typ {
        return Err(ContextRefusal::WrongHeader);
    }
    Ok((header, parts))
}

#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::super::authority::AuthorityKey;
    use super::super::claims::{NodeClaim, PolicyClaim, PrincipalClaim};
    use super::super::issue::sign;
    use super::super::node_key::NodeKey;
    use super::*;
    use std::time::Duration;

    pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn claims(key: &NodeKey) -> Claims {
        Claims {
            iss: "longhorn:https://a.example".into(),
            sub: "spiffe://a.example/workspace/1/job/2/run/3".into(),
            aud: "longhorn".into(),
            iat: NOW.seconds(),
            nbf: NOW.seconds(),
            exp: NOW.seconds() + 600,
            jti: "j".into(),
            node: NodeClaim {
                address: "10.0.0.1".into(),
                role: "driver".into(),
                boot: "b".into(),
                key: key.public().thumbprint(),
            },
            cluster: "c-1".into(),
            job: None,
            run_as: PrincipalClaim { kind: "user".into(), name: "p1:00".into() },
            roles: vec![],
            scope: "s".into(),
            permissions: vec!["run".into()],
            clearance: vec![],
            environment: "e".into(),
            environment_digest: "d".into(),
            enforcement: "enforce".into(),
            open: vec![],
            policy: PolicyClaim { serial: 1, digest: "d".into() },
            lock: None,
            membership: "listed".into(),
            proofs: vec![],
        }
    }

    pub(crate) fn key(seed: u8) -> NodeKey {
        NodeKey::from_seed(&[seed; 32]).unwrap()
    }

    /// What a node signs for this audience.
    pub(crate) fn token_for(node: &NodeKey, audience: &str) -> String {
        sign(&Claims { aud: audience.into(), ..claims(node) }, node, None)
    }

    fn verdict(token: &str, by: &Voucher<'_>, audience: &str, now: Timestamp) -> Result<(), &'static str> {
        open(&Unverified::new(token.as_bytes()), by, audience, now, Expiry::Enforced)
            .map(|_| ())
            .map_err(|refusal| refusal.reason())
    }

    #[test]
    fn a_context_opens_with_its_own_key_and_is_refused_by_name_for_everything_else() {
        let node = key(1);
        let token = sign(&claims(&node), &node, None);
        let mine = Voucher::NodeKey(node.public());
        assert_eq!(verdict(&token, &mine, "longhorn", NOW), Ok(()));
        let other = key(2);
        assert_eq!(verdict(&token, &Voucher::NodeKey(other.public()), "longhorn", NOW), Err("context-other-key"));
        assert_eq!(verdict(&token, &mine, "elsewhere", NOW), Err("context-other-audience"));
        assert_eq!(verdict(&token, &mine, "longhorn", NOW.minus(Duration::from_secs(1))), Err("context-not-yet-valid"));
        assert_eq!(verdict(&token, &mine, "longhorn", NOW.plus(Duration::from_secs(600))), Err("context-expired"));
        assert_eq!(verdict(&sign(&claims(&other), &node, None), &mine, "longhorn", NOW), Err("context-other-key"));
        assert_eq!(verdict("a.b", &mine, "longhorn", NOW), Err("context-malformed"));
        assert_eq!(verdict(&"a".repeat(MOST + 1), &mine, "longhorn", NOW), Err("context-malformed"));
    }

    #[test]
    fn a_context_whose_header_names_another_key_is_refused_though_the_right_key_signed_it() {
        let (node, other) = (key(1), key(2));
        let token = sign(&claims(&node), &node, None);
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{TYPE}"}}"#, other.public().thumbprint());
        let payload = token.split('.').nth(1).unwrap();
        let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
        let misnamed = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(node.sign(signed.as_bytes())));
        assert_eq!(verdict(&misnamed, &Voucher::NodeKey(node.public()), "longhorn", NOW), Err("context-other-key"));
    }

    #[test]
    fn every_edited_byte_of_a_context_is_noticed() {
        let node = key(1);
        let token = sign(&claims(&node), &node, None);
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let result = open(&Unverified::new(&bytes[..]), &Voucher::NodeKey(node.public()), "longhorn", NOW, Expiry::Enforced);
            assert!(result.is_err(), "byte {at}");
        }
    }

    #[test]
    fn an_authority_vouches_for_the_key_it_certified_and_only_while_it_said() {
        let node = key(1);
        let authority = AuthorityKey::from_seed(&[9; 32]).unwrap();
        let public = authority.public();
        let certificate = authority.certify(node.public(), NOW, Duration::from_secs(60));
        let token = sign(&claims(&node), &node, Some(&certificate));
        assert_eq!(verdict(&token, &Voucher::Authority(std::slice::from_ref(&public)), "longhorn", NOW), Ok(()));
        assert_eq!(
            verdict(&token, &Voucher::Authority(std::slice::from_ref(&public)), "longhorn", NOW.plus(Duration::from_secs(60))),
            Err("context-not-certified")
        );
        let stranger = AuthorityKey::from_seed(&[8; 32]).unwrap().public();
        assert_eq!(verdict(&token, &Voucher::Authority(&[stranger]), "longhorn", NOW), Err("context-not-certified"));
        let bare = sign(&claims(&node), &node, None);
        assert_eq!(
            verdict(&bare, &Voucher::Authority(std::slice::from_ref(&public)), "longhorn", NOW),
            Err("context-not-certified")
        );
        // A certificate for one key does not carry a token that another key signed.
        let thief = key(3);
        let stolen = sign(&claims(&thief), &thief, Some(&certificate));
        assert_eq!(
            verdict(&stolen, &Voucher::Authority(std::slice::from_ref(&public)), "longhorn", NOW),
            Err("context-other-key")
        );
        assert_eq!(AuthorityPublicKey::parse(&public.to_string()), Ok(public));
    }

    #[test]
    fn an_issuers_certificate_counts_for_the_boot_that_it_names_by_any_of_the_issuers_keys() {
        let node = key(1);
        let (old, new) = (AuthorityKey::from_seed(&[9; 32]).unwrap(), AuthorityKey::from_seed(&[8; 32]).unwrap());
        let set = serde_json::json!({ "keys": [old.public().to_jwk(), { "kty": "RSA" }, new.public().to_jwk()] });
        let keys = AuthorityPublicKey::of_key_set(set.to_string().as_bytes()).unwrap();
        assert_eq!(keys, [old.public(), new.public()]);
        let of_boot = |boot: &str| {
            let (issuer, instance) = ("https://issuer.example".to_owned(), "aws:1/i-1".to_owned());
            let machine = Machine { issuer, instance, boot: boot.to_owned() };
            new.certify_machine(node.public(), &machine, NOW, Duration::from_secs(60))
        };
        let token = |boot: &str| sign(&claims(&node), &node, Some(&of_boot(boot)));
        assert_eq!(verdict(&token("b"), &Voucher::Authority(&keys), "longhorn", NOW), Ok(()));
        // The node's clock may be a little behind the issuer's.
        assert_eq!(certified(of_boot("b").as_str(), &keys, NOW.minus(Duration::from_secs(60))).unwrap().key, *node.public());
        assert_eq!(verdict(&token("c"), &Voucher::Authority(&keys), "longhorn", NOW), Err("context-not-certified"));
        assert_eq!(verdict(&token("b"), &Voucher::Authority(&keys[..1]), "longhorn", NOW), Err("context-not-certified"));
        assert!(AuthorityPublicKey::of_key_set(b"{\"keys\":[]}").is_err());
    }
}
