//! Promises of the gateway's decisions: every request in `tests/fixtures/gateway` comes out as its first line says. A file is a
//! request as it stands on the wire, read by the HTTP implementation that the sidecar uses.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use longhorn::decision::permission::Permission;
use longhorn::gateway::{Ask, Asked, Body, Denial, Table, decide, permit};
use longhorn::unverified::Unverified;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Case {
    said: BTreeMap<String, String>,
    wire: Vec<u8>,
}

/// `expect:` and what else stands before the first empty line; then the request, whose head has plain line ends here.
fn case(path: &Path) -> Case {
    let bytes = std::fs::read(path).expect("a fixture can be read");
    let cut = |bytes: &[u8]| bytes.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2);
    let at = cut(&bytes).unwrap_or_else(|| panic!("{}: no empty line", path.display()));
    let said = std::str::from_utf8(&bytes[..at]).expect("what is said is text").lines().filter_map(|line| line.split_once(": "));
    let said = said.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let request = &bytes[at..];
    let end = cut(request).unwrap_or_else(|| panic!("{}: the head does not end", path.display()));
    let (head, body) = request.split_at(end);
    // An editor's last line end is no part of a body.
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let mut wire = String::from_utf8(head.to_vec()).expect("a head is text").trim_end().replace('\n', "\r\n");
    if !body.is_empty() && !wire.to_ascii_lowercase().contains("\r\ncontent-length:") {
        wire.push_str(&format!("\r\nContent-Length: {}", body.len()));
    }
    Case { said, wire: [wire.as_bytes(), b"\r\n\r\n", body].concat() }
}

async fn judged(request: Request<Incoming>, permissions: &[String], table: &Table) -> Result<String, Denial> {
    let hosts = ["127.0.0.1:5005".to_owned(), "localhost:5005".to_owned()];
    let (parts, incoming) = request.into_parts();
    let ask = Ask::read(&Unverified::new(parts), table, &hosts)?;
    permit(ask.endpoint().action, permissions)?;
    let bytes =
        if ask.body() == Body::Json { incoming.collect().await.expect("the body comes").to_bytes().to_vec() } else { Vec::new() };
    let mut allowed = decide(Asked::read(ask, &Unverified::new(bytes), table)?, permissions)?;
    let body = allowed.body().map(|body| String::from_utf8(body).expect("it writes UTF-8")).unwrap_or_default();
    Ok(format!("{} {} {body}", allowed.endpoint().method, allowed.wire()).trim_end().to_owned())
}

/// What comes out: the reason, `http` for what is not even a request, or `allowed`; and what would go on.
fn outcome(case: &Case, table: &Table) -> (String, String) {
    let everything = || Permission::ALL.iter().map(|permission| permission.word().to_owned()).collect();
    let permissions: Vec<String> =
        case.said.get("permissions").map_or_else(everything, |list| list.split(", ").map(str::to_owned).collect());
    let seen = RefCell::new(None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let service = service_fn(async |request: Request<Incoming>| {
            *seen.borrow_mut() = Some(judged(request, &permissions, table).await);
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        });
        let serving = hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .keep_alive(false)
            .serve_connection(TokioIo::new(server), service);
        client.write_all(&case.wire).await.expect("there is room for a request");
        client.shutdown().await.expect("it can be ended");
        let mut answer = Vec::new();
        let (_, read) = tokio::join!(serving, client.read_to_end(&mut answer));
        read.expect("an answer or an end");
    });
    match seen.into_inner() {
        None => ("http".into(), String::new()),
        Some(Err(denial)) => {
            assert!(!denial.sentence.is_empty() && !denial.sentence.contains('\n'));
            (denial.reason.to_owned(), String::new())
        }
        Some(Ok(onward)) => ("allowed".into(), onward),
    }
}

/// With `LONGHORN_CASE=gateway/NAME` that one alone.
#[test]
fn every_request_comes_out_as_its_first_line_says() {
    let table = Table::read();
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let only = std::env::var("LONGHORN_CASE").ok();
    for entry in std::fs::read_dir(fixtures.join("gateway")).unwrap() {
        let path = entry.unwrap().path();
        if only.as_ref().is_some_and(|only| path.strip_prefix(&fixtures).is_ok_and(|case| case != Path::new(only))) {
            continue;
        }
        let case = case(&path);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (reason, onward) = outcome(&case, &table);
        let expected = (case.said["expect"].clone(), case.said.get("onward").cloned().unwrap_or_default());
        *counted.entry(expected.0.clone()).or_default() += 1;
        if (reason.clone(), onward.clone()) != expected {
            wrong.push(format!("{name}: {reason} {onward}\n  expected {} {}", expected.0, expected.1));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let denied: u32 = counted.iter().filter(|(reason, _)| *reason != "allowed").map(|(_, count)| count).sum();
    assert!(only.is_some() || denied >= 100 && counted["allowed"] >= 18, "{counted:?}");
}
