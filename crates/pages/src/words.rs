//! Scopes in words: what each means to a person, in which group it stands, whether it is private or risky.
//!
//! Knows no grammar: the caller hands a scope taken apart (context, type, letters, query), so that there is one reader
//! of scopes only (`oauth::scope`). SPEC: SMART App Launch 2.2 scopes; US Core SMART scopes; rows B27, B35, B37.

use crate::Literal;

/// A scope, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub(crate) exact: Literal,
    pub(crate) kind: ScopeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// Resources of a type, or of all.
    Resources {
        context: Context,
        /// `None`: `*`.
        resource_type: Option<String>,
        letters: Letters,
        query: Vec<(String, String)>,
    },
    /// `openid`, `fhirUser`, `profile`: who the person is.
    Identity,
    /// Something that we have no words for.
    Other,
}

/// Whose permission a scope speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// `patient/`: one record.
    Patient,
    /// `user/`: all records that the person may see.
    User,
    /// `system/`: no person is there.
    System,
}

/// The letters of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Letters {
    pub(crate) create: bool,
    pub(crate) read: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) search: bool,
}

impl Scope {
    /// `exact` is the scope as requested; the rest is what it says: the type (`None` for `*`), the letters of SMART v2
    /// (`rs`; a v1 scope's in v2 letters) and the decoded pairs behind `?`.
    #[must_use]
    pub fn resources(
        exact: &str,
        context: Context,
        resource_type: Option<&str>,
        letters: &str,
        query: &[(String, String)],
    ) -> Self {
        let has = |letter: char| letters.contains(letter);
        let letters =
            Letters { create: has('c'), read: has('r'), update: has('u'), delete: has('d'), search: has('s') };
        let resource_type = resource_type.map(str::to_owned);
        let kind = ScopeKind::Resources { context, resource_type, letters, query: query.to_vec() };
        Self { exact: exact.into(), kind }
    }

    /// Any scope that is not of resources: `openid`, `fhirUser`, `profile`, and what we have no words for.
    #[must_use]
    pub fn special(exact: &str) -> Self {
        let kind =
            if matches!(exact, "openid" | "fhirUser" | "profile") { ScopeKind::Identity } else { ScopeKind::Other };
        Self { exact: exact.into(), kind }
    }

    /// As requested.
    #[must_use]
    pub fn exact(&self) -> &str {
        self.exact.as_str()
    }
}

/// What an app asks for, with its switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The scope.
    pub scope: Scope,
    /// Whether the switch is on at first. `None`: as the page thinks right (private and risky ones off, others on).
    pub on: Option<bool>,
}
