//! Who promotes: a role that may, and another person than whoever trained.

use super::gate::{Verdict, list, or_nothing};
use crate::context::Claims;
use crate::decision::models::AliasRule;

/// Whether one of the promoter's roles may move the alias.
pub(super) fn has_role(rule: &AliasRule, promoter: &Claims) -> bool {
    promoter.roles.iter().any(|role| rule.roles.iter().any(|needed| needed.as_str() == role))
}

/// The checks that ask for the promoter.
pub(super) fn promotion(verdict: &mut Verdict, alias: &AliasRule, trainer: Option<&Claims>, promoter: &Claims) {
    verdict.check("promoted-by", has_role(alias, promoter), list(&alias.roles), or_nothing(&promoter.roles.join(", ")));
    if alias.four_eyes {
        let (holds, presented) = match trainer.map(|trainer| &trainer.run_as) {
            None => (false, "nobody knows who trained it"),
            Some(trainer) if trainer.kind != promoter.run_as.kind => (true, "another"),
            // Providers write a person's name in any case.
            Some(trainer) if trainer.name.to_lowercase() == promoter.run_as.name.to_lowercase() => (false, "the same"),
            // Keys of pseudonyms may differ from node to node, and a name in clear is nobody's pseudonym that could be told.
            Some(trainer) if [trainer, &promoter.run_as].iter().any(|who| who.name.starts_with("p1:")) => {
                (false, "a pseudonym, which may be the same person: let service principals promote, or persons stand in clear")
            }
            Some(_) => (true, "another"),
        };
        verdict.check("four-eyes", holds, "another principal than the one who trained it", presented);
    }
}
