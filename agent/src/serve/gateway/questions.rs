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

/// Asks the workspace.
pub(super) async fn workspace(asks: &mpsc::Sender<Question>, question: &catalog::Question) -> Answer {
    let nobody = || "nobody is there to ask the workspace".to_owned();
    let (answer, answered) = oneshot::channel();
    asks.send(Question::Workspace(question.clone(), answer)).await.map_err(|_| nobody())?;
    answered.await.map_err(|_| nobody())?.map(|bytes| bytes.map(Unverified::new))
}
