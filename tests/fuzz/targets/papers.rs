//! What people and nodes write: policies, their signatures, settings, and what `policy learn` reads.

use longhorn::config::learn::evidence::Evidence;
use longhorn::config::learn::learn as propose;
use longhorn::config::read_preset::as_environment;
use longhorn::config::settings::PolicyPin;
use longhorn::config::{read_policy, read_settings, signature};
use longhorn::host::clock::{Clock, SystemClock};
use longhorn::identity::ids::WorkspaceHost;
use serde_json::Value;

use super::{Take, choice, chosen, fixtures, shapes, shown, split, timed, tree};

/// A policy, or the signature of one.
pub fn policy() -> Take {
    let pin = PolicyPin { file: "policy.toml".into(), signer: [7; 32], min_serial: 1 };
    let workspace = WorkspaceHost::try_from("https://dbc-1.example.com").expect("an origin");
    Box::new(move |bytes| {
        let (kind, rest) = choice(bytes);
        if kind == b'!' {
            let now = SystemClock.now();
            let verdict = timed(rest.len(), || signature::verify(&pin.file, b"", rest, &pin, &workspace, now));
            shown(&verdict.expect_err("nobody signed it").screen());
        } else if let Ok(text) = std::str::from_utf8(bytes) {
            let read = timed(bytes.len(), || read_policy("policy.toml", text));
            let (Ok((_, problems)) | Err(problems)) = read;
            timed(bytes.len(), || problems.to_string());
        }
    })
}

pub fn policy_seeds() -> Vec<Vec<u8>> {
    let example = std::fs::read(tree().join("init-scripts/policy.toml")).expect("the example is part of the tree");
    let key = longhorn::context::NodeKey::from_seed(&[7; 32]).expect("a key");
    let signed = [b"!", signature::sign(b"", &key).as_bytes()].concat();
    fixtures("policy").into_iter().map(String::into_bytes).chain([example, signed]).collect()
}

pub fn settings() -> Take {
    Box::new(|bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Err(problems) = timed(bytes.len(), || read_settings("longhorn.toml", text)) {
            timed(bytes.len(), || problems.to_string());
        }
    })
}

pub fn settings_seeds() -> Vec<Vec<u8>> {
    let example = std::fs::read(tree().join("init-scripts/longhorn.toml")).expect("the example is part of the tree");
    fixtures("settings").into_iter().map(String::into_bytes).chain([example]).collect()
}

pub fn worst() -> Vec<Vec<u8>> {
    shapes::toml()
}

/// Records of a node and a trace, line by line; what comes of them is TOML again.
pub fn learn() -> Take {
    let environment = as_environment("databricks-16.4").expect("a preset");
    Box::new(move |bytes| {
        let text = timed(bytes.len(), || {
            let (trace, records) = split(bytes, b'\n');
            let mut evidence = Evidence::default();
            if let Ok(trace) = serde_json::from_slice::<Value>(trace) {
                evidence.trace(&trace);
            }
            let records: Vec<Value> =
                records.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
            evidence.log(records.iter());
            let proposal = propose(&environment, &evidence);
            drop(proposal.to_json());
            proposal.to_toml()
        });
        // What is proposed can be pasted.
        toml::from_str::<toml::Table>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    })
}

pub fn learn_seeds() -> Vec<Vec<u8>> {
    let trace = r#"{"kind":"longhorn-trace-v1","removed":["FEATURE_TWO"],"overridden":["TZ"],"files":[{"need":"read","path":"/opt/models","directory":true,"count":3},{"need":"write","path":"/tmp/a","count":1}]}"#;
    let launched = r#"{"seq":4,"event":"launch.reported","decision":"allow","env":{"removed":["FEATURE_ONE","AWS_SECRET_ACCESS_KEY","LD_PRELOAD"],"n":4,"overridden":["TZ"],"pinned":1},"ext":{"outcome":"locked"}}"#;
    let sampled = r#"{"seq":5,"event":"files.sampled","ext":{"full":true,"ended":false,"paths":["read /opt/models","write /local_disk0/x","execute /usr/local/bin"]}}"#;
    vec![
        [trace, launched, sampled].join("\n").into_bytes(),
        ["", launched].join("\n").into_bytes(),
        ["", sampled].join("\n").into_bytes(),
    ]
}

pub fn learn_worst() -> Vec<Vec<u8>> {
    let names: Vec<String> = (0..4000).map(|at| format!("\"N_{at}\"")).collect();
    let names = names.join(",");
    let launched = format!(r#"{{"event":"launch.reported","env":{{"removed":[{names}]}},"ext":{{}}}}"#);
    let paths: Vec<String> = (0..2500).map(|at| format!("\"read /a/{at}/b\"")).collect();
    let sampled = format!(r#"{{"event":"files.sampled","ext":{{"paths":[{}]}}}}"#, paths.join(","));
    let deep = format!(r#"{{"event":"files.sampled","ext":{{"paths":["read {}"]}}}}"#, "/a".repeat(30_000));
    let mut worst: Vec<Vec<u8>> = [launched, sampled, deep].iter().map(|line| format!("\n{line}").into_bytes()).collect();
    worst.extend(shapes::json());
    worst.extend(shapes::json().iter().map(|shape| chosen(b'\n', shape)));
    worst
}
