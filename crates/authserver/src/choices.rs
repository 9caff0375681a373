//! What patients choose to share: their Consents for the pages, whom a choice can be about, what it would do, and how it
//! is written. SPEC: rows G7, G9, G10, G18; issue 7, item 3.
//!
//! A page looks up what `policy` lets its person see, as an app with `user/` scopes would ([`Caller::at_page`]), and
//! writes by the same road as an app: a FHIR request in their name to the service, at its [`Desk`], which checks, decides
//! and records it. All calls but that one block on the disk.

mod foreseen;
mod people;
mod said;

pub(crate) use foreseen::{Foreseen, Watched};
pub(crate) use people::Party;
pub(crate) use said::{Act, PURPOSES, SENSITIVE, Said, URIS, What, Who};

use crate::{
    people::People,
    random,
    records::{self, PatientRecord},
    service::{Inner, Service},
};
use aws_lc_rs::digest;
use bytes::Bytes;
use fhir::{Instant, LogicalId, ResourceType};
use http::{Request, Response};
use oauth::{
    Caller,
    caller::{Role, User},
};
use policy::{
    Grants, House, Interaction, Permit,
    consent::{ConsentSource, Directives, Idle},
};
use search::{Predicate, Query, Registry, Test, predicate::ReferenceTest};
use serde_json::Value;
use std::{
    net::IpAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
};
use store::{Snapshot, Store};

/// What the pages of choices look up.
const READS: &str = "user/*.rs";
/// What they write.
const WRITES: &str = "user/*.rs user/Consent.cu";

/// Consents of one record that are read: as many as are evaluated (`policy::consent`), and those that ended.
const CONSENTS_MAX: usize = 300;

/// Entries of a record that a preview looks at. A stay of some weeks has fewer.
const ENTRIES_MAX: usize = 600;

/// Of these, of one type.
const ENTRIES_OF_TYPE_MAX: usize = 200;

/// The FHIR service, as a page reaches it: carries out a request of a caller at a page ([`Caller::at_page`]), who is at
/// this address, and tells the head of its answer. Its record stands by then.
pub type Desk =
    dyn Fn(Caller, IpAddr, Request<Bytes>) -> Pin<Box<dyn Future<Output = Response<()>> + Send>> + Send + Sync;

/// The Consents of the store, for pages.
pub(crate) struct Choices {
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    desk: OnceLock<Arc<Desk>>,
}

/// A record that somebody may see.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) patient: PatientRecord,
    /// They may choose for it: it is theirs, or they may act for the patient.
    pub(crate) acts: bool,
}

/// A Consent of a record.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) json: Value,
    /// What it says, where words can tell.
    pub(crate) said: Option<Said>,
    pub(crate) state: State,
    /// The reader may withdraw it.
    pub(crate) is_own: bool,
}

/// What a Consent is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It counts.
    InForce,
    /// Its period has not begun or is over.
    OutOfPeriod,
    /// Another took its place.
    Replaced,
    /// It was ended, or is not more than drawn up.
    NotActive,
}

/// An entry of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: ResourceType,
    pub(crate) id: LogicalId,
    /// In the words of the record.
    pub(crate) title: Option<String>,
    /// As FHIR writes it.
    pub(crate) date: Option<String>,
}

/// One moment of the store, as one person sees it.
pub(crate) struct Room<'a> {
    pub(crate) user: &'a Arc<User>,
    pub(crate) snapshot: Snapshot,
    pub(crate) registry: Arc<Registry>,
    pub(crate) house: Arc<House>,
    pub(crate) permit: Permit,
    store: &'a Store,
    now: Instant,
}

impl Choices {
    pub(crate) fn new(store: Arc<Store>, clock: Arc<dyn Fn() -> Instant + Send + Sync>) -> Self {
        Self { store, clock, desk: OnceLock::new() }
    }

    /// The store as this person sees it now; `None`: they see nothing.
    pub(crate) fn room<'a>(&'a self, user: &'a Arc<User>) -> Option<Room<'a>> {
        let (registry, house) = (self.store.registry(), self.store.house());
        let caller = Caller::at_page(Arc::clone(user), READS).ok()?;
        let grants = Arc::new(Grants::compile(&caller, &registry, &house));
        let permit = policy::decide(&caller, &grants, &Interaction::SearchType(kind("Patient")?)).ok()?;
        let now = (self.clock)();
        Some(Room { user, snapshot: self.store.snapshot(now), registry, house, permit, store: &self.store, now })
    }

    /// Writes a choice down, in this person's name.
    pub(crate) async fn write(
        &self,
        user: &Arc<User>,
        address: IpAddr,
        request: Request<Bytes>,
    ) -> Option<Response<()>> {
        let caller = Caller::at_page(Arc::clone(user), WRITES).ok()?;
        Some(self.desk.get()?(caller, address, request).await)
    }
}

pub(crate) fn kind(name: &str) -> Option<ResourceType> {
    ResourceType::parse(name).ok()
}

/// `Type/id`, taken apart.
pub(crate) fn parsed(reference: &str) -> Option<(ResourceType, LogicalId)> {
    let (name, id) = reference.split_once('/')?;
    Some((kind(name)?, LogicalId::parse(id).ok()?))
}

impl Room<'_> {
    /// A current resource.
    pub(crate) fn read(&self, reference: &str) -> Option<Value> {
        let (kind, id) = parsed(reference)?;
        records::json(&self.snapshot.read(&self.permit, kind, &id).ok()?)
    }

    /// Up to so many of a type that a predicate means, the latest first; whether there are more.
    fn found(&self, kind: ResourceType, predicate: Arc<Predicate>, most: usize) -> Option<(Vec<store::Found>, bool)> {
        let mut query = Query { predicate, ..records::query(self.store, kind, &[("_sort", "-_lastUpdated")])? };
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = match self.snapshot.search(&self.permit, &query, cursor.as_deref(), "choices") {
                // Too many to be put in order: some of them, in any.
                Err(store::ReadError::TooCostly(_)) if !query.sort.is_empty() => {
                    query.sort = Vec::new();
                    continue;
                }
                answered => answered.ok()?,
            };
            found.extend(page.matches);
            cursor = page.next;
            if cursor.is_none() || found.len() >= most {
                let has_more = cursor.is_some() || found.len() > most;
                found.truncate(most);
                return Some((found, has_more));
            }
        }
    }

    /// Those of a type that name the patient by one of these parameters.
    pub(crate) fn of_patient(
        &self,
        kind: ResourceType,
        patient: &LogicalId,
        most: usize,
    ) -> Option<(Vec<store::Found>, bool)> {
        let Some(target) = ResourceType::parse("Patient").ok().filter(|target| *target != kind) else {
            return self.found(kind, Arc::new(Predicate::Id(vec![patient.clone()])), most);
        };
        let names = |parameter: &search::ParameterId| {
            let test = Test::Reference(ReferenceTest::Target(target, patient.clone()));
            Arc::new(Predicate::Value { parameter: *parameter, test })
        };
        let any: Vec<_> = self.registry.patient_compartment(kind).iter().map(names).collect();
        if any.is_empty() { Some((Vec::new(), false)) } else { self.found(kind, Arc::new(Predicate::Or(any)), most) }
    }

    /// The records that this person may see, their own first.
    pub(crate) fn records(&self) -> Option<Vec<Record>> {
        let patients = kind("Patient")?;
        let acted = match policy::acted_for(self.user, &self.registry) {
            Some(predicate) => self.found(patients, predicate, records::FOUND_MAX)?.0,
            None => Vec::new(),
        };
        let (found, _) = self.found(patients, Arc::new(Predicate::All), records::FOUND_MAX)?;
        let record = |found: &store::Found| {
            Some(Record { patient: records::patient(found)?, acts: acted.iter().any(|one| one.id == found.id) })
        };
        let mut all: Vec<Record> = found.iter().filter_map(record).collect();
        let own = self.user.fhir_user.as_deref().and_then(|own| own.strip_prefix("Patient/"));
        all.sort_by_key(|record| (Some(&*record.patient.id) != own, record.patient.name.clone()));
        Some(all)
    }

    /// The Consents of a record that this person may see, the latest first; whether there are more.
    pub(crate) fn consents(&self, record: &Record) -> Option<(Vec<Kept>, bool)> {
        let patient = LogicalId::parse(&record.patient.id).ok()?;
        let (found, has_more) = self.of_patient(kind("Consent")?, &patient, CONSENTS_MAX)?;
        let mut all = Vec::new();
        for one in &found {
            let Some(json) = records::json(one) else { continue };
            // A Consent that names somebody as a party is none of theirs.
            let is_theirs = json.pointer("/patient/reference").and_then(Value::as_str)
                == Some(format!("Patient/{patient}").as_str());
            if is_theirs {
                let version = one.version.number();
                let is_own = record.acts && self.is_act_of_reader(&json);
                let (said, id) = (Said::read(&json), one.id.to_string());
                all.push(Kept { id, version, said, state: State::NotActive, is_own, json });
            }
        }
        let idle = directives(&all).idle(self.now);
        for kept in &mut all {
            if kept.json.get("status").and_then(Value::as_str) != Some("active") {
                kept.is_own = false;
                continue;
            }
            let why = idle.iter().find(|(id, _)| **id == *kept.id).map(|(_, why)| why);
            kept.state = match why {
                None => State::InForce,
                Some(Idle::OutOfPeriod) => State::OutOfPeriod,
                Some(Idle::Superseded(_)) => State::Replaced,
            };
        }
        all.sort_by(|a, b| date_time(&b.json).cmp(&date_time(&a.json)));
        Some((all, has_more))
    }

    /// What all Consents of a patient say in the store, those too that the reader does not see.
    pub(crate) fn said(&self, patient: &LogicalId) -> Option<Arc<Directives>> {
        let said = self.snapshot.look(&self.permit, kind("Patient")?, patient, |looked| (looked.said)(patient)).ok()?;
        Some(said.unwrap_or_default())
    }

    /// Whether a Consent is the reader's own act, so that they may end it: as `policy` decides it (row G9).
    fn is_act_of_reader(&self, consent: &Value) -> bool {
        let mut performers = consent.get("performer").and_then(Value::as_array).into_iter().flatten().peekable();
        if performers.peek().is_none() {
            return self.user.role == Role::Patient;
        }
        let own = self.performer();
        performers.any(|one| one.get("reference").and_then(Value::as_str) == own)
    }

    /// Whose act a choice of this person is.
    pub(crate) fn performer(&self) -> Option<&str> {
        self.user.fhir_user.as_deref()
    }

    /// The entries of a record, the latest of each type first; whether there are more.
    pub(crate) fn entries(&self, patient: &LogicalId) -> Option<(Vec<Entry>, bool)> {
        let (mut entries, mut has_more) = (Vec::new(), false);
        for kind in ResourceType::all() {
            // Who did what is no entry of the record; and a Provenance goes with its targets.
            if matches!(kind.name(), "AuditEvent" | "Provenance")
                || self.registry.patient_compartment(kind).is_empty() && kind.name() != "Patient"
            {
                continue;
            }
            let most = ENTRIES_OF_TYPE_MAX.min(ENTRIES_MAX - entries.len());
            if most == 0 {
                return Some((entries, true));
            }
            let (found, more) = self.of_patient(kind, patient, most)?;
            has_more |= more;
            entries.extend(found.iter().filter_map(|one| {
                let json = records::json(one)?;
                Some(Entry { kind, id: one.id.clone(), title: title(&json), date: date(&json) })
            }));
        }
        Some((entries, has_more))
    }

    /// One entry.
    pub(crate) fn entry(&self, reference: &str) -> Option<Entry> {
        let (kind, id) = parsed(reference)?;
        let json = self.read(reference)?;
        Some(Entry { kind, id, title: title(&json), date: date(&json) })
    }
}

/// What these Consents say.
pub(crate) fn directives(kept: &[Kept]) -> Directives {
    let json: Vec<Vec<u8>> = kept.iter().map(|one| one.json.to_string().into_bytes()).collect();
    let sources: Vec<ConsentSource<'_>> =
        kept.iter().zip(&json).map(|(one, json)| ConsentSource { id: &one.id, version: one.version, json }).collect();
    Directives::read(&sources)
}

fn date_time(consent: &Value) -> Option<&str> {
    consent.get("dateTime").and_then(Value::as_str)
}

/// What an entry is called in the record.
fn title(json: &Value) -> Option<String> {
    let named = ["code", "medicationCodeableConcept", "vaccineCode", "type", "class", "category", "serviceType"];
    let of_concept = |concept: &Value| {
        let concept = concept.get(0).unwrap_or(concept);
        let text = ["/text", "/coding/0/display", "/display"].into_iter().find_map(|at| concept.pointer(at));
        text.and_then(Value::as_str).map(str::to_owned)
    };
    let plain = ["/description", "/title", "/medicationReference/display"];
    let plain = || plain.into_iter().find_map(|at| json.pointer(at)).and_then(Value::as_str).map(str::to_owned);
    named.into_iter().filter_map(|name| json.get(name)).find_map(of_concept).or_else(plain)
}

/// Of when it is.
fn date(json: &Value) -> Option<String> {
    let at = [
        "/effectiveDateTime",
        "/effectivePeriod/start",
        "/performedDateTime",
        "/performedPeriod/start",
        "/period/start",
        "/onsetDateTime",
        "/occurrenceDateTime",
        "/authoredOn",
        "/authored",
        "/recordedDate",
        "/date",
        "/dateTime",
        "/created",
        "/issued",
        "/start",
    ];
    let found = at.into_iter().find_map(|at| json.pointer(at)).and_then(Value::as_str)?;
    found.split('T').next().map(str::to_owned)
}

/// The Consents on which a choice is made.
pub(crate) fn as_they_stand(kept: &[Kept]) -> String {
    let all = kept.iter().map(|one| format!("{} {} {:?}", one.id, one.version, one.state));
    all.collect::<Vec<_>>().join("\n")
}

/// A URI that only a choice has of which this secret speaks. SPEC: RFC 9562 section 5.8.
pub(crate) fn uri_of(secret: &str) -> Option<String> {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    let mut bytes: [u8; 16] = *digest.as_ref().first_chunk()?;
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = random::hex(&bytes);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    Some(format!("urn:uuid:{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)))
}

/// Accounts, for who a resource is.
pub(crate) type Accounts = Arc<People>;

impl Inner {
    pub(crate) fn choices(&self) -> Option<Arc<Choices>> {
        self.choices.get().map(Arc::clone)
    }
}

impl Service {
    /// From now on pages write by this service. What was said first counts; without it they only show.
    pub fn writes_by(&self, desk: Arc<Desk>) {
        if let Some(choices) = self.inner.choices() {
            let _ = choices.desk.set(desk);
        }
    }
}
