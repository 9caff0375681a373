//! Types and their elements. SPEC: R4 structuredefinition.html, elementdefinition.html.

use super::table::{self, Row};
use std::sync::OnceLock;

/// What kind of type a [`TypeDefinition`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// A resource type.
    Resource,
    /// A data type with elements.
    Complex,
    /// A primitive type.
    Primitive,
    /// An element with children of its own inside another type (`Observation.component`).
    Backbone,
}

/// One type: its name and its elements, inherited ones included, in the order of XML.
///
/// A primitive has `id` and `extension`; its value is itself and no element.
#[derive(Debug)]
pub struct TypeDefinition {
    /// `Observation`, `HumanName`, `string`, or for a backbone its path `Observation.component`.
    pub name: &'static str,
    /// The kind.
    pub kind: TypeKind,
    /// Name of the type that this one specializes; empty for Element and Resource.
    pub base: &'static str,
    /// Never instantiated itself.
    pub is_abstract: bool,
    /// The elements, in order; without the type's own root.
    pub elements: Vec<ElementDefinition>,
    /// Invariants on the type itself, inherited ones (`ele-1`, `dom-2`) included.
    pub constraints: Vec<Constraint>,
    /// Its position in [`super::Schema::types`]: for tables beside the schema.
    pub index: usize,
    /// Positions in `elements`, sorted by [`begin`] of the elements' names: most look-ups read nothing else.
    by_name: Vec<(u64, u16)>,
    /// Positions in `elements` of the choices.
    choices: Vec<u16>,
}

/// One element of a type.
#[derive(Debug)]
pub struct ElementDefinition {
    /// Its position in [`TypeDefinition::elements`]: for tables beside the schema.
    pub index: usize,
    /// Full path as the package writes it: `Observation.value[x]`.
    pub path: &'static str,
    /// Name without parent and without `[x]`: `value`.
    pub name: &'static str,
    /// `value[x]`: the JSON name carries the type (`valueQuantity`).
    pub is_choice: bool,
    /// Smallest number of repeats.
    pub min: u32,
    /// Largest number of repeats; `None` for `*`.
    pub max: Option<u32>,
    /// The types it may have. A backbone has the one type named by its path; a content reference
    /// has the type that it refers to.
    pub types: Vec<TypeReference>,
    /// The value set its codes come from.
    pub binding: Option<Binding>,
    /// Invariants on this element, without those that stand on its type already.
    pub constraints: Vec<Constraint>,
    /// Changes the meaning of what it stands in.
    pub is_modifier: bool,
    /// Part of `_summary=true`.
    pub is_summary: bool,
}

/// A type that an element may have.
#[derive(Debug, Clone)]
pub struct TypeReference {
    /// `Quantity`, `Reference`, `Observation.component`, `Resource`.
    pub code: &'static str,
    /// For Reference and canonical: names of the resource types that may be referred to; empty: any.
    pub targets: Vec<&'static str>,
    /// Canonical of the profile that a value must meet (`SimpleQuantity`); empty: none.
    pub profile: &'static str,
    /// Position of the type in the schema.
    pub(super) index: usize,
}

/// A binding of an element to a value set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// How binding it is.
    pub strength: BindingStrength,
    /// Canonical URL of the value set, with version when the definition names one.
    pub value_set: &'static str,
    /// Canonical of the value set that codes may never leave, whatever the strength; empty when none
    /// is named. SPEC: R4 extension elementdefinition-maxValueSet.
    pub max_value_set: &'static str,
}

/// SPEC: R4 valueset-binding-strength.html.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the codes")]
pub enum BindingStrength {
    Required,
    Extensible,
    Preferred,
    Example,
}

/// An invariant.
#[derive(Debug, Clone, Copy)]
pub struct Constraint {
    /// `obs-6`.
    pub key: &'static str,
    /// Error (`true`) or warning.
    pub is_error: bool,
    /// FHIRPath.
    pub expression: &'static str,
}

impl TypeDefinition {
    /// The element that a JSON member name stands for, and the type that it has there:
    /// `valueQuantity` is `value[x]` as Quantity. Names that start with `_` are not known here.
    #[must_use]
    pub fn member(&self, json_name: &str) -> Option<(&ElementDefinition, &TypeReference)> {
        self.member_bytes(json_name.as_bytes())
    }

    /// The element of this name without choice suffix (`value`).
    #[must_use]
    pub fn element(&self, name: &str) -> Option<&ElementDefinition> {
        self.element_bytes(name.as_bytes())
    }

    /// As [`Self::member`], by the bytes of the name.
    #[must_use]
    pub fn member_bytes(&self, json_name: &[u8]) -> Option<(&ElementDefinition, &TypeReference)> {
        if let Some(element) = self.element_bytes(json_name)
            && !element.is_choice
        {
            return element.types.first().map(|one| (element, one));
        }
        let mut choices = self.choices.iter().filter_map(|at| self.elements.get(usize::from(*at)));
        choices.find_map(|element| element.choice(json_name).map(|one| (element, one)))
    }

    fn element_bytes(&self, name: &[u8]) -> Option<&ElementDefinition> {
        let begin = begin(name);
        let first = self.by_name.partition_point(|(other, _)| *other < begin);
        let same = self.by_name.get(first..)?.iter().take_while(|(other, _)| *other == begin);
        same.filter_map(|(_, at)| self.elements.get(usize::from(*at))).find(|element| element.name.as_bytes() == name)
    }
}

/// The first eight bytes of a name, as a number.
pub(super) fn begin(name: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    u64::from_be_bytes(bytes)
}

impl ElementDefinition {
    /// The type that a JSON member name gives this choice: `valueQuantity` → Quantity.
    pub(crate) fn choice(&self, json_name: &[u8]) -> Option<&TypeReference> {
        let (first, rest) = json_name.strip_prefix(self.name.as_bytes())?.split_first()?;
        self.types.iter().find(|one| {
            let code = one.code.as_bytes().split_first();
            code.is_some_and(|(head, tail)| head.to_ascii_uppercase() == *first && tail == rest)
        })
    }
}

/// Reads `types.tsv` with its invariants.
pub(super) fn read(types: &'static str, constraints: &'static str) -> Vec<TypeDefinition> {
    let constraints = Constraints::read(constraints);
    let mut list: Vec<TypeDefinition> = Vec::with_capacity(700);
    for mut row in table::lines(types) {
        match row.cell() {
            "T" => {
                let index = list.len();
                list.push(read_type(row, &constraints, index));
            }
            _ => {
                if let Some(holder) = list.last_mut() {
                    let index = holder.elements.len();
                    holder.elements.push(read_element(row, &constraints, index));
                }
            }
        }
    }
    let names: Vec<&'static str> = list.iter().map(|one| one.name).collect();
    for one in &mut list {
        link(one, &names);
    }
    list
}

fn read_type(mut row: Row, constraints: &Constraints, index: usize) -> TypeDefinition {
    let name = row.cell();
    let kind = match row.cell() {
        "resource" => TypeKind::Resource,
        "complex" => TypeKind::Complex,
        "primitive" => TypeKind::Primitive,
        _ => TypeKind::Backbone,
    };
    TypeDefinition {
        name,
        kind,
        base: row.cell(),
        is_abstract: row.cell() == "abstract",
        constraints: constraints.of(row.cell()),
        elements: Vec::with_capacity(16),
        index,
        by_name: Vec::new(),
        choices: Vec::new(),
    }
}

fn read_element(mut row: Row, constraints: &Constraints, index: usize) -> ElementDefinition {
    let path = row.cell();
    let last = path.rsplit('.').next().unwrap_or(path);
    let name = last.strip_suffix("[x]").unwrap_or(last);
    let min = row.cell().parse().unwrap_or(0);
    let max = row.cell().parse().ok();
    let types = row.cell().split(' ').map(read_type_reference).collect();
    let flags = row.cell();
    ElementDefinition {
        index,
        path,
        name,
        is_choice: last.len() != name.len(),
        min,
        max,
        types,
        binding: read_binding(row.cell()),
        constraints: constraints.of(row.cell()),
        is_modifier: flags.contains('m'),
        is_summary: flags.contains('s'),
    }
}

fn read_type_reference(cell: &'static str) -> TypeReference {
    let (code, targets) = cell.split_once('>').unwrap_or((cell, ""));
    let (code, profile) = code.split_once('<').unwrap_or((code, ""));
    TypeReference { code, targets: table::list(targets, ','), profile, index: usize::MAX }
}

pub(super) fn read_binding(cell: &'static str) -> Option<Binding> {
    let (strength, value_set) = cell.split_once(' ')?;
    let (value_set, max_value_set) = value_set.split_once(' ').unwrap_or((value_set, ""));
    let strength = match strength {
        "required" => BindingStrength::Required,
        "extensible" => BindingStrength::Extensible,
        "preferred" => BindingStrength::Preferred,
        _ => BindingStrength::Example,
    };
    Some(Binding { strength, value_set, max_value_set })
}

/// Resolves type references and sorts the names.
fn link(one: &mut TypeDefinition, names: &[&'static str]) {
    for reference in one.elements.iter_mut().flat_map(|element| &mut element.types) {
        reference.index = names.binary_search(&reference.code).unwrap_or(usize::MAX);
    }
    let count = u16::try_from(one.elements.len()).unwrap_or(u16::MAX);
    let name = |at: u16| one.elements.get(usize::from(at)).map_or("", |element| element.name);
    one.by_name = (0..count).map(|at| (begin(name(at).as_bytes()), at)).collect();
    one.by_name.sort_unstable();
    let is_choice = |at: &u16| one.elements.get(usize::from(*at)).is_some_and(|element| element.is_choice);
    one.choices = (0..count).filter(is_choice).collect();
}

/// The invariants of a set of tables, read at first use.
#[derive(Debug)]
pub(super) struct SharedConstraints {
    text: &'static str,
    cell: OnceLock<Constraints>,
}

impl SharedConstraints {
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, cell: OnceLock::new() }
    }

    pub(super) fn get(&self) -> &Constraints {
        self.cell.get_or_init(|| Constraints::read(self.text))
    }
}

/// The invariants of `constraints.tsv`, sorted by id.
#[derive(Debug)]
pub(super) struct Constraints(Vec<(&'static str, Constraint)>);

impl Constraints {
    pub(super) fn read(text: &'static str) -> Self {
        let mut list: Vec<_> = table::lines(text)
            .map(|mut row| {
                let id = row.cell();
                let key = id.split('~').next().unwrap_or(id);
                let is_error = row.cell() == "error";
                (id, Constraint { key, is_error, expression: row.cell() })
            })
            .collect();
        list.sort_unstable_by_key(|(id, _)| *id);
        Self(list)
    }

    pub(super) fn of(&self, cell: &'static str) -> Vec<Constraint> {
        let ids = table::list(cell, ' ').into_iter();
        ids.filter_map(|id| {
            let at = self.0.binary_search_by_key(&id, |(have, _)| have).ok()?;
            self.0.get(at).map(|(_, constraint)| *constraint)
        })
        .collect()
    }
}
