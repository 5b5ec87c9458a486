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

/// Every name under which Longhorn injects begins so; callers and policies set none of these.
pub const OWN_PREFIX: &str = "LONGHORN_";

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
    // The loader and the C library.
    ("LD_*", "the dynamic loader runs code from it"),
    ("GCONV_PATH", "the C library loads code from it"),
    ("GETCONF_DIR", "getconf runs programs from it"),
    ("GLIBC_TUNABLES", "changes the C library"),
    ("LOCPATH", "the C library reads locales from it"),
    ("HOSTALIASES", "changes which host a name means"),
    ("RES_OPTIONS", "changes how names are resolved"),
    ("_RJEM_MALLOC_CONF", "changes the allocator"),
    ("MALLOC_*", "changes the allocator"),
    // Python.
    ("PYTHON*", "Python runs or imports code from it"),
    ("PIP_*", "pip installs from where it says"),
    ("UV_*", "uv installs from where it says"),
    ("JUPYTER_*", "Jupyter loads configuration, which is code, from it"),
    ("IPYTHONDIR", "IPython runs start-up files from it"),
    ("MPLBACKEND", "matplotlib imports the module it names"),
    ("NUMBA_*", "Numba loads cached code from it"),
    // R.
    ("R_PROFILE*", "R runs code from it"),
    ("R_ENVIRON*", "R reads variables from it"),
    ("R_HOME", "R loads code from it"),
    ("R_LIBS*", "R loads packages from it"),
    ("R_DEFAULT_PACKAGES", "R loads what it names"),
    // The JVM and Spark.
    ("JAVA_TOOL_OPTIONS", "the JVM loads agents from it"),
    ("_JAVA_OPTIONS", "the JVM loads agents from it"),
    ("JDK_JAVA_OPTIONS", "the JVM loads agents from it"),
    ("IBM_JAVA_OPTIONS", "the JVM loads agents from it"),
    ("CLASSPATH", "the JVM loads code from it"),
    ("PYSPARK_SUBMIT_ARGS", "Spark loads code that it names"),
    // Shells.
    ("BASH_ENV", "bash runs it"),
    ("BASH_FUNC_*", "bash defines functions from it"),
    ("BASHOPTS", "changes how bash reads scripts"),
    ("SHELLOPTS", "changes how bash reads scripts"),
    ("PS4", "bash expands it, commands included, when it traces"),
    ("ENV", "sh runs it"),
    ("PROMPT_COMMAND", "bash runs it"),
    ("IFS", "changes how the shell splits words"),
    ("CDPATH", "changes where cd goes"),
    ("ZDOTDIR", "zsh runs start-up files from it"),
    ("FPATH", "the shell loads functions from it"),
    // Perl, Ruby, Node, .NET.
    ("PERL5*", "perl runs code from it"),
    ("PERLLIB", "perl imports code from it"),
    ("PERLIO_DEBUG", "perl writes to it"),
    ("RUBY*", "ruby loads code from it"),
    ("GEM_*", "ruby loads packages from it"),
    ("NODE_*", "node loads code or trusts keys from it"),
    ("DOTNET_*", ".NET loads code from it"),
    // Git, pagers, editors.
    ("GIT_*", "git runs commands from it"),
    ("PAGER", "programs run it"),
    ("MANPAGER", "man runs it"),
    ("EDITOR", "programs run it"),
    ("VISUAL", "programs run it"),
    ("BROWSER", "programs run it"),
    ("LESSOPEN", "less runs it"),
    // TLS and proxies.
    ("OPENSSL_*", "OpenSSL loads engines and providers from it"),
    ("SSLKEYLOGFILE", "TLS secrets are written to it"),
    ("SSL_CERT_*", "changes who is trusted"),
    ("REQUESTS_CA_BUNDLE", "changes who is trusted"),
    ("CURL_CA_BUNDLE", "changes who is trusted"),
    ("AWS_CA_BUNDLE", "changes who is trusted"),
];
