//! `token` of an `[[oidc]]` and `subject-token` of the workspace, where a cloud gives them: `azure-imds`, `gcp-metadata`,
//! `aws-web-identity`.

use std::time::Duration;

use super::defaults::{STS_LIFETIME, STS_LIFETIME_LEAST, STS_LIFETIME_MOST};
use super::reader::{At, Section};
use crate::host::http::secure;
use crate::identity::cloud_token::{AudienceFrom, AwsToken, CloudToken, StsAlgorithm};
use crate::identity::ids::Audience;
use crate::identity::node_document::region_fits;
use crate::identity::node_trust::Cloud;

/// The kinds.
pub(super) const KINDS: [(&str, Cloud); 3] =
    [("azure-imds", Cloud::Azure), ("gcp-metadata", Cloud::Gcp), ("aws-web-identity", Cloud::Aws)];

/// What the token is for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Use {
    /// To be exchanged: the settings say for whom it is.
    Exchange,
    /// To be a proof: the signed policy says it, and settings that say it as well could only contradict.
    Proof,
}

/// The rest of a section whose kind is one of [`KINDS`].
pub(super) fn cloud_token(section: &Section<'_>, cloud: Cloud, usage: Use) -> Option<CloudToken> {
    match cloud {
        Cloud::Azure => {
            let resource = section.need_text("resource").and_then(|text| filled(section, text, "resource"));
            let client_id = match section.text("client-id") {
                None => None,
                Some(text) => Some(filled(section, text, "client-id")?),
            };
            Some(CloudToken::Azure { resource: resource?, client_id })
        }
        Cloud::Gcp => audience(section, usage).map(|audience| CloudToken::Gcp { audience }),
        Cloud::Aws => {
            let audience = audience(section, usage);
            let algorithm = section.need_word("algorithm", &StsAlgorithm::WORDS);
            let lifetime = section.duration("lifetime").map_or(STS_LIFETIME, |at| lifetime(section, at));
            let region = section.text("region").map(|text| region(section, text));
            let endpoint = section.text("endpoint").map(|text| endpoint(section, text));
            let [region, endpoint] = [region, endpoint].map(|found| match found {
                None => Some(None),
                Some(found) => found.map(Some),
            });
            Some(CloudToken::Aws(AwsToken {
                audience: audience?,
                algorithm: algorithm?.value,
                lifetime,
                region: region?,
                endpoint: endpoint?,
            }))
        }
    }
}

fn audience(section: &Section<'_>, usage: Use) -> Option<AudienceFrom> {
    match usage {
        Use::Exchange => section.need_parsed::<Audience>("audience").map(|found| AudienceFrom::Settings(found.value)),
        Use::Proof => Some(AudienceFrom::Policy),
    }
}

fn filled(section: &Section<'_>, text: At<String>, key: &str) -> Option<String> {
    let fits = (1..=512).contains(&text.value.len()) && text.value.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if !fits {
        section.reader().error(text.span, format!("`{key}` must be 1 to 512 printable ASCII bytes"), "");
    }
    fits.then_some(text.value)
}

fn lifetime(section: &Section<'_>, At { value, span }: At<Duration>) -> Duration {
    if value < STS_LIFETIME_LEAST || value > STS_LIFETIME_MOST {
        section.reader().error(span, "`lifetime` must be from 60s to 3600s", "what STS gives");
    }
    value
}

fn region(section: &Section<'_>, text: At<String>) -> Option<String> {
    let fits = region_fits(&text.value);
    if !fits {
        section.reader().error(text.span, "`region` is no region", "such as us-west-2");
    }
    fits.then_some(text.value)
}

/// An origin: what is signed is a request to its root.
fn endpoint(section: &Section<'_>, text: At<String>) -> Option<String> {
    let authority = text.value.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    let fits = secure(&text.value)
        && authority.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte));
    if !fits {
        let hint = "https:// and a lower-case host, with a port where it needs one; http on loopback alone";
        section.reader().error(text.span, "`endpoint` is no origin that credentials may be sent to", hint);
    }
    fits.then_some(text.value)
}
