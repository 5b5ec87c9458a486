//! A small writer of BER and DER, and a reader that is just enough to find names and numbers in certificates of our own.

/// One value with a definite length.
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut whole = vec![tag];
    match content.len() {
        short @ 0..=0x7f => whole.push(u8::try_from(short).unwrap_or(0)),
        long => {
            let bytes = long.to_be_bytes();
            let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
            whole.push(0x80 | u8::try_from(bytes.len() - from).unwrap_or(0));
            whole.extend_from_slice(&bytes[from..]);
        }
    }
    whole.extend_from_slice(content);
    whole
}

/// The same with an indefinite length.
pub fn open_ended(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80][..], content, &[0, 0]].concat()
}

/// A SEQUENCE of these.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

/// The first value of some bytes: whole, its content, and what is behind it.
///
/// # Panics
/// When it is none: it is read only of what was made here.
pub fn first(bytes: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let (head, length) = match bytes[1] {
        short @ 0..=0x7f => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            (2 + count, bytes[2..2 + count].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    };
    (&bytes[..head + length], &bytes[head..head + length], &bytes[head + length..])
}

/// Issuer, whole, and serial number, whole, of a certificate.
pub fn issuer_and_serial(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (_, outer, _) = first(certificate);
    let (_, body, _) = first(outer);
    let (_, _, behind_version) = first(body);
    let (serial, _, behind_serial) = first(behind_version);
    let (_, _, behind_algorithm) = first(behind_serial);
    let (issuer, _, _) = first(behind_algorithm);
    (issuer.to_vec(), serial.to_vec())
}
