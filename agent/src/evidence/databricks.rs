//! The workspace's REST API: clusters/get, jobs/runs/get, jobs/get, SCIM. Paths and shapes: facts, databricks 5.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::claim::{Answered, DatabricksClaim};
use super::failure::{Failure, Who, framed};
use super::kept::Kept;
use super::source::{Auth, SubjectToken, WorkspaceSource};
use super::{cloud_token, grant};
use crate::host::http::{Answer, Credentials, Http, Method, Request};
pub(super) use crate::host::percent::percent_encode;
use crate::host::retry::Deadline;
use crate::host::secret::Secret;
use crate::identity::ids::RunId;
use crate::identity::job::PrincipalKind;

const WHO: Who = Who::Workspace;
/// A run has at most 1,000 tasks, a page 100 of them (jobs/runs/get).
const MOST_PAGES: usize = 10;
/// For each worker of a cluster, the time over which its workers spread what they ask; and the longest.
const STAGGER: Duration = Duration::from_millis(10);
const STAGGER_MOST: Duration = Duration::from_secs(5);

/// Asks the workspace about this node's cluster, run, job and principal.
///
/// # Errors
/// When it cannot be told.
pub async fn ask(http: &Http, source: &WorkspaceSource, deadline: &Deadline<'_>) -> Result<DatabricksClaim, Failure> {
    match ask_once(http, source, deadline).await {
        // Given some time ago, and taken back before its end: once more, with another one.
        Err(Failure::CredentialRefused { .. }) if source.granted.forget() => ask_once(http, source, deadline).await,
        other => other,
    }
}

async fn ask_once(http: &Http, source: &WorkspaceSource, deadline: &Deadline<'_>) -> Result<DatabricksClaim, Failure> {
    let token = authenticate(http, source, deadline).await?;
    let api = Api { http, host: source.host.as_str(), token: token.secret(), deadline };
    let cluster = api.get(&format!("/api/2.1/clusters/get?cluster_id={}", source.hints.cluster)).await?;
    let dedicated = peek(&cluster, "single_user_name");
    let (mut run, mut job) = (None, None);
    if let Some((job_id, run_id)) = &source.hints.job {
        if !source.hints.driver {
            stagger(&cluster, deadline).await;
        }
        run = Some(api.run(run_id, source.hints.cluster.as_str()).await?);
        // As whom a dedicated cluster works it says itself; the driver holds the job against that.
        if source.hints.driver || source.by_job || dedicated.is_none() {
            job = Some(api.get(&format!("/api/2.2/jobs/get?job_id={job_id}")).await?);
        }
    }
    let principal_name = job.as_ref().and_then(|job| peek(job, "run_as_user_name")).or(dedicated);
    let principal = match principal_name {
        Some(name) => Some(api.get(&scim_path(&name)).await?),
        None => None,
    };
    let (host, hints, got_with) = (source.host.clone(), source.hints.clone(), source.auth.got_with());
    Ok(DatabricksClaim { host, hints, cluster, run, job, principal, got_with })
}

/// The workers of a large cluster start at one time: each waits a little, by chance, before it asks about the run.
async fn stagger(cluster: &Answered, deadline: &Deadline<'_>) {
    #[derive(Deserialize)]
    struct Cluster {
        #[serde(default)]
        num_workers: u32,
    }
    let Answered::Document(body) = cluster else { return };
    let workers = serde_json::from_slice::<Cluster>(body).map_or(0, |cluster| cluster.num_workers);
    let most = STAGGER.saturating_mul(workers).min(STAGGER_MOST).min(deadline.left() / 4);
    let mut drawn = [0; 4];
    deadline.random.fill(&mut drawn);
    tokio::time::sleep(most.mul_f64(f64::from(u32::from_ne_bytes(drawn)) / f64::from(u32::MAX))).await;
}

/// The token that the agent speaks with.
pub(super) enum Token<'a> {
    Given(&'a Secret),
    Fetched(Arc<Secret>),
}

impl Token<'_> {
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::Given(secret) => secret,
            Self::Fetched(secret) => secret,
        }
    }
}

pub(super) async fn authenticate<'a>(
    http: &Http,
    source: &'a WorkspaceSource,
    deadline: &Deadline<'_>,
) -> Result<Token<'a>, Failure> {
    log_in(http, source.host.as_str(), &source.auth, &source.granted, deadline).await
}

/// The same, of whoever is no node.
pub(super) async fn log_in<'a>(
    http: &Http,
    host: &str,
    auth: &'a Auth,
    kept: &Kept<Secret>,
    deadline: &Deadline<'_>,
) -> Result<Token<'a>, Failure> {
    // A token that was handed in is never kept here.
    if let Some(granted) = kept.fresh(deadline.clock.boot()) {
        return Ok(Token::Fetched(granted));
    }
    let (form, credentials) = match auth {
        Auth::Token(secret) => return Ok(Token::Given(secret)),
        Auth::MachineToMachine { client_id, secret } => {
            (Zeroizing::new("grant_type=client_credentials&scope=all-apis".to_owned()), Credentials::Basic(client_id, secret))
        }
        Auth::TokenExchange { client_id, subject: SubjectToken::Given(subject) } => {
            (exchange(client_id.as_deref(), subject), Credentials::None)
        }
        Auth::TokenExchange { client_id, subject: SubjectToken::Cloud(cloud) } => {
            let subject = cloud_token::ask(http, cloud, deadline).await?;
            (exchange(client_id.as_deref(), &subject), Credentials::None)
        }
    };
    let url = format!("{host}/oidc/v1/token");
    let asked = grant::Asked { who: WHO, url: &url, method: Method::Form(&form), credentials };
    let granted = grant::ask(http, &asked, kept, deadline).await;
    if let (Err(Failure::CredentialRefused { .. }), Auth::TokenExchange { subject: SubjectToken::Cloud(cloud), .. }) =
        (&granted, auth)
    {
        // The next exchange begins with another one.
        cloud.forget();
    }
    granted.map(Token::Fetched)
}

/// RFC 8693 §2.1. The client is a service principal with a federation policy of its own; without one the account's decides.
fn exchange(client: Option<&str>, subject: &Secret) -> Zeroizing<String> {
    const KIND: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
                        &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&scope=all-apis";
    let client = client.map(|id| format!("&client_id={}", percent_encode(id))).unwrap_or_default();
    let subject = Zeroizing::new(percent_encode(subject.expose()));
    Zeroizing::new([KIND, &client, "&subject_token=", &subject].concat())
}

pub(super) struct Api<'a> {
    pub(super) http: &'a Http,
    pub(super) host: &'a str,
    pub(super) token: &'a Secret,
    pub(super) deadline: &'a Deadline<'a>,
}

impl Api<'_> {
    pub(super) async fn send(&self, method: Method<'_>, path: &str) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.host);
        let request = Request { method, url: &url, credentials: Credentials::Bearer(self.token) };
        self.deadline.send(self.http, &request).await.map_err(|cause| Failure::gave_up(WHO, &self.shown(path), cause))
    }

    /// What was asked, for a screen: a SCIM query holds a principal's name, which may be a person's.
    fn shown(&self, path: &str) -> String {
        let shown = if path.contains("/scim/") { path.split('?').next().unwrap_or_default() } else { path };
        format!("{}{shown}", self.host)
    }

    /// The page of a run that speaks of our cluster, else the last one. Each holds what is said of the run itself.
    async fn run(&self, run: &RunId, cluster: &str) -> Result<Answered, Failure> {
        let first = format!("/api/2.2/jobs/runs/get?run_id={run}");
        let mut page = self.get(&first).await?;
        for _ in 1..MOST_PAGES {
            let Some(token) = next_page(&page, cluster) else { break };
            page = self.get(&format!("{first}&page_token={}", percent_encode(&token))).await?;
        }
        Ok(page)
    }

    async fn get(&self, path: &str) -> Result<Answered, Failure> {
        let answer = self.send(Method::Get, path).await?;
        let what = self.shown(path);
        match answer.status {
            200 => framed(WHO, &what, answer.body).map(Answered::Document),
            401 | 403 => Err(Failure::CredentialRefused { who: WHO, what, status: answer.status, said: None }),
            404 => Ok(Answered::Unknown),
            400 if denies_existence(&answer.body) => Ok(Answered::Unknown),
            status => Err(Failure::unintelligible(WHO, &what, &format!("status {status}"))),
        }
    }
}

/// The API says 400 INVALID_PARAMETER_VALUE "… does not exist" where one would expect 404.
fn denies_existence(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        error_code: String,
        #[serde(default)]
        message: String,
    }
    serde_json::from_slice::<Said>(body).is_ok_and(|said| {
        said.error_code == "RESOURCE_DOES_NOT_EXIST"
            || (said.error_code == "INVALID_PARAMETER_VALUE" && said.message.contains("does not exist"))
    })
}

/// Where to go on looking for a cluster among a run's tasks: nowhere, once it was found. Not believed.
fn next_page(page: &Answered, cluster: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Page {
        next_page_token: Option<String>,
        #[serde(default)]
        tasks: Vec<Task>,
    }
    #[derive(Deserialize)]
    struct Task {
        cluster_instance: Option<Instance>,
    }
    #[derive(Deserialize)]
    struct Instance {
        cluster_id: String,
    }
    let Answered::Document(body) = page else { return None };
    let Page { next_page_token, tasks } = serde_json::from_slice(body).ok()?;
    let found = tasks.iter().filter_map(|task| task.cluster_instance.as_ref()).any(|instance| instance.cluster_id == cluster);
    next_page_token.filter(|token| !found && !token.is_empty())
}

/// One text field of an answer, to know what to ask next. Not believed.
fn peek(answered: &Answered, field: &str) -> Option<String> {
    let Answered::Document(body) = answered else { return None };
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    value.get(field)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// SCIM by the kind that the name has.
fn scim_path(name: &str) -> String {
    let (collection, attribute) = match PrincipalKind::of(name) {
        PrincipalKind::User => ("Users", "userName"),
        PrincipalKind::ServicePrincipal => ("ServicePrincipals", "applicationId"),
        PrincipalKind::Group => ("Groups", "displayName"),
    };
    // RFC 7644 §3.4.2.2: the value is a JSON string.
    let filter = format!("{attribute} eq {}", serde_json::Value::from(name));
    format!("/api/2.0/preview/scim/v2/{collection}?filter={}&count=2", percent_encode(&filter))
}
