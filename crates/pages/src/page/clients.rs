//! The apps of a facility, for its administrator: list, registration, one app and its secrets. SPEC: rows B11 to B15.
//!
//! A secret is shown once, on the answer to the form that made it. Registration by machines is RFC 7591, not here.

use crate::{AppFacts, Date, Literal, Moment, Secret, Text};

/// How an app proves which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// Runs on the person's own device and keeps no secret.
    Public,
    /// Has a server that keeps a secret.
    ConfidentialSymmetric,
    /// Has a server that signs with its own key.
    ConfidentialAsymmetric,
    /// Runs without people, signs with its own key.
    BackendService,
    /// Shows a certificate when it connects.
    MutualTls,
}

impl ClientKind {
    /// All, in the order of the form.
    pub const ALL: [Self; 5] = [
        Self::Public,
        Self::ConfidentialSymmetric,
        Self::ConfidentialAsymmetric,
        Self::BackendService,
        Self::MutualTls,
    ];

    /// Value of the field [`crate::fields::KIND`].
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::ConfidentialSymmetric => "confidential-symmetric",
            Self::ConfidentialAsymmetric => "confidential-asymmetric",
            Self::BackendService => "backend-service",
            Self::MutualTls => "mutual-tls",
        }
    }

    /// From a form's value.
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.value() == value)
    }
}

/// All apps of the facility.
#[derive(Clone, Debug)]
pub struct Clients {
    /// At most [`crate::limits::ROWS_MAX`].
    pub clients: Vec<ClientFacts>,
}

/// A registered app.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// Its client id.
    pub id: Literal,
    /// What people see of it.
    pub app: AppFacts,
    /// How it proves which one it is.
    pub kind: ClientKind,
    /// Since when.
    pub since: Date,
    /// Stopped by an administrator.
    pub is_disabled: bool,
}

/// The form.
#[derive(Clone, Debug)]
pub struct ClientRegistration {
    /// Form token.
    pub csrf: Secret,
    /// What was typed before; [`Registered::default`] at first.
    pub typed: Registered,
    /// What was wrong, field by field.
    pub problems: Vec<RegistrationProblem>,
}

/// The fields of the form, as typed.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// Name of the app.
    pub name: Text,
    /// Who makes it.
    pub maker: Text,
    /// What it is for.
    pub purpose: Text,
    /// How it proves which one it is.
    pub kind: Option<ClientKind>,
    /// One on each line.
    pub redirect_uris: Secret,
    /// For an EHR launch.
    pub launch_url: Secret,
    /// Address of the logo.
    pub logo_url: Secret,
    /// With blanks or lines between.
    pub scopes: Secret,
    /// Address of the public keys.
    pub jwks_url: Secret,
    /// The public keys.
    pub jwks: Secret,
    /// Subject of the certificate.
    pub certificate_subject: Secret,
    /// This facility has checked it.
    pub is_verified: bool,
    /// Held to the FAPI 2 profile.
    pub is_fapi2: bool,
}

/// One thing that is wrong with the form.
#[derive(Clone, Debug)]
pub struct RegistrationProblem {
    /// A constant of [`crate::fields`].
    pub field: &'static str,
    /// Why, in a sentence. For who knows the subject: in English, as the command line says it.
    pub reason: Text,
}

/// A new app, or a new secret of one: the secret is shown this once.
#[derive(Clone, Debug)]
pub struct ClientRegistered {
    /// Its client id.
    pub id: Literal,
    /// Its name.
    pub name: Text,
    /// The secret, for a kind that has one.
    pub secret: Option<Secret>,
    /// It is the second secret of an app that goes on with the first as well.
    pub is_second: bool,
}

/// One app.
#[derive(Clone, Debug)]
pub struct Client {
    /// Form token.
    pub csrf: Secret,
    /// What is registered.
    pub client: ClientFacts,
    /// Redirect URIs.
    pub redirect_uris: Vec<Literal>,
    /// Scopes.
    pub scopes: Vec<Literal>,
    /// Secrets that work, older first; at most two.
    pub secrets: Vec<SecretFacts>,
}

/// A secret, by its dates.
#[derive(Clone, Debug)]
pub struct SecretFacts {
    /// When it was made.
    pub since: Date,
    /// When it was last used.
    pub last_used: Option<Moment>,
}
