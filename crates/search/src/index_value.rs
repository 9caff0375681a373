//! Index values: what a search can ask of one resource, drawn out of it once at write time.
//!
//! The same values feed the matcher, the index rows, the sort keys and the residual tests of a
//! plan, so that no road through the store reads a resource's JSON to decide about it. They exist
//! owned ([`IndexValue`]), encoded ([`crate::encoded`]) and borrowed from either ([`ValueRef`]);
//! every evaluator works on the borrowed form. SPEC: R4 search.html#ptypes.

use crate::{encoded, registry::ParameterId};
use fhir::{LogicalId, ResourceType, primitive::decimal::Decimal};
use std::fmt;

/// One value of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexValue {
    /// A coded value or identifier. `system` is `None` when the element had none, or for
    /// `boolean`, `string`, `id` elements; a bound `code` has the system of its value set.
    Token {
        /// System URI.
        system: Option<String>,
        /// Code, identifier value, `true`/`false`; empty when only a text was given.
        code: String,
        /// Display or text as written, for `:text`.
        text: Option<String>,
    },
    /// A string: folded (case, accents, Unicode form) and as written (for `:exact`).
    String {
        /// Folded for comparison and order.
        folded: String,
        /// As written.
        original: String,
    },
    /// A reference.
    Reference {
        /// Literal local target.
        target: Option<(ResourceType, LogicalId)>,
        /// The URL when it is absolute, a canonical (with its `|version`) or a URN.
        url: Option<String>,
        /// `Reference.identifier` (system, value), for `:identifier`.
        identifier: Option<(Option<String>, String)>,
    },
    /// A date or period as `[low, high)` in milliseconds since the epoch; open ends are MIN/MAX.
    Date {
        /// First millisecond.
        low: i64,
        /// First millisecond after.
        high: i64,
    },
    /// A number, exact.
    Number(Decimal),
    /// A quantity.
    Quantity {
        /// Value, exact.
        value: Decimal,
        /// Unit system.
        system: Option<String>,
        /// Unit code.
        code: Option<String>,
        /// Unit as text.
        unit: Option<String>,
        /// Value in canonical UCUM units with that unit's text, when the unit is one we convert.
        canonical: Option<(Decimal, String)>,
    },
    /// A URI.
    Uri(String),
    /// A composite: for each component all of its values in this one group.
    Composite(Vec<Vec<IndexValue>>),
}

/// A value borrowed from an [`IndexValue`] or from its encoding.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the fields are those of IndexValue")]
pub enum ValueRef<'a> {
    Token {
        system: Option<&'a str>,
        code: &'a str,
        text: Option<&'a str>,
    },
    String {
        folded: &'a str,
        original: &'a str,
    },
    Reference {
        target: Option<(ResourceType, &'a str)>,
        url: Option<&'a str>,
        identifier: Option<(Option<&'a str>, &'a str)>,
    },
    Date {
        low: i64,
        high: i64,
    },
    Number(Decimal),
    Quantity {
        value: Decimal,
        system: Option<&'a str>,
        code: Option<&'a str>,
        unit: Option<&'a str>,
        canonical: Option<(Decimal, &'a str)>,
    },
    Uri(&'a str),
    Composite(Group<'a>),
}

/// One group of a composite: per component its values.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a>(Form<'a>);

#[derive(Debug, Clone, Copy)]
enum Form<'a> {
    Owned(&'a [Vec<IndexValue>]),
    Encoded(&'a [u8]),
}

impl<'a> Group<'a> {
    pub(crate) const fn encoded(bytes: &'a [u8]) -> Self {
        Self(Form::Encoded(bytes))
    }

    /// Whether some value of the component at this place (from 0) passes.
    pub fn any(&self, component: usize, test: &mut dyn FnMut(ValueRef<'a>) -> bool) -> bool {
        match self.0 {
            Form::Owned(components) => {
                components.get(component).is_some_and(|values| values.iter().any(|value| test(value.borrow())))
            }
            Form::Encoded(bytes) => encoded::any_of_component(bytes, component, test),
        }
    }

    pub(crate) fn owned_components(&self) -> Option<Vec<Vec<IndexValue>>> {
        match self.0 {
            Form::Owned(components) => Some(components.to_vec()),
            Form::Encoded(bytes) => encoded::owned_components(bytes),
        }
    }
}

impl IndexValue {
    /// The borrowed form.
    #[must_use]
    pub fn borrow(&self) -> ValueRef<'_> {
        match self {
            Self::Token { system, code, text } => {
                ValueRef::Token { system: system.as_deref(), code, text: text.as_deref() }
            }
            Self::String { folded, original } => ValueRef::String { folded, original },
            Self::Reference { target, url, identifier } => ValueRef::Reference {
                target: target.as_ref().map(|(kind, id)| (*kind, id.as_str())),
                url: url.as_deref(),
                identifier: identifier.as_ref().map(|(system, value)| (system.as_deref(), value.as_str())),
            },
            Self::Date { low, high } => ValueRef::Date { low: *low, high: *high },
            Self::Number(decimal) => ValueRef::Number(*decimal),
            Self::Quantity { value, system, code, unit, canonical } => ValueRef::Quantity {
                value: *value,
                system: system.as_deref(),
                code: code.as_deref(),
                unit: unit.as_deref(),
                canonical: canonical.as_ref().map(|(value, unit)| (*value, unit.as_str())),
            },
            Self::Uri(uri) => ValueRef::Uri(uri),
            Self::Composite(components) => ValueRef::Composite(Group(Form::Owned(components))),
        }
    }
}

/// The index values of one resource version, in whatever form they are kept.
pub trait Values: fmt::Debug {
    /// Whether some value of the parameter passes. Stops at the first that does.
    fn any(&self, parameter: ParameterId, test: &mut dyn FnMut(ValueRef<'_>) -> bool) -> bool;

    /// Whether the parameter has a value.
    fn has(&self, parameter: ParameterId) -> bool {
        self.any(parameter, &mut |_| true)
    }
}

/// All index values of one resource version, sorted by parameter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IndexValues(pub Vec<(ParameterId, IndexValue)>);

impl IndexValues {
    /// The values of one parameter.
    pub fn of(&self, parameter: ParameterId) -> impl Iterator<Item = &IndexValue> {
        let start = self.0.partition_point(|(id, _)| *id < parameter);
        self.0.get(start..).unwrap_or_default().iter().take_while(move |(id, _)| *id == parameter).map(|(_, v)| v)
    }
}

impl Values for IndexValues {
    fn any(&self, parameter: ParameterId, test: &mut dyn FnMut(ValueRef<'_>) -> bool) -> bool {
        self.of(parameter).any(|value| test(value.borrow()))
    }
}
