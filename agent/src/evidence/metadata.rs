//! How a cloud's metadata service is asked, whatever for: on this machine's own link, each question within its own time, a
//! service that is busy a bounded number of times. What the answers are worth is for whoever asked.

use std::time::Duration;

use super::databricks::percent_encode;
use super::failure::{Failure, Who};
use crate::host::http::{Http, HttpError};
use crate::host::metadata::{MetadataAnswer, ORIGIN, Question};
use crate::host::retry::{Deadline, GaveUp};
use crate::host::secret::Secret;

pub(super) const WHO: Who = Who::Metadata;
/// Where Google's has identity tokens.
pub(super) const GOOGLE: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
/// So often is a service asked that does not answer.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// A metadata service.
pub(super) struct Service<'a> {
    pub(super) http: &'a Http,
    /// For one try.
    pub(super) timeout: Duration,
    pub(super) deadline: &'a Deadline<'a>,
    pub(super) busy: Busy,
}

/// How long a service is asked again that says it is busy: 410 (Azure: an update, within 70 s), 429, 5xx.
#[derive(Clone, Copy)]
pub(super) enum Busy {
    /// As often as one that does not answer.
    ThreeTries,
    /// Until the node's deadline, with pauses that grow; also on these statuses.
    UntilDeadline(&'static [u16]),
}

impl Service<'_> {
    /// IMDSv2: a session first, so that nobody is served who can only make this machine send a GET. Whoever opens one is AWS's.
    pub(super) async fn aws_session(&self) -> Result<Secret, Failure> {
        let path = "/latest/api/token";
        let lifetime = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
        let opened = self.good(&Question { put: true, path, header: lifetime, session: None }).await?;
        Secret::new(opened.body.trim_ascii()).ok_or_else(|| unintelligible(path, "no session token"))
    }

    /// One answer of AWS's, of any status.
    pub(super) async fn aws(&self, path: &str, session: &Secret) -> Result<MetadataAnswer, Failure> {
        let session = Some(("x-aws-ec2-metadata-token", session));
        self.answer(&Question { put: false, path, header: ("accept", "text/plain"), session }).await
    }

    /// One answer of Azure's, of any status.
    pub(super) async fn azure(&self, path: &str) -> Result<MetadataAnswer, Failure> {
        self.answer(&Question { put: false, path, header: ("metadata", "true"), session: None }).await
    }

    /// Google's identity token of the machine, in full, for an audience; or the status that came in its place.
    pub(super) async fn google_identity(&self, audience: &str) -> Result<MetadataAnswer, Failure> {
        let ours = percent_encode(audience);
        let path = format!("{GOOGLE}?audience={ours}&format=full&licenses=FALSE");
        let question = Question { put: false, path: &path, header: ("metadata-flavor", "Google"), session: None };
        let answer = self.answer(&question).await?;
        // Whoever does not say so is a proxy that forwarded the question.
        if answer.flavor.as_deref() != Some("Google") {
            return Err(unintelligible(&path, "an answer without Metadata-Flavor: Google"));
        }
        Ok(answer)
    }

    async fn good(&self, question: &Question<'_>) -> Result<MetadataAnswer, Failure> {
        good(self.answer(question).await?, question.path)
    }

    /// An answer that asking again would not change, each try within its own time and all within the node's deadline.
    async fn answer(&self, question: &Question<'_>) -> Result<MetadataAnswer, Failure> {
        let what = shown(question.path);
        let (mut tries, mut pause) = (0, PAUSE);
        loop {
            tries += 1;
            let (cause, most) = match self.http.ask_metadata(question, self.timeout.min(self.deadline.left())).await {
                Ok(answer) if !self.is_busy(answer.status) => return Ok(answer),
                Ok(MetadataAnswer { status, .. }) => {
                    let most = if let Busy::ThreeTries = self.busy { TRIES } else { u32::MAX };
                    (GaveUp::KeptFailing { status, tries }, most)
                }
                Err(last @ (HttpError::NotSecure | HttpError::Redirected | HttpError::TooLarge)) => {
                    return Err(Failure::gave_up(WHO, &what, GaveUp::NoAnswer { tries, last }));
                }
                Err(last) => (GaveUp::NoAnswer { tries, last }, TRIES),
            };
            if tries >= most || pause >= self.deadline.left() {
                return Err(Failure::gave_up(WHO, &what, cause));
            }
            tokio::time::sleep(pause).await;
            if let Busy::UntilDeadline(_) = self.busy {
                pause = (pause * 2).min(LONGEST);
            }
        }
    }

    fn is_busy(&self, status: u16) -> bool {
        let also = match self.busy {
            Busy::ThreeTries => &[][..],
            Busy::UntilDeadline(also) => also,
        };
        matches!(status, 410 | 429) || status >= 500 || also.contains(&status)
    }
}

/// The answer, if it is one.
pub(super) fn good(answer: MetadataAnswer, path: &str) -> Result<MetadataAnswer, Failure> {
    match answer.status {
        200 => Ok(answer),
        status => Err(unintelligible(path, &format!("status {status}"))),
    }
}

/// What was asked, for a screen: without what it was asked with.
pub(super) fn shown(path: &str) -> String {
    format!("{ORIGIN}{}", path.split('?').next().unwrap_or_default())
}

pub(super) fn unintelligible(path: &str, detail: &str) -> Failure {
    Failure::unintelligible(WHO, &shown(path), detail)
}
