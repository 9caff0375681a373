//! A predicate in words, for people who operate a server (`handrail explain`). It says what the
//! search or scope itself says, and nothing of any resource.
//!
//! Left out: the way back. It is not a query language.

use crate::{
    ParameterId, Predicate, Registry, Test,
    predicate::{DateTest, NumberTest, Prefix, ReferenceTest, StringMatch, TokenTest, UriMatch},
    query::{Direction, SortKey},
};
use fhir::Instant;
use std::sync::Arc;

/// What the predicate asks for.
#[must_use]
pub fn predicate(registry: &Registry, of: &Predicate) -> String {
    let name = |parameter: ParameterId| code(registry, parameter);
    match of {
        Predicate::All => "everything".into(),
        Predicate::Nothing => "nothing".into(),
        Predicate::And(parts) if parts.is_empty() => "everything".into(),
        Predicate::Or(parts) if parts.is_empty() => "nothing".into(),
        Predicate::And(parts) => list(registry, parts, " and "),
        Predicate::Or(parts) => list(registry, parts, " or "),
        Predicate::Not(part) => format!("not ({})", predicate(registry, part)),
        Predicate::Id(ids) => {
            let ids: Vec<&str> = ids.iter().map(fhir::LogicalId::as_str).collect();
            format!("_id = {}", ids.join(" or "))
        }
        Predicate::LastUpdated(test) => format!("_lastUpdated {}", date(*test)),
        Predicate::Value { parameter, test } => format!("{} {}", name(*parameter), value(test)),
        Predicate::Missing { parameter, missing: true } => format!("{} is missing", name(*parameter)),
        Predicate::Missing { parameter, missing: false } => format!("{} is there", name(*parameter)),
        Predicate::Chain { parameter, target, predicate: inner } => {
            format!("{} refers to a {target} with ({})", name(*parameter), predicate(registry, inner))
        }
        Predicate::Has { source, parameter, predicate: inner } => {
            format!("a {source} refers to it by {}, with ({})", name(*parameter), predicate(registry, inner))
        }
        Predicate::Now(inner) => format!("its current version has ({})", predicate(registry, inner)),
        Predicate::PatientCompartment(patient) => format!("in the compartment of Patient/{patient}"),
        Predicate::NoOtherPatient(patient) => format!("refers to no Patient but Patient/{patient}"),
        Predicate::InForce(parameter) => format!("{} holds now", name(*parameter)),
        Predicate::Only { parameter, .. } => format!("{} has nothing that is withheld", name(*parameter)),
        Predicate::Ruled(_) => "what its patient lets through".into(),
        Predicate::Near { parameter, .. } => format!("{} holds about now", name(*parameter)),
        Predicate::FromNow(from) => {
            let what = from.parameter.map_or_else(|| "_lastUpdated".to_owned(), name);
            let (seconds, side) =
                (from.shift_ms.unsigned_abs() / 1000, if from.shift_ms < 0 { "before" } else { "after" });
            format!("{what} {} {seconds} s {side} now", prefix(from.prefix))
        }
        Predicate::While { target, id, predicate: inner } => {
            format!("while {target}/{id} has ({})", predicate(registry, inner))
        }
        Predicate::NoPatientBut(inner) => {
            format!("refers to no Patient but such with ({})", predicate(registry, inner))
        }
        Predicate::During(during) => {
            let inner = predicate(registry, &during.predicate);
            format!("{} lies in {} of a {} with ({inner})", name(during.date), name(during.period), during.source)
        }
    }
}

/// An order.
#[must_use]
pub fn sort(registry: &Registry, keys: &[SortKey]) -> String {
    let way = |direction: &Direction| match direction {
        Direction::Ascending => "",
        Direction::Descending => "-",
    };
    let key = |key: &SortKey| match key {
        SortKey::Parameter(parameter, direction) => format!("{}{}", way(direction), code(registry, *parameter)),
        SortKey::LastUpdated(direction) => format!("{}_lastUpdated", way(direction)),
        SortKey::Id(direction) => format!("{}_id", way(direction)),
    };
    keys.iter().map(key).collect::<Vec<_>>().join(",")
}

fn code(registry: &Registry, parameter: ParameterId) -> String {
    registry.by_id(parameter).map_or_else(|| "?".to_owned(), |parameter| parameter.code.clone())
}

fn list(registry: &Registry, parts: &[Arc<Predicate>], between: &str) -> String {
    let one = |part: &Arc<Predicate>| match part.as_ref() {
        Predicate::And(_) | Predicate::Or(_) if parts.len() > 1 => format!("({})", predicate(registry, part)),
        _ => predicate(registry, part),
    };
    parts.iter().map(one).collect::<Vec<_>>().join(between)
}

fn value(test: &Test) -> String {
    match test {
        Test::Token(test) => token(test),
        Test::String(StringMatch::StartsWith, text) => format!("begins with {text:?}"),
        Test::String(StringMatch::Exact, text) => format!("is exactly {text:?}"),
        Test::String(StringMatch::Contains, text) => format!("contains {text:?}"),
        Test::Reference(ReferenceTest::Target(kind, id)) => format!("= {kind}/{id}"),
        Test::Reference(ReferenceTest::AnyType(id)) => format!("= {id} of any type"),
        Test::Reference(ReferenceTest::Url(url)) => format!("= {url}"),
        Test::Reference(ReferenceTest::Identifier(test)) => format!("identifier {}", token(test)),
        Test::Reference(ReferenceTest::Elsewhere) => "is no resource here".to_owned(),
        Test::Date(test) => date(*test),
        Test::Number(test) => number(test),
        Test::Quantity(test) => {
            let unit = [test.system.as_deref(), test.code.as_deref()].into_iter().flatten().collect::<Vec<_>>();
            let canonical = if test.canonical.is_some() { ", in canonical units" } else { "" };
            format!("{} {}{canonical}", number(&test.number), unit.join("|")).trim_end().to_owned()
        }
        Test::Uri(UriMatch::Exact, uri) => format!("= {uri}"),
        Test::Uri(UriMatch::Above, uri) => format!("is above {uri}"),
        Test::Uri(UriMatch::Below, uri) => format!("is below {uri}"),
        Test::Composite(tests) => tests.iter().map(value).collect::<Vec<_>>().join(" together with "),
    }
}

fn token(test: &TokenTest) -> String {
    match test {
        TokenTest::Code(code) => format!("= {code}"),
        TokenTest::SystemCode(system, code) => format!("= {system}|{code}"),
        TokenTest::NoSystem(code) => format!("= |{code}"),
        TokenTest::System(system) => format!("= {system}|"),
        TokenTest::Text(text) => format!("has a text that begins with {text:?}"),
    }
}

const fn prefix(prefix: Prefix) -> &'static str {
    match prefix {
        Prefix::Eq => "within",
        Prefix::Ne => "not within",
        Prefix::Gt => "after",
        Prefix::Lt => "before",
        Prefix::Ge => "in or after",
        Prefix::Le => "in or before",
        Prefix::Sa => "starting after",
        Prefix::Eb => "ending before",
        Prefix::Ap => "about",
    }
}

fn date(test: DateTest) -> String {
    let moment = |millis: i64| match millis {
        i64::MIN => "ever".to_owned(),
        i64::MAX => "ever after".to_owned(),
        millis => Instant::from_unix_millis(millis).to_string(),
    };
    format!("{} {} to {}", prefix(test.prefix), moment(test.low), moment(test.high))
}

fn number(test: &NumberTest) -> String {
    match test.prefix {
        Prefix::Eq => format!("= {} ({} to {})", test.value, test.low, test.high),
        Prefix::Ne => format!("is not {} ({} to {})", test.value, test.low, test.high),
        Prefix::Ap => format!("is about {} ({} to {})", test.value, test.low, test.high),
        Prefix::Gt | Prefix::Sa => format!("> {}", test.value),
        Prefix::Lt | Prefix::Eb => format!("< {}", test.value),
        Prefix::Ge => format!(">= {}", test.value),
        Prefix::Le => format!("<= {}", test.value),
    }
}

#[cfg(test)]
mod tests;
