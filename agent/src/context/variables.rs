//! What a covered process finds in its environment. The names are declared in `config::env_names`; here they get values.

use super::claims::Claims;
use crate::host::paths;

/// The injected variables of a context, sorted by name. Values that change with each renewal (`jti`, `exp`) are not
/// among them: the sealed lock holds these for as long as the node lives.
pub fn injected(claims: &Claims) -> Vec<(String, String)> {
    let mut variables = vec![
        ("LONGHORN_CLUSTER_ID", claims.cluster.clone()),
        ("LONGHORN_CONTEXT_FILE", paths::CONTEXT_JSON.to_owned()),
        ("LONGHORN_ENFORCEMENT", claims.enforcement.clone()),
        ("LONGHORN_PERMISSIONS", claims.permissions.join(",")),
        ("LONGHORN_ROLES", claims.roles.join(",")),
        ("LONGHORN_SCOPE", claims.scope.clone()),
        ("LONGHORN_SOCKET", paths::SOCKET_API.to_owned()),
        ("LONGHORN_SUBJECT", claims.sub.clone()),
        ("LONGHORN_TOKEN_FILE", paths::CONTEXT_JWT.to_owned()),
        ("LONGHORN_WORKSPACE", claims.iss.trim_start_matches("longhorn:").to_owned()),
    ];
    if let Some(job) = &claims.job {
        variables.push(("LONGHORN_JOB_ID", job.id.clone()));
        variables.push(("LONGHORN_RUN_ID", job.run.clone()));
    }
    variables.sort();
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The Spark conf drop-in (HOCON, as the driver reads `/databricks/driver/conf/*.conf`): `spark.longhorn.*`.
pub fn spark_conf(claims: &Claims) -> String {
    let mut lines = String::from("[driver] {\n");
    for (name, value) in injected(claims) {
        let key = name.trim_start_matches("LONGHORN_").to_ascii_lowercase().replace('_', "-");
        let quoted = serde_json::Value::String(value).to_string();
        lines.push_str(&format!("  \"spark.longhorn.{key}\" = {quoted}\n"));
    }
    lines.push_str("}\n");
    lines
}
