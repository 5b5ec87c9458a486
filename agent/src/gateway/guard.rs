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
    /// `key`, or a placeholder for one: a name that Longhorn owns.
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
}
