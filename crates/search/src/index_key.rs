//! Order-preserving bytes of index values, and the byte ranges that a test has to look at.
//!
//! A value gives one or more keys; a row of the store's index is `(parameter, key, row)`. No key is
//! the beginning of another value's key in the same family, so a row number may follow directly.
//! INVARIANT: a value that passes a test has at least one key inside the test's [`Ranges`] (held by
//! a property test); the reverse holds only when the ranges are `exact`, else the store re-tests
//! with [`crate::matcher`].
//!
//! | family | kind | key after the family byte |
//! |---|---|---|
//! | 01 | token | hash of system (8), code, 00; only with a system |
//! | 02 | token | code, 00 (empty code: text only) |
//! | 10 | date | low (8), high (8): milliseconds, sign bit flipped |
//! | 11 | date | high (8), low (8); only for spans longer than a day |
//! | 20 | string | folded text, 00 |
//! | 30 | number | decimal ([`exact::append_key`]) |
//! | 31 | quantity | decimal as written |
//! | 32 | quantity | hash of canonical unit (8), decimal in that unit |
//! | 40 | reference | id, 00, type name, 00 |
//! | 41 | reference | URL without version, 00 |
//! | 42 | reference | identifier: hash of system (8), value, 00; only with a system |
//! | 43 | reference | identifier value, 00 |
//! | 50 | uri | text, 00 |
//! | 60 | composite | a key of a value of the first component |
//!
//! Text is cut at [`limits::KEY_TEXT_BYTES_MAX`] (URIs: [`limits::KEY_URI_BYTES_MAX`]) bytes, and its
//! bytes 00 and 01 are both written 01. The hash is 64-bit FNV-1a: not collision-proof, so ranges
//! that rely on it are never `exact`.

use crate::{
    exact,
    index_value::ValueRef,
    limits,
    predicate::{DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, StringMatch, Test, TokenTest, UriMatch},
};
use fhir::primitive::decimal::Decimal;

/// Keys `k` with `start <= k < end`, compared bytewise; a row number may follow the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// First key.
    pub start: Vec<u8>,
    /// First key after; never empty.
    pub end: Vec<u8>,
}

/// What a test has to look at. Ranges may overlap, and a row may have several keys in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    /// The ranges; empty when nothing can pass.
    pub ranges: Vec<KeyRange>,
    /// Every row found passes the test; otherwise they are a superset and must be re-tested.
    pub exact: bool,
}

const TOKEN_SYSTEM: u8 = 0x01;
const TOKEN: u8 = 0x02;
const DATE_LOW: u8 = 0x10;
const DATE_HIGH: u8 = 0x11;
const STRING: u8 = 0x20;
const NUMBER: u8 = 0x30;
const QUANTITY: u8 = 0x31;
const QUANTITY_CANONICAL: u8 = 0x32;
const REFERENCE_TARGET: u8 = 0x40;
const REFERENCE_URL: u8 = 0x41;
const REFERENCE_IDENTIFIER_SYSTEM: u8 = 0x42;
const REFERENCE_IDENTIFIER: u8 = 0x43;
const URI: u8 = 0x50;
const COMPOSITE: u8 = 0x60;
const AFTER_ALL: u8 = 0x70;

const DAY_MS: i64 = 86_400_000;

/// Calls `emit` with each key of a value (at least one).
pub fn keys(value: ValueRef<'_>, emit: &mut dyn FnMut(&[u8])) {
    match value {
        ValueRef::Token { system, code, .. } => {
            emit_token((TOKEN_SYSTEM, TOKEN), system, code, emit);
        }
        ValueRef::String { folded, .. } => emit(&text_key(STRING, folded)),
        ValueRef::Reference { target, url, identifier } => {
            if let Some((kind, id)) = target {
                emit(&target_key(id, kind.name()));
            }
            if let Some(url) = url {
                emit(&uri_key(REFERENCE_URL, without_version(url)));
            }
            if let Some((system, value)) = identifier {
                emit_token((REFERENCE_IDENTIFIER_SYSTEM, REFERENCE_IDENTIFIER), system, value, emit);
            }
        }
        ValueRef::Date { low, high } => {
            emit(&date_key(DATE_LOW, low, high));
            if high.saturating_sub(low) > DAY_MS {
                emit(&date_key(DATE_HIGH, high, low));
            }
        }
        ValueRef::Number(decimal) => emit(&decimal_key(&[NUMBER], decimal)),
        ValueRef::Quantity { value, canonical, .. } => {
            emit(&decimal_key(&[QUANTITY], value));
            if let Some((value, unit)) = canonical {
                emit(&decimal_key(&hash_prefix(QUANTITY_CANONICAL, unit), value));
            }
        }
        ValueRef::Uri(uri) => emit(&uri_key(URI, uri)),
        ValueRef::Composite(group) => {
            group.any(0, &mut |value| {
                keys(value, &mut |key| emit(&[&[COMPOSITE], key].concat()));
                false
            });
        }
    }
}

/// The ranges that hold a key of every value that passes the test.
#[must_use]
pub fn ranges(test: &Test) -> Ranges {
    match test {
        Test::Token(test) => token_ranges((TOKEN_SYSTEM, TOKEN), test),
        Test::String(kind, text) => string_ranges(*kind, text),
        Test::Reference(test) => reference_ranges(test),
        Test::Date(test) => date_ranges(*test),
        Test::Number(test) => number_ranges(&[NUMBER], test, true),
        Test::Quantity(test) => quantity_ranges(test),
        Test::Uri(kind, uri) => uri_ranges(*kind, uri),
        Test::Composite(tests) => {
            let mut found = tests.first().map_or_else(any, ranges);
            for range in &mut found.ranges {
                range.start.insert(0, COMPOSITE);
                range.end.insert(0, COMPOSITE);
            }
            found.exact = false;
            found
        }
    }
}

/// All keys: every row that has a value of the parameter (`:missing=false`).
#[must_use]
pub fn any() -> Ranges {
    Ranges { ranges: vec![KeyRange { start: Vec::new(), end: vec![AFTER_ALL] }], exact: true }
}

/// FNV-1a, 64 bits: small and stable. For telling keys apart, not for security.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A canonical URL without `|version`.
pub(crate) fn without_version(url: &str) -> &str {
    url.split_once('|').map_or(url, |(url, _)| url)
}

// --- keys

fn append_text(out: &mut Vec<u8>, text: &str, bytes_max: usize) {
    out.extend(text.bytes().take(bytes_max).map(|byte| byte.max(1)));
}

fn text_key(family: u8, text: &str) -> Vec<u8> {
    let mut key = vec![family];
    append_text(&mut key, text, limits::KEY_TEXT_BYTES_MAX);
    key.push(0);
    key
}

fn uri_key(family: u8, uri: &str) -> Vec<u8> {
    let mut key = vec![family];
    append_text(&mut key, uri, limits::KEY_URI_BYTES_MAX);
    key.push(0);
    key
}

fn hash_prefix(family: u8, text: &str) -> Vec<u8> {
    let mut key = vec![family];
    key.extend_from_slice(&fnv(text.as_bytes()).to_be_bytes());
    key
}

fn system_key(family: u8, system: &str, code: &str) -> Vec<u8> {
    let mut key = hash_prefix(family, system);
    append_text(&mut key, code, limits::KEY_TEXT_BYTES_MAX);
    key.push(0);
    key
}

fn emit_token(families: (u8, u8), system: Option<&str>, code: &str, emit: &mut dyn FnMut(&[u8])) {
    if let Some(system) = system {
        emit(&system_key(families.0, system, code));
    }
    emit(&text_key(families.1, code));
}

fn target_key(id: &str, kind: &str) -> Vec<u8> {
    let mut key = text_key(REFERENCE_TARGET, id);
    key.extend_from_slice(kind.as_bytes());
    key.push(0);
    key
}

fn append_millis(out: &mut Vec<u8>, millis: i64) {
    out.extend_from_slice(&(millis.cast_unsigned() ^ (1 << 63)).to_be_bytes());
}

fn date_key(family: u8, first: i64, second: i64) -> Vec<u8> {
    let mut key = vec![family];
    append_millis(&mut key, first);
    append_millis(&mut key, second);
    key
}

fn decimal_key(prefix: &[u8], decimal: Decimal) -> Vec<u8> {
    let mut key = prefix.to_vec();
    exact::append_key(&mut key, decimal);
    key
}

// --- ranges

/// The first byte string after all that begin with `prefix`. The family byte is never FF.
fn successor(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(last) = prefix.pop() {
        if last < 0xff {
            prefix.push(last + 1);
            return prefix;
        }
    }
    vec![AFTER_ALL]
}

fn beginning_with(prefix: Vec<u8>) -> KeyRange {
    KeyRange { end: successor(prefix.clone()), start: prefix }
}

fn one(range: KeyRange, exact: bool) -> Ranges {
    Ranges { ranges: vec![range], exact }
}

/// Whether a text stands in a key as it is, so that equal keys mean equal texts.
fn is_whole(text: &str, bytes_max: usize) -> bool {
    text.len() < bytes_max && !text.bytes().any(|byte| byte <= 1)
}

fn token_ranges(families: (u8, u8), test: &TokenTest) -> Ranges {
    match test {
        TokenTest::Code(code) => {
            one(beginning_with(text_key(families.1, code)), is_whole(code, limits::KEY_TEXT_BYTES_MAX))
        }
        TokenTest::SystemCode(system, code) => one(beginning_with(system_key(families.0, system, code)), false),
        TokenTest::NoSystem(code) => one(beginning_with(text_key(families.1, code)), false),
        TokenTest::System(system) => one(beginning_with(hash_prefix(families.0, system)), false),
        TokenTest::Text(_) => one(beginning_with(vec![families.1]), false),
    }
}

fn string_ranges(kind: StringMatch, text: &str) -> Ranges {
    match kind {
        StringMatch::StartsWith => {
            let mut prefix = vec![STRING];
            append_text(&mut prefix, text, limits::KEY_TEXT_BYTES_MAX);
            one(beginning_with(prefix), is_whole(text, limits::KEY_TEXT_BYTES_MAX))
        }
        StringMatch::Exact => one(beginning_with(text_key(STRING, &crate::fold::fold(text))), false),
        StringMatch::Contains => one(beginning_with(vec![STRING]), false),
    }
}

fn reference_ranges(test: &ReferenceTest) -> Ranges {
    match test {
        ReferenceTest::Target(kind, id) => one(beginning_with(target_key(id.as_str(), kind.name())), true),
        ReferenceTest::AnyType(id) => one(beginning_with(text_key(REFERENCE_TARGET, id.as_str())), true),
        ReferenceTest::Url(url) => one(beginning_with(uri_key(REFERENCE_URL, without_version(url))), false),
        ReferenceTest::Identifier(test) => token_ranges((REFERENCE_IDENTIFIER_SYSTEM, REFERENCE_IDENTIFIER), test),
        ReferenceTest::Elsewhere => {
            let families = [REFERENCE_URL, REFERENCE_IDENTIFIER];
            Ranges { ranges: families.map(|family| beginning_with(vec![family])).into(), exact: false }
        }
    }
}

fn date_span(family: u8, from: i64, to: Option<i64>) -> KeyRange {
    let mut start = vec![family];
    append_millis(&mut start, from);
    let end = to.map_or_else(
        || vec![family + 1],
        |to| {
            let mut end = vec![family];
            append_millis(&mut end, to);
            end
        },
    );
    KeyRange { start, end }
}

/// Rows by their low end; what reaches beyond an instant from far before it is found by its high end.
fn date_ranges(test: DateTest) -> Ranges {
    let DateTest { prefix, low, high } = test;
    let from_low = |from, to| date_span(DATE_LOW, from, to);
    let ending_after =
        |instant: i64| vec![from_low(instant.saturating_sub(DAY_MS), None), date_span(DATE_HIGH, instant, None)];
    let (ranges, exact) = match prefix {
        Prefix::Eq => (vec![from_low(low, Some(high))], false),
        Prefix::Ne => (vec![from_low(i64::MIN, None)], false),
        Prefix::Lt => (vec![from_low(i64::MIN, Some(low))], true),
        Prefix::Le => (vec![from_low(i64::MIN, Some(high))], true),
        Prefix::Gt => (ending_after(high), false),
        Prefix::Ge => (ending_after(low), false),
        Prefix::Sa => (vec![from_low(high, None)], true),
        Prefix::Eb => (vec![from_low(i64::MIN, Some(low))], false),
        Prefix::Ap => {
            let start = low.saturating_sub(DAY_MS);
            (vec![from_low(start, Some(high)), date_span(DATE_HIGH, low, None)], false)
        }
    };
    Ranges { ranges: ranges.into_iter().filter(|range| range.start < range.end).collect(), exact }
}

fn number_ranges(prefix: &[u8], test: &NumberTest, exact: bool) -> Ranges {
    let family = beginning_with(prefix.to_vec());
    let at = |decimal| decimal_key(prefix, decimal);
    let after = |decimal| successor(decimal_key(prefix, decimal));
    let between = |start, end| KeyRange { start, end };
    let (first, last) = (family.start.clone(), family.end.clone());
    let ranges = match test.prefix {
        Prefix::Eq | Prefix::Ap => vec![between(at(test.low), at(test.high))],
        Prefix::Ne => vec![between(first, at(test.low)), between(at(test.high), last)],
        Prefix::Gt | Prefix::Sa => vec![between(after(test.value), last)],
        Prefix::Lt | Prefix::Eb => vec![between(first, at(test.value))],
        Prefix::Ge => vec![between(at(test.value), last)],
        Prefix::Le => vec![between(first, after(test.value))],
    };
    Ranges { ranges: ranges.into_iter().filter(|range| range.start < range.end).collect(), exact }
}

fn quantity_ranges(test: &QuantityTest) -> Ranges {
    match &test.canonical {
        Some((number, unit)) => number_ranges(&hash_prefix(QUANTITY_CANONICAL, unit), number, false),
        None => number_ranges(&[QUANTITY], &test.number, test.code.is_none() && test.system.is_none()),
    }
}

fn uri_ranges(kind: UriMatch, uri: &str) -> Ranges {
    let exact = is_whole(uri, limits::KEY_URI_BYTES_MAX);
    match kind {
        UriMatch::Exact => one(beginning_with(uri_key(URI, uri)), exact),
        UriMatch::Below => {
            let mut prefix = vec![URI];
            append_text(&mut prefix, uri, limits::KEY_URI_BYTES_MAX);
            one(beginning_with(prefix), false)
        }
        UriMatch::Above => {
            let slashes: Vec<usize> = uri.match_indices('/').map(|(at, _)| at).collect();
            if slashes.len() > limits::URI_SEGMENTS_MAX {
                return one(beginning_with(vec![URI]), false);
            }
            let ancestors = slashes.iter().flat_map(|at| [uri.get(..*at), uri.get(..=*at)]).flatten();
            let ranges = ancestors.chain([uri]).map(|ancestor| beginning_with(uri_key(URI, ancestor))).collect();
            Ranges { ranges, exact: false }
        }
    }
}

#[cfg(test)]
mod tests;
