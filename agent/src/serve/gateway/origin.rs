//! Before a version is made: whose files those are, that nobody changes them any more, and what they are.

use std::time::Duration;

use serde_json::json;

use super::exchange::{Exchange, Stop};
use super::known::{Thing, Turn, Writing};
use super::signing::Due;
use crate::context::seal::Vouching;
use crate::gateway::NewVersion;
use crate::model::catalog::{Answer, Question};
use crate::model::place::{Owner, kept};
use crate::model::statements::REGISTERED;
use crate::model::{Digest, Gather, Made, Origin, Registry, Shelf};
use crate::unverified::Unverified;

/// What a run lists of directories that were registered, in bytes; beyond, all of its files count as one.
const MOST_LISTED: usize = 2000;

impl Registry for Exchange {
    type Error = Stop;

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Unverified<Vec<u8>>>, Stop> {
        Ok(self.line.get(path, query).await?)
    }

    async fn digest(&self, path: &str) -> Result<Option<Digest>, Stop> {
        Ok(self.line.digest(path).await?)
    }

    async fn catalog(&self, question: &Question) -> Answer {
        self.shared.asks.workspace(question).await
    }

    async fn vouching(&self, token: &str) -> Option<Vouching> {
        self.shared.keys.of(token).await
    }
}

impl Exchange {
    pub(super) fn gather(&self, shelf: Shelf) -> Gather<'_, Self> {
        let now = self.shared.session.borrow().clock.now();
        let catalog = &self.shared.gate.models().catalog;
        Gather { registry: self, audience: self.shared.audience, now, shelf, catalog }
    }

    pub(super) async fn version(&self, made: &NewVersion, shelf: Shelf, sub: &str) -> Result<(Option<Turn>, Due), Stop> {
        let gather = self.gather(shelf);
        let origin = gather.origin(&made.source).await?;
        let Some(origin) = origin else {
            return Err(self.denied_because(
                "source-unclear",
                "a version comes from a logged model, from a run's files, or from a version by its number",
            ));
        };
        let Origin { owner, run, model, directory } = origin.clone();
        if made.run.is_some() && made.run != run || made.model.is_some() && made.model != model {
            return Err(self.denied_because(
                "source-of-another-run",
                "the source is not of the run or logged model that the request names; name its own, or none",
            ));
        }
        let thing = match owner {
            Some(Owner::Run(id)) => Some(Thing::Run(id)),
            Some(Owner::Model(id)) => Some(Thing::Model(id)),
            Some(Owner::Trace) | None => None,
        };
        let turn = match &thing {
            Some(thing) => {
                let turn = self.shared.known.turn(thing, Writing::Last).await;
                self.registered(thing, directory.as_deref(), shelf, sub).await?;
                Some(turn)
            }
            None => None,
        };
        // Those of a version in the catalog come after it.
        let files = match directory.filter(|_| shelf == Shelf::Workspace) {
            Some(directory) => gather.manifest(&directory, |path| self.shared.known.file(path)).await?,
            None => None,
        };
        // Told as it is now; whoever judges asks anew.
        let labels = gather.labels(self.shared.gate.models(), &origin).await?;
        Ok((turn, Due::VersionBinding { shelf, name: made.name.clone(), run, model, files, labels }))
    }

    /// From now on nobody writes to what a version is made of.
    async fn registered(&self, thing: &Thing, directory: Option<&str>, shelf: Shelf, sub: &str) -> Result<(), Stop> {
        let seen = self.look(thing, Duration::ZERO).await?;
        let Made::Run(run) = &seen.made else {
            if seen.made.ended() {
                return Ok(());
            }
            return Err(self.denied_because("model-not-whole", "this logged model is not whole yet; finish logging it first"));
        };
        let of_another = seen.maker.as_deref() != Some(sub);
        if of_another && !seen.made.ended() {
            return Err(self.denied_because(
                "run-of-another",
                "another job's run goes on, and its files are that job's to register; wait for its end",
            ));
        }
        // Whoever registers uploads the files: nothing would tie them to the run.
        if of_another && shelf == Shelf::Catalog {
            return Err(self.denied_because(
                "source-of-another-job",
                "another job made this run, and Unity Catalog keeps files of whoever registers; register it in its own job, or a logged \
                 model (`models:/m-…`), whose files are sealed",
            ));
        }
        let (Some(root), Some(directory)) = (kept(&run.artifacts), directory) else { return Ok(()) };
        let within = directory.strip_prefix(&*root).unwrap_or_default().trim_start_matches('/').to_owned();
        let mut listed = run.registered();
        if listed.contains(&within) {
            return Ok(());
        }
        listed.push(within);
        let mut list = json!(listed).to_string();
        if list.len() > MOST_LISTED {
            list = json!([""]).to_string();
        }
        self.tag_run(&run.id, REGISTERED, &list).await?;
        self.shared.known.forget(thing);
        Ok(())
    }
}
