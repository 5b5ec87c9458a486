//! Grants of Unity Catalog that are wider than the policy. Pure: `run::grants` asks for them.
//!
//! A principal has a scope where it is a group of the workspace (`databricks:NAME`) of a role that may run the scope and that the scope does
//! not deny, or where the scope's jobs run as it. Wider is
//!
//! - who may read a labelled table (SELECT), or a volume with a labelled directory (READ VOLUME), and has no scope that is cleared for all of
//!   its labels;
//! - who may load a model (EXECUTE) and has no scope that reads or invokes models, who may add versions to it and has no scope that it is
//!   trained in and that registers models, who may set its tags;
//! - who may read lineage (SELECT) and has no scope with `lineage.read`;
//! - who owns one of these, its schema or its catalog, or has MANAGE or ALL PRIVILEGES, and is no custodian;
//! - whoever has a privilege that is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::models::ModelRule;
use super::permission::Permission;
use super::policy::{Policy, Scope};
use crate::identity::ids::{Label, LocalName};

/// The kind of a thing that grants are given on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A catalog.
    Catalog,
    /// A schema.
    Schema,
    /// A table or view.
    Table,
    /// A volume of files.
    Volume,
    /// A registered model: a function, where grants are asked for.
    Model,
}

impl Kind {
    /// In a question about grants or tags.
    pub fn word(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Schema => "schema",
            Self::Table => "table",
            Self::Volume => "volume",
            Self::Model => "function",
        }
    }

    /// In a question about the thing itself.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Catalog => "catalogs",
            Self::Schema => "schemas",
            Self::Table => "tables",
            Self::Volume => "volumes",
            Self::Model => "models",
        }
    }
}

/// A thing that grants are given on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Securable {
    /// Its kind.
    pub kind: Kind,
    /// Its whole name.
    pub name: String,
}

impl Securable {
    /// By its whole name.
    pub fn new(kind: Kind, name: &str) -> Self {
        Self { kind, name: name.to_owned() }
    }

    /// What it lies in: the schema, then the catalog.
    pub fn above(&self) -> Vec<Self> {
        let cut = |name: &str| name.rsplit_once('.').map(|(above, _)| above.to_owned());
        let Some(schema) = cut(&self.name) else { return Vec::new() };
        let Some(catalog) = cut(&schema) else { return vec![Self { kind: Kind::Catalog, name: schema }] };
        vec![Self { kind: Kind::Schema, name: schema }, Self { kind: Kind::Catalog, name: catalog }]
    }
}

impl fmt::Display for Securable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.kind == Kind::Model { "model" } else { self.kind.word() };
        write!(out, "{word} {}", self.name)
    }
}

/// A privilege that somebody has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// Who, as the catalog names it; empty: somebody who was deleted.
    pub principal: String,
    /// What, in the catalog's word.
    pub privilege: String,
    /// What it was given on, where that is not the thing itself.
    pub from: Option<String>,
}

/// Why anybody may do anything with a thing.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'p> {
    /// A registered model.
    Model(&'p ModelRule),
    /// A table with these labels.
    Labelled(&'p BTreeSet<Label>),
    /// A volume that holds files with these labels.
    Files(&'p BTreeSet<Label>),
    /// A system table of lineage.
    Lineage,
}

/// A grant that is wider than the policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wider {
    /// On what.
    pub securable: Securable,
    /// Who.
    pub principal: String,
    /// What, in the catalog's word; `OWNER` is whoever owns it.
    pub privilege: String,
    /// Why that is wider.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

/// Privileges that give no data, no model and no lineage by themselves, on a thing of another kind than they are for. Every other one counts.
const HARMLESS: &[&str] = &[
    "BROWSE",
    "CREATE",
    "CREATE_FUNCTION",
    "CREATE_MATERIALIZED_VIEW",
    "CREATE_MODEL",
    "CREATE_SCHEMA",
    "CREATE_TABLE",
    "CREATE_VIEW",
    "CREATE_VOLUME",
    "EXTERNAL_USE_SCHEMA",
    "READ_VOLUME",
    "REFRESH",
    "USAGE",
    "USE_CATALOG",
    "USE_SCHEMA",
    "WRITE_VOLUME",
];

/// The grants on one thing.
pub fn judge(policy: &Policy, securable: &Securable, purpose: Purpose<'_>, held: &[Held]) -> Vec<Wider> {
    let strangers = held.iter().filter(|held| !custodian(policy, &held.principal));
    strangers.filter_map(|held| why(policy, purpose, held).map(|why| wider(securable, held, why))).collect()
}

/// Who owns a thing, or what it lies in, may give it to anybody. `None`: a custodian owns it.
pub fn judge_owner(policy: &Policy, securable: &Securable, owner: &str) -> Option<Wider> {
    let (kind, name) = (securable.to_string().to_uppercase(), quoted(&securable.name));
    let kind = kind.split(' ').next().unwrap_or_default().to_owned();
    (!custodian(policy, owner)).then(|| Wider {
        securable: securable.clone(),
        principal: owner.to_owned(),
        privilege: "OWNER".to_owned(),
        why: "owns it, may do everything with it and give it to anybody, and is no custodian".to_owned(),
        remedy: format!("ALTER {kind} {name} OWNER TO a custodian, or name this one under `custodians`"),
    })
}

fn custodian(policy: &Policy, principal: &str) -> bool {
    policy.models.catalog.custodians.iter().any(|custodian| custodian.as_str() == principal)
}

/// Why a privilege is wider. `None`: the policy gives as much.
fn why(policy: &Policy, purpose: Purpose<'_>, held: &Held) -> Option<String> {
    let has = |such: &dyn Fn(&LocalName, &Scope) -> bool| {
        let own = policy.scopes.iter().filter(|(_, scope)| runs(policy, scope, &held.principal));
        own.into_iter().any(|(name, scope)| such(name, scope))
    };
    let may = |scope: &Scope, any: &[Permission]| any.iter().any(|permission| scope.may.contains(permission));
    match (purpose, held.privilege.as_str()) {
        (_, "ALL_PRIVILEGES" | "MANAGE") => {
            Some("may do everything with it or give it to anybody, and is no custodian".to_owned())
        }
        (Purpose::Labelled(labels), "SELECT") | (Purpose::Files(labels), "READ_VOLUME") => {
            (!has(&|_, scope| labels.is_subset(&scope.clearance))).then(|| {
                let labels: Vec<&str> = labels.iter().map(Label::as_str).collect();
                format!("reads data labelled {}, and no scope that it runs is cleared for that", labels.join(", "))
            })
        }
        (Purpose::Lineage, "SELECT") => (!has(&|_, scope| may(scope, &[Permission::LineageRead])))
            .then(|| "reads lineage, and no scope that it runs has lineage.read".to_owned()),
        (Purpose::Model(_), "EXECUTE") => {
            let reads = [Permission::ModelRead, Permission::ArtifactRead, Permission::ModelInvoke];
            (!has(&|_, scope| may(scope, &reads)))
                .then(|| "loads the model, and no scope that it runs has model.read, artifact.read or model.invoke".to_owned())
        }
        (Purpose::Model(rule), "CREATE_MODEL_VERSION") => {
            (!has(&|name, scope| rule.scopes.contains(name) && may(scope, &[Permission::ModelRegister]))).then(|| {
                "adds versions, and no scope that it runs is one that the model is trained in and has model.register".to_owned()
            })
        }
        (Purpose::Model(_), "APPLY_TAG") => Some("sets tags that are Longhorn's, and is no custodian".to_owned()),
        (Purpose::Labelled(_) | Purpose::Lineage, "EXECUTE" | "CREATE_MODEL_VERSION" | "APPLY_TAG" | "MODIFY") => None,
        (Purpose::Files(_), "SELECT" | "EXECUTE" | "CREATE_MODEL_VERSION" | "APPLY_TAG" | "MODIFY") => None,
        (Purpose::Model(_), "SELECT" | "MODIFY") => None,
        (_, privilege) if HARMLESS.contains(&privilege) => None,
        (..) => Some("has a privilege that this version of Longhorn does not know".to_owned()),
    }
}

/// Whether a principal runs a scope, as far as the catalog's names tell.
fn runs(policy: &Policy, scope: &Scope, principal: &str) -> bool {
    let group = format!("databricks:{principal}");
    let of = |roles: &BTreeSet<LocalName>| {
        let groups = roles.iter().filter_map(|role| policy.roles.get(role)).flat_map(|role| &role.groups);
        groups.into_iter().any(|of| of.as_str() == group)
    };
    let job = scope.jobs.as_ref().is_some_and(|jobs| jobs.run_as.contains(principal));
    !principal.is_empty() && (of(&scope.run_by) && !of(&scope.deny) || job)
}

fn wider(securable: &Securable, held: &Held, why: String) -> Wider {
    let parts = |name: &str| name.split('.').count();
    let on = match &held.from {
        None => securable.clone(),
        Some(from) if parts(from) == 1 => Securable::new(Kind::Catalog, from),
        Some(from) if parts(from) == 2 => Securable::new(Kind::Schema, from),
        Some(from) => Securable::new(securable.kind, from),
    };
    // SQL's word for models is that of functions.
    let kind = on.kind.word().to_uppercase();
    Wider {
        securable: securable.clone(),
        principal: held.principal.clone(),
        privilege: held.privilege.clone(),
        why,
        remedy: format!(
            "REVOKE {} ON {kind} {} FROM {}",
            held.privilege.replace('_', " "),
            quoted(&on.name),
            quoted_part(&held.principal)
        ),
    }
}

/// A name for SQL. Where no part needs quotes they do no harm; a hyphen needs them.
fn quoted(name: &str) -> String {
    name.split('.').map(quoted_part).collect::<Vec<_>>().join(".")
}

fn quoted_part(part: &str) -> String {
    format!("`{}`", part.replace('`', "``"))
}

/// The volumes below which the policy labels files, with all labels in each: whoever reads a volume reads every directory of it. And the
/// labelled directories that are no volume's: `/Volumes` itself, a catalog's or a schema's, in which there may be many.
pub fn labelled_volumes(paths: &BTreeMap<String, BTreeSet<Label>>) -> (BTreeMap<String, BTreeSet<Label>>, Vec<&str>) {
    let labelled = paths.iter().filter(|(_, labels)| !labels.is_empty());
    let (mut volumes, mut wider) = (BTreeMap::<String, BTreeSet<Label>>::new(), Vec::new());
    for (path, labels) in labelled {
        let mut parts = path.split('/').skip(1);
        if parts.next() != Some("Volumes") {
            continue;
        }
        match (parts.next(), parts.next(), parts.next()) {
            (Some(catalog), Some(schema), Some(volume)) => {
                volumes.entry(format!("{catalog}.{schema}.{volume}")).or_default().extend(labels.iter().cloned());
            }
            _ => wider.push(path.as_str()),
        }
    }
    (volumes, wider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(words: &[&str]) -> BTreeSet<Label> {
        words.iter().map(|word| Label::try_from(*word).unwrap()).collect()
    }

    #[test]
    fn names_in_statements_are_quoted_part_by_part() {
        for (name, sql) in [("main", "`main`"), ("my-cat.gold.a b", "`my-cat`.`gold`.`a b`"), ("a`; DROP.b", "`a``; DROP`.`b`")] {
            assert_eq!(quoted(name), sql);
        }
    }

    #[test]
    fn a_volume_has_the_labels_of_every_directory_in_it() {
        let paths = [
            ("/Volumes/main/gold/raw", labels(&["internal"])),
            ("/Volumes/main/gold/raw/people", labels(&["pii"])),
            ("/Volumes/main/gold/raw/open", labels(&[])),
            ("/Volumes/main/gold/plain", labels(&[])),
            ("/Volumes/main/ml", labels(&["pii"])),
            ("/Volumes", labels(&["pii"])),
            ("/Volumesmain/a/b/c", labels(&["pii"])),
            ("/dbfs/a", labels(&["pii"])),
        ];
        let paths = paths.into_iter().map(|(path, labels)| (path.to_owned(), labels)).collect();
        let (volumes, wider) = labelled_volumes(&paths);
        assert_eq!(volumes, BTreeMap::from([("main.gold.raw".to_owned(), labels(&["internal", "pii"]))]));
        assert_eq!(wider, ["/Volumes", "/Volumes/main/ml"]);
    }
}
