//! The registry: value sets found by canonical, and what they hold.

use crate::{Coding, Membership, Unknown};
use fhir::schema::{self, Schema};

/// All code systems and value sets that are loaded.
#[derive(Debug)]
pub struct Terminology {
    schema: &'static Schema,
}

/// A value set found once, so that rules compiled for validation need not look it up by its canonical each
/// time. Valid for the [`Terminology`] that made it.
#[derive(Debug, Clone)]
pub struct ValueSetHandle {
    canonical: Box<str>,
}

impl Terminology {
    /// What the compiled-in packages enumerate.
    #[must_use]
    pub fn builtin() -> Self {
        Self { schema: schema::r4() }
    }

    /// The value set of this canonical, with or without `|version`. Without, the version that `package` (the
    /// package of the definition that asks, as `name#version`; may be empty) depends on, else the newest.
    #[must_use]
    pub fn value_set(&self, canonical: &str, package: &str) -> Option<ValueSetHandle> {
        let _ = package;
        self.schema.value_set_codes(canonical).map(|_| ValueSetHandle { canonical: canonical.into() })
    }

    /// Whether the value set of this canonical holds this code.
    #[must_use]
    pub fn validate_code<'a>(&'a self, value_set: &'a str, coding: Coding<'_>) -> Membership<'a> {
        match self.schema.value_set_holds(value_set, coding.system, coding.code) {
            Some(true) => Membership::In,
            Some(false) => Membership::NotIn,
            None => Membership::Unknown(Unknown::Content(value_set)),
        }
    }

    /// Whether this value set holds this code.
    #[must_use]
    pub fn holds<'a>(&'a self, set: &'a ValueSetHandle, coding: Coding<'_>) -> Membership<'a> {
        self.validate_code(&set.canonical, coding)
    }
}
