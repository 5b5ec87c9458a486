//! Running programs, with what went wrong in one sentence.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What went wrong, for a person.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The root of the tree.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default()
}

/// Runs a command in the tree's root; its output goes where ours goes.
pub fn run(command: &mut Command) -> Outcome<()> {
    let shown = format!("{command:?}");
    let status = command.current_dir(root()).status().map_err(|error| format!("{shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown}: {status}").into()) }
}

/// Runs a command quietly; its output is shown only when it fails.
pub fn quietly(command: &mut Command) -> Outcome<String> {
    let shown = format!("{command:?}");
    let output = command.current_dir(root()).stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{shown}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// Whether a program is on PATH.
pub fn has(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}

/// Whether we are root.
pub fn is_root() -> bool {
    quietly(Command::new("id").arg("-u")).is_ok_and(|text| text.trim() == "0")
}

/// Says what is being done, and how long it took.
pub fn step<T>(what: &str, doing: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    eprintln!("xtask: {what} …");
    let began = Instant::now();
    let outcome = doing();
    let word = if outcome.is_ok() { "done" } else { "FAILED" };
    eprintln!("xtask: {what}: {word} in {:.1} s", began.elapsed().as_secs_f64());
    outcome
}
