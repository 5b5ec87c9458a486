//! Every field of what a policy says of registered models is changed once.

use std::collections::{BTreeMap, BTreeSet};

use super::Mutation;
use super::rich::{id, set};
use crate::decision::catalog::Catalog;
use crate::decision::diff::Effect::{Changed, Gains, Loses, Stronger, Weaker};
use crate::decision::models::{AliasRule, Better, ModelRule, Models, Threshold};
use crate::decision::policy::Policy;
use crate::identity::ids::LocalName;

pub(super) fn models() -> Models {
    let metric = Threshold { name: "auc".into(), at_least: Some(0.9), at_most: Some(1.0), keeps: Some(Better::Higher) };
    let alias = AliasRule {
        roles: set([id("engineer")]),
        four_eyes: true,
        approved_by: set([id("ada"), id("grace")]),
        approvals: 1,
        clearance: set(["pii".to_owned()]),
        metrics: vec![metric],
    };
    let rule = ModelRule {
        scopes: set([id("training")]),
        policies: set(["00".to_owned()]),
        aliases: BTreeMap::from([("champion".to_owned(), alias)]),
    };
    let labels = || set([id("pii")]);
    Models {
        approvers: BTreeMap::from([(id("ada"), [1; 32]), (id("grace"), [2; 32])]),
        rules: BTreeMap::from([("fraud".to_owned(), rule)]),
        tables: BTreeMap::from([("main.gold.customers".to_owned(), labels())]),
        paths: BTreeMap::from([("/Volumes/main/pii".to_owned(), labels())]),
        catalog: Catalog {
            label_tags: Some(id("longhorn_label_")),
            read_labels: true,
            warehouse: Some(id("abc1")),
            custodians: set([id("platform")]),
        },
    }
}

fn rule_of(policy: &mut Policy, change: fn(&mut ModelRule)) {
    policy.models.rules.values_mut().for_each(change);
}

fn alias_of(policy: &mut Policy, change: fn(&mut AliasRule)) {
    policy.models.rules.values_mut().flat_map(|rule| rule.aliases.values_mut()).for_each(change);
}

fn nobody_asked(alias: &mut AliasRule) {
    (alias.approved_by, alias.approvals) = (BTreeSet::new(), 0);
}

pub(super) fn mutations() -> Vec<Mutation> {
    vec![
        ("trained-in", Loses, |p| p.models.rules.clear()),
        ("trained-in", Gains, |p| {
            rule_of(p, |r| {
                r.scopes.insert(id("serving"));
            })
        }),
        ("policies", Loses, |p| rule_of(p, |r| r.policies.clear())),
        ("promoted-by", Loses, |p| rule_of(p, |r| r.aliases.clear())),
        ("promoted-by", Gains, |p| {
            alias_of(p, |a| {
                a.roles.insert(id("release"));
            })
        }),
        ("clearance", Loses, |p| alias_of(p, |a| a.clearance.clear())),
        ("approved-by", Weaker, |p| {
            alias_of(p, |a| {
                a.approved_by.insert(id("joan"));
            })
        }),
        ("approved-by", Stronger, |p| {
            alias_of(p, |a| {
                a.approved_by.remove(&id::<LocalName>("ada"));
            })
        }),
        // Who no longer asks anybody is weaker by that, and not stronger by the names that go.
        ("approved-by", Changed, |p| alias_of(p, nobody_asked)),
        ("approvals", Weaker, |p| alias_of(p, nobody_asked)),
        ("approvals", Stronger, |p| alias_of(p, |a| a.approvals = 2)),
        ("key", Weaker, |p| p.models.approvers.values_mut().for_each(|key| key[0] += 2)),
        ("key", Stronger, |p| p.models.approvers.clear()),
        ("four-eyes", Weaker, |p| alias_of(p, |a| a.four_eyes = false)),
        ("metrics", Weaker, |p| alias_of(p, |a| a.metrics.clear())),
        ("metrics", Stronger, |p| alias_of(p, |a| a.metrics.iter_mut().for_each(|metric| metric.at_least = Some(0.95)))),
        ("metrics", Weaker, |p| alias_of(p, |a| a.metrics.iter_mut().for_each(|metric| metric.at_most = None))),
        ("metrics", Weaker, |p| alias_of(p, |a| a.metrics.iter_mut().for_each(|metric| metric.keeps = Some(Better::Lower)))),
        ("labels.tables", Stronger, |p| p.models.tables.clear()),
        ("labels.tables", Weaker, |p| drop(p.models.tables.insert("main.gold.products".into(), BTreeSet::new()))),
        ("labels.tables", Stronger, |p| {
            p.models.tables.values_mut().for_each(|labels| {
                labels.insert(id("health"));
            })
        }),
        ("labels.paths", Weaker, |p| p.models.paths.values_mut().for_each(BTreeSet::clear)),
        ("read-labels", Weaker, |p| p.models.catalog.read_labels = false),
        ("label-tags", Changed, |p| p.models.catalog.label_tags = Some(id("longhorn_other_"))),
        ("lineage-warehouse", Weaker, |p| p.models.catalog.warehouse = None),
        ("lineage-warehouse", Changed, |p| p.models.catalog.warehouse = Some(id("abc2"))),
        ("custodians", Gains, |p| {
            p.models.catalog.custodians.insert(id("everybody"));
        }),
    ]
}
