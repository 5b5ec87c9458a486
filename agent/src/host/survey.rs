//! What a node is, apart from what its kernel can lock: looked at, never changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where clouds answer instances about themselves (AWS, Azure and GCP alike).
pub const METADATA: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(169, 254, 169, 254)), 80);
/// A metadata service is on the same host and answers in a millisecond; what is filtered does not answer at all.
const PATIENCE: Duration = Duration::from_millis(500);
const JOURNAL: &str = "/run/systemd/journal/socket";
/// Where interpreters lie that have no directory of their own.
const PROGRAMS: &[&str] =
    &["/usr/bin", "/usr/local/bin", "/databricks/python/bin", "/databricks/python3/bin", "/databricks/python-lsp/bin"];

/// Name and release of the kernel, and the machine it is for.
pub fn kernel() -> String {
    nix::sys::utsname::uname().map_or_else(
        |error| error.to_string(),
        |found| {
            let [name, release, machine] = [found.sysname(), found.release(), found.machine()].map(|text| text.to_string_lossy());
            format!("{name} {release} {machine}")
        },
    )
}

/// The first line of a small file; none where it cannot be read.
pub fn line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()?.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// Whether systemd manages this node (sd_booted(3)).
pub fn systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Whether a journal takes datagrams here.
///
/// # Errors
/// Says why not.
pub fn journal() -> io::Result<()> {
    UnixDatagram::unbound()?.connect(JOURNAL)
}

/// Whether the cloud's metadata service can be reached from this process.
///
/// # Errors
/// Says why not.
pub fn metadata() -> io::Result<()> {
    TcpStream::connect_timeout(&METADATA, PATIENCE).map(drop)
}

/// Interpreters and engines: the files that links lead to.
pub fn interpreters() -> BTreeSet<PathBuf> {
    let entries =
        |directory: &Path| fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let engines = entries(Path::new("/usr/lib/jvm")).flat_map(|home| [home.join("bin/java"), home.join("jre/bin/java")]);
    let programs = PROGRAMS.iter().flat_map(|directory| entries(Path::new(directory)));
    programs
        .chain(engines)
        .filter(|path| path.file_name().is_some_and(|name| interpreter(&name.to_string_lossy())))
        .filter_map(|path| fs::canonicalize(path).ok())
        .filter(|path| path.is_file())
        .collect()
}

fn interpreter(name: &str) -> bool {
    let version = name.strip_prefix("python3").is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('.').is_some_and(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()))
    });
    version || ["python", "R", "Rscript", "java"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_is_known_by_its_name_and_its_tools_are_none() {
        for name in ["python", "python3", "python3.12", "R", "Rscript", "java"] {
            assert!(interpreter(name), "{name}");
        }
        for name in ["python3-config", "python3.12-config", "python2", "javac", "Rdconv", ""] {
            assert!(!interpreter(name), "{name}");
        }
    }
}
