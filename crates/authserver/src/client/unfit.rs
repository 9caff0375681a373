//! Why a registration cannot be taken: one value, told in English to who runs the machine (and, by RFC 7591, to a
//! client), and in a person's language at the page.

use super::check::shown;
use crate::limits;
use oauth::{
    certificate::SubjectError,
    ehr_launch::LaunchIntentError,
    jwk::{JwkError, JwksError},
    redirect_uri::RedirectUriError,
    scope::ScopeError,
};
use pages::{RegistrationReason as Reason, ReturnReason};
use std::fmt;

/// What is wrong with a registration. Its text says what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// What people read, by its name: empty, too long, or with signs that mislead.
    Label(&'static str),
    /// An https URL, by what it is for.
    Address(&'static str, AddressFault),
    /// The public keys.
    Keys(JwksError),
    /// A name of a certificate, by its member.
    CertificateName(String, SubjectError),
    /// No certificate, or too many.
    CertificateCount,
    /// An app without redirect URI.
    RedirectMissing,
    /// Too many of them.
    Redirects,
    /// A system with one.
    RedirectOfSystem,
    /// This one.
    Redirect(String, RedirectUriError),
    /// This one has a scheme of its own, and the client is not public.
    RedirectScheme(String),
    /// No launch URL.
    Launch(String),
    /// A system with one.
    LaunchOfSystem,
    /// This names no intent.
    Intent(String),
    /// Too many of them.
    Intents,
    /// Some, and nothing to open.
    IntentsOfNoLaunch,
    /// This is no purpose of use.
    PurposeOfUse(String),
    /// Breaking the glass is people's alone.
    PurposeOfPeople,
    /// Purposes of use for an app, or for a client of a trust community.
    PurposeOfApp,
    /// No scope, of an app or a system.
    ScopeMissing {
        /// Whether people sign in to it.
        is_app: bool,
    },
    /// Too many scopes.
    Scopes,
    /// This is not written as a scope is.
    ScopeShape(String, Option<ScopeError>),
    /// The server cannot hold a client to this one, as the text says.
    ScopeUnknown(String, String),
    /// A system with this scope of apps.
    ScopeOfApp(String),
    /// An app with this scope of systems.
    ScopeOfSystem(String),
    /// A context that there is not.
    ScopeContext(String),
    /// `fhirUser` without `openid`.
    ScopeIdentity,
    /// The FAPI 2.0 profile for a client that cannot be held to it.
    Fapi2Kind,
    /// The FAPI 2.0 profile, and a redirect URI without https.
    Fapi2Redirect,
    /// [`limits::CLIENTS_MAX`].
    Full,
    /// What the form of the page cannot bring about.
    Said(String),
}

/// What is wrong with an https URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFault {
    /// It does not begin with `https://`.
    Scheme,
    /// It is too long.
    Length,
    /// A character or a fragment.
    Characters,
    /// It has a user name.
    User,
    /// No valid host.
    Host,
}

impl From<&str> for Unfit {
    fn from(why: &str) -> Self {
        Self::Said(why.into())
    }
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "must begin with https://",
            Self::Length => "is longer than 2048 bytes",
            Self::Characters => "has a character that it may not have, or a fragment",
            Self::User => "may not have a user name",
            Self::Host => "has no valid host",
        })
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = |text: &str| shown(text, 200);
        f.write_str(match self {
            Self::Label(what) => {
                let most = limits::CLIENT_NAME_BYTES_MAX;
                return write!(f, "the {what} must have 1 to {most} bytes and no control or direction characters");
            }
            Self::Address(what, why) => return write!(f, "the {what} {why}"),
            Self::Keys(why) => return why.fmt(f),
            Self::CertificateName(member, why) => return write!(f, "{member}: {why}"),
            Self::CertificateCount => {
                return write!(f, "1 to {} certificates are needed", limits::CLIENT_CERTIFICATES_MAX);
            }
            Self::RedirectMissing => "an app needs a redirect URI, such as https://app.example.org/callback",
            Self::Redirects => return write!(f, "at most {} redirect URIs", limits::REDIRECT_URIS_MAX),
            Self::RedirectOfSystem => "nobody signs in to a system: it has no redirect URI",
            Self::Redirect(uri, why) => return write!(f, "{}: {why}", shown(uri, 200)),
            Self::RedirectScheme(uri) => {
                return write!(f, "{}: only a public client has a scheme of its own", shown(uri, 200));
            }
            Self::Launch(url) => {
                return write!(
                    f,
                    "{}: a launch URL is an https URL (http only for localhost) without iss or launch in its query",
                    shown(url, 200)
                );
            }
            Self::LaunchOfSystem => "a system is not launched: it has no launch URL",
            Self::Intent(text) => return write!(f, "{}: {LaunchIntentError}", shown(text, 100)),
            Self::Intents => return write!(f, "at most {} intents", limits::LAUNCH_INTENTS_MAX),
            Self::IntentsOfNoLaunch => "an app that is opened for something needs a launch URL",
            Self::PurposeOfUse(text) => {
                return write!(f, "{}: a purpose of use is a code of v3-ActReason, such as HPAYMT", shown(text, 100));
            }
            Self::PurposeOfPeople => "BTG is not for systems: a clinician breaks the glass, with a reason",
            Self::PurposeOfApp => {
                "purposes of use are for a system: an app acts for what its people do, a client of a trust community for what it asserts"
            }
            Self::ScopeMissing { is_app } => {
                let example = if *is_app { "launch/patient patient/*.rs" } else { "system/Observation.rs" };
                return write!(f, "at least one scope is needed, for example {example}");
            }
            Self::Scopes => "the scopes are longer than 32 kB, or too many",
            Self::ScopeShape(text, None) => return write!(f, "scope {}: no such scope", scope(text)),
            Self::ScopeShape(text, Some(why)) => return write!(f, "scope {}: {why}", scope(text)),
            Self::ScopeUnknown(text, why) => return write!(f, "scope {}: {why}", scope(text)),
            Self::ScopeOfApp(text) => {
                return write!(
                    f,
                    "scope {}: a system has system/ scopes; others need a person who signs in",
                    scope(text)
                );
            }
            Self::ScopeOfSystem(text) => {
                return write!(
                    f,
                    "scope {}: an app has patient/ and user/ scopes; system/ ones are for a system that nobody signs in to",
                    scope(text)
                );
            }
            Self::ScopeContext(text) => {
                return write!(f, "scope {}: what can be put in context is a patient or an encounter", scope(text));
            }
            Self::ScopeIdentity => "fhirUser comes in an id token: openid is needed with it",
            Self::Fapi2Kind => "the FAPI 2.0 profile is for clients that prove themselves by a key or a certificate",
            Self::Fapi2Redirect => "the FAPI 2.0 profile asks for https redirect URIs",
            Self::Full => return write!(f, "there are {} clients already", limits::CLIENTS_MAX),
            Self::Said(why) => why,
        })
    }
}

impl Unfit {
    /// For the page's form.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Label(_) => Reason::Label,
            Self::Address(_, AddressFault::Scheme) => Reason::AddressScheme,
            Self::Address(_, AddressFault::Length) => Reason::AddressLength,
            Self::Address(_, AddressFault::Characters) => Reason::AddressSigns,
            Self::Address(_, AddressFault::User) => Reason::AddressUser,
            Self::Address(_, AddressFault::Host) => Reason::AddressHost,
            Self::Keys(JwksError::TooLarge | JwksError::Malformed) => Reason::KeysShape,
            Self::Keys(JwksError::Key(_, JwkError::Private)) => Reason::KeysPrivate,
            Self::Keys(JwksError::Key(..) | JwksError::Empty) => Reason::KeysUseless,
            Self::Keys(JwksError::NoKid(_) | JwksError::SameKid(_)) => Reason::KeysName,
            Self::CertificateName(..) => Reason::CertificateName,
            Self::CertificateCount => Reason::CertificateCount,
            Self::RedirectMissing => Reason::ReturnMissing,
            Self::Redirects => Reason::ReturnsMany(limits::REDIRECT_URIS_MAX),
            Self::RedirectOfSystem => Reason::ReturnOfSystem,
            Self::Redirect(uri, why) => Reason::Return(returns(*why), shown(uri, 200).into()),
            Self::RedirectScheme(uri) => Reason::Return(ReturnReason::OwnScheme, shown(uri, 200).into()),
            Self::Launch(_) => Reason::LaunchAddress,
            Self::LaunchOfSystem => Reason::LaunchOfSystem,
            Self::Intent(text) => Reason::Intent(shown(text, 100).into()),
            Self::Intents => Reason::IntentsMany(limits::LAUNCH_INTENTS_MAX),
            Self::IntentsOfNoLaunch => Reason::IntentsOfNoLaunch,
            Self::PurposeOfUse(text) => Reason::PurposeOfUse(shown(text, 100).into()),
            Self::PurposeOfPeople => Reason::PurposeOfPeople,
            Self::PurposeOfApp => Reason::PurposeOfApp,
            Self::ScopeMissing { .. } => Reason::ScopeMissing,
            Self::Scopes => Reason::ScopesMany,
            Self::ScopeShape(text, _) => Reason::ScopeShape(shown(text, 200).into()),
            Self::ScopeUnknown(text, _) => Reason::ScopeUnknown(shown(text, 200).into()),
            Self::ScopeOfApp(text) => Reason::ScopeOfApp(shown(text, 200).into()),
            Self::ScopeOfSystem(text) => Reason::ScopeOfSystem(shown(text, 200).into()),
            Self::ScopeContext(text) => Reason::ScopeContext(shown(text, 200).into()),
            Self::ScopeIdentity => Reason::ScopeIdentity,
            Self::Fapi2Kind => Reason::Fapi2Kind,
            Self::Fapi2Redirect => Reason::Fapi2Return,
            Self::Full => Reason::Full,
            Self::Said(_) => Reason::Other,
        }
    }
}

const fn returns(why: RedirectUriError) -> ReturnReason {
    match why {
        RedirectUriError::TooLong => ReturnReason::Length,
        RedirectUriError::Character => ReturnReason::Signs,
        RedirectUriError::Fragment => ReturnReason::Fragment,
        RedirectUriError::Scheme => ReturnReason::Scheme,
        RedirectUriError::Host => ReturnReason::Host,
        RedirectUriError::UserInfo => ReturnReason::User,
        RedirectUriError::DotSegment => ReturnReason::Dots,
        RedirectUriError::Parameter => ReturnReason::Parameter,
    }
}
