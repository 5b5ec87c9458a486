//! What has to be known before a request goes on, and what is signed after it: a job writes to what it made itself, until that has
//! ended; what it made and how it ended, a node says under its key, in tags that are Longhorn's.

use std::rc::Rc;
use std::time::Duration;

use hyper::Method;
use longhorn_json::{Json, Object};
use serde_json::json;

use super::exchange::{Exchange, Stop};
use super::hashing::Found;
use super::known::{FRESH, Seen, Thing, Turn};
use crate::context::Context;
use crate::context::seal::carried;
use crate::context::statement::{Statement, say};
use crate::gateway::{Allowed, Denial, Touch};
use crate::host::digest::sha256_hex;
use crate::model::place::{Owner, inside, kept, owner};
use crate::model::statements::{
    CONTEXT, MODEL_BINDING, MODEL_SEAL, ModelBinding, ModelSeal, REGISTERED, RUN_BINDING, RUN_SEAL, RunBinding, RunSeal,
    VERSION_BINDING, VersionBinding,
};
use crate::model::{LoggedModel, Made, Manifest, NotWritable, Run, Source, directory, made_model, made_run, made_version};
use crate::record::Event;
use crate::unverified::Unverified;

/// No tag's value is longer in the oldest MLflow that is served, in bytes.
const MOST_TAG: usize = 5000;
/// A version that is a copy of a copy of a copy: so far it is followed.
const MOST_COPIES: usize = 8;
/// A model has at most so many files and directories.
const MOST_FILES: usize = 10_000;
/// What a run lists of directories that were registered; beyond, all of its files count as one.
const MOST_LISTED: usize = 2000;

/// What is signed once the registry has done what it was asked.
pub(super) enum Due {
    RunBinding,
    RunSeal { run: String, status: String },
    ModelBinding { run: Option<String> },
    ModelSeal { model: String },
    VersionBinding { name: String, run: Option<String>, model: Option<String>, files: Option<String> },
    File { path: String, found: Option<Found> },
}

/// What a request holds until it is answered, and what is due then.
#[derive(Default)]
pub(super) struct Held {
    turns: Vec<Turn>,
    pub(super) due: Vec<Due>,
}

/// Where a version comes from, as far as the registry's word goes.
struct Origin {
    /// Whose files they are.
    thing: Option<Thing>,
    run: Option<String>,
    model: Option<String>,
    /// Its directory below the root of artifacts.
    directory: Option<String>,
}

impl Exchange {
    /// Before a request goes on.
    pub(super) async fn before(&self, allowed: &mut Allowed<'_>, context: &Context) -> Result<Held, Stop> {
        let mut held = Held::default();
        let sub = &context.claims().sub;
        for touch in allowed.touches().to_vec() {
            match touch {
                Touch::NewRun => {
                    let token = context.token();
                    if token.len() > MOST_TAG {
                        return Err(self.denied_because(
                            "context-too-long",
                            "the context of this node is longer than a tag of a run: its proofs or its lists are too many",
                        ));
                    }
                    allowed.amend(|members| add_tag(members, CONTEXT, token));
                    held.due.push(Due::RunBinding);
                }
                Touch::Run(id) => {
                    let thing = Thing::Run(id);
                    held.turns.push(self.shared.known.write(&thing).await);
                    self.writable(&thing, sub, FRESH).await?;
                }
                Touch::EndOfRun(run, status) => {
                    let thing = Thing::Run(run.clone());
                    held.turns.push(self.shared.known.end(&thing).await);
                    self.endable(&thing, sub).await?;
                    held.due.push(Due::RunSeal { run, status });
                }
                Touch::NewModel(run) => {
                    if let Some(run) = &run {
                        let thing = Thing::Run(run.clone());
                        held.turns.push(self.shared.known.write(&thing).await);
                        self.writable(&thing, sub, FRESH).await?;
                    }
                    held.due.push(Due::ModelBinding { run });
                }
                Touch::Model(id) => {
                    let thing = Thing::Model(id);
                    held.turns.push(self.shared.known.write(&thing).await);
                    self.writable(&thing, sub, FRESH).await?;
                }
                // A model that is whole may be evaluated, and what comes of it said of it.
                Touch::OfModel(id) => {
                    let thing = Thing::Model(id);
                    let seen = self.look(&thing, FRESH).await?;
                    if seen.maker.as_ref() != Some(sub) {
                        return Err(self.denied(not_writable(&thing, NotWritable::OfAnother)));
                    }
                }
                Touch::WholeModel(model) => {
                    let thing = Thing::Model(model.clone());
                    held.turns.push(self.shared.known.end(&thing).await);
                    self.endable(&thing, sub).await?;
                    held.due.push(Due::ModelSeal { model });
                }
                Touch::Artifact(path) => {
                    let thing = self.file(&path, sub, &mut held).await?;
                    if thing.is_some() {
                        held.due.push(Due::File { path, found: None });
                    }
                }
                Touch::NewVersion { name, source, run, model } => {
                    let origin = self.origin(&source).await?;
                    if run.is_some() && run != origin.run || model.is_some() && model != origin.model {
                        return Err(self.denied_because(
                            "source-of-another-run",
                            "the source is not of the run or logged model that the request names; name its own, or none",
                        ));
                    }
                    if let Some(thing) = &origin.thing {
                        held.turns.push(self.shared.known.end(thing).await);
                        self.registered(thing, &origin).await?;
                    }
                    let files = match &origin.directory {
                        Some(directory) => Some(self.manifest(directory).await?),
                        None => None,
                    };
                    if let Some(id) = origin.run.clone().filter(|_| run.is_none()) {
                        allowed.amend(|members| members.set("run_id", Json::Text(id.into())));
                    }
                    held.due.push(Due::VersionBinding { name, run: origin.run, model: origin.model, files });
                }
            }
        }
        Ok(held)
    }

    /// After the registry did what it was asked, with what it answered.
    pub(super) async fn after(&self, due: Due, answer: &Unverified<Vec<u8>>, context: &Context) -> Result<(), Stop> {
        let (sub, iat) = (context.claims().sub.clone(), self.now());
        let digest = || sha256_hex(context.token().as_bytes());
        match due {
            Due::RunBinding => {
                let run_id = made_run(answer)?;
                let binding = RunBinding { run_id: run_id.clone(), context: digest(), sub, iat };
                let token = self.signed(RUN_BINDING, &run_id, &binding, context).await?;
                self.tag_run(&run_id, RUN_BINDING, &token).await
            }
            Due::RunSeal { run, status } => {
                let thing = Thing::Run(run.clone());
                let seen = self.look(&thing, Duration::ZERO).await?;
                let Made::Run(Run { digests, .. }) = &seen.made else { return Err(Stop::unreachable()) };
                let crate::model::Digests { params, metrics, inputs, outputs, tags } = digests.clone();
                let seal = RunSeal { run_id: run.clone(), status, params, metrics, inputs, outputs, tags, sub, iat };
                let token = self.signed(RUN_SEAL, &run, &seal, context).await?;
                self.tag_run(&run, RUN_SEAL, &token).await?;
                self.shared.known.forget(&thing);
                Ok(())
            }
            Due::ModelBinding { run } => {
                let model_id = made_model(answer)?;
                let binding = ModelBinding { model_id: model_id.clone(), run_id: run, context: digest(), sub, iat };
                let token = self.signed(MODEL_BINDING, &model_id, &binding, context).await?;
                self.tag_model(&model_id, MODEL_BINDING, &token).await
            }
            Due::ModelSeal { model } => {
                let thing = Thing::Model(model.clone());
                let seen = self.look(&thing, Duration::ZERO).await?;
                let files = match kept(seen.made.artifacts()) {
                    Some(directory) => Some(self.manifest(directory).await?),
                    None => None,
                };
                let seal = ModelSeal { model_id: model.clone(), files, sub, iat };
                let token = self.signed(MODEL_SEAL, &model, &seal, context).await?;
                self.tag_model(&model, MODEL_SEAL, &token).await?;
                self.shared.known.forget(&thing);
                Ok(())
            }
            Due::VersionBinding { name, run, model, files } => {
                let (version, source) = made_version(answer)?;
                let about = format!("{name} {version}");
                let binding = VersionBinding {
                    name: name.clone(),
                    version: version.clone(),
                    source,
                    run_id: run,
                    model_id: model,
                    files,
                    sub,
                    iat,
                };
                let token = self.signed(VERSION_BINDING, &about, &binding, context).await?;
                let tag = json!({ "name": name, "version": version, "key": VERSION_BINDING, "value": token });
                Ok(self.line.put(Method::POST, "/api/2.0/mlflow/model-versions/set-tag".into(), &tag).await?)
            }
            Due::File { path, found } => {
                self.shared.known.passed(&path, found.and_then(|found| found.take()));
                Ok(())
            }
        }
    }

    /// A run or model as the registry shows it now, or showed it within this time.
    async fn look(&self, thing: &Thing, within: Duration) -> Result<Rc<Seen>, Stop> {
        let now = self.shared.session.borrow().clock.boot();
        if let Some(seen) = self.shared.known.seen(thing, within, now) {
            return Ok(seen);
        }
        let unknown = |reason, sentence| self.denied_because(reason, sentence);
        let made = match thing {
            Thing::Run(id) => {
                let answer = self.line.get("/api/2.0/mlflow/runs/get".into(), &[("run_id", id)]).await?;
                let run = Run::read(&answer.ok_or_else(|| unknown("run-unknown", "the registry has no such run"))?)?;
                (run.id == *id).then_some(Made::Run(run))
            }
            Thing::Model(id) => {
                let answer = self.line.get(format!("/api/2.0/mlflow/logged-models/{id}"), &[]).await?;
                let none = || unknown("model-unknown", "the registry has no such logged model");
                let model = LoggedModel::read(&answer.ok_or_else(none)?)?;
                (model.id == *id).then_some(Made::Model(model))
            }
        };
        let made = made.ok_or_else(Stop::unreachable)?;
        let vouching = match made.binding() {
            Some(token) => self.shared.keys.of(token).await,
            None => None,
        };
        let maker = vouching.and_then(|vouching| made.maker(&vouching.voucher()));
        let seen = Rc::new(Seen { made, maker });
        self.shared.known.see(thing, seen.clone(), now);
        Ok(seen)
    }

    async fn writable(&self, thing: &Thing, sub: &str, within: Duration) -> Result<Rc<Seen>, Stop> {
        let seen = self.look(thing, within).await?;
        let writable = seen.made.writable(seen.maker.as_deref(), sub);
        writable.map_err(|why| self.denied(not_writable(thing, why)))?;
        Ok(seen)
    }

    /// It may be ended where it may be written to, and once more where it ended and nobody sealed it.
    async fn endable(&self, thing: &Thing, sub: &str) -> Result<(), Stop> {
        let seen = self.look(thing, Duration::ZERO).await?;
        match seen.made.writable(seen.maker.as_deref(), sub) {
            Err(NotWritable::Ended) if !seen.made.sealed() => Ok(()),
            Err(why) => Err(self.denied(not_writable(thing, why))),
            Ok(()) => Ok(()),
        }
    }

    /// A file that is written or deleted.
    async fn file(&self, path: &str, sub: &str, held: &mut Held) -> Result<Option<Thing>, Stop> {
        let foreign = || {
            self.denied_because(
                "artifact-place",
                "files go where the registry keeps those of a run or of a logged model, and nowhere else",
            )
        };
        let (owner, root, rest) = owner(path).ok_or_else(foreign)?;
        let thing = match owner {
            Owner::Run(id) => Thing::Run(id),
            Owner::Model(id) => Thing::Model(id),
            Owner::Trace => return Ok(None),
        };
        held.turns.push(self.shared.known.write(&thing).await);
        let seen = self.writable(&thing, sub, FRESH).await?;
        if kept(seen.made.artifacts()) != Some(root) {
            return Err(foreign());
        }
        if let Made::Run(run) = &seen.made
            && run.registered().iter().any(|directory| inside(rest, directory) || inside(directory, rest))
        {
            return Err(self.denied_because(
                "artifact-registered",
                "a version of a registered model was made of these files; log the model anew, and register that",
            ));
        }
        Ok(Some(thing))
    }

    /// Where a version comes from.
    async fn origin(&self, source: &str) -> Result<Origin, Stop> {
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

    /// From now on nobody writes to what a version is made of.
    async fn registered(&self, thing: &Thing, origin: &Origin) -> Result<(), Stop> {
        let seen = self.look(thing, Duration::ZERO).await?;
        let Made::Run(run) = &seen.made else {
            if seen.made.ended() {
                return Ok(());
            }
            return Err(self.denied_because("model-not-whole", "this logged model is not whole yet; finish logging it first"));
        };
        let (Some(root), Some(directory)) = (kept(&run.artifacts), &origin.directory) else { return Ok(()) };
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

    /// The digest of a directory's manifest: of files that passed here from what was seen of them, of others by reading them.
    async fn manifest(&self, root: &str) -> Result<String, Stop> {
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
                let digest = match self.shared.known.file(&path) {
                    Some(digest) => digest,
                    None => self.line.digest(&path).await?.ok_or_else(Stop::unreachable)?,
                };
                manifest.add(path[root.len()..].trim_start_matches('/').to_owned(), digest);
            }
        }
        Ok(manifest.digest())
    }

    /// Signs a statement; it is on record before anybody sees it.
    async fn signed<S: Statement>(&self, tag: &str, about: &str, statement: &S, context: &Context) -> Result<String, Stop> {
        let certificate = carried(&Unverified::new(context.token().as_bytes()));
        let token = say(statement, &self.shared.key, certificate);
        let event = Event::StatementSigned {
            process: self.process(),
            statement: tag.to_owned(),
            about: about.to_owned(),
            sha256: sha256_hex(token.as_bytes()),
        };
        let recorder = self.shared.session.borrow().recorder.clone();
        match recorder.record(event).await {
            Ok(_) => Ok(token),
            Err(_) => Err(Stop::Failed("what would be signed could not be recorded")),
        }
    }

    async fn tag_run(&self, run: &str, key: &str, value: &str) -> Result<(), Stop> {
        let tag = json!({ "run_id": run, "key": key, "value": value });
        Ok(self.line.put(Method::POST, "/api/2.0/mlflow/runs/set-tag".into(), &tag).await?)
    }

    async fn tag_model(&self, model: &str, key: &str, value: &str) -> Result<(), Stop> {
        let tags = json!({ "tags": [{ "key": key, "value": value }] });
        Ok(self.line.put(Method::PATCH, format!("/api/2.0/mlflow/logged-models/{model}/tags"), &tags).await?)
    }
}

fn add_tag(members: &mut Object<'_>, key: &'static str, value: &str) {
    let mut tag = Object::default();
    tag.set("key", Json::Text(key.into()));
    tag.set("value", Json::Text(value.to_owned().into()));
    match members.get_mut("tags") {
        Some(Json::List(tags)) => tags.push(Json::Object(tag)),
        _ => members.set("tags", Json::List(vec![Json::Object(tag)])),
    }
}

fn not_writable(thing: &Thing, why: NotWritable) -> Denial {
    let (reason, sentence) = match (thing, why) {
        (Thing::Run(_), NotWritable::Unbound) => {
            ("run-unbound", "no attested job made this run; a job writes to the runs that it made itself, through the gateway")
        }
        (Thing::Run(_), NotWritable::OfAnother) => {
            ("run-of-another", "another job made this run; a job writes to the runs that it made itself")
        }
        (Thing::Run(_), NotWritable::Ended) => ("run-ended", "this run has ended, and what it held is sealed; start a new one"),
        (Thing::Model(_), NotWritable::Unbound) => {
            ("model-unbound", "no attested job made this logged model; a job writes to those that it made itself")
        }
        (Thing::Model(_), NotWritable::OfAnother) => {
            ("model-of-another", "another job made this logged model; a job writes to those that it made itself")
        }
        (Thing::Model(_), NotWritable::Ended) => {
            ("model-whole", "this logged model is whole, and its files are sealed; log it anew")
        }
    };
    Denial::refused(reason, sentence)
}
