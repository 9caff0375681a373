//! The labelling service: what a resource says decides which labels it gets (row F43).
//!
//! A rule has conditions, all of which must hold. A label that is due is added by the server when the resource is
//! written, with the rule's basis (`extension-sec-label-basis`) and the server as its classifier, which marks it as
//! made here. SPEC: FHIR Data Segmentation for Privacy 1.0.0, extensions of `Resource.meta.security`.

use super::{Class, Confidentiality, Label};
use fhir::{
    ResourceType,
    json::{Kind, Value, Writer},
};
use std::collections::{BTreeMap, BTreeSet};

/// Why a label was given.
const BASIS: &str = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis";
/// Who gave it.
const CLASSIFIER: &str =
    "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-classifier";
/// The name of this server as a classifier.
const CLASSIFIER_NAME: &str = "handrail";

/// One line `label … when …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Number of its line.
    pub line: usize,
    /// What it gives.
    pub labels: Vec<Label>,
    /// Why: a law or policy.
    pub basis: Option<Label>,
    /// All of these.
    pub when: Vec<Condition>,
}

/// What a rule asks of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It is of one of these types.
    Type(Vec<ResourceType>),
    /// A code of it, wherever it stands (contained resources too), is one of these.
    Code(Vec<(String, String)>),
    /// A code of it, wherever it stands, is in this value set.
    ValueSet(String),
    /// Its `category` is one of these.
    Category(Vec<(String, String)>),
    /// It claims this profile, in any version.
    Profile(String),
}

/// Whoever knows value sets.
pub trait Knows {
    /// Whether the value set holds the code; what cannot be told is not held.
    fn holds(&self, value_set: &str, system: &str, code: &str) -> bool;
}

/// A label that a rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The label.
    pub label: Label,
    /// Why.
    pub basis: Option<Label>,
}

/// The labels that are due to a resource, each once; of several confidentialities the highest.
#[must_use]
pub fn due(rules: &[Rule], kind: ResourceType, resource: Value<'_>, knows: &dyn Knows) -> Vec<Due> {
    if rules.is_empty() {
        return Vec::new();
    }
    let facts = Facts::of(kind, resource);
    let mut given: BTreeMap<Label, Option<Label>> = BTreeMap::new();
    let mut highest: Option<(Confidentiality, Due)> = None;
    for rule in rules.iter().filter(|rule| rule.when.iter().all(|condition| facts.meet(condition, knows))) {
        for label in &rule.labels {
            if let Some(Class::Confidentiality(level)) = label.class() {
                if highest.as_ref().is_none_or(|(before, _)| *before < level) {
                    highest = Some((level, Due { label: label.clone(), basis: rule.basis.clone() }));
                }
            } else {
                let basis = given.entry(label.clone()).or_insert_with(|| rule.basis.clone());
                *basis = basis.take().or_else(|| rule.basis.clone());
            }
        }
    }
    let others = given.into_iter().map(|(label, basis)| Due { label, basis });
    highest.into_iter().map(|(_, due)| due).chain(others).collect()
}

/// What of a resource rules ask about.
struct Facts {
    kind: ResourceType,
    codes: BTreeSet<(String, String)>,
    categories: BTreeSet<(String, String)>,
    profiles: Vec<String>,
}

impl Facts {
    fn of(kind: ResourceType, resource: Value<'_>) -> Self {
        let (mut codes, mut categories) = (BTreeSet::new(), BTreeSet::new());
        for member in resource.members().filter(|member| member.name() != "meta") {
            collect(member, &mut codes);
        }
        if let Some(category) = resource.get("category") {
            collect(category, &mut categories);
        }
        let claimed = resource.get("meta").and_then(|meta| meta.get("profile"));
        let profiles = claimed.into_iter().flat_map(Value::items).filter_map(Value::as_str);
        let unversioned = |profile: &str| profile.split('|').next().unwrap_or_default().to_owned();
        Self { kind, codes, categories, profiles: profiles.map(|profile| unversioned(&profile)).collect() }
    }

    fn meet(&self, condition: &Condition, knows: &dyn Knows) -> bool {
        match condition {
            Condition::Type(types) => types.contains(&self.kind),
            Condition::Code(list) => list.iter().any(|code| self.codes.contains(code)),
            Condition::Category(list) => list.iter().any(|code| self.categories.contains(code)),
            Condition::ValueSet(url) => self.codes.iter().any(|(system, code)| knows.holds(url, system, code)),
            Condition::Profile(url) => self.profiles.contains(url),
        }
    }
}

/// Every coding at or below a value. How deep it goes the reader of JSON has bounded.
fn collect(value: Value<'_>, into: &mut BTreeSet<(String, String)>) {
    match value.kind() {
        Kind::Object => {
            let text = |name: &str| value.get(name).and_then(Value::as_str);
            if let (Some(system), Some(code)) = (text("system"), text("code")) {
                into.insert((system.into_owned(), code.into_owned()));
            }
            value.members().for_each(|member| collect(member, into));
        }
        Kind::Array => value.items().for_each(|item| collect(item, into)),
        _ => {}
    }
}

/// Writes a label that the server gives, with what it is based on.
pub(super) fn write(w: &mut Writer, label: &Label, bases: &[&Label]) {
    w.object(|w| {
        w.key("extension");
        w.array(|w| {
            for basis in bases {
                w.object(|w| {
                    w.member("url", BASIS);
                    w.key("valueCoding");
                    w.object(|w| coding(w, basis));
                });
            }
            w.object(|w| {
                w.member("url", CLASSIFIER);
                w.key("valueContributor");
                w.object(|w| {
                    w.member("type", "author");
                    w.member("name", CLASSIFIER_NAME);
                });
            });
        });
        coding(w, label);
    });
}

fn coding(w: &mut Writer, label: &Label) {
    w.member("system", &label.system);
    w.member("code", &label.code);
}

/// What a label, as a resource has it, is based on.
pub(super) fn bases(label: Value<'_>) -> impl Iterator<Item = Label> {
    let extensions = label.get("extension").into_iter().flat_map(Value::items);
    let bases = extensions.filter(|one| one.get("url").and_then(Value::as_str).as_deref() == Some(BASIS));
    bases.filter_map(|one| one.get("valueCoding").map(super::set::label_of))
}

/// Whether a label, as a resource has it, is marked as made by this server.
#[must_use]
pub fn is_made_here(label: Value<'_>) -> bool {
    let extensions = label.get("extension").into_iter().flat_map(Value::items);
    extensions.filter(|one| one.get("url").and_then(Value::as_str).as_deref() == Some(CLASSIFIER)).any(|one| {
        let name = one.get("valueContributor").and_then(|contributor| contributor.get("name"));
        name.and_then(Value::as_str).as_deref() == Some(CLASSIFIER_NAME)
    })
}
