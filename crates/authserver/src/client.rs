//! Registered clients of all kinds. SPEC: SMART App Launch 2.2; RFC 6749 section 2, RFC 8705 section 2; rows B11 to B15,
//! C2, C11.
//!
//! `check`: what may be registered. `scopes`: what it may ask for. `secret`: what is kept of its secret. `own`: what one
//! that registered itself has beside; `udap`: one of a trust community. `unfit`: why not. `record`: the row. `registry`: all of them, in memory and on the
//! table.

pub(crate) mod check;
pub(crate) mod invitations;
pub(crate) mod own;
mod record;
pub(crate) mod registry;
pub(crate) mod scopes;
pub(crate) mod secret;
mod udap;
mod unfit;

pub use check::Enforceable;
pub use invitations::{Invitation, NewInvitation};
pub use own::{OwnRegistration, Reach};
pub use secret::{NewSecret, Secret};
pub use udap::Udap;
pub use unfit::{AddressFault, Unfit};

use crate::tables::Unavailable;
use fhir::Instant;
use oauth::caller::Standing;
use oauth::{
    certificate::RegisteredSubject,
    ehr_launch::LaunchIntent,
    jwk::Jwks,
    jws::Algorithm,
    redirect_uri::{ApplicationType, RedirectUri},
    scope::{Scope, request::ScopeRequest},
    udap::purpose::Purpose,
};
use std::{fmt, sync::Arc};

/// Where a client's public keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewKeys {
    /// The text of a JWKS (or of one public JWK).
    Inline(String),
    /// An https URL of a JWKS, fetched when needed (row C9).
    Url(String),
}

/// What kind of client is asked for, with what it proves itself by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewKind {
    /// An app that can keep no secret: in a browser, on a phone (`client-public`).
    Public,
    /// An app with a server behind it; a secret is made for it (`client-confidential-symmetric`).
    ConfidentialSymmetric,
    /// An app that signs assertions (`client-confidential-asymmetric`).
    ConfidentialAsymmetric(NewKeys),
    /// A system that nobody signs in to (SMART Backend Services).
    BackendService(NewKeys),
    /// By the certificate of its TLS connection (RFC 8705): an app when it has redirect URIs, else a system.
    MutualTls(NewCertificate),
    /// Of a trust community: an app when it has redirect URIs, else a system. The registration endpoint of UDAP alone
    /// asks for it.
    Udap(Udap),
}

/// The certificate that a client will show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewCertificate {
    /// One of a trusted authority, known by one name in it (`tls_client_auth`): the member of RFC 8705 section 2.1.2,
    /// such as `tls_client_auth_san_dns`, and its value.
    Subject(String, String),
    /// These very certificates, DER; made by the client itself (`self_signed_tls_client_auth`).
    SelfSigned(Vec<Vec<u8>>),
    /// The same, by SHA-256 of their DER.
    Known(Vec<[u8; 32]>),
}

/// A registration as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClient {
    /// Name for people.
    pub name: String,
    /// Who made it, for people.
    pub maker: Option<String>,
    /// What it is for, in its maker's words, for people.
    pub purpose: Option<String>,
    /// Address of its logo: an https URL, fetched by the guarded client alone (row F60).
    pub logo: Option<String>,
    /// Scopes the client may ask for, divided by blanks: `system/` ones for a system, all others for an app.
    pub scope: String,
    /// Its kind.
    pub kind: NewKind,
    /// Where a person's browser is sent back to: for an app one at least, for a system none.
    pub redirect_uris: Vec<String>,
    /// Whether it runs on a web server or in a page, or as a program on the person's device.
    pub application: ApplicationType,
    /// Where an EHR launch opens it.
    pub launch_url: Option<String>,
    /// What it can be opened for, each `WORD` or `WORD=NAME` ([`LaunchIntent::register`]).
    pub intents: Vec<String>,
    /// Browser origins that may call with its tokens, beside those of its redirect URIs (row A13).
    pub origins: Vec<String>,
    /// This facility has looked at it and trusts it; the consent page says so.
    pub is_verified: bool,
    /// Held to the FAPI 2.0 profile: pushed requests, and tokens bound to a key or certificate.
    pub is_fapi2: bool,
    /// Its authorization requests are pushed (RFC 9126 section 6).
    pub requires_pushed: bool,
    /// What its tokens must be bound to.
    pub binding: Option<Binding>,
    /// The one algorithm of its assertions.
    pub assertion_algorithm: Option<Algorithm>,
    /// A system that is known by its certificate may call without a token (row A10).
    pub calls_without_token: bool,
    /// What a system may act for: codes of v3-ActReason (row F48); none: treatment.
    pub purposes_of_use: Vec<String>,
    /// May introspect tokens of other clients (row B69).
    pub introspects_any: bool,
    /// How it stands to the records. Apps of people are ordinary.
    pub standing: Standing,
}

impl NewClient {
    /// A client of this kind with this name and these scopes, and nothing else.
    #[must_use]
    pub fn new(name: &str, scope: &str, kind: NewKind) -> Self {
        Self {
            name: name.into(),
            maker: None,
            purpose: None,
            logo: None,
            scope: scope.into(),
            kind,
            redirect_uris: Vec::new(),
            application: ApplicationType::Web,
            launch_url: None,
            intents: Vec::new(),
            origins: Vec::new(),
            is_verified: false,
            is_fapi2: false,
            requires_pushed: false,
            binding: None,
            assertion_algorithm: None,
            calls_without_token: false,
            purposes_of_use: Vec::new(),
            introspects_any: false,
            standing: Standing::Ordinary,
        }
    }
}

/// Where a registered client's keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// Registered keys.
    Inline(Arc<Jwks>),
    /// Fetched from here.
    Url(Arc<str>),
}

/// The kind of a registered client: how it proves who it is. Exactly one way each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// By nothing but its id; what protects it is PKCE and the redirect URI.
    Public,
    /// By a secret: one or two are live, the newest last.
    ConfidentialSymmetric(Vec<Secret>),
    /// By a signed assertion.
    ConfidentialAsymmetric(Keys),
    /// By a signed assertion; nobody signs in.
    BackendService(Keys),
    /// By the certificate of its connection.
    MutualTls(Certificate),
    /// By an assertion with certificates of a trust community (UDAP).
    Udap(Udap),
}

/// What tokens of a client must be bound to (RFC 7591 members `dpop_bound_access_tokens` and
/// `tls_client_certificate_bound_access_tokens`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The key of its DPoP proofs.
    Key,
    /// The certificate of its connection.
    Certificate,
}

impl Binding {
    /// As it is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Certificate => "certificate",
        }
    }

    /// Reads [`Binding::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Key, Self::Certificate].into_iter().find(|binding| binding.as_str() == text)
    }
}

/// The name of a [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the kinds are told of at `Kind`")]
pub enum KindName {
    Public,
    ConfidentialSymmetric,
    ConfidentialAsymmetric,
    BackendService,
    MutualTls,
    Udap,
}

impl KindName {
    /// Those that an operator registers or invites. Clients of trust communities only register themselves.
    pub const ALL: [Self; 5] = [
        Self::Public,
        Self::ConfidentialSymmetric,
        Self::ConfidentialAsymmetric,
        Self::BackendService,
        Self::MutualTls,
    ];

    /// In a list, a row, on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::ConfidentialSymmetric => "confidential-symmetric",
            Self::ConfidentialAsymmetric => "confidential-asymmetric",
            Self::BackendService => "backend-service",
            Self::MutualTls => "mutual-tls",
            Self::Udap => "udap",
        }
    }

    /// Reads [`KindName::as_str`] of one of [`KindName::ALL`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// By which certificate a client is known (row A7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// One of a trusted authority with this name in it.
    Subject(RegisteredSubject),
    /// One of these: SHA-256 of its DER.
    SelfSigned(Arc<[[u8; 32]]>),
}

impl Kind {
    /// Its name in a list and in the table's row.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind_name().as_str()
    }

    /// Its name.
    #[must_use]
    pub const fn kind_name(&self) -> KindName {
        match self {
            Self::Public => KindName::Public,
            Self::ConfidentialSymmetric(_) => KindName::ConfidentialSymmetric,
            Self::ConfidentialAsymmetric(_) => KindName::ConfidentialAsymmetric,
            Self::BackendService(_) => KindName::BackendService,
            Self::MutualTls(_) => KindName::MutualTls,
            Self::Udap(_) => KindName::Udap,
        }
    }

    /// The keys that its assertions are verified with.
    #[must_use]
    pub fn keys(&self) -> Option<&Keys> {
        match self {
            Self::ConfidentialAsymmetric(keys) | Self::BackendService(keys) => Some(keys),
            Self::Public | Self::ConfidentialSymmetric(_) | Self::MutualTls(_) | Self::Udap(_) => None,
        }
    }

    /// Its trust community and what it has of that.
    #[must_use]
    pub fn udap(&self) -> Option<&Udap> {
        match self {
            Self::Udap(udap) => Some(udap),
            _ => None,
        }
    }
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// `client_id`, made by the server.
    pub id: Arc<str>,
    /// Name for people.
    pub name: Arc<str>,
    /// Who made it, for people.
    pub maker: Option<Arc<str>>,
    /// What it is for, in its maker's words, for people.
    pub purpose: Option<Arc<str>>,
    /// Address of its logo.
    pub logo: Option<Arc<str>>,
    /// How it proves who it is.
    pub kind: Kind,
    /// What it may ask for of resources.
    pub scopes: Arc<[Scope]>,
    /// All that it may ask for, `openid`, `launch/patient` and their kin among it.
    pub registered: ScopeRequest,
    /// All of it as text.
    pub scope_text: Arc<str>,
    /// Where a person's browser is sent back to; none for a system.
    pub redirect_uris: Arc<[RedirectUri]>,
    /// See [`NewClient::application`].
    pub application: ApplicationType,
    /// Where an EHR launch opens it.
    pub launch_url: Option<Arc<str>>,
    /// What it can be opened for.
    pub intents: Arc<[LaunchIntent]>,
    /// Browser origins that may call with its tokens.
    pub origins: Vec<String>,
    /// This facility trusts it.
    pub is_verified: bool,
    /// Held to the FAPI 2.0 profile.
    pub is_fapi2: bool,
    /// See [`NewClient::requires_pushed`]; [`Client::must_push`] is the rule.
    pub requires_pushed: bool,
    /// See [`NewClient::binding`].
    pub binding: Option<Binding>,
    /// See [`NewClient::assertion_algorithm`].
    pub assertion_algorithm: Option<Algorithm>,
    /// It registered itself: what it said, and by what leave (RFC 7591).
    pub own: Option<Arc<OwnRegistration>>,
    /// Its certificate alone is its right to call.
    pub calls_without_token: bool,
    /// What a system may act for; none: treatment.
    pub purposes_of_use: Arc<[Purpose]>,
    /// May introspect tokens of other clients.
    pub introspects_any: bool,
    /// How it stands to the records.
    pub standing: Standing,
    /// When it was registered.
    pub created: Instant,
    /// It gets no token and its tokens do not work.
    pub disabled: bool,
}

impl Client {
    /// Whether people sign in to it; else it is a system, which acts for itself.
    #[must_use]
    pub fn is_app(&self) -> bool {
        !self.redirect_uris.is_empty()
    }

    /// Whether it can have tokens at all: neither disabled here, nor its certificate revoked.
    #[must_use]
    pub fn works(&self) -> bool {
        !self.disabled && self.kind.udap().is_none_or(|udap| udap.suspended.is_none())
    }

    /// Whether the operator has agreed to it, where that is asked for.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        self.kind.udap().is_none_or(|udap| udap.is_approved)
    }

    /// Whether its authorization requests must be pushed.
    #[must_use]
    pub fn must_push(&self) -> bool {
        self.is_fapi2 || self.requires_pushed
    }

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

/// Why a registration was refused or changed nothing. The text is for the operator.
#[derive(Debug)]
pub enum ClientError {
    /// What was asked for is not acceptable; the text says what to change.
    Invalid(Unfit),
    /// No client of this id.
    NotFound,
    /// The store or the audit log cannot take it now; the text is for the log.
    Unavailable(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) => why.fmt(f),
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
