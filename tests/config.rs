//! What people write: each bad document is refused for its own reason, with every problem at its place, and no value
//! that may be sensitive is ever shown.

use std::path::{Path, PathBuf};

use longhorn::config::document::{MOST, as_text, read_bytes};
use longhorn::config::problem::{Problem, Severity};
use longhorn::config::{bind, defaults, read_issuer_settings, read_policy, read_settings};
use longhorn::decision::environment::NamePattern;
use longhorn::decision::policy::{Enforcement, Identities};
use longhorn::host::clock::Timestamp;
use longhorn::identity::trust::{ProofKind, SubjectEquals};
use proptest::prelude::*;

#[path = "support/fixtures.rs"]
mod fixtures;

/// A value that stands where values must not be shown; see `tests/fixtures`.
const SECRET: &str = "hunter2-secret";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn example(name: &str) -> String {
    std::fs::read_to_string(root().join("init-scripts").join(name)).expect("the example is part of the tree")
}

/// How reading came out: what the first line of a fixture promises, and what a person reads.
fn read(settings: bool, name: &str, bytes: &[u8]) -> (String, String) {
    let text = match as_text(Path::new(name), bytes) {
        Ok(text) => text,
        Err(screen) => return (screen.reason.to_string(), screen.to_string()),
    };
    let (word, problems) = if settings {
        match read_settings(name, text) {
            Ok(_) => return ("ok".into(), String::new()),
            Err(problems) => ("settings-problems", problems),
        }
    } else {
        match read_policy(name, text) {
            Ok((_, warnings)) if warnings.is_empty() => return ("ok".into(), String::new()),
            Ok((_, warnings)) => ("ok", warnings),
            Err(problems) => ("policy-problems", problems),
        }
    };
    assert_eq!(word == "ok", !problems.any_error(), "{name}: only warnings let a document through");
    (format!("{word} {}", problems.len()), problems.to_string())
}

/// The same of the settings of an issuer.
fn read_issuers(name: &str, bytes: &[u8]) -> (String, String) {
    let outcome = as_text(Path::new(name), bytes).map(|text| read_issuer_settings(name, text));
    match outcome {
        Ok(Ok(_)) => ("ok".into(), String::new()),
        Ok(Err(problems)) => (format!("settings-problems {}", problems.len()), problems.to_string()),
        Err(screen) => (screen.reason.to_string(), screen.to_string()),
    }
}

#[test]
fn every_bad_settings_file_of_an_issuer_is_refused_for_its_own_reason_and_at_its_place() {
    fixtures::check("issue-settings", |name, bytes| {
        let (came, shown) = read_issuers(name, bytes);
        assert!(!shown.contains(SECRET), "{name} shows what must not be shown:\n{shown}");
        (came, shown)
    });
    let path = root().join("init-scripts/issuer.toml");
    let text = std::fs::read(path).unwrap();
    assert_eq!(read_issuers("issuer.toml", &text), ("ok".into(), String::new()));
}

/// Every file of a folder; nothing that may be a secret is ever shown.
fn holds(folder: &str, settings: bool) {
    fixtures::check(folder, |name, bytes| {
        let (came, shown) = read(settings, name, bytes);
        assert!(!shown.contains(SECRET), "{name} shows what must not be shown:\n{shown}");
        (came, shown)
    });
}

#[test]
fn every_bad_policy_is_refused_for_its_own_reason_and_at_its_place() {
    holds("policy", false);
}

#[test]
fn every_bad_settings_file_is_refused_for_its_own_reason_and_at_its_place() {
    holds("settings", true);
}

#[test]
fn a_fixture_with_one_mistake_reads_once_the_mistake_is_taken_out() {
    // Each fixture is the honest document with one change, so that it can be refused for that change alone.
    for (folder, settings) in [("policy", false), ("settings", true)] {
        let bytes = std::fs::read(root().join("tests/fixtures").join(folder).join("honest.toml")).unwrap();
        assert_eq!(read(settings, "honest.toml", &bytes), ("ok".into(), String::new()), "{folder}");
    }
}

#[test]
fn the_examples_read_without_a_problem_and_say_what_they_say() {
    let settings = read_settings("longhorn.toml", &example("longhorn.toml")).unwrap();
    let (policy, warnings) = read_policy("policy.toml", &example("policy.toml")).unwrap();
    // What the examples let through is in no table of dangerous names.
    assert!(warnings.is_empty(), "{warnings}");
    assert_eq!(bind(&settings, &policy), Ok(()));
    assert_eq!((settings.policy.min_serial, policy.serial), (14, 14));
    assert_eq!(policy.not_after, Timestamp::from_seconds(1_814_313_600), "2027-06-30T00:00:00Z");
    assert_eq!(policy.enforcement, Enforcement::Enforce);
    assert!(policy.trust.require.contains(&ProofKind::Databricks) && policy.trust.require.len() == 2);
    let okta = policy.trust.oidc.values().next().unwrap();
    assert!(matches!(okta.subject.equals, SubjectEquals::ApplicationId));
    let scope = policy.scopes.iter().find(|(name, _)| name.as_str() == "fraud-training").unwrap().1;
    assert_eq!((scope.run_by.len(), scope.deny.len(), scope.may.len(), scope.clearance.len()), (2, 1, 11, 1));
    let environment = policy.environments.values().next().unwrap();
    let allowed: Vec<String> = (environment.variables.allow.iter())
        .map(|pattern| match pattern {
            NamePattern::Exact(name) => name.to_string(),
            NamePattern::Prefix(prefix) => format!("{prefix}*"),
        })
        .collect();
    for name in ["FEATURE_*", "PATH", "LC_*"] {
        assert!(allowed.contains(&name.to_owned()), "the environment's own and the preset's: {allowed:?}");
    }
    assert!(environment.files.execute.contains(Path::new("/usr")), "from the preset");
    assert!(environment.files.execute.contains(Path::new("/databricks/spark")), "its own");
}

#[test]
fn every_key_that_the_reader_knows_stands_in_the_examples() {
    // A table of one kind hides the keys of the others: clouds' tokens have files of their own.
    let clouds = ["exchange-azure-unknown-key", "exchange-gcp-unknown-key", "exchange-aws-unknown-key"];
    for (folder, name, more) in [("settings", "longhorn.toml", &clouds[..]), ("policy", "policy.toml", &[])] {
        let read = |file: &&str| {
            let path = root().join("tests/fixtures").join(folder).join(format!("{file}.stderr"));
            std::fs::read_to_string(path).unwrap()
        };
        let told: String = ["unknown-key-in-every-table"].iter().chain(more).map(read).collect();
        let text = example(name);
        let mut keys = 0;
        for key in told.lines().filter_map(|line| line.split_once("known keys: ")).flat_map(|(_, list)| list.split(", ")) {
            let forms = [format!("{key} = "), format!("[{key}"), format!(".{key}]"), format!("{key} =")];
            assert!(forms.iter().any(|form| text.contains(form)), "{name} does not show `{key}`");
            keys += 1;
        }
        assert!(keys >= 20, "{folder}: {keys}");
    }
}

#[test]
fn what_is_left_out_has_the_default_of_the_table_and_nothing_else_may_be_left_out() {
    let settings = std::fs::read_to_string(root().join("tests/fixtures/settings/honest.toml")).unwrap();
    let read = read_settings("s", &settings).unwrap();
    assert!(read.workspace.ca_file.is_none() && read.node.spark_conf.is_none() && read.record.pseudonym_key.is_none());
    assert_eq!((read.record.journal, read.node.sidecar_uid), (true, 64_222));
    let seconds = |duration: std::time::Duration| format!("{}s", duration.as_secs());
    let policy = std::fs::read_to_string(root().join("tests/fixtures/policy/honest.toml")).unwrap();
    let (policy, _) = read_policy("p", &policy).unwrap();
    assert_eq!(policy.identities, Identities::Pseudonymous);
    let held = [
        ("node.deadline", seconds(read.node.deadline)),
        ("node.sidecar-uid", read.node.sidecar_uid.to_string()),
        ("record.journal", read.record.journal.to_string()),
        ("mlflow.plugin", read.mlflow.plugin.to_string()),
        ("mlflow.environments", read.mlflow.environments.iter().map(|path| path.display().to_string()).collect()),
        ("lease.duration", seconds(policy.lifetimes.lease)),
        ("lease.provisional", seconds(policy.lifetimes.provisional)),
        ("lease.context", seconds(policy.lifetimes.context)),
    ];
    for (key, value) in held {
        let row = defaults::TABLE.iter().find(|(_, known, _)| *known == key);
        assert_eq!(row.map(|(_, _, default)| (*default).to_owned()), Some(value), "{key}");
    }
    // Every line of the honest settings is needed.
    for line in settings.lines().filter(|line| line.contains(" = ")) {
        let without = settings.replacen(line, "", 1);
        assert!(read_settings("s", &without).is_err(), "`{line}` may be left out, and no table says so");
    }
}

#[test]
fn missing_unreadable_oversized_empty_and_foreign_files_are_five_different_outcomes() {
    let directory = std::env::temp_dir().join(format!("longhorn-config-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let outcome = |path: &Path| match read_bytes(path) {
        Ok(bytes) => as_text(path, &bytes).map(|_| ()).map_err(|screen| (screen.reason.to_string(), screen.exit.code())),
        Err(screen) => Err((screen.reason.to_string(), screen.exit.code())),
    };
    assert_eq!(outcome(&directory.join("absent")), Err(("file-missing".to_owned(), 66)));
    assert_eq!(outcome(&directory), Err(("file-unreadable".to_owned(), 66)), "a directory");
    let fifo = directory.join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(outcome(&fifo), Err(("file-unreadable".to_owned(), 66)), "a FIFO that nobody writes to does not hang");
    let file = directory.join("file");
    let write = |bytes: &[u8]| std::fs::write(&file, bytes).expect("a temporary file is written");
    write(&vec![b'#'; usize::try_from(MOST).unwrap()]);
    assert_eq!(outcome(&file), Ok(()));
    write(&vec![b'#'; usize::try_from(MOST).unwrap() + 1]);
    assert_eq!(outcome(&file), Err(("file-oversized".to_owned(), 78)));
    for empty in [&b""[..], b" \n\n"] {
        write(empty);
        assert_eq!(outcome(&file), Err(("file-empty".to_owned(), 78)));
    }
    write(b"schema = 1\n\xff\n");
    assert_eq!(outcome(&file), Err(("file-not-text".to_owned(), 78)));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_megabyte_of_mistakes_is_read_in_seconds_and_a_hundred_of_them_are_shown() {
    let many = [
        "a0000 = 1\n".to_owned(),
        "[scopes.x0000]\njobs = { ids = [\"1\"] }\nrun-by = [\"r0000\"]\nmay = [\"run\"]\nenvironment = \"e\"\n".to_owned(),
        "[roles.r0000]\ngroups = [\"nobody:0000\"]\n".to_owned(),
    ];
    let started = std::time::Duration::from_secs(cpu_seconds());
    for piece in many {
        let mut text = String::from(if piece.starts_with('[') { "[trust]\nrequire = [\"databricks\"]\n" } else { "" });
        for number in 0.. {
            let next = piece.replace("0000", &number.to_string());
            if text.len() + next.len() > 1_000_000 {
                break;
            }
            text.push_str(&next);
        }
        let problems = read_policy("big.toml", &text).unwrap_err();
        assert!(problems.len() > 5_000, "{}", problems.len());
        assert!(problems.to_string().lines().count() <= 4 * 100 + 1);
    }
    let nested = format!("a = {}", "[".repeat(500_000));
    assert!(read_policy("deep.toml", &nested).is_err());
    let spent = cpu_seconds() - started.as_secs();
    assert!(spent < 60, "{spent} s of CPU");
}

/// CPU time of this process: the machine may be busy with something else.
fn cpu_seconds() -> u64 {
    let at = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has this clock");
    u64::try_from(at.tv_sec()).expect("CPU time is not negative")
}

#[test]
fn problems_stand_in_the_order_of_the_document_whatever_the_order_of_finding() {
    let text = example("policy.toml").replace("serial = 14", "serail = 14").replace("may = [\"run\"", "may = [\"rum\"");
    let problems = read_policy("p", &text).unwrap_err();
    let starts: Vec<usize> = problems.sorted().iter().map(|Problem { span, .. }| span.start).collect();
    assert!(starts.is_sorted() && starts.len() >= 3, "{problems}");
    assert!(problems.sorted().iter().any(|problem| problem.severity == Severity::Error));
}

/// The example with a pinned secret of its own, some lines away from everything else.
fn with_secret(name: &str) -> String {
    let mut text = example(name);
    let padding = "# ------------------------------------------------------------\n".repeat(2);
    text.push_str(&match name {
        "policy.toml" => format!(
            "\n{padding}[environments.other.variables.pin]\n{padding}FIRST = \"{SECRET}\"\n{padding}second = '''{SECRET}'''\n{padding}"
        ),
        _ => format!("\n{padding}[[oidc]]\nname = \"entra\"\n{padding}token = \"{SECRET}\"\n{padding}"),
    });
    text
}

/// Small damage: a piece taken out, doubled, or overwritten.
fn damage(text: &str, cuts: &[(prop::sample::Index, usize, u8, char)]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (at, length, how, letter) in cuts {
        let at = at.index(letters.len().max(1)).min(letters.len());
        let end = (at + length).min(letters.len());
        match how % 4 {
            0 => drop(letters.drain(at..end)),
            1 => {
                let piece: Vec<char> = letters[at..end].to_vec();
                letters.splice(at..at, piece);
            }
            2 => drop(letters.splice(at..end.min(at + 1), [*letter])),
            _ => letters.insert(at, *letter),
        }
    }
    letters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_a_document_reading_it_ends_and_shows_no_secret(
        policy in any::<bool>(),
        cuts in prop::collection::vec(
            (any::<prop::sample::Index>(), 1usize..30, any::<u8>(), prop::sample::select(vec!['"', '\'', '[', ']', '{', '}', '=', '.', '\n', '#', ',', 'x', '\u{0}', 'é', '\u{202e}'])),
            1..4,
        ),
    ) {
        let text = damage(&with_secret(if policy { "policy.toml" } else { "longhorn.toml" }), &cuts);
        let (_, shown) = read(!policy, "damaged.toml", text.as_bytes());
        prop_assert!(!shown.contains(SECRET), "{}", shown);
        prop_assert!(!shown.chars().any(|letter| letter.is_control() && letter != '\n'));
    }

    #[test]
    fn whatever_the_bytes_reading_them_ends(bytes in prop::collection::vec(any::<u8>(), 0..400), settings in any::<bool>()) {
        let (word, shown) = read(settings, "x", &bytes);
        prop_assert!(word == "ok" || !shown.is_empty());
    }
}
