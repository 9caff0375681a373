//! FHIRPath Patch: a Parameters resource whose operations name elements by FHIRPath.
//!
//! An operation works on elements, not on JSON: a primitive's id and extensions (`_birthDate`) go with its value, items
//! of a list keep their `_` beside them, and the member of a choice is named by the type of the value (`valueCode`).
//! What comes of it is not held to anything here: it is checked as any resource that a client sends.
//!
//! SPEC: R4 fhirpatch.html. An empty path is an error but for `delete`, as R4 has it. Read as: `add` on an element that
//! does not repeat is an error when it is there; `insert` and `move` name all items of one list. Left out: nothing.

mod operation;
mod place;
mod slots;
mod value;

use crate::{Context, EvaluateError, evaluate, limits};
use fhir::{
    element::Element,
    json::{Owned, Tree},
    schema::Schema,
};
use operation::{Action, Operation};
use place::Place;
use slots::Slots;
use std::{borrow::Cow, fmt};

#[cfg(test)]
mod tests;

/// Why a patch cannot be applied. Holds nothing of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchError {
    /// The operation, from 0; `None`: the patch as a whole.
    pub operation: Option<usize>,
    /// The part that is meant (`path`); empty: the operation as such.
    pub part: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "Display says each in a sentence")]
pub enum Reason {
    NotParameters,
    NoOperation,
    TooMany,
    UnknownPart,
    Twice,
    Missing,
    WrongType,
    UnknownType,
    Path(String),
    Evaluation(EvaluateError),
    TooLarge,
    UnknownElement(String),
    NotOfThisType,
    ValueAndParts,
    NotFound,
    Several,
    NoElement,
    WholeResource,
    There,
    NotAList,
    NotAllOfAList,
    BeyondTheEnd,
    Unreadable,
}

impl Reason {
    /// Whether the patch itself is well-formed and only does not suit this resource.
    #[must_use]
    pub fn is_about_resource(&self) -> bool {
        matches!(
            self,
            Self::NotFound
                | Self::Several
                | Self::There
                | Self::NotAllOfAList
                | Self::BeyondTheEnd
                | Self::TooLarge
                | Self::Evaluation(_)
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotParameters => "a FHIRPath Patch is a Parameters resource",
            Self::NoOperation => "each parameter of a FHIRPath Patch is an operation, and there is at least one",
            Self::TooMany => return write!(f, "a patch has at most {} operations", limits::PATCH_OPERATIONS_MAX),
            Self::UnknownPart => "this part does not belong to this type of operation",
            Self::Twice => "this part stands twice in the operation",
            Self::Missing => "the operation needs it",
            Self::WrongType => "the part has a value of another type, or none",
            Self::UnknownType => "type is add, insert, delete, replace or move",
            Self::Path(why) => return write!(f, "not a FHIRPath expression: {why}"),
            Self::Evaluation(why) => return write!(f, "the path has no result: {why}"),
            Self::TooLarge => "the patch takes more work than this server gives it: use fewer operations",
            Self::UnknownElement(name) => return write!(f, "there is no element {name} here"),
            Self::NotOfThisType => "the element cannot have a value of this type",
            Self::ValueAndParts => "a value is one value[x], one resource, or parts, and not empty",
            Self::NotFound => "the path finds nothing",
            Self::Several => "the path finds more than one element",
            Self::NoElement => "the path finds something that is no element of the resource",
            Self::WholeResource => "the resource as a whole cannot be changed so",
            Self::There => "the element is there already and does not repeat",
            Self::NotAList => "the element does not repeat",
            Self::NotAllOfAList => "the path has to find all items of one list",
            Self::BeyondTheEnd => "this place is beyond the end of the list",
            Self::Unreadable => "what comes of the operation is no resource",
        })
    }
}

/// A part of an operation, and what is wrong with it.
type Wrong = (&'static str, Reason);

/// The resource after all operations of a FHIRPath Patch. `context`: what paths may know, without a focus.
///
/// # Errors
/// [`PatchError`]: the first operation that is malformed, or that does not suit the resource.
pub fn patch(resource: &Tree, patch: &Tree, schema: &Schema, context: &Context<'_>) -> Result<Vec<u8>, PatchError> {
    let of = |number| move |(part, reason): Wrong| PatchError { operation: number, part, reason };
    // The whole patch is read before anything is done: what is malformed is told whatever the resource holds.
    let operations = operation::read(patch, schema)?;
    // All paths together take no longer than one expression may.
    let context = &Context { steps_max: context.steps_max / operations.len().max(1) as u64, ..*context };
    let mut now = Cow::Borrowed(resource);
    let mut work = 0_usize;
    for (number, operation) in operations.iter().enumerate() {
        let of = of(Some(number));
        work = work.saturating_add(now.bytes().len());
        if work > limits::PATCH_WORK_BYTES_MAX {
            return Err(of(("", Reason::TooLarge)));
        }
        if let Some(bytes) = perform(&now, operation, schema, context).map_err(&of)? {
            now = Cow::Owned(Tree::parse(bytes).map_err(|_| of(("", Reason::Unreadable)))?);
        }
    }
    Ok(now.bytes().to_vec())
}

/// The resource after one operation; `None`: it stays as it is.
fn perform(
    now: &Tree,
    operation: &Operation<'_>,
    schema: &Schema,
    context: &Context<'_>,
) -> Result<Option<Vec<u8>>, Wrong> {
    let path = |reason| ("path", reason);
    let root = Element::resource(now, schema).ok_or(("", Reason::Unreadable))?;
    let context = Context { resource: Some(root), root_resource: Some(root), ..*context };
    let found = evaluate(&operation.path, root, &context).map_err(|why| path(Reason::Evaluation(why)))?;
    let elements = found.iter().map(|item| item.element().ok_or(Reason::NoElement));
    let elements = elements.collect::<Result<Vec<_>, _>>().map_err(path)?;
    let mut owned = Owned::from(now.root());
    match &operation.action {
        Action::Add { name, value } => {
            let target = single(&elements).map_err(path)?;
            let element =
                target.definition.element(name).ok_or_else(|| ("name", Reason::UnknownElement((*name).to_owned())))?;
            let value = value::of(*value, element, schema)?;
            let add = |object: &mut Owned| {
                let mut slots = Slots::take(object, element, target.definition);
                if element.max == Some(1) && !slots.items.is_empty() {
                    return Err(path(Reason::There));
                }
                slots.items.push(value.slot);
                slots.put(object, element, &value.member);
                Ok(())
            };
            match target.reached_by {
                None => add(&mut owned)?,
                Some(_) => Place::of(*target, now).map_err(path)?.within(&mut owned, add)?,
            }
        }
        Action::Delete => {
            let [target] = elements.as_slice() else {
                return if elements.is_empty() { Ok(None) } else { Err(path(Reason::Several)) };
            };
            let place = Place::of(*target, now).map_err(path)?;
            place.change(&mut owned, None, |slots, at| {
                if at < slots.items.len() {
                    slots.items.remove(at);
                }
                Ok(())
            })?;
        }
        Action::Replace { value } => {
            let target = single(&elements).map_err(path)?;
            let place = Place::of(*target, now).map_err(path)?;
            let value = value::of(*value, place.element, schema)?;
            place.change(&mut owned, Some(&value.member), |slots, at| {
                if let Some(slot) = slots.items.get_mut(at) {
                    *slot = value.slot;
                }
                Ok(())
            })?;
        }
        Action::Insert { value, index } => {
            let place = list(&elements, now).map_err(path)?;
            let value = value::of(*value, place.element, schema)?;
            place.change(&mut owned, None, |slots, _| {
                if *index > slots.items.len() {
                    return Err(("index", Reason::BeyondTheEnd));
                }
                slots.items.insert(*index, value.slot);
                Ok(())
            })?;
        }
        Action::Move { source, destination } => {
            let place = list(&elements, now).map_err(path)?;
            place.change(&mut owned, None, |slots, _| {
                for (part, at) in [("source", *source), ("destination", *destination)] {
                    if at >= slots.items.len() {
                        return Err((part, Reason::BeyondTheEnd));
                    }
                }
                let slot = slots.items.remove(*source);
                slots.items.insert(*destination, slot);
                Ok(())
            })?;
        }
    }
    owned.prune();
    Ok(Some(owned.to_json()))
}

fn single<'e, 'a>(elements: &'e [Element<'a>]) -> Result<&'e Element<'a>, Reason> {
    match elements {
        [one] => Ok(one),
        [] => Err(Reason::NotFound),
        _ => Err(Reason::Several),
    }
}

/// The list that all of these are, and nothing else is.
fn list<'a>(elements: &[Element<'a>], now: &'a Tree) -> Result<Place<'a>, Reason> {
    let first = elements.first().ok_or(Reason::NotFound)?;
    let place = Place::of(*first, now)?;
    if place.element.max == Some(1) {
        return Err(Reason::NotAList);
    }
    let mut numbers = Vec::with_capacity(elements.len());
    for element in elements {
        let other = Place::of(*element, now)?;
        if !other.is_in_list_of(&place) {
            return Err(Reason::NotAllOfAList);
        }
        numbers.push(other.at);
    }
    let is_all = numbers.iter().enumerate().all(|(at, number)| at == *number);
    if is_all && numbers.len() == place.length(now) { Ok(place) } else { Err(Reason::NotAllOfAList) }
}
