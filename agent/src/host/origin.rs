//! A server by its origin, and connections to it: HTTP/1.1 (RFC 9112), over TLS unless it is on loopback or the machine's own link.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderValue;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Connecting takes no longer, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// One address of several has this long.
const ADDRESS: Duration = Duration::from_secs(2);
/// What is read ahead, in bytes.
const AHEAD: usize = 64 * 1024;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    tls: bool,
    host: String,
    port: u16,
    authority: String,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not in time.
    #[error("no connection in time")]
    Timeout,
    /// No such name, nobody there, or no trust in who answered.
    #[error("{0}")]
    Refused(#[source] std::io::Error),
    /// It does not speak HTTP.
    #[error("{0}")]
    Http(#[source] hyper::Error),
}

impl Origin {
    /// Of an address, `https://host[:port]/…` or `http://…`; `None` where it names no host.
    pub fn of(url: &hyper::Uri) -> Option<Self> {
        let authority = url.authority()?;
        let tls = match url.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let port = match authority.port() {
            Some(port) => port.as_u16(),
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
        };
        Some(Self { tls, host: authority.host().to_owned(), port, authority: authority.to_string() })
    }

    /// `Host` (RFC 9110 §7.2).
    pub fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.authority).ok()
    }

    /// A new connection.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn connect<B>(&self, tls: &TlsConnector) -> Result<SendRequest<B>, ConnectError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        tokio::time::timeout(CONNECT, self.connected(tls)).await.map_err(|_| ConnectError::Timeout)?
    }

    async fn connected<B>(&self, tls: &TlsConnector) -> Result<SendRequest<B>, ConnectError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stream = self.reach().await.map_err(ConnectError::Refused)?;
        // Small requests must not wait for each other. Where it is refused it only costs time.
        let _ = stream.set_nodelay(true);
        if !self.tls {
            return speak(TokioIo::new(stream)).await;
        }
        let name =
            ServerName::try_from(self.host.clone()).map_err(|error| ConnectError::Refused(std::io::Error::other(error)))?;
        let stream = tls.connect(name, stream).await.map_err(ConnectError::Refused)?;
        speak(TokioIo::new(stream)).await
    }

    /// By the first of its addresses that answers; those of IPv4 first, which every cluster has.
    async fn reach(&self) -> std::io::Result<TcpStream> {
        let mut addresses: Vec<SocketAddr> = tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
        for address in addresses {
            match tokio::time::timeout(ADDRESS, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = std::io::ErrorKind::TimedOut.into(),
            }
        }
        Err(last)
    }
}

async fn speak<S, B>(stream: S) -> Result<SendRequest<B>, ConnectError>
where
    S: Read + Write + Unpin + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, connection) = http1::Builder::new().max_buf_size(AHEAD).handshake(stream).await.map_err(ConnectError::Http)?;
    // Whoever waits for an answer hears of its end by the sender.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for (url, expected) in [
            ("https://a.example/x?y", Some((true, "a.example", 443, "a.example"))),
            ("http://127.0.0.1:80/", Some((false, "127.0.0.1", 80, "127.0.0.1:80"))),
            ("https://a.example:8443", Some((true, "a.example", 8443, "a.example:8443"))),
            ("ftp://a.example/", None),
            ("/a", None),
        ] {
            let origin = url.parse().ok().and_then(|url| Origin::of(&url));
            let found = origin.as_ref().map(|origin| (origin.tls, origin.host.as_str(), origin.port, origin.authority.as_str()));
            assert_eq!(found, expected, "{url}");
        }
    }
}
