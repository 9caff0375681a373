//! Where a guide contradicts itself: what is read instead. Each line has its reason in docs/profiles.md.

/// Further targets of a reference: profile, element, canonical.
const TARGETS: &[(&str, &str, &str)] = &[
    // The guide says that nested panels are collections of collections, and its examples are.
    (
        "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-collection",
        "Observation.hasMember",
        "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-collection",
    ),
];

/// What a reference of this profile may point at besides what the profile says.
pub(super) fn further_targets(profile: &str, element: &str) -> impl Iterator<Item = &'static str> {
    let lines = TARGETS.iter().filter(move |(of, id, _)| *of == profile && *id == element);
    lines.map(|(_, _, target)| *target)
}
