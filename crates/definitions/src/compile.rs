//! A package compiled to tables.

use crate::{
    capability,
    fault::Fault,
    package::Package,
    profile, search,
    table::{Constraints, Table},
    terminology,
};
use fhir::schema::{Definitions, Schema, Tables};

/// What a package was compiled to, and what of it could not be used.
#[derive(Debug)]
pub struct Compiled {
    /// The tables, without the faulty definitions.
    pub tables: Tables,
    /// What could not be used, by definition.
    pub faults: Vec<Fault>,
}

/// Compiles a package upon what is known already: its profiles may derive from profiles of its own and
/// from those of `known`, where those of the packages that it depends on come first.
#[must_use]
pub fn compile(package: &Package, schema: &Schema, known: &Definitions) -> Compiled {
    compile_with(package, schema, known, &mut Constraints::default())
}

/// As [`compile`], with invariants shared between packages: the table of invariants holds those of all.
#[must_use]
pub fn compile_with(
    package: &Package,
    schema: &Schema,
    known: &Definitions,
    constraints: &mut Constraints,
) -> Compiled {
    let mut faults = Vec::new();
    let profiles = profile::table(package, schema, known, constraints, &mut faults);
    let tables = Tables {
        manifest: manifest(package),
        profiles,
        constraints: constraints.table(),
        code_systems: terminology::table(package.blocks(), "S", &package.id()),
        value_sets: terminology::table(package.blocks(), "V", &package.id()),
        concept_maps: terminology::table(package.blocks(), "M", &package.id()),
        search_parameters: search::table_of(package, &mut faults),
        capability: capability::table(package),
    };
    faults.extend_from_slice(package.faults());
    Compiled { tables, faults }
}

fn manifest(package: &Package) -> String {
    let mut table = Table::default();
    table.row(&[&package.id(), &package.sha256, &package.dependencies.join(",")]);
    table.into_text()
}
