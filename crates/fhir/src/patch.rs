//! JSON Patch: operations on the JSON of a resource, all of them or none.
//!
//! What a removal leaves empty goes too, for FHIR's JSON has no empty arrays and objects; so an operation may build
//! something from an empty array on. What comes of it is not held to anything here: it is checked as any resource that
//! a client sends.
//!
//! SPEC: RFC 6902, RFC 6901; R4 http.html#patch. Left out: nothing.

use crate::{
    json::{Kind, Owned, Value},
    limits,
};
use std::fmt;

#[cfg(test)]
mod tests;

/// Why a patch cannot be applied. Holds nothing of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchError {
    /// The operation, from 0; `None`: the patch as a whole.
    pub operation: Option<usize>,
    /// Its member that is meant; empty: the operation as such.
    pub member: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Display says each in a sentence")]
pub enum Reason {
    NotAnArray,
    NotAnObject,
    TooMany,
    Missing,
    NotAString,
    UnknownOperation,
    InvalidPointer,
    InvalidIndex,
    WholeResource,
    IntoItself,
    TooLarge,
    TooDeep,
    NotFound,
    BeyondTheEnd,
    TestFailed,
}

impl Reason {
    /// Whether the patch itself is well-formed and only does not suit this resource.
    #[must_use]
    pub fn is_about_resource(self) -> bool {
        matches!(self, Self::NotFound | Self::BeyondTheEnd | Self::TestFailed | Self::TooDeep | Self::TooLarge)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnArray => "a JSON Patch is an array of operations",
            Self::NotAnObject => "an operation is an object",
            Self::TooMany => return write!(f, "a patch has at most {} operations", limits::PATCH_OPERATIONS_MAX),
            Self::Missing => "the operation needs it",
            Self::NotAString => "not a string",
            Self::UnknownOperation => "op is add, remove, replace, move, copy or test",
            Self::InvalidPointer => "not a JSON Pointer: it begins with / and has ~ only as ~0 and ~1",
            Self::InvalidIndex => "a place in an array is a number without leading zeros, or - for its end",
            Self::WholeResource => "the resource as a whole cannot be removed, moved or replaced",
            Self::IntoItself => "nothing can be moved into itself",
            Self::TooLarge => "the patch makes more of the resource than this server accepts",
            Self::TooDeep => "what comes of it is nested deeper than this server accepts",
            Self::NotFound => "there is nothing at this place",
            Self::BeyondTheEnd => "this place is beyond the end of the array",
            Self::TestFailed => "the value at this place is another one",
        })
    }
}

/// The resource after all operations of a JSON Patch.
///
/// # Errors
/// [`PatchError`]: the first operation that is malformed, or that does not suit the resource.
pub fn apply(resource: Value<'_>, patch: Value<'_>) -> Result<Vec<u8>, PatchError> {
    let whole = |reason| PatchError { operation: None, member: "", reason };
    if patch.kind() != Kind::Array {
        return Err(whole(Reason::NotAnArray));
    }
    if patch.items().nth(limits::PATCH_OPERATIONS_MAX).is_some() {
        return Err(whole(Reason::TooMany));
    }
    // The whole patch is read before anything is done: what is malformed is told whatever the resource holds.
    let operations = patch.items().enumerate().map(|(number, one)| {
        Operation::read(one).map_err(|(member, reason)| PatchError { operation: Some(number), member, reason })
    });
    let operations = operations.collect::<Result<Vec<_>, _>>()?;
    let mut document = Document { root: Owned::from(resource), added: 0 };
    for (number, operation) in operations.into_iter().enumerate() {
        document.perform(operation).map_err(|(member, reason)| PatchError {
            operation: Some(number),
            member,
            reason,
        })?;
    }
    document.root.prune();
    Ok(document.root.to_json())
}

/// A member of an operation, and what is wrong with it.
type Wrong = (&'static str, Reason);

/// A place: the names and numbers that lead there. Never the root.
struct Pointer(Vec<String>);

enum Operation {
    Add(Pointer, Owned),
    Remove(Pointer),
    Replace(Pointer, Owned),
    Move { from: Pointer, path: Pointer },
    Copy { from: Pointer, path: Pointer },
    Test(Vec<String>, Owned),
}

impl Operation {
    fn read(operation: Value<'_>) -> Result<Self, Wrong> {
        if operation.kind() != Kind::Object {
            return Err(("", Reason::NotAnObject));
        }
        let text = |member: &'static str| {
            let value = operation.get(member).ok_or((member, Reason::Missing))?;
            value.as_str().ok_or((member, Reason::NotAString))
        };
        let place = |member| Pointer::parse(&text(member)?).map_err(|reason| (member, reason));
        let value = || operation.get("value").map(Owned::from).ok_or(("value", Reason::Missing));
        Ok(match &*text("op")? {
            "add" => Self::Add(place("path")?, value()?),
            "remove" => Self::Remove(place("path")?),
            "replace" => Self::Replace(place("path")?, value()?),
            "move" => {
                let (from, path) = (place("from")?, place("path")?);
                if path.0.len() > from.0.len() && path.0.starts_with(&from.0) {
                    return Err(("path", Reason::IntoItself));
                }
                Self::Move { from, path }
            }
            "copy" => Self::Copy { from: place("from")?, path: place("path")? },
            "test" => Self::Test(steps(&text("path")?).map_err(|reason| ("path", reason))?, value()?),
            _ => return Err(("op", Reason::UnknownOperation)),
        })
    }
}

impl Pointer {
    fn parse(text: &str) -> Result<Self, Reason> {
        let steps = steps(text)?;
        if steps.is_empty() { Err(Reason::WholeResource) } else { Ok(Self(steps)) }
    }

    /// The way to what holds the place, and the last step.
    fn parts(&self) -> (&[String], &str) {
        self.0.split_last().map_or((&[], ""), |(last, way)| (way, last))
    }
}

/// SPEC: RFC 6901 sections 3 and 4.
fn steps(text: &str) -> Result<Vec<String>, Reason> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let rest = text.strip_prefix('/').ok_or(Reason::InvalidPointer)?;
    let step = |step: &str| {
        let mut parts = step.split('~');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.try_fold(first, |whole, part| match part.split_at_checked(1) {
            Some(("0", rest)) => Ok(whole + "~" + rest),
            Some(("1", rest)) => Ok(whole + "/" + rest),
            _ => Err(Reason::InvalidPointer),
        })
    };
    rest.split('/').map(step).collect()
}

/// A number of an item. SPEC: RFC 6901 section 4.
fn index(step: &str) -> Result<usize, Reason> {
    let is_plain = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
    if step.is_empty() || !is_plain {
        return Err(Reason::InvalidIndex);
    }
    // More digits than a number has name a place beyond every end.
    Ok(step.parse().unwrap_or(usize::MAX))
}

struct Document {
    root: Owned,
    /// Bytes that operations added or copied.
    added: usize,
}

impl Document {
    fn perform(&mut self, operation: Operation) -> Result<(), Wrong> {
        let (path, from) = (|reason| ("path", reason), |reason| ("from", reason));
        match operation {
            Operation::Add(place, value) => self.add(&place, value).map_err(path),
            Operation::Remove(place) => self.remove(&place).map_err(path).map(|_| ()),
            Operation::Replace(place, value) => {
                self.weigh(&place, &value).map_err(path)?;
                *find_mut(&mut self.root, &place.0).map_err(path)? = value;
                Ok(())
            }
            Operation::Move { from: source, path: place } => {
                let value = self.remove(&source).map_err(from)?;
                self.add(&place, value).map_err(path)
            }
            Operation::Copy { from: source, path: place } => {
                let found = find(&self.root, &source.0).map_err(from)?;
                if self.added.saturating_add(found.bytes()) > limits::PATCH_BYTES_MAX {
                    return Err(from(Reason::TooLarge));
                }
                let value = found.clone();
                self.add(&place, value).map_err(path)
            }
            Operation::Test(place, value) => {
                let found = find(&self.root, &place).map_err(path)?;
                if found.means(&value) { Ok(()) } else { Err(path(Reason::TestFailed)) }
            }
        }
    }

    /// Counts what is put at a place, and refuses what is too much.
    fn weigh(&mut self, place: &Pointer, value: &Owned) -> Result<(), Reason> {
        if place.0.len() + value.depth() > limits::DEPTH_MAX {
            return Err(Reason::TooDeep);
        }
        self.added = self.added.saturating_add(value.bytes());
        if self.added > limits::PATCH_BYTES_MAX { Err(Reason::TooLarge) } else { Ok(()) }
    }

    fn add(&mut self, place: &Pointer, value: Owned) -> Result<(), Reason> {
        self.weigh(place, &value)?;
        let (way, last) = place.parts();
        match find_mut(&mut self.root, way)? {
            Owned::Object(members) => match members.iter_mut().find(|(name, _)| &**name == last) {
                Some((_, old)) => *old = value,
                None => members.push((last.into(), value)),
            },
            Owned::Array(items) => {
                let at = if last == "-" { items.len() } else { index(last)? };
                if at > items.len() {
                    return Err(Reason::BeyondTheEnd);
                }
                items.insert(at, value);
            }
            Owned::Scalar(_) => return Err(Reason::NotFound),
        }
        Ok(())
    }

    fn remove(&mut self, place: &Pointer) -> Result<Owned, Reason> {
        let (way, last) = place.parts();
        match find_mut(&mut self.root, way)? {
            Owned::Object(members) => {
                let at = members.iter().position(|(name, _)| &**name == last).ok_or(Reason::NotFound)?;
                Ok(members.remove(at).1)
            }
            Owned::Array(items) => {
                let at = index(last)?;
                if at < items.len() { Ok(items.remove(at)) } else { Err(Reason::NotFound) }
            }
            Owned::Scalar(_) => Err(Reason::NotFound),
        }
    }
}

fn find<'a>(root: &'a Owned, way: &[String]) -> Result<&'a Owned, Reason> {
    way.iter().try_fold(root, |value, step| match value {
        Owned::Object(_) => value.get(step).ok_or(Reason::NotFound),
        Owned::Array(items) => items.get(index(step)?).ok_or(Reason::NotFound),
        Owned::Scalar(_) => Err(Reason::NotFound),
    })
}

fn find_mut<'a>(root: &'a mut Owned, way: &[String]) -> Result<&'a mut Owned, Reason> {
    way.iter().try_fold(root, |value, step| match value {
        Owned::Object(_) => value.get_mut(step).ok_or(Reason::NotFound),
        Owned::Array(items) => items.get_mut(index(step)?).ok_or(Reason::NotFound),
        Owned::Scalar(_) => Err(Reason::NotFound),
    })
}
