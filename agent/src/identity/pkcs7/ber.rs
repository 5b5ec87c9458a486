//! BER to DER, within bounds: indefinite lengths become definite, pieces of an octet string one. Amazon signs in BER
//! (X.690 §8.1.3.6), readers of DER refuse it. What else BER allows and nobody needs is refused here.

use super::error::Pkcs7Error;

/// No document is larger, in bytes.
pub(super) const MOST: usize = 64 * 1024;
/// Nothing nests deeper: a certificate in a bag needs 14.
const DEEPEST: u8 = 32;

const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;

/// The whole of `bytes` as one DER value.
pub(super) fn to_der(bytes: &[u8]) -> Result<Vec<u8>, Pkcs7Error> {
    if bytes.len() > MOST {
        return Err(Pkcs7Error::Oversized(bytes.len()));
    }
    let mut input = Input { bytes, at: 0 };
    let mut out = Vec::with_capacity(bytes.len());
    input.value(&mut out, DEEPEST)?;
    if input.at == bytes.len() { Ok(out) } else { Err(Pkcs7Error::Malformed("nothing behind the document")) }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

enum Length {
    Definite(usize),
    Indefinite,
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8, Pkcs7Error> {
        let byte = self.bytes.get(self.at).copied().ok_or(Pkcs7Error::Malformed("a document that does not end too early"))?;
        self.at += 1;
        Ok(byte)
    }

    fn length(&mut self) -> Result<Length, Pkcs7Error> {
        let first = self.byte()?;
        match first {
            0..=0x7f => Ok(Length::Definite(usize::from(first))),
            0x80 => Ok(Length::Indefinite),
            // Four bytes of length are 4 GiB: more than any document has.
            0x81..=0x84 => {
                let mut length = 0usize;
                for _ in 0..first & 0x7f {
                    length = length << 8 | usize::from(self.byte()?);
                }
                Ok(Length::Definite(length))
            }
            _ => Err(Pkcs7Error::Malformed("lengths of at most four bytes")),
        }
    }

    /// Takes so many bytes as an input of their own: nothing inside can reach beyond its parent.
    fn take(&mut self, length: usize) -> Result<Input<'a>, Pkcs7Error> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(Pkcs7Error::Malformed("lengths that stay within the document"))?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(Input { bytes, at: 0 })
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: u8) -> Result<(), Pkcs7Error> {
        let depth = depth.checked_sub(1).ok_or(Pkcs7Error::Malformed("values nested at most 32 deep"))?;
        let tag = self.byte()?;
        if tag & 0x1f == 0x1f {
            return Err(Pkcs7Error::Malformed("tags of one byte"));
        }
        let constructed = tag & CONSTRUCTED != 0;
        let mut content = Vec::new();
        match (self.length()?, constructed) {
            (Length::Definite(length), false) => content.extend_from_slice(self.take(length)?.bytes),
            (Length::Definite(length), true) => {
                let mut inner = self.take(length)?;
                while inner.at < inner.bytes.len() {
                    inner.value(&mut content, depth)?;
                }
            }
            (Length::Indefinite, true) => {
                while self.bytes.get(self.at..self.at + 2) != Some(&[0, 0]) {
                    self.value(&mut content, depth)?;
                }
                self.at += 2;
            }
            (Length::Indefinite, false) => return Err(Pkcs7Error::Malformed("a length on whatever has no parts")),
        }
        match tag {
            // X.690 §8.7.3: the pieces are octet strings themselves; DER has them as one (§10.2).
            0x24 => put(out, OCTET_STRING, &joined(&content)?),
            // The mark of an end that ends nothing.
            0x00 => return Err(Pkcs7Error::Malformed("no end mark without a beginning")),
            tag if tag & 0xc0 == 0 && constructed && !matches!(tag, 0x30 | 0x31) => {
                return Err(Pkcs7Error::Malformed("sequences, sets and octet strings as the only ones with parts"));
            }
            tag => put(out, tag, &content),
        }
        Ok(())
    }
}

/// The pieces, which are DER by now.
fn joined(pieces: &[u8]) -> Result<Vec<u8>, Pkcs7Error> {
    let mut reader = super::der::Reader::new(pieces);
    let mut whole = Vec::with_capacity(pieces.len());
    while !reader.is_empty() {
        whole.extend_from_slice(reader.read(OCTET_STRING, "octet strings as the pieces of one")?);
    }
    Ok(whole)
}

/// Appends one value in DER.
pub(super) fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    match content.len() {
        short @ 0..=0x7f => out.push(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | significant.len() as u8);
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indefinite_lengths_and_pieces_become_der_and_der_stays_as_it_is() {
        let rows: &[(&[u8], &[u8])] = &[
            (&[0x30, 0x80, 0x02, 0x01, 0x05, 0, 0], &[0x30, 0x03, 0x02, 0x01, 0x05]),
            (&[0x24, 0x80, 0x04, 0x01, 0x61, 0x04, 0x01, 0x62, 0, 0], &[0x04, 0x02, 0x61, 0x62]),
            (&[0x24, 0x06, 0x24, 0x80, 0x04, 0x00, 0, 0], &[0x04, 0x00]),
            (&[0x30, 0x81, 0x03, 0x02, 0x01, 0x05], &[0x30, 0x03, 0x02, 0x01, 0x05]),
            (&[0x30, 0x03, 0x02, 0x01, 0x05], &[0x30, 0x03, 0x02, 0x01, 0x05]),
        ];
        for (ber, der) in rows {
            assert_eq!(to_der(ber).as_deref(), Ok(*der), "{ber:02x?}");
        }
    }

    #[test]
    fn what_has_no_end_or_no_bounds_is_refused() {
        let deep = [[0x30, 0x80].repeat(1000), vec![0; 2000]].concat();
        let rows: &[&[u8]] = &[
            &[],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x80, 0],
            &[0x30, 0x03, 0x02, 0x01],
            &[0x30, 0x03, 0x02, 0x05, 0x05],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x04, 0x80, 0, 0],
            &[0x1f, 0x81, 0x01, 0x00],
            &[0, 0],
            &[0x30, 0x02, 0, 0],
            &[0x2c, 0x03, 0x0c, 0x01, 0x61],
            &[0x24, 0x03, 0x02, 0x01, 0x61],
            &[0x30, 0x00, 0x00],
            &deep,
        ];
        for bytes in rows {
            assert!(matches!(to_der(bytes), Err(Pkcs7Error::Malformed(_))), "{:02x?}", &bytes[..bytes.len().min(16)]);
        }
        assert_eq!(to_der(&vec![0x30; MOST + 1]), Err(Pkcs7Error::Oversized(MOST + 1)));
    }
}
