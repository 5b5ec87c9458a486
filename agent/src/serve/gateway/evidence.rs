//! What has to be known before a request goes on: a job writes to what it made itself, until that has ended.

use std::rc::Rc;
use std::time::Duration;

use hyper::header::HeaderValue;
use longhorn_json::{Json, Object};

use super::exchange::{Exchange, Stop};
use super::known::{FRESH, Seen, Thing, Turn, Writing};
use super::signing::Due;
use crate::context::statement::hear;
use crate::context::{Context, JobClaim};
use crate::gateway::{Allowed, Denial, NewVersion, Touch};
use crate::model::place::{Owner, inside, kept, owner, version};
use crate::model::statements::{CONTEXT, RUN_SEAL, RunSeal};
use crate::model::{LoggedModel, Made, NotWritable, Run, Shelf, Version, lineage};
use crate::unverified::Unverified;

/// No tag's value is longer in the oldest MLflow that is served, in bytes.
const MOST_TAG: usize = 5000;
/// What a request holds until it is answered, and what is due then.
#[derive(Default)]
pub(super) struct Held {
    turns: Vec<Turn>,
    pub(super) due: Vec<Due>,
    /// What Unity Catalog hears of lineage.
    pub(super) lineage: Option<HeaderValue>,
}

impl Exchange {
    /// Before a request goes on. What was seen of a file's owner counts for so long.
    pub(super) async fn before(&self, allowed: &mut Allowed<'_>, context: &Context, fresh: Duration) -> Result<Held, Stop> {
        let mut held = Held::default();
        let sub = &context.claims().sub;
        for touch in allowed.touches().to_vec() {
            // What is written to, whether that ends it, and what is due then.
            let (claimed, due) = match touch {
                Touch::NewRun => {
                    let token = context.token();
                    if token.len() > MOST_TAG {
                        return Err(self.denied_because(
                            "context-too-long",
                            "the context of this node is longer than a tag of a run: its proofs or its lists are too many",
                        ));
                    }
                    allowed.amend(|members| add_tag(members, CONTEXT, token));
                    (None, Some(Due::RunBinding))
                }
                Touch::Run(id) => (Some((Thing::Run(id), Writing::More)), None),
                Touch::EndOfRun(run, status) => {
                    (Some((Thing::Run(run.clone()), Writing::Last)), Some(Due::RunSeal { run, status }))
                }
                Touch::NewModel(run) => {
                    (run.clone().map(|run| (Thing::Run(run), Writing::More)), Some(Due::ModelBinding { run }))
                }
                Touch::Model(id) => (Some((Thing::Model(id), Writing::More)), None),
                Touch::WholeModel(model) => (Some((Thing::Model(model.clone()), Writing::Last)), Some(Due::ModelSeal { model })),
                // A model that is whole may be evaluated, and what comes of it said of it.
                Touch::OfModel(id) => {
                    let thing = Thing::Model(id);
                    if self.look(&thing, FRESH).await?.maker.as_ref() != Some(sub) {
                        return Err(self.denied(not_writable(&thing, NotWritable::OfAnother)));
                    }
                    (None, None)
                }
                Touch::Artifact(path) => (None, self.file(path, sub, fresh, &mut held).await?),
                // Rare, and large: each on a heap of its own.
                Touch::Promote(promotion) => {
                    let (turn, due) = Box::pin(self.gate(&promotion, Shelf::Workspace, context)).await?;
                    held.turns.push(turn);
                    (None, Some(due))
                }
                Touch::Serve(versions) => {
                    held.due.extend(Box::pin(self.serving(&versions, context)).await?);
                    (None, None)
                }
                Touch::PromoteInCatalog(promotion) => {
                    let (turn, due) = Box::pin(self.gate(&promotion, Shelf::Catalog, context)).await?;
                    held.turns.push(turn);
                    (None, Some(due))
                }
                Touch::Demote { name, alias, version } => {
                    held.turns.push(Box::pin(self.demotion(&name, &alias, version.as_deref(), context)).await?);
                    (None, None)
                }
                Touch::DemoteInCatalog { name, alias } => {
                    held.turns.push(Box::pin(self.demotion(&name, &alias, None, context)).await?);
                    (None, None)
                }
                Touch::NewVersion(made) => {
                    let (turn, due) = Box::pin(self.version(&made, Shelf::Workspace, sub)).await?;
                    held.turns.extend(turn);
                    amend_run(allowed, &made, &due);
                    (None, Some(due))
                }
                Touch::NewCatalogVersion(made) => {
                    let (turn, due) = Box::pin(self.version(&made, Shelf::Catalog, sub)).await?;
                    held.turns.extend(turn);
                    amend_run(allowed, &made, &due);
                    if let Due::VersionBinding { run, .. } = &due {
                        held.lineage = Box::pin(self.lineage(run.as_deref(), context)).await?;
                    }
                    (None, Some(due))
                }
                Touch::WholeVersion { name, version } => (
                    Some((Thing::Version(name.clone(), version.clone()), Writing::Last)),
                    Some(Due::WholeVersion { name, version }),
                ),
                Touch::Lineage => {
                    let job = context.claims().job.clone();
                    allowed.amend(|members| attested(members, job));
                    (None, None)
                }
            };
            if let Some((thing, writing)) = claimed {
                self.claim(&thing, writing, sub, &mut held).await?;
            }
            held.due.extend(due);
        }
        Ok(held)
    }

    /// Waits for its turn, and sees whether this job may write there.
    async fn claim(&self, thing: &Thing, writing: Writing, sub: &str, held: &mut Held) -> Result<Rc<Seen>, Stop> {
        held.turns.push(self.shared.known.turn(thing, writing).await);
        let within = if writing == Writing::More { FRESH } else { Duration::ZERO };
        self.writable(thing, writing, sub, within).await
    }

    async fn writable(&self, thing: &Thing, writing: Writing, sub: &str, within: Duration) -> Result<Rc<Seen>, Stop> {
        let seen = self.look(thing, within).await?;
        match seen.made.writable(seen.maker.as_deref(), sub) {
            Ok(()) => Ok(seen),
            // It is ended once more where it ended and nobody sealed it.
            Err(NotWritable::Ended) if writing == Writing::Last && !seen.made.sealed() => Ok(seen),
            Err(why) => Err(self.denied(not_writable(thing, why))),
        }
    }

    /// A run or model as the registry shows it now, or showed it within this time.
    pub(super) async fn look(&self, thing: &Thing, within: Duration) -> Result<Rc<Seen>, Stop> {
        let now = self.shared.session.borrow().clock.boot();
        if let Some(seen) = self.shared.known.seen(thing, within, now) {
            return Ok(seen);
        }
        let unknown = |reason, sentence| self.denied_because(reason, sentence);
        let made = match thing {
            Thing::Registered(_) => None,
            Thing::Version(name, number) => {
                let query = [("name", name.as_str()), ("version", number.as_str())];
                let answer = self.line.get(Shelf::Catalog.version(), &query).await?;
                let none = || unknown("version-unknown", "the registry has no such version");
                let version = Version::read(&answer.ok_or_else(none)?)?;
                (version.name == *name && version.version == *number).then_some(Made::Version(version))
            }
            Thing::Run(id) => {
                let answer = self.line.get("/api/2.0/mlflow/runs/get", &[("run_id", id)]).await?;
                let run = Run::read(&answer.ok_or_else(|| unknown("run-unknown", "the registry has no such run"))?)?;
                (run.id == *id).then_some(Made::Run(run))
            }
            Thing::Model(id) => {
                let answer = self.line.get(&format!("/api/2.0/mlflow/logged-models/{id}"), &[]).await?;
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

    /// The lineage of a version of this run, by what was attested: its tables count where the run is this job's own and goes on, or is
    /// still what a node sealed.
    async fn lineage(&self, run: Option<&str>, context: &Context) -> Result<Option<HeaderValue>, Stop> {
        let (Some(job), claims) = (&context.claims().job, context.claims()) else { return Ok(None) };
        let seen = match run {
            // As it is now: what it used may have been said a moment ago.
            Some(run) => Some(self.look(&Thing::Run(run.to_owned()), Duration::ZERO).await?),
            None => None,
        };
        let mut used = Vec::new();
        if let Some(Seen { made: Made::Run(run), maker: Some(maker) }) = seen.as_deref() {
            let counts = match run.tag(RUN_SEAL) {
                None => *maker == claims.sub,
                Some(token) => self.shared.keys.of(token).await.is_some_and(|vouching| {
                    let heard = hear::<RunSeal>(&Unverified::new(token.as_bytes()), &vouching.voucher());
                    heard.is_ok_and(|(seal, _)| seal.run_id == run.id && seal.inputs == run.digests.inputs)
                }),
            };
            if counts {
                used.clone_from(&run.datasets);
            }
        }
        Ok(HeaderValue::from_str(&lineage(&job.id, &job.run, &used)).ok())
    }

    /// A file that is written or deleted.
    async fn file(&self, path: String, sub: &str, within: Duration, held: &mut Held) -> Result<Option<Due>, Stop> {
        let Some(thing) = self.whose(&path)? else { return Ok(None) };
        held.turns.push(self.shared.known.turn(&thing, Writing::More).await);
        self.open(&thing, &path, sub, within).await?;
        // However this ends, it is not what it was.
        self.shared.known.passed(&path, None);
        Ok(Some(Due::File { path, found: None }))
    }

    /// Whether a file that is all there may still be stored: as the registry shows its owner now, and to the job that this node is of now.
    pub(super) async fn still(&self, held: &Held, context: &Context) -> Result<(), Stop> {
        let sub = &context.claims().sub;
        let standing = self.shared.session.borrow().context.as_ref().is_some_and(|now| now.claims().sub == *sub);
        if !standing {
            return Err(self.denied(Denial::withdrawn()));
        }
        for due in &held.due {
            if let Due::File { path, .. } = due
                && let Some(thing) = self.whose(path)?
            {
                self.open(&thing, path, sub, Duration::ZERO).await?;
            }
        }
        Ok(())
    }

    /// What a file is of; `None` where that is no evidence.
    fn whose(&self, path: &str) -> Result<Option<Thing>, Stop> {
        if let Some((name, number)) = version(path) {
            return Ok(Some(Thing::Version(name, number)));
        }
        match owner(path) {
            Some((Owner::Run(id), ..)) => Ok(Some(Thing::Run(id))),
            Some((Owner::Model(id), ..)) => Ok(Some(Thing::Model(id))),
            Some((Owner::Trace, ..)) => Ok(None),
            None => Err(self.foreign()),
        }
    }

    /// Whether this job may write this file of it, and nothing registered covers it.
    async fn open(&self, thing: &Thing, path: &str, sub: &str, within: Duration) -> Result<(), Stop> {
        let seen = self.writable(thing, Writing::More, sub, within).await?;
        if matches!(thing, Thing::Version(..)) {
            return Ok(());
        }
        let (_, root, rest) = owner(path).ok_or_else(|| self.foreign())?;
        if kept(seen.made.artifacts()).as_deref() != Some(root) {
            return Err(self.foreign());
        }
        if let Made::Run(run) = &seen.made
            && run.registered().iter().any(|directory| inside(rest, directory) || inside(directory, rest))
        {
            return Err(self.denied_because(
                "artifact-registered",
                "a version of a registered model was made of these files; log the model anew, and register that",
            ));
        }
        Ok(())
    }

    fn foreign(&self) -> Stop {
        self.denied_because(
            "artifact-place",
            "files go where the registry keeps those of a run or of a logged model, and nowhere else",
        )
    }
}

/// A version names the run that its files are of.
fn amend_run(allowed: &mut Allowed<'_>, made: &NewVersion, due: &Due) {
    if let Due::VersionBinding { run: Some(id), .. } = due
        && made.run.is_none()
    {
        let id = id.clone();
        allowed.amend(|members| members.set("run_id", Json::Text(id.into())));
    }
}

/// Who reads or writes a version is the attested job, or nobody that the client could name.
fn attested(members: &mut Object<'_>, job: Option<JobClaim>) {
    members.remove("securable");
    if let Some(Json::Object(info)) = members.get_mut("model_version_lineage_info") {
        let entity = |job: JobClaim| {
            let (mut entity, mut named) = (Object::default(), Object::default());
            named.set("id", Json::Text(job.id.into()));
            named.set("job_run_id", Json::Text(job.run.into()));
            entity.set("job", Json::Object(named));
            Json::Object(entity)
        };
        info.set("entities", Json::List(job.into_iter().map(entity).collect()));
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
        (Thing::Version(..), NotWritable::Unbound) => {
            ("version-unbound", "no attested job made this version through the gateway; register the model anew")
        }
        (Thing::Version(..), NotWritable::OfAnother) => ("version-of-another", "another job made this version"),
        (Thing::Version(..), NotWritable::Ended) => {
            ("version-whole", "this version has all its files, and they are bound to it; register the model anew")
        }
        (Thing::Model(_) | Thing::Registered(_), NotWritable::Unbound) => {
            ("model-unbound", "no attested job made this logged model; a job writes to those that it made itself")
        }
        (Thing::Model(_) | Thing::Registered(_), NotWritable::OfAnother) => {
            ("model-of-another", "another job made this logged model; a job writes to those that it made itself")
        }
        (Thing::Model(_) | Thing::Registered(_), NotWritable::Ended) => {
            ("model-whole", "this logged model is whole, and its files are sealed; log it anew")
        }
    };
    Denial::refused(reason, sentence)
}
