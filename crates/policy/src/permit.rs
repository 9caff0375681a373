//! The permit: proof that `decide` said yes, and for which resources.
//!
//! Review target: nothing outside this crate can make a [`Permit`]; the store takes no question
//! without one.

use crate::grants::Grants;
use fhir::ResourceType;
use search::{
    Predicate, Registry,
    matcher::{Related, Subject, matches},
};
use std::sync::Arc;

/// What a road through the store does with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Need {
    /// It leaves as itself: read, vread, history, include target (`r`).
    Read,
    /// It is found, counted, sorted by, or joined through a chain or `_has` (`s`).
    Search,
    /// It comes to be (`c`).
    Create,
    /// It changes (`u`).
    Update,
    /// It ends (`d`).
    Delete,
    /// Its labels change, and may be lowered (`u`, by whoever has the authority for it; row F45).
    Relabel,
}

/// Which resources of a type a permit covers for a need.
#[derive(Debug, Clone, PartialEq)]
pub enum Access {
    /// None of them; the type is as good as empty.
    Nothing,
    /// All of them.
    Everything,
    /// Those that the predicate means.
    Where(Arc<Predicate>),
}

impl Access {
    /// Whether it covers this resource.
    pub(crate) fn covers(&self, registry: &Registry, subject: Subject<'_>, related: &dyn Related) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Where(predicate) => matches(registry, predicate, subject, related),
        }
    }
}

/// Proof of permission for one interaction, valid for the snapshot or commit it is used with.
#[derive(Debug, Clone)]
pub struct Permit {
    grants: Arc<Grants>,
}

impl Permit {
    pub(crate) fn new(grants: Arc<Grants>) -> Self {
        Self { grants }
    }

    /// Whether the caller sees a part of some type: what it does not see could show in times.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        self.grants.is_narrowed()
    }

    /// Whether a resource may be looked at to explain a decision on it, although it is not read (row G18).
    #[must_use]
    pub fn explains_all(&self) -> bool {
        self.grants.explain_all()
    }

    /// Whether it rests on a search parameter that a package brought: one that may not be indexed.
    #[must_use]
    pub fn asks_added(&self) -> bool {
        self.grants.ask_added()
    }

    /// Which resources of this type the permit covers for this need.
    #[must_use]
    pub fn access(&self, resource_type: ResourceType, need: Need) -> &Access {
        self.grants.access(resource_type, need)
    }
}
