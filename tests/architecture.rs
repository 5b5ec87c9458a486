//! Who may name whom. The table is the law: a new arrow fails here first, and an arrow that nobody needs any more does too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From a room to the rooms it may name. `screen`, `exit`, `unverified` and `host` name nobody but each other downwards.
const ARROWS: &[(&str, &[&str])] = &[
    ("host", &[]),
    ("exit", &[]),
    ("unverified", &[]),
    ("screen", &["exit"]),
    ("wire", &["exit", "host", "screen"]),
    ("evidence", &["exit", "host", "identity", "screen", "unverified"]),
    ("identity", &["evidence", "exit", "host", "screen", "unverified"]),
    ("decision", &["exit", "host", "identity", "screen"]),
    ("context", &["decision", "exit", "host", "identity", "screen", "unverified"]),
    ("gateway", &["unverified"]),
    ("issuer", &["context", "evidence", "exit", "host", "identity", "screen", "unverified"]),
    ("lock", &["decision", "exit", "host", "identity", "screen", "wire"]),
    ("launch", &["exit", "host", "lock", "record", "screen", "unverified", "wire"]),
    ("serve", &["context", "gateway", "host", "model", "record", "screen", "unverified", "wire"]),
    ("mlflow", &["host"]),
    ("model", &["context", "decision", "host", "identity", "unverified"]),
    ("record", &["exit", "host", "screen", "unverified"]),
    ("config", &["context", "decision", "exit", "host", "identity", "screen"]),
    (
        "cli",
        &[
            "config",
            "context",
            "decision",
            "exit",
            "host",
            "identity",
            "launch",
            "lock",
            "model",
            "record",
            "run",
            "screen",
            "unverified",
            "wire",
        ],
    ),
    (
        "run",
        &[
            "cli",
            "config",
            "context",
            "decision",
            "evidence",
            "exit",
            "host",
            "identity",
            "issuer",
            "launch",
            "lock",
            "mlflow",
            "model",
            "record",
            "screen",
            "serve",
            "unverified",
            "wire",
        ],
    ),
];

/// The files that look into what is unverified. Review starts here.
const DOORS: &[&str] = &[
    "context/seal.rs",
    "context/statement.rs",
    "gateway/ask.rs",
    "gateway/asked.rs",
    "identity/verify.rs",
    "model/shown.rs",
    "record/receipt.rs",
    "unverified.rs",
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).expect("the sources are there").filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("agent/src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let source = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source can be read");
        (path.strip_prefix(&root).expect("it lies in the sources").to_path_buf(), text)
    };
    paths.into_iter().map(source).collect()
}

/// The text without its tests, comments and documentation.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn room(path: &Path) -> String {
    let first = path.iter().next().expect("a path has a first part").to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn every_arrow_between_rooms_is_in_the_table_and_every_arrow_of_the_table_is_used() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for (path, text) in sources() {
        let from = room(&path);
        if ["lib", "main", "launcher"].contains(&from.as_str()) {
            continue;
        }
        let allowed =
            table.get(from.as_str()).unwrap_or_else(|| panic!("{} is in a room that the table does not know", path.display()));
        for (at, _) in code(&text).match_indices("crate::") {
            let to: String =
                code(&text)[at + 7..].chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
            if to == from || !table.contains_key(to.as_str()) {
                continue;
            }
            assert!(allowed.contains(&to.as_str()), "{} names {to}: {from} -> {to} is not in the table", path.display());
            used.insert((from.clone(), to));
        }
    }
    for (from, rooms) in ARROWS {
        for to in *rooms {
            assert!(used.contains(&((*from).to_owned(), (*to).to_owned())), "nobody needs {from} -> {to} any more");
        }
    }
}

#[test]
fn only_the_doors_look_into_what_is_unverified() {
    for (path, text) in sources() {
        let looks = code(&text).contains(".examine()") || code(&text).contains("pub(crate) fn examine(&self)");
        let door = DOORS.iter().any(|door| path.ends_with(door));
        assert_eq!(looks, door, "{}", path.display());
    }
}

#[test]
fn only_the_commands_file_names_the_way() {
    for (path, text) in sources() {
        if path.starts_with("cli") && path != Path::new("cli/command.rs") {
            assert!(!code(&text).contains("crate::run"), "{}", path.display());
        }
    }
}

#[test]
fn nothing_outside_the_system_crate_is_unsafe() {
    for (path, text) in sources() {
        assert!(!code(&text).contains("unsafe "), "{}", path.display());
    }
    for root in [
        "src/lib.rs",
        "src/main.rs",
        "src/launcher.rs",
        "append/src/lib.rs",
        "canonical/src/lib.rs",
        "json/src/lib.rs",
        "xml/src/lib.rs",
    ] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("agent").join(root)).expect("it is there");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{root}");
    }
}

#[test]
fn the_fuzzers_lock_file_has_every_crate_that_the_agent_needs() {
    let read = |file: &str| -> toml::Table {
        toml::from_str(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it is part of the tree"))
            .expect("it is TOML")
    };
    let needs = |file: &str| -> BTreeSet<String> {
        let lock = read(file);
        let packages = lock["package"].as_array().expect("a list");
        let own = packages.iter().find(|package| package["name"].as_str() == Some("longhorn")).expect("the agent is there");
        own["dependencies"].as_array().expect("a list").iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let (own, fuzzers) = (needs("Cargo.lock"), needs("tests/fuzz/Cargo.lock"));
    // What only the agent's tests need is not built for the fuzzer.
    let manifest = read("Cargo.toml");
    let for_tests = manifest["dev-dependencies"].as_table().expect("a table");
    let missing: Vec<&String> = own.difference(&fuzzers).filter(|name| !for_tests.contains_key(name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "`cargo metadata` in tests/fuzz writes its lock file anew");
}
