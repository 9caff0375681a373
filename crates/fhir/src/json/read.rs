//! The reader: one pass, no recursion deeper than [`limits::DEPTH_MAX`], no copy.

use super::tree::{Kind, Node, Tree};
use crate::limits;
use bytes::Bytes;
use std::fmt;

/// Why a body is not acceptable JSON, and where. Holds none of the body's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonError {
    /// Why.
    pub kind: JsonErrorKind,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The reasons for refusing a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Display says each in a sentence")]
pub enum JsonErrorKind {
    TooLong,
    TooDeep,
    TooManyMembers,
    TooManyValues,
    InvalidUtf8,
    LoneSurrogate,
    ControlCharacter,
    NulCharacter,
    InvalidEscape,
    EscapedName,
    DuplicateName,
    NameTooLong,
    InvalidNumber,
    UnexpectedEnd,
    UnexpectedCharacter,
    TrailingData,
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the body is longer than this server accepts",
            Self::TooDeep => "arrays and objects are nested deeper than this server accepts",
            Self::TooManyMembers => "an object has more members than any FHIR type",
            Self::TooManyValues => "the body holds more values than this server accepts",
            Self::InvalidUtf8 => "the text is not valid UTF-8",
            Self::LoneSurrogate => "a \\u escape names half of a surrogate pair",
            Self::ControlCharacter => "a control character must be escaped inside a string",
            Self::NulCharacter => "FHIR strings cannot hold the NUL character",
            Self::InvalidEscape => "not an escape that JSON knows",
            Self::EscapedName => "member names of FHIR need no escapes, and none are accepted",
            Self::DuplicateName => "this member name stands twice in the object",
            Self::NameTooLong => "no FHIR member name is this long",
            Self::InvalidNumber => "not a JSON number",
            Self::UnexpectedEnd => "the body ends too early",
            Self::UnexpectedCharacter => "not the character that JSON expects here",
            Self::TrailingData => "there is more after the end of the JSON value",
        })
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}

impl std::error::Error for JsonError {}

/// Line and column (from 1, in characters) of a byte.
pub(crate) fn position(bytes: &[u8], offset: usize) -> (u32, u32) {
    let before = bytes.get(..offset.min(bytes.len())).unwrap_or_default();
    let line = memchr::memchr_iter(b'\n', before).count();
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let column = before.iter().skip(line_start).filter(|b| (**b & 0xC0) != 0x80).count();
    (u32::try_from(line + 1).unwrap_or(u32::MAX), u32::try_from(column + 1).unwrap_or(u32::MAX))
}

pub(super) fn read(bytes: Bytes) -> Result<Tree, JsonError> {
    read_or_offset(bytes.clone()).map_err(|(kind, at)| {
        let (line, column) = position(&bytes, at);
        JsonError { kind, line, column }
    })
}

/// Reads, and says of a fault the byte at which it is.
pub(super) fn read_or_offset(bytes: Bytes) -> Result<Tree, Fault> {
    if bytes.len() > limits::BODY_BYTES_MAX {
        return Err((JsonErrorKind::TooLong, 0));
    }
    if let Err(error) = std::str::from_utf8(&bytes) {
        return Err((JsonErrorKind::InvalidUtf8, error.valid_up_to()));
    }
    let mut reader = Reader { bytes: &bytes, at: 0, nodes: Vec::with_capacity(bytes.len() / 16 + 4) };
    reader.document()?;
    let nodes = std::mem::take(&mut reader.nodes);
    Ok(Tree { bytes, nodes, origin: None })
}

/// Whether a text is a JSON number.
pub(crate) fn is_number(text: &str) -> bool {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0, nodes: Vec::new() };
    matches!(reader.peek(), Some(b'-' | b'0'..=b'9')) && reader.number().is_ok() && reader.at == text.len()
}

/// Members of an object whose names are compared one with another; those of a wider object are
/// sorted, so that no body costs more than in proportion to its length.
const MEMBERS_SCANNED: usize = 32;

pub(super) type Fault = (JsonErrorKind, usize);
type Step<T = ()> = Result<T, Fault>;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Reader<'_> {
    fn document(&mut self) -> Step {
        self.space();
        self.value(0, 0, 0)?;
        self.space();
        if self.at < self.bytes.len() { Err((JsonErrorKind::TrailingData, self.at)) } else { Ok(()) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn unexpected<T>(&self) -> Step<T> {
        let kind =
            if self.at < self.bytes.len() { JsonErrorKind::UnexpectedCharacter } else { JsonErrorKind::UnexpectedEnd };
        Err((kind, self.at))
    }

    fn expect(&mut self, byte: u8) -> Step {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            self.unexpected()
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the body is shorter than 4 GiB, checked in read()")]
    fn value(&mut self, name_start: usize, name_len: u16, depth: usize) -> Step {
        let index = self.nodes.len();
        if index >= limits::NODES_MAX {
            return Err((JsonErrorKind::TooManyValues, self.at));
        }
        let start = self.at;
        self.nodes.push(Node {
            start: start as u32,
            end: 0,
            skip: 0,
            name_start: name_start as u32,
            name_len,
            kind: Kind::Null,
            escaped: false,
        });
        let mut escaped = false;
        let kind = match self.peek() {
            Some(b'"') => {
                escaped = self.string()?;
                Kind::String
            }
            Some(b'{') => {
                self.object(index, depth + 1)?;
                Kind::Object
            }
            Some(b'[') => {
                self.array(depth + 1)?;
                Kind::Array
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.literal(b"true", Kind::Bool)?,
            Some(b'f') => self.literal(b"false", Kind::Bool)?,
            Some(b'n') => self.literal(b"null", Kind::Null)?,
            _ => return self.unexpected(),
        };
        let skip = self.nodes.len() as u32;
        if let Some(node) = self.nodes.get_mut(index) {
            node.end = self.at as u32;
            node.skip = skip;
            node.kind = kind;
            node.escaped = escaped;
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Step<Kind> {
        for byte in word {
            self.expect(*byte)?;
        }
        Ok(kind)
    }

    fn object(&mut self, index: usize, depth: usize) -> Step {
        if depth > limits::DEPTH_MAX {
            return Err((JsonErrorKind::TooDeep, self.at));
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut members = 0usize;
        loop {
            members += 1;
            if members > limits::MEMBERS_MAX {
                return Err((JsonErrorKind::TooManyMembers, self.at));
            }
            let quote = self.at;
            if self.peek() != Some(b'"') {
                return self.unexpected();
            }
            if self.string()? {
                return Err((JsonErrorKind::EscapedName, quote));
            }
            let name = quote + 1..self.at - 1;
            let Ok(name_len) = u16::try_from(name.len()) else {
                return Err((JsonErrorKind::NameTooLong, quote));
            };
            if members <= MEMBERS_SCANNED && self.holds_name(index, name.start, name.len()) {
                return Err((JsonErrorKind::DuplicateName, quote));
            }
            self.space();
            self.expect(b':')?;
            self.space();
            self.value(name.start, name_len, depth)?;
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.space();
                }
                Some(b'}') => {
                    self.at += 1;
                    return if members > MEMBERS_SCANNED { self.all_names_differ(index) } else { Ok(()) };
                }
                _ => return self.unexpected(),
            }
        }
    }

    /// Refuses the second of two equal names in the object at `index`, the last one read.
    fn all_names_differ(&self, index: usize) -> Step {
        let mut names: Vec<(&[u8], usize)> = Vec::with_capacity(limits::MEMBERS_MAX);
        let mut child = index + 1;
        while let Some(node) = self.nodes.get(child) {
            let at = node.name_start as usize;
            names.push((self.bytes.get(at..at + usize::from(node.name_len)).unwrap_or_default(), at));
            child = (node.skip as usize).max(child + 1);
        }
        names.sort_unstable();
        let mut pairs = names.iter().zip(names.iter().skip(1));
        match pairs.find(|((a, _), (b, _))| a == b) {
            Some((_, (_, second))) => Err((JsonErrorKind::DuplicateName, second.saturating_sub(1))),
            None => Ok(()),
        }
    }

    /// Whether the object at `index`, read so far, has a member of this name.
    fn holds_name(&self, index: usize, start: usize, len: usize) -> bool {
        let name = self.bytes.get(start..start + len);
        let mut child = index + 1;
        while let Some(node) = self.nodes.get(child) {
            let at = node.name_start as usize;
            if usize::from(node.name_len) == len && self.bytes.get(at..at + len) == name {
                return true;
            }
            child = (node.skip as usize).max(child + 1);
        }
        false
    }

    fn array(&mut self, depth: usize) -> Step {
        if depth > limits::DEPTH_MAX {
            return Err((JsonErrorKind::TooDeep, self.at));
        }
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(0, 0, depth)?;
            self.space();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.space();
                }
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.unexpected(),
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Step {
        let start = self.at;
        let fault = Err((JsonErrorKind::InvalidNumber, start));
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return fault;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return fault;
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return fault;
            }
        }
        Ok(())
    }

    /// Reads a string from its opening quote past its closing one; says whether it holds escapes.
    fn string(&mut self) -> Step<bool> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(stop) = rest.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20) else {
                return Err((JsonErrorKind::UnexpectedEnd, self.bytes.len()));
            };
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err((JsonErrorKind::ControlCharacter, self.at)),
            }
        }
    }

    fn escape(&mut self) -> Step {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                match self.hex4(start)? {
                    0 => Err((JsonErrorKind::NulCharacter, start)),
                    0xD800..=0xDBFF => {
                        if self.peek() != Some(b'\\') || self.bytes.get(self.at + 1) != Some(&b'u') {
                            return Err((JsonErrorKind::LoneSurrogate, start));
                        }
                        self.at += 2;
                        match self.hex4(start)? {
                            0xDC00..=0xDFFF => Ok(()),
                            _ => Err((JsonErrorKind::LoneSurrogate, start)),
                        }
                    }
                    0xDC00..=0xDFFF => Err((JsonErrorKind::LoneSurrogate, start)),
                    _ => Ok(()),
                }
            }
            Some(_) => Err((JsonErrorKind::InvalidEscape, start)),
            None => self.unexpected(),
        }
    }

    fn hex4(&mut self, start: usize) -> Step<u32> {
        let Some(digits) = self.bytes.get(self.at..self.at + 4) else {
            return Err((JsonErrorKind::UnexpectedEnd, self.bytes.len()));
        };
        let mut unit = 0u32;
        for digit in digits {
            let Some(number) = char::from(*digit).to_digit(16) else {
                return Err((JsonErrorKind::InvalidEscape, start));
            };
            unit = unit * 16 + number;
        }
        self.at += 4;
        Ok(unit)
    }
}

/// Resolves the escapes of a string that the reader has accepted.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = memchr::memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        out.push_str(plain);
        let mut chars = escape.chars();
        chars.next();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let mut unit = || -> u32 {
                    (0..4).fold(0, |unit, _| unit * 16 + chars.next().and_then(|c| c.to_digit(16)).unwrap_or(0))
                };
                let first = unit();
                let code = if (0xD800..0xDC00).contains(&first) {
                    let mut skip_and_unit = || -> u32 {
                        chars.next();
                        chars.next();
                        (0..4).fold(0, |unit, _| unit * 16 + chars.next().and_then(|c| c.to_digit(16)).unwrap_or(0))
                    };
                    0x10000 + ((first - 0xD800) << 10) + skip_and_unit().saturating_sub(0xDC00)
                } else {
                    first
                };
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => out.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}
