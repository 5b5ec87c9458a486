//! A typed walk over spanned TOML that collects every problem instead of stopping at the first.

use std::cell::{LazyCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems, Severity};
use super::spelling::near;

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

    /// Parses the text. Of what is not TOML every place is reported and nothing is returned: what could be read of it
    /// would only give problems that are none.
    pub(super) fn parse<'a>(&self, text: &'a str) -> Option<Spanned<DeTable<'a>>> {
        let (table, mut errors) = DeTable::parse_recoverable(text);
        // The parser tells what ends too early once more for each table that it ends.
        errors.dedup_by_key(|error| (error.span(), error.message().to_owned()));
        for error in &errors {
            self.error(error.span().unwrap_or(0..0), format!("not TOML: {}", error.message()), "");
        }
        if !errors.is_empty() {
            return None;
        }
        let mut values = BTreeMap::new();
        table.get_ref().values().for_each(|value| leaves(value, &mut values));
        self.problems.borrow_mut().hide(values);
        Some(table)
    }

    /// The document itself. What it lacks is reported at its beginning.
    pub(super) fn section<'a>(&'a self, table: &'a Spanned<DeTable<'a>>) -> Section<'a> {
        Section { reader: self, table: table.get_ref(), span: 0..0, known: RefCell::default() }
    }

    /// Hides a value that was read and is not what belongs there.
    pub(super) fn hide(&self, span: &Range<usize>) {
        self.problems.borrow_mut().hide_one(span);
    }

    fn reveal(&self, value: &Spanned<DeValue<'_>>) {
        self.problems.borrow_mut().reveal(&value.span());
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

/// Every value that is neither a list nor a table, by its place.
fn leaves(value: &Spanned<DeValue<'_>>, found: &mut BTreeMap<usize, usize>) {
    match value.get_ref() {
        DeValue::Table(table) => table.values().for_each(|inner| leaves(inner, found)),
        DeValue::Array(array) => array.iter().for_each(|inner| leaves(inner, found)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            found.insert(value.span().start, value.span().end);
        }
    }
}

impl<'a> Section<'a> {
    pub(super) fn reader(&self) -> &'a Reader {
        self.reader
    }

    fn take(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key);
        self.table.get(key)
    }

    fn need<T>(&self, key: &'static str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.table.contains_key(key) {
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
            Some(text) => {
                self.reader.reveal(value);
                Some(At { value: text.to_owned(), span: value.span() })
            }
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
        let Some(integer) = value.get_ref().as_integer() else {
            return self.wrong(value, key, "a whole number from 0");
        };
        self.reader.reveal(value);
        let number = Some(integer).filter(|number| number.radix() == 10).and_then(|number| number.as_str().parse().ok());
        if number.is_none() {
            self.reader.error(value.span(), format!("`{key}` must be a whole number from 0 to {}, in decimal", u64::MAX), "");
        }
        number.map(|number| At { value: number, span: value.span() })
    }

    pub(super) fn need_number(&self, key: &'static str) -> Option<At<u64>> {
        self.need(key, self.number(key))
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        match value.get_ref().as_bool() {
            Some(flag) => {
                self.reader.reveal(value);
                Some(flag)
            }
            None => self.wrong(value, key, "true or false"),
        }
    }

    pub(super) fn need_boolean(&self, key: &'static str) -> Option<bool> {
        self.need(key, self.boolean(key))
    }

    /// A number that is one: neither infinite nor NaN.
    pub(super) fn float(&self, key: &'static str) -> Option<f64> {
        let value = self.take(key)?;
        let text = match value.get_ref() {
            DeValue::Float(float) => float.as_str(),
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            _ => return self.wrong(value, key, "a number"),
        };
        self.reader.reveal(value);
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.reader.error(value.span(), format!("`{key}` must be a finite number"), "");
        }
        number
    }

    pub(super) fn datetime(&self, key: &'static str) -> Option<At<toml::value::Datetime>> {
        let value = self.take(key)?;
        match value.get_ref().as_datetime() {
            Some(datetime) => {
                self.reader.reveal(value);
                Some(At { value: *datetime, span: value.span() })
            }
            None => self.wrong(value, key, "a date and time with an offset, such as 2027-06-30T00:00:00Z"),
        }
    }

    pub(super) fn need_datetime(&self, key: &'static str) -> Option<At<toml::value::Datetime>> {
        self.need(key, self.datetime(key))
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
                Some(text) => {
                    self.reader.reveal(item);
                    Some(At { value: text.to_owned(), span: item.span() })
                }
                None => self.wrong(item, key, "a list of strings"),
            })
            .collect()
    }

    /// A list of strings that must be there and name something.
    pub(super) fn need_texts(&self, key: &'static str) -> Vec<At<String>> {
        self.need(key, self.place(key));
        self.refuse_empty_with(key, "name at least one");
        self.texts(key)
    }

    /// Marks a key as known without reading it: what is wrong with it has been said.
    pub(super) fn known(&self, key: &'static str) {
        self.known.borrow_mut().insert(key);
    }

    /// Where the value of a key is, if it is there.
    pub(super) fn place(&self, key: &'static str) -> Option<Range<usize>> {
        self.table.get(key).map(Spanned::span)
    }

    /// Refuses a list or table that is there and empty. Whoever wrote `run-as = []` did not mean 'anybody'.
    pub(super) fn refuse_empty(&self, key: &'static str) {
        self.refuse_empty_with(key, "leave it out where it is not meant to say anything");
    }

    fn refuse_empty_with(&self, key: &'static str, hint: &str) {
        let Some(value) = self.table.get(key) else { return };
        let array = value.get_ref().as_array().is_some_and(|array| array.is_empty());
        let table = value.get_ref().as_table().is_some_and(|table| table.is_empty());
        if array || table {
            self.reader.error(value.span(), format!("`{key}` is empty"), hint);
        }
    }

    /// A list of identifiers that must be there and name something.
    pub(super) fn need_list<T: for<'t> TryFrom<&'t str, Error: std::fmt::Display>>(&self, key: &'static str) -> Vec<At<T>> {
        self.need_texts(key).iter().filter_map(|text| self.convert(text)).collect()
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

    /// Whether a key holds a string where a table belongs: some of those deserve an explanation of their own.
    pub(super) fn holds_text(&self, key: &'static str) -> Option<Range<usize>> {
        self.table.get(key).filter(|value| value.get_ref().is_str()).map(Spanned::span)
    }

    /// Tables under names that the author chose.
    pub(super) fn named(&self) -> Vec<(At<String>, Section<'a>)> {
        let entries = self.table.iter().filter_map(|(name, value)| {
            Some((At { value: name.get_ref().to_string(), span: name.span() }, self.as_section(value, name.get_ref())?))
        });
        entries.collect()
    }

    /// Strings under names that the author chose. They stay hidden: pinned values are among them.
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

    /// Lists of identifiers under names that the author chose; a list may be empty.
    pub(super) fn named_lists<T: for<'t> TryFrom<&'t str, Error: std::fmt::Display>>(&self) -> Vec<(At<String>, Vec<At<T>>)> {
        let lists = self.table.iter().filter_map(|(name, value)| {
            let name = At { value: name.get_ref().to_string(), span: name.span() };
            let Some(array) = value.get_ref().as_array() else { return self.wrong(value, &name.value, "a list of strings") };
            let items = array.iter().filter_map(|item| match item.get_ref().as_str() {
                Some(text) => {
                    self.reader.reveal(item);
                    self.convert(&At { value: text.to_owned(), span: item.span() })
                }
                None => self.wrong(item, &name.value, "a list of strings"),
            });
            let items = items.collect();
            Some((name, items))
        });
        lists.collect()
    }

    /// Every key that nobody asked for is a problem.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        let all = LazyCell::new(|| format!("known keys: {}", known.iter().copied().collect::<Vec<_>>().join(", ")));
        for (name, _) in self.table {
            let key: &str = name.get_ref();
            if !known.contains(key) {
                let near = known.iter().find(|candidate| near(candidate, key));
                let hint = near.map_or_else(|| String::clone(&all), |near| format!("did you mean `{near}`?"));
                self.reader.error(name.span(), format!("unknown key `{key}`"), hint);
            }
        }
    }
}
