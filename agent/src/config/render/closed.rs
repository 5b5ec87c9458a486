//! What a compute policy closes by name, and what no compute policy can.

/// Spark properties that put other code into the engine or before an interpreter. A rule names one whole key: the reference
/// knows `*` for the elements of lists alone.
pub(super) const SPARK_CONF: &[&str] = &[
    // Options of a JVM load agents and libraries.
    "spark.driver.extraJavaOptions",
    "spark.driver.defaultJavaOptions",
    "spark.executor.extraJavaOptions",
    "spark.executor.defaultJavaOptions",
    // Classes and libraries before the platform's own.
    "spark.driver.extraClassPath",
    "spark.driver.userClassPathFirst",
    "spark.driver.extraLibraryPath",
    "spark.executor.extraClassPath",
    "spark.executor.userClassPathFirst",
    "spark.executor.extraLibraryPath",
    "spark.plugins",
    // Which interpreter, and what it runs first.
    "spark.pyspark.python",
    "spark.pyspark.driver.python",
    "spark.python.daemon.module",
    "spark.python.worker.module",
    "spark.python.use.daemon",
    "spark.databricks.python.defaultPythonRepl",
    "spark.r.command",
    "spark.r.driver.command",
    "spark.r.shell.command",
    "spark.sparkr.r.command",
];

/// Variables that loaders and interpreters take code from; on the node the allow-list decides, of these and of all others.
pub(super) const VARIABLES: &[&str] = &[
    "BASH_ENV",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "PYSPARK_DRIVER_PYTHON",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "R_PROFILE_USER",
    // With `noexec` bash reads an init script, executes nothing of it, and ends with success.
    "SHELLOPTS",
    "SPARK_SUBMIT_OPTS",
    "_JAVA_OPTIONS",
];

/// The interpreter that the form of a new cluster writes down by itself.
pub(super) const INTERPRETER: &str = "/databricks/python3/bin/python3";

/// What a compute policy leaves open, and who closes it.
pub const NOT_CLOSED: &[&str] = &[
    "who may create clusters without any policy: take the entitlement allow-cluster-create from everybody but admins",
    "JARs and other libraries: the Libraries API asks no policy, and a JAR is engine code; the lock of the engine holds it",
    "other Spark properties, spark.executorEnv.* and variables among them: a rule names one key; on the node the allow-list decides",
    "clusters and jobs that exist: enforce compliance, for jobs by the jobs API, or let the workspace do it after each edit",
    "whoever may write where the script lies: its storage is the trust root; give nobody WRITE VOLUME there but the platform's owner",
    "workspace admins: they edit policies, and decide whom a job runs as unless restrict_workspace_admins says otherwise",
];
