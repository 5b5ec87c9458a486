//! DER, read strictly: one encoding for one value (X.690 §10), every byte accounted for.

use super::error::Pkcs7Error;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, with parts.
pub(super) const CONTEXT_0: u8 = 0xa0;
/// `[1]`, with parts.
pub(super) const CONTEXT_1: u8 = 0xa1;

/// A SET OF with this inside.
pub(super) fn set_of(content: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(content.len() + 5);
    super::ber::put(&mut whole, SET, content);
    whole
}

/// One value after the other.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn next_is(&self, tag: u8) -> bool {
        self.rest.first() == Some(&tag)
    }

    /// The content of the next value, which must have this tag.
    pub(super) fn read(&mut self, tag: u8, expected: &'static str) -> Result<&'a [u8], Pkcs7Error> {
        self.read_whole(tag, expected).map(|(_, content)| content)
    }

    /// The same with tag and length before it.
    pub(super) fn read_whole(&mut self, tag: u8, expected: &'static str) -> Result<(&'a [u8], &'a [u8]), Pkcs7Error> {
        if self.next_is(tag) { self.any(expected) } else { Err(Pkcs7Error::Malformed(expected)) }
    }

    /// A reader of what is inside the next value.
    pub(super) fn enter(&mut self, tag: u8, expected: &'static str) -> Result<Reader<'a>, Pkcs7Error> {
        self.read(tag, expected).map(Reader::new)
    }

    /// The next value, if it has this tag.
    pub(super) fn optional(&mut self, tag: u8, expected: &'static str) -> Result<Option<&'a [u8]>, Pkcs7Error> {
        if self.next_is(tag) { self.read(tag, expected).map(Some) } else { Ok(None) }
    }

    /// The next value, whatever it is: whole, and its content.
    pub(super) fn any(&mut self, expected: &'static str) -> Result<(&'a [u8], &'a [u8]), Pkcs7Error> {
        let malformed = Pkcs7Error::Malformed(expected);
        let (head, length) = match *self.rest {
            [_, short @ 0..=0x7f, ..] => (2, usize::from(short)),
            [_, 0x81, one @ 0x80..=0xff, ..] => (3, usize::from(one)),
            [_, 0x82, high @ 1..=0xff, low, ..] => (4, usize::from(high) << 8 | usize::from(low)),
            // A document has at most 64 KiB; its lengths fit three bytes.
            [_, 0x83, high @ 1..=0xff, middle, low, ..] => {
                (5, usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low))
            }
            _ => return Err(malformed),
        };
        let whole = self.rest.get(..head + length).ok_or(malformed)?;
        self.rest = &self.rest[head + length..];
        Ok((whole, &whole[head..]))
    }

    /// Nothing may be left.
    pub(super) fn finish(self, expected: &'static str) -> Result<(), Pkcs7Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(Pkcs7Error::Malformed(expected)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_encoding() {
        let read = |bytes: &[u8]| Reader::new(bytes).any("a value").map(|(_, content)| content.len());
        assert_eq!(read(&[0x04, 0x01, 0x61]), Ok(1));
        assert_eq!(read(&[&[0x04, 0x81, 0x80][..], &[0; 128]].concat()), Ok(128));
        for bytes in [
            &[][..],
            &[0x04],
            &[0x04, 0x02, 0x61],
            &[0x04, 0x80, 0, 0],
            &[0x04, 0x81, 0x01, 0x61],
            &[0x04, 0x82, 0x00, 0x01, 0x61],
            &[0x04, 0x84, 0, 0, 0, 1, 0x61],
        ] {
            assert_eq!(read(bytes), Err(Pkcs7Error::Malformed("a value")), "{bytes:02x?}");
        }
    }
}
