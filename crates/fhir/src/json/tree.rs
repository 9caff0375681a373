//! The tree: nodes in document order, each a span of the body. Cursors borrow it and are `Copy`.

use super::origin::{self, Origin};
use super::read::{self, JsonError, JsonErrorKind};
use bytes::Bytes;
use std::{borrow::Cow, ops::Range};

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are JSON's own")]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Span of the value in the body, quotes and brackets included.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Index of the node after this one's subtree.
    pub(super) skip: u32,
    /// Span of the member's name, without quotes; length 0 and start 0 outside objects.
    pub(super) name_start: u32,
    pub(super) name_len: u16,
    pub(super) kind: Kind,
    /// A string with at least one backslash.
    pub(super) escaped: bool,
}

/// A parsed JSON document together with its bytes.
#[derive(Debug, Clone)]
pub struct Tree {
    pub(super) bytes: Bytes,
    pub(super) nodes: Vec<Node>,
    /// Where it was read from, when that was no JSON.
    pub(super) origin: Option<Origin>,
}

impl Tree {
    /// Reads one JSON value; see the module for what is refused.
    ///
    /// # Errors
    /// [`JsonError`] with line and column, both from 1.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, JsonError> {
        read::read(bytes.into())
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value { tree: self, index: 0 }
    }

    /// Reads JSON that was made from another text; positions are places of that text.
    pub(crate) fn parse_made(bytes: Vec<u8>, origin: Origin) -> Result<Self, (JsonErrorKind, (u32, u32))> {
        match read::read_or_offset(bytes.into()) {
            Ok(tree) => Ok(Self { origin: Some(origin), ..tree }),
            Err((kind, at)) => Err((kind, read::position(origin.text(), origin.offset(at)))),
        }
    }

    /// The bytes that were parsed: of a resource that came as XML, the JSON it became.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Line and column (from 1, in characters) of a byte offset; of a resource that came as XML, of the
    /// element there.
    #[must_use]
    pub fn position(&self, offset: usize) -> (u32, u32) {
        match &self.origin {
            None => read::position(&self.bytes, offset),
            Some(origin) => read::position(origin.text(), origin.offset(offset)),
        }
    }

    /// [`Tree::position`] of many offsets, counted in one pass.
    #[must_use]
    pub fn positions(&self, offsets: &[usize]) -> Vec<(u32, u32)> {
        match &self.origin {
            None => origin::positions(&self.bytes, offsets.iter().copied()),
            Some(origin) => origin::positions(origin.text(), offsets.iter().map(|offset| origin.offset(*offset))),
        }
    }

    /// `resourceType` of the outermost object, when it is there and is a string.
    #[must_use]
    pub fn resource_type(&self) -> Option<Cow<'_, str>> {
        self.root().get("resourceType")?.as_str()
    }

    fn text(&self, range: Range<usize>) -> &str {
        // INVARIANT: the reader checked the whole body as UTF-8 and spans end at ASCII bytes.
        self.bytes.get(range).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }
}

/// A cursor at one value.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a> {
    tree: &'a Tree,
    index: u32,
}

impl<'a> Value<'a> {
    fn node(self) -> &'a Node {
        static ABSENT: Node =
            Node { start: 0, end: 0, skip: 0, name_start: 0, name_len: 0, kind: Kind::Null, escaped: false };
        self.tree.nodes.get(self.index as usize).unwrap_or(&ABSENT)
    }

    /// What kind of value this is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// The tree that this cursor borrows.
    #[must_use]
    pub fn tree(self) -> &'a Tree {
        self.tree
    }

    /// The number of this node in document order: equal cursors of one tree have equal numbers.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// This value as a tree of its own, over its own bytes (shared, not copied): an entry's resource
    /// becomes one without being read a second time. Positions count from its own start; of what came
    /// as XML, they stay those of the whole text.
    #[must_use]
    pub fn to_tree(self) -> Tree {
        let (root, span) = (self.node(), self.span());
        let shift = root.start;
        let own = self.index as usize..root.skip as usize;
        let nodes = self.tree.nodes.get(own).unwrap_or_default().iter().map(|node| Node {
            start: node.start.wrapping_sub(shift),
            end: node.end.wrapping_sub(shift),
            skip: node.skip.wrapping_sub(self.index),
            name_start: if node.name_len == 0 { 0 } else { node.name_start.wrapping_sub(shift) },
            ..*node
        });
        let mut nodes: Vec<Node> = nodes.collect();
        if let Some(root) = nodes.first_mut() {
            (root.name_start, root.name_len) = (0, 0);
        }
        let origin = self.tree.origin.as_ref().map(|origin| origin.shifted(span.start));
        Tree { bytes: self.tree.bytes.slice(span), nodes, origin }
    }

    /// Where the value stands in the body.
    #[must_use]
    pub fn span(self) -> Range<usize> {
        let node = self.node();
        node.start as usize..node.end as usize
    }

    /// The value's own text, as written.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.tree.text(self.span())
    }

    /// Line and column of the value's first character.
    #[must_use]
    pub fn position(self) -> (u32, u32) {
        self.tree.position(self.span().start)
    }

    /// Name of the member whose value this is; empty outside objects.
    #[must_use]
    pub fn name(self) -> &'a str {
        let node = self.node();
        let start = node.name_start as usize;
        self.tree.text(start..start + usize::from(node.name_len))
    }

    /// The bytes of [`Value::name`]: for comparisons, which need no check of UTF-8.
    #[must_use]
    pub fn name_bytes(self) -> &'a [u8] {
        let node = self.node();
        let start = node.name_start as usize;
        self.tree.bytes.get(start..start + usize::from(node.name_len)).unwrap_or_default()
    }

    /// The text of a string, escapes resolved; `None` for other kinds.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let node = self.node();
        if node.kind != Kind::String {
            return None;
        }
        let inner = self.tree.text(node.start as usize + 1..(node.end as usize).saturating_sub(1));
        Some(if node.escaped { Cow::Owned(read::unescape(inner)) } else { Cow::Borrowed(inner) })
    }

    /// The text of a number as it was written; `None` for other kinds.
    #[must_use]
    pub fn number_text(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// A boolean; `None` for other kinds.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The member of this name; `None` when absent or when this is no object.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.members().find(|value| value.name_bytes() == name.as_bytes())
    }

    /// The members of an object in their order (each knows its [`Value::name`]); empty for other kinds.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members(self.children_if(Kind::Object))
    }

    /// The items of an array in their order; empty for other kinds.
    #[must_use]
    pub fn items(self) -> Items<'a> {
        Items(self.children_if(Kind::Array))
    }

    /// The items of an array, or the value itself when it is no array.
    #[must_use]
    pub fn items_or_self(self) -> Items<'a> {
        if self.kind() == Kind::Array {
            self.items()
        } else {
            Items(Children { tree: self.tree, next: self.index, end: self.index.saturating_add(1) })
        }
    }

    fn children_if(self, kind: Kind) -> Children<'a> {
        let node = self.node();
        let next = self.index.saturating_add(1);
        let end = if node.kind == kind { node.skip } else { next };
        Children { tree: self.tree, next, end }
    }
}

#[derive(Debug, Clone)]
struct Children<'a> {
    tree: &'a Tree,
    next: u32,
    end: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.next >= self.end {
            return None;
        }
        let value = Value { tree: self.tree, index: self.next };
        self.next = value.node().skip.max(self.next.saturating_add(1));
        Some(value)
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Members<'a>(Children<'a>);

/// The items of an array.
#[derive(Debug, Clone)]
pub struct Items<'a>(Children<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = Value<'a>;
    fn next(&mut self) -> Option<Value<'a>> {
        self.0.next()
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;
    fn next(&mut self) -> Option<Value<'a>> {
        self.0.next()
    }
}
