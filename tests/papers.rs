//! The papers say what the code says.

use std::fs;
use std::path::Path;
use std::process::Command;

use longhorn::exit::Exit;

fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_readmes_table_of_exit_codes_is_the_codes_own() {
    let path = tree().join("README.md");
    let text = fs::read_to_string(&path).expect("README is there");
    let rows: String =
        Exit::ALL.iter().map(|(exit, name, meaning)| format!("| {} | {name} | {meaning} |\n", exit.code())).collect();
    let (head, rest) = text.split_once("|---|---|---|\n").expect("README has the table");
    let (shown, tail) = rest.split_once("<!-- end -->").expect("the table has an end");
    if std::env::var_os("LONGHORN_REGENERATE").is_some() {
        fs::write(&path, format!("{head}|---|---|---|\n{rows}<!-- end -->{tail}")).expect("README can be written");
        return;
    }
    assert_eq!(shown, rows, "LONGHORN_REGENERATE=1 cargo test --test papers writes it anew");
}

/// What `cargo tree` says of the agent that ships, without the places where its own crates lie.
fn dependencies() -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["tree", "--locked", "--package", "longhorn", "--edges", "normal", "--target", "x86_64-unknown-linux-musl"]);
    let output = command.args(["--charset", "utf8", "--format", "{p}"]).current_dir(tree()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints text");
    text.lines().map(|line| format!("{}\n", line.split(" (/").next().unwrap_or_default())).collect()
}

#[test]
fn a_new_dependency_of_the_agent_is_a_visible_difference() {
    let path = tree().join("agent/design/dependencies.txt");
    let found = dependencies();
    if std::env::var_os("LONGHORN_REGENERATE").is_some() {
        fs::write(&path, found).expect("the list can be written");
        return;
    }
    let shown = fs::read_to_string(&path).expect("the list is there");
    assert_eq!(shown, found, "LONGHORN_REGENERATE=1 cargo test --test papers writes it anew");
}

#[test]
fn the_agent_has_one_crypto_library_and_nothing_that_deny_toml_bans() {
    let deny = fs::read_to_string(tree().join("deny.toml")).expect("deny.toml is there");
    let deny: toml::Table = toml::from_str(&deny).expect("it parses");
    let banned = deny["bans"]["deny"].as_array().expect("it bans crates");
    let banned: Vec<&str> = banned.iter().filter_map(|row| row["crate"].as_str()).collect();
    assert!(banned.contains(&"ring") && banned.contains(&"openssl"), "{banned:?}");
    let found = dependencies();
    for line in found.lines() {
        let name = line.trim_start_matches(['│', '├', '└', '─', ' ']).split(' ').next().unwrap_or_default();
        assert!(!banned.contains(&name), "{line}");
    }
    assert!(found.contains("─ aws-lc-rs v"), "{found}");
}

#[test]
fn every_direct_dependency_says_in_one_line_why_it_is_there() {
    let mut asked = 0;
    for file in tracked().iter().filter(|file| file.ends_with("Cargo.toml")) {
        let text = fs::read_to_string(tree().join(file)).expect("a manifest can be read");
        let mut within = false;
        for line in text.lines() {
            if line.starts_with('[') {
                within = ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"].contains(&line);
            } else if within && !line.is_empty() && !line.starts_with('#') {
                asked += 1;
                assert!(line.split_once(" # ").is_some_and(|(_, why)| why.len() > 3), "{file}: {line}");
            }
        }
    }
    assert!(asked > 20, "only {asked} dependencies were found");
}

#[test]
fn every_exit_code_is_listed_once() {
    let mut codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _, _)| exit.code()).collect();
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
}

fn tracked() -> Vec<String> {
    let output = Command::new("git").args(["ls-files"]).current_dir(tree()).output().expect("git runs");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn the_top_level_holds_only_what_the_layout_allows() {
    const ALLOWED: &[&str] = &[
        "agent",
        "init-scripts",
        "images",
        "tests",
        "benches",
        ".cargo",
        ".ci",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "SECURITY.md",
        "clippy.toml",
        "deny.toml",
        "rust-toolchain.toml",
        "rustfmt.toml",
    ];
    for file in tracked() {
        let top = file.split('/').next().unwrap_or_default();
        assert!(ALLOWED.contains(&top), "{file}");
    }
}

#[test]
fn no_tracked_file_names_a_machine_or_a_registry() {
    // Put together here, so that this file does not name them either.
    let words: Vec<String> =
        [("/wo", "rk/"), ("/fa", "rm/"), ("/root/.ca", "rgo"), ("crates", ".io/"), ("py", "pi.org"), ("registry.npm", "js")]
            .iter()
            .map(|(one, other)| format!("{one}{other}"))
            .collect();
    for file in tracked().iter().filter(|file| *file != "Cargo.lock") {
        let Ok(text) = fs::read_to_string(tree().join(file)) else { continue };
        for word in &words {
            assert!(!text.contains(word), "{file} names {word}");
        }
    }
}

#[test]
fn no_source_file_is_longer_than_a_reader_can_hold() {
    for file in tracked().iter().filter(|file| file.starts_with("agent/") && file.ends_with(".rs")) {
        let text = fs::read_to_string(tree().join(file)).unwrap_or_default();
        assert!(text.lines().count() <= 400, "{file} has {} lines", text.lines().count());
        assert!(text.starts_with("//! "), "{file} does not say what it is");
    }
}

#[test]
fn every_test_file_runs_in_a_suite() {
    let suites = fs::read_to_string(tree().join("tests/xtask/src/test.rs")).expect("it is part of the tree");
    let names = tracked().into_iter().filter_map(|file| Some(file.strip_prefix("tests/")?.strip_suffix(".rs")?.to_owned()));
    let left_out: Vec<String> =
        names.filter(|name| !name.contains('/') && !suites.contains(&format!("binary({name})"))).collect();
    assert_eq!(left_out, [""; 0]);
}
