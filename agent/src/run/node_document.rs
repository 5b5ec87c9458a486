//! The cloud's metadata service as a source, where the settings ask it: under this node key's name.

use crate::config::settings::Settings;
use crate::context::NodeKey;
use crate::decision::policy::Policy;
use crate::evidence::{GoogleIssuer, NodeDocumentSource, OidcSource};
use crate::identity::node_trust::NodeTrust;

/// What is asked, where anything is. That policy and settings name the same cloud was checked before.
pub(super) fn source(settings: &Settings, policy: &Policy, key: &NodeKey) -> Option<NodeDocumentSource> {
    let asked = settings.node_document?;
    let issuer = match &policy.trust.node {
        Some(NodeTrust::Gcp(trust)) => {
            let issuer = &trust.issuer;
            let source = OidcSource {
                name: issuer.name.clone(),
                issuer: issuer.issuer.clone(),
                jwks_hosts: issuer.jwks_hosts.iter().cloned().collect(),
                token: Vec::new(),
            };
            Some(GoogleIssuer { source, audience: issuer.audience.to_string() })
        }
        Some(NodeTrust::Aws(_) | NodeTrust::Azure(_)) | None => None,
    };
    Some(NodeDocumentSource { cloud: asked.cloud, timeout: asked.timeout, node_key: key.public().thumbprint(), issuer })
}
