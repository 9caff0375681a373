//! Does one value pass one test? Every comparison rule of R4 search stands here and nowhere else.
//!
//! Choices where R4 leaves room:
//! - Token codes and systems compare case-sensitively. A grant is a search: a looser match would
//!   widen access, and UCUM, LOINC and identifiers are case-sensitive.
//! - `|code` means a value without a system; an empty code (text only) is never equal to a code.
//! - A quantity with the UCUM system and a unit we convert compares in canonical units; any other
//!   compares its unit literally (without a system: code or unit text). `Quantity.comparator` is ignored.
//! - `:below` and `:above` of URIs go by whole path segments.
//! - A canonical reference matches its URL with the asked version, or any version when none is asked.
//!
//! SPEC: R4 search.html#prefix, #date, #number, #quantity, #token, #string, #reference, #uri, #composite.

use crate::{
    index_key::without_version,
    index_value::ValueRef,
    predicate::{DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, StringMatch, Test, TokenTest, UriMatch},
};
use fhir::primitive::decimal::Decimal;

/// Whether the value passes the test. A test of another kind never passes.
#[must_use]
pub fn passes(test: &Test, value: ValueRef<'_>) -> bool {
    match (test, value) {
        (Test::Token(test), ValueRef::Token { system, code, text }) => token(test, system, code, text),
        (Test::String(kind, text), ValueRef::String { folded, original }) => match kind {
            StringMatch::StartsWith => folded.starts_with(text.as_str()),
            StringMatch::Contains => folded.contains(text.as_str()),
            StringMatch::Exact => original == text,
        },
        (Test::Reference(test), ValueRef::Reference { target, url, identifier }) => match test {
            ReferenceTest::Target(kind, id) => target == Some((*kind, id.as_str())),
            ReferenceTest::AnyType(id) => target.is_some_and(|(_, target)| target == id.as_str()),
            ReferenceTest::Url(asked) => url.is_some_and(|url| same_canonical(url, asked)),
            ReferenceTest::Identifier(test) => {
                identifier.is_some_and(|(system, value)| token(test, system, value, None))
            }
            ReferenceTest::Elsewhere => target.is_none(),
        },
        (Test::Date(test), ValueRef::Date { low, high }) => date(*test, low, high),
        (Test::Number(test), ValueRef::Number(value)) => number(test, value),
        (Test::Quantity(test), ValueRef::Quantity { value, system, code, unit, canonical }) => {
            quantity(test, value, (system, code, unit), canonical)
        }
        (Test::Uri(kind, asked), ValueRef::Uri(uri)) => match kind {
            UriMatch::Exact => uri == asked,
            UriMatch::Below => is_below(uri, asked),
            UriMatch::Above => is_below(asked, uri),
        },
        (Test::Composite(tests), ValueRef::Composite(group)) => {
            tests.iter().enumerate().all(|(at, test)| group.any(at, &mut |value| passes(test, value)))
        }
        _ => false,
    }
}

/// Whether the span `[low, high)` of a value passes, by R4's words on ranges:
/// - `eq` the asked span fully contains it, `ne` it does not
/// - `gt` it reaches above the asked span, `lt` below it, whatever else it covers
/// - `ge` it reaches into the asked span or above it, `le` into it or below; `sa` it starts at or after the asked span's end, `eb` it has
///   ended when the asked span starts; `ap` they overlap (the asked span is already widened)
#[must_use]
pub fn date(test: DateTest, low: i64, high: i64) -> bool {
    let contained = test.low <= low && high <= test.high;
    match test.prefix {
        Prefix::Eq => contained,
        Prefix::Ne => !contained,
        Prefix::Gt => high > test.high,
        Prefix::Lt => low < test.low,
        // WHY: R4's words would leave out a period that only touches the asked day from one side (a timepoint that
        // begins on the day of `le`). "On or before" means it, other servers and the US Core suite find it.
        Prefix::Ge => high > test.low,
        Prefix::Le => low < test.high,
        Prefix::Sa => low >= test.high,
        Prefix::Eb => high <= test.low,
        Prefix::Ap => low < test.high && high > test.low,
    }
}

fn token(test: &TokenTest, system: Option<&str>, code: &str, text: Option<&str>) -> bool {
    match test {
        TokenTest::Code(asked) => !code.is_empty() && code == asked,
        TokenTest::SystemCode(asked_system, asked) => {
            !code.is_empty() && code == asked && system == Some(asked_system.as_str())
        }
        TokenTest::NoSystem(asked) => !code.is_empty() && code == asked && system.is_none(),
        TokenTest::System(asked) => system == Some(asked.as_str()),
        TokenTest::Text(asked) => text.is_some_and(|text| crate::fold::fold(text).starts_with(asked.as_str())),
    }
}

fn number(test: &NumberTest, value: Decimal) -> bool {
    let within = || value.compare(&test.low).is_ge() && value.compare(&test.high).is_lt();
    let order = || value.compare(&test.value);
    match test.prefix {
        Prefix::Eq | Prefix::Ap => within(),
        Prefix::Ne => !within(),
        Prefix::Gt | Prefix::Sa => order().is_gt(),
        Prefix::Lt | Prefix::Eb => order().is_lt(),
        Prefix::Ge => order().is_ge(),
        Prefix::Le => order().is_le(),
    }
}

fn quantity(
    test: &QuantityTest,
    value: Decimal,
    (system, code, unit): (Option<&str>, Option<&str>, Option<&str>),
    canonical: Option<(Decimal, &str)>,
) -> bool {
    if let Some((asked, asked_unit)) = &test.canonical {
        return canonical.is_some_and(|(value, unit)| unit == asked_unit && number(asked, value));
    }
    let system_fits = test.system.as_deref().is_none_or(|asked| system == Some(asked));
    let unit_fits =
        test.code.as_deref().is_none_or(|asked| code == Some(asked) || (test.system.is_none() && unit == Some(asked)));
    system_fits && unit_fits && number(&test.number, value)
}

fn same_canonical(url: &str, asked: &str) -> bool {
    url == asked || (!asked.contains('|') && without_version(url) == asked)
}

/// Whether a URI is the ancestor itself or lies below it in its path.
fn is_below(uri: &str, ancestor: &str) -> bool {
    uri.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || ancestor.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
