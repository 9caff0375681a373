//! Labels of elements (DS4P `extension-inline-sec-label`): found wherever they stand, and what can be withheld by itself.
//! Row F43.
//!
//! What carries a label is a **part** of the resource: a child of the resource or of a backbone element, one of several
//! by itself. A label deeper within a data type or an extension is one of the part that it stands in: a value without its
//! unit would mislead.
//!
//! A part is withheld **alone** when the rest means the same without it and nothing by which a resource is protected
//! or found in a record lies in it; otherwise its labels count for the whole resource. Counts for the whole: what
//! modifies (`isModifier`), identifies, refers, says what, when and of which kind the resource is, contained resources,
//! narrative and meta, and any part of the types of [`WHOLE`]. That is known by the names of elements, never by their
//! values: whoever does not see a part must not learn of it by what becomes of the rest.
//!
//! The resource as a whole carries the high-water mark: every label of a part is added to `meta.security` when the
//! resource is written, with `PROCESSINLINELABEL`. Those that stand there for parts alone are marked as such
//! ([`super::set`]) and do not withhold the rest.

use super::{
    ACT_CODE, Label, OBSERVATION_VALUE,
    codes::PROCESS_INLINE,
    set::{self, label_of},
};
use crate::limits;
use fhir::{
    ResourceType,
    json::{JsonError, Kind, Tree, Value, Writer},
    schema::{ElementDefinition, Schema, TypeDefinition, TypeKind},
};
use search::{Parameter, ParameterKind};
use std::collections::{BTreeMap, BTreeSet};

/// The extension.
pub const URL: &str = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label";

/// Its last part, by which most resources are seen to have none.
const WORD: &str = "extension-inline-sec-label";

/// Says why something is not there.
const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// What of these types is withheld is withheld whole: consents decide, provenance and bundles vouch for all they hold.
const WHOLE: &[&str] = &["AuditEvent", "Binary", "Bundle", "Consent", "Parameters", "Provenance"];

/// Parameters by which a resource is protected wherever it is: what lies in them counts for the whole.
const DECIDING: &[&str] = &[
    "active",
    "category",
    "class",
    "code",
    "combo-code",
    "component-code",
    "identifier",
    "relationship",
    "status",
    "type",
];

/// Dates that are a part's content, not when the resource is of.
const DATES_OF_CONTENT: &[&str] = &["value-date"];

/// A part of a resource that carries labels and can be withheld alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it stands, as FHIRPath from the resource: `note[0]`.
    pub path: String,
    /// Where such parts stand: names of elements as JSON has them, without places (`component.note`).
    pub name: String,
    /// Its labels.
    pub labels: BTreeSet<Label>,
    /// Its values in the tree: a primitive has two.
    nodes: Vec<u32>,
    /// The value of the member that it is in, when there must be something.
    required: Option<(u32, Absent)>,
}

/// How to say that something is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    /// A primitive, or several.
    Primitive { is_list: bool },
    /// Anything else.
    Element { is_list: bool },
}

/// The labels of a resource's elements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inline {
    /// What can be withheld alone, in document order.
    pub parts: Vec<Part>,
    /// Labels that count for the whole.
    pub whole: BTreeSet<Label>,
    /// Its type, when a part of it can be withheld alone.
    kind: Option<ResourceType>,
}

/// A resource with too many inline labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl Inline {
    /// Those of a resource.
    ///
    /// # Errors
    /// There are more than are looked at.
    pub fn of(resource: &Tree) -> Result<Self, TooMany> {
        let root = resource.root();
        if !may_have(root) {
            return Ok(Self::default());
        }
        let schema = fhir::schema::r4();
        let kind = resource.resource_type().and_then(|name| ResourceType::parse(&name).ok());
        let kind = kind.filter(|kind| !WHOLE.contains(&kind.name()));
        let definition = kind.and_then(|kind| schema.type_named(kind.name()));
        let mut inline = Self { kind, ..Self::default() };
        collect(root, &mut inline.whole);
        if inline.whole.is_empty() {
            return Ok(Self::default());
        }
        let found = std::mem::take(&mut inline.whole);
        if found.len() > limits::INLINE_LABELS_MAX {
            return Err(TooMany);
        }
        match definition {
            None => inline.whole = found,
            Some(definition) => {
                let mut walk = Walk { schema, inline: &mut inline, names: Vec::new() };
                walk.own_of_whole(root);
                walk.children(root, definition, "");
            }
        }
        Ok(inline)
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.whole.is_empty()
    }

    /// The parts that are withheld alone: those with a label that does not withhold the whole of this resource.
    #[must_use]
    pub fn alone(&self, resource: Value<'_>) -> Vec<&Part> {
        let whole: Vec<Label> = set::of_whole(resource, self)
            .into_iter()
            .filter_map(|coding| Tree::parse(coding).ok())
            .map(|coding| label_of(coding.root()))
            .collect();
        let is_alone = |part: &&Part| {
            let labels: Vec<Label> = part.labels.iter().cloned().collect();
            set::lost(&labels, &whole).is_some()
        };
        self.parts.iter().filter(is_alone).collect()
    }

    /// All, and what says that there are some.
    #[must_use]
    pub fn labels(&self) -> BTreeSet<Label> {
        if self.is_empty() {
            return BTreeSet::new();
        }
        let all = self.parts.iter().flat_map(|part| &part.labels).chain(&self.whole);
        all.cloned().chain([Label::new(ACT_CODE, PROCESS_INLINE)]).collect()
    }

    /// Whether it is one of parts that can be withheld alone, and of nothing else.
    #[must_use]
    pub fn is_of_parts(&self, label: &Label) -> bool {
        !self.whole.contains(label) && self.parts.iter().any(|part| part.labels.contains(label))
    }

    /// Labels that fewer parts of one name have now than before: an update took them from what they protected.
    #[must_use]
    pub fn taken_since(&self, before: &Self) -> BTreeSet<Label> {
        let counted = |inline: &Self| {
            let mut counts: BTreeMap<(String, Label), usize> = BTreeMap::new();
            for part in &inline.parts {
                for label in &part.labels {
                    *counts.entry((part.name.clone(), label.clone())).or_default() += 1;
                }
            }
            counts
        };
        let now = counted(self);
        let fewer = counted(before).into_iter().filter(|(key, count)| now.get(key).is_none_or(|now| now < count));
        fewer.map(|((_, label), _)| label).filter(|label| !self.whole.contains(label)).collect()
    }

    /// The parts of these names, wherever they stand in this resource, labelled or not: what is hidden today was the same
    /// in a version before.
    #[must_use]
    pub fn named(resource: &Tree, names: &BTreeSet<&str>) -> Vec<Part> {
        let kind = resource.resource_type().and_then(|name| ResourceType::parse(&name).ok());
        let schema = fhir::schema::r4();
        let Some(definition) = kind.and_then(|kind| schema.type_named(kind.name())) else { return Vec::new() };
        let mut found = Vec::new();
        every(schema, resource.root(), definition, "", &mut |part| {
            if names.contains(part.name.as_str()) {
                found.push(part);
            }
        });
        found
    }
}

struct Walk<'s, 'i> {
    schema: &'s Schema,
    inline: &'i mut Inline,
    /// Names of definitions down to here.
    names: Vec<&'s str>,
}

impl<'s> Walk<'s, '_> {
    /// Labels that stand on this very element.
    fn own(value: Value<'_>) -> BTreeSet<Label> {
        let extensions = value.get("extension").into_iter().flat_map(Value::items);
        extensions.filter_map(inline_label).collect()
    }

    fn own_of_whole(&mut self, value: Value<'_>) {
        self.inline.whole.extend(Self::own(value));
    }

    fn whole(&mut self, value: Value<'_>) {
        collect(value, &mut self.inline.whole);
    }

    /// Children of the resource or of a backbone element.
    fn children(&mut self, object: Value<'_>, definition: &'s TypeDefinition, path: &str) {
        for member in object.members() {
            let (plain, is_companion) = split(member.name());
            if plain == "resourceType" {
                continue;
            }
            let Some((element, of)) = definition.member(plain) else {
                self.whole(member);
                continue;
            };
            let Some(kind) = self.schema.type_of(of) else {
                self.whole(member);
                continue;
            };
            self.names.push(element.name);
            let alone = self.is_alone(element, kind);
            let name = if path.is_empty() { plain.to_owned() } else { format!("{}.{plain}", without_places(path)) };
            let at = |place: Option<usize>| {
                let place = place.map(|place| format!("[{place}]")).unwrap_or_default();
                let path = if path.is_empty() { String::new() } else { format!("{path}.") };
                format!("{path}{plain}{place}")
            };
            if kind.kind == TypeKind::Primitive {
                if is_companion {
                    let mut labels = BTreeSet::new();
                    collect(member, &mut labels);
                    let nodes = [object.get(plain), Some(member)].into_iter().flatten().map(Value::index).collect();
                    let absent = Absent::Primitive { is_list: element.max != Some(1) };
                    let required = (element.min > 0).then(|| (member.index(), absent));
                    self.part(alone, Part { path: at(None), name, labels, nodes, required });
                }
            } else {
                let is_list = member.kind() == Kind::Array;
                for (place, item) in member.items_or_self().enumerate() {
                    let path = at(is_list.then_some(place));
                    let is_backbone = kind.kind == TypeKind::Backbone;
                    let labels = if is_backbone {
                        Self::own(item)
                    } else if plain == "extension" && inline_label(item).is_some() {
                        // It is the label of what it stands on.
                        BTreeSet::new()
                    } else {
                        let mut labels = BTreeSet::new();
                        collect(item, &mut labels);
                        labels
                    };
                    let required = (element.min > 0).then(|| (member.index(), Absent::Element { is_list }));
                    let nodes = vec![item.index()];
                    self.part(alone, Part { path: path.clone(), name: name.clone(), labels, nodes, required });
                    if is_backbone {
                        if element.is_modifier {
                            self.whole(item);
                        } else {
                            self.children(item, kind, &path);
                        }
                    }
                }
            }
            self.names.pop();
        }
    }

    fn part(&mut self, alone: bool, part: Part) {
        if part.labels.is_empty() {
        } else if alone {
            self.inline.parts.push(part);
        } else {
            self.inline.whole.extend(part.labels);
        }
    }

    /// Whether the rest stands without it.
    fn is_alone(&self, element: &ElementDefinition, kind: &TypeDefinition) -> bool {
        let is_own = ["id", "meta", "implicitRules", "language", "text", "contained", "modifierExtension"];
        if element.is_modifier
            || is_own.contains(&element.name)
            || kind.kind == TypeKind::Resource
            || (element.is_choice && element.min > 0)
        {
            return false;
        }
        let Some(resource) = self.inline.kind else { return false };
        !search::registry().reaching(resource, &self.names).any(decides)
    }
}

/// Whether a resource is protected by what this parameter finds.
fn decides(parameter: &Parameter) -> bool {
    let code = parameter.code.as_str();
    match parameter.kind {
        ParameterKind::Reference | ParameterKind::Uri | ParameterKind::Special => true,
        ParameterKind::Date => !DATES_OF_CONTENT.contains(&code),
        // Its components have their own say.
        ParameterKind::Composite => false,
        ParameterKind::Token | ParameterKind::String | ParameterKind::Number | ParameterKind::Quantity => {
            code.starts_with('_') || DECIDING.contains(&code)
        }
    }
}

/// Every part of a resource, as [`Walk::children`] cuts them.
fn every(schema: &Schema, object: Value<'_>, definition: &TypeDefinition, name: &str, visit: &mut dyn FnMut(Part)) {
    for member in object.members() {
        let (plain, is_companion) = split(member.name());
        let Some((element, of)) = definition.member(plain) else { continue };
        let Some(kind) = schema.type_of(of) else { continue };
        let name = if name.is_empty() { plain.to_owned() } else { format!("{name}.{plain}") };
        let is_primitive = kind.kind == TypeKind::Primitive;
        let is_list = if is_primitive { element.max != Some(1) } else { member.kind() == Kind::Array };
        let absent = if is_primitive { Absent::Primitive { is_list } } else { Absent::Element { is_list } };
        // A primitive and its companion are one part each here: one of them says that there is something.
        let is_second = is_companion && object.get(plain).is_some();
        let required = (element.min > 0 && !is_second).then(|| (member.index(), absent));
        let items: Vec<Value<'_>> =
            if is_primitive || is_companion { vec![member] } else { member.items_or_self().collect() };
        for item in items {
            let nodes = vec![item.index()];
            visit(Part { path: name.clone(), name: name.clone(), labels: BTreeSet::new(), nodes, required });
            if kind.kind == TypeKind::Backbone {
                every(schema, item, kind, &name, visit);
            }
        }
    }
}

/// The label that an extension is.
fn inline_label(extension: Value<'_>) -> Option<Label> {
    let is_it = extension.get("url").and_then(Value::as_str).as_deref() == Some(URL);
    let coding = if is_it { extension.get("valueCoding") } else { None };
    coding.map(label_of)
}

/// Whether it may have any: a look at its text, for most have none.
pub(super) fn may_have(resource: Value<'_>) -> bool {
    let raw = resource.raw();
    // An escaped character could hide the word.
    raw.contains(WORD) || raw.contains("\\u") || raw.contains("\\/")
}

/// Every label at or below a value. How deep it goes the reader of JSON has bounded.
fn collect(value: Value<'_>, into: &mut BTreeSet<Label>) {
    match value.kind() {
        Kind::Object => {
            into.extend(inline_label(value));
            value.members().for_each(|member| collect(member, into));
        }
        Kind::Array => value.items().for_each(|item| collect(item, into)),
        _ => {}
    }
}

fn split(name: &str) -> (&str, bool) {
    name.strip_prefix('_').map_or((name, false), |plain| (plain, true))
}

fn without_places(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut is_place = false;
    for c in path.chars() {
        match c {
            '[' => is_place = true,
            ']' => is_place = false,
            _ if !is_place => out.push(c),
            _ => {}
        }
    }
    out
}

/// The resource without these parts, without its narrative, which repeats them, and with these labels (Codings).
///
/// # Errors
/// What was made of it cannot be read back, which does not happen.
pub fn without<'p>(
    resource: &Tree,
    parts: impl IntoIterator<Item = &'p Part>,
    security: &[Vec<u8>],
) -> Result<Tree, JsonError> {
    let mut cut = Cut::default();
    for part in parts {
        cut.nodes.extend(&part.nodes);
        if let Some((node, absent)) = part.required {
            cut.required.insert(node, absent);
        }
    }
    let root = resource.root();
    let mut w = Writer::with_capacity(resource.bytes().len());
    w.object(|w| {
        for member in root.members().filter(|member| !matches!(member.name(), "text" | "_text")) {
            cut.member(w, member);
        }
    });
    Tree::parse(set::with_list(&Tree::parse(w.into_bytes())?, "security", security))
}

/// What is left out of a copy.
#[derive(Debug, Default)]
struct Cut {
    nodes: BTreeSet<u32>,
    /// By the value of a member: what stands there when nothing is left.
    required: BTreeMap<u32, Absent>,
}

impl Cut {
    fn member(&self, w: &mut Writer, member: Value<'_>) {
        let is_cut = |value: &Value<'_>| self.nodes.contains(&value.index());
        let left = match member.kind() {
            Kind::Array => {
                !is_cut(&member) && (member.items().next().is_none() || !member.items().all(|item| is_cut(&item)))
            }
            _ => !is_cut(&member),
        };
        if left {
            w.key(member.name());
            self.value(w, member);
        } else if let Some(absent) = self.required.get(&member.index()) {
            self.absent(w, member.name(), *absent);
        }
    }

    fn value(&self, w: &mut Writer, value: Value<'_>) {
        match value.kind() {
            Kind::Object => w.object(|w| value.members().for_each(|member| self.member(w, member))),
            Kind::Array => w.array(|w| {
                value.items().filter(|item| !self.nodes.contains(&item.index())).for_each(|item| self.value(w, item));
            }),
            _ => w.raw(value.raw().as_bytes()),
        }
    }

    fn absent(&self, w: &mut Writer, name: &str, absent: Absent) {
        let masked = |w: &mut Writer| {
            w.object(|w| {
                w.key("extension");
                w.array(|w| {
                    w.object(|w| {
                        w.member("url", ABSENT);
                        w.member("valueCode", "masked");
                    });
                });
            });
        };
        let (name, is_list) = match absent {
            Absent::Primitive { is_list } => (format!("_{}", split(name).0), is_list),
            Absent::Element { is_list } => (name.to_owned(), is_list),
        };
        w.key(&name);
        if is_list { w.array(masked) } else { masked(w) }
    }
}

/// Says that something was left out (row F46).
#[must_use]
pub fn redacted() -> Label {
    Label::new(OBSERVATION_VALUE, "REDACTED")
}

#[cfg(test)]
mod tests;
