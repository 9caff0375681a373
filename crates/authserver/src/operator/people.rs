//! Accounts, as the operator of this machine looks after them. Rows B26, F16.

use crate::{
    ClientError,
    event::Event,
    people::account::{Account, AccountError, NewAccount},
    service::{Inner, Service},
};
use audit::entry::Action;
use std::sync::Arc;

impl From<ClientError> for AccountError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unavailable(why) => Self::Unavailable(why),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl Service {
    /// Makes an account and an invitation to take it up: a link that is shown once. What the account is bound to was
    /// checked by the caller, who knows the FHIR service. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn add_user(&self, new: &NewAccount) -> Result<(Arc<Account>, String), AccountError> {
        let inner = &self.inner;
        let account =
            inner.people.add(new, &mut |account| inner.recorded_user("user-added", Action::Create, account))?;
        let link = self.invited(&account.id)?;
        Ok((account, link))
    }

    /// Invites somebody (by user name or id) to take their account up, or to set it up anew. The link is shown once; an
    /// older one no longer works. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn invite_user(&self, name: &str) -> Result<String, AccountError> {
        let account = self.inner.people.named(name).ok_or(AccountError::NotFound)?;
        self.invited(&account.id)
    }

    fn invited(&self, id: &str) -> Result<String, AccountError> {
        let inner = &self.inner;
        let record = &mut |account: &Account| inner.recorded_user("user-invited", Action::Update, account);
        let secret = inner.people.invite(id, record)?;
        let (path, field) = (pages::paths::INVITATION, pages::fields::INVITATION);
        Ok(format!("{}{path}?{field}={secret}", inner.endpoints.issuer))
    }

    /// Disables an account (by user name or id), ends its sessions and what it let apps have; or lets it be used again.
    /// Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn set_user_disabled(&self, name: &str, disabled: bool) -> Result<(), AccountError> {
        let inner = &self.inner;
        let account = inner.people.named(name).ok_or(AccountError::NotFound)?;
        let subtype = if disabled { "user-disabled" } else { "user-enabled" };
        let record = &mut |account: &Account| inner.recorded_user(subtype, Action::Update, account);
        inner.people.set_disabled(&account.id, disabled, record)?;
        if disabled {
            inner.end_glasses_of(&account.id)?;
            // Who is enabled again lets their apps in again.
            let ended = inner.end_all_of(&account.id, None);
            inner.tokens.revoke_user(&account.id)?;
            ended?;
        }
        Ok(())
    }

    /// Gives a clinician (by user name or id) the right to break the glass, or takes it: what they have open ends then.
    /// Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn set_user_break_glass(&self, name: &str, may: bool) -> Result<(), AccountError> {
        let inner = &self.inner;
        let account = inner.people.named(name).ok_or(AccountError::NotFound)?;
        let subtype = if may { "user-break-glass-granted" } else { "user-break-glass-withdrawn" };
        let record = &mut |account: &Account| inner.recorded_user(subtype, Action::Update, account);
        inner.people.set_break_glass(&account.id, may, record)?;
        if may { Ok(()) } else { inner.end_glasses_of(&account.id) }
    }

    /// Binds a subject of an outside OpenID provider to an account (by user name or id): whoever that provider vouches for
    /// is this person. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn bind_user(&self, name: &str, issuer: &str, subject: &str) -> Result<(), AccountError> {
        let inner = &self.inner;
        let account = inner.people.named(name).ok_or(AccountError::NotFound)?;
        let record = &mut |account: &Account| {
            let more = [("issuer", issuer), ("subject", subject)];
            inner.recorded_user_with("user-bound", Action::Update, account, &more)
        };
        inner.people.bind_outside(&account.id, issuer, subject, record)
    }

    /// Takes all subjects of outside providers from an account and ends its sessions; how many there were. Recorded. Blocks
    /// on the disk.
    ///
    /// # Errors
    /// [`AccountError`].
    pub fn unbind_user(&self, name: &str) -> Result<usize, AccountError> {
        let inner = &self.inner;
        let account = inner.people.named(name).ok_or(AccountError::NotFound)?;
        let record = &mut |account: &Account| inner.recorded_user("user-unbound", Action::Update, account);
        inner.people.unbind_outside(&account.id, record)
    }

    /// All accounts, oldest first.
    #[must_use]
    pub fn users(&self) -> Vec<Arc<Account>> {
        self.inner.people.all()
    }
}

impl Inner {
    /// Ends what somebody has open who may not have it any more; each end has its entry.
    fn end_glasses_of(&self, id: &str) -> Result<(), AccountError> {
        for case in self.glasses.end_all_of(id, self.now().unix_seconds())? {
            let mut event = Event::new("break-glass-ended", Action::Update);
            event.detail("case", &case.id);
            event.detail("user", &case.user);
            event.about(&[Arc::clone(&case.patient)]);
            self.operator_did(event)?;
        }
        Ok(())
    }

    fn recorded_user(&self, subtype: &'static str, action: Action, account: &Account) -> Result<(), AccountError> {
        self.recorded_user_with(subtype, action, account, &[])
    }

    fn recorded_user_with(
        &self,
        subtype: &'static str,
        action: Action,
        account: &Account,
        more: &[(&'static str, &str)],
    ) -> Result<(), AccountError> {
        let mut event = Event::new(subtype, action);
        event.detail("user", &account.id);
        event.detail("user_name", &account.login);
        event.detail("role", account.role.as_str());
        if let Some(fhir_user) = &account.fhir_user {
            event.detail("fhir_user", fhir_user);
        }
        for (name, value) in more {
            event.detail(name, value);
        }
        Ok(self.operator_did(event)?)
    }
}
