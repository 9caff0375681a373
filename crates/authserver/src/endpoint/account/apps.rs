//! My apps: what a person lets apps have, and the end of it. SPEC: SMART App Launch 2.2, `management_endpoint`; rows B61,
//! B62.
//!
//! Each sees their own, whatever their role. What ended is not there, whoever ended it; what is ended here works no more
//! with the next request. Names of patients are looked up as the person themselves may see them, and that is recorded.
//!
//! An app that was let in several times for the same record stands there once: what is said of it, and its end, is of all
//! of these times. "Last used" is the last time that the app had its tokens renewed: right to within the life of a token.

use super::{APPS_FORM, Reply, Visitor, next};
use crate::{
    client::Client,
    event::Event,
    families::{Family, Lasting},
    outcome::page::Sent,
    page::facts,
    service::Inner,
    tables::Unavailable,
};
use audit::entry::Action;
use oauth::{caller::User, form::Form};
use pages::{
    App, Apps, Date, Ended, Ends, GrantFacts, Moment, ProblemWhat, Secret, Text, fields, limits, paths, words::Scope,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The query parameter that says what has just ended: a client's id, or [`ALL`].
const ENDED: &str = "ended";
/// Everything; no client has this id.
const ALL: &str = "all";

/// What one app has of one patient's record (or of all that the person may see): of each time that it was let in.
struct Standing {
    client: Arc<Client>,
    /// One at least, the latest first.
    families: Vec<Family>,
}

impl Standing {
    fn patient(&self) -> Option<&Arc<str>> {
        self.families.first()?.launch.patient.as_ref()
    }

    fn is_named(&self, id: &str) -> bool {
        self.families.iter().any(|family| *family.id == *id)
    }
}

/// As many as a page shows.
struct Shown {
    grants: Vec<GrantFacts>,
    has_more: bool,
    /// The app of each, in the same order.
    clients: Vec<Arc<str>>,
    /// Patients whose names were looked up.
    looked_up: Vec<Arc<str>>,
}

impl Inner {
    /// What this person lets apps have now, latest first. Blocks on the disk.
    fn standing(&self, user: &User) -> Result<Vec<Standing>, Unavailable> {
        let is_live = |session: &str| self.persons.is_live(session);
        let mut all: Vec<Standing> = Vec::new();
        for family in self.families.standing(&user.id, self.now().unix_seconds(), &is_live)? {
            let is_of = |one: &&mut Standing| {
                *one.client.id == *family.client_id && one.patient() == family.launch.patient.as_ref()
            };
            if let Some(one) = all.iter_mut().find(is_of) {
                one.families.push(family);
                continue;
            }
            let client = self.clients.client(&family.client_id).filter(|client| !client.disabled);
            all.extend(client.map(|client| Standing { client, families: vec![family] }));
        }
        Ok(all)
    }

    /// As a page shows it: all, or the one that this is of. Blocks on the disk.
    fn shown(&self, user: &Arc<User>, only: Option<&str>) -> Result<Shown, Unavailable> {
        let standing = self.standing(user)?;
        let clients = standing.iter().map(|one| Arc::clone(&one.client.id)).collect();
        let is_asked = |one: &&Standing| only.is_none_or(|id| one.is_named(id));
        let asked: Vec<&Standing> = standing.iter().filter(is_asked).collect();
        let has_more = asked.len() > limits::ROWS_MAX;
        let asked = asked.get(..limits::ROWS_MAX).unwrap_or(&asked);
        let patients: BTreeSet<&Arc<str>> = asked.iter().filter_map(|one| one.patient()).collect();
        let names: BTreeMap<&Arc<str>, Text> = patients
            .into_iter()
            .filter_map(|id| Some((id, Text::new(&self.records.patient(user, id)?.name))))
            .collect();
        // A record that they may not see any more keeps its id.
        let name = |id: &Arc<str>| names.get(id).cloned().unwrap_or_else(|| Text::new(id));
        let grants = asked.iter().filter_map(|one| grant(self, one, one.patient().map(name))).collect();
        Ok(Shown { grants, has_more, clients, looked_up: names.keys().map(|id| Arc::clone(id)).collect() })
    }

    /// Ends what this is of, all of it; whose it was. `None`: this person has none. Blocks on the disk.
    fn end_standing(&self, user: &User, id: &str) -> Result<Option<Standing>, Unavailable> {
        let Some(one) = self.standing(user)?.into_iter().find(|one| one.is_named(id)) else { return Ok(None) };
        let mut failed = None;
        for family in &one.families {
            failed = self.end_family(&family.id).err().or(failed);
        }
        failed.map_or(Ok(Some(one)), Err)
    }
}

fn grant(inner: &Inner, Standing { client, families }: &Standing, patient: Option<Text>) -> Option<GrantFacts> {
    let lasts = |family: &&Family| matches!(family.lasting, Lasting::Once | Lasting::Offline);
    let mut scopes: Vec<Scope> = Vec::new();
    for scope in families.iter().flat_map(|family| facts::scopes(&family.scope_text)) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Some(GrantFacts {
        id: (&*families.first()?.id).into(),
        app: inner.app_facts(client),
        patient,
        since: Date::from_unix(families.iter().map(|family| family.began_s).min()?),
        last_used: families.iter().map(|family| family.used_s).max().map(|used_s| Moment::from_unix(used_s, 0)),
        ends: match families.iter().filter(lasts).map(|family| family.ends_s).max() {
            Some(ends_s) => Ends::On(Date::from_unix(ends_s)),
            None => Ends::WithSession,
        },
        scopes,
    })
}

impl Visitor<'_> {
    /// The list.
    pub(super) async fn apps_page(&self) -> Reply {
        let (session, user) = match self.who(next::TO_APPS) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let csrf = Secret::new(self.inner.people.csrf(&session.hash, APPS_FORM));
        let Shown { grants, has_more, clients, looked_up } = match self.looked_up(&user, None).await {
            Ok(shown) => shown,
            Err(why) => return self.unavailable(&why),
        };
        let ended = self.head.query(ENDED).and_then(|ended| match ended {
            ALL => clients.is_empty().then_some(Ended::All),
            id => {
                let name = Text::new(&self.inner.clients.client(id)?.name);
                let still = clients.iter().any(|client| **client == *id);
                Some(if still { Ended::Part(name) } else { Ended::One(name) })
            }
        });
        self.read(self.place(Apps { csrf, grants, has_more, ended }, Sent::Shown), &user, &looked_up)
    }

    /// One of them.
    pub(super) async fn app_page(&self) -> Reply {
        let (session, user) = match self.who(next::TO_APPS) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let id = self.head.query(fields::GRANT).unwrap_or_default().to_owned();
        let Shown { mut grants, clients, looked_up, .. } = match self.looked_up(&user, Some(id.clone())).await {
            Ok(shown) => shown,
            Err(why) => return self.unavailable(&why),
        };
        let Some(grant) = grants.pop() else { return self.problem(ProblemWhat::NotFound, Sent::NotFound) };
        let csrf = Secret::new(self.inner.people.csrf(&session.hash, APPS_FORM));
        let client = self.inner.families.client_of(&id);
        let has_others = clients.iter().filter(|one| client.as_ref() == Some(one)).count() > 1;
        self.read(self.place(App { csrf, grant, has_others }, Sent::Shown), &user, &looked_up)
    }

    /// All, or the one of this name.
    async fn looked_up(&self, user: &Arc<User>, only: Option<String>) -> Result<Shown, String> {
        let (inner, user) = (Arc::clone(self.inner), Arc::clone(user));
        let looked = tokio::task::spawn_blocking(move || inner.shown(&user, only.as_deref()));
        looked.await.map_err(|why| why.to_string())?.map_err(|why| why.0)
    }

    /// A page that shows names of patients, with its record.
    fn read(&self, reply: Reply, user: &User, patients: &[Arc<str>]) -> Reply {
        if patients.is_empty() { reply } else { reply.did(Event::looked("read", None, user, patients)) }
    }

    /// The form of one: its end.
    pub(super) async fn app_ended(&self, form: &Form) -> Reply {
        let (_, user) = match self.who(next::TO_APPS) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let Some(id) = form.value(fields::GRANT).filter(|_| form.value(fields::DECISION) == Some(fields::END)) else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let mut event = self.event("authorization-ended", Action::Update, &user.id);
        event.detail("consent", id);
        let (inner, id) = (Arc::clone(self.inner), id.to_owned());
        match tokio::task::spawn_blocking(move || inner.end_standing(&user, &id)).await {
            Ok(Ok(Some(one))) => {
                event.detail("client_id", &one.client.id);
                event.about(one.patient().map(std::slice::from_ref).unwrap_or_default());
                self.on(format!("{}?{ENDED}={}", paths::APPS, one.client.id), Vec::new()).did(event)
            }
            // Ended already, by a second press or by its app; or another's, which is told to nobody.
            Ok(Ok(None)) => self.on(paths::APPS, Vec::new()),
            Ok(Err(why)) => self.not_ended(&why.0, event),
            Err(why) => self.not_ended(&why.to_string(), event),
        }
    }

    /// The form of the list: the end of all.
    pub(super) async fn apps_ended(&self, form: &Form) -> Reply {
        let (_, user) = match self.who(next::TO_APPS) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        if form.value(fields::DECISION) != Some(fields::END) {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        }
        let mut event = self.event("authorization-ended", Action::Update, &user.id);
        event.detail("consent", ALL);
        let inner = Arc::clone(self.inner);
        match tokio::task::spawn_blocking(move || inner.end_all_of(&user.id, None)).await {
            Ok(Ok(count)) => {
                event.detail("count", &count.to_string());
                self.on(format!("{}?{ENDED}={ALL}", paths::APPS), Vec::new()).did(event)
            }
            Ok(Err(why)) => self.not_ended(&why.0, event),
            Err(why) => self.not_ended(&why.to_string(), event),
        }
    }

    /// It does not work any more, but might after a restart: the person is to try again.
    fn not_ended(&self, why: &str, event: Event) -> Reply {
        self.unavailable(why).failed(event, "unavailable", &Sent::Unavailable)
    }
}

#[cfg(test)]
mod tests;
