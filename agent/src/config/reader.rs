//! A typed walk over spanned TOML that collects every problem instead of stopping at the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems, Severity};

/// Collects problems while a document is read.
pub(super) struct Reader {
    problems: RefCell<Problems>,
}

/// One table of a document.
pub(super) struct Section<'a> {
    reader: &'a Reader,
    table: &'a DeTable<'a>,
    pub(super) span: Range<usize>,
    known: RefCell<BTreeSet<&'static str>>,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl Reader {
    pub(super) fn new(file: &str, text: &str) -> Self {
        Self { problems: RefCell::new(Problems::new(file, text)) }
    }

    /// Parses the text; what is not TOML is reported and whatever could be read is returned.
    pub(super) fn parse<'a>(&self, text: &'a str) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            self.error(error.span().unwrap_or(0..0), format!("not TOML: {}", error.message()), "");
        }
        table
    }

    pub(super) fn section<'a>(&'a self, table: &'a Spanned<DeTable<'a>>) -> Section<'a> {
        Section { reader: self, table: table.get_ref(), span: table.span(), known: RefCell::default() }
    }

    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Error, span, message, hint);
    }

    pub(super) fn warning(&self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Warning, span, message, hint);
    }

    fn push(&self, severity: Severity, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.borrow_mut().push(Problem { severity, span, message: message.into(), hint: hint.into() });
    }

    pub(super) fn finish(self) -> Problems {
        self.problems.into_inner()
    }
}

impl<'a> Section<'a> {
    pub(super) fn reader(&self) -> &'a Reader {
        self.reader
    }

    fn take(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn need<T>(&self, key: &'static str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.table.iter().any(|(name, _)| name.get_ref() == key) {
            self.reader.error(self.span.clone(), format!("`{key}` is missing"), "nothing that decides trust has a default");
        }
        found
    }

    fn wrong<T>(&self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) -> Option<T> {
        self.reader.error(value.span(), format!("`{key}` must be {expected}, not {}", value.get_ref().type_str()), "");
        None
    }

    pub(super) fn text(&self, key: &'static str) -> Option<At<String>> {
        let value = self.take(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(At { value: text.to_owned(), span: value.span() }),
            None => self.wrong(value, key, "a string"),
        }
    }

    pub(super) fn need_text(&self, key: &'static str) -> Option<At<String>> {
        self.need(key, self.text(key))
    }

    /// A string that is one of an identifier's grammar.
    pub(super) fn parsed<T: for<'t> TryFrom<&'t str, Error: std::fmt::Display>>(&self, key: &'static str) -> Option<At<T>> {
        let text = self.text(key)?;
        self.convert(&text)
    }

    pub(super) fn need_parsed<T: for<'t> TryFrom<&'t str, Error: std::fmt::Display>>(&self, key: &'static str) -> Option<At<T>> {
        self.need(key, self.parsed(key))
    }

    pub(super) fn convert<T: for<'t> TryFrom<&'t str, Error: std::fmt::Display>>(&self, text: &At<String>) -> Option<At<T>> {
        match T::try_from(&text.value) {
            Ok(value) => Some(At { value, span: text.span.clone() }),
            Err(error) => {
                self.reader.error(text.span.clone(), error.to_string(), "");
                None
            }
        }
    }

    /// One of a closed list of words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let list: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.reader.error(text.span.clone(), format!("`{key}` must be {}", list.join(" or ")), "");
        }
        found.map(|value| At { value, span: text.span })
    }

    pub(super) fn need_word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        self.need(key, self.word(key, words))
    }

    pub(super) fn number(&self, key: &'static str) -> Option<At<u64>> {
        let value = self.take(key)?;
        let number =
            value.get_ref().as_integer().filter(|number| number.radix() == 10).and_then(|number| number.as_str().parse().ok());
        match number {
            Some(number) => Some(At { value: number, span: value.span() }),
            None => self.wrong(value, key, "a whole number from 0"),
        }
    }

    pub(super) fn need_number(&self, key: &'static str) -> Option<At<u64>> {
        self.need(key, self.number(key))
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        match value.get_ref().as_bool() {
            Some(flag) => Some(flag),
            None => self.wrong(value, key, "true or false"),
        }
    }

    pub(super) fn datetime(&self, key: &'static str) -> Option<At<toml::value::Datetime>> {
        let value = self.take(key)?;
        match value.get_ref().as_datetime() {
            Some(datetime) => Some(At { value: *datetime, span: value.span() }),
            None => self.wrong(value, key, "a date and time with an offset, such as 2027-06-30T00:00:00Z"),
        }
    }

    /// A length of time: a number and one of ms, s, m, h, d.
    pub(super) fn duration(&self, key: &'static str) -> Option<At<std::time::Duration>> {
        let text = self.text(key)?;
        let digits = text.value.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = match &text.value[digits.len()..] {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let millis = digits.parse::<u64>().ok().zip(unit).and_then(|(count, unit): (u64, u64)| count.checked_mul(unit));
        if millis.is_none() {
            self.reader.error(
                text.span.clone(),
                format!("`{key}` must be a length of time such as \"60s\", \"10m\" or \"90d\""),
                "",
            );
        }
        millis.map(|millis| At { value: std::time::Duration::from_millis(millis), span: text.span })
    }

    /// A list of strings; absent is empty.
    pub(super) fn texts(&self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            return self.wrong(value, key, "a list of strings").unwrap_or_default();
        };
        array
            .iter()
            .filter_map(|item| match item.get_ref().as_str() {
                Some(text) => Some(At { value: text.to_owned(), span: item.span() }),
                None => self.wrong(item, key, "a list of strings"),
            })
            .collect()
    }

    pub(super) fn need_texts(&self, key: &'static str) -> Vec<At<String>> {
        let there = self.table.iter().any(|(name, _)| name.get_ref() == key);
        self.need(key, there.then_some(()));
        self.texts(key)
    }

    pub(super) fn list<T: for<'t> TryFrom<&'t str, Error: std::fmt::Display>>(&self, key: &'static str) -> Vec<At<T>> {
        self.texts(key).iter().filter_map(|text| self.convert(text)).collect()
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Section<'a>> {
        let value = self.take(key)?;
        self.as_section(value, key)
    }

    pub(super) fn need_table(&self, key: &'static str) -> Option<Section<'a>> {
        self.need(key, self.table(key))
    }

    fn as_section(&self, value: &'a Spanned<DeValue<'a>>, key: &str) -> Option<Section<'a>> {
        match value.get_ref().as_table() {
            Some(table) => Some(Section { reader: self.reader, table, span: value.span(), known: RefCell::default() }),
            None => self.wrong(value, key, "a table"),
        }
    }

    /// A list of tables; absent is empty.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            return self.wrong(value, key, "a list of tables").unwrap_or_default();
        };
        array.iter().filter_map(|item| self.as_section(item, key)).collect()
    }

    /// Tables under names that the author chose.
    pub(super) fn named(&self) -> Vec<(At<String>, Section<'a>)> {
        let entries = self.table.iter().filter_map(|(name, value)| {
            Some((At { value: name.get_ref().to_string(), span: name.span() }, self.as_section(value, name.get_ref())?))
        });
        entries.collect()
    }

    /// Strings under names that the author chose.
    pub(super) fn named_texts(&self) -> Vec<(At<String>, At<String>)> {
        let texts = self.table.iter().filter_map(|(name, value)| {
            let name = At { value: name.get_ref().to_string(), span: name.span() };
            match value.get_ref().as_str() {
                Some(text) => Some((name, At { value: text.to_owned(), span: value.span() })),
                None => self.wrong(value, &name.value, "a string"),
            }
        });
        texts.collect()
    }

    /// Every key that nobody asked for is a problem.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (name, _) in self.table {
            let key: &str = name.get_ref();
            if !known.contains(key) {
                let near = known.iter().find(|candidate| near(candidate, key));
                let hint = near.map_or_else(
                    || format!("known keys: {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                self.reader.error(name.span(), format!("unknown key `{key}`"), hint);
            }
        }
    }
}

/// Whether two words are one slip of the finger apart: one letter more, less, other, or two swapped.
fn near(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(left, right)| left == right).count();
    let tail = one.iter().rev().zip(other.iter().rev()).take_while(|(left, right)| left == right).count();
    let longest = one.len().max(other.len());
    one.len().abs_diff(other.len()) <= 1
        && (same + tail + 1 >= longest || (one.len() == other.len() && same + tail + 2 >= longest))
}
