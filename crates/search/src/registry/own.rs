//! Parameters of the server's own: what grants look at and R4 gives no search parameter for.
//!
//! They are indexed like any other, and no query can name them: neither discovery nor an error tells of them. Rows G4,
//! G13 to G15. The further codes of a type are drawn out, and not listed in any index: nobody looks for what has them,
//! they only tell whether a consent withholds what was found ([`Registry::is_listed`]).

mod further;

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
        self.own_from = self.parameters.len();
        for (base, code, kind, expression, target) in OWN {
            self.add_one_of_server(base, code, kind, expression, target);
        }
        for (base, paths) in further::REFERENCES {
            self.add_one_of_server(base, "further-references", "reference", &expression(base, paths), &[]);
        }
        self.unlisted_from = self.parameters.len();
        for (base, paths) in further::CODES {
            let paths: Vec<&str> = paths.iter().copied().chain([further::CONTAINED]).collect();
            self.add_one_of_server(base, "further-codes", "token", &expression(base, &paths), &[]);
        }
    }

    fn add_one_of_server(&mut self, base: &str, code: &str, kind: &str, expression: &str, target: &[&str]) {
        let Ok(id) = u16::try_from(self.parameters.len()) else { return };
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

    /// Whether resources are listed by their values of this parameter. Of the others a resource has values, and no index
    /// leads to it by them.
    #[must_use]
    pub fn is_listed(&self, parameter: ParameterId) -> bool {
        parameter.is_added() || usize::from(parameter.0) < self.unlisted_from
    }

    /// The parameter of the server's own with this name, for grants.
    #[must_use]
    pub fn of_server(&self, resource_type: ResourceType, code: &str) -> Option<&Parameter> {
        let own = self.parameters.get(self.own_from..)?;
        own.iter().find(|parameter| parameter.code == code && parameter.bases.contains(&resource_type))
    }
}

fn expression(base: &str, paths: &[&str]) -> String {
    paths.iter().map(|path| format!("{base}.{path}")).collect::<Vec<_>>().join(" | ")
}

/// All that decides what is indexed by them.
pub(super) fn text() -> impl Iterator<Item = &'static str> {
    let own = OWN.iter().flat_map(|(base, code, kind, expression, target)| {
        [*base, *code, *kind, *expression].into_iter().chain(target.iter().copied())
    });
    let further = further::REFERENCES.iter().chain(further::CODES);
    let further = further.flat_map(|(base, paths)| std::iter::once(*base).chain(paths.iter().copied()));
    own.chain(further).chain([further::CONTAINED])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    /// Each path leads to an element that R4 has, of the type that it says: a mistake here would let a code through.
    #[test]
    fn further_paths_are_right() {
        for (base, paths) in further::REFERENCES.iter().chain(further::CODES) {
            let definition = registry().schema().type_named(base).unwrap();
            for path in *paths {
                let text = format!("{base}.{path}");
                let expression = fhirpath::Expression::parse(&text).unwrap();
                let found = fhirpath::check(&expression, registry().schema(), definition, None);
                assert!(found.is_ok(), "{text}: {found:?}");
            }
        }
    }

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
        for (table, code) in [(further::REFERENCES, "further-references"), (further::CODES, "further-codes")] {
            for (base, paths) in table {
                let kind = ResourceType::parse(base).unwrap();
                let parameter = registry().of_server(kind, code).unwrap();
                assert_eq!(registry().is_listed(parameter.id), code == "further-references");
                assert!(registry().faults().iter().all(|fault| fault.url != parameter.url), "{base}.{code}");
                assert!(registry().parameter(kind, code).is_none() && registry().is_supported(parameter));
                let expression = parameter.expression.as_ref().unwrap();
                let path = |path: &&str| expression.text().contains(&format!("{base}.{path}"));
                assert!(paths.iter().all(path), "{base}.{code}");
            }
        }
        assert!(registry().of_server(ResourceType::parse("Patient").unwrap(), "period").is_none());
        assert!(registry().of_server(ResourceType::parse("Coverage").unwrap(), "payor").is_none(), "R4's own");
    }
}
