//! The traps are real: what the gateway refuses by `agent/src/gateway/endpoints.txt` and by its rules, MLflow's own server takes.
//! The same scripts run against the gateway; a trap that MLflow closes, and a new one, fails here first.

use std::collections::BTreeSet;

#[path = "support/mlflow.rs"]
mod mlflow;

use mlflow::{Server, script, suite};

/// Spellings that the server takes for the plain one.
const SPELLED: &[&str] = &[
    "plain",
    "duplicate_key",
    "json_in_a_string",
    "utf_16",
    "utf_32",
    "byte_order_mark",
    "camel_case",
    "run_uuid",
    "run_uuid_beside",
    "null_beside_run_uuid",
    "enumeration_by_number",
    "enumeration_by_digits",
    "number_that_is_none",
    "unknown_field",
    "another_charset",
    "body_of_a_get",
    "repeated_query",
    "query_by_percent",
    "twin",
    "two_slashes",
    "letter_by_percent",
    "slash_by_percent",
    "method_in_small_letters",
    "host_like_a_private_address",
    "host_like_a_private_address_192",
    "host_like_a_private_address_172",
    "host_like_a_port",
    "origin_like_this_machine",
    "body_against_the_path",
];

/// Spellings that the server refuses by itself.
const MISSPELLED: &[&str] = &[
    "camel_case_beside",
    "empty_beside_run_uuid",
    "words_after_the_end",
    "plain_text",
    "no_type",
    "form",
    "query_of_a_post",
    "compressed",
    "two_lengths",
    "method_in_a_header",
    "head",
    "two_slashes_within",
    "slash_at_the_end",
    "letter_by_percent_twice",
    "question_by_percent",
    "dots",
    "dots_by_percent",
    "semicolon",
    "capitals",
    "whole_address",
    "whole_address_of_another",
    "host_of_another",
    "origin",
];

/// What the server lets anyone do.
const ABUSED: &[&str] = &[
    "plain",
    "source_elsewhere",
    "run_that_is_not_there",
    "no_run_at_all",
    "logged_model_of_a_run_that_is_not_there",
    "logged_model_of_another_run",
    "version_of_a_logged_model_under_another_run",
    "version_of_a_logged_model_of_others",
    "artifacts_in_etc",
    "artifacts_outside",
    "artifacts_elsewhere",
    "metric_after_the_end",
    "batch_after_the_end",
    "tag_after_the_end",
    "input_after_the_end",
    "output_after_the_end",
    "reopened_after_the_end",
    "model_after_the_end",
    "file_after_the_end",
    "file_of_another_run",
    "file_of_another_model",
    "file_of_nobody",
    "file_of_another_run_by_the_user_interface",
    "run_by_the_user_interface",
    "list_of_all_files",
    "tag_of_another_run",
    "deleted_run_of_others",
    "metric_of_another_model",
    "metric_of_another_model_in_a_batch",
    "tag_of_another_model",
    "trace_of_another_run",
    "context_at_the_start",
    "context_of_a_run",
    "context_in_a_batch",
    "label_of_a_dataset",
    "binding_of_a_version",
    "model_that_becomes_a_prompt",
    "alias_at_will",
    "alias_taken_away",
    "stage_at_will",
    "another_models_name",
    "newest_version",
];

/// What the server denies by itself.
const DENIED: &[&str] =
    &["source_of_another_run", "source_in_a_local_file", "source_by_percent", "metric_of_another_run_in_a_batch"];

/// What a script says was honoured, and what was refused, by a server of its own.
fn tried(name: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let server = Server::start(name.trim_end_matches(".py"));
    let output = script(&suite(), name).arg(&server.url).output().expect("python starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let of = |word: &str| {
        let lines = said.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        lines.filter(|words| words.len() == 3 && words[1] == word).map(|words| words[0].to_owned()).collect()
    };
    let (honoured, refused): (BTreeSet<String>, BTreeSet<String>) = (of("honoured"), of("refused"));
    assert_eq!(honoured.len() + refused.len(), said.lines().count(), "{said}");
    (honoured, refused)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_server_honours_the_spellings_that_a_check_may_overlook() {
    assert_eq!(tried("differentials.py"), (set(SPELLED), set(MISSPELLED)));
}

#[test]
fn the_server_lets_anyone_do_what_the_gateway_is_there_to_deny() {
    assert_eq!(tried("abuses.py"), (set(ABUSED), set(DENIED)));
}

#[test]
fn the_server_ends_with_the_test() {
    let server = Server::start("ends");
    let address = server.url.trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok(), "{address}");
    drop(server);
    assert!(std::net::TcpStream::connect(&address).is_err(), "{address} still answers");
}
