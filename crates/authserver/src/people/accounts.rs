//! All accounts: a table, and a copy in memory with the ways to find one. A change is on stable storage before it counts.

use super::{
    account::{Account, AccountError, NewAccount, Record, State},
    credentials::{Hash, OutsideIdentity},
    record,
};
use crate::{
    limits::people as limits,
    random,
    tables::{Table, Unavailable},
};
use fhir::Instant;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

#[derive(Default)]
struct Index {
    by_id: HashMap<Arc<str>, Arc<Record>>,
    by_login: HashMap<Arc<str>, Arc<str>>,
    by_invitation: HashMap<Hash, Arc<str>>,
    by_passkey: HashMap<Vec<u8>, Arc<str>>,
    by_subject: HashMap<(Arc<str>, Arc<str>), Arc<str>>,
}

impl Index {
    fn put(&mut self, record: Arc<Record>) {
        self.forget(&record.account.id);
        let id = &record.account.id;
        self.by_login.insert(Arc::clone(&record.account.login), Arc::clone(id));
        if let Some(invitation) = &record.credentials.invitation {
            self.by_invitation.insert(invitation.hash, Arc::clone(id));
        }
        for passkey in &record.credentials.passkeys {
            self.by_passkey.insert(passkey.id.clone(), Arc::clone(id));
        }
        for outside in &record.credentials.outside {
            self.by_subject.insert(outside.key(), Arc::clone(id));
        }
        self.by_id.insert(Arc::clone(id), record);
    }

    fn forget(&mut self, id: &str) {
        let Some(before) = self.by_id.remove(id) else { return };
        self.by_login.remove(&before.account.login);
        if let Some(invitation) = &before.credentials.invitation {
            self.by_invitation.remove(&invitation.hash);
        }
        for passkey in &before.credentials.passkeys {
            self.by_passkey.remove(&passkey.id);
        }
        for outside in &before.credentials.outside {
            self.by_subject.remove(&outside.key());
        }
    }
}

/// The accounts.
pub(crate) struct Accounts {
    table: Arc<dyn Table>,
    index: RwLock<Index>,
    /// One change at a time: each is a look, a row and the index.
    writing: Mutex<()>,
}

impl Accounts {
    /// Reads the table.
    pub(crate) fn open(table: Arc<dyn Table>) -> Result<Self, Unavailable> {
        let mut index = Index::default();
        for (id, row) in table.all()? {
            let record =
                record::decode(&id, &row).ok_or_else(|| Unavailable("an account's row is malformed".into()))?;
            index.put(Arc::new(record));
        }
        Ok(Self { table, index: RwLock::new(index), writing: Mutex::new(()) })
    }

    /// The account of this id.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Record>> {
        self.read().by_id.get(id).cloned()
    }

    /// The account of this user name, in its normal form.
    pub(crate) fn of_login(&self, login: &str) -> Option<Arc<Record>> {
        let index = self.read();
        index.by_login.get(login).and_then(|id| index.by_id.get(id)).cloned()
    }

    /// The account that was invited by this.
    pub(crate) fn of_invitation(&self, hash: &Hash) -> Option<Arc<Record>> {
        let index = self.read();
        index.by_invitation.get(hash).and_then(|id| index.by_id.get(id)).cloned()
    }

    /// The account with this passkey.
    pub(crate) fn of_passkey(&self, credential_id: &[u8]) -> Option<Arc<Record>> {
        let index = self.read();
        index.by_passkey.get(credential_id).and_then(|id| index.by_id.get(id)).cloned()
    }

    /// The account that this subject of this issuer is bound to.
    pub(crate) fn of_outside(&self, issuer: &str, subject: &str) -> Option<Arc<Record>> {
        let index = self.read();
        let key = (Arc::from(issuer), Arc::from(subject));
        index.by_subject.get(&key).and_then(|id| index.by_id.get(id)).cloned()
    }

    /// All, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Account>> {
        let mut accounts: Vec<_> = self.read().by_id.values().map(|record| Arc::clone(&record.account)).collect();
        accounts.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        accounts
    }

    /// Adds an account; `record` is called when it is on stable storage and before it can be used. When that fails,
    /// the change is taken back.
    pub(crate) fn add(
        &self,
        new: &NewAccount,
        now: Instant,
        record: impl FnOnce(&Account) -> Result<(), AccountError>,
    ) -> Result<Arc<Account>, AccountError> {
        let id = random::name().map_err(|_| AccountError::Unavailable("no randomness".into()))?;
        let account = Arc::new(new.check(id, now)?);
        let _guard = self.lock();
        {
            let index = self.read();
            if index.by_id.len() >= limits::ACCOUNTS_MAX {
                return Err(AccountError::Invalid("there are 200,000 accounts already".into()));
            }
            if index.by_login.contains_key(&account.login) {
                return Err(AccountError::Taken);
            }
        }
        let row = Record { account: Arc::clone(&account), credentials: Default::default() };
        self.table.put(account.id.as_bytes(), &record::encode(&row))?;
        if let Err(error) = record(&account) {
            self.table.remove_all(&[account.id.as_bytes().to_vec()])?;
            return Err(error);
        }
        self.write().put(Arc::new(row));
        Ok(account)
    }

    /// Changes a record; on stable storage when this returns. `change` may refuse, and then nothing happens; what it
    /// returns comes back. One change sees what the one before left, so that what may be used once is used once.
    pub(crate) fn change<T, E: From<AccountError>>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Record) -> Result<T, E>,
    ) -> Result<T, E> {
        let _guard = self.lock();
        let mut record = self.get(id).map(|record| Record::clone(&record)).ok_or(AccountError::NotFound)?;
        let before: Vec<Vec<u8>> = record.credentials.passkeys.iter().map(|passkey| passkey.id.clone()).collect();
        let done = change(&mut record)?;
        // SPEC: WebAuthn section 7.1 step 26: a credential id belongs to one account.
        let added = record.credentials.passkeys.iter().filter(|passkey| !before.contains(&passkey.id));
        if added.into_iter().any(|passkey| self.of_passkey(&passkey.id).is_some()) {
            return Err(AccountError::Taken.into());
        }
        // A subject vouches for one account.
        let is_anothers = |outside: &OutsideIdentity| {
            self.of_outside(&outside.issuer, &outside.subject).is_some_and(|other| *other.account.id != *id)
        };
        if record.credentials.outside.iter().any(is_anothers) {
            return Err(AccountError::SubjectTaken.into());
        }
        if self.of_login(&record.account.login).is_some_and(|other| *other.account.id != *id) {
            return Err(AccountError::Taken.into());
        }
        self.table.put(id.as_bytes(), &record::encode(&record)).map_err(AccountError::from)?;
        self.write().put(Arc::new(record));
        Ok(done)
    }

    /// Whether the account may sign in and act.
    pub(crate) fn works(&self, id: &str) -> bool {
        self.get(id).is_some_and(|record| record.account.state == State::Active)
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
