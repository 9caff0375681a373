//! What the operator of this machine does with accounts. `record` writes the audit entry, and without it nothing is done.

use super::{
    People,
    account::{Account, AccountError, NewAccount, State},
    credentials::{self, Until},
    recovery,
};
use crate::limits::people as limits;
use oauth::caller::Role;
use std::sync::Arc;

/// Whoever calls writes the entry here.
type Record<'a> = &'a mut dyn FnMut(&Account) -> Result<(), AccountError>;

impl People {
    /// All accounts, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        self.accounts.all()
    }

    /// The account of this user name or id.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Account>> {
        let of_login = super::account::login(name).and_then(|login| self.accounts.of_login(&login));
        of_login.or_else(|| self.accounts.get(name)).map(|record| Arc::clone(&record.account))
    }

    /// Makes an account, which nobody can use before its invitation.
    pub(crate) fn add(&self, new: &NewAccount, record: Record<'_>) -> Result<Arc<Account>, AccountError> {
        self.accounts.add(new, (self.clock)(), record)
    }

    /// Invites somebody to take the account up, or to set it up anew: what they had to sign in with works until the
    /// invitation is taken. An older invitation is gone. What goes to the person is shown once; the account's state is
    /// as before.
    pub(crate) fn invite(&self, id: &str, record: Record<'_>) -> Result<String, AccountError> {
        let secret = recovery::invitation().map_err(|_| AccountError::Unavailable("no randomness".into()))?;
        let ends_s = self.now_s() + limits::INVITATION_LIFE_S;
        self.accounts.change(id, |row| {
            if row.account.state == State::Disabled {
                return Err(AccountError::Invalid("the account is disabled; enable it first".into()));
            }
            record(&row.account)?;
            row.credentials.invitation = Some(Until { hash: credentials::hash(&secret), ends_s });
            Ok(())
        })?;
        Ok(secret)
    }

    /// Gives a clinician the right to break the glass, or takes it.
    pub(crate) fn set_break_glass(&self, id: &str, may: bool, record: Record<'_>) -> Result<(), AccountError> {
        self.accounts.change(id, |row| {
            if may && row.account.role != Role::Clinician {
                return Err(AccountError::Invalid("only clinicians break the glass".into()));
            }
            record(&row.account)?;
            row.set_break_glass(may);
            Ok(())
        })
    }

    /// Disables an account: its sessions end, and [`People::works`] says no. Or lets it be used again.
    pub(crate) fn set_disabled(&self, id: &str, disabled: bool, record: Record<'_>) -> Result<(), AccountError> {
        self.accounts.change(id, |row| {
            record(&row.account)?;
            let is_empty = row.credentials.is_empty();
            row.set_state(match disabled {
                true => State::Disabled,
                false if is_empty => State::Invited,
                false => State::Active,
            });
            if disabled {
                row.credentials.invitation = None;
            }
            Ok::<_, AccountError>(())
        })?;
        if disabled {
            self.sessions.end_all(id, None)?;
        }
        Ok(())
    }
}
