//! What must hold between settings and policy: each required token or assertion has a source, and each source an issuer.

use super::settings::{Authority, Settings};
use crate::decision::environment::MetadataService;
use crate::decision::policy::{Enforcement, Policy};
use crate::decision::{IMDS_OPEN, METADATA_HINT};
use crate::exit::Exit;
use crate::identity::entra::{EntraRules, Overage};
use crate::identity::ids::LocalName;
use crate::identity::node_trust::{Cloud, NodeTrust};
use crate::identity::trust::{OidcTrust, ProofKind, Provider};
use crate::screen::Screen;

/// Why settings and policy do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingRefusal {
    /// The policy requires a token that the settings get from nowhere.
    #[error("the policy requires a token and the settings do not say where it comes from")]
    SourceMissing(String),
    /// The policy requires a cloud's word and the settings ask none, or another one.
    #[error("the policy requires the word of a cloud that the settings do not ask")]
    CloudMissing {
        /// The policy's.
        expected: &'static str,
        /// The settings'.
        presented: &'static str,
    },
    /// The settings ask a cloud that the policy does not trust.
    #[error("the settings ask a cloud that the policy does not trust")]
    CloudUnknown {
        /// The policy's.
        expected: &'static str,
        /// The settings'.
        presented: &'static str,
    },
    /// The node key is certified by an issuer, and no evidence of the machine is asked for.
    #[error("an issuer certifies this node's key by the cloud's word, and the settings ask no cloud")]
    IssuerWithoutCloud,
    /// The settings get a token of an issuer that the policy does not trust.
    #[error("the settings name a token of an issuer that the policy does not know")]
    SourceUnknown(String),
    /// The policy requires an assertion that the settings get from nowhere.
    #[error("the policy requires an assertion and the settings do not say where it comes from")]
    AssertionMissing(String),
    /// The policy has Microsoft Graph asked for groups and the settings have no client for it.
    #[error("the policy resolves groups through Microsoft Graph and the settings do not say as which client")]
    GraphClientMissing(String),
    /// The settings have a client for Microsoft Graph and the policy does not ask it.
    #[error("the settings name a client of Microsoft Graph that the policy has nothing asked of")]
    GraphClientUnused(String),
    /// The settings get something with a cloud's token, and jobs of every scope could get the same.
    #[error("jobs of every scope could ask the cloud's metadata service for what the agent proves itself with")]
    MetadataOpen(Vec<String>),
    /// The settings get an assertion of a provider that the policy does not trust.
    #[error("the settings name an assertion of a provider that the policy does not know")]
    AssertionUnknown(String),
}

impl BindingRefusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::SourceMissing(_) => "token-source-missing",
            Self::SourceUnknown(_) => "token-source-unknown",
            Self::AssertionMissing(_) => "assertion-source-missing",
            Self::AssertionUnknown(_) => "assertion-source-unknown",
            Self::GraphClientMissing(_) => "graph-client-missing",
            Self::GraphClientUnused(_) => "graph-client-unused",
            Self::MetadataOpen(_) => IMDS_OPEN,
            Self::CloudMissing { .. } => "node-document-missing",
            Self::CloudUnknown { .. } => "node-document-untrusted",
            Self::IssuerWithoutCloud => "issuer-without-node-document",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        // One name, one exit: what is seen here is what the node would be refused for.
        let exit = if let Self::MetadataOpen(_) = self { Exit::RefusedFloor } else { Exit::Config };
        let screen = Screen::refused(self.reason(), exit, self.to_string());
        match self {
            Self::SourceMissing(kind) => screen
                .fact("expected token", kind)
                .fact("presented", "no source of it")
                .hint("add an [[oidc]] of that name to the settings"),
            Self::CloudMissing { expected, presented } | Self::CloudUnknown { expected, presented } => screen
                .fact("expected cloud", expected)
                .fact("presented cloud", presented)
                .hint("`kind` of [node-document] in the settings and of [trust.node] in the policy must be the same"),
            Self::IssuerWithoutCloud => screen
                .fact("expected", "a [node-document] beside `authority.kind = \"issuer\"`")
                .fact("presented", "none")
                .hint("name this cloud in [node-document] of the settings and in [trust.node] of the policy"),
            Self::SourceUnknown(name) => screen
                .fact("expected issuer", "one that the policy trusts")
                .fact("presented issuer", name)
                .hint("its name must be the name of a [[trust.oidc]] of the policy"),
            Self::GraphClientMissing(name) => screen
                .fact("expected", format!("a client of Microsoft Graph for {name}"))
                .fact("presented", "none")
                .hint("add `graph = { client-id = …, secret = … }` to the [[oidc]] of that name in the settings"),
            Self::GraphClientUnused(name) => screen
                .fact("expected", format!("`overage = \"graph\"` in the policy's [[trust.oidc]] of {name}"))
                .fact("presented", "none")
                .hint(
                    "say so in the signed policy, or take `graph` out of the settings: what is not needed is not kept on a node",
                ),
            Self::MetadataOpen(sources) => screen
                .fact("expected", "metadata-service = \"closed\" or \"closed-elsewhere\" in the environments of the policy")
                .fact("presented", format!("\"open\" in each, and a cloud's token behind {}", sources.join(", ")))
                .hint(METADATA_HINT),
            Self::AssertionMissing(kind) => screen
                .fact("expected assertion", kind)
                .fact("presented", "no source of it")
                .hint("add a [[saml]] of that name to the settings"),
            Self::AssertionUnknown(name) => screen
                .fact("expected provider", "one that the policy trusts")
                .fact("presented provider", name)
                .hint("its name must be the name of a [[trust.saml]] of the policy"),
        }
    }
}

/// Scopes whose jobs a node would be refused for: they could ask for the same cloud's token as the agent.
pub fn scopes_left_open<'p>(settings: &Settings, policy: &'p Policy) -> Vec<&'p LocalName> {
    if settings.by_cloud_token().is_empty() || policy.enforcement == Enforcement::Observe {
        return Vec::new();
    }
    let open = |environment: &LocalName| {
        policy.environments.get(environment).is_none_or(|found| found.kernel.metadata_service == MetadataService::Open)
    };
    policy.scopes.iter().filter(|(_, scope)| open(&scope.environment)).map(|(name, _)| name).collect()
}

/// Checks that every required token and assertion has a source and every source an issuer.
///
/// # Errors
/// The first that does not fit.
pub fn bind(settings: &Settings, policy: &Policy) -> Result<(), BindingRefusal> {
    for kind in &policy.trust.require {
        match kind {
            ProofKind::Oidc(name) if !settings.tokens.iter().any(|source| source.name == *name) => {
                return Err(BindingRefusal::SourceMissing(kind.to_string()));
            }
            ProofKind::Saml(name) if !settings.assertions.iter().any(|source| source.name == *name) => {
                return Err(BindingRefusal::AssertionMissing(kind.to_string()));
            }
            // The cloud is one, and compared below.
            ProofKind::Databricks | ProofKind::Node | ProofKind::Oidc(_) | ProofKind::Saml(_) => {}
        }
    }
    let asked = settings.node_document.map(|source| source.cloud);
    let trusted = policy.trust.node.as_ref().map(NodeTrust::cloud);
    let word = |cloud: Option<Cloud>| cloud.map_or("none", Cloud::word);
    let (expected, presented) = (word(trusted), word(asked));
    if policy.trust.require.contains(&ProofKind::Node) && asked != trusted {
        return Err(BindingRefusal::CloudMissing { expected, presented });
    }
    if asked.is_none() && matches!(settings.authority, Authority::Issuer { .. }) {
        return Err(BindingRefusal::IssuerWithoutCloud);
    }
    if asked.is_some() && asked != trusted {
        return Err(BindingRefusal::CloudUnknown { expected, presented });
    }
    if let Some(source) = settings.tokens.iter().find(|source| !policy.trust.oidc.contains_key(&source.name)) {
        return Err(BindingRefusal::SourceUnknown(source.name.to_string()));
    }
    for source in &settings.tokens {
        let asked = policy.trust.oidc.get(&source.name).is_some_and(asks_graph);
        match (&source.graph, asked) {
            (None, true) => return Err(BindingRefusal::GraphClientMissing(source.name.to_string())),
            (Some(_), false) => return Err(BindingRefusal::GraphClientUnused(source.name.to_string())),
            (None, false) | (Some(_), true) => {}
        }
    }
    if let Some(source) = settings.assertions.iter().find(|source| !policy.trust.saml.contains_key(&source.name)) {
        return Err(BindingRefusal::AssertionUnknown(source.name.to_string()));
    }
    let left_open = scopes_left_open(settings, policy).len();
    if left_open > 0 && left_open == policy.scopes.len() {
        return Err(BindingRefusal::MetadataOpen(settings.by_cloud_token()));
    }
    Ok(())
}

fn asks_graph(trust: &OidcTrust) -> bool {
    matches!(&trust.provider, Provider::Entra(EntraRules { overage: Overage::Graph(_), .. }))
}
