//! The registry that requests go on to: connections, TLS, and the credential that no job ever holds.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderValue;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::host::secret::Secret;

/// What is sent on: our own JSON, or an artifact's bytes as they come.
pub(super) type Passing = Either<Full<Bytes>, Incoming>;

/// Connecting takes no longer, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// What is read ahead of an answer or an upload, in bytes.
const AHEAD: usize = 64 * 1024;

/// The registry.
pub struct Upstream {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// `Host`, as RFC 9110 §7.2 wants it.
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

/// The registry cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// Not an origin that is spoken to.
    #[error("the registry's address is neither https nor http on loopback")]
    Address,
    /// No connection in time.
    #[error("the registry cannot be reached")]
    Connect(#[source] std::io::Error),
    /// It does not speak HTTP.
    #[error("the registry does not answer in HTTP")]
    Http(#[source] hyper::Error),
}

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
    pub fn new(origin: &str, tls: rustls::ClientConfig, credential: &Credential) -> Result<Self, UpstreamError> {
        if !crate::host::http::secure(origin) {
            return Err(UpstreamError::Address);
        }
        let (scheme, authority) = origin.split_once("://").ok_or(UpstreamError::Address)?;
        let (host, port) = authority.split_once(':').unwrap_or((authority, if scheme == "https" { "443" } else { "80" }));
        let port = port.parse().map_err(|_| UpstreamError::Address)?;
        let tls = match scheme {
            "https" => {
                let name = ServerName::try_from(host.to_owned()).map_err(|_| UpstreamError::Address)?;
                Some((TlsConnector::from(Arc::new(tls)), name))
            }
            _ => None,
        };
        let named = HeaderValue::from_str(authority).map_err(|_| UpstreamError::Address)?;
        Ok(Self { host: host.to_owned(), port, tls, authority: named, credential: credential.header() })
    }

    /// A new connection.
    ///
    /// # Errors
    /// When there is none in time.
    pub(super) async fn connect(&self) -> Result<SendRequest<Passing>, UpstreamError> {
        let late = |_| UpstreamError::Connect(std::io::ErrorKind::TimedOut.into());
        tokio::time::timeout(CONNECT, self.connected()).await.map_err(late)?
    }

    async fn connected(&self) -> Result<SendRequest<Passing>, UpstreamError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(UpstreamError::Connect)?;
        // Small requests must not wait for each other. Where it is refused it only costs time.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => speak(TokioIo::new(stream)).await,
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await.map_err(UpstreamError::Connect)?;
                speak(TokioIo::new(stream)).await
            }
        }
    }
}

async fn speak<S: Read + Write + Unpin + 'static>(stream: S) -> Result<SendRequest<Passing>, UpstreamError> {
    let (sender, connection) = http1::Builder::new().max_buf_size(AHEAD).handshake(stream).await.map_err(UpstreamError::Http)?;
    // Whoever waits for an answer hears of its end by the sender.
    tokio::task::spawn_local(async move { drop(connection.await) });
    Ok(sender)
}
