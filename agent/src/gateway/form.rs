//! What a request may hold, by the message that the server reads it as: fields by their exact names, at every depth. A server of
//! protobuf also takes names in camel case and aliases; what goes on holds none of them. Fields that the message does not have are left
//! out, as the server would: a newer client goes on working.

use longhorn_json::{Json, Object};

use super::table::Table;

/// What a query and a body may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing.
    Nothing,
    /// The fields of this message, by its place in the table.
    Message(usize),
    /// Any strict JSON object: nobody describes it.
    Free,
    /// The bytes of an artifact.
    Stream,
}

/// A message: its fields. There are few, and most differ in length: looking through them costs less than halving them does.
#[derive(Debug)]
pub struct Message(Vec<(&'static str, Field)>);

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
    /// Another message, by its place in the table.
    Message(usize),
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
    /// By its word; `place` says where in the table a message is.
    pub(super) fn of(word: &'static str, place: impl Fn(&str) -> usize) -> Self {
        match word {
            "-" => Self::Nothing,
            "*" => Self::Free,
            "stream" => Self::Stream,
            name => Self::Message(place(name)),
        }
    }
}

impl Message {
    /// `field:type …`; a type is `s`, `{s}`, `*`, a message's name, or one of them in brackets.
    pub(super) fn parse(fields: &'static str, place: impl Fn(&str) -> usize) -> Self {
        let field = |word: &'static str| {
            let (name, kind) = word.split_once(':').expect("a field has a type: a test reads the table whole");
            let (list, kind) = match kind.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                Some(inner) => (true, inner),
                None => (false, kind),
            };
            let kind = match kind {
                "s" => Kind::Scalar,
                "{s}" => Kind::Map,
                "*" => Kind::Free,
                name => Kind::Message(place(name)),
            };
            (name, Field { list, kind })
        };
        Self(fields.split_ascii_whitespace().map(field).collect())
    }

    fn field(&self, name: &str) -> Option<Field> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, field)| *field)
    }

    /// Whether a query may have this field, and whether more than once.
    pub fn in_query(&self, field: &str) -> Option<Times> {
        let field = self.field(field)?;
        match field.kind {
            Kind::Scalar | Kind::Free if field.list => Some(Times::Many),
            Kind::Scalar | Kind::Free => Some(Times::Once),
            Kind::Map | Kind::Message(_) => None,
        }
    }

    /// Leaves the members that the message has, each of its kind; `null` is the same as absent.
    ///
    /// # Errors
    /// The first that is of another kind.
    pub fn fit(&self, members: &mut Object<'_>, table: &Table) -> Result<(), UnfitField> {
        let mut fits = Ok(());
        members.retain(|name, value| {
            let field = self.field(name).filter(|_| !matches!(value, Json::Null));
            if let (Some(field), Ok(())) = (field, &fits) {
                fits = field.fit(name, value, table);
            }
            field.is_some()
        });
        fits
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
    fn fit(self, name: &str, value: &mut Json<'_>, table: &Table) -> Result<(), UnfitField> {
        match (self.list, value) {
            (false, value) => self.kind.fit(name, value, table),
            (true, Json::List(items)) => items.iter_mut().try_for_each(|item| self.kind.fit(name, item, table)),
            (true, _) => Err(UnfitField { field: name.to_owned(), expected: "a list" }),
        }
    }
}

impl Kind {
    fn fit(self, name: &str, value: &mut Json<'_>, table: &Table) -> Result<(), UnfitField> {
        let unfit = |expected| Err(UnfitField { field: name.to_owned(), expected });
        match (self, value) {
            (Self::Free, _) | (Self::Scalar, Json::Text(_) | Json::Number(_) | Json::Bool(_)) => Ok(()),
            (Self::Scalar, _) => unfit("text, a number or a truth value"),
            (Self::Map, Json::Object(members)) => {
                members.iter_mut().try_for_each(|(_, value)| Self::Scalar.fit(name, value, table))
            }
            (Self::Message(message), Json::Object(members)) => table.message(message).fit(members, table),
            (Self::Map | Self::Message(_), _) => unfit("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhorn_json::read;

    fn fitted(message: &str, body: &str) -> Result<String, UnfitField> {
        let table = Table::read();
        let Json::Object(mut members) = read(body.as_bytes()).unwrap() else { panic!("{body} is an object") };
        let mut out = Vec::new();
        table.message(table.place(message).unwrap()).fit(&mut members, &table)?;
        Json::Object(members).write(&mut out);
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
