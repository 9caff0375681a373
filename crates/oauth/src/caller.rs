//! The caller: proof that a request carried a valid access token of this server.
//!
//! A token stands for a system, or for a person who let an app act for them ([`Grant::user`]). It may be bound to a key
//! that its holder must show with each request ([`Confirmation`], row A8).
//!
//! Review target: nothing outside this crate can make a [`Caller`].

use crate::{
    launch_context::LaunchContext,
    scope::{Scope, ScopeError, parse_list},
    udap::b2b::B2b,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, sync::Arc};

/// What a token stands for: kept by the authorization server, shared by all requests that carry it.
#[derive(Clone)]
pub struct Grant {
    /// The OAuth client.
    pub client_id: Arc<str>,
    /// Name of the client for people.
    pub client_name: Arc<str>,
    /// Granted resource scopes.
    pub scopes: Arc<[Scope]>,
    /// The whole scope string as granted.
    pub scope_text: Arc<str>,
    /// When the token was issued, seconds since the epoch.
    pub issued_at_s: i64,
    /// End of life, seconds since the epoch.
    pub expires_at_s: i64,
    /// A name for the token that tells nothing: first 16 hex digits of its hash (audit, logs).
    pub token_name: Arc<str>,
    /// The person on whose behalf the client acts; `None` for a system that acts for itself.
    pub user: Option<Arc<User>>,
    /// What was in context when the person let the client in. Empty for systems.
    pub launch: Arc<LaunchContext>,
    /// The key that the token is bound to; `None` for a bearer token.
    pub confirmation: Option<Confirmation>,
    /// Name of the consent that the token comes from: revoking that kills all its tokens.
    pub family: Option<Arc<str>>,
    /// The organization that the client acts for, and why (UDAP); `None` for clients that were registered here by name.
    pub acting: Option<Arc<Acting>>,
    /// The client is the facility's own record system, which keeps the records that consents are about: they do not bind
    /// it (row G4). Never so for apps of people and for clients of trust communities.
    pub is_custodian: bool,
}

/// An organization that came by a certificate of a trust community, and what it said of its purpose (rows D27, D28).
/// The token may be used for that alone: scopes say what it could do, this says what of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Acting {
    /// The community that vouched for it.
    pub community: Arc<str>,
    /// Its URI, to the letter as its certificate proves it.
    pub uri: Arc<str>,
    /// What it asserted: purposes, its own name, who asks.
    pub b2b: B2b,
    /// The resource that stands for it here, as a relative reference: `Organization/123`. Found by [`Acting::uri`] when
    /// the token was issued; `None`: the facility knows no such organization.
    pub organization: Option<Arc<str>>,
}

/// A person with an account at this server, as they were when the token was issued.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    /// `sub`: opaque, never used again for another person (row B53).
    pub id: Arc<str>,
    /// Their name, for people.
    pub name: Arc<str>,
    /// What they may see at most.
    pub role: Role,
    /// The resource that stands for them, as a relative reference: `Practitioner/123` (row B54).
    pub fhir_user: Option<Arc<str>>,
    /// Logical ids of the Patients that the account is bound to: their own, or those that they care for.
    pub patients: Arc<[Arc<str>]>,
}

/// What a person is to this server. What each may see: `docs/access.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A patient: their own record.
    Patient,
    /// Who cares for patients that the account is bound to: their records.
    Caregiver,
    /// A clinician of the facility.
    Clinician,
    /// Who looks after the log of who did what.
    PrivacyOfficer,
    /// Who runs the server: no patient's data.
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Patient, Self::Caregiver, Self::Clinician, Self::PrivacyOfficer, Self::Administrator];

    /// As it is kept and written: `privacy-officer`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Caregiver => "caregiver",
            Self::Clinician => "clinician",
            Self::PrivacyOfficer => "privacy-officer",
            Self::Administrator => "administrator",
        }
    }

    /// Reads [`Role::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// The key that a token is bound to (`cnf`, RFC 7800). Thumbprints are no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// SHA-256 of the DER of the client's certificate (`x5t#S256`, RFC 8705 section 3.1).
    Certificate([u8; 32]),
    /// SHA-256 thumbprint of the key of the client's DPoP proofs (`jkt`, RFC 9449 section 6.1).
    Key([u8; 32]),
}

impl Confirmation {
    /// Name and value of the member of `cnf`.
    #[must_use]
    pub fn member(&self) -> (&'static str, String) {
        match self {
            Self::Certificate(thumbprint) => ("x5t#S256", URL_SAFE_NO_PAD.encode(thumbprint)),
            Self::Key(thumbprint) => ("jkt", URL_SAFE_NO_PAD.encode(thumbprint)),
        }
    }

    /// Reads [`Confirmation::member`].
    #[must_use]
    pub fn from_member(name: &str, value: &str) -> Option<Self> {
        let thumbprint = <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        match name {
            "x5t#S256" => Some(Self::Certificate(thumbprint)),
            "jkt" => Some(Self::Key(thumbprint)),
            _ => None,
        }
    }
}

/// The authenticated party behind a request. Made by [`crate::bearer::authenticate`] for tokens,
/// by [`Caller::operator`] for a command on the server's own machine, by [`Caller::at_page`] for a page of its own.
#[derive(Clone)]
pub struct Caller {
    pub(crate) grant: Arc<Grant>,
    pub(crate) kind: CallerKind,
}

/// What kind of party calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// A registered system with SMART Backend Services.
    System,
    /// A person who signed in here and let a client act for them.
    Person,
    /// The operator, by a command that has the data directory open.
    Operator,
}

impl Caller {
    /// The operator of this machine, who holds the data directory itself: full system scopes.
    /// The record of what they do says so. `command` names what they run.
    #[must_use]
    pub fn operator(command: &str) -> Self {
        let scope = Scope {
            text: "system/*.cruds".into(),
            context: crate::scope::ScopeContext::System,
            resource_type: None,
            permissions: crate::scope::Permissions::CREATE
                .union(crate::scope::Permissions::READ)
                .union(crate::scope::Permissions::UPDATE)
                .union(crate::scope::Permissions::DELETE)
                .union(crate::scope::Permissions::SEARCH),
            query: Vec::new(),
        };
        let grant = Grant {
            client_id: "operator".into(),
            client_name: command.into(),
            scope_text: Arc::clone(&scope.text),
            scopes: Arc::new([scope]),
            issued_at_s: 0,
            expires_at_s: i64::MAX,
            token_name: "".into(),
            user: None,
            launch: Arc::default(),
            confirmation: None,
            family: None,
            acting: None,
            is_custodian: false,
        };
        Self { grant: Arc::new(grant), kind: CallerKind::Operator }
    }

    /// The operator, who searches as a client with these scopes would: always less than
    /// [`Caller::operator`] may. The record says that it was the operator.
    ///
    /// # Errors
    /// The first scope that cannot be read.
    pub fn operator_within(command: &str, scopes: &str) -> Result<Self, ScopeError> {
        let parsed: Result<Vec<Scope>, ScopeError> = parse_list(scopes).map(|(_, scope)| scope).collect();
        let operator = Self::operator(command);
        let grant = Grant { scopes: parsed?.into(), scope_text: scopes.into(), ..operator.grant.as_ref().clone() };
        Ok(Self { grant: Arc::new(grant), kind: CallerKind::System })
    }

    /// A person who is signed in, at a page of this server itself: what the page looks up for them is decided as for
    /// an app with these scopes. Of a session, never of a request to the FHIR API (row A20).
    ///
    /// # Errors
    /// The first scope that cannot be read.
    pub fn at_page(user: Arc<User>, scopes: &str) -> Result<Self, ScopeError> {
        let page = Self::operator_within("page", scopes)?;
        let grant = Grant { client_id: "page".into(), user: Some(user), ..page.grant.as_ref().clone() };
        Ok(Self { grant: Arc::new(grant), kind: CallerKind::Person })
    }

    /// What was granted.
    #[must_use]
    pub fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }

    /// The person, when it is one.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<User>> {
        self.grant.user.as_ref()
    }

    /// The organization that it acts for, when it came by UDAP.
    #[must_use]
    pub fn acting(&self) -> Option<&Arc<Acting>> {
        self.grant.acting.as_ref()
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> CallerKind {
        self.kind
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({:?}, client {})", self.kind, self.grant.client_id)?;
        self.user().map_or(Ok(()), |user| write!(f, " for {}", user.id))
    }
}

#[cfg(test)]
mod tests;
