//! XML 1.0 with namespaces, as much of it as an assertion needs and no more: UTF-8, no DTD, no entities but the five, no
//! comments, no processing instructions, no CDATA. What is forbidden is refused by name, and every count has a cap: the work
//! that bytes from outside can cause is bounded before a signature is looked at (agent/design/0020).

use std::borrow::Cow;

use crate::scan::{Scanner, Start};

/// The namespace of what XML itself names (Namespaces in XML 1.0 §3).
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations (the same section).
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// No file is longer, in bytes.
pub const MOST: usize = 64 * 1024;
/// No element lies deeper: real responses have eight levels.
const DEEPEST: usize = 32;
/// No element has more attributes, declarations of namespaces among them.
const MOST_ATTRIBUTES: usize = 32;
/// No more declarations are in force in one place.
const MOST_IN_SCOPE: usize = 64;
/// No name of a namespace is longer, in bytes: the canonical form may repeat it at each element.
const LONGEST_NAMESPACE: usize = 256;

/// Why bytes are not what is read here: the stable name, the place, and what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmlError {
    /// The stable name of the refusal.
    pub reason: &'static str,
    /// The byte at which it was seen.
    pub at: usize,
    /// What stands there.
    pub what: &'static str,
}

impl std::fmt::Display for XmlError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} at byte {}", self.what, self.at)
    }
}

/// A document. Elements stand in the order of their start tags; the first is the root.
#[derive(Debug)]
pub struct Document<'a> {
    /// All of them.
    pub elements: Vec<Element<'a>>,
}

/// An element with its names resolved.
#[derive(Debug)]
pub struct Element<'a> {
    /// What it stands in, by its place in the document; the root in nothing.
    pub parent: Option<usize>,
    /// As it was written; empty: none.
    pub prefix: &'a str,
    /// Its name within the namespace.
    pub local: &'a str,
    /// Empty: none.
    pub namespace: Cow<'a, str>,
    /// Prefix (empty: the default) and name of each namespace that is declared here.
    pub declared: Vec<(&'a str, Cow<'a, str>)>,
    /// Those that declare no namespace.
    pub attributes: Vec<Attribute<'a>>,
    /// What it holds, in order.
    pub children: Vec<Child<'a>>,
}

/// An attribute that declares no namespace.
#[derive(Debug)]
pub struct Attribute<'a> {
    /// As it was written; empty: none.
    pub prefix: &'a str,
    /// Its name within the namespace.
    pub local: &'a str,
    /// Empty: none. An attribute without a prefix is in no namespace.
    pub namespace: Cow<'a, str>,
    /// Unescaped, and as XML normalises it (§3.3.3).
    pub value: Cow<'a, str>,
}

/// What an element holds.
#[derive(Debug)]
pub enum Child<'a> {
    /// An element, by its place in the document.
    Element(usize),
    /// Text, unescaped.
    Text(Cow<'a, str>),
}

impl Element<'_> {
    /// Whether it is this one.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && self.namespace == namespace
    }

    /// The value of an attribute that is in no namespace.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|one| one.namespace.is_empty() && one.local == name).map(|one| &*one.value)
    }
}

impl<'a> Document<'a> {
    /// Reads a document of at most `most` elements.
    ///
    /// # Errors
    /// When it is none, or holds what no assertion does.
    pub fn parse(bytes: &'a [u8], most: usize) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(bytes).map_err(|error| XmlError {
            reason: "xml-not-utf8",
            at: error.valid_up_to(),
            what: "bytes that are not UTF-8",
        })?;
        let mut scanner = Scanner::new(text);
        scanner.declaration()?;
        let mut builder = Builder { elements: Vec::new(), open: Vec::new(), scope: Vec::new(), most };
        loop {
            let text = scanner.text()?;
            match (builder.open.last(), &text) {
                (Some(open), Some(text)) => builder.elements[*open].children.push(Child::Text(text.clone())),
                (None, Some(text)) if !text.chars().all(blank) => {
                    return Err(scanner.malformed("text outside of the root"));
                }
                (Some(_) | None, _) => {}
            }
            if scanner.at_end() {
                break;
            }
            if scanner.closing() {
                let name = scanner.end_tag()?;
                builder.close(name, &scanner)?;
            } else {
                let start = scanner.start_tag(MOST_ATTRIBUTES)?;
                builder.open(start, &scanner)?;
            }
        }
        if builder.elements.is_empty() || !builder.open.is_empty() {
            return Err(scanner.malformed("the end, before every element is closed"));
        }
        Ok(Self { elements: builder.elements })
    }

    /// The elements that an element holds.
    pub fn children(&self, of: usize) -> impl Iterator<Item = usize> {
        self.elements[of].children.iter().filter_map(|child| match child {
            Child::Element(at) => Some(*at),
            Child::Text(_) => None,
        })
    }

    /// The children of a name.
    pub fn named<'d>(&'d self, of: usize, namespace: &'static str, local: &'static str) -> impl Iterator<Item = usize> + 'd {
        self.children(of).filter(move |at| self.elements[*at].is(namespace, local))
    }

    /// The text of an element that holds nothing else.
    pub fn text(&self, of: usize) -> Option<String> {
        let mut whole = String::new();
        for child in &self.elements[of].children {
            match child {
                Child::Text(text) => whole.push_str(text),
                Child::Element(_) => return None,
            }
        }
        Some(whole)
    }

    /// Whether an element holds elements alone, and blanks between them.
    pub fn structural(&self, of: usize) -> bool {
        let blank_text = |child: &Child<'_>| match child {
            Child::Text(text) => text.chars().all(blank),
            Child::Element(_) => true,
        };
        self.elements[of].children.iter().all(blank_text)
    }

    /// The namespace that a prefix stands for at an element; empty for the default where none is declared.
    pub fn resolve(&self, mut at: usize, prefix: &str) -> Option<&str> {
        loop {
            let element = &self.elements[at];
            if let Some((_, namespace)) = element.declared.iter().find(|(declared, _)| *declared == prefix) {
                return Some(namespace);
            }
            match element.parent {
                Some(parent) => at = parent,
                None => return prefix.is_empty().then_some(""),
            }
        }
    }
}

/// White space of XML (production 3).
pub fn blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

struct Builder<'a> {
    elements: Vec<Element<'a>>,
    open: Vec<usize>,
    /// What is declared around the place that is read, innermost last.
    scope: Vec<(&'a str, Cow<'a, str>)>,
    most: usize,
}

impl<'a> Builder<'a> {
    fn open(&mut self, start: Start<'a>, scanner: &Scanner<'a>) -> Result<(), XmlError> {
        if self.open.is_empty() && !self.elements.is_empty() {
            return Err(scanner.malformed("a second root"));
        }
        if self.open.len() >= DEEPEST {
            return Err(scanner.error("xml-too-deep", "an element that lies too deep"));
        }
        if self.elements.len() >= self.most {
            return Err(scanner.error("xml-too-many-elements", "more elements than an assertion has"));
        }
        let mut declared: Vec<(&str, Cow<'_, str>)> = Vec::new();
        let mut plain = Vec::new();
        for (prefix, local, value) in start.attributes {
            let declares = if prefix == "xmlns" { Some(local) } else { (prefix.is_empty() && local == "xmlns").then_some("") };
            let Some(name) = declares else {
                plain.push((prefix, local, value));
                continue;
            };
            check_namespace(name, &value, scanner)?;
            if declared.iter().any(|(other, _)| *other == name) {
                return Err(scanner.error("xml-duplicate-attribute", "a namespace that is declared twice"));
            }
            declared.push((name, value));
        }
        self.scope.extend(declared.iter().cloned());
        if self.scope.len() > MOST_IN_SCOPE {
            return Err(scanner.error("xml-too-many-attributes", "more declarations of namespaces than an assertion has"));
        }
        let mut attributes: Vec<Attribute<'a>> = Vec::with_capacity(plain.len());
        for (prefix, local, value) in plain {
            // Namespaces in XML §6.2: the default is not for attributes.
            let namespace = if prefix.is_empty() { Cow::Borrowed("") } else { self.resolve(prefix, scanner)? };
            if attributes.iter().any(|other| other.local == local && other.namespace == namespace) {
                return Err(scanner.error("xml-duplicate-attribute", "an attribute that stands twice"));
            }
            attributes.push(Attribute { prefix, local, namespace, value });
        }
        let namespace = self.resolve(start.prefix, scanner)?;
        let (at, parent) = (self.elements.len(), self.open.last().copied());
        if let Some(parent) = parent {
            self.elements[parent].children.push(Child::Element(at));
        }
        let (prefix, local) = (start.prefix, start.local);
        self.elements.push(Element { parent, prefix, local, namespace, declared, attributes, children: Vec::new() });
        self.open.push(at);
        if start.empty {
            self.leave();
        }
        Ok(())
    }

    fn close(&mut self, (prefix, local): (&str, &str), scanner: &Scanner<'a>) -> Result<(), XmlError> {
        let open = self.open.last().map(|at| &self.elements[*at]);
        if open.is_some_and(|open| open.prefix == prefix && open.local == local) {
            self.leave();
            return Ok(());
        }
        Err(scanner.malformed("the end of another element"))
    }

    fn leave(&mut self) {
        if let Some(at) = self.open.pop() {
            self.scope.truncate(self.scope.len() - self.elements[at].declared.len());
        }
    }

    fn resolve(&self, prefix: &str, scanner: &Scanner<'a>) -> Result<Cow<'a, str>, XmlError> {
        if prefix == "xml" {
            return Ok(Cow::Borrowed(XML));
        }
        match self.scope.iter().rev().find(|(declared, _)| *declared == prefix) {
            Some((_, namespace)) => Ok(namespace.clone()),
            None if prefix.is_empty() => Ok(Cow::Borrowed("")),
            None => Err(scanner.error("xml-namespace", "a prefix that is not declared")),
        }
    }
}

/// Namespaces in XML 1.0 §3; and Canonical XML §1.3: a name that is not absolute cannot be canonicalised, and where somebody
/// does it nevertheless the canonical form is empty (CVE-2025-66568).
fn check_namespace(prefix: &str, name: &str, scanner: &Scanner<'_>) -> Result<(), XmlError> {
    let wrong = |what| Err(scanner.error("xml-namespace", what));
    let reserved = name == XML || name == XMLNS;
    match prefix {
        "xml" | "xmlns" => return wrong("a prefix that XML keeps for itself"),
        _ if reserved => return wrong("a namespace that XML keeps for itself"),
        "" if name.is_empty() => return Ok(()),
        _ if name.is_empty() => return wrong("a prefix without a namespace"),
        _ if name.len() > LONGEST_NAMESPACE => return wrong("a namespace with a longer name than any"),
        // libxml2 writes an & of a name as it is, which no reader takes again: two canonical forms of one document.
        _ if !name.bytes().all(|byte| (0x21..0x7f).contains(&byte) && !b"&<>\"'".contains(&byte)) => {
            return wrong("a namespace whose name holds other letters than an address");
        }
        _ => {}
    }
    let scheme = name.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let absolute = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if absolute { Ok(()) } else { wrong("a namespace whose name is not absolute") }
}
