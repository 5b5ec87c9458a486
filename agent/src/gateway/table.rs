//! The endpoints of MLflow and of the model registry: which request is of which class, which fields it may have, and what in its
//! body needs a look. `endpoints.txt` is the data; `tests/mlflow_endpoints.rs` compares it with the MLflow that is installed. What is
//! not in it does not go through.

use std::collections::HashMap;

use super::action::Action;
use super::form::{Form, Message};
use super::guard::Guard;

const TEXT: &str = include_str!("endpoints.txt");

/// The table.
#[derive(Debug)]
pub struct Table {
    /// By path, then by method.
    literal: HashMap<&'static str, Vec<Endpoint>>,
    /// Those with a placeholder; the most exact first.
    patterns: Vec<Pattern>,
    /// Sorted by name.
    messages: Vec<(&'static str, Message)>,
}

/// One endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// Its method.
    pub method: &'static str,
    /// Its path as it stands in the table: what records name, since a path itself may hold anybody's name.
    pub path: &'static str,
    /// Its class.
    pub action: Action,
    /// What its query and its body may hold.
    pub form: Form,
    /// What in its body needs a look.
    pub guards: Vec<Guard>,
}

#[derive(Debug)]
struct Pattern {
    parts: Vec<Part>,
    endpoint: Endpoint,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Literal(&'static str),
    /// `{x}`: a segment, or the rest of one.
    Segment(&'static str),
    /// `{x...}`: all that follows.
    Rest(&'static str),
}

/// What stands in the place of a placeholder.
pub type Captures = Vec<(&'static str, String)>;

impl Table {
    /// Reads the table that is part of this program.
    pub fn read() -> Self {
        Self::parse(TEXT)
    }

    fn parse(text: &'static str) -> Self {
        let lines = || text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut messages: Vec<(&str, &str)> = lines().filter_map(|line| line.strip_prefix("message ")).map(named).collect();
        messages.sort_unstable();
        let place = |name: &str| {
            messages
                .binary_search_by_key(&name, |(name, _)| name)
                .expect("every message that is named is there: a test reads the table whole")
        };
        let read = messages.iter().map(|(name, fields)| (*name, Message::parse(fields, place))).collect();
        let mut table = Self { literal: HashMap::new(), patterns: Vec::new(), messages: read };
        for line in lines().filter(|line| !line.starts_with("message ")) {
            table.add(endpoint(line, place));
        }
        table.patterns.sort_by_key(|pattern| std::cmp::Reverse(exactness(&pattern.parts)));
        table
    }

    fn add(&mut self, endpoint: Endpoint) {
        if endpoint.path.contains('{') {
            self.patterns.push(Pattern { parts: parts(endpoint.path), endpoint });
        } else {
            self.literal.entry(endpoint.path).or_default().push(endpoint);
        }
    }

    /// The endpoint of a request, and what its placeholders stand for. An exact path comes before any pattern.
    pub fn find(&self, method: &str, path: &str) -> Option<(&Endpoint, Captures)> {
        let exact = self.literal.get(path).and_then(|alike| alike.iter().find(|endpoint| endpoint.method == method));
        if let Some(endpoint) = exact {
            return Some((endpoint, Captures::new()));
        }
        let alike = self.patterns.iter().filter(|pattern| pattern.endpoint.method == method);
        alike.into_iter().find_map(|pattern| captures(&pattern.parts, path).map(|found| (&pattern.endpoint, found)))
    }

    /// A message by its place.
    pub fn message(&self, place: usize) -> &Message {
        &self.messages[place].1
    }

    /// Where a message is, by its name.
    #[cfg(test)]
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.messages.binary_search_by_key(&name, |(name, _)| name).ok()
    }

    /// Every endpoint.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.literal.values().flatten().chain(self.patterns.iter().map(|pattern| &pattern.endpoint))
    }
}

/// `NAME field:type …`.
fn named(message: &'static str) -> (&'static str, &'static str) {
    message.split_once(' ').unwrap_or((message, ""))
}

/// `METHOD PATH CLASS FORM [GUARD,…]`.
fn endpoint(line: &'static str, place: impl Fn(&str) -> usize) -> Endpoint {
    let mut words = line.split_ascii_whitespace();
    let mut word = || words.next().expect("a row of the table has four words: a test reads it whole");
    let (method, path, action, form) = (word(), word(), Action::of(word()), Form::of(word(), place));
    let guards = words
        .flat_map(|word| word.split(','))
        .map(|word| Guard::of(word).expect("a guard of the table is one that is known: a test reads it whole"));
    Endpoint { method, path, action, form, guards: guards.collect() }
}

fn parts(path: &'static str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("a placeholder has an end: a test reads the table whole");
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        parts.push(match name.strip_suffix("...") {
            Some(name) => Part::Rest(name),
            None => Part::Segment(name),
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    parts
}

/// More bytes of literal text come first, and of two equal ones that with fewer placeholders for everything.
fn exactness(parts: &[Part]) -> (usize, usize) {
    let literal = parts.iter().map(|part| if let Part::Literal(text) = part { text.len() } else { 0 }).sum();
    let rests = parts.iter().filter(|part| matches!(part, Part::Rest(_))).count();
    (literal, usize::MAX - rests)
}

fn captures(parts: &[Part], path: &str) -> Option<Captures> {
    match parts {
        [] => path.is_empty().then(Captures::new),
        [Part::Literal(text), rest @ ..] => captures(rest, path.strip_prefix(text)?),
        [Part::Rest(name)] => (!path.is_empty()).then(|| vec![(*name, path.to_owned())]),
        [part @ (Part::Segment(name) | Part::Rest(name)), rest @ ..] => {
            let whole = matches!(part, Part::Rest(_));
            let end = if whole { path.len() } else { path.find('/').unwrap_or(path.len()) };
            let places = (1..=end).filter(|at| path.is_char_boundary(*at));
            // The longest that lets the rest fit.
            let (at, mut found) = places.rev().find_map(|at| Some((at, captures(rest, &path[at..])?)))?;
            found.insert(0, (name, path[..at].to_owned()));
            Some(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "\
GET /api/2.0/models/{name} model.read -
GET /api/2.0/models/search model.read Search
POST /api/2.0/models/{name}:cancel model.register *
GET /api/2.0/files{path...} artifact.read -
PUT /api/2.0/artifacts/{path...} artifact.write stream
DELETE /api/2.0/{full_name}/aliases/{alias} model.promote -
POST /api/2.0/runs/create run.write Create tags,copy

message Search filter:s
message Create name:s tags:[Tag]
message Tag key:s value:s
";

    #[test]
    fn an_exact_path_comes_before_a_pattern_and_what_is_not_there_is_not_found() {
        let table = Table::parse(SMALL);
        let found = |method, path| table.find(method, path).map(|(endpoint, captures)| (endpoint.path, captures));
        let captured = |rows: &[(&'static str, &str)]| rows.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        for (method, path, expected) in [
            ("GET", "/api/2.0/models/search", Some(("/api/2.0/models/search", Captures::new()))),
            ("GET", "/api/2.0/models/a", Some(("/api/2.0/models/{name}", captured(&[("name", "a")])))),
            ("POST", "/api/2.0/models/a:b:cancel", Some(("/api/2.0/models/{name}:cancel", captured(&[("name", "a:b")])))),
            ("GET", "/api/2.0/files/a/b", Some(("/api/2.0/files{path...}", captured(&[("path", "/a/b")])))),
            ("PUT", "/api/2.0/artifacts/1/é/x", Some(("/api/2.0/artifacts/{path...}", captured(&[("path", "1/é/x")])))),
            (
                "DELETE",
                "/api/2.0/m/aliases/é",
                Some(("/api/2.0/{full_name}/aliases/{alias}", captured(&[("full_name", "m"), ("alias", "é")]))),
            ),
            ("GET", "/api/2.0/models/a/b", None),
            ("GET", "/api/2.0/models/", None),
            ("GET", "/api/2.0/models", None),
            ("POST", "/api/2.0/models/:cancel", None),
            ("POST", "/api/2.0/models/search", None),
            ("PUT", "/api/2.0/artifacts/", None),
            ("get", "/api/2.0/models/search", None),
        ] {
            assert_eq!(found(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn the_table_of_this_program_is_whole() {
        let table = Table::read();
        assert!(table.endpoints().count() > 400, "{}", table.endpoints().count());
        for endpoint in table.endpoints() {
            assert!(endpoint.path.starts_with('/') && !endpoint.path.starts_with("/ajax-api/"), "{}", endpoint.path);
        }
        assert!(table.messages.len() > 300, "{}", table.messages.len());
    }

    #[test]
    fn every_class_that_can_be_given_is_a_permission_and_every_permission_but_run_is_a_class() {
        use crate::decision::permission::Permission;
        let table = Table::read();
        let needed: std::collections::BTreeSet<&str> = table
            .endpoints()
            .filter_map(|endpoint| if let Action::Needs(word) = endpoint.action { Some(word) } else { None })
            .collect();
        let given = Permission::ALL.iter().map(|permission| permission.word()).filter(|word| *word != "run").collect();
        assert_eq!(needed, given);
    }

    #[test]
    fn what_a_preset_takes_away_is_an_alias_that_it_may_set_or_a_tag_of_what_the_job_made() {
        use crate::decision::permission::PRESETS;
        let table = Table::read();
        let given = |word: &str| PRESETS.iter().any(|(_, all)| all.iter().any(|permission| permission.word() == word));
        let deletes = table.endpoints().filter(|endpoint| endpoint.method == "DELETE" && given(endpoint.action.word()));
        let paths: std::collections::BTreeSet<&str> = deletes.map(|endpoint| endpoint.path).collect();
        let expected = [
            "/api/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}",
            "/api/2.0/mlflow/registered-models/alias",
            "/api/2.0/mlflow/unity-catalog/registered-models/alias",
            "/api/2.1/unity-catalog/models/{full_name}/aliases/{alias}",
        ];
        assert_eq!(paths, expected.into());
    }
}
