//! `resolve()`: references without fetching. SPEC: R4 fhirpath.html#functions, references.html.
//!
//! `#id` is looked up in the root resource; a resolver of the caller is asked next, then the entries of the
//! Bundle that is at hand; what remains becomes a stand-in whose type is read from the reference: its last `Type/id`, or its `type` element.

use super::path::child_text;
use super::{Evaluator, Outcome};
use crate::item::{Item, derives_from};
use fhir::element::Element;
use fhir::schema::{TypeDefinition, TypeKind};

impl<'a> Evaluator<'a> {
    pub(super) fn resolve(&mut self, item: &Item<'a>) -> Outcome<Option<Item<'a>>> {
        self.charge(1)?;
        let (text, stated) = match item {
            Item::Element(element) if element.definition.kind == TypeKind::Primitive => (item.as_str(), None),
            Item::Element(element) if derives_from(element.schema, element.definition, "Reference") => {
                (child_text(element, "reference"), child_text(element, "type"))
            }
            Item::String(text) => (Some(text.clone()), None),
            _ => return Ok(None),
        };
        if let Some(text) = &text {
            if let Some(id) = text.strip_prefix('#') {
                let root = self.context.root_resource.unwrap_or_else(|| self.resource());
                return Ok(self.contained(root, id)?.map(Item::Element));
            }
            if let Some(found) = self.context.resolver.and_then(|resolver| resolver.resolve(text)) {
                return Ok(Some(Item::Element(found)));
            }
            if let Some(found) = self.entry(text)? {
                return Ok(Some(Item::Element(found)));
            }
        }
        let by_text = text.as_deref().and_then(|text| self.type_of_reference(text));
        let by_element = || stated.as_deref().and_then(|name| self.resource_type(name));
        Ok(by_text.or_else(by_element).map(Item::Unresolved))
    }

    /// The contained resource with this id; the container itself for an empty one.
    fn contained(&mut self, root: Element<'a>, id: &str) -> Outcome<Option<Element<'a>>> {
        if id.is_empty() {
            return Ok(Some(root));
        }
        let mut found = None;
        let mut seen = 0;
        root.children("contained", |resource| {
            seen += 1;
            if found.is_none() && child_text(&resource, "id").is_some_and(|its| its == id) {
                found = Some(resource);
            }
        });
        self.charge(seen)?;
        Ok(found)
    }

    /// The resource of an entry, when the resource at hand is a Bundle that has it: by its full URL, or by a
    /// full URL that ends with a relative reference.
    fn entry(&mut self, text: &str) -> Outcome<Option<Element<'a>>> {
        let bundle = self.context.root_resource.unwrap_or_else(|| self.resource());
        if bundle.definition.name != "Bundle" {
            return Ok(None);
        }
        let text = text.split("/_history/").next().unwrap_or(text);
        let is_relative = !text.contains(':');
        let mut found = None;
        let mut seen = 0;
        bundle.children("entry", |entry| {
            seen += 1;
            if found.is_some() {
                return;
            }
            let url = child_text(&entry, "fullUrl");
            let fits = url.is_some_and(|url| {
                let head = url.strip_suffix(text);
                head.is_some_and(|head| head.is_empty() || (is_relative && head.ends_with('/')))
            });
            if fits {
                found = entry.child("resource");
            }
        });
        self.charge(seen)?;
        Ok(found)
    }

    /// The type in `Patient/1`, `https://host/fhir/Patient/1/_history/2` or `Patient?identifier=…`.
    fn type_of_reference(&self, text: &str) -> Option<&'a TypeDefinition> {
        let path = text.split(['?', '#', '|']).next().unwrap_or(text);
        if path.len() < text.len() && !path.contains('/') {
            return self.resource_type(path);
        }
        let mut segments = path.rsplit('/');
        let _id = segments.next()?;
        let mut name = segments.next()?;
        if name == "_history" {
            let _id = segments.next()?;
            name = segments.next()?;
        }
        self.resource_type(name)
    }

    fn resource_type(&self, name: &str) -> Option<&'a TypeDefinition> {
        // WHY: `Reference.type` may be the canonical URL of the type.
        let name = name.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(name);
        self.focus.schema.type_named(name).filter(|definition| definition.kind == TypeKind::Resource)
    }
}
