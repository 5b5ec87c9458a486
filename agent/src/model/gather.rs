//! Asks the registry for everything that a version is judged by, as it is now.

use std::collections::{BTreeSet, HashMap};

use super::candidate::{Candidate, Part};
use super::catalogued::catalogued;
use super::labels::labels;
use super::manifest::{Digest, Manifest};
use super::place::{Owner, kept, owner};
use super::registry::Registry;
use super::run::Run;
use super::shelf::Shelf;
use super::shown::{Entries, LoggedModel, Registered, Unread, Version, directory, made_version, served, workspace_directory};
use super::source::Source;
use crate::context::seal::Vouching;
use crate::decision::catalog::Catalog;
use crate::decision::models::{Models, UNKNOWN};
use crate::host::clock::Timestamp;

/// Where the registry says which files whoever loads a version is given.
const SERVED: &str = "/api/2.0/mlflow/model-versions/get-download-uri";
/// A version that is a copy of a copy of a copy: so far it is followed.
const MOST_COPIES: usize = 8;
/// A model has at most so many files and directories.
const MOST_FILES: usize = 10_000;
/// So many models are looked at that a version was made from, and their parents.
const MOST_PARENTS: usize = 64;

/// Where a version comes from, as far as the registry's word goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whose files they are; absent in a store that is reached past the gateway.
    pub owner: Option<Owner>,
    /// The run.
    pub run: Option<String>,
    /// The logged model, where it is one.
    pub model: Option<String>,
    /// Its directory below the root of artifacts.
    pub directory: Option<String>,
}

/// Asks one registry.
pub struct Gather<'r, R> {
    /// The registry.
    pub registry: &'r R,
    /// The audience of the contexts that are published on nodes.
    pub audience: &'r str,
    /// Now.
    pub now: Timestamp,
    /// Where its registered models are.
    pub shelf: Shelf,
    /// What the policy wants to have asked of Unity Catalog.
    pub catalog: &'r Catalog,
}

impl<R: Registry> Gather<'_, R> {
    /// A version that would have an alias. `None`: the registry has no such model or version, or its source names nothing.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn candidate(
        &self,
        name: &str,
        number: &str,
        alias: &str,
    ) -> Result<Option<(Candidate, Option<String>)>, R::Error> {
        let answer = self.registry.get(self.shelf.registered(), &[("name", name)]).await?;
        let Some(registered) = answer.map(|answer| Registered::read(&answer)).transpose()? else { return Ok(None) };
        let Some(version) = self.version(name, number).await? else { return Ok(None) };
        let Some(made) = self.made(&version).await? else { return Ok(None) };
        let (parents, lost) = self.parents(&made, true).await?;
        let previous = registered.stands(alias).map(str::to_owned);
        let replaced = registered.stands_in_any_case(alias).filter(|replaced| *replaced != number).map(str::to_owned);
        let current = match &replaced {
            Some(replaced) => match self.version(name, replaced).await? {
                Some(version) => self.run_of(&version).await?,
                None => None,
            },
            None => None,
        };
        let vouchings = self.vouchings(&version.tags).await;
        let voucher = |token: &str| vouchings.get(token).map(Vouching::voucher);
        let (binding, promoted) = (version.binding(&voucher), version.promoted(alias, &voucher));
        let parts: Vec<&Part> = std::iter::once(&made).chain(&parents).collect();
        let catalogued = catalogued(self.catalog, self.registry, &parts).await;
        let (seen, shelf) = (self.now, self.shelf);
        let candidate = Candidate { seen, shelf, version, binding, promoted, made, parents, lost, replaced, current, catalogued };
        Ok(Some((candidate, previous)))
    }

    /// The version that an alias or a stage stands on now.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn stands(&self, name: &str, alias: &str) -> Result<Option<String>, R::Error> {
        let answer = self.registry.get(self.shelf.registered(), &[("name", name)]).await?;
        let registered = answer.map(|answer| Registered::read(&answer)).transpose()?;
        Ok(registered.and_then(|registered| registered.stands(alias).map(str::to_owned)))
    }

    /// Whether a version has an alias or is in a stage now. A stage may hold several versions, an alias stands on one.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn has(&self, name: &str, number: &str, alias: &str) -> Result<bool, R::Error> {
        if self.stands(name, alias).await?.as_deref() == Some(number) {
            return Ok(true);
        }
        let staged = matches!(alias, "Staging" | "Production");
        Ok(staged && self.version(name, number).await?.is_some_and(|version| version.stage == alias))
    }

    /// The stage of a version.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn stage(&self, name: &str, number: &str) -> Result<Option<String>, R::Error> {
        Ok(self.version(name, number).await?.map(|version| version.stage))
    }

    /// The labels of a version that is made from there now, by what can be told: whatever cannot be told is `unknown`.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn labels(&self, models: &Models, origin: &Origin) -> Result<BTreeSet<String>, R::Error> {
        let model = match &origin.model {
            Some(id) => self.model(id).await?,
            None => None,
        };
        let run = match &origin.run {
            Some(id) => self.run(id).await?,
            None => None,
        };
        let made = self.part(run, model, None).await;
        let (parents, lost) = self.parents(&made, false).await?;
        let parts: Vec<&Part> = std::iter::once(&made).chain(&parents).collect();
        let catalogued = catalogued(self.catalog, self.registry, &parts).await;
        let mut found = labels(models, &catalogued, parts.into_iter());
        if !lost.is_empty() || !catalogued.unanswered.is_empty() {
            found.insert(UNKNOWN.to_owned());
        }
        Ok(found)
    }

    async fn version(&self, name: &str, number: &str) -> Result<Option<Version>, R::Error> {
        let query = [("name", name), ("version", number)];
        let answer = self.registry.get(self.shelf.version(), &query).await?;
        // One that is found under another spelling is judged under its own, or not at all.
        let asked = |version: &Version| version.name == name && version.version == number;
        Ok(answer.map(|answer| Version::read(&answer)).transpose()?.filter(asked))
    }

    /// The run and the files of a version.
    async fn made(&self, version: &Version) -> Result<Option<Part>, R::Error> {
        let Some(mut origin) = self.origin(&version.source).await? else { return Ok(None) };
        if !self.serves(version, &origin).await? {
            origin.directory = None;
        }
        let model = match &origin.model {
            Some(id) => self.model(id).await?,
            None => None,
        };
        // Whose run it is, the files say; a version without files of MLflow's own names one itself.
        let run = match origin.run.as_ref().or(version.run.as_ref()) {
            Some(id) => self.run(id).await?,
            None => None,
        };
        let files = match self.shelf.files(&version.name, &version.version).or(origin.directory) {
            Some(directory) => self.manifest(&directory, |_| None).await?,
            None => None,
        };
        Ok(Some(self.part(run, model, files).await))
    }

    /// Whether the registry gives whoever loads a version the files that its source leads to now. MLflow's own noted the place when the
    /// version was made; a version that its source names may have been made anew since. A workspace keeps copies.
    async fn serves(&self, version: &Version, origin: &Origin) -> Result<bool, R::Error> {
        let Some(directory) = origin.directory.as_ref().filter(|at| !at.starts_with('/') && self.shelf == Shelf::Workspace)
        else {
            return Ok(true);
        };
        let query = [("name", &*version.name), ("version", &*version.version)];
        let Some(answer) = self.registry.get(SERVED, &query).await? else { return Ok(false) };
        let served = self.origin(&served(&answer)?).await?;
        Ok(served.is_some_and(|served| served.directory.as_ref() == Some(directory)))
    }

    /// The run of a version, without its files.
    async fn run_of(&self, version: &Version) -> Result<Option<Part>, R::Error> {
        let Some(origin) = self.origin(&version.source).await? else { return Ok(None) };
        let run = match origin.run.as_ref().or(version.run.as_ref()) {
            Some(id) => self.run(id).await?,
            None => None,
        };
        Ok(Some(self.part(run, None, None).await))
    }

    /// The models that a run used, and those that their runs used; and what is known of nobody.
    async fn parents(&self, made: &Part, with_files: bool) -> Result<(Vec<Part>, Vec<String>), R::Error> {
        let of = |part: &Part| part.run.iter().flat_map(|run| run.parents.iter().cloned()).collect::<Vec<_>>();
        let (mut parents, mut lost, mut asked, mut ahead) = (Vec::new(), Vec::new(), Vec::new(), of(made));
        while let Some(id) = ahead.pop() {
            if asked.contains(&id) {
                continue;
            }
            if asked.len() >= MOST_PARENTS {
                lost.push("more than are followed".to_owned());
                break;
            }
            asked.push(id.clone());
            let Some(model) = self.model(&id).await? else {
                lost.push(id);
                continue;
            };
            let run = match &model.run {
                Some(run) => self.run(run).await?,
                None => None,
            };
            let files = match kept(&model.artifacts) {
                Some(directory) if with_files => self.manifest(&directory, |_| None).await?,
                Some(_) | None => None,
            };
            let part = self.part(run, Some(model), files).await;
            ahead.extend(of(&part));
            parents.push(part);
        }
        Ok((parents, lost))
    }

    async fn part(&self, run: Option<Run>, model: Option<LoggedModel>, files: Option<String>) -> Part {
        let tags = run.iter().flat_map(|run| &run.tags).chain(model.iter().flat_map(|model| &model.tags));
        let vouchings = self.vouchings(tags).await;
        Part::of(run, model, files, &|token| vouchings.get(token).map(Vouching::voucher), self.audience, self.now)
    }

    /// Who vouches for the keys of the statements among these tags.
    async fn vouchings<'t>(&self, tags: impl IntoIterator<Item = &'t (String, String)>) -> HashMap<String, Vouching> {
        let mut found = HashMap::new();
        for (_, token) in tags.into_iter().filter(|(key, _)| key.starts_with("longhorn.")) {
            if let Some(vouching) = self.registry.vouching(token).await {
                found.insert(token.clone(), vouching);
            }
        }
        found
    }

    async fn run(&self, id: &str) -> Result<Option<Run>, R::Error> {
        let answer = self.registry.get("/api/2.0/mlflow/runs/get", &[("run_id", id)]).await?;
        Ok(answer.map(|answer| Run::read(&answer)).transpose()?.filter(|run| run.id == id))
    }

    async fn model(&self, id: &str) -> Result<Option<LoggedModel>, R::Error> {
        // An id that is none would be another path.
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
            return Ok(None);
        }
        let answer = self.registry.get(&format!("/api/2.0/mlflow/logged-models/{id}"), &[]).await?;
        Ok(answer.map(|answer| LoggedModel::read(&answer)).transpose()?.filter(|model| model.id == id))
    }

    /// Where a version comes from. `None`: its source names nothing, or not what the registry says of it.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn origin(&self, source: &str) -> Result<Option<Origin>, R::Error> {
        let mut source = source.to_owned();
        for copies in 0..MOST_COPIES {
            let Some(read) = Source::read(&source) else { return Ok(None) };
            let (thing, path) = match &read {
                Source::Version(name, number) => {
                    let query = [("name", name.as_str()), ("version", number.as_str())];
                    let answer = self.registry.get(self.shelf.version(), &query).await?;
                    let Some(answer) = answer else { return Ok(None) };
                    source = made_version(&answer)?.1;
                    continue;
                }
                Source::Elsewhere => return Ok(Some(Origin::default())),
                Source::LoggedModel(id) => (Owner::Model(id.clone()), ""),
                Source::Run(id, path) => (Owner::Run(id.clone()), path.as_str()),
                Source::Artifacts(path) => match owner(path) {
                    Some((Owner::Run(id), _, rest)) => (Owner::Run(id), rest),
                    Some((Owner::Model(id), _, "")) => (Owner::Model(id), ""),
                    _ => return Ok(None),
                },
            };
            let (run, model, root) = match &thing {
                Owner::Run(id) => match self.run(id).await? {
                    Some(run) => (Some(run.id), None, run.artifacts),
                    None => return Ok(None),
                },
                Owner::Model(id) => match self.model(id).await? {
                    Some(model) => (model.run, Some(model.id), model.artifacts),
                    None => return Ok(None),
                },
                Owner::Trace => return Ok(None),
            };
            let directory = kept(&root).map(|root| if path.is_empty() { root.into_owned() } else { format!("{root}/{path}") });
            // A workspace's registry keeps a copy of what a version in between was then, and tells nobody of which files.
            if copies > 1 && self.shelf == Shelf::Workspace && directory.as_ref().is_some_and(|at| at.starts_with('/')) {
                return Ok(None);
            }
            // The path that was named must be where the registry says that these files are.
            if let Source::Artifacts(named) = &read
                && directory.as_ref() != Some(named)
            {
                return Ok(None);
            }
            return Ok(Some(Origin { owner: Some(thing), run, model, directory }));
        }
        Ok(None)
    }

    /// The digest of a directory's manifest; `known` tells of files that need not be read. `None`: it is out of reach.
    ///
    /// # Errors
    /// When the registry does not answer, or there are more files than are read.
    pub async fn manifest(&self, root: &str, known: impl Fn(&str) -> Option<Digest>) -> Result<Option<String>, R::Error> {
        Ok(self.listing(root, known).await?.map(|manifest| manifest.digest()))
    }

    /// The files of a version as they are now. `None`: the registry has no such version, or they are out of reach.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn files(&self, name: &str, number: &str) -> Result<Option<Manifest>, R::Error> {
        let Some(version) = self.version(name, number).await? else { return Ok(None) };
        let directory = match self.shelf.files(name, number) {
            Some(directory) => Some(directory),
            None => self.origin(&version.source).await?.and_then(|origin| origin.directory),
        };
        match directory {
            Some(directory) => self.listing(&directory, |_| None).await,
            None => Ok(None),
        }
    }

    async fn listing(&self, root: &str, known: impl Fn(&str) -> Option<Digest>) -> Result<Option<Manifest>, R::Error> {
        let (mut manifest, mut seen, mut ahead) = (Manifest::default(), 0, vec![root.to_owned()]);
        while let Some(at) = ahead.pop() {
            let Some(entries) = self.entries(&at).await? else {
                // A workspace has no such directory where files go another way.
                if at == root && at.starts_with('/') {
                    return Ok(None);
                }
                continue;
            };
            for (name, is_directory) in entries {
                seen += 1;
                if seen > MOST_FILES {
                    return Err(Unread("end of its files within 10,000").into());
                }
                let path = format!("{at}/{name}");
                if is_directory {
                    ahead.push(path);
                    continue;
                }
                let digest = match known(&path) {
                    Some(digest) => digest,
                    None => self.registry.digest(&path).await?.ok_or(Unread("file that it lists"))?,
                };
                manifest.add(path[root.len()..].trim_start_matches('/').to_owned(), digest);
            }
        }
        // No model is without files: where there are none is not where they are.
        Ok(Some(manifest).filter(|manifest| !manifest.files().is_empty()))
    }

    /// What a directory holds; of the workspace's own files by its whole path. `None`: there is none.
    async fn entries(&self, at: &str) -> Result<Option<Entries>, R::Error> {
        if !at.starts_with('/') {
            let answer = self.registry.get("/api/2.0/mlflow-artifacts/artifacts", &[("path", at)]).await?;
            return Ok(answer.map(|answer| directory(&answer)).transpose()?);
        }
        let path = format!("/api/2.0/fs/directories{at}");
        let (mut entries, mut token) = (Vec::new(), None::<String>);
        while entries.len() <= MOST_FILES {
            let query = token.as_deref().map(|token| ("page_token", token));
            let Some(answer) = self.registry.get(&path, query.as_slice()).await? else { return Ok(None) };
            let (page, next) = workspace_directory(&answer)?;
            // A page without an entry that says there are more would go on for ever.
            let ended = page.is_empty();
            entries.extend(page);
            match next.filter(|_| !ended) {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        Ok(Some(entries))
    }
}
