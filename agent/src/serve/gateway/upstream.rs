//! The registry that requests go on to: connections, TLS, and the credential that no job ever holds.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::client::conn::http1::SendRequest;
use hyper::header::HeaderValue;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::line::Outgoing;
use super::login::Login;
use crate::host::origin::{ConnectError, Origin};
use crate::host::secret::Secret;

/// The registry.
pub struct Upstream {
    origin: Origin,
    tls: TlsConnector,
    /// `Host`.
    pub(super) authority: HeaderValue,
    shown: Shown,
}

enum Shown {
    /// The same for ever.
    Fixed(Option<HeaderValue>),
    /// What the workspace gives for the agent's login.
    Login(Login),
}

/// What the gateway shows the registry.
pub enum Credential {
    /// Nothing: a registry that asks nobody.
    None,
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617.
    Basic(String, Secret),
    /// A token of the workspace, renewed.
    Login(Login),
}

/// Not an origin that is spoken to.
#[derive(Debug, thiserror::Error)]
#[error("the registry's address is neither https nor http on loopback")]
pub struct NotAnOrigin;

impl Credential {
    fn shown(self) -> Shown {
        match self {
            Self::None => Shown::Fixed(None),
            Self::Bearer(token) => Shown::Fixed(Some(bearer(&token))),
            Self::Basic(name, secret) => {
                let pair = Zeroizing::new(format!("{name}:{}", secret.expose()));
                Shown::Fixed(Some(header(&Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))))))
            }
            Self::Login(login) => Shown::Login(login),
        }
    }
}

/// A token as `Authorization` (RFC 6750).
pub(super) fn bearer(token: &Secret) -> HeaderValue {
    header(&Zeroizing::new(format!("Bearer {}", token.expose())))
}

fn header(text: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(text).expect("secrets are printable ASCII, and base64 is");
    // Never in a debug print.
    value.set_sensitive(true);
    value
}

impl Upstream {
    /// The registry at an origin, `https://host[:port]`, or `http://` on loopback.
    ///
    /// # Errors
    /// When it is no such origin.
    pub fn new(origin: &str, tls: rustls::ClientConfig, credential: Credential) -> Result<Self, NotAnOrigin> {
        if !crate::host::http::secure(origin) {
            return Err(NotAnOrigin);
        }
        let origin = origin.parse().ok().and_then(|url| Origin::of(&url)).ok_or(NotAnOrigin)?;
        let authority = origin.header().ok_or(NotAnOrigin)?;
        Ok(Self { origin, tls: TlsConnector::from(Arc::new(tls)), authority, shown: credential.shown() })
    }

    /// `Authorization`, where there is one.
    ///
    /// # Errors
    /// Where the gateway cannot log in: why, in one sentence.
    pub(super) async fn credential(&self) -> Result<Option<HeaderValue>, &'static str> {
        match &self.shown {
            Shown::Fixed(header) => Ok(header.clone()),
            Shown::Login(login) => login.credential().await.map(Some),
        }
    }

    /// The registry did not take what it was shown. Whether there may be something better.
    pub(super) fn refused(&self, shown: Option<&HeaderValue>) -> bool {
        match (&self.shown, shown) {
            (Shown::Login(login), Some(shown)) => login.refused(shown),
            (Shown::Fixed(_), _) | (Shown::Login(_), None) => false,
        }
    }

    /// Whether a token that is not taken can be another one.
    pub(super) fn logs_in(&self) -> bool {
        matches!(self.shown, Shown::Login(_))
    }

    /// A new connection.
    ///
    /// # Errors
    /// When there is none in time.
    pub(super) async fn connect(&self) -> Result<SendRequest<Outgoing>, ConnectError> {
        self.origin.connect(&self.tls).await
    }
}
