//! The OpenID provider of `tests/suites/oidc` as a process. Tests and demo share it, so it needs the standard library alone.

#![allow(dead_code, reason = "tests and demo each use their own part")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running provider; it ends when its standard input closes.
pub struct Provider {
    process: Child,
    /// Its address, which is also its name.
    pub url: String,
    /// The same keys under another issuer's name.
    pub other: String,
    /// The private keys of its clients that have one, as it prints them.
    pub keys: String,
}

impl Provider {
    /// With new keys, on this port (0: a free one).
    pub fn start(tree: &Path, port: &str) -> io::Result<Self> {
        let installed = tree.join("target/oidc");
        if !installed.join("node_modules/oidc-provider").is_dir() {
            return Err(io::Error::other("no oidc-provider in target/oidc: `cargo xtask test` installs it"));
        }
        let mut process = Command::new("node")
            .arg(tree.join("tests/suites/oidc/provider.mjs"))
            .arg(port)
            .current_dir(installed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["READY", url, other, keys] => {
                Ok(Self { process, url: url.to_owned(), other: other.to_owned(), keys: keys.to_owned() })
            }
            _ => Err(io::Error::other(format!("the provider does not start: {line:?}"))),
        }
    }

    /// Ends it, and waits until it has.
    pub fn end(&mut self) -> io::Result<()> {
        drop(self.process.stdin.take());
        self.process.wait().map(drop)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // An end that fails has nobody to tell.
        let _ = self.end();
    }
}

/// A token by client credentials (RFC 6749 §4.4), for a resource (RFC 8707).
pub fn token(provider: &str, client: &str, resource: &str) -> io::Result<String> {
    let form = format!("grant_type=client_credentials&resource={resource}&client_id={client}&client_secret=client-secret");
    post(&format!("{provider}/token"), "application/x-www-form-urlencoded", &form, "access_token")
}

/// Posts to a server on loopback that answers with a JSON object; returns the text in one of its fields.
pub fn post(url: &str, kind: &str, body: &str, field: &str) -> io::Result<String> {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap_or((url, ""));
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let said = answer.split(&format!("\"{field}\":\"")).nth(1).and_then(|rest| rest.split('"').next());
    said.map(str::to_owned).ok_or_else(|| io::Error::other(format!("no {field} in the answer of {url}: {answer}")))
}
