//! What is to be written: changes with their permits, and the audit entries that go with them.

use audit::Receipt;
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use policy::{Need, Permit};
use search::Predicate;
use std::{fmt, sync::Arc};
use validation::Validated;

/// One change. References are resolved and ids assigned before it gets here.
#[derive(Debug)]
pub enum Change {
    /// A new resource under a server-made id.
    Create {
        /// Its id.
        id: LogicalId,
        /// The resource.
        resource: Validated,
        /// `If-None-Exist`: commit only when no resource of the type, visible under the permit, is meant.
        unless: Option<Arc<Predicate>>,
    },
    /// A new version, or a first one under an id that the client chose.
    Update {
        /// Its id.
        id: LogicalId,
        /// The resource.
        resource: Validated,
        /// `If-Match`.
        if_match: Option<VersionId>,
        /// `If-None-Match: *`: only when it does not exist.
        if_none_match_any: bool,
        /// What becomes of the security labels of the version before.
        labels: Labels,
    },
    /// An end. Deleting what is absent or already deleted changes nothing and is no error.
    Delete {
        /// Its type.
        resource_type: ResourceType,
        /// Its id.
        id: LogicalId,
        /// `If-Match`.
        if_match: Option<VersionId>,
    },
    /// A new resource about the version that an earlier change of the same transaction makes, which is known at the
    /// commit alone; of a deletion, about the version that it ends. When that change comes to nothing, so does this.
    Note {
        /// Its id.
        id: LogicalId,
        /// The place of the change that it is about.
        of: usize,
        /// The version that it most likely is.
        expected: VersionId,
        /// The resource, if it is that one.
        resource: Validated,
        /// The resource, if it is another one.
        again: Again,
    },
}

/// Makes a resource about a version anew.
#[derive(Clone)]
pub struct Again(pub Arc<dyn Fn(VersionId) -> Option<Validated> + Send + Sync>);

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Again")
    }
}

/// What a new version does with the security labels of the one before (row F45).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// It has them all, its confidentiality is no lower: otherwise [`crate::CommitError::Labels`].
    Kept,
    /// It says what they are: by whoever may change labels alone.
    Given,
}

impl Labels {
    /// What a permit is asked for.
    pub(crate) const fn need(self) -> Need {
        match self {
            Self::Kept => Need::Update,
            Self::Given => Need::Relabel,
        }
    }
}

/// Changes that happen together or not at all.
#[derive(Debug)]
pub struct Transaction {
    /// Each change with the permit of its own interaction.
    pub changes: Vec<(Change, Permit)>,
    /// Predicates that conditional references were resolved by: each must still mean exactly this
    /// resource at commit.
    pub resolved: Vec<(ResourceType, Arc<Predicate>, LogicalId, Permit)>,
    /// One entry for each change, in order, then entries for the whole (a transaction's own).
    /// The store fills the versions of what was touched.
    pub audit: Vec<audit::Entry>,
    /// Broken glasses of who asks: whose record each opens, and its case. Entries about them are marked (row F50).
    pub glasses: Vec<(Arc<str>, Arc<str>)>,
    /// Time of the commit: `meta.lastUpdated`.
    pub now: Instant,
}

/// What became of one change.
#[derive(Debug, Clone)]
pub struct Done {
    /// Type.
    pub resource_type: ResourceType,
    /// Id.
    pub id: LogicalId,
    /// The version that is current now; for a delete of something absent, none.
    pub version: Option<VersionId>,
    /// `meta.lastUpdated`.
    pub last_updated: Instant,
    /// Whether the resource did not exist before.
    pub created: bool,
    /// The stored bytes; empty for a delete.
    pub bytes: bytes::Bytes,
}

/// Proof that a transaction is on stable storage and its entries are in the audit log.
#[derive(Debug)]
pub struct Committed {
    pub(crate) done: Vec<Done>,
    pub(crate) receipt: Receipt,
}

impl Committed {
    /// What became of each change, in order, and the receipt of the last entry.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Done>, Receipt) {
        (self.done, self.receipt)
    }
}

/// A predicate on a type, and which types it looks at.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) kind: ResourceType,
    pub(crate) predicate: Arc<Predicate>,
}

impl Condition {
    pub(crate) fn new(kind: ResourceType, predicate: Arc<Predicate>) -> Self {
        Self { kind, predicate }
    }

    /// The types whose resources decide about it.
    pub(crate) fn types(&self) -> Vec<ResourceType> {
        let mut types = vec![self.kind];
        joined_types(&self.predicate, &mut types);
        types
    }
}

/// What rules of patients are made of: their consents, and what says who somebody is whom a consent names.
const RULED_BY: [&str; 9] = [
    "Consent",
    "CareTeam",
    "Device",
    "Group",
    "Organization",
    "Person",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
];

/// Adds the types that a predicate reaches through chains and `_has`.
pub(crate) fn joined_types(predicate: &Predicate, types: &mut Vec<ResourceType>) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| joined_types(part, types)),
        Predicate::Not(part) | Predicate::Now(part) => joined_types(part, types),
        Predicate::Chain { target: kind, predicate, .. } | Predicate::Has { source: kind, predicate, .. } => {
            types.push(*kind);
            joined_types(predicate, types);
        }
        Predicate::Ruled(_) => {
            types.extend(RULED_BY.iter().filter_map(|name| ResourceType::parse(name).ok()));
        }
        Predicate::While { target, predicate, .. } => {
            types.push(*target);
            joined_types(predicate, types);
        }
        Predicate::NoPatientBut(part) => {
            types.extend(ResourceType::parse("Patient"));
            joined_types(part, types);
        }
        Predicate::During(during) => {
            types.push(during.source);
            joined_types(&during.predicate, types);
        }
        Predicate::All
        | Predicate::Nothing
        | Predicate::Id(_)
        | Predicate::LastUpdated(_)
        | Predicate::Value { .. }
        | Predicate::Missing { .. }
        | Predicate::PatientCompartment(_)
        | Predicate::InForce(_)
        | Predicate::Near { .. }
        | Predicate::FromNow(_)
        | Predicate::Only { .. }
        | Predicate::NoOtherPatient(_) => {}
    }
}
