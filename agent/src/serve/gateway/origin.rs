//! Where a model version comes from: whose files those are, by the registry's word, and the digest of what they are.

use std::time::Duration;

use serde_json::json;

use super::exchange::{Exchange, Stop};
use super::known::{Thing, Turn, Writing};
use super::signing::Due;
use crate::gateway::NewVersion;
use crate::model::place::{Owner, kept, owner};
use crate::model::statements::REGISTERED;
use crate::model::{Made, Manifest, Source, directory, made_version};

/// A version that is a copy of a copy of a copy: so far it is followed.
const MOST_COPIES: usize = 8;
/// A model has at most so many files and directories.
const MOST_FILES: usize = 10_000;
/// What a run lists of directories that were registered, in bytes; beyond, all of its files count as one.
const MOST_LISTED: usize = 2000;

/// Where a version comes from, as far as the registry's word goes.
pub(super) struct Origin {
    /// Whose files they are.
    thing: Option<Thing>,
    pub(super) run: Option<String>,
    pub(super) model: Option<String>,
    /// Its directory below the root of artifacts.
    pub(super) directory: Option<String>,
}

/// Which files of a model are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Those that did not pass here.
    New,
    /// All: they may have been changed since.
    All,
}

impl Exchange {
    /// Where a version comes from.
    pub(super) async fn origin(&self, source: &str) -> Result<Origin, Stop> {
        let unclear = || {
            self.denied_because(
                "source-unclear",
                "a version comes from a logged model, from a run's files, or from a version by its number",
            )
        };
        let mut source = source.to_owned();
        for _ in 0..MOST_COPIES {
            let (thing, path) = match Source::read(&source).ok_or_else(unclear)? {
                Source::Version(name, version) => {
                    let query = [("name", name.as_str()), ("version", version.as_str())];
                    let answer = self.line.get("/api/2.0/mlflow/model-versions/get".into(), &query).await?;
                    source = made_version(&answer.ok_or_else(unclear)?)?.1;
                    continue;
                }
                Source::Elsewhere => return Ok(Origin { thing: None, run: None, model: None, directory: None }),
                Source::LoggedModel(id) => (Thing::Model(id), None),
                Source::Run(id, path) => (Thing::Run(id), Some(path)),
                Source::Artifacts(path) => match owner(&path) {
                    Some((Owner::Run(id), _, rest)) => (Thing::Run(id), Some(rest.to_owned())),
                    Some((Owner::Model(id), _, "")) => (Thing::Model(id), None),
                    _ => return Err(unclear()),
                },
            };
            let seen = self.look(&thing, Duration::ZERO).await?;
            let directory = kept(seen.made.artifacts()).map(|root| match &path {
                Some(path) if !path.is_empty() => format!("{root}/{path}"),
                _ => root.to_owned(),
            });
            // The path that was named must be where the registry says that these files are.
            if let Source::Artifacts(named) = Source::read(&source).ok_or_else(unclear)?
                && directory.as_ref() != Some(&named)
            {
                return Err(unclear());
            }
            let (run, model) = match &seen.made {
                Made::Run(run) => (Some(run.id.clone()), None),
                Made::Model(model) => (model.run.clone(), Some(model.id.clone())),
            };
            return Ok(Origin { thing: Some(thing), run, model, directory });
        }
        Err(unclear())
    }

    /// Before a version is made: whose files those are, that nobody changes them any more, and what they are.
    pub(super) async fn version(&self, made: &NewVersion) -> Result<(Option<Turn>, Due), Stop> {
        let Origin { thing, run, model, directory } = self.origin(&made.source).await?;
        if made.run.is_some() && made.run != run || made.model.is_some() && made.model != model {
            return Err(self.denied_because(
                "source-of-another-run",
                "the source is not of the run or logged model that the request names; name its own, or none",
            ));
        }
        let turn = match &thing {
            Some(thing) => {
                let turn = self.shared.known.turn(thing, Writing::Last).await;
                self.registered(thing, directory.as_deref()).await?;
                Some(turn)
            }
            None => None,
        };
        let files = match &directory {
            Some(directory) => Some(self.manifest(directory, Reading::New).await?),
            None => None,
        };
        Ok((turn, Due::VersionBinding { name: made.name.clone(), run, model, files }))
    }

    /// From now on nobody writes to what a version is made of.
    async fn registered(&self, thing: &Thing, directory: Option<&str>) -> Result<(), Stop> {
        let seen = self.look(thing, Duration::ZERO).await?;
        let Made::Run(run) = &seen.made else {
            if seen.made.ended() {
                return Ok(());
            }
            return Err(self.denied_because("model-not-whole", "this logged model is not whole yet; finish logging it first"));
        };
        let (Some(root), Some(directory)) = (kept(&run.artifacts), directory) else { return Ok(()) };
        let within = directory.strip_prefix(root).unwrap_or_default().trim_start_matches('/').to_owned();
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

    /// The digest of a directory's manifest.
    pub(super) async fn manifest(&self, root: &str, reading: Reading) -> Result<String, Stop> {
        let (mut manifest, mut seen, mut ahead) = (Manifest::default(), 0, vec![root.to_owned()]);
        while let Some(at) = ahead.pop() {
            let answer = self.line.get("/api/2.0/mlflow-artifacts/artifacts".into(), &[("path", &at)]).await?;
            let Some(answer) = answer else { continue };
            for (name, is_directory) in directory(&answer)? {
                seen += 1;
                if seen > MOST_FILES {
                    return Err(self.denied_because("model-too-large", "the model has more than 10,000 files"));
                }
                let path = format!("{at}/{name}");
                if is_directory {
                    ahead.push(path);
                    continue;
                }
                let known = self.shared.known.file(&path).filter(|_| reading == Reading::New);
                let digest = match known {
                    Some(digest) => digest,
                    None => self.line.digest(&path).await?.ok_or_else(Stop::unreachable)?,
                };
                manifest.add(path[root.len()..].trim_start_matches('/').to_owned(), digest);
            }
        }
        Ok(manifest.digest())
    }
}
