//! The promotion gate: whether a version may have an alias, a stage or a serving endpoint. Every check is looked at, so that whoever is
//! denied learns at once of all that is in the way.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::approval::approved;
use super::candidate::{Candidate, Part};
use super::labels::labels;
use super::promoter::{has_role, promotion};
use super::shelf::Shelf;
use super::statements::CONTEXT;
use crate::context::Claims;
use crate::decision::models::{AliasRule, Better, ModelRule, Models, Threshold, decimal};
use crate::decision::policy::Policy;
use crate::host::digest::sha256_hex;

/// One check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What was expected.
    pub expected: String,
    /// What was presented.
    pub presented: String,
}

/// Every check, in the order in which a reader wants them.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// The checks.
    pub checks: Vec<Check>,
    /// Labels of the data that the version comes from.
    pub labels: BTreeSet<String>,
    /// Who approved, of those that the alias asks.
    pub approved: BTreeSet<String>,
}

impl Verdict {
    /// Whether all of them hold.
    pub fn passes(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// Those that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.holds)
    }

    pub(super) fn check(&mut self, name: &'static str, holds: bool, expected: impl Into<String>, presented: impl Into<String>) {
        self.checks.push(Check { name, holds, expected: expected.into(), presented: presented.into() });
    }
}

/// The gate, under one policy.
#[derive(Clone, Debug)]
pub struct Gate(Rc<Policy>);

impl Gate {
    /// Of a policy that was verified.
    pub fn new(policy: Rc<Policy>) -> Self {
        Self(policy)
    }

    /// Judges whether a version may have an alias, where `promoter` asks for it; without one, nothing that asks for them is looked at.
    pub fn judge(&self, candidate: &Candidate, alias: &str, promoter: Option<&Claims>) -> Verdict {
        judge(&self.0, candidate, alias, promoter)
    }

    /// What the policy says of models and labels.
    pub fn models(&self) -> &Models {
        &self.0.models
    }

    /// Whether `promoter` may take an alias away.
    pub fn may_demote(&self, name: &str, alias: &str, promoter: &Claims) -> bool {
        let rule = self.0.models.rule(name).and_then(|rule| rule.alias(alias));
        rule.is_some_and(|rule| has_role(rule, promoter))
    }
}

fn judge(policy: &Policy, candidate: &Candidate, alias: &str, promoter: Option<&Claims>) -> Verdict {
    let mut verdict = Verdict::default();
    let name = &candidate.version.name;
    let rule = policy.models.rule(name);
    let of_alias = rule.and_then(|rule| rule.alias(alias));
    verdict.check(
        "alias-ruled",
        of_alias.is_some(),
        format!("a rule of the policy for the model and for `{alias}`"),
        match (rule, of_alias) {
            (None, _) => "no rule for the model",
            (_, None) => "no rule for the alias",
            _ => "one",
        },
    );
    let status = &candidate.version.status;
    verdict.check("version-ready", status == "READY", "READY", or_nothing(status));
    let made = &candidate.made;
    part(&mut verdict, made, "the version's run");
    version(&mut verdict, candidate);
    if let Some(rule) = rule {
        origin(&mut verdict, policy, rule, made.context.as_ref());
    }
    if let Some(rule) = of_alias {
        if let Some(promoter) = promoter {
            promotion(&mut verdict, rule, made.context.as_ref(), promoter);
        }
        thresholds(&mut verdict, rule, alias, candidate);
        approvals(&mut verdict, &policy.models, rule, alias, candidate);
    }
    parents(&mut verdict, policy, rule, candidate);
    labelled(&mut verdict, &policy.models, candidate);
    let cleared = of_alias.map(|alias| alias.clearance.clone()).unwrap_or_default();
    let over: Vec<&str> = verdict.labels.difference(&cleared).map(String::as_str).collect();
    let (holds, presented) = (over.is_empty(), if over.is_empty() { list(&verdict.labels) } else { over.join(", ") });
    verdict.check("labels-cleared", holds, format!("no labels but {}", list(&cleared)), presented);
    verdict
}

/// Whether what nodes said of a version holds: of its run, its files, and of every model that it was made from. Asks no policy but for the
/// labels of data.
pub fn evidence(models: &Models, candidate: &Candidate) -> Verdict {
    let mut verdict = Verdict::default();
    part(&mut verdict, &candidate.made, "the version's run");
    version(&mut verdict, candidate);
    for parent in &candidate.parents {
        part(&mut verdict, parent, "the run of a model that it was made from");
    }
    for lost in &candidate.lost {
        verdict.check("parents", false, "a model that the registry has", lost);
    }
    labelled(&mut verdict, models, candidate);
    verdict
}

/// The labels of all data that a version comes from, and whether every question about them was answered: a label that nobody could read is
/// not one that is not there.
fn labelled(verdict: &mut Verdict, models: &Models, candidate: &Candidate) {
    let unanswered = &candidate.catalogued.unanswered;
    if models.catalog.asks() || !unanswered.is_empty() {
        let presented = if unanswered.is_empty() { "one".to_owned() } else { list(unanswered) };
        let expected = "an answer of Unity Catalog to every question about labels and lineage";
        verdict.check("labels-read", unanswered.is_empty(), expected, presented);
    }
    verdict.labels = labels(models, &candidate.catalogued, std::iter::once(&candidate.made).chain(&candidate.parents));
}

/// What holds of every run that a model comes from.
fn part(verdict: &mut Verdict, part: &Part, whose: &str) {
    let run = part.run.as_ref();
    let status = run.map_or("no run", |run| run.status.as_str());
    verdict.check("run-finished", status == "FINISHED", format!("{whose} is FINISHED"), status);
    let (context, binding) = (part.context.as_ref(), part.run_binding.as_ref());
    let enforced = context.is_some_and(|context| context.enforcement == "enforce");
    let told = context.zip(binding).is_some_and(|(context, binding)| context.nbf <= binding.iat && binding.iat < context.exp);
    verdict.check(
        "context-vouched",
        enforced && told,
        "a context of a node that somebody vouches for, under enforcement, good when the run was made",
        match context {
            None => "none",
            Some(_) if !enforced => "one of a node that only observes",
            Some(_) if !told => "one of another time",
            Some(_) => "one",
        },
    );
    let bound = run.zip(binding).zip(context).is_some_and(|((run, binding), context)| {
        let digest = run.tag(CONTEXT).map(|token| sha256_hex(token.as_bytes()));
        binding.run_id == run.id && digest.as_ref() == Some(&binding.context) && binding.sub == context.sub
    });
    verdict.check(
        "run-bound",
        bound,
        "a node's word that its job made this very run under this context",
        if bound {
            "it"
        } else if binding.is_some() {
            "a word about another run, context or job"
        } else {
            "none"
        },
    );
    let presented = sealed(part);
    verdict.check(
        "run-sealed",
        presented.is_none(),
        "what the node sealed when the run ended",
        presented.unwrap_or("the same".into()),
    );
    if let Some(model) = &part.model {
        let of_run = part.model_binding.as_ref().is_some_and(|binding| {
            binding.model_id == model.id && binding.run_id.as_ref() == run.map(|run| &run.id) && binding.run_id == model.run
        });
        let same_job = part.model_binding.as_ref().map(|binding| &binding.sub) == binding.map(|binding| &binding.sub);
        let whole = part
            .model_seal
            .as_ref()
            .is_some_and(|seal| seal.model_id == model.id && seal.files.is_some() && seal.files == part.files);
        let presented = match (of_run && same_job, whole) {
            (true, true) => "the same",
            (false, _) => "none of this run's",
            (true, false) if part.model_seal.is_none() => "files that nobody sealed",
            (true, false) => "other files",
        };
        verdict.check("model-sealed", of_run && same_job && whole, "the logged model's files as the node sealed them", presented);
    }
}

/// What of a run is not as it was sealed.
fn sealed(part: &Part) -> Option<String> {
    let (Some(run), Some(seal)) = (&part.run, &part.run_seal) else { return Some("no seal".into()) };
    let digests = &run.digests;
    let rows = [
        ("another run's seal", seal.run_id == run.id),
        ("another job's seal", part.run_binding.as_ref().is_some_and(|binding| binding.sub == seal.sub)),
        ("a seal of another status", seal.status == run.status),
        ("other parameters", seal.params == digests.params),
        ("other metrics", seal.metrics == digests.metrics),
        ("other inputs", seal.inputs == digests.inputs),
        ("other outputs", seal.outputs == digests.outputs),
    ];
    let broken: Vec<&str> = rows.iter().filter(|(_, holds)| !holds).map(|(what, _)| *what).collect();
    (!broken.is_empty()).then(|| broken.join(", "))
}

/// The version is what a node said when it was made.
fn version(verdict: &mut Verdict, candidate: &Candidate) {
    let (shown, made) = (&candidate.version, &candidate.made);
    let binding = candidate.binding.as_ref();
    let run = made.run.as_ref().map(|run| run.id.clone());
    let model = made.model.as_ref().map(|model| model.id.clone());
    let bound = binding.is_some_and(|binding| {
        binding.name == shown.name
            && binding.version == shown.version
            && binding.source == shown.source
            && binding.run_id == run
            && binding.model_id == model
            && (shown.run.is_none() || shown.run == run)
    });
    // Files that were uploaded for the version are whoever's registered it. A logged model's are held against its seal; those of a run
    // against nothing, so that nobody but the run's own job may bring them.
    let uploaded = candidate.shelf == Shelf::Catalog && made.model.is_none();
    let sub = binding.map(|binding| &binding.sub);
    let own = !uploaded || sub == made.run_binding.as_ref().map(|binding| &binding.sub);
    verdict.check(
        "version-bound",
        bound && own,
        "a node's word on this version, its source, its run and its logged model",
        match binding {
            None => "none",
            Some(_) if !bound => "a word about another",
            Some(_) if !own => "files that another job than the run's uploaded",
            Some(_) => "it",
        },
    );
    let files = binding.and_then(|binding| binding.files.as_ref());
    let same = files.is_some() && files == made.files.as_ref();
    let presented = match (files, &made.files) {
        (None, _) => "files that no node hashed",
        (_, None) => "files out of reach",
        _ if same => "the same",
        _ => "other files",
    };
    verdict.check("files-unchanged", same, "the files of which the version was made", presented);
}

/// The policy, the environment and the scope under which it was trained.
fn origin(verdict: &mut Verdict, policy: &Policy, rule: &ModelRule, context: Option<&Claims>) {
    let presented = |words: &dyn Fn(&Claims) -> String| context.map_or_else(|| "no context".to_owned(), words);
    let earlier = context.is_some_and(|context| rule.policies.contains(&context.policy.digest));
    let current = context.is_some_and(|context| context.policy.digest == policy.digest);
    verdict.check(
        "policy-accepted",
        current || earlier,
        "the policy in force, or one that `policies` of the model names",
        presented(&|context| format!("serial {} {}", context.policy.serial, context.policy.digest)),
    );
    let same = context.is_some_and(|context| {
        let environment = policy.environments.iter().find(|(name, _)| name.as_str() == context.environment);
        environment.is_some_and(|(_, environment)| environment.digest() == context.environment_digest)
    });
    verdict.check(
        "environment-accepted",
        same || earlier,
        "the environment as the policy in force has it",
        presented(&|context| format!("{} {}", context.environment, context.environment_digest)),
    );
    let scope = context.is_some_and(|context| rule.scopes.iter().any(|scope| scope.as_str() == context.scope));
    verdict.check("trained-in", scope, list(&rule.scopes), presented(&|context| context.scope.clone()));
}

/// Metrics, by what was sealed.
fn thresholds(verdict: &mut Verdict, alias: &AliasRule, asked: &str, candidate: &Candidate) {
    let value = |part: &Part, name: &str| part.run.as_ref().and_then(|run| run.metrics.get(name).copied());
    let shown = &candidate.version;
    let back = candidate.promoted.as_ref().is_some_and(|promoted| {
        promoted.name == shown.name
            && promoted.version == shown.version
            && promoted.alias == asked
            && promoted.files.is_some()
            && promoted.files == candidate.made.files
    });
    for Threshold { name, at_least, at_most, keeps } in &alias.metrics {
        let presented = value(&candidate.made, name);
        // A value that is none, NaN, is neither.
        let least = at_least.is_none_or(|least| presented.is_some_and(|value| value >= least));
        let most = at_most.is_none_or(|most| presented.is_some_and(|value| value <= most));
        // Whoever goes back to a version that had the alias goes back to its values.
        let current = candidate.current.as_ref().filter(|_| keeps.is_some() && !back);
        let before = current.and_then(|current| value(current, name));
        // Whoever lowers the values of the one before, or has them forgotten, lowers what is asked.
        let forgotten = keeps.is_some() && !back && candidate.replaced.is_some() && candidate.current.is_none();
        let lowered = forgotten || current.is_some_and(|current| sealed(current).is_some());
        let kept = match (keeps, before, presented) {
            (None, _, _) => true,
            // The first one of its alias, or the one before has no such metric.
            (Some(_), None, presented) => presented.is_some_and(|value| !value.is_nan()),
            (Some(Better::Higher), Some(before), Some(value)) => value >= before,
            (Some(Better::Lower), Some(before), Some(value)) => value <= before,
            (Some(_), Some(_), None) => false,
        };
        let mut expected = Vec::new();
        expected.extend(at_least.map(|least| format!("at least {}", decimal(least))));
        expected.extend(at_most.map(|most| format!("at most {}", decimal(most))));
        expected.extend(keeps.and(before).map(|before| format!("no worse than {}", decimal(before))));
        if lowered {
            expected.push(
                "no worse than the version before, whose run is not there as it was sealed: take the alias away first".to_owned(),
            );
        }
        let presented = presented.map_or_else(|| "none".to_owned(), decimal);
        verdict.check("metric", least && most && kept && !lowered, format!("{name} {}", expected.join(", ")), presented);
    }
}

/// People, where the alias asks for them.
fn approvals(verdict: &mut Verdict, models: &Models, rule: &AliasRule, alias: &str, candidate: &Candidate) {
    if rule.approvals == 0 {
        return;
    }
    let (found, lacking) = approved(models, rule, alias, candidate);
    let mut presented: Vec<String> = found.iter().cloned().collect();
    presented.extend(lacking);
    let expected = format!(
        "{} of {}, for this very version and alias, each under a key of its own",
        rule.approvals,
        list(&rule.approved_by)
    );
    verdict.check("approved", found.len() >= rule.approvals, expected, presented.join(", "));
    verdict.approved = found;
}

/// What it was made from holds as well.
fn parents(verdict: &mut Verdict, policy: &Policy, rule: Option<&ModelRule>, candidate: &Candidate) {
    let mut broken: Vec<String> = candidate.lost.iter().map(|model| format!("{model}: unknown")).collect();
    for parent in &candidate.parents {
        let mut inner = Verdict::default();
        part(&mut inner, parent, "its run");
        if let Some(rule) = rule {
            origin(&mut inner, policy, rule, parent.context.as_ref());
            // Where a parent was trained is its own affair.
            inner.checks.retain(|check| check.name != "trained-in");
        }
        let id = parent.model.as_ref().map_or("a run", |model| &model.id);
        broken.extend(inner.failed().map(|check| format!("{id}: {}", check.name)));
    }
    let count = candidate.parents.len() + candidate.lost.len();
    if count > 0 {
        let presented = if broken.is_empty() { format!("{count}") } else { broken.join(", ") };
        verdict.check("parents", broken.is_empty(), "every model that it was made from holds as well", presented);
    }
}

pub(super) fn list<T: ToString>(words: &BTreeSet<T>) -> String {
    let words: Vec<String> = words.iter().map(T::to_string).collect();
    or_nothing(&words.join(", ")).to_owned()
}

pub(super) fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}
