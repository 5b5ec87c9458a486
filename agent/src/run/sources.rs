//! From settings, policy and credentials to the sources that are asked.

use crate::config::settings::{ClientSettings, ProofFrom, SecretSource, Settings, SubjectFrom, TokenFrom, WorkspaceAuth};
use crate::decision::policy::{JobSelector, Policy};
use crate::evidence::{
    Auth, Bearer, Client, ClientProof, CloudTokenSource, GraphSource, Hints, Kept, OidcSource, OpenIdIssuer, SamlSource, Source,
    SubjectToken, WorkspaceSource,
};
use crate::exit::Exit;
use crate::host::secret::Secret;
use crate::identity::client_assertion::{ClientKey, NotAKey};
use crate::identity::entra::{EntraRules, Overage, TokenVersion};
use crate::identity::ids::LocalName;
use crate::identity::trust::{OidcTrust, Provider};
use crate::screen::Screen;
use crate::wire::credentials::Credentials;

/// One source for each thing that the settings get, with the agent's own credentials for it.
pub(super) fn sources(
    settings: &Settings,
    policy: &Policy,
    credentials: &Credentials,
    hints: Hints,
    node_key: &str,
) -> Result<Vec<Source>, Screen> {
    let auth = workspace_auth(settings, credentials)?;
    let mut sources = vec![Source::Databricks(WorkspaceSource {
        host: settings.workspace.host.clone(),
        auth,
        hints,
        by_job: policy.scopes.values().filter_map(|scope| scope.jobs.as_ref()).any(JobSelector::by_job),
        granted: Kept::default(),
    })];
    for token in &settings.tokens {
        let Some(trust) = policy.trust.oidc.get(&token.name) else {
            return Err(Screen::failed(
                "issuer-unknown",
                Exit::Config,
                "the settings bring a token of an issuer that the policy does not trust",
            )
            .fact("presented issuer", &token.name)
            .hint("name it in a [[trust.oidc]] of the policy, or take it out of the settings"));
        };
        let held = |name: &str| credentials.expose(&format!("{name}:{}", token.name)).unwrap_or_default();
        sources.push(Source::Oidc(OidcSource {
            issuer: OpenIdIssuer::named_by(trust),
            token: match &token.token {
                TokenFrom::Cloud(cloud) => Bearer::Cloud(Box::new(CloudTokenSource::as_proof(cloud.clone(), trust, node_key))),
                TokenFrom::File(_) => Bearer::Given(held("oidc").to_vec()),
                TokenFrom::Client { client, scope, resource } => {
                    let proof = proof(&token.name, &client.proof, held("oidc"))?;
                    let (id, scope, resource) = (client.id.clone(), scope.clone(), resource.clone());
                    Bearer::Client(Box::new(Client { id, proof, scope, resource, granted: Kept::default() }))
                }
            },
            graph: match &token.graph {
                None => None,
                Some(client) => graph(trust, client, held("graph"))?.map(Box::new),
            },
        }));
    }
    for assertion in &settings.assertions {
        // That the policy trusts a provider of that name was checked by `bind`; if not, verifying says it.
        sources.push(Source::Saml(SamlSource {
            name: assertion.name.clone(),
            assertion: credentials.expose(&format!("saml:{}", assertion.name)).unwrap_or_default().to_vec(),
        }));
    }
    Ok(sources)
}

/// What the agent proves itself with to the workspace.
pub(super) fn workspace_auth(settings: &Settings, credentials: &Credentials) -> Result<Auth, Screen> {
    let secret = || {
        credentials.expose("workspace").and_then(Secret::new).ok_or_else(|| {
            Screen::failed("secret-malformed", Exit::Config, "the workspace secret is empty or not printable ASCII")
                .fact("expected", "one line of printable ASCII without blanks")
                .fact("presented", "something else")
        })
    };
    Ok(match &settings.workspace.auth {
        WorkspaceAuth::MachineToMachine { client_id, .. } => {
            Auth::MachineToMachine { client_id: client_id.clone(), secret: secret()? }
        }
        WorkspaceAuth::Token { .. } => Auth::Token(secret()?),
        WorkspaceAuth::TokenExchange { client_id, subject } => Auth::TokenExchange {
            client_id: client_id.clone(),
            subject: match subject {
                SubjectFrom::File(_) => SubjectToken::Given(secret()?),
                SubjectFrom::Cloud(token) => SubjectToken::Cloud(Box::new(CloudTokenSource::to_exchange(token.clone()))),
            },
        },
    })
}

/// Microsoft Graph, where the policy has it asked: that settings and policy agree on that was checked by `bind`.
fn graph(trust: &OidcTrust, client: &ClientSettings, held: &[u8]) -> Result<Option<GraphSource>, Screen> {
    let Provider::Entra(EntraRules { overage: Overage::Graph(origin), version, .. }) = &trust.provider else { return Ok(None) };
    // What is asked for has another name at each version's token endpoint.
    let (scope, resource) = match version {
        TokenVersion::V1 => (None, Some(origin.to_string())),
        TokenVersion::V2 => (Some(format!("{origin}/.default")), None),
    };
    let proof = proof(&trust.name, &client.proof, held)?;
    let client = Client { id: client.id.clone(), proof, scope, resource, granted: Kept::default() };
    Ok(Some(GraphSource { origin: origin.clone(), groups: trust.groups.clone().unwrap_or_default(), client }))
}

/// What the agent proves itself with as a client; its file is named where it is not that.
fn proof(issuer: &LocalName, from: &ProofFrom, held: &[u8]) -> Result<ClientProof, Screen> {
    let SecretSource::File(file) = from.source();
    let malformed = |headline: &'static str, expected: &str, presented: &str, hint: &'static str| {
        Screen::failed("secret-malformed", Exit::Config, headline)
            .fact("issuer", issuer)
            .fact("file", file.display())
            .fact("expected", expected)
            .fact("presented", presented)
            .hint(hint)
    };
    match from {
        ProofFrom::Secret(_) => Secret::new(held).map(ClientProof::Secret).ok_or_else(|| {
            let headline = "the secret of a client is empty or not printable ASCII";
            let hint = "write the client's secret there again, as root, alone";
            malformed(headline, "one line of printable ASCII without blanks", "something else", hint)
        }),
        ProofFrom::PrivateKey { rule, .. } => {
            ClientKey::read(held, rule.clone()).map(|key| ClientProof::PrivateKey(Box::new(key))).map_err(|NotAKey(presented)| {
                let expected = format!("a private key for {}, in PEM as PKCS #8, alone and not encrypted", rule.algorithm.word());
                let hint = "`openssl pkcs8 -topk8 -nocrypt` writes this form; write it there again, as root";
                malformed("the key of a client is not one that signs its assertions", &expected, presented, hint)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::client_assertion::{AssertionAlgorithm, AssertionAudience, AssertionRule, KeyName};

    #[test]
    fn a_file_that_is_no_key_is_named_and_nothing_of_it_is_shown() {
        let name = LocalName::try_from("okta").unwrap();
        let file = || SecretSource::File("/etc/client".into());
        let (algorithm, audience) = (AssertionAlgorithm::ES256, AssertionAudience::Issuer);
        let rule = AssertionRule { algorithm, name: KeyName::Id("agent-1".into()), audience };
        let key = ProofFrom::PrivateKey { key: file(), rule };
        for (from, held, presented) in [
            (key, "hunter2-secret", "no PEM, or more than the key"),
            (ProofFrom::Secret(file()), "hunter2 secret", "something else"),
        ] {
            let screen = proof(&name, &from, held.as_bytes()).unwrap_err();
            let text = screen.to_string();
            assert_eq!((screen.reason.as_ref(), screen.exit), ("secret-malformed", Exit::Config));
            assert!(text.contains("/etc/client") && text.contains(presented) && !text.contains("hunter2"), "{text}");
        }
    }
}
