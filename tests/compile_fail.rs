//! What must not compile, each for its own reason; see `tests/compile_fail/README.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The library that this very test was linked with; nothing is built anew.
fn library() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--no-run", "--quiet", "--locked", "--message-format", "json", "--test", "compile_fail"]);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().expect("cargo starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut files = messages.filter(|message| message["target"]["name"] == "longhorn" && message["target"]["kind"][0] == "lib");
    let file = files.next_back().and_then(|message| {
        let names = message["filenames"].as_array()?;
        names.iter().filter_map(|name| name.as_str()).find(|name| name.ends_with(".rlib")).map(PathBuf::from)
    });
    file.unwrap_or_else(|| panic!("cargo names no library: {}", String::from_utf8_lossy(&output.stderr)))
}

/// What the compiler says of a file, a line for each error; none where it compiles.
fn errors(library: &Path, file: &Path) -> String {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_fail");
    fs::create_dir_all(&made).expect("the place can be made");
    let dependencies = library.parent().expect("a file lies in a directory");
    let mut rustc = Command::new("rustc");
    rustc.args([
        "--edition",
        "2024",
        "--crate-type",
        "bin",
        "--emit",
        "metadata",
        "--error-format",
        "short",
        "--cap-lints",
        "allow",
    ]);
    rustc.arg("--out-dir").arg(made).arg("--extern").arg(format!("longhorn={}", library.display()));
    rustc.arg("-L").arg(format!("dependency={}", dependencies.display())).arg(file);
    let output = rustc.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().expect("rustc starts");
    let text = String::from_utf8(output.stderr).expect("the compiler writes text");
    let told: Vec<&str> = text.lines().filter(|line| !line.starts_with("error: aborting due to")).collect();
    assert_eq!(told.is_empty(), output.status.success(), "{}: {text}", file.display());
    told.join("\n")
}

#[test]
fn proof_cannot_be_forged_copied_or_used_twice() {
    let library = library();
    let mut cases: Vec<PathBuf> = fs::read_dir("tests/compile_fail")
        .expect("the cases are part of the tree")
        .map(|entry| entry.expect("a folder lists").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 5);
    for case in cases {
        let expected = fs::read_to_string(case.with_extension("stderr")).expect("each case says why it does not compile");
        assert_eq!(errors(&library, &case), expected.trim_end(), "{}", case.display());
    }
}

#[test]
fn what_proof_is_for_compiles() {
    let honest = Path::new(env!("CARGO_TARGET_TMPDIR")).join("honest.rs");
    let text = "fn once(locked: longhorn::lock::Locked, one: longhorn::record::Recorded) {
    let _ = longhorn::launch::exec(locked, one, std::path::Path::new(\"/bin/true\"), vec![], vec![]);
}
fn main() {}
";
    fs::write(&honest, text).expect("the file can be written");
    assert_eq!(errors(&library(), &honest), "");
}
