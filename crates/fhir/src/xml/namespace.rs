//! Namespaces in scope. Only four may be used; others may be declared and not used.
//!
//! SPEC: Namespaces in XML 1.0.

use super::cursor::{Cursor, Span, Step};
use super::fault::XmlFaultKind;
use super::{FHIR, XHTML};
use crate::limits;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A namespace, as far as FHIR XML knows any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// No namespace: attributes without prefix, elements outside of any declaration.
    None,
    /// `http://hl7.org/fhir`.
    Fhir,
    /// `http://www.w3.org/1999/xhtml`.
    Xhtml,
    /// Schema instances: `xsi:schemaLocation`.
    Xsi,
    /// `xml:lang` and the like.
    Xml,
    /// Any other.
    Other,
}

/// The declarations in scope, inner ones last.
#[derive(Debug, Default)]
pub(super) struct Scopes(Vec<(Span, Namespace)>);

/// The parts of a name.
pub(super) fn split(name: Span, text: &str) -> (Span, Span) {
    match text.find(':') {
        None => (Span { start: name.start, end: name.start }, name),
        Some(colon) => {
            let colon = name.start + colon;
            (Span { start: name.start, end: colon }, Span { start: colon + 1, end: name.end })
        }
    }
}

impl Scopes {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Takes a declaration: prefix (empty: the default) and the attribute's value.
    pub(super) fn declare(&mut self, cursor: Cursor<'_>, prefix: Span, value: Span) -> Step {
        if self.0.len() >= limits::XML_NAMESPACES_MAX {
            return Err((XmlFaultKind::TooManyNamespaces, prefix.start));
        }
        let fault = Err((XmlFaultKind::Namespace, value.start));
        let (prefix_text, uri) = (cursor.slice(prefix), cursor.slice(value));
        // WHY: a name that only reads as FHIR's once its references are resolved is a trick.
        let is_odd = uri.contains(['&', '\t', '\n', '\r']) || uri == XMLNS || prefix_text == "xmlns";
        if is_odd || (uri == XML) != (prefix_text == "xml") || prefix_text.contains(':') {
            return fault;
        }
        let namespace = match uri {
            FHIR => Namespace::Fhir,
            XHTML => Namespace::Xhtml,
            XSI => Namespace::Xsi,
            XML => Namespace::Xml,
            "" if prefix.start == prefix.end => Namespace::None,
            "" => return fault,
            _ => Namespace::Other,
        };
        self.0.push((prefix, namespace));
        Ok(())
    }

    /// The namespace of a prefix; of an element, the empty prefix is the default namespace.
    pub(super) fn resolve(&self, cursor: Cursor<'_>, prefix: Span) -> Step<Namespace> {
        let text = cursor.slice(prefix);
        if text == "xml" {
            return Ok(Namespace::Xml);
        }
        let declared = self.0.iter().rev().find(|(other, _)| cursor.slice(*other) == text);
        match declared {
            Some((_, namespace)) => Ok(*namespace),
            None if text.is_empty() => Ok(Namespace::None),
            None => Err((XmlFaultKind::UnboundPrefix, prefix.start)),
        }
    }
}
