//! What the gateway answers itself: what the host is, and how files get to it. The registry is not asked.

use serde_json::json;

/// How files of versions in Unity Catalog get to the gateway.
pub(super) const FILES_API: &str = "MLFLOW_USE_DATABRICKS_SDK_MODEL_ARTIFACTS_REPO_FOR_UC=true";

/// The answer to the endpoint of this path in the table, where it is one of these. `hosts` are the names that the gateway is reached by.
pub fn own_answer(path: &str, hosts: &[String]) -> Option<String> {
    let answer = match path {
        // Databricks' SDK asks it once for each client that it makes, and MLflow makes one for each call. Whoever would log in at this
        // host is sent nowhere else: no path there is in the table.
        "/.well-known/databricks-config" => json!({ "oidc_endpoint": format!("http://{}/oidc", hosts.first()?) }),
        // Files of versions go through the gateway, or not at all.
        "/api/2.0/mlflow/unity-catalog/registered-models:is-databricks-sdk-models-artifact-repository-enabled" => {
            json!({ "is_databricks_sdk_models_artifact_repository_enabled": true })
        }
        _ => return None,
    };
    Some(answer.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::*;

    #[test]
    fn what_the_gateway_answers_itself_is_in_the_table_and_nothing_else_is_answered() {
        let hosts = ["127.0.0.1:5005".to_owned()];
        let table = Table::read();
        let answered: Vec<&str> =
            table.endpoints().map(|endpoint| endpoint.path).filter(|path| own_answer(path, &hosts).is_some()).collect();
        assert_eq!(answered.len(), 2, "{answered:?}");
        let told = own_answer("/.well-known/databricks-config", &hosts);
        assert_eq!(told.as_deref(), Some(r#"{"oidc_endpoint":"http://127.0.0.1:5005/oidc"}"#));
    }
}
