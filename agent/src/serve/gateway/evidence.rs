//! What has to be known before a request goes on: a job writes to what it made itself, until that has ended.

use std::rc::Rc;
use std::time::Duration;

use longhorn_json::{Json, Object};

use super::exchange::{Exchange, Stop};
use super::known::{FRESH, Seen, Thing, Turn};
use super::origin::Reading;
use super::signing::Due;
use crate::context::Context;
use crate::gateway::{Allowed, Denial, Touch};
use crate::model::place::{Owner, inside, kept, owner};
use crate::model::statements::CONTEXT;
use crate::model::{LoggedModel, Made, NotWritable, Run};

/// No tag's value is longer in the oldest MLflow that is served, in bytes.
const MOST_TAG: usize = 5000;
/// What a request holds until it is answered, and what is due then.
#[derive(Default)]
pub(super) struct Held {
    turns: Vec<Turn>,
    pub(super) due: Vec<Due>,
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
                Touch::Promote(promotion) => {
                    let (turn, due) = self.gate(&promotion, context).await?;
                    held.turns.push(turn);
                    held.due.push(due);
                }
                Touch::Demote { name, alias } => held.turns.push(self.demotion(&name, &alias, context).await?),
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
                        Some(directory) => Some(self.manifest(directory, Reading::New).await?),
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

    /// A run or model as the registry shows it now, or showed it within this time.
    pub(super) async fn look(&self, thing: &Thing, within: Duration) -> Result<Rc<Seen>, Stop> {
        let now = self.shared.session.borrow().clock.boot();
        if let Some(seen) = self.shared.known.seen(thing, within, now) {
            return Ok(seen);
        }
        let unknown = |reason, sentence| self.denied_because(reason, sentence);
        let made = match thing {
            Thing::Registered(_) => None,
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
