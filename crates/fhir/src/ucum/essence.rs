//! The official `ucum-essence.xml`: its prefixes, base units and units. Names, printed symbols and properties
//! are passed over.
//!
//! A reader for this one format, that knows tags, attributes and comments; a DOCTYPE is refused (row F55).

use super::special::Special;
use super::{BASE_UNITS, Builder, Definition, Number, Units, limits};
use crate::primitive::decimal::Decimal;
use std::fmt;

/// Why a file is no table of units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EssenceError {
    /// No UTF-8, too large, or not made of tags as far as this byte offset.
    Format(usize),
    /// It holds fewer base units than UCUM has, or no units at all.
    NoUnits,
    /// More units than there can be.
    TooMany,
    /// The definition of this symbol cannot be read.
    Definition(String),
}

impl fmt::Display for EssenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(at) => write!(f, "not an essence file of UCUM: byte {at}"),
            Self::NoUnits => f.write_str("not an essence file of UCUM: it has no units"),
            Self::TooMany => f.write_str("not an essence file of UCUM: it has too many units"),
            Self::Definition(symbol) => write!(f, "the definition of the unit {symbol} cannot be read"),
        }
    }
}

impl std::error::Error for EssenceError {}

/// A tag: its name and its attributes as written.
struct Tag<'x> {
    name: &'x str,
    attributes: &'x str,
    closes: bool,
}

impl<'x> Tag<'x> {
    /// The value of an attribute. The symbols of UCUM need no entity but for quotes, which none has.
    fn attribute(&self, name: &str) -> Option<&'x str> {
        let mut rest = self.attributes;
        loop {
            let (key, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let (value, after) = after.get(1..)?.split_once(quote)?;
            if key.trim() == name {
                return Some(value);
            }
            rest = after;
        }
    }
}

/// The tags of a text, in order.
struct Tags<'x> {
    text: &'x str,
    at: usize,
}

impl<'x> Tags<'x> {
    fn next(&mut self) -> Result<Option<Tag<'x>>, EssenceError> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(open) = rest.find('<') else { return Ok(None) };
            self.at += open;
            let rest = rest.get(open..).unwrap_or_default();
            let error = EssenceError::Format(self.at);
            let end = if rest.starts_with("<!--") { "-->" } else { ">" };
            let length = rest.find(end).ok_or_else(|| error.clone())? + end.len();
            self.at += length;
            if rest.starts_with("<!--") || rest.starts_with("<?") {
                continue;
            }
            if rest.starts_with("<!") {
                return Err(error);
            }
            let inner = rest.get(1..length - 1).unwrap_or_default();
            let closes = inner.starts_with('/');
            let inner = inner.trim_start_matches('/').trim_end_matches('/');
            let (name, attributes) = inner.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((inner, ""));
            return Ok(Some(Tag { name, attributes, closes }));
        }
    }
}

pub(super) fn units(xml: &[u8]) -> Result<Units, EssenceError> {
    if xml.len() > limits::ESSENCE_BYTES_MAX {
        return Err(EssenceError::Format(limits::ESSENCE_BYTES_MAX));
    }
    let text = std::str::from_utf8(xml).map_err(|error| EssenceError::Format(error.valid_up_to()))?;
    let mut tags = Tags { text, at: 0 };
    let mut builder = Builder::new();
    let mut bases = 0;
    // The element that the tags are in: its kind, symbol, whether it takes prefixes, is special, is arbitrary.
    let mut holder: Option<(&str, &str, [bool; 3])> = None;
    while let Some(tag) = tags.next()? {
        match (tag.name, tag.closes) {
            ("prefix" | "base-unit" | "unit", true) => holder = None,
            ("prefix" | "base-unit" | "unit", false) => {
                let symbol = tag.attribute("Code").unwrap_or_default();
                let is = |name: &str| tag.attribute(name) == Some("yes");
                holder = Some((tag.name, symbol, [is("isMetric"), is("isSpecial"), is("isArbitrary")]));
                if tag.name == "base-unit" {
                    let place = BASE_UNITS.iter().position(|base| *base == symbol);
                    let place = place.ok_or_else(|| EssenceError::Definition(symbol.to_owned()))?;
                    bases += 1;
                    builder.definitions.insert(symbol, (true, Definition::Base(place)));
                }
            }
            ("value" | "function", false) => {
                let Some((kind, symbol, [metric, special, arbitrary])) = holder else { continue };
                let wrong = || EssenceError::Definition(symbol.to_owned());
                let is_function = tag.name == "function";
                // Of a special unit the function counts, not the value around it.
                if kind == "base-unit" || special != is_function {
                    continue;
                }
                let value = tag.attribute("value").and_then(number).ok_or_else(wrong)?;
                let of = tag.attribute("Unit").unwrap_or_default();
                let definition = if kind == "prefix" {
                    builder.prefixes.push((symbol.into(), value));
                    continue;
                } else if is_function {
                    let function = tag.attribute("name").and_then(Special::named).ok_or_else(wrong)?;
                    Definition::Special(function, value, of)
                } else if arbitrary && of == "1" {
                    Definition::Arbitrary
                } else {
                    Definition::Derived(value, of)
                };
                builder.definitions.insert(symbol, (metric, definition));
                if builder.definitions.len() > limits::ESSENCE_UNITS_MAX
                    || builder.prefixes.len() > limits::ESSENCE_UNITS_MAX
                {
                    return Err(EssenceError::TooMany);
                }
            }
            _ => {}
        }
    }
    if bases != BASE_UNITS.len() || builder.definitions.len() <= bases {
        return Err(EssenceError::NoUnits);
    }
    builder.build(true).map_err(|symbol| EssenceError::Definition(symbol.to_owned()))
}

/// A number as the file writes it; π has more digits than fit.
fn number(text: &str) -> Option<Number> {
    match Decimal::parse(text) {
        Some(decimal) => Some(Number::decimal(decimal)).filter(|_| decimal.mantissa != 0),
        None => text.parse().ok().filter(|value| *value != 0.0).and_then(Number::near),
    }
}
