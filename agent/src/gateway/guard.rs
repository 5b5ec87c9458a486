//! What in a body needs a look besides its class: words of the endpoint table.

macro_rules! guards {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A look inside a body.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Guard {
            $($(#[$doc])* $name,)*
        }

        impl Guard {
            /// By its word in the table.
            pub fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

guards! {
    /// `tags[].key`: names that Longhorn owns.
    Tags = "tags",
    /// The same where the plugin's own tags come: those are taken out.
    PluginTags = "plugin-tags",
    /// `remove`: names of tags that are deleted.
    RemovedTags = "removed-tags",
    /// `tags` of what is made: those that are not MLflow's own are set.
    NewTags = "new-tags",
    /// `key`, at any depth, or a placeholder for one: a name that Longhorn owns.
    Key = "key",
    /// `datasets[].tags[].key`: names that Longhorn owns.
    DatasetTags = "dataset-tags",
    /// `aliases`: with it the request promotes.
    Aliases = "aliases",
    /// `deployment_job_id`: with it the request deploys.
    DeploymentJob = "deployment-job",
    /// `source`: where a version comes from.
    Source = "source",
    /// `artifact_location`: where the server would write.
    ArtifactLocation = "artifact-location",
    /// `status`: a run that ends.
    Finish = "finish",
    /// `served_entities`: which versions would be served.
    ServedEntities = "served-entities",
    /// A version made of another one.
    Copy = "copy",
    /// A run is made.
    NewRun = "new-run",
    /// `run_id`, at any depth: runs that are written to.
    Run = "run",
    /// A logged model is made, of `source_run_id`.
    NewModel = "new-model",
    /// The path's `model_id`: a logged model that is written to.
    Model = "model",
    /// The path's `model_id`: a logged model whose tags are set or deleted.
    TagsOfModel = "tags-of-model",
    /// `model_id`, at any depth: logged models that something is said of.
    OfModel = "of-model",
    /// `status`: a logged model that is whole.
    Whole = "whole",
    /// The path's `artifact_path`: a file that is written or deleted.
    Artifact = "artifact",
    /// A version is given an `alias`.
    Promote = "promote",
    /// An `alias` is taken away.
    Demote = "demote",
    /// A version is given a `stage`.
    Stage = "stage",
    /// What somebody asked for is not done: a version does not get a `stage`.
    NoStage = "no-stage",
    /// A version of a registered model is made.
    NewVersion = "new-version",
    /// The same in Unity Catalog, where its files come after it.
    NewCatalogVersion = "new-catalog-version",
    /// A version in Unity Catalog has all its files.
    WholeVersion = "whole-version",
    /// The same of the version of the path.
    WholeVersionAt = "whole-version-at",
    /// A version in Unity Catalog is given an `alias`.
    CatalogPromote = "catalog-promote",
    /// An `alias` is taken away in Unity Catalog.
    CatalogDemote = "catalog-demote",
    /// The version `version_num` in Unity Catalog is given the alias of the path.
    CatalogPromoteAt = "catalog-promote-at",
    /// The alias of the path is taken away in Unity Catalog.
    CatalogDemoteAt = "catalog-demote-at",
    /// `owner`, at any depth: given by no job.
    Owner = "owner",
    /// Paths of files of the workspace: none of what has rows of its own.
    FreePlace = "free-place",
    /// The rest of the path: a file of the workspace's own that is written or deleted.
    WorkspaceFile = "workspace-file",
    /// Who reads or writes a version, by the client's word.
    EmitLineage = "emit-lineage",
    /// `operation`: a credential to read, and none to write.
    ReadCredentials = "read-credentials",
}
