//! References: what they may point at. SPEC: R4 references.html, datatypes invariant ref-1.
//!
//! Whether the target exists is asked elsewhere; here only its type and contained ids are looked at.

use crate::finding::Place;
use crate::walk::{Inside, Walk};
use fhir::ResourceType;
use fhir::issue::{Issue, IssueType};
use fhir::json::Value;
use fhir::schema::TypeReference;

impl<'t> Walk<'t> {
    /// A Reference, by the targets that its element allows.
    pub(crate) fn reference(
        &mut self,
        of: &TypeReference,
        value: Value<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        if let Some(stated) = value.get("type")
            && let Some(name) = stated.as_str()
        {
            let name = name.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(&name);
            self.target(of, name, stated, place);
        }
        let Some(reference) = value.get("reference") else { return };
        let Some(text) = reference.as_str() else { return };
        if let Some(id) = text.strip_prefix('#') {
            inside.container.refer(&text);
            if id.is_empty() {
                return;
            }
            match inside.container.contained_type(id) {
                Some(name) => self.target(of, &name, reference, place),
                None => {
                    let text = "a reference to a contained resource (ref-1): no contained resource has this id";
                    self.findings.add_at(Issue::error(IssueType::NotFound, text), place, reference.span().start);
                }
            }
            return;
        }
        let name = type_segment(&text);
        let known = name.is_some_and(|name| ResourceType::parse(name).is_ok());
        // Absolute URLs may lie on servers with rules of their own; a relative one is `Type/id`.
        let (path, query) = text.split_once('?').map_or((&*text, None), |(path, query)| (path, Some(query)));
        let absolute = path.contains(':');
        if !known && !absolute {
            let text = "expected a reference as Type/id, an absolute URL or #id; found neither";
            self.findings.add_at(Issue::error(IssueType::Value, text), place, reference.span().start);
        } else if let Some(name) = name {
            if !absolute && query.is_some() && place.root() != "Bundle" {
                // SPEC: R4 http.html#trules. A transaction has resolved them by now; what is left would be stored,
                // and lead nowhere. In a Bundle that is kept as such they are its own.
                let text = "a conditional reference is for the entries of a transaction; here give Type/id";
                self.findings.add_at(Issue::error(IssueType::Value, text), place, reference.span().start);
            }
            self.target(of, name, reference, place);
        }
    }

    fn target(&mut self, of: &TypeReference, name: &str, at: Value<'_>, place: &Place<'_>) {
        if of.targets.is_empty() || of.targets.contains(&name) || of.targets.contains(&"Resource") {
            return;
        }
        let Ok(found) = ResourceType::parse(name) else { return };
        let text = format!("expected a reference to {}, found one to {found}", of.targets.join(" or "));
        self.findings.add_at(Issue::error(IssueType::Value, text), place, at.span().start);
    }
}

/// The type in `Patient/1`, `Patient/1/_history/2`, `https://host/base/Patient/1`, `Patient?identifier=1`.
pub(crate) fn type_segment(text: &str) -> Option<&str> {
    if text.starts_with("urn:") {
        return None;
    }
    if let Some((kind, _)) = text.split_once('?') {
        return kind.rsplit('/').next();
    }
    let mut segments = text.rsplit('/');
    let last = segments.next()?;
    let before = segments.next()?;
    // `…/Patient/1/_history/2`
    if before == "_history" && !last.is_empty() {
        let _id = segments.next()?;
        return segments.next();
    }
    Some(before)
}
