//! Tries again, within one deadline: exponential pauses with full jitter, Retry-After honoured (RFC 9110 §10.2.3).

use std::time::Duration;

use super::clock::{BootTime, Clock};
use super::http::{Answer, Http, HttpError, Request};
use super::random::Random;

/// By when everything must be done.
pub struct Deadline<'a> {
    /// The clock that counts.
    pub clock: &'a dyn Clock,
    /// For the jitter.
    pub random: &'a dyn Random,
    /// The end.
    pub end: BootTime,
}

/// How trying ended without an answer that helps.
#[derive(Debug, thiserror::Error)]
pub enum GaveUp {
    /// No answer at all.
    #[error("none after {}", times(*tries))]
    NoAnswer {
        /// How often.
        tries: u32,
        /// The last reason.
        #[source]
        last: HttpError,
    },
    /// The service asks to wait longer than there is time.
    #[error("the wish to be asked again in {} s, after the deadline", asked.as_secs())]
    AskedToWait {
        /// As it was asked.
        asked: Duration,
        /// What is left.
        left: Duration,
    },
    /// The service kept failing.
    #[error("status {status} after {}", times(*tries))]
    KeptFailing {
        /// The last status.
        status: u16,
        /// How often.
        tries: u32,
    },
}

fn times(tries: u32) -> String {
    if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") }
}

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(8);
/// What the platform means when it sends 429 without Retry-After.
const UNSTATED: Duration = Duration::from_secs(1);

impl Deadline<'_> {
    /// What is left.
    pub fn left(&self) -> Duration {
        Duration::from_nanos(self.end.0.saturating_sub(self.clock.boot().0))
    }

    /// Sends until there is an answer that trying again would not change: everything but 429 and 5xx.
    ///
    /// # Errors
    /// When the deadline comes first.
    pub async fn send(&self, http: &Http, request: &Request<'_>) -> Result<Answer, GaveUp> {
        let mut tries = 0u32;
        let mut said = None;
        loop {
            tries += 1;
            let outcome = http.send(request, self.left()).await;
            let (pause, reason) = match outcome {
                // Our own deadline cut the last try short: what the service said before tells more.
                Err(HttpError::Timeout)
                    if self.left().is_zero()
                        && let Some(status) = said =>
                {
                    return Err(GaveUp::KeptFailing { status, tries: tries - 1 });
                }
                Ok(answer) if answer.status == 429 || answer.status == 503 => {
                    let asked = self.retry_after(answer.retry_after.as_deref());
                    if answer.retry_after.is_some() && asked > self.left() {
                        return Err(GaveUp::AskedToWait { asked, left: self.left() });
                    }
                    (asked + self.jitter(FIRST), GaveUp::KeptFailing { status: answer.status, tries })
                }
                Ok(answer) if answer.status >= 500 => (self.backoff(tries), GaveUp::KeptFailing { status: answer.status, tries }),
                Ok(answer) => return Ok(answer),
                Err(last @ (HttpError::NotSecure | HttpError::Redirected | HttpError::TooLarge)) => {
                    return Err(GaveUp::NoAnswer { tries, last });
                }
                Err(last) => (self.backoff(tries), GaveUp::NoAnswer { tries, last }),
            };
            if pause >= self.left() {
                return Err(reason);
            }
            if let GaveUp::KeptFailing { status, .. } = reason {
                said = Some(status);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Seconds, or a date.
    fn retry_after(&self, value: Option<&str>) -> Duration {
        let Some(value) = value else { return UNSTATED };
        if let Ok(seconds) = value.trim().parse::<u32>() {
            return Duration::from_secs(u64::from(seconds));
        }
        let now = Duration::from_millis(u64::try_from(self.clock.now().millis()).unwrap_or(0));
        match httpdate::parse_http_date(value) {
            Ok(date) => date.duration_since(std::time::UNIX_EPOCH + now).unwrap_or_default(),
            Err(_) => UNSTATED,
        }
    }

    fn backoff(&self, tries: u32) -> Duration {
        let most = FIRST.saturating_mul(1 << tries.min(8)).min(LONGEST);
        FIRST / 4 + self.jitter(most)
    }

    /// Full jitter: anything from nothing to `most`, so that a cluster's nodes do not come back together.
    fn jitter(&self, most: Duration) -> Duration {
        let mut byte = [0u8; 2];
        self.random.fill(&mut byte);
        most * u32::from(u16::from_le_bytes(byte)) / u32::from(u16::MAX)
    }
}
