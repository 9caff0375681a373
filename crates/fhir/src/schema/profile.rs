//! Profiles and extensions of the guides, parsed at first use.
//!
//! A profile lists only elements that say something its base type does not, and all slices.
//! SPEC: R4 profiling.html. Left out: the profiles of R4 core itself.

use super::{
    Binding, Constraint, packages, table,
    types::{Constraints, read_binding},
};
use std::sync::LazyLock;

/// A profile or an extension definition.
#[derive(Debug)]
pub struct Profile {
    /// Canonical URL, without version.
    pub url: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Name of the package: `hl7.fhir.us.core`.
    pub package: &'static str,
    /// The type that it constrains.
    pub type_name: &'static str,
    /// Canonical URL of what it derives from.
    pub base: &'static str,
    /// Its elements are a differential upon `base`, not a snapshot.
    pub is_differential: bool,
    /// Never claimed itself.
    pub is_abstract: bool,
    /// What it says, in order; the first is the root.
    pub elements: Vec<ProfileElement>,
}

/// What a profile says of one element. `None` and empty in a differential: what the base says.
#[derive(Debug)]
pub struct ProfileElement {
    /// `Observation.category:us-core.coding`: the path, with the names of slices.
    pub id: &'static str,
    /// Smallest number of repeats.
    pub min: Option<u32>,
    /// Largest number of repeats, `u32::MAX` for `*`.
    pub max: Option<u32>,
    /// Types it may have.
    pub types: Vec<ProfileType>,
    /// Changes the meaning of what it stands in.
    pub is_modifier: bool,
    /// Part of `_summary=true`.
    pub is_summary: bool,
    /// Must support.
    pub must_support: bool,
    /// The value set its codes come from.
    pub binding: Option<Binding>,
    /// Invariants on this element, without those that stand on its type already.
    pub constraints: Vec<Constraint>,
    /// Discriminators as (type, path): how slices below are told apart.
    pub discriminators: Vec<(&'static str, &'static str)>,
    /// `open`, `closed`, `openAtEnd`; `None` when it is not sliced.
    pub slicing_rules: Option<&'static str>,
    /// Slices stand in their order.
    pub slicing_ordered: bool,
    /// Fixed and pattern values, bounds and length, as one JSON object by the names of
    /// ElementDefinition (`patternCodeableConcept`); empty when there are none.
    pub values: &'static str,
}

/// A type with the profiles that narrow it.
#[derive(Debug)]
pub struct ProfileType {
    /// `Reference`.
    pub code: &'static str,
    /// Canonicals (R4 types by name) that the element itself must meet one of.
    pub profiles: Vec<&'static str>,
    /// Canonicals (R4 types by name) that a reference's target must meet one of; empty: any.
    pub targets: Vec<&'static str>,
}

impl ProfileElement {
    /// Name of the slice that this element is, not one that it stands in.
    #[must_use]
    pub fn slice_name(&self) -> Option<&'static str> {
        self.id.rsplit('.').next().and_then(|last| last.split_once(':')).map(|(_, name)| name)
    }

    /// The names of the path below the root, each with its slice.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> + use<> {
        self.id.split('.').skip(1).map(|step| match step.split_once(':') {
            Some((name, slice)) => (name, Some(slice)),
            None => (step, None),
        })
    }
}

/// All profiles, in the order of the packages.
#[must_use]
pub fn profiles() -> &'static [Profile] {
    static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
        let constraints = Constraints::read(include_str!("../../definitions/constraints.tsv"));
        let tables = [
            include_str!("../../definitions/profiles-us-core-3.1.1.tsv"),
            include_str!("../../definitions/profiles-us-core-6.1.0.tsv"),
            include_str!("../../definitions/profiles-pfe-2.0.0.tsv"),
            include_str!("../../definitions/profiles-rt-1.0.0.tsv"),
        ];
        let guides = packages().iter().skip(1).map(|package| package.name);
        tables.into_iter().zip(guides).flat_map(|(text, package)| read(text, package, &constraints)).collect()
    });
    &PROFILES
}

/// The profile of this canonical, with or without `|version`; without, the newest.
#[must_use]
pub fn profile_named(canonical: &str) -> Option<&'static Profile> {
    let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
    profiles().iter().rfind(|one| one.url == url && (version.is_empty() || one.version == version))
}

fn read(text: &'static str, package: &'static str, constraints: &Constraints) -> Vec<Profile> {
    let mut list: Vec<Profile> = Vec::new();
    for mut row in table::lines(text) {
        match (row.cell(), list.last_mut()) {
            ("E", Some(last)) => last.elements.push(read_element(row, constraints)),
            _ => list.push(Profile {
                url: row.cell(),
                version: row.cell(),
                package,
                type_name: row.cell(),
                base: row.cell(),
                is_differential: row.cell() == "differential",
                is_abstract: row.cell() == "abstract",
                elements: Vec::new(),
            }),
        }
    }
    list
}

fn read_element(mut row: table::Row, constraints: &Constraints) -> ProfileElement {
    let id = row.cell();
    let min = row.cell().parse().ok();
    let max = match row.cell() {
        "*" => Some(u32::MAX),
        number => number.parse().ok(),
    };
    let types = table::list(row.cell(), ' ').into_iter().map(read_type).collect();
    let flags = row.cell();
    let binding = read_binding(row.cell());
    let constraints = constraints.of(row.cell());
    let mut slicing = row.cell().split(';');
    let discriminators = table::list(slicing.next().unwrap_or_default(), ',').into_iter();
    ProfileElement {
        id,
        min,
        max,
        types,
        is_modifier: flags.contains('m'),
        is_summary: flags.contains('s'),
        must_support: flags.contains('M'),
        binding,
        constraints,
        discriminators: discriminators.filter_map(|one| one.split_once(':')).collect(),
        slicing_rules: slicing.next(),
        slicing_ordered: slicing.next() == Some("ordered"),
        values: row.cell(),
    }
}

fn read_type(cell: &'static str) -> ProfileType {
    let (rest, targets) = cell.split_once('>').unwrap_or((cell, ""));
    let (code, profiles) = rest.split_once('<').unwrap_or((rest, ""));
    ProfileType { code, profiles: table::list(profiles, ','), targets: table::list(targets, ',') }
}
