//! From the elements of a body to the JSON tree they mean, held against the tables on the way.
//!
//! SPEC: R4 xml.html, json.html#primitive.

use super::cursor::Span;
use super::document::{Document, Node};
use super::fault::{XmlError, XmlFault, XmlFaultKind};
use super::namespace::Namespace;
use super::tag::Attribute;
use super::text;
use crate::json::{JsonErrorKind, Origin, Places, Tree, append_string, is_number};
use crate::limits;
use crate::schema::{ElementDefinition, Schema, TypeDefinition, TypeKind, TypeReference};
use bytes::Bytes;

/// Reads one resource. The tree's bytes are the JSON that it means, members in the order of R4, without
/// white space; the tree's positions are lines and columns of the XML.
///
/// # Errors
/// [`XmlError`]: the first fault of the XML, or all faults of its FHIR form.
pub fn read(bytes: impl Into<Bytes>, schema: &Schema) -> Result<Tree, XmlError> {
    convert(bytes.into(), schema, false)
}

/// As [`read`], for tools that look at files as they are: elements may stand in any order, and have it in the
/// tree too. Repeats of one element still stand together.
///
/// # Errors
/// As [`read`].
pub fn read_in_any_order(bytes: impl Into<Bytes>, schema: &Schema) -> Result<Tree, XmlError> {
    convert(bytes.into(), schema, true)
}

fn convert(bytes: Bytes, schema: &Schema, any_order: bool) -> Result<Tree, XmlError> {
    let one = |kind, (line, column)| XmlError { faults: vec![XmlFault { kind, line, column, expression: None }] };
    let at = |offset| crate::json::position(&bytes, offset);
    let document = Document::read(&bytes).map_err(|(kind, offset)| one(kind, at(offset)))?;
    let mut converter = Converter {
        document: &document,
        schema,
        any_order,
        out: Vec::with_capacity(bytes.len() + bytes.len() / 4),
        starts: Vec::with_capacity(document.nodes.len() * 2),
        faults: Vec::new(),
        path: Vec::new(),
    };
    converter.resource(0, true);
    let Converter { out, starts, faults, .. } = converter;
    if !faults.is_empty() {
        let named = |(kind, offset, expression)| {
            let (line, column) = at(offset);
            XmlFault { kind, line, column, expression: Some(expression).filter(|text: &String| !text.is_empty()) }
        };
        return Err(XmlError { faults: faults.into_iter().map(named).collect() });
    }
    let origin = Origin::new(Places { text: bytes.clone(), starts });
    Tree::parse_made(out, origin).map_err(|(kind, place)| {
        let kind = match kind {
            JsonErrorKind::TooLong => XmlFaultKind::TooLong,
            JsonErrorKind::TooManyValues | JsonErrorKind::TooManyMembers => XmlFaultKind::TooManyElements,
            // What else JSON refuses cannot be in what was written here.
            _ => XmlFaultKind::TooDeep,
        };
        one(kind, place)
    })
}

struct Converter<'d, 's> {
    document: &'d Document<'d>,
    schema: &'s Schema,
    /// Elements need not stand in the order of the tables.
    any_order: bool,
    out: Vec<u8>,
    /// Bytes of `out` and the bytes of the body that they came from.
    starts: Vec<(u32, u32)>,
    faults: Vec<(XmlFaultKind, usize, String)>,
    /// The elements around: name and number.
    path: Vec<(&'s str, Option<usize>)>,
}

/// The attributes that FHIR knows, as far as an element may have them.
#[derive(Default)]
struct Known<'d> {
    id: Option<&'d Attribute>,
    url: Option<&'d Attribute>,
    value: Option<&'d Attribute>,
}

/// An element's place in a set of those of one type. None of R4's types has 128.
fn bit(element: &ElementDefinition) -> u128 {
    1u128.checked_shl(u32::try_from(element.index).unwrap_or(u32::MAX)).unwrap_or(0)
}

impl<'d, 's> Converter<'d, 's> {
    fn node(&self, at: usize) -> &'d Node {
        static NONE: Node = Node {
            start: 0,
            name: Span { start: 0, end: 0 },
            attributes: Span { start: 0, end: 0 },
            skip: usize::MAX,
            narrative: None,
        };
        self.document.nodes.get(at).unwrap_or(&NONE)
    }

    fn name(&self, at: usize) -> &'d str {
        self.document.cursor.slice(self.node(at).name)
    }

    /// Notes that what is written next came from this byte of the body.
    #[expect(clippy::cast_possible_truncation, reason = "bodies are shorter than 4 GiB, and what is made of them")]
    fn came_from(&mut self, start: usize) {
        self.starts.push((self.out.len() as u32, start as u32));
    }

    fn fault(&mut self, kind: XmlFaultKind, start: usize) {
        if self.faults.len() >= limits::XML_FAULTS_MAX {
            return;
        }
        let mut expression = String::new();
        for (name, index) in &self.path {
            if !expression.is_empty() {
                expression.push('.');
            }
            expression.push_str(name);
            if let Some(index) = index {
                expression.push_str(&format!("[{index}]"));
            }
        }
        self.faults.push((kind, start, expression));
    }

    /// Writes the resource at a node.
    fn resource(&mut self, at: usize, is_root: bool) {
        let start = self.node(at).start;
        if self.node(at).narrative.is_some() {
            return self.fault(XmlFaultKind::WrongNamespace, start);
        }
        let named = self.schema.type_named(self.name(at));
        let Some(definition) = named.filter(|one| one.kind == TypeKind::Resource && !one.is_abstract) else {
            return self.fault(XmlFaultKind::UnknownResource, start);
        };
        if is_root {
            self.path.push((definition.name, None));
        }
        self.came_from(start);
        self.out.extend_from_slice(b"{\"resourceType\":\"");
        self.out.extend_from_slice(definition.name.as_bytes());
        self.out.push(b'"');
        self.members(at, definition, true);
        self.out.push(b'}');
    }

    /// Writes the object that a node of a complex type is, or the companion of a primitive.
    fn object(&mut self, at: usize, definition: &'s TypeDefinition) {
        self.came_from(self.node(at).start);
        self.out.push(b'{');
        self.members(at, definition, false);
        self.out.push(b'}');
    }

    /// Writes the members of an object, after a first one or as the first.
    fn members(&mut self, at: usize, definition: &'s TypeDefinition, mut comma: bool) {
        let known = self.attributes(at, definition);
        if let Some(id) = known.id {
            self.attribute("id", id, &mut comma);
        }
        let mut url = known.url;
        let mut last: Option<&'s ElementDefinition> = None;
        let mut seen = 0u128;
        let (mut child, end) = (at + 1, self.node(at).skip);
        let may_be_empty = matches!(definition.kind, TypeKind::Primitive | TypeKind::Resource);
        if child >= end && !may_be_empty && self.attributes_of(at).iter().all(|one| one.is_declaration) {
            self.fault(XmlFaultKind::EmptyElement, self.node(at).start);
        }
        while child < end {
            let (name, start) = (self.name(child), self.node(child).start);
            let next = self.after_run(child, end);
            let element = definition.member(name).filter(|(element, _)| !is_attribute(element, definition));
            let Some((element, of)) = element else {
                let kind = XmlFaultKind::UnknownElement(definition.name, shown(name));
                self.fault(kind, start);
                child = next;
                continue;
            };
            self.path.push((element.name, None));
            match last {
                Some(last) if last.index > element.index && !self.any_order => {
                    self.fault(XmlFaultKind::OutOfOrder(last.name), start)
                }
                Some(_) if seen & bit(element) != 0 => self.fault(XmlFaultKind::Repeated, start),
                _ => {
                    if element.name == "value"
                        && let Some(url) = url.take()
                    {
                        self.attribute("url", url, &mut comma);
                    }
                    self.element(child..next, element, of, name, &mut comma);
                    last = Some(element);
                    seen |= bit(element);
                }
            }
            self.path.pop();
            child = next;
        }
        if let Some(url) = url {
            self.attribute("url", url, &mut comma);
        }
    }

    /// The node after the elements of one name that begin at `first`.
    fn after_run(&self, first: usize, end: usize) -> usize {
        let name = self.name(first);
        let mut next = self.node(first).skip;
        while next < end && self.name(next) == name {
            next = self.node(next).skip;
        }
        next
    }

    /// Writes a member: all repeats of one element.
    fn element(
        &mut self,
        run: std::ops::Range<usize>,
        element: &'s ElementDefinition,
        of: &'s TypeReference,
        name: &str,
        comma: &mut bool,
    ) {
        let Some(definition) = self.schema.type_of(of) else { return };
        let repeats = element.max != Some(1);
        let second = self.node(run.start).skip;
        if !repeats && second < run.end {
            return self.fault(XmlFaultKind::Repeated, self.node(second).start);
        }
        if definition.kind != TypeKind::Primitive {
            self.member_name(name, self.node(run.start).start, comma);
            return self.list(run, repeats, |this, at| match definition.kind {
                TypeKind::Resource => this.wrapped(at),
                _ if this.node(at).narrative.is_some() => {
                    this.fault(XmlFaultKind::WrongNamespace, this.node(at).start);
                }
                _ => this.object(at, definition),
            });
        }
        if definition.name == "xhtml" {
            self.member_name(name, self.node(run.start).start, comma);
            return self.narrative(run.start);
        }
        let (mut has_value, mut has_companion) = (false, false);
        let mut at = run.start;
        while at < run.end {
            let (value, companion) = (self.value(at).is_some(), self.has_companion(at));
            if self.node(at).narrative.is_some() {
                self.fault(XmlFaultKind::WrongNamespace, self.node(at).start);
            } else if !value && self.node(at).skip == at + 1 {
                self.fault(XmlFaultKind::MissingValue, self.node(at).start);
            }
            has_value |= value;
            has_companion |= companion;
            at = self.node(at).skip;
        }
        if has_value {
            self.member_name(name, self.node(run.start).start, comma);
            self.list(run.clone(), repeats, |this, at| match this.value(at) {
                None => this.out.extend_from_slice(b"null"),
                Some(value) => this.primitive(at, value, definition),
            });
        }
        // WHY: reading a companion is what finds its faults, so it is read where there may be any.
        if has_companion || !has_value {
            self.member_name(&format!("_{name}"), self.node(run.start).start, comma);
            self.list(run, repeats, |this, at| {
                if this.has_companion(at) {
                    this.object(at, definition);
                } else {
                    this.attributes(at, definition);
                    this.out.extend_from_slice(b"null");
                }
            });
        } else {
            let mut at = run.start;
            while at < run.end {
                self.attributes(at, definition);
                at = self.node(at).skip;
            }
        }
    }

    /// Writes the repeats of an element, as an array if it may repeat.
    fn list(&mut self, run: std::ops::Range<usize>, repeats: bool, mut each: impl FnMut(&mut Self, usize)) {
        if !repeats {
            return each(self, run.start);
        }
        self.out.push(b'[');
        let (mut at, mut index) = (run.start, 0);
        while at < run.end {
            if index > 0 {
                self.out.push(b',');
            }
            self.number(Some(index));
            each(self, at);
            at = self.node(at).skip;
            index += 1;
        }
        self.number(None);
        self.out.push(b']');
    }

    /// Says which repeat of the innermost element is read.
    fn number(&mut self, index: Option<usize>) {
        if let Some(innermost) = self.path.last_mut() {
            innermost.1 = index;
        }
    }

    /// The resource inside an element (`contained`, `Bundle.entry.resource`).
    fn wrapped(&mut self, at: usize) {
        let (inner, node) = (at + 1, self.node(at));
        for attribute in self.attributes_of(at) {
            if !attribute.is_declaration {
                self.unknown_attribute(attribute);
            }
        }
        if node.narrative.is_some() || inner >= node.skip || self.node(inner).skip < node.skip {
            return self.fault(XmlFaultKind::OneResource, node.start);
        }
        self.resource(inner, false);
    }

    fn narrative(&mut self, at: usize) {
        let node = self.node(at);
        let text = node.narrative.and_then(|number| self.document.narratives.get(number));
        let Some(text) = text.filter(|_| self.name(at) == "div") else {
            return self.fault(XmlFaultKind::NotADiv, node.start);
        };
        self.came_from(node.start);
        append_string(&mut self.out, text);
    }

    fn attributes_of(&self, at: usize) -> &'d [Attribute] {
        let Span { start, end } = self.node(at).attributes;
        self.document.attributes.get(start..end).unwrap_or_default()
    }

    /// The attribute `value` of a node.
    fn value(&self, at: usize) -> Option<&'d Attribute> {
        self.attributes_of(at).iter().find(|one| self.document.cursor.slice(one.name) == "value")
    }

    /// Whether a primitive has an id or extensions.
    fn has_companion(&self, at: usize) -> bool {
        let node = self.node(at);
        let has_id = || self.attributes_of(at).iter().any(|one| self.document.cursor.slice(one.name) == "id");
        node.skip > at + 1 || has_id()
    }

    /// Takes the attributes of a node that its type may have, and refuses others.
    fn attributes(&mut self, at: usize, definition: &TypeDefinition) -> Known<'d> {
        let mut known = Known::default();
        for one in self.attributes_of(at) {
            if one.is_declaration {
                continue;
            }
            match self.document.cursor.slice(one.name) {
                "id" if definition.kind != TypeKind::Resource => known.id = Some(one),
                "url" if definition.name == "Extension" => known.url = Some(one),
                "value" if definition.kind == TypeKind::Primitive => known.value = Some(one),
                _ if at == 0 && one.namespace == Namespace::Xsi && self.is_schema_location(one) => {}
                _ => self.unknown_attribute(one),
            }
        }
        for one in [known.id, known.url, known.value].into_iter().flatten() {
            if one.value.start == one.value.end {
                self.fault(XmlFaultKind::EmptyAttribute, one.name.start);
            }
        }
        known
    }

    fn is_schema_location(&self, attribute: &Attribute) -> bool {
        matches!(self.document.cursor.slice(attribute.local), "schemaLocation" | "noNamespaceSchemaLocation")
    }

    fn unknown_attribute(&mut self, attribute: &Attribute) {
        let kind = XmlFaultKind::UnknownAttribute(shown(self.document.cursor.slice(attribute.name)));
        self.fault(kind, attribute.name.start);
    }

    /// Writes an attribute as a string member.
    fn attribute(&mut self, name: &str, attribute: &Attribute, comma: &mut bool) {
        self.member_name(name, attribute.name.start, comma);
        append_string(&mut self.out, &text::decode(self.document.cursor.slice(attribute.value)));
    }

    /// Writes the name of a member whose value comes from this byte of the body.
    fn member_name(&mut self, name: &str, start: usize, comma: &mut bool) {
        if *comma {
            self.out.push(b',');
        }
        *comma = true;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.came_from(start);
    }

    /// Writes the value of a primitive as JSON has it.
    fn primitive(&mut self, at: usize, value: &Attribute, definition: &TypeDefinition) {
        self.came_from(self.node(at).start);
        let text = text::decode(self.document.cursor.slice(value.value));
        let is_bare = match definition.name {
            "boolean" => matches!(&*text, "true" | "false"),
            "integer" | "unsignedInt" | "positiveInt" | "decimal" => is_number(&text),
            _ => false,
        };
        if is_bare {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            append_string(&mut self.out, &text);
        }
    }
}

/// Whether XML writes this element as an attribute.
pub(super) fn is_attribute(element: &ElementDefinition, of: &TypeDefinition) -> bool {
    match element.name {
        "id" => of.kind != TypeKind::Resource,
        "url" => of.name == "Extension",
        _ => false,
    }
}

/// A name as a message may show it; empty when it may not.
fn shown(name: &str) -> String {
    let readable = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:-".contains(&byte));
    if readable { name.to_owned() } else { String::new() }
}
