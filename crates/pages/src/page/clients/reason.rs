//! Why a registration is not taken, in a person's words. Which field it stands beside, the caller says.

use crate::{Text, html::fill_plain, texts::Texts};

/// One reason. What carries a text shows it: it is what was typed, as far as the reason is about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationReason {
    /// A name is empty, too long, or has signs that nobody sees.
    Label,
    /// An address does not begin with `https://`.
    AddressScheme,
    /// It is too long.
    AddressLength,
    /// It has a sign that it may not have, or a fragment.
    AddressSigns,
    /// It has a user name.
    AddressUser,
    /// It has no valid host.
    AddressHost,
    /// What was typed is not for the kind of app that was chosen.
    NotOfThisKind,
    /// No kind was chosen.
    KindMissing,
    /// Keys and an address of keys.
    KeysTwice,
    /// Neither.
    KeysMissing,
    /// No JWKS, or too large a one.
    KeysShape,
    /// A key in it is private or secret.
    KeysPrivate,
    /// A key in it is none that can be used, or there is none.
    KeysUseless,
    /// A key in it has no name, or that of another.
    KeysName,
    /// No name as a certificate has it.
    CertificateName,
    /// Not a number of certificates that is taken.
    CertificateCount,
    /// An app has no redirect URI.
    ReturnMissing,
    /// More than this many.
    ReturnsMany(usize),
    /// A system has one.
    ReturnOfSystem,
    /// This one is wrong.
    Return(ReturnReason, Text),
    /// The launch URL is none.
    LaunchAddress,
    /// A system has one.
    LaunchOfSystem,
    /// This names no intent.
    Intent(Text),
    /// More than this many.
    IntentsMany(usize),
    /// Some, and no launch URL.
    IntentsOfNoLaunch,
    /// This is no purpose of use.
    PurposeOfUse(Text),
    /// Breaking the glass is people's alone.
    PurposeOfPeople,
    /// Purposes of use for an app.
    PurposeOfApp,
    /// No scope.
    ScopeMissing,
    /// Too many, or too long.
    ScopesMany,
    /// This is not written as scopes are.
    ScopeShape(Text),
    /// This is one that the server cannot hold an app to.
    ScopeUnknown(Text),
    /// This one is not for systems.
    ScopeOfApp(Text),
    /// This one is for systems alone.
    ScopeOfSystem(Text),
    /// This one asks for a context that there is not.
    ScopeContext(Text),
    /// `fhirUser` without `openid`.
    ScopeIdentity,
    /// The FAPI 2.0 profile, and a kind without key or certificate.
    Fapi2Kind,
    /// The FAPI 2.0 profile, and a redirect URI without https.
    Fapi2Return,
    /// There are as many apps as there may be.
    Full,
    /// The parts do not go together in a way that this form cannot bring about.
    Other,
}

/// What is wrong with a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnReason {
    /// Too long.
    Length,
    /// A sign that it may not have.
    Signs,
    /// It has a fragment.
    Fragment,
    /// It begins wrongly.
    Scheme,
    /// No valid host.
    Host,
    /// It has a user name.
    User,
    /// `.` or `..` in its path.
    Dots,
    /// Its query has what our answer has.
    Parameter,
    /// A scheme of its own is for public apps.
    OwnScheme,
}

impl RegistrationReason {
    /// The reason as sentences.
    pub(crate) fn words(&self, t: &Texts) -> String {
        let of = |text: &str, typed: &Text| fill_plain(text, &[("typed", typed.as_str())]);
        match self {
            Self::Label => t.register_wrong_label,
            Self::AddressScheme => t.register_wrong_address_scheme,
            Self::AddressLength => t.register_wrong_address_length,
            Self::AddressSigns => t.register_wrong_address_signs,
            Self::AddressUser => t.register_wrong_address_user,
            Self::AddressHost => t.register_wrong_address_host,
            Self::NotOfThisKind => t.register_wrong_not_of_kind,
            Self::KindMissing => t.register_wrong_kind_missing,
            Self::KeysTwice => t.register_wrong_keys_twice,
            Self::KeysMissing => t.register_wrong_keys_missing,
            Self::KeysShape => t.register_wrong_keys_shape,
            Self::KeysPrivate => t.register_wrong_keys_private,
            Self::KeysUseless => t.register_wrong_keys_useless,
            Self::KeysName => t.register_wrong_keys_name,
            Self::CertificateName => t.register_wrong_certificate_name,
            Self::CertificateCount => t.register_wrong_certificate_count,
            Self::ReturnMissing => t.register_wrong_return_missing,
            Self::ReturnsMany(most) => {
                return fill_plain(t.register_wrong_many, &[("most", &most.to_string())]);
            }
            Self::ReturnOfSystem => t.register_wrong_return_of_system,
            Self::Return(why, typed) => return of(why.text(t), typed),
            Self::LaunchAddress => t.register_wrong_launch_address,
            Self::LaunchOfSystem => t.register_wrong_launch_of_system,
            Self::Intent(typed) => return of(t.register_wrong_intent, typed),
            Self::IntentsMany(most) => {
                return fill_plain(t.register_wrong_many, &[("most", &most.to_string())]);
            }
            Self::IntentsOfNoLaunch => t.register_wrong_intents_of_no_launch,
            Self::PurposeOfUse(typed) => return of(t.register_wrong_purpose, typed),
            Self::PurposeOfPeople => t.register_wrong_purpose_of_people,
            Self::PurposeOfApp => t.register_wrong_purpose_of_app,
            Self::ScopeMissing => t.register_wrong_scope_missing,
            Self::ScopesMany => t.register_wrong_scopes_many,
            Self::ScopeShape(typed) => return of(t.register_wrong_scope_shape, typed),
            Self::ScopeUnknown(typed) => return of(t.register_wrong_scope_unknown, typed),
            Self::ScopeOfApp(typed) => return of(t.register_wrong_scope_of_app, typed),
            Self::ScopeOfSystem(typed) => return of(t.register_wrong_scope_of_system, typed),
            Self::ScopeContext(typed) => return of(t.register_wrong_scope_context, typed),
            Self::ScopeIdentity => t.register_wrong_scope_identity,
            Self::Fapi2Kind => t.register_wrong_fapi2_kind,
            Self::Fapi2Return => t.register_wrong_fapi2_return,
            Self::Full => t.register_wrong_full,
            Self::Other => t.register_wrong_other,
        }
        .to_owned()
    }
}

impl ReturnReason {
    const fn text(self, t: &Texts) -> &'static str {
        match self {
            Self::Length => t.register_wrong_return_length,
            Self::Signs => t.register_wrong_return_signs,
            Self::Fragment => t.register_wrong_return_fragment,
            Self::Scheme => t.register_wrong_return_scheme,
            Self::Host => t.register_wrong_return_host,
            Self::User => t.register_wrong_return_user,
            Self::Dots => t.register_wrong_return_dots,
            Self::Parameter => t.register_wrong_return_parameter,
            Self::OwnScheme => t.register_wrong_return_own_scheme,
        }
    }
}
