//! Fixed and pattern values, bounds and lengths. SPEC: R4 elementdefinition.html, `fixed[x]`, `pattern[x]`,
//! `minValue[x]`, `maxValue[x]`, `maxLength`.
//!
//! Fixed: the same value, member by member. Pattern: what the pattern says is there; each item of an array of
//! the pattern is met by some item of the element.

use super::shape::Active;
use crate::finding::Place;
use crate::walk::Walk;
use fhir::element::Element;
use fhir::issue::{Issue, IssueType};
use fhir::json::{Kind, Tree, Value};
use fhir::primitive::decimal::Decimal;
use fhir::ucum::Units;
use fhirpath::Temporal;
use std::cmp::Ordering;

/// What an ElementDefinition says of values, read from the JSON of the tables.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) fixed: Option<Tree>,
    pub(crate) pattern: Option<Tree>,
    min: Option<Bound>,
    max: Option<Bound>,
    max_length: Option<usize>,
}

#[derive(Debug)]
enum Bound {
    Number(Decimal),
    Temporal(Temporal),
    Quantity { value: Decimal, system: String, code: String },
}

impl Values {
    /// Reads the JSON object of a table's cell; `None` when it says nothing that is known here.
    pub(crate) fn read(text: &'static str) -> Option<Box<Self>> {
        if text.is_empty() {
            return None;
        }
        let tree = Tree::parse(text).ok()?;
        let mut values = Self::default();
        for member in tree.root().members() {
            let name = member.name();
            if name.starts_with("fixed") {
                values.fixed = Some(member.to_tree());
            } else if name.starts_with("pattern") {
                values.pattern = Some(member.to_tree());
            } else if let Some(of) = name.strip_prefix("minValue") {
                values.min = Bound::read(of, member);
            } else if let Some(of) = name.strip_prefix("maxValue") {
                values.max = Bound::read(of, member);
            } else if name == "maxLength" {
                values.max_length = member.number_text().and_then(|text| text.parse().ok());
            }
        }
        Some(Box::new(values))
    }
}

impl Bound {
    fn read(of: &str, value: Value<'_>) -> Option<Self> {
        match of {
            "Date" | "DateTime" | "Instant" => Temporal::parse_date_time(&value.as_str()?)
                .or_else(|| Temporal::parse_date(&value.as_str()?))
                .map(Self::Temporal),
            "Time" => Temporal::parse_time(&value.as_str()?).map(Self::Temporal),
            "Decimal" | "Integer" | "PositiveInt" | "UnsignedInt" => {
                Decimal::parse(value.number_text()?).map(Self::Number)
            }
            "Quantity" => {
                let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().into_owned();
                let number = Decimal::parse(value.get("value")?.number_text()?)?;
                Some(Self::Quantity { value: number, system: text("system"), code: text("code") })
            }
            _ => None,
        }
    }

    /// How an element compares; `None` when it cannot be told.
    fn compare(&self, element: &Element<'_>) -> Option<Ordering> {
        match self {
            Self::Number(bound) => Some(Decimal::parse(element.value?.number_text()?)?.compare(bound)),
            Self::Temporal(bound) => {
                let text = element.text()?;
                let read = match element.definition.name {
                    "date" => Temporal::parse_date(&text),
                    "time" => Temporal::parse_time(&text),
                    _ => Temporal::parse_date_time(&text),
                }?;
                match (read.kind, bound.kind) {
                    (one, other) if one == other => read.compare(bound),
                    _ => read.to_date_time().compare(&bound.to_date_time()),
                }
            }
            Self::Quantity { value, system, code } => {
                let quantity = element.value?;
                let text = |name: &str| quantity.get(name).and_then(Value::as_str).unwrap_or_default();
                let found = Decimal::parse(quantity.get("value")?.number_text()?)?;
                if text("system") != *system {
                    return None;
                }
                if text("code") == *code {
                    return Some(found.compare(value));
                }
                let is_ucum = system == "http://unitsofmeasure.org";
                is_ucum.then(|| Units::builtin().compare((found, &*text("code")), (*value, code))).flatten()
            }
        }
    }
}

/// Whether two values are the same: members in any order, items in theirs, numbers as written.
pub(crate) fn equals(found: Value<'_>, wanted: Value<'_>) -> bool {
    match (found.kind(), wanted.kind()) {
        (Kind::String, Kind::String) => found.raw() == wanted.raw() || found.as_str() == wanted.as_str(),
        (Kind::Object, Kind::Object) => {
            found.members().count() == wanted.members().count()
                && wanted.members().all(|one| found.get(one.name()).is_some_and(|other| equals(other, one)))
        }
        (Kind::Array, Kind::Array) => {
            let (mut left, mut right) = (found.items(), wanted.items());
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some(one), Some(other)) if equals(one, other) => {}
                    _ => return false,
                }
            }
        }
        (one, other) => one == other && found.raw() == wanted.raw(),
    }
}

/// Whether a value has all that a pattern says.
pub(crate) fn matches(found: Value<'_>, pattern: Value<'_>) -> bool {
    match pattern.kind() {
        Kind::Object => pattern.members().all(|one| found.get(one.name()).is_some_and(|other| matches(other, one))),
        Kind::Array => pattern.items().all(|one| found.items().any(|other| matches(other, one))),
        _ => equals(found, pattern),
    }
}

impl<'t> Walk<'t> {
    /// Fixed and pattern values, bounds, length.
    pub(crate) fn values(&mut self, values: &Values, active: Active<'t>, element: &Element<'t>, place: &Place<'_>) {
        let offset = element.value.or(element.companion).map_or(0, |value| value.span().start);
        if let Some(fixed) = &values.fixed
            && !element.value.is_some_and(|found| equals(found, fixed.root()))
        {
            // docs/profiles.md, "event-location": a definition that fixes another URL than its own.
            let own = element.text().is_some_and(|text| active.shape.urls.iter().any(|url| *url == *text));
            if own && active.id() == "Extension.url" {
                let text = format!(
                    "{}: the definition fixes the URL {}; found its canonical instead ({})",
                    active.id(),
                    shown(fixed),
                    active.profile()
                );
                return self.findings.add_at(Issue::warning(IssueType::Extension, text), place, offset);
            }
            self.value_fault(
                active,
                place,
                offset,
                IssueType::Value,
                format!("expected the fixed value {}, found another", shown(fixed)),
            );
        }
        if let Some(pattern) = &values.pattern
            && !element.value.is_some_and(|found| matches(found, pattern.root()))
        {
            self.value_fault(
                active,
                place,
                offset,
                IssueType::Value,
                format!("expected a value that has {}, found one that has not", shown(pattern)),
            );
        }
        if let Some(bound) = &values.min
            && bound.compare(element) == Some(Ordering::Less)
        {
            self.value_fault(
                active,
                place,
                offset,
                IssueType::Value,
                "the value is below the least that is allowed".to_owned(),
            );
        }
        if let Some(bound) = &values.max
            && bound.compare(element) == Some(Ordering::Greater)
        {
            self.value_fault(
                active,
                place,
                offset,
                IssueType::Value,
                "the value is above the most that is allowed".to_owned(),
            );
        }
        if let Some(most) = values.max_length
            && let Some(text) = element.text()
            && text.chars().count() > most
        {
            self.value_fault(
                active,
                place,
                offset,
                IssueType::TooLong,
                format!("expected at most {most} characters, found {}", text.chars().count()),
            );
        }
    }
}

impl<'t> Walk<'t> {
    fn value_fault(&mut self, active: Active<'t>, place: &Place<'_>, offset: usize, code: IssueType, what: String) {
        let text = format!("{}: {what} ({})", active.id(), active.profile());
        self.findings.add_at(Issue::error(code, text), place, offset);
    }
}

/// A value of a definition: the definition's words, no data of a resource.
fn shown(tree: &Tree) -> String {
    const SHOWN_MAX: usize = 200;
    let raw = tree.root().raw();
    match raw.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", raw.get(..end).unwrap_or_default()),
        None => raw.to_owned(),
    }
}
