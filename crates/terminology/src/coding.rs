//! What is asked about: a code with its system. SPEC: R4 datatypes.html#coding.

/// A code as a resource states it. All but the code may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding<'a> {
    /// `Coding.system`; a `code` element has none: its binding says which systems it may be from.
    pub system: Option<&'a str>,
    /// `Coding.version`.
    pub version: Option<&'a str>,
    /// `Coding.code`.
    pub code: &'a str,
    /// `Coding.display`.
    pub display: Option<&'a str>,
}

impl<'a> Coding<'a> {
    /// A code without a system, as an element of type `code` has it.
    #[must_use]
    pub const fn code(code: &'a str) -> Self {
        Self { system: None, version: None, code, display: None }
    }

    /// A code of a system.
    #[must_use]
    pub const fn of(system: &'a str, code: &'a str) -> Self {
        Self { system: Some(system), version: None, code, display: None }
    }
}
