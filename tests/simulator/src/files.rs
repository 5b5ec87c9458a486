//! Files and directories of volumes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http_body_util::Full;
use hyper::Response;
use serde_json::{Value, json};

use crate::answer::{Answer, Refusal, answer as document, reply};
use crate::asked::Asked;

const FILES: &str = "/api/2.0/fs/files";

/// What was written, by the whole path of the call.
#[derive(Clone, Default)]
pub(crate) struct Files {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
}

pub(crate) fn answer(asked: &Asked, call: &str, held: &mut Files) -> Answer {
    let inside = |kind: &str| call.strip_prefix(kind).filter(|rest| rest.starts_with('/'));
    match (asked.method.as_str(), inside("files"), inside("directories")) {
        ("PUT", Some(path), _) => put(asked, path, held),
        ("GET", Some(path), _) => match held.files.get(&asked.path) {
            Some(file) => Response::new(Full::new(file.clone().into())),
            None => absent("file", path),
        },
        ("DELETE", Some(path), _) => match held.files.remove(&asked.path) {
            Some(_) => reply(204, &Value::Null),
            None => absent("file", path),
        },
        ("HEAD", _, Some(path)) if held.directories.contains(path.trim_end_matches('/')) => reply(200, &Value::Null),
        ("HEAD", _, Some(path)) => absent("directory", path),
        ("PUT", _, Some(path)) => {
            // With all that it lies in.
            let whole = Path::new(path.trim_end_matches('/'));
            held.directories.extend(whole.ancestors().map(|one| one.to_string_lossy().into_owned()));
            reply(204, &Value::Null)
        }
        ("GET", _, Some(path)) => list(asked, path.trim_end_matches('/'), held),
        _ => Refusal::unknown(&asked.path).into(),
    }
}

fn absent(what: &str, path: &str) -> Answer {
    Refusal::new(404, "NOT_FOUND", format!("no {what} {path}")).into()
}

fn put(asked: &Asked, path: &str, held: &mut Files) -> Answer {
    // The workspace's own files, and those of models, lie where they are put.
    if path.starts_with("/Models/") || path.starts_with("/WorkspaceInternal/") {
        let whole = Path::new(path).parent().into_iter().flat_map(Path::ancestors);
        held.directories.extend(whole.map(|one| one.to_string_lossy().into_owned()));
    }
    // A file cannot lie in a directory that nobody made; a volume itself is there.
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    if parent.split('/').count() > 4 && !held.directories.contains(parent) {
        return absent("directory", parent);
    }
    if held.files.contains_key(&asked.path) && asked.parameter("overwrite") != "true" {
        return Refusal::new(409, "ALREADY_EXISTS", "the file exists").into();
    }
    held.files.insert(asked.path.clone(), asked.body.to_vec());
    reply(204, &Value::Null)
}

/// What lies directly in a directory, a page at a time.
fn list(asked: &Asked, path: &str, held: &Files) -> Answer {
    if !held.directories.contains(path) {
        return absent("directory", path);
    }
    let inside = |whole: &str| whole.strip_prefix(path)?.strip_prefix('/').filter(|name| !name.contains('/')).map(str::to_owned);
    let files = held.files.iter().filter_map(|(file, bytes)| Some((inside(&file[FILES.len()..])?, Some(bytes.len()))));
    let entries: BTreeMap<String, Option<usize>> =
        files.chain(held.directories.iter().filter_map(|one| Some((inside(one)?, None)))).collect();
    let (begin, size) = (asked.number("page_token").unwrap_or(0), asked.number("page_size").unwrap_or(1000).clamp(1, 1000));
    let contents: Vec<Value> = entries
        .iter()
        .skip(begin)
        .take(size)
        .map(|(name, length)| {
            let mut entry =
                json!({ "path": format!("{path}/{name}"), "name": name, "is_directory": length.is_none(), "last_modified": 0 });
            if let Some(length) = length {
                entry["file_size"] = (*length).into();
            }
            entry
        })
        .collect();
    let mut page = json!({ "contents": contents });
    if begin + size < entries.len() {
        page["next_page_token"] = (begin + size).to_string().into();
    }
    document(Ok(page))
}
