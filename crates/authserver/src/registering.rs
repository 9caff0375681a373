//! Changes to the register of clients, whoever makes them: the operator of this machine, an administrator at a page, or
//! a client itself. SPEC: rows B12, B14, F16.
//!
//! Each change has its entry in the audit log before it counts, with who made it; when the entry cannot be written, the
//! change is taken back (a removal stands). Calls block on the disk.

use crate::{
    client::{
        Client, ClientError, Invitation, Keys, Kind, NewInvitation, NewSecret, Secret, Unfit, secret::SECRETS_MAX,
    },
    event::Event,
    random,
    service::Inner,
};
use audit::{
    Receipt,
    entry::{Action, Person},
};
use oauth::caller::Standing;
use std::{cell::Cell, net::IpAddr, sync::Arc};

/// Who changes the register.
#[derive(Debug, Clone)]
pub(crate) enum By {
    /// The operator, by a command.
    Operator,
    /// Somebody at a page.
    Person(Box<Person>, IpAddr),
    /// A client that registers itself, with the initial access token of this name.
    Invited(Arc<str>, IpAddr),
    /// The client itself, with its registration access token.
    Itself(Arc<str>, IpAddr),
    /// The client of a trust community with this URI, proven by its certificate.
    Community(Arc<str>, IpAddr),
    /// This server by itself: a certificate was revoked.
    Server,
}

/// Proof that the entry of a change stands.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) receipt: Receipt,
    /// As in the entry.
    pub(crate) request_id: Arc<str>,
}

/// A client that was registered.
#[derive(Debug)]
pub struct Added {
    /// It.
    pub client: Arc<Client>,
    /// Its secret, when it has one: to be shown once.
    pub secret: Option<NewSecret>,
}

impl By {
    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Operator | Self::Server => None,
            Self::Person(_, address)
            | Self::Invited(_, address)
            | Self::Itself(_, address)
            | Self::Community(_, address) => Some(*address),
        }
    }
}

impl Inner {
    /// Records what somebody did.
    pub(crate) fn did(&self, by: &By, mut event: Event) -> Result<Recorded, ClientError> {
        match by {
            By::Operator => event.client_id = Some("operator".into()),
            By::Person(person, _) => event.person = Some(Person::clone(person)),
            By::Invited(invitation, _) => event.detail("invitation", invitation),
            By::Itself(client_id, _) => event.client_id = Some(Arc::clone(client_id)),
            By::Community(uri, _) => event.detail("uri", uri),
            By::Server => {}
        }
        let request_id: Arc<str> = random::name().unwrap_or_default().into();
        let entry = event.entry(None, self.now(), by.address(), Arc::clone(&request_id));
        let receipt = self.recorder.record(&entry).map_err(|why| ClientError::Unavailable(why.to_string()))?;
        Ok(Recorded { receipt, request_id })
    }

    /// Registers a client that was found acceptable; its secret is made here.
    pub(crate) fn add_client(&self, mut client: Client, by: &By) -> Result<(Added, Recorded), ClientError> {
        let mut secret = None;
        if let Kind::ConfidentialSymmetric(secrets) = &mut client.kind {
            let (new, kept) = self.new_secret(&client.id)?;
            secrets.push(kept);
            secret = Some(new);
        }
        let mut recorded = None;
        let client = self.clients.add(client, |client| {
            let mut event = Event::new("client-added", Action::Create);
            tell(&mut event, client);
            recorded = Some(self.did(by, event)?);
            Ok(())
        })?;
        self.look_for_logo(&client);
        Ok((Added { client, secret }, proof(recorded)?))
    }

    /// Puts a changed client in the place of what it was. `changed` says what becomes of it as it is then.
    pub(crate) fn change_client(
        &self,
        id: &str,
        by: &By,
        changed: impl FnOnce(Client) -> Result<Client, ClientError>,
    ) -> Result<(Arc<Client>, Recorded), ClientError> {
        let mut recorded = None;
        let client = self.clients.change(id, changed, |client| {
            let mut event = Event::new("client-changed", Action::Update);
            tell(&mut event, client);
            recorded = Some(self.did(by, event)?);
            Ok(())
        })?;
        self.look_for_logo(&client);
        Ok((client, proof(recorded)?))
    }

    /// Registers a client of a trust community, or puts it in the place of what it was there; see
    /// [`crate::client::registry::Registry::register`].
    pub(crate) fn register_of_community(
        &self,
        community: &str,
        uri: &str,
        made: impl FnOnce(Option<&Client>, usize) -> Result<Client, ClientError>,
        by: &By,
    ) -> Result<(Arc<Client>, Recorded), ClientError> {
        let mut recorded = None;
        let is_new = Cell::new(true);
        let made = |before: Option<&Client>, others: usize| {
            is_new.set(before.is_none());
            made(before, others)
        };
        let client = self.clients.register(community, uri, made, |client| {
            let mut event = match is_new.get() {
                true => Event::new("client-added", Action::Create),
                false => Event::new("client-changed", Action::Update),
            };
            tell(&mut event, client);
            recorded = Some(self.did(by, event)?);
            Ok(())
        })?;
        self.look_for_logo(&client);
        Ok((client, proof(recorded)?))
    }

    /// So that it is there when the first person sees the app.
    fn look_for_logo(&self, client: &Client) {
        if let Some(url) = &client.logo {
            drop(self.logos.at_hand(url));
        }
    }

    /// Makes another secret for a client; the newest one before stays live, older ones end (row B12).
    pub(crate) fn new_client_secret(&self, id: &str, by: &By) -> Result<(NewSecret, Recorded), ClientError> {
        let (new, kept) = self.new_secret(id)?;
        let add = |secrets: &mut Vec<Secret>| {
            let surplus = (secrets.len() + 1).saturating_sub(SECRETS_MAX);
            secrets.drain(..surplus.min(secrets.len()));
            secrets.push(kept);
        };
        let recorded = self.with_secrets(id, by, "client-secret-added", add)?;
        Ok((new, recorded))
    }

    /// Ends all secrets of a client but the newest.
    pub(crate) fn retire_client_secrets(&self, id: &str, by: &By) -> Result<Recorded, ClientError> {
        self.with_secrets(id, by, "client-secrets-retired", |secrets| {
            secrets.drain(..secrets.len().saturating_sub(1));
        })
    }

    fn with_secrets(
        &self,
        id: &str,
        by: &By,
        subtype: &'static str,
        change: impl FnOnce(&mut Vec<Secret>),
    ) -> Result<Recorded, ClientError> {
        let mut recorded = None;
        let changed = |mut client: Client| {
            let Kind::ConfidentialSymmetric(secrets) = &mut client.kind else {
                let why = format!("a {} client has no secret", client.kind.name());
                return Err(ClientError::Invalid(Unfit::Said(why)));
            };
            change(secrets);
            Ok(client)
        };
        self.clients.change(id, changed, |client| {
            let mut event = Event::new(subtype, Action::Update);
            event.detail("client_id", &client.id);
            recorded = Some(self.did(by, event)?);
            Ok(())
        })?;
        proof(recorded)
    }

    /// Removes a client; its tokens stop working with the next request. When the record fails, it is removed all the
    /// same.
    pub(crate) fn remove_client(&self, id: &str, by: &By) -> Result<Recorded, ClientError> {
        let client = self.clients.remove(id)?;
        let revoked = self.end_client(id);
        if let Some(Keys::Url(url)) = client.kind.keys() {
            self.sources.forget(url);
        }
        let mut event = Event::new("client-removed", Action::Delete);
        event.detail("client_id", id);
        event.detail("name", &client.name);
        event.detail("tokens_revoked", &revoked.as_ref().map_or(0, |count| *count).to_string());
        let recorded = self.did(by, event)?;
        revoked?;
        Ok(recorded)
    }

    /// Disables a client and revokes its tokens, or lets it work again.
    pub(crate) fn set_client_disabled(&self, id: &str, disabled: bool, by: &By) -> Result<Recorded, ClientError> {
        let mut recorded = None;
        self.clients.set_disabled(id, disabled, |client| {
            let subtype = if disabled { "client-disabled" } else { "client-enabled" };
            let mut event = Event::new(subtype, Action::Update);
            event.detail("client_id", id);
            event.detail("name", &client.name);
            recorded = Some(self.did(by, event)?);
            Ok(())
        })?;
        if disabled {
            self.end_client(id)?;
        }
        proof(recorded)
    }

    /// Makes an initial access token: leave to register.
    pub(crate) fn invite_client(
        &self,
        new: &NewInvitation,
        by: &By,
    ) -> Result<(oauth::secret::Secret, Arc<Invitation>), ClientError> {
        let record = |invitation: &Invitation| {
            let mut event = Event::new("client-invited", Action::Create);
            event.detail("invitation", &invitation.name);
            event.detail("note", &invitation.note);
            let kinds: Vec<&str> = invitation.reach.kinds.iter().map(|kind| kind.as_str()).collect();
            event.detail("kinds", &kinds.join(" "));
            event.detail("scope", &invitation.reach.scope_text);
            event.detail("uses", &invitation.uses_left.to_string());
            event.detail("ends", &invitation.ends.to_string());
            self.did(by, event)
        };
        let (token, invitation, _) = self.invitations.make(new, &*self.enforceable, self.now(), record)?;
        Ok((token, invitation))
    }

    /// Ends an initial access token. When the record fails, it has ended all the same.
    pub(crate) fn withdraw_client_invitation(&self, name: &str, by: &By) -> Result<Recorded, ClientError> {
        let invitation = self.invitations.withdraw(name)?;
        let mut event = Event::new("client-invitation-withdrawn", Action::Delete);
        event.detail("invitation", &invitation.name);
        event.detail("note", &invitation.note);
        self.did(by, event)
    }

    fn new_secret(&self, client_id: &str) -> Result<(NewSecret, Secret), ClientError> {
        let new = NewSecret::new().map_err(no_randomness)?;
        let hash = self.pepper.of_secret(client_id, new.expose());
        Ok((new, Secret { hash, created: self.now(), last_used: None }))
    }
}

/// What an entry tells of a client.
fn tell(event: &mut Event, client: &Client) {
    event.detail("client_id", &client.id);
    event.detail("name", &client.name);
    event.detail("kind", client.kind.name());
    event.detail("scope", &client.scope_text);
    if let Some(udap) = client.kind.udap() {
        event.detail("community", &udap.community);
        event.detail("uri", &udap.uri);
        event.detail("certificate", &udap.thumbprint());
    }
    for uri in &*client.redirect_uris {
        event.detail("redirect_uri", uri.as_str());
    }
    for intent in &*client.intents {
        event.detail("intent", intent.word());
    }
    if client.standing != Standing::Ordinary {
        event.detail("standing", client.standing.as_str());
    }
    for purpose in &*client.purposes_of_use {
        event.detail("purpose_of_use", purpose.code());
    }
}

pub(crate) fn no_randomness(_: random::NoRandomness) -> ClientError {
    ClientError::Unavailable("no randomness".into())
}

fn proof(recorded: Option<Recorded>) -> Result<Recorded, ClientError> {
    recorded.ok_or_else(|| ClientError::Unavailable("no record was made".into()))
}
