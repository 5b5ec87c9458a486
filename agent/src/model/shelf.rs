//! Where a registered model is: in the workspace's registry, which is MLflow's own, or in Unity Catalog, which answers under other paths
//! and keeps a copy of each version's files.

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// MLflow's own.
    Workspace,
    /// Unity Catalog: names have three levels.
    Catalog,
}

impl Shelf {
    /// Where an endpoint takes a model of this name from: names in Unity Catalog have three levels.
    pub fn of(name: &str) -> Self {
        if name.split('.').count() == 3 { Self::Catalog } else { Self::Workspace }
    }

    /// Where a registered model is asked for.
    pub fn registered(self) -> &'static str {
        match self {
            Self::Workspace => "/api/2.0/mlflow/registered-models/get",
            Self::Catalog => "/api/2.0/mlflow/unity-catalog/registered-models/get",
        }
    }

    /// Where a version is asked for.
    pub fn version(self) -> &'static str {
        match self {
            Self::Workspace => "/api/2.0/mlflow/model-versions/get",
            Self::Catalog => "/api/2.0/mlflow/unity-catalog/model-versions/get",
        }
    }

    /// Where a version is given a tag.
    pub fn set_tag(self) -> &'static str {
        match self {
            Self::Workspace => "/api/2.0/mlflow/model-versions/set-tag",
            Self::Catalog => "/api/2.0/mlflow/unity-catalog/model-versions/set-tag",
        }
    }

    /// The directory of a version's own files; `None` where they stay where they were made.
    pub fn files(self, name: &str, version: &str) -> Option<String> {
        match self {
            Self::Workspace => None,
            Self::Catalog => Some(format!("/Models/{}/{version}", name.replace('.', "/"))),
        }
    }
}
