//! `GET [base]/Patient/[id]/$access-report`: who saw a record, when, what of it and why, for the patient, a caregiver
//! and the privacy officer. Our own operation: `definitions/access-report.json`.
//!
//! - The answer is Parameters: `access` for each day and each who, `disclosure` for what left to others in the sense of
//!   the accounting of disclosures, `next` with the address of the next part when there is more.
//! - Days are whole: a part ends with a day. `start` is inclusive; `end` is not, but a day, month or year is whole.
//! - A caregiver learns that it was the record, not what of it: a part of it can be withheld from them.
//! - Whoever may not see these events finds nothing at all (404), as with a patient who is not there. Of a patient who
//!   is gone the report is there: the log is.
//!
//! SPEC: rows F21, F22, F50, H24.

use super::{
    super::{Answer, Call},
    Inputs, wrong,
};
use crate::{failure::Failure, limits, wire::Reply};
use audit::report::{Builder, Detail, Line, Terms};
use fhir::{Instant, LogicalId, ResourceType, json::Writer, primitive::date_time::DateTime};
use oauth::{caller::Role, udap::purpose};
use std::ops::ControlFlow;

/// Makes the report.
pub(in crate::interaction) fn perform(call: &Call<'_>, patient: &LogicalId) -> Result<Answer, Failure> {
    let inputs = Inputs::of(call, None, &["start", "end", "_count"])?;
    let time = |name: &'static str| {
        let read = |text: &str| DateTime::parse(text).ok_or_else(|| wrong(name, "is a date or a moment"));
        inputs.text(name)?.map(read).transpose()
    };
    let (start, end) = (time("start")?, time("end")?);
    let is_day = |time: &DateTime| time.high - time.low >= 86_400_000;
    let start = start.map(|time| Instant::from_unix_millis(time.low));
    // A day is whole; a moment is the end itself.
    let end = end.map(|time| Instant::from_unix_millis(if is_day(&time) { time.high } else { time.low }));
    let count = match inputs.number("_count")? {
        None => limits::REPORT_LINES,
        Some(0) => return Err(wrong("_count", "is at least 1")),
        Some(count) => count.min(limits::REPORT_LINES_MAX),
    };
    let accounting = call.service.accounting();
    let detail = match call.caller.user().map(|user| user.role) {
        Some(Role::Caregiver) => Detail::Record,
        _ => Detail::Kinds,
    };
    let terms = Terms { patient, start, end, count, staff: accounting.staff, detail };
    let mut builder = Builder::new(terms);
    let mut read = 0_usize;
    let mut whole = true;
    let snapshot = call.service.snapshot();
    snapshot.accesses(&call.permit, patient, end, &mut |entry| {
        read += 1;
        whole = read <= limits::REPORT_ENTRIES_MAX;
        if whole { builder.add(entry) } else { ControlFlow::Break(()) }
    })?;
    if !whole {
        return Err(wrong("start", "leaves too much for one report: ask for a shorter time"));
    }
    let report = builder.finish();
    let mut w = Writer::with_capacity(1024 + report.lines.len() * 512);
    w.object(|w| {
        w.member("resourceType", "Parameters");
        if report.lines.is_empty() && report.next_end.is_none() {
            return;
        }
        w.key("parameter");
        w.array(|w| {
            for line in &report.lines {
                named(w, if line.disclosed { "disclosure" } else { "access" }, |w| {
                    w.key("part");
                    w.array(|w| parts(w, line, &*accounting.client_name));
                });
            }
            if let Some(end) = report.next_end {
                named(w, "next", |w| w.member("valueUrl", &next(call, patient, start, end, count)));
            }
        });
    });
    Ok(Answer::read(Reply::document(w.into_bytes())))
}

fn next(call: &Call<'_>, patient: &LogicalId, start: Option<Instant>, end: Instant, count: usize) -> String {
    let start = start.map(|start| format!("start={start}&")).unwrap_or_default();
    format!("{}/Patient/{patient}/$access-report?{start}end={end}&_count={count}", call.service.base_url())
}

fn named(w: &mut Writer, name: &str, more: impl FnOnce(&mut Writer)) {
    w.object(|w| {
        w.member("name", name);
        more(w);
    });
}

fn text(w: &mut Writer, name: &str, kind: &str, value: &str) {
    if !value.trim().is_empty() {
        named(w, name, |w| w.member(kind, value));
    }
}

fn parts(w: &mut Writer, line: &Line, client_name: &dyn Fn(&str) -> Option<String>) {
    let day = Instant::from_unix_millis(line.day * 86_400_000).to_string();
    text(w, "date", "valueDate", day.get(..10).unwrap_or_default());
    text(w, "first", "valueInstant", &line.first.to_string());
    text(w, "last", "valueInstant", &line.last.to_string());
    text(w, "person", "valueString", line.who.name.as_deref().unwrap_or_default());
    text(w, "role", "valueString", line.who.role.as_deref().unwrap_or_default());
    text(w, "organization", "valueString", line.who.organization.as_deref().unwrap_or_default());
    if let Some(client) = line.who.client.as_deref() {
        let name = client_name(client);
        text(w, "app", "valueString", name.as_deref().unwrap_or(client));
    }
    for ((deed, kind), times) in &line.deeds {
        named(w, "what", |w| {
            w.key("part");
            w.array(|w| {
                text(w, "deed", "valueCode", deed.as_str());
                text(w, "type", "valueCode", kind.map_or("", ResourceType::name));
                text(w, "text", "valueString", &plain(*kind));
                named(w, "times", |w| {
                    w.key("valueInteger");
                    w.integer(i64::from(*times));
                });
            });
        });
    }
    for code in line.purposes.iter().filter(|code| !code.trim().is_empty()) {
        named(w, "why", |w| {
            w.key("valueCoding");
            w.object(|w| {
                w.member("system", purpose::SYSTEM);
                w.member("code", code);
            });
        });
    }
    if line.emergency {
        named(w, "emergency", |w| {
            w.key("valueBoolean");
            w.boolean(true);
        });
    }
    if line.in_list {
        named(w, "inList", |w| {
            w.key("valueBoolean");
            w.boolean(true);
        });
    }
}

/// What it is, in plain English: "the record", "goals", else the name of the type with its words apart.
fn plain(kind: Option<ResourceType>) -> String {
    let Some(kind) = kind else { return "the record".to_owned() };
    let known = match kind.name() {
        "Patient" => "who you are",
        "AuditEvent" => "who saw the record",
        "Condition" => "health problems",
        "Observation" => "results and measurements",
        "MedicationRequest" | "MedicationStatement" | "MedicationDispense" | "MedicationAdministration" => "medicines",
        "AllergyIntolerance" => "allergies",
        "Encounter" | "EpisodeOfCare" => "visits and stays",
        "DocumentReference" | "Composition" | "Binary" => "documents",
        "QuestionnaireResponse" => "answers to questions",
        "ServiceRequest" => "orders",
        "Coverage" => "insurance",
        "Claim" | "ClaimResponse" | "ExplanationOfBenefit" => "bills",
        "Consent" => "choices about sharing",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let mut words = String::new();
    for letter in kind.name().chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words.push('s');
    words
}
