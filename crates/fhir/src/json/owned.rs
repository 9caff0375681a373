//! A JSON value that owns its parts, for what is changed in place. Scalars keep their text; members keep their order.

use super::{Kind, Tree, Value, Writer};
use crate::primitive::decimal::Decimal;
use std::borrow::Cow;

/// A value.
#[derive(Debug, Clone)]
pub enum Owned {
    /// A string, number, boolean or null, as JSON writes it.
    Scalar(Box<str>),
    /// An array.
    Array(Vec<Owned>),
    /// An object.
    Object(Vec<(Box<str>, Owned)>),
}

impl Owned {
    /// `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::Scalar("null".into())
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(text) if &**text == "null")
    }

    /// The member of this name; `None` when absent or when this is no object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(own, _)| &**own == name).map(|(_, value)| value)
    }

    /// As [`Owned::get`], to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else { return None };
        members.iter_mut().find(|(own, _)| &**own == name).map(|(_, value)| value)
    }

    /// Arrays and objects around the innermost value, itself included; 0 for a scalar.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::Scalar(_) => 0,
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or_default(),
        }
    }

    /// Bytes of its JSON, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Scalar(text) => text.len(),
            Self::Array(items) => items.iter().map(|item| item.bytes() + 1).sum::<usize>() + 2,
            Self::Object(members) => {
                members.iter().map(|(name, value)| name.len() + 4 + value.bytes()).sum::<usize>() + 2
            }
        }
    }

    /// Removes arrays and objects with nothing in them, which FHIR's JSON does not have; whether anything is left of
    /// this one. What a list of companions (`_given`) loses leaves a `null`: each stands at the place of its value.
    /// SPEC: R4 json.html.
    pub fn prune(&mut self) -> bool {
        match self {
            Self::Scalar(_) => true,
            Self::Array(items) => {
                items.retain_mut(Self::prune);
                !items.is_empty()
            }
            Self::Object(members) => {
                members.retain_mut(|(name, value)| match value {
                    Self::Array(items) if name.starts_with('_') => {
                        items.iter_mut().filter(|item| !item.is_null()).fold(false, |any, item| {
                            let is_left = item.prune();
                            if !is_left {
                                *item = Self::null();
                            }
                            any || is_left
                        })
                    }
                    value => value.prune(),
                });
                !members.is_empty()
            }
        }
    }

    /// Its JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(self.bytes());
        self.write(&mut w);
        w.into_bytes()
    }

    /// Writes it as the next value.
    pub fn write(&self, w: &mut Writer) {
        match self {
            Self::Scalar(text) => w.raw(text.as_bytes()),
            Self::Array(items) => w.array(|w| items.iter().for_each(|item| item.write(w))),
            Self::Object(members) => w.object(|w| {
                for (name, value) in members {
                    w.key(name);
                    value.write(w);
                }
            }),
        }
    }

    /// Whether both say the same: numbers by value, strings whatever their escapes, members in any order.
    /// SPEC: RFC 6902 section 4.6.
    #[must_use]
    pub fn means(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(one), Self::Scalar(other)) => one == other || same(one, other),
            (Self::Array(one), Self::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.means(other))
            }
            (Self::Object(one), Self::Object(others)) => {
                let has_same = |(name, value): &(Box<str>, Self)| other.get(name).is_some_and(|own| value.means(own));
                one.len() == others.len() && one.iter().all(has_same)
            }
            _ => false,
        }
    }
}

impl From<Value<'_>> for Owned {
    fn from(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Array => Self::Array(value.items().map(Self::from).collect()),
            Kind::Object => {
                Self::Object(value.members().map(|member| (member.name().into(), Self::from(member))).collect())
            }
            _ => Self::Scalar(value.raw().into()),
        }
    }
}

/// Whether two texts are the same string or the same number.
fn same(one: &str, other: &str) -> bool {
    let string = |text: &str| {
        let tree = Tree::parse(text.as_bytes().to_vec()).ok().filter(|_| text.starts_with('"'))?;
        tree.root().as_str().map(Cow::into_owned)
    };
    match (Decimal::parse(one), Decimal::parse(other)) {
        (Some(one), Some(other)) => one.compare(&other).is_eq(),
        _ => string(one).is_some_and(|one| string(other).is_some_and(|other| one == other)),
    }
}
