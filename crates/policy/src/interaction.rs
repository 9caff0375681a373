//! What is asked for: the R4 interactions, with the names that URL and headers gave.
//!
//! SPEC: R4 http.html#Summary; codes of valueset-type-restful-interaction and system-restful-interaction.

use crate::permit::Need;
use fhir::{LogicalId, ResourceType, VersionId};

/// One FHIR interaction. A batch or transaction is decided entry by entry as well (row B31).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are R4's; fields are type, id and version of the URL")]
pub enum Interaction {
    Capabilities,
    Read(ResourceType, LogicalId),
    Vread(ResourceType, LogicalId, VersionId),
    HistoryInstance(ResourceType, LogicalId),
    Create(ResourceType),
    /// `If-None-Exist`.
    ConditionalCreate(ResourceType),
    Update(ResourceType, LogicalId),
    /// JSON Patch or FHIRPath Patch.
    Patch(ResourceType, LogicalId),
    Delete(ResourceType, LogicalId),
    SearchType(ResourceType),
    /// `Patient/{id}/{type}`: a search within a patient's compartment.
    SearchCompartment(LogicalId, ResourceType),
    Batch,
    Transaction,
    /// `$validate`, on the type or on an instance.
    Validate(ResourceType, Option<LogicalId>),
    /// `$meta-add` (true) and `$meta-delete`.
    Relabel(ResourceType, LogicalId, bool),
    /// `Patient/{id}/$access-report`: who saw the record. It reads audit events.
    AccessReport(LogicalId),
    /// An operation of the terminology service: type, instance, name without `$`.
    Terminology(ResourceType, Option<LogicalId>, &'static str),
    /// `$verify-signature`: what of an instance's signatures can be verified.
    VerifySignature(ResourceType, LogicalId),
    /// `Patient/$k-anonymity`: counts over what a search finds.
    KAnonymity(ResourceType),
    /// `$explain-access`: why may somebody see it, or why not.
    ExplainAccess(ResourceType, LogicalId),
    /// `Library/$policy-…`: the facility's rules and their history. It touches no resource.
    Rules(RulesAct),
}

/// What is done with the facility's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RulesAct {
    /// A text is proposed.
    Propose,
    /// Another person puts it in force.
    Approve,
    /// It is ended.
    Withdraw,
    /// What waits and what was is looked at.
    History,
    /// The operator of the machine tries a text on the data.
    Try,
}

impl RulesAct {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Propose, Self::Approve, Self::Withdraw, Self::History, Self::Try];

    /// The operation's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Propose => "policy-propose",
            Self::Approve => "policy-approve",
            Self::Withdraw => "policy-withdraw",
            Self::History => "policy-history",
            Self::Try => "policy-try",
        }
    }
}

impl Interaction {
    /// The code for AuditEvent.subtype and CapabilityStatement.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::Read(..) => "read",
            Self::Vread(..) => "vread",
            Self::HistoryInstance(..) => "history-instance",
            Self::Create(_) | Self::ConditionalCreate(_) => "create",
            Self::Update(..) => "update",
            Self::Patch(..) => "patch",
            Self::Delete(..) => "delete",
            Self::SearchType(_) | Self::SearchCompartment(..) => "search-type",
            Self::Batch => "batch",
            Self::Transaction => "transaction",
            Self::Validate(..)
            | Self::Relabel(..)
            | Self::Terminology(..)
            | Self::AccessReport(_)
            | Self::KAnonymity(_)
            | Self::ExplainAccess(..)
            | Self::Rules(_)
            | Self::VerifySignature(..) => "operation",
        }
    }

    /// The resource type it names, when it names one.
    #[must_use]
    pub fn resource_type(&self) -> Option<ResourceType> {
        match self {
            Self::Read(t, _)
            | Self::Vread(t, ..)
            | Self::HistoryInstance(t, _)
            | Self::Create(t)
            | Self::ConditionalCreate(t)
            | Self::Update(t, _)
            | Self::Patch(t, _)
            | Self::Delete(t, _)
            | Self::SearchType(t)
            | Self::SearchCompartment(_, t)
            | Self::Validate(t, _)
            | Self::Relabel(t, ..)
            | Self::Terminology(t, ..)
            | Self::VerifySignature(t, _)
            | Self::ExplainAccess(t, _)
            | Self::KAnonymity(t) => Some(*t),
            Self::AccessReport(_) => ResourceType::parse("AuditEvent").ok(),
            Self::Rules(_) => ResourceType::parse("Library").ok(),
            Self::Capabilities | Self::Batch | Self::Transaction => None,
        }
    }

    /// What it needs on its type, in the order of the scope letters `cruds` (row B31). An update
    /// that makes a resource under an id of the client's choice is an update. A condition is a
    /// search, so a conditional create needs both. A patch says by what fails, and by its answer, what is there:
    /// it needs reading too. Nothing for interactions without a type.
    #[must_use]
    pub fn needs(&self) -> &'static [Need] {
        match self {
            Self::Read(..) | Self::Vread(..) | Self::HistoryInstance(..) => &[Need::Read],
            Self::Create(_) => &[Need::Create],
            Self::ConditionalCreate(_) => &[Need::Create, Need::Search],
            Self::Update(..) => &[Need::Update],
            Self::Patch(..) => &[Need::Read, Need::Update],
            Self::Delete(..) => &[Need::Delete],
            Self::SearchType(_) | Self::SearchCompartment(..) | Self::AccessReport(_) | Self::KAnonymity(_) => {
                &[Need::Search]
            }
            Self::Validate(..) => &[Need::Create, Need::Read, Need::Update],
            Self::Relabel(..) => &[Need::Relabel],
            Self::Terminology(..) | Self::VerifySignature(..) | Self::ExplainAccess(..) => &[Need::Read],
            // Their scopes are looked at in `decide`: who keeps the rules is not ruled by them.
            Self::Capabilities | Self::Batch | Self::Transaction | Self::Rules(_) => &[],
        }
    }

    /// Whether one of its needs suffices: who may do anything with the content of a type may have content
    /// looked at.
    #[must_use]
    pub fn needs_one(&self) -> bool {
        matches!(self, Self::Validate(..))
    }
}
