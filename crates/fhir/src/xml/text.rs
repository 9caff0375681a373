//! Characters of XML: which there are, references to them, the value of an attribute, and back.
//!
//! SPEC: XML 1.0 sections 2.2, 3.3.3, 4.1, 4.6.

use super::fault::XmlFaultKind;
use memchr::{memchr, memchr3, memmem};
use std::borrow::Cow;

/// Longest text between `&` and `;`: `#x0010FFFF`.
const REFERENCE_BYTES_MAX: usize = 10;

/// Byte of the first character that XML cannot hold: controls but tab and line ends, U+FFFE, U+FFFF.
#[must_use]
pub fn forbidden_character(text: &str) -> Option<usize> {
    let text = text.as_bytes();
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let mut start = 0;
    for block in text.chunks(256) {
        // WHY: without an early end, the compiler looks at many bytes at a time.
        if block.iter().fold(false, |any, byte| any | is_control(byte)) {
            return block.iter().position(is_control).map(|at| start + at);
        }
        start += block.len();
    }
    // U+FFFE and U+FFFF.
    memmem::find_iter(text, b"\xEF\xBF").find(|at| matches!(text.get(at + 2), Some(0xBE | 0xBF)))
}

/// The character of a reference, from the bytes after its `&`, and the length up to and with its `;`.
pub(super) fn reference(after: &[u8]) -> Result<(char, usize), XmlFaultKind> {
    let window = after.get(..=REFERENCE_BYTES_MAX).unwrap_or(after);
    let Some(end) = memchr(b';', window) else {
        let named = after.first().is_some_and(u8::is_ascii_alphabetic);
        return Err(if named { XmlFaultKind::Entity } else { XmlFaultKind::InvalidReference });
    };
    let name = after.get(..end).unwrap_or_default();
    let letter = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => {
            let Some(number) = name.strip_prefix(b"#") else { return Err(XmlFaultKind::Entity) };
            numbered(number).ok_or(XmlFaultKind::InvalidReference)?
        }
    };
    Ok((letter, end + 1))
}

/// The character of this number (`65`, `x41`), when XML can hold it.
fn numbered(number: &[u8]) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(b"x") {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let digits = std::str::from_utf8(digits).ok()?;
    // WHY: from_str_radix takes a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let letter = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    let is_allowed = matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    is_allowed.then_some(letter)
}

/// Checks the references of a text; a fault says at which byte.
pub(super) fn check_references(text: &[u8]) -> Result<(), (XmlFaultKind, usize)> {
    let mut at = 0;
    while let Some(found) = memchr(b'&', text.get(at..).unwrap_or_default()) {
        at += found;
        let (_, len) = reference(text.get(at + 1..).unwrap_or_default()).map_err(|kind| (kind, at))?;
        at += 1 + len;
    }
    Ok(())
}

/// Whether the value of an attribute is more than its bytes.
pub(super) fn needs_decoding(value: &[u8]) -> bool {
    memchr(b'&', value).is_some() || memchr3(b'\t', b'\n', b'\r', value).is_some()
}

/// The value of an attribute as XML means it: references resolved, each line end and tab a blank. Its
/// references were checked.
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    if !needs_decoding(value.as_bytes()) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let mut skip = 1;
        match from.as_bytes() {
            [b'&', after @ ..] => {
                if let Ok((letter, len)) = reference(after) {
                    out.push(letter);
                    skip += len;
                }
            }
            [b'\r', b'\n', ..] => {
                out.push(' ');
                skip = 2;
            }
            _ => out.push(' '),
        }
        rest = from.get(skip..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Appends a text as the value of an attribute in double quotes.
pub(super) fn append_value(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let is_plain = memchr3(b'&', b'<', b'"', bytes).is_none()
        && memchr3(b'\t', b'\n', b'\r', bytes).is_none()
        && memchr(b'>', bytes).is_none();
    if is_plain {
        out.extend_from_slice(bytes);
        return;
    }
    let mut clean = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\t' => b"&#9;",
            b'\n' => b"&#10;",
            b'\r' => b"&#13;",
            _ => continue,
        };
        out.extend_from_slice(bytes.get(clean..at).unwrap_or_default());
        out.extend_from_slice(escape);
        clean = at + 1;
    }
    out.extend_from_slice(bytes.get(clean..).unwrap_or_default());
}
