//! Profiles and extensions, their elements parsed at first use.
//!
//! A profile lists only elements that say something its base type does not, and all slices.
//! SPEC: R4 profiling.html.

use super::{
    Binding, Constraint,
    table::{self, Lines, Row, Shared},
    types::read_binding,
};

/// A profile or an extension definition.
#[derive(Debug)]
pub struct Profile {
    /// Canonical URL, without version.
    pub url: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Package it comes from: `hl7.fhir.us.core#6.1.0`.
    pub package: &'static str,
    /// The type that it constrains.
    pub type_name: &'static str,
    /// Canonical URL of what it derives from.
    pub base: &'static str,
    /// Never claimed itself.
    pub is_abstract: bool,
    /// Where an extension may stand, as (kind, expression): `element`, `extension` or `fhirpath`, then
    /// a path of an element, the URL of an extension, or FHIRPath. Empty for other profiles.
    pub contexts: Vec<(&'static str, &'static str)>,
    /// FHIRPath that must be true of where an extension stands (`StructureDefinition.contextInvariant`).
    pub context_invariants: Vec<&'static str>,
    /// What it says, in order; the first is the root. Parsed at first use.
    pub elements: Lines<ProfileElement>,
}

impl Profile {
    /// `URL|version`.
    #[must_use]
    pub fn canonical(&self) -> String {
        format!("{}|{}", self.url, self.version)
    }

    /// It defines an extension.
    #[must_use]
    pub fn is_extension(&self) -> bool {
        self.type_name == "Extension"
    }
}

/// What a profile says of one element.
#[derive(Debug)]
pub struct ProfileElement {
    /// `Observation.category:us-core.coding`: the path, with the names of slices. A reslice is
    /// `Observation.category:outer/inner`.
    pub id: &'static str,
    /// Smallest number of repeats.
    pub min: Option<u32>,
    /// Largest number of repeats, `u32::MAX` for `*`.
    pub max: Option<u32>,
    /// Types it may have. A content reference has the path that it refers to as its type.
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
    /// How a reference's target may be held: `contained`, `referenced`, `bundled`; empty: any way.
    pub aggregation: Vec<&'static str>,
    /// Whether a reference names a version: `either`, `independent`, `specific`; empty: unsaid.
    pub versioning: &'static str,
}

impl ProfileElement {
    /// Name of the slice that this element is, not one that it stands in.
    #[must_use]
    pub fn slice_name(&self) -> Option<&'static str> {
        last_step(self.id).split_once(':').map(|(_, name)| name)
    }

    /// The names of the path below the root, each with its slice.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>)> + use<> {
        steps(self.id).skip(1)
    }
}

/// The steps of an element id, the root first. A slice name may hold dots (`Bundle.entry:a.b` is not
/// told from a child `b`, so names of slices with dots are written with `%2E` in the tables).
fn steps(id: &'static str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> + use<> {
    id.split('.').map(|step| match step.split_once(':') {
        Some((name, slice)) => (name, Some(slice)),
        None => (step, None),
    })
}

fn last_step(id: &'static str) -> &'static str {
    id.rsplit('.').next().unwrap_or(id)
}

/// The profiles of a table, their heads only.
pub(super) fn read(text: &'static str, shared: Shared) -> Vec<Profile> {
    let blocks = table::blocks(text, 'P');
    let profiles = blocks.map(|(mut row, body)| {
        let (url, version, package, type_name, base) = (row.cell(), row.cell(), row.cell(), row.cell(), row.cell());
        let is_abstract = row.cell() == "abstract";
        let mut profile = Profile {
            url,
            version,
            package,
            type_name,
            base,
            is_abstract,
            contexts: Vec::new(),
            context_invariants: Vec::new(),
            elements: Lines::new(body, shared, read_elements),
        };
        // The lines of contexts stand before those of elements.
        for mut row in table::lines(body) {
            match row.cell() {
                "X" => profile.contexts.push((row.cell(), row.cell())),
                "Y" => profile.context_invariants.push(row.cell()),
                _ => break,
            }
        }
        profile
    });
    profiles.collect()
}

fn read_elements(text: &'static str, shared: Shared) -> Vec<ProfileElement> {
    let rows = table::lines(text).filter_map(|mut row| (row.cell() == "E").then_some(row));
    rows.map(|row| read_element(row, shared)).collect()
}

fn read_element(mut row: Row, shared: Shared) -> ProfileElement {
    let id = row.cell();
    let min = row.cell().parse().ok();
    let max = match row.cell() {
        "*" => Some(u32::MAX),
        number => number.parse().ok(),
    };
    let types = table::list(row.cell(), ' ').into_iter().map(read_type).collect();
    let flags = row.cell();
    let binding = read_binding(row.cell());
    let constraints = shared.get().of(row.cell());
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

/// `Reference(bundled,contained;specific)<PROFILE>TARGET,TARGET`.
fn read_type(cell: &'static str) -> ProfileType {
    let (rest, targets) = cell.split_once('>').unwrap_or((cell, ""));
    let (rest, profiles) = rest.split_once('<').unwrap_or((rest, ""));
    let (code, held) = rest.split_once('(').unwrap_or((rest, ""));
    let (aggregation, versioning) = held.trim_end_matches(')').split_once(';').unwrap_or((held, ""));
    ProfileType {
        code,
        profiles: table::list(profiles, ','),
        targets: table::list(targets, ','),
        aggregation: table::list(aggregation.trim_end_matches(')'), ','),
        versioning,
    }
}
