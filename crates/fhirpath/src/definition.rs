//! What `elementDefinition()` answers: the facts of the tables about an element, by the names that
//! ElementDefinition gives them. SPEC: R4 fhirpath.html#functions, elementdefinition.html. Left out: what is
//! no fact of the tables (descriptions, mappings, examples).

use crate::item::Item;
use fhir::schema::{Binding, BindingStrength, Constraint, ElementDefinition, TypeReference};
use std::borrow::Cow;
use std::fmt;

/// An ElementDefinition, or a part of one.
#[derive(Debug, Clone, Copy)]
pub enum Definition<'a> {
    /// `path`, `id`, `min`, `max`, `type`, `binding`, `constraint`, `isModifier`, `isSummary`.
    Element(&'a ElementDefinition),
    /// `code`, `targetProfile`.
    Type(&'a TypeReference),
    /// `strength`, `valueSet`.
    Binding(Binding),
    /// `key`, `severity`, `expression`.
    Constraint(&'a Constraint),
}

impl<'a> Definition<'a> {
    /// The type's name, as FHIR names it.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Element(_) => "ElementDefinition",
            Self::Type(_) => "ElementDefinition.type",
            Self::Binding(_) => "ElementDefinition.binding",
            Self::Constraint(_) => "ElementDefinition.constraint",
        }
    }

    /// Whether two are the same definition.
    pub(crate) fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Element(one), Self::Element(two)) => std::ptr::eq(one, two),
            (Self::Type(one), Self::Type(two)) => std::ptr::eq(one, two),
            (Self::Binding(one), Self::Binding(two)) => one.strength == two.strength && one.value_set == two.value_set,
            (Self::Constraint(one), Self::Constraint(two)) => std::ptr::eq(one, two),
            _ => false,
        }
    }

    /// Its children of this name.
    pub(crate) fn children(self, name: &str) -> Vec<Item<'a>> {
        let text = |text: &'a str| vec![Item::String(Cow::Borrowed(text))];
        match (self, name) {
            (Self::Element(element), "path" | "id") => text(element.path),
            (Self::Element(element), "min") => vec![Item::Integer(i64::from(element.min))],
            (Self::Element(element), "max") => {
                vec![Item::String(element.max.map_or(Cow::Borrowed("*"), |max| Cow::Owned(max.to_string())))]
            }
            (Self::Element(element), "isModifier") => vec![Item::Boolean(element.is_modifier)],
            (Self::Element(element), "isSummary") => vec![Item::Boolean(element.is_summary)],
            (Self::Element(element), "type") => {
                element.types.iter().map(|of| Item::Definition(Self::Type(of))).collect()
            }
            (Self::Element(element), "binding") => {
                element.binding.iter().map(|binding| Item::Definition(Self::Binding(*binding))).collect()
            }
            (Self::Element(element), "constraint") => {
                element.constraints.iter().map(|one| Item::Definition(Self::Constraint(one))).collect()
            }
            (Self::Type(of), "code") => text(of.code),
            (Self::Type(of), "targetProfile") => {
                let url = |name: &&str| Cow::Owned(format!("http://hl7.org/fhir/StructureDefinition/{name}"));
                of.targets.iter().map(|name| Item::String(url(name))).collect()
            }
            (Self::Binding(binding), "strength") => text(match binding.strength {
                BindingStrength::Required => "required",
                BindingStrength::Extensible => "extensible",
                BindingStrength::Preferred => "preferred",
                BindingStrength::Example => "example",
            }),
            (Self::Binding(binding), "valueSet") => text(binding.value_set),
            (Self::Constraint(one), "key") => text(one.key),
            (Self::Constraint(one), "severity") => text(if one.is_error { "error" } else { "warning" }),
            (Self::Constraint(one), "expression") => text(one.expression),
            _ => Vec::new(),
        }
    }
}

/// What it is about: a path, a type, a value set, a key.
impl fmt::Display for Definition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Element(element) => element.path,
            Self::Type(of) => of.code,
            Self::Binding(binding) => binding.value_set,
            Self::Constraint(one) => one.key,
        })
    }
}
