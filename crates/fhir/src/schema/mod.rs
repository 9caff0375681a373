//! Tables of facts about FHIR R4 and the guides: types, elements, codes, search parameters,
//! compartments, profiles, capability expectations. Made by `cargo xtask definitions` from the FHIR
//! packages, committed under `definitions/` (format: its README), compiled into the binary, parsed
//! once at first use. What the guides define is found through [`Definitions`], each definition parsed
//! on its own first use; packages that an operator adds are there beside those compiled in.
//!
//! No prose: paths, cardinalities, types, targets, bindings, expressions.
//! SPEC: R4 elementdefinition.html, searchparameter.html, compartmentdefinition.html.

mod capability;
mod code_system;
mod concept_map;
mod definitions;
mod package;
mod profile;
mod search_parameter;
mod table;
mod tables;
mod terminology;
mod types;
mod value_set;

#[cfg(test)]
mod tests;

pub use capability::{CapabilityStatement, Expectation, Expected, ExpectedResource, capability_statements};
pub use code_system::{CodeSystem, Concept, Designation};
pub use concept_map::{ConceptMap, ConceptMapGroup, Mapping};
pub use definitions::Definitions;
pub use package::{Package, packages};
pub use profile::{Profile, ProfileElement, ProfileType};
pub use search_parameter::SearchParameterDefinition;
pub use table::Lines;
pub use tables::{Tables, TablesError};
pub use types::{Binding, BindingStrength, Constraint, ElementDefinition, TypeDefinition, TypeKind, TypeReference};
pub use value_set::{ExpandedCode, ListedCode, ValueSet, ValueSetFilter, ValueSetPart};

use std::sync::LazyLock;

/// All tables of one set of packages.
#[derive(Debug)]
pub struct Schema {
    /// All types, sorted by name.
    pub types: Vec<TypeDefinition>,
    /// All search parameters: R4 first, then the guides, each in the order of their URLs. No two
    /// have the same (base, code).
    pub search_parameters: Vec<SearchParameterDefinition>,
    /// Patient compartment: resource type and the search parameters that put it there, sorted by
    /// type. A Patient is in its own compartment besides.
    pub patient_compartment: Vec<(&'static str, Vec<&'static str>)>,
}

impl Schema {
    /// The schema of the texts of `types.tsv` and `constraints.tsv`, without search parameters. The
    /// texts are kept as long as the process lives.
    #[must_use]
    pub fn of_tables(types: String, constraints: String) -> Self {
        let types = types::read(Box::leak(types.into_boxed_str()), Box::leak(constraints.into_boxed_str()));
        Self { types, search_parameters: Vec::new(), patient_compartment: Vec::new() }
    }

    /// The type of this name (`Observation`, `string`, `Observation.component`).
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<&TypeDefinition> {
        self.types.binary_search_by(|candidate| candidate.name.cmp(name)).ok().and_then(|at| self.types.get(at))
    }

    /// The type that an element's type reference names, without a search.
    #[must_use]
    pub fn type_of(&self, reference: &TypeReference) -> Option<&TypeDefinition> {
        self.types.get(reference.index)
    }

    /// Codes of a value set that a required binding names, as (system, code), when it is enumerable
    /// from the packages; `None` when membership cannot be checked. Sorted by code, then system.
    #[must_use]
    pub fn value_set_codes(&self, canonical: &str) -> Option<&[(&'static str, &'static str)]> {
        terminology::value_set_codes(canonical)
    }

    /// Whether a value set holds a code; without `system` in any system. `None` when it cannot be
    /// known from the packages.
    #[must_use]
    pub fn value_set_holds(&self, canonical: &str, system: Option<&str>, code: &str) -> Option<bool> {
        let codes = self.value_set_codes(canonical)?;
        let start = codes.partition_point(|(_, have)| *have < code);
        let mut same = codes.iter().skip(start).take_while(|(_, have)| *have == code);
        Some(same.any(|(of, _)| system.is_none_or(|system| system == *of)))
    }
}

/// The tables of R4 core with US Core, PFE and RT, as committed.
#[must_use]
pub fn r4() -> &'static Schema {
    static R4: LazyLock<Schema> = LazyLock::new(|| Schema {
        types: types::read(
            include_str!("../../definitions/types.tsv"),
            include_str!("../../definitions/constraints.tsv"),
        ),
        search_parameters: search_parameter::read(include_str!("../../definitions/search-parameters.tsv")),
        patient_compartment: table::lines(include_str!("../../definitions/patient-compartment.tsv"))
            .map(|mut row| (row.cell(), row.list(' ')))
            .collect(),
    });
    &R4
}

/// Position of a name in [`resource_type_names`].
#[must_use]
pub fn resource_type_named(name: &str) -> Option<usize> {
    static BEGINS: LazyLock<Vec<u64>> =
        LazyLock::new(|| resource_type_names().iter().map(|name| types::begin(name.as_bytes())).collect());
    let begin = types::begin(name.as_bytes());
    let first = BEGINS.partition_point(|other| *other < begin);
    let same = BEGINS.iter().zip(resource_type_names()).enumerate().skip(first);
    let mut same = same.take_while(|(_, (other, _))| **other == begin);
    same.find(|(_, (_, other))| **other == name).map(|(at, _)| at)
}

/// Names of all concrete resource types of R4, sorted.
#[must_use]
pub fn resource_type_names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let concrete = r4().types.iter().filter(|one| one.kind == TypeKind::Resource && !one.is_abstract);
        concrete.map(|one| one.name).collect()
    });
    &NAMES
}
