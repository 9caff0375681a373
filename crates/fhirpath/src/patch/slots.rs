//! The elements of one name in one object: values with their `_` companions beside them.

use fhir::{
    json::Owned,
    schema::{ElementDefinition, TypeDefinition},
};

/// One element: of a primitive its value, its id and extensions, or both.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) value: Option<Owned>,
    pub(super) companion: Option<Owned>,
}

/// All of one name, taken out of their object.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) items: Vec<Slot>,
    /// Where the first member of theirs stood among the members.
    at: usize,
}

impl Slots {
    /// Takes those of an element of this type out of an object, whatever type a choice has there.
    pub(super) fn take(object: &mut Owned, element: &ElementDefinition, of: &TypeDefinition) -> Self {
        let Owned::Object(members) = object else { return Self { items: Vec::new(), at: 0 } };
        let is_theirs = |name: &str| {
            let plain = name.strip_prefix('_').unwrap_or(name);
            of.member(plain).is_some_and(|(found, _)| found.index == element.index)
        };
        let at = members.iter().position(|(name, _)| is_theirs(name)).unwrap_or(members.len());
        let theirs = members.extract_if(at.., |(name, _)| is_theirs(name)).collect::<Vec<_>>();
        let mut items: Vec<Slot> = Vec::new();
        for (name, value) in theirs {
            let is_companion = name.starts_with('_');
            let list = match value {
                Owned::Array(list) => list,
                one => vec![one],
            };
            for (number, one) in list.into_iter().enumerate() {
                if number >= items.len() {
                    items.push(Slot { value: None, companion: None });
                }
                if let Some(slot) = items.get_mut(number).filter(|_| !one.is_null()) {
                    *(if is_companion { &mut slot.companion } else { &mut slot.value }) = Some(one);
                }
            }
        }
        Self { items, at }
    }

    /// Puts them back under the name of a member.
    pub(super) fn put(self, object: &mut Owned, element: &ElementDefinition, member: &str) {
        let Owned::Object(members) = object else { return };
        let (values, companions): (Vec<_>, Vec<_>) =
            self.items.into_iter().map(|slot| (slot.value, slot.companion)).unzip();
        let is_list = element.max != Some(1);
        let json = |all: Vec<Option<Owned>>| {
            if all.iter().all(Option::is_none) {
                return None;
            }
            let mut all = all.into_iter().map(|one| one.unwrap_or_else(Owned::null));
            if is_list { Some(Owned::Array(all.collect())) } else { all.next() }
        };
        let both = [(member.into(), json(values)), (format!("_{member}").into(), json(companions))];
        let at = self.at.min(members.len());
        members.splice(at..at, both.into_iter().filter_map(|(name, json)| Some((name, json?))));
    }
}
