//! Exclusive XML Canonicalization 1.0 (RFC 3741) of an element and all that it holds, without comments: the bytes that a
//! digest or a signature is over.

use longhorn_append::append;

use crate::document::{Attribute, Child, Document, Element};

/// The canonical form grows where namespaces are declared anew; no honest one grows so far, in bytes.
const LONGEST: usize = 4 * crate::document::MOST;

/// It would be longer than any honest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The canonical form of the element `apex`. `left_out` is the element that the enveloped-signature transform removes;
/// `inclusive` are the prefixes of `InclusiveNamespaces` (RFC 3741 §3; `#default` is the empty one).
///
/// # Errors
/// When it would be longer than any honest one.
pub fn canonical(document: &Document<'_>, apex: usize, left_out: Option<usize>, inclusive: &[&str]) -> Result<Vec<u8>, TooLong> {
    let mut writer = Writer { document, left_out, inclusive, rendered: Vec::new(), out: Vec::new() };
    writer.element(apex)?;
    Ok(writer.out)
}

struct Writer<'d> {
    document: &'d Document<'d>,
    left_out: Option<usize>,
    inclusive: &'d [&'d str],
    /// Prefix and namespace of each declaration that was written around the present place, innermost last.
    rendered: Vec<(&'d str, &'d str)>,
    out: Vec<u8>,
}

impl<'d> Writer<'d> {
    /// As deep as documents are.
    fn element(&mut self, at: usize) -> Result<(), TooLong> {
        let element = &self.document.elements[at];
        let outer = self.rendered.len();
        self.put(b"<");
        self.name(element.prefix, element.local);
        for (prefix, namespace) in self.declarations(at, element) {
            self.put(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
            self.put(prefix.as_bytes());
            self.value(namespace);
            self.rendered.push((prefix, namespace));
        }
        let mut attributes: Vec<&Attribute<'_>> = element.attributes.iter().collect();
        // Canonical XML §2.2: by namespace, then by name; those without a namespace first.
        attributes.sort_by(|one, other| (&one.namespace, one.local).cmp(&(&other.namespace, other.local)));
        for attribute in attributes {
            self.put(b" ");
            self.name(attribute.prefix, attribute.local);
            self.value(&attribute.value);
        }
        self.put(b">");
        for child in &element.children {
            match child {
                Child::Text(text) => self.text(text),
                Child::Element(child) if Some(*child) == self.left_out => {}
                Child::Element(child) => self.element(*child)?,
            }
            self.bounded()?;
        }
        self.put(b"</");
        self.name(element.prefix, element.local);
        self.put(b">");
        self.rendered.truncate(outer);
        self.bounded()
    }

    fn bounded(&self) -> Result<(), TooLong> {
        if self.out.len() > LONGEST { Err(TooLong) } else { Ok(()) }
    }

    /// RFC 3741 §3, steps 3 and 4: the prefixes that this element itself uses, and those of the list, where what was
    /// written around it says something else; by prefix.
    fn declarations(&self, at: usize, element: &'d Element<'d>) -> Vec<(&'d str, &'d str)> {
        let attributes = element.attributes.iter().map(|attribute| attribute.prefix).filter(|prefix| !prefix.is_empty());
        let used = std::iter::once(element.prefix).chain(attributes).filter(|prefix| *prefix != "xml");
        let mut prefixes: Vec<&'d str> = used.chain(self.inclusive.iter().copied()).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let differs = |prefix: &'d str| {
            // One of the list that is not declared here is no namespace of this element.
            let namespace = self.document.resolve(at, prefix)?;
            let written = self.rendered.iter().rev().find(|(written, _)| *written == prefix).map(|(_, namespace)| *namespace);
            (written.unwrap_or_default() != namespace).then_some((prefix, namespace))
        };
        prefixes.into_iter().filter_map(differs).collect()
    }

    fn put(&mut self, bytes: &[u8]) {
        append(bytes, &mut self.out);
    }

    fn name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.put(prefix.as_bytes());
            self.put(b":");
        }
        self.put(local.as_bytes());
    }

    /// Canonical XML §2.3: attribute nodes.
    fn value(&mut self, value: &str) {
        self.put(b"=\"");
        self.escape(value, |byte| match byte {
            b'&' => Some("&amp;"),
            b'<' => Some("&lt;"),
            b'"' => Some("&quot;"),
            b'\t' => Some("&#x9;"),
            b'\n' => Some("&#xA;"),
            b'\r' => Some("&#xD;"),
            _ => None,
        });
        self.put(b"\"");
    }

    /// Canonical XML §2.3: text nodes.
    fn text(&mut self, text: &str) {
        self.escape(text, |byte| match byte {
            b'&' => Some("&amp;"),
            b'<' => Some("&lt;"),
            b'>' => Some("&gt;"),
            b'\r' => Some("&#xD;"),
            _ => None,
        });
    }

    /// What is escaped is ASCII, so no byte of another letter is met.
    fn escape(&mut self, text: &str, escaped: impl Fn(u8) -> Option<&'static str>) {
        let bytes = text.as_bytes();
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(instead) = escaped(*byte) {
                self.put(&bytes[from..at]);
                self.put(instead.as_bytes());
                from = at + 1;
            }
        }
        self.put(&bytes[from..]);
    }
}

/// The prefixes of a `PrefixList` (RFC 3741 §3).
pub fn prefixes(list: &str) -> Vec<&str> {
    let words = list.split(crate::document::blank).filter(|word| !word.is_empty());
    words.map(|word| if word == "#default" { "" } else { word }).collect()
}

/// The algorithm (RFC 3741 §4). Without comments: with them it ends in `WithComments`.
pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// The namespace of `InclusiveNamespaces` (the same section).
pub const INCLUSIVE: &str = EXCLUSIVE;

#[cfg(test)]
mod tests {
    use super::*;

    /// The canonical form of the first element of this local name.
    fn of(text: &str, local: &str, list: &str) -> String {
        let document = Document::parse(text.as_bytes(), 100).unwrap_or_else(|error| panic!("{text}: {error}"));
        let at = document.elements.iter().position(|element| element.local == local).unwrap();
        String::from_utf8(canonical(&document, at, None, &prefixes(list)).unwrap()).unwrap()
    }

    #[test]
    fn rfc_3741_section_2_2_the_same_element_in_two_envelopes_has_one_form() {
        let one = "<n0:local xmlns:n0=\"http://something.example\" xmlns:n3=\"ftp://example.org\">\n  <n1:elem2 \
                   xmlns:n1=\"http://example.net\" xml:lang=\"en\">\n    <n3:stuff xmlns:n3=\"ftp://example.org\"/>\n  \
                   </n1:elem2>\n</n0:local>";
        let other = "<n2:pdu xmlns:n1=\"http://example.com\" xmlns:n2=\"http://foo.example\" xml:lang=\"fr\" \
                     xml:space=\"preserve\">\n  <n1:elem2 xmlns:n1=\"http://example.net\" xml:lang=\"en\">\n    <n3:stuff \
                     xmlns:n3=\"ftp://example.org\"/>\n  </n1:elem2>\n</n2:pdu>";
        let expected = "<n1:elem2 xmlns:n1=\"http://example.net\" xml:lang=\"en\">\n    <n3:stuff \
                        xmlns:n3=\"ftp://example.org\"></n3:stuff>\n  </n1:elem2>";
        assert_eq!(of(one, "elem2", ""), expected);
        assert_eq!(of(other, "elem2", ""), expected);
    }

    #[test]
    fn a_declaration_is_written_where_it_is_used_and_what_was_written_around_it_says_something_else() {
        let rows = [
            ("<a xmlns:p=\"urn:p\"><b><p:c/></b></a>", "", "<a><b><p:c xmlns:p=\"urn:p\"></p:c></b></a>"),
            (
                "<p:a xmlns:p=\"urn:p\"><p:b xmlns:p=\"urn:q\"><p:c xmlns:p=\"urn:p\"/></p:b><p:d/></p:a>",
                "",
                "<p:a xmlns:p=\"urn:p\"><p:b xmlns:p=\"urn:q\"><p:c xmlns:p=\"urn:p\"></p:c></p:b><p:d></p:d></p:a>",
            ),
            // The default is undone where it was written, and nowhere else.
            ("<a xmlns=\"urn:a\"><b xmlns=\"\"/></a>", "", "<a xmlns=\"urn:a\"><b xmlns=\"\"></b></a>"),
            ("<a><b xmlns=\"\"/></a>", "", "<a><b></b></a>"),
            // An attribute uses its prefix; one without a prefix does not use the default.
            (
                "<p:a xmlns:p=\"urn:p\" xmlns=\"urn:d\" xmlns:q=\"urn:q\" z=\"1\" q:b=\"2\"/>",
                "",
                "<p:a xmlns:p=\"urn:p\" xmlns:q=\"urn:q\" z=\"1\" q:b=\"2\"></p:a>",
            ),
            // Attributes by the name of their namespace, not by its prefix.
            (
                "<a xmlns:x=\"urn:2\" xmlns:y=\"urn:1\" x:a=\"\" y:a=\"\" b=\"\"/>",
                "",
                "<a xmlns:x=\"urn:2\" xmlns:y=\"urn:1\" b=\"\" y:a=\"\" x:a=\"\"></a>",
            ),
            // A prefix of the list is written at the top although nobody there uses it.
            ("<a xmlns:p=\"urn:p\"><b t=\"p:x\"/></a>", "p", "<a xmlns:p=\"urn:p\"><b t=\"p:x\"></b></a>"),
            (
                "<a xmlns=\"urn:d\" xmlns:p=\"urn:p\"><p:b/></a>",
                "#default q",
                "<a xmlns=\"urn:d\"><p:b xmlns:p=\"urn:p\"></p:b></a>",
            ),
        ];
        for (text, list, expected) in rows {
            assert_eq!(of(text, "a", list), expected, "{text} [{list}]");
        }
    }

    #[test]
    fn text_and_values_have_one_spelling() {
        let text = "<a v='\"&#9;&#10;&#13; &lt;&amp;&gt;\n\t&#65;'>\r\n&lt;&gt;&amp;\"&#13;\r&#x41;\u{e4}</a>";
        let expected = "<a v=\"&quot;&#x9;&#xA;&#xD; &lt;&amp;>  A\">\n&lt;&gt;&amp;\"&#xD;\nA\u{e4}</a>";
        assert_eq!(of(text, "a", ""), expected);
        // What is canonical stays as it is.
        assert_eq!(of(expected, "a", ""), expected);
    }

    #[test]
    fn what_grows_too_long_is_given_up() {
        let text = format!("<a xmlns:p=\"urn:{}\">{}</a>", "x".repeat(240), "<p:b/>".repeat(2000));
        let document = Document::parse(text.as_bytes(), 3000).unwrap();
        assert_eq!(canonical(&document, 0, None, &[]), Err(TooLong));
    }
}
