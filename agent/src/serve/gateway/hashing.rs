//! An artifact's bytes on their way, and their digest in passing.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use aws_lc_rs::digest::{Context as Sha, SHA256};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use crate::model::Digest;

/// A body that is hashed as it passes.
pub(super) struct Hashing {
    inner: Incoming,
    sha: Option<Sha>,
    digest: Found,
}

/// What was found: there once the last byte has passed.
#[derive(Clone, Default)]
pub(super) struct Found(Arc<Mutex<Option<Digest>>>);

impl Found {
    pub(super) fn take(&self) -> Option<Digest> {
        self.0.lock().ok()?.take()
    }
}

impl Hashing {
    pub(super) fn new(inner: Incoming) -> (Self, Found) {
        let digest = Found::default();
        let mut hashing = Self { inner, sha: Some(Sha::new(&SHA256)), digest: digest.clone() };
        // Nobody polls what is empty.
        if hashing.inner.is_end_stream() {
            hashing.finish();
        }
        (hashing, digest)
    }

    fn finish(&mut self) {
        if let (Some(sha), Ok(mut digest)) = (self.sha.take(), self.digest.0.lock()) {
            *digest = sha.finish().as_ref().try_into().ok();
        }
    }
}

impl Body for Hashing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(sha), Some(data)) = (&mut self.sha, frame.data_ref()) {
                    sha.update(data);
                }
                // With a length, nobody polls for the end.
                if self.inner.is_end_stream() {
                    self.finish();
                }
            }
            Some(Err(_)) => self.sha = None,
            None => self.finish(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
