//! Programs that run, each with the digest of its executable. Never arguments: they may hold secrets.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::digests::{Digests, MOST_PROGRAM};

/// Processes that are looked at.
const MOST_PROCESSES: usize = 4096;

/// What tells one program from another.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Program {
    /// The smallest first: so that as many as possible fit.
    size: u64,
    inode: (u64, u64),
    /// As the kernel shows it; a process may give itself any name.
    name: String,
    path: PathBuf,
}

/// Every program once under each name that it goes by. Kernel threads have none.
pub fn processes(digests: &mut Digests<'_>) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut running = entries.filter(|path| path.file_name().is_some_and(number));
    let (mut programs, mut lines) = (BTreeMap::new(), Vec::new());
    for process in running.by_ref().take(MOST_PROCESSES) {
        // A process may end while we look.
        let Ok(name) = fs::read(process.join("comm")) else { continue };
        let name = String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned();
        match program(&process, name.clone(), digests) {
            Ok(Some(program)) => {
                programs.entry(program).or_insert_with(|| process.join("exe"));
            }
            Ok(None) => {}
            Err(error) => lines.push(format!("{name} not read: {error}")),
        }
    }
    digests.omit(running.count());
    for (program, executable) in &programs {
        lines.push(format!("{} {} {}", program.name, program.path.display(), digests.of(executable, MOST_PROGRAM)));
    }
    lines
}

fn number(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

/// None for a kernel thread, or a process that has ended.
fn program(process: &Path, name: String, digests: &Digests<'_>) -> io::Result<Option<Program>> {
    let executable = process.join("exe");
    let path = match fs::read_link(&executable) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // Where somebody else answers for the file, even its size may never be told.
    let (size, inode) = if digests.foreign_to(&path) {
        (u64::MAX, (0, 0))
    } else {
        fs::metadata(&executable).map_or((u64::MAX, (0, 0)), |meta| (meta.len(), (meta.dev(), meta.ino())))
    };
    Ok(Some(Program { size, inode, name, path }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::host::clock::{Clock, SystemClock};
    use crate::host::digest::sha256_hex;

    #[test]
    fn this_very_process_is_listed_with_its_digest_and_none_of_its_arguments() {
        let mut digests = Digests::until(&SystemClock, SystemClock.boot().plus(Duration::from_secs(60)));
        digests.know("/proc/self/exe", &sha256_hex(b"known"));
        let lines = processes(&mut digests);
        let own = fs::read_link("/proc/self/exe").unwrap();
        let expected = format!(" {} sha256 {}", own.display(), sha256_hex(b"known"));
        assert!(lines.iter().any(|line| line.ends_with(&expected)), "{lines:?}");
        let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument.len() > 3).collect();
        assert!(arguments.iter().all(|argument| lines.iter().all(|line| !line.contains(argument.as_str()))), "{lines:?}");
    }
}
