//! HTTP towards the workspace and the issuers: no redirects, no proxy, TLS except on loopback, everything bounded.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::Uri;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::response::Parts;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::origin::{ConnectError, Origin};
use super::secret::Secret;

/// No answer is larger, in bytes.
pub const MOST_BODY: usize = 512 * 1024;
/// One exchange takes no longer.
const EXCHANGE: Duration = Duration::from_secs(10);
/// No file of root certificates is larger, in bytes.
pub const MOST_ROOTS: u64 = 16 * 1024 * 1024;
/// Where distributions keep their roots: Debian and Ubuntu, then Red Hat.
const ROOTS: &[&str] = &["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// A request.
#[derive(Debug)]
pub struct Request<'a> {
    /// What it asks.
    pub method: Method<'a>,
    /// Where. Never holds a secret.
    pub url: &'a str,
    /// With which credentials.
    pub credentials: Credentials<'a>,
}

/// The methods in use.
#[derive(Clone, Copy)]
pub enum Method<'a> {
    /// GET.
    Get,
    /// POST of a form (application/x-www-form-urlencoded, already encoded); it may hold a secret.
    Form(&'a str),
    /// The same of a form that is made anew for each try: what it holds serves once.
    Made(&'a (dyn Fn() -> Zeroizing<String> + Sync)),
    /// POST of JSON.
    Json(&'a str),
    /// PUT of bytes.
    Put(&'a [u8]),
    /// DELETE.
    Delete,
    /// POST of a JWS in its compact form (application/jose, RFC 7515 §9.2.1).
    Jose(&'a str),
}

impl std::fmt::Debug for Method<'_> {
    /// Without what is sent.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Get => "GET",
            Self::Form(_) | Self::Made(_) | Self::Json(_) | Self::Jose(_) => "POST",
            Self::Put(_) => "PUT",
            Self::Delete => "DELETE",
        })
    }
}

/// How a request authenticates.
#[derive(Clone, Copy)]
pub enum Credentials<'a> {
    /// Not at all.
    None,
    /// RFC 6750.
    Bearer(&'a Secret),
    /// RFC 7617.
    Basic(&'a str, &'a Secret),
    /// These headers, which hold a signature of the request.
    Signed(&'a [(&'static str, Zeroizing<String>)]),
}

impl std::fmt::Debug for Credentials<'_> {
    /// Which kind.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::None => "none",
            Self::Bearer(_) => "bearer",
            Self::Basic(..) => "basic",
            Self::Signed(_) => "signed",
        })
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// For how long the answer is fresh, as `Cache-Control` says; not at all where it says nothing.
    pub max_age: Duration,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Plain HTTP to another machine.
    #[error("an address that is neither https nor on loopback")]
    NotSecure,
    /// No connection, or no trust in who answered.
    #[error("no connection")]
    Connect(#[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// Too slow.
    #[error("no answer in time")]
    Timeout,
    /// The answer ended before its length.
    #[error("an answer that was cut off")]
    CutOff,
    /// Larger than [`MOST_BODY`].
    #[error("an answer larger than {} KiB", MOST_BODY / 1024)]
    TooLarge,
    /// A redirect: a control plane does not move.
    #[error("a redirect, which is not followed")]
    Redirected,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot set TLS up")]
pub struct SetupError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The client. It keeps one connection to each server that it spoke to last.
#[derive(Clone)]
pub struct Http {
    tls: TlsConnector,
    kept: Arc<Mutex<Vec<(Origin, Sender)>>>,
}

type Sender = SendRequest<Full<Bytes>>;
/// Connections that are kept: to more servers than a node speaks to.
const MOST_KEPT: usize = 8;

impl std::fmt::Debug for Http {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Http")
    }
}

impl Http {
    /// With the roots of `ca_file`, or the system's.
    ///
    /// # Errors
    /// When the roots cannot be read.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, SetupError> {
        Ok(Self { tls: TlsConnector::from(Arc::new(tls(ca_file)?)), kept: Arc::default() })
    }

    /// One exchange, within `most`.
    ///
    /// # Errors
    /// When there is no complete answer. A status of any kind but a redirect is an answer.
    pub async fn send(&self, request: &Request<'_>, most: Duration) -> Result<Answer, HttpError> {
        const FORM: &str = "application/x-www-form-urlencoded";
        if !secure(request.url) {
            return Err(HttpError::NotSecure);
        }
        let (method, kind, body) = match request.method {
            Method::Get => ("GET", None, Vec::new()),
            Method::Form(form) => ("POST", Some(FORM), form.as_bytes().to_vec()),
            Method::Made(make) => ("POST", Some(FORM), make().as_bytes().to_vec()),
            Method::Json(json) => ("POST", Some("application/json"), json.as_bytes().to_vec()),
            Method::Jose(token) => ("POST", Some("application/jose"), token.as_bytes().to_vec()),
            Method::Put(bytes) => ("PUT", Some("application/octet-stream"), bytes.to_vec()),
            Method::Delete => ("DELETE", None, Vec::new()),
        };
        let mut fields: Vec<(&str, Zeroizing<String>)> =
            kind.map(|kind| ("content-type", Zeroizing::new(kind.to_owned()))).into_iter().collect();
        match request.credentials {
            Credentials::None => {}
            Credentials::Bearer(token) => fields.push(("authorization", Zeroizing::new(format!("Bearer {}", token.expose())))),
            Credentials::Basic(name, secret) => {
                let pair = Zeroizing::new(format!("{name}:{}", secret.expose()));
                fields.push(("authorization", Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))));
            }
            Credentials::Signed(headers) => fields.extend(headers.iter().map(|(name, value)| (*name, value.clone()))),
        }
        // What is signed by its headers speaks the query protocol of AWS, which answers in XML; in JSON only to whoever asks so.
        let accept = if let Credentials::Signed(_) = request.credentials { "text/xml" } else { "application/json" };
        fields.push(("accept", Zeroizing::new(accept.to_owned())));
        let (head, body) = self.exchange(method, request.url, &fields, body, most.min(EXCHANGE), MOST_BODY).await?;
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let retry_after = header("retry-after").map(str::to_owned);
        let max_age = header("cache-control").map_or(Duration::ZERO, max_age);
        Ok(Answer { status: head.status.as_u16(), retry_after, max_age, body })
    }

    /// One exchange with whatever server the address names, secure or not: the head of the answer, and at most so many bytes.
    pub(super) async fn exchange(
        &self,
        method: &str,
        url: &str,
        fields: &[(&str, Zeroizing<String>)],
        body: Vec<u8>,
        within: Duration,
        most: usize,
    ) -> Result<(Parts, Vec<u8>), HttpError> {
        let unfit = |error: &'static str| HttpError::Connect(Some(error.into()));
        let url: Uri = url.parse().map_err(|_| unfit("no address"))?;
        let origin = Origin::of(&url).ok_or_else(|| unfit("no address"))?;
        let mut request = hyper::Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method.parse().map_err(|_| unfit("no method"))?;
        *request.uri_mut() =
            url.path_and_query().map_or("/", |target| target.as_str()).parse().map_err(|_| unfit("no address"))?;
        let headers = request.headers_mut();
        headers.insert("host", origin.header().ok_or_else(|| unfit("no address"))?);
        headers.insert("user-agent", HeaderValue::from_static(concat!("longhorn/", env!("CARGO_PKG_VERSION"))));
        for (name, value) in fields {
            let name: HeaderName = name.parse().map_err(|_| unfit("no header"))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| unfit("no header"))?;
            // Never in a debug print.
            value.set_sensitive(name == "authorization");
            headers.insert(name, value);
        }
        let exchange = self.exchanged(&origin, request, most);
        tokio::time::timeout(within, exchange).await.map_err(|_| HttpError::Timeout)?
    }

    async fn exchanged(
        &self,
        origin: &Origin,
        request: hyper::Request<Full<Bytes>>,
        most: usize,
    ) -> Result<(Parts, Vec<u8>), HttpError> {
        let (answer, sender) = self.sent(origin, request).await?;
        let (head, mut incoming) = answer.into_parts();
        if head.status.is_redirection() {
            return Err(HttpError::Redirected);
        }
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|_| HttpError::CutOff)?;
            let Ok(chunk) = frame.into_data() else { continue };
            if body.len() + chunk.len() > most {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other != origin);
        kept.truncate(MOST_KEPT - 1);
        kept.insert(0, (origin.clone(), sender));
        Ok((head, body))
    }

    /// On the connection that was kept, where it still stands: an answer, and what it came by.
    async fn sent(
        &self,
        origin: &Origin,
        mut request: hyper::Request<Full<Bytes>>,
    ) -> Result<(hyper::Response<Incoming>, Sender), HttpError> {
        let kept = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().position(|(other, _)| other == origin).map(|at| kept.remove(at).1)
        };
        if let Some(mut sender) = kept
            && sender.ready().await.is_ok()
        {
            match sender.try_send_request(request).await {
                Ok(answer) => return Ok((answer, sender)),
                // Not a byte of it was sent; what may have been, nobody sends twice.
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(HttpError::Connect(Some(error.into_error().into()))),
                },
            }
        }
        let mut sender = origin.connect(&self.tls).await.map_err(|error| match error {
            ConnectError::Timeout => HttpError::Timeout,
            ConnectError::Refused(error) => HttpError::Connect(Some(error.into())),
            ConnectError::Http(error) => HttpError::Connect(Some(error.into())),
        })?;
        let answer = sender.send_request(request).await.map_err(|error| HttpError::Connect(Some(error.into())))?;
        Ok((answer, sender))
    }
}

/// How TLS is spoken as a client: with the roots of `ca_file`, or the system's.
///
/// # Errors
/// When the roots cannot be read.
pub fn tls(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError(error.into()))?;
    Ok(config.with_root_certificates(roots(ca_file)?).with_no_client_auth())
}

/// RFC 9111 §5.2.2: `max-age`, unless the answer is not to be kept or must be asked for each time.
fn max_age(directives: &str) -> Duration {
    let mut age = Duration::ZERO;
    for directive in directives.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Duration::ZERO,
            "max-age" => age = Duration::from_secs(value.trim().trim_matches('"').parse::<u32>().unwrap_or(0).into()),
            _ => {}
        }
    }
    age
}

/// https anywhere; http only where nobody else can listen in.
pub fn secure(url: &str) -> bool {
    let (plain, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return false,
    };
    // RFC 3986 §3.2: what stands before an `@` is no host, and a backslash is a slash to some.
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    let named = !authority.is_empty() && !authority.contains(['@', '\\']);
    named && (!plain || host == "127.0.0.1" || host == "localhost")
}

fn roots(ca_file: Option<&Path>) -> Result<rustls::RootCertStore, SetupError> {
    let mut store = rustls::RootCertStore::empty();
    let bundles: Vec<&Path> = match ca_file {
        Some(path) => vec![path],
        None => ROOTS.iter().map(Path::new).filter(|path| path.exists()).take(1).collect(),
    };
    for path in bundles {
        let unfit = |what: &dyn std::fmt::Display| SetupError(format!("{}: {what}", path.display()).into());
        let bytes = super::named::read(path, MOST_ROOTS).map_err(|error| unfit(&error))?;
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            let certificate = certificate.map_err(|error| unfit(&error))?;
            // System bundles hold roots that a strict parser refuses; one of them must not disable the others.
            let added = store.add(certificate);
            if ca_file.is_some() {
                added.map_err(|error| unfit(&error))?;
            }
        }
        if ca_file.is_some() && store.is_empty() {
            return Err(unfit(&"no certificate stands in it"));
        }
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::{max_age, secure};

    #[test]
    fn an_answer_is_fresh_for_what_it_says_and_not_at_all_where_it_may_not_be_kept() {
        for (directives, seconds) in [
            ("public, max-age=300", 300),
            ("Max-Age=\"60\"", 60),
            ("no-store, max-age=300", 0),
            ("max-age=300, no-cache", 0),
            ("max-age=-1", 0),
            ("private", 0),
            ("", 0),
        ] {
            assert_eq!(max_age(directives).as_secs(), seconds, "{directives}");
        }
    }

    #[test]
    fn only_https_and_loopback_are_spoken_to() {
        for (url, expected) in [
            ("https://a.example/x", true),
            ("http://127.0.0.1:80/x", true),
            ("http://localhost/x", true),
            ("http://127.0.0.1.evil.example/", false),
            ("http://a.example/", false),
            ("http://127.0.0.1:80@a.example/", false),
            ("http://localhost@a.example/", false),
            ("https://a.example@b.example/", false),
            ("http://127.0.0.1\\@a.example/", false),
            ("https://", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(secure(url), expected, "{url}");
        }
    }
}
