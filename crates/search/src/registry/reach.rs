//! Which parameters may look at an element, by the text of their expressions alone: what stands in a resource has no
//! say in it, so that nobody learns of a value by what is searched.
//!
//! Of `Observation.component.value as Quantity` the names up to the first function are read: `component`, `value`. It may
//! look at what lies above, at and below these. What is not read so may look at anything.

use super::{Parameter, ParameterKind, Registry, branch};
use fhir::ResourceType;

impl Registry {
    /// The compiled-in parameters that may find something in the element at this path of a resource (names as in
    /// [`fhir::schema::ElementDefinition::name`], no `[x]`), or in what lies below or above it.
    pub fn reaching(&self, kind: ResourceType, path: &[&str]) -> impl Iterator<Item = &Parameter> {
        let own = self.extractions(kind).iter().filter(|one| !one.parameter.is_added());
        own.filter_map(move |one| {
            let parameter = self.by_id(one.parameter)?;
            let mut branches = branch::parts(one.expression.text()).into_iter();
            let reaches = branches.any(|branch| match names(branch, kind.name()) {
                None => true,
                Some(names) if parameter.kind != ParameterKind::Composite => touch(&names, path),
                // Its components are looked for below what it finds.
                Some(base) => parameter.components.iter().any(|(_, component)| {
                    let mut below = branch::parts(component.text()).into_iter();
                    below.any(|part| match names(part, "") {
                        None => touch(&base, path),
                        Some(names) => touch(&[base.as_slice(), &names].concat(), path),
                    })
                }),
            });
            reaches.then_some(parameter)
        })
    }
}

/// One leads to the other, or they are the same.
fn touch(names: &[&str], path: &[&str]) -> bool {
    names.iter().zip(path).all(|(one, other)| one == other)
}

/// The names that a branch begins with, without the type; `None`: it does not begin with a path. With an empty
/// `type_name` the path begins where it stands.
fn names<'t>(branch: &'t str, type_name: &str) -> Option<Vec<&'t str>> {
    let mut rest = branch.trim_start_matches(['(', ' ']);
    let mut names = Vec::new();
    loop {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        // A function, `$this`, or something else: what it finds lies below the names so far.
        if name.is_empty() || after.starts_with('(') {
            break;
        }
        names.push(name);
        match after.strip_prefix('.') {
            Some(more) => rest = more,
            None => break,
        }
    }
    if type_name.is_empty() {
        return Some(names);
    }
    let is_own = names.first().is_some_and(|first| [type_name, "Resource", "DomainResource"].contains(first));
    is_own.then(|| names.split_off(1))
}

#[cfg(test)]
mod tests {
    use crate::registry;
    use fhir::ResourceType;

    fn codes(kind: &str, path: &[&str]) -> Vec<String> {
        let kind = ResourceType::parse(kind).unwrap();
        let mut codes: Vec<String> = registry().reaching(kind, path).map(|one| one.code.clone()).collect();
        codes.sort();
        codes.dedup();
        codes
    }

    #[test]
    fn names_are_followed_to_the_first_function() {
        assert_eq!(codes("Observation", &["note"]), Vec::<String>::new());
        assert_eq!(codes("Observation", &["component", "interpretation"]), ["further-codes"]);
        assert_eq!(codes("Encounter", &["reasonCode"]), ["reason-code"]);
        let value = codes("Observation", &["value"]);
        for code in ["value-quantity", "value-concept", "value-string", "value-date", "code-value-quantity"] {
            assert!(value.iter().any(|one| one == code), "{code} in {value:?}");
        }
        assert!(!value.iter().any(|one| one == "code" || one == "component-value-quantity"), "{value:?}");
        assert!(codes("Observation", &["subject"]).iter().any(|one| one == "patient"));
        assert!(codes("Observation", &["component"]).iter().any(|one| one == "component-code"));
        assert!(codes("Observation", &["meta"]).iter().any(|one| one == "_security"));
    }

    /// A path that some value was drawn out of is one that its parameter reaches.
    #[test]
    fn what_stands_anywhere_is_reached_by_what_begins_there() {
        for kind in ResourceType::all() {
            for one in registry().extractions(kind).iter().filter(|one| !one.parameter.is_added()) {
                let parameter = registry().by_id(one.parameter).unwrap();
                let text = one.expression.text();
                let Some(path) = text.strip_prefix(&format!("{}.", kind.name())) else { continue };
                if path.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
                    let path: Vec<&str> = path.split('.').collect();
                    let reaching = |path: &[&str]| registry().reaching(kind, path).any(|one| one.id == parameter.id);
                    assert!(parameter.components.len() > 1 || reaching(&path), "{text}");
                    assert!(parameter.components.len() > 1 || reaching(&path[..1]), "{text}");
                }
            }
        }
    }
}
