//! What the gateway asks of whoever walks the way: it has neither the workspace's credentials nor the places of keys.

use tokio::sync::{mpsc, oneshot};

use crate::context::seal::Vouching;
use crate::model::catalog::{self, Answer};
use crate::unverified::Unverified;

/// An answer of the workspace's, as bytes, or why there is none.
pub type Said = Result<Option<Vec<u8>>, String>;

/// A question, and where its answer goes.
pub enum Question {
    /// Who vouches for the key of this thumbprint; `None`: nobody, or it cannot be told.
    Key(String, oneshot::Sender<Option<Vouching>>),
    /// What the workspace says of its Unity Catalog.
    Workspace(catalog::Question, oneshot::Sender<Said>),
}

/// Where questions are put: each kind by itself, so that nobody's key waits for a workspace that does not answer.
#[derive(Clone)]
pub struct Asks {
    keys: mpsc::Sender<Question>,
    workspace: mpsc::Sender<Question>,
}

/// Where they come out.
pub struct Questions {
    keys: mpsc::Receiver<Question>,
    workspace: mpsc::Receiver<Question>,
}

/// Both ends.
pub fn questions() -> (Asks, Questions) {
    // One at a time: what waits does not count against anybody else.
    let ((keys, asked), (workspace, of_workspace)) = (mpsc::channel(1), mpsc::channel(1));
    (Asks { keys, workspace }, Questions { keys: asked, workspace: of_workspace })
}

impl Asks {
    /// Who vouches for a key.
    pub(super) async fn key(&self, kid: &str) -> Option<Vouching> {
        let (answer, answered) = oneshot::channel();
        self.keys.send(Question::Key(kid.to_owned(), answer)).await.ok()?;
        answered.await.ok().flatten()
    }

    /// Asks the workspace.
    pub(super) async fn workspace(&self, question: &catalog::Question) -> Answer {
        let nobody = || "nobody is there to ask the workspace".to_owned();
        let (answer, answered) = oneshot::channel();
        self.workspace.send(Question::Workspace(question.clone(), answer)).await.map_err(|_| nobody())?;
        answered.await.map_err(|_| nobody())?.map(|bytes| bytes.map(Unverified::new))
    }
}

impl Questions {
    /// Has them answered, of each kind one at a time; it does not end.
    pub async fn answer<F: AsyncFn(Question)>(mut self, find: F) {
        let each = async |questions: &mut mpsc::Receiver<Question>| {
            while let Some(question) = questions.recv().await {
                find(question).await;
            }
        };
        tokio::join!(each(&mut self.keys), each(&mut self.workspace));
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_key_waits_for_a_workspace_that_does_not_answer() {
        let (asks, questions) = questions();
        let find = async |question: Question| match question {
            Question::Key(_, answer) => drop(answer.send(None)),
            Question::Workspace(_, _answer) => std::future::pending().await,
        };
        let question = catalog::Question { path: "/api/2.1/unity-catalog/tables/main.gold.orders".to_owned(), statement: None };
        let key = async {
            // The workspace is asked first.
            tokio::task::yield_now().await;
            asks.key("kid").await
        };
        let patience = async {
            for _ in 0..1000 {
                tokio::task::yield_now().await;
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        let found = runtime.block_on(async {
            tokio::select! {
                biased;
                _ = asks.workspace(&question) => unreachable!("it does not answer"),
                found = key => Some(found),
                () = questions.answer(find) => unreachable!("it does not end"),
                () = patience => None,
            }
        });
        assert!(found.is_some_and(|found| found.is_none()), "the key's question was answered: nobody vouches for it");
    }
}
