//! As much of JSON as our writer writes, read in one pass: where it says nothing, it is for a whole parser to decide.

/// What is still to be read.
pub struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    /// These bytes, and nothing consumed where they do not come next.
    pub fn literal(&mut self, text: &[u8]) -> Option<()> {
        let (head, rest) = self.0.split_at_checked(text.len())?;
        same(head, text).then(|| self.0 = rest)
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A string without escapes; what stands between its quotes.
    pub fn plain(&mut self) -> Option<&'a [u8]> {
        self.byte(b'"')?;
        let text = self.simple();
        self.byte(b'"')?;
        Some(text)
    }

    /// As many bytes as stand for themselves in a string.
    pub fn simple(&mut self) -> &'a [u8] {
        let (text, rest) = self.0.split_at(simple(self.0));
        self.0 = rest;
        text
    }

    /// Digits without a leading zero: their value, if they are not too many for one, and how many.
    fn digits(&mut self) -> Option<(u64, usize)> {
        let (mut value, mut length) = (0u64, 0);
        while let Some(digit @ b'0'..=b'9') = self.0.get(length) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            length += 1;
        }
        let leading = length > 1 && self.0.first() == Some(&b'0');
        self.0 = self.0.get(length..)?;
        (length > 0 && !leading).then_some((value, length))
    }

    /// A number that fits.
    pub fn number(&mut self) -> Option<u64> {
        // 19 digits always fit.
        self.digits().filter(|(_, length)| *length < 20).map(|(value, _)| value)
    }

    /// A number that fits in 32 bits.
    pub fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// Any string.
    fn string(&mut self) -> Option<()> {
        self.byte(b'"')?;
        loop {
            self.simple();
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        let (digits, rest) = self.0.split_at_checked(4)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        self.0 = rest;
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// Any value that nests no deeper than `depth`.
    pub fn value(&mut self, depth: u32) -> Option<()> {
        match self.0.first()? {
            b'"' => self.string(),
            b'{' => self.entries(b'}', depth, |rest, depth| {
                rest.string()?;
                rest.byte(b':')?;
                rest.value(depth)
            }),
            b'[' => self.entries(b']', depth, Self::value),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.digits().map(drop),
        }
    }

    fn entries(&mut self, close: u8, depth: u32, entry: fn(&mut Self, u32) -> Option<()>) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.next()?;
        if self.0.first() == Some(&close) {
            return self.next().map(drop);
        }
        loop {
            entry(self, depth)?;
            match self.next()? {
                b',' => {}
                end if end == close => return Some(()),
                _ => return None,
            }
        }
    }
}

/// Word by word: in a C library that is made to be small, it is byte by byte.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (others, end)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    one.len() == other.len()
        && words.iter().zip(others).all(|(one, other)| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other))
        && rest.iter().zip(end).all(|(one, other)| one == other)
}

/// How many bytes from the start stand for themselves in a string: ASCII, no control, no quote, no backslash.
fn simple(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let (words, _) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Sets the high bit of each byte that is below `limit`, and perhaps of bytes after such a one.
        let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
        let special =
            below(word, 0x20) | below(word ^ (ONES * u64::from(b'"')), 1) | below(word ^ (ONES * u64::from(b'\\')), 1) | word;
        if special & HIGH != 0 {
            return at * 8 + (special & HIGH).trailing_zeros() as usize / 8;
        }
    }
    let rest = &text[words.len() * 8..];
    let special = |byte: &u8| !matches!(byte, b' '..=0x7f) || matches!(byte, b'"' | b'\\');
    words.len() * 8 + rest.iter().position(special).unwrap_or(rest.len())
}
