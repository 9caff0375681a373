//! Who saw my record, for patients and those who care for them; as a page and as a table. SPEC: rows F21, F22, F50, F61.
//!
//! Reading it is itself recorded, as the API's `$access-report` is, and told the next time.

use super::{Reply, Visitor, next};
use crate::{event::Event, ledger::Ledger, limits, outcome::page::Sent, records::PatientRecord, service::Inner};
use audit::report::{Deed, Line, Report};
use bytes::Bytes;
use fhir::{Instant, LogicalId};
use http::{HeaderValue, Response, header};
use oauth::caller::{Role, User};
use pages::{Date, Moment, ProblemWhat, Seen, SeenDay, SeenDeed, SeenLine, SeenRole, SeenWho, Text, fields};
use std::{collections::BTreeMap, sync::Arc};

/// The report of one record with what stands around it.
struct Shown {
    record: PatientRecord,
    others: Vec<PatientRecord>,
    report: Report,
}

impl Visitor<'_> {
    /// The page.
    pub(super) async fn seen_page(&self) -> Reply {
        let (user, shown, is_older) = match self.seen(limits::SEEN_LINES).await {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let event = read(&user, &shown, true);
        let view = view(self.inner, &user, shown, is_older);
        self.place(view, Sent::Shown).did(event)
    }

    /// The table.
    pub(super) async fn seen_table(&self) -> Reply {
        let (user, shown, is_older) = match self.seen(limits::SEEN_TABLE_LINES).await {
            Ok(found) => found,
            Err(reply) => return *reply,
        };
        let event = read(&user, &shown, false);
        let csv = view(self.inner, &user, shown, is_older).to_csv(self.head.language);
        let mut response = Response::new(Bytes::from(csv));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"who-saw-the-record.csv\""),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Reply::of(response).did(event)
    }

    async fn seen(&self, count: usize) -> Result<(Arc<User>, Shown, bool), Box<Reply>> {
        let (_, user) = self.who(next::TO_SEEN)?;
        let problem = |what, sent| Box::new(self.problem(what, sent));
        if !matches!(user.role, Role::Patient | Role::Caregiver) {
            return Err(problem(ProblemWhat::NotAllowed, Sent::Refused));
        }
        let asked = self.head.query(fields::PATIENT).map(str::to_owned);
        let until = self.head.query(fields::UNTIL).map(str::parse::<i64>);
        let Ok(until) = until.transpose() else { return Err(problem(ProblemWhat::WrongRequest, Sent::NotTaken)) };
        let Some(ledger) = self.inner.ledger() else { return Err(Box::new(self.unavailable("there is no log here"))) };
        let (asks, end) = (Arc::clone(&user), until.map(Instant::from_unix_millis));
        let looked = tokio::task::spawn_blocking(move || looked(&ledger, &asks, asked.as_deref(), end, count));
        match looked.await.map_err(|why| why.to_string()).and_then(|found| found) {
            Ok(Some(shown)) => Ok((user, shown, until.is_some())),
            Ok(None) => Err(problem(ProblemWhat::NotFound, Sent::NotFound)),
            Err(why) => Err(Box::new(self.unavailable(&why))),
        }
    }
}

fn looked(
    ledger: &Ledger,
    user: &Arc<User>,
    asked: Option<&str>,
    end: Option<Instant>,
    count: usize,
) -> Result<Option<Shown>, String> {
    let Some(mut others) = ledger.records(user) else { return Ok(None) };
    let at = match asked {
        None => 0,
        Some(asked) => match others.iter().position(|record| &*record.id == asked) {
            Some(at) => at,
            None => return Ok(None),
        },
    };
    if others.is_empty() {
        return Ok(None);
    }
    let record = others.remove(at);
    let Ok(id) = LogicalId::parse(&record.id) else { return Ok(None) };
    Ok(ledger.report(user, &id, end, count)?.map(|report| Shown { record, others, report }))
}

/// As the API records the operation; the page names the others whose records somebody may choose, too.
fn read(user: &User, shown: &Shown, with_others: bool) -> Event {
    let patient = &shown.record.id;
    let query = format!("Patient/{patient}/$access-report");
    let mut event = Event::looked("operation", Some(query), user, std::slice::from_ref(patient));
    if with_others && !shown.others.is_empty() {
        let others = shown.others.iter().map(|other| Arc::clone(&other.id));
        event.about(&std::iter::once(Arc::clone(patient)).chain(others).collect::<Vec<_>>());
    }
    event
}

fn view(inner: &Inner, user: &User, shown: Shown, is_older: bool) -> Seen {
    let Shown { record, others, report } = shown;
    let mut days: Vec<SeenDay> = Vec::new();
    for line in &report.lines {
        let date = Date::from_unix(line.day.saturating_mul(86_400));
        if days.last().is_none_or(|day| day.date != date) {
            days.push(SeenDay { date, lines: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            day.lines.push(of_line(inner, user, line));
        }
    }
    Seen {
        patient: (&*record.id).into(),
        name: (user.role != Role::Patient).then(|| Text::new(&record.name)),
        others: others.iter().map(|other| ((&*other.id).into(), Text::new(&other.name))).collect(),
        days,
        older: report.next_end.map(|end| end.unix_millis().to_string().into()),
        is_older,
        without_detail: user.role == Role::Caregiver,
    }
}

/// A role's word as a page knows it.
pub(super) fn role(word: &str) -> SeenRole {
    match word {
        "patient" => SeenRole::Patient,
        "caregiver" => SeenRole::Caregiver,
        "clinician" => SeenRole::Clinician,
        "privacy-officer" => SeenRole::PrivacyOfficer,
        "administrator" => SeenRole::Administrator,
        _ => SeenRole::Outside,
    }
}

/// The resource of somebody whom the report names, when it is another person who comes by who they are.
fn party(inner: &Inner, user: &User, line: &Line) -> Option<pages::Literal> {
    let who = &line.who;
    let account = who.account.as_deref().filter(|account| who.name.is_some() && **account != *user.id)?;
    let found = inner.people.user(account)?;
    let is_bound = user.role == Role::Patient && matches!(found.role, Role::Clinician | Role::Caregiver);
    let own = found.fhir_user.as_deref().filter(|_| is_bound)?;
    own.starts_with("Practitioner/")
        .then_some(own)
        .or_else(|| own.starts_with("RelatedPerson/").then_some(own))
        .map(Into::into)
}

fn of_line(inner: &Inner, user: &User, line: &Line) -> SeenLine {
    let who = &line.who;
    let seen = match (&who.account, &who.name, &who.role) {
        (Some(account), ..) if **account == *user.id => SeenWho::You,
        (_, Some(name), word) => SeenWho::Person(Text::new(name), role(word.as_deref().unwrap_or_default())),
        (Some(_), None, word) => SeenWho::Role(role(word.as_deref().unwrap_or_default())),
        (None, None, _) => SeenWho::System,
    };
    // A page of ours is no app.
    let client = who.client.as_deref().filter(|client| *client != "page");
    let app = client.map(|id| inner.clients.client(id).map_or_else(|| Text::new(id), |client| Text::new(&client.name)));
    let mut deeds: BTreeMap<Deed, Vec<Option<pages::Literal>>> = BTreeMap::new();
    for (deed, kind) in line.deeds.keys() {
        deeds.entry(*deed).or_default().push(kind.map(|kind| kind.name().into()));
    }
    let deed = |deed: Deed| match deed {
        Deed::Looked => SeenDeed::Looked,
        Deed::Added => SeenDeed::Added,
        Deed::Changed => SeenDeed::Changed,
        Deed::Removed => SeenDeed::Removed,
    };
    let moment = |instant: Instant| Moment::from_unix(instant.unix_seconds(), 0);
    SeenLine {
        who: seen,
        app,
        organization: who.organization.as_deref().map(Text::new),
        times: (moment(line.first), moment(line.last)),
        deeds: deeds.into_iter().map(|(done, kinds)| (deed(done), kinds)).collect(),
        why: line.purposes.iter().map(|code| (&**code).into()).collect(),
        emergency: line.emergency,
        disclosed: line.disclosed,
        in_list: line.in_list,
        party: party(inner, user, line),
    }
}

#[cfg(test)]
mod tests;
