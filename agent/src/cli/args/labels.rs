//! `longhorn labels …`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `labels`.
#[derive(Debug, Args)]
pub struct LabelsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: LabelsCommand,
}

/// `labels …`.
#[derive(Debug, Subcommand)]
pub enum LabelsCommand {
    /// Say for each table of the policy whether its governed tags say the same labels.
    Check(LabelsCheckArgs),
    /// Set the governed tags that the policy's labels ask for.
    Apply(LabelsApplyArgs),
}

/// `labels check`.
#[derive(Debug, Args)]
pub struct LabelsCheckArgs {
    /// The settings: which workspace, and the agent's credentials there.
    #[arg(long, value_name = "FILE")]
    pub settings: PathBuf,
    /// The policy (need not be signed).
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// `labels apply`.
#[derive(Debug, Args)]
pub struct LabelsApplyArgs {
    /// The settings: which workspace, and the agent's credentials there.
    #[arg(long, value_name = "FILE")]
    pub settings: PathBuf,
    /// The policy, signed as nodes want it.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// Also take away tags of labels that the policy does not give; without it nothing is taken away.
    #[arg(long)]
    pub remove: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}
