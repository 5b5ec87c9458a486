//! Whose file it is, by its path below the root of artifacts: servers put a run's files under `…/RUN/artifacts`, a logged model's
//! under `…/MODEL/artifacts`. The registry's own word of where the run or model keeps its files is held against it.

use std::borrow::Cow;

/// Whose files are in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A run's, by its id.
    Run(String),
    /// A logged model's, by its id.
    Model(String),
    /// A trace's: no evidence of a model.
    Trace,
}

/// Whose file a path is, the directory of all its files, and the path within.
pub fn owner(path: &str) -> Option<(Owner, &str, &str)> {
    let mut start = 0;
    let mut before = "";
    for segment in path.split('/') {
        let end = start + segment.len();
        if let Some(rest) = path[end..].strip_prefix("/artifacts")
            && let Some(owner) = named(segment, before)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return Some((owner, &path[..path.len() - rest.len()], rest.trim_start_matches('/')));
        }
        before = segment;
        start = end + 1;
    }
    None
}

fn named(segment: &str, before: &str) -> Option<Owner> {
    let hex = |text: &str| text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hex(segment) {
        return Some(Owner::Run(segment.to_owned()));
    }
    if segment.strip_prefix("m-").is_some_and(hex) {
        return Some(Owner::Model(segment.to_owned()));
    }
    let trace = before == "traces" && segment.strip_prefix("tr-").is_some_and(hex);
    trace.then_some(Owner::Trace)
}

/// The path below the root of artifacts of a place that the server keeps; one that begins with a slash is of the workspace's own files.
/// `None` for one elsewhere.
pub fn kept(uri: &str) -> Option<Cow<'_, str>> {
    if let Some(path) = uri.strip_prefix(TRACKING) {
        let (experiment, rest) = path.split_once('/').filter(|(experiment, _)| !experiment.is_empty())?;
        let (kind, rest) = match rest.strip_prefix("logged_models/") {
            Some(rest) => ("LoggedModels", rest),
            None => ("Runs", rest),
        };
        let rest = Some(rest.trim_end_matches('/')).filter(|rest| !rest.is_empty() && !rest.starts_with('/'))?;
        return Some(Cow::Owned(format!("/WorkspaceInternal/Mlflow/Artifacts/{experiment}/{kind}/{rest}")));
    }
    uri.strip_prefix("mlflow-artifacts:/")
        .filter(|path| !path.is_empty() && !path.starts_with('/'))
        .map(|path| Cow::Borrowed(path.trim_end_matches('/')))
}

/// Where a workspace keeps the files of runs and logged models, as it shows them.
pub const TRACKING: &str = "dbfs:/databricks/mlflow-tracking/";

/// The model and the version in Unity Catalog whose file it is, among the workspace's own files.
pub fn version(path: &str) -> Option<(String, String)> {
    let mut parts = path.strip_prefix("/Models/")?.splitn(5, '/');
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let (catalog, schema, model, number, rest) = (part()?, part()?, part()?, part()?, part()?);
    let plain = [catalog, schema, model].iter().all(|level| !level.contains('.'));
    (plain && number.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty())
        .then(|| (format!("{catalog}.{schema}.{model}"), number.to_owned()))
}

/// Whether a path is in a directory, or is it.
pub fn inside(path: &str, directory: &str) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_file_is_of_the_first_run_or_model_in_its_path() {
        let run = || Owner::Run(RUN.to_owned());
        let model = format!("m-{RUN}");
        for (path, expected) in [
            (format!("1/{RUN}/artifacts/model/MLmodel"), Some((run(), format!("1/{RUN}/artifacts"), "model/MLmodel"))),
            (format!("1/{RUN}/artifacts"), Some((run(), format!("1/{RUN}/artifacts"), ""))),
            (
                format!("1/models/{model}/artifacts/x"),
                Some((Owner::Model(model.clone()), format!("1/models/{model}/artifacts"), "x")),
            ),
            (format!("workspaces/a/1/{RUN}/artifacts/x"), Some((run(), format!("workspaces/a/1/{RUN}/artifacts"), "x"))),
            (
                format!("1/{RUN}/artifacts/{model}/artifacts/x"),
                Some((run(), format!("1/{RUN}/artifacts"), &format!("{model}/artifacts/x"))),
            ),
            (
                format!("1/traces/tr-{RUN}/artifacts/traces.json"),
                Some((Owner::Trace, format!("1/traces/tr-{RUN}/artifacts"), "traces.json")),
            ),
            (format!("1/tr-{RUN}/artifacts/x"), None),
            (format!("1/{RUN}/artifacts2/x"), None),
            (format!("1/{RUN}x/artifacts/x"), None),
            (format!("1/{RUN}/x"), None),
            ("1/x/artifacts/y".to_owned(), None),
            (format!("{}/artifacts/x", RUN.to_uppercase()), None),
        ] {
            let found = owner(&path).map(|(owner, root, rest)| (owner, root.to_owned(), rest.to_owned()));
            let expected = expected.map(|(owner, root, rest)| (owner, root, rest.to_owned()));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn a_file_is_of_a_version_by_three_levels_and_a_number() {
        assert_eq!(version("/Models/a/b/c/3/data/x"), Some(("a.b.c".to_owned(), "3".to_owned())));
        for path in [
            "/Models/a/b/c/3",
            "/Models/a/b/c/3/",
            "/Models/a/b/c/x/y",
            "/Models/a.b/c/d/3/x",
            "/Models//b/c/3/x",
            "Models/a/b/c/3/x",
        ] {
            assert_eq!(version(path), None, "{path}");
        }
    }

    #[test]
    fn a_directory_holds_what_lies_below_it_and_not_what_begins_alike() {
        for (path, directory, holds) in [
            ("model/MLmodel", "model", true),
            ("model", "model", true),
            ("model2/x", "model", false),
            ("x", "", true),
            ("mode", "model", false),
        ] {
            assert_eq!(inside(path, directory), holds, "{path} {directory}");
        }
        for (uri, path) in [
            ("mlflow-artifacts:/1/a/artifacts/", "1/a/artifacts"),
            ("dbfs:/databricks/mlflow-tracking/1/a/artifacts/", "/WorkspaceInternal/Mlflow/Artifacts/1/Runs/a/artifacts"),
            (
                "dbfs:/databricks/mlflow-tracking/1/logged_models/m-a/artifacts",
                "/WorkspaceInternal/Mlflow/Artifacts/1/LoggedModels/m-a/artifacts",
            ),
        ] {
            assert_eq!(kept(uri).as_deref(), Some(path), "{uri}");
        }
        for uri in [
            "mlflow-artifacts://h/1",
            "s3://b/1",
            "mlflow-artifacts:/",
            "/1",
            "dbfs:/databricks/mlflow-tracking/1",
            "dbfs:/databricks/mlflow-tracking/1//a",
            "dbfs:/databricks/mlflow-tracking//a/b",
            "dbfs:/elsewhere/1/a/artifacts",
        ] {
            assert_eq!(kept(uri), None, "{uri}");
        }
    }
}
