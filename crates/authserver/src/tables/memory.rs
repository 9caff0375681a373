//! Tables in memory for unit tests. A clone shares the rows: opening a service on it again is a restart.

use super::{Rows, Table, Tables, Unavailable};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

#[derive(Default)]
pub(crate) struct Memory {
    rows: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// While set, changes fail as on a full disk.
    pub(crate) full: AtomicBool,
}

impl Memory {
    pub(crate) fn all_keys(&self) -> Vec<Vec<u8>> {
        self.rows.lock().unwrap().keys().cloned().collect()
    }

    fn writable(&self) -> Result<(), Unavailable> {
        if self.full.load(Ordering::Relaxed) { Err(Unavailable("no space left".into())) } else { Ok(()) }
    }
}

impl Table for Memory {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.rows.lock().unwrap().get(key).cloned())
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Unavailable> {
        self.writable()?;
        self.rows.lock().unwrap().insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn insert_new(&self, key: &[u8], value: &[u8]) -> Result<bool, Unavailable> {
        self.writable()?;
        let mut rows = self.rows.lock().unwrap();
        let new = !rows.contains_key(key);
        if new {
            rows.insert(key.to_vec(), value.to_vec());
        }
        Ok(new)
    }

    fn remove_all(&self, keys: &[Vec<u8>]) -> Result<(), Unavailable> {
        self.writable()?;
        let mut rows = self.rows.lock().unwrap();
        keys.iter().for_each(|key| drop(rows.remove(key)));
        Ok(())
    }

    fn all(&self) -> Result<Rows, Unavailable> {
        Ok(self.rows.lock().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

/// One set of tables, each of its own type so that a test can reach in.
#[derive(Clone, Default)]
pub(crate) struct MemoryTables {
    pub(crate) clients: Arc<Memory>,
    pub(crate) client_invitations: Arc<Memory>,
    pub(crate) tokens: Arc<Memory>,
    pub(crate) assertions: Arc<Memory>,
    pub(crate) keys: Arc<Memory>,
    pub(crate) accounts: Arc<Memory>,
    pub(crate) sessions: Arc<Memory>,
    pub(crate) codes: Arc<Memory>,
    pub(crate) requests: Arc<Memory>,
    pub(crate) families: Arc<Memory>,
    pub(crate) launches: Arc<Memory>,
    pub(crate) glasses: Arc<Memory>,
    pub(crate) open_glasses: Arc<Memory>,
    pub(crate) communities: Arc<Memory>,
    pub(crate) identity_providers: Arc<Memory>,
}

impl MemoryTables {
    pub(crate) fn tables(&self) -> Tables {
        Tables {
            clients: self.clients.clone(),
            client_invitations: self.client_invitations.clone(),
            tokens: self.tokens.clone(),
            assertions: self.assertions.clone(),
            keys: self.keys.clone(),
            accounts: self.accounts.clone(),
            sessions: self.sessions.clone(),
            codes: self.codes.clone(),
            requests: self.requests.clone(),
            families: self.families.clone(),
            launches: self.launches.clone(),
            glasses: self.glasses.clone(),
            open_glasses: self.open_glasses.clone(),
            communities: self.communities.clone(),
            identity_providers: self.identity_providers.clone(),
        }
    }
}
