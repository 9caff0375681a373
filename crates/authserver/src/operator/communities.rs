//! Clients of trust communities, as the operator sees them; and what becomes of one whose certificate does not hold any
//! more. SPEC: HL7 FHIR UDAP Security 2.0 section 3; rows D9, D18, D19, F16.

use crate::{
    client::{Client, ClientError, Kind, Udap},
    event::Event,
    registering::By,
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
        let inner = &self.inner;
        let agreed = |udap: Udap| Udap { is_approved: true, ..udap };
        inner.clients.change(id, |client| with_udap(client, agreed), told(inner, "client-approved", None)).map(drop)
    }

    /// Cancels a registration: its tokens end at once, and it may come again. Recorded. Blocks on the disk.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::NotFound`] also for a client of another kind.
    pub fn cancel_udap(&self, id: &str) -> Result<(), ClientError> {
        let client = self.inner.clients.client(id).ok_or(ClientError::NotFound)?;
        client.kind.udap().ok_or(ClientError::NotFound)?;
        self.remove_client(id)
    }
}

impl Inner {
    /// A client whose certificate does not hold any more, as `why` says, gets nothing, and what it has ends at once;
    /// without `why` it works again. Recorded, when it changes something. Blocks on the disk.
    pub(crate) fn suspend_udap(&self, id: &str, why: Option<&str>) -> Result<(), ClientError> {
        let client = self.clients.client(id).ok_or(ClientError::NotFound)?;
        let before = client.kind.udap().ok_or(ClientError::NotFound)?;
        if before.suspended.as_deref() != why {
            let subtype = if why.is_some() { "client-suspended" } else { "client-resumed" };
            let changed = |udap: Udap| Udap { suspended: why.map(Into::into), ..udap };
            self.clients.change(id, |client| with_udap(client, changed), told(self, subtype, why))?;
        }
        // Also when it was suspended before: what did not reach the disk then is tried again.
        if why.is_some() {
            self.end_client(id)?;
        }
        Ok(())
    }
}

fn with_udap(client: Client, changed: impl FnOnce(Udap) -> Udap) -> Result<Client, ClientError> {
    match client.kind {
        Kind::Udap(udap) => Ok(Client { kind: Kind::Udap(changed(udap)), ..client }),
        _ => Err(ClientError::NotFound),
    }
}

/// Records a change of a client; by the operator, or, where there is a reason or an end of it, by the server itself.
fn told<'a>(
    inner: &'a Inner,
    subtype: &'static str,
    why: Option<&'a str>,
) -> impl FnOnce(&Client) -> Result<(), ClientError> + 'a {
    move |client| {
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
        let by = if subtype == "client-approved" { By::Operator } else { By::Server };
        inner.did(&by, event).map(drop)
    }
}
