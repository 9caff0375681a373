//! Rules drawn from a schema once: invariants compiled, codes of required bindings at hand.
//! Tables run beside the schema's, by the positions that types and elements know.

use crate::invariant::{self, Invariant};
use fhir::schema::{BindingStrength, ElementDefinition, Schema, TypeDefinition};

/// The rules of one type.
#[derive(Default)]
pub(crate) struct TypeRules {
    pub(crate) invariants: Vec<Invariant>,
    elements: Vec<ElementRules>,
}

/// The rules of one element, besides those of its type.
#[derive(Default)]
pub(crate) struct ElementRules {
    pub(crate) invariants: Vec<Invariant>,
    /// Canonical of a value set that codes must come from, when the tables enumerate it.
    pub(crate) required_codes: Option<&'static str>,
}

/// The rules of all types.
pub(crate) struct Rules {
    types: Vec<TypeRules>,
    none: TypeRules,
    none_of_element: ElementRules,
}

impl Rules {
    pub(crate) fn new(schema: &Schema) -> Self {
        let types = schema.types.iter().map(|definition| TypeRules {
            invariants: invariant::compiled(&definition.constraints),
            elements: definition.elements.iter().map(|element| element_rules(schema, element)).collect(),
        });
        Self { types: types.collect(), none: TypeRules::default(), none_of_element: ElementRules::default() }
    }

    pub(crate) fn of_type(&self, definition: &TypeDefinition) -> &TypeRules {
        self.types.get(definition.index).unwrap_or(&self.none)
    }

    pub(crate) fn of_element(&self, definition: &TypeDefinition, element: &ElementDefinition) -> &ElementRules {
        self.of_type(definition).elements.get(element.index).unwrap_or(&self.none_of_element)
    }
}

fn element_rules(schema: &Schema, element: &ElementDefinition) -> ElementRules {
    let required = element.binding.filter(|binding| binding.strength == BindingStrength::Required);
    ElementRules {
        invariants: invariant::compiled(&element.constraints),
        required_codes: required.map(|binding| binding.value_set).filter(|set| schema.value_set_codes(set).is_some()),
    }
}
