//! `longhorn model`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `model`.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ModelCommand,
}

/// `model …`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Write down what a registry says of a version, to judge it where there is no registry.
    Facts(ModelFactsArgs),
    /// Say whether a version may have an alias, check by check.
    Explain(ModelExplainArgs),
    /// Say what a version was made of, by whom and under which policy, and whether nodes vouch for it.
    Provenance(ModelProvenanceArgs),
    /// Approve that a version has an alias: prints a signature, once everything else that the alias asks holds.
    Approve(ModelApproveArgs),
    /// Sign the files of a version that was promoted, as an OpenSSF Model Signing bundle.
    Sign(ModelSignArgs),
}

/// `model sign`.
#[derive(Debug, Args)]
pub struct ModelSignArgs {
    /// Which version, and the alias that it was given.
    #[command(flatten)]
    pub asked: Asked,
    /// What `model facts` wrote.
    #[arg(long, value_name = "FILE")]
    pub facts: PathBuf,
    /// The signing key: P-256, PKCS#8 in PEM.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Whose word counts.
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// `model approve`.
#[derive(Debug, Args)]
pub struct ModelApproveArgs {
    /// Which version, for which alias.
    #[command(flatten)]
    pub asked: Asked,
    /// What `model facts` wrote.
    #[arg(long, value_name = "FILE")]
    pub facts: PathBuf,
    /// The policy that asks for approvals; it names the approver by the key.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The approver's key, as `authority new` makes one.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// For how many days it holds.
    #[arg(long, value_name = "NUMBER", default_value_t = 14, value_parser = clap::value_parser!(u8).range(1..=30))]
    pub days: u8,
    /// Whose word counts.
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// A version, and an alias.
#[derive(Debug, Args)]
pub struct Asked {
    /// The registered model.
    pub name: String,
    /// The version's number.
    pub version: String,
    /// The alias, or the stage.
    pub alias: String,
}

/// Where a registry is, and how it is asked.
#[derive(Debug, Args)]
pub struct RegistryArgs {
    /// The registry: https://host, or http:// on loopback.
    #[arg(long, value_name = "ORIGIN")]
    pub registry: String,
    /// A user of the registry, whose password is in `--secret` (RFC 7617); without, that is a token (RFC 6750).
    #[arg(long, value_name = "NAME", requires = "secret")]
    pub user: Option<String>,
    /// A file with the token or password.
    #[arg(long, value_name = "FILE")]
    pub secret: Option<PathBuf>,
    /// Root certificates in PEM, instead of the system's.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}

/// Whose word counts for node keys.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct TrustArgs {
    /// A directory of published node keys (`<thumbprint>.jwk`).
    #[arg(long, value_name = "DIRECTORY")]
    pub node_keys: Option<PathBuf>,
    /// The authority's public key (`ed25519:` and base64, or a file that holds it).
    #[arg(long, value_name = "KEY")]
    pub authority: Option<String>,
    /// The key set of the issuer that certified the node keys (a file as /.well-known/jwks.json gives it).
    #[arg(long, value_name = "FILE")]
    pub issuer_keys: Option<PathBuf>,
}

/// `model facts`.
#[derive(Debug, Args)]
pub struct ModelFactsArgs {
    /// Which version, for which alias.
    #[command(flatten)]
    pub asked: Asked,
    /// Whom to ask.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// The model is in the Unity Catalog of that workspace.
    #[arg(long)]
    pub unity_catalog: bool,
    /// Ask Unity Catalog as well, with the agent's credentials there: settings.
    #[arg(long, value_name = "FILE", requires = "policy")]
    pub settings: Option<PathBuf>,
    /// What is asked there: as this policy says.
    #[arg(long, value_name = "FILE", requires = "settings")]
    pub policy: Option<PathBuf>,
}

/// `model explain`.
#[derive(Debug, Args)]
pub struct ModelExplainArgs {
    /// Which version, for which alias.
    #[command(flatten)]
    pub asked: Asked,
    /// What `model facts` wrote.
    #[arg(long, value_name = "FILE")]
    pub facts: PathBuf,
    /// The policy to judge by.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The context (a token) of whoever would promote; without, what asks for them is named and left out.
    #[arg(long, value_name = "FILE")]
    pub promoter: Option<PathBuf>,
    /// Whose word counts.
    #[command(flatten)]
    pub trust: TrustArgs,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `model provenance`.
#[derive(Debug, Args)]
pub struct ModelProvenanceArgs {
    /// The registered model.
    pub name: String,
    /// The version's number.
    pub version: String,
    /// What `model facts` wrote of this version, for any alias.
    #[arg(long, value_name = "FILE")]
    pub facts: PathBuf,
    /// The policy whose labels of data count (default: none).
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Whose word counts.
    #[command(flatten)]
    pub trust: TrustArgs,
    /// As what.
    #[arg(long = "as", value_enum, default_value = "text")]
    pub shown: ProvenanceAs,
}

/// How provenance is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProvenanceAs {
    /// Lines.
    Text,
    /// JSON.
    Json,
    /// One picture.
    Svg,
}
