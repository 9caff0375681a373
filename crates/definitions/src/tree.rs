//! A profile as a tree of elements, unfolded from the types only as deep as someone says something.
//!
//! SPEC: R4 profiling.html, elementdefinition.html#id. The children of a node are in the order of its
//! type, slices behind what they slice.

use crate::{
    element::{Facts, Slicing, Type},
    fault::FaultKind,
    limits::{NODES_MAX, PATH_STEPS_MAX, TYPES_PER_WEIGHT},
};
use fhir::schema::{Schema, TypeDefinition, TypeKind};
use std::collections::BTreeMap;

/// One element with its slices beside it and its children below.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// `category`, `value[x]`; the name of the type at the root.
    pub(crate) name: String,
    /// The name of the slice that it is.
    pub(crate) slice: Option<String>,
    pub(crate) facts: Facts,
    /// What R4 says of it; `None` for what R4 does not know and for the root.
    pub(crate) of_type: Option<Facts>,
    /// Unfolded children; `None`: as the type says.
    pub(crate) children: Option<Vec<Node>>,
    /// The children are those of a data type and were unfolded by the differential that is merged.
    is_opened: bool,
}

/// A step of an element's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) slice: Option<String>,
}

/// What the nodes that may still be made weigh.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(NODES_MAX)
    }

    fn take(&mut self, nodes: usize) -> Result<(), FaultKind> {
        self.0 = self.0.checked_sub(nodes).ok_or(FaultKind::Limit("elements"))?;
        Ok(())
    }
}

/// Where the children of a profiled type come from.
pub(crate) trait Profiles {
    /// The tree of a profile; `None` when it is not known.
    fn tree(&self, canonical: &str, budget: &mut Budget) -> Result<Option<Node>, FaultKind>;
}

/// No profile is followed: what a published snapshot lists is all there is.
pub(crate) struct NoProfiles;

impl Profiles for NoProfiles {
    fn tree(&self, _: &str, _: &mut Budget) -> Result<Option<Node>, FaultKind> {
        Ok(None)
    }
}

/// What a walk through a tree needs.
pub(crate) struct Way<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) profiles: &'a dyn Profiles,
    pub(crate) budget: &'a mut Budget,
    /// What the differential speaks of; `None` when there is none.
    pub(crate) mentioned: Option<&'a Mentioned>,
}

/// By the id of an element: the names of the children that a differential speaks of, and the least
/// number that it asks of each.
pub(crate) type Mentioned = BTreeMap<String, BTreeMap<String, u32>>;

impl Way<'_> {
    /// Whether a choice is narrowed to the one type that is spoken of (`valueQuantity`), or sliced.
    ///
    /// WHY: it is narrowed when that type must be there, for then no other can; that is how publishers
    /// read it, and within a slice also when it may be absent.
    fn is_narrowed(&self, id: &str, stem: &str, name: &str) -> bool {
        let Some(names) = self.mentioned.and_then(|mentioned| mentioned.get(id)) else { return false };
        let is_of_choice = |other: &str| {
            other.strip_prefix(stem).is_some_and(|rest| rest.starts_with('[') || rest.starts_with(char::is_uppercase))
        };
        let is_only = names.keys().filter(|other| is_of_choice(other)).all(|other| other == name);
        is_only && (id.contains(':') || names.get(name).is_some_and(|min| *min > 0))
    }
}

impl Step {
    /// As it stands in an id.
    pub(crate) fn id(&self) -> String {
        match &self.slice {
            Some(slice) => format!("{}:{slice}", self.name),
            None => self.name.clone(),
        }
    }
}

/// What a step found.
pub(crate) enum Found {
    /// The node was there.
    Known,
    /// A slice was made, of what stands there unsliced (or, for a reslice, of the slice).
    Made,
}

/// The steps of an id, the root left out. `Observation.component:a.value[x]`.
pub(crate) fn steps(id: &str, type_name: &str) -> Result<Vec<Step>, FaultKind> {
    let mut all = id.split('.');
    if all.next() != Some(type_name) {
        return Err(FaultKind::Path);
    }
    let steps: Vec<Step> = all
        .map(|step| match step.split_once(':') {
            Some((name, slice)) => Step { name: name.to_owned(), slice: Some(slice.to_owned()) },
            None => Step { name: step.to_owned(), slice: None },
        })
        .collect();
    let is_none = |step: &Step| step.name.is_empty() || step.slice.as_ref().is_some_and(String::is_empty);
    if steps.iter().any(is_none) {
        return Err(FaultKind::Path);
    }
    if steps.len() > PATH_STEPS_MAX { Err(FaultKind::Limit("steps in a path")) } else { Ok(steps) }
}

impl Node {
    /// The root of a type.
    pub(crate) fn of_type(of: &TypeDefinition) -> Self {
        Self {
            name: of.name.to_owned(),
            slice: None,
            facts: Facts::root(),
            of_type: None,
            children: None,
            is_opened: false,
        }
    }

    /// How much it weighs, with all below it.
    fn count(&self) -> usize {
        self.weight() + self.children.iter().flatten().map(Self::count).sum::<usize>()
    }

    fn weight(&self) -> usize {
        1 + self.facts.types.len() / TYPES_PER_WEIGHT
    }

    pub(crate) fn copy(&self, budget: &mut Budget) -> Result<Self, FaultKind> {
        budget.take(self.count())?;
        Ok(self.clone())
    }

    /// The node that the steps lead to. Slices on the way that are not there are made.
    ///
    /// `base` is the same element of the base as it was: a new slice is a copy of that, not of what the
    /// differential has said of the unsliced element since.
    pub(crate) fn locate<'n>(
        &'n mut self,
        base: Option<&mut Self>,
        steps: &[Step],
        way: &mut Way<'_>,
    ) -> Result<(&'n mut Self, Found), FaultKind> {
        let id = self.name.clone();
        self.locate_below(base, &id, steps, way)
    }

    fn locate_below<'n>(
        &'n mut self,
        mut base: Option<&mut Self>,
        id: &str,
        steps: &[Step],
        way: &mut Way<'_>,
    ) -> Result<(&'n mut Self, Found), FaultKind> {
        let Some((step, rest)) = steps.split_first() else { return Ok((self, Found::Known)) };
        let of_base = match base.as_deref_mut() {
            // What the differential made possible first (a choice narrowed to a type) the base lacks.
            Some(base) => base.child(None, id, step, way).ok().map(|(at, _)| at),
            None => None,
        };
        let below = base.and_then(|base| base.children.as_mut()?.get_mut(of_base?));
        let (at, found) = self.child(below.as_deref(), id, step, way)?;
        let child = self.children.as_mut().and_then(|list| list.get_mut(at)).ok_or(FaultKind::UnknownElement)?;
        if rest.is_empty() {
            return Ok((child, found));
        }
        child.locate_below(below, &format!("{id}.{}", step.id()), rest, way)
    }

    /// Position of the child that a step names; a slice that is not there is made, of `template` or of
    /// what it slices.
    fn child(
        &mut self,
        template: Option<&Self>,
        id: &str,
        step: &Step,
        way: &mut Way<'_>,
    ) -> Result<(usize, Found), FaultKind> {
        self.unfold(way)?;
        let mut unsliced = self.unsliced(&step.name);
        if unsliced.is_none() && self.fill(way)? {
            unsliced = self.unsliced(&step.name);
        }
        let (unsliced, is_shortcut) = unsliced.ok_or(FaultKind::UnknownElement)?;
        let list = self.children.get_or_insert_default();
        let of = list.get_mut(unsliced).ok_or(FaultKind::UnknownElement)?;
        let name = of.name.clone();
        let stem = name.strip_suffix("[x]");
        let wanted = match (&step.slice, is_shortcut) {
            (Some(slice), _) => slice.as_str(),
            (None, false) => return Ok((unsliced, Found::Known)),
            (None, true) => step.name.as_str(),
        };
        if let Some(at) = list.iter().position(|node| node.is_slice(&name, Some(wanted))) {
            return Ok((at, Found::Known));
        }
        let of_type = stem.and_then(|stem| {
            let of = list.get(unsliced)?;
            of.facts.types.iter().find(|one| choice_name(stem, &one.code) == wanted).cloned()
        });
        let is_sliced = list.get(unsliced).is_some_and(|of| of.facts.slicing.is_some());
        if is_shortcut
            && !is_sliced
            && let (Some(own), Some(stem)) = (&of_type, stem)
            && way.is_narrowed(id, stem, wanted)
        {
            let of = list.get_mut(unsliced).ok_or(FaultKind::UnknownElement)?;
            of.facts.types = vec![own.clone()];
            return Ok((unsliced, Found::Known));
        }
        // A reslice slices its slice; anything else the element.
        let outer = wanted.rsplit_once('/').map(|(outer, _)| outer);
        let sliced = list.iter().position(|node| node.is_slice(&name, outer));
        let sliced = sliced.ok_or_else(|| FaultKind::NoSlice(outer.unwrap_or_default().to_owned()))?;
        let of_base = template.filter(|template| outer.is_none() && template.is_slice(&name, Some(wanted)));
        let template = match of_base {
            Some(template) => template,
            None => list.get(sliced).ok_or(FaultKind::UnknownElement)?,
        };
        let mut slice = template.copy(way.budget)?;
        // What the differential says below an element of a data type holds in its slices as well, as
        // publishers write it; below a backbone it stands on the unsliced element alone.
        if slice.is_opened || slice.children.is_none() {
            let opened = list.get(sliced).and_then(|sliced| sliced.children.as_ref());
            way.budget.take(opened.into_iter().flatten().map(Self::count).sum())?;
            slice.children = opened.cloned();
        }
        slice.slice = Some(wanted.to_owned());
        slice.facts.slicing = None;
        slice.facts.min = Some(0);
        if let Some(own) = of_type {
            slice.facts.types = vec![own];
        }
        let is_behind = |node: &Self| {
            let is_within = |have: &str, outer: &str| {
                have == outer || have.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
            };
            let of_outer = outer.is_none_or(|outer| node.slice.as_deref().is_some_and(|have| is_within(have, outer)));
            node.name == name && of_outer
        };
        let at = list.iter().rposition(is_behind).map_or(list.len(), |last| last + 1);
        list.insert(at, slice);
        let implied = match stem {
            Some(_) => Some(Slicing::of_types()),
            None => matches!(name.as_str(), "extension" | "modifierExtension").then(Slicing::of_extensions),
        };
        if let Some(sliced) = list.get_mut(sliced)
            && sliced.facts.slicing.is_none()
        {
            sliced.facts.slicing = implied;
        }
        Ok((at, Found::Made))
    }

    /// Says of a choice of one type, whose only slice is that type, what the slice says: one way to say
    /// one thing. `value[x]:valueQuantity.code` becomes `value[x].code`.
    pub(crate) fn collapse(&mut self) {
        let Some(list) = &mut self.children else { return };
        let mut at = 0;
        while let Some(node) = list.get(at) {
            let name = node.name.clone();
            let is_of_name = |node: &Self| node.name == name;
            if let (None, Some(stem), [only]) = (&node.slice, name.strip_suffix("[x]"), node.facts.types.as_slice())
                && let Some(slice) = list.get(at + 1).filter(|slice| {
                    let wanted = choice_name(stem, &only.code);
                    slice.is_slice(&name, Some(&wanted)) && list.iter().filter(|node| is_of_name(node)).count() == 2
                })
            {
                let mut merged = slice.clone();
                let unsliced = &node.facts;
                merged.slice = None;
                merged.facts.absorb(unsliced);
                list.remove(at);
                if let Some(place) = list.get_mut(at) {
                    *place = merged;
                }
            }
            at += 1;
        }
        list.iter_mut().for_each(Self::collapse);
    }

    fn is_slice(&self, name: &str, slice: Option<&str>) -> bool {
        self.name == name && self.slice.as_deref() == slice
    }

    fn unsliced(&self, name: &str) -> Option<(usize, bool)> {
        find(self.children.as_deref().unwrap_or_default(), name)
    }

    /// The type whose children it has.
    fn holder<'s>(&self, schema: &'s Schema) -> Option<&'s TypeDefinition> {
        if self.of_type.is_none() && self.slice.is_none() && self.facts.types.is_empty() {
            return schema.type_named(&self.name);
        }
        match self.facts.types.as_slice() {
            [one] => schema.type_named(&one.code),
            _ => schema.type_named("Element"),
        }
    }

    fn unfold(&mut self, way: &mut Way<'_>) -> Result<(), FaultKind> {
        if self.children.is_some() {
            return Ok(());
        }
        let profiled = match self.facts.types.as_slice() {
            [Type { profiles: canonicals, .. }] => match canonicals.as_slice() {
                [canonical] => way.profiles.tree(canonical, way.budget)?,
                _ => None,
            },
            _ => None,
        };
        if let Some(mut root) = profiled {
            root.unfold(way)?;
            self.children = root.children;
            return Ok(());
        }
        let of = self.holder(way.schema).ok_or(FaultKind::TwoTypes)?;
        self.is_opened = way.mentioned.is_some() && of.kind != TypeKind::Backbone;
        let children = children_of(of);
        way.budget.take(children.iter().map(Self::weight).sum())?;
        self.children = Some(children);
        Ok(())
    }

    /// Adds the children of a type that a choice was narrowed to after it was unfolded.
    fn fill(&mut self, way: &mut Way<'_>) -> Result<bool, FaultKind> {
        let Some(of) = self.holder(way.schema) else { return Ok(false) };
        let list = self.children.get_or_insert_default();
        let missing = children_of(of).into_iter().filter(|one| list.iter().all(|have| have.name != one.name));
        let missing: Vec<_> = missing.collect();
        way.budget.take(missing.iter().map(Self::weight).sum())?;
        let is_any = !missing.is_empty();
        list.extend(missing);
        Ok(is_any)
    }
}

fn children_of(of: &TypeDefinition) -> Vec<Node> {
    let nodes = of.elements.iter().map(|element| {
        let facts = Facts::of_type(element);
        let name = element.path.rsplit('.').next().unwrap_or(element.path).to_owned();
        Node { name, slice: None, of_type: Some(facts.clone()), facts, children: None, is_opened: false }
    });
    nodes.collect()
}

/// The unsliced child of this name, and whether the name says its type (`valueQuantity`).
fn find(children: &[Node], name: &str) -> Option<(usize, bool)> {
    let unsliced = |node: &Node| node.slice.is_none();
    if let Some(at) = children.iter().position(|node| unsliced(node) && node.name == name) {
        return Some((at, false));
    }
    let choices = || children.iter().enumerate().filter(|(_, node)| unsliced(node));
    let stems = choices().filter_map(|(at, node)| Some((at, node, node.name.strip_suffix("[x]")?)));
    let mut stems = stems.filter(|(_, _, stem)| name.starts_with(stem));
    stems.find_map(|(at, node, stem)| {
        let types = node.of_type.iter().chain([&node.facts]).flat_map(|facts| &facts.types);
        let mut types = types.map(|one| choice_name(stem, &one.code));
        if name == stem { Some((at, false)) } else { types.any(|own| own == name).then_some((at, true)) }
    })
}

/// `value`, `Quantity` → `valueQuantity`.
fn choice_name(stem: &str, code: &str) -> String {
    let mut chars = code.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().fold(stem.to_owned(), |mut name, first| {
        name.push(first);
        name + chars.as_str()
    })
}

/// Whether a type is a primitive: its `value` is itself, no element.
pub(crate) fn is_primitive(schema: &Schema, code: &str) -> bool {
    schema.type_named(code).is_some_and(|of| of.kind == TypeKind::Primitive)
}
