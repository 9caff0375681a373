//! The name of a certificate's subject as text and for comparison. SPEC: RFC 4514; RFC 5280 section 7.1.
//!
//! Names are equal when their parts are, in order; within a part of several attributes the order does not count. Text
//! is compared without regard to case and to how many blanks divide its words. Left out: Unicode normalisation (names
//! that differ in it are different here), quoted values of RFC 2253, and OpenSSL's form with slashes.

use std::fmt::{self, Write as _};

/// A subject's name, the most specific part first, as RFC 4514 writes it.
#[derive(Debug, Clone, Default)]
pub struct DistinguishedName {
    parts: Vec<Vec<Attribute>>,
}

/// One attribute of a name.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its type as dotted numbers: `2.5.4.3` is the common name.
    pub oid: String,
    /// Its value.
    pub value: AttributeValue,
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A text, of whatever string type.
    Text(String),
    /// Another type: its whole DER.
    Other(Vec<u8>),
}

/// Why a text is no name. For whoever registers a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// OpenSSL's old form.
    Slashes,
    /// A part without `=`.
    NoValue,
    /// A type that is neither a known short name nor dotted numbers.
    Type,
    /// A `"` or another character that must be escaped.
    Unescaped,
    /// A `\` that is followed by nothing it could escape.
    Escape,
    /// `#` without pairs of hexadecimal digits.
    Hex,
    /// Longer than any name.
    TooLong,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slashes => {
                "the subject's name must be written as in RFC 4514, the most specific part first: CN=lab,O=Example,C=US"
            }
            Self::NoValue => "each part of the subject's name must be TYPE=VALUE, such as CN=lab,O=Example,C=US",
            Self::Type => {
                "a type in the subject's name is not known; write it as dotted numbers, such as 2.5.4.97=VALUE"
            }
            Self::Unescaped => "in the subject's name, a backslash must stand before \" + , ; < and >",
            Self::Escape => "in the subject's name, a backslash escapes nothing",
            Self::Hex => "in the subject's name, # must be followed by the DER of a value in hexadecimal",
            Self::TooLong => "the subject's name is too long",
        })
    }
}

impl std::error::Error for NameError {}

/// Bytes of a name as text: ten times what certificates have.
const NAME_BYTES_MAX: usize = 4096;

/// Short names: those of RFC 4514 first, then those that tools write besides.
const SHORT: [(&str, &str); 16] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("serialNumber", "2.5.4.5"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("organizationIdentifier", "2.5.4.97"),
    ("title", "2.5.4.12"),
    ("givenName", "2.5.4.42"),
    ("surname", "2.5.4.4"),
    ("dnQualifier", "2.5.4.46"),
];

impl DistinguishedName {
    /// From the parts in the order of the certificate, the most general first.
    #[must_use]
    pub fn of_certificate(mut parts: Vec<Vec<Attribute>>) -> Self {
        parts.reverse();
        Self { parts }
    }

    /// Whether it has no part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The first common name, for people.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.parts.iter().flatten().find(|attribute| attribute.oid == "2.5.4.3").and_then(|attribute| {
            if let AttributeValue::Text(text) = &attribute.value { Some(text.as_str()) } else { None }
        })
    }

    /// Texts of this type, such as `1.2.840.113549.1.9.1` for e-mail addresses.
    pub fn texts<'a>(&'a self, oid: &'a str) -> impl Iterator<Item = &'a str> {
        let of_type = self.parts.iter().flatten().filter(move |attribute| attribute.oid == oid);
        of_type.filter_map(
            |attribute| {
                if let AttributeValue::Text(text) = &attribute.value { Some(text.as_str()) } else { None }
            },
        )
    }

    /// Whether it lies in the tree under that name: it begins, at the most general part, as that name is.
    #[must_use]
    pub fn is_within(&self, tree: &Self) -> bool {
        let above = self.parts.len().checked_sub(tree.parts.len()).and_then(|below| self.parts.get(below..));
        above.is_some_and(|above| above.iter().zip(&tree.parts).all(|(one, other)| same(one, other)))
    }

    /// Reads a name. Blanks around `,`, `+` and `=` are allowed, as tools write them.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong);
        }
        if text.trim_start().starts_with('/') {
            return Err(NameError::Slashes);
        }
        let mut parts = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self { parts });
        }
        for part in divided(text, ',') {
            parts.push(divided(part, '+').into_iter().map(attribute).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Self { parts })
    }
}

/// The pieces between these characters, where no backslash stands before them.
fn divided(text: &str, at: char) -> Vec<&str> {
    let (mut pieces, mut begin, mut escaped) = (Vec::new(), 0, false);
    for (offset, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == at {
            pieces.push(text.get(begin..offset).unwrap_or_default());
            begin = offset + c.len_utf8();
        }
    }
    pieces.push(text.get(begin..).unwrap_or_default());
    pieces
}

/// `TYPE=VALUE`.
fn attribute(text: &str) -> Result<Attribute, NameError> {
    let (name, value) = text.split_once('=').ok_or(NameError::NoValue)?;
    let name = name.trim();
    let name = name.strip_prefix("OID.").or_else(|| name.strip_prefix("oid.")).unwrap_or(name);
    let oid = match SHORT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)) {
        Some((_, oid)) => (*oid).to_owned(),
        None if name.eq_ignore_ascii_case("E") => "1.2.840.113549.1.9.1".to_owned(),
        None if is_oid(name) => name.to_owned(),
        None => return Err(NameError::Type),
    };
    let value = value.trim_start();
    let value = match value.strip_prefix('#') {
        Some(hex) => of_der(&bytes_of_hex(hex.trim_end()).ok_or(NameError::Hex)?),
        None => AttributeValue::Text(unescaped(value)?),
    };
    Ok(Attribute { oid, value })
}

fn is_oid(text: &str) -> bool {
    let number = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    text.contains('.') && text.split('.').all(number)
}

/// A value without its backslashes, and without the blanks at its end that none of them keeps.
fn unescaped(text: &str) -> Result<String, NameError> {
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    // What must stay although it is blank.
    let mut kept = 0;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let next = rest.next().ok_or(NameError::Escape)?;
                match next.to_digit(16) {
                    Some(high) => {
                        let low = rest.next().and_then(|c| c.to_digit(16)).ok_or(NameError::Escape)?;
                        bytes.push(u8::try_from(high * 16 + low).map_err(|_| NameError::Escape)?);
                    }
                    None if " \"#+,;<=>\\".contains(next) => {
                        bytes.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes())
                    }
                    None => return Err(NameError::Escape),
                }
                kept = bytes.len();
            }
            '"' | ';' | '<' | '>' | '\0' => return Err(NameError::Unescaped),
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    while bytes.len() > kept && bytes.last() == Some(&b' ') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| NameError::Escape)
}

fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        hex.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    let whole = !digits.is_empty() && pairs.remainder().is_empty();
    whole.then(|| pairs.map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit)).collect())
}

/// The text of a short string of DER (UTF8String, PrintableString, IA5String); any other value as it is.
fn of_der(der: &[u8]) -> AttributeValue {
    let text = match der {
        [0x0c | 0x13 | 0x16, length, content @ ..] if *length < 0x80 && usize::from(*length) == content.len() => {
            std::str::from_utf8(content).ok()
        }
        _ => None,
    };
    text.map_or_else(|| AttributeValue::Other(der.to_owned()), |text| AttributeValue::Text(text.to_owned()))
}

impl fmt::Display for DistinguishedName {
    /// RFC 4514; what [`DistinguishedName::parse`] reads back to an equal name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                f.write_char(',')?;
            }
            for (at, attribute) in part.iter().enumerate() {
                if at > 0 {
                    f.write_char('+')?;
                }
                let short = SHORT.iter().find(|(_, oid)| *oid == attribute.oid);
                write!(f, "{}=", short.map_or(attribute.oid.as_str(), |(short, _)| short))?;
                match &attribute.value {
                    AttributeValue::Text(text) => escape(f, text)?,
                    AttributeValue::Other(der) => {
                        f.write_char('#')?;
                        der.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn escape(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    for (at, c) in text.char_indices() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{c}")?,
            ' ' if at == 0 || at == last => f.write_str("\\ ")?,
            '#' if at == 0 => f.write_str("\\#")?,
            c if c.is_ascii_control() => write!(f, "\\{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    Ok(())
}

impl PartialEq for DistinguishedName {
    fn eq(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len() && self.is_within(other)
    }
}

/// Whether two parts are equal: as sets.
fn same(one: &[Attribute], other: &[Attribute]) -> bool {
    one.len() == other.len()
        && one.iter().all(|attribute| other.contains(attribute))
        && other.iter().all(|attribute| one.contains(attribute))
}

impl Eq for DistinguishedName {}

impl PartialEq for Attribute {
    fn eq(&self, other: &Self) -> bool {
        self.oid == other.oid
            && match (&self.value, &other.value) {
                (AttributeValue::Text(one), AttributeValue::Text(other)) => folded(one).eq(folded(other)),
                (one, other) => one == other,
            }
    }
}

impl Eq for Attribute {}

/// In lower case, its words divided by one blank each.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let words = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
    words.flat_map(|word| word.chars().flat_map(char::to_lowercase).chain([' ']))
}
