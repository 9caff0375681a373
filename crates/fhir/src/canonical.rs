//! Canonical JSON: the bytes that a signature covers, whoever wrote the resource down.
//!
//! R4 says: no white space between values, the members of each object in the order of their names; and names five forms
//! ([`Form`]) by what of a resource they cover. It does not say how numbers and strings are written. Two readings are
//! therefore at hand ([`Notation`]): scalars as they stand, and RFC 8785 (JCS), to which R5 went over under the same
//! URLs. They differ where a decimal has zeros at its end or an exponent.
//!
//! "Alphabetical" is by UTF-16 code units, as in RFC 8785; FHIR's names are ASCII. Strings have as few escapes as JSON
//! allows in both notations. What a form leaves out, it leaves out of the resource itself: contained resources and the
//! entries of a Bundle stay whole.
//!
//! SPEC: R4 json.html#canonical; RFC 8785 section 3.2; row F30. Left out: canonical XML.

use crate::json::{Kind, Value};
use std::fmt;

#[cfg(test)]
mod tests;

/// What of a resource is covered. SPEC: R4 json.html#canonical.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// All of it.
    Whole,
    /// All but the narrative.
    Data,
    /// All but the narrative and `meta`.
    Static,
    /// The id and the narrative.
    Narrative,
    /// Of a Bundle: all but its own id and `meta`.
    Document,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Whole, Self::Data, Self::Static, Self::Narrative, Self::Document];

    /// Its URL.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::Whole => "http://hl7.org/fhir/canonicalization/json",
            Self::Data => "http://hl7.org/fhir/canonicalization/json#data",
            Self::Static => "http://hl7.org/fhir/canonicalization/json#static",
            Self::Narrative => "http://hl7.org/fhir/canonicalization/json#narrative",
            Self::Document => "http://hl7.org/fhir/canonicalization/json#document",
        }
    }

    /// The form of this URL.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.url() == url)
    }

    /// Whether a member of the resource is covered.
    fn covers(self, name: &str) -> bool {
        match self {
            Self::Whole => true,
            Self::Data => name != "text",
            Self::Static => !matches!(name, "text" | "meta"),
            Self::Narrative => matches!(name, "resourceType" | "id" | "text"),
            Self::Document => !matches!(name, "id" | "meta"),
        }
    }
}

/// How scalars are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notation {
    /// Numbers keep their text, as R4 has it of decimals.
    AsWritten,
    /// Numbers as ECMAScript writes them.
    Rfc8785,
}

/// A number that RFC 8785 has no form for: beyond what a double holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberTooLarge;

impl fmt::Display for NumberTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number is beyond what RFC 8785 can write")
    }
}

impl std::error::Error for NumberTooLarge {}

/// The bytes of a resource in this form and notation. `except`: values anywhere in it that are left out besides, such
/// as the signature that the bytes are for; an array or object that has nothing else goes with them.
///
/// # Errors
/// [`NumberTooLarge`].
pub fn canonical(
    resource: Value<'_>,
    form: Form,
    notation: Notation,
    except: &[Value<'_>],
) -> Result<Vec<u8>, NumberTooLarge> {
    let mut except: Vec<u32> = except.iter().map(|value| value.index()).collect();
    except.sort_unstable();
    let mut canonical = Canonical { out: Vec::with_capacity(resource.raw().len()), notation, except };
    canonical.object(resource, |name| form.covers(name))?;
    Ok(canonical.out)
}

struct Canonical {
    out: Vec<u8>,
    notation: Notation,
    except: Vec<u32>,
}

impl Canonical {
    /// Whether a value goes: named itself, or nothing of it would stay.
    fn is_left_out(&self, value: Value<'_>) -> bool {
        if self.except.is_empty() {
            return false;
        }
        if self.except.binary_search(&value.index()).is_ok() {
            return true;
        }
        match value.kind() {
            Kind::Array => {
                let mut items = value.items().peekable();
                items.peek().is_some() && items.all(|item| self.is_left_out(item))
            }
            Kind::Object => {
                let mut members = value.members().peekable();
                members.peek().is_some() && members.all(|member| self.is_left_out(member))
            }
            _ => false,
        }
    }

    fn value(&mut self, value: Value<'_>) -> Result<(), NumberTooLarge> {
        match value.kind() {
            Kind::Object => return self.object(value, |_| true),
            Kind::Array => {
                self.out.push(b'[');
                let mut first = true;
                for item in value.items() {
                    if self.is_left_out(item) {
                        continue;
                    }
                    if !first {
                        self.out.push(b',');
                    }
                    first = false;
                    self.value(item)?;
                }
                self.out.push(b']');
            }
            Kind::String => string(&mut self.out, &value.as_str().unwrap_or_default()),
            Kind::Number if self.notation == Notation::Rfc8785 => {
                let number = value.raw().parse().ok().filter(|number: &f64| number.is_finite());
                self.out.extend_from_slice(ecmascript(number.ok_or(NumberTooLarge)?).as_bytes());
            }
            Kind::Number | Kind::Bool | Kind::Null => self.out.extend_from_slice(value.raw().as_bytes()),
        }
        Ok(())
    }

    fn object(&mut self, value: Value<'_>, covers: impl Fn(&str) -> bool) -> Result<(), NumberTooLarge> {
        let mut members: Vec<Value<'_>> =
            value.members().filter(|member| covers(member.name()) && !self.is_left_out(*member)).collect();
        members.sort_by(|one, other| one.name().encode_utf16().cmp(other.name().encode_utf16()));
        self.out.push(b'{');
        for (at, member) in members.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            string(&mut self.out, member.name());
            self.out.push(b':');
            self.value(member)?;
        }
        self.out.push(b'}');
        Ok(())
    }
}

/// SPEC: RFC 8785 section 3.2.2.2.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// A number as ECMAScript writes it. SPEC: ECMA-262 Number::toString, for radix 10; RFC 8785 section 3.2.2.3.
fn ecmascript(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    // The shortest digits that mean this number, `d.ddde-7`; of two equally near the even ones, which `{:e}` alone does
    // not choose.
    let shortest = format!("{:e}", number.abs());
    let places = shortest.find('e').unwrap_or_default().saturating_sub(2);
    let nearest = format!("{:.places$e}", number.abs());
    let text = if nearest.parse() == Ok(number.abs()) { nearest } else { shortest };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits = mantissa.replace('.', "");
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // Where the point stands: behind this many digits.
    let point = exponent.saturating_add(1);
    let zeros = |how_many: i32| "0".repeat(usize::try_from(how_many).unwrap_or_default());
    let body = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (before, after) = digits.split_at(usize::try_from(point).unwrap_or_default());
        format!("{before}.{after}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{first}{dot}{rest}e{exponent:+}")
    };
    format!("{sign}{body}")
}
