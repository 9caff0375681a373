//! Pages for people: sign-in, consent, my apps and their kin, as HTML in English and Spanish.
//!
//! Pure: a page is a struct with what the caller knows; text goes in, text comes out. No network, no clock, no
//! randomness, nothing known of the other crates. Values from outside are words ([`Text`]), ids ([`Literal`]) or
//! secrets ([`Secret`]) and cannot become markup. Rules of the house: `docs/pages.md`.

pub mod assets;
mod facts;
pub mod fields;
mod frame;
pub mod headers;
mod html;
mod language;
pub mod limits;
mod moment;
mod page;
mod parts;
pub mod paths;
mod qr;
mod render;
mod text;
mod texts;
mod view;
pub mod words;

pub use facts::{AppFacts, Checked, Ends, GrantFacts, Lasts, PatientFacts, Relation};
pub use frame::{Frame, Place, Signed};
pub use language::{COOKIE as LANGUAGE_COOKIE, Language};
pub use moment::{Date, Moment};
pub use page::{
    apps::{App, Apps, Ended},
    cases::{Act, CaseFacts, CaseReview, CaseState, CaseVerdict, Cases, LookFacts, MayJudge, ReviewFacts},
    choices::{
        ChoiceDraft, ChoiceFacts, ChoiceForm, ChoiceMatter, ChoiceParty, ChoicePreview, ChoiceProblem, ChoiceState,
        ChoiceStep, ChoiceWhat, ChoiceWho, ChoiceWords, Choices, ChoicesNotice, EntryFacts, KINDS, WatchedFacts,
    },
    clients::{
        Client, ClientFacts, ClientKind, ClientRegistered, ClientRegistration, Clients, Registered,
        RegistrationProblem, RegistrationReason, ReturnReason, SecretFacts,
    },
    consent::Consent,
    done::{Done, DoneWhat, Next},
    emergency::{Emergency, EmergencyReason, EmergencyStep, OpenRecord},
    invitation::{Invitation, InvitationRole, NewPasswordProblem},
    launch::{EncounterFacts, IntentFacts, Launch, LaunchStep, OpenableApp, Opening, VisitKind},
    officer::{
        EventAsked, EventDetail, EventFacts, Events, EventsProblem, NoteProblem, Officer, OfficerQueue, Unusual,
        UnusualFacts, UnusualOne, UnusualRule, UnusualVerdict,
    },
    partners::{CertificateLife, CommunityFacts, PartnerFacts, PartnerState, Partners},
    passkey::Passkey,
    pick_patient::PickPatient,
    pick_visit::PickVisit,
    problem::{Problem, ProblemWhat},
    recovery::{Recovery, RecoveryStep},
    second_factor::{CodeProblem, CodeWay, SecondFactor},
    security::{
        AuthenticatorSetup, ChangePassword, OutsideFacts, PasskeyFacts, RecoveryCodes, Security, SecurityNotice,
        SessionFacts,
    },
    seen::{Seen, SeenDay, SeenDeed, SeenLine, SeenRole, SeenWho},
    sent_back::SentBack,
    sent_on::SentOn,
    sign_in::{Provider, SignIn, SignInReason},
};
pub use render::page;
pub use text::{Literal, Secret, Text};
pub use view::View;
