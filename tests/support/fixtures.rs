//! Bad input as files: one file per case, whose first line says what it is refused with; its neighbour `.stderr` holds the
//! whole screen, so that a person can read what a user meets.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};

use longhorn::host::clock::{Clock, SystemClock};

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The cases of a folder, sorted; with `LONGHORN_CASE=folder/case` that one alone.
fn cases(name: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder(name)).expect("the fixtures are part of the tree");
    let mut cases: Vec<String> = files
        .filter_map(|entry| entry.expect("a folder lists").file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".toml").map(str::to_owned))
        .collect();
    if let Ok(only) = std::env::var("LONGHORN_CASE") {
        cases.retain(|case| format!("{name}/{case}") == only);
        assert!(!cases.is_empty(), "there is no case {only}");
    }
    cases.sort();
    cases
}

/// Judges every case: what came must be what the first line promises, and what was shown what the neighbour holds.
/// `LONGHORN_REGENERATE=1` writes the neighbours; their differences are then reviewed like code.
pub fn check(name: &str, judge: impl Fn(&str, &[u8]) -> (String, String)) {
    let mut wrong = Vec::new();
    for case in cases(name) {
        let file = format!("{case}.toml");
        let bytes = std::fs::read(folder(name).join(&file)).expect("a fixture reads");
        let first = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
        let promised = first.strip_prefix("# expect: ").unwrap_or_else(|| panic!("{file} does not say what it expects"));
        let (came, shown) = judge(&file, &bytes);
        if came != promised {
            wrong.push(format!("{file}: promised {promised}, came {came}\n{shown}"));
        }
        let neighbour = folder(name).join(format!("{case}.stderr"));
        if std::env::var_os("LONGHORN_REGENERATE").is_some() {
            match shown.as_str() {
                // What is accepted shows nothing, and may have no neighbour to take away.
                "" => drop(std::fs::remove_file(&neighbour)),
                shown => std::fs::write(&neighbour, shown).expect("a fixture's neighbour is written"),
            }
        }
        wrong.extend(lacking(&shown));
        let expected = std::fs::read_to_string(&neighbour).unwrap_or_default();
        if shown != expected {
            wrong.push(format!("{file}: expected\n{expected}came\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the screens in a text do not tell of what was expected and presented, what to do, and where it is written.
pub fn lacking(text: &str) -> Vec<String> {
    let mut lacking = Vec::new();
    let starts = |line: &&str| line.starts_with("longhorn: refused: ") || line.starts_with("longhorn: failed: ");
    for first in text.lines().filter(starts) {
        let behind = text.lines().skip_while(|line| *line != first).skip(1);
        let screen: Vec<&str> = behind.take_while(|line| !starts(line)).collect();
        for part in ["  expected", "  presented", "hint: ", "record: "] {
            if !screen.iter().any(|line| line.starts_with(part)) {
                lacking.push(format!("`{first}` has no `{part}`"));
            }
        }
    }
    lacking
}

/// Compares the screens that were kept in a directory with those of `tests/fixtures/node`; each tells the whole.
pub fn screens(kept: &Path, url: &str) {
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(kept).into_iter().flatten() {
        let path = entry.expect("a folder lists").path();
        let name = path.file_name().expect("a screen has a name").to_string_lossy().into_owned();
        let shown = std::fs::read_to_string(&path).expect("a screen is text");
        let shown = by_word(&steady(&shown, url, ""), drawn);
        let known = folder("node").join(format!("{name}.screen"));
        if std::env::var_os("LONGHORN_REGENERATE").is_some() {
            std::fs::write(&known, &shown).expect("a screen is written");
        }
        let expected = std::fs::read_to_string(&known).unwrap_or_default();
        if shown != expected {
            wrong.push(format!("{name}: expected\n{expected}came\n{shown}"));
        }
        wrong.extend(lacking(&shown));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A screen without what differs from run to run: the address of `url`, times, how often something was tried, temporary
/// places, numbers of records.
pub fn steady(screen: &str, url: &str, place: &str) -> String {
    let mut text = screen.to_owned();
    for (from, to) in [(url, "http://127.0.0.1:PORT"), (place, "PLACE")] {
        if !from.is_empty() {
            text = text.replace(from, to);
        }
    }
    let bare = url.trim_start_matches("http://");
    if !bare.is_empty() {
        text = text.replace(bare, "127.0.0.1:PORT");
    }
    let mut text = by_word(&text, word);
    // Numbers that are other ones each time, by what stands before and behind them.
    for (before, behind) in
        [(" after ", " tries"), (" after ", " try"), ("(", " s left)"), (" ended ", " ms ago"), ("record: entry ", " ")]
    {
        text = without_number(&text, before, behind);
    }
    text
}

/// Each number between these two as `N`.
fn without_number(text: &str, before: &str, behind: &str) -> String {
    let mut parts = text.split(before);
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let number = rest.len() < part.len() && rest.starts_with(behind);
        steady.push_str(before);
        steady.push_str(&if number { format!("N{rest}") } else { part.to_owned() });
    }
    // One try and several are the same thing told twice.
    steady
        .replace("after N try ", "after N tries ")
        .replace("after N try:", "after N tries:")
        .replace("after N try\n", "after N tries\n")
}

fn by_word(text: &str, change: fn(&str) -> String) -> String {
    text.split_inclusive('\n').map(|line| line.split(' ').map(change).collect::<Vec<_>>().join(" ")).collect()
}

/// One word, with a time of these years made steady; what is years away is part of the case.
fn word(word: &str) -> String {
    let (body, tail) = punctuated(word);
    let time = body.len() == 20 && body.as_bytes()[10] == b'T' && body.ends_with('Z');
    let year = body.get(..4).and_then(|year| year.parse::<i64>().ok());
    let present = 1970 + SystemClock.now().seconds() / 31_556_952;
    let near = year.is_some_and(|year| time && (year - present).abs() <= 1);
    if near { format!("TIME{tail}") } else { word.to_owned() }
}

/// One word, with a digest or the file of a key that each node draws anew made steady.
fn drawn(word: &str) -> String {
    let (body, tail) = punctuated(word);
    if body.len() == 64 && body.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("SHA256{tail}");
    }
    match body.rsplit_once('/') {
        Some((directory, file)) if file.ends_with(".jwk") => format!("{directory}/THUMBPRINT.jwk{tail}"),
        _ => word.to_owned(),
    }
}

fn punctuated(word: &str) -> (&str, &str) {
    word.split_at(word.trim_end_matches(['\n', ',', ')', ':']).len())
}
