//! What the name of an issuer says of the provider behind it: tenants of Microsoft Entra ID and authorisation servers of Okta have
//! rules of their own, and names that no policy may trust.

use super::reader::{At, Section};
use crate::identity::entra::{EntraRules, GRAPH_AUDIENCES, GRAPH_HOSTS, Overage, PERSONAL, TokenVersion};
use crate::identity::ids::{Audience, DirectoryId, GraphOrigin, Issuer};
use crate::identity::trust::Provider;

/// Hosts of issuers of Entra ID, of the world and of the national clouds.
const ENTRA: [(&str, TokenVersion); 5] = [
    ("login.microsoftonline.com", TokenVersion::V2),
    ("login.microsoftonline.us", TokenVersion::V2),
    ("login.partner.microsoftonline.cn", TokenVersion::V2),
    ("sts.windows.net", TokenVersion::V1),
    ("sts.chinacloudapi.cn", TokenVersion::V1),
];
/// Domains of Okta's organisations.
const OKTA: [&str; 5] = [".okta.com", ".oktapreview.com", ".okta-emea.com", ".okta-gov.com", ".okta.mil"];
/// Authorities that stand for many tenants.
const OF_MANY: [&str; 3] = ["common", "organizations", "consumers"];

pub(super) fn provider(section: &Section<'_>, issuer: Option<&At<Issuer>>, audience: Option<&At<Audience>>) -> Option<Provider> {
    let Some(issuer) = issuer else {
        ["overage", "graph-host"].into_iter().for_each(|key| section.known(key));
        return None;
    };
    let rest = issuer.value.as_str().strip_prefix("https://").unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.to_ascii_lowercase();
    if let Some((_, version)) = ENTRA.iter().find(|(known, _)| *known == host) {
        let rules = entra(section, issuer, path, *version);
        for_graph(section, audience);
        return rules.map(Provider::Entra);
    }
    if let Some(span) = section.place("overage").or(section.place("graph-host")) {
        ["overage", "graph-host"].into_iter().for_each(|key| section.known(key));
        section.reader().error(span, "only tenants of Entra ID have groups in Microsoft Graph", "take it out");
    }
    if OKTA.iter().any(|domain| host.ends_with(domain)) {
        return okta(section, issuer, path).then_some(Provider::Okta);
    }
    Some(Provider::Standard)
}

/// Access tokens of the organisation's own server are opaque to everybody but Okta: their form may change at any time.
fn okta(section: &Section<'_>, issuer: &At<Issuer>, path: &str) -> bool {
    let custom = path.strip_prefix("oauth2/").is_some_and(|id| !id.is_empty() && !id.contains('/'));
    if !custom {
        section.reader().error(
            issuer.span.clone(),
            "tokens of Okta's org authorisation server are for Okta alone",
            "name a custom authorisation server: https://ORG.okta.com/oauth2/ID, or `default` in the place of its id",
        );
    }
    custom
}

fn entra(section: &Section<'_>, issuer: &At<Issuer>, path: &str, version: TokenVersion) -> Option<EntraRules> {
    let overage = overage(section);
    let error = |message: String, hint: &str| section.reader().error(issuer.span.clone(), message, hint);
    let (tenant, form) = match version {
        TokenVersion::V1 => (path.strip_suffix('/'), "https://sts.windows.net/TENANT/"),
        TokenVersion::V2 => (path.strip_suffix("/v2.0"), "https://login.microsoftonline.com/TENANT/v2.0"),
    };
    let tenant = tenant.unwrap_or(path);
    if OF_MANY.contains(&tenant.split('/').next().unwrap_or_default()) {
        error(
            format!("`{}` stands for many tenants", tenant.split('/').next().unwrap_or_default()),
            "name the issuer of your tenant, by its id",
        );
        return None;
    }
    if tenant == PERSONAL {
        error("this is the tenant of personal Microsoft accounts: anybody's".to_owned(), "name the issuer of your tenant");
        return None;
    }
    let exact = match version {
        TokenVersion::V1 => format!("{tenant}/"),
        TokenVersion::V2 => format!("{tenant}/v2.0"),
    };
    match DirectoryId::try_from(tenant) {
        Ok(tenant) if path == exact => Some(EntraRules { tenant, version, overage: overage? }),
        Ok(_) | Err(_) => {
            error(
                format!("no issuer of Entra ID has this name: it is {form}"),
                "byte for byte as `iss` has it, with the tenant's id in lower case",
            );
            None
        }
    }
}

/// `overage = "graph"` with its `graph-host`; without it such tokens are refused.
fn overage(section: &Section<'_>) -> Option<Overage> {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Refuse,
        Graph,
    }
    let kind = match section.place("overage") {
        None => Kind::Refuse,
        Some(_) => section.need_word("overage", &[("refuse", Kind::Refuse), ("graph", Kind::Graph)])?.value,
    };
    if kind == Kind::Refuse {
        if let Some(span) = section.place("graph-host") {
            section.known("graph-host");
            section.reader().error(span, "`graph-host` says nothing without `overage = \"graph\"`", "say so, or take it out");
        }
        return Some(Overage::Refuse);
    }
    if section.place("groups").is_none() {
        let span = section.place("overage").unwrap_or(section.span.clone());
        section.reader().error(
            span,
            "`overage` says nothing without `groups`",
            "name the claim that holds groups: `groups = \"groups\"`",
        );
    }
    let host = section.need_text("graph-host")?;
    let known = GRAPH_HOSTS.contains(&host.value.as_str());
    match GraphOrigin::try_from(format!("https://{}", host.value).as_str()) {
        Ok(origin) if known => Some(Overage::Graph(origin)),
        Ok(_) | Err(_) => {
            section.reader().error(host.span, "not a host of Microsoft Graph", format!("known: {}", GRAPH_HOSTS.join(", ")));
            None
        }
    }
}

/// Tokens for Microsoft Graph are signed so that Graph alone can check them.
fn for_graph(section: &Section<'_>, audience: Option<&At<Audience>>) {
    if let Some(audience) = audience.filter(|audience| GRAPH_AUDIENCES.contains(&audience.value.as_str().trim_end_matches('/'))) {
        let hint = "register an application of your own and name its id, or its application id URI";
        section.reader().error(audience.span.clone(), "tokens for Microsoft Graph can be checked by Graph alone", hint);
    }
}
