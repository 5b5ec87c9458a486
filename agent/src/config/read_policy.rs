//! Text to [`Policy`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::check_policy::{Parts, PlacedEnvironment, check};
use super::defaults::{IDENTITIES, LAUNCHES, LIFETIMES, LIFETIMES_MOST};
use super::problem::Problems;
use super::read_catalog::catalog;
use super::read_compute::compute;
use super::read_environment::environment;
use super::read_models::models;
use super::read_scopes::{PlacedRole, roles, scopes};
use super::read_trust::trust;
use super::reader::{At, Reader, Section};
use crate::decision::environment::Environment;
use crate::decision::policy::{Enforcement, Identities, LaunchRecording, Lifetimes, Policy};
use crate::host::clock::Timestamp;
use crate::host::digest::sha256_hex;
use crate::identity::ids::{LocalName, WorkspaceHost};

/// Reads a policy; warnings come along.
///
/// # Errors
/// Every problem, when there is one that stops it from being used.
pub fn read_policy(file: &str, text: &str) -> Result<(Policy, Problems), Problems> {
    let reader = Reader::new(file, text);
    let table = reader.parse(text);
    let policy = table.as_ref().and_then(|table| root(reader.section(table), text));
    let problems = reader.finish();
    match policy {
        Some(policy) if !problems.any_error() => Ok((policy, problems)),
        Some(_) | None => Err(problems),
    }
}

fn root(root: Section<'_>, text: &str) -> Option<Policy> {
    let schema = root.need_number("schema");
    if let Some(At { value, span }) = schema.filter(|schema| schema.value != 1) {
        root.reader().error(span, format!("schema {value} is not known"), "this version reads schema 1");
    }
    let serial = root.need_number("serial");
    let not_after = not_after(&root);
    let enforcement = root.need_word("enforcement", &[Enforcement::Enforce, Enforcement::Observe].map(|one| (one.word(), one)));
    let identities = root.word("identities", &[("pseudonymous", Identities::Pseudonymous), ("clear", Identities::Clear)]);
    let workspaces: BTreeSet<WorkspaceHost> = root.need_list("workspaces").into_iter().map(|at: At<_>| at.value).collect();
    let trust = root.need_table("trust").map(|section| trust(section, workspaces));
    let roles = root.table("roles").map(roles).unwrap_or_default();
    let scopes = root.table("scopes").map(scopes).unwrap_or_default();
    let environments = root.table("environments").map(environments).unwrap_or_default();
    let compute = root.table("compute").map(compute).unwrap_or_default();
    let mut models = models(root.table("models"), root.table("approvers"), root.table("labels"));
    models.models.catalog = root.table("unity-catalog").map(|section| catalog(section, &models.labels)).unwrap_or_default();
    let launches = root.table("launches").map_or(LAUNCHES, launches);
    let lifetimes = root.table("lease").map_or(LIFETIMES, lifetimes);
    let enforced = enforcement.as_ref().is_some_and(|word| word.value == Enforcement::Enforce);
    check(
        root.reader(),
        &Parts { trust: trust.as_ref(), roles: &roles, scopes: &scopes, environments: &environments, models: &models, enforced },
    );
    root.finish();
    let environments: Option<BTreeMap<LocalName, Environment>> =
        environments.into_iter().map(|placed| Some((placed.name.value, placed.environment?))).collect();
    Some(Policy {
        serial: serial?.value,
        not_after: not_after?,
        enforcement: enforcement?.value,
        identities: identities.map_or(IDENTITIES, |word| word.value),
        trust: trust?.trust,
        roles: roles.into_iter().map(PlacedRole::into_role).collect(),
        scopes: scopes.into_iter().map(|placed| (placed.name.value, placed.scope)).collect(),
        environments: environments?,
        compute,
        models: models.models,
        launches,
        lifetimes,
        digest: sha256_hex(text.as_bytes()),
    })
}

fn not_after(root: &Section<'_>) -> Option<Timestamp> {
    let At { value, span } = root.need_datetime("not-after")?;
    let text = value.to_string().replace(' ', "T");
    let parsed = time::OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339);
    if parsed.is_err() {
        root.reader().error(span, "`not-after` needs date, time and offset", "such as 2027-06-30T00:00:00Z");
    }
    parsed.ok().map(|at| Timestamp::from_seconds(at.unix_timestamp()))
}

/// An environment that does not read keeps its name, so that scopes that point at it are not blamed as well.
fn environments(section: Section<'_>) -> Vec<PlacedEnvironment> {
    let one = |(name, body): (At<String>, Section<'_>)| {
        let name = body.convert::<LocalName>(&name)?;
        Some(PlacedEnvironment { environment: environment(name.value.clone(), body), name })
    };
    section.named().into_iter().filter_map(one).collect()
}

fn launches(section: Section<'_>) -> LaunchRecording {
    if let Some(span) = section.place("record").filter(|_| section.text("record").is_some_and(|word| word.value == "durable")) {
        section.reader().error(span, "this version cannot wait until a launch is durable", "known: reported");
        section.finish();
        return LAUNCHES;
    }
    let word = section.word("record", &[("reported", LaunchRecording::Reported)]);
    section.finish();
    word.map_or(LAUNCHES, |word| word.value)
}

fn lifetimes(section: Section<'_>) -> Lifetimes {
    let bounded = |key: &'static str, default: Duration, most: Duration| match section.duration(key) {
        None => default,
        Some(At { value, .. }) if Duration::from_secs(1) <= value && value <= most => value,
        Some(At { span, .. }) => {
            section.reader().error(span, format!("`{key}` must be from 1s to {}s", most.as_secs()), "");
            default
        }
    };
    let found = Lifetimes {
        lease: bounded("duration", LIFETIMES.lease, LIFETIMES_MOST.lease),
        provisional: bounded("provisional", LIFETIMES.provisional, LIFETIMES_MOST.provisional),
        context: bounded("context", LIFETIMES.context, LIFETIMES_MOST.context),
    };
    section.finish();
    found
}
