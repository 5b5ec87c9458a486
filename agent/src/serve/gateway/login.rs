//! The gateway's login at a Databricks workspace: one token for all connections, asked for before the one before ends, by one request at
//! a time. It lies in this process alone. Whoever knows the agent's credentials answers; this room has none of them.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::upstream::bearer;
use crate::host::clock::{BootTime, Clock};
use crate::host::secret::Secret;

/// A token, and how long it serves.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The access token.
    pub token: Arc<Secret>,
    /// Until when nobody needs to ask for another one.
    pub fresh: BootTime,
    /// Until when it serves where none can be had.
    pub end: BootTime,
}

/// A question for a token; with the one that the workspace did not take. The answer says why there is none, in one sentence.
pub type LoginQuestion = (Option<Arc<Secret>>, oneshot::Sender<Result<Ticket, &'static str>>);

/// After a login that failed, and after one whose token was not taken, nobody asks for so long.
const PAUSE: Duration = Duration::from_secs(5);

/// Where tokens come from, and the one that serves now.
pub struct Login {
    asks: mpsc::Sender<LoginQuestion>,
    clock: Arc<dyn Clock>,
    held: RefCell<Held>,
    turn: Mutex<()>,
}

#[derive(Default)]
struct Held {
    ticket: Option<(Ticket, HeaderValue)>,
    /// One that the workspace did not take.
    refused: Option<Arc<Secret>>,
    /// When the ticket was given.
    given: Option<BootTime>,
    /// When a login failed last, and why.
    failed: Option<(BootTime, &'static str)>,
}

/// What can be shown now.
enum Now {
    /// A token that is fresh, or in need while nobody can be asked.
    Shown(HeaderValue),
    /// None is fresh; perhaps an old one.
    Stale(Option<HeaderValue>),
    /// None, and a login has just failed.
    Failed(&'static str),
}

impl Login {
    /// With nothing asked yet.
    pub fn new(asks: mpsc::Sender<LoginQuestion>, clock: Arc<dyn Clock>) -> Self {
        Self { asks, clock, held: RefCell::default(), turn: Mutex::new(()) }
    }

    /// `Authorization`.
    ///
    /// # Errors
    /// Why there is none, in one sentence.
    pub(super) async fn credential(&self) -> Result<HeaderValue, &'static str> {
        let old = match self.now() {
            Now::Shown(header) => return Ok(header),
            Now::Failed(why) => return Err(why),
            Now::Stale(old) => old,
        };
        let _turn = match (self.turn.try_lock(), old) {
            (Ok(turn), _) => turn,
            // Somebody asks already, and this one still serves.
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => self.turn.lock().await,
        };
        let old = match self.now() {
            Now::Shown(header) => return Ok(header),
            Now::Failed(why) => return Err(why),
            Now::Stale(old) => old,
        };
        let refused = self.held.borrow_mut().refused.take();
        let found = self.ask(refused).await;
        let now = self.clock.boot();
        let mut held = self.held.borrow_mut();
        match found {
            Ok(ticket) => {
                let header = bearer(&ticket.token);
                *held = Held { ticket: Some((ticket, header.clone())), given: Some(now), ..Held::default() };
                Ok(header)
            }
            Err(why) => {
                held.failed = Some((now, why));
                old.ok_or(why)
            }
        }
    }

    /// The workspace did not take what it was shown: that one is thrown away, unless it was only just given. Whether another one may do
    /// better.
    pub(super) fn refused(&self, shown: &HeaderValue) -> bool {
        let mut held = self.held.borrow_mut();
        match &held.ticket {
            Some((ticket, header)) if header == shown => {
                if held.given.is_some_and(|given| self.clock.boot() < given.plus(PAUSE)) {
                    return false;
                }
                held.refused = Some(ticket.token.clone());
                held.ticket = None;
                true
            }
            // Somebody else was told so before.
            _ => true,
        }
    }

    fn now(&self) -> Now {
        let (now, held) = (self.clock.boot(), self.held.borrow());
        let paused = held.failed.filter(|(at, _)| now < at.plus(PAUSE));
        match (&held.ticket, paused) {
            (Some((ticket, header)), _) if now < ticket.fresh => Now::Shown(header.clone()),
            (Some((ticket, header)), Some(_)) if now < ticket.end => Now::Shown(header.clone()),
            (Some((ticket, header)), None) if now < ticket.end => Now::Stale(Some(header.clone())),
            (_, Some((_, why))) => Now::Failed(why),
            (_, None) => Now::Stale(None),
        }
    }

    async fn ask(&self, refused: Option<Arc<Secret>>) -> Result<Ticket, &'static str> {
        const GONE: &str = "the gateway cannot log in at the workspace now";
        let (answer, answered) = oneshot::channel();
        self.asks.send((refused, answer)).await.map_err(|_| GONE)?;
        answered.await.map_err(|_| GONE)?
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::host::clock::Timestamp;

    struct Hand(AtomicU64);

    impl Hand {
        fn at(&self, seconds: u64) {
            self.0.store(seconds * 1_000_000_000, Ordering::Relaxed);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }

        fn boot(&self) -> BootTime {
            BootTime(self.0.load(Ordering::Relaxed))
        }
    }

    /// Runs with a workspace that answers with the first number's token, fresh for 80 s of 100, while `up`.
    fn with<F: Future<Output = ()>>(test: impl FnOnce(Rc<Login>, Arc<Hand>, Rc<RefCell<(bool, Vec<Option<String>>)>>) -> F) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (asks, mut questions) = mpsc::channel::<LoginQuestion>(1);
        let clock = Arc::new(Hand(AtomicU64::new(0)));
        clock.at(1000);
        let login = Rc::new(Login::new(asks, clock.clone()));
        let state = Rc::new(RefCell::new((true, Vec::new())));
        let local = tokio::task::LocalSet::new();
        let (seen, hand) = (state.clone(), clock.clone());
        local.spawn_local(async move {
            while let Some((refused, answer)) = questions.recv().await {
                tokio::task::yield_now().await;
                let (up, number) = {
                    let mut state = seen.borrow_mut();
                    state.1.push(refused.map(|token| token.expose().to_owned()));
                    (state.0, state.1.len())
                };
                let token = || Arc::new(Secret::new(format!("token-{number}").as_bytes()).unwrap());
                let at = |seconds| hand.boot().plus(Duration::from_secs(seconds));
                let ticket = || Ticket { token: token(), fresh: at(80), end: at(100) };
                answer.send(if up { Ok(ticket()) } else { Err("down") }).unwrap();
            }
        });
        local.block_on(&runtime, test(login, clock, state));
    }

    async fn shown(login: &Login) -> Result<String, &'static str> {
        login.credential().await.map(|header| header.to_str().unwrap().to_owned())
    }

    #[test]
    fn many_who_need_a_token_ask_once_and_before_it_ends_one_of_them_asks_again() {
        with(async |login, clock, state| {
            let all = (0..20).map(|_| {
                let login = login.clone();
                tokio::task::spawn_local(async move { shown(&login).await })
            });
            for one in all.collect::<Vec<_>>() {
                assert_eq!(one.await.unwrap(), Ok("Bearer token-1".to_owned()));
            }
            assert_eq!(state.borrow().1.len(), 1);
            clock.at(1079);
            assert_eq!(shown(&login).await.unwrap(), "Bearer token-1");
            clock.at(1080);
            assert_eq!(shown(&login).await.unwrap(), "Bearer token-2");
            assert_eq!(state.borrow().1, [None, None]);
        });
    }

    #[test]
    fn a_token_serves_to_its_end_while_the_workspace_gives_no_other_and_then_the_reason_is_told() {
        with(async |login, clock, state| {
            assert_eq!(shown(&login).await.unwrap(), "Bearer token-1");
            state.borrow_mut().0 = false;
            for (at, expected, asked) in [
                (1080, Ok("Bearer token-1"), 2),
                (1084, Ok("Bearer token-1"), 2),
                (1086, Ok("Bearer token-1"), 3),
                (1100, Err("down"), 4),
                (1104, Err("down"), 4),
                (1105, Err("down"), 5),
            ] {
                clock.at(at);
                assert_eq!(shown(&login).await, expected.map(str::to_owned), "{at}");
                assert_eq!(state.borrow().1.len(), asked, "{at}");
            }
            state.borrow_mut().0 = true;
            clock.at(1110);
            assert_eq!(shown(&login).await.unwrap(), "Bearer token-6");
        });
    }

    #[test]
    fn a_token_that_is_not_taken_is_thrown_away_once() {
        with(async |login, clock, state| {
            let first = login.credential().await.unwrap();
            clock.at(1004);
            assert!(!login.refused(&first), "it was only just given");
            clock.at(1006);
            assert!(login.refused(&first));
            let second = login.credential().await.unwrap();
            assert_eq!(second.to_str().unwrap(), "Bearer token-2");
            assert_eq!(state.borrow().1, [None, Some("token-1".to_owned())]);
            // Whoever was told so a little later throws nothing away.
            assert!(login.refused(&first));
            assert_eq!(shown(&login).await.unwrap(), "Bearer token-2");
            assert!(!login.refused(&second), "no login follows another at once");
            assert_eq!(state.borrow().1.len(), 2);
        });
    }
}
