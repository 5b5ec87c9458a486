//! The cloud's metadata service: one address that every cloud gives it, on this machine's own link, in plain HTTP because
//! there is no other. Nothing else is ever spoken to like this: the address is a constant, no redirect and no proxy is
//! followed, and whatever answers is believed only as far as a signature goes.

use std::time::Duration;

use zeroize::Zeroizing;

use super::http::{Http, HttpError};
use super::secret::Secret;

/// RFC 3927; the same on Amazon EC2, Azure and Google Compute Engine.
pub const ORIGIN: &str = "http://169.254.169.254";
/// No answer is larger, in bytes.
pub const MOST_BODY: usize = 128 * 1024;

/// A question.
#[derive(Debug)]
pub struct Question<'a> {
    /// PUT without a body, or GET.
    pub put: bool,
    /// Path and query.
    pub path: &'a str,
    /// The one header that the service wants to see, so that no browser and no naive proxy asks it.
    pub header: (&'a str, &'a str),
    /// A session token, where the service gives those.
    pub session: Option<(&'a str, &'a Secret)>,
}

/// An answer.
#[derive(Debug)]
pub struct MetadataAnswer {
    /// The status code.
    pub status: u16,
    /// `Metadata-Flavor`, as it came.
    pub flavor: Option<String>,
    /// The body; it may be a secret.
    pub body: Zeroizing<Vec<u8>>,
}

impl Http {
    /// One exchange with the metadata service, within `most`.
    ///
    /// # Errors
    /// When there is no complete answer. A status of any kind but a redirect is an answer.
    pub async fn ask_metadata(&self, question: &Question<'_>, most: Duration) -> Result<MetadataAnswer, HttpError> {
        let url = format!("{ORIGIN}{}", question.path);
        let mut fields = vec![(question.header.0, Zeroizing::new(question.header.1.to_owned()))];
        fields.extend(question.session.map(|(name, token)| (name, Zeroizing::new(token.expose().to_owned()))));
        let method = if question.put { "PUT" } else { "GET" };
        let (head, body) = self.exchange(method, &url, &fields, Vec::new(), most, MOST_BODY).await?;
        let flavor = head.headers.get("metadata-flavor").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (status, body) = (head.status.as_u16(), Zeroizing::new(body));
        Ok(MetadataAnswer { status, flavor, body })
    }
}
