//! The promotion gate's doors: what is asked of the registry before an alias or a stage moves, the judgement, and what is signed after it.

use std::collections::HashMap;
use std::time::Duration;

use hyper::Method;
use serde_json::json;

use super::exchange::{Exchange, Stop};
use super::keys::Vouching;
use super::known::{Thing, Turn, Writing};
use super::origin::Reading;
use super::signing::Due;
use crate::context::Context;
use crate::gateway::{Denial, Promotion};
use crate::model::statements::{PROMOTION, Promoted, promotion_tag};
use crate::model::{Candidate, LoggedModel, Made, Part, Registered, Run, Verdict, Version};
use crate::record::Event;

/// So many models are looked at that a version was made from, and their parents.
const MOST_PARENTS: usize = 64;

impl Exchange {
    /// Judges, on record; what is due once the registry has done it.
    pub(super) async fn gate(&self, promotion: &Promotion, context: &Context) -> Result<(Turn, Due), Stop> {
        let turn = self.shared.known.turn(&Thing::Registered(promotion.name.clone()), Writing::Last).await;
        let registered = self.registered_model(&promotion.name).await?;
        let previous = registered.stands(&promotion.alias).map(str::to_owned);
        let candidate = self.candidate(promotion, previous.as_deref()).await?;
        let verdict = self.shared.gate.judge(&candidate, &promotion.alias, context.claims());
        let decision = self.judged(promotion, previous.as_deref(), &verdict).await?;
        if !verdict.passes() {
            let failed: Vec<String> = verdict
                .failed()
                .map(|check| format!("{} (expected {}; presented {})", check.name, check.expected, check.presented))
                .collect();
            let sentence = format!(
                "version {} of `{}` may not have `{}`, by decision {decision}: {}",
                promotion.version,
                promotion.name,
                promotion.alias,
                failed.join("; ")
            );
            return Err(self.denied(Denial::refused("gate", sentence)));
        }
        Ok((turn, Due::Promotion { promotion: promotion.clone(), previous, decision, files: candidate.made.files }))
    }

    /// Taking an alias away, or archiving a stage, asks for the role alone.
    pub(super) async fn demotion(&self, name: &str, alias: &str, context: &Context) -> Result<Turn, Stop> {
        let turn = self.shared.known.turn(&Thing::Registered(name.to_owned()), Writing::Last).await;
        if self.shared.gate.may_demote(name, alias, context.claims()) {
            return Ok(turn);
        }
        let sentence =
            format!("no role of this job may take `{alias}` of `{name}` away: the policy's `promoted-by` names none of them");
        Err(self.denied(Denial::refused("gate", sentence)))
    }

    /// After the alias has moved.
    pub(super) async fn promoted(
        &self,
        promotion: Promotion,
        previous: Option<String>,
        decision: u64,
        files: Option<String>,
        context: &Context,
    ) -> Result<(), Stop> {
        let claims = context.claims();
        let Promotion { name, version, alias } = promotion;
        let statement = Promoted {
            name: name.clone(),
            version: version.clone(),
            alias: alias.clone(),
            previous,
            files,
            policy: claims.policy.digest.clone(),
            promoter: claims.run_as.name.clone(),
            decision,
            sub: claims.sub.clone(),
            iat: self.now(),
        };
        let token = self.signed(PROMOTION, &format!("{name} {version} {alias}"), self.said(&statement, context)).await?;
        let tag = json!({ "name": name, "version": version, "key": promotion_tag(&alias), "value": token });
        Ok(self.line.put(Method::POST, "/api/2.0/mlflow/model-versions/set-tag".into(), &tag).await?)
    }

    async fn registered_model(&self, name: &str) -> Result<Registered, Stop> {
        let answer = self.line.get("/api/2.0/mlflow/registered-models/get".into(), &[("name", name)]).await?;
        let none = || self.denied_because("model-unknown", "the registry has no such registered model");
        Ok(Registered::read(&answer.ok_or_else(none)?)?)
    }

    async fn shown(&self, name: &str, version: &str) -> Result<Version, Stop> {
        let query = [("name", name), ("version", version)];
        let answer = self.line.get("/api/2.0/mlflow/model-versions/get".into(), &query).await?;
        let none = || self.denied_because("version-unknown", "the registry has no such version");
        Ok(Version::read(&answer.ok_or_else(none)?)?)
    }

    /// Everything that the judgement needs, as it is now.
    async fn candidate(&self, promotion: &Promotion, previous: Option<&str>) -> Result<Candidate, Stop> {
        let version = self.shown(&promotion.name, &promotion.version).await?;
        let made = self.made(&version).await?;
        let mut parents = Vec::new();
        let mut lost = Vec::new();
        let mut ahead = parents_of(&made);
        let mut asked: Vec<String> = Vec::new();
        while let Some(id) = ahead.pop() {
            if asked.contains(&id) {
                continue;
            }
            if asked.len() >= MOST_PARENTS {
                lost.push("more than are followed".to_owned());
                break;
            }
            asked.push(id.clone());
            match self.parent(&id).await? {
                Some(part) => {
                    ahead.extend(parents_of(&part));
                    parents.push(part);
                }
                None => lost.push(id),
            }
        }
        let current = match previous {
            Some(previous) if previous != promotion.version => {
                Some(self.made(&self.shown(&promotion.name, previous).await?).await?)
            }
            _ => None,
        };
        let vouchings = self.vouchings(std::slice::from_ref(&version.tags)).await;
        let binding = version.binding(&|token| vouchings.get(token).map(Vouching::voucher));
        let promoted = version.promoted(&promotion.alias, &|token| vouchings.get(token).map(Vouching::voucher));
        Ok(Candidate { version, binding, promoted, made, parents, lost, current })
    }

    /// The run and the files of a version.
    async fn made(&self, version: &Version) -> Result<Part, Stop> {
        let origin = self.origin(&version.source).await?;
        let model = match &origin.model {
            Some(id) => self.logged(id).await?,
            None => None,
        };
        // Whose run it is, the files say; a version without files of MLflow's own names one itself.
        let run = match origin.run.as_ref().or(version.run.as_ref()) {
            Some(id) => self.run(id).await?,
            None => None,
        };
        let files = match &origin.directory {
            Some(directory) => Some(self.manifest(directory, Reading::All).await?),
            None => None,
        };
        Ok(self.part(run, model, files).await)
    }

    async fn parent(&self, id: &str) -> Result<Option<Part>, Stop> {
        let Some(model) = self.logged(id).await? else { return Ok(None) };
        let run = match &model.run {
            Some(run) => self.run(run).await?,
            None => None,
        };
        let files = match crate::model::place::kept(&model.artifacts) {
            Some(directory) => Some(self.manifest(directory, Reading::All).await?),
            None => None,
        };
        Ok(Some(self.part(run, Some(model), files).await))
    }

    async fn run(&self, id: &str) -> Result<Option<Run>, Stop> {
        match self.seen_or_none(&Thing::Run(id.to_owned())).await? {
            Some(Made::Run(run)) => Ok(Some(run)),
            _ => Ok(None),
        }
    }

    async fn logged(&self, id: &str) -> Result<Option<LoggedModel>, Stop> {
        match self.seen_or_none(&Thing::Model(id.to_owned())).await? {
            Some(Made::Model(model)) => Ok(Some(model)),
            _ => Ok(None),
        }
    }

    async fn seen_or_none(&self, thing: &Thing) -> Result<Option<Made>, Stop> {
        match self.look(thing, Duration::ZERO).await {
            Ok(seen) => Ok(Some(seen.made.clone())),
            // What is not there is for the judgement to say.
            Err(Stop::Denied(_, denial)) if denial.reason.ends_with("-unknown") => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    async fn part(&self, run: Option<Run>, model: Option<LoggedModel>, files: Option<String>) -> Part {
        let tags = [run.as_ref().map(|run| run.tags.clone()), model.as_ref().map(|model| model.tags.clone())];
        let vouchings = self.vouchings(&tags.map(Option::unwrap_or_default)).await;
        let now = self.shared.session.borrow().clock.now();
        Part::of(run, model, files, &|token| vouchings.get(token).map(Vouching::voucher), self.shared.audience, now)
    }

    /// Who vouches for the keys of the statements among these tags.
    async fn vouchings(&self, tags: &[Vec<(String, String)>]) -> HashMap<String, Vouching> {
        let mut found = HashMap::new();
        for (key, token) in tags.iter().flatten() {
            if key.starts_with("longhorn.")
                && let Some(vouching) = self.shared.keys.of(token).await
            {
                found.insert(token.clone(), vouching);
            }
        }
        found
    }

    /// What came of it, on record before anything moves; the record's number.
    async fn judged(&self, promotion: &Promotion, previous: Option<&str>, verdict: &Verdict) -> Result<u64, Stop> {
        let event = Event::PromotionJudged {
            process: self.process(),
            passed: verdict.passes(),
            model: promotion.name.clone(),
            version: promotion.version.clone(),
            alias: promotion.alias.clone(),
            previous: previous.unwrap_or_default().to_owned(),
            failed: verdict.failed().map(|check| check.name.to_owned()).collect(),
            labels: verdict.labels.iter().cloned().collect(),
        };
        let recorder = self.shared.session.borrow().recorder.clone();
        recorder
            .record(event)
            .await
            .map(|recorded| recorded.seq())
            .map_err(|_| Stop::Failed("the decision could not be recorded"))
    }
}

fn parents_of(part: &Part) -> Vec<String> {
    part.run.iter().flat_map(|run| run.parents.iter().cloned()).collect()
}
