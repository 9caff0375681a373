//! Patients and their visits, for the pages that people choose on, and the organization that a UDAP client stands for.
//! SPEC: rows B23, B25, D28, F1, G14; SMART App Launch 2.2, launch context.
//!
//! What a page finds is what `policy` lets this person see ([`Caller::at_page`]), as if an app with `user/` scopes asked
//! for them. Whatever is shown has to be recorded by who shows it.
//!
//! Left out: more than a name and a birthday; FHIR's own searches are at the API.

mod emergency;

pub(crate) use emergency::{Look, Looks, Wanted};

use crate::{glasses::Case, limits};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::{Caller, caller::User};
use policy::{Grants, Interaction, Permit};
use search::{
    Predicate, Query, Test,
    predicate::TokenTest,
    query::{Context, Handling, compile_criteria, parse},
};
use serde_json::Value;
use std::sync::Arc;
use store::{Found, ReadError, Snapshot, Store};

/// What the pages may look up at most.
const SCOPES: &str =
    "user/Patient.rs user/Encounter.rs user/EpisodeOfCare.rs user/ServiceRequest.rs user/Appointment.rs";

/// What a visit is part of, what it was asked for by, and when it was to be: members of Encounter, with their types.
const AROUND: [(&str, &str); 3] =
    [("episodeOfCare", "EpisodeOfCare"), ("basedOn", "ServiceRequest"), ("appointment", "Appointment")];

/// What the server itself looks up of who a client is.
const OWN_SCOPES: &str = "system/Organization.s";

/// The system of identifiers that are URIs. SPEC: R4 datatypes.html#Identifier.
const URIS: &str = "urn:ietf:rfc:3986";

/// Patients or visits that one page can show.
pub(crate) const FOUND_MAX: usize = pages::limits::ROWS_MAX;

/// Words of a search that count: a name with all its parts.
const WORDS_MAX: usize = 6;

/// As much of a patient as tells one from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatientRecord {
    /// Logical id.
    pub(crate) id: Arc<str>,
    /// As people write it.
    pub(crate) name: String,
    /// `YYYY-MM-DD`, or less of it.
    pub(crate) born: Option<String>,
}

/// What a search found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Patients {
    /// By family name; at most [`FOUND_MAX`].
    pub(crate) found: Vec<PatientRecord>,
    /// There are more.
    pub(crate) has_more: bool,
}

/// A visit or a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VisitRecord {
    /// Logical id.
    pub(crate) id: Arc<str>,
    /// Code of its class: `IMP`.
    pub(crate) class: Option<String>,
    /// What it is in the words of the record.
    pub(crate) words: Option<String>,
    /// Day or moment of its begin, `YYYY-MM-DD…`.
    pub(crate) began: Option<String>,
    /// As [`VisitRecord::began`]; `None`: goes on.
    pub(crate) ended: Option<String>,
}

/// Where they are looked up. All calls block on the disk; `None` where the store does not answer, which is logged.
pub(crate) trait Records: Send + Sync {
    /// The patient of this id, when this person may see them; `None` too when there is none.
    fn patient(&self, user: &Arc<User>, id: &str) -> Option<PatientRecord>;
    /// Those whom a caregiver cares for now, by family name; at most [`FOUND_MAX`].
    fn cared_for(&self, user: &Arc<User>) -> Option<Arc<[Arc<str>]>>;
    /// Those of whose names each of these words begins one, or is their record number.
    fn patients(&self, user: &Arc<User>, words: &str) -> Option<Patients>;
    /// The visits of a patient, latest first; those within a stay, such as its timepoints, stand for that stay.
    fn visits(&self, user: &Arc<User>, patient: &str) -> Option<Vec<VisitRecord>>;
    /// What is in context with a visit of this patient, `Type/id` each: of the same patient, and this person may see it.
    fn around(&self, user: &Arc<User>, patient: &str, visit: &str) -> Option<Vec<Arc<str>>>;
    /// The organization with this URI as an identifier, to the letter, that is not said to be inactive; as a relative
    /// reference. `None` too when there are two: then nobody knows which one is meant.
    fn organization_of(&self, uri: &str) -> Option<Arc<str>>;
    /// All of those whom this names and whose Patient this clinician would see with a broken glass.
    fn in_emergency(&self, user: &Arc<User>, wanted: &Wanted) -> Option<Vec<PatientRecord>>;
    /// What the clinician of this case did with the record while the glass was broken, latest first.
    fn looks(&self, officer: &Arc<User>, case: &Case) -> Option<Looks>;
}

/// The records of the store.
pub(crate) struct Stored {
    pub(crate) store: Arc<Store>,
    /// Now: what holds for a time holds by it.
    pub(crate) clock: Arc<dyn Fn() -> Instant + Send + Sync>,
}

impl Stored {
    fn snapshot(&self) -> Snapshot {
        self.store.snapshot((self.clock)())
    }
}

impl Records for Stored {
    fn patient(&self, user: &Arc<User>, id: &str) -> Option<PatientRecord> {
        let id = LogicalId::parse(id).ok()?;
        let kind = ResourceType::parse("Patient").ok()?;
        let permit = permit(&self.store, user, &Interaction::Read(kind, id.clone()))?;
        let found = self.snapshot().read(&permit, kind, &id).map_err(|why| failed(&why)).ok()?;
        patient(&found)
    }

    fn cared_for(&self, user: &Arc<User>) -> Option<Arc<[Arc<str>]>> {
        let kind = ResourceType::parse("Patient").ok()?;
        let Some(permit) = permit(&self.store, user, &Interaction::SearchType(kind)) else {
            return Some(Arc::new([]));
        };
        let query = query(&self.store, kind, &[("_sort", "family")])?;
        let page = self.snapshot().search(&permit, &query, None, "").map_err(|why| failed(&why)).ok()?;
        Some(page.matches.iter().map(|found| found.id.as_str().into()).collect())
    }

    fn patients(&self, user: &Arc<User>, words: &str) -> Option<Patients> {
        let kind = ResourceType::parse("Patient").ok()?;
        let permit = permit(&self.store, user, &Interaction::SearchType(kind))?;
        let registry = self.store.registry();
        // What cannot be searched for is found nowhere.
        let criteria = |name: &str, value: &str| {
            let predicate = compile_criteria(&registry, kind, &[pair(name, &escaped(value))]);
            Arc::new(predicate.unwrap_or(Predicate::Nothing))
        };
        let mut all = Vec::new();
        for word in words.split_whitespace().take(WORDS_MAX) {
            let mut any = vec![criteria("name", word)];
            if word.bytes().any(|byte| byte.is_ascii_digit()) {
                any.push(criteria("identifier", word));
            }
            all.push(Arc::new(Predicate::Or(any)));
        }
        if all.is_empty() {
            return Some(Patients::default());
        }
        let query =
            Query { predicate: Arc::new(Predicate::And(all)), ..query(&self.store, kind, &[("_sort", "family")])? };
        let snapshot = self.snapshot();
        let page = match snapshot.search(&permit, &query, None, "") {
            // Too many to be put in order: some of them, in any.
            Err(ReadError::TooCostly(_)) => snapshot.search(&permit, &Query { sort: Vec::new(), ..query }, None, ""),
            answered => answered,
        };
        let page = page.map_err(|why| failed(&why)).ok()?;
        Some(Patients { has_more: page.next.is_some(), found: page.matches.iter().filter_map(patient).collect() })
    }

    fn visits(&self, user: &Arc<User>, patient: &str) -> Option<Vec<VisitRecord>> {
        let patient = LogicalId::parse(patient).ok()?;
        let kind = ResourceType::parse("Encounter").ok()?;
        let Some(permit) = permit(&self.store, user, &Interaction::SearchType(kind)) else { return Some(Vec::new()) };
        let pairs = [("patient", patient.as_str()), ("part-of:missing", "true"), ("_sort", "-date")];
        let query = query(&self.store, kind, &pairs)?;
        let page = self.snapshot().search(&permit, &query, None, "").map_err(|why| failed(&why)).ok()?;
        let mut visits: Vec<VisitRecord> = page.matches.iter().filter_map(visit).collect();
        // The store puts what goes on last.
        visits.sort_by(|a, b| b.began.cmp(&a.began));
        Some(visits)
    }

    fn around(&self, user: &Arc<User>, patient: &str, visit: &str) -> Option<Vec<Arc<str>>> {
        let snapshot = self.snapshot();
        let read = |kind: &str, id: &str| {
            let (kind, id) = (ResourceType::parse(kind).ok()?, LogicalId::parse(id).ok()?);
            let permit = permit(&self.store, user, &Interaction::Read(kind, id.clone()))?;
            json(&snapshot.read(&permit, kind, &id).map_err(|why| failed(&why)).ok()?)
        };
        let encounter = read("Encounter", visit).filter(|visit| is_of(visit, patient))?;
        let mut around: Vec<Arc<str>> = Vec::new();
        for (member, kind) in AROUND {
            let named = encounter.get(member).and_then(Value::as_array).into_iter().flatten();
            for reference in named.filter_map(|item| item.get("reference")?.as_str()) {
                let id = reference.split_once('/').filter(|(named, _)| *named == kind).map(|(_, id)| id);
                let is_new = around.len() < limits::AROUND_MAX && around.iter().all(|known| **known != *reference);
                if is_new && id.and_then(|id| read(kind, id)).is_some_and(|found| is_of(&found, patient)) {
                    around.push(reference.into());
                }
            }
        }
        Some(around)
    }

    fn organization_of(&self, uri: &str) -> Option<Arc<str>> {
        let kind = ResourceType::parse("Organization").ok()?;
        let caller = Caller::operator_within("udap", OWN_SCOPES).ok()?;
        let permit = permit_of(&self.store, &caller, &Interaction::SearchType(kind))?;
        let registry = self.store.registry();
        // Not by a query string: there an empty value would mean any.
        let has = |code: &str, test: TokenTest| {
            let parameter = registry.parameter(kind, code)?.id;
            Some(Arc::new(Predicate::Value { parameter, test: Test::Token(test) }))
        };
        let predicate = Arc::new(Predicate::And(vec![
            has("identifier", TokenTest::SystemCode(URIS.to_owned(), uri.to_owned()))?,
            Arc::new(Predicate::Not(has("active", TokenTest::Code("false".to_owned()))?)),
        ]));
        let query = Query { predicate, ..query(&self.store, kind, &[])? };
        let page = self.snapshot().search(&permit, &query, None, "");
        let page = page.map_err(|why| failed(&why)).ok()?;
        match page.matches.as_slice() {
            [only] => Some(format!("{kind}/{}", only.id).into()),
            [] => None,
            _ => {
                tracing::warn!(uri, "several organizations have this URI, so a client with it stands for none");
                None
            }
        }
    }

    fn in_emergency(&self, user: &Arc<User>, wanted: &Wanted) -> Option<Vec<PatientRecord>> {
        self.found_in_emergency(user, wanted)
    }

    fn looks(&self, officer: &Arc<User>, case: &Case) -> Option<Looks> {
        self.looked_at(officer, case)
    }
}

/// Whether a resource is about this patient, or they take part in it.
fn is_of(resource: &Value, patient: &str) -> bool {
    let names = |reference: Option<&Value>| {
        let reference = reference.and_then(Value::as_str).and_then(|reference| reference.strip_prefix("Patient/"));
        reference == Some(patient)
    };
    let subject = ["/patient/reference", "/subject/reference"].map(|pointer| resource.pointer(pointer));
    let mut participants = resource.get("participant").and_then(Value::as_array).into_iter().flatten();
    subject.into_iter().any(names) || participants.any(|one| names(one.pointer("/actor/reference")))
}

/// What this person may do of it; `None`: nothing.
fn permit(store: &Store, user: &Arc<User>, interaction: &Interaction) -> Option<Permit> {
    permit_within(store, user, SCOPES, interaction)
}

/// The same within other scopes.
pub(crate) fn permit_within(
    store: &Store,
    user: &Arc<User>,
    scopes: &str,
    interaction: &Interaction,
) -> Option<Permit> {
    permit_of(store, &Caller::at_page(Arc::clone(user), scopes).ok()?, interaction)
}

pub(crate) fn permit_of(store: &Store, caller: &Caller, interaction: &Interaction) -> Option<Permit> {
    let grants = Arc::new(Grants::compile(caller, &store.registry(), &store.house()));
    policy::decide(caller, &grants, interaction).ok()
}

pub(crate) fn query(store: &Store, kind: ResourceType, pairs: &[(&str, &str)]) -> Option<Query> {
    let count = FOUND_MAX.to_string();
    let pairs: Vec<_> =
        pairs.iter().chain(&[("_count", count.as_str())]).map(|(name, value)| pair(name, value)).collect();
    // No value here is relative to a base URL or to now.
    let context =
        Context { handling: Handling::Strict, base_url: "", now: Instant::from_unix_millis(0), compartment: None };
    parse(&store.registry(), kind, &pairs, &context).ok()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A value with nothing in it that a search would read as more than text. SPEC: R4 search.html#escaping.
pub(crate) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        if matches!(letter, ',' | '|' | '$' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

fn failed(why: &ReadError) {
    match why {
        ReadError::NotFound | ReadError::Gone => {}
        why => tracing::warn!(?why, "a page could not look something up"),
    }
}

pub(crate) fn json(found: &Found) -> Option<Value> {
    serde_json::from_slice(&found.json.clone().into_bytes().ok()?).ok()
}

pub(crate) fn patient(found: &Found) -> Option<PatientRecord> {
    let patient = json(found)?;
    Some(PatientRecord {
        id: found.id.as_str().into(),
        name: name(&patient).unwrap_or_else(|| "—".to_owned()),
        born: patient.get("birthDate").and_then(Value::as_str).map(str::to_owned),
    })
}

/// The name that is used now, else any.
pub(crate) fn name(patient: &Value) -> Option<String> {
    let mut names: Vec<&Value> = patient.get("name")?.as_array()?.iter().collect();
    let rank = |name: &&Value| match name.get("use").and_then(Value::as_str) {
        Some("usual") => 0,
        Some("official") => 1,
        Some("old" | "maiden" | "temp") => 3,
        _ => 2,
    };
    names.sort_by_key(rank);
    let name = names.first()?;
    let given = name.get("given").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let family = name.get("family").and_then(Value::as_str);
    let parts: Vec<&str> = given.chain(family).collect();
    let whole = if parts.is_empty() { name.get("text")?.as_str()?.to_owned() } else { parts.join(" ") };
    Some(whole).filter(|whole| !whole.trim().is_empty())
}

/// `None` for what did not take place.
fn visit(found: &Found) -> Option<VisitRecord> {
    let visit = json(found)?;
    let text = |pointer: &str| visit.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if matches!(text("/status").as_deref(), Some("cancelled" | "entered-in-error")) {
        return None;
    }
    let words = ["/type/0/text", "/serviceType/text", "/class/display", "/type/0/coding/0/display"];
    Some(VisitRecord {
        id: found.id.as_str().into(),
        class: text("/class/code"),
        words: words.into_iter().find_map(text),
        began: text("/period/start"),
        ended: text("/period/end"),
    })
}

#[cfg(test)]
mod tests;
