//! Every environment variable that Longhorn reads or sets, once.

/// Set by the platform for init scripts; hints, never proof.
pub const HINTS: &[&str] = &[CLUSTER_ID, CLUSTER_NAME, CONTAINER_IP, DRIVER_IP, INSTANCE_ID, IS_DRIVER, IS_JOB_CLUSTER];
/// The cluster's id.
pub const CLUSTER_ID: &str = "DB_CLUSTER_ID";
/// The cluster's name; on job clusters `job-<job>-run-<run>[-<key>]`, but anybody may name a cluster so.
pub const CLUSTER_NAME: &str = "DB_CLUSTER_NAME";
/// This container's address.
pub const CONTAINER_IP: &str = "DB_CONTAINER_IP";
/// The driver's address.
pub const DRIVER_IP: &str = "DB_DRIVER_IP";
/// The cloud's instance id.
pub const INSTANCE_ID: &str = "DB_INSTANCE_ID";
/// `TRUE` on the driver.
pub const IS_DRIVER: &str = "DB_IS_DRIVER";
/// `TRUE` on job clusters.
pub const IS_JOB_CLUSTER: &str = "DB_IS_JOB_CLUSTER";

/// Set by Longhorn for covered processes, with what each holds. `context::variables` gives them values.
pub const INJECTED: &[(&str, &str)] = &[
    ("LONGHORN_CLUSTER_ID", "the cluster"),
    ("LONGHORN_CONTEXT_FILE", "where the verified context lies as JSON"),
    ("LONGHORN_ENFORCEMENT", "enforce or observe"),
    ("LONGHORN_JOB_ID", "the job; absent on interactive clusters"),
    ("LONGHORN_PERMISSIONS", "what the scope may do, separated by commas"),
    ("LONGHORN_ROLES", "roles of the principal, separated by commas"),
    ("LONGHORN_RUN_ID", "the run; absent on interactive clusters"),
    ("LONGHORN_SCOPE", "the job scope"),
    ("LONGHORN_SOCKET", "the sidecar's socket"),
    ("LONGHORN_SUBJECT", "the SPIFFE ID of the run, or of cluster and principal"),
    ("LONGHORN_TOKEN_FILE", "where the signed context lies"),
    ("LONGHORN_WORKSPACE", "the workspace's origin"),
];

/// Names (or, with `*`, prefixes) that make interpreters and loaders run other code. Diagnostics only: the mechanism is
/// the allow-list (facts: lock B3).
pub const DANGEROUS: &[(&str, &str)] = &[
    ("LD_*", "the dynamic loader runs code from it"),
    ("GCONV_PATH", "the C library loads code from it"),
    ("GLIBC_TUNABLES", "changes the C library"),
    ("PYTHON*", "Python runs or imports code from it"),
    ("R_PROFILE*", "R runs code from it"),
    ("R_ENVIRON*", "R reads variables from it"),
    ("JAVA_TOOL_OPTIONS", "the JVM loads agents from it"),
    ("_JAVA_OPTIONS", "the JVM loads agents from it"),
    ("JDK_JAVA_OPTIONS", "the JVM loads agents from it"),
    ("BASH_ENV", "bash runs it"),
    ("BASH_FUNC_*", "bash defines functions from it"),
    ("ENV", "sh runs it"),
    ("PROMPT_COMMAND", "bash runs it"),
    ("PERL5OPT", "perl runs code from it"),
    ("PERL5LIB", "perl imports code from it"),
    ("NODE_OPTIONS", "node loads code from it"),
    ("NODE_PATH", "node imports code from it"),
    ("RUBYOPT", "ruby loads code from it"),
    ("GIT_*", "git runs commands from it"),
    ("OPENSSL_CONF", "OpenSSL loads engines from it"),
    ("SSLKEYLOGFILE", "TLS secrets are written to it"),
];
