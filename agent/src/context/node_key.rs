//! The node key: Ed25519, made in memory for one boot, held by the keeper, never written.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::host::random::Random;

/// Why bytes are not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes, or refused by the crypto library.
    #[error("not an Ed25519 key")]
    NotEd25519,
    /// Not a JWK of an Ed25519 public key (RFC 8037 §2).
    #[error("not a JWK with kty OKP, crv Ed25519 and a 32-byte x (RFC 8037)")]
    NotJwk,
}

/// The private half.
pub struct NodeKey {
    pair: Ed25519KeyPair,
    public: NodePublicKey,
}

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "NodeKey({})", self.public.thumbprint())
    }
}

impl NodeKey {
    /// Draws a new seed. The caller keeps it where it survives the sidecar and nothing else can read it.
    pub fn draw_seed(random: &dyn Random) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0u8; 32]);
        random.fill(seed.as_mut());
        seed
    }

    /// The key of a seed.
    ///
    /// # Errors
    /// When the crypto library refuses it.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::NotEd25519)?;
        let public = NodePublicKey::from_bytes(pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    /// The public half.
    pub fn public(&self) -> &NodePublicKey {
        &self.public
    }

    /// Signs `message` (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair.sign(message).as_ref().try_into().expect("an Ed25519 signature is 64 bytes long")
    }
}

/// The public half of an Ed25519 key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePublicKey([u8; 32]);

impl NodePublicKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// When there are not exactly 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        bytes.try_into().map(Self).map_err(|_| KeyError::NotEd25519)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As a JWK with its members in lexicographic order: the very bytes that RFC 7638 §3 digests.
    pub fn to_jwk(&self) -> String {
        format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(self.0))
    }

    /// From a JWK. Members other than `crv`, `kty` and `x` are ignored, a private `d` is refused.
    ///
    /// # Errors
    /// When it is not a JWK of an Ed25519 public key.
    pub fn from_jwk(text: &[u8]) -> Result<Self, KeyError> {
        #[derive(serde::Deserialize)]
        struct Jwk {
            kty: String,
            crv: String,
            x: String,
            d: Option<serde_json::Value>,
        }
        let Jwk { kty, crv, x, d } = serde_json::from_slice(text).map_err(|_| KeyError::NotJwk)?;
        if d.is_some() { Err(KeyError::NotJwk) } else { StrictJwk { crv, kty, x }.key() }
    }

    /// RFC 7638 thumbprint: SHA-256, base64url.
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.to_jwk().as_bytes()))
    }

    /// Whether `signature` over `message` is this key's.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

/// A public key as our own tokens carry it: these members and no other (RFC 8037 §2).
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct StrictJwk {
    crv: String,
    kty: String,
    x: String,
}

impl StrictJwk {
    /// Of a key.
    pub fn of(key: &NodePublicKey) -> Self {
        Self { crv: "Ed25519".into(), kty: "OKP".into(), x: URL_SAFE_NO_PAD.encode(key.0) }
    }

    /// The key.
    ///
    /// # Errors
    /// When it is not an Ed25519 key.
    pub fn key(&self) -> Result<NodePublicKey, KeyError> {
        if self.kty != "OKP" || self.crv != "Ed25519" {
            return Err(KeyError::NotJwk);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.x).map_err(|_| KeyError::NotJwk)?;
        NodePublicKey::from_bytes(&bytes).map_err(|_| KeyError::NotJwk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8037 appendix A.1 and A.3.
    const RFC_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const RFC_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        let key = NodePublicKey::from_jwk(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{RFC_X}"}}"#).as_bytes()).unwrap();
        assert_eq!(key.thumbprint(), RFC_THUMBPRINT);
        assert_eq!(NodePublicKey::from_jwk(key.to_jwk().as_bytes()).unwrap(), key);
    }

    #[test]
    fn a_private_or_foreign_jwk_is_not_a_node_key() {
        for jwk in [
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{RFC_X}","d":"AA"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{RFC_X}"}}"#),
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#.to_owned(),
            "{}".to_owned(),
            String::new(),
        ] {
            assert_eq!(NodePublicKey::from_jwk(jwk.as_bytes()), Err(KeyError::NotJwk), "{jwk}");
        }
    }
}
