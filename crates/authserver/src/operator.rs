//! What the operator of this machine does: clients and keys; `people`: accounts; `communities`: clients of
//! trust communities. Each act is recorded. Calls block on
//! the disk.

mod communities;
mod people;

use crate::{
    client::{Client, ClientError, Invitation, NewClient, NewInvitation, NewSecret, check},
    event::Event,
    random,
    registering::{Added, By, no_randomness},
    service::{Inner, Service},
};
use audit::entry::Action;
use oauth::caller::Standing;
use std::sync::Arc;

impl Service {
    /// Registers a client; recorded in the audit log. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn add_client(&self, new: &NewClient) -> Result<Added, ClientError> {
        let inner = &self.inner;
        let id = random::name().map_err(no_randomness)?;
        let client = Client::register(new, id, inner.now(), &*inner.enforceable)?;
        inner.add_client(client, &By::Operator).map(|(added, _)| added)
    }

    /// Makes another secret for a client; the newest one before stays live, older ones end (row B12). Recorded.
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]; only a confidential symmetric client has secrets.
    pub fn new_client_secret(&self, id: &str) -> Result<NewSecret, ClientError> {
        self.inner.new_client_secret(id, &By::Operator).map(|(secret, _)| secret)
    }

    /// Ends all secrets of a client but the newest. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn retire_client_secrets(&self, id: &str) -> Result<(), ClientError> {
        self.inner.retire_client_secrets(id, &By::Operator).map(drop)
    }

    /// Removes a client; its tokens stop working with the next request. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]. When the record fails, the client is removed all the same.
    pub fn remove_client(&self, id: &str) -> Result<(), ClientError> {
        self.inner.remove_client(id, &By::Operator).map(drop)
    }

    /// Disables a client and revokes its tokens, or lets it work again. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_client_disabled(&self, id: &str, disabled: bool) -> Result<(), ClientError> {
        self.inner.set_client_disabled(id, disabled, &By::Operator).map(drop)
    }

    /// Says what an app can be opened for, in place of what was said before. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_client_intents(&self, id: &str, intents: &[String]) -> Result<(), ClientError> {
        let changed = |client: Client| {
            let intents = check::intents(intents, client.launch_url.is_some())?;
            Ok(Client { intents, ..client })
        };
        self.inner.change_client(id, &By::Operator, changed).map(drop)
    }

    /// Says how a system stands to the records. Its tokens end: the next ones are of what it is then. Recorded. Blocks on
    /// the disk.
    ///
    /// # Errors
    /// [`ClientError`]; apps of people and clients of trust communities are ordinary.
    pub fn set_client_standing(&self, id: &str, standing: Standing) -> Result<(), ClientError> {
        let changed = |client: Client| {
            check::standing(standing, client.is_app(), &client.kind)?;
            Ok(Client { standing, ..client })
        };
        self.inner.change_client(id, &By::Operator, changed)?;
        Ok(self.inner.end_client(id).map(drop)?)
    }

    /// Says what a system may act for, in place of what was said before (row F48); it counts for the tokens that it has,
    /// with the next request. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn set_client_purposes(&self, id: &str, purposes: &[String]) -> Result<(), ClientError> {
        let changed = |client: Client| {
            let says_otherwise = client.is_app() || client.kind.udap().is_some();
            let purposes_of_use = check::purposes_of_use(purposes, says_otherwise)?;
            Ok(Client { purposes_of_use, ..client })
        };
        self.inner.change_client(id, &By::Operator, changed).map(drop)
    }

    /// Makes an initial access token: leave to register a client (RFC 7591). Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn invite_client(&self, new: &NewInvitation) -> Result<(oauth::secret::Secret, Arc<Invitation>), ClientError> {
        self.inner.invite_client(new, &By::Operator)
    }

    /// Initial access tokens that still work, oldest first.
    #[must_use]
    pub fn client_invitations(&self) -> Vec<Arc<Invitation>> {
        self.inner.invitations.all(self.inner.now())
    }

    /// Ends the initial access token of this name. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]. When the record fails, it has ended all the same.
    pub fn withdraw_client_invitation(&self, name: &str) -> Result<(), ClientError> {
        self.inner.withdraw_client_invitation(name, &By::Operator).map(drop)
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
    pub(crate) fn operator_did(&self, event: Event) -> Result<(), ClientError> {
        self.did(&By::Operator, event).map(drop)
    }
}
