//! Everything that a promotion is judged by: what the registry shows of a version, of its run and of its files, and what nodes said of
//! them.

use super::catalogued::Catalogued;
use super::run::Run;
use super::shelf::Shelf;
use super::shown::LoggedModel;
use super::shown::Version;
use super::statements::{
    CONTEXT, MODEL_BINDING, MODEL_SEAL, ModelBinding, ModelSeal, Promoted, RUN_BINDING, RUN_SEAL, RunBinding, RunSeal,
    VERSION_BINDING, VersionBinding, promotion_tag,
};
use crate::context::Claims;
use crate::context::seal::{Expiry, Voucher, open};
use crate::context::statement::{Statement, hear};
use crate::host::clock::Timestamp;
use crate::unverified::Unverified;

/// A version that somebody wants to promote.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// When it was gathered.
    pub seen: Timestamp,
    /// Where its registered model is.
    pub shelf: Shelf,
    /// As the registry shows it.
    pub version: Version,
    /// What a node said of it.
    pub binding: Option<VersionBinding>,
    /// That it had the alias before, by a node's word.
    pub promoted: Option<Promoted>,
    /// Its own run and files.
    pub made: Part,
    /// The models that its run used, and those that their runs used.
    pub parents: Vec<Part>,
    /// What is known of nobody: models that the registry does not have, or more than are followed.
    pub lost: Vec<String>,
    /// The other version that the alias stands on now.
    pub replaced: Option<String>,
    /// That one's run; absent where the registry does not tell.
    pub current: Option<Part>,
    /// What Unity Catalog says of its data, where the policy has it asked.
    pub catalogued: Catalogued,
}

/// A model's run and files, and the words of nodes.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// The run that made it.
    pub run: Option<Run>,
    /// The logged model, where it is one.
    pub model: Option<LoggedModel>,
    /// SHA-256 (hex) over the manifest of its files as they are now; absent where they are out of reach.
    pub files: Option<String>,
    /// The context of the node that made the run.
    pub context: Option<Claims>,
    /// Which job made the run.
    pub run_binding: Option<RunBinding>,
    /// What the run held when it ended.
    pub run_seal: Option<RunSeal>,
    /// Which run made the logged model.
    pub model_binding: Option<ModelBinding>,
    /// Which files it was made of.
    pub model_seal: Option<ModelSeal>,
}

/// Who vouches for the key that a token names. `None`: nobody.
pub type Vouchers<'a> = dyn Fn(&str) -> Option<Voucher<'a>> + 'a;

impl Part {
    /// Reads the words that stand in the tags of run and model, each by whoever vouches for its key.
    pub fn of(
        run: Option<Run>,
        model: Option<LoggedModel>,
        files: Option<String>,
        vouchers: &Vouchers<'_>,
        audience: &str,
        now: Timestamp,
    ) -> Self {
        let of_run = |key| run.as_ref().and_then(|run| run.tag(key));
        let of_model = |key| model.as_ref().and_then(|model| model.tag(key));
        let context = of_run(CONTEXT).and_then(|token| {
            let voucher = vouchers(token)?;
            open(&Unverified::new(token.as_bytes()), &voucher, audience, now, Expiry::Ignored).ok()
        });
        Self {
            context,
            run_binding: of_run(RUN_BINDING).and_then(|token| said(token, vouchers)),
            run_seal: of_run(RUN_SEAL).and_then(|token| said(token, vouchers)),
            model_binding: of_model(MODEL_BINDING).and_then(|token| said(token, vouchers)),
            model_seal: of_model(MODEL_SEAL).and_then(|token| said(token, vouchers)),
            run,
            model,
            files,
        }
    }
}

impl Version {
    /// What a node said of it.
    pub fn binding(&self, vouchers: &Vouchers<'_>) -> Option<VersionBinding> {
        said(self.tag(VERSION_BINDING)?, vouchers)
    }

    /// What a node said when it was given this alias before.
    pub fn promoted(&self, alias: &str, vouchers: &Vouchers<'_>) -> Option<Promoted> {
        said(self.tag(&promotion_tag(alias))?, vouchers)
    }
}

fn said<S: Statement>(token: &str, vouchers: &Vouchers<'_>) -> Option<S> {
    hear(&Unverified::new(token.as_bytes()), &vouchers(token)?).ok().map(|(statement, _)| statement)
}
