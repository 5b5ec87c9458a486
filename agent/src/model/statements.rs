//! What nodes say about runs and model versions. Each is a JWS in a tag of what it is about; `sub` is the job as its context names it.

use serde::{Deserialize, Serialize};

use crate::context::statement::Statement;

/// The tag that holds the context of the node that made a run.
pub const CONTEXT: &str = "longhorn.context";
/// The tag of a [`RunBinding`].
pub const RUN_BINDING: &str = "longhorn.run_binding";
/// The tag of a [`RunSeal`].
pub const RUN_SEAL: &str = "longhorn.run_seal";
/// The tag of a [`ModelBinding`].
pub const MODEL_BINDING: &str = "longhorn.model_binding";
/// The tag of a [`ModelSeal`].
pub const MODEL_SEAL: &str = "longhorn.model_seal";
/// The tag of a [`VersionBinding`].
pub const VERSION_BINDING: &str = "longhorn.version_binding";
/// The tag of a version that lists the labels of its data, as they were known when it was made. It is for people and for searches: no gate
/// asks for it.
pub const LABELS: &str = "longhorn.labels";
/// The tags of [`Promoted`] begin so; a dot and the alias follow.
pub const PROMOTION: &str = "longhorn.promotion";
/// The tag of a run that lists the directories of which versions were made, as a JSON list.
pub const REGISTERED: &str = "longhorn.registered";

/// The tag of a version that has, or had, an alias.
pub fn promotion_tag(alias: &str) -> String {
    format!("{PROMOTION}.{}", alias.to_lowercase())
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident $typ:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)*
                /// The job, as its context names it.
                pub sub: String,
                /// Said at, in seconds since the epoch.
                pub iat: i64,
            }

            impl Statement for $name {
                const TYPE: &'static str = $typ;

                fn said_at(&self) -> i64 {
                    self.iat
                }
            }
        )*
    };
}

statements! {
    /// A run was made by an attested job.
    RunBinding "longhorn-run-binding+jwt" {
        /// The run, as the registry named it.
        run_id: String,
        /// SHA-256 (hex) over the context's token.
        context: String,
    }
    /// A run has ended, and held this.
    RunSeal "longhorn-run-seal+jwt" {
        /// The run.
        run_id: String,
        /// `FINISHED`, `FAILED` or `KILLED`.
        status: String,
        /// SHA-256 (hex) over its parameters.
        params: String,
        /// Over the last value of each metric.
        metrics: String,
        /// Over the datasets and models that it used.
        inputs: String,
        /// Over the models that it made.
        outputs: String,
        /// Over its tags, but for Longhorn's own and the note that people write.
        tags: String,
    }
    /// A logged model was made in a run of an attested job.
    ModelBinding "longhorn-model-binding+jwt" {
        /// The logged model, as the registry named it.
        model_id: String,
        /// Its run; absent for one that was logged outside of runs.
        #[serde(skip_serializing_if = "Option::is_none")]
        run_id: Option<String>,
        /// SHA-256 (hex) over the context's token.
        context: String,
    }
    /// A logged model is whole.
    ModelSeal "longhorn-model-seal+jwt" {
        /// The logged model.
        model_id: String,
        /// SHA-256 (hex) over the manifest of its files; absent where they are in a store that is reached past the gateway.
        #[serde(skip_serializing_if = "Option::is_none")]
        files: Option<String>,
    }
    /// A version passed the gate and was given an alias or a stage.
    Promoted "longhorn-promotion+jwt" {
        /// The registered model.
        name: String,
        /// The version.
        version: String,
        /// The alias or stage.
        alias: String,
        /// The version that it stood on before.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<String>,
        /// SHA-256 (hex) over the manifest of the version's files, as they were then.
        #[serde(skip_serializing_if = "Option::is_none")]
        files: Option<String>,
        /// SHA-256 (hex) over the policy that judged.
        policy: String,
        /// On whose behalf.
        promoter: String,
        /// The number of the decision in the node's record.
        decision: u64,
    }
    /// A version was made of a registered model.
    VersionBinding "longhorn-version-binding+jwt" {
        /// The registered model.
        name: String,
        /// The version.
        version: String,
        /// Where it was made from, as the registry keeps it.
        source: String,
        /// The run that made it.
        #[serde(skip_serializing_if = "Option::is_none")]
        run_id: Option<String>,
        /// The logged model, where it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        model_id: Option<String>,
        /// SHA-256 (hex) over the manifest of its files; absent where they are in a store that is reached past the gateway.
        #[serde(skip_serializing_if = "Option::is_none")]
        files: Option<String>,
    }
}
