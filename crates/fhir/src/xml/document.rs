//! The elements of a body in document order, each a span of it: XML without FHIR's rules. Iterative;
//! nesting is bounded by [`limits::XML_DEPTH_MAX`].
//!
//! SPEC: XML 1.0 sections 2.4 to 2.8, 4.3.3.

use super::cursor::{Cursor, Fault, Span, Step};
use super::fault::XmlFaultKind;
use super::namespace::{Namespace, Scopes};
use super::tag::{Attribute, Tags};
use super::{text, xhtml};
use crate::limits;
use std::borrow::Cow;

/// One FHIR element, or a narrative as a whole.
#[derive(Debug)]
pub(super) struct Node {
    /// The byte of its `<`.
    pub(super) start: usize,
    /// Its name without prefix.
    pub(super) name: Span,
    /// Its attributes, as positions in [`Document::attributes`].
    pub(super) attributes: Span,
    /// Index of the node after this one's content.
    pub(super) skip: usize,
    /// Position in [`Document::narratives`], when it is one.
    pub(super) narrative: Option<usize>,
}

/// A body of well-formed XML whose elements are FHIR's and XHTML's.
#[derive(Debug)]
pub(super) struct Document<'x> {
    pub(super) cursor: Cursor<'x>,
    pub(super) nodes: Vec<Node>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) narratives: Vec<Cow<'x, str>>,
}

impl<'x> Document<'x> {
    /// Reads a body.
    pub(super) fn read(bytes: &'x [u8]) -> Step<Self> {
        if bytes.len() > limits::BODY_BYTES_MAX {
            return Err((XmlFaultKind::TooLong, 0));
        }
        let text = decode(bytes)?;
        if let Some(at) = text::forbidden_character(text) {
            return Err((XmlFaultKind::InvalidCharacter, at));
        }
        let tags = Tags { cursor: Cursor::new(text), scopes: Scopes::default(), attributes: Vec::new() };
        let mut builder = Builder { tags, nodes: Vec::new(), narratives: Vec::new() };
        builder.prolog()?;
        builder.element_tree()?;
        builder.epilog()?;
        let Builder { tags, nodes, narratives } = builder;
        Ok(Self { cursor: tags.cursor, nodes, attributes: tags.attributes, narratives })
    }
}

/// Whether a text is one `<div>` that stands by itself, as a FHIR element may hold it.
pub(super) fn is_narrative(text: &str) -> bool {
    let mut tags = Tags { cursor: Cursor::new(text), scopes: Scopes::default(), attributes: Vec::new() };
    let Ok(div) = tags.start_tag() else { return false };
    let is_div = div.namespace == Namespace::Xhtml && tags.cursor.slice(div.name) == "div";
    let is_kept = |tags: &mut Tags<'_>| matches!(xhtml::narrative(tags, div), Ok(Cow::Borrowed(_)));
    is_div && text::forbidden_character(text).is_none() && is_kept(&mut tags) && tags.cursor.at == text.len()
}

/// The body as text: UTF-8, and nothing else.
fn decode(bytes: &[u8]) -> Step<&str> {
    // UTF-16 and UTF-32, with mark or without.
    let is_wide = [&b"\xFE\xFF"[..], b"\xFF\xFE", b"\0", b"<\0"].iter().any(|start| bytes.starts_with(start));
    if is_wide {
        return Err((XmlFaultKind::Encoding, 0));
    }
    std::str::from_utf8(bytes).map_err(|error| (XmlFaultKind::InvalidUtf8, error.valid_up_to()))
}

struct Builder<'x> {
    tags: Tags<'x>,
    nodes: Vec<Node>,
    narratives: Vec<Cow<'x, str>>,
}

/// An element whose end was not read yet.
struct Open {
    node: usize,
    name: Span,
    scope: usize,
}

impl Builder<'_> {
    fn prolog(&mut self) -> Step {
        self.tags.cursor.eat("\u{FEFF}".as_bytes());
        if self.tags.cursor.rest().starts_with(b"<?xml")
            && matches!(self.tags.cursor.rest().get(5), Some(b' ' | b'\t' | b'\r' | b'\n' | b'?'))
        {
            self.tags.cursor.at += "<?xml".len();
            self.declaration()?;
        }
        self.between()?;
        let at = self.tags.cursor.at;
        if self.tags.cursor.rest().starts_with(b"<!") {
            return Err((XmlFaultKind::DocumentType, at));
        }
        Ok(())
    }

    /// `version="1.0" encoding="UTF-8" standalone="yes"?>`
    fn declaration(&mut self) -> Step {
        let mut wanted: &[&str] = &["version", "encoding", "standalone"];
        loop {
            let spaced = self.tags.cursor.space();
            let start = self.tags.cursor.at;
            if self.tags.cursor.eat(b"?>") {
                return if wanted.len() < 3 { Ok(()) } else { Err((XmlFaultKind::XmlVersion, start)) };
            }
            if !spaced {
                return self.tags.cursor.unexpected();
            }
            let name = self.tags.cursor.name()?;
            self.tags.cursor.space();
            self.tags.cursor.expect(b"=")?;
            self.tags.cursor.space();
            let value = self.tags.cursor.quoted()?;
            let (name, value) = (self.tags.cursor.slice(name), self.tags.cursor.slice(value));
            let Some(position) = wanted.iter().position(|one| *one == name) else {
                return Err((XmlFaultKind::UnexpectedCharacter, start));
            };
            if wanted.len() == 3 && position > 0 {
                return Err((XmlFaultKind::XmlVersion, start));
            }
            wanted = wanted.get(position + 1..).unwrap_or_default();
            match name {
                "version" if value != "1.0" => return Err((XmlFaultKind::XmlVersion, start)),
                "encoding" if !value.eq_ignore_ascii_case("UTF-8") => return Err((XmlFaultKind::Encoding, start)),
                "standalone" if value != "yes" && value != "no" => {
                    return Err((XmlFaultKind::UnexpectedCharacter, start));
                }
                _ => {}
            }
        }
    }

    /// Steps over white space, comments and processing instructions.
    fn between(&mut self) -> Step {
        loop {
            self.tags.cursor.space();
            if self.tags.cursor.eat(b"<!--") {
                self.tags.cursor.comment()?;
            } else if self.tags.cursor.eat(b"<?") {
                self.tags.cursor.instruction()?;
            } else {
                return Ok(());
            }
        }
    }

    fn epilog(&mut self) -> Step {
        self.between()?;
        match self.tags.cursor.peek() {
            None => Ok(()),
            Some(_) => Err((XmlFaultKind::TrailingData, self.tags.cursor.at)),
        }
    }

    fn element_tree(&mut self) -> Step {
        let mut open: Vec<Open> = Vec::new();
        self.element(&mut open)?;
        while let Some(Open { node, name, scope }) = open.last() {
            self.between()?;
            let at = self.tags.cursor.at;
            if self.tags.cursor.eat(b"</") {
                self.tags.end_tag(*name)?;
                let (node, scope) = (*node, *scope);
                self.close(node, scope);
                open.pop();
            } else if self.tags.cursor.peek() == Some(b'<') {
                if open.len() >= limits::XML_DEPTH_MAX {
                    return Err((XmlFaultKind::TooDeep, at));
                }
                self.element(&mut open)?;
            } else {
                return Err(self.text_fault());
            }
        }
        Ok(())
    }

    /// Why there may be nothing but an element here.
    fn text_fault(&self) -> Fault {
        let kind = match self.tags.cursor.rest() {
            [] => XmlFaultKind::UnexpectedEnd,
            [b'&', after @ ..] => text::reference(after).err().unwrap_or(XmlFaultKind::UnexpectedText),
            _ => XmlFaultKind::UnexpectedText,
        };
        (kind, self.tags.cursor.at)
    }

    /// Reads a start tag, and of a narrative all.
    fn element(&mut self, open: &mut Vec<Open>) -> Step {
        let at = self.tags.cursor.at;
        if self.tags.cursor.rest().starts_with(b"<![CDATA[") {
            return Err((XmlFaultKind::UnexpectedText, at));
        }
        if self.tags.cursor.rest().starts_with(b"<!") {
            return Err((XmlFaultKind::DocumentType, at));
        }
        if self.nodes.len() >= limits::NODES_MAX {
            return Err((XmlFaultKind::TooManyElements, at));
        }
        let tag = self.tags.start_tag()?;
        let attributes = Span { start: tag.attributes, end: self.tags.attributes.len() };
        let node = self.nodes.len();
        self.nodes.push(Node { start: tag.start, name: tag.local, attributes, skip: node + 1, narrative: None });
        match tag.namespace {
            Namespace::Fhir if tag.is_empty => self.close(node, tag.scope),
            Namespace::Fhir => open.push(Open { node, name: tag.name, scope: tag.scope }),
            Namespace::Xhtml if !open.is_empty() => {
                let text = xhtml::narrative(&mut self.tags, tag)?;
                self.tags.scopes.truncate(tag.scope);
                if let Some(node) = self.nodes.get_mut(node) {
                    node.narrative = Some(self.narratives.len());
                }
                self.narratives.push(text);
            }
            _ => return Err((XmlFaultKind::WrongNamespace, tag.start)),
        }
        Ok(())
    }

    fn close(&mut self, node: usize, scope: usize) {
        self.tags.scopes.truncate(scope);
        let skip = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(node) {
            node.skip = skip;
        }
    }
}
