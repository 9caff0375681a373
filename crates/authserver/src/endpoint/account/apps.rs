//! My apps: what a person lets apps have, and the end of it. SPEC: SMART App Launch 2.2, `management_endpoint`; rows B61,
//! B62.
//!
//! Each sees their own, whatever their role. What ended is not there, whoever ended it; what is ended here works no more
//! with the next request. Names of patients are looked up as the person themselves may see them, and that is recorded.
//!
//! "Last used" is the last time that the app had its tokens renewed: right to within the life of a token.

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
use pages::{App, Apps, Date, Ended, Ends, GrantFacts, Moment, ProblemWhat, Secret, Text, fields, limits, paths};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The query parameter that says what has just ended: a client's id, or [`ALL`].
const ENDED: &str = "ended";
/// Everything; no client has this id.
const ALL: &str = "all";

/// What stands, with whom it is about.
struct Standing {
    family: Family,
    client: Arc<Client>,
}

/// As many as a page shows.
struct Shown {
    grants: Vec<GrantFacts>,
    has_more: bool,
    /// Patients whose names were looked up.
    looked_up: Vec<Arc<str>>,
}

impl Inner {
    /// What this person lets apps have now, latest first. Blocks on the disk.
    fn standing(&self, user: &User) -> Result<Vec<Standing>, Unavailable> {
        let is_live = |session: &str| self.persons.is_live(session);
        let families = self.families.standing(&user.id, self.now().unix_seconds(), &is_live)?;
        let with_client = |family: Family| {
            let client = self.clients.client(&family.client_id).filter(|client| !client.disabled)?;
            Some(Standing { family, client })
        };
        Ok(families.into_iter().filter_map(with_client).collect())
    }

    /// As a page shows it. Blocks on the disk.
    fn shown(&self, user: &Arc<User>, standing: &[Standing]) -> Shown {
        let has_more = standing.len() > limits::ROWS_MAX;
        let standing = standing.get(..limits::ROWS_MAX).unwrap_or(standing);
        let patients: BTreeSet<&Arc<str>> =
            standing.iter().filter_map(|one| one.family.launch.patient.as_ref()).collect();
        let names: BTreeMap<&Arc<str>, Text> = patients
            .into_iter()
            .filter_map(|id| Some((id, Text::new(&self.records.patient(user, id)?.name))))
            .collect();
        // A record that they may not see any more keeps its id.
        let name = |id: &Arc<str>| names.get(id).cloned().unwrap_or_else(|| Text::new(id));
        let grants = standing.iter().map(|one| grant(one, one.family.launch.patient.as_ref().map(name))).collect();
        Shown { grants, has_more, looked_up: names.keys().map(|id| Arc::clone(id)).collect() }
    }
}

fn grant(Standing { family, client }: &Standing, patient: Option<Text>) -> GrantFacts {
    GrantFacts {
        id: (&*family.id).into(),
        app: facts::app(client),
        patient,
        since: Date::from_unix(family.began_s),
        last_used: Some(Moment::from_unix(family.used_s, 0)),
        ends: match family.lasting {
            Lasting::Session(_) => Ends::WithSession,
            Lasting::Once | Lasting::Offline => Ends::On(Date::from_unix(family.ends_s)),
        },
        scopes: facts::scopes(&family.scope_text),
    }
}

impl Visitor<'_> {
    /// The list.
    pub(super) async fn apps_page(&self) -> Reply {
        let (session, user) = match self.who(next::TO_APPS) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let ended = self.head.query(ENDED).and_then(|ended| match ended {
            ALL => Some(Ended::All),
            id => self.inner.clients.client(id).map(|client| Ended::One(Text::new(&client.name))),
        });
        let csrf = Secret::new(self.inner.people.csrf(&session.hash, APPS_FORM));
        let Shown { grants, has_more, looked_up } = match self.looked_up(&user, None).await {
            Ok(shown) => shown,
            Err(why) => return self.unavailable(&why),
        };
        self.read(self.place(Apps { csrf, grants, has_more, ended }, Sent::Shown), &user, &looked_up)
    }

    /// One of them.
    pub(super) async fn app_page(&self) -> Reply {
        let (session, user) = match self.who(next::TO_APPS) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let id = self.head.query(fields::GRANT).unwrap_or_default().to_owned();
        let Shown { mut grants, looked_up, .. } = match self.looked_up(&user, Some(id)).await {
            Ok(shown) => shown,
            Err(why) => return self.unavailable(&why),
        };
        let Some(grant) = grants.pop() else { return self.problem(ProblemWhat::NotFound, Sent::NotFound) };
        let csrf = Secret::new(self.inner.people.csrf(&session.hash, APPS_FORM));
        self.read(self.place(App { csrf, grant }, Sent::Shown), &user, &looked_up)
    }

    /// All, or the one of this name.
    async fn looked_up(&self, user: &Arc<User>, only: Option<String>) -> Result<Shown, String> {
        let (inner, user) = (Arc::clone(self.inner), Arc::clone(user));
        let looked = tokio::task::spawn_blocking(move || {
            let mut standing = inner.standing(&user)?;
            if let Some(only) = only {
                standing.retain(|one| *one.family.id == *only);
            }
            Ok::<_, Unavailable>(inner.shown(&user, &standing))
        });
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
        let own = self.inner.families.of_user(&user.id, None).into_iter().find(|own| **own == *id);
        // Ended already, by a second press or by its app; or another's, which is told to nobody.
        let Some(id) = own else { return self.on(paths::APPS, Vec::new()) };
        let mut event = self.event("authorization-ended", Action::Update, &user.id);
        event.detail("consent", &id);
        let inner = Arc::clone(self.inner);
        let ending = tokio::task::spawn_blocking(move || {
            let family = inner.families.family(&id)?;
            inner.end_family(&id).map(|_| family)
        });
        match ending.await {
            Ok(Ok(family)) => {
                let Some(family) = family else { return self.on(paths::APPS, Vec::new()).did(event) };
                event.detail("client_id", &family.client_id);
                event.about(family.launch.patient.as_slice());
                self.on(format!("{}?{ENDED}={}", paths::APPS, family.client_id), Vec::new()).did(event)
            }
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
