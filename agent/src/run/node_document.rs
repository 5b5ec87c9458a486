//! The cloud's metadata service as a source, where the settings ask it: under this node key's name.

use crate::config::settings::Settings;
use crate::context::NodeKey;
use crate::decision::policy::Policy;
use crate::evidence::{GoogleIssuer, NodeDocumentSource, OpenIdIssuer};
use crate::identity::node_trust::NodeTrust;

/// What is asked, where anything is. That policy and settings name the same cloud was checked before.
pub(super) fn source(settings: &Settings, policy: &Policy, key: &NodeKey) -> Option<NodeDocumentSource> {
    let asked = settings.node_document?;
    let (node_key, issuer) = (key.public().thumbprint(), google(policy));
    Some(NodeDocumentSource { cloud: asked.cloud, timeout: asked.timeout, node_key, issuer })
}

/// Where Google's tokens are checked, where the policy trusts that cloud.
pub(super) fn google(policy: &Policy) -> Option<GoogleIssuer> {
    match &policy.trust.node {
        Some(NodeTrust::Gcp(trust)) => {
            let source = OpenIdIssuer::named_by(&trust.issuer);
            Some(GoogleIssuer { source, audience: trust.issuer.audience.to_string() })
        }
        Some(NodeTrust::Aws(_) | NodeTrust::Azure(_)) | None => None,
    }
}
