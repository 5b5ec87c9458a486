//! The workspace as commands ask it: with the agent's own credentials, by whoever may read them.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use super::Way;
use super::node::read_secret;
use super::sources::workspace_auth;
use crate::cli::terminal::Terminal;
use crate::config::document::{as_text, read_bytes};
use crate::config::settings::{SecretSource, Settings};
use crate::config::{read_policy, read_settings, signature};
use crate::decision::policy::Policy;
use crate::evidence::{Auth, Failure, Kept, Login, Source, Workspace};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::http::Http;
use crate::host::random::Random;
use crate::host::retry::Deadline;
use crate::host::secret::Secret;
use crate::model::catalog::{Answer, Question, UnityCatalog};
use crate::screen::Screen;
use crate::unverified::Unverified;
use crate::wire::credentials::Credentials;

/// For one question. A statement may have to wait for its warehouse.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same where a job waits: MLflow's client gives up after two minutes.
const PATIENCE_ON_NODES: Duration = Duration::from_secs(20);

/// The workspace of the settings.
pub(super) struct Desk<'a> {
    http: Http,
    host: String,
    auth: Auth,
    granted: Kept<Secret>,
    clock: &'a dyn Clock,
    random: &'a dyn Random,
}

/// The settings, with every problem of theirs on standard error.
pub(super) fn settings(path: &Path, terminal: &mut Terminal<'_>) -> Result<Settings, Screen> {
    let bytes = read_bytes(path)?;
    read_settings(&path.display().to_string(), as_text(path, &bytes)?).map_err(|problems| {
        // Talk: nobody listening is no reason to go on.
        let _ = write!(terminal.err, "{problems}");
        problems.screen("settings-problems", "the settings have problems")
    })
}

/// The policy in a file, with every problem of its on standard error.
pub(super) fn policy(path: &Path, terminal: &mut Terminal<'_>) -> Result<Policy, Screen> {
    read(path, &read_bytes(path)?, terminal)
}

/// The same, signed by the signer of the settings and for their workspace.
pub(super) fn signed_policy(
    path: &Path,
    settings: &Settings,
    clock: &dyn Clock,
    terminal: &mut Terminal<'_>,
) -> Result<Policy, Screen> {
    let bytes = read_bytes(path)?;
    read(path, &bytes, terminal)?;
    let signed = read_bytes(&signature::beside(path))?;
    signature::verify(path, &bytes, &signed, &settings.policy, &settings.workspace.host, clock.now())
        .map_err(|refusal| refusal.screen())
}

fn read(path: &Path, bytes: &[u8], terminal: &mut Terminal<'_>) -> Result<Policy, Screen> {
    read_policy(&path.display().to_string(), as_text(path, bytes)?).map(|(policy, _)| policy).map_err(|problems| {
        // Talk: nobody listening is no reason to go on.
        let _ = write!(terminal.err, "{problems}");
        problems.screen("policy-problems", "the policy has problems")
    })
}

impl<'a> Desk<'a> {
    /// With the credentials that the settings name.
    pub(super) fn open(settings: &Settings, clock: &'a dyn Clock, random: &'a dyn Random) -> Result<Self, Screen> {
        let mut credentials = Credentials::default();
        if let Some(SecretSource::File(path)) = settings.workspace.auth.source() {
            credentials.insert("workspace", read_secret(path).map_err(|error| error.screen_of_secret())?);
        }
        let auth = workspace_auth(settings, &credentials)?;
        let http = Http::new(settings.workspace.ca_file.as_deref()).map_err(|error| {
            Screen::failed_by("tls-setup-failed", Exit::Config, &error)
                .fact("expected", "root certificates in PEM, of the system or in `workspace.ca-file`")
        })?;
        Ok(Self { http, host: settings.workspace.host.to_string(), auth, granted: Kept::default(), clock, random })
    }

    /// Logs in, and asks or changes one thing.
    pub(super) async fn with<T>(&self, what: impl AsyncFnOnce(Workspace<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let deadline = Deadline { clock: self.clock, random: self.random, end: self.clock.boot().plus(PATIENCE) };
        let login = Login { host: &self.host, auth: &self.auth, granted: &self.granted };
        what(Workspace::open(&self.http, login, &deadline).await?).await
    }
}

impl UnityCatalog for Desk<'_> {
    fn ask<'a>(&'a self, question: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + 'a>> {
        Box::pin(async { said(self.with(async |workspace| asked(&workspace, question).await).await) })
    }
}

/// The same on a node, with the sidecar's own login.
pub(super) async fn catalog(way: &Way, question: &Question) -> Result<Option<Vec<u8>>, String> {
    let Some(Source::Databricks(source)) = way.sources.first() else { return Err("no workspace is asked here".to_owned()) };
    let deadline = Deadline { clock: &*way.clock, random: &*way.random, end: way.clock.boot().plus(PATIENCE_ON_NODES) };
    let answer = async { asked(&Workspace::open(&way.http, source.into(), &deadline).await?, question).await };
    answer.await.map_err(|failure: Failure| failure.sentence())
}

/// Puts a question to a workspace.
pub(super) async fn asked(workspace: &Workspace<'_>, question: &Question) -> Result<Option<Vec<u8>>, Failure> {
    match &question.statement {
        None => workspace.get(&question.path).await,
        Some(statement) => workspace.statement(statement).await.map(Some),
    }
}

/// An answer that is not read yet, or why there is none.
pub(super) fn said(answer: Result<Option<Vec<u8>>, Failure>) -> Answer {
    answer.map(|bytes| bytes.map(Unverified::new)).map_err(|failure| failure.sentence())
}

/// Runs a command's questions.
pub(super) fn wait<T>(questions: impl Future<Output = T>) -> Result<T, Screen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
    Ok(runtime.map_err(super::serve::os("the workspace cannot be asked"))?.block_on(questions))
}
