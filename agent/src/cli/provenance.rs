//! Where a version comes from, from its data to itself, as lines, as JSON and as a picture.

use serde_json::{Value, json};

use crate::decision::models::Models;
use crate::host::clock::Timestamp;
use crate::model::{APPROVAL, Candidate, Check, Part, Verdict, approval};
use crate::screen::one_line;

/// The steps, each with what is known of it.
pub struct Story {
    verified: bool,
    steps: Vec<Step>,
    checks: Vec<Check>,
}

struct Step {
    /// Its name.
    name: &'static str,
    /// What is known: label and value.
    known: Vec<(&'static str, String)>,
}

impl Story {
    /// Of a version and what was found of its evidence; whose approvals count, `models` says.
    pub fn of(candidate: &Candidate, verdict: &Verdict, models: &Models) -> Self {
        let made = &candidate.made;
        let labels: Vec<&str> = verdict.labels.iter().map(String::as_str).collect();
        let mut data: Vec<(&str, String)> = Vec::new();
        for part in std::iter::once(made).chain(&candidate.parents) {
            data.extend(part.run.iter().flat_map(|run| &run.datasets).map(|dataset| ("dataset", dataset.source.clone())));
        }
        data.push(("labels", if labels.is_empty() { "none".into() } else { labels.join(", ") }));
        let mut steps = vec![Step { name: "data", known: data }];
        if !candidate.parents.is_empty() || !candidate.lost.is_empty() {
            let parent = |part: &Part| part.model.as_ref().map(|model| ("model", model.id.clone()));
            let mut known: Vec<_> = candidate.parents.iter().filter_map(parent).collect();
            known.extend(candidate.lost.iter().map(|id| ("unknown", id.clone())));
            steps.push(Step { name: "parents", known });
        }
        let run = made.run.as_ref();
        let mut known = vec![("run", run.map_or("none".into(), |run| run.id.clone()))];
        known.extend(run.map(|run| ("status", run.status.clone())));
        known.extend(made.run_seal.as_ref().map(|seal| ("sealed by", seal.sub.clone())));
        steps.push(Step { name: "run", known });
        let none = || vec![("context", "none that anybody vouches for".to_owned())];
        let context = made.context.as_ref();
        let job = context.map_or_else(none, |context| {
            vec![
                ("job", context.sub.clone()),
                ("run as", format!("{} ({})", context.run_as.name, context.run_as.kind)),
                ("scope", context.scope.clone()),
                ("node", format!("{} {}", context.node.address, context.node.key)),
            ]
        });
        steps.push(Step { name: "job", known: job });
        let environment = context.map_or_else(none, |context| {
            let lock = context.lock.as_ref().map_or("none", |lock| lock.strength.as_str());
            vec![
                ("environment", context.environment.clone()),
                ("sha256", context.environment_digest.clone()),
                ("lock", format!("{lock} ({})", context.enforcement)),
            ]
        });
        steps.push(Step { name: "environment", known: environment });
        let policy = context.map_or_else(none, |context| {
            vec![("serial", context.policy.serial.to_string()), ("sha256", context.policy.digest.clone())]
        });
        steps.push(Step { name: "policy", known: policy });
        let version = &candidate.version;
        let mut known = vec![
            ("model", version.name.clone()),
            ("version", version.version.clone()),
            ("source", version.source.clone()),
            ("files sha256", made.files.clone().unwrap_or_else(|| "out of reach".into())),
        ];
        known.extend(made.model.as_ref().map(|model| ("logged model", model.id.clone())));
        steps.push(Step { name: "model", known });
        let known: Vec<_> = version.tags.iter().filter_map(|(tag, _)| approved(tag, candidate, models)).collect();
        if !known.is_empty() {
            steps.push(Step { name: "approvals", known });
        }
        Self { verified: verdict.passes(), steps, checks: verdict.checks.clone() }
    }

    fn word(&self) -> &'static str {
        if self.verified { "VERIFIED" } else { "NOT VERIFIED" }
    }

    /// Lines.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.word());
        for step in &self.steps {
            for (number, (label, value)) in step.known.iter().enumerate() {
                let name = if number == 0 { step.name } else { "" };
                out.push_str(&format!("{name:12} {label:13} {}\n", one_line(value)));
            }
        }
        for check in self.checks.iter().filter(|check| !check.holds) {
            let (expected, presented) = (one_line(&check.expected), one_line(&check.presented));
            out.push_str(&format!("FAILS        {:13} expected {expected}; presented {presented}\n", check.name));
        }
        out
    }

    /// JSON.
    pub fn json(&self) -> String {
        let step = |step: &Step| {
            let known: Vec<Value> = step.known.iter().map(|(label, value)| json!({ "label": label, "value": value })).collect();
            json!({ "step": step.name, "known": known })
        };
        let steps: Vec<Value> = self.steps.iter().map(step).collect();
        let checks: Vec<Value> = self.checks.iter().map(check).collect();
        format!("{}\n", json!({ "verified": self.verified, "steps": steps, "checks": checks }))
    }

    /// A picture (SVG 1.1): the steps from left to right.
    pub fn svg(&self) -> String {
        const WIDE: usize = 230;
        const GAP: usize = 30;
        const LINE: usize = 16;
        let rows = self.steps.iter().map(|step| step.known.len()).max().unwrap_or(0);
        let (high, wide) = (rows * 2 * LINE + 90, self.steps.len() * (WIDE + GAP) + GAP);
        let colour = if self.verified { "#1a7f37" } else { "#b42318" };
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" font-family=\"monospace\" font-size=\"11\">\n\
             <text x=\"{GAP}\" y=\"24\" font-size=\"14\" fill=\"{colour}\">{}</text>\n",
            self.word()
        );
        for (number, step) in self.steps.iter().enumerate() {
            let left = GAP + number * (WIDE + GAP);
            if number > 0 {
                let (from, to) = (left - GAP, left);
                out.push_str(&format!(
                    "<path d=\"M{from} 60 H{} M{} 56 L{to} 60 L{} 64\" stroke=\"{colour}\" fill=\"none\"/>\n",
                    to - 1,
                    to - 6,
                    to - 6
                ));
            }
            out.push_str(&format!(
                "<rect x=\"{left}\" y=\"40\" width=\"{WIDE}\" height=\"{}\" rx=\"4\" fill=\"none\" stroke=\"{colour}\"/>\n\
                 <text x=\"{}\" y=\"58\" font-weight=\"bold\">{}</text>\n",
                high - 60,
                left + 8,
                step.name
            ));
            for (row, (label, value)) in step.known.iter().enumerate() {
                let top = 78 + row * 2 * LINE;
                out.push_str(&format!(
                    "<text x=\"{0}\" y=\"{top}\" fill=\"#57606a\">{label}</text>\n<text x=\"{0}\" y=\"{1}\">{2}<title>{3}</title></text>\n",
                    left + 8,
                    top + LINE - 3,
                    escaped(&cut(value)),
                    escaped(value)
                ));
            }
        }
        out.push_str("</svg>\n");
        out
    }
}

/// What a tag with an approval says, where it is one.
fn approved(tag: &str, candidate: &Candidate, models: &Models) -> Option<(&'static str, String)> {
    let (alias, approver) = tag.strip_prefix(APPROVAL)?.strip_prefix('.')?.rsplit_once('.')?;
    Some(match approval(models, approver, alias, candidate) {
        Ok(approval) => ("approved", format!("{alias} by {approver} until {}", Timestamp::from_seconds(approval.exp))),
        Err(presented) => ("not approved", format!("{alias} by {approver}: {presented}")),
    })
}

/// A check, as JSON.
pub fn check(check: &Check) -> Value {
    json!({ "name": check.name, "holds": check.holds, "expected": check.expected, "presented": check.presented })
}

/// As much as fits; the whole is in its title.
fn cut(value: &str) -> String {
    const MOST: usize = 32;
    if value.chars().count() <= MOST {
        value.to_owned()
    } else {
        format!("{}…", value.chars().take(MOST - 1).collect::<String>())
    }
}

/// Text between tags (XML 1.0 §2.4); what XML cannot hold is a question mark.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_well_formed_whatever_stands_in_it() {
        let hostile = "</text><script>alert(1)</script>&\u{0}]]>\n\u{ffff}é";
        let step = |name| Step { name, known: vec![("label", hostile.to_owned()), ("label", "x".repeat(200))] };
        let story = Story { verified: true, steps: vec![step("data"), step("model")], checks: Vec::new() };
        let svg = story.svg();
        assert!(
            !svg.contains("<script") && !svg.contains('\u{0}') && svg.matches("<text").count() == svg.matches("</text>").count()
        );
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("&lt;script&gt;"));
        assert!(!story.text().contains('\u{0}') && story.text().starts_with("VERIFIED\n"));
        serde_json::from_str::<Value>(&story.json()).unwrap();
    }
}
