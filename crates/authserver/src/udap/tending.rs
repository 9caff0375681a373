//! What becomes of a registration when its certificate does not hold any more: its tokens end at once, and it gets
//! nothing until it holds again. SPEC: rows D9, D21; issue 6 item 2.
//!
//! Looked at is the chain that a client showed last, when what is known of it comes to its end: a list's end, the
//! certificate's own, five minutes at most. Where nobody says whether a certificate was revoked, nothing ends: that
//! client gets no new token anyway (where the community asks for an answer), and what it has ends soon by itself.

use super::{lists::Waits, trust::Distrust};
use crate::{
    client::Client,
    limits,
    service::{Inner, Service},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinSet;

/// When a registration is looked at again, and whether that is still of the certificate that it has.
struct Due {
    shown: Option<[u8; 32]>,
    at_s: i64,
    /// Nobody said at the last look whether it was revoked.
    is_unanswered: bool,
}

/// When which registration is due: by its id.
#[derive(Default)]
pub(crate) struct Tending {
    due: Mutex<HashMap<Arc<str>, Due>>,
}

impl Tending {
    /// Those that are due, the longest waiting first.
    fn due(&self, all: Vec<Arc<Client>>, now_s: i64) -> Vec<Arc<Client>> {
        let mut known = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let ids: std::collections::HashSet<&Arc<str>> = all.iter().map(|client| &client.id).collect();
        known.retain(|id, _| ids.contains(id));
        let mut due: Vec<(i64, Arc<Client>)> = all
            .iter()
            .filter_map(|client| match known.get(&client.id) {
                Some(due) if due.shown == shown_by(client) => {
                    (due.at_s <= now_s).then(|| (due.at_s, Arc::clone(client)))
                }
                // Never looked at, or it has another certificate now.
                _ => Some((i64::MIN, Arc::clone(client))),
            })
            .collect();
        due.sort_by_key(|(due_s, _)| *due_s);
        due.into_iter().take(limits::TEND_AT_ONCE_MAX).map(|(_, client)| client).collect()
    }

    /// All are due: what they are held to has changed.
    pub(super) fn all_due(&self) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn look_again(&self, client: &Client, at_s: i64) {
        self.note(client, at_s, false);
    }

    fn note(&self, client: &Client, at_s: i64, is_unanswered: bool) {
        let mut known = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(Arc::clone(&client.id), Due { shown: shown_by(client), at_s, is_unanswered });
    }
}

fn shown_by(client: &Client) -> Option<[u8; 32]> {
    client.kind.udap()?.x5c.first().map(|der| crate::client_certificate::thumbprint(der))
}

impl Service {
    /// Looks at the registrations whose certificates are due: those that do not hold any more are suspended and their
    /// tokens end, those that hold again may come again. To be called every [`limits::TEND_S`] seconds; it takes some
    /// seconds where others do not answer.
    pub async fn tend(&self) {
        let inner = &self.inner;
        let due = inner.tending.due(inner.clients.of_communities(), inner.now().unix_seconds());
        let mut looks = JoinSet::new();
        for client in due {
            let inner = Arc::clone(inner);
            looks.spawn(async move { inner.look_after(client).await });
        }
        while looks.join_next().await.is_some() {}
    }

    /// Client ids of the registrations of whose certificates nobody said at the last look whether they were revoked: a
    /// list has ended, or its host does not answer. They get no tokens, unless their community is trusting.
    #[must_use]
    pub fn udap_unanswered(&self) -> Vec<Arc<str>> {
        let known = self.inner.tending.due.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().filter(|(_, due)| due.is_unanswered).map(|(id, _)| Arc::clone(id)).collect()
    }
}

impl Inner {
    async fn look_after(self: Arc<Self>, client: Arc<Client>) {
        let Some(udap) = client.kind.udap() else { return };
        let stands = match self.communities.get(&udap.community) {
            Some(community) => {
                let trust = &self.trust;
                trust.vouched_for(&community, &udap.x5c, &udap.uri, Waits::Nobody).await.map_err(Some)
            }
            None => Err(None),
        };
        let now_s = self.now().unix_seconds();
        let (suspended, again_s) = match stands {
            Ok(vouched) => (None, vouched.known_until_s),
            Err(Some(Distrust::StatusUnavailable(_) | Distrust::Busy)) => {
                self.tending.note(&client, now_s + limits::TEND_AGAIN_S, true);
                return;
            }
            Err(Some(why)) => {
                tracing::warn!(client_id = &*client.id, uri = &*udap.uri, %why, "a registration is suspended");
                (Some(why.word()), now_s + limits::LISTING_LIFE_S_MAX)
            }
            Err(None) => (Some("community-removed"), now_s + limits::LISTING_LIFE_S_MAX),
        };
        if udap.suspended.as_deref() != suspended {
            let (inner, id) = (Arc::clone(&self), Arc::clone(&client.id));
            // It blocks on the disk.
            let looked_at = shown_by(&client);
            let done = tokio::task::spawn_blocking(move || match inner.clients.client(&id) {
                // It showed another certificate meanwhile, which is due by itself, or is gone.
                Some(now) if shown_by(&now) == looked_at => inner.suspend_udap(&id, suspended),
                _ => Ok(()),
            })
            .await;
            if !matches!(done, Ok(Ok(()))) {
                tracing::warn!(
                    client_id = &*client.id,
                    "a registration could not be suspended or resumed; tried again soon"
                );
                self.tending.look_again(&client, now_s);
                return;
            }
        }
        self.tending.look_again(&client, again_s);
    }
}

#[cfg(test)]
mod tests;
