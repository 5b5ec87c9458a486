//! What a token or an assertion says of its subject, and the principal that the workspace names: one row for one way in which a
//! policy compares them.

use crate::identity::job::{Principal, PrincipalKind};
use crate::identity::trust::SubjectEquals;

/// One row.
pub struct Subject {
    /// `subject.equals` of the policy.
    pub equals: &'static str,
    /// Whom the workspace must name.
    pub principal: &'static str,
    /// How.
    pub how: &'static str,
    same: fn(&SubjectEquals, &str, &Principal) -> bool,
}

/// The reason of the refusal where it does not hold.
pub const REASON: &str = "subject-mismatch";

/// All of them.
pub static SUBJECTS: [Subject; 3] = [
    Subject {
        equals: "databricks.application-id",
        principal: "a service principal, by its application id",
        how: "byte for byte",
        same: |_, subject, principal| principal.kind == PrincipalKind::ServicePrincipal && subject == principal.name.as_str(),
    },
    Subject {
        equals: "databricks.user-name",
        principal: "a person, by the user name",
        how: "capital and small letters alike",
        same: |_, subject, principal| {
            principal.kind == PrincipalKind::User && subject.eq_ignore_ascii_case(principal.name.as_str())
        },
    },
    Subject {
        equals: "map",
        principal: "the principal that the policy's `map` gives the subject",
        how: "both byte for byte",
        same: |equals, subject, principal| match equals {
            SubjectEquals::Map(rows) => rows.get(subject).is_some_and(|mapped| mapped == &principal.name),
            SubjectEquals::ApplicationId | SubjectEquals::UserName => false,
        },
    },
];

/// Whether a subject is the job's principal.
pub(in crate::identity) fn same(equals: &SubjectEquals, subject: &str, principal: &Principal) -> bool {
    let [application, user, map] = &SUBJECTS;
    let row = match equals {
        SubjectEquals::ApplicationId => application,
        SubjectEquals::UserName => user,
        SubjectEquals::Map(_) => map,
    };
    (row.same)(equals, subject, principal)
}
