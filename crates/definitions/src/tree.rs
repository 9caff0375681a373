//! A profile as a tree of elements, unfolded from the types only as deep as someone says something.
//!
//! SPEC: R4 profiling.html, elementdefinition.html#id. The children of a node are in the order of its
//! type, slices behind what they slice.

use crate::{
    element::{Facts, Slicing, Type},
    fault::FaultKind,
    limits::{NODES_MAX, PATH_STEPS_MAX},
};
use fhir::schema::{Schema, TypeDefinition, TypeKind};

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
}

/// A step of an element's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) slice: Option<String>,
}

/// How many nodes may still be made.
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
        Self { name: of.name.to_owned(), slice: None, facts: Facts::root(), of_type: None, children: None }
    }

    /// How many nodes it is.
    fn count(&self) -> usize {
        1 + self.children.iter().flatten().map(Self::count).sum::<usize>()
    }

    fn copy(&self, budget: &mut Budget) -> Result<Self, FaultKind> {
        budget.take(self.count())?;
        Ok(self.clone())
    }

    /// The node that the steps lead to; slices on the way must be there, the last may be new.
    pub(crate) fn locate(
        &mut self,
        steps: &[Step],
        schema: &Schema,
        profiles: &dyn Profiles,
        budget: &mut Budget,
    ) -> Result<(&mut Self, Found), FaultKind> {
        let Some((step, rest)) = steps.split_first() else { return Ok((self, Found::Known)) };
        let (at, found) = self.child(step, rest.is_empty(), schema, profiles, budget)?;
        let child = self.children.as_mut().and_then(|list| list.get_mut(at)).ok_or(FaultKind::UnknownElement)?;
        if rest.is_empty() {
            return Ok((child, found));
        }
        child.locate(rest, schema, profiles, budget)
    }

    /// Position of the child that a step names.
    fn child(
        &mut self,
        step: &Step,
        is_last: bool,
        schema: &Schema,
        profiles: &dyn Profiles,
        budget: &mut Budget,
    ) -> Result<(usize, Found), FaultKind> {
        self.unfold(schema, profiles, budget)?;
        let mut unsliced = self.unsliced(&step.name);
        if unsliced.is_none() && self.fill(schema, budget)? {
            unsliced = self.unsliced(&step.name);
        }
        let (unsliced, shortcut) = unsliced.ok_or(FaultKind::UnknownElement)?;
        let children = self.children.as_deref().unwrap_or_default();
        let of = children.get(unsliced).ok_or(FaultKind::UnknownElement)?;
        let wanted = match (&step.slice, shortcut) {
            (Some(slice), _) => slice.as_str(),
            (None, false) => return Ok((unsliced, Found::Known)),
            (None, true) => step.name.as_str(),
        };
        let name = of.name.clone();
        let is_one = |node: &Self| node.name == name && node.slice.as_deref() == Some(wanted);
        if let Some(at) = children.iter().position(is_one) {
            return Ok((at, Found::Known));
        }
        // A choice of one type needs no slice to be told: the shortcut means the element itself when
        // only its children are spoken of.
        let only = of.facts.types.as_slice();
        if shortcut && !is_last && only.len() == 1 {
            return Ok((unsliced, Found::Known));
        }
        // A reslice slices its slice; anything else the element.
        let outer = wanted.rsplit_once('/').map(|(outer, _)| outer);
        let of_outer = |node: &Self| node.name == name && node.slice.as_deref() == outer;
        let template = match outer {
            Some(outer) => children.iter().position(of_outer).ok_or_else(|| FaultKind::NoSlice(outer.to_owned()))?,
            None => unsliced,
        };
        let template = children.get(template).ok_or(FaultKind::UnknownElement)?;
        let mut slice = template.copy(budget)?;
        slice.slice = Some(wanted.to_owned());
        slice.facts.slicing = None;
        slice.facts.min = Some(0);
        if shortcut || (name.ends_with("[x]") && slice.facts.types.len() > 1) {
            let stem = name.trim_end_matches("[x]");
            if let Some(own) = slice.facts.types.iter().find(|one| choice_name(stem, &one.code) == wanted) {
                slice.facts.types = vec![own.clone()];
            }
        }
        let is_behind = |node: &Self| {
            node.name == name
                && match outer {
                    None => true,
                    Some(outer) => node.slice.as_deref().is_some_and(|have| {
                        have == outer || have.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
                    }),
                }
        };
        let at = children.iter().rposition(is_behind).map_or(children.len(), |last| last + 1);
        let list = self.children.get_or_insert_default();
        list.insert(at, slice);
        let slicing = if name.ends_with("[x]") { Slicing::of_types() } else { Slicing::of_extensions() };
        let is_extension = matches!(name.as_str(), "extension" | "modifierExtension");
        let sliced = list.iter_mut().find(|node| node.name == name && node.slice.as_deref() == outer);
        if let Some(sliced) =
            sliced.filter(|one| one.facts.slicing.is_none() && (is_extension || name.ends_with("[x]")))
        {
            sliced.facts.slicing = Some(slicing);
        }
        Ok((at, Found::Made))
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

    fn unfold(&mut self, schema: &Schema, profiles: &dyn Profiles, budget: &mut Budget) -> Result<(), FaultKind> {
        if self.children.is_some() {
            return Ok(());
        }
        let profiled = match self.facts.types.as_slice() {
            [Type { profiles: canonicals, .. }] => match canonicals.as_slice() {
                [canonical] => profiles.tree(canonical, budget)?,
                _ => None,
            },
            _ => None,
        };
        if let Some(mut root) = profiled {
            root.unfold(schema, profiles, budget)?;
            self.children = root.children;
            return Ok(());
        }
        let of = self.holder(schema).ok_or(FaultKind::TwoTypes)?;
        budget.take(of.elements.len())?;
        self.children = Some(children_of(of));
        Ok(())
    }

    /// Adds the children of a type that a choice was narrowed to after it was unfolded.
    fn fill(&mut self, schema: &Schema, budget: &mut Budget) -> Result<bool, FaultKind> {
        let Some(of) = self.holder(schema) else { return Ok(false) };
        let list = self.children.get_or_insert_default();
        let missing = children_of(of).into_iter().filter(|one| list.iter().all(|have| have.name != one.name));
        let missing: Vec<_> = missing.collect();
        budget.take(missing.len())?;
        let is_any = !missing.is_empty();
        list.extend(missing);
        Ok(is_any)
    }
}

fn children_of(of: &TypeDefinition) -> Vec<Node> {
    let nodes = of.elements.iter().map(|element| {
        let facts = Facts::of_type(element);
        let name = element.path.rsplit('.').next().unwrap_or(element.path).to_owned();
        Node { name, slice: None, of_type: Some(facts.clone()), facts, children: None }
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
