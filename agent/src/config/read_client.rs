//! `[[oidc]]`: `token`, a file, the agent's own registration with the issuer, or a cloud's token; `graph`, its registration for
//! Microsoft Graph.

use super::read_cloud_token::{KINDS, Use, cloud_token};
use super::read_settings::secret;
use super::reader::{At, Section};
use super::settings::{ClientSettings, ProofFrom, TokenFrom};
use crate::identity::client_assertion::{AssertionAlgorithm, AssertionAudience, AssertionRule, KeyName};
use crate::identity::node_trust::Cloud;

/// `token`, and `graph` where it stands.
pub(super) fn token_source(section: &Section<'_>) -> Option<(TokenFrom, Option<ClientSettings>)> {
    let token = section.need_table("token").and_then(token);
    let graph = section.table("graph").map(|graph| {
        let found = client(&graph);
        graph.finish();
        found
    });
    let graph = match graph {
        None => None,
        Some(found) => Some(found?),
    };
    Some((token?, graph))
}

fn token(section: Section<'_>) -> Option<TokenFrom> {
    #[derive(Clone, Copy)]
    enum Kind {
        File,
        Client,
        Cloud(Cloud),
    }
    let [azure, gcp, aws] = KINDS.map(|(word, cloud)| (word, Kind::Cloud(cloud)));
    let kind = section.need_word("kind", &[("file", Kind::File), ("client-credentials", Kind::Client), azure, gcp, aws])?;
    let found = match kind.value {
        Kind::File => return secret(section).map(TokenFrom::File),
        Kind::Client => {
            let client = client(&section);
            let [scope, resource] = ["scope", "resource"].map(|name| section.text(name).map(|text| text.value));
            client.map(|client| TokenFrom::Client { client, scope, resource })
        }
        Kind::Cloud(cloud) => cloud_token(&section, cloud, Use::Proof).map(TokenFrom::Cloud),
    };
    section.finish();
    found
}

/// `client-id` with `secret` or `private-key-jwt`.
fn client(section: &Section<'_>) -> Option<ClientSettings> {
    let id = section.need_text("client-id");
    let proof = match section.place("private-key-jwt") {
        None => section.need_table("secret").and_then(secret).map(ProofFrom::Secret),
        Some(_) => {
            if let Some(span) = section.place("secret") {
                section.known("secret");
                section.reader().error(span, "a client has a `secret` or a `private-key-jwt`", "take one of them out");
            }
            section.need_table("private-key-jwt").and_then(private_key)
        }
    };
    Some(ClientSettings { id: id?.value, proof: proof? })
}

fn private_key(section: Section<'_>) -> Option<ProofFrom> {
    let key = section.need_table("key").and_then(secret);
    let algorithm = section.need_word("algorithm", &AssertionAlgorithm::WORDS);
    let name = key_name(&section);
    let words = [("token-endpoint", AssertionAudience::TokenEndpoint), ("issuer", AssertionAudience::Issuer)];
    let audience = section.need_word("audience", &words);
    section.finish();
    let rule = AssertionRule { algorithm: algorithm?.value, name: name?, audience: audience?.value };
    Some(ProofFrom::PrivateKey { key: key?, rule })
}

/// `kid` or `x5t-s256`: without either an issuer would have to try each of the client's keys.
fn key_name(section: &Section<'_>) -> Option<KeyName> {
    let (id, certificate) = (section.text("kid"), section.text("x5t-s256"));
    match (id, certificate) {
        (Some(id), None) => {
            let fits = (1..=256).contains(&id.value.len());
            if !fits {
                section.reader().error(
                    id.span,
                    "`kid` must be of 1 to 256 bytes",
                    "the id under which the issuer holds the public key",
                );
                return None;
            }
            Some(KeyName::Id(id.value))
        }
        (None, Some(At { value, span })) => {
            // 32 bytes in base64url without padding (RFC 7515 §4.1.8).
            let fits = value.len() == 43 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            if !fits {
                section.reader().error(
                    span,
                    "`x5t-s256` is no SHA-256 in base64url",
                    "43 letters, digits, - and _: of the certificate in DER",
                );
                return None;
            }
            Some(KeyName::Certificate(value))
        }
        (Some(_), Some(both)) => {
            section.reader().error(both.span, "a key has a `kid` or an `x5t-s256`", "name it as the issuer does");
            None
        }
        (None, None) => {
            let hint = "or `x5t-s256`, for Entra ID: how the issuer knows which of the client's keys signed";
            section.reader().error(section.span.clone(), "`kid` is missing", hint);
            None
        }
    }
}
