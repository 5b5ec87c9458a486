//! `longhorn doctor --settings FILE --mlflow`: whether the gateway is the only way to the registry, or whether jobs have another.

use super::doctor_authority::ask;
use crate::config::settings::{RegistryAuth, Settings};

/// What is asked without a credential: whoever is answered may read, and on MLflow's own server write as well.
const QUESTION: &str = "/api/2.0/mlflow/registered-models/search?max_results=1";

/// What was looked at, and what was found.
pub(super) fn registry(settings: &Settings) -> Vec<(&'static str, String)> {
    let Some(registry) = &settings.registry else {
        return vec![("registry", "none in these settings: jobs have whatever way they find".to_owned())];
    };
    let origin = registry.origin.as_str();
    let own = origin == settings.workspace.host.as_str();
    let of = if own { "the workspace's own" } else { "a server of its own" };
    let (answered, open) = match ask(settings, &format!("{origin}{QUESTION}")) {
        Ok(answer) => match answer.status {
            200 => ("OPEN: it answers whoever asks, so jobs reach it past the gateway".to_owned(), true),
            401 | 403 => (format!("asks for a credential (status {})", answer.status), false),
            status => (format!("answers with status {status}: is this a registry?"), true),
        },
        Err(why) => (why, true),
    };
    let shown = match &registry.auth {
        RegistryAuth::None => "none: have it ask for one that only the gateway has",
        RegistryAuth::Bearer(_) => "a token that no job holds",
        RegistryAuth::Basic { .. } => "a password that no job holds",
        RegistryAuth::Workspace => "tokens of the agent's login at the workspace, which no job holds",
    };
    let by = match (own, open) {
        (_, true) => "by nobody: close the registry to whoever has no credential",
        (true, false) => {
            "by the platform's grants: the runtime hands jobs a token of the workspace, which reaches this registry. The gateway's \
             principal must own the models, and jobs' principals have EXECUTE, or CREATE MODEL VERSION, and no more"
        }
        (false, false) => "by the gateway: no token that a job has reaches this registry",
    };
    vec![
        ("registry", format!("{origin}, {of}")),
        ("without a credential", answered),
        ("the gateway shows", shown.to_owned()),
        ("enforced", by.to_owned()),
    ]
}
