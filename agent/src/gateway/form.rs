//! What a request may hold, by the message that the server reads it as: fields by their exact names, at every depth. A server of
//! protobuf also takes names in camel case and aliases; what goes on holds none of them. Fields that the message does not have are left
//! out, as the server would: a newer client goes on working.

use std::borrow::Cow;
use std::collections::HashMap;

use super::json::{Json, Object};
use super::table::Table;

/// What a query and a body may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    Nothing,
    /// The fields of this message.
    Message(&'static str),
    /// Any strict JSON object: nobody describes it.
    Free,
    /// The bytes of an artifact.
    Stream,
}

/// A message: its fields.
#[derive(Debug)]
pub struct Message(HashMap<&'static str, Field>);

#[derive(Clone, Copy, Debug)]
struct Field {
    list: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Text, a number or a truth value.
    Scalar,
    /// An object of scalars.
    Map,
    /// Another message.
    Message(&'static str),
    /// Anything.
    Free,
}

/// A value that is not what the message says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field `{field}` must be {expected}")]
pub struct UnfitField {
    /// Its name.
    pub field: String,
    /// What it would have to be.
    pub expected: &'static str,
}

impl Form {
    pub(super) fn of(word: &'static str) -> Self {
        match word {
            "-" => Self::Nothing,
            "*" => Self::Free,
            "stream" => Self::Stream,
            name => Self::Message(name),
        }
    }
}

impl Message {
    /// `Name field:type …`; a type is `s`, `{s}`, `*`, a message's name, or one of them in brackets.
    pub(super) fn parse(line: &'static str) -> (&'static str, Self) {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().expect("a message has a name: a test reads the table whole");
        let fields = words.map(|word| {
            let (name, kind) = word.split_once(':').expect("a field has a type: a test reads the table whole");
            let (list, kind) = match kind.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                Some(inner) => (true, inner),
                None => (false, kind),
            };
            let kind = match kind {
                "s" => Kind::Scalar,
                "{s}" => Kind::Map,
                "*" => Kind::Free,
                name => Kind::Message(name),
            };
            (name, Field { list, kind })
        });
        (name, Self(fields.collect()))
    }

    /// The messages that it names.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.values().filter_map(|field| if let Kind::Message(name) = field.kind { Some(name) } else { None })
    }

    /// Whether it has this field.
    pub fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Whether a query may have this field, and whether more than once.
    pub fn in_query(&self, field: &str) -> Option<Times> {
        let field = self.0.get(field)?;
        match field.kind {
            Kind::Scalar | Kind::Free if field.list => Some(Times::Many),
            Kind::Scalar | Kind::Free => Some(Times::Once),
            Kind::Map | Kind::Message(_) => None,
        }
    }

    /// The members that the message has, each of its kind; `null` is the same as absent.
    ///
    /// # Errors
    /// The first that is of another kind.
    pub fn fit<'a>(&self, members: Object<'a>, table: &Table) -> Result<Object<'a>, UnfitField> {
        let known = members.into_iter().filter(|(name, value)| self.has(name) && *value != Json::Null);
        known
            .map(|(name, value)| {
                let value = self.0[name.as_ref()].fit(&name, value, table)?;
                Ok((name, value))
            })
            .collect()
    }
}

/// How often a field may stand in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Servers take the first or the last of several.
    Once,
    /// It is a list.
    Many,
}

impl Field {
    fn fit<'a>(self, name: &str, value: Json<'a>, table: &Table) -> Result<Json<'a>, UnfitField> {
        match (self.list, value) {
            (false, value) => self.kind.fit(name, value, table),
            (true, Json::List(items)) => {
                items.into_iter().map(|item| self.kind.fit(name, item, table)).collect::<Result<_, _>>().map(Json::List)
            }
            (true, _) => Err(UnfitField { field: name.to_owned(), expected: "a list" }),
        }
    }
}

impl Kind {
    fn fit<'a>(self, name: &str, value: Json<'a>, table: &Table) -> Result<Json<'a>, UnfitField> {
        let unfit = |expected| UnfitField { field: name.to_owned(), expected };
        match (self, value) {
            (Self::Free, value) => Ok(value),
            (Self::Scalar, value @ (Json::Text(_) | Json::Number(_) | Json::Bool(_))) => Ok(value),
            (Self::Scalar, _) => Err(unfit("text, a number or a truth value")),
            (Self::Map, Json::Object(members)) => {
                let scalar = |(key, value): (Cow<'a, str>, Json<'a>)| Ok((key, Self::Scalar.fit(name, value, table)?));
                members.into_iter().map(scalar).collect::<Result<_, _>>().map(Json::Object)
            }
            (Self::Message(message), Json::Object(members)) => table.message(message).fit(members, table).map(Json::Object),
            (Self::Map | Self::Message(_), _) => Err(unfit("an object")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::read;
    use super::*;

    fn fitted(message: &str, body: &str) -> Result<String, UnfitField> {
        let table = Table::read();
        let Json::Object(members) = read(body.as_bytes()).unwrap() else { panic!("{body} is an object") };
        let mut out = Vec::new();
        Json::Object(table.message(message).fit(members, &table)?).write(&mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_goes_on_holds_the_exact_names_of_the_message_at_every_depth_and_no_others() {
        for (body, expected) in [
            (r#"{"run_id":"a","runId":"b"}"#, r#"{"run_id":"a"}"#),
            (r#"{"run_id":null,"tags":[{"key":"k","value":"v","Key":"longhorn.x"}]}"#, r#"{"tags":[{"key":"k","value":"v"}]}"#),
            (
                r#"{"metrics":[{"key":"loss","value":0.1,"timestamp":1,"step":0}],"new":1}"#,
                r#"{"metrics":[{"key":"loss","step":0,"timestamp":1,"value":0.1}]}"#,
            ),
        ] {
            assert_eq!(fitted("LogBatch", body).as_deref(), Ok(expected), "{body}");
        }
        for (body, field, expected) in [
            (r#"{"run_id":["a"]}"#, "run_id", "text, a number or a truth value"),
            (r#"{"tags":{"key":"k"}}"#, "tags", "a list"),
            (r#"{"tags":["k"]}"#, "tags", "an object"),
            (r#"{"tags":[{"key":{"a":1}}]}"#, "key", "text, a number or a truth value"),
        ] {
            assert_eq!(fitted("LogBatch", body), Err(UnfitField { field: field.into(), expected }), "{body}");
        }
    }
}
