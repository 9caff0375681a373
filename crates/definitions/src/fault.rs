//! What is wrong with a definition, by element.

use std::fmt;

/// A definition that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Canonical of the definition, with its version; its type when it has none.
    pub definition: String,
    /// Id of the element (`Observation.category:us-core`); empty when the whole is meant.
    pub element: String,
    /// Why.
    pub kind: FaultKind,
}

/// Why a definition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the texts of Display say it")]
pub enum FaultKind {
    NoUrl,
    NoElements,
    Logical,
    NewType,
    UnknownType(String),
    BaseUnknown(String),
    BaseCycle(String),
    BaseType { base: String, of: String },
    BaseFaulty(String),
    Path,
    UnknownElement,
    NoSlice(String),
    TwoTypes,
    Loosened { what: &'static str, base: String, own: String },
    Invalid { what: &'static str, value: String },
    Limit(&'static str),
    NotRead(String),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUrl => write!(f, "it has no url"),
            Self::NoElements => write!(f, "it has neither a snapshot nor a differential"),
            Self::Logical => write!(f, "logical models are not supported: they describe no FHIR resource"),
            Self::NewType => write!(f, "it defines a type of its own; types are those of R4"),
            Self::UnknownType(name) => write!(f, "{name:?} is no type of R4"),
            Self::BaseUnknown(base) => write!(f, "its base {base} is not loaded: add the package that has it first"),
            Self::BaseCycle(base) => write!(f, "it derives from itself, by way of {base}"),
            Self::BaseType { base, of } => write!(f, "its base {base} is of the type {of}"),
            Self::BaseFaulty(base) => write!(f, "its base {base} cannot be used"),
            Self::Path => write!(f, "its id or path is not one of this definition"),
            Self::UnknownElement => write!(f, "there is no such element"),
            Self::NoSlice(name) => write!(f, "the slice {name:?} that it stands in is not defined before it"),
            Self::TwoTypes => write!(f, "what it stands in may have several types: name one with a slice"),
            Self::Loosened { what, base, own } => {
                write!(f, "{what} is loosened: {own}, where the base says {base}")
            }
            Self::Invalid { what, value } => write!(f, "{what} is not one: {value:?}"),
            Self::Limit(what) => write!(f, "it has too many {what}"),
            Self::NotRead(kind) => write!(f, "resources of the type {kind:?} define nothing that is known here"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.definition)?;
        if !self.element.is_empty() {
            write!(f, ", {}", self.element)?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl std::error::Error for Fault {}
