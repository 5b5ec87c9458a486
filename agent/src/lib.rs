//! Longhorn: attests, decides, locks, injects, records and launches what runs on a Databricks cluster node.
//!
//! **Proof is a value.** Each room consumes the proof of the one before and yields its own; there is no
//! other way to make one. The rooms below stand in the order of the data:
//!
//! ```text
//! Unverified<Claim> --verify--> Verified<Proof> --agree--> Verified<JobIdentity>
//!     --decide--> Grant --record--> Recorded --issue--> Context --apply--> Locked --(with Recorded)--> exec
//! ```
//!
//! | room | what it answers |
//! |---|---|
//! | [`evidence`] | what is said: API answers, tokens. Fetches and frames, believes nothing |
//! | [`identity`] | what is proven: each proof alone, then their agreement. Pure |
//! | [`decision`] | what is allowed: groups, roles, job scopes, permissions. Pure |
//! | [`context`] | what the job is told, signed by the node key |
//! | [`issuer`] | who vouches for node keys, off the cluster: one key for each machine and boot |
//! | [`gateway`] | what the job may ask of MLflow and the model registry. Pure |
//! | [`model`] | what is known of runs and model versions, and by whose word. Pure |
//! | [`lock`] | what the job may touch: plan, then apply, then a report of what was enforced |
//! | [`launch`] | becoming the job: the launcher that never returns |
//! | [`serve`] | the keeper and the sidecar |
//! | [`mlflow`] | MLflow's plugin on the node: files, placed and taken away |
//! | [`wire`] | what launcher, keeper and sidecar say to each other |
//! | [`record`] | what happened, tamper-evident |
//! | [`config`], [`cli`] | what people write and type |
//! | [`host`] | the world, as arguments: clock, randomness, HTTP, files |
//!
//! [`run`] is the way itself on one page and the only file that names every room.
//! `tests/architecture.rs` holds the table of who may name whom.
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod context;
pub mod decision;
pub mod evidence;
pub mod exit;
pub mod gateway;
pub mod host;
pub mod identity;
pub mod issuer;
pub mod launch;
pub mod lock;
pub mod mlflow;
pub mod model;
pub mod record;
pub mod run;

pub mod screen;
pub mod serve;
pub mod unverified;
pub mod wire;
