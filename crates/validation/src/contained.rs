//! Contained resources. SPEC: R4 references.html#contained, invariants dom-2 to dom-5.

use crate::finding::Findings;
use crate::finding::Place;
use fhir::element::Element;
use fhir::issue::{Issue, IssueType};
use fhir::json::{Kind, Value};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The resource that may contain others, with what was referred to inside of it so far.
pub(crate) struct Container<'t> {
    pub(crate) resource: Element<'t>,
    /// Types of the contained resources and where they are, by id.
    by_id: BTreeMap<Cow<'t, str>, (Cow<'t, str>, Value<'t>)>,
    referred: RefCell<BTreeSet<String>>,
}

impl<'t> Container<'t> {
    pub(crate) fn new(resource: Element<'t>) -> Self {
        let mut by_id = BTreeMap::new();
        for contained in contained_of(&resource) {
            let text = |name: &str| contained.get(name).and_then(Value::as_str);
            if let (Some(id), Some(name)) = (text("id"), text("resourceType")) {
                by_id.insert(id, (name, contained));
            }
        }
        Self { resource, by_id, referred: RefCell::default() }
    }

    /// Type of the contained resource with this id.
    pub(crate) fn contained_type(&self, id: &str) -> Option<String> {
        self.by_id.get(id).map(|(name, _)| name.clone().into_owned())
    }

    /// The contained resource with this id.
    pub(crate) fn contained(&self, id: &str) -> Option<Element<'t>> {
        self.by_id.get(id).and_then(|(_, found)| Element::resource_at(*found, self.resource.schema))
    }

    /// Whether an element is one of the contained resources that can be referred to.
    pub(crate) fn holds(&self, element: Element<'_>) -> bool {
        let Some(value) = element.value else { return false };
        let id = value.get("id").and_then(Value::as_str);
        let found = id.and_then(|id| self.by_id.get(&id));
        found.is_some_and(|(_, one)| one.index() == value.index() && std::ptr::eq(one.tree(), value.tree()))
    }

    /// Notes a text that begins with `#`; only those that name a contained resource are kept.
    pub(crate) fn refer(&self, text: &str) {
        if let Some(id) = text.strip_prefix('#')
            && self.by_id.contains_key(id)
        {
            self.referred.borrow_mut().insert(id.to_owned());
        }
    }

    /// dom-2 to dom-5, once everything inside was walked.
    pub(crate) fn check(&self, findings: &mut Findings, place: &Place<'_>) {
        let mut seen = BTreeSet::new();
        for (index, contained) in contained_of(&self.resource).enumerate() {
            let here = Place { parent: Some(place), name: "contained", index: Some(index) };
            let mut add = |at: Value<'_>, text: &'static str| {
                findings.add_at(Issue::error(IssueType::Invariant, text), &here, at.span().start);
            };
            if let Some(inner) = contained.get("contained") {
                add(inner, "a contained resource contains no further resources (dom-2)");
            }
            if let Some(meta) = contained.get("meta") {
                for name in ["versionId", "lastUpdated"] {
                    if let Some(found) = meta.get(name) {
                        add(
                            found,
                            "a contained resource has no version of its own: no meta.versionId, no meta.lastUpdated (dom-4)",
                        );
                    }
                }
                if let Some(found) = meta.get("security") {
                    add(found, "a contained resource has no security labels of its own (dom-5)");
                }
            }
            let id = contained.get("id").and_then(Value::as_str);
            let referred = id.as_deref().is_some_and(|id| self.referred.borrow().contains(id));
            if !referred && !refers_to_container(contained) {
                add(
                    contained,
                    "a contained resource is referred to, or refers to its container (dom-3); found neither",
                );
            }
            if let Some(id) = id
                && !seen.insert(id)
            {
                add(contained, "two contained resources have the same id");
            }
        }
    }
}

fn contained_of<'t>(resource: &Element<'t>) -> impl Iterator<Item = Value<'t>> + use<'t> {
    let list = resource.value.and_then(|value| value.get("contained"));
    list.into_iter().flat_map(Value::items).filter(|item| item.kind() == Kind::Object)
}

/// Whether some string below is `#` alone.
fn refers_to_container(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::String => value.raw() == "\"#\"",
        Kind::Array => value.items().any(refers_to_container),
        Kind::Object => value.members().any(refers_to_container),
        Kind::Null | Kind::Bool | Kind::Number => false,
    }
}
