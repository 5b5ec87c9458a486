//! What a scope may do, in the words of policies, contexts and records. But for `run`, which is starting at all, each is a class of
//! requests to MLflow and to the model registry (`gateway/endpoints.txt` says which request is of which class).

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What a scope may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Permission {
            $($(#[$doc])* #[doc = concat!(" `", $word, "`.")] $name,)*
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in policies, contexts and records.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

permissions! {
    /// Start at all:
    Run = "run",
    /// See runs, their parameters and metrics:
    RunRead = "run.read",
    /// Make runs, log to them, end them:
    RunWrite = "run.write",
    /// Set and delete tags of runs:
    RunTag = "run.tag",
    /// Delete and restore runs:
    RunDelete = "run.delete",
    /// See experiments:
    ExperimentRead = "experiment.read",
    /// Make experiments and set their tags:
    ExperimentWrite = "experiment.write",
    /// Rename, delete and restore experiments:
    ExperimentAdmin = "experiment.admin",
    /// List and read artifacts through the gateway:
    ArtifactRead = "artifact.read",
    /// Write artifacts through the gateway:
    ArtifactWrite = "artifact.write",
    /// Delete artifacts:
    ArtifactDelete = "artifact.delete",
    /// Be given an address or a credential to read storage with, past the gateway:
    ArtifactDirectRead = "artifact.direct-read",
    /// The same to write with; what is written so is hashed by nobody:
    ArtifactDirectWrite = "artifact.direct-write",
    /// See what data and models a run used:
    LineageRead = "lineage.read",
    /// Say what data and models a run used:
    LineageWrite = "lineage.write",
    /// Take back what was said of it:
    LineageDelete = "lineage.delete",
    /// See registered models and their versions:
    ModelRead = "model.read",
    /// Register models and versions:
    ModelRegister = "model.register",
    /// Set and delete tags of models and versions:
    ModelTag = "model.tag",
    /// Set an alias or a stage, where the gate agrees:
    ModelPromote = "model.promote",
    /// Ask for a stage:
    ModelRequestPromote = "model.request-promote",
    /// Serve a version, where the gate agrees:
    ModelDeploy = "model.deploy",
    /// Call a served model:
    ModelInvoke = "model.invoke",
    /// Delete or rename models and versions:
    ModelDelete = "model.delete",
    /// See governed tags of the catalog:
    TagRead = "tag.read",
    /// Set them:
    TagWrite = "tag.write",
    /// Delete them:
    TagDelete = "tag.delete",
    /// See tables of the catalog:
    TableRead = "table.read",
    /// Change them:
    TableWrite = "table.write",
    /// Delete them:
    TableDelete = "table.delete",
    /// See files of volumes and of the workspace's file system:
    FilesRead = "files.read",
    /// Write them:
    FilesWrite = "files.write",
    /// Delete them:
    FilesDelete = "files.delete",
    /// See features:
    FeatureRead = "feature.read",
    /// Change them:
    FeatureWrite = "feature.write",
    /// Delete them:
    FeatureDelete = "feature.delete",
    /// See evaluation datasets:
    DatasetRead = "dataset.read",
    /// Change them:
    DatasetWrite = "dataset.write",
    /// Delete them:
    DatasetDelete = "dataset.delete",
    /// See prompts:
    PromptRead = "prompt.read",
    /// Change them:
    PromptWrite = "prompt.write",
    /// Set their aliases:
    PromptPromote = "prompt.promote",
    /// Delete them:
    PromptDelete = "prompt.delete",
    /// See traces:
    TraceRead = "trace.read",
    /// Write them:
    TraceWrite = "trace.write",
    /// Delete them:
    TraceDelete = "trace.delete",
    /// See scorers, issues, reviews:
    GenaiRead = "genai.read",
    /// Change them:
    GenaiWrite = "genai.write",
    /// Delete them:
    GenaiDelete = "genai.delete",
    /// See language models behind MLflow:
    LlmRead = "llm.read",
    /// Call them:
    LlmInvoke = "llm.invoke",
    /// See servers of tools:
    McpRead = "mcp.read",
    /// Change them:
    McpWrite = "mcp.write",
    /// Set their aliases:
    McpPromote = "mcp.promote",
    /// Delete them:
    McpDelete = "mcp.delete",
}

/// Permissions that go together, by the role of who works on models: `presets` of a scope.
pub const PRESETS: &[(&str, &[Permission])] = &[
    (
        "trainer",
        &[
            Permission::RunRead,
            Permission::RunWrite,
            Permission::RunTag,
            Permission::ExperimentRead,
            Permission::ArtifactRead,
            Permission::ArtifactWrite,
            Permission::LineageWrite,
            Permission::ModelRead,
            Permission::ModelRegister,
        ],
    ),
    ("deployer", &[Permission::ModelRead, Permission::ModelPromote, Permission::ModelDeploy, Permission::LineageRead]),
    (
        "auditor",
        &[
            Permission::RunRead,
            Permission::ExperimentRead,
            Permission::ArtifactRead,
            Permission::LineageRead,
            Permission::ModelRead,
            Permission::TagRead,
            Permission::TableRead,
            Permission::FilesRead,
            Permission::FeatureRead,
            Permission::DatasetRead,
            Permission::PromptRead,
            Permission::TraceRead,
            Permission::GenaiRead,
            Permission::LlmRead,
            Permission::McpRead,
        ],
    ),
    ("consumer", &[Permission::ModelRead, Permission::ArtifactRead, Permission::ModelInvoke]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_sees_everything_that_can_be_seen_through_the_gateway_and_changes_nothing() {
        let (_, auditor) = PRESETS.iter().find(|(name, _)| *name == "auditor").unwrap();
        let reads: Vec<Permission> =
            Permission::ALL.iter().copied().filter(|permission| permission.word().ends_with(".read")).collect();
        let mut sorted = auditor.to_vec();
        sorted.sort();
        assert_eq!(sorted, reads);
    }

    #[test]
    fn no_preset_starts_a_job_deletes_anything_or_goes_past_the_gateway() {
        for (name, permissions) in PRESETS {
            for permission in *permissions {
                let word = permission.word();
                assert!(word != "run" && !word.ends_with(".delete") && !word.contains(".direct-"), "{name} has {word}");
            }
        }
    }
}
