//! An artifact's bytes on their way, and their digest in passing. The last piece waits until whoever sends it says that it may end: a
//! body that does not end well is no file, so an upload can be decided about when all of it is there.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_lc_rs::digest::{Context as Sha, SHA256};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use crate::model::Digest;

/// A body that is hashed as it passes, one piece behind the caller.
pub(super) struct Hashing<B = Incoming> {
    inner: B,
    /// The newest piece: nobody has it yet.
    held: Option<Bytes>,
    stage: Stage,
    sha: Option<Sha>,
    digest: Found,
    /// Who hears how far it came.
    reached: Option<oneshot::Sender<Reached>>,
    patience: Duration,
    /// Runs while the caller is waited for, and not while the registry is.
    waiting: Option<Pin<Box<Sleep>>>,
}

enum Stage {
    Passing(oneshot::Receiver<()>),
    /// All of it is here, and its last piece is held.
    Asked(oneshot::Receiver<()>),
    Over,
}

/// Where an upload stands, so that whoever sends it has to decide.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// All has come, and the last piece waits.
    Last,
    /// The caller sent nothing for too long, and it is broken off.
    Stalled,
}

/// The other end: what the body waits for.
pub(super) struct Ending {
    pub(super) reached: oneshot::Receiver<Reached>,
    /// Sent, the body ends well; dropped, it is broken off.
    pub(super) release: oneshot::Sender<()>,
}

/// Why a body does not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenOff<E> {
    #[error("the caller broke off")]
    Caller(#[source] E),
    #[error("the caller sent nothing for too long")]
    Stalled,
    #[error("it may not end")]
    Refused,
}

/// What comes now.
type Polled<E> = Poll<Option<Result<Frame<Bytes>, BrokenOff<E>>>>;

/// What was found: there once the last byte has passed.
#[derive(Clone, Default)]
pub(super) struct Found(Arc<Mutex<Option<Digest>>>);

impl Found {
    pub(super) fn take(&self) -> Option<Digest> {
        self.0.lock().ok()?.take()
    }
}

impl<B: Body<Data = Bytes> + Unpin> Hashing<B> {
    /// A caller that sends nothing for so long is broken off.
    pub(super) fn new(inner: B, patience: Duration) -> (Self, Found, Ending) {
        let (tell, reached) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let mut hashing = Self {
            inner,
            held: None,
            stage: Stage::Passing(released),
            sha: Some(Sha::new(&SHA256)),
            digest: Found::default(),
            reached: Some(tell),
            patience,
            waiting: None,
        };
        let digest = hashing.digest.clone();
        // Nobody polls what is empty.
        if hashing.inner.is_end_stream() {
            hashing.finish();
        }
        (hashing, digest, Ending { reached, release })
    }

    fn finish(&mut self) {
        self.stage = Stage::Over;
        if let (Some(sha), Ok(mut digest)) = (self.sha.take(), self.digest.0.lock()) {
            *digest = sha.finish().as_ref().try_into().ok();
        }
    }

    fn broken(&mut self, why: BrokenOff<B::Error>) -> Polled<B::Error> {
        (self.stage, self.held, self.sha) = (Stage::Over, None, None);
        Poll::Ready(Some(Err(why)))
    }

    fn tell(&mut self, reached: Reached) {
        if let Some(tell) = self.reached.take() {
            // Nobody who listens, nobody who releases it.
            let _ = tell.send(reached);
        }
    }

    /// What the caller sent; `Stalled` where it takes too long.
    fn poll_caller(&mut self, context: &mut Context<'_>) -> Polled<B::Error> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BrokenOff::Caller)));
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Some(Err(BrokenOff::Stalled)))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Hashing<B> {
    type Data = Bytes;
    type Error = BrokenOff<B::Error>;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        loop {
            match std::mem::replace(&mut this.stage, Stage::Over) {
                Stage::Over => return Poll::Ready(None),
                Stage::Asked(mut released) => match Pin::new(&mut released).poll(context) {
                    Poll::Pending => {
                        this.stage = Stage::Asked(released);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(_)) => return this.broken(BrokenOff::Refused),
                    Poll::Ready(Ok(())) => {
                        this.finish();
                        return Poll::Ready(this.held.take().map(|last| Ok(Frame::data(last))));
                    }
                },
                Stage::Passing(released) => {
                    // With a length, nobody says that it has ended.
                    if this.inner.is_end_stream() {
                        this.tell(Reached::Last);
                        this.stage = Stage::Asked(released);
                        continue;
                    }
                    let Poll::Ready(frame) = this.poll_caller(context) else {
                        this.stage = Stage::Passing(released);
                        return Poll::Pending;
                    };
                    match frame {
                        None => {
                            this.tell(Reached::Last);
                            this.stage = Stage::Asked(released);
                        }
                        Some(Err(why)) => {
                            if matches!(why, BrokenOff::Stalled) {
                                this.tell(Reached::Stalled);
                            }
                            return this.broken(why);
                        }
                        Some(Ok(frame)) => {
                            this.stage = Stage::Passing(released);
                            // Trailers do not go on; a piece of nothing is no last one.
                            let Some(piece) = frame.into_data().ok().filter(|piece| !piece.is_empty()) else { continue };
                            if let Some(sha) = &mut this.sha {
                                sha.update(&piece);
                            }
                            if let Some(before) = this.held.replace(piece) {
                                return Poll::Ready(Some(Ok(Frame::data(before))));
                            }
                        }
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, held) = (self.inner.size_hint(), self.held.as_ref().map_or(0, |held| held.len() as u64));
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(held));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::task::Waker;

    use super::*;
    use crate::host::digest::sha256_hex;

    const LONG: Duration = Duration::from_secs(3600);

    /// `None` is nothing, for now.
    type Piece = Option<Result<&'static [u8], io::ErrorKind>>;

    /// What a caller sends, one after the other.
    struct Caller {
        pieces: VecDeque<Piece>,
        /// With a length, it is known when it has ended.
        length: Option<u64>,
    }

    fn caller(length: Option<u64>, pieces: &[Piece]) -> Caller {
        Caller { pieces: pieces.iter().copied().collect(), length }
    }

    impl Body for Caller {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
            match self.pieces.pop_front() {
                None => Poll::Ready(None),
                Some(None) => Poll::Pending,
                Some(Some(Err(kind))) => Poll::Ready(Some(Err(kind.into()))),
                Some(Some(Ok(piece))) => {
                    self.length = self.length.map(|left| left - piece.len() as u64);
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(piece)))))
                }
            }
        }

        fn is_end_stream(&self) -> bool {
            self.length == Some(0)
        }

        fn size_hint(&self) -> SizeHint {
            self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
        }
    }

    /// In words, what comes now.
    fn next(body: &mut Hashing<Caller>) -> String {
        match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => "waits".to_owned(),
            Poll::Ready(None) => "ends".to_owned(),
            Poll::Ready(Some(Err(why))) => why.to_string(),
            Poll::Ready(Some(Ok(frame))) => String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text"),
        }
    }

    fn in_time<T>(test: impl FnOnce() -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let _entered = runtime.enter();
        test()
    }

    fn hex(found: &Found) -> Option<String> {
        found.take().map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    #[test]
    fn the_last_piece_waits_for_its_release_with_a_length_and_without() {
        for length in [Some(4), None] {
            in_time(|| {
                let sent = caller(length, &[Some(Ok(b"ab")), None, Some(Ok(b"c")), Some(Ok(b"")), Some(Ok(b"d"))]);
                let (mut body, found, mut ending) = Hashing::new(sent, LONG);
                assert_eq!(body.size_hint().exact(), length);
                assert_eq!([next(&mut body), next(&mut body), next(&mut body)], ["waits", "ab", "c"]);
                assert_eq!(body.size_hint().exact(), length.map(|_| 1));
                assert!(!body.is_end_stream() && ending.reached.try_recv().is_err());
                assert_eq!([next(&mut body), next(&mut body)], ["waits", "waits"]);
                assert_eq!((ending.reached.try_recv(), hex(&found)), (Ok(Reached::Last), None));
                ending.release.send(()).expect("it waits");
                assert_eq!([next(&mut body), next(&mut body)], ["d", "ends"], "{length:?}");
                assert!(body.is_end_stream());
                assert_eq!(hex(&found), Some(sha256_hex(b"abcd")));
            });
        }
    }

    #[test]
    fn a_body_that_may_not_end_is_broken_off_before_its_last_piece_and_has_no_digest() {
        for (length, pieces) in [(Some(1), &[Some(Ok(&b"a"[..]))][..]), (None, &[Some(Ok(&b"a"[..]))][..]), (None, &[][..])] {
            let (mut body, found, ending) = Hashing::new(caller(length, pieces), LONG);
            assert_eq!(next(&mut body), "waits");
            drop(ending);
            assert_eq!([next(&mut body), next(&mut body)], ["it may not end", "ends"]);
            assert_eq!(hex(&found), None);
        }
    }

    #[test]
    fn who_breaks_off_is_broken_off_and_who_asks_for_the_last_piece_is_told_nothing() {
        let sent = caller(Some(9), &[Some(Ok(b"a")), Some(Err(io::ErrorKind::UnexpectedEof))]);
        let (mut body, found, mut ending) = Hashing::new(sent, LONG);
        assert_eq!(next(&mut body), "the caller broke off");
        assert_eq!((hex(&found), ending.reached.try_recv().ok()), (None, None));
    }

    #[test]
    fn who_sends_nothing_for_too_long_is_broken_off() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let sent = caller(Some(9), &[Some(Ok(b"a")), None, Some(Ok(b"b")), None, None, None]);
            let (mut body, _, mut ending) = Hashing::new(sent, Duration::from_millis(200));
            assert_eq!([next(&mut body), next(&mut body)], ["waits", "a"]);
            // Time in which nobody asked is the registry's.
            sleep(Duration::from_millis(300)).await;
            assert_eq!(next(&mut body), "waits");
            sleep(Duration::from_millis(300)).await;
            assert_eq!(next(&mut body), "the caller sent nothing for too long");
            assert_eq!(ending.reached.try_recv(), Ok(Reached::Stalled));
        });
    }

    #[test]
    fn what_is_empty_waits_for_nobody() {
        let (body, found, ending) = Hashing::new(caller(Some(0), &[]), LONG);
        drop(ending);
        assert!(body.is_end_stream());
        assert_eq!(hex(&found), Some(sha256_hex(b"")));
    }
}
