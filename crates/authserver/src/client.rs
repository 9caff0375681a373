//! Registered clients. SPEC: SMART App Launch 2.2 client-confidential-asymmetric; rows B11, B13, C2, C11.
//!
//! All of them authenticate with `private_key_jwt`; secrets are for other kinds of client, which are not built.

pub(crate) mod check;
mod record;
pub(crate) mod registry;

pub use check::Enforceable;

use crate::tables::Unavailable;
use fhir::Instant;
use oauth::{jwk::Jwks, scope::Scope};
use std::{fmt, sync::Arc};

/// Where a client's public keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewKeys {
    /// The text of a JWKS (or of one public JWK).
    Inline(String),
    /// An https URL of a JWKS, fetched when needed (row C9).
    Url(String),
}

/// A registration as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClient {
    /// Name for people.
    pub name: String,
    /// Scopes the client may ask for, divided by blanks; only `system/` ones.
    pub scope: String,
    /// Its keys.
    pub keys: NewKeys,
    /// Browser origins that may call with its tokens (row A13).
    pub origins: Vec<String>,
    /// May introspect tokens of other clients (row B69).
    pub introspects_any: bool,
}

/// Where a registered client's keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Registered keys.
    Inline(Arc<Jwks>),
    /// Fetched from here.
    Url(Arc<str>),
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// `client_id`, made by the server.
    pub id: Arc<str>,
    /// Name for people.
    pub name: Arc<str>,
    /// What it may ask for.
    pub scopes: Arc<[Scope]>,
    /// The same as text.
    pub scope_text: Arc<str>,
    /// Its public keys.
    pub keys: Keys,
    /// Browser origins that may call with its tokens.
    pub origins: Vec<String>,
    /// May introspect tokens of other clients.
    pub introspects_any: bool,
    /// When it was registered.
    pub created: Instant,
    /// It gets no token and its tokens do not work.
    pub disabled: bool,
}

/// Why a registration was refused or changed nothing. The text is for the operator.
#[derive(Debug)]
pub enum ClientError {
    /// What was asked for is not acceptable; the text says what to change.
    Invalid(String),
    /// No client of this id.
    NotFound,
    /// The store or the audit log cannot take it now; the text is for the log.
    Unavailable(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) => f.write_str(why),
            Self::NotFound => f.write_str("no client of this id"),
            Self::Unavailable(_) => f.write_str("the store is unavailable"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<Unavailable> for ClientError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

impl Client {
    /// Makes a client of a registration, when it is acceptable.
    pub(crate) fn register(
        new: &NewClient,
        id: String,
        created: Instant,
        enforceable: &check::Enforceable,
    ) -> Result<Self, ClientError> {
        check::checked(new, id, created, enforceable)
    }
}
