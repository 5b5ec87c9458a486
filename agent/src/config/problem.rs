//! Problems of a document, each with its place, all of them at once.
//!
//! What is shown of a line is a security question: a pinned value or a secret that was written where only its path
//! belongs must not reach a terminal or a log that is delivered. So values are hidden unless a rule read them by a known
//! key and in the expected form; comments are never shown.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::exit::Exit;
use crate::screen::{Screen, one_line};

/// So many bytes before and behind what a problem is about are looked at for what is shown of its line.
const NEAR: usize = 4096;
/// More problems than this are counted, not shown: a document of a megabyte can have a hundred thousand.
pub const MOST_SHOWN: usize = 100;

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
    pub span: Range<usize>,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
}

/// What may be shown of a document's lines.
#[derive(Clone, Debug)]
enum Shown {
    /// The text did not parse, so nobody knows what is a value: keys and headers alone.
    KeysOnly,
    /// Everything but these values (start to end, disjoint) and comments.
    AllBut(BTreeMap<usize, usize>),
}

/// The problems of one document.
#[derive(Clone)]
pub struct Problems {
    file: String,
    text: String,
    list: Vec<Problem>,
    shown: Shown,
}

impl Problems {
    /// None yet; of lines only keys and headers are shown.
    pub fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), list: Vec::new(), shown: Shown::KeysOnly }
    }

    /// Shows lines, but for these values.
    pub(super) fn hide(&mut self, values: BTreeMap<usize, usize>) {
        self.shown = Shown::AllBut(values);
    }

    /// Shows a value that was read by a known key.
    pub(super) fn reveal(&mut self, value: &Range<usize>) {
        if let Shown::AllBut(values) = &mut self.shown {
            values.remove(&value.start);
        }
    }

    /// Hides one more.
    pub(super) fn hide_one(&mut self, value: &Range<usize>) {
        if let Shown::AllBut(values) = &mut self.shown {
            values.insert(value.start, value.end);
        }
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

    /// What a person reads below the problems themselves.
    pub fn screen(&self, reason: &'static str, headline: &str) -> Screen {
        Screen::refused(reason, Exit::Config, headline)
            .fact("expected problems", "none")
            .fact("presented problems", self.len())
            .hint("each is shown above with its place")
    }

    /// How a command ends that was given this document.
    pub fn exit(&self) -> Exit {
        if self.any_error() { Exit::Config } else { Exit::Ok }
    }

    /// In the order of the document.
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut sorted: Vec<&Problem> = self.list.iter().collect();
        sorted.sort_by_key(|problem| (problem.span.start, problem.span.end, problem.severity, &problem.message));
        sorted
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let at = self.text.floor_char_boundary(span.start.min(self.text.len()));
        let before = &self.text[..at];
        let start = before.rfind('\n').map_or(0, |found| found + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |found| at + found);
        let about = self.text.floor_char_boundary(span.end.clamp(at, end));
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = self.text[start..at].chars().count() + 1;
        let (lead, marked, tail) = match &self.shown {
            Shown::KeysOnly => keys_only(&self.text[start..end], at - start),
            Shown::AllBut(values) => {
                // Of a line that is very long, no more than may be shown is looked at, once for each problem in it.
                let from = self.text.floor_char_boundary(at.saturating_sub(NEAR)).max(start);
                let about = self.text.floor_char_boundary(about.min(at + NEAR));
                let till = self.text.floor_char_boundary(end.min(about + NEAR));
                let comment = comment(&self.text, from, till, values).max(at);
                let show = |range| without_values(&self.text, range, values);
                (show(from..at), show(at..about), show(about.min(comment)..comment))
            }
        };
        Place { line, column, lead: keep_end(&lead, 100), marked: keep_start(&marked, 100), tail: keep_start(&tail, 100) }
    }
}

/// Where a problem is, and what may be shown of that line: before, under, and behind the carets.
struct Place {
    line: usize,
    column: usize,
    lead: String,
    marked: String,
    tail: String,
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        for problem in sorted.iter().take(MOST_SHOWN) {
            let Place { line, column, lead, marked, tail } = self.place(&problem.span);
            let word = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            writeln!(out, "{}:{line}:{column}: {word}: {}", one_line(&self.file), one_line(&problem.message))?;
            let margin = " ".repeat(line.to_string().len());
            // What the document lacks stands nowhere in it.
            let stands = !problem.span.is_empty() || matches!(self.shown, Shown::KeysOnly);
            if stands {
                writeln!(out, "  {line} | {}", format!("{lead}{marked}{tail}").trim_end())?;
                let carets = "^".repeat(marked.chars().count().max(1));
                writeln!(out, "  {margin} | {}{carets}", " ".repeat(lead.chars().count()))?;
            }
            if !problem.hint.is_empty() {
                writeln!(out, "  {margin} = {}", one_line(&problem.hint))?;
            }
        }
        if let Some(more) = sorted.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "{}: and {more} more", one_line(&self.file))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Problems {
    /// As displayed: the text itself may hold values that nobody should see.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Where a line's comment begins: the first `#` that is in no value. Values that may be shown are not known here, so a
/// `#` inside one of them hides the rest of the line.
fn comment(text: &str, start: usize, end: usize, values: &BTreeMap<usize, usize>) -> usize {
    let inside = |at: usize| values.range(..=at).next_back().is_some_and(|(_, value_end)| at < *value_end);
    text[start..end].match_indices('#').map(|(at, _)| start + at).find(|at| !inside(*at)).unwrap_or(end)
}

/// The text of a range with each hidden value as `…`, in characters that stay on their line.
fn without_values(text: &str, range: Range<usize>, values: &BTreeMap<usize, usize>) -> String {
    let mut shown = String::new();
    let mut at = range.start;
    while at < range.end {
        let around = values.range(..=at).next_back().filter(|(_, end)| at < **end);
        if let Some((_, end)) = around {
            shown.push('…');
            at = *end;
            continue;
        }
        let next = values.range(at..range.end).next().map_or(range.end, |(start, _)| *start);
        shown.extend(text[at..next].chars().map(printable));
        at = next;
    }
    shown
}

/// The key of `key = value` or the header of a table, as far as it is one; everything else is `…`.
fn keys_only(line: &str, at: usize) -> (String, String, String) {
    let plain = |text: &str| {
        let text = text.trim_ascii();
        (1..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' '))
    };
    let key = line.find('=').filter(|equals| plain(&line[..*equals]) && assigns(line, *equals)).map(|at| at + 1);
    let header = line.trim_start().starts_with('[').then(|| line.find(|letter: char| letter != '[' && letter != ' ')).flatten();
    let header = header.and_then(|start| {
        let end = start + line[start..].find(']').unwrap_or(line.len() - start);
        plain(&line[start..end]).then_some(end)
    });
    let clear = key.or(header).unwrap_or(0);
    let rest = match (line[clear..].trim().is_empty(), clear) {
        (true, _) => "",
        (false, 0) => "…",
        (false, _) => " …",
    };
    if at < clear {
        // The visible part is ASCII.
        (line[..at].to_owned(), line[at..=at].to_owned(), format!("{}{rest}", &line[at + 1..clear]))
    } else {
        let space = if rest.starts_with(' ') { " " } else { "" };
        (format!("{}{space}", &line[..clear]), rest.trim_start().to_owned(), String::new())
    }
}

/// Whether a `=` assigns: padding of base64 has no space before it and nothing behind.
fn assigns(line: &str, equals: usize) -> bool {
    let follows = line[equals + 1..].trim_start().chars().next();
    line[..equals].ends_with(' ') || follows.is_some_and(|first| first != '=')
}

fn printable(letter: char) -> char {
    if letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter) || ('\u{2066}'..='\u{2069}').contains(&letter) {
        ' '
    } else {
        letter
    }
}

fn keep_start(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

fn keep_end(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most { text.to_owned() } else { ['…'].into_iter().chain(text.chars().skip(count - most + 1)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(span: Range<usize>) -> Problem {
        Problem { severity: Severity::Error, span, message: "wrong".into(), hint: String::new() }
    }

    #[test]
    fn a_problem_shows_its_line_and_a_caret_under_exactly_what_it_is_about() {
        let text = "a = 1\n  bb = 2 # note\n";
        let mut problems = Problems::new("policy.toml", text);
        problems.hide(BTreeMap::new());
        let at = text.find("bb").unwrap();
        problems.push(Problem { hint: "did you mean `b`?".into(), ..problem(at..at + 2) });
        assert_eq!(problems.to_string(), "policy.toml:2:3: error: wrong\n  2 |   bb = 2\n    |   ^^\n    = did you mean `b`?\n");
    }

    #[test]
    fn a_hidden_value_is_one_sign_whatever_its_length_and_the_caret_stays_where_it_belongs() {
        let text = "pin = { TOKEN = \"s3cret # hash\", B = 1 } # c0mment\n";
        let mut problems = Problems::new("p", text);
        let (start, end) = (text.find("\"s3").unwrap(), text.find(", B").unwrap());
        problems.hide(BTreeMap::from([(start, end)]));
        let at = text.find('B').unwrap();
        problems.push(problem(at..at + 1));
        assert_eq!(problems.to_string(), "p:1:34: error: wrong\n  1 | pin = { TOKEN = …, B = 1 }\n    |                    ^\n");
        problems.push(problem(start..end));
        assert!(!format!("{problems}{problems:?}").contains("s3cret"));
    }

    #[test]
    fn of_a_text_that_does_not_parse_only_keys_and_headers_are_shown() {
        let rows = [
            ("TOKEN = s3cret", "TOKEN = …"),
            ("TOKEN = \"s3cret", "TOKEN = …"),
            ("s3cret", " …"),
            ("czNjcmV0==", " …"),
            ("czNjcmV0=", " …"),
            ("serial = ", "serial ="),
            ("[scopes.a", "[scopes.a"),
            ("[\"s3cret\"", " …"),
        ];
        for (line, shown) in rows {
            for at in 0..=line.len() {
                let (lead, marked, tail) = keys_only(line, at);
                assert_eq!(format!("{lead}{marked}{tail}").trim(), shown.trim(), "{line} at {at}");
            }
        }
    }

    #[test]
    fn any_span_of_any_text_can_be_shown() {
        for text in ["", "\n", "é=\"ü\n", "a\r\n\u{202e}b"] {
            for start in 0..8 {
                for end in 0..8 {
                    let mut problems = Problems::new("f", text);
                    problems.push(problem(start..end));
                    assert!(problems.to_string().starts_with("f:"), "{text:?} {start}..{end}");
                    problems.hide(BTreeMap::new());
                    assert!(problems.to_string().starts_with("f:"), "{text:?} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn of_a_very_long_line_only_what_is_near_is_shown_and_nothing_that_is_hidden() {
        let text = format!("a = [{}\"s3cret\", X, {}]\n", "1, ".repeat(20_000), "2, ".repeat(20_000));
        let mut problems = Problems::new("f", &text);
        let (start, at) = (text.find("\"s3").unwrap(), text.find('X').unwrap());
        problems.hide(BTreeMap::from([(start, at - 2)]));
        problems.push(problem(at..at + 1));
        problems.push(problem(start..at - 2));
        let shown = problems.to_string();
        assert!(shown.contains("1, 1, …, X, 2, 2,") && !shown.contains("s3cret"), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < 300), "{shown}");
    }

    #[test]
    fn a_hundred_problems_are_shown_and_the_rest_is_counted() {
        let mut problems = Problems::new("f", "x");
        for _ in 0..MOST_SHOWN + 7 {
            problems.push(problem(0..1));
        }
        assert!(problems.to_string().ends_with("f: and 7 more\n"));
    }
}
