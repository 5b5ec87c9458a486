//! The cloud's metadata service: one address that every cloud gives it, on this machine's own link, in plain HTTP because
//! there is no other. Nothing else is ever spoken to like this: the address is a constant, no redirect and no proxy is
//! followed, and whatever answers is believed only as far as a signature goes.

use std::time::Duration;

use zeroize::Zeroizing;

use super::http::{Http, HttpError, classify};
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
        let builder = if question.put { self.0.put(&url).header("content-length", "0") } else { self.0.get(&url) };
        let builder = builder.header(question.header.0, question.header.1);
        let builder = match question.session {
            Some((name, token)) => builder.header(name, token.expose()),
            None => builder,
        };
        let mut response = builder.timeout(most).send().await.map_err(classify)?;
        if response.status().is_redirection() {
            return Err(HttpError::Redirected);
        }
        let flavor = response.headers().get("metadata-flavor").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) =
            response.chunk().await.map_err(|error| if error.is_timeout() { HttpError::Timeout } else { HttpError::CutOff })?
        {
            if body.len() + chunk.len() > MOST_BODY {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(MetadataAnswer { status, flavor, body })
    }
}
