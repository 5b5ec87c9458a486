//! Whose machines each policy lets in. As sets of statements: one more of any lets more in.

use std::collections::BTreeSet;

use super::{Effect, Lines, texts};
use crate::identity::node_trust::{AwsTrust, AzureTrust, Certificate, GcpTrust, NodeTrust};
use crate::identity::trust::OidcTrust;

pub(super) fn compare(lines: &mut Lines, old: Option<&NodeTrust>, new: Option<&NodeTrust>) {
    for ((key, old), (_, new)) in statements(old).iter().zip(&statements(new)) {
        lines.set(key, old, new, Effect::Weaker);
    }
    if let (Some(NodeTrust::Aws(old)), Some(NodeTrust::Aws(new))) = (old, new) {
        lines.ordered("node.max-age", old.max_age, new.max_age, |age| format!("{age:?}"), Effect::Weaker);
    }
}

fn statements(trust: Option<&NodeTrust>) -> [(&'static str, BTreeSet<String>); 4] {
    let of = |what: &str, certificates: &[Certificate]| -> Vec<String> {
        certificates.iter().map(|certificate| format!("{what} {} {}", certificate.serial(), certificate.digest())).collect()
    };
    let (kind, owners, signers, rules) = match trust {
        None => (None, BTreeSet::new(), Vec::new(), Vec::new()),
        Some(NodeTrust::Aws(AwsTrust { accounts, certificates, max_age: _ })) => {
            let signers = certificates.iter().flat_map(|(region, of_region)| of(region, of_region)).collect();
            (Some("aws"), accounts.clone(), signers, Vec::new())
        }
        Some(NodeTrust::Azure(AzureTrust { subscriptions, roots, intermediates, names })) => {
            let signers = [of("root", roots), of("intermediate", intermediates)].concat();
            (Some("azure"), subscriptions.clone(), signers, names.iter().cloned().collect())
        }
        Some(NodeTrust::Gcp(trust)) => {
            let GcpTrust { projects, issuer } = &**trust;
            let OidcTrust {
                issuer,
                jwks_hosts,
                audience,
                algorithms,
                types,
                name: _,
                groups: _,
                subject: _,
                provider: _,
                node_key: _,
            } = issuer;
            let mut rules = vec![format!("issuer {issuer}"), format!("audience {audience}")];
            rules.extend(jwks_hosts.iter().map(|host| format!("jwks-host {host}")));
            rules.extend(algorithms.iter().map(|algorithm| format!("algorithm {algorithm:?}")));
            rules.extend(types.iter().map(|one| format!("type {one}")));
            (Some("gcp"), projects.clone(), Vec::new(), rules)
        }
    };
    [
        ("node.kind", texts(kind)),
        ("node.owners", owners),
        ("node.signers", signers.into_iter().collect()),
        ("node.rules", rules.into_iter().collect()),
    ]
}
