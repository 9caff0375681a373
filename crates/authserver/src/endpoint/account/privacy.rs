//! What a privacy officer looks at: queues, the log, one event, unusual access with its review. SPEC: rows F16, F22, F50.
//!
//! Each look at the log is recorded with the patients that were shown. Whoever reviews proved within minutes who they
//! are, and nobody reviews what they did themselves.

use super::{Reply, Visitor, next, seen::role};
use crate::{
    drafts::Draft,
    event::Event,
    ledger::{Ledger, NotReviewed, Row},
    limits::NOTE_CHARS_MAX,
    outcome::page::Sent,
    registering::By,
};
use audit::{
    Entry,
    alarm::Rule,
    entry::{Action, Outcome, Person},
};
use fhir::LogicalId;
use oauth::{
    caller::{Role, User},
    form::Form,
};
use pages::{
    EventAsked, EventDetail, EventFacts, Events, EventsProblem, Literal, Moment, NoteProblem, Officer, OfficerQueue,
    ProblemWhat, Secret, Text, Unusual, UnusualFacts, UnusualOne, UnusualRule, UnusualVerdict, fields, limits, paths,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;
use store::{ReadError, Seen};

/// Form token of the forms of a privacy officer.
pub(super) const PRIVACY_FORM: &str = "privacy";

/// What is not a plain letter of a value in a query.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'/').remove(b':');

/// The query parameter that says that a review was kept.
const DONE: &str = "done";

impl Visitor<'_> {
    /// The session's person, when they look after privacy; else what they are told. `what` waits behind the sign-in.
    pub(super) fn officer(&self, what: &str) -> Result<Arc<User>, Box<Reply>> {
        let (session, user) = self.who(what)?;
        if user.role == Role::PrivacyOfficer {
            return Ok(user);
        }
        let event = self.event("privacy-pages-refused", Action::Execute, &session.account);
        let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
        Err(Box::new(reply.failed(event, "not a privacy officer", &Sent::Refused)))
    }

    fn ledger(&self) -> Result<Arc<Ledger>, Box<Reply>> {
        self.inner.ledger().ok_or_else(|| Box::new(self.unavailable("there is no log here")))
    }

    /// What waits, and where to look.
    pub(super) fn officer_page(&self) -> Reply {
        match self.officer(next::TO_PRIVACY).and_then(|_| self.ledger()) {
            Ok(ledger) => {
                let cases = self.inner.glasses.waiting().len();
                let queues = vec![(OfficerQueue::Cases, cases), (OfficerQueue::Unusual, ledger.open())];
                self.place(Officer { queues }, Sent::Shown)
            }
            Err(reply) => *reply,
        }
    }

    /// The log, searched.
    pub(super) async fn events_page(&self) -> Reply {
        let (user, ledger) = match self.officer(next::TO_PRIVACY).and_then(|user| Ok((user, self.ledger()?))) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let given = |name: &str| self.head.query(name).map(str::trim).filter(|value| !value.is_empty());
        let asked = EventAsked {
            person: given(fields::PERSON).map(Text::new),
            patient: given(fields::PATIENT).map(Text::new),
            app: given(fields::CLIENT).map(Text::new),
            from: given(fields::FROM).map(Into::into),
            until: given(fields::UNTIL).map(Into::into),
            refused: given(fields::REFUSED).is_some(),
            emergency: given(fields::EMERGENCY).is_some(),
        };
        let none = |asked, problem| Events { asked, found: Vec::new(), next: None, problem };
        let criteria = match criteria(&asked, self.inner.endpoints.fhir_base.as_str()) {
            Ok(criteria) => criteria,
            Err(problem) => return self.place(none(asked, Some(problem)), Sent::Shown),
        };
        let cursor = given(fields::CURSOR).map(str::to_owned);
        // WHY: as a URL has it, so that what somebody typed does not read as further criteria.
        let encoded = |value: &str| utf8_percent_encode(value, IN_QUERY).to_string();
        let query: Vec<String> = criteria.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let asks = Arc::clone(&user);
        let looked = tokio::task::spawn_blocking(move || {
            let pairs: Vec<(&str, &str)> = criteria.iter().map(|(name, value)| (*name, value.as_str())).collect();
            ledger.search(&asks, &pairs, cursor.as_deref())
        });
        let event = |patients: &[Arc<str>]| {
            let mut event =
                Event::looked("search-type", Some(format!("AuditEvent?{}", query.join("&"))), &user, patients);
            event.touches([]);
            event
        };
        match looked.await {
            Ok(Ok(found)) => {
                let facts: Vec<EventFacts> = found.events.iter().map(|(id, seen)| facts(id, seen)).collect();
                let mut patients: Vec<Arc<str>> = Vec::new();
                for id in found.events.iter().flat_map(|(_, seen)| &seen.entry.patients) {
                    if patients.iter().all(|known| **known != *id.as_str()) {
                        patients.push(id.as_str().into());
                    }
                }
                let next = found.next.map(Into::into);
                self.place(Events { asked, found: facts, next, problem: None }, Sent::Shown).did(event(&patients))
            }
            Ok(Err(ReadError::TooCostly(_))) => self.place(none(asked, Some(EventsProblem::TooMuch)), Sent::Shown),
            Ok(Err(ReadError::Cursor)) => self.problem(ProblemWhat::WrongRequest, Sent::NotTaken),
            Ok(Err(why)) => self.unavailable(&format!("{why:?}")),
            Err(why) => self.unavailable(&why.to_string()),
        }
    }

    /// One event.
    pub(super) async fn event_page(&self) -> Reply {
        let (user, ledger) = match self.officer(next::TO_PRIVACY).and_then(|user| Ok((user, self.ledger()?))) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let id = self.head.query(fields::EVENT).and_then(|id| LogicalId::parse(id).ok());
        let Some(id) = id else { return self.problem(ProblemWhat::NotFound, Sent::NotFound) };
        let (asks, asked) = (Arc::clone(&user), id.clone());
        match tokio::task::spawn_blocking(move || ledger.event(&asks, &asked)).await {
            Ok(Some(seen)) => {
                let patients: Vec<Arc<str>> = seen.entry.patients.iter().map(|id| id.as_str().into()).collect();
                let mut event = Event::looked("read", Some(format!("AuditEvent/{id}")), &user, &patients);
                event.touches([]);
                self.place(self.detail(&id, &seen), Sent::Shown).did(event)
            }
            Ok(None) => self.problem(ProblemWhat::NotFound, Sent::NotFound),
            Err(why) => self.unavailable(&why.to_string()),
        }
    }

    fn detail(&self, id: &LogicalId, seen: &Seen) -> EventDetail {
        let entry = &seen.entry;
        let text = |text: Option<&Arc<str>>| text.filter(|text| !text.trim().is_empty()).map(|text| Text::new(text));
        let app = entry.client_id.as_deref().map(|id| match self.inner.clients.client(id) {
            Some(client) => Text::new(&format!("{} ({id})", client.name)),
            None => Text::new(id),
        });
        let touched = entry.touched.iter().take(limits::ROWS_MAX).map(|one| match one.version {
            Some(version) => format!("{}/{}/_history/{}", one.resource_type, one.id, version.number()).into(),
            None => format!("{}/{}", one.resource_type, one.id).into(),
        });
        let counted = entry
            .counted()
            .iter()
            .map(|one| Text::new(&format!("{} {}: {}", one.what.as_str(), one.name, one.effect.as_str())));
        let person = entry.person.as_deref();
        let account = person.map(|person| match &person.fhir_user {
            Some(resource) => format!("{} ({resource})", person.id).into(),
            None => Literal::from(&*person.id),
        });
        let organization = entry.organization.as_deref();
        EventDetail {
            facts: facts(id, seen),
            account,
            app,
            organization: organization.and_then(|one| text(one.name.as_ref().or(Some(&one.uri)))),
            address: entry.address.map(|address| address.to_canonical().to_string().into()),
            why: entry.purposes().iter().map(|code| (&**code).into()).collect(),
            query: text(entry.query.as_ref()),
            touched: touched.collect(),
            reason: text(entry.outcome_text.as_ref()),
            counted: counted.collect(),
            request: Some(&*entry.request_id).filter(|id| !id.is_empty()).map(Into::into),
            place_in_log: seen.sequence.to_string().into(),
        }
    }

    /// Unusual access.
    pub(super) async fn unusual_page(&self) -> Reply {
        let (user, ledger) = match self.officer(next::TO_PRIVACY).and_then(|user| Ok((user, self.ledger()?))) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        match tokio::task::spawn_blocking(move || ledger.alarms()).await {
            Ok(Ok(rows)) => {
                let has_more = rows.len() > limits::ROWS_MAX;
                let shown: Vec<&Row> = rows.iter().take(limits::ROWS_MAX).collect();
                let event = looked_at(&user, &shown);
                let found = shown.into_iter().map(unusual).collect();
                let done = self.head.query(DONE).is_some();
                self.place(Unusual { found, has_more, done }, Sent::Shown).did(event)
            }
            Ok(Err(why)) => self.unavailable(&why),
            Err(why) => self.unavailable(&why.to_string()),
        }
    }

    /// One of them.
    pub(super) async fn unusual_one_page(&self) -> Reply {
        let id = self.head.query(fields::ALARM).unwrap_or_default().to_owned();
        self.unusual_one(id, None).await
    }

    /// `typed`: what was not taken, and why.
    async fn unusual_one(&self, id: String, typed: Option<(Draft, NoteProblem)>) -> Reply {
        let (user, ledger) = match self.officer(next::TO_PRIVACY).and_then(|user| Ok((user, self.ledger()?))) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let sent = if typed.is_some() { Sent::NotTaken } else { Sent::Shown };
        let (draft, problem) = typed.map_or((None, None), |(draft, problem)| (Some(draft), Some(problem)));
        let draft = draft.unwrap_or_else(|| {
            let is_meant = |draft: &Draft| draft.value(fields::ALARM) == Some(&id);
            let now_s = self.inner.now().unix_seconds();
            self.inner.drafts.take(&user.id, PRIVACY_FORM, now_s, is_meant).unwrap_or_default()
        });
        let looked = tokio::task::spawn_blocking(move || {
            let row = ledger.alarm(&id)?;
            Ok::<_, String>(row.and_then(|row| Some((ledger.event_id(row.alarm.sequence)?, row))))
        });
        match looked.await {
            Ok(Ok(Some((event_id, row)))) => {
                let event = looked_at(&user, &[&row]);
                let csrf = Secret::new(self.csrf(PRIVACY_FORM).0);
                let is_own = row.is_of(&user);
                let review = row.review.as_ref().map(|review| (Text::note(&review.note), Text::new(&review.by)));
                let view = UnusualOne {
                    csrf,
                    facts: unusual(&row),
                    event: event_id.as_str().into(),
                    review,
                    is_own,
                    verdict: draft.value(fields::VERDICT).and_then(UnusualVerdict::from_value),
                    note: Secret::new(draft.value(fields::NOTE).unwrap_or_default()),
                    problem,
                };
                self.place(view, sent).did(event)
            }
            Ok(Ok(None)) => self.problem(ProblemWhat::NotFound, Sent::NotFound),
            Ok(Err(why)) => self.unavailable(&why),
            Err(why) => self.unavailable(&why.to_string()),
        }
    }

    /// The review of one.
    pub(super) async fn unusual_reviewed(&self, form: &Form) -> Reply {
        let (user, ledger) = match self.officer(next::TO_PRIVACY).and_then(|user| Ok((user, self.ledger()?))) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let draft = Draft::of(form, &[fields::ALARM, fields::VERDICT, fields::NOTE]);
        if let Err(reply) = self.fresh(next::TO_PRIVACY) {
            self.inner.drafts.keep(&user.id, PRIVACY_FORM, draft, self.inner.now().unix_seconds());
            return *reply;
        }
        let verdict = form.value(fields::VERDICT).filter(|word| UnusualVerdict::from_value(word).is_some());
        let verdict = verdict.map(str::to_owned);
        let id = form.value(fields::ALARM).map(str::to_owned);
        let is_review = form.value(fields::DECISION) == Some(fields::REVIEW);
        let (Some(verdict), Some(id), true) = (verdict, id, is_review) else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let note = form.value(fields::NOTE).unwrap_or_default().trim().to_owned();
        let problem = match note.chars().count() {
            0 => Some(NoteProblem::Missing),
            count => (count > NOTE_CHARS_MAX).then_some(NoteProblem::TooLong(NOTE_CHARS_MAX)),
        };
        if let Some(problem) = problem {
            return self.unusual_one(id, Some((draft, problem))).await;
        }
        let (asks, inner) = (Arc::clone(&user), Arc::clone(self.inner));
        let by = By::Person(Box::new(Person::of(&user)), self.address);
        let (asked, said) = (id.clone(), verdict.clone());
        let reviewed = tokio::task::spawn_blocking(move || {
            ledger.review(&asks, &asked, &said, &note, |row| {
                let mut event = reviewed_event(&asked, &said);
                event.about(&patients(&[row]));
                inner.did(&by, event).map_err(|why| why.to_string())
            })
        });
        match reviewed.await {
            Ok(Ok((_, recorded))) => self.on(format!("{}?{DONE}=1", paths::UNUSUAL), Vec::new()).recorded(recorded),
            Ok(Err(NotReviewed::Own)) => {
                let mut event = reviewed_event(&id, &verdict);
                event.person = Some(Person::of(&user));
                let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
                reply.failed(event, "nobody reviews their own access", &Sent::Refused)
            }
            Ok(Err(NotReviewed::Done)) => self.on(paths::UNUSUAL, Vec::new()),
            Ok(Err(NotReviewed::Unknown)) => self.problem(ProblemWhat::NotFound, Sent::NotFound),
            Ok(Err(NotReviewed::Unavailable(why))) => self.unavailable(&why),
            Err(why) => self.unavailable(&why.to_string()),
        }
    }
}

/// A look at unusual access, with the patients of it.
fn looked_at(user: &User, rows: &[&Row]) -> Event {
    let mut event = Event::looked("search-type", Some("audit-alarms?".to_owned()), user, &patients(rows));
    event.touches([]);
    event
}

fn reviewed_event(alarm: &str, verdict: &str) -> Event {
    let mut event = Event::new("access-reviewed", Action::Update);
    event.detail("alarm", alarm);
    event.detail("verdict", verdict);
    event
}

fn patients(rows: &[&Row]) -> Vec<Arc<str>> {
    rows.iter().filter_map(|row| row.alarm.patient.as_ref()).map(|id| id.as_str().into()).collect()
}

/// What was asked as criteria of AuditEvent.
fn criteria(asked: &EventAsked, base_url: &str) -> Result<Vec<(&'static str, String)>, EventsProblem> {
    let mut criteria = Vec::new();
    if let Some(person) = &asked.person {
        criteria.push(("agent-name:contains", crate::records::escaped(person.as_str())));
    }
    if let Some(patient) = &asked.patient {
        let id = patient.as_str().strip_prefix("Patient/").unwrap_or(patient.as_str());
        let id = LogicalId::parse(id).map_err(|_| EventsProblem::Patient)?;
        criteria.push(("patient", format!("Patient/{id}")));
    }
    if let Some(app) = &asked.app {
        let escaped = crate::records::escaped;
        criteria.push(("agent:identifier", format!("{}|{}", escaped(base_url), escaped(app.as_str()))));
    }
    for (prefix, day) in [("ge", &asked.from), ("le", &asked.until)] {
        if let Some(day) = day {
            let is_day =
                day.as_str().len() == 10 && pages::Date::parse(day.as_str()).is_some_and(|day| day.day.is_some());
            if !is_day {
                return Err(EventsProblem::Day);
            }
            criteria.push(("date", format!("{prefix}{}", day.as_str())));
        }
    }
    if asked.refused {
        criteria.push(("outcome", "4,8,12".to_owned()));
    }
    if asked.emergency {
        criteria.push(("subtype", "break-glass".to_owned()));
    }
    Ok(criteria)
}

fn facts(id: &LogicalId, seen: &Seen) -> EventFacts {
    let entry = &seen.entry;
    let organization = entry.organization.as_deref().map(|one| one.name.as_ref().unwrap_or(&one.uri));
    let person = entry.person.as_deref();
    let who = person.map(|person| &person.name).or(organization).or(entry.client_id.as_ref());
    EventFacts {
        id: id.as_str().into(),
        at: Moment::from_unix(entry.recorded.unix_seconds(), 0),
        who: who.map(|who| Text::new(who)),
        role: person.map(|person| role(person.role.as_str())),
        what: Text::new(&what(entry)),
        patients: entry.patients.iter().take(limits::ROWS_MAX).map(|id| id.as_str().into()).collect(),
        refused: entry.outcome != Outcome::Success,
        emergency: entry.glass().is_some(),
    }
}

fn what(entry: &Entry) -> String {
    match (&entry.query, entry.touched.as_slice()) {
        (Some(query), _) => format!("{} {query}", entry.subtype),
        (None, [one]) => format!("{} {}/{}", entry.subtype, one.resource_type, one.id),
        _ => entry.subtype.to_string(),
    }
}

fn unusual(row: &Row) -> UnusualFacts {
    let alarm = &row.alarm;
    UnusualFacts {
        id: row.id.as_str().into(),
        rule: match alarm.rule {
            Rule::Rate => UnusualRule::Rate,
            Rule::Breadth => UnusualRule::Breadth,
            Rule::Family => UnusualRule::Family,
            Rule::Own => UnusualRule::Own,
            Rule::Protected => UnusualRule::Protected,
            Rule::Refusals => UnusualRule::Refusals,
        },
        at: Moment::from_unix(alarm.at.unix_seconds(), 0),
        who: Text::new(&alarm.who),
        patient: alarm.patient.as_ref().map(|id| id.as_str().into()),
        count: alarm.count,
        verdict: row.review.as_ref().and_then(|review| UnusualVerdict::from_value(&review.verdict)),
    }
}

#[cfg(test)]
mod tests;
