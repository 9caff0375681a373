//! The terminology operations as functions: plain values in, plain values out; writers to FHIR JSON beside
//! them. REST puts them behind URLs. SPEC: R4 terminology-service.html.

pub(crate) mod expand;
pub(crate) mod lookup;
pub(crate) mod subsumes;
pub(crate) mod translate;
pub(crate) mod validate_code;

use std::fmt;

/// Why an operation has no answer. `Display` is public text without PHI.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationError {
    /// What is asked about is not loaded: a value set, code system, concept map by its canonical.
    NotFound(String),
    /// The code is not in the code system.
    NoSuchCode(String),
    /// A parameter that cannot be.
    Invalid(String),
    /// It cannot be checked or enumerated with what is loaded.
    Unknown(String),
    /// More than the limits allow: ask for pages, or for less.
    TooCostly(String),
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(text)
            | Self::NoSuchCode(text)
            | Self::Invalid(text)
            | Self::Unknown(text)
            | Self::TooCostly(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OperationError {}

/// Writers of the parts of a Parameters resource. SPEC: R4 parameters.html.
pub(crate) mod parameters {
    use fhir::json::Writer;

    /// A Parameters resource.
    pub(crate) fn resource(w: &mut Writer, parameters: impl FnOnce(&mut Writer)) {
        w.object(|w| {
            w.member("resourceType", "Parameters");
            w.key("parameter");
            w.array(parameters);
        });
    }

    /// A parameter with a value that is a JSON string; none when it is empty.
    pub(crate) fn text(w: &mut Writer, name: &str, kind: &str, value: &str) {
        if !value.is_empty() {
            w.object(|w| {
                w.member("name", name);
                w.member(kind, value);
            });
        }
    }

    pub(crate) fn boolean(w: &mut Writer, name: &str, value: bool) {
        w.object(|w| {
            w.member("name", name);
            w.key("valueBoolean");
            w.boolean(value);
        });
    }

    /// A parameter with parts.
    pub(crate) fn parts(w: &mut Writer, name: &str, parts: impl FnOnce(&mut Writer)) {
        w.object(|w| {
            w.member("name", name);
            w.key("part");
            w.array(parts);
        });
    }

    /// Members of a Coding.
    pub(crate) fn coding(w: &mut Writer, system: &str, version: &str, code: &str, display: &str) {
        w.object(|w| {
            for (name, value) in [("system", system), ("version", version), ("code", code), ("display", display)] {
                if !value.is_empty() {
                    w.member(name, value);
                }
            }
        });
    }
}
