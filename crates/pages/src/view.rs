//! Any page, as one value.

use crate::{page, render::Render};

/// Declares [`View`], one variant for each page.
macro_rules! views {
    ($($(#[$doc:meta])* $name:ident: $module:ident,)*) => {
        /// A page. Made from its struct by `View::from` or `into`.
        #[derive(Clone, Debug)]
        pub enum View {
            $($(#[$doc])* $name(Box<page::$module::$name>),)*
        }

        impl View {
            pub(crate) fn render(&self) -> &dyn Render {
                match self {
                    $(Self::$name(page) => page.as_ref(),)*
                }
            }
        }

        $(impl From<page::$module::$name> for View {
            fn from(page: page::$module::$name) -> Self {
                Self::$name(Box::new(page))
            }
        })*
    };
}

views! {
    /// Sign-in.
    SignIn: sign_in,
    /// On to another organization to sign in.
    SentOn: sent_on,
    /// Back from there.
    SentBack: sent_back,
    /// The second step.
    SecondFactor: second_factor,
    /// Adding a passkey.
    Passkey: passkey,
    /// Behind an invitation's link.
    Invitation: invitation,
    /// The way back in.
    Recovery: recovery,
    /// Whose record.
    PickPatient: pick_patient,
    /// Which visit.
    PickVisit: pick_visit,
    /// What an app may see.
    Consent: consent,
    /// My apps.
    Apps: apps,
    /// One of my apps.
    App: apps,
    /// Security of the account.
    Security: security,
    /// A new password.
    ChangePassword: security,
    /// An authenticator app.
    AuthenticatorSetup: security,
    /// Recovery codes, once.
    RecoveryCodes: security,
    /// A clinician opens an app.
    Launch: launch,
    /// A record in an emergency.
    Emergency: emergency,
    /// Emergencies, for privacy officers.
    Cases: cases,
    /// One of them.
    CaseReview: cases,
    /// The facility's apps.
    Clients: clients,
    /// One of the facility's apps.
    Client: clients,
    /// A new app.
    ClientRegistration: clients,
    /// A new app's secret, once.
    ClientRegistered: clients,
    /// Communities and the organizations that joined.
    Partners: partners,
    /// Who saw my record.
    Seen: seen,
    /// What I share.
    Choices: choices,
    /// A new choice of it.
    ChoiceForm: choices,
    /// What a choice would do.
    ChoicePreview: choices,
    /// What waits for a privacy officer.
    Officer: officer,
    /// The log, searched.
    Events: officer,
    /// One event.
    EventDetail: officer,
    /// Unusual access.
    Unusual: officer,
    /// One of them.
    UnusualOne: officer,
    /// Something was done.
    Done: done,
    /// Something does not go.
    Problem: problem,
}
