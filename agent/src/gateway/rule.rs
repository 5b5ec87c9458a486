//! Whether a request goes through. Pure: what was asked, and what the context of the job says.

use longhorn_json::{Json, Object, read};

use super::action::Action;
use super::asked::Asked;
use super::denial::Denial;
use super::own::FILES_API;
use super::table::Endpoint;
use super::touch::Touch;

/// A request that goes through. Only [`decide`] makes one.
#[derive(Debug)]
#[must_use]
pub struct Allowed<'t> {
    asked: Asked<'t>,
}

impl<'t> Allowed<'t> {
    /// Its endpoint.
    pub fn endpoint(&self) -> &'t Endpoint {
        self.asked.endpoint
    }

    /// Path and query to send.
    pub fn wire(&self) -> &str {
        &self.asked.wire
    }

    /// What it changes of the registry.
    pub fn touches(&self) -> &[Touch] {
        &self.asked.touches
    }

    /// Changes the JSON to send: what Longhorn adds of its own.
    pub fn amend(&mut self, edit: impl FnOnce(&mut Object<'_>)) {
        let Some(body) = self.asked.body.take() else { return };
        let Ok(Json::Object(mut members)) = read(&body) else { unreachable!("what was written here is an object") };
        edit(&mut members);
        let mut bytes = Vec::new();
        Json::Object(members).write(&mut bytes);
        self.asked.body = Some(bytes);
    }

    /// The JSON to send; `None` where there is none, or where an artifact's bytes pass.
    pub fn body(&mut self) -> Option<Vec<u8>> {
        self.asked.body.take()
    }
}

/// Whether these permissions give this class.
///
/// # Errors
/// The denial names the class, and what would have to stand in the policy.
pub fn permit(action: Action, permissions: &[String]) -> Result<(), Denial> {
    match action {
        Action::Open => Ok(()),
        Action::Never(word) => Err(Denial::refused(
            "never",
            format!("requests of the class `{word}` go through for no job, whatever its policy says"),
        )),
        Action::Needs(word) if permissions.iter().any(|permission| permission == word) => Ok(()),
        Action::Needs(word) => {
            let mut sentence = format!("this job may not `{word}`: the policy's scope does not list it under `may`");
            if word.starts_with("artifact.direct-") {
                sentence.push_str("; files of a version in Unity Catalog go through the gateway where ");
                sentence.push_str(FILES_API);
            }
            Err(Denial::refused("not-permitted", sentence))
        }
    }
}

/// Decides: every class that the request is of must be permitted.
///
/// # Errors
/// The first denial.
pub fn decide<'t>(asked: Asked<'t>, permissions: &[String]) -> Result<Allowed<'t>, Denial> {
    asked.actions.iter().try_for_each(|action| permit(*action, permissions))?;
    let gated = asked.actions.iter().find(|action| matches!(action, Action::Needs("model.promote" | "model.deploy")));
    let judged = asked.touches.iter().any(|touch| {
        matches!(
            touch,
            Touch::Promote(_)
                | Touch::Demote { .. }
                | Touch::PromoteInCatalog(_)
                | Touch::DemoteInCatalog { .. }
                | Touch::Serve(_)
        )
    });
    if let Some(action) = gated.filter(|_| !judged) {
        return Err(Denial::refused(
            "gate-missing",
            format!("`{}` by this request goes past the promotion gate; set an alias or a stage by itself", action.word()),
        ));
    }
    Ok(Allowed { asked })
}
