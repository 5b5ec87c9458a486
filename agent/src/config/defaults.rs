//! What holds where settings and policy are silent. Comfort alone: nothing that decides trust is here.

use std::time::Duration;

use crate::decision::policy::{Identities, LaunchRecording, Lifetimes};

/// `[node] deadline`: for all of `init`.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// `[node] deadline`: the longest. A cluster that hangs tells nobody why.
pub const DEADLINE_MOST: Duration = Duration::from_secs(900);
/// `[node-document] timeout`: for one of three tries.
pub const METADATA_TIMEOUT: Duration = Duration::from_secs(1);
/// `[node-document] timeout`: the longest.
pub const METADATA_TIMEOUT_MOST: Duration = Duration::from_secs(10);
/// `lifetime` of an `aws-web-identity` token: the longest that STS gives, so that it is asked seldom.
pub const STS_LIFETIME: Duration = Duration::from_secs(3600);
/// `lifetime`: the least and the most that STS gives.
pub const STS_LIFETIME_LEAST: Duration = Duration::from_secs(60);
/// See [`STS_LIFETIME_LEAST`].
pub const STS_LIFETIME_MOST: Duration = Duration::from_secs(3600);
/// `[node] sidecar-uid`, and the gid that grants nothing.
pub const SIDECAR_UID: u32 = 64_222;
/// `[record] journal`.
pub const JOURNAL: bool = true;
/// `[mlflow] plugin`.
pub const MLFLOW_PLUGIN: bool = true;
/// `[mlflow] environments`: where Databricks' runtimes have the Python of notebooks and jobs, made of the one that presets cover.
pub const MLFLOW_ENVIRONMENTS: &[&str] = &["/databricks/python3"];
/// `[launches] record`.
pub const LAUNCHES: LaunchRecording = LaunchRecording::Reported;
/// `identities`: the stricter one.
pub const IDENTITIES: Identities = Identities::Pseudonymous;
/// `[lease]`.
pub const LIFETIMES: Lifetimes =
    Lifetimes { lease: Duration::from_secs(600), provisional: Duration::from_secs(120), context: Duration::from_secs(3600) };
/// `[lease]`: the longest of each. A withdrawn identity may start new launches for one lease.
pub const LIFETIMES_MOST: Lifetimes =
    Lifetimes { lease: Duration::from_secs(3600), provisional: Duration::from_secs(120), context: Duration::from_secs(86_400) };

/// Every key that may be left out of the settings or the policy, with what then holds. The reference page comes from
/// here, and a test reads documents without these keys.
pub const TABLE: &[(&str, &str, &str)] = &[
    ("longhorn.toml", "workspace.ca-file", "the roots that come with the system"),
    ("longhorn.toml", "authority.accept-on-cluster", "false"),
    ("longhorn.toml", "authority.keys-through-tls", "false"),
    ("longhorn.toml", "registry", "no gateway"),
    ("longhorn.toml", "record.journal", "true"),
    ("longhorn.toml", "record.pseudonym-key", "a random key for each boot"),
    ("longhorn.toml", "node-document.timeout", "1s"),
    ("longhorn.toml", "oidc.token.lifetime", "3600s"),
    ("longhorn.toml", "oidc.token.region", "the machine's own, as the metadata service says it"),
    ("longhorn.toml", "oidc.token.endpoint", "https://sts.REGION.amazonaws.com"),
    ("longhorn.toml", "node.deadline", "60s"),
    ("longhorn.toml", "node.sidecar-uid", "64222"),
    ("longhorn.toml", "node.spark-conf", "no drop-in is written"),
    ("longhorn.toml", "mlflow.plugin", "true"),
    ("longhorn.toml", "mlflow.environments", "/databricks/python3"),
    ("policy.toml", "identities", "pseudonymous"),
    ("policy.toml", "scopes.NAME.presets", "none"),
    ("policy.toml", "environments.NAME.kernel.metadata-service", "open"),
    ("policy.toml", "launches.record", "reported"),
    ("policy.toml", "lease.duration", "600s"),
    ("policy.toml", "lease.provisional", "120s"),
    ("policy.toml", "lease.context", "3600s"),
];
