//! Composite values: the composite's expression yields groups; each component is evaluated on its
//! group. A group that lacks a component gives no value, as no search could pass on it.
//! SPEC: R4 search.html#composite.

use super::{Values, values_of};
use crate::{
    index_value::IndexValue,
    registry::{Parameter, Registry},
};
use fhirpath::{Context, Item};

pub(super) fn values<'a>(
    registry: &'a Registry,
    parameter: &'a Parameter,
    group: &Item<'a>,
    context: &'a Context<'a>,
    out: &mut Values<'_>,
) {
    let Some(focus) = group.element() else { return };
    let mut components = Vec::with_capacity(parameter.components.len());
    for (id, expression) in &parameter.components {
        let Some(component) = registry.by_id(*id) else { return };
        let Ok(items) = fhirpath::evaluate(expression, focus, context) else { return };
        let mut own = Values { base_url: out.base_url, values: Vec::new(), start: 0 };
        for item in &items {
            values_of(component.kind, item, *id, &mut own);
        }
        if own.values.is_empty() {
            return;
        }
        components.push(own.values.into_iter().map(|(_, value)| value).collect());
    }
    if !components.is_empty() {
        out.push(parameter.id, IndexValue::Composite(components));
    }
}
