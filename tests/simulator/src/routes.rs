//! From a request to the subject that answers it.

use crate::answer::{Answer, Refusal, answer};
use crate::asked::Asked;
use crate::state::State;
use crate::{catalog, clusters, control, entra, files, jobs, login, metastore, policies, scim, secrets, sts, tokens};

pub(crate) fn route(asked: &Asked, state: &mut State) -> Answer {
    let known = control::answer(asked, state).or_else(|| login::answer(asked, state));
    if let Some(answer) = known.or_else(|| entra::answer(asked, state)).or_else(|| sts::answer(asked, state)) {
        return answer;
    }
    let caller = match login::caller(asked, state) {
        Ok(caller) => caller,
        Err(refused) => return *refused,
    };
    let Some((version, call)) = asked.call() else { return Refusal::unknown(&asked.path).into() };
    let (subject, call) = call.split_once('/').unwrap_or((call, ""));
    match subject {
        "clusters" => answer(clusters::answer(asked, version, call, &state.scenario.clusters)),
        "jobs" => answer(jobs::answer(asked, call, &state.scenario)),
        "policies" => answer(policies::answer(asked, call, &caller, &mut state.held.policies)),
        "secrets" => answer(secrets::answer(asked, call, &caller, &mut state.held.secrets)),
        "token" => answer(tokens::answer(asked, call, &caller, &mut state.held.tokens)),
        "preview" => answer(scim::answer(asked, call, &state.scenario)),
        "unity-catalog" if call.starts_with("models/") && call.contains("/aliases/") => {
            answer(catalog::alias(asked, call, &mut state.held.catalog))
        }
        "unity-catalog" => answer(metastore::answer(asked, call, &state.scenario.metastore, &mut state.held.metastore)),
        "tag-policies" => {
            let call = format!("{subject}/{call}");
            answer(metastore::answer(asked, &call, &state.scenario.metastore, &mut state.held.metastore))
        }
        "sql" => answer(metastore::statement(asked, call, &state.scenario.metastore, &mut state.held.metastore)),
        "mlflow" => match call.strip_prefix("unity-catalog/") {
            Some(call) => answer(catalog::answer(asked, call, &mut state.held.catalog)),
            None => Refusal::unknown(&asked.path).into(),
        },
        "fs" => files::answer(asked, call, &mut state.held.files),
        _ => Refusal::unknown(&asked.path).into(),
    }
}
