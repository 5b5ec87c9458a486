//! Places among the workspace's files that requests about files in general do not write to: those of runs, logged models and versions.
//! They have rows of their own, which say of what a file is; another spelling of such a path has none.

use longhorn_json::Object;

use super::asked::everywhere;
use super::denial::Denial;
use super::table::Captures;

/// No path of a request is such a place, whether it stands in its own path or, at any depth, in its body.
///
/// # Errors
/// The denial.
pub(super) fn free_place(members: &Object<'_>, captures: &Captures) -> Result<(), Denial> {
    captures.iter().try_for_each(|(_, path)| free(path))?;
    everywhere(members, |members| {
        let paths = members.iter().filter(|(name, _)| name.to_ascii_lowercase().ends_with("path"));
        let unfit = || Denial::unclear("field-unfit", "a path must be a text");
        paths.map(|(_, path)| path.text().ok_or_else(unfit)).try_for_each(|path| free(path?))
    })
}

fn free(path: &str) -> Result<(), Denial> {
    if kept(path) {
        return Err(Denial::refused(
            "file-of-another-door",
            "files of runs, logged models and versions lie there, or it cannot be told; they are written by their own path, so spelled",
        ));
    }
    Ok(())
}

/// Whether a file system that knows no case, or that this path holds, may find such a place here or below.
fn kept(path: &str) -> bool {
    let folded = path.to_lowercase().to_uppercase().replace('\\', "/");
    let segments = folded.split('/').map(|segment| segment.trim().trim_start_matches("DBFS:"));
    if segments.clone().any(|segment| segment == "..") {
        return true;
    }
    let mut named = segments.filter(|segment| !matches!(*segment, "" | "."));
    match named.next() {
        // The root holds them all.
        None | Some("MODELS" | "WORKSPACEINTERNAL") => true,
        Some("DATABRICKS") => named.next().is_none_or(|second| second.starts_with("MLFLOW")),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_in_every_spelling_and_nothing_else_is_taken_for_one() {
        for path in [
            "/Models/main/ml/fraud/7/MLmodel",
            "Models",
            "models/a",
            "//mODELS//a",
            "/./Models/a",
            "/Volumes/a/../../Models/a",
            "\\Models\\a",
            "/Model\u{17f}/a",
            "dbfs:/Models/a",
            "DBFS:Models/a",
            "dbfs://Models/a",
            "/WorkspaceInternal/Mlflow/Artifacts/1/a",
            "/workspaceinternal",
            "/databricks/mlflow-tracking/1/a/artifacts/m",
            "dbfs:/Databricks/MLflow/1",
            "/databricks",
            "/",
            "dbfs:/",
            "",
        ] {
            assert!(kept(path), "{path}");
        }
        for path in [
            "/Volumes/main/ml/data/Models/a",
            "/ModelsOfMine/a",
            "dbfs:/FileStore/a",
            "/tmp/models/a",
            "/databricks/init/a.sh",
            "/databricksmlflow/a",
            "/Volumes/main/ml/data/a..b",
        ] {
            assert!(!kept(path), "{path}");
        }
    }
}
