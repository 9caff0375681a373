//! Clients of trust communities, as the operator sees them; and what becomes of one whose certificate does not hold any
//! more. SPEC: HL7 FHIR UDAP Security 2.0 section 3; rows D9, D18, D19, F16.

use crate::{
    client::{Client, ClientError, Kind, Udap},
    event::Event,
    registering::{By, Recorded},
    service::{Inner, Service},
};
use audit::entry::Action;
use std::sync::Arc;

impl Service {
    /// All clients of trust communities, oldest first; [`Kind::udap`] has what they are there.
    #[must_use]
    pub fn udap_registrations(&self) -> Vec<Arc<Client>> {
        self.inner.clients.of_communities()
    }

    /// The operator agrees to a registration that waits. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::NotFound`] also for a client of another kind.
    pub fn approve_udap(&self, id: &str) -> Result<(), ClientError> {
        self.inner.approve_udap(id, &By::Operator).map(drop)
    }

    /// Cancels a registration: its tokens end at once, and it may come again. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::NotFound`] also for a client of another kind.
    pub fn cancel_udap(&self, id: &str) -> Result<(), ClientError> {
        self.inner.cancel_udap(id, &By::Operator).map(drop)
    }
}

impl Inner {
    /// Somebody agrees to a registration that waits.
    pub(crate) fn approve_udap(&self, id: &str, by: &By) -> Result<Recorded, ClientError> {
        let agreed = |udap: Udap| Udap { is_approved: true, ..udap };
        let mut recorded = None;
        self.clients.change(
            id,
            |client| with_udap(client, agreed),
            |client| {
                recorded = Some(self.did(by, event("client-approved", client, None))?);
                Ok(())
            },
        )?;
        recorded.ok_or_else(|| ClientError::Unavailable("no record was made".into()))
    }

    /// Cancels a registration.
    pub(crate) fn cancel_udap(&self, id: &str, by: &By) -> Result<Recorded, ClientError> {
        let client = self.clients.client(id).ok_or(ClientError::NotFound)?;
        client.kind.udap().ok_or(ClientError::NotFound)?;
        self.remove_client(id, by)
    }

    /// A client whose certificate does not hold any more, as `why` says, gets nothing, and what it has ends at once;
    /// without `why` it works again. Recorded, when it changes something. Blocks on the disk.
    pub(crate) fn suspend_udap(&self, id: &str, why: Option<&str>) -> Result<(), ClientError> {
        let client = self.clients.client(id).ok_or(ClientError::NotFound)?;
        let before = client.kind.udap().ok_or(ClientError::NotFound)?;
        if before.suspended.as_deref() != why {
            let subtype = if why.is_some() { "client-suspended" } else { "client-resumed" };
            let changed = |udap: Udap| Udap { suspended: why.map(Into::into), ..udap };
            self.clients.change(
                id,
                |client| with_udap(client, changed),
                |client| self.did(&By::Server, event(subtype, client, why)).map(drop),
            )?;
        }
        // Also when it was suspended before: what did not reach the disk then is tried again.
        if why.is_some() {
            self.end_client(id)?;
        }
        Ok(())
    }
}

impl Inner {
    /// A client came with another certificate than before: that is kept and recorded (row D21). Blocks on the disk.
    pub(crate) fn certificate_renewed(&self, client: &Client, x5c: &[Vec<u8>]) -> Result<(), ClientError> {
        let changed = |udap: Udap| Udap { x5c: x5c.into(), ..udap };
        let record = |client: &Client| {
            let mut event = Event::new("client-certificate-renewed", Action::Update);
            event.client_id = Some(Arc::clone(&client.id));
            if let Some(udap) = client.kind.udap() {
                event.detail("uri", &udap.uri);
                event.detail("certificate", &udap.thumbprint());
            }
            self.did(&By::Server, event).map(drop)
        };
        self.clients.change(&client.id, |client| with_udap(client, changed), record).map(drop)
    }
}

fn with_udap(client: Client, changed: impl FnOnce(Udap) -> Udap) -> Result<Client, ClientError> {
    match client.kind {
        Kind::Udap(udap) => Ok(Client { kind: Kind::Udap(changed(udap)), ..client }),
        _ => Err(ClientError::NotFound),
    }
}

/// A change of a client of a community.
fn event(subtype: &'static str, client: &Client, why: Option<&str>) -> Event {
    let mut event = Event::new(subtype, Action::Update);
    event.detail("client_id", &client.id);
    event.detail("name", &client.name);
    if let Some(udap) = client.kind.udap() {
        event.detail("community", &udap.community);
        event.detail("uri", &udap.uri);
    }
    if let Some(why) = why {
        event.detail("why", why);
    }
    event
}
