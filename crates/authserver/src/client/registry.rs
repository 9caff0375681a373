//! The registered clients: a table, and a copy in memory that requests read without a lock.

use super::{Client, ClientError, Kind, Secret, Unfit, record};
use crate::{
    limits,
    tables::{Table, Unavailable},
};
use arc_swap::ArcSwap;
use fhir::Instant;
use oauth::{caller::Standing, redirect_uri::RedirectUri, udap::purpose::Purpose};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[derive(Default, Clone)]
struct Copy {
    by_id: HashMap<Arc<str>, Arc<Client>>,
    origins: HashSet<String>,
    /// Those of trust communities, by community and URI.
    udap: HashMap<(Arc<str>, Arc<str>), Arc<Client>>,
    /// Those that work and call without a token.
    callers: Arc<[Arc<Client>]>,
}

impl Copy {
    fn of(clients: impl Iterator<Item = Arc<Client>>) -> Self {
        let by_id: HashMap<_, _> = clients.map(|client| (Arc::clone(&client.id), client)).collect();
        let working = by_id.values().filter(|client| client.works());
        let origins = working.flat_map(|client| {
            // Row A13: where an app is sent back to, it runs.
            let redirects = client.redirect_uris.iter().filter_map(RedirectUri::origin);
            client.origins.iter().cloned().chain(redirects).collect::<Vec<_>>()
        });
        let origins = origins.collect();
        let calls = |client: &&Arc<Client>| client.calls_without_token && client.works() && !client.is_app();
        let callers = by_id.values().filter(calls).cloned().collect();
        let key = |client: &Arc<Client>| {
            let udap = client.kind.udap()?;
            Some(((Arc::clone(&udap.community), Arc::clone(&udap.uri)), Arc::clone(client)))
        };
        let udap = by_id.values().filter_map(key).collect();
        Self { by_id, origins, udap, callers }
    }
}

/// The clients.
pub(crate) struct Registry {
    table: Arc<dyn Table>,
    copy: ArcSwap<Copy>,
    writing: Mutex<()>,
}

impl Registry {
    /// Reads the table.
    pub(crate) fn open(table: Arc<dyn Table>) -> Result<Self, Unavailable> {
        let rows = table.all()?;
        let mut clients = Vec::with_capacity(rows.len());
        for (id, row) in rows {
            let client = record::decode(&id, &row);
            clients.push(Arc::new(client.ok_or_else(|| Unavailable("a client's row is malformed".into()))?));
        }
        Ok(Self { table, copy: ArcSwap::from_pointee(Copy::of(clients.into_iter())), writing: Mutex::new(()) })
    }

    /// The client of this id, disabled or not.
    pub(crate) fn client(&self, id: &str) -> Option<Arc<Client>> {
        self.copy.load().by_id.get(id).cloned()
    }

    /// Whether a client of this id may have tokens.
    pub(crate) fn works(&self, id: &str) -> bool {
        self.copy.load().by_id.get(id).is_some_and(|client| client.works())
    }

    /// What a client is to the facility, now; `None`: there is no such client.
    pub(crate) fn standing_of(&self, id: &str) -> Option<Standing> {
        self.copy.load().by_id.get(id).map(|client| client.standing)
    }

    /// What a system was registered to act for; `None`: nothing was said.
    pub(crate) fn purposes_of(&self, id: &str) -> Option<Arc<[Purpose]>> {
        let copy = self.copy.load();
        copy.by_id.get(id).map(|client| &client.purposes_of_use).filter(|purposes| !purposes.is_empty()).cloned()
    }

    /// All, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Client>> {
        let mut clients: Vec<_> = self.copy.load().by_id.values().cloned().collect();
        clients.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        clients
    }

    /// The systems that work and may call without a token.
    pub(crate) fn callers_without_token(&self) -> Arc<[Arc<Client>]> {
        Arc::clone(&self.copy.load().callers)
    }

    /// Whether a client that works names this origin.
    pub(crate) fn knows_origin(&self, origin: &str) -> bool {
        self.copy.load().origins.contains(origin)
    }

    /// Adds a client. `record` is called when it is on stable storage and before it works; when that fails, the
    /// change is taken back.
    pub(crate) fn add(
        &self,
        client: Client,
        record: impl FnOnce(&Client) -> Result<(), ClientError>,
    ) -> Result<Arc<Client>, ClientError> {
        let _guard = self.lock();
        let copy = self.copy.load_full();
        if copy.by_id.len() >= limits::CLIENTS_MAX {
            return Err(ClientError::Invalid(Unfit::Full));
        }
        self.put(&copy, client, record)
    }

    /// All of trust communities, oldest first.
    pub(crate) fn of_communities(&self) -> Vec<Arc<Client>> {
        let mut clients: Vec<_> = self.copy.load().udap.values().cloned().collect();
        clients.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        clients
    }

    /// The client of this community with this URI, disabled or not.
    pub(crate) fn of_uri(&self, community: &str, uri: &str) -> Option<Arc<Client>> {
        self.copy.load().udap.get(&(community.into(), uri.into())).cloned()
    }

    /// Puts a client of a trust community in the place of the one with its URI, if there is one (row D18). `made` gets
    /// that one, and how many the community has; `record` as for [`Registry::add`].
    pub(crate) fn register(
        &self,
        community: &str,
        uri: &str,
        made: impl FnOnce(Option<&Client>, usize) -> Result<Client, ClientError>,
        record: impl FnOnce(&Client) -> Result<(), ClientError>,
    ) -> Result<Arc<Client>, ClientError> {
        let _guard = self.lock();
        let copy = self.copy.load_full();
        let before = copy.udap.get(&(community.into(), uri.into()));
        if before.is_none() && copy.by_id.len() >= limits::CLIENTS_MAX {
            return Err(ClientError::Invalid(Unfit::Full));
        }
        let others = copy.udap.keys().filter(|(of, _)| **of == *community).count();
        self.put(&copy, made(before.map(|client| &**client), others)?, record)
    }

    /// Disables a client or lets it work again; `record` as for [`Registry::add`].
    pub(crate) fn set_disabled(
        &self,
        id: &str,
        disabled: bool,
        record: impl FnOnce(&Client) -> Result<(), ClientError>,
    ) -> Result<Arc<Client>, ClientError> {
        self.change(id, |client| Ok(Client { disabled, ..client }), record)
    }

    /// Changes a client; `record` as for [`Registry::add`].
    pub(crate) fn change(
        &self,
        id: &str,
        changed: impl FnOnce(Client) -> Result<Client, ClientError>,
        record: impl FnOnce(&Client) -> Result<(), ClientError>,
    ) -> Result<Arc<Client>, ClientError> {
        let _guard = self.lock();
        let copy = self.copy.load_full();
        let client = copy.by_id.get(id).ok_or(ClientError::NotFound)?;
        self.put(&copy, changed(Client::clone(client))?, record)
    }

    /// Notes that a secret was used (row B12), once a day: it tells which of two can be retired.
    pub(crate) fn secret_used(&self, client: &Client, position: usize, now: Instant) -> Result<(), ClientError> {
        const DAY_S: i64 = 24 * 3600;
        let is_old =
            |secret: &Secret| secret.last_used.is_none_or(|used| now.unix_seconds() - used.unix_seconds() >= DAY_S);
        let Kind::ConfidentialSymmetric(secrets) = &client.kind else { return Ok(()) };
        let Some(used) = secrets.get(position).filter(|secret| is_old(secret)) else { return Ok(()) };
        let noted = |mut client: Client| {
            if let Kind::ConfidentialSymmetric(secrets) = &mut client.kind {
                // By its hash: the list may have changed meanwhile.
                secrets.iter_mut().filter(|secret| secret.hash == used.hash).for_each(|secret| {
                    secret.last_used = Some(now);
                });
            }
            Ok(client)
        };
        self.change(&client.id, noted, |_| Ok(())).map(drop)
    }

    fn put(
        &self,
        copy: &Copy,
        client: Client,
        record: impl FnOnce(&Client) -> Result<(), ClientError>,
    ) -> Result<Arc<Client>, ClientError> {
        let client = Arc::new(client);
        let key = client.id.as_bytes();
        self.table.put(key, &record::encode(&client))?;
        if let Err(error) = record(&client) {
            match copy.by_id.get(&client.id) {
                Some(before) => self.table.put(key, &record::encode(before))?,
                None => self.table.remove_all(&[key.to_vec()])?,
            }
            return Err(error);
        }
        let others = copy.by_id.values().filter(|other| other.id != client.id).cloned();
        self.copy.store(Arc::new(Copy::of(others.chain([Arc::clone(&client)]))));
        Ok(client)
    }

    /// Removes a client: it stops working at once, then the table hears of it.
    pub(crate) fn remove(&self, id: &str) -> Result<Arc<Client>, ClientError> {
        let _guard = self.lock();
        let copy = self.copy.load_full();
        let client = copy.by_id.get(id).cloned().ok_or(ClientError::NotFound)?;
        let remaining = Copy::of(copy.by_id.values().filter(|other| *other.id != *id).cloned());
        self.copy.store(Arc::new(remaining));
        if let Err(error) = self.table.remove_all(&[id.as_bytes().to_vec()]) {
            // It would be back after a restart: the operator must know that it is not removed.
            self.copy.store(copy);
            return Err(error.into());
        }
        Ok(client)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
