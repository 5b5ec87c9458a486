//! A future beside others on one task, which is asked only once it was woken itself. A task is asked whole whenever anything of it is
//! woken: what waits for a minute would be asked several times for each request that passes beside it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// The future.
pub struct Apart<F> {
    future: Pin<Box<F>>,
    own: Arc<Own>,
    waker: Waker,
}

/// Whether it was woken, and the task that it is on.
struct Own {
    woken: AtomicBool,
    task: Mutex<Waker>,
}

impl Wake for Own {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

impl<F: Future> Apart<F> {
    /// Asked for the first time by whoever waits for it.
    pub fn new(future: F) -> Self {
        let own = Arc::new(Own { woken: AtomicBool::new(true), task: Mutex::new(Waker::noop().clone()) });
        Self { future: Box::pin(future), waker: own.clone().into(), own }
    }
}

impl<F: Future> Future for Apart<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Before the question, so that nobody who wakes it in between wakes a task that it is no longer on.
        self.own.task.lock().unwrap_or_else(PoisonError::into_inner).clone_from(context.waker());
        if !self.own.woken.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let Self { future, waker, .. } = &mut *self;
        future.as_mut().poll(&mut Context::from_waker(waker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn it_is_asked_when_it_was_woken_and_not_when_what_is_beside_it_was() {
        let asked = Cell::new(0);
        let (send, mut receive) = tokio::sync::mpsc::channel(1);
        let apart = Apart::new(async {
            let mut waits = std::pin::pin!(receive.recv());
            std::future::poll_fn(|context| {
                asked.set(asked.get() + 1);
                waits.as_mut().poll(context)
            })
            .await
        });
        let beside = async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            assert_eq!(asked.get(), 1);
            send.send(7).await.unwrap();
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (got, ()) = runtime.block_on(async { tokio::join!(apart, beside) });
        assert_eq!((got, asked.get()), (Some(7), 2));
    }
}
