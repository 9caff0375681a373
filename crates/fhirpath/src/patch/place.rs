//! Where an element stands: the object that holds it, its name there, and its number among those of that name.

use super::{Reason, Wrong, slots::Slots};
use fhir::{
    element::Element,
    json::{Kind, Owned, Tree, Value},
    schema::{ElementDefinition, TypeDefinition},
};

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Item(usize),
}

/// Place of an element that is not the resource itself.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// The way to the object.
    way: Vec<Step>,
    /// The type of the element that holds it.
    of: &'a TypeDefinition,
    /// Name of its member, without `_`.
    member: String,
    /// Its number among the elements of that name, from 0.
    pub(super) at: usize,
    /// What it is there.
    pub(super) element: &'a ElementDefinition,
    /// A primitive has its children in its companion.
    is_primitive: bool,
}

impl<'a> Place<'a> {
    /// The place of an element of this tree.
    pub(super) fn of(element: Element<'a>, tree: &'a Tree) -> Result<Self, Reason> {
        let definition = element.reached_by.ok_or(Reason::WholeResource)?;
        let value = element.value.or(element.companion).filter(|value| std::ptr::eq(value.tree(), tree));
        let value = value.ok_or(Reason::NoElement)?;
        let root = Element::resource(tree, element.schema).ok_or(Reason::Unreadable)?;
        let mut way = way_to(value.index(), tree.root()).ok_or(Reason::NoElement)?;
        let mut at = 0;
        if let Some(Step::Item(number)) = way.last() {
            at = *number;
            way.pop();
        }
        let Some(Step::Name(name)) = way.pop() else { return Err(Reason::NoElement) };
        let of = type_at(root, &way).ok_or(Reason::NoElement)?;
        let member = name.strip_prefix('_').unwrap_or(&name).to_owned();
        Ok(Self { way, of, member, at, element: definition, is_primitive: element.is_primitive() })
    }

    /// Whether both are elements of one name in one object.
    pub(super) fn is_in_list_of(&self, other: &Self) -> bool {
        self.way == other.way && self.member == other.member
    }

    /// How many elements of this name the object has.
    pub(super) fn length(&self, tree: &Tree) -> usize {
        let object = self.way.iter().try_fold(tree.root(), |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Item(number) => value.items().nth(*number),
        });
        let count =
            |name: &str| object.and_then(|object| object.get(name)).map_or(0, |list| list.items_or_self().count());
        count(&self.member).max(count(&format!("_{}", self.member)))
    }

    /// Changes the elements of this name. `member`: the name that they have afterwards, when it is another one.
    pub(super) fn change(
        &self,
        root: &mut Owned,
        member: Option<&str>,
        change: impl FnOnce(&mut Slots, usize) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let object = self.object(root).ok_or(("path", Reason::Unreadable))?;
        let mut slots = Slots::take(object, self.element, self.of);
        change(&mut slots, self.at)?;
        slots.put(object, self.element, member.unwrap_or(&self.member));
        Ok(())
    }

    /// Changes the object that holds the element's children, which a primitive has in its companion.
    pub(super) fn within(
        &self,
        root: &mut Owned,
        change: impl FnOnce(&mut Owned) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let unreadable = ("path", Reason::Unreadable);
        self.change(root, None, |slots, at| {
            let slot = slots.items.get_mut(at).ok_or(unreadable)?;
            if self.is_primitive {
                change(slot.companion.get_or_insert_with(|| Owned::Object(Vec::new())))
            } else {
                change(slot.value.as_mut().ok_or(("path", Reason::Unreadable))?)
            }
        })
    }

    fn object<'o>(&self, root: &'o mut Owned) -> Option<&'o mut Owned> {
        self.way.iter().try_fold(root, |value, step| match (step, value) {
            (Step::Name(name), value) => value.get_mut(name),
            (Step::Item(number), Owned::Array(items)) => items.get_mut(*number),
            _ => None,
        })
    }
}

/// The way from a value to the node of this number below it.
fn way_to(number: u32, from: Value<'_>) -> Option<Vec<Step>> {
    let mut way = Vec::new();
    let mut here = from;
    while here.index() != number {
        let is_object = here.kind() == Kind::Object;
        let below = here.members().chain(here.items()).enumerate();
        // Nodes are numbered in the order of the text: it is in the last that begins no later.
        let (item, next) = below.take_while(|(_, child)| child.index() <= number).last()?;
        way.push(if is_object { Step::Name(next.name().to_owned()) } else { Step::Item(item) });
        here = next;
    }
    Some(way)
}

/// The type of the element at the end of a way.
fn type_at<'a>(root: Element<'a>, way: &[Step]) -> Option<&'a TypeDefinition> {
    let mut here = root.definition;
    let mut value = root.value;
    for step in way {
        value = match step {
            Step::Name(name) => {
                let (_, of) = here.member(name.strip_prefix('_').unwrap_or(name))?;
                here = root.schema.type_of(of)?;
                value.and_then(|value| value.get(name))
            }
            Step::Item(number) => value.and_then(|value| value.items().nth(*number)),
        };
        // A resource within another one has a type of its own.
        if let Some(inner) = value.and_then(|value| Element::resource_at(value, root.schema)) {
            here = inner.definition;
        }
    }
    Some(here)
}
