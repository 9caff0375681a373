//! The small vocabulary of the log's byte formats: variable-length numbers and texts.
//!
//! A number is LEB128 (7 bits a byte, low bits first); a text is its length in bytes as such a
//! number, then UTF-8. Left out: any other type; the entry needs no more.

/// Appends a number.
pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a text, cut at a character's border when it is longer than `max` bytes; a cut text ends
/// with an ellipsis.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str, max: usize) {
    const ELLIPSIS: &str = "…";
    if text.len() <= max {
        put_number(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut end = max.saturating_sub(ELLIPSIS.len());
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let kept = text.get(..end).unwrap_or_default();
    put_number(out, (kept.len() + ELLIPSIS.len()) as u64);
    out.extend_from_slice(kept.as_bytes());
    out.extend_from_slice(ELLIPSIS.as_bytes());
}

/// Reads what the functions above wrote. Every method is `None` at the end or on nonsense.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Only the shortest form of a number is read, so that equal entries have equal bytes.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return None;
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return (byte != 0 || shift == 0).then_some(value);
            }
        }
        None
    }

    pub(crate) fn length(&mut self, max: usize) -> Option<usize> {
        self.number().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= max)
    }

    pub(crate) fn text(&mut self, max: usize) -> Option<&'a str> {
        let length = self.length(max)?;
        std::str::from_utf8(self.take(length)?).ok()
    }
}
