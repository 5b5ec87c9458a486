//! The reader: strict, in one pass, and never deeper than the stack.

use std::borrow::Cow;

use crate::{Json, Object};

/// Why bytes are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson {
    /// What is wrong.
    pub what: &'static str,
    /// Where.
    pub at: usize,
}

impl std::fmt::Display for NotJson {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} at byte {}", self.what, self.at)
    }
}

impl std::error::Error for NotJson {}

/// Nesting deeper than this is refused: what MLflow sends has at most eight.
const DEEPEST: u8 = 32;

/// Room is made for no more items of a list before they are read.
const MOST_AHEAD: usize = 64;

/// Reads one value and nothing behind it.
///
/// # Errors
/// What is wrong, and where.
pub fn read(bytes: &[u8]) -> Result<Json<'_>, NotJson> {
    let text = std::str::from_utf8(bytes).map_err(|error| NotJson { what: "no UTF-8", at: error.valid_up_to() })?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEEPEST)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.error("something behind the value"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, what: &'static str) -> NotJson {
        NotJson { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, depth: u8) -> Result<Json<'a>, NotJson> {
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.error("no value"))
            }
        }
    }

    fn object(&mut self, depth: u8) -> Result<Json<'a>, NotJson> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.error("nested too deep"))?;
        let (start, mut members) = (self.at, Vec::new());
        self.at += 1;
        self.blanks();
        if self.takes(b'}') {
            return Ok(Json::Object(Object::default()));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("no name"));
            }
            let name = self.string()?;
            self.blanks();
            if !self.takes(b':') {
                return Err(self.error("no colon"));
            }
            let value = self.value(depth)?;
            members.push((name, value));
            self.blanks();
            if self.takes(b'}') {
                // Some readers keep the first of two equal names, some the last: what means two things is not read.
                let members = Object::of(members).ok_or(NotJson { what: "a name that stands twice", at: start })?;
                return Ok(Json::Object(members));
            }
            if !self.takes(b',') {
                return Err(self.error("neither a comma nor the end of the object"));
            }
        }
    }

    fn list(&mut self, depth: u8) -> Result<Json<'a>, NotJson> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.error("nested too deep"))?;
        let mut items = Vec::new();
        self.at += 1;
        self.blanks();
        if self.takes(b']') {
            return Ok(Json::List(items));
        }
        let began = self.at;
        loop {
            items.push(self.value(depth)?);
            if items.len() == 1 {
                // The others are about as long: a list that grows step by step costs more than all else here.
                let alike = (self.text.len() - self.at) / (self.at - began);
                items.reserve_exact(alike.min(MOST_AHEAD));
            }
            self.blanks();
            if self.takes(b']') {
                if items.capacity() > 2 * items.len() {
                    items.shrink_to_fit();
                }
                return Ok(Json::List(items));
            }
            if !self.takes(b',') {
                return Err(self.error("neither a comma nor the end of the list"));
            }
        }
    }

    /// RFC 8259 §6.
    fn number(&mut self) -> Result<Json<'a>, NotJson> {
        let start = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("no digit")) } else { Ok(()) }
    }

    /// RFC 8259 §7. Borrowed where nothing is escaped.
    fn string(&mut self) -> Result<Cow<'a, str>, NotJson> {
        self.at += 1;
        let mut decoded: Option<String> = None;
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(byte) if byte != b'"' && byte != b'\\' && byte >= 0x20) {
                self.at += 1;
            }
            let plain = &self.text[start..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match decoded {
                        None => Cow::Borrowed(plain),
                        Some(text) => Cow::Owned(text + plain),
                    });
                }
                Some(b'\\') => {
                    let text = decoded.get_or_insert_default();
                    text.push_str(plain);
                    self.at += 1;
                    let letter = self.escape()?;
                    decoded.get_or_insert_default().push(letter);
                }
                Some(_) => return Err(self.error("a control character in a string")),
                None => return Err(self.error("a string without end")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, NotJson> {
        let letter = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.code_point();
            }
            _ => return Err(self.error("an unknown escape")),
        };
        self.at += 1;
        Ok(letter)
    }

    fn code_point(&mut self) -> Result<char, NotJson> {
        let high = self.four_digits()?;
        if !(0xD800..0xDC00).contains(&high) {
            // The second half of a pair by itself is no character.
            return char::from_u32(high).ok_or_else(|| self.error("half of a surrogate pair"));
        }
        if !self.text[self.at..].starts_with("\\u") {
            return Err(self.error("half of a surrogate pair"));
        }
        self.at += 2;
        let low = self.four_digits()?;
        let combined = low.checked_sub(0xDC00).filter(|low| *low < 0x400).map(|low| 0x1_0000 + ((high - 0xD800) << 10) + low);
        combined.and_then(char::from_u32).ok_or_else(|| self.error("half of a surrogate pair"))
    }

    fn four_digits(&mut self) -> Result<u32, NotJson> {
        let digits = self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let value = digits.and_then(|text| u32::from_str_radix(text, 16).ok()).ok_or_else(|| self.error("no four digits"))?;
        self.at += 4;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let mut out = Vec::new();
        read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")).write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_value_has_one_form_and_numbers_keep_their_text() {
        for (text, form) in [
            (r#" { "b" : [ 1 , 2.50 , -0e+1 ] , "a" : "x" } "#, r#"{"a":"x","b":[1,2.50,-0e+1]}"#),
            ("[0.1234567890123456789012345678901234567890]", "[0.1234567890123456789012345678901234567890]"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (r#""\u0061\/\ud83d\ude00\n\u0000""#, "\"a/\u{1f600}\\u000a\\u0000\""),
            (r#"{"":null,"\"":[true,false,{}]}"#, r#"{"":null,"\"":[true,false,{}]}"#),
            ("[]", "[]"),
        ] {
            assert_eq!(rewritten(text), form, "{text}");
            assert_eq!(rewritten(form), form, "{form}");
        }
    }

    #[test]
    fn what_parsers_read_differently_is_not_read() {
        for (text, what) in [
            (r#"{"run_id":"a","run_id":"b"}"#, "a name that stands twice"),
            (r#"{"run_id":"a","run\u005fid":"b"}"#, "a name that stands twice"),
            (r#"[{"a":{"b":1,"b":1}}]"#, "a name that stands twice"),
            ("\u{feff}{}", "no value"),
            ("NaN", "no value"),
            ("[-Infinity]", "no digit"),
            ("[01]", "neither a comma nor the end of the list"),
            ("[1.]", "no digit"),
            ("[.5]", "no value"),
            ("[+1]", "no value"),
            ("[1,]", "no value"),
            ("{\"a\":1,}", "no name"),
            ("{'a':1}", "no name"),
            ("{} {}", "something behind the value"),
            ("{}\0", "something behind the value"),
            ("\"\\ud800\"", "half of a surrogate pair"),
            ("\"\\udc00\"", "half of a surrogate pair"),
            ("\"\\ud800\\u0041\"", "half of a surrogate pair"),
            ("\"\\u00g1\"", "no four digits"),
            ("\"\\u+041\"", "no four digits"),
            ("\"\\x41\"", "an unknown escape"),
            ("\"a\nb\"", "a control character in a string"),
            ("\"a", "a string without end"),
            ("\"\\", "an unknown escape"),
            ("/**/{}", "no value"),
            ("", "no value"),
            ("nul", "no value"),
            ("{\"a\" 1}", "no colon"),
            ("{\"a\":1", "neither a comma nor the end of the object"),
        ] {
            assert_eq!(read(text.as_bytes()).map_err(|error| error.what), Err(what), "{text}");
        }
        assert_eq!(read(b"\xff\xfe{\0}\0"), Err(NotJson { what: "no UTF-8", at: 0 }));
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(usize::from(DEEPEST)).as_bytes()).is_ok());
        assert!(read(nested(usize::from(DEEPEST) + 1).as_bytes()).is_err());
        assert!(read("[".repeat(1_000_000).as_bytes()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_serde_writes_is_read_and_written_with_the_same_meaning(text in "\\PC{0,40}", number in proptest::num::f64::NORMAL, many in proptest::collection::vec(proptest::prelude::any::<i64>(), 0..4)) {
            let value = serde_json::json!({ "text": text, "number": number, "many": many, "z": { "y": [null, true, text] } });
            let theirs = value.to_string();
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            proptest::prop_assert_eq!(read(&rewritten(&theirs)), read(&theirs));
        }

        #[test]
        fn what_is_made_of_json_is_read_as_serde_reads_it_or_not_at_all(text in "[\\[\\]{}:,\"a\\\\u0dc8b1e.\\- ]{0,16}") {
            if let Ok(value) = read(text.as_bytes()) {
                let mut out = Vec::new();
                value.write(&mut out);
                // A number that fits no type of theirs keeps its text here.
                if let Ok(theirs) = serde_json::from_str::<serde_json::Value>(&text) {
                    proptest::prop_assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), theirs);
                }
            }
        }
    }
}
