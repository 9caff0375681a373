//! Rules of single resource types.

use crate::finding::Place;
use crate::walk::{Inside, Walk};
use fhir::element::Element;

impl<'t> Walk<'t> {
    /// What a type asks for beyond its elements and invariants.
    pub(crate) fn by_type(&mut self, _resource: Element<'t>, _inside: &Inside<'_, 't>, _place: &Place<'_>) {}
}
