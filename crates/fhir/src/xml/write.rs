//! From a tree to XML: elements in the order of the tables, values escaped, narrative as it stands.
//!
//! SPEC: R4 xml.html. A tree that R4 does not allow is refused where XML could not say what it says;
//! whether it is valid is validation's question.

use super::document::is_narrative;
use super::read::is_attribute;
use super::{FHIR, text};
use crate::json::{Kind, Tree, Value};
use crate::schema::{ElementDefinition, Schema, TypeDefinition, TypeKind};
use std::fmt;

/// Why a tree cannot be written as XML, and where it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteError {
    /// Why.
    pub kind: WriteErrorKind,
    /// Line in what the tree was read from, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The reasons why a tree cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Display says each in a sentence")]
pub enum WriteErrorKind {
    NoResource,
    UnknownElement,
    WrongShape,
    Empty,
    Character,
    Narrative,
}

impl fmt::Display for WriteErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoResource => "not a resource of FHIR R4",
            Self::UnknownElement => "R4 has no such element here",
            Self::WrongShape => "not the kind of JSON value that R4 has here",
            Self::Empty => "XML has no empty values",
            Self::Character => "XML cannot hold a character of this value",
            Self::Narrative => "narrative is one <div> of XHTML",
        })
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}

impl std::error::Error for WriteError {}

/// Writes the resource at the root of a tree, without white space between elements.
///
/// # Errors
/// [`WriteError`] when XML could not say what the tree says. Of a resource that is valid, that is U+FFFE and
/// U+FFFF alone: JSON has them, XML has not.
pub fn write(tree: &Tree, schema: &Schema) -> Result<Vec<u8>, WriteError> {
    let mut writer = Writer { schema, out: Vec::with_capacity(tree.bytes().len() * 2) };
    writer.out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    writer.resource(tree.root(), true).map_err(|(kind, offset)| {
        let (line, column) = tree.position(offset);
        WriteError { kind, line, column }
    })?;
    Ok(writer.out)
}

type Step<T = ()> = Result<T, (WriteErrorKind, usize)>;

fn fault<T>(kind: WriteErrorKind, value: Value<'_>) -> Step<T> {
    Err((kind, value.span().start))
}

struct Writer<'s> {
    schema: &'s Schema,
    out: Vec<u8>,
}

/// A member of an object with its `_` companion.
struct Member<'t, 's> {
    element: &'s ElementDefinition,
    definition: &'s TypeDefinition,
    /// Its name in JSON, without `_`.
    name: &'t str,
    plain: Option<Value<'t>>,
    companion: Option<Value<'t>>,
}

impl<'s> Writer<'s> {
    fn resource(&mut self, value: Value<'_>, is_root: bool) -> Step {
        let name = value.get("resourceType").and_then(Value::as_str);
        let named = name.and_then(|name| self.schema.type_named(&name));
        let Some(definition) = named.filter(|one| one.kind == TypeKind::Resource && !one.is_abstract) else {
            return fault(WriteErrorKind::NoResource, value);
        };
        self.open(definition.name);
        if is_root {
            self.out.extend_from_slice(b" xmlns=\"");
            self.out.extend_from_slice(FHIR.as_bytes());
            self.out.push(b'"');
        }
        self.content(definition.name, value, definition, None)
    }

    /// Writes the attributes and children of an object, its start tag being open, and its end tag. A
    /// primitive has a value besides.
    fn content(
        &mut self,
        name: &str,
        object: Value<'_>,
        definition: &'s TypeDefinition,
        value: Option<Value<'_>>,
    ) -> Step {
        if object.kind() != Kind::Object {
            return fault(WriteErrorKind::WrongShape, object);
        }
        if object.members().next().is_none() {
            return fault(WriteErrorKind::Empty, object);
        }
        let members = self.members(object, definition)?;
        let mut has_children = false;
        for member in &members {
            if !is_attribute(member.element, definition) {
                has_children = true;
                continue;
            }
            if let Some(companion) = member.companion {
                return fault(WriteErrorKind::UnknownElement, companion);
            }
            if let Some(value) = member.plain {
                self.attribute(member.element.name, value)?;
            }
        }
        if let Some(value) = value {
            self.attribute("value", value)?;
        }
        if !has_children {
            self.out.extend_from_slice(b"/>");
            return Ok(());
        }
        self.out.push(b'>');
        for member in members.iter().filter(|member| !is_attribute(member.element, definition)) {
            self.member(member)?;
        }
        self.close(name);
        Ok(())
    }

    /// The members of an object in the order of XML.
    fn members<'t>(&self, object: Value<'t>, definition: &'s TypeDefinition) -> Step<Vec<Member<'t, 's>>> {
        let mut members: Vec<Member<'t, 's>> = Vec::new();
        for value in object.members() {
            if value.name() == "resourceType" && definition.kind == TypeKind::Resource {
                continue;
            }
            let (name, is_companion) = match value.name().strip_prefix('_') {
                Some(name) => (name, true),
                None => (value.name(), false),
            };
            let found = definition.member(name).and_then(|(element, of)| Some((element, self.schema.type_of(of)?)));
            let Some((element, of)) = found.filter(|(_, of)| !is_companion || of.kind == TypeKind::Primitive) else {
                return fault(WriteErrorKind::UnknownElement, value);
            };
            let at = members.iter().position(|member| member.name == name).unwrap_or_else(|| {
                members.push(Member { element, definition: of, name, plain: None, companion: None });
                members.len() - 1
            });
            if let Some(member) = members.get_mut(at) {
                *(if is_companion { &mut member.companion } else { &mut member.plain }) = Some(value);
            }
        }
        members.sort_by_key(|member| member.element.index);
        let twice = members.iter().zip(members.iter().skip(1)).find(|(a, b)| a.element.index == b.element.index);
        match twice {
            // A choice in two types.
            Some((_, second)) => fault(WriteErrorKind::WrongShape, second.plain.or(second.companion).unwrap_or(object)),
            None => Ok(members),
        }
    }

    /// Writes an element with all its repeats.
    fn member(&mut self, member: &Member<'_, 's>) -> Step {
        let repeats = member.element.max != Some(1);
        for value in [member.plain, member.companion].into_iter().flatten() {
            if repeats != (value.kind() == Kind::Array) {
                return fault(WriteErrorKind::WrongShape, value);
            }
            if repeats && value.items().next().is_none() {
                return fault(WriteErrorKind::Empty, value);
            }
        }
        if !repeats {
            return self.repeat(member, member.plain, member.companion);
        }
        let mut values = member.plain.into_iter().flat_map(Value::items);
        let mut companions = member.companion.into_iter().flat_map(Value::items);
        loop {
            match (values.next(), companions.next()) {
                (None, None) => return Ok(()),
                (value, companion) => self.repeat(member, value, companion)?,
            }
        }
    }

    /// Writes one repeat of an element.
    fn repeat(&mut self, member: &Member<'_, 's>, plain: Option<Value<'_>>, companion: Option<Value<'_>>) -> Step {
        let is_there = |value: &Value<'_>| value.kind() != Kind::Null;
        let (value, extra) = (plain.filter(is_there), companion.filter(is_there));
        let Some(any) = value.or(extra) else {
            return plain.or(companion).map_or(Ok(()), |null| fault(WriteErrorKind::Empty, null));
        };
        let definition = member.definition;
        if definition.name == "xhtml" {
            return match (value, extra) {
                (Some(value), None) => self.narrative(value),
                _ => fault(WriteErrorKind::Narrative, any),
            };
        }
        self.open(member.name);
        match definition.kind {
            TypeKind::Primitive => match (value, extra) {
                (value, Some(extra)) => self.content(member.name, extra, definition, value)?,
                (Some(value), None) => {
                    self.attribute("value", value)?;
                    self.out.extend_from_slice(b"/>");
                }
                (None, None) => {}
            },
            TypeKind::Resource => {
                self.out.push(b'>');
                self.resource(any, false)?;
                self.close(member.name);
            }
            TypeKind::Complex | TypeKind::Backbone => self.content(member.name, any, definition, None)?,
        }
        Ok(())
    }

    fn narrative(&mut self, value: Value<'_>) -> Step {
        let Some(text) = value.as_str() else { return fault(WriteErrorKind::WrongShape, value) };
        // White space after the <div> is no part of it.
        let div = text.trim_end_matches([' ', '\t', '\r', '\n']);
        if !is_narrative(div) {
            return fault(WriteErrorKind::Narrative, value);
        }
        self.out.extend_from_slice(div.as_bytes());
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: Value<'_>) -> Step {
        let value_text = match value.kind() {
            Kind::String => value.as_str().unwrap_or_default(),
            Kind::Number | Kind::Bool => value.raw().into(),
            Kind::Null | Kind::Array | Kind::Object => return fault(WriteErrorKind::WrongShape, value),
        };
        if value_text.is_empty() {
            return fault(WriteErrorKind::Empty, value);
        }
        if text::forbidden_character(&value_text).is_some() {
            return fault(WriteErrorKind::Character, value);
        }
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        text::append_value(&mut self.out, &value_text);
        self.out.push(b'"');
        Ok(())
    }

    fn open(&mut self, name: &str) {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
    }

    fn close(&mut self, name: &str) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }
}
