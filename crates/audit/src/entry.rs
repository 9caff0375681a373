//! One audit event as facts: 100 to 200 bytes instead of a JSON resource of 3 KB.
//!
//! SPEC: R4 auditevent.html; IHE BALP 1.1.x RESTful patterns; rows F16 to F19.

use fhir::{Instant, LogicalId, ResourceType, VersionId};
use std::{net::IpAddr, sync::Arc};

/// What was done, in AuditEvent.action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the codes' meanings: C R U D E")]
pub enum Action {
    Create,
    Read,
    Update,
    Delete,
    Execute,
}

/// How it ended, in AuditEvent.outcome: 0, 4, 8, 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 0.
    Success,
    /// 4: refused because of what the caller sent or may not do.
    MinorFailure,
    /// 8: the server could not.
    SeriousFailure,
    /// 12: the server became unusable.
    MajorFailure,
}

/// Which kind of event: AuditEvent.type and the BALP pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A RESTful interaction; subtype is its code.
    Rest,
    /// A security event of the authorization server: token issued, refused, revoked, introspected,
    /// client added or removed, keys rotated.
    Security,
    /// The server itself: start, stop, checkpoint key made.
    Application,
}

/// A resource that the event touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Its type.
    pub resource_type: ResourceType,
    /// Its id.
    pub id: LogicalId,
    /// The version read or made, when known.
    pub version: Option<VersionId>,
}

/// The facts of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was recorded.
    pub recorded: Instant,
    /// What kind.
    pub kind: Kind,
    /// `read`, `search-type`, `token-issued`, …
    pub subtype: Arc<str>,
    /// Action.
    pub action: Action,
    /// Outcome.
    pub outcome: Outcome,
    /// Short public reason when it failed.
    pub outcome_text: Option<Arc<str>>,
    /// OAuth client; `None` when nobody was authenticated.
    pub client_id: Option<Arc<str>>,
    /// Name of the token (not the token).
    pub token_name: Option<Arc<str>>,
    /// Address of the peer.
    pub address: Option<IpAddr>,
    /// X-Request-Id of the response.
    pub request_id: Arc<str>,
    /// For searches: type and query as asked, `Observation?code=x`.
    pub query: Option<Arc<str>>,
    /// Resources touched, the data entities.
    pub touched: Vec<Touched>,
    /// Patients the data is about.
    pub patients: Vec<LogicalId>,
}
