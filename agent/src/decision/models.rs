//! Registered models: which scopes their versions come from, what an alias asks of a version, and which labels data has.
//! `model::gate` judges by it.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::Catalog;
use crate::identity::ids::{Label, LocalName};

/// `[models]`, `[approvers]`, `[labels]` and `[unity-catalog]`.
#[derive(Clone, Debug, Default)]
pub struct Models {
    /// `[approvers.NAME]`: whose signature approves, by an Ed25519 public key of its own.
    pub approvers: BTreeMap<LocalName, [u8; 32]>,
    /// By the name of a registered model; one that ends in `*` stands for all that begin so.
    pub rules: BTreeMap<String, ModelRule>,
    /// `[labels.tables]`: what a table of the catalog holds, by its full name.
    pub tables: BTreeMap<String, BTreeSet<Label>>,
    /// `[labels.paths]`: what the files below a directory hold.
    pub paths: BTreeMap<String, BTreeSet<Label>>,
    /// `[unity-catalog]`: labels, lineage and grants there.
    pub catalog: Catalog,
}

/// `[models.NAME]`.
#[derive(Clone, Debug)]
pub struct ModelRule {
    /// `trained-in`: scopes whose runs a version may come from.
    pub scopes: BTreeSet<LocalName>,
    /// `policies`: digests of earlier policies whose runs still count.
    pub policies: BTreeSet<String>,
    /// `[models.NAME.aliases]`: by alias or stage, in lower case; `serving` is a serving endpoint.
    pub aliases: BTreeMap<String, AliasRule>,
}

/// `[models.NAME.aliases.ALIAS]`.
#[derive(Clone, Debug)]
pub struct AliasRule {
    /// `promoted-by`: roles of which whoever promotes has one.
    pub roles: BTreeSet<LocalName>,
    /// `four-eyes`: whoever promotes is somebody else than whoever trained.
    pub four_eyes: bool,
    /// `approved-by`: approvers of which some must have signed; none are asked where there are none.
    pub approved_by: BTreeSet<LocalName>,
    /// `approvals`: how many of them; 0 where there are none.
    pub approvals: usize,
    /// `clearance`: labels of data that a version may come from.
    pub clearance: BTreeSet<String>,
    /// `[[…metrics]]`.
    pub metrics: Vec<Threshold>,
}

/// What a metric must be, by its last value when the run ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Threshold {
    /// Its name.
    pub name: String,
    /// No less than this.
    pub at_least: Option<f64>,
    /// No more than this.
    pub at_most: Option<f64>,
    /// No worse than that of the version that the alias stands on.
    pub keeps: Option<Better>,
}

/// Which of two values is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// `keeps = "higher"`.
    Higher,
    /// `keeps = "lower"`.
    Lower,
}

/// A double in the fewest digits that read back to it.
pub fn decimal(value: f64) -> String {
    serde_json::Number::from_f64(value).map_or_else(|| "no number".to_owned(), |number| number.to_string())
}

/// The label of data that no table names: never clear, unless an alias says so in this word.
pub const UNKNOWN: &str = "unknown";

impl Models {
    /// The rule of a model: that of its very name, or else that of the longest beginning.
    ///
    /// Unity Catalog takes names in any case, so a name of three levels has the rule of its lower case.
    pub fn rule(&self, name: &str) -> Option<&ModelRule> {
        let folds = name.split('.').count() == 3;
        let spelled = |text: &str| if folds { text.to_lowercase() } else { text.to_owned() };
        let name = spelled(name);
        let rows = || self.rules.iter().map(|(pattern, rule)| (spelled(pattern), rule));
        let begins = |pattern: &str| pattern.strip_suffix('*').is_some_and(|start| name.starts_with(start));
        rows().find(|(exact, _)| *exact == name).map(|(_, rule)| rule).or_else(|| {
            let fitting = rows().filter(|(pattern, _)| begins(pattern));
            fitting.max_by_key(|(pattern, _)| pattern.len()).map(|(_, rule)| rule)
        })
    }

    /// The key of an approver.
    pub fn approver(&self, name: &str) -> Option<&[u8; 32]> {
        self.approvers.iter().find(|(other, _)| other.as_str() == name).map(|(_, key)| key)
    }

    /// The labels of a file: those of the nearest directory.
    pub fn of_path(&self, path: &str) -> Option<&BTreeSet<Label>> {
        let holds = |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let plain = path.starts_with('/') && !path[1..].split('/').any(|part| matches!(part, "" | "." | ".."));
        let fitting = self.paths.iter().filter(|(directory, _)| plain && holds(directory));
        fitting.max_by_key(|(directory, _)| directory.len()).map(|(_, labels)| labels)
    }
}

impl ModelRule {
    /// The rule of an alias. The registry keeps `champion` and `Champion` apart; no policy should have to.
    pub fn alias(&self, alias: &str) -> Option<&AliasRule> {
        self.aliases.get(&alias.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_counts_and_a_path_that_leads_elsewhere_has_none() {
        let rule = |scope: &str| ModelRule {
            scopes: [LocalName::try_from(scope).unwrap()].into(),
            policies: BTreeSet::new(),
            aliases: BTreeMap::new(),
        };
        let labels = |label: &str| BTreeSet::from([Label::try_from(label).unwrap()]);
        let models = Models {
            approvers: BTreeMap::new(),
            rules: [("fraud", "a"), ("fr*", "b"), ("*", "c"), ("main.ml.fraud", "d"), ("main.ML.*", "e")]
                .map(|(name, scope)| (name.to_owned(), rule(scope)))
                .into(),
            tables: BTreeMap::new(),
            paths: [("/Volumes/main".into(), labels("internal")), ("/Volumes/main/pii".into(), labels("pii"))].into(),
            catalog: Catalog::default(),
        };
        let of_catalog = [("main.ml.FRAUD", "d"), ("MAIN.ml.other", "e"), ("Fraud", "c")];
        for (name, scope) in [("fraud", "a"), ("fraud2", "b"), ("fr", "b"), ("other", "c")].into_iter().chain(of_catalog) {
            assert!(models.rule(name).unwrap().scopes.contains(&LocalName::try_from(scope).unwrap()), "{name}");
        }
        for (path, label) in [
            ("/Volumes/main/pii/a.parquet", Some("pii")),
            ("/Volumes/main/pii", Some("pii")),
            ("/Volumes/main/pii2/a", Some("internal")),
            ("/Volumes/main/gold/../pii/a", None),
            ("/Volumes/main//pii/a", None),
            ("/Volumes/other/a", None),
            ("Volumes/main/a", None),
        ] {
            assert_eq!(
                models.of_path(path).map(|labels| labels.iter().map(|label| label.as_str()).collect()),
                label.map(|label| vec![label]),
                "{path}"
            );
        }
    }
}
