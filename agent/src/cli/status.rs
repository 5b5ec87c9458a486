//! `longhorn status`: whether this node is locked, for whom, until when. Asks the sidecar; falls back to the lease.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::args::StatusArgs;
use super::terminal::{Terminal, closed};
use crate::exit::Exit;
use crate::host::clock::Clock;
use crate::host::paths;
use crate::screen::{Screen, one_line};
use crate::wire::lease;

/// Runs `longhorn status`.
pub fn run(args: &StatusArgs, clock: &dyn Clock, terminal: &mut Terminal<'_>) -> Exit {
    let answer =
        ask("/v1/status").and_then(|body| serde_json::from_str::<serde_json::Value>(&body).map_err(std::io::Error::other));
    let status = match answer {
        Ok(status) => status,
        Err(error) => return terminal.show(&silent(clock, &error)),
    };
    let shown = if args.json {
        writeln!(terminal.out, "{status}")
    } else {
        let mut rows = status.as_object().into_iter().flatten();
        rows.try_for_each(|(label, value)| {
            let text = match value {
                serde_json::Value::Null => "none".to_owned(),
                serde_json::Value::String(text) if text.is_empty() => "none".to_owned(),
                value => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            };
            writeln!(terminal.out, "{:22} {}", one_line(&label.replace('_', " ")), one_line(&text))
        })
    };
    match shown {
        Ok(()) if status["state"] == "locked" || status["state"] == "observing" => Exit::Ok,
        Ok(()) => Exit::RefusedLease,
        Err(error) => terminal.show(&closed(error)),
    }
}

/// The sidecar does not answer: what the lease alone says.
fn silent(clock: &dyn Clock, error: &std::io::Error) -> Screen {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().and_then(|text| lease::parse_boot_id(&text));
    let lease = std::fs::read(paths::LEASE).ok();
    let (headline, hint) = match (boot, lease) {
        (Some(boot), Some(bytes)) => match lease::check(&bytes, &boot, clock.boot()) {
            Ok(_) => (
                "the sidecar does not answer; the lease still runs",
                "the keeper starts the sidecar again; ask once more in a few seconds",
            ),
            Err(_) => (
                "the sidecar does not answer and the lease has ended: launches are refused",
                "restart the cluster; the record under /var/lib/longhorn/log says what happened",
            ),
        },
        _ => (
            "this node is not locked: Longhorn is not running here",
            "`longhorn init` locks a node; the compute policy's init script runs it",
        ),
    };
    Screen::failed("not-running", Exit::RefusedLease, headline)
        .fact("expected", format!("a sidecar at {}", paths::SOCKET_API))
        .fact("presented", error)
        .hint(hint)
}

/// One GET on the sidecar's socket. No proxy, no redirect, no keep-alive: one request, one answer.
fn ask(path: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(paths::SOCKET_API)?;
    stream.set_read_timeout(Some(Duration::from_secs(3)))?;
    stream.set_write_timeout(Some(Duration::from_secs(3)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: longhorn\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(256 * 1024).read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::InvalidData)?;
    if head.starts_with("HTTP/1.1 200 ") {
        Ok(body.to_owned())
    } else {
        Err(std::io::Error::other(one_line(head.lines().next().unwrap_or_default())))
    }
}
