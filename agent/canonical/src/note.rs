//! A checkpoint's line: its note as one JSON string, written one way.

use crate::json::Rest;

/// How the line begins.
pub const CHECKPOINT: &[u8] = b"{\"checkpoint\":\"";
const END: &[u8] = b"\"}";
/// The only characters of a note that are escaped, and how.
const ESCAPES: [(&str, &str); 2] = [("\n", "\\n"), ("\u{2014}", "\\u2014")];

/// The line of a note.
pub fn line(note: &str) -> Vec<u8> {
    let escaped = ESCAPES.iter().fold(note.to_owned(), |text, (letter, escape)| text.replace(letter, escape));
    [CHECKPOINT, escaped.as_bytes(), END].concat()
}

/// The note of a line; none where the line is written any other way.
pub fn note(line: &[u8]) -> Option<String> {
    let mut rest = Rest(line);
    rest.literal(CHECKPOINT)?;
    let mut note = Vec::with_capacity(line.len());
    loop {
        note.extend_from_slice(rest.simple());
        if rest.0 == END {
            return String::from_utf8(note).ok();
        }
        let (letter, _) = ESCAPES.iter().find(|(_, escape)| rest.literal(escape.as_bytes()).is_some())?;
        note.extend_from_slice(letter.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_is_written_and_no_other_way() {
        let written = line("longhorn/a\n1\nAAAA\n\n\u{2014} longhorn/a BBBB\n");
        assert_eq!(note(&written).map(|note| line(&note)), Some(written.clone()));
        for place in 0..=written.len() {
            let (before, after) = written.split_at(place);
            for byte in 0..=u8::MAX {
                let more = [before, &[byte], after].concat();
                assert!(note(&more).is_none_or(|note| line(&note) == more), "{byte} put in at {place}");
                let Some((_, after)) = after.split_first() else { continue };
                let other = [before, &[byte], after].concat();
                assert!(note(&other).is_none_or(|note| line(&note) == other), "{byte} at {place}");
            }
            assert!(note(before).is_none() || place == written.len(), "cut at {place}");
        }
    }
}
