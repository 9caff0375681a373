//! Rules drawn from a schema once: invariants compiled, codes of required bindings at hand.
//! Tables run beside the schema's, by the positions that types and elements know.

use crate::finding::Place;
use crate::invariant::{self, Invariant};
use crate::profile::binding::Binder;
use crate::profile::shape::{ActiveSet, Bound};
use crate::walk::{Member, Walk};
use fhir::element::Element;
use fhir::schema::{Binding, BindingStrength, ElementDefinition, Schema, TypeDefinition};
use std::sync::OnceLock;

/// Types that have checks of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Special {
    Attachment,
    Binary,
    Coding,
    Extension,
    Reference,
    #[default]
    None,
}

impl Special {
    fn of(name: &str) -> Self {
        match name {
            "Attachment" => Self::Attachment,
            "Binary" => Self::Binary,
            "Coding" => Self::Coding,
            "Extension" => Self::Extension,
            "Reference" => Self::Reference,
            _ => Self::None,
        }
    }
}

/// The rules of one type.
#[derive(Default)]
pub(crate) struct TypeRules {
    pub(crate) kind: Special,
    pub(crate) invariants: Vec<Invariant>,
    elements: Vec<ElementRules>,
}

/// The rules of one element, besides those of its type.
#[derive(Default)]
pub(crate) struct ElementRules {
    pub(crate) invariants: Vec<Invariant>,
    /// Canonical of a value set that codes must come from, when the tables enumerate it.
    pub(crate) required_codes: Option<&'static str>,
    /// Another binding, looked up at its first use.
    other: Option<(Binding, OnceLock<Bound>)>,
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
            kind: Special::of(definition.name),
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
    let required = required.map(|binding| binding.value_set).filter(|set| schema.value_set_codes(set).is_some());
    let other = element.binding.filter(|binding| required.is_none() && binding.strength != BindingStrength::Example);
    ElementRules {
        invariants: invariant::compiled(&element.constraints),
        required_codes: required,
        other: other.map(|binding| (binding, OnceLock::new())),
    }
}

/// The package of the base definitions.
const CORE: &str = "hl7.fhir.r4.core#4.0.1";

impl<'t> Walk<'t> {
    /// A binding of base R4 that the walk itself does not check: extensible and preferred ones, and required
    /// ones that only a terminology knows.
    pub(crate) fn base_binding(
        &mut self,
        member: Member<'t>,
        active: &ActiveSet<'t>,
        element: Element<'t>,
        place: &Place<'_>,
    ) {
        let Some((binding, bound)) = &self.validator.rules.of_element(member.owner, member.element).other else {
            return;
        };
        // What is no must gives way to what a profile asks for in its place (docs/profiles.md, "bindings").
        if binding.strength != BindingStrength::Required && active.iter().any(|one| one.node().is_bound) {
            return;
        }
        let bound = bound.get_or_init(|| Bound {
            strength: binding.strength,
            canonical: binding.value_set,
            set: self.validator.terminology().value_set(binding.value_set, CORE),
        });
        // WHY: the languages and media types of R4 are whole registries; nothing that is not loaded is told
        // of a base binding, or every resource would have a page of it.
        if bound.set.is_some() {
            self.binding(bound, Binder::Base(member.element.path), &element, place);
        }
    }
}
