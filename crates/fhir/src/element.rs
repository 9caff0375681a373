//! A typed view of a JSON tree: an element is its value and its `_` companion (id, extensions)
//! together, and knows its type. FHIRPath, validation and extraction walk this, not raw JSON.
//!
//! Walking allocates nothing. Members that the type does not know are not visited: finding them is
//! validation's work. SPEC: R4 json.html#primitive, element.html.

use crate::json::{Kind, Tree, Value};
use crate::schema::{ElementDefinition, Schema, TypeDefinition, TypeKind, TypeReference};
use std::borrow::Cow;
use std::ops::ControlFlow;

#[cfg(test)]
mod tests;

/// One element: a value with its type. `Copy`; borrows the tree and the schema.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// The type it has here (after choice resolution; a contained or Bundle resource has its own).
    pub definition: &'a TypeDefinition,
    /// The element definition it was reached by; `None` for a resource at the root.
    pub reached_by: Option<&'a ElementDefinition>,
    /// The JSON value; `None` for a primitive that has only extensions.
    pub value: Option<Value<'a>>,
    /// The `_` companion of a primitive.
    pub companion: Option<Value<'a>>,
    /// The schema that knows the types.
    pub schema: &'a Schema,
}

impl<'a> Element<'a> {
    /// The resource at the root of a tree; `None` when `resourceType` names none.
    #[must_use]
    pub fn resource(tree: &'a Tree, schema: &'a Schema) -> Option<Self> {
        Self::resource_at(tree.root(), schema)
    }

    /// The resource that this JSON object is (`contained`, `Bundle.entry.resource`).
    #[must_use]
    pub fn resource_at(value: Value<'a>, schema: &'a Schema) -> Option<Self> {
        let name = value.get("resourceType")?.as_str()?;
        let definition = schema.type_named(&name).filter(|one| one.kind == TypeKind::Resource)?;
        Some(Self { definition, reached_by: None, value: Some(value), companion: None, schema })
    }

    /// Whether its type is a primitive.
    #[must_use]
    pub fn is_primitive(&self) -> bool {
        self.definition.kind == TypeKind::Primitive
    }

    /// The text of a primitive: a string with its escapes resolved, a number or boolean as written.
    /// `None` for other types and for a primitive without value.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        let value = self.value.filter(|_| self.is_primitive())?;
        match value.kind() {
            Kind::String => value.as_str(),
            Kind::Number | Kind::Bool => Some(Cow::Borrowed(value.raw())),
            Kind::Null | Kind::Array | Kind::Object => None,
        }
    }

    /// The first child of this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<Self> {
        let mut first = None;
        let _rest = self.children_of(self.definition.element(name)?, |child| {
            first = Some(child);
            ControlFlow::Break(())
        });
        first
    }

    /// The children of this name (no `[x]`, no type suffix: `value` finds `valueQuantity`), repeats
    /// in order. A null item with a companion is an element without value.
    pub fn children(&self, name: &str, mut visit: impl FnMut(Element<'a>)) {
        if let Some(element) = self.definition.element(name) {
            let _all = self.children_of(element, |child| {
                visit(child);
                ControlFlow::Continue(())
            });
        }
    }

    /// As [`Element::children`], by the element's definition, which must be one of this type's: without the
    /// search for the name, and until the visitor breaks.
    pub fn children_of(
        &self,
        element: &'a ElementDefinition,
        mut visit: impl FnMut(Element<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(object) = self.object() else { return ControlFlow::Continue(()) };
        if element.is_choice {
            for member in object.members() {
                let (plain_name, is_companion) = split_companion(member.name_bytes());
                if let Some(of) = element.choice(plain_name) {
                    self.visit_member(object, member, plain_name, is_companion, element, of, &mut visit)?;
                }
            }
            return ControlFlow::Continue(());
        }
        let Some(of) = element.types.first() else { return ControlFlow::Continue(()) };
        let name = element.name.as_bytes();
        let is_primitive = self.schema.type_of(of).is_some_and(|of| of.kind == TypeKind::Primitive);
        let (mut plain, mut companion) = (None, None);
        for member in object.members() {
            let own = member.name_bytes();
            if own == name {
                plain = Some(member);
            } else if is_primitive && own.strip_prefix(b"_") == Some(name) {
                companion = Some(member);
            } else {
                continue;
            }
            // No member comes twice.
            if !is_primitive || (plain.is_some() && companion.is_some()) {
                break;
            }
        }
        self.visit_pair(plain, companion, element, of, &mut visit)
    }

    /// All children in document order.
    pub fn all_children(&self, mut visit: impl FnMut(Element<'a>)) {
        let Some(object) = self.object() else { return };
        let mut visit = |child| {
            visit(child);
            ControlFlow::Continue(())
        };
        for member in object.members() {
            let (plain_name, is_companion) = split_companion(member.name_bytes());
            if let Some((element, of)) = self.definition.member_bytes(plain_name) {
                let _all = self.visit_member(object, member, plain_name, is_companion, element, of, &mut visit);
            }
        }
    }

    /// The JSON object that holds the children: a primitive's are in its companion.
    fn object(&self) -> Option<Value<'a>> {
        if self.is_primitive() { self.companion } else { self.value }
    }

    /// Visits the elements of one member together with its companion, once for the two.
    #[expect(clippy::too_many_arguments, reason = "the parts of one member, taken apart by the callers' loops")]
    fn visit_member(
        &self,
        object: Value<'a>,
        member: Value<'a>,
        plain_name: &[u8],
        is_companion: bool,
        element: &'a ElementDefinition,
        of: &'a TypeReference,
        visit: &mut impl FnMut(Element<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if is_companion {
            if object.members().any(|other| other.name_bytes() == plain_name) {
                return ControlFlow::Continue(());
            }
            return self.visit_pair(None, Some(member), element, of, visit);
        }
        let companion = object.members().find(|other| split_companion(other.name_bytes()) == (plain_name, true));
        self.visit_pair(Some(member), companion, element, of, visit)
    }

    fn visit_pair(
        &self,
        plain: Option<Value<'a>>,
        companion: Option<Value<'a>>,
        element: &'a ElementDefinition,
        of: &'a TypeReference,
        visit: &mut impl FnMut(Element<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(definition) = self.schema.type_of(of) else { return ControlFlow::Continue(()) };
        let companion = companion.filter(|_| definition.kind == TypeKind::Primitive);
        let mut emit = |plain: Option<Value<'a>>, companion: Option<Value<'a>>| {
            let value = plain.filter(|value| value.kind() != Kind::Null);
            let companion = companion.filter(|value| value.kind() == Kind::Object);
            if value.is_none() && companion.is_none() {
                return ControlFlow::Continue(());
            }
            let mut definition = definition;
            if definition.kind == TypeKind::Resource
                && let Some(resource) = value.and_then(|value| Self::resource_at(value, self.schema))
            {
                definition = resource.definition;
            }
            visit(Self { definition, reached_by: Some(element), value, companion, schema: self.schema })
        };
        let is_list = |value: Option<Value<'a>>| value.is_some_and(|value| value.kind() == Kind::Array);
        if !is_list(plain) && !is_list(companion) {
            return emit(plain, companion);
        }
        let mut values = plain.into_iter().flat_map(Value::items_or_self);
        let mut companions = companion.into_iter().flat_map(Value::items_or_self);
        loop {
            match (values.next(), companions.next()) {
                (None, None) => return ControlFlow::Continue(()),
                (value, companion) => emit(value, companion)?,
            }
        }
    }
}

/// A member's name without the `_` of a companion, and whether it had one.
fn split_companion(name: &[u8]) -> (&[u8], bool) {
    match name.strip_prefix(b"_") {
        Some(plain) => (plain, true),
        None => (name, false),
    }
}
