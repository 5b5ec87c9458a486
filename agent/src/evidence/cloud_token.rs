//! A cloud's own token about the agent: no secret is stored anywhere, and none is kept but what serves again. Asked for at the
//! metadata service; Amazon's is then given by STS for the credentials of the machine's role.

use std::sync::Arc;
use std::time::Duration;

use super::answers::{self, RoleAnswer};
use super::databricks::percent_encode;
use super::failure::Failure;
use super::kept::Kept;
use super::metadata::{Busy, GOOGLE, Service, good, shown, unintelligible};
use super::sts;
use crate::host::http::Http;
use crate::host::metadata::MetadataAnswer;
use crate::host::retry::Deadline;
use crate::host::secret::Secret;
use crate::identity::cloud_token::{AudienceFrom, AwsToken, CloudToken, audience_of};
use crate::identity::node_document::region_fits;
use crate::identity::trust::OidcTrust;

/// For one try. A managed identity's first token is fetched behind the service, which takes its time.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Azure answers this as well while its service is updated; the others never do.
const AZURE_BUSY: &[u16] = &[404];

/// A cloud's token, and for whom it is.
#[derive(Debug)]
pub struct CloudTokenSource {
    token: CloudToken,
    /// For Amazon and Google.
    audience: String,
    /// The node key's thumbprint, where the token is a proof.
    node_key: Option<String>,
    /// Amazon's, while it is fresh: it comes over the network.
    granted: Kept<Secret>,
}

impl CloudTokenSource {
    /// A token that is exchanged: the settings say for whom.
    pub fn to_exchange(token: CloudToken) -> Self {
        let audience = match &token {
            CloudToken::Gcp { audience: AudienceFrom::Settings(audience) }
            | CloudToken::Aws(AwsToken { audience: AudienceFrom::Settings(audience), .. }) => audience.to_string(),
            // The settings' reader lets none through without.
            CloudToken::Gcp { .. } | CloudToken::Aws(_) | CloudToken::Azure { .. } => String::new(),
        };
        Self { token, audience, node_key: None, granted: Kept::default() }
    }

    /// A token that is a proof: the policy says for whom, and whether it carries the node key there.
    pub fn as_proof(token: CloudToken, trust: &OidcTrust, node_key: &str) -> Self {
        Self { token, audience: audience_of(trust, node_key), node_key: Some(node_key.to_owned()), granted: Kept::default() }
    }

    /// Drops what is kept: somebody does not take it.
    pub(super) fn forget(&self) {
        self.granted.forget();
    }
}

/// The token.
///
/// # Errors
/// When it cannot be had.
pub(super) async fn ask(http: &Http, source: &CloudTokenSource, deadline: &Deadline<'_>) -> Result<Arc<Secret>, Failure> {
    let service = |also| Service { http, timeout: TIMEOUT, deadline, busy: Busy::UntilDeadline(also) };
    match &source.token {
        CloudToken::Azure { resource, client_id } => {
            azure(&service(AZURE_BUSY), resource, client_id.as_deref()).await.map(Arc::new)
        }
        CloudToken::Gcp { .. } => gcp(&service(&[]), &source.audience).await.map(Arc::new),
        CloudToken::Aws(token) => {
            if let Some(granted) = source.granted.fresh(deadline.clock.boot()) {
                return Ok(granted);
            }
            let role = role(&service(&[]), token).await?;
            let wish = sts::Wish {
                audience: &source.audience,
                algorithm: token.algorithm.word(),
                lifetime: token.lifetime,
                node_key: source.node_key.as_deref(),
            };
            let given = sts::web_identity_token(http, &role, &wish, deadline).await?;
            Ok(source.granted.put(given, deadline.clock.boot(), token.lifetime * 4 / 5, Duration::ZERO))
        }
    }
}

/// An access token of a managed identity.
async fn azure(service: &Service<'_>, resource: &str, client_id: Option<&str>) -> Result<Secret, Failure> {
    let identity = client_id.map(|id| format!("&client_id={}", percent_encode(id))).unwrap_or_default();
    let path = format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}{identity}", percent_encode(resource));
    let answer = service.azure(&path).await?;
    if let (400 | 401 | 403, Some(said)) = (answer.status, answers::azure_error(&answer.body)) {
        return Err(refused(&path, answer.status, Some(said)));
    }
    let answer = good(answer, &path)?;
    answers::access_token(&answer.body).ok_or_else(|| unintelligible(&path, "no access_token"))
}

/// An identity token of the machine's service account.
async fn gcp(service: &Service<'_>, audience: &str) -> Result<Secret, Failure> {
    let answer = service.google_identity(audience).await?;
    // Google's it is: the machine has no service account, or that one may not.
    if let status @ (403 | 404) = answer.status {
        return Err(refused(GOOGLE, status, None));
    }
    let answer = good(answer, GOOGLE)?;
    Secret::new(answer.body.trim_ascii()).ok_or_else(|| unintelligible(GOOGLE, "no token"))
}

/// Credentials of the machine's role, and whose STS they are for.
async fn role(service: &Service<'_>, token: &AwsToken) -> Result<sts::Role, Failure> {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    const REGION: &str = "/latest/meta-data/placement/region";
    let session = service.aws_session().await?;
    let named = service.aws(ROLES, &session).await?;
    // AWS's it is, for it opened a session: the machine has no instance profile.
    if named.status == 404 {
        return Err(refused(ROLES, 404, None));
    }
    let named = good(named, ROLES)?;
    let name = std::str::from_utf8(&named.body).unwrap_or_default().lines().next().unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(unintelligible(ROLES, "no name of a role"));
    }
    let path = format!("{ROLES}{name}");
    let answer = good(service.aws(&path, &session).await?, &path)?;
    let [access_key, secret_key, session_token] = credentials(&answer, &path)?;
    let region = match &token.region {
        Some(region) => region.clone(),
        None => {
            let answer = good(service.aws(REGION, &session).await?, REGION)?;
            let region = std::str::from_utf8(answer.body.trim_ascii()).unwrap_or_default();
            let region = Some(region).filter(|region| region_fits(region));
            region.ok_or_else(|| unintelligible(REGION, "no name of a region"))?.to_owned()
        }
    };
    let endpoint = token.endpoint.clone().unwrap_or_else(|| sts::endpoint(&region));
    Ok(sts::Role { access_key, secret_key, session_token, region, endpoint })
}

fn credentials(answer: &MetadataAnswer, path: &str) -> Result<[Secret; 3], Failure> {
    match answers::role(&answer.body).ok_or_else(|| unintelligible(path, "no credentials"))? {
        RoleAnswer::Held(credentials) => Ok(credentials),
        RoleAnswer::NotAssumed(said) => Err(refused(path, answer.status, said)),
        RoleAnswer::NotWhole => Err(unintelligible(path, "credentials that are not whole")),
    }
}

/// The machine has no such identity, or that one may not have this.
fn refused(path: &str, status: u16, said: Option<&'static str>) -> Failure {
    Failure::IdentityRefused { what: shown(path), status, said }
}
