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
    /// The content of this code system is not loaded, or only a part of it.
    System(&'a str),
    /// What the value set consists of cannot be enumerated here.
    Content(&'a str),
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValueSet(url) => write!(f, "the value set {url} is not loaded"),
            Self::System(url) => write!(f, "the code system {url} is not loaded"),
            Self::Content(url) => write!(f, "the content of the value set {url} cannot be enumerated"),
        }
    }
}
