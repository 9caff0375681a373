//! Index values as bytes: kept by the store beside each row, so that a plan can test what its
//! index did not answer without reading the resource.
//!
//! # Format
//! Entries sorted by parameter, one after another: parameter (2 bytes, big-endian), length of the
//! value (varint), value. A value is a kind byte and its fields:
//!
//! | kind | fields |
//! |---|---|
//! | 1 token | flags (1 system, 2 text), code, [system], [text] |
//! | 2 string | flags (1 folded equals original), original, [folded] |
//! | 3 reference | flags (1 target, 2 url, 4 identifier, 8 its system), [type name, id], [url], [value], [system] |
//! | 4 date | low, high: 8 bytes each, big-endian two's complement |
//! | 5 number | decimal |
//! | 6 quantity | flags (1 system, 2 code, 4 unit, 8 canonical), decimal, [system], [code], [unit], [decimal, unit] |
//! | 7 uri | text |
//! | 8 composite | per component: length of its values together (varint), each value with its length before it |
//!
//! Text: length in bytes (varint), UTF-8. Decimal: mantissa and exponent, each a zigzag varint.
//! Varint: 7 bits a byte, least significant first, high bit set on all but the last.
//!
//! Parameter numbers hold for one [`Registry::fingerprint`](crate::Registry::fingerprint) only.

use crate::{
    index_value::{Group, IndexValue, IndexValues, ValueRef, Values},
    registry::ParameterId,
};
use fhir::{LogicalId, ResourceType, primitive::decimal::Decimal};
use std::cell::{Cell, OnceCell};

/// Encodes all values.
#[must_use]
pub fn encode(values: &IndexValues) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.0.len() * 32);
    let mut scratch = Vec::with_capacity(128);
    for (parameter, value) in &values.0 {
        out.extend_from_slice(&parameter.0.to_be_bytes());
        append_framed(&mut out, &mut scratch, value);
    }
    out
}

/// Decodes what [`encode`] wrote; `None` for anything else.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<IndexValues> {
    let mut reader = Reader(bytes);
    let mut values = Vec::new();
    while !reader.0.is_empty() {
        let (parameter, value) = reader.entry()?;
        values.push((parameter, owned(Reader(value).value()?)?));
    }
    Some(IndexValues(values))
}

/// Encoded values, read in place.
#[derive(Debug, Clone, Copy)]
pub struct EncodedValues<'a>(&'a [u8]);

impl<'a> EncodedValues<'a> {
    /// Takes what [`encode`] wrote. Other bytes are no error here; reading ends where they stop
    /// making sense (the store checks its pages).
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// All values with their parameters, in the order of the parameters, each as its bytes: equal
    /// values have equal bytes. [`decoded`] reads them.
    pub fn entries(&self) -> impl Iterator<Item = (ParameterId, &'a [u8])> + use<'a> {
        let mut reader = Reader(self.0);
        std::iter::from_fn(move || reader.entry())
    }

    /// All values with their parameters, in the order of the parameters.
    pub fn iter(&self) -> impl Iterator<Item = (ParameterId, ValueRef<'a>)> {
        let mut reader = Reader(self.0);
        std::iter::from_fn(move || {
            let (parameter, value) = reader.entry()?;
            Some((parameter, Reader(value).value()?))
        })
    }
}

/// The value of an entry; `None` for bytes that are none.
#[must_use]
pub fn decoded(value: &[u8]) -> Option<ValueRef<'_>> {
    Reader(value).value()
}

impl Values for EncodedValues<'_> {
    fn any(&self, parameter: ParameterId, test: &mut dyn FnMut(ValueRef<'_>) -> bool) -> bool {
        let mut reader = Reader(self.0);
        while let Some((at, value)) = reader.entry() {
            if at > parameter {
                return false;
            }
            if at == parameter && Reader(value).value().is_some_and(&mut *test) {
                return true;
            }
        }
        false
    }
}

/// The same for many questions: where each parameter's values are is noted once.
#[derive(Debug)]
pub struct MarkedValues<'a> {
    values: EncodedValues<'a>,
    /// Questions so far that were answered by reading on: one or two cost less than the notes.
    asked: Cell<u8>,
    /// Values with their parameters, in the order of the parameters.
    marks: OnceCell<Vec<(ParameterId, &'a [u8])>>,
}

/// Questions that are answered without notes.
const UNMARKED: u8 = 2;

impl<'a> MarkedValues<'a> {
    /// Takes what [`encode`] wrote, as [`EncodedValues::new`].
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { values: EncodedValues::new(bytes), asked: Cell::new(0), marks: OnceCell::new() }
    }
}

impl Values for MarkedValues<'_> {
    fn any(&self, parameter: ParameterId, test: &mut dyn FnMut(ValueRef<'_>) -> bool) -> bool {
        if self.asked.get() < UNMARKED {
            self.asked.set(self.asked.get() + 1);
            return self.values.any(parameter, test);
        }
        let marks = self.marks.get_or_init(|| {
            let mut marks = Vec::with_capacity(32);
            marks.extend(self.values.entries());
            marks
        });
        let first = marks.partition_point(|(at, _)| *at < parameter);
        let of = marks.get(first..).unwrap_or_default().iter().take_while(|(at, _)| *at == parameter);
        of.into_iter().any(|(_, value)| Reader(value).value().is_some_and(&mut *test))
    }
}

pub(crate) fn any_of_component<'a>(
    bytes: &'a [u8],
    component: usize,
    test: &mut dyn FnMut(ValueRef<'a>) -> bool,
) -> bool {
    let mut components = Reader(bytes);
    for _ in 0..component {
        if components.framed().is_none() {
            return false;
        }
    }
    let mut values = Reader(components.framed().unwrap_or_default());
    while let Some(value) = values.framed() {
        if Reader(value).value().is_some_and(&mut *test) {
            return true;
        }
    }
    false
}

fn append_varint(out: &mut Vec<u8>, mut number: u128) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

fn append_zigzag(out: &mut Vec<u8>, number: i128) {
    append_varint(out, ((number << 1) ^ (number >> 127)).cast_unsigned());
}

fn append_text(out: &mut Vec<u8>, text: &str) {
    append_varint(out, text.len() as u128);
    out.extend_from_slice(text.as_bytes());
}

fn append_decimal(out: &mut Vec<u8>, decimal: Decimal) {
    append_zigzag(out, decimal.mantissa);
    append_zigzag(out, i128::from(decimal.exponent));
}

fn append_options(out: &mut Vec<u8>, options: &[Option<&str>]) {
    for text in options.iter().flatten() {
        append_text(out, text);
    }
}

fn flags(set: &[bool]) -> u8 {
    set.iter().rev().fold(0, |flags, set| flags << 1 | u8::from(*set))
}

fn append_framed(out: &mut Vec<u8>, scratch: &mut Vec<u8>, value: &IndexValue) {
    scratch.clear();
    append_value(scratch, value);
    append_varint(out, scratch.len() as u128);
    out.extend_from_slice(scratch);
}

fn append_value(out: &mut Vec<u8>, value: &IndexValue) {
    match value {
        IndexValue::Token { system, code, text } => {
            out.extend([1, flags(&[system.is_some(), text.is_some()])]);
            append_text(out, code);
            append_options(out, &[system.as_deref(), text.as_deref()]);
        }
        IndexValue::String { folded, original } => {
            out.extend([2, flags(&[folded == original])]);
            append_text(out, original);
            if folded != original {
                append_text(out, folded);
            }
        }
        IndexValue::Reference { target, url, identifier } => {
            let system = identifier.as_ref().and_then(|(system, _)| system.as_deref());
            out.extend([3, flags(&[target.is_some(), url.is_some(), identifier.is_some(), system.is_some()])]);
            if let Some((kind, id)) = target {
                append_text(out, kind.name());
                append_text(out, id.as_str());
            }
            append_options(out, &[url.as_deref(), identifier.as_ref().map(|(_, value)| value.as_str()), system]);
        }
        IndexValue::Date { low, high } => {
            out.push(4);
            out.extend_from_slice(&low.to_be_bytes());
            out.extend_from_slice(&high.to_be_bytes());
        }
        IndexValue::Number(decimal) => {
            out.push(5);
            append_decimal(out, *decimal);
        }
        IndexValue::Quantity { value, system, code, unit, canonical } => {
            out.extend([6, flags(&[system.is_some(), code.is_some(), unit.is_some(), canonical.is_some()])]);
            append_decimal(out, *value);
            append_options(out, &[system.as_deref(), code.as_deref(), unit.as_deref()]);
            if let Some((value, unit)) = canonical {
                append_decimal(out, *value);
                append_text(out, unit);
            }
        }
        IndexValue::Uri(uri) => {
            out.push(7);
            append_text(out, uri);
        }
        IndexValue::Composite(components) => {
            out.push(8);
            let (mut together, mut scratch) = (Vec::new(), Vec::new());
            for values in components {
                together.clear();
                for value in values {
                    append_framed(&mut together, &mut scratch, value);
                }
                append_varint(out, together.len() as u128);
                out.extend_from_slice(&together);
            }
        }
    }
}

fn owned(value: ValueRef<'_>) -> Option<IndexValue> {
    Some(match value {
        ValueRef::Token { system, code, text } => {
            IndexValue::Token { system: system.map(Into::into), code: code.into(), text: text.map(Into::into) }
        }
        ValueRef::String { folded, original } => {
            IndexValue::String { folded: folded.into(), original: original.into() }
        }
        ValueRef::Reference { target, url, identifier } => IndexValue::Reference {
            target: match target {
                Some((kind, id)) => Some((kind, LogicalId::parse(id).ok()?)),
                None => None,
            },
            url: url.map(Into::into),
            identifier: identifier.map(|(system, value)| (system.map(Into::into), value.into())),
        },
        ValueRef::Date { low, high } => IndexValue::Date { low, high },
        ValueRef::Number(decimal) => IndexValue::Number(decimal),
        ValueRef::Quantity { value, system, code, unit, canonical } => IndexValue::Quantity {
            value,
            system: system.map(Into::into),
            code: code.map(Into::into),
            unit: unit.map(Into::into),
            canonical: canonical.map(|(value, unit)| (value, unit.into())),
        },
        ValueRef::Uri(uri) => IndexValue::Uri(uri.into()),
        ValueRef::Composite(group) => IndexValue::Composite(group.owned_components()?),
    })
}

pub(crate) fn owned_components(bytes: &[u8]) -> Option<Vec<Vec<IndexValue>>> {
    let mut components = Reader(bytes);
    let mut out = Vec::new();
    while !components.0.is_empty() {
        let mut values = Reader(components.framed()?);
        let mut component = Vec::new();
        while !values.0.is_empty() {
            // A composite is never inside a composite, so this does not recurse further.
            match Reader(values.framed()?).value()? {
                ValueRef::Composite(_) => return None,
                value => component.push(owned(value)?),
            }
        }
        out.push(component);
    }
    Some(out)
}

/// Reads from the front; `None` at the first byte that is not as written.
#[derive(Debug, Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn byte(&mut self) -> Option<u8> {
        let (head, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*head)
    }

    fn varint(&mut self) -> Option<u128> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u128::from(first));
        }
        let mut number = u128::from(first & 0x7f);
        for shift in (7..128).step_by(7) {
            let byte = self.byte()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i128> {
        let number = self.varint()?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    fn framed(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.framed()?).ok()
    }

    fn text_if(&mut self, present: bool) -> Option<Option<&'a str>> {
        if present { self.text().map(Some) } else { Some(None) }
    }

    fn decimal(&mut self) -> Option<Decimal> {
        Some(Decimal { mantissa: self.zigzag()?, exponent: i32::try_from(self.zigzag()?).ok()? })
    }

    fn number(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_be_bytes)
    }

    fn entry(&mut self) -> Option<(ParameterId, &'a [u8])> {
        let parameter = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        Some((ParameterId(parameter), self.framed()?))
    }

    fn value(mut self) -> Option<ValueRef<'a>> {
        Some(match self.byte()? {
            1 => {
                let flags = self.byte()?;
                let code = self.text()?;
                let system = self.text_if(flags & 1 != 0)?;
                ValueRef::Token { system, code, text: self.text_if(flags & 2 != 0)? }
            }
            2 => {
                let flags = self.byte()?;
                let original = self.text()?;
                let folded = if flags & 1 != 0 { original } else { self.text()? };
                ValueRef::String { folded, original }
            }
            3 => {
                let flags = self.byte()?;
                let target = if flags & 1 != 0 {
                    let kind = ResourceType::parse(self.text()?).ok()?;
                    Some((kind, self.text()?))
                } else {
                    None
                };
                let url = self.text_if(flags & 2 != 0)?;
                let value = self.text_if(flags & 4 != 0)?;
                let system = self.text_if(flags & 8 != 0)?;
                ValueRef::Reference { target, url, identifier: value.map(|value| (system, value)) }
            }
            4 => ValueRef::Date { low: self.number()?, high: self.number()? },
            5 => ValueRef::Number(self.decimal()?),
            6 => {
                let flags = self.byte()?;
                let value = self.decimal()?;
                let system = self.text_if(flags & 1 != 0)?;
                let code = self.text_if(flags & 2 != 0)?;
                let unit = self.text_if(flags & 4 != 0)?;
                let canonical = if flags & 8 != 0 { Some((self.decimal()?, self.text()?)) } else { None };
                ValueRef::Quantity { value, system, code, unit, canonical }
            }
            7 => ValueRef::Uri(self.text()?),
            8 => ValueRef::Composite(Group::encoded(self.0)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
