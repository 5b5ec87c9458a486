//! What a person reads when something is refused or fails: one screen, always the same form.
//!
//! What happened, the facts that differ, what to do, where it is written. Refusals and failures of every room
//! turn into a [`Screen`]; `main` prints it, the record keeps its `reason`.

use crate::exit::Exit;

/// Whether we know that the answer is no, or could not tell. Neither is ever a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The evidence is false, or the policy says no.
    Refused,
    /// We could not tell.
    Failed,
}

/// One screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// Refused or failed.
    pub verdict: Verdict,
    /// One sentence without full stop, lower case.
    pub headline: String,
    /// Label and value, in the order of telling: `expected issuer`, `presented issuer`.
    pub facts: Vec<(String, String)>,
    /// What to do.
    pub hint: String,
    /// The record's number, once it has one.
    pub entry: Option<u64>,
    /// The stable kebab-case name: the same word in record, tests, documents and exit table.
    pub reason: std::borrow::Cow<'static, str>,
    /// How the process ends.
    pub exit: Exit,
}

impl Screen {
    /// A refusal without facts; its hint is the exit's until a better one is given.
    pub fn refused(reason: &'static str, exit: Exit, headline: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Refused,
            headline: headline.into(),
            facts: Vec::new(),
            hint: exit.advice().to_owned(),
            entry: None,
            reason: reason.into(),
            exit,
        }
    }

    /// A failure without facts.
    pub fn failed(reason: &'static str, exit: Exit, headline: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, ..Self::refused(reason, exit, headline) }
    }

    /// A failure as an error tells it: the step that failed, and its cause.
    pub fn failed_by(reason: &'static str, exit: Exit, error: &dyn std::error::Error) -> Self {
        let screen = Self::failed(reason, exit, error.to_string());
        error.source().into_iter().fold(screen, |screen, cause| screen.fact("presented", cause))
    }

    /// The same of a step that the node refused: with what such a step needs.
    pub fn failed_on_node(reason: &'static str, error: &dyn std::error::Error) -> Self {
        let screen = Self::failed(reason, Exit::Os, error.to_string());
        error.source().into_iter().fold(screen, |screen, cause| screen.met(cause))
    }

    /// Says what a step needs, where its exit tells, and what it met instead.
    pub fn met(self, cause: impl std::fmt::Display) -> Self {
        let needs = self.exit.needs();
        needs.into_iter().fold(self, |screen, needs| screen.fact("expected", needs)).fact("presented", cause)
    }

    /// Adds a fact.
    pub fn fact(mut self, label: impl Into<String>, value: impl std::fmt::Display) -> Self {
        self.facts.push((label.into(), value.to_string()));
        self
    }

    /// Says what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Names the record.
    pub fn entry(mut self, entry: u64) -> Self {
        self.entry = Some(entry);
        self
    }
}

/// Makes text from outside fit one line of a terminal: control characters become `?`, long text is cut with `…`.
pub fn one_line(text: &str) -> String {
    const MOST: usize = 300;
    let clean: String = text
        .chars()
        .map(|letter| {
            if letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter) || ('\u{2066}'..='\u{2069}').contains(&letter) {
                '?'
            } else {
                letter
            }
        })
        .take(MOST + 1)
        .collect();
    if clean.chars().count() > MOST { clean.chars().take(MOST).chain(['…']).collect() } else { clean }
}

impl std::fmt::Display for Screen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.verdict {
            Verdict::Refused => "refused",
            Verdict::Failed => "failed",
        };
        writeln!(out, "longhorn: {word}: {}", one_line(&self.headline))?;
        // A sidecar's screen comes to `init` as a message: nothing of it is believed to fit a line.
        let labels: Vec<String> = self.facts.iter().map(|(label, _)| one_line(label)).collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        for (label, (_, value)) in labels.iter().zip(&self.facts) {
            writeln!(out, "  {label:width$}   {}", one_line(value))?;
        }
        if !self.hint.is_empty() {
            writeln!(out, "hint: {}", one_line(&self.hint))?;
        }
        let entry = self.entry.map_or_else(|| "none".to_owned(), |entry| format!("entry {entry}"));
        writeln!(out, "record: {entry}   reason: {}   exit: {}", one_line(&self.reason), self.exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_says_what_the_facts_what_to_do_and_where_it_is_written() {
        let screen = Screen::refused("issuer-mismatch", Exit::RefusedEvidence, "the token was issued by another workspace")
            .fact("expected issuer", "https://a.example/oidc")
            .fact("presented issuer", "https://b.example/oidc")
            .hint("this cluster's policy trusts one workspace; see `longhorn policy explain`")
            .entry(41);
        assert_eq!(
            screen.to_string(),
            "longhorn: refused: the token was issued by another workspace\n  \
               expected issuer    https://a.example/oidc\n  \
               presented issuer   https://b.example/oidc\n\
             hint: this cluster's policy trusts one workspace; see `longhorn policy explain`\n\
             record: entry 41   reason: issuer-mismatch   exit: 77\n"
        );
    }

    #[test]
    fn every_failure_says_what_to_do_though_nothing_more_exact_is_known() {
        // The verdicts of `log verify` are answers, and no screens.
        let verdicts = [Exit::Ok, Exit::LogOpen, Exit::LogUnanchored, Exit::LogDiverged, Exit::LogInvalid];
        for (exit, word, _) in Exit::ALL {
            let screen = Screen::failed("x", *exit, "a step failed").to_string();
            assert_eq!(screen.contains("\nhint: "), !verdicts.contains(exit), "{word}: {screen}");
        }
    }

    #[test]
    fn an_error_is_told_as_the_step_what_it_needs_and_what_it_met() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot write the mark")]
        struct Step(#[source] std::io::Error);
        let full = Step(std::io::ErrorKind::StorageFull.into());
        assert_eq!(
            Screen::failed_on_node("node-step-failed", &full).hint("make room").to_string(),
            "longhorn: failed: cannot write the mark\n  \
               expected    root in the node's own namespaces, with room on its disks\n  \
               presented   no storage space\n\
             hint: make room\n\
             record: none   reason: node-step-failed   exit: 71\n"
        );
    }

    #[test]
    fn text_from_outside_cannot_draw_on_the_terminal() {
        let screen = Screen::refused("x", Exit::Data, "a").fact("presented", "\u{1b}[2J\nlonghorn: ok\u{202e}");
        assert!(!screen.to_string().contains('\u{1b}'));
        assert_eq!(screen.to_string().lines().count(), 4);
        assert_eq!(one_line(&"x".repeat(1000)).chars().count(), 301);
        let told = Screen { reason: "x\nlonghorn: ok".into(), ..screen }.fact("expected\n\u{1b}[2J", "b");
        assert!(!told.to_string().contains('\u{1b}'));
        assert_eq!(told.to_string().lines().count(), 5);
    }
}
