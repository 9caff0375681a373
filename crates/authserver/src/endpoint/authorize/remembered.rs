//! When a person need not be asked again. SPEC: SMART App Launch 2.2; RFC 8252 section 8.6; row B28.
//!
//! What is remembered is a consent that is live: when it ends, by time or by the person, the page comes again. It must be
//! of the same person, app and patient and have given all that is asked for now. Asked again is, whatever was said before:
//! for access while the person is away, for anything that changes the record, when the app wishes it, and for an app
//! that another program could pose as (a public one whose address is not https).

use super::{Visitor, going_on::Due};
use crate::client::Kind;
use oauth::scope::{
    Permissions, Scope,
    narrow::Granted,
    offer::Line,
    request::{ScopeRequest, Special},
};
use std::sync::Arc;

impl Visitor<'_> {
    /// All that is asked for, when the person let this app have it before and need not be asked.
    pub(super) async fn remembered(&self, due: &Due) -> Option<Granted> {
        let redirect = due.request().redirect.as_str();
        let can_be_posed_as = due.client.kind == Kind::Public && !redirect.starts_with("https://");
        let is_risky = |scope: &Scope| {
            let reads = Permissions::READ.union(Permissions::SEARCH);
            !reads.contains(scope.permissions)
        };
        if due.request().prompt.consent
            || due.request().redirect.is_private_use()
            || can_be_posed_as
            || due.offer.has(&Special::OfflineAccess)
            || due.offer.resources().any(|offered| is_risky(&offered.scope))
        {
            return None;
        }
        let inner = Arc::clone(self.inner);
        let (user, client) = (Arc::clone(&due.user.id), Arc::clone(&due.client.id));
        let same_patient = due.patient().filter(|_| due.needs_patient() || due.waiting.launched.is_some());
        let live = tokio::task::spawn_blocking(move || {
            let now_s = inner.now().unix_seconds();
            let is_live = |session: &str| inner.persons.is_live(session);
            let own = inner.families.of_user(&user, Some(&client)).into_iter();
            let found = own.filter_map(|id| inner.families.family(&id).ok().flatten());
            found
                .filter(|family| !family.is_over(now_s, is_live) && family.launch.patient == same_patient)
                .map(|family| family.scope_text)
                .collect::<Vec<_>>()
        });
        let gave_all = live.await.ok()?.iter().any(|granted| covers(granted, due));
        if !gave_all {
            return None;
        }
        let all: Vec<&str> = due.offer.all().collect();
        due.offer.choose(all).ok()
    }
}

/// Whether what was granted has everything that is on offer now.
fn covers(granted: &str, due: &Due) -> bool {
    let Ok(before) = ScopeRequest::parse(granted) else { return false };
    due.offer.lines().iter().all(|line| match line {
        Line::Resource(offered) => before.resources().any(|scope| scope.covers(&offered.scope)),
        // The context is chosen anew each time, and how long is not asked where it is the session's.
        Line::Special(_, Special::Launch | Special::LaunchType { .. } | Special::OnlineAccess) => true,
        Line::Special(text, _) => before.has(text),
    })
}
