//! The parameters as applied, for the self link, and names fit to print.
//! SPEC: R4 search.html#conformance (the self link says what was applied), RFC 3986 §3.4.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters and those sub-delimiters that neither end a parameter
/// nor are read differently by form decoders.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',')
    .remove(b':')
    .remove(b'/')
    .remove(b'$')
    .remove(b'*')
    .remove(b'@')
    .remove(b'!');

/// Names that are not part of a search's identity: the answer's form, and what is written anew.
const LEFT_OUT: [&str; 3] = ["_count", "_format", "_pretty"];

/// The applied parameters, one after another.
#[derive(Debug, Default)]
pub(super) struct Applied(String);

impl Applied {
    /// Adds a parameter as it was given.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        if !LEFT_OUT.contains(&name) {
            self.push(name, value);
        }
    }

    /// Ends with the page size in force.
    pub(super) fn finish(mut self, count: usize) -> String {
        self.push("_count", &count.to_string());
        self.0
    }

    fn push(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(utf8_percent_encode(name, ENCODED));
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, ENCODED));
    }
}

/// The name when it looks like a parameter's; other text may hold anything, and is not repeated.
#[must_use]
pub fn parameter_name(name: &str) -> Option<&str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'*');
    (!name.is_empty() && name.len() <= 128 && name.bytes().all(fits)).then_some(name)
}

/// The same with a stand-in.
pub(super) fn printable(name: &str) -> &str {
    parameter_name(name).unwrap_or("(a name that is no parameter's)")
}
