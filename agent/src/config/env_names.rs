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

/// Why a name is no job's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// It makes a loader, an interpreter or a library run other code, or trust others.
    Hook,
    /// It holds a secret, or names where one lies.
    Credential,
    /// A desk's own: a terminal, an editor, an environment that was activated there.
    Leftover,
}

/// What a name of the table of foreign names is, of the first entry that fits.
pub fn foreign(name: &str) -> Option<(Family, &'static str)> {
    let fits = |pattern: &str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == pattern,
    };
    let hook = DANGEROUS.iter().find(|(pattern, _)| fits(pattern)).map(|(_, why)| (Family::Hook, *why));
    hook.or_else(|| FOREIGN.iter().find(|(pattern, ..)| fits(pattern)).map(|(_, family, why)| (*family, *why)))
}

const SECRET: Family = Family::Credential;
const DESK: Family = Family::Leftover;

/// What else is no job's own, for proposals: names, beginnings (`X_*`) and ends (`*_X`). Sources: facts lock B3 (the union of
/// what sudo, nono and codex keep away, and of the tools' own manuals); each says whose it is.
const FOREIGN: &[(&str, Family, &str)] = &[
    ("SSH_AUTH_SOCK", SECRET, "ssh-agent(1): signs with whatever keys it holds"),
    ("AWS_*", SECRET, "the AWS SDKs' credentials and where they come from"),
    ("AZURE_*", SECRET, "the Azure SDKs' credentials"),
    ("ARM_*", SECRET, "Azure credentials of Terraform"),
    ("GOOGLE_*", SECRET, "the Google SDKs' credentials"),
    ("CLOUDSDK_*", SECRET, "gcloud's credentials and configuration"),
    ("KUBECONFIG", SECRET, "credentials of clusters of Kubernetes"),
    ("VAULT_*", SECRET, "credentials of Vault"),
    ("OP_*", SECRET, "credentials of 1Password"),
    ("DATABRICKS_CLIENT_*", SECRET, "credentials of the Databricks SDKs"),
    ("DATABRICKS_CONFIG_*", SECRET, "a profile of the Databricks SDKs, with credentials"),
    ("MLFLOW_TRACKING_USERNAME", SECRET, "credentials of MLflow"),
    ("PGPASSFILE", SECRET, "credentials of PostgreSQL"),
    ("PGPASSWORD", SECRET, "credentials of PostgreSQL"),
    ("MYSQL_PWD", SECRET, "credentials of MySQL"),
    ("NETRC", SECRET, "credentials of curl and others"),
    ("PASSWORD", SECRET, "a secret by its name"),
    ("SECRET", SECRET, "a secret by its name"),
    ("TOKEN", SECRET, "a secret by its name"),
    ("*_TOKEN", SECRET, "a secret by its name"),
    ("*_SECRET", SECRET, "a secret by its name"),
    ("*_SECRETS", SECRET, "secrets by their name"),
    ("*_SECRET_KEY", SECRET, "a secret by its name"),
    ("*_PASSWORD", SECRET, "a secret by its name"),
    ("*_PASSWD", SECRET, "a secret by its name"),
    ("*_PASSPHRASE", SECRET, "a secret by its name"),
    ("*_API_KEY", SECRET, "a secret by its name"),
    ("*_APIKEY", SECRET, "a secret by its name"),
    ("*_ACCESS_KEY", SECRET, "a secret by its name"),
    ("*_PRIVATE_KEY", SECRET, "a secret by its name"),
    ("*_CREDENTIAL", SECRET, "a secret by its name"),
    ("*_CREDENTIALS", SECRET, "secrets by their name"),
    ("*_CONNECTION_STRING", SECRET, "an address with its password"),
    ("*_DSN", SECRET, "an address with its password"),
    ("CONDA_*", DESK, "conda's activation of an environment"),
    ("_CE_*", DESK, "conda's activation of an environment"),
    ("VIRTUAL_ENV_PROMPT", DESK, "venv's activation, for a prompt"),
    ("PYENV_*", DESK, "pyenv's shims"),
    ("NVM_*", DESK, "nvm"),
    ("SDKMAN_*", DESK, "SDKMAN"),
    ("HOMEBREW_*", DESK, "Homebrew (brew shellenv)"),
    ("DIRENV_*", DESK, "direnv"),
    ("COMMAND_MODE", DESK, "macOS (compat(5))"),
    ("SECURITYSESSIONID", DESK, "macOS"),
    ("XPC_*", DESK, "macOS (launchd)"),
    ("__CF*", DESK, "macOS (CoreFoundation)"),
    ("TERM_PROGRAM*", DESK, "a terminal's program"),
    ("TERM_SESSION_ID", DESK, "a terminal of macOS"),
    ("ITERM_*", DESK, "iTerm"),
    ("COLORTERM", DESK, "a terminal"),
    ("CLICOLOR*", DESK, "a terminal"),
    ("LSCOLORS", DESK, "ls(1)"),
    ("LS_COLORS", DESK, "dircolors(1)"),
    ("TMUX*", DESK, "tmux(1)"),
    ("STY", DESK, "screen(1)"),
    ("WINDOWID", DESK, "xterm(1)"),
    ("DISPLAY", DESK, "X(7)"),
    ("XAUTHORITY", DESK, "X(7)"),
    ("WAYLAND_DISPLAY", DESK, "a Wayland desktop"),
    ("XDG_*", DESK, "pam_systemd(8): a session of a desktop"),
    ("DBUS_*", DESK, "dbus-daemon(1): a session's bus"),
    ("DESKTOP_SESSION", DESK, "a desktop"),
    ("GNOME_*", DESK, "a desktop"),
    ("KDE_*", DESK, "a desktop"),
    ("GTK_*", DESK, "a desktop"),
    ("QT_*", DESK, "a desktop"),
    ("SSH_*", DESK, "ssh(1): where a person logged in from"),
    ("GPG_*", DESK, "gpg-agent(1)"),
    ("WSL*", DESK, "Windows Subsystem for Linux"),
    ("VSCODE_*", DESK, "an editor"),
    ("PYCHARM_*", DESK, "an editor"),
    ("JETBRAINS_*", DESK, "an editor"),
    ("IDEA_*", DESK, "an editor"),
    ("PS1", DESK, "a shell's prompt"),
    ("PS2", DESK, "a shell's prompt"),
    ("HIST*", DESK, "a shell's history"),
    ("OLDPWD", DESK, "a shell"),
    ("SHLVL", DESK, "a shell"),
    ("_", DESK, "a shell"),
    ("MAIL", DESK, "login(1)"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_name_is_of_the_family_that_weighs_most() {
        let rows = [
            ("LD_PRELOAD", Some(Family::Hook)),
            ("AWS_CA_BUNDLE", Some(Family::Hook)),
            ("AWS_SECRET_ACCESS_KEY", Some(Family::Credential)),
            ("SSH_AUTH_SOCK", Some(Family::Credential)),
            ("SSH_CLIENT", Some(Family::Leftover)),
            ("FRAUD_API_KEY", Some(Family::Credential)),
            ("CONDA_PREFIX", Some(Family::Leftover)),
            ("VIRTUAL_ENV", None),
            ("FEATURE_TOKENS", None),
            ("SPARK_HOME", None),
        ];
        for (name, family) in rows {
            assert_eq!(foreign(name).map(|(family, _)| family), family, "{name}");
        }
    }
}
