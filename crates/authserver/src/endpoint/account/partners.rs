//! Trust communities and the organizations that joined by them, for the facility's administrators. SPEC: rows D18, D19,
//! A18, F16.
//!
//! As with the facility's apps: a session is enough to look, and whoever lets somebody in or out proved within minutes
//! who they are.

use super::{Reply, Visitor, next};
use crate::{
    Community,
    client::{Client, ClientError, Udap, Unfit},
    outcome::page::Sent,
};
use oauth::form::Form;
use pages::{
    CertificateLife, CommunityFacts, Date, PartnerFacts, PartnerState, Partners, ProblemWhat, Text, fields, limits,
    paths,
};
use std::sync::Arc;

/// Days before the end of our own certificate at which the page asks for another.
const SOON_DAYS: i64 = 30;

impl Visitor<'_> {
    /// All communities, and who joined by each.
    pub(super) fn partners_page(&self) -> Reply {
        if let Err(reply) = self.administrator(next::TO_PARTNERS) {
            return *reply;
        }
        let joined = self.inner.clients.of_communities();
        let now_s = self.inner.now().unix_seconds();
        let facts = |community: &Arc<Community>| community_facts(community, &joined, now_s);
        let communities = self.inner.communities.all().iter().map(facts).collect();
        self.place(Partners { csrf: self.clients_csrf(), communities }, Sent::Shown)
    }

    /// Somebody who joined is let in or shown out.
    pub(super) async fn partner_changed(&self, form: &Form) -> Reply {
        let user = match self.fresh_administrator(next::TO_PARTNERS) {
            Ok(user) => user,
            Err(reply) => return *reply,
        };
        let (id, decision) = (form.value(fields::CLIENT), form.value(fields::DECISION));
        let (Some(id), Some(decision)) = (id.map(str::to_owned), decision.map(str::to_owned)) else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let (inner, by) = (Arc::clone(self.inner), self.by(&user));
        let done = tokio::task::spawn_blocking(move || match decision.as_str() {
            fields::APPROVE => inner.approve_udap(&id, &by),
            fields::CANCEL => inner.cancel_udap(&id, &by),
            _ => Err(ClientError::Invalid(Unfit::from("no such decision"))),
        });
        match done.await {
            Ok(Ok(recorded)) => self.on(paths::PARTNERS, Vec::new()).recorded(recorded),
            Ok(Err(why)) => self.client_unchanged(&why),
            Err(_) => self.unavailable("the task of a change of a registration ended early"),
        }
    }
}

fn community_facts(community: &Community, joined: &[Arc<Client>], now_s: i64) -> CommunityFacts {
    let ends_s = community.ends_s();
    let of_it = joined.iter().rev().filter_map(|client| {
        let udap = client.kind.udap().filter(|udap| udap.community == community.uri)?;
        Some(partner_facts(client, udap))
    });
    CommunityFacts {
        name: Text::new(&community.name),
        uri: (&*community.uri).into(),
        ends: Date::from_unix(ends_s),
        life: match ends_s - now_s {
            ..=0 => CertificateLife::Ended,
            left if left < SOON_DAYS * 86_400 => CertificateLife::EndsSoon,
            _ => CertificateLife::Long,
        },
        partners: of_it.take(limits::ROWS_MAX).collect(),
    }
}

fn partner_facts(client: &Client, udap: &Udap) -> PartnerFacts {
    PartnerFacts {
        id: (&*client.id).into(),
        name: Text::new(&client.name),
        uri: (&*udap.uri).into(),
        since: Date::from_unix(client.created.unix_seconds()),
        is_app: client.is_app(),
        state: state(client, udap),
    }
}

fn state(client: &Client, udap: &Udap) -> PartnerState {
    match udap.suspended.as_deref() {
        _ if client.disabled => PartnerState::Stopped,
        Some(why) => suspension(why),
        None if !udap.is_approved => PartnerState::Waits,
        None => PartnerState::Works,
    }
}

/// What the word of a suspension means to people.
fn suspension(why: &str) -> PartnerState {
    match why {
        "certificate-revoked" => PartnerState::Revoked,
        "certificate-ended" => PartnerState::Ended,
        _ => PartnerState::Unfit,
    }
}

#[cfg(test)]
mod tests;
