//! A refusal with its reason. The caller learns the public text, the audit log the reason.

use fhir::ResourceType;
use std::fmt;

/// Why not. Maps to 403 `insufficient_scope` (row F13); hidden instances are not refused but absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// No scope names this type with the letter that the interaction needs.
    Scope {
        /// The type asked for; `None` for an interaction on the whole system.
        resource_type: Option<ResourceType>,
        /// The letters that were missing, as in a scope: `r`, `cs`.
        needs: &'static str,
    },
    /// The same for an organization that came by UDAP: its scopes or its purpose of use do not give this type with the
    /// letter (rows D28, F48).
    Purpose {
        /// The type asked for.
        resource_type: ResourceType,
        /// As above.
        needs: &'static str,
    },
    /// Labels are changed by those who have the authority for this type (row F45).
    Authority(ResourceType),
    /// The client gets de-identified data alone, by search (row F68).
    Deidentified,
    /// AuditEvent is written by the server alone (row F22).
    AuditIsReadOnly,
    /// An operation for people, asked for by a system (row F21).
    PeopleAlone,
    /// Who may see what is not explained to this caller (row G18).
    Unexplained,
    /// Who changes the facility's rules, or looks at their history (row G16).
    Administrators,
    /// The grants were not compiled from this caller's scopes: a fault of this server, refused all the same.
    GrantsOfAnother,
    /// A write whose result the caller's scopes do not cover (row F7).
    ResultOutsideScope(ResourceType),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope { resource_type: Some(name), needs } => {
                write!(f, "the token's scopes do not allow '{needs}' on {name}")
            }
            Self::Scope { resource_type: None, needs } => {
                write!(f, "the token's scopes do not allow '{needs}' here")
            }
            Self::Purpose { resource_type, needs } => {
                write!(f, "the token's scopes, within its purpose of use, do not allow '{needs}' on {resource_type}")
            }
            Self::Authority(name) => {
                write!(f, "changing tags, profiles and security labels of {name} needs the authority for it")
            }
            Self::Deidentified => f.write_str(
                "this client gets de-identified data alone: it searches types that can be de-identified, and does nothing else",
            ),
            Self::AuditIsReadOnly => f.write_str("audit events are written by the server alone"),
            Self::PeopleAlone => f.write_str("this is for people who signed in, not for systems"),
            Self::Unexplained => f.write_str(
                "who may see what is explained to those who read the whole audit log, and to patients on what they see",
            ),
            Self::Administrators => f.write_str(
                "the facility's rules are kept by administrators, with an app that was given a user/ scope that names Library",
            ),
            Self::GrantsOfAnother => f.write_str("the request could not be authorized"),
            Self::ResultOutsideScope(name) => {
                write!(f, "the token's scopes do not cover this {name} as it would be after the change")
            }
        }
    }
}

impl std::error::Error for Denied {}
