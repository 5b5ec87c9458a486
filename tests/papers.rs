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
        assert!(text.lines().count() <= 560, "{file} has {} lines", text.lines().count());
        assert!(text.starts_with("//! "), "{file} does not say what it is");
    }
}
