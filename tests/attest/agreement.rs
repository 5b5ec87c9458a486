//! What must agree: each row of the tables by a case in which exactly its field differs, and the manual's page by the tables.

use std::collections::BTreeMap;

use longhorn::identity::agreement::answers::WITHIN_WORKSPACE;
use longhorn::identity::agreement::subject::{self, SUBJECTS};
use longhorn::identity::ids::PrincipalName;
use longhorn::identity::trust::SubjectEquals;
use longhorn::identity::{Refusal, Unproven};
use simulator::scenario::{CLUSTER, JOB, PRINCIPAL, USER};

use super::simulator;
use super::support::evidence::Case;
use super::support::fixtures;
use super::way::Stop;

/// A fixture of the workspace's answers for each row, in which exactly that field differs.
const DIFFERING: [&str; 9] = [
    "cluster-of-another-id",
    "driver-of-another-address",
    "cluster-not-of-a-job",
    "run-of-another-id",
    "run-of-another-job",
    "cluster-of-another-run",
    "job-of-another-id",
    "cluster-of-another-principal",
    "principal-of-another-name",
];

#[test]
fn each_row_of_the_workspaces_agreement_refuses_where_exactly_its_field_differs() {
    let simulator = simulator();
    for (row, fixture) in WITHIN_WORKSPACE.into_iter().zip(DIFFERING) {
        let path = fixtures::folder("workspace").join(fixture).with_extension("toml");
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{fixture}: {error}"));
        let Err(Stop::Unproven(Unproven::Refused(refusal))) = Case::read(&text).walk(&simulator, |way| way.walk()) else {
            panic!("{fixture} is not refused")
        };
        let screen = refusal.screen();
        assert_eq!((&*screen.reason, &*screen.facts[0].0), (row.reason, &*format!("expected {}", row.what)), "{fixture}");
        assert!(
            matches!(refusal, Refusal::Contradiction { pair, .. } if pair == row),
            "{fixture}: {refusal:?} is not of {row:?}"
        );
    }
}

#[test]
fn each_way_to_compare_a_subject_refuses_another_one() {
    let simulator = simulator();
    let other = "00000000-0000-4000-8000-000000000000";
    let token = |subject: &str| format!("[token.claims]\nsub = \"{subject}\"\n");
    let person =
        format!("[set]\n\"/jobs/{JOB}/run_as_user_name\" = \"{USER}\"\n\"/clusters/{CLUSTER}/single_user_name\" = \"{USER}\"\n");
    let map = BTreeMap::from([("them".to_owned(), PrincipalName::try_from(PRINCIPAL).expect("a name"))]);
    // One that agrees, and one that does not, for each row of the table.
    let rows = [
        (SubjectEquals::ApplicationId, token(PRINCIPAL), token(other)),
        (SubjectEquals::UserName, token("Ada@Example.com") + &person, token("eve@example.com") + &person),
        (SubjectEquals::Map(map), token("them"), token("others")),
    ];
    assert_eq!(rows.len(), SUBJECTS.len());
    for ((equals, same, differs), row) in rows.into_iter().zip(&SUBJECTS) {
        let compared = |case: &str| {
            let mut case = Case::read(case);
            case.trust.equals = Some(equals.clone());
            case.walk(&simulator, |way| way.reason())
        };
        assert_eq!(compared(&same), "granted", "{}", row.equals);
        assert_eq!(compared(&differs), subject::REASON, "{}", row.equals);
    }
}

#[test]
fn the_manual_prints_the_tables_of_agreement_that_are_checked() {
    let path = fixtures::folder("../../agent/manual/agreement.md");
    let text = std::fs::read_to_string(&path).expect("the page is there");
    let answers = WITHIN_WORKSPACE.map(|row| format!("| {} | {} | `{}` |\n", row.one, row.other, row.reason)).concat();
    let subjects: String = (SUBJECTS.iter())
        .map(|row| format!("| `{}` | {} | {} | `{}` |\n", row.equals, row.principal, row.how, subject::REASON))
        .collect();
    let mut parts = text.split("<!-- end -->");
    let mut printed = String::new();
    for (rule, rows) in [("|---|---|---|\n", &answers), ("|---|---|---|---|\n", &subjects)] {
        let part = parts.next().expect("the page has two tables");
        let (head, _) = part.rsplit_once(rule).expect("the table has a head");
        printed.push_str(&format!("{head}{rule}{rows}<!-- end -->"));
    }
    printed.push_str(parts.next().expect("something stands behind the tables"));
    if std::env::var_os("LONGHORN_REGENERATE").is_some() {
        std::fs::write(&path, &printed).expect("it can be written");
    } else {
        assert_eq!(text, printed, "LONGHORN_REGENERATE=1 writes it anew");
    }
}
