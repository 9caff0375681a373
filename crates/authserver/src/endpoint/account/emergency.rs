//! A clinician breaks the glass for one patient. SPEC: rows F49, F50, A18, F66.
//!
//! For those with the right, who proved within minutes who they are. Whom they look for they know: a record number, or
//! names and birthday, finds one person or nobody; each search is recorded and there are few of them. The reason and what
//! will happen come before the button. The case's entry stands in the log before the glass counts.

use super::{EMERGENCY_FORM, Reply, Visitor, next};
use crate::{
    event::Event,
    glasses::{Case, GlassError, NewGlass, Reason, Sought},
    limits,
    outcome::page::Sent,
    page::facts,
    people::session::Session,
    records::{PatientRecord, Wanted},
    registering::{By, Recorded},
    service::Inner,
};
use audit::entry::{Action, Grounds, Person};
use oauth::{
    caller::{Role, User},
    form::Form,
    udap::purpose::Purpose,
};
use pages::{
    Emergency, EmergencyReason, EmergencyStep, Moment, NoteProblem, OpenRecord, ProblemWhat, Secret, Text, fields,
    paths,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// What was said of whom somebody looks for.
#[derive(Default)]
struct Shown {
    has_missed: bool,
    is_incomplete: bool,
    is_full: bool,
}

impl Visitor<'_> {
    /// The page: what is open, and the way to a patient.
    pub(super) fn emergency_page(&self) -> Reply {
        match self.eligible() {
            Ok((session, user)) => self.emergency_begin(&session, &user, &Shown::default(), Sent::Shown),
            Err(reply) => *reply,
        }
    }

    /// One of its forms.
    pub(super) async fn emergency(&self, form: &Form) -> Reply {
        let (session, user) = match self.eligible() {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        match form.value(fields::DECISION) {
            Some(fields::FIND) => self.sought(&session, &user, form).await,
            Some(fields::BREAK) => self.broken(&session, &user, form).await,
            Some(fields::END) => self.glass_ended(&user, form).await,
            _ => self.problem(ProblemWhat::WrongRequest, Sent::NotTaken),
        }
    }

    /// What somebody has open; its names stand on the page.
    fn open_of(&self, user: &User) -> Vec<Arc<Case>> {
        let now_s = self.inner.now().unix_seconds();
        let own = self.inner.glasses.of(&user.id);
        let cases = own.iter().filter_map(|glass| self.inner.glasses.case(&glass.id));
        cases.filter(|case| case.is_open(now_s)).collect()
    }

    /// The event of a page that also names whom somebody has open (row F16).
    fn with_open(&self, user: &User, mut event: Event) -> Event {
        let open = self.open_of(user);
        if !open.is_empty() {
            event.about(&open.iter().map(|case| Arc::clone(&case.patient)).collect::<Vec<_>>());
        }
        event
    }

    fn emergency_begin(&self, session: &Session, user: &User, shown: &Shown, sent: Sent) -> Reply {
        let cases = self.open_of(user);
        let open: Vec<OpenRecord> = cases
            .iter()
            .map(|case| OpenRecord {
                case: (&*case.id).into(),
                patient: Text::new(&case.patient_name),
                until: Moment::from_unix(case.until_s, 0),
            })
            .collect();
        let Shown { has_missed, is_incomplete, is_full } = *shown;
        let is_closed = self.inner.glasses.is_full();
        let is_full = is_full || open.len() >= limits::GLASSES_OF_ONE_MAX;
        let step = EmergencyStep::Patient { open, has_missed, is_incomplete, is_full, is_closed };
        let reply = self.emergency_view(session, step, sent);
        let named: Vec<Arc<str>> = cases.iter().map(|case| Arc::clone(&case.patient)).collect();
        match cases.first() {
            Some(case) => reply.did(seen(user, &named, Some(&case.id))),
            None => reply,
        }
    }

    fn emergency_view(&self, session: &Session, step: EmergencyStep, sent: Sent) -> Reply {
        let csrf = Secret::new(self.inner.people.csrf(&session.hash, EMERGENCY_FORM));
        self.place(Emergency { csrf, minutes: self.inner.glasses.rules().minutes, step }, sent)
    }

    /// Looks for one patient.
    async fn sought(&self, session: &Session, user: &Arc<User>, form: &Form) -> Reply {
        let Some(wanted) = wanted(form) else {
            let shown = Shown { is_incomplete: true, ..Shown::default() };
            return self.emergency_begin(session, user, &shown, Sent::NotTaken);
        };
        let query = query(&wanted);
        let looked = |ids: &[Arc<str>]| {
            let mut event = Event::looked("search-type", Some(query.clone()), user, ids);
            event.grounds = Some(for_emergency(None));
            event
        };
        if let Err(limited) = self.inner.glasses.may_search(&user.id, self.inner.now().unix_millis()) {
            return self.too_many(limited, looked(&[]));
        }
        let (records, asks) = (Arc::clone(&self.inner.records), Arc::clone(user));
        let found = tokio::task::spawn_blocking(move || records.in_emergency(&asks, &wanted)).await;
        let Ok(Some(found)) = found else {
            return self.unavailable("no search").failed(looked(&[]), "unavailable", &Sent::Unavailable);
        };
        // Several are nobody: which of them is meant, the page must not be able to say.
        let [patient] = found.as_slice() else {
            let shown = Shown { has_missed: true, ..Shown::default() };
            return self.emergency_begin(session, user, &shown, Sent::Shown).did(self.with_open(user, looked(&[])));
        };
        let (id, name) = (Arc::clone(&patient.id), Arc::from(patient.name.as_str()));
        let now_s = self.inner.now().unix_seconds();
        self.inner.glasses.found(session.hash, Arc::clone(&id), name, patient.born.clone(), now_s);
        let step = reason_step(patient, None, "", None);
        self.emergency_view(session, step, Sent::Shown).did(looked(&[id]))
    }

    /// Breaks the glass for whom was found in this session.
    async fn broken(&self, session: &Session, user: &Arc<User>, form: &Form) -> Reply {
        let now_s = self.inner.now().unix_seconds();
        let patient = form.value(fields::PATIENT).unwrap_or_default();
        let glasses = &self.inner.glasses;
        let Some(sought) = glasses.sought(&session.hash, patient, now_s) else {
            // The form came once more: what was wished is so.
            if glasses.of(&user.id).iter().any(|glass| *glass.patient == *patient && glass.until_s > now_s) {
                return self.on(paths::EMERGENCY, Vec::new());
            }
            let reply = self.problem(ProblemWhat::Expired, Sent::NotTaken);
            return reply.failed(self.refused(user), "nobody was found in this session", &Sent::NotTaken);
        };
        let chosen = form.value(fields::REASON).unwrap_or_default();
        let words = form.value(fields::WORDS).unwrap_or_default().trim();
        let problem = reason_problem(words);
        let (Some(reason), None) = (Reason::parse(chosen), problem) else {
            let Sought { patient, name, born, .. } = sought;
            let record = PatientRecord { id: patient, name: name.to_string(), born };
            let step = reason_step(
                &record,
                EmergencyReason::from_value(chosen),
                words,
                problem.or(Some(NoteProblem::Missing)),
            );
            return self.emergency_view(session, step, Sent::NotTaken).did(seen(user, &[record.id], None));
        };
        // One form opens one record and makes one case, however often it is sent.
        if !glasses.take_sought(&session.hash, &sought.patient) {
            return self.on(paths::EMERGENCY, Vec::new());
        }
        let Sought { patient, name, born, .. } = sought;
        let new = NewGlass {
            user: Arc::clone(&user.id),
            user_name: Arc::clone(&user.name),
            fhir_user: user.fhir_user.clone(),
            patient: Arc::clone(&patient),
            patient_name: Arc::clone(&name),
            reason,
            words: words.into(),
        };
        let (inner, by) = (Arc::clone(self.inner), By::Person(Box::new(Person::of(user)), self.address));
        let done = tokio::task::spawn_blocking(move || inner.break_glass(new, &by)).await;
        if !matches!(done, Ok(Ok(_))) {
            // To be tried again.
            glasses.found(session.hash, patient, name, born, now_s);
        }
        match done {
            Ok(Ok((case, recorded))) => {
                // For whoever watches the log; who and whom stand in the case.
                tracing::warn!(case = %case.id, "the glass was broken: a case waits for a privacy officer");
                self.on(paths::EMERGENCY, Vec::new()).recorded(recorded)
            }
            Ok(Err(GlassError::TooMany)) => {
                let shown = Shown { is_full: true, ..Shown::default() };
                let reply = self.emergency_begin(session, user, &shown, Sent::NotTaken);
                reply.failed(self.with_open(user, self.refused(user)), "too many are open", &Sent::NotTaken)
            }
            Ok(Err(GlassError::Full)) => {
                tracing::error!("no glass can be broken: as many cases as are kept wait for a privacy officer");
                let reply = self.emergency_begin(session, user, &Shown::default(), Sent::NotTaken);
                reply.failed(self.with_open(user, self.refused(user)), "too many cases wait", &Sent::NotTaken)
            }
            Ok(Err(GlassError::Unavailable(why))) => self.unavailable(&why),
            Ok(Err(GlassError::NotFound | GlassError::Own)) => self.unavailable("no case was made"),
            Err(_) => self.unavailable("the task of a broken glass ended early"),
        }
    }

    async fn glass_ended(&self, user: &Arc<User>, form: &Form) -> Reply {
        let Some(id) = form.value(fields::CASE).map(str::to_owned) else {
            return self.problem(ProblemWhat::WrongRequest, Sent::NotTaken);
        };
        let (inner, by) = (Arc::clone(self.inner), By::Person(Box::new(Person::of(user)), self.address));
        let whose = Arc::clone(&user.id);
        match tokio::task::spawn_blocking(move || inner.end_glass(&id, &whose, &by)).await {
            Ok(Ok(recorded)) => self.on(paths::EMERGENCY, Vec::new()).recorded(recorded),
            // It ran out while the page was open: what was wished is so.
            Ok(Err(GlassError::NotFound)) => self.on(paths::EMERGENCY, Vec::new()),
            Ok(Err(GlassError::Unavailable(why))) => self.unavailable(&why),
            Ok(Err(_)) | Err(_) => self.unavailable("a glass could not be ended"),
        }
    }

    fn refused(&self, user: &User) -> Event {
        self.event("break-glass-refused", Action::Execute, &user.id)
    }

    /// A clinician with the right, who proved just now who they are; anybody else is turned away.
    fn eligible(&self) -> Result<(Arc<Session>, Arc<User>), Box<Reply>> {
        let (session, user) = self.who(next::TO_EMERGENCY)?;
        let account = self.inner.people.account(&session.account);
        if user.role != Role::Clinician || !account.is_some_and(|account| account.may_break_glass) {
            let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
            return Err(Box::new(reply.failed(self.refused(&user), "without the right", &Sent::Refused)));
        }
        self.fresh(next::TO_EMERGENCY)?;
        Ok((session, user))
    }
}

impl Inner {
    /// Breaks a glass, once its entry stands. Blocks on the disk.
    fn break_glass(&self, new: NewGlass, by: &By) -> Result<(Arc<Case>, Recorded), GlassError> {
        self.glasses.break_one(new, self.now().unix_seconds(), |case| {
            let mut event = Event::new("break-glass-opened", Action::Execute);
            event.detail("case", &case.id);
            event.detail("reason", case.reason.as_str());
            event.detail("minutes", &self.glasses.rules().minutes.to_string());
            event.detail("words", &case.words);
            event.about(&[Arc::clone(&case.patient)]);
            event.grounds = Some(for_emergency(Some(&case.id)));
            self.did(by, event).map_err(|why| GlassError::Unavailable(why.to_string()))
        })
    }

    /// Ends one of this person's. Blocks on the disk.
    fn end_glass(&self, id: &str, user: &str, by: &By) -> Result<Recorded, GlassError> {
        self.glasses.end(id, user, self.now().unix_seconds(), |case| {
            let mut event = Event::new("break-glass-ended", Action::Update);
            event.detail("case", &case.id);
            event.about(&[Arc::clone(&case.patient)]);
            event.grounds = Some(for_emergency(Some(&case.id)));
            self.did(by, event).map_err(|why| GlassError::Unavailable(why.to_string()))
        })
    }
}

/// Names of patients stood on the page.
fn seen(user: &User, patients: &[Arc<str>], case: Option<&Arc<str>>) -> Event {
    let mut event = Event::looked("read", None, user, patients);
    event.grounds = Some(for_emergency(case));
    event
}

fn for_emergency(case: Option<&Arc<str>>) -> Grounds {
    Grounds { purposes: vec![Purpose::BREAK_GLASS.code().into()], glass: case.cloned(), ..Grounds::default() }
}

fn reason_step(
    patient: &PatientRecord,
    reason: Option<EmergencyReason>,
    words: &str,
    problem: Option<NoteProblem>,
) -> EmergencyStep {
    EmergencyStep::Reason { patient: facts::patient(patient, None), reason, words: Secret::new(words), problem }
}

/// Whether this says something.
fn reason_problem(words: &str) -> Option<NoteProblem> {
    let is_word = |word: &&str| word.chars().any(char::is_alphabetic);
    if words.chars().count() > limits::GLASS_WORDS_CHARS_MAX {
        return Some(NoteProblem::TooLong(limits::GLASS_WORDS_CHARS_MAX));
    }
    let is_told = words.split_whitespace().filter(is_word).count() >= limits::GLASS_REASON_WORDS_MIN;
    (!is_told).then_some(NoteProblem::Missing)
}

/// Whom the form names, when it names somebody in one of the two ways.
fn wanted(form: &Form) -> Option<Wanted> {
    let text = |name: &str| {
        let text = form.value(name).unwrap_or_default().trim();
        (!text.is_empty() && text.chars().count() <= limits::GLASS_FIELD_CHARS_MAX).then(|| text.to_owned())
    };
    if let Some(number) = text(fields::NUMBER) {
        return Some(Wanted::Number(number));
    }
    let (given, family, born) = (text(fields::GIVEN)?, text(fields::FAMILY)?, text(fields::BORN)?);
    let is_day = pages::Date::parse(&born).is_some_and(|date| date.day.is_some());
    is_day.then_some(Wanted::Person { given, family, born })
}

/// As the log keeps it.
fn query(wanted: &Wanted) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match wanted {
        Wanted::Number(number) => format!("Patient?identifier={}", encoded(number)),
        Wanted::Person { given, family, born } => {
            format!("Patient?given={}&family={}&birthdate={}", encoded(given), encoded(family), encoded(born))
        }
    }
}

#[cfg(test)]
pub(in crate::endpoint::account) mod tests;
