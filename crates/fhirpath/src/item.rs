//! What an expression yields: elements, and values of the System types.
//!
//! SPEC: FHIRPath N1, "Types"; R4 fhirpath.html#types (how FHIR primitives become System values).

use crate::definition::Definition;
use crate::number;
use crate::quantity::{CalendarUnit, Quantity, Unit};
use crate::temporal::Temporal;
use fhir::element::Element;
use fhir::primitive::decimal::Decimal;
use fhir::schema::{Schema, TypeDefinition};
use smallvec::SmallVec;
use std::borrow::Cow;

/// An ordered collection; two items fit without allocation.
pub type Collection<'a> = SmallVec<[Item<'a>; 2]>;

/// One item of a collection.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// An element of a resource, or a resource.
    Element(Element<'a>),
    /// System.Boolean.
    Boolean(bool),
    /// System.String.
    String(Cow<'a, str>),
    /// System.Integer.
    Integer(i64),
    /// System.Decimal.
    Decimal(Decimal),
    /// System.Date, System.DateTime or System.Time.
    Temporal(Temporal),
    /// System.Quantity.
    Quantity(Box<Quantity<'a>>),
    /// A resource that a reference points at and that was not fetched: only its type is known.
    Unresolved(&'a TypeDefinition),
    /// What `type()` answers: namespace and name.
    Type(&'static str, &'a str),
    /// What `elementDefinition()` answers.
    Definition(Definition<'a>),
}

/// The System type that a FHIR primitive's values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Primitive {
    Boolean,
    String,
    Integer,
    Decimal,
    Date,
    DateTime,
    Time,
}

impl Primitive {
    pub(crate) fn of(definition: &TypeDefinition) -> Self {
        match definition.name {
            "boolean" => Self::Boolean,
            "integer" | "positiveInt" | "unsignedInt" | "integer64" => Self::Integer,
            "decimal" => Self::Decimal,
            "date" => Self::Date,
            "dateTime" | "instant" => Self::DateTime,
            "time" => Self::Time,
            _ => Self::String,
        }
    }

    pub(crate) fn system_name(self) -> &'static str {
        match self {
            Self::Boolean => "Boolean",
            Self::String => "String",
            Self::Integer => "Integer",
            Self::Decimal => "Decimal",
            Self::Date => "Date",
            Self::DateTime => "DateTime",
            Self::Time => "Time",
        }
    }
}

/// Whether `definition` is the type `name` or specializes it.
pub(crate) fn derives_from(schema: &Schema, definition: &TypeDefinition, name: &str) -> bool {
    // INVARIANT: R4's types are at most five levels deep; the bound holds for broken tables too.
    let mut base = definition.base;
    if definition.name == name {
        return true;
    }
    for _ in 0..8 {
        if base.is_empty() {
            return false;
        }
        if base == name {
            return true;
        }
        match schema.type_named(base) {
            Some(next) => base = next.base,
            None => return false,
        }
    }
    false
}

fn quantity_of<'a>(element: &Element<'a>) -> Option<Quantity<'a>> {
    if element.child("comparator").is_some() {
        return None;
    }
    let value = Decimal::parse(element.child("value")?.value?.number_text()?)?;
    let text = |name: &str| element.child(name).and_then(|found| found.text());
    let code = text("code");
    let unit = match (text("system").as_deref(), code) {
        // SPEC: R4 fhirpath.html, "Use of FHIR Quantity": these units of time become the calendar's.
        (Some("http://unitsofmeasure.org"), Some(code)) => match code.as_ref() {
            "a" => Unit::Calendar(CalendarUnit::Year),
            "mo" => Unit::Calendar(CalendarUnit::Month),
            "d" => Unit::Calendar(CalendarUnit::Day),
            "h" => Unit::Calendar(CalendarUnit::Hour),
            "min" => Unit::Calendar(CalendarUnit::Minute),
            "s" => Unit::Calendar(CalendarUnit::Second),
            _ => Unit::Ucum(code),
        },
        (_, Some(code)) => Unit::Other(code),
        (_, None) => Unit::Other(text("unit").unwrap_or_default()),
    };
    Some(Quantity { value, unit })
}

impl<'a> Item<'a> {
    /// Name of the type: `Patient`, `string`, `Boolean`.
    #[must_use]
    pub fn type_name(&self) -> &'a str {
        match self {
            Self::Element(element) => element.definition.name,
            Self::Unresolved(definition) => definition.name,
            Self::Boolean(_) => "Boolean",
            Self::String(_) => "String",
            Self::Integer(_) => "Integer",
            Self::Decimal(_) => "Decimal",
            Self::Temporal(value) => match value.kind {
                crate::TemporalKind::Date => "Date",
                crate::TemporalKind::DateTime => "DateTime",
                crate::TemporalKind::Time => "Time",
            },
            Self::Quantity(_) => "Quantity",
            Self::Type(..) => "SimpleTypeInfo",
            Self::Definition(definition) => definition.type_name(),
        }
    }

    /// The element, when it is one.
    #[must_use]
    pub fn element(&self) -> Option<Element<'a>> {
        match self {
            Self::Element(element) => Some(*element),
            _ => None,
        }
    }

    /// The System value: of a FHIR primitive its value, of a FHIR Quantity a quantity; `None` for other
    /// elements and for primitives without value. Text that its type cannot read stays a string.
    #[must_use]
    pub fn to_system(&self) -> Option<Item<'a>> {
        let element = match self {
            Self::Element(element) => element,
            Self::Unresolved(_) | Self::Type(..) | Self::Definition(_) => return None,
            value => return Some(value.clone()),
        };
        if !element.is_primitive() {
            let quantity = derives_from(element.schema, element.definition, "Quantity");
            return if quantity {
                quantity_of(element).map(|quantity| Item::Quantity(Box::new(quantity)))
            } else {
                None
            };
        }
        let text = element.text()?;
        let read = match Primitive::of(element.definition) {
            Primitive::Boolean => match text.as_ref() {
                "true" => Some(Item::Boolean(true)),
                "false" => Some(Item::Boolean(false)),
                _ => None,
            },
            Primitive::Integer => text.parse().ok().map(Item::Integer),
            Primitive::Decimal => Decimal::parse(&text).map(Item::Decimal),
            Primitive::Date => Temporal::parse_date(&text).map(Item::Temporal),
            Primitive::DateTime => Temporal::parse_date_time(&text).map(Item::Temporal),
            Primitive::Time => Temporal::parse_time(&text).map(Item::Temporal),
            Primitive::String => None,
        };
        Some(read.unwrap_or(Item::String(text)))
    }

    /// The text of a string or of any string-like primitive (`code`, `uri`, `id`, …); `None` for others.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => Some(text.clone()),
            Self::Element(element) if element.is_primitive() => match Primitive::of(element.definition) {
                Primitive::String => element.text(),
                _ => None,
            },
            _ => None,
        }
    }

    /// A boolean value, of System or FHIR.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Element(element) => element.value?.as_bool(),
            _ => None,
        }
    }

    /// A number as a decimal, of System or FHIR.
    #[must_use]
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self.to_system()? {
            Item::Integer(value) => Some(number::integer(value)),
            Item::Decimal(value) => Some(value),
            _ => None,
        }
    }

    /// A whole number, of System or FHIR.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self.to_system()? {
            Item::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// The text that `toString()` gives; `None` for what has none.
    #[must_use]
    pub fn to_text(&self) -> Option<Cow<'a, str>> {
        if let Self::Element(element) = self
            && element.is_primitive()
        {
            return element.text();
        }
        Some(match self.to_system()? {
            Item::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Item::String(text) => text,
            Item::Integer(value) => Cow::Owned(value.to_string()),
            Item::Decimal(value) => Cow::Owned(value.to_string()),
            Item::Temporal(value) => Cow::Owned(value.to_string()),
            Item::Quantity(value) => Cow::Owned(value.to_string()),
            Item::Element(_) | Item::Unresolved(_) | Item::Type(..) | Item::Definition(_) => return None,
        })
    }
}
