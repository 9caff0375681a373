//! Trust communities over the control socket: what a command asks, what the server answers, and how it is done.

use super::Reply;
use authserver::{Client, Service};
use serde::{Deserialize, Serialize};

/// Somebody who joined by a trust community, as a list shows it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListedPartner {
    /// `client_id`.
    pub(crate) id: String,
    /// When it joined.
    pub(crate) created: String,
    /// Name of its software.
    pub(crate) name: String,
    /// The address that its certificate proves.
    pub(crate) uri: String,
    /// URI of the community.
    pub(crate) community: String,
    /// `works`, `waits`, `stopped`, or why it is suspended.
    pub(crate) state: String,
    /// What it may ask for.
    pub(crate) scope: String,
}

/// Everybody who joined, oldest first.
pub(super) fn partners(authserver: &Service) -> Reply {
    let listed = authserver.udap_registrations().into_iter().filter_map(|client| {
        let udap = client.kind.udap()?;
        Some(ListedPartner {
            id: client.id.to_string(),
            created: client.created.to_string(),
            name: client.name.to_string(),
            uri: udap.uri.to_string(),
            community: udap.community.to_string(),
            state: state(&client),
            scope: client.scope_text.to_string(),
        })
    });
    Reply::Partners(listed.collect())
}

fn state(client: &Client) -> String {
    match client.kind.udap() {
        _ if client.disabled => "stopped".to_owned(),
        Some(udap) if !udap.is_approved => "waits".to_owned(),
        Some(udap) => udap.suspended.as_deref().map_or("works".to_owned(), |why| format!("suspended: {why}")),
        None => "works".to_owned(),
    }
}
