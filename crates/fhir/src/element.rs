//! A typed view of a JSON tree: an element is its value and its `_` companion (id, extensions)
//! together, and knows its type. FHIRPath, validation and extraction walk this, not raw JSON.
//!
//! SPEC: R4 json.html#primitive, element.html.

use crate::json::{Tree, Value};
use crate::schema::{ElementDefinition, Schema, TypeDefinition};

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
        let definition = schema.type_named(&name)?;
        Some(Self { definition, reached_by: None, value: Some(value), companion: None, schema })
    }

    /// The children of this name (no `[x]`, no type suffix: `value` finds `valueQuantity`), repeats
    /// in order. A null item with a companion is an element without value.
    pub fn children(&self, name: &str, mut visit: impl FnMut(Element<'a>)) {
        let _ = (name, &mut visit);
    }

    /// All children in document order.
    pub fn all_children(&self, mut visit: impl FnMut(Element<'a>)) {
        let _ = &mut visit;
    }
}
