//! A small pull reader for the XML of classifications: elements, attributes, text, in a stream.
//!
//! SPEC: XML 1.0. Left out on purpose: a DTD's internal subset and entities other than the five of XML and
//! numbers are refused; comments, processing instructions and the name of an external DTD are passed over
//! (nothing is fetched). That tags match each other is not checked: files are read for their facts.

use super::rows::{Lines, ReadError};

/// Bytes of one tag, comment or stretch of text.
const TOKEN_BYTES_MAX: usize = 1 << 20;

/// What comes next.
pub(crate) enum Event {
    /// Name and attributes.
    Start(String, Vec<(String, String)>),
    End(String),
    /// A stretch of text; long ones come in several.
    Text(String),
    Done,
}

/// The reader's state between two events.
pub(crate) struct Tokens {
    /// The rest of what was read.
    buffer: String,
    at: usize,
    /// The end of an element without content.
    pending: Option<String>,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        Self { buffer: String::new(), at: 0, pending: None }
    }

    fn rest(&self) -> &str {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Reads another line; `false` at the end.
    fn more(&mut self, lines: &mut Lines<'_>) -> Result<bool, ReadError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        if self.buffer.len() > TOKEN_BYTES_MAX {
            return Err(ReadError::Line(lines.line(), "a tag or comment is longer than 1 MiB"));
        }
        let Some(line) = lines.next()? else { return Ok(false) };
        self.buffer.push_str(line);
        self.buffer.push('\n');
        Ok(true)
    }

    /// Passes over everything up to and with `end`, and gives it.
    fn until(&mut self, lines: &mut Lines<'_>, end: &str) -> Result<String, ReadError> {
        let mut from = 0;
        loop {
            if let Some(found) = self.rest().get(from..).and_then(|rest| rest.find(end)) {
                let text = self.rest().get(..from + found).unwrap_or_default().to_owned();
                self.at += from + found + end.len();
                return Ok(text);
            }
            // What was searched need not be searched again, but for the start of an end.
            from = self.rest().len().saturating_sub(end.len());
            while !self.rest().is_char_boundary(from) {
                from -= 1;
            }
            if !self.more(lines)? {
                return Err(ReadError::Line(lines.line(), "the file ends within a tag or comment"));
            }
        }
    }

    /// The next event.
    pub(crate) fn next(&mut self, lines: &mut Lines<'_>) -> Result<Event, ReadError> {
        if let Some(name) = self.pending.take() {
            return Ok(Event::End(name));
        }
        loop {
            if self.rest().is_empty() && !self.more(lines)? {
                return Ok(Event::Done);
            }
            let Some(tag) = self.rest().strip_prefix('<') else {
                let end = self.rest().find('<').unwrap_or(self.rest().len());
                let text = self.rest().get(..end).unwrap_or_default().to_owned();
                self.at += end;
                return Ok(Event::Text(unescaped(&text, lines.line())?));
            };
            if "<!--".starts_with(self.rest().get(..4.min(self.rest().len())).unwrap_or("-")) && tag.starts_with("!--")
            {
                self.at += 4;
                self.until(lines, "-->")?;
            } else if tag.starts_with("![CDATA[") {
                self.at += 9;
                return Ok(Event::Text(self.until(lines, "]]>")?));
            } else if tag.starts_with('?') {
                self.until(lines, "?>")?;
            } else if tag.starts_with('!') {
                if self.until(lines, ">")?.contains('[') {
                    return Err(ReadError::Line(lines.line(), "a DTD within the file is refused"));
                }
            } else if tag.starts_with('/') {
                self.at += 2;
                return Ok(Event::End(self.until(lines, ">")?.trim().to_owned()));
            } else {
                self.at += 1;
                return self.start(lines);
            }
        }
    }

    /// A start tag, after its `<`. Quoted values may hold `>`.
    fn start(&mut self, lines: &mut Lines<'_>) -> Result<Event, ReadError> {
        let mut tag = self.until(lines, ">")?;
        let mut quote = open_quote(None, &tag);
        while quote.is_some() {
            let more = self.until(lines, ">")?;
            quote = open_quote(quote, &more);
            tag.push('>');
            tag.push_str(&more);
            if tag.len() > TOKEN_BYTES_MAX {
                return Err(ReadError::Line(lines.line(), "a tag is longer than 1 MiB"));
            }
        }
        let is_empty = tag.ends_with('/');
        let tag = tag.strip_suffix('/').unwrap_or(&tag);
        let end = tag.find(char::is_whitespace).unwrap_or(tag.len());
        let (name, mut rest) = tag.split_at_checked(end).unwrap_or((tag, ""));
        if name.is_empty() {
            return Err(ReadError::Line(lines.line(), "a tag has no name"));
        }
        let mut attributes = Vec::new();
        let bad = || ReadError::Line(lines.line(), "an attribute is not `name=\"value\"`");
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                break;
            }
            let (key, after) = rest.split_once('=').ok_or_else(bad)?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|one| matches!(one, '"' | '\'')).ok_or_else(bad)?;
            let (value, more) = after.get(1..).and_then(|after| after.split_once(quote)).ok_or_else(bad)?;
            attributes.push((key.trim().to_owned(), unescaped(value, lines.line())?));
            rest = more;
        }
        if is_empty {
            self.pending = Some(name.to_owned());
        }
        Ok(Event::Start(name.to_owned(), attributes))
    }
}

/// The quote that is open after a further part of a tag.
fn open_quote(mut quote: Option<char>, part: &str) -> Option<char> {
    for one in part.chars() {
        match (quote, one) {
            (None, '"' | '\'') => quote = Some(one),
            (Some(open), one) if open == one => quote = None,
            _ => {}
        }
    }
    quote
}

fn unescaped(text: &str, line: u64) -> Result<String, ReadError> {
    if !text.contains('&') {
        return Ok(text.to_owned());
    }
    let bad = || ReadError::Line(line, "an entity is not one of XML's own");
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, more) = after.split_once(';').ok_or_else(bad)?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let number = number.strip_prefix('#').ok_or_else(bad)?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                code.ok().and_then(char::from_u32).ok_or_else(bad)?
            }
        });
        rest = more;
    }
    out.push_str(rest);
    Ok(out)
}
