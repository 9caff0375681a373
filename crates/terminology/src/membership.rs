//! Three answers to "does this set hold this code?". What cannot be checked is never "wrong".

use std::fmt;

/// Whether a value set holds a code. Borrows its reason from the [`crate::Terminology`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership<'a> {
    /// It does.
    In,
    /// It does not, and all that could make it hold the code is known.
    NotIn,
    /// It cannot be checked.
    Unknown(Unknown<'a>),
}

/// Why something cannot be checked. `Display` is public text: canonicals of definitions, no PHI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unknown<'a> {
    /// No value set of this canonical is loaded.
    ValueSet(&'a str),
    /// The content of this code system is not loaded.
    System(&'a str),
    /// Only a part of the codes of this code system is loaded.
    Part(&'a str),
    /// This version of a code system is not loaded, but another is.
    Version(&'a str),
    /// A filter (property, operator, value) that cannot be evaluated on what is loaded.
    Filter(&'a str),
    /// A way of naming codes that is not evaluated here, by its name.
    Unsupported(&'a str),
    /// This value set imports itself, perhaps through others.
    Circular(&'a str),
    /// This value set takes more work than its limit.
    TooCostly(&'a str),
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValueSet(url) => write!(f, "the value set {url} is not loaded"),
            Self::System(url) => write!(f, "the code system {url} is not loaded"),
            Self::Part(url) => write!(f, "only a part of the code system {url} is loaded"),
            Self::Version(url) => write!(f, "this version of the code system is not loaded: {url}"),
            Self::Filter(text) => write!(f, "the filter `{text}` cannot be evaluated on what is loaded"),
            Self::Unsupported(what) => write!(f, "not supported here: {what}"),
            Self::Circular(url) => write!(f, "the value set {url} imports itself"),
            Self::TooCostly(url) => write!(f, "the value set {url} takes more work than is allowed"),
        }
    }
}
