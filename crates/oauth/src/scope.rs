//! SMART scopes: `system/Observation.rs?category=…|survey`. SPEC: SMART App Launch 2.2 scopes; rows B30 to B36.

use std::sync::Arc;

/// Whose permission the scope speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScopeContext {
    /// `patient/`: the patient in context.
    Patient,
    /// `user/`: what the user may see.
    User,
    /// `system/`: what the client was allowed in advance.
    System,
}

/// A set of the five interaction letters of SMART v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Permissions(u8);

impl Permissions {
    /// No letter.
    pub const NONE: Self = Self(0);
    /// `c`: create.
    pub const CREATE: Self = Self(1);
    /// `r`: read, vread, instance history.
    pub const READ: Self = Self(2);
    /// `u`: update, patch.
    pub const UPDATE: Self = Self(4);
    /// `d`: delete.
    pub const DELETE: Self = Self(8);
    /// `s`: search, type and system history.
    pub const SEARCH: Self = Self(16);

    /// All letters of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every letter of `other` is here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The letters common to both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// One FHIR resource scope, taken apart. `text` is what was granted, to the letter (row B32).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// As requested and granted.
    pub text: Arc<str>,
    /// `patient`, `user` or `system`.
    pub context: ScopeContext,
    /// Resource type name; `None` for `*`.
    pub resource_type: Option<Arc<str>>,
    /// The letters.
    pub permissions: Permissions,
    /// What stands after `?`: percent-decoded (name, value) pairs, in order; ANDed.
    pub query: Vec<(String, String)>,
}
