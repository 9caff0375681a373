//! Index values: what a search can ask of one resource, drawn out of it once at write time.
//!
//! The same values feed the matcher, the index rows, the sort keys and the residual tests of a
//! plan, so that no road through the store reads a resource's JSON to decide about it.
//! SPEC: R4 search.html#ptypes.

use crate::registry::ParameterId;
use fhir::{LogicalId, ResourceType, primitive::decimal::Decimal};

/// One value of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexValue {
    /// A coded value or identifier. `system` is `None` when the element had none, or for `code`,
    /// `boolean`, `string` elements.
    Token {
        /// System URI.
        system: Option<String>,
        /// Code, identifier value, `true`/`false`; empty when only a text was given.
        code: String,
        /// Display or text, for `:text`.
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
        /// The URL when it is absolute, a canonical or a URN; canonical version split off.
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
