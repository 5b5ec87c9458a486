//! How the agent proves to an issuer that it is a client of it, with a key instead of a secret: a signed assertion about itself
//! that serves once (`private_key_jwt`: RFC 7523 §2.2 and §3, OpenID Connect Core §9).

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use zeroize::Zeroizing;

use crate::host::clock::Timestamp;

/// An assertion is good for so long: it is made for the request that carries it.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// Algorithms that an assertion can be signed with (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA over P-256 with SHA-256.
    ES256,
}

impl AssertionAlgorithm {
    /// Their words in `alg`.
    pub const WORDS: [(&'static str, Self); 3] = [("RS256", Self::RS256), ("PS256", Self::PS256), ("ES256", Self::ES256)];

    /// Its word in `alg`.
    pub fn word(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
        }
    }
}

/// How an assertion says which of the client's keys signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// `kid` (RFC 7515 §4.1.4).
    Id(String),
    /// `x5t#S256` (RFC 7515 §4.1.8): the SHA-256 of the key's certificate, base64url.
    Certificate(String),
}

/// For whom an assertion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The token endpoint (RFC 7523 §3, 3).
    TokenEndpoint,
    /// The issuer.
    Issuer,
}

/// What the settings say of a client's key besides the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionRule {
    /// What it signs with.
    pub algorithm: AssertionAlgorithm,
    /// How the issuer knows it.
    pub name: KeyName,
    /// Whom its assertions are for.
    pub audience: AssertionAudience,
}

/// A client's key. Read once; the crypto library wipes it where it is dropped.
pub struct ClientKey {
    rule: AssertionRule,
    material: Material,
}

enum Material {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    P256(EcdsaKeyPair),
}

/// Why a file is no key for an assertion; what it holds instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a private key that signs this way")]
pub struct NotAKey(pub &'static str);

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("…")
    }
}

impl ClientKey {
    /// Reads a key in PEM, as PKCS #8 (RFC 7468 §10).
    ///
    /// # Errors
    /// When it is something else, or cannot sign with the rule's algorithm.
    pub fn read(text: &[u8], rule: AssertionRule) -> Result<Self, NotAKey> {
        let der = unarmoured(text)?;
        let rsa = |encoding| match RsaKeyPair::from_pkcs8(&der) {
            Ok(pair) => Ok(Material::Rsa(pair, encoding)),
            Err(_) => Err(NotAKey("no RSA key of 2048 to 8192 bits in PKCS #8")),
        };
        let material = match rule.algorithm {
            AssertionAlgorithm::RS256 => rsa(&RSA_PKCS1_SHA256)?,
            AssertionAlgorithm::PS256 => rsa(&RSA_PSS_SHA256)?,
            AssertionAlgorithm::ES256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
                .map(Material::P256)
                .map_err(|_| NotAKey("no P-256 key in PKCS #8"))?,
        };
        let key = Self { rule, material };
        // Signing does not fail later on for a reason that could have been seen now.
        key.sign(b"").ok_or(NotAKey("a key that does not sign"))?;
        Ok(key)
    }

    /// An assertion of this client, with an id that is never used again.
    pub fn assertion(&self, client: &str, token_endpoint: &str, issuer: &str, now: Timestamp, id: [u8; 16]) -> Zeroizing<String> {
        let (named, name) = match &self.rule.name {
            KeyName::Id(id) => ("kid", id),
            KeyName::Certificate(digest) => ("x5t#S256", digest),
        };
        let audience = match self.rule.audience {
            AssertionAudience::TokenEndpoint => token_endpoint,
            AssertionAudience::Issuer => issuer,
        };
        let header = json!({ "alg": self.rule.algorithm.word(), "typ": "JWT", named: name });
        // RFC 7523 §3: the client is issuer and subject; OpenID Connect Core §9: `jti` and `exp` are required.
        let claims = json!({
            "iss": client, "sub": client, "aud": audience, "jti": crate::host::digest::hex(&id),
            "iat": now.seconds(), "exp": now.plus(GOOD_FOR).seconds(),
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut text = Zeroizing::new(format!("{}.{}", encode(&header), encode(&claims)));
        let signature = self.sign(text.as_bytes()).expect("this key signed when it was read");
        text.push('.');
        text.push_str(&URL_SAFE_NO_PAD.encode(signature));
        text
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.material {
            Material::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Material::P256(pair) => pair.sign(&random, message).ok().map(|signature| signature.as_ref().to_vec()),
        }
    }
}

/// The bytes between the lines of RFC 7468. Whoever has another form is told which.
fn unarmoured(text: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotAKey> {
    let text = std::str::from_utf8(text).map_err(|_| NotAKey("no text"))?.trim_ascii();
    let body = text.strip_prefix("-----BEGIN PRIVATE KEY-----").and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"));
    let Some(body) = body else {
        return Err(NotAKey(match text.lines().next().unwrap_or_default() {
            "-----BEGIN ENCRYPTED PRIVATE KEY-----" => "a key that is encrypted",
            "-----BEGIN RSA PRIVATE KEY-----" | "-----BEGIN EC PRIVATE KEY-----" => "a key in an older form than PKCS #8",
            "-----BEGIN PUBLIC KEY-----" | "-----BEGIN CERTIFICATE-----" => "the public half",
            "" => "nothing",
            _ => "no PEM, or more than the key",
        }));
    };
    let letters: Zeroizing<Vec<u8>> = Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    STANDARD.decode(&*letters).map(Zeroizing::new).map_err(|_| NotAKey("a body that is not base64"))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256};
    use aws_lc_rs::signature::{UnparsedPublicKey, VerificationAlgorithm};

    use super::*;

    fn armoured(label: &str, der: &[u8]) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    fn rule(algorithm: AssertionAlgorithm) -> AssertionRule {
        AssertionRule { algorithm, name: KeyName::Id("agent-1".into()), audience: AssertionAudience::TokenEndpoint }
    }

    fn keys() -> (String, Vec<u8>, String, Vec<u8>) {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        (
            armoured("PRIVATE KEY", AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref()),
            rsa.public_key().as_ref().to_vec(),
            armoured("PRIVATE KEY", ec.to_pkcs8v1().unwrap().as_ref()),
            ec.public_key().as_ref().to_vec(),
        )
    }

    #[test]
    fn an_assertion_says_of_the_client_what_rfc_7523_asks_for_and_is_good_for_a_minute() {
        let (rsa, rsa_public, ec, ec_public) = keys();
        let rows: [(AssertionAlgorithm, &str, &[u8], &dyn VerificationAlgorithm); 3] = [
            (AssertionAlgorithm::RS256, &rsa, &rsa_public, &RSA_PKCS1_2048_8192_SHA256),
            (AssertionAlgorithm::PS256, &rsa, &rsa_public, &RSA_PSS_2048_8192_SHA256),
            (AssertionAlgorithm::ES256, &ec, &ec_public, &ECDSA_P256_SHA256_FIXED),
        ];
        for (algorithm, private, public, verifies) in rows {
            let key = ClientKey::read(private.as_bytes(), rule(algorithm)).unwrap();
            let text =
                key.assertion("agent", "https://i.example/token", "https://i.example", Timestamp::from_seconds(1000), [7; 16]);
            let (signed, signature) = text.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            UnparsedPublicKey::new(verifies, public).verify(signed.as_bytes(), &signature).unwrap();
            let part =
                |part: &str| -> serde_json::Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
            let (header, claims) = signed.split_once('.').unwrap();
            assert_eq!(part(header), json!({ "alg": algorithm.word(), "typ": "JWT", "kid": "agent-1" }));
            let expected = json!({
                "iss": "agent", "sub": "agent", "aud": "https://i.example/token", "jti": "07".repeat(16), "iat": 1000, "exp": 1060,
            });
            assert_eq!(part(claims), expected);
        }
    }

    #[test]
    fn a_certificate_names_the_key_and_the_issuer_is_the_audience_where_the_settings_say_so() {
        let (.., ec, _) = keys();
        let rule = AssertionRule {
            name: KeyName::Certificate("c2hh".into()),
            audience: AssertionAudience::Issuer,
            ..rule(AssertionAlgorithm::ES256)
        };
        let key = ClientKey::read(ec.as_bytes(), rule).unwrap();
        let text = key.assertion("agent", "https://i.example/token", "https://i.example", Timestamp::from_seconds(0), [0; 16]);
        let parts: Vec<String> =
            (text.split('.').take(2)).map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect();
        assert!(parts[0].contains(r#""x5t#S256":"c2hh""#) && !parts[0].contains("kid"), "{}", parts[0]);
        assert!(parts[1].contains(r#""aud":"https://i.example""#), "{}", parts[1]);
    }

    #[test]
    fn what_is_no_such_key_is_told_by_what_it_is_instead() {
        let (rsa, _, ec, _) = keys();
        let short = armoured("PRIVATE KEY", &[0x30, 0]);
        let encrypted = armoured("ENCRYPTED PRIVATE KEY", &[0x30, 0]);
        let (old, public) = (armoured("EC PRIVATE KEY", &[0x30, 0]), armoured("PUBLIC KEY", &[0x30, 0]));
        let twice = format!("{ec}{ec}");
        for (text, algorithm, presented) in [
            (ec.as_str(), AssertionAlgorithm::RS256, "no RSA key of 2048 to 8192 bits in PKCS #8"),
            (&rsa, AssertionAlgorithm::ES256, "no P-256 key in PKCS #8"),
            (&short, AssertionAlgorithm::ES256, "no P-256 key in PKCS #8"),
            (&encrypted, AssertionAlgorithm::ES256, "a key that is encrypted"),
            (&old, AssertionAlgorithm::ES256, "a key in an older form than PKCS #8"),
            (&public, AssertionAlgorithm::ES256, "the public half"),
            ("", AssertionAlgorithm::ES256, "nothing"),
            ("hunter2", AssertionAlgorithm::ES256, "no PEM, or more than the key"),
            (&twice, AssertionAlgorithm::ES256, "a body that is not base64"),
        ] {
            assert_eq!(ClientKey::read(text.as_bytes(), rule(algorithm)).unwrap_err(), NotAKey(presented), "{presented}");
        }
        assert_eq!(ClientKey::read(b"\xff", rule(AssertionAlgorithm::ES256)).unwrap_err(), NotAKey("no text"));
    }
}
