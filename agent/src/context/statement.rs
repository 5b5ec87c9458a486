//! What a node says under its key besides its context: statements about runs and model versions. Whoever reads one asks the same
//! voucher as for a context, at the time at which it was said.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::compact::{self, Header};
use super::node_key::{NodeKey, NodePublicKey};
use super::seal::{ContextRefusal, Voucher, signer, split};
use crate::host::clock::Timestamp;
use crate::unverified::Unverified;

/// Something that a node can say. The fields are the claim names.
pub trait Statement: Serialize + DeserializeOwned {
    /// The `typ` of its header.
    const TYPE: &'static str;

    /// `iat`: when it was said, in seconds since the epoch.
    fn said_at(&self) -> i64;
}

/// Says it. `certificate` is the authority's of this key, where the authority is one that certifies.
pub fn say<S: Statement>(statement: &S, key: &NodeKey, certificate: Option<String>) -> String {
    let header = Header { alg: "EdDSA".into(), kid: key.public().thumbprint(), lhc: certificate, typ: S::TYPE.into() };
    compact::sign(&header, statement, key)
}

/// Hears it: what was said, and whose key said it.
///
/// # Errors
/// When it is no such statement, or the voucher does not stand behind its key.
pub fn hear<S: Statement>(token: &Unverified<&[u8]>, voucher: &Voucher<'_>) -> Result<(S, NodePublicKey), ContextRefusal> {
    let (header, parts) = split(token.examine(), S::TYPE)?;
    let statement: S =
        serde_json::from_slice(&parts.payload).map_err(|_| ContextRefusal::Malformed("its claims are not such a statement's"))?;
    // A key's word counts for as long as somebody vouched for it.
    let (key, _) = signer(&header, &parts, voucher, Timestamp::from_seconds(statement.said_at()))?;
    Ok((statement, key))
}

/// The thumbprint of the key that a statement or a context names, to look for that key where it was published.
pub fn key_named(token: &Unverified<&[u8]>) -> Option<String> {
    let parts = compact::split(token.examine()).ok()?;
    serde_json::from_slice::<Header>(&parts.header).ok().map(|header| header.kid)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::AuthorityKey;
    use super::*;
    use std::time::Duration;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Said {
        what: String,
        iat: i64,
    }

    impl Statement for Said {
        const TYPE: &'static str = "test-said+jwt";

        fn said_at(&self) -> i64 {
            self.iat
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Other {
        what: String,
        iat: i64,
    }

    impl Statement for Other {
        const TYPE: &'static str = "test-other+jwt";

        fn said_at(&self) -> i64 {
            self.iat
        }
    }

    fn heard<S: Statement>(token: &str, voucher: &Voucher<'_>) -> Result<S, &'static str> {
        hear(&Unverified::new(token.as_bytes()), voucher).map(|(said, _)| said).map_err(|refusal| refusal.reason())
    }

    #[test]
    fn a_statement_counts_by_its_own_key_and_as_nothing_else_than_it_is() {
        let (key, other) = (NodeKey::from_seed(&[1; 32]).unwrap(), NodeKey::from_seed(&[2; 32]).unwrap());
        let token = say(&Said { what: "x".into(), iat: 1 }, &key, None);
        let own = Voucher::NodeKey(key.public());
        assert_eq!(heard(&token, &own), Ok(Said { what: "x".into(), iat: 1 }));
        assert_eq!(heard::<Said>(&token, &Voucher::NodeKey(other.public())), Err("context-other-key"));
        assert_eq!(heard::<Other>(&token, &own), Err("context-wrong-header"));
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let edited = String::from_utf8(bytes).unwrap();
            assert!(heard::<Said>(&edited, &own).is_err(), "byte {at}");
        }
        assert_eq!(key_named(&Unverified::new(token.as_bytes())), Some(key.public().thumbprint()));
        assert_eq!(key_named(&Unverified::new(b"e30.e30.e30")), None);
    }

    #[test]
    fn a_certificate_counts_for_what_was_said_while_it_held() {
        let (key, authority) = (NodeKey::from_seed(&[1; 32]).unwrap(), AuthorityKey::from_seed(&[9; 32]).unwrap());
        let began = Timestamp::from_seconds(1000);
        let certificate = authority.certify(key.public(), began, Duration::from_secs(60)).as_str().to_owned();
        let (own, stranger) = ([authority.public()], [AuthorityKey::from_seed(&[8; 32]).unwrap().public()]);
        let said = |iat| say(&Said { what: "x".into(), iat }, &key, Some(certificate.clone()));
        let judged = |iat, keys: &[_]| heard::<Said>(&said(iat), &Voucher::Authority(keys)).map(|said| said.iat);
        assert_eq!(judged(1000, &own), Ok(1000));
        assert_eq!(judged(1059, &own), Ok(1059));
        assert_eq!(judged(999, &own), Err("context-not-certified"));
        assert_eq!(judged(1060, &own), Err("context-not-certified"));
        assert_eq!(judged(1000, &stranger), Err("context-not-certified"));
        let bare = say(&Said { what: "x".into(), iat: 1000 }, &key, None);
        assert_eq!(heard::<Said>(&bare, &Voucher::Authority(&own)), Err("context-not-certified"));
    }
}
