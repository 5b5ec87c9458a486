//! How an answer can go wrong.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use serde::{Deserialize, Serialize};

/// A fault on every path that begins with `path`, for the next `times` requests (0: for ever).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fault {
    /// Which paths.
    pub path: String,
    /// How often.
    pub times: u32,
    /// This status instead of an answer.
    pub status: Option<u16>,
    /// With this header.
    pub retry_after: Option<String>,
    /// After this time, in milliseconds.
    pub delay_ms: u64,
    /// The connection ends in the middle of the body, whose whole length was announced.
    pub cut: bool,
    /// To this address.
    pub redirect: Option<String>,
    /// This body instead.
    pub body: Option<String>,
    /// A body of this many bytes instead.
    pub bytes: usize,
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
