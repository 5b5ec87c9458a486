//! The letters of XML: tags, attributes, text. Knows nothing of elements within elements and of namespaces.

use std::borrow::Cow;

use crate::document::{XmlError, blank};

/// A start tag.
pub(super) struct Start<'a> {
    pub(super) prefix: &'a str,
    pub(super) local: &'a str,
    /// Prefix, local name and value of each attribute, declarations of namespaces among them.
    pub(super) attributes: Vec<(&'a str, &'a str, Cow<'a, str>)>,
    /// `<a/>`.
    pub(super) empty: bool,
}

/// Goes over a text once, from front to end.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn error(&self, reason: &'static str, what: &'static str) -> XmlError {
        XmlError { reason, at: self.at, what }
    }

    pub(super) fn malformed(&self, what: &'static str) -> XmlError {
        self.error("xml-malformed", what)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Whether the next tag is an end tag.
    pub(super) fn closing(&self) -> bool {
        self.rest().starts_with("</")
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    fn expect(&mut self, word: &str, instead: &'static str) -> Result<(), XmlError> {
        if self.take(word) { Ok(()) } else { Err(self.malformed(instead)) }
    }

    fn blanks(&mut self) -> bool {
        let rest = self.rest().trim_start_matches(blank);
        let some = rest.len() < self.rest().len();
        self.at = self.text.len() - rest.len();
        some
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`, where it is there. Another encoding is another text.
    pub(super) fn declaration(&mut self) -> Result<(), XmlError> {
        if !self.rest().starts_with("<?xml") || self.rest()[5..].starts_with(|next: char| !blank(next)) {
            return Ok(());
        }
        self.at += 5;
        let end = self.rest().find("?>").ok_or_else(|| self.malformed("a declaration without an end"))?;
        let mut given = self.rest()[..end].split(blank).filter(|word| !word.is_empty());
        let unquoted = |word: &str, name: &str| -> Option<String> {
            let value = word.strip_prefix(name)?.strip_prefix('=')?;
            let quote = value.chars().next().filter(|quote| *quote == '"' || *quote == '\'')?;
            value[1..].strip_suffix(quote).map(str::to_ascii_lowercase)
        };
        let mut next = given.next();
        if next.and_then(|word| unquoted(word, "version")).as_deref() != Some("1.0") {
            return Err(self.malformed("another version of XML"));
        }
        next = given.next();
        if let Some(encoding) = next.and_then(|word| unquoted(word, "encoding")) {
            if encoding != "utf-8" {
                return Err(self.error("xml-not-utf8", "another encoding than UTF-8"));
            }
            next = given.next();
        }
        if let Some(standalone) = next.and_then(|word| unquoted(word, "standalone")) {
            if standalone != "yes" && standalone != "no" {
                return Err(self.malformed("a declaration that says something else"));
            }
            next = given.next();
        }
        if next.is_some() {
            return Err(self.malformed("a declaration that says something else"));
        }
        self.at += end + 2;
        Ok(())
    }

    /// Text up to the next tag or the end; `None` where there is none.
    pub(super) fn text(&mut self) -> Result<Option<Cow<'a, str>>, XmlError> {
        let end = self.rest().find('<').unwrap_or(self.rest().len());
        let raw = &self.rest()[..end];
        if raw.is_empty() {
            return Ok(None);
        }
        if let Some(at) = raw.find("]]>") {
            self.at += at;
            return Err(self.malformed("]]> in a text"));
        }
        let text = self.unescape(raw, false)?;
        self.at += end;
        Ok(Some(text))
    }

    pub(super) fn end_tag(&mut self) -> Result<(&'a str, &'a str), XmlError> {
        self.expect("</", "no end tag")?;
        let name = self.qualified()?;
        self.blanks();
        self.expect(">", "an end tag without an end")?;
        Ok(name)
    }

    pub(super) fn start_tag(&mut self, most: usize) -> Result<Start<'a>, XmlError> {
        self.refuse_forbidden()?;
        self.expect("<", "no tag")?;
        let (prefix, local) = self.qualified()?;
        let mut attributes = Vec::new();
        loop {
            let apart = self.blanks();
            if self.take("/>") {
                return Ok(Start { prefix, local, attributes, empty: true });
            }
            if self.take(">") {
                return Ok(Start { prefix, local, attributes, empty: false });
            }
            if !apart {
                return Err(self.malformed("something else than an attribute"));
            }
            if attributes.len() >= most {
                return Err(self.error("xml-too-many-attributes", "more attributes than an assertion has"));
            }
            attributes.push(self.attribute()?);
        }
    }

    /// What XML has and an assertion has not.
    fn refuse_forbidden(&self) -> Result<(), XmlError> {
        let forbidden = [
            ("<!--", "xml-comment", "a comment"),
            ("<![CDATA[", "xml-cdata", "a CDATA section"),
            ("<!DOCTYPE", "xml-doctype", "a document type"),
            ("<?", "xml-processing-instruction", "a processing instruction"),
        ];
        match forbidden.iter().find(|(word, _, _)| self.rest().starts_with(word)) {
            Some((_, reason, what)) => Err(self.error(reason, what)),
            None => Ok(()),
        }
    }

    fn attribute(&mut self) -> Result<(&'a str, &'a str, Cow<'a, str>), XmlError> {
        let (prefix, local) = self.qualified()?;
        self.blanks();
        self.expect("=", "an attribute without a value")?;
        self.blanks();
        let quote = match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => return Err(self.malformed("a value without quotes")),
        };
        self.at += 1;
        let end = self.rest().find(quote).ok_or_else(|| self.malformed("a value without an end"))?;
        let raw = &self.rest()[..end];
        if let Some(at) = raw.find('<') {
            self.at += at;
            return Err(self.malformed("a tag within a value"));
        }
        let value = self.unescape(raw, true)?;
        self.at += end + 1;
        Ok((prefix, local, value))
    }

    /// `local` or `prefix:local` in ASCII: no name of SAML and of signatures has other letters.
    fn qualified(&mut self) -> Result<(&'a str, &'a str), XmlError> {
        let first = self.name()?;
        if !self.take(":") {
            return Ok(("", first));
        }
        Ok((first, self.name()?))
    }

    fn name(&mut self) -> Result<&'a str, XmlError> {
        let rest = self.rest();
        let fits = |(at, byte): (usize, u8)| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
            b'0'..=b'9' | b'-' | b'.' => at > 0,
            _ => false,
        };
        let length = rest.bytes().enumerate().take_while(|one| fits(*one)).count();
        if length == 0 {
            return Err(self.malformed("no name in ASCII"));
        }
        self.at += length;
        Ok(&rest[..length])
    }

    /// XML §2.11 (ends of lines), §3.3.3 (blanks in values), §4.1 (references); every letter is one of §2.2.
    fn unescape(&self, raw: &'a str, value: bool) -> Result<Cow<'a, str>, XmlError> {
        // Most are what they say.
        if raw.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'&') {
            return Ok(Cow::Borrowed(raw));
        }
        let wrong = |at: usize, reason, what| XmlError { reason, at: self.at + at, what };
        if let Some(at) = raw.find(|letter| !allowed(letter)) {
            return Err(wrong(at, "xml-malformed", "a letter that XML does not have"));
        }
        let plain = |letter: char| letter != '&' && letter != '\r' && !(value && matches!(letter, '\n' | '\t'));
        if raw.chars().all(plain) {
            return Ok(Cow::Borrowed(raw));
        }
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(letter) = rest.chars().next() {
            let at = raw.len() - rest.len();
            rest = &rest[letter.len_utf8()..];
            match letter {
                '&' => {
                    // The longest is a letter's number: &#x10FFFF;
                    let end = rest.bytes().take(12).position(|byte| byte == b';');
                    let name = end.and_then(|end| rest.get(..end)).ok_or_else(|| wrong(at, "xml-malformed", "& alone"))?;
                    text.push(referred(name).ok_or_else(|| wrong(at, "xml-entity", "an entity, or no letter's number"))?);
                    rest = &rest[name.len() + 1..];
                }
                '\r' => {
                    rest = rest.strip_prefix('\n').unwrap_or(rest);
                    text.push(if value { ' ' } else { '\n' });
                }
                '\n' | '\t' if value => text.push(' '),
                letter => text.push(letter),
            }
        }
        Ok(Cow::Owned(text))
    }
}

/// XML §2.2, production 2.
fn allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

fn referred(name: &str) -> Option<char> {
    match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => {}
    }
    let number = name.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    // `from_str_radix` takes a sign.
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain).and_then(char::from_u32).filter(|letter| allowed(*letter))
}
