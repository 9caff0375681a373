//! Code systems of the packages ([`fhir::schema::CodeSystem`]) into the compact form.
//!
//! Hierarchy is by nesting and by the properties `parent` and `child`; what is retired or only groups others
//! is said by properties, known by their URI or their usual names. SPEC: R4 codesystem.html#status,
//! codesystem-concept-properties.html. What closes a circle is left out.

use crate::{
    builder::{BuildError, Builder},
    code_system::{About, CodeSystem, Completeness},
};
use fhir::schema;

const STANDARD: &str = "http://hl7.org/fhir/concept-properties#";

/// What a property means for the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Parent,
    Child,
    Inactive,
    Status,
    NotSelectable,
    Other,
}

pub(crate) fn meaning(code: &str, uri: &str) -> Meaning {
    match uri.strip_prefix(STANDARD).unwrap_or(code) {
        "parent" | "subsumedBy" => Meaning::Parent,
        "child" => Meaning::Child,
        "inactive" => Meaning::Inactive,
        "status" => Meaning::Status,
        "notSelectable" | "abstract" => Meaning::NotSelectable,
        _ => Meaning::Other,
    }
}

/// The compact form of a system with its supplements.
pub(crate) fn compiled<'a>(
    facts: &schema::CodeSystem,
    supplements: impl Iterator<Item = &'a schema::CodeSystem>,
) -> Result<CodeSystem, BuildError> {
    let mut builder = Builder::new(About {
        url: facts.url.to_owned(),
        version: facts.version.to_owned(),
        name: facts.name.to_owned(),
        completeness: if facts.is_complete { Completeness::Complete } else { Completeness::Part },
        is_case_sensitive: facts.is_case_sensitive,
        value_set: facts.value_set.to_owned(),
    });
    // All codes first: parents may be named before they stand.
    for concept in &facts.concepts {
        let number = builder.concept(concept.code)?;
        builder.display(number, concept.display)?;
    }
    add(&mut builder, facts)?;
    for supplement in supplements {
        add(&mut builder, supplement)?;
    }
    builder.finish().map(|(system, _)| system)
}

/// Hierarchy, properties and names of the concepts that the builder has already.
fn add(builder: &mut Builder, facts: &schema::CodeSystem) -> Result<(), BuildError> {
    let declared: Vec<(&str, Meaning, usize)> = facts
        .properties
        .iter()
        .map(|(code, kind, uri)| (*code, meaning(code, uri), builder.property(code, kind)))
        .collect();
    for concept in &facts.concepts {
        let Some(number) = builder.find(concept.code) else { continue };
        if let Some(parent) = builder.find(concept.parent) {
            builder.parent(number, parent)?;
        }
        for (code, value) in concept.properties() {
            let known = declared.iter().find(|one| one.0 == code);
            let (means, property) = match known {
                Some((_, means, property)) => (*means, *property),
                None => (meaning(code, ""), builder.property(code, "string")),
            };
            builder.say(number, means, property, value)?;
        }
        for name in concept.designations() {
            builder.designation(number, name.language, name.use_code, name.value)?;
        }
    }
    Ok(())
}

impl Builder {
    /// Says a property of a concept, with what it means for the form.
    pub(crate) fn say(&mut self, number: u32, means: Meaning, property: usize, value: &str) -> Result<(), BuildError> {
        match (means, value) {
            (Meaning::Parent, _) => {
                if let Some(parent) = self.find(value) {
                    self.parent(number, parent)?;
                }
            }
            (Meaning::Child, _) => {
                if let Some(child) = self.find(value) {
                    self.parent(child, number)?;
                }
            }
            (Meaning::Inactive, "true") | (Meaning::Status, "retired" | "inactive") => self.inactive(number),
            (Meaning::NotSelectable, "true") => self.not_selectable(number),
            _ => {}
        }
        if matches!(means, Meaning::Parent | Meaning::Child) { Ok(()) } else { self.set(number, property, value) }
    }
}
