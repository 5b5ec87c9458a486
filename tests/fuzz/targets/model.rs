//! What the registry shows, the statements in its tags, and facts that somebody wrote down: everything that a promotion is judged by.

use longhorn::context::NodeKey;
use longhorn::context::seal::Voucher;
use longhorn::context::statement::{hear, key_named, say};
use longhorn::model::place::{inside, kept, owner};
use longhorn::model::statements::{ModelSeal, RunSeal};
use longhorn::model::{Facts, LoggedModel, Registered, Run, Source, Version, directory, made_model, made_run, made_version};
use longhorn::unverified::Unverified;

use super::{MOST, Take, choice, chosen, shapes, timed};

pub fn model() -> Take {
    let key = NodeKey::from_seed(&[7; 32]).expect("any 32 bytes are a seed");
    Box::new(move |bytes| {
        let (which, rest) = choice(bytes);
        let answer = Unverified::new(rest.to_vec());
        let text = String::from_utf8_lossy(rest);
        match which % 8 {
            0 => _ = timed(bytes.len(), || (Run::read(&answer).map(|run| run.registered().len()), made_run(&answer))),
            1 => _ = timed(bytes.len(), || (LoggedModel::read(&answer), made_model(&answer))),
            2 => _ = timed(bytes.len(), || (Version::read(&answer), made_version(&answer))),
            3 => _ = timed(bytes.len(), || Registered::read(&answer).map(|registered| registered.stands("champion").is_some())),
            4 => {
                let names = timed(bytes.len(), || directory(&answer)).unwrap_or_default();
                assert!(names.iter().all(|(name, _)| !name.contains('/') && !matches!(name.as_str(), "" | "." | "..")));
            }
            5 => {
                _ = timed(bytes.len(), || (Source::read(&text), kept(&text).is_some()));
                if let Some((_, root, within)) = timed(bytes.len(), || owner(&text)) {
                    assert!(text.starts_with(root) && inside(&text, root) && text.ends_with(within));
                }
            }
            6 => {
                let token = Unverified::new(rest);
                let voucher = Voucher::NodeKey(key.public());
                _ = timed(bytes.len(), || {
                    (key_named(&token), hear::<RunSeal>(&token, &voucher).is_ok(), hear::<ModelSeal>(&token, &voucher).is_ok())
                });
            }
            _ => _ = timed(bytes.len(), || serde_json::from_slice::<Facts>(rest).is_ok()),
        }
    })
}

pub fn seeds() -> Vec<Vec<u8>> {
    let key = NodeKey::from_seed(&[7; 32]).expect("any 32 bytes are a seed");
    let seal = ModelSeal { model_id: "m-1".into(), files: Some("00".into()), sub: "spiffe://a".into(), iat: 1 };
    let run = r#"{"run":{"info":{"run_id":"0a","status":"FINISHED","artifact_uri":"mlflow-artifacts:/1/0a/artifacts"},"data":{"metrics":[{"key":"auc","value":0.9,"timestamp":1,"step":0},{"key":"n","value":"NaN"}],"params":[{"key":"d","value":"3"}],"tags":[{"key":"longhorn.registered","value":"[\"a\"]"}]},"inputs":{"dataset_inputs":[{"tags":[],"dataset":{"name":"g","source":"{}"}}],"model_inputs":[{"model_id":"m-1"}]}}}"#;
    vec![
        chosen(0, run),
        chosen(
            1,
            r#"{"model":{"info":{"model_id":"m-1","source_run_id":"0a","status":"LOGGED_MODEL_READY","artifact_uri":"mlflow-artifacts:/1/models/m-1/artifacts","tags":[{"key":"a","value":"b"}]}}}"#,
        ),
        chosen(
            2,
            r#"{"model_version":{"name":"fraud","version":"7","status":"READY","source":"models:/m-1","run_id":"0a","tags":[]}}"#,
        ),
        chosen(
            3,
            r#"{"registered_model":{"aliases":[{"alias":"champion","version":"7"}],"latest_versions":[{"current_stage":"Production","version":"6"}]}}"#,
        ),
        chosen(4, r#"{"files":[{"path":"MLmodel","is_dir":false,"file_size":1},{"path":"data","is_dir":true}]}"#),
        chosen(5, "1/models/m-0123456789abcdef0123456789abcdef/artifacts/data/x"),
        chosen(5, "models:/fraud/7"),
        chosen(5, "mlflow-artifacts:/1/0123456789abcdef0123456789abcdef/artifacts"),
        chosen(6, say(&seal, &key, None)),
        chosen(7, r#"{"kind":"longhorn-facts-v1","answers":{"/a?b=c":"{}","/d?":null},"files":{"x":"00"}}"#),
    ]
}

pub fn worst() -> Vec<Vec<u8>> {
    let fill = |part: &str| part.repeat((MOST - 300) / part.len());
    let mut found: Vec<Vec<u8>> = shapes::json_of(MOST - 1).into_iter().map(|shape| chosen(0, shape)).collect();
    let list =
        |part: &str, name: &str| format!(r#"{{"run":{{"info":{{"run_id":"a"}},"data":{{"{name}":[{}{{}}]}}}}}}"#, fill(part));
    found.push(chosen(0, list(r#"{"key":"a","value":1.5e-7},"#, "metrics")));
    found.push(chosen(0, list(r#"{"key":"longhorn.x","value":"y"},"#, "tags")));
    found.push(chosen(4, format!(r#"{{"files":[{}{{}}]}}"#, fill(r#"{"path":"a","is_dir":true},"#))));
    found.push(chosen(5, fill("0123456789abcdef0123456789abcdef/artifact/")));
    found.push(chosen(5, fill("traces/")));
    found.push(chosen(6, format!("{}.{}.{}", "a".repeat(20_000), "b".repeat(20_000), "c".repeat(20_000))));
    found.push(chosen(
        7,
        format!(
            r#"{{"kind":"k","answers":{{{}"z":null}},"files":{{}}}}"#,
            (0..6000).map(|at| format!(r#""{at}":"","#)).collect::<String>()
        ),
    ));
    found
}
