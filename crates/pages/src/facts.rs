//! What several pages show: an app, a patient, how long something lasts.

use crate::{Date, Literal, Moment, Text, words::Scope};
use std::fmt;

/// An app, as far as a person needs to know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AppFacts {
    /// As registered.
    pub name: Text,
    /// Who makes it.
    pub maker: Option<Text>,
    /// The host that a person goes back to, `app.example`; for a native app its scheme.
    pub returns_to: Option<Text>,
    /// Path of the logo on this server (`/account/logo/…`); another address is not shown (rows A18, F60).
    pub logo: Option<Literal>,
    /// Whether someone looked at it.
    pub checked: Checked,
    /// What the maker says that it is for.
    pub purpose: Option<Text>,
}

/// Whether this facility stands behind an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// This facility has looked at it.
    ByFacility,
    /// Nobody has: it registered itself, or was not marked.
    ByNobody,
}

/// A patient in a list or a headline.
#[derive(Clone, PartialEq, Eq)]
pub struct PatientFacts {
    /// Logical id.
    pub id: Literal,
    /// Name as usual.
    pub name: Text,
    /// Birthday: tells two of the same name apart.
    pub born: Option<Date>,
    /// More to tell them apart: a room, the end of a record number.
    pub detail: Option<Text>,
    /// What the person at the page is to them.
    pub relation: Option<Relation>,
}

/// Birthdays are PHI as names are (invariant 11).
impl fmt::Debug for PatientFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientFacts").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What someone is to a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It is their own record.
    Oneself,
    /// They care for the patient.
    Caregiver,
}

/// How long an app may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// While the person uses it: no refresh token, or one that dies with the session.
    Now,
    /// So many days, also while nobody uses it (`offline_access`).
    Days(u32),
    /// Until the person ends it.
    UntilEnded,
}

impl Lasts {
    /// Value of the field [`crate::fields::LASTS`]: `now`, `90`, `until-ended`.
    #[must_use]
    pub fn value(self) -> String {
        match self {
            Self::Now => "now".to_owned(),
            Self::Days(days) => days.to_string(),
            Self::UntilEnded => "until-ended".to_owned(),
        }
    }

    /// Which of the offered ones a form's value means; `None` when it was not offered.
    #[must_use]
    pub fn among(offered: &[Self], value: &str) -> Option<Self> {
        offered.iter().copied().find(|lasts| lasts.value() == value)
    }
}

/// When an app's access ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// With the session in which it was given.
    WithSession,
    /// On this day.
    On(Date),
    /// Not before somebody ends it.
    Never,
}

/// What a person lets one app see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantFacts {
    /// Id of the consent.
    pub id: Literal,
    /// The app.
    pub app: AppFacts,
    /// Whose record; `None`: those that the person may see.
    pub patient: Option<Text>,
    /// Since when.
    pub since: Date,
    /// The last request; `None`: never yet.
    pub last_used: Option<Moment>,
    /// Until when.
    pub ends: Ends,
    /// What was granted.
    pub scopes: Vec<Scope>,
}
