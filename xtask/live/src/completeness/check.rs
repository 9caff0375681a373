//! The log held against what was asked, and what was asked against the log.

use super::{
    Sums,
    book::{Asked, Asker, Part, Seen, Touched, now_ms},
    facility::{Facility, IN_EMERGENCY, OWN, patient},
    said, trail,
};
use crate::{
    client::{self, Connection},
    subject::Subject,
};
use audit::{
    Entry,
    entry::{Action, Counts, Effect, Kind, Outcome},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io,
    path::Path,
};

/// Difference in milliseconds by which a time is still the same: clocks are read at several places.
const ABOUT_MS: i64 = 5;

/// All that was read of one log, and what became of it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    last: u64,
    /// Read and not yet held against anything.
    fresh: Vec<(u64, Entry)>,
    /// Names of requests of earlier rounds: nothing more may come of them.
    done: HashSet<String>,
    /// Versions that entries say were made.
    written: BTreeSet<Touched>,
    /// Starts of the server that were recorded.
    starts: usize,
}

/// What an entry says was touched.
fn touched(entry: &Entry) -> BTreeSet<Touched> {
    let of = |one: &audit::entry::Touched| {
        let version = one.version.map_or(0, |version| version.number());
        (one.resource_type.name().to_owned(), one.id.to_string(), version)
    };
    entry.touched.iter().map(of).collect()
}

impl Ledger {
    /// Takes what stands already: nobody holds it against requests, but it says what was written.
    pub(crate) fn begin(&mut self, data: &Path) -> io::Result<()> {
        let written = &mut self.written;
        trail::each_after(data, &mut self.last, |_, entry| {
            if is_write(&entry) {
                written.extend(touched(&entry));
            }
        })
    }

    /// Reads what was recorded since.
    pub(crate) fn read_on(&mut self, data: &Path) -> io::Result<()> {
        let fresh = &mut self.fresh;
        trail::each_after(data, &mut self.last, |sequence, entry| fresh.push((sequence, entry)))
    }

    /// Both directions for all that was asked since the last time.
    /// `blind`: so many entries of answered requests are passed over, as if they had not been written.
    pub(crate) fn settle(
        &mut self,
        asked: Vec<Asked>,
        blind: usize,
        facility: &Facility,
        sums: &mut Sums,
    ) -> Result<(), String> {
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (at, one) in asked.iter().enumerate() {
            if let Some(id) = &one.id
                && (by_id.insert(id, at).is_some() || self.done.contains(id))
            {
                return Err(format!("two requests have the name {id}"));
            }
        }
        let mut of: Vec<Vec<(u64, Entry)>> = asked.iter().map(|_| Vec::new()).collect();
        let mut strays = Vec::new();
        for (sequence, entry) in self.fresh.drain(..) {
            let id = &*entry.request_id;
            if entry.kind == Kind::Application {
                if !matches!(&*entry.subtype, "start" | "stop") {
                    return Err(format!("entry {sequence}: the server did what nobody knows: {entry:?}"));
                }
                self.starts += 1;
                sums.own += 1;
            } else if let Some(group) = by_id.get(id).and_then(|at| of.get_mut(*at)) {
                group.push((sequence, entry));
            } else if self.done.contains(id) {
                return Err(format!("entry {sequence} is of a request that was settled before: {entry:?}"));
            } else {
                strays.push((sequence, entry));
            }
        }
        // What a page did whose answer was cut off has a name that nobody heard.
        for (sequence, entry) in strays {
            let fits = |at: &usize| {
                let is_free = of.get(*at).is_some_and(Vec::is_empty);
                asked
                    .get(*at)
                    .is_some_and(|one| is_free && one.at_page && one.answer.is_none() && is_of(one, &entry, facility))
            };
            match (0..asked.len()).find(fits).and_then(|at| of.get_mut(at)) {
                Some(group) => group.push((sequence, entry)),
                None => return Err(format!("entry {sequence} belongs to nothing that was asked: {entry:?}")),
            }
        }
        let answered = asked.iter().zip(&mut of).filter(|(one, entries)| one.answer.is_some() && !entries.is_empty());
        answered.take(blind).for_each(|(_, entries)| drop(entries.pop()));
        for (one, entries) in asked.iter().zip(&of) {
            sums.entries += entries.len();
            self.one(one, entries, facility, sums)
                .map_err(|why| format!("{why}\nasked: {one:?}\nentries: {entries:#?}"))?;
        }
        self.done.extend(asked.into_iter().filter_map(|one| one.id));
        Ok(())
    }

    fn one(
        &mut self,
        one: &Asked,
        entries: &[(u64, Entry)],
        facility: &Facility,
        sums: &mut Sums,
    ) -> Result<(), String> {
        for (_, entry) in entries {
            who(one, entry, facility)?;
            when(one, entry)?;
            if is_write(entry) {
                self.written.extend(touched(entry));
            }
        }
        let is_bundle = !one.parts.is_empty();
        let Some(seen) = &one.answer else {
            sums.cut.0 += 1;
            sums.cut.1 += usize::from(!entries.is_empty());
            let is_known = |entry: &Entry| *entry.subtype == *one.code || one.parts.contains(&&*entry.subtype);
            if entries.len() > 1 + one.parts.len() || !entries.iter().all(|(_, entry)| is_known(entry)) {
                return Err("more than was asked for".into());
            }
            return Ok(());
        };
        if one.at_page && matches!(seen.status, 429 | 303) {
            // Told to wait, or led to another page: nothing was shown.
            return if seen.patients.is_empty() { Ok(()) } else { Err("a page that leads on shows patients".into()) };
        }
        let is_answered = is_bundle && seen.status == 200;
        let expected = 1 + if is_answered { one.parts.len() } else { 0 };
        if entries.len() != expected {
            return Err(format!("AN ANSWER WITHOUT ITS ENTRIES: it must have {expected} and has {}", entries.len()));
        }
        let mains: Vec<&Entry> = entries.iter().map(|(_, entry)| entry).filter(|e| *e.subtype == *one.code).collect();
        let [main] = mains.as_slice() else { return Err(format!("not one entry is a {}", one.code)) };
        outcome(seen, main)?;
        if is_answered {
            parts(seen, entries, one.code)?;
        } else {
            what(one, seen, main)?;
        }
        told(seen, entries)?;
        sums.told += usize::from(!seen.patients.is_empty() || one.patient.is_some());
        *sums.answers.entry(one.name).or_default() += 1;
        Ok(())
    }
}

fn is_write(entry: &Entry) -> bool {
    entry.outcome == Outcome::Success && matches!(entry.action, Action::Create | Action::Update | Action::Delete)
}

/// Whether an entry could be of this request, by who and what.
fn is_of(one: &Asked, entry: &Entry, facility: &Facility) -> bool {
    *entry.subtype == *one.code && who(one, entry, facility).is_ok() && when(one, entry).is_ok()
}

/// Who it was, as the log has to say it. Rows F16, F18.
fn who(one: &Asked, entry: &Entry, facility: &Facility) -> Result<(), String> {
    let Asker { token, client, person } = facility.askers.get(one.who).ok_or("nobody asked")?;
    if entry.client_id.as_deref() != client.as_deref() {
        return Err(format!("WHO: client {:?} is recorded, it was {client:?}", entry.client_id));
    }
    let is_person = |role: &str, resource: &str| {
        entry.person.as_ref().is_some_and(|person| {
            person.role.as_str() == role && person.fhir_user.as_deref().unwrap_or_default() == resource
        })
    };
    let is_right = match person {
        Some((role, resource)) => is_person(role, resource),
        None => entry.person.is_none(),
    };
    if !is_right {
        return Err(format!("WHO: person {:?} is recorded, it was {person:?}", entry.person));
    }
    if entry.token_name.is_some() != token.is_some() {
        return Err("WHO: a token is recorded where none was, or none where one was".into());
    }
    if !entry.address.is_some_and(|address| address.is_loopback()) {
        return Err(format!("WHO: address {:?}", entry.address));
    }
    Ok(())
}

/// When it was: between the first byte that was sent and the last that came.
fn when(one: &Asked, entry: &Entry) -> Result<(), String> {
    let at = entry.recorded.unix_millis();
    let until = one.answer.as_ref().map_or_else(now_ms, |seen| seen.at_ms);
    if (one.sent_ms - ABOUT_MS..=until + ABOUT_MS).contains(&at) {
        return Ok(());
    }
    Err(format!("WHEN: recorded at {at}, asked from {} to {until}", one.sent_ms))
}

/// How it ended.
fn outcome(seen: &Seen, entry: &Entry) -> Result<(), String> {
    let expected = match seen.status {
        500.. => Outcome::SeriousFailure,
        400.. => Outcome::MinorFailure,
        _ => Outcome::Success,
    };
    if entry.outcome != expected {
        return Err(format!("OUTCOME: {:?} is recorded, it was {}", entry.outcome, seen.status));
    }
    if (expected == Outcome::Success) == entry.outcome_text.is_some() {
        return Err("OUTCOME: a reason stands where none is needed, or none where one is".into());
    }
    Ok(())
}

/// What was done, and with which resources, of whom. Row F17.
fn what(one: &Asked, seen: &Seen, entry: &Entry) -> Result<(), String> {
    if let Some(query) = one.query.as_deref()
        && entry.query.as_deref() != Some(query)
    {
        return Err(format!("WHAT: the query {:?} is recorded, it was {query}", entry.query));
    }
    let noted = touched(entry);
    // Nothing of what an unknown caller asks for is read before they say who they are.
    if let Some((kind, id)) = &one.target
        && seen.status != 401
        && !noted.iter().any(|(other, known, _)| other == kind && known == id)
    {
        return Err(format!("WHAT: {kind}/{id} was named, and the entry does not"));
    }
    if let Some(patient) = &one.patient
        && seen.status < 400
        && !entry.patients.iter().any(|id| id.as_str() == patient)
    {
        return Err(format!("WHAT: the record of {patient} was shown, and the entry does not say so"));
    }
    if seen.status >= 400 {
        let counted = |what, effect| entry.counted().iter().any(|one| one.what == what && one.effect == effect);
        if one.name == "forbidden by consent" && !counted(Counts::Consent, Effect::Deny) {
            return Err("WHY: a Consent withheld it, and the entry does not say which".into());
        }
        return Ok(());
    }
    let is_whole = matches!(one.code, "read" | "vread" | "history-instance" | "search-type" | "create" | "update");
    // An answer without a body: the version that the caller had is the one that they were told of.
    if is_whole && !one.at_page && seen.status != 304 && noted != seen.resources {
        return Err(format!("WHAT: {noted:?} is recorded, and {:?} left", seen.resources));
    }
    if one.marked && entry.glass().is_none() {
        return Err("WHY: an emergency without its mark".into());
    }
    let is_open = entry.patients.iter().any(|id| id.as_str() == patient(IN_EMERGENCY));
    if is_open
        && entry.person.as_ref().is_some_and(|person| person.role.as_str() == "clinician")
        && entry.glass().is_none()
    {
        return Err("WHY: a record that is open by a broken glass alone, without its mark".into());
    }
    Ok(())
}

/// Each entry of a Bundle's answer has its own.
fn parts(seen: &Seen, entries: &[(u64, Entry)], code: &str) -> Result<(), String> {
    let of = |entry: &Entry| {
        let is_success = entry.outcome == Outcome::Success;
        (entry.subtype.to_string(), is_success, if is_success { touched(entry) } else { BTreeSet::new() })
    };
    let mut recorded: Vec<_> =
        entries.iter().map(|(_, entry)| entry).filter(|entry| *entry.subtype != *code).map(of).collect();
    for Part { code, is_success, resources } in &seen.parts {
        let resources: BTreeSet<&Touched> = resources.iter().collect();
        let fits = |(other, success, noted): &(String, bool, BTreeSet<Touched>)| {
            // What was deleted has no version in the answer.
            let same = *code == "delete" || !is_success || noted.iter().collect::<BTreeSet<_>>() == resources;
            other == code && success == is_success && same
        };
        match recorded.iter().position(fits) {
            Some(at) => drop(recorded.swap_remove(at)),
            None => return Err(format!("WHAT: no entry for the part {code}, {is_success}, {resources:?}")),
        }
    }
    Ok(())
}

/// Whoever the body speaks of stands in the entries.
fn told(seen: &Seen, entries: &[(u64, Entry)]) -> Result<(), String> {
    let patients: BTreeSet<&str> =
        entries.iter().flat_map(|(_, entry)| &entry.patients).map(|id| id.as_str()).collect();
    match seen.patients.iter().find(|id| !patients.contains(id.as_str())) {
        Some(missing) => Err(format!("WHO WAS TOLD OF: {missing}, and the entries know only {patients:?}")),
        None => Ok(()),
    }
}

/// Every version in the store has its write in the log, and every write its version. What was asked for that.
pub(crate) async fn versions(
    subject: &Subject,
    facility: &Facility,
    ledger: &mut Ledger,
    sums: &mut Sums,
) -> Result<Vec<Asked>, String> {
    let mut reader = Reader {
        connection: Connection::open(subject.address, &subject.tls).await.map_err(said)?,
        token: facility.askers.get(OWN).and_then(|own| own.token.clone()).unwrap_or_default(),
        asked: Vec::new(),
    };
    let mut ids: BTreeSet<(String, String)> =
        ledger.written.iter().filter(|it| it.2 > 0).map(|(kind, id, _)| (kind.clone(), id.clone())).collect();
    for kind in ["Observation", "Patient", "Goal", "Consent", "Practitioner"] {
        for (kind, id, _) in reader.all("look for all", "search-type", format!("/fhir/{kind}?_count=200")).await? {
            ids.insert((kind, id));
        }
    }
    let mut stored: BTreeMap<(String, String), BTreeSet<Touched>> = BTreeMap::new();
    for (kind, id) in ids {
        let path = format!("/fhir/{kind}/{id}/_history?_count=200");
        let found = reader.all("history of all", "history-instance", path).await?;
        stored.insert((kind, id), found);
    }
    let all: BTreeSet<&Touched> = stored.values().flatten().collect();
    if let Some(unrecorded) = all.iter().find(|version| !ledger.written.contains(**version)) {
        return Err(format!("A VERSION WITHOUT AN ENTRY: {unrecorded:?}"));
    }
    if let Some(missing) = ledger.written.iter().find(|version| version.2 > 0 && !all.contains(version)) {
        return Err(format!("an entry of a write that is not there: {missing:?}"));
    }
    sums.versions += all.len();
    Ok(reader.asked)
}

struct Reader {
    connection: Connection,
    token: String,
    asked: Vec<Asked>,
}

impl Reader {
    /// All pages.
    async fn all(&mut self, name: &'static str, code: &'static str, from: String) -> Result<BTreeSet<Touched>, String> {
        let (mut found, mut next) = (BTreeSet::new(), Some(from));
        while let Some(path) = next {
            let id = format!("v-{}", self.asked.len());
            let request = client::request_with("GET", &path, &self.token, &[("x-request-id", &id)], b"");
            let sent_ms = now_ms();
            let reply = self.connection.exchange(&request).await.map_err(|error| format!("GET {path}: {error}"))?;
            let seen = Seen::of_api(reply.status, reply.body, &[]);
            if seen.status != 200 {
                return Err(format!("GET {path}: {} {}", seen.status, String::from_utf8_lossy(reply.body)));
            }
            next = seen.next.clone();
            found.extend(seen.resources.iter().cloned());
            self.asked.push(Asked {
                id: Some(id),
                name,
                line: format!("GET {path}"),
                who: OWN,
                code,
                query: None,
                target: None,
                patient: None,
                marked: false,
                at_page: false,
                sent_ms,
                parts: Vec::new(),
                answer: Some(seen),
            });
        }
        Ok(found)
    }
}
