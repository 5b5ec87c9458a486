//! What must hold between settings and policy: each required token has a source, and each source an issuer.

use super::settings::Settings;
use crate::decision::policy::Policy;
use crate::exit::Exit;
use crate::identity::trust::ProofKind;
use crate::screen::Screen;

/// Why settings and policy do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingRefusal {
    /// The policy requires a token that the settings get from nowhere.
    #[error("the policy requires a token and the settings do not say where it comes from")]
    SourceMissing(String),
    /// The settings get a token of an issuer that the policy does not trust.
    #[error("the settings name a token of an issuer that the policy does not know")]
    SourceUnknown(String),
}

impl BindingRefusal {
    /// The stable name.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::SourceMissing(_) => "token-source-missing",
            Self::SourceUnknown(_) => "token-source-unknown",
        }
    }

    /// What a person reads.
    pub fn screen(&self) -> Screen {
        let screen = Screen::refused(self.reason(), Exit::Config, self.to_string());
        match self {
            Self::SourceMissing(kind) => screen
                .fact("expected token", kind)
                .fact("presented", "no source of it")
                .hint("add an [[oidc]] of that name to the settings"),
            Self::SourceUnknown(name) => screen
                .fact("expected issuer", "one that the policy trusts")
                .fact("presented issuer", name)
                .hint("its name must be the name of a [[trust.oidc]] of the policy"),
        }
    }
}

/// Checks that every required token has a source and every source an issuer.
///
/// # Errors
/// The first that does not fit.
pub fn bind(settings: &Settings, policy: &Policy) -> Result<(), BindingRefusal> {
    for kind in &policy.trust.require {
        if let ProofKind::Oidc(name) = kind
            && !settings.tokens.iter().any(|source| source.name == *name)
        {
            return Err(BindingRefusal::SourceMissing(kind.to_string()));
        }
    }
    match settings.tokens.iter().find(|source| !policy.trust.oidc.contains_key(&source.name)) {
        Some(source) => Err(BindingRefusal::SourceUnknown(source.name.to_string())),
        None => Ok(()),
    }
}
