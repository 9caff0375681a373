//! Lines, and records of comma- or tab-separated values, of a stream of any length.
//!
//! SPEC: RFC 4180 (quotes doubled, line breaks within quotes). One record at a time is in memory, of at most
//! [`RECORD_BYTES_MAX`] bytes.

use std::io::{self, BufRead};

/// Bytes of one record. The longest of LOINC have some 20,000.
pub(crate) const RECORD_BYTES_MAX: usize = 1 << 20;

/// Fields of one record. Loinc.csv has 40.
const FIELDS_MAX: usize = 512;

/// Why there is no next record.
pub(crate) enum ReadError {
    Io(io::Error),
    Line(u64, &'static str),
}

/// Lines of a stream.
pub(crate) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    line: u64,
    bytes: u64,
    buffer: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, line: 0, bytes: 0, buffer: Vec::new() }
    }

    /// Number of the last line, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line without its end; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<&str>, ReadError> {
        self.buffer.clear();
        self.line += 1;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
                Err(why) => return Err(ReadError::Io(why)),
            };
            if chunk.is_empty() {
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                break;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |end| end + 1);
            if self.buffer.len() + taken > RECORD_BYTES_MAX {
                return Err(ReadError::Line(self.line, "the line is longer than 1 MiB"));
            }
            self.buffer.extend_from_slice(chunk.get(..taken).unwrap_or_default());
            self.input.consume(taken);
            self.bytes += taken as u64;
            if end.is_some() {
                break;
            }
        }
        while self.buffer.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            self.buffer.pop();
        }
        let mark: &[u8] = if self.line == 1 { "\u{feff}".as_bytes() } else { b"" };
        let text = self.buffer.strip_prefix(mark).unwrap_or(&self.buffer);
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(ReadError::Line(self.line, "not UTF-8")),
        }
    }
}

/// Fields of the current record.
#[derive(Default)]
pub(crate) struct Record {
    text: String,
    /// Where each field ends in `text`.
    ends: Vec<usize>,
    /// Line on which it starts.
    pub(crate) line: u64,
}

impl Record {
    pub(crate) fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(at).and_then(|end| self.text.get(start..*end)).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The field of this name, when this is the head.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        (0..self.len()).find(|at| self.get(*at).trim().eq_ignore_ascii_case(name))
    }

    fn close(&mut self) -> bool {
        self.ends.push(self.text.len());
        self.ends.len() <= FIELDS_MAX
    }

    /// Fields between tabs, without quotes (RF2). `false` at the end.
    pub(crate) fn read_tabs(&mut self, lines: &mut Lines<'_>) -> Result<bool, ReadError> {
        self.text.clear();
        self.ends.clear();
        let Some(line) = lines.next()? else { return Ok(false) };
        let mut fits = true;
        for field in line.split('\t') {
            self.text.push_str(field);
            fits &= self.close();
            if !fits {
                break;
            }
        }
        self.line = lines.line();
        if fits { Ok(true) } else { Err(ReadError::Line(self.line, "too many fields")) }
    }

    /// Fields between separators, in quotes or not. `false` at the end.
    pub(crate) fn read_quoted(&mut self, lines: &mut Lines<'_>, separator: u8) -> Result<bool, ReadError> {
        self.text.clear();
        self.ends.clear();
        let mut quoted = false;
        let mut starts = true;
        self.line = lines.line() + 1;
        loop {
            let Some(line) = lines.next()? else {
                if quoted {
                    return Err(ReadError::Line(self.line, "a quote is not closed"));
                }
                return Ok(false);
            };
            let mut at = 0;
            let bytes = line.as_bytes();
            let mut clean = 0;
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' if quoted && bytes.get(at + 1) == Some(&b'"') => {
                        self.text.push_str(line.get(clean..=at).unwrap_or_default());
                        at += 1;
                        clean = at + 1;
                    }
                    b'"' if quoted || starts => {
                        self.text.push_str(line.get(clean..at).unwrap_or_default());
                        clean = at + 1;
                        quoted = !quoted;
                    }
                    byte if *byte == separator && !quoted => {
                        self.text.push_str(line.get(clean..at).unwrap_or_default());
                        clean = at + 1;
                        if !self.close() {
                            return Err(ReadError::Line(lines.line(), "too many fields"));
                        }
                        starts = true;
                        at += 1;
                        continue;
                    }
                    _ => {}
                }
                starts = false;
                at += 1;
            }
            self.text.push_str(line.get(clean..).unwrap_or_default());
            if self.text.len() > RECORD_BYTES_MAX {
                return Err(ReadError::Line(self.line, "the record is longer than 1 MiB"));
            }
            if !quoted {
                self.close();
                return Ok(true);
            }
            self.text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests;
