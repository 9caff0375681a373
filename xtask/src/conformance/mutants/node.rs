//! JSON that can be changed: a copy of an example, and the small edits that make a mutant of it.

use fhir::json::{Kind, Value, Writer};

/// A JSON value of its own.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Item(usize),
}

/// The way from the root of a resource to a value.
pub(super) type Path = Vec<Step>;

/// One change of a resource.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    /// Puts a value where another is; adds the last member when there is none of its name.
    Set(Path, Node),
    /// Takes a member or an item away.
    Remove(Path),
    /// Gives a member another name.
    Rename(Path, String),
    /// Adds an item at the end of an array.
    Push(Path, Node),
}

pub(super) fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

pub(super) fn object(members: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    Node::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A path with one member more.
pub(super) fn member(path: &[Step], name: &str) -> Path {
    let mut path = path.to_vec();
    path.push(Step::Name(name.to_owned()));
    path
}

/// A path with one item more.
pub(super) fn item(path: &[Step], index: usize) -> Path {
    let mut path = path.to_vec();
    path.push(Step::Item(index));
    path
}

impl Node {
    /// A copy of a parsed value.
    pub(super) fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(value.as_bool() == Some(true)),
            Kind::Number => Self::Number(value.raw().to_owned()),
            Kind::String => Self::Text(value.as_str().unwrap_or_default().into_owned()),
            Kind::Array => Self::Array(value.items().map(Self::of).collect()),
            Kind::Object => {
                Self::Object(value.members().map(|member| (member.name().to_owned(), Self::of(member))).collect())
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(its, _)| its == name).map(|(_, value)| value)
    }

    pub(super) fn members(&self) -> &[(String, Self)] {
        if let Self::Object(members) = self { members } else { &[] }
    }

    pub(super) fn items(&self) -> &[Self] {
        if let Self::Array(items) = self { items } else { &[] }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text of a member.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// The value at the end of a path.
    pub(super) fn at(&self, path: &[Step]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| match step {
            Step::Name(name) => node.get(name),
            Step::Item(index) => node.items().get(*index),
        })
    }

    fn at_mut(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, step| match (step, node) {
            (Step::Name(name), Self::Object(members)) => {
                members.iter_mut().find(|(its, _)| its == name).map(|(_, value)| value)
            }
            (Step::Item(index), Self::Array(items)) => items.get_mut(*index),
            _ => None,
        })
    }

    /// Makes one change; `None` when there is nothing at its place.
    pub(super) fn edit(&mut self, edit: &Edit) -> Option<()> {
        match edit {
            Edit::Set(path, value) => {
                let Some((last, above)) = path.split_last() else {
                    *self = value.clone();
                    return Some(());
                };
                match (last, self.at_mut(above)?) {
                    (Step::Name(name), Self::Object(members)) => {
                        match members.iter_mut().find(|(its, _)| its == name) {
                            Some((_, have)) => *have = value.clone(),
                            None => members.push((name.clone(), value.clone())),
                        }
                    }
                    (Step::Item(index), Self::Array(items)) => *items.get_mut(*index)? = value.clone(),
                    _ => return None,
                }
            }
            Edit::Remove(path) => {
                let (last, above) = path.split_last()?;
                match (last, self.at_mut(above)?) {
                    (Step::Name(name), Self::Object(members)) => members.retain(|(its, _)| its != name),
                    (Step::Item(index), Self::Array(items)) if *index < items.len() => _ = items.remove(*index),
                    _ => return None,
                }
            }
            Edit::Rename(path, to) => {
                let (last, above) = path.split_last()?;
                let (Step::Name(name), Self::Object(members)) = (last, self.at_mut(above)?) else { return None };
                members.iter_mut().find(|(its, _)| its == name)?.0.clone_from(to);
            }
            Edit::Push(path, value) => {
                let Self::Array(items) = self.at_mut(path)? else { return None };
                items.push(value.clone());
            }
        }
        Some(())
    }

    /// Whether this has all that a pattern says; with `whole` it has nothing else.
    pub(super) fn has(&self, wanted: &Self, whole: bool) -> bool {
        match (self, wanted) {
            (Self::Object(have), Self::Object(members)) => {
                (!whole || have.len() == members.len())
                    && members.iter().all(|(name, one)| self.get(name).is_some_and(|other| other.has(one, whole)))
            }
            (Self::Array(have), Self::Array(items)) if whole => {
                have.len() == items.len() && have.iter().zip(items).all(|(one, other)| one.has(other, true))
            }
            (Self::Array(have), Self::Array(items)) => {
                items.iter().all(|one| have.iter().any(|other| other.has(one, false)))
            }
            (one, other) => one == other,
        }
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.into_bytes()
    }

    fn write(&self, w: &mut Writer) {
        match self {
            Self::Null => w.raw(b"null"),
            Self::Bool(value) => w.boolean(*value),
            Self::Number(text) => w.raw(text.as_bytes()),
            Self::Text(text) => w.string(text),
            Self::Array(items) => w.array(|w| items.iter().for_each(|one| one.write(w))),
            Self::Object(members) => w.object(|w| {
                for (name, value) in members {
                    w.key(name);
                    value.write(w);
                }
            }),
        }
    }
}
