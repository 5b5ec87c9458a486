//! Problems of a document, each with its place, all of them at once.

use std::fmt;

use crate::exit::Exit;
use crate::screen::one_line;

/// Whether a problem stops the document from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not; somebody should look.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Bytes of the document that it is about.
    pub span: std::ops::Range<usize>,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// The problems of one document.
#[derive(Clone, Debug)]
pub struct Problems {
    file: String,
    text: String,
    list: Vec<Problem>,
}

impl Problems {
    /// None yet.
    pub fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), list: Vec::new() }
    }

    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Whether any of them is an error.
    pub fn any_error(&self) -> bool {
        self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// How a command ends that was given this document.
    pub fn exit(&self) -> Exit {
        if self.any_error() { Exit::Config } else { Exit::Ok }
    }

    /// Line and column, from 1, and the line's text.
    fn place(&self, at: usize) -> (usize, usize, &str) {
        let at = at.min(self.text.len());
        let before = &self.text.as_bytes()[..at];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
        let end = self.text[start..].find('\n').map_or(self.text.len(), |found| start + found);
        let column = String::from_utf8_lossy(&self.text.as_bytes()[start..at]).chars().count() + 1;
        (line, column, &self.text[start..end])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<&Problem> = self.list.iter().collect();
        sorted.sort_by_key(|problem| (problem.span.start, problem.span.end, problem.severity));
        for problem in sorted {
            let (line, column, text) = self.place(problem.span.start);
            let word = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            writeln!(out, "{}:{line}:{column}: {word}: {}", self.file, one_line(&problem.message))?;
            let number = line.to_string();
            let shown = hide_values(text);
            writeln!(out, "  {number} | {}", shown.trim_end())?;
            let marked = problem.span.len().clamp(1, text.chars().count().saturating_sub(column - 1).max(1));
            let carets = if shown == text { "^".repeat(marked) } else { "^".to_owned() };
            writeln!(out, "  {} | {}{carets}", " ".repeat(number.len()), " ".repeat(column.min(shown.chars().count() + 1) - 1))?;
            if !problem.hint.is_empty() {
                writeln!(out, "  {} = {}", " ".repeat(number.len()), one_line(&problem.hint))?;
            }
        }
        Ok(())
    }
}

/// Values of pinned variables may be sensitive: a line that pins is shown with its names alone.
fn hide_values(line: &str) -> String {
    let key = line.split('=').next().unwrap_or_default().trim();
    let pins = key == "pin"
        || (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'));
    if !pins {
        return line
            .chars()
            .map(|letter| if letter == '\t' { ' ' } else { letter })
            .filter(|letter| !letter.is_control())
            .take(200)
            .collect();
    }
    let mut shown = String::new();
    let mut quote = None;
    for letter in line.chars() {
        match quote {
            None if letter == '"' || letter == '\'' => {
                quote = Some(letter);
                shown.push_str("\"…\"");
            }
            Some(open) if letter == open => quote = None,
            None => shown.push(letter),
            Some(_) => {}
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_its_line_and_a_caret_and_never_a_pinned_value() {
        let text = "a = 1\n  bb = 2\npin = { TOKEN = \"s3cret\" }\n";
        let mut problems = Problems::new("policy.toml", text);
        let at = text.find("bb").unwrap();
        problems.push(Problem {
            severity: Severity::Error,
            span: at..at + 2,
            message: "unknown key `bb`".into(),
            hint: "did you mean `b`?".into(),
        });
        let at = text.find("TOKEN").unwrap();
        problems.push(Problem { severity: Severity::Warning, span: at..at + 5, message: "odd name".into(), hint: String::new() });
        let shown = problems.to_string();
        assert!(shown.starts_with("policy.toml:2:3: error: unknown key `bb`\n  2 |   bb = 2\n    |   ^^\n    = did you mean `b`?\npolicy.toml:3:9: warning"), "{shown}");
        assert!(!shown.contains("s3cret"));
    }
}
