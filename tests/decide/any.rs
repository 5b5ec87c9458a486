//! Whatever the identity and however the policy is written: what holds for every decision.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn any_identity() -> impl Strategy<Value = JobIdentity> {
    let groups = subsequence(vec!["okta:engineers", "okta:leads", "okta:contractors", "databricks:eng", "okta:others"], 0..=5);
    let kinds = vec![("databricks", true), ("oidc:okta", true), ("oidc:okta", false), ("oidc:entra", true)];
    // Mostly all that is required, so that the rules behind it are reached.
    let proofs = prop_oneof![3 => Just(kinds[..2].to_vec()), 1 => subsequence(kinds, 0..=4)];
    let job = (
        select(vec!["1", "2", "4", "9"]),
        select(vec!["report", "summary", "", "other"]),
        subsequence(vec![("team", "risk"), ("team", "other"), ("", "")], 0..=3),
        any::<bool>(),
    );
    let workload = prop::option::weighted(0.8, job);
    let principal =
        (select(vec!["sp-1", "sp-9"]), select(vec![PrincipalKind::User, PrincipalKind::ServicePrincipal, PrincipalKind::Group]));
    (groups, proofs, workload, principal, prop::option::of(select(vec!["ABC", "XYZ"]))).prop_map(
        |(groups, proofs, workload, (name, kind), compute_policy)| {
            let mut identity = engineer();
            identity.groups = groups.into_iter().map(group).collect();
            let speaks = |for_job| if for_job { SpeaksFor::Job } else { SpeaksFor::Agent };
            identity.proofs = proofs.into_iter().map(|(kind, for_job)| proof(kind, speaks(for_job))).collect();
            identity.workload = workload.map_or(Workload::Interactive, |(id, name, tags, locked)| Workload::Job {
                job: JobId::try_from(id).expect("a job id"),
                run: RunId::try_from("5").expect("a run id"),
                name: name.into(),
                tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
                locked,
            });
            identity.principal = Principal { kind, name: PrincipalName::try_from(name).expect("a name") };
            identity.compute_policy = compute_policy.and_then(|id| ComputePolicyId::try_from(id).ok());
            identity
        },
    )
}

/// The document with its tables, the lines in them, and the items of their lists in another order.
fn shuffled() -> impl Strategy<Value = String> {
    let shuffle_table = |table: &'static str| {
        let (header, body) = table.split_once('\n').expect("a header");
        let lines: Vec<&str> = body.lines().collect();
        let swap = any::<bool>();
        (Just(lines).prop_shuffle(), swap).prop_map(move |(lines, swap)| {
            let lines: Vec<String> = lines.into_iter().map(|line| if swap { turned(line) } else { line.to_owned() }).collect();
            format!("{header}\n{}\n", lines.join("\n"))
        })
    };
    let tables: Vec<_> = TABLES.iter().chain([&ISSUER]).map(|table| shuffle_table(table).boxed()).collect();
    tables.prop_flat_map(|tables| Just(tables).prop_shuffle()).prop_map(|tables| format!("{HEAD}{}", tables.concat()))
}

/// A line with the items of each of its lists turned round.
fn turned(line: &str) -> String {
    let Some((before, rest)) = line.split_once('[') else { return line.to_owned() };
    let Some((items, after)) = rest.split_once(']') else { return line.to_owned() };
    let items: Vec<&str> = items.split('§').rev().collect();
    format!("{before}[{}]{}", items.join("§"), turned(after))
}

/// What somebody may do.
fn permissions(policy: &Policy, outcome: &Result<Evaluated, Refusal>) -> BTreeSet<Permission> {
    outcome.as_ref().map(|found| policy.scopes[&found.scope].may.clone()).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_writing_never_matters(text in shuffled(), identity in any_identity()) {
        let (written, usual) = (parsed(&text), policy());
        prop_assert_eq!(evaluate(&written, &identity, NOW), evaluate(&usual, &identity, NOW));
        let digests = |policy: &Policy| policy.environments.values().map(|one| one.digest()).collect::<Vec<_>>();
        prop_assert_eq!(digests(&written), digests(&usual));
    }

    #[test]
    fn one_more_group_takes_nothing_away_unless_a_deny_says_so(identity in any_identity(), more in select(vec!["okta:engineers", "okta:leads", "okta:contractors", "okta:others"])) {
        let policy = policy();
        let before = evaluate(&policy, &identity, NOW).0;
        let mut richer = identity.clone();
        richer.groups.insert(group(more));
        let after = evaluate(&policy, &richer, NOW).0;
        let denied = matches!(after, Err(Refusal::RoleDenied(_)));
        prop_assert!(denied || permissions(&policy, &after).is_superset(&permissions(&policy, &before)), "{:?} {:?}", before, after);
        prop_assert!(!denied || more == "okta:contractors" || matches!(before, Err(Refusal::RoleDenied(_))));
    }

    #[test]
    fn a_yes_always_rests_on_everything_that_the_policy_asks_for(identity in any_identity()) {
        let policy = policy();
        let (outcome, trace) = evaluate(&policy, &identity, NOW);
        if let Ok(found) = outcome {
            let scope = &policy.scopes[&found.scope];
            prop_assert!(scope.may.contains(&Permission::Run));
            prop_assert!(found.roles.is_disjoint(&scope.deny) && !found.roles.is_disjoint(&scope.run_by));
            for role in &found.roles {
                prop_assert!(!policy.roles[role].groups.is_disjoint(&identity.groups));
            }
            for kind in ["databricks", "oidc:okta"] {
                prop_assert!(identity.proofs.iter().any(|one| one.kind == kind && one.speaks_for == SpeaksFor::Job));
            }
            let scopes = trace.steps.iter().filter(|step| step.rule.starts_with("scope ") && !step.rule.contains(" / ") && step.hit);
            prop_assert_eq!(scopes.count(), 1);
            // Taking any one thing away that the yes rests on takes the yes away.
            let mut poorer = identity.clone();
            poorer.groups.clear();
            prop_assert!(evaluate(&policy, &poorer, NOW).0.is_err());
            let mut poorer = identity.clone();
            poorer.proofs.retain(|one| one.kind != "databricks");
            prop_assert!(evaluate(&policy, &poorer, NOW).0.is_err());
        }
    }

    /// A policy that no reader made: dangling names, empty selectors, anything.
    #[test]
    fn any_policy_has_an_answer_for_any_identity(
        identity in any_identity(),
        selector in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        parts in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        now in any::<i64>(),
    ) {
        let (ids, names, tags, run_as, locked, policy_ids) = selector;
        let (with_jobs, with_clusters, with_roles, with_environments, with_require) = parts;
        let when = |there: bool, text: &str| if there { BTreeSet::from([text.to_owned()]) } else { BTreeSet::new() };
        let mut policy = policy();
        let compute: BTreeSet<ComputePolicyId> = when(policy_ids, "ABC").iter().filter_map(|id| ComputePolicyId::try_from(id.as_str()).ok()).collect();
        let scope = Scope {
            jobs: with_jobs.then(|| JobSelector {
                ids: when(ids, "1").iter().filter_map(|id| JobId::try_from(id.as_str()).ok()).collect(),
                names: when(names, ""),
                tags: if tags { BTreeMap::from([(String::new(), String::new())]) } else { BTreeMap::new() },
                run_as: when(run_as, "sp-1"),
                locked,
                policy_ids: compute.clone(),
            }),
            clusters: with_clusters.then_some(ClusterSelector { policy_ids: compute }),
            run_by: BTreeSet::from([local("engineer"), local("nobody")]),
            deny: BTreeSet::new(),
            may: BTreeSet::from([Permission::Run]),
            environment: local("python"),
            clearance: BTreeSet::new(),
        };
        policy.scopes = BTreeMap::from([(local("only"), scope)]);
        if !with_roles {
            policy.roles = BTreeMap::from([(local("engineer"), Role::default())]);
        }
        if !with_environments {
            policy.environments.clear();
        }
        if !with_require {
            policy.trust.require.clear();
        }
        let now = Timestamp::from_millis(now);
        let (outcome, trace): (Result<Evaluated, Refusal>, Trace) = evaluate(&policy, &identity, now);
        prop_assert!(!trace.steps.is_empty());
        if outcome.is_ok() {
            prop_assert!(with_roles && with_environments && now < policy.not_after);
            let selected = match identity.workload {
                Workload::Job { .. } => with_jobs && (ids || names || tags || run_as || locked || policy_ids),
                Workload::Interactive => with_clusters && policy_ids && identity.compute_policy.is_some(),
            };
            prop_assert!(selected, "an empty selector selects nothing");
        }
    }
}
