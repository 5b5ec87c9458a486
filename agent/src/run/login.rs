//! Answers the gateway's questions for a token of the workspace, with the agent's own credentials.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Way;
use crate::evidence::{Failure, Source, log_in};
use crate::host::retry::Deadline;
use crate::serve::gateway::{LoginQuestion, Ticket};

/// For one login: whoever waits for it is a client that gives up after two minutes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers for ever. Absent where the gateway does not log in: then it waits for ever.
pub(super) async fn answer(way: &Way, questions: Option<mpsc::Receiver<LoginQuestion>>) -> Infallible {
    if let Some(mut questions) = questions {
        while let Some((refused, answer)) = questions.recv().await {
            let deadline = Deadline { clock: &*way.clock, random: &*way.random, end: way.clock.boot().plus(PATIENCE) };
            let found = match way.sources.first() {
                Some(Source::Databricks(workspace)) => log_in(&way.http, workspace, refused.as_ref(), &deadline).await,
                Some(Source::Oidc(_) | Source::Saml(_) | Source::NodeDocument(_)) | None => continue,
            };
            let ticket = found.map(|(token, fresh, end)| Ticket { token, fresh, end });
            // Whoever asked may be gone.
            let _ = answer.send(ticket.map_err(|failure| sentence(&failure)));
        }
    }
    std::future::pending().await
}

/// What the job's client is told: it can do nothing about the rest.
fn sentence(failure: &Failure) -> &'static str {
    match failure {
        Failure::CredentialRefused { .. } | Failure::IdentityRefused { .. } => {
            "the workspace does not let the gateway in: what the agent logs in with is wrong, has expired, or may not log in"
        }
        Failure::Unavailable { .. } => "the gateway cannot log in at the workspace, which does not answer",
        Failure::Unintelligible { .. } | Failure::KeysElsewhere { .. } | Failure::TokenEndpointElsewhere { .. } => {
            "the gateway cannot log in at the workspace, which answers something else than a token"
        }
    }
}
