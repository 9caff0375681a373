//! One search value of each parameter type. Values are still escaped when they get here.
//! SPEC: R4 search.html#ptypes, #prefix.

use super::{Refusal, escape};
use crate::{
    exact,
    fold::fold,
    limits,
    predicate::{DateTest, NumberTest, Prefix, QuantityTest, ReferenceTest, Test, TokenTest},
    registry::{Parameter, ParameterKind, Registry},
    ucum,
};
use fhir::{
    Instant, LogicalId, ResourceType,
    primitive::{date_time::DateTime, decimal::Decimal},
    reference::Reference,
};

/// What values are read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) registry: &'a Registry,
    /// Empty: no URL is ours.
    pub(super) base_url: &'a str,
    /// `None`: `ap` on dates is refused.
    pub(super) now: Option<Instant>,
}

impl Reading<'_> {
    /// A value without modifier.
    pub(super) fn plain(self, parameter: &Parameter, text: &str) -> Result<Test, Refusal> {
        match parameter.kind {
            ParameterKind::String => {
                string(text).map(|text| Test::String(crate::predicate::StringMatch::StartsWith, text))
            }
            ParameterKind::Token => token(text).map(Test::Token),
            ParameterKind::Reference => self.reference(parameter, text).map(Test::Reference),
            ParameterKind::Date => self.date(text).map(Test::Date),
            ParameterKind::Number => number(text).map(Test::Number),
            ParameterKind::Quantity => quantity(text).map(|test| Test::Quantity(Box::new(test))),
            ParameterKind::Uri => Ok(Test::Uri(crate::predicate::UriMatch::Exact, escape::unescape(text))),
            ParameterKind::Composite => self.composite(parameter, text).map(Test::Composite),
            ParameterKind::Special => Err(Refusal::wrong("parameters of this type are not supported")),
        }
    }

    pub(super) fn date(self, text: &str) -> Result<DateTest, Refusal> {
        let (prefix, rest) = prefix(text)?;
        let span = DateTime::parse_search(&rest.replace(' ', "+")).ok_or_else(|| {
            Refusal::wrong(
                "not a date: yyyy, yyyy-mm, yyyy-mm-dd or yyyy-mm-ddThh:mm[:ss[.fff]][Z|±hh:mm], \
                 perhaps after eq, ne, gt, lt, ge, le, sa, eb or ap",
            )
        })?;
        let (mut low, mut high) = (span.low, span.high);
        if prefix == Prefix::Ap {
            let now = self.now.ok_or_else(|| Refusal::wrong("ap on a date depends on the time of asking"))?;
            let middle = low.saturating_add(high.saturating_sub(low) / 2);
            let tenth = i64::try_from(now.unix_millis().abs_diff(middle) / 10).unwrap_or(i64::MAX);
            (low, high) = (low.saturating_sub(tenth), high.saturating_add(tenth));
        }
        Ok(DateTest { prefix, low, high })
    }

    fn reference(self, parameter: &Parameter, text: &str) -> Result<ReferenceTest, Refusal> {
        let text = escape::unescape(text);
        let base = (!self.base_url.is_empty()).then_some(self.base_url);
        if text.contains(['/', ':']) {
            return match Reference::parse(&text, base) {
                Some(Reference::Relative(kind, id, _)) => Ok(ReferenceTest::Target(kind, id)),
                Some(Reference::Urn(url) | Reference::Absolute(url)) => Ok(ReferenceTest::Url(url)),
                _ => Err(Refusal::wrong("not a reference: an id, Type/id or an absolute URL")),
            };
        }
        let id = LogicalId::parse(&text)
            .map_err(|_| Refusal::wrong("not a reference: an id, Type/id or an absolute URL"))?;
        Ok(match parameter.targets.as_slice() {
            [only] => ReferenceTest::Target(*only, id),
            _ => ReferenceTest::AnyType(id),
        })
    }

    fn composite(self, parameter: &Parameter, text: &str) -> Result<Vec<Test>, Refusal> {
        let parts = escape::split(text, '$');
        if parts.len() != parameter.components.len() {
            return Err(Refusal::wrong(format!("{} values joined by $ are needed", parameter.components.len())));
        }
        parts
            .into_iter()
            .zip(&parameter.components)
            .map(|(part, (id, _))| {
                let component = self.registry.by_id(*id).filter(|one| one.kind != ParameterKind::Composite);
                let component = component.ok_or_else(|| Refusal::wrong("its component is not supported"))?;
                if part.is_empty() {
                    return Err(Refusal::wrong("a value between $ is empty"));
                }
                self.plain(component, part)
            })
            .collect()
    }
}

/// `:Type` on a reference: the value is an id, or the whole reference to that type.
pub(super) fn reference_of_type(kind: ResourceType, text: &str) -> Result<ReferenceTest, Refusal> {
    let text = escape::unescape(text);
    let id = text.strip_prefix(kind.name()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&text);
    let id = LogicalId::parse(id).map_err(|_| Refusal::wrong(format!("not the id of a {kind}")))?;
    Ok(ReferenceTest::Target(kind, id))
}

/// The text of a string search, folded.
pub(super) fn string(text: &str) -> Result<String, Refusal> {
    let folded = fold(&escape::unescape(text));
    if folded.is_empty() { Err(Refusal::wrong("the text is blank")) } else { Ok(folded) }
}

/// `code`, `system|code`, `|code`, `system|`.
pub(super) fn token(text: &str) -> Result<TokenTest, Refusal> {
    let parts: Vec<String> = escape::split(text, '|').into_iter().map(escape::unescape).collect();
    match parts.as_slice() {
        [code] => Ok(TokenTest::Code(code.clone())),
        [system, code] => match (system.is_empty(), code.is_empty()) {
            (false, false) => Ok(TokenTest::SystemCode(system.clone(), code.clone())),
            (true, false) => Ok(TokenTest::NoSystem(code.clone())),
            (false, true) => Ok(TokenTest::System(system.clone())),
            (true, true) => Err(Refusal::wrong("neither system nor code")),
        },
        _ => Err(Refusal::wrong("not a token: code, system|code, |code or system|; a | in a code is written \\|")),
    }
}

fn number(text: &str) -> Result<NumberTest, Refusal> {
    let (prefix, rest) = prefix(text)?;
    let value = Decimal::parse(rest)
        .filter(|value| value.exponent.unsigned_abs() <= limits::EXPONENT_MAX.unsigned_abs())
        .ok_or_else(|| Refusal::wrong("not a number within the limits of this server"))?;
    number_test(prefix, value).ok_or_else(|| Refusal::wrong("the number has too many digits"))
}

fn number_test(prefix: Prefix, value: Decimal) -> Option<NumberTest> {
    let (low, high) =
        if prefix == Prefix::Ap { exact::approximate_interval(value)? } else { exact::precision_interval(value)? };
    Some(NumberTest { prefix, value, low, high })
}

/// `number` or `number|system|code`; `number||code` matches code or unit in any system.
fn quantity(text: &str) -> Result<QuantityTest, Refusal> {
    let parts = escape::split(text, '|');
    let (written, system, code) = match parts.as_slice() {
        [number] => (*number, "", ""),
        [number, system, code] => (*number, *system, *code),
        _ => return Err(Refusal::wrong("not a quantity: number or number|system|code")),
    };
    let number = number(written)?;
    let some = |text: &str| Some(escape::unescape(text)).filter(|text| !text.is_empty());
    let (system, code) = (some(system), some(code));
    let is_ucum = system.as_deref() == Some(ucum::SYSTEM);
    let canonical = code.as_deref().filter(|_| is_ucum).and_then(|code| {
        let (factor, unit) = ucum::factor(code)?;
        let times = |value| exact::product(value, factor);
        let (value, low, high) = (times(number.value)?, times(number.low)?, times(number.high)?);
        Some((NumberTest { prefix: number.prefix, value, low, high }, unit))
    });
    Ok(QuantityTest { number, system, code, canonical })
}

fn prefix(text: &str) -> Result<(Prefix, &str), Refusal> {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok((Prefix::Eq, text));
    }
    let (head, rest) = text.split_at_checked(2).unwrap_or((text, ""));
    let prefix = match head {
        "eq" => Prefix::Eq,
        "ne" => Prefix::Ne,
        "gt" => Prefix::Gt,
        "lt" => Prefix::Lt,
        "ge" => Prefix::Ge,
        "le" => Prefix::Le,
        "sa" => Prefix::Sa,
        "eb" => Prefix::Eb,
        "ap" => Prefix::Ap,
        _ => {
            let text = "letters before a value are one of the prefixes eq, ne, gt, lt, ge, le, sa, eb, ap";
            return Err(Refusal::wrong(text));
        }
    };
    Ok((prefix, rest))
}
