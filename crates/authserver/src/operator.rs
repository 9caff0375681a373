//! What the operator of this machine does: clients and keys; `people`: accounts. Each act is recorded. Calls block on
//! the disk.

mod people;

use crate::{
    client::{Client, ClientError, Keys, Kind, NewClient, NewSecret, Secret, secret::SECRETS_MAX},
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
    pub fn add_client(&self, new: &NewClient) -> Result<Added, ClientError> {
        let inner = &self.inner;
        let id = random::name().map_err(no_randomness)?;
        let mut client = Client::register(new, id, inner.now(), &*inner.enforceable)?;
        let mut secret = None;
        if let Kind::ConfidentialSymmetric(secrets) = &mut client.kind {
            let (new, kept) = inner.new_secret(&client.id)?;
            secrets.push(kept);
            secret = Some(new);
        }
        let mut event = Event::new("client-added", Action::Create);
        let client = inner.clients.add(client, |client| {
            event.detail("client_id", &client.id);
            event.detail("name", &client.name);
            event.detail("kind", client.kind.name());
            event.detail("scope", &client.scope_text);
            for uri in &*client.redirect_uris {
                event.detail("redirect_uri", uri.as_str());
            }
            inner.operator_did(event)
        })?;
        Ok(Added { client, secret })
    }

    /// Makes another secret for a client; the newest one before stays live, older ones end (row B12). Recorded.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]; only a confidential symmetric client has secrets.
    pub fn new_client_secret(&self, id: &str) -> Result<NewSecret, ClientError> {
        let inner = &self.inner;
        let (new, kept) = inner.new_secret(id)?;
        let mut event = Event::new("client-secret-added", Action::Update);
        event.detail("client_id", id);
        inner.clients.change(
            id,
            |client| {
                with_secrets(client, |secrets| {
                    let surplus = (secrets.len() + 1).saturating_sub(SECRETS_MAX);
                    secrets.drain(..surplus.min(secrets.len()));
                    secrets.push(kept);
                })
            },
            |_| inner.operator_did(event),
        )?;
        Ok(new)
    }

    /// Ends all secrets of a client but the newest. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn retire_client_secrets(&self, id: &str) -> Result<(), ClientError> {
        let inner = &self.inner;
        let mut event = Event::new("client-secrets-retired", Action::Update);
        event.detail("client_id", id);
        inner.clients.change(
            id,
            |client| {
                with_secrets(client, |secrets| {
                    secrets.drain(..secrets.len().saturating_sub(1));
                })
            },
            |_| inner.operator_did(event),
        )?;
        Ok(())
    }

    /// Removes a client; its tokens stop working with the next request. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]. When the record fails, the client is removed all the same.
    pub fn remove_client(&self, id: &str) -> Result<(), ClientError> {
        let inner = &self.inner;
        let client = inner.clients.remove(id)?;
        let revoked = inner.end_client(id);
        if let Some(Keys::Url(url)) = client.kind.keys() {
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
            inner.end_client(id)?;
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

/// A client that was registered.
#[derive(Debug)]
pub struct Added {
    /// It.
    pub client: Arc<Client>,
    /// Its secret, when it has one: to be shown once.
    pub secret: Option<NewSecret>,
}

fn no_randomness(_: random::NoRandomness) -> ClientError {
    ClientError::Unavailable("no randomness".into())
}

fn with_secrets(mut client: Client, change: impl FnOnce(&mut Vec<Secret>)) -> Result<Client, ClientError> {
    let Kind::ConfidentialSymmetric(secrets) = &mut client.kind else {
        return Err(ClientError::Invalid(format!("a {} client has no secret", client.kind.name())));
    };
    change(secrets);
    Ok(client)
}

impl Inner {
    fn new_secret(&self, client_id: &str) -> Result<(NewSecret, Secret), ClientError> {
        let new = NewSecret::new().map_err(no_randomness)?;
        let hash = self.pepper.of_secret(client_id, new.expose());
        Ok((new, Secret { hash, created: self.now(), last_used: None }))
    }

    /// Records what the operator of this machine did.
    pub(crate) fn operator_did(&self, mut event: Event) -> Result<(), ClientError> {
        event.client_id = Some("operator".into());
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        let entry = event.entry(None, self.now(), None, request_id);
        self.recorder.record(&entry).map(drop).map_err(|why| ClientError::Unavailable(why.to_string()))
    }
}
