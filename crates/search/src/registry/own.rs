//! Parameters of the server's own: what grants look at and R4 gives no search parameter for.
//!
//! They are indexed like any other, and no query can name them: neither discovery nor an error tells of them. Rows G13
//! to G15.

use super::{Parameter, ParameterId, Registry, Source};
use fhir::ResourceType;

/// Type, name, kind, FHIRPath, targets of a reference.
const OWN: &[(&str, &str, &str, &str, &[&str])] = &[
    ("Coverage", "period", "date", "Coverage.period", &[]),
    ("Person", "active", "token", "Person.active", &[]),
    ("RelatedPerson", "period", "date", "RelatedPerson.period", &[]),
    ("CareTeam", "managing-organization", "reference", "CareTeam.managingOrganization", &["Organization"]),
    // At any depth of provisions: where to look for what a consent gives somebody.
    (
        "Consent",
        "any-actor",
        "reference",
        "Consent.provision.actor.reference | Consent.provision.repeat(provision).actor.reference",
        &[],
    ),
    (
        "Group",
        "current-member",
        "reference",
        "Group.where(active.empty() or active = true).member.where(inactive.empty() or inactive = false).entity",
        &[],
    ),
];

/// They are no definitions that anybody could resolve.
const URL: &str = "urn:handrail:parameter:";

impl Registry {
    /// Adds them after those of the schema; their numbers are places, too.
    pub(super) fn add_of_server(&mut self) {
        for (base, code, kind, expression, target) in OWN {
            let Ok(id) = u16::try_from(self.parameters.len()) else { continue };
            let url = format!("{URL}{base}.{code}");
            let source = Source {
                url: &url,
                code,
                kind,
                expression,
                base: vec![base],
                target: target.to_vec(),
                components: Vec::new(),
                is_hidden: true,
            };
            self.add(&source, ParameterId(id), false);
        }
    }

    /// The parameter of the server's own with this name, for grants.
    #[must_use]
    pub fn of_server(&self, resource_type: ResourceType, code: &str) -> Option<&Parameter> {
        let own = self.parameters.get(self.parameters.len().checked_sub(OWN.len())?..)?;
        own.iter().find(|parameter| parameter.code == code && parameter.bases.contains(&resource_type))
    }
}

/// All that decides what is indexed by them.
pub(super) fn text() -> impl Iterator<Item = &'static str> {
    OWN.iter().flat_map(|(base, code, kind, expression, target)| {
        [*base, *code, *kind, *expression].into_iter().chain(target.iter().copied())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn they_are_indexed_and_no_query_names_them() {
        for (base, code, ..) in OWN {
            let kind = ResourceType::parse(base).unwrap();
            let parameter = registry().of_server(kind, code).unwrap();
            assert!(registry().extractions(kind).iter().any(|one| one.parameter == parameter.id), "{base}.{code}");
            assert_eq!(registry().by_id(parameter.id).map(|one| one.id), Some(parameter.id));
            assert!(registry().is_supported(parameter));
            assert!(registry().parameter(kind, code).is_none_or(|other| other.id != parameter.id), "{base}.{code}");
            assert!(registry().of_type(kind).all(|other| other.id != parameter.id));
            assert!(!registry().is_within_patient_compartment(kind, parameter.id));
        }
        assert!(registry().of_server(ResourceType::parse("Patient").unwrap(), "period").is_none());
        assert!(registry().of_server(ResourceType::parse("Coverage").unwrap(), "payor").is_none(), "R4's own");
    }
}
