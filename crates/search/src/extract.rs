//! Extraction: the index values of a resource, drawn out by the expressions of its type's parameters.
//!
//! What a parameter of a type makes of an element of a type stands in one file per parameter type.
//! An element that fits none gives no value; an expression that fails on a resource gives none either.
//! Contained resources are not searched (references to them are skipped), nor is what
//! `resolve()` would have to fetch. SPEC: R4 search.html#ptypes.

mod composite;
mod date;
mod number;
mod quantity;
mod reference;
mod string;
mod token;
mod uri;

use crate::{
    index_value::{IndexValue, IndexValues},
    registry::{ParameterId, ParameterKind, Registry},
};
use fhir::{ResourceType, element::Element};
use fhirpath::Item;

/// Values of one parameter that are compared with each other to drop repeats; beyond it (large
/// groups) repeats stay, which costs room but changes no answer.
const DISTINCT_MAX: usize = 64;

/// The index values of a resource. `base_url`: our own FHIR base without trailing slash;
/// references below it are local. Empty when the element is no resource.
#[must_use]
pub fn extract(registry: &Registry, resource: Element<'_>, base_url: &str) -> IndexValues {
    extract_where(registry, resource, base_url, |_| true)
}

/// As [`extract`], of the parameters that packages added alone.
#[must_use]
pub fn extract_added(registry: &Registry, resource: Element<'_>, base_url: &str) -> IndexValues {
    extract_where(registry, resource, base_url, ParameterId::is_added)
}

fn extract_where(
    registry: &Registry,
    resource: Element<'_>,
    base_url: &str,
    wanted: impl Fn(ParameterId) -> bool,
) -> IndexValues {
    let Ok(resource_type) = ResourceType::parse(resource.definition.name) else { return IndexValues::default() };
    let context = fhirpath::Context { resource: Some(resource), ..fhirpath::Context::default() };
    let mut out = Values { base_url, values: Vec::with_capacity(32), start: 0 };
    for extraction in registry.extractions(resource_type).iter().filter(|one| wanted(one.parameter)) {
        let Some(parameter) = registry.by_id(extraction.parameter) else { continue };
        let Ok(items) = fhirpath::evaluate(&extraction.expression, resource, &context) else { continue };
        out.start = out.values.len();
        for item in &items {
            if parameter.kind == ParameterKind::Composite {
                composite::values(registry, parameter, item, &context, &mut out);
            } else {
                values_of(parameter.kind, item, parameter.id, &mut out);
            }
        }
    }
    IndexValues(out.values)
}

/// What is found so far.
struct Values<'b> {
    base_url: &'b str,
    values: Vec<(ParameterId, IndexValue)>,
    /// Where the values of the current parameter begin.
    start: usize,
}

impl Values<'_> {
    fn push(&mut self, parameter: ParameterId, value: IndexValue) {
        let own = self.values.get(self.start..).unwrap_or_default();
        if own.len() > DISTINCT_MAX || !own.iter().any(|(_, other)| *other == value) {
            self.values.push((parameter, value));
        }
    }
}

fn values_of(kind: ParameterKind, item: &Item<'_>, parameter: ParameterId, out: &mut Values<'_>) {
    let base_url = out.base_url;
    let mut emit = |value| out.push(parameter, value);
    match kind {
        ParameterKind::Token => token::values(item, &mut emit),
        ParameterKind::String => string::values(item, &mut emit),
        ParameterKind::Reference => reference::values(item, base_url, &mut emit),
        ParameterKind::Date => date::values(item, &mut emit),
        ParameterKind::Number => number::values(item, &mut emit),
        ParameterKind::Quantity => quantity::values(item, &mut emit),
        ParameterKind::Uri => uri::values(item, &mut emit),
        ParameterKind::Composite | ParameterKind::Special => {}
    }
}

/// The text of a child primitive; `None` when absent or empty.
fn text_of(element: &Element<'_>, name: &str) -> Option<String> {
    element.child(name)?.text().filter(|text| !text.is_empty()).map(|text| text.into_owned())
}

#[cfg(test)]
mod tests;
