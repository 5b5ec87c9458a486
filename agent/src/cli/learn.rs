//! `longhorn policy learn`: reads what nodes recorded and what was traced, and prints what the policy's environment lacks.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::args::PolicyLearnArgs;
use super::policy::load;
use super::terminal::{Terminal, closed};
use super::try_command::named_environment;
use crate::config::learn::evidence::Evidence;
use crate::config::learn::learn;
use crate::exit::Exit;
use crate::host::named;
use crate::screen::Screen;

/// No trace and no segment is larger: a day of a busy node is far below.
const MOST: u64 = 1 << 30;

pub(super) fn propose(args: &PolicyLearnArgs, terminal: &mut Terminal<'_>) -> Result<Exit, Screen> {
    let policy = load(&args.base, terminal)?;
    let environment = named_environment(policy, &args.environment, "`longhorn policy learn --help` shows the options")?;
    let mut evidence = Evidence::default();
    for input in &args.inputs {
        take_in(input, &mut evidence)?;
    }
    if evidence == Evidence::default() {
        return Err(nothing(&args.inputs[0], "a log without a single record"));
    }
    let proposal = learn(&environment, &evidence);
    let text = if args.json { format!("{}\n", proposal.to_json()) } else { proposal.to_toml() };
    terminal.out.write_all(text.as_bytes()).map_err(closed)?;
    Ok(Exit::Ok)
}

fn nothing(input: &Path, presented: &str) -> Screen {
    Screen::failed("nothing-observed", Exit::Data, "an input says nothing that can be learned from")
        .fact("input", input.display())
        .fact("expected", "a log of a node, a directory of logs, or a trace by `longhorn try --observe --json`")
        .fact("presented", presented)
        .hint("on a node they lie under /var/lib/longhorn/log")
}

fn take_in(input: &Path, evidence: &mut Evidence) -> Result<(), Screen> {
    let logs = logs(input).map_err(|error| unreadable(input, &error))?;
    if logs.is_empty() {
        return Err(nothing(input, "a directory without a log"));
    }
    for segments in logs {
        let mut records = Vec::new();
        for segment in &segments {
            let bytes = read(segment).map_err(|error| unreadable(segment, &error))?;
            if let Ok(trace) = serde_json::from_slice::<serde_json::Value>(&bytes)
                && evidence.trace(&trace)
            {
                continue;
            }
            // What no line feed ends was never acknowledged.
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
            let parsed = lines.filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok());
            let own: Vec<_> = parsed.filter(|value| value.get("seq").is_some()).collect();
            if own.is_empty() {
                return Err(nothing(segment, "a file without a record"));
            }
            records.extend(own);
        }
        if !records.is_empty() {
            evidence.log(records.iter());
        }
    }
    Ok(())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = named::open(path)?;
    if file.metadata()?.len() > MOST {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, "more than 1 GiB"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Screen {
    let missing = error.kind() == ErrorKind::NotFound;
    Screen::failed(if missing { "file-missing" } else { "file-unreadable" }, Exit::NoInput, "an input cannot be read")
        .fact("input", path.display())
        .fact("expected", "a log, a directory of logs, or a trace")
        .fact("presented", error)
        .hint("check the path and who may read it")
}

/// The segments of each log: of a file, of a log's directory, or of every log in a directory of logs.
fn logs(path: &Path) -> std::io::Result<Vec<Vec<PathBuf>>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![vec![path.to_owned()]]);
    }
    let own = segments(path)?;
    if !own.is_empty() {
        return Ok(vec![own]);
    }
    let below = listed(path)?.into_iter().filter(|entry| entry.is_dir());
    let each = below.map(|entry| segments(&entry)).collect::<Result<Vec<_>, _>>()?;
    Ok(each.into_iter().filter(|log| !log.is_empty()).collect())
}

fn segments(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let segment = |entry: &PathBuf| entry.extension().is_some_and(|extension| extension == "jsonl") && entry.is_file();
    Ok(listed(directory)?.into_iter().filter(segment).collect())
}

fn listed(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    Ok(entries)
}
