//! A concept map that stands in a ConceptMap resource. SPEC: R4 conceptmap.html. Left out: products.

use crate::OperationError;
use fhir::{
    json::Value,
    schema::{ConceptMapGroup, Mapping},
};

/// A concept map that is not one of the definitions.
#[derive(Debug)]
pub struct GivenMap {
    pub(crate) url: String,
    pub(crate) source: String,
    pub(crate) target: String,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    source: String,
    source_version: String,
    target: String,
    target_version: String,
    unmapped: String,
    unmapped_to: String,
    unmapped_display: String,
    mappings: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    from: String,
    to: String,
    display: String,
    equivalence: &'static str,
    is_conditional: bool,
}

/// Codes of ConceptMapEquivalence.
const EQUIVALENCES: [&str; 10] = [
    "relatedto",
    "equivalent",
    "equal",
    "wider",
    "subsumes",
    "narrower",
    "specializes",
    "inexact",
    "unmatched",
    "disjoint",
];

impl GivenMap {
    /// The concept map of a resource.
    ///
    /// # Errors
    /// It is no ConceptMap.
    pub fn of_resource(resource: Value<'_>) -> Result<Self, OperationError> {
        if text(resource, "resourceType") != "ConceptMap" {
            return Err(OperationError::Invalid("a ConceptMap is needed".to_owned()));
        }
        let end = |names: [&str; 2]| names.iter().map(|name| text(resource, name)).find(|one| !one.is_empty());
        Ok(Self {
            url: text(resource, "url"),
            source: end(["sourceCanonical", "sourceUri"]).unwrap_or_default(),
            target: end(["targetCanonical", "targetUri"]).unwrap_or_default(),
            groups: all(resource, "group").map(Group::of).collect(),
        })
    }

    /// Canonical URL; empty when it has none.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = ConceptMapGroup<'_>> {
        self.groups.iter().map(|group| ConceptMapGroup {
            source: &group.source,
            source_version: &group.source_version,
            target: &group.target,
            target_version: &group.target_version,
            unmapped: &group.unmapped,
            unmapped_to: &group.unmapped_to,
            unmapped_display: &group.unmapped_display,
            mappings: group
                .mappings
                .iter()
                .map(|row| Mapping {
                    from: &row.from,
                    to: &row.to,
                    display: &row.display,
                    equivalence: row.equivalence,
                    is_conditional: row.is_conditional,
                })
                .collect(),
        })
    }
}

impl Group {
    fn of(group: Value<'_>) -> Self {
        let unmapped = |name: &str| group.get("unmapped").map(|one| text(one, name)).unwrap_or_default();
        let mode = unmapped("mode");
        let row = |element: Value<'_>, target: Value<'_>| {
            let stated = text(target, "equivalence");
            Some(Row {
                from: text(element, "code"),
                to: text(target, "code"),
                display: text(target, "display"),
                equivalence: EQUIVALENCES.into_iter().find(|one| **one == *stated)?,
                is_conditional: all(target, "dependsOn").next().is_some(),
            })
        };
        Self {
            source: text(group, "source"),
            source_version: text(group, "sourceVersion"),
            target: text(group, "target"),
            target_version: text(group, "targetVersion"),
            unmapped_to: if mode == "other-map" { unmapped("url") } else { unmapped("code") },
            unmapped_display: unmapped("display"),
            unmapped: mode,
            mappings: all(group, "element")
                .flat_map(|element| all(element, "target").filter_map(move |target| row(element, target)))
                .collect(),
        }
    }
}

fn text(of: Value<'_>, name: &str) -> String {
    of.get(name).and_then(Value::as_str).unwrap_or_default().into_owned()
}

fn all<'a>(of: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    of.get(name).into_iter().flat_map(Value::items)
}
