//! Types: `is`, `as`, `ofType`, `type()`. SPEC: FHIRPath N1, "Types"; R4 fhirpath.html#types.
//!
//! R4's own expressions use `as` on collections and on FHIR types loosely: it filters, like `ofType`.

use super::{EvaluateError, Evaluator, Outcome};
use crate::item::{Item, Primitive, derives_from};
use crate::syntax::{Namespace, TypeName};
use fhir::schema::TypeKind;

const SYSTEM: &[&str] = &["Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"];

impl<'a> Evaluator<'a> {
    /// `is`: the type itself or one that it specializes.
    pub(super) fn has_type(&self, item: &Item<'a>, name: &TypeName) -> bool {
        let schema = self.focus.schema;
        match item {
            Item::Element(element) => {
                name.namespace != Namespace::System && derives_from(schema, element.definition, &name.name)
            }
            Item::Unresolved(definition) => {
                name.namespace != Namespace::System && derives_from(schema, definition, &name.name)
            }
            value => name.namespace != Namespace::Fhir && value.type_name() == name.name.as_ref(),
        }
    }

    /// `as` and `ofType`: primitives need their very type; a System name finds the FHIR primitives with
    /// such values (US Core writes `value.as(DateTime)`).
    pub(super) fn has_type_for_as(&self, item: &Item<'a>, name: &TypeName) -> Outcome<bool> {
        let matches = match item {
            Item::Element(element) if element.definition.kind == TypeKind::Primitive => {
                let exact = name.namespace != Namespace::System && element.definition.name == name.name.as_ref();
                exact || Primitive::of(element.definition).system_name() == name.name.as_ref()
            }
            item => self.has_type(item, name),
        };
        if !matches && !self.knows_type(name) {
            return Err(EvaluateError::UnknownType);
        }
        Ok(matches)
    }

    fn knows_type(&self, name: &TypeName) -> bool {
        let system = SYSTEM.contains(&name.name.as_ref());
        let fhir = || self.focus.schema.type_named(&name.name).is_some();
        match name.namespace {
            Namespace::System => system,
            Namespace::Fhir => fhir(),
            Namespace::Any => system || fhir(),
        }
    }

    /// What `type()` answers for an item.
    pub(super) fn type_info(item: &Item<'a>) -> Item<'a> {
        match item {
            Item::Element(element) => Item::Type("FHIR", element.definition.name),
            Item::Unresolved(definition) => Item::Type("FHIR", definition.name),
            value => Item::Type("System", value.type_name()),
        }
    }
}
