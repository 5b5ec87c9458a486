//! How an answer can go wrong.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Refusal;

/// A fault on every path that begins with `path`, for the next `times` requests (0: for ever).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Which paths.
    pub path: String,
    /// How often.
    pub times: u32,
    /// This status; the body stays the honest one's, so that only the status says that it must not be used. With 429
    /// and 503 nothing that was asked for is done: the caller is turned away.
    pub status: Option<u16>,
    /// With this header.
    pub retry_after: Option<String>,
    /// After this time, in milliseconds.
    pub delay_ms: u64,
    /// The connection ends in the middle of the body, whose whole length was announced.
    pub cut: bool,
    /// A redirect to this address.
    pub redirect: Option<String>,
    /// This body instead.
    pub body: Option<String>,
    /// Without these members, each named by a JSON pointer (RFC 6901): what the workspace will know only later, such as
    /// `/executors`. One fault after the other on the same path lets it fill.
    pub without: Vec<String>,
    /// Bytes behind the opening brace, which need not be text.
    pub inserted: Vec<u8>,
    /// The body filled up with blanks to this many bytes: JSON allows them behind its end.
    pub padded: usize,
}

impl Fault {
    /// Whether the caller is told to come back later (RFC 6585 §4, RFC 9110 §15.6.4).
    pub(crate) fn turns_away(&self) -> bool {
        matches!(self.status, Some(429 | 503))
    }

    /// The answer as this fault makes it.
    pub(crate) async fn spoil(&self, honest: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
        let (mut head, body) = honest.into_parts();
        let mut bytes = match &self.body {
            Some(text) => text.clone().into_bytes(),
            None => body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default(),
        };
        if let Some(missing) = self.without.iter().find(|pointer| !remove(&mut bytes, pointer)) {
            return Refusal::new(500, "INTERNAL_ERROR", format!("the fault takes {missing} away, which is not there")).into();
        }
        if !self.inserted.is_empty() {
            bytes.splice(1..1, self.inserted.iter().copied());
        }
        bytes.resize(bytes.len().max(self.padded), b' ');
        let status = self.status.or(self.redirect.as_ref().map(|_| 302));
        head.status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(head.status);
        for (name, value) in [("retry-after", &self.retry_after), ("location", &self.redirect)] {
            if let Some(value) = value.as_ref().and_then(|text| text.parse().ok()) {
                head.headers.insert(name, value);
            }
        }
        Response::from_parts(head, Full::new(Bytes::from(bytes)))
    }
}

/// Takes what the pointer names out of a document; false where it is not there.
fn remove(bytes: &mut Vec<u8>, pointer: &str) -> bool {
    let Ok(mut document) = serde_json::from_slice::<Value>(bytes) else { return false };
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    let gone = match document.pointer_mut(parent) {
        Some(Value::Object(members)) => members.remove(name).is_some(),
        Some(Value::Array(elements)) => match name.parse::<usize>() {
            Ok(at) if at < elements.len() => {
                elements.remove(at);
                true
            }
            _ => false,
        },
        _ => false,
    };
    *bytes = document.to_string().into_bytes();
    gone
}

/// A body of which half is sent: the head announces all of it, then the connection closes.
pub(crate) struct Cut {
    announced: u64,
    sent: Sent,
}

enum Sent {
    Nothing(Bytes),
    Half,
    Flushed,
}

impl Cut {
    pub(crate) async fn in_half(body: Full<Bytes>) -> Self {
        let mut bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let announced = bytes.len() as u64;
        bytes.truncate(bytes.len() / 2);
        Self { announced, sent: Sent::Nothing(bytes) }
    }
}

impl Body for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match std::mem::replace(&mut self.sent, Sent::Half) {
            Sent::Nothing(half) => Poll::Ready(Some(Ok(Frame::data(half)))),
            // The server writes out what it has while it waits; an error at once would take the first half with it.
            Sent::Half => {
                self.sent = Sent::Flushed;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Sent::Flushed => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
