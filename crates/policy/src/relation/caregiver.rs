//! Caregivers: whose related person somebody is, as the record says at the moment of the request. Row G13.
//!
//! What counts: the RelatedPerson is not said to be inactive, its period holds, and its relationship is none that an
//! authority or a company has (employer, agency, insurer). An account stands for one RelatedPerson, or for a Person who
//! links to several, and to a Patient when that is who they are themselves. `Person.link.assurance` does not count.

use super::{Of, all, either, itself, not};
use fhir::{LogicalId, ResourceType};
use search::{Predicate, Registry, Test, predicate::TokenTest};
use std::sync::Arc;

/// Relationships that nobody has who cares for a person as family or friend: employer, federal agency, insurance
/// company, state agency. SPEC: R4 valueset-relatedperson-relationshiptype.html, HL7 v2 table 0131.
const OFFICES: (&str, [&str; 4]) = ("http://terminology.hl7.org/CodeSystem/v2-0131", ["E", "F", "I", "S"]);

/// The patients whom the RelatedPerson or Person of an account is for; `None`: it is neither.
pub(crate) fn caregiver(registry: &Registry, (kind, id): (ResourceType, &LogicalId)) -> Option<Arc<Predicate>> {
    let related = Of::new(registry, "RelatedPerson")?;
    match kind.name() {
        "RelatedPerson" => related.refers_to_these("patient", &all([itself(id), standing(related)?])),
        "Person" => {
            let person = Of::new(registry, "Person")?;
            let who = all([itself(id), person.in_use()?]);
            let linked = person.refers_to_these("link", &who)?;
            let relations = related.refers_to_these("patient", &all([Arc::clone(&linked), standing(related)?]))?;
            Some(either([relations, linked]))
        }
        _ => None,
    }
}

/// The relation stands.
fn standing(related: Of<'_>) -> Option<Arc<Predicate>> {
    let parameter = related.parameter("relationship")?;
    let (system, codes) = OFFICES;
    let office = codes.map(|code| {
        let test = Test::Token(TokenTest::SystemCode(system.to_owned(), code.to_owned()));
        Arc::new(Predicate::Value { parameter, test })
    });
    Some(all([related.in_use()?, related.in_force("period")?, not(either(office))]))
}
