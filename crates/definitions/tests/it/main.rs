//! The crate as its users see it: packages and definitions in, tables out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests; clippy.toml exempts only the test functions themselves"
)]

mod archives;
mod hostile;
mod snapshots;
mod tables;

use definitions::{Compiled, Package, compile};
use fhir::{
    json::Tree,
    schema::{Definitions, Profile, ProfileElement, r4},
};

/// Compiles definitions that came alone, upon what is compiled in.
fn compiled(definitions: &[&str]) -> Compiled {
    let trees = definitions.iter().map(|json| Tree::parse(json.as_bytes().to_vec()).unwrap());
    compile(&Package::of_definitions("handrail.local", "1", trees.collect()), r4(), Definitions::builtin())
}

/// The registry with these definitions, none of which may be faulty.
fn registry(definitions: &[&str]) -> Definitions {
    let compiled = compiled(definitions);
    assert!(compiled.faults.is_empty(), "{:?}", compiled.faults);
    Definitions::builtin().with(vec![compiled.tables])
}

/// What is wrong with these definitions, as texts.
fn faults(definitions: &[&str]) -> Vec<String> {
    compiled(definitions).faults.iter().map(ToString::to_string).collect()
}

/// A profile with a differential alone; its base by the last step when it is one of R4.
fn profile(name: &str, type_name: &str, base: &str, elements: &str) -> String {
    let base =
        if base.contains(':') { base.to_owned() } else { format!("http://hl7.org/fhir/StructureDefinition/{base}") };
    format!(
        r#"{{"resourceType": "StructureDefinition", "url": "http://example.org/{name}", "version": "1",
            "kind": "resource", "abstract": false, "type": "{type_name}", "baseDefinition": "{base}",
            "derivation": "constraint", "differential": {{"element": [{elements}]}}}}"#
    )
}

fn element<'p>(profile: &'p Profile, id: &str) -> &'p ProfileElement {
    let found = profile.elements.iter().find(|one| one.id == id);
    found.unwrap_or_else(|| panic!("{id} in {:?}", profile.elements.iter().map(|one| one.id).collect::<Vec<_>>()))
}

fn has(profile: &Profile, id: &str) -> bool {
    profile.elements.iter().any(|one| one.id == id)
}
