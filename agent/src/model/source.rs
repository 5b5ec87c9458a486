//! Where a model version comes from.

use super::place::{TRACKING, kept};

/// A source that the registry keeps itself. Anything else is refused before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `models:/m-…`: a logged model.
    LoggedModel(String),
    /// `models:/NAME/VERSION`: another version.
    Version(String, String),
    /// `runs:/RUN/PATH`.
    Run(String, String),
    /// `mlflow-artifacts:/PATH`, or a workspace's own place, as its path below the root of artifacts.
    Artifacts(String),
    /// In a store that is reached past the gateway.
    Elsewhere,
}

impl Source {
    /// Reads it. `None` for what names nothing, or to some readers something else: MLflow's leave out line ends and tabs, and what stands
    /// between two slashes.
    pub fn read(source: &str) -> Option<Self> {
        if let Some(rest) = source.strip_prefix("models:/") {
            let rest = Some(rest).filter(|rest| plain(rest))?;
            return match rest.split_once('/') {
                None if rest.starts_with("m-") => Some(Self::LoggedModel(rest.to_owned())),
                None => None,
                // `latest` and stages are another version tomorrow.
                Some((name, version)) if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Some(Self::Version(name.to_owned(), version.to_owned()))
                }
                Some(_) => None,
            };
        }
        if let Some(rest) = source.strip_prefix("runs:/") {
            let (run, path) = Some(rest).filter(|rest| plain(rest))?.split_once('/')?;
            return Some(Self::Run(run.to_owned(), path.trim_end_matches('/').to_owned()));
        }
        if let Some(rest) = source.strip_prefix("mlflow-artifacts:/") {
            // An authority would be another server.
            return plain(rest).then(|| Self::Artifacts(rest.trim_end_matches('/').to_owned()));
        }
        if source.starts_with(TRACKING) {
            return kept(source).filter(|path| plain(&path[1..])).map(|path| Self::Artifacts(path.into_owned()));
        }
        Some(Self::Elsewhere)
    }
}

/// A path that every reader reads as the same: no segment that is empty or leads elsewhere, and nothing that some leave out.
fn plain(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.contains(char::is_control) && path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_one_thing_today_and_tomorrow_or_it_is_none() {
        let text = str::to_owned;
        for (source, expected) in [
            ("models:/m-0a1b", Some(Source::LoggedModel(text("m-0a1b")))),
            ("models:/fraud/3", Some(Source::Version(text("fraud"), text("3")))),
            ("models:/fraud/latest", None),
            ("models:/fraud/Production", None),
            ("models:/fraud@champion", None),
            ("models:/fraud/", None),
            ("models:/fraud", None),
            ("runs:/0a1b/model", Some(Source::Run(text("0a1b"), text("model")))),
            ("runs:/0a1b", None),
            ("runs:/0a1b/", Some(Source::Run(text("0a1b"), String::new()))),
            ("runs://model", None),
            ("runs://0a1b/0c1d/model", None),
            ("runs:///0a1b/model", None),
            ("runs:/0a1b//model", None),
            ("runs:/0a1b/./model", None),
            ("runs:/0a1b/mo\tdel", None),
            ("runs:/0a\n1b/model", None),
            ("models://fraud/3", None),
            ("models:///fraud/3", None),
            ("models:/fraud\t/3", None),
            ("models:/m-0a1b\n", None),
            ("mlflow-artifacts:/1/0a1b/artifacts//model", None),
            ("mlflow-artifacts:/1/0a1b/artifacts/model/", Some(Source::Artifacts(text("1/0a1b/artifacts/model")))),
            ("mlflow-artifacts://elsewhere.example/1/0a1b/artifacts/model", None),
            (
                "dbfs:/databricks/mlflow-tracking/1/0a1b/artifacts/model",
                Some(Source::Artifacts(text("/WorkspaceInternal/Mlflow/Artifacts/1/Runs/0a1b/artifacts/model"))),
            ),
            ("dbfs:/databricks/mlflow-tracking/1", None),
            ("dbfs:/databricks/mlflow-registry/1/0a1b", Some(Source::Elsewhere)),
        ] {
            assert_eq!(Source::read(source), expected, "{source}");
        }
    }
}
