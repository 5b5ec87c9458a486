//! A proposal as text: TOML to paste at the end of the policy, every line with its evidence; or JSON.

use std::fmt::Write;

use super::{Group, Place, Proposal, Variable, Verdict};
use crate::decision::access::Need;

impl Proposal {
    /// What a person pastes into the policy, reviews and signs.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        // Writing to a text cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "# Proposed by `longhorn policy learn` for the environment {}: review it, paste it, sign.",
            self.environment
        )?;
        writeln!(out, "# Seen: {}. The logs were read, not verified: `longhorn log verify` does that.", self.seen)?;
        for note in &self.notes {
            writeln!(out, "# Note: {note}.")?;
        }
        writeln!(out, "[[environments.{}.also]]", self.environment)?;
        writeln!(out, "source = {}", quoted(&format!("longhorn policy learn: {}", self.seen)))?;
        writeln!(out, "variables.allow = [")?;
        self.names(out, Group::Known, "known to other presets", "")?;
        self.names(out, Group::Unknown, "unknown: take the mark away where the job needs it", "# ")?;
        writeln!(out, "]")?;
        for (group, what) in [
            (Group::Pinned, "pinned, and came with another value; the pin wins"),
            (Group::Leftover, "a desk's own, not proposed"),
            (Group::Credential, "credentials, never proposed: ask the sidecar or a secret scope for them"),
            (Group::Hook, "hooks of loaders and interpreters, never proposed: pin the exact value where the job needs one"),
        ] {
            for (at, variable) in self.of(group).enumerate() {
                if at == 0 {
                    writeln!(out, "# {what}:")?;
                }
                writeln!(out, "#   {}: {}", variable.name, evidence_of(variable))?;
            }
        }
        for (need, key) in [(Need::Read, "read"), (Need::Write, "write"), (Need::Execute, "execute")] {
            writeln!(out, "files.{key} = [")?;
            for place in self.places.iter().filter(|place| place.need == need) {
                let path = quoted(&place.path.display().to_string());
                match &place.verdict {
                    Verdict::Proposed => writeln!(out, "  {path}, # {}", seen(place))?,
                    Verdict::Review(why) => writeln!(out, "  # {path}, # {}; {why}", seen(place))?,
                    Verdict::Never(why) => writeln!(out, "  # not {path}: {}; {why}", seen(place))?,
                    Verdict::There => {}
                }
            }
            writeln!(out, "]")?;
        }
        Ok(())
    }

    fn of(&self, group: Group) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(move |variable| variable.group == group)
    }

    fn names(&self, out: &mut String, group: Group, what: &str, mark: &str) -> std::fmt::Result {
        for (at, variable) in self.of(group).enumerate() {
            if at == 0 {
                writeln!(out, "  # {what}")?;
            }
            writeln!(out, "  {mark}{}, # {}", quoted(&variable.name), evidence_of(variable))?;
        }
        Ok(())
    }

    /// For programs.
    pub fn to_json(&self) -> serde_json::Value {
        let variable = |variable: &Variable| {
            let Variable { group, name, launches, why } = variable;
            let proposed = *group == Group::Known;
            serde_json::json!({ "name": name, "group": group.word(), "launches": launches, "why": why, "proposed": proposed })
        };
        let place = |place: &Place| {
            let (verdict, why) = match &place.verdict {
                Verdict::There => ("there", ""),
                Verdict::Proposed => ("proposed", ""),
                Verdict::Review(why) => ("review", why.as_str()),
                Verdict::Never(why) => ("never", why.as_str()),
            };
            serde_json::json!({
                "need": place.need.word(), "path": place.path.display().to_string(), "verdict": verdict, "why": why,
                "traced": place.traced, "sampled": place.sampled,
            })
        };
        serde_json::json!({
            "environment": self.environment, "seen": self.seen, "notes": self.notes,
            "variables": self.variables.iter().map(variable).collect::<Vec<_>>(),
            "files": self.places.iter().map(place).collect::<Vec<_>>(),
        })
    }
}

fn evidence_of(variable: &Variable) -> String {
    let times = format!("{} launches", variable.launches);
    if variable.why.is_empty() { times } else { format!("{times}; {}", variable.why) }
}

fn seen(place: &Place) -> String {
    let rows = [
        (place.traced > 0, format!("traced {} times", place.traced)),
        (place.sampled > 0, format!("sampled in {} logs", place.sampled)),
        (place.traced == 0 && place.sampled == 0, "a covered program lies there".to_owned()),
    ];
    rows.into_iter().filter(|(says, _)| *says).map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}

/// A JSON string is a basic string of TOML: what JSON escapes, TOML knows, and no control character comes this far.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
