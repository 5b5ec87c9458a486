//! `longhorn policy …`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: PolicyCommand,
}

/// `policy …`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Report every problem at file:line:column.
    Check(PolicyCheckArgs),
    /// Sign with Ed25519; writes FILE.sig.
    Sign(PolicySignArgs),
    /// Show every rule, hit or missed, for an identity and a job.
    Explain(PolicyExplainArgs),
    /// Say who gains and who loses what by another policy.
    Diff(PolicyDiffArgs),
    /// Propose what an environment lacks, from what nodes and traces saw.
    Learn(PolicyLearnArgs),
    /// Print a compute policy for the workspace.
    Render(PolicyRenderArgs),
    /// Print the [[trust.saml]] that a provider's metadata gives.
    SamlMetadata(PolicySamlMetadataArgs),
}

/// `policy check`.
#[derive(Debug, Args)]
pub struct PolicyCheckArgs {
    /// The policy.
    pub policy: PathBuf,
    /// Also check these settings, the signature and the binding between the two.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// List the grants of Unity Catalog that are wider than the policy, instead of the policy's problems alone.
    #[arg(long, requires = "settings")]
    pub against_uc: bool,
    /// Those grants as JSON.
    #[arg(long, requires = "against_uc")]
    pub json: bool,
}

/// `policy sign`.
#[derive(Debug, Args)]
pub struct PolicySignArgs {
    /// The policy.
    pub policy: PathBuf,
    /// The signing key (a file made by `longhorn authority new`).
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}

/// `policy explain`.
#[derive(Debug, Args)]
pub struct PolicyExplainArgs {
    /// The policy.
    pub policy: PathBuf,
    /// A group the principal is in, e.g. okta:ml-engineers (repeatable).
    #[arg(long = "group", value_name = "PROVIDER:GROUP")]
    pub groups: Vec<String>,
    /// The workspace (default: the policy's only one).
    #[arg(long, value_name = "URL")]
    pub workspace: Option<String>,
    /// The job; without it: an interactive cluster.
    #[arg(long, value_name = "ID")]
    pub job: Option<String>,
    /// The job's name.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub job_name: String,
    /// A tag of the job (repeatable).
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub tags: Vec<String>,
    /// The job is a UI_LOCKED bundle deployment.
    #[arg(long)]
    pub locked: bool,
    /// Whom it runs as: a user name (an address), a service principal's application id (a UUID), or a group.
    #[arg(long, value_name = "PRINCIPAL")]
    pub run_as: String,
    /// The cluster's compute policy.
    #[arg(long, value_name = "ID")]
    pub policy_id: Option<String>,
    /// The proofs that are assumed present (default: all that the policy requires).
    #[arg(long = "proof", value_name = "KIND")]
    pub proofs: Vec<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `policy diff`.
#[derive(Debug, Args)]
pub struct PolicyDiffArgs {
    /// The policy that is in force; its signature is not asked for.
    pub old: PathBuf,
    /// The policy that would take its place.
    pub new: PathBuf,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `policy learn`.
#[derive(Debug, Args)]
pub struct PolicyLearnArgs {
    /// The policy that the proposal adds to.
    #[arg(long, value_name = "FILE")]
    pub base: PathBuf,
    /// One of its environments.
    #[arg(long, value_name = "NAME")]
    pub environment: String,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Logs of nodes (a directory, a segment, or a directory of logs), and traces by `try --observe --json`.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
}

/// `policy render`.
#[derive(Debug, Args)]
pub struct PolicyRenderArgs {
    /// The policy.
    pub policy: PathBuf,
    /// Which of its [compute.NAME].
    #[arg(long, value_name = "NAME")]
    pub compute: String,
    /// What to print.
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t = RenderAs::Definition)]
    pub form: RenderAs,
    /// The list of allowed init scripts that the workspace has now (its answer, as JSON).
    #[arg(long, value_name = "FILE", required_if_eq("form", "allow-list"))]
    pub current: Option<PathBuf>,
}

/// `policy saml-metadata`.
#[derive(Debug, Args)]
pub struct PolicySamlMetadataArgs {
    /// The provider's metadata (XML).
    pub metadata: PathBuf,
    /// The name that the policy gives the provider.
    #[arg(long, value_name = "NAME", default_value = "saml", value_parser = local_name)]
    pub name: String,
}

fn local_name(text: &str) -> Result<String, crate::identity::ids::IdError> {
    crate::identity::ids::LocalName::try_from(text).map(|name| name.to_string())
}

/// What `policy render` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenderAs {
    /// The definition of the compute policy, JSON.
    Definition,
    /// The whole list of allowed init scripts with ours in it, JSON.
    AllowList,
    /// Both for Terraform.
    Terraform,
}
