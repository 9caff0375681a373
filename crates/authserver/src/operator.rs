//! What the operator of this machine does: clients and keys; `people`: accounts. Each act is recorded. Calls block on
//! the disk.

mod people;

use crate::{
    client::{Client, ClientError, Keys, NewClient},
    event::Event,
    random,
    service::{Inner, Service},
};
use audit::entry::Action;
use std::sync::Arc;

impl Service {
    /// Registers a client; recorded in the audit log. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn add_client(&self, new: &NewClient) -> Result<Arc<Client>, ClientError> {
        let inner = &self.inner;
        let id = random::name().map_err(|_| ClientError::Unavailable("no randomness".into()))?;
        let client = Client::register(new, id, inner.now(), &*inner.enforceable)?;
        let mut event = Event::new("client-added", Action::Create);
        inner.clients.add(client, |client| {
            event.detail("client_id", &client.id);
            event.detail("name", &client.name);
            event.detail("scope", &client.scope_text);
            inner.operator_did(event)
        })
    }

    /// Removes a client; its tokens stop working with the next request. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]. When the record fails, the client is removed all the same.
    pub fn remove_client(&self, id: &str) -> Result<(), ClientError> {
        let inner = &self.inner;
        let client = inner.clients.remove(id)?;
        let revoked = inner.tokens.revoke_all(id);
        if let Keys::Url(url) = &client.keys {
            inner.sources.forget(url);
        }
        let mut event = Event::new("client-removed", Action::Delete);
        event.detail("client_id", id);
        event.detail("name", &client.name);
        event.detail("tokens_revoked", &revoked.as_ref().map_or(0, |count| *count).to_string());
        inner.operator_did(event)?;
        revoked?;
        Ok(())
    }

    /// Disables a client and revokes its tokens, or lets it work again. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_client_disabled(&self, id: &str, disabled: bool) -> Result<(), ClientError> {
        let inner = &self.inner;
        let mut event = Event::new(if disabled { "client-disabled" } else { "client-enabled" }, Action::Update);
        event.detail("client_id", id);
        inner.clients.set_disabled(id, disabled, |client| {
            event.detail("name", &client.name);
            inner.operator_did(event)
        })?;
        if disabled {
            inner.tokens.revoke_all(id)?;
        }
        Ok(())
    }

    /// Makes new signing keys; the old ones stay published for the overlap. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError::Unavailable`].
    pub fn rotate_keys(&self) -> Result<(), ClientError> {
        let inner = &self.inner;
        let names = inner.keys.rotate(inner.now()).map_err(|why| ClientError::Unavailable(format!("{why:?}")))?;
        let mut event = Event::new("keys-rotated", Action::Update);
        names.iter().for_each(|name| event.detail("kid", name));
        inner.operator_did(event)
    }
}

impl Inner {
    /// Records what the operator of this machine did.
    pub(crate) fn operator_did(&self, mut event: Event) -> Result<(), ClientError> {
        event.client_id = Some("operator".into());
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        let entry = event.entry(None, self.now(), None, request_id);
        self.recorder.record(&entry).map(drop).map_err(|why| ClientError::Unavailable(why.to_string()))
    }
}
