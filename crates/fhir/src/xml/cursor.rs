//! A place in the text, and the steps that XML needs from it. Steps never go back.

use super::fault::XmlFaultKind;
use super::text;
use memchr::memmem;

/// A fault and its byte.
pub(super) type Fault = (XmlFaultKind, usize);
pub(super) type Step<T = ()> = Result<T, Fault>;

/// A part of the text, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'x> {
    pub(super) text: &'x str,
    pub(super) at: usize,
}

impl<'x> Cursor<'x> {
    pub(super) fn new(text: &'x str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn slice(&self, span: Span) -> &'x str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &'x [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Steps over white space; says whether there was any.
    pub(super) fn space(&mut self) -> bool {
        let start = self.at;
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
        self.at > start
    }

    /// Steps over these bytes if they are next.
    pub(super) fn eat(&mut self, bytes: &[u8]) -> bool {
        let is_next = self.rest().starts_with(bytes);
        if is_next {
            self.at += bytes.len();
        }
        is_next
    }

    pub(super) fn unexpected<T>(&self) -> Step<T> {
        let kind =
            if self.at < self.text.len() { XmlFaultKind::UnexpectedCharacter } else { XmlFaultKind::UnexpectedEnd };
        Err((kind, self.at))
    }

    pub(super) fn expect(&mut self, bytes: &[u8]) -> Step {
        if self.eat(bytes) { Ok(()) } else { self.unexpected() }
    }

    /// The span from here up to these bytes, and steps over them.
    pub(super) fn until(&mut self, bytes: &[u8]) -> Step<Span> {
        let Some(len) = memmem::find(self.rest(), bytes) else {
            return Err((XmlFaultKind::UnexpectedEnd, self.text.len()));
        };
        let span = Span { start: self.at, end: self.at + len };
        self.at = span.end + bytes.len();
        Ok(span)
    }

    /// The span from here up to this byte, and steps over it.
    pub(super) fn until_byte(&mut self, byte: u8) -> Step<Span> {
        let Some(len) = memchr::memchr(byte, self.rest()) else {
            return Err((XmlFaultKind::UnexpectedEnd, self.text.len()));
        };
        let span = Span { start: self.at, end: self.at + len };
        self.at = span.end + 1;
        Ok(span)
    }

    /// A name of an element or attribute, with its prefix. All names of FHIR and XHTML are ASCII.
    pub(super) fn name(&mut self) -> Step<Span> {
        let start = self.at;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b':') = self.peek() {
            self.at += 1;
        }
        let span = Span { start, end: self.at };
        match self.peek() {
            None => Err((XmlFaultKind::UnexpectedEnd, self.at)),
            Some(b' ' | b'\n' | b'\r' | b'\t' | b'=' | b'>' | b'/' | b'?') if is_name(self.slice(span)) => Ok(span),
            Some(_) if span.start == span.end => self.unexpected(),
            Some(_) => Err((XmlFaultKind::InvalidName, start)),
        }
    }

    /// Steps over a comment, its `<!--` being behind.
    pub(super) fn comment(&mut self) -> Step {
        let start = self.at;
        let inner = self.until(b"--")?;
        if self.eat(b">") { Ok(()) } else { Err((XmlFaultKind::InvalidComment, inner.end.max(start))) }
    }

    /// Steps over a processing instruction, its `<?` being behind.
    pub(super) fn instruction(&mut self) -> Step {
        let start = self.at;
        let inner = self.until(b"?>")?;
        let text = self.slice(inner);
        let target = text.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        let is_right = is_name(target) && !target.contains(':') && !target.eq_ignore_ascii_case("xml");
        if is_right { Ok(()) } else { Err((XmlFaultKind::InvalidInstruction, start)) }
    }

    /// A quoted value, from its quote on; its references are right.
    pub(super) fn quoted(&mut self) -> Step<Span> {
        let Some(quote @ (b'"' | b'\'')) = self.peek() else { return self.unexpected() };
        self.at += 1;
        let span = self.until_byte(quote)?;
        let value = self.slice(span).as_bytes();
        if let Some(at) = memchr::memchr(b'<', value) {
            return Err((XmlFaultKind::UnexpectedCharacter, span.start + at));
        }
        text::check_references(value).map_err(|(kind, at)| (kind, span.start + at))?;
        Ok(span)
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && text.is_ascii()
}
