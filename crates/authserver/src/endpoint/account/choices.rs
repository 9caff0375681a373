//! What a patient shares, with whom, and what a choice would do before it is made. SPEC: rows G7, G9, G10, A18, F66; issue
//! 7, item 3; `docs/consent.md`.
//!
//! For patients, for those who may act for them by law, and, to be read, for others who care for them. A choice is made
//! in two steps: what it would do is shown, and what is confirmed must be what was shown, or it is shown again. It is
//! written by an app's road (`crate::choices`), which decides by itself who may.

use super::{Reply, Visitor, next};
use crate::{
    choices::{
        self, Act, Choices, Foreseen, Kept, PURPOSES, Party, Record, Room, SENSITIVE, Said, State, URIS, Watched, What,
        Who,
    },
    drafts::Draft,
    event::Event,
    outcome::page::{Sent, Written},
    people::session::Session,
};
use bytes::Bytes;
use fhir::{LogicalId, ResourceType};
use http::{Request, header};
use oauth::{
    caller::{Role, User},
    form::Form,
};
use pages::{
    ChoiceDraft, ChoiceFacts, ChoiceForm, ChoiceMatter, ChoiceParty, ChoicePreview, ChoiceProblem, ChoiceState,
    ChoiceStep, ChoiceWhat, ChoiceWho, ChoiceWords, ChoicesNotice, Date, EntryFacts, KINDS, Literal, ProblemWhat,
    Secret, Text, WatchedFacts, fields, paths,
};
use policy::consent::{ConsentSource, Directives};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// Form token of the forms of choices.
pub(super) const CHOICES_FORM: &str = "choices";

/// Entries that the form offers, and a preview lists of each person.
const OFFERED: usize = 20;
const LISTED: usize = 5;

/// The fields of a choice, as they go from the form through its preview.
const DRAFT: [&str; 10] = [
    fields::PATIENT,
    fields::EFFECT,
    fields::WHO,
    fields::WHAT,
    fields::KIND,
    fields::MATTER,
    fields::ENTRY,
    fields::PURPOSE,
    fields::UNTIL,
    fields::EMERGENCY,
];

/// Who is signed in, and what they choose with.
type Chooser = (Arc<Session>, Arc<User>, Arc<Choices>);

/// What somebody asked for, looked at where the disk may be waited for.
type Looked<T> = Result<Option<T>, String>;

impl Visitor<'_> {
    /// The list.
    pub(super) async fn choices_page(&self) -> Reply {
        let (_, user, choices) = match self.chooser() {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let (asked, asks) = (self.head.query(fields::PATIENT).map(str::to_owned), Arc::clone(&user));
        let looked = look(move || {
            let room = choices.room(&asks)?;
            let (record, others) = record(&room, asked.as_deref())?;
            let (kept, has_more) = room.consents(&record)?;
            let told: Vec<ChoiceFacts> = kept.iter().map(|one| told(&room, one)).collect();
            let shown: Vec<_> = kept.iter().filter_map(|one| choices::parsed(&format!("Consent/{}", one.id))).collect();
            Some((record, others, told, has_more, shown))
        });
        let (record, others, told, has_more, shown) = match self.found(looked.await) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let (in_force, idle) = told.into_iter().partition(|one| one.state == ChoiceState::InForce);
        let mut event = seen(&user, &record, shown);
        let named = std::iter::once(&record).chain(&others).map(|one| Arc::clone(&one.patient.id));
        event.about(&named.collect::<Vec<_>>());
        let view = pages::Choices {
            patient: (&*record.patient.id).into(),
            name: name(&user, &record),
            others: others.iter().map(|one| ((&*one.patient.id).into(), Text::new(&one.patient.name))).collect(),
            acts: record.acts,
            in_force,
            idle,
            has_more,
            notice: self.head.query(fields::DONE).and_then(ChoicesNotice::from_value),
        };
        self.place(view, Sent::Shown).did(event)
    }

    /// The form of a new one.
    pub(super) async fn choice_new_page(&self) -> Reply {
        let (session, user, choices) = match self.eligible_chooser() {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let mut draft = Draft::default();
        draft.put(fields::EMERGENCY, fields::YES);
        for name in [fields::PATIENT, fields::WHO] {
            if let Some(value) = self.head.query(name) {
                draft.put(name, value);
            }
        }
        // What was typed comes back behind the sign-in alone: who asks for a record, or names somebody, begins anew.
        let is_asked = draft.value(fields::PATIENT).or(draft.value(fields::WHO)).is_some();
        let now_s = self.inner.now().unix_seconds();
        let draft = self.inner.drafts.take(&user.id, CHOICES_FORM, now_s, |_| !is_asked).unwrap_or(draft);
        self.choice_form(&session, &user, choices, draft, Vec::new(), Sent::Shown).await
    }

    async fn choice_form(
        &self,
        session: &Session,
        user: &Arc<User>,
        choices: Arc<Choices>,
        draft: Draft,
        problems: Vec<ChoiceProblem>,
        sent: Sent,
    ) -> Reply {
        let (asks, people, ledger) = (Arc::clone(user), Arc::clone(&self.inner.people), self.inner.ledger());
        let asked = draft.value(fields::PATIENT).map(str::to_owned);
        let looked = look(move || {
            let room = choices.room(&asks)?;
            let (record, _) = record(&room, asked.as_deref())?;
            if !record.acts {
                return Some((record, Vec::new(), Vec::new()));
            }
            let patient = LogicalId::parse(&record.patient.id).ok()?;
            let (parties, _) = room.parties(&patient, &people, ledger.as_deref());
            let (mut entries, _) = room.entries(&patient)?;
            entries.retain(|entry| !matches!(entry.kind.name(), "Patient" | "Consent"));
            entries.sort_by(|a, b| b.date.cmp(&a.date));
            entries.truncate(OFFERED);
            Some((record, parties, entries))
        });
        let (record, parties, entries) = match self.found(looked.await) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        if !record.acts {
            return self.problem(ProblemWhat::NotAllowed, Sent::Refused);
        }
        let party = |party: &Party| ChoiceParty {
            reference: party.reference.as_str().into(),
            name: Text::new(&party.name),
            is_carer: party.is_carer,
        };
        let view = ChoiceForm {
            csrf: Secret::new(self.inner.people.csrf(&session.hash, CHOICES_FORM)),
            patient: (&*record.patient.id).into(),
            name: name(user, &record),
            parties: parties.iter().map(party).collect(),
            entries: entries.iter().map(entry_facts).collect(),
            purposes: PURPOSES.map(Into::into).into(),
            draft: draft.view(),
            problems,
        };
        self.place(view, sent).did(seen(user, &record, places(&entries)))
    }

    /// The form, its preview and its confirmation.
    pub(super) async fn choice_new(&self, form: &Form) -> Reply {
        let draft = Draft::of(form, &DRAFT);
        let decision = form.value(fields::DECISION);
        // Nothing that somebody typed is lost by having to prove who they are.
        let (session, user, choices) = match self.chooser() {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let now_s = self.inner.now().unix_seconds();
        if let Err(reply) = self.fresh(next::TO_CHOICE_NEW) {
            self.inner.drafts.keep(&user.id, CHOICES_FORM, draft, now_s);
            return *reply;
        }
        if decision == Some(fields::CHANGE) {
            return self.choice_form(&session, &user, choices, draft, Vec::new(), Sent::Shown).await;
        }
        if !matches!(decision, Some(fields::PREVIEW | fields::CONFIRM)) {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        }
        let (asks, people, ledger) = (Arc::clone(&user), Arc::clone(&self.inner.people), self.inner.ledger());
        let (typed, facility, rooms) = (draft.clone(), self.inner.facility.clone(), Arc::clone(&choices));
        let today = Date::from_unix(now_s);
        let (now, hash) = (self.inner.now().to_string(), session.hash);
        let looked = look(move || {
            let room = rooms.room(&asks)?;
            let (record, _) = record(&room, typed.value(fields::PATIENT))?;
            if !record.acts {
                return Some((record, Err(Vec::new())));
            }
            let patient = LogicalId::parse(&record.patient.id).ok()?;
            let (parties, more) = room.parties(&patient, &people, ledger.as_deref());
            let said = match typed.said(&room, &parties, today) {
                Ok(said) => said,
                Err(problems) => return Some((record, Err(problems))),
            };
            let performer = room.performer()?;
            let (kept, _) = room.consents(&record)?;
            let choice = format!("{patient} {said:?}");
            // Sent twice at once, by a second click, it is one Consent.
            let uri = choices::uri_of(&people.csrf(&hash, &label(&(choice.clone() + &choices::as_they_stand(&kept)))))?;
            let act = Act { patient: &record.patient.id, performer, facility: &facility, now: &now, uri: &uri };
            let consent = said.consent(&act).to_string();
            let added =
                |before: &Directives| before.with(&ConsentSource { id: "", version: 0, json: consent.as_bytes() });
            let foreseen = foresee(&room, &patient, (&parties, more), (&named(&said), None), added, &people)?;
            if foreseen.hides_own {
                return Some((record, Err(vec![ChoiceProblem::Own])));
            }
            let shown = foreseen.name(&choice, &kept);
            Some((record, Ok((words(&room, &said), (uri, consent), foreseen, shown))))
        });
        let (record, found) = match self.found(looked.await) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let (words, (uri, consent), foreseen, shown) = match found {
            Ok(found) => found,
            Err(_) if !record.acts => return self.problem(ProblemWhat::NotAllowed, Sent::Refused),
            Err(problems) => return self.choice_form(&session, &user, choices, draft, problems, Sent::NotTaken).await,
        };
        let is_shown = self.is_shown(&session, &shown, form);
        if decision == Some(fields::CONFIRM) && is_shown {
            let request = Request::post("/fhir/Consent")
                .header(header::CONTENT_TYPE, "application/fhir+json")
                .header("if-none-exist", format!("identifier={URIS}|{uri}"));
            return self
                .written(&choices, &user, &record, request.body(Bytes::from(consent)), ChoicesNotice::Made)
                .await;
        }
        let kept = draft.0.iter().filter(|(name, _)| name != fields::PATIENT);
        let kept = kept.map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect();
        let is_stale = decision == Some(fields::CONFIRM);
        self.choice_preview(&session, &user, &record, ChoiceStep::New(words, kept), &foreseen, &shown, is_stale)
    }

    /// What the end of one would do.
    pub(super) async fn choice_end_page(&self) -> Reply {
        let asked = |name| self.head.query(name).unwrap_or_default().to_owned();
        self.choice_ending(asked(fields::PATIENT), asked(fields::CHOICE), None).await
    }

    /// Ends it.
    pub(super) async fn choice_end(&self, form: &Form) -> Reply {
        if form.value(fields::DECISION) != Some(fields::CONFIRM) {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        }
        let asked = |name| form.value(name).unwrap_or_default().to_owned();
        self.choice_ending(asked(fields::PATIENT), asked(fields::CHOICE), Some(form)).await
    }

    async fn choice_ending(&self, patient: String, choice: String, confirmed: Option<&Form>) -> Reply {
        let (session, user, choices) = match self.eligible_chooser() {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let (asks, people, ledger) = (Arc::clone(&user), Arc::clone(&self.inner.people), self.inner.ledger());
        let rooms = Arc::clone(&choices);
        let looked = look(move || {
            let room = rooms.room(&asks)?;
            let (record, _) = record(&room, Some(&patient))?;
            let (kept, _) = room.consents(&record)?;
            let ended = kept.iter().find(|one| one.id == choice)?;
            if !ended.is_own {
                return Some((record, None));
            }
            let patient = LogicalId::parse(&record.patient.id).ok()?;
            let (parties, more) = room.parties(&patient, &people, ledger.as_deref());
            let mut json = ended.json.clone();
            json.as_object_mut()?.insert("status".to_owned(), "inactive".into());
            let json = json.to_string();
            let without = |before: &Directives| {
                before.with(&ConsentSource { id: &ended.id, version: ended.version, json: json.as_bytes() })
            };
            let named = ended.said.as_ref().map(named).unwrap_or_default();
            let foreseen = foresee(&room, &patient, (&parties, more), (&named, Some(&ended.id)), without, &people)?;
            let shown = foreseen.name(&format!("end {}", ended.id), &kept);
            let facts = told(&room, ended);
            Some((record, Some((facts, ended.id.clone(), ended.version, json, foreseen, shown))))
        });
        let (record, found) = match self.found(looked.await) {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let Some((facts, id, version, json, foreseen, shown)) = found else {
            // Ended meanwhile, or never theirs: the list says which.
            return self.on(list(&record, None), Vec::new());
        };
        if confirmed.is_some_and(|form| self.is_shown(&session, &shown, form)) {
            // Whoever else ended or changed it meanwhile was first.
            let request = Request::put(format!("/fhir/Consent/{id}"))
                .header(header::CONTENT_TYPE, "application/fhir+json")
                .header(header::IF_MATCH, format!("W/\"{version}\""));
            return self.written(&choices, &user, &record, request.body(Bytes::from(json)), ChoicesNotice::Ended).await;
        }
        let is_stale = confirmed.is_some();
        self.choice_preview(&session, &user, &record, ChoiceStep::End(facts), &foreseen, &shown, is_stale)
    }

    #[expect(clippy::too_many_arguments, reason = "what a page shows, said once")]
    fn choice_preview(
        &self,
        session: &Session,
        user: &User,
        record: &Record,
        step: ChoiceStep,
        foreseen: &Foreseen,
        shown: &str,
        is_stale: bool,
    ) -> Reply {
        let part = |entries: &[choices::Entry]| {
            (entries.len(), entries.iter().take(LISTED).map(entry_facts).collect::<Vec<EntryFacts>>())
        };
        let watched = |one: &Watched| WatchedFacts {
            name: Text::new(&one.party.name),
            is_outside: one.is_outside,
            hides: part(&one.hides),
            shows: part(&one.shows),
        };
        let people = &self.inner.people;
        let view = ChoicePreview {
            csrf: Secret::new(people.csrf(&session.hash, CHOICES_FORM)),
            shown: Secret::new(people.csrf(&session.hash, &label(shown))),
            patient: (&*record.patient.id).into(),
            is_own: user.role == Role::Patient,
            step,
            watched: foreseen.watched.iter().map(watched).collect(),
            unchanged: foreseen.unchanged,
            is_part: foreseen.is_part,
            is_stale,
        };
        let sent = if is_stale { Sent::NotTaken } else { Sent::Shown };
        let listed = foreseen.watched.iter().flat_map(|one| [&one.hides, &one.shows]);
        let listed: BTreeSet<_> = places(listed.flat_map(|part| part.iter().take(LISTED))).into_iter().collect();
        self.place(view, sent).did(seen(user, record, listed))
    }

    /// Whether the form is of a page that showed just this.
    fn is_shown(&self, session: &Session, shown: &str, form: &Form) -> bool {
        self.inner.people.is_csrf(&session.hash, &label(shown), form.value(fields::SHOWN))
    }

    /// Writes it down. Its record is that of the FHIR request.
    async fn written(
        &self,
        choices: &Choices,
        user: &Arc<User>,
        record: &Record,
        request: Result<Request<Bytes>, http::Error>,
        done: ChoicesNotice,
    ) -> Reply {
        let Ok(request) = request else { return self.unavailable("no request") };
        let Some(answer) = choices.write(user, self.address, request).await else {
            return self.unavailable("no service writes what people choose");
        };
        match Written::of(&answer) {
            Written::Done => self.on(list(record, Some(done)), Vec::new()),
            // Another tab, or somebody else, was first: the list says how it is now.
            Written::Late => self.on(list(record, None), Vec::new()),
            Written::Refused => self.problem(ProblemWhat::NotAllowed, Sent::Refused),
            Written::Failed(status) => self.unavailable(&format!("a choice was answered with {status}")),
        }
    }

    /// Somebody who may see choices.
    fn chooser(&self) -> Result<Chooser, Box<Reply>> {
        let (session, user) = self.who(next::TO_CHOICES)?;
        if !matches!(user.role, Role::Patient | Role::Caregiver) {
            return Err(Box::new(self.problem(ProblemWhat::NotAllowed, Sent::Refused)));
        }
        let choices = self.inner.choices();
        let choices = choices.ok_or_else(|| Box::new(self.unavailable("there is no store here")))?;
        Ok((session, user, choices))
    }

    /// The same, who proved just now who they are.
    fn eligible_chooser(&self) -> Result<Chooser, Box<Reply>> {
        let found = self.chooser()?;
        self.fresh(next::TO_CHOICES)?;
        Ok(found)
    }

    fn found<T>(&self, looked: Looked<T>) -> Result<T, Box<Reply>> {
        match looked {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(Box::new(self.problem(ProblemWhat::NotFound, Sent::NotFound))),
            Err(why) => Err(Box::new(self.unavailable(&why))),
        }
    }
}

async fn look<T: Send + 'static>(work: impl FnOnce() -> Option<T> + Send + 'static) -> Looked<T> {
    tokio::task::spawn_blocking(work).await.map_err(|why| why.to_string())
}

/// What the token of something shown is made of.
fn label(shown: &str) -> String {
    format!("{CHOICES_FORM} {shown}")
}

fn list(record: &Record, done: Option<ChoicesNotice>) -> String {
    let done = done.map(|done| format!("&{}={}", fields::DONE, done.value())).unwrap_or_default();
    format!("{}?{}={}{done}", paths::CHOICES, fields::PATIENT, record.patient.id)
}

/// The record that is asked for, else the first; and the others.
fn record(room: &Room<'_>, asked: Option<&str>) -> Option<(Record, Vec<Record>)> {
    let mut all = room.records()?;
    let at = match asked {
        None => 0,
        Some(asked) => all.iter().position(|record| &*record.patient.id == asked)?,
    };
    if all.is_empty() {
        return None;
    }
    let record = all.remove(at);
    Some((record, all))
}

fn name(user: &User, record: &Record) -> Option<Text> {
    (user.role != Role::Patient).then(|| Text::new(&record.patient.name))
}

/// As the API records the same search; `shown`: what of the record stands on the page.
fn seen(user: &User, record: &Record, shown: impl IntoIterator<Item = (ResourceType, LogicalId)>) -> Event {
    let id = &record.patient.id;
    let mut event =
        Event::looked("search-type", Some(format!("Consent?patient=Patient/{id}")), user, std::slice::from_ref(id));
    event.touches(shown);
    event
}

fn places<'a>(entries: impl IntoIterator<Item = &'a choices::Entry>) -> Vec<(ResourceType, LogicalId)> {
    entries.into_iter().map(|entry| (entry.kind, entry.id.clone())).collect()
}

/// What the record becomes when the consents of the patient, as they stand in the store, are changed so.
fn foresee(
    room: &Room<'_>,
    patient: &LogicalId,
    parties: (&[Party], bool),
    named: (&[String], Option<&str>),
    change: impl FnOnce(&Directives) -> Directives,
    people: &choices::Accounts,
) -> Option<Foreseen> {
    let before = room.said(patient)?;
    let after = Arc::new(change(&before));
    room.foresee(patient, parties, named, (&before, &after), people)
}

/// Whom a choice names, as those for whom something changes.
fn named(said: &Said) -> Vec<String> {
    match &said.who {
        Who::These(these) => these.clone(),
        Who::Everybody | Who::But(_) => Vec::new(),
    }
}

fn entry_facts(entry: &choices::Entry) -> EntryFacts {
    EntryFacts {
        reference: format!("{}/{}", entry.kind, entry.id).into(),
        kind: entry.kind.name().into(),
        title: entry.title.as_deref().map(Text::new),
        date: entry.date.as_deref().and_then(Date::parse),
    }
}

fn words(room: &Room<'_>, said: &Said) -> ChoiceWords {
    let names = |who: &[String]| -> Vec<Text> {
        who.iter().map(|one| room.name(one).map(|name| Text::new(&name)).unwrap_or_default()).collect()
    };
    let entry = |reference: &String| match room.entry(reference) {
        Some(entry) => entry_facts(&entry),
        None => {
            let kind = reference.split('/').next().unwrap_or_default();
            EntryFacts { reference: reference.as_str().into(), kind: kind.into(), title: None, date: None }
        }
    };
    ChoiceWords {
        shares: said.shares,
        who: match &said.who {
            Who::Everybody => ChoiceWho::Everybody,
            Who::But(but) => ChoiceWho::But(names(but)),
            Who::These(these) => ChoiceWho::These(names(these)),
        },
        what: match &said.what {
            What::Everything => ChoiceWhat::Everything,
            What::Types(types) => ChoiceWhat::Types(types.iter().map(|name| name.as_str().into()).collect()),
            What::Sensitive(matters) => {
                ChoiceWhat::Matters(matters.iter().filter_map(|one| ChoiceMatter::from_value(one)).collect())
            }
            What::Entries(entries) => ChoiceWhat::Entries(entries.iter().map(entry).collect()),
        },
        purposes: said.purposes.iter().map(|code| code.as_str().into()).collect(),
        until: said.until.as_deref().and_then(Date::parse),
        emergency: said.emergency,
    }
}

fn told(room: &Room<'_>, kept: &Kept) -> ChoiceFacts {
    let text = |at: &str| kept.json.pointer(at).and_then(Value::as_str);
    let by = text("/performer/0/display").map(str::to_owned);
    let by = by
        .or_else(|| room.name(text("/performer/0/reference")?))
        .or_else(|| text("/organization/0/display").map(str::to_owned));
    ChoiceFacts {
        id: kept.id.as_str().into(),
        words: kept.said.as_ref().map(|said| words(room, said)),
        recorded: text("/dateTime").and_then(|date| Date::parse(date.split('T').next()?)),
        by: by.as_deref().map(Text::new),
        state: match kept.state {
            State::InForce => ChoiceState::InForce,
            State::OutOfPeriod => ChoiceState::OutOfPeriod,
            State::Replaced => ChoiceState::Replaced,
            State::NotActive => ChoiceState::NotActive,
        },
        may_end: kept.is_own,
    }
}

/// The fields of a choice.
impl Draft {
    fn view(&self) -> ChoiceDraft {
        let one = |name| Literal::new(self.value(name).unwrap_or_default());
        let all = |name| self.values(name).map(Literal::from).collect();
        ChoiceDraft {
            effect: one(fields::EFFECT),
            who: one(fields::WHO),
            what: one(fields::WHAT),
            kinds: all(fields::KIND),
            matters: all(fields::MATTER),
            entry: one(fields::ENTRY),
            purposes: all(fields::PURPOSE),
            until: one(fields::UNTIL),
            emergency: self.value(fields::EMERGENCY) == Some(fields::YES),
        }
    }

    /// What it says, or what is missing. Names and entries must be such as the form offers.
    fn said(&self, room: &Room<'_>, parties: &[Party], today: Date) -> Result<Said, Vec<ChoiceProblem>> {
        let mut problems = Vec::new();
        let shares = match self.value(fields::EFFECT) {
            Some(fields::SHARE) => true,
            Some(fields::WITHHOLD) => false,
            _ => {
                problems.push(ChoiceProblem::Effect);
                false
            }
        };
        let carers =
            || parties.iter().filter(|party| party.is_carer).map(|party| party.reference.clone()).collect::<Vec<_>>();
        let who = match self.value(fields::WHO) {
            Some(fields::EVERYBODY) => Some(Who::Everybody),
            Some(fields::BUT_CARERS) if shares => {
                problems.push(ChoiceProblem::ButShared);
                Some(Who::Everybody)
            }
            Some(fields::BUT_CARERS) => Some(carers()).filter(|carers| !carers.is_empty()).map(Who::But),
            Some(one) if parties.iter().any(|party| party.reference == one) => Some(Who::These(vec![one.to_owned()])),
            _ => None,
        };
        // Who acts for the patient stands where the patient does, whom no choice binds.
        let who = match (who, room.performer()) {
            (Some(who), Some(own)) if room.user.role == Role::Caregiver && !shares => Some(match who {
                Who::Everybody => Who::But(vec![own.to_owned()]),
                Who::But(carers) => Who::But(carers.into_iter().chain([own.to_owned()]).collect()),
                Who::These(these) => Who::These(these),
            }),
            (who, _) => who,
        };
        let what = self.what(room);
        let until = self.value(fields::UNTIL).filter(|until| !until.is_empty());
        let is_to_come = |until: &str| Date::parse(until).is_some_and(|date| date.day.is_some() && date > today);
        let purposes: Vec<String> = self.values(fields::PURPOSE).map(str::to_owned).collect();
        if who.is_none() {
            problems.push(ChoiceProblem::Who);
        }
        if what.is_none() {
            problems.push(ChoiceProblem::What);
        }
        if until.is_some_and(|until| !is_to_come(until)) {
            problems.push(ChoiceProblem::Until);
        }
        match (who, what) {
            (Some(who), Some(what)) if problems.is_empty() => Ok(Said {
                shares,
                who,
                what,
                purposes: PURPOSES
                    .into_iter()
                    .filter(|code| purposes.iter().any(|one| one == code))
                    .map(str::to_owned)
                    .collect(),
                until: until.map(str::to_owned),
                emergency: !shares && self.value(fields::EMERGENCY) == Some(fields::YES),
            }),
            _ => Err(problems),
        }
    }

    fn what(&self, room: &Room<'_>) -> Option<What> {
        match self.value(fields::WHAT)? {
            fields::EVERYTHING => Some(What::Everything),
            fields::KINDS => {
                let chosen = KINDS.iter().filter(|(word, ..)| self.values(fields::KIND).any(|one| one == *word));
                let types: BTreeSet<String> =
                    chosen.flat_map(|(_, _, types)| *types).map(|name| (*name).to_owned()).collect();
                (!types.is_empty()).then_some(What::Types(types))
            }
            fields::MATTERS => {
                let chosen = SENSITIVE.iter().filter(|(word, _)| self.values(fields::MATTER).any(|one| one == *word));
                let matters: Vec<String> = chosen.map(|(word, _)| (*word).to_owned()).collect();
                (!matters.is_empty()).then_some(What::Sensitive(matters))
            }
            fields::ENTRY => {
                let entry = self.value(fields::ENTRY)?;
                // What they cannot see is not theirs to choose about.
                room.entry(entry).map(|entry| What::Entries(vec![format!("{}/{}", entry.kind, entry.id)]))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
