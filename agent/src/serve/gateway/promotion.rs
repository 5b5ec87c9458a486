//! The promotion gate's doors: what is asked of the registry before an alias or a stage moves or an endpoint serves, the judgement, whether
//! somebody else moved it meanwhile, and what is signed after it.

use hyper::Method;
use serde_json::json;

use super::exchange::{Exchange, Stop};
use super::known::{Thing, Turn, Writing};
use super::signing::Due;
use crate::context::Context;
use crate::gateway::{Denial, Promotion, SERVING};
use crate::model::statements::{PROMOTION, Promoted, promotion_tag};
use crate::model::{Shelf, Verdict};
use crate::record::Event;

/// Stages that a version is promoted to.
const STAGES: [&str; 2] = ["Staging", "Production"];

/// What the gate found of one version.
struct Judged {
    /// What the alias stood on.
    previous: Option<String>,
    /// The digest of its files.
    files: Option<String>,
    /// The number of the decision in the record.
    decision: u64,
    /// Why not; absent where it may.
    denied: Option<String>,
}

impl Exchange {
    /// Judges, on record; what is due once the registry has done it.
    pub(super) async fn gate(&self, promotion: &Promotion, shelf: Shelf, context: &Context) -> Result<(Turn, Due), Stop> {
        let turn = self.turn_of(&promotion.name).await;
        if shelf == Shelf::Workspace && STAGES.contains(&promotion.alias.as_str()) {
            self.leaves(&promotion.name, &promotion.version, &promotion.alias, context).await?;
        }
        let Judged { previous, files, decision, denied } = self.judge(promotion, shelf, context).await?;
        if let Some(sentence) = denied {
            return Err(self.denied(Denial::refused("gate", sentence)));
        }
        // Reading every file takes a while: whoever moved it meanwhile was judged against another version, or by nobody.
        let now = self.gather(shelf).stands(&promotion.name, &promotion.alias).await?;
        if now != previous {
            return Err(self.denied(moved(promotion, previous.as_deref(), now.as_deref())));
        }
        Ok((turn, Due::Promotion { shelf, promotion: promotion.clone(), previous, decision, files }))
    }

    /// The same for every version that an endpoint would serve. No alias moves, so nobody waits for a turn.
    pub(super) async fn serving(&self, versions: &[Promotion], context: &Context) -> Result<Vec<Due>, Stop> {
        let (mut due, mut refused) = (Vec::new(), Vec::new());
        for promotion in versions {
            let shelf = Shelf::of(&promotion.name);
            let Judged { files, decision, denied, .. } = self.judge(promotion, shelf, context).await?;
            refused.extend(denied);
            due.push(Due::Promotion { shelf, promotion: promotion.clone(), previous: None, decision, files });
        }
        if refused.is_empty() { Ok(due) } else { Err(self.denied(Denial::refused("gate", refused.join(". ")))) }
    }

    async fn judge(&self, promotion: &Promotion, shelf: Shelf, context: &Context) -> Result<Judged, Stop> {
        let Some((candidate, previous)) =
            self.gather(shelf).candidate(&promotion.name, &promotion.version, &promotion.alias).await?
        else {
            return Err(self.denied_because(
                "version-unknown",
                "the registry has no such version, or another spelling of it, or its source names nothing",
            ));
        };
        let verdict = self.shared.gate.judge(&candidate, &promotion.alias, Some(context.claims()));
        let decision = self.judged(promotion, previous.as_deref(), &verdict).await?;
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
        let denied = (!verdict.passes()).then(|| plain(&sentence));
        Ok(Judged { previous, files: candidate.made.files, decision, denied })
    }

    /// Taking an alias away, or a version out of its stage, asks for the role alone.
    pub(super) async fn demotion(&self, name: &str, alias: &str, version: Option<&str>, context: &Context) -> Result<Turn, Stop> {
        let turn = self.turn_of(name).await;
        self.may_take(name, alias, context)?;
        if let Some(version) = version {
            self.leaves(name, version, alias, context).await?;
        }
        Ok(turn)
    }

    /// A version has one stage: what moves to another one leaves its own.
    async fn leaves(&self, name: &str, version: &str, to: &str, context: &Context) -> Result<(), Stop> {
        let stage = self.gather(Shelf::Workspace).stage(name, version).await?;
        match stage.as_deref().filter(|stage| STAGES.contains(stage) && *stage != to) {
            Some(stage) => self.may_take(name, stage, context),
            None => Ok(()),
        }
    }

    fn may_take(&self, name: &str, alias: &str, context: &Context) -> Result<(), Stop> {
        if self.shared.gate.may_demote(name, alias, context.claims()) {
            return Ok(());
        }
        let sentence =
            format!("no role of this job may take `{alias}` of `{name}` away: the policy's `promoted-by` names none of them");
        Err(self.denied(Denial::refused("gate", plain(&sentence))))
    }

    /// Whoever moves an alias of a model waits for whoever is at it, however they spell it.
    async fn turn_of(&self, name: &str) -> Turn {
        self.shared.known.turn(&Thing::Registered(name.to_lowercase()), Writing::Last).await
    }

    /// After the alias has moved.
    pub(super) async fn promoted(
        &self,
        shelf: Shelf,
        promotion: Promotion,
        previous: Option<String>,
        decision: u64,
        files: Option<String>,
        context: &Context,
    ) -> Result<(), Stop> {
        // Whoever moved it after us is not undone: it may have been judged, too. But nothing is signed of what is not so.
        if promotion.alias != SERVING && !self.gather(shelf).has(&promotion.name, &promotion.version, &promotion.alias).await? {
            let now = self.gather(shelf).stands(&promotion.name, &promotion.alias).await?;
            return Err(self.denied(moved(&promotion, Some(&promotion.version), now.as_deref())));
        }
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
        Ok(self.line.put(Method::POST, shelf.set_tag().into(), &tag).await?)
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
            approved: verdict.approved.iter().cloned().collect(),
        };
        let recorder = self.shared.session.borrow().recorder.clone();
        recorder
            .record(event)
            .await
            .map(|recorded| recorded.seq())
            .map_err(|_| Stop::Failed("the decision could not be recorded"))
    }
}

/// Somebody else moved the alias between two looks at it.
fn moved(promotion: &Promotion, before: Option<&str>, now: Option<&str>) -> Denial {
    let on = |version: Option<&str>| version.map_or("no version".to_owned(), |version| format!("version {version}"));
    let sentence = format!(
        "somebody else moved `{}` of `{}` from {} to {}; this decision about version {} counts for nothing, ask again",
        promotion.alias,
        promotion.name,
        on(before),
        on(now),
        promotion.version
    );
    Denial::refused("alias-moved", plain(&sentence))
}

/// Names in it may be anybody's; it stays one line, and whole.
fn plain(sentence: &str) -> String {
    sentence.replace(char::is_control, " ")
}
