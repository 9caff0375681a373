//! Whom a clinician finds who is about to break the glass, and what they did with it. SPEC: rows F49, F50, F22.
//!
//! One person is found by all of a record number, or by names and birthday, to the letter but for its case and accents;
//! never a list. Somebody whose Patient even a broken glass would not open is not found, so that the page tells nothing
//! that the glass would not.

use super::{PatientRecord, Stored, failed, json, pair, permit_of, query};
use crate::{glasses::Case, limits};
use fhir::{Instant, LogicalId, ResourceType, primitive::date_time::DateTime};
use oauth::{Caller, caller::User};
use policy::Interaction;
use search::{Predicate, Query, Test, predicate::TokenTest, query::compile_criteria};
use serde_json::Value;
use std::sync::Arc;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What the glass must open for somebody to be found.
const SCOPES: &str = "user/Patient.r";

/// What a privacy officer looks up.
const EVENTS: &str = "user/AuditEvent.rs";

/// Whom somebody looks for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// By an identifier.
    Number(String),
    /// By names and birthday.
    Person {
        /// One of the given names.
        given: String,
        /// The family name.
        family: String,
        /// `YYYY-MM-DD`.
        born: String,
    },
}

/// One entry of what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// Seconds since the epoch.
    pub(crate) at_s: i64,
    /// Code of the interaction: `read`, `search-type`, `create` …
    pub(crate) code: String,
    /// What was touched, `Type/id`.
    pub(crate) what: Vec<String>,
}

/// What was done, as far as it was looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looks {
    /// Latest first; at most [`limits::GLASS_LOOKS_MAX`].
    pub(crate) looks: Vec<Look>,
    /// There are more, or there may be: the log was not looked through to its end.
    pub(crate) has_more: bool,
}

impl Stored {
    /// See [`super::Records::in_emergency`].
    pub(super) fn found_in_emergency(&self, user: &User, wanted: &Wanted) -> Option<Vec<PatientRecord>> {
        let kind = ResourceType::parse("Patient").ok()?;
        let registry = self.store.registry();
        let predicate = match wanted {
            Wanted::Number(number) => {
                let parameter = registry.parameter(kind, "identifier")?.id;
                let test = match number.rsplit_once('|') {
                    Some((system, code)) => TokenTest::SystemCode(system.to_owned(), code.to_owned()),
                    None => TokenTest::Code(number.clone()),
                };
                Arc::new(Predicate::Value { parameter, test: Test::Token(test) })
            }
            Wanted::Person { family, born, .. } => {
                let pairs = [pair("family", &super::escaped(family)), pair("birthdate", &super::escaped(born))];
                Arc::new(compile_criteria(&registry, kind, &pairs).unwrap_or(Predicate::Nothing))
            }
        };
        // Whoever holds the record, whatever the clinician may see: they are about to break the glass for them.
        let permit = permit_of(&self.store, &Caller::operator("emergency"), &Interaction::SearchType(kind))?;
        let query = Query { predicate, ..query(&self.store, kind, &[])? };
        let snapshot = self.snapshot();
        let page = snapshot.search(&permit, &query, None, "").map_err(|why| failed(&why)).ok()?;
        let mut found = Vec::new();
        for one in &page.matches {
            let Some(patient) = json(one) else { continue };
            let is_meant = match wanted {
                Wanted::Number(_) => true,
                Wanted::Person { given, family, born } => is_called(&patient, given, family, born),
            };
            if !is_meant {
                continue;
            }
            let caller = Caller::at_page_breaking_glass(user, one.id.as_str(), SCOPES).ok()?;
            let would = permit_of(&self.store, &caller, &Interaction::Read(kind, one.id.clone()));
            if would.is_some_and(|would| snapshot.read(&would, kind, &one.id).is_ok()) {
                found.extend(super::patient(one));
            }
        }
        Some(found)
    }

    /// See [`super::Records::looks`].
    pub(super) fn looked_at(&self, officer: &Arc<User>, case: &Case) -> Option<Looks> {
        let kind = ResourceType::parse("AuditEvent").ok()?;
        let patient = LogicalId::parse(&case.patient).ok()?;
        let caller = Caller::at_page(Arc::clone(officer), EVENTS).ok()?;
        let permit = permit_of(&self.store, &caller, &Interaction::SearchType(kind))?;
        let date = |seconds: i64| Instant::from_unix_millis(seconds.saturating_mul(1000)).to_string();
        let (from, to) = (format!("ge{}", date(case.opened_s)), format!("le{}", date(case.end_s() + 1)));
        let about = format!("Patient/{patient}");
        let pairs = [("patient", about.as_str()), ("date", from.as_str()), ("date", to.as_str())];
        let query = query(&self.store, kind, &pairs)?;
        let snapshot = self.snapshot();
        let mut looks = Vec::new();
        let mut cursor = None;
        // Others may be at work with the same record: their entries stand between.
        for _ in 0..limits::GLASS_PAGES_MAX {
            let page = snapshot.search(&permit, &query, cursor.as_deref(), "");
            let page = page.map_err(|why| failed(&why)).ok()?;
            looks.extend(page.matches.iter().filter_map(json).filter_map(|event| look(&event, case)));
            cursor = page.next;
            if cursor.is_none() || looks.len() > limits::GLASS_LOOKS_MAX {
                break;
            }
        }
        looks.sort_by_key(|look| std::cmp::Reverse(look.at_s));
        let has_more = cursor.is_some() || looks.len() > limits::GLASS_LOOKS_MAX;
        looks.truncate(limits::GLASS_LOOKS_MAX);
        Some(Looks { looks, has_more })
    }
}

/// What the clinician of the case did by the API.
fn look(event: &Value, case: &Case) -> Option<Look> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    if text("/type/code") != Some("rest") {
        return None;
    }
    let mut agents = event.get("agent")?.as_array()?.iter();
    let is_theirs = |agent: &Value| agent.pointer("/who/identifier/value").and_then(Value::as_str) == Some(&*case.user);
    agents.any(is_theirs).then_some(())?;
    let at_s = DateTime::parse(text("/recorded")?)?.low.div_euclid(1000);
    let references = event.get("entity").and_then(Value::as_array).into_iter().flatten();
    let references = references.filter_map(|entity| entity.pointer("/what/reference")?.as_str());
    let what: Vec<String> =
        references.map(|reference| reference.split("/_history/").next().unwrap_or_default().into()).collect();
    Some(Look { at_s, code: text("/subtype/0/code").unwrap_or_default().to_owned(), what })
}

/// Whether a Patient has these names, in one of its names together, and this birthday.
fn is_called(patient: &Value, given: &str, family: &str, born: &str) -> bool {
    let (given, family) = (plain(given), plain(family));
    let has =
        |value: Option<&Value>, wanted: &str| value.and_then(Value::as_str).is_some_and(|one| plain(one) == wanted);
    let mut names = patient.get("name").and_then(Value::as_array).into_iter().flatten();
    let is_named = names.any(|name| {
        let mut givens = name.get("given").and_then(Value::as_array).into_iter().flatten();
        has(name.get("family"), &family) && givens.any(|one| has(Some(one), &given))
    });
    is_named && patient.get("birthDate").and_then(Value::as_str) == Some(born)
}

/// Small letters without accents, one blank between words.
fn plain(text: &str) -> String {
    let letters: String = text.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
    letters.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}
