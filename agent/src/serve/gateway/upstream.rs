//! The registry that requests go on to: connections, TLS, and the credential that no job ever holds.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::client::conn::http1::SendRequest;
use hyper::header::HeaderValue;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::line::Outgoing;
use crate::host::origin::{ConnectError, Origin};
use crate::host::secret::Secret;

/// The registry.
pub struct Upstream {
    origin: Origin,
    tls: TlsConnector,
    /// `Host`.
    pub(super) authority: HeaderValue,
    /// `Authorization`.
    pub(super) credential: Option<HeaderValue>,
}

/// What the gateway shows the registry.
#[derive(Debug)]
pub enum Credential {
    /// Nothing: a registry that asks nobody.
    None,
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617.
    Basic(String, Secret),
}

/// Not an origin that is spoken to.
#[derive(Debug, thiserror::Error)]
#[error("the registry's address is neither https nor http on loopback")]
pub struct NotAnOrigin;

impl Credential {
    fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::None => return None,
            Self::Bearer(token) => Zeroizing::new(format!("Bearer {}", token.expose())),
            Self::Basic(name, secret) => {
                let pair = Zeroizing::new(format!("{name}:{}", secret.expose()));
                Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
            }
        };
        let mut value = HeaderValue::from_str(&text).expect("secrets are printable ASCII, and base64 is");
        // Never in a debug print.
        value.set_sensitive(true);
        Some(value)
    }
}

impl Upstream {
    /// The registry at an origin, `https://host[:port]`, or `http://` on loopback.
    ///
    /// # Errors
    /// When it is no such origin.
    pub fn new(origin: &str, tls: rustls::ClientConfig, credential: &Credential) -> Result<Self, NotAnOrigin> {
        if !crate::host::http::secure(origin) {
            return Err(NotAnOrigin);
        }
        let origin = origin.parse().ok().and_then(|url| Origin::of(&url)).ok_or(NotAnOrigin)?;
        let authority = origin.header().ok_or(NotAnOrigin)?;
        Ok(Self { origin, tls: TlsConnector::from(Arc::new(tls)), authority, credential: credential.header() })
    }

    /// A new connection.
    ///
    /// # Errors
    /// When there is none in time.
    pub(super) async fn connect(&self) -> Result<SendRequest<Outgoing>, ConnectError> {
        self.origin.connect(&self.tls).await
    }
}
