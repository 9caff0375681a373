//! Start tags: names with their namespaces resolved, attributes.
//!
//! SPEC: XML 1.0 section 3.1; Namespaces in XML 1.0 sections 3 and 6.

use super::cursor::{Cursor, Span, Step};
use super::fault::XmlFaultKind;
use super::namespace::{Namespace, Scopes, split};
use crate::limits;

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    /// Its name with its prefix.
    pub(super) name: Span,
    /// Its name without prefix.
    pub(super) local: Span,
    pub(super) value: Span,
    pub(super) namespace: Namespace,
    /// It declares a namespace.
    pub(super) is_declaration: bool,
}

/// A start tag, or the tag of an empty element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    /// The byte of its `<`.
    pub(super) start: usize,
    /// Its name with its prefix.
    pub(super) name: Span,
    /// Its name without prefix.
    pub(super) local: Span,
    pub(super) namespace: Namespace,
    /// Where its attributes begin in [`Tags::attributes`]; they are the last ones there.
    pub(super) attributes: usize,
    /// Declarations in scope outside of it.
    pub(super) scope: usize,
    /// It has no end tag.
    pub(super) is_empty: bool,
}

/// Reads tags, and keeps what is declared.
#[derive(Debug)]
pub(super) struct Tags<'x> {
    pub(super) cursor: Cursor<'x>,
    pub(super) scopes: Scopes,
    pub(super) attributes: Vec<Attribute>,
}

impl Tags<'_> {
    /// Reads a start tag, its `<` being next. Its declarations are in scope after this.
    pub(super) fn start_tag(&mut self) -> Step<Tag> {
        let (start, attributes, scope) = (self.cursor.at, self.attributes.len(), self.scopes.len());
        self.cursor.expect(b"<")?;
        let name = self.cursor.name()?;
        let is_empty = loop {
            let spaced = self.cursor.space();
            if self.cursor.eat(b">") {
                break false;
            }
            if self.cursor.peek() == Some(b'/') {
                self.cursor.expect(b"/")?;
                self.cursor.expect(b">")?;
                break true;
            }
            if !spaced {
                return self.cursor.unexpected();
            }
            self.attribute(attributes)?;
        };
        for at in attributes..self.attributes.len() {
            let Some(attribute) = self.attributes.get(at).copied().filter(|one| !one.is_declaration) else { continue };
            if attribute.local.start > attribute.name.start {
                let prefix = Span { start: attribute.name.start, end: attribute.local.start - 1 };
                let namespace = self.scopes.resolve(self.cursor, prefix)?;
                if let Some(one) = self.attributes.get_mut(at) {
                    one.namespace = namespace;
                }
            }
        }
        let (prefix, local) = split(name, self.cursor.slice(name));
        self.check_local(local)?;
        let namespace = self.scopes.resolve(self.cursor, prefix)?;
        Ok(Tag { start, name, local, namespace, attributes, scope, is_empty })
    }

    /// Reads the rest of an end tag, its `</` being behind.
    pub(super) fn end_tag(&mut self, open: Span) -> Step {
        let name = self.cursor.name()?;
        if self.cursor.slice(name) != self.cursor.slice(open) {
            return Err((XmlFaultKind::WrongEndTag, name.start));
        }
        self.cursor.space();
        self.cursor.expect(b">")
    }

    /// Reads one attribute of the tag whose attributes begin at `first`.
    fn attribute(&mut self, first: usize) -> Step {
        let name = self.cursor.name()?;
        let text = self.cursor.slice(name);
        let others = self.attributes.get(first..).unwrap_or_default();
        if others.len() >= limits::XML_ATTRIBUTES_MAX {
            return Err((XmlFaultKind::TooManyAttributes, name.start));
        }
        if others.iter().any(|other| self.cursor.slice(other.name) == text) {
            return Err((XmlFaultKind::DuplicateAttribute, name.start));
        }
        self.cursor.space();
        self.cursor.expect(b"=")?;
        self.cursor.space();
        let value = self.cursor.quoted()?;
        let (prefix, local) = split(name, text);
        self.check_local(local)?;
        let is_declaration = text == "xmlns" || self.cursor.slice(prefix) == "xmlns";
        if is_declaration {
            let of = if text == "xmlns" { prefix } else { local };
            self.scopes.declare(self.cursor, of, value)?;
        }
        self.attributes.push(Attribute { name, local, value, namespace: Namespace::None, is_declaration });
        Ok(())
    }

    /// A name has at most one colon, and something on both sides of it.
    fn check_local(&self, local: Span) -> Step {
        let text = self.cursor.slice(local);
        let is_right =
            text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && !text.contains(':');
        if is_right { Ok(()) } else { Err((XmlFaultKind::InvalidName, local.start)) }
    }
}
