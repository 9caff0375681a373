//! The writer: appends JSON text to a buffer, in order, without a tree.

/// Writes one JSON value. Commas are its own business.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    comma: bool,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for this many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), comma: false }
    }

    /// A writer of one value after these bytes.
    #[must_use]
    pub fn after(out: Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Length of what was written so far, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    /// Writes an object whose members `members` writes.
    pub fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
        members(self);
        self.out.push(b'}');
        self.comma = true;
    }

    /// Writes an array whose items `items` writes.
    pub fn array(&mut self, items: impl FnOnce(&mut Self)) {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
        items(self);
        self.out.push(b']');
        self.comma = true;
    }

    /// Writes a member's name; its value must follow.
    pub fn key(&mut self, name: &str) {
        self.separate();
        self.text(name);
        self.out.push(b':');
        self.comma = false;
    }

    /// Writes a string member.
    pub fn member(&mut self, name: &str, value: &str) {
        self.key(name);
        self.string(value);
    }

    /// Writes a string value.
    pub fn string(&mut self, value: &str) {
        self.separate();
        self.text(value);
    }

    /// Writes a whole number.
    pub fn integer(&mut self, value: i64) {
        self.separate();
        let mut buffer = itoa::Buffer::new();
        self.out.extend_from_slice(buffer.format(value).as_bytes());
    }

    /// Writes a boolean.
    pub fn boolean(&mut self, value: bool) {
        self.separate();
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Writes text that is JSON already (a number's text, a stored resource).
    pub fn raw(&mut self, json: &[u8]) {
        self.separate();
        self.out.extend_from_slice(json);
    }

    /// Writes one value that is JSON already and that `append` puts at the end of the buffer.
    pub fn raw_by<T>(&mut self, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.separate();
        append(&mut self.out)
    }

    /// Writes a parsed value without the white space between its parts. Scalars keep their text.
    pub fn value(&mut self, value: super::Value<'_>) {
        match value.kind() {
            super::Kind::Object => self.object(|w| {
                for member in value.members() {
                    w.key(member.name());
                    w.value(member);
                }
            }),
            super::Kind::Array => self.array(|w| {
                for item in value.items() {
                    w.value(item);
                }
            }),
            _ => self.raw(value.raw().as_bytes()),
        }
    }

    fn text(&mut self, text: &str) {
        append_string(&mut self.out, text);
    }
}

/// Appends a string with its quotes.
pub(crate) fn append_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        let (clean, from) = rest.split_at(at);
        out.extend_from_slice(clean);
        let Some((byte, after)) = from.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
