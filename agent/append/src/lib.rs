//! Short texts behind one another, as whoever writes JSON or XML puts them. A copy whose length is not known is a call, and
//! musl's takes longer to begin than the few bytes of a name take (agent/design/0046).
#![forbid(unsafe_code)]

/// Puts bytes behind those that are there.
#[inline]
pub fn append(bytes: &[u8], out: &mut Vec<u8>) {
    match bytes.len() {
        0..4 => bytes.iter().for_each(|byte| out.push(*byte)),
        4..8 => ends::<4>(bytes, out),
        8..16 => ends::<8>(bytes, out),
        16..=32 => ends::<16>(bytes, out),
        _ => out.extend_from_slice(bytes),
    }
}

/// Of up to twice so many bytes the first ones and the last ones, which may overlap: blocks of a known length are no calls.
fn ends<const BLOCK: usize>(bytes: &[u8], out: &mut Vec<u8>) {
    let (Some(first), Some(last)) = (bytes.first_chunk::<BLOCK>(), bytes.last_chunk::<BLOCK>()) else { return };
    let end = out.len() + bytes.len();
    out.extend_from_slice(first);
    out.truncate(end - BLOCK);
    out.extend_from_slice(last);
}

#[cfg(test)]
mod tests {
    use super::append;

    #[test]
    fn texts_of_every_length_stand_behind_what_is_there() {
        let text: Vec<u8> = (0..100).collect();
        for length in 0..text.len() {
            let mut out = b"before".to_vec();
            append(&text[..length], &mut out);
            append(b"behind", &mut out);
            assert_eq!(out, [b"before", &text[..length], b"behind"].concat(), "{length}");
        }
    }
}
