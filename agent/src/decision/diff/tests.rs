//! Every field of a policy is changed once, and each change is seen as what it means.

mod models;
mod rich;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::compute::{Access, ClusterKind, Compute, Language, Script};
use super::super::environment::{Environment, Labelled, MetadataService, NamePattern};
use super::super::policy::{Enforcement, Identities, JobSelector, Permission, Policy, Role, Scope};
use super::*;
use crate::identity::entra::Overage;
use crate::identity::ids::{EnvName, GroupName, JobId, Label};
use crate::identity::node_trust::{AwsTrust, AzureTrust, NodeTrust};
use crate::identity::trust::{Algorithm, KeyBinding, OidcTrust, ProofKind, Provider, SamlSubject, SamlTrust, SubjectEquals};
use rich::{certificate, environment_of, id, policy, set};

type Mutation = (&'static str, Effect, fn(&mut Policy));

fn scope_of(policy: &mut Policy, change: fn(&mut Scope)) {
    policy.scopes.values_mut().for_each(change);
}
fn jobs_of(policy: &mut Policy, change: fn(&mut JobSelector)) {
    policy.scopes.values_mut().filter_map(|scope| scope.jobs.as_mut()).for_each(change);
}
fn one_of(policy: &mut Policy, change: fn(&mut Environment)) {
    policy.environments.get_mut(&id::<LocalName>("one")).into_iter().for_each(change);
}
fn issuer_of(policy: &mut Policy, change: fn(&mut OidcTrust)) {
    policy.trust.oidc.values_mut().for_each(change);
}
fn provider_of(policy: &mut Policy, change: fn(&mut SamlTrust)) {
    policy.trust.saml.values_mut().for_each(change);
}

fn aws_of(policy: &mut Policy, change: fn(&mut AwsTrust)) {
    if let Some(NodeTrust::Aws(aws)) = &mut policy.trust.node {
        change(aws);
    }
}
fn compute_of(policy: &mut Policy, change: fn(&mut Compute)) {
    policy.compute.values_mut().for_each(change);
}

/// A single change of each field, with the key that must show it and what it must mean.
fn mutations() -> Vec<Mutation> {
    use Effect::{Changed, Gains, Loses, Stronger, Weaker};
    let mut found: Vec<Mutation> = vec![
        ("serial", Changed, |p| p.serial += 1),
        ("not-after", Gains, |p| p.not_after = p.not_after.plus(Duration::from_secs(1))),
        ("enforcement", Weaker, |p| p.enforcement = Enforcement::Observe),
        ("identities", Weaker, |p| p.identities = Identities::Clear),
        ("lease.duration", Loses, |p| p.lifetimes.lease = Duration::from_secs(5)),
        ("lease.provisional", Gains, |p| p.lifetimes.provisional = Duration::from_millis(60_001)),
        ("lease.context", Loses, |p| p.lifetimes.context = Duration::from_secs(60)),
        ("workspaces", Gains, |p| {
            p.trust.workspaces.insert(id("https://w2.example"));
        }),
        ("require", Weaker, |p| {
            p.trust.require.remove(&ProofKind::Oidc(id("okta")));
        }),
        ("issuer", Stronger, |p| p.trust.oidc.clear()),
        ("issuer", Weaker, |p| issuer_of(p, |o| o.issuer = id("https://a.example/y"))),
        ("audience", Weaker, |p| issuer_of(p, |o| o.audience = id("other"))),
        ("algorithms", Weaker, |p| {
            issuer_of(p, |o| {
                o.algorithms.insert(Algorithm::PS256);
            })
        }),
        ("jwks-hosts", Stronger, |p| issuer_of(p, |o| o.jwks_hosts.clear())),
        ("types", Weaker, |p| {
            issuer_of(p, |o| {
                o.types.insert("at+jwt".into());
            })
        }),
        ("groups", Changed, |p| issuer_of(p, |o| o.groups = None)),
        ("subject", Changed, |p| issuer_of(p, |o| o.subject.claim = "oid".into())),
        ("subject", Changed, |p| issuer_of(p, |o| o.subject.equals = SubjectEquals::UserName)),
        ("subject.map", Weaker, |p| {
            issuer_of(p, |o| o.subject.equals = SubjectEquals::Map(BTreeMap::from([("s1".to_owned(), id("p2"))])));
        }),
        ("overage", Weaker, |p| {
            issuer_of(p, |o| {
                let Provider::Entra(rules) = &mut o.provider else { panic!("it is a tenant's") };
                rules.overage = Overage::Graph(id("https://graph.microsoft.com"));
            });
        }),
        ("node-key", Stronger, |p| issuer_of(p, |o| o.node_key = KeyBinding::RequestTag)),
        ("entity-id", Stronger, |p| p.trust.saml.clear()),
        ("entity-id", Weaker, |p| provider_of(p, |s| s.entity_id = id("https://other.example/"))),
        ("audience", Weaker, |p| provider_of(p, |s| s.audience = id("other"))),
        ("recipient", Weaker, |p| provider_of(p, |s| s.recipient = "https://b.example/saml".into())),
        ("certificates", Weaker, |p| provider_of(p, |s| s.certificates.push(certificate("two")))),
        ("groups", Changed, |p| provider_of(p, |s| s.groups = None)),
        ("subject", Changed, |p| provider_of(p, |s| s.subject.from = SamlSubject::Attribute("oid".into()))),
        ("subject", Changed, |p| provider_of(p, |s| s.subject.equals = SubjectEquals::UserName)),
        ("subject.map", Weaker, |p| {
            provider_of(p, |s| s.subject.equals = SubjectEquals::Map(BTreeMap::from([("s1".to_owned(), id("p2"))])));
        }),
        ("require", Stronger, |p| {
            p.trust.require.insert(ProofKind::Node);
        }),
        ("node.kind", Stronger, |p| p.trust.node = None),
        ("node.owners", Weaker, |p| {
            aws_of(p, |a| {
                a.accounts.insert("210987654321".into());
            })
        }),
        ("node.signers", Stronger, |p| aws_of(p, |a| a.certificates.clear())),
        ("node.max-age", Weaker, |p| aws_of(p, |a| a.max_age *= 2)),
        ("node.rules", Weaker, |p| {
            let names = set(["metadata.azure.com".to_owned()]);
            p.trust.node = Some(NodeTrust::Azure(AzureTrust {
                subscriptions: BTreeSet::new(),
                roots: Vec::new(),
                intermediates: Vec::new(),
                names,
            }));
        }),
        ("role", Gains, |p| {
            p.roles.insert(id("lead"), Role::default());
        }),
        ("role", Loses, |p| p.roles.clear()),
        ("groups", Gains, |p| {
            p.roles.values_mut().for_each(|role| {
                role.groups.insert(id::<GroupName>("okta:b"));
            })
        }),
        ("scope", Loses, |p| p.scopes.clear()),
        ("scope", Gains, |p| {
            let one = p.scopes.values().next().cloned();
            one.into_iter().for_each(|scope| {
                p.scopes.insert(id("other"), scope);
            });
        }),
        ("run-by", Gains, |p| {
            scope_of(p, |s| {
                s.run_by.insert(id("lead"));
            })
        }),
        ("deny", Gains, |p| scope_of(p, |s| s.deny.clear())),
        ("may", Gains, |p| {
            scope_of(p, |s| {
                s.may.insert(Permission::ModelPromote);
            })
        }),
        ("environment", Changed, |p| scope_of(p, |s| s.environment = id("two"))),
        ("clearance", Loses, |p| scope_of(p, |s| s.clearance.clear())),
        ("clusters.policy-ids", Loses, |p| scope_of(p, |s| s.clusters = None)),
        ("clusters.policy-ids", Gains, |p| {
            scope_of(p, |s| {
                s.clusters.iter_mut().for_each(|c| {
                    c.policy_ids.insert(id("C2"));
                })
            });
        }),
        ("jobs.ids", Loses, |p| scope_of(p, |s| s.jobs = None)),
        ("jobs.ids", Gains, |p| {
            jobs_of(p, |j| {
                j.ids.insert(id::<JobId>("3"));
            })
        }),
        ("jobs.ids", Gains, |p| jobs_of(p, |j| j.ids.clear())),
        ("jobs.names", Loses, |p| jobs_of(p, |j| j.names = set(["other".to_owned()]))),
        ("jobs.tags", Loses, |p| {
            jobs_of(p, |j| {
                j.tags.insert("more".into(), "1".into());
            })
        }),
        ("jobs.tags", Gains, |p| jobs_of(p, |j| j.tags.clear())),
        ("jobs.run-as", Gains, |p| {
            jobs_of(p, |j| {
                j.run_as.insert("q".into());
            })
        }),
        ("jobs.locked", Gains, |p| jobs_of(p, |j| j.locked = false)),
        ("jobs.policy-ids", Gains, |p| {
            jobs_of(p, |j| {
                j.policy_ids.insert(id("P2"));
            })
        }),
        ("environment", Loses, |p| {
            p.environments.remove(&id::<LocalName>("two"));
        }),
        ("environment", Gains, |p| {
            p.environments.insert(id("three"), environment_of("three"));
        }),
        ("preset", Changed, |p| one_of(p, |e| e.preset = None)),
        ("open", Weaker, |p| {
            one_of(p, |e| {
                e.open.insert("jvm".into());
            })
        }),
        ("variables.allow", Gains, |p| {
            one_of(p, |e| {
                e.variables.allow.insert(NamePattern::Exact(id("LANG")));
            })
        }),
        ("variables.allow", Loses, |p| {
            one_of(p, |e| {
                e.variables.allow.remove(&NamePattern::Exact(id("HOME")));
            })
        }),
        // It says nothing new, and stands there all the same.
        ("variables.allow", Changed, |p| {
            one_of(p, |e| {
                e.variables.allow.insert(NamePattern::Prefix("FEATURE_B".into()));
            })
        }),
        ("variables.allow", Changed, |p| {
            one_of(p, |e| {
                e.variables.allow.insert(NamePattern::Exact(id("TZ")));
            })
        }),
        ("variables.pin", Gains, |p| {
            one_of(p, |e| {
                e.variables.pin.insert(id("LANG"), "C".into());
            })
        }),
        ("variables.pin", Loses, |p| {
            one_of(p, |e| {
                e.variables.pin.insert(id("FEATURE_B"), "2".into());
            })
        }),
        ("variables.pin", Loses, |p| {
            one_of(p, |e| {
                e.variables.pin.remove(&id::<EnvName>("TZ"));
            })
        }),
        ("variables.pin", Gains, |p| {
            one_of(p, |e| {
                e.variables.pin.remove(&id::<EnvName>("FEATURE_A"));
            })
        }),
        ("variables.pin", Changed, |p| {
            one_of(p, |e| {
                e.variables.pin.insert(id("TZ"), "Mars".into());
            })
        }),
        ("files.read", Gains, |p| {
            one_of(p, |e| {
                e.files.read.insert("/etc/ssl".into());
            })
        }),
        ("files.read", Changed, |p| {
            one_of(p, |e| {
                e.files.read.insert("/tmp".into());
            })
        }),
        ("files.write", Loses, |p| one_of(p, |e| e.files.write.clear())),
        ("files.execute", Gains, |p| {
            one_of(p, |e| {
                e.files.execute.insert("/opt".into());
            })
        }),
        ("files.labelled", Loses, |p| one_of(p, |e| e.files.labelled.clear())),
        ("files.labelled", Gains, |p| {
            one_of(p, |e| e.files.labelled.push(Labelled { label: id::<Label>("phi"), read: set(["/Volumes/pii".into()]) }));
        }),
        ("files.protect", Gains, |p| one_of(p, |e| e.files.protect.clear())),
        ("files.mask", Loses, |p| {
            one_of(p, |e| {
                e.files.mask.insert("/run/x".into());
            })
        }),
        ("kernel.floor.landlock", Weaker, |p| one_of(p, |e| e.kernel.floor.landlock = 1)),
        ("kernel.floor.landlock", Stronger, |p| one_of(p, |e| e.kernel.floor.landlock = 6)),
        ("kernel.floor.mount", Weaker, |p| one_of(p, |e| e.kernel.floor.mount = false)),
        ("kernel.floor.capabilities", Weaker, |p| one_of(p, |e| e.kernel.floor.capabilities = false)),
        ("kernel.floor.seccomp", Weaker, |p| one_of(p, |e| e.kernel.floor.seccomp = false)),
        ("kernel.keep-capabilities", Loses, |p| one_of(p, |e| e.kernel.keep_capabilities.clear())),
        ("kernel.metadata-service", Weaker, |p| one_of(p, |e| e.kernel.metadata_service = MetadataService::Open)),
        ("kernel.metadata-service", Stronger, |p| one_of(p, |e| e.kernel.metadata_service = MetadataService::Closed)),
        ("targets.root", Weaker, |p| one_of(p, |e| e.targets.root.clear())),
        ("targets.inside", Stronger, |p| {
            one_of(p, |e| {
                e.targets.inside.insert("/usr/bin/perl".into());
            })
        }),
        ("compute", Loses, |p| p.compute.clear()),
        ("script", Changed, |p| compute_of(p, |c| c.script = Script::Workspace("/Volumes/x/init.sh".into()))),
        ("clusters", Changed, |p| compute_of(p, |c| c.clusters = ClusterKind::AllPurpose)),
        ("access", Changed, |p| compute_of(p, |c| c.access = Access::Standard)),
        ("spark-versions", Gains, |p| {
            compute_of(p, |c| {
                c.spark_versions.insert("17.3.x".into());
            })
        }),
        ("image", Loses, |p| compute_of(p, |c| c.image = None)),
        ("languages", Gains, |p| {
            compute_of(p, |c| {
                c.languages.insert(Language::Scala);
            })
        }),
        ("logs", Changed, |p| compute_of(p, |c| c.logs = None)),
        ("tags", Changed, |p| compute_of(p, |c| c.tags.clear())),
    ];
    found.extend(models::mutations());
    found
}

#[test]
fn a_policy_does_not_differ_from_itself_nor_by_what_has_no_meaning() {
    let base = policy();
    assert_eq!(diff(&base, &base), Diff::default());
    assert_eq!(diff(&base, &base).summary(), "the same");
    let mut other = policy();
    other.digest = "another text".into();
    let environment = other.environments.get_mut(&id::<LocalName>("one")).unwrap();
    environment.files.labelled.push(environment.files.labelled[0].clone());
    assert_eq!(diff(&base, &other), Diff::default(), "the same rule twice, in another text");
}

#[test]
fn every_single_change_is_seen_where_it_is_and_means_what_it_means() {
    for (number, (key, effect, change)) in mutations().into_iter().enumerate() {
        let (base, mut other) = (policy(), policy());
        change(&mut other);
        let found = diff(&base, &other);
        let seen = found.lines.iter().any(|line| line.key == key && line.effect == effect);
        assert!(seen, "change {number} of {key} should be {effect:?}: {:?}", found.lines);
        assert_eq!(diff(&other, &base), found.mirrored(), "change {number} of {key}");
    }
}

#[test]
fn every_key_of_a_comparison_is_changed_by_one_of_these() {
    // What stands in a policy as a whole, seen by removing it all.
    let mut empty = policy();
    (empty.roles, empty.scopes, empty.compute) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    (empty.environments, empty.trust.oidc) = (BTreeMap::new(), BTreeMap::new());
    empty.trust.saml.clear();
    empty.models = Default::default();
    let keys: BTreeSet<&str> = mutations().iter().map(|(key, _, _)| *key).collect();
    for line in diff(&policy(), &empty).lines {
        assert!(keys.contains(line.key) || line.key == "kernel.floor", "no change of {} is tried", line.key);
    }
}

#[test]
fn what_only_one_policy_has_takes_nothing_from_anybody_by_what_it_demands() {
    let (mut without, with) = (policy(), policy());
    without.environments.remove(&id::<LocalName>("two"));
    without.scopes.clear();
    assert_eq!(diff(&without, &with).summary(), "wider");
    assert_eq!(diff(&with, &without).summary(), "narrower");
}

#[test]
fn a_scope_that_moves_to_another_environment_shows_what_that_does() {
    let (base, mut other) = (policy(), policy());
    other.environments.get_mut(&id::<LocalName>("two")).unwrap().files.write.insert("/srv".into());
    let mut moved = other.clone();
    scope_of(&mut moved, |scope| scope.environment = id("two"));
    let lines = diff(&base, &moved).lines;
    let line =
        |subject: Subject| Line { subject, key: "files.write", effect: Effect::Gains, change: Change::Added("/srv".into()) };
    assert!(lines.contains(&line(Subject::Scope(id("training")))), "{lines:?}");
    assert!(lines.contains(&line(Subject::Environment(id("two")))), "{lines:?}");
}

#[test]
fn no_value_of_a_pin_is_told() {
    let (base, mut other) = (policy(), policy());
    for (_, _, change) in mutations() {
        change(&mut other);
    }
    one_of(&mut other, |one| {
        one.variables.pin.insert(id("TZ"), "first-secret".into());
    });
    let told = format!("{:?} {:?}", diff(&base, &other), diff(&other, &base));
    assert!(!told.contains("first-secret") && told.contains("Value(\"TZ\")"), "{told}");
}

proptest::proptest! {
    #[test]
    fn any_two_policies_mirror_each_other_and_none_differs_from_itself(
        one in proptest::collection::vec(0usize..1000, 0..12),
        other in proptest::collection::vec(0usize..1000, 0..12),
    ) {
        let all = mutations();
        let made = |picked: &[usize]| {
            let mut made = policy();
            picked.iter().for_each(|at| all[at % all.len()].2(&mut made));
            made
        };
        let (one, other) = (made(&one), made(&other));
        proptest::prop_assert_eq!(diff(&one, &other).mirrored(), diff(&other, &one));
        proptest::prop_assert!(diff(&one, &one).lines.is_empty() && diff(&other, &other).lines.is_empty());
    }
}
