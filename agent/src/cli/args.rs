//! The command line, as data.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

mod labels;
mod model;
mod policy;

pub use labels::{LabelsApplyArgs, LabelsArgs, LabelsCheckArgs, LabelsCommand};
pub use model::{
    Asked, ModelApproveArgs, ModelArgs, ModelCommand, ModelExplainArgs, ModelFactsArgs, ModelProvenanceArgs, ModelSignArgs,
    ProvenanceAs, RegistryArgs, TrustArgs,
};
pub use policy::{
    PolicyArgs, PolicyCheckArgs, PolicyCommand, PolicyDiffArgs, PolicyExplainArgs, PolicyLearnArgs, PolicyRenderArgs,
    PolicySamlMetadataArgs, PolicySignArgs, RenderAs,
};

/// Attests, decides, locks and records what runs on this Databricks node.
#[derive(Debug, Parser)]
#[command(name = "longhorn", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Attest this node, lock it, and return when the lock is in place.
    Init(InitArgs),
    /// Show whether this node is locked, for whom, and until when.
    Status(StatusArgs),
    /// Show or verify the verified context.
    Context(ContextArgs),
    /// Check, sign, explain, compare, learn or render a policy.
    Policy(PolicyArgs),
    /// Explain a promotion, or where a model version comes from.
    Model(ModelArgs),
    /// Hold the labels of data against the governed tags of Unity Catalog.
    Labels(LabelsArgs),
    /// Show or verify the record.
    Log(LogArgs),
    /// Say what this node allows, before anything is attached.
    Doctor(DoctorArgs),
    /// Make or certify keys.
    Authority(AuthorityArgs),
    /// Certify node keys by the cloud's word on their machines: an HTTP server, off the cluster.
    Issue(IssueArgs),
    /// Run a command under a policy's lock, without attesting.
    Try(TryArgs),
    /// Restore every covered file and mount, and end the keeper.
    Uninstall,
    /// The root parent of the sidecar; started by `init`.
    #[command(hide = true)]
    Keeper(KeeperArgs),
    /// The sidecar; started by the keeper.
    #[command(hide = true)]
    Serve(ServeArgs),
    /// The sampler of a node that observes; started by the keeper.
    #[command(hide = true)]
    Sample(SampleArgs),
    /// What leads from inside the lock to the metadata service; started by `init`.
    #[command(hide = true)]
    Reach,
}

/// `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The settings; their digest is pinned by the init script.
    #[arg(long, value_name = "FILE")]
    pub settings: PathBuf,
    /// SHA-256 (hex) of the init script, for the first record.
    #[arg(long, value_name = "HEX")]
    pub script_digest: Option<String>,
}

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Hold the node against this policy's environments (default: against the presets).
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Look at what these settings need besides: the issuer that certifies this node's key.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Ask the registry of these settings whether the gateway is the only way to it.
    #[arg(long, requires = "settings")]
    pub mlflow: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `context`.
#[derive(Debug, Args)]
pub struct ContextArgs {
    /// Without a command: show this node's context.
    #[command(subcommand)]
    pub command: Option<ContextCommand>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `context …`.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Verify a context token offline.
    Verify(ContextVerifyArgs),
}

/// `context verify`.
#[derive(Debug, Args)]
pub struct ContextVerifyArgs {
    /// The token (a file, or - for standard input).
    pub token: PathBuf,
    /// The published node key (a JWK file).
    #[arg(long, value_name = "FILE", required_unless_present_any = ["authority", "issuer_keys"])]
    pub node_key: Option<PathBuf>,
    /// The authority's public key (`ed25519:` and base64, or a file that holds it); the certificate travels in the token.
    #[arg(long, value_name = "KEY")]
    pub authority: Option<String>,
    /// The key set of the issuer that certified the node key (a file as /.well-known/jwks.json gives it).
    #[arg(long, value_name = "FILE", conflicts_with = "authority")]
    pub issuer_keys: Option<PathBuf>,
    /// The audience that the token must carry.
    #[arg(long, value_name = "TEXT", default_value = "longhorn")]
    pub audience: String,
    /// Accept a token that has expired, and say so.
    #[arg(long)]
    pub expired: bool,
}

/// `log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: LogCommand,
}

/// `log …`.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Print records for a person.
    Show(LogShowArgs),
    /// Verify a log offline; says SEALED, OPEN, UNANCHORED, DIVERGED or INVALID.
    Verify(LogVerifyArgs),
}

/// `log show`.
#[derive(Debug, Args)]
pub struct LogShowArgs {
    /// A log directory, a segment, or the directory of all logs (default: this node's newest).
    pub path: Option<PathBuf>,
    /// Only the record of this number.
    #[arg(long, value_name = "N")]
    pub entry: Option<u64>,
    /// The lines as they are.
    #[arg(long)]
    pub json: bool,
}

/// `log verify`.
#[derive(Debug, Args)]
pub struct LogVerifyArgs {
    /// A log directory, or a segment.
    pub path: PathBuf,
    /// A checkpoint known from elsewhere (a file), or a node key the log must be bound to (repeatable).
    #[arg(long = "anchor", value_name = "FILE")]
    pub anchors: Vec<PathBuf>,
    /// A record that was erased for a reason known outside the node (repeatable). With an anchor, any other erased one is
    /// DIVERGED: whoever holds the file can erase.
    #[arg(long = "erased", value_name = "N")]
    pub erased: Vec<u64>,
    /// Check the signature of every checkpoint, not only the last of each key.
    #[arg(long)]
    pub full: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `authority`.
#[derive(Debug, Args)]
pub struct AuthorityArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: AuthorityCommand,
}

/// `authority …`.
#[derive(Debug, Subcommand)]
pub enum AuthorityCommand {
    /// Make an Ed25519 key; prints its public half.
    New(AuthorityNewArgs),
    /// Certify a node key.
    Certify(AuthorityCertifyArgs),
}

/// `authority new`.
#[derive(Debug, Args)]
pub struct AuthorityNewArgs {
    /// Where the private half goes (0600, never overwritten).
    pub key: PathBuf,
}

/// `authority certify`.
#[derive(Debug, Args)]
pub struct AuthorityCertifyArgs {
    /// The authority's private key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The node's public key (a JWK file).
    pub node_key: PathBuf,
    /// How long the certificate holds, in hours.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub hours: u32,
}

/// `issue`.
#[derive(Debug, Args)]
pub struct IssueArgs {
    /// The issuer's own settings.
    #[arg(long, value_name = "FILE")]
    pub settings: PathBuf,
    /// Say what would be served, and serve nothing: settings, policy, store and its chain are checked.
    #[arg(long)]
    pub check: bool,
}

/// `try`.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The policy (need not be signed).
    #[arg(long, value_name = "FILE", required_unless_present = "traced")]
    pub policy: Option<PathBuf>,
    /// One of its environments.
    #[arg(long, value_name = "NAME", required_unless_present = "traced")]
    pub environment: Option<String>,
    /// The traced side of `--observe`: the program.
    #[arg(long, hide = true, value_name = "PROGRAM", conflicts_with = "policy")]
    pub traced: Option<PathBuf>,
    /// A label to assume clearance for (repeatable).
    #[arg(long = "clearance", value_name = "LABEL")]
    pub clearance: Vec<String>,
    /// Do not lock: trace the command and say which files and variables the lock would have denied.
    #[arg(long)]
    pub observe: bool,
    /// Write what was observed to this file as JSON, for `longhorn policy learn`.
    #[arg(long, value_name = "FILE", requires = "observe")]
    pub json: Option<PathBuf>,
    /// The command.
    #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true, value_name = "CMD")]
    pub command: Vec<std::ffi::OsString>,
}

/// `keeper`: everything it needs comes by descriptor.
#[derive(Debug, Args)]
pub struct KeeperArgs {
    /// The control socket to `init`.
    #[arg(long)]
    pub control: i32,
    /// The verdict socket that the first sidecar answers on.
    #[arg(long)]
    pub verdict: i32,
    /// The agent's credentials.
    #[arg(long)]
    pub credentials: i32,
    /// The sidecar's uid and gid.
    #[arg(long)]
    pub uid: u32,
    /// No lease is longer, in seconds.
    #[arg(long)]
    pub lease_most: u64,
    /// Start the sampler: the policy observes.
    #[arg(long)]
    pub observe: bool,
    /// Listen for requests to the registry on this port of loopback.
    #[arg(long)]
    pub registry_port: Option<u16>,
}

/// `sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The socket to the sidecar.
    #[arg(long)]
    pub samples: i32,
}

/// `serve`: everything it needs comes by descriptor.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The control socket to the keeper.
    #[arg(long)]
    pub control: i32,
    /// The verdict socket to `init`; absent when the sidecar is started again.
    #[arg(long)]
    pub verdict: Option<i32>,
    /// The node key.
    #[arg(long)]
    pub node_key: i32,
    /// The agent's credentials.
    #[arg(long)]
    pub credentials: i32,
    /// The listening API socket.
    #[arg(long)]
    pub api: i32,
    /// The launch report socket.
    #[arg(long)]
    pub launch: i32,
    /// The sampler's socket; absent unless the policy observes.
    #[arg(long)]
    pub samples: Option<i32>,
    /// The listening socket of the gateway; absent without a registry, and where the policy observes.
    #[arg(long)]
    pub registry: Option<i32>,
    /// The same in the file system.
    #[arg(long)]
    pub registry_socket: Option<i32>,
    /// Where the keeper says who holds a connection to it.
    #[arg(long)]
    pub holders: Option<i32>,
    /// The sidecar's uid and gid.
    #[arg(long)]
    pub uid: u32,
}
