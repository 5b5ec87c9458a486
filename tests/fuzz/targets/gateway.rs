//! A request to the registry: its first line, its headers, its body, through everything that decides about it.

use hyper::http::Request;
use longhorn::decision::permission::Permission;
use longhorn::gateway::{Ask, Asked, Body, Table, decide};
use longhorn::unverified::Unverified;

use super::{MOST, Take, split, timed, tree};

pub fn gateway() -> Take {
    let table = Table::read();
    let hosts = ["127.0.0.1:5005".to_owned()];
    let permissions: Vec<String> = Permission::ALL.iter().map(|permission| permission.word().to_owned()).collect();
    Box::new(move |bytes| {
        let (line, rest) = split(bytes, b'\n');
        let (kind, body) = split(rest, b'\n');
        let (method, target) = split(line, b' ');
        let head = Request::builder().method(method).uri(target).header("host", "127.0.0.1:5005").header("content-type", kind);
        // Not even a request: HTTP's own reader refuses it before us.
        let Ok(request) = head.header("content-length", body.len()).body(()) else { return };
        let (parts, ()) = request.into_parts();
        let said = Unverified::new(body.to_vec());
        timed(bytes.len(), || {
            let Ok(ask) = Ask::read(&Unverified::new(parts.clone()), &table, &hosts) else { return };
            let reads = ask.body() == Body::Json;
            let Ok(asked) = Asked::read(ask, &said, &table) else { return };
            let Ok(mut allowed) = decide(asked, &permissions) else { return };
            // What goes on is read by whoever reads it as what it was taken for here.
            let sent = Request::builder().uri(allowed.wire()).body(()).expect("what goes on is a target");
            assert_eq!(sent.uri().path_and_query().map(|target| target.as_str()), Some(allowed.wire()));
            let written = allowed.body();
            assert_eq!(written.is_some(), reads);
            if let Some(written) = written {
                let mut again = Vec::new();
                longhorn_json::read(&written).expect("what is written can be read").write(&mut again);
                assert_eq!(written, again);
                assert!(
                    !written.windows(9).any(|part| part.eq_ignore_ascii_case(b"longhorn.")) || !tagged(&written),
                    "{written:?}"
                );
            }
        });
    })
}

/// Whether a body of a run has a tag that Longhorn owns.
fn tagged(body: &[u8]) -> bool {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let owned = |tag: &serde_json::Value| {
        tag["key"].as_str().is_some_and(|key| key.len() >= 9 && key[..9.min(key.len())].eq_ignore_ascii_case("longhorn."))
    };
    value["run_id"].is_string() && value["tags"].as_array().is_some_and(|tags| tags.iter().any(owned))
}

/// The requests of the fixtures, without what the first line and the type do not say.
pub fn seeds() -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(tree().join("tests/fixtures/gateway")).expect("the fixtures are part of the tree");
    let mut paths: Vec<_> = files.map(|file| file.expect("a folder lists").path()).collect();
    paths.sort();
    let seed = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (_, request) = text.split_once("\n\n")?;
        let (head, body) = request.split_once("\n\n")?;
        let line = head.lines().next()?.strip_suffix(" HTTP/1.1")?;
        Some(format!("{line}\napplication/json\n{}", body.trim_end()).into_bytes())
    };
    paths.iter().filter_map(|path| seed(std::fs::read(path).ok()?)).filter(|bytes| bytes.len() <= MOST).collect()
}

pub fn worst() -> Vec<Vec<u8>> {
    let fill = |part: &str| part.repeat((MOST - 200) / part.len());
    let post = |path: &str, body: String| format!("POST /api/2.0/mlflow/{path}\napplication/json\n{body}").into_bytes();
    vec![
        format!("GET /{}\n\n", fill("a/")).into_bytes(),
        format!("GET /api/2.0/mlflow/runs/get?{}\n\n", "a=b&".repeat(2000)).into_bytes(),
        format!("GET /api/2.0/mlflow/traces?{}\n\n", "experiment_ids=1&".repeat(450)).into_bytes(),
        format!("DELETE /api/2.0/mlflow/{}\n\n", "%C3%A9:".repeat(1000)).into_bytes(),
        post("runs/log-batch", format!("{{\"run_id\":\"a\",\"tags\":[{}{{}}]}}", fill("{\"key\":\"k\",\"value\":\"v\"},"))),
        post(
            "runs/log-batch",
            format!("{{{}\"run_id\":\"a\"}}", (0..4000).map(|at| format!("\"name-{at}\":1,")).collect::<String>()),
        ),
        post("runs/log-batch", format!("{{\"run_id\":\"{}\"}}", fill("\\u00e9"))),
        post("runs/log-batch", fill("[")),
        post("runs/log-batch", format!("{{\"run_id\":{}}}", fill("9"))),
    ]
}
