//! Accounts: people who may sign in, and what of the record they are. SPEC: rows B25, B26, B53, B54.
//!
//! An id is random and never used again. A patient's account is bound to their Patient; a caregiver's to a RelatedPerson,
//! or to a Person who links to several; a clinician's to a Practitioner or PractitionerRole. Whom a caregiver or a
//! clinician has to do with is what the record says of these at each request (`policy`); patients that a caregiver's
//! account names narrow that. Whether the resources exist is checked where the FHIR service is known: in the binary.

use super::credentials::Credentials;
use crate::{limits::people as limits, tables::Unavailable};
use fhir::{Instant, LogicalId};
use oauth::caller::{Role, User};
use std::{fmt, sync::Arc};
use unicode_normalization::UnicodeNormalization;

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made, and not yet taken up: there is nothing to sign in with.
    Invited,
    /// In use.
    Active,
    /// Disabled by the operator: no sign-in, no session, no token.
    Disabled,
}

impl State {
    /// As it is kept and listed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// Reads [`State::as_str`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Invited, Self::Active, Self::Disabled].into_iter().find(|state| state.as_str() == text)
    }
}

/// Somebody who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// `sub`: opaque, never used again.
    pub id: Arc<str>,
    /// What they type to sign in: normal form of [`login`].
    pub login: Arc<str>,
    /// Their name, for people.
    pub name: Arc<str>,
    /// What they may see at most.
    pub role: Role,
    /// The resource that stands for them, as a relative reference.
    pub fhir_user: Option<Arc<str>>,
    /// Logical ids of the Patients that they are bound to.
    pub patients: Arc<[Arc<str>]>,
    /// Whether they have the right to break the glass (row F49); clinicians alone.
    pub may_break_glass: bool,
    /// Whether it can be used.
    pub state: State,
    /// When it was made.
    pub created: Instant,
}

impl Account {
    /// The person as a grant has them.
    #[must_use]
    pub fn user(&self) -> User {
        User {
            id: Arc::clone(&self.id),
            name: Arc::clone(&self.name),
            role: self.role,
            fhir_user: self.fhir_user.clone(),
            patients: Arc::clone(&self.patients),
            glasses: Arc::default(),
            may_break_glass: false,
        }
    }

    /// Whether signing in takes a passkey or two factors: for those who can see or change what is not their own.
    #[must_use]
    pub const fn needs_two_factors(&self) -> bool {
        !matches!(self.role, Role::Patient | Role::Caregiver)
    }
}

/// An account as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// What they type to sign in.
    pub login: String,
    /// Their name, for people.
    pub name: String,
    /// What they may see at most.
    pub role: Role,
    /// The resource that stands for them: `Practitioner/123`.
    pub fhir_user: Option<String>,
    /// Logical ids of the Patients that they are bound to: a patient's own; for a caregiver those to whom the account is
    /// narrowed, none: it is not.
    pub patients: Vec<String>,
}

/// Why an account could not be made or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountError {
    /// What was asked for is not possible; why.
    Invalid(String),
    /// The user name is taken.
    Taken,
    /// Another account is bound to this subject of an outside provider.
    SubjectTaken,
    /// There is no such account.
    NotFound,
    /// The table or the audit log does not take it; the text is for the log.
    Unavailable(String),
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(why) => f.write_str(why),
            Self::Taken => f.write_str("another account has this user name"),
            Self::SubjectTaken => f.write_str("another account is bound to this subject"),
            Self::NotFound => f.write_str("there is no such account"),
            Self::Unavailable(_) => f.write_str("the server cannot do this at the moment"),
        }
    }
}

impl std::error::Error for AccountError {}

impl From<Unavailable> for AccountError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

/// An account with what proves that it is them: a row of the table.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) account: Arc<Account>,
    pub(crate) credentials: Credentials,
}

impl Record {
    /// Changes the user name, given in its normal form.
    pub(crate) fn set_login(&mut self, login: &str) {
        self.account = Arc::new(Account { login: login.into(), ..Account::clone(&self.account) });
    }

    /// Gives or takes the right to break the glass.
    pub(crate) fn set_break_glass(&mut self, may_break_glass: bool) {
        self.account = Arc::new(Account { may_break_glass, ..Account::clone(&self.account) });
    }

    /// Changes the account itself.
    pub(crate) fn set_state(&mut self, state: State) {
        self.account = Arc::new(Account { state, ..Account::clone(&self.account) });
    }
}

/// The normal form of a user name as typed: NFKC, lower case, no blanks around. `None`: no user name at all.
pub(crate) fn login(typed: &str) -> Option<String> {
    if typed.len() > limits::LOGIN_BYTES_MAX {
        return None;
    }
    let normal: String = typed.trim().nfkc().collect::<String>().to_lowercase();
    let is_fine = |c: char| c.is_alphanumeric() || ".-_@+'".contains(c);
    (normal.chars().count() >= 2 && normal.len() <= limits::LOGIN_BYTES_MAX && normal.chars().all(is_fine))
        .then_some(normal)
}

impl NewAccount {
    /// The account, when all of it fits together.
    pub(crate) fn check(&self, id: String, now: Instant) -> Result<Account, AccountError> {
        let invalid = |why: &str| Err(AccountError::Invalid(why.into()));
        let Some(login) = login(&self.login) else {
            return invalid("a user name has 2 to 200 letters, digits and . - _ @ + '");
        };
        let name = self.name.trim();
        if name.is_empty() || name.len() > limits::PERSON_NAME_BYTES_MAX || name.chars().any(char::is_control) {
            return invalid("a person's name has 1 to 200 bytes, without control characters");
        }
        if self.patients.len() > limits::ACCOUNT_PATIENTS_MAX {
            return invalid("an account is bound to 50 patients at most");
        }
        if self.patients.iter().any(|id| LogicalId::parse(id).is_err()) {
            return invalid("a patient is named by its logical id");
        }
        let resource_type = match self.fhir_user.as_deref().map(|reference| reference.split_once('/')) {
            None => None,
            Some(Some((resource_type, id))) if LogicalId::parse(id).is_ok() => Some(resource_type),
            Some(_) => return invalid("the resource of a person is named as Type/id"),
        };
        match (self.role, resource_type) {
            (Role::Patient, Some("Patient")) => {
                let own = self.fhir_user.as_deref().and_then(|reference| reference.strip_prefix("Patient/"));
                if self.patients.iter().map(String::as_str).ne(own) {
                    return invalid("a patient's account is bound to that patient and no other");
                }
            }
            (Role::Patient, _) => return invalid("a patient's account is bound to a Patient"),
            (Role::Caregiver, Some("RelatedPerson" | "Person")) => {}
            (Role::Caregiver, _) => return invalid("a caregiver's account is bound to a RelatedPerson or a Person"),
            (_, None | Some("Practitioner" | "PractitionerRole")) if !self.patients.is_empty() => {
                return invalid("staff are not bound to patients");
            }
            (Role::Clinician, Some("Practitioner" | "PractitionerRole")) => {}
            (Role::Clinician, _) => {
                return invalid("a clinician's account is bound to a Practitioner or PractitionerRole");
            }
            (_, None | Some("Practitioner" | "PractitionerRole")) => {}
            _ => return invalid("staff are bound to a Practitioner, a PractitionerRole, or to nobody"),
        }
        Ok(Account {
            id: id.into(),
            login: login.into(),
            name: name.into(),
            role: self.role,
            fhir_user: self.fhir_user.as_deref().map(Into::into),
            patients: self.patients.iter().map(|id| id.as_str().into()).collect(),
            may_break_glass: false,
            state: State::Invited,
            created: now,
        })
    }
}

#[cfg(test)]
mod tests;
