//! What guarded worlds are made of: records with all that decides who sees them. Small alphabets, so that they meet.

use super::caller::{CATEGORIES, CATEGORY};
use crate::{
    dice::Dice,
    reference::{cases, decider},
};
use serde_json::{Value, json};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const OBSERVATION_VALUE: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const LOINC: &str = "http://loinc.org";

/// Labels of the worlds.
pub(super) const LABELS: [(&str, &str); 13] = [
    (CONFIDENTIALITY, "L"),
    (CONFIDENTIALITY, "N"),
    (CONFIDENTIALITY, "R"),
    (CONFIDENTIALITY, "V"),
    (ACT_CODE, "PSY"),
    (ACT_CODE, "ETHUD"),
    (ACT_CODE, "NOPAT"),
    (ACT_CODE, "ORCON"),
    (ACT_REASON, "TREAT"),
    (ACT_REASON, "HRESCH"),
    (ACT_REASON, "HTEST"),
    (OBSERVATION_VALUE, "PATAST"),
    ("urn:test:labels", "x"),
];

/// Patients.
pub(super) const PATIENTS: [&str; 4] = ["pat", "other", "p2", "p3"];
pub(super) const FAMILIES: [&str; 4] = ["Alba", "Alder", "Birch", "Ålesund"];
pub(super) const DATES: [&str; 6] = ["2022-06", "2023-01-15", "2025-07-01", "2025-12-20", "2025", "2026-02-01"];
const STAFF: [&str; 8] = [
    "Practitioner/p1",
    "Practitioner/p1",
    "Practitioner/p2",
    "PractitionerRole/r1",
    "PractitionerRole/r3",
    "PractitionerRole/r4",
    "Organization/o1",
    "Organization/o3",
];
const HOUSES: [&str; 3] = ["Organization/o1", "Organization/o2", "Organization/o3"];

/// Types whose resources change from world to world, with their ids.
pub(super) const RECORDS: [(&str, &[&str]); 15] = [
    ("Patient", &PATIENTS),
    ("Observation", &["0", "1", "2", "3", "4", "5", "6", "7"]),
    ("Condition", &["0", "1", "2", "3"]),
    ("Encounter", &["e1", "1", "2", "3"]),
    ("DocumentReference", &["0", "3"]),
    ("MedicationRequest", &["0", "1"]),
    ("QuestionnaireResponse", &["0", "1"]),
    ("ServiceRequest", &["0", "1"]),
    ("Coverage", &["0", "1", "2", "3"]),
    ("Claim", &["0", "1"]),
    ("CareTeam", &["t1", "t2", "t3", "t4"]),
    ("RelatedPerson", &["rp1", "rp2", "rp3"]),
    ("Consent", &["0", "1", "2", "3", "4"]),
    ("Provenance", &["v1", "0"]),
    ("Person", &["per1", "per2"]),
];

/// Types on which nothing rests: who may change them changes nobody's view.
pub(super) const LEAVES: [&str; 5] =
    ["Observation", "DocumentReference", "MedicationRequest", "QuestionnaireResponse", "Condition"];

fn refer(to: &str) -> Value {
    json!({ "reference": to })
}

fn coded(system: &str, code: &str) -> Value {
    json!({ "system": system, "code": code })
}

/// Who works where: the same in both worlds.
pub(super) fn directory() -> Vec<Value> {
    let kept = ["Practitioner", "Organization", "PractitionerRole", "Group"];
    let mut all = cases::world().resources;
    all.retain(|one| kept.contains(&one["resourceType"].as_str().unwrap_or_default()));
    for one in &mut all {
        match one["resourceType"].as_str() {
            Some("Organization") => one["name"] = one["id"].clone(),
            // R4 has no CareTeam in a Group.
            Some("Group") => {
                if let Some(members) = one["member"].as_array_mut() {
                    members.retain(|member| member["entity"]["reference"] != "CareTeam/t1");
                }
            }
            _ => {}
        }
    }
    all
}

/// A resource.
pub(super) fn roll(dice: &mut Dice, kind: &str, id: &str) -> Value {
    let patient = *dice.pick(&["pat", "pat", "pat", "other", "other", "p2", "p3"]);
    let subject = refer(&format!("Patient/{patient}"));
    let mut one = match kind {
        "Patient" => rolled_patient(dice),
        "ServiceRequest" => {
            let mut one = json!({"intent": "order", "status": dice.word(&["active", "active", "completed"]), "subject": subject,
                "code": {"coding": [coded(LOINC, dice.word(&["1", "2"]))]}, "requester": refer(dice.word(&STAFF))});
            if dice.chance(40) {
                one["performer"] = json!([refer(dice.word(&STAFF))]);
            }
            maybe(dice, 50, &mut one, "authoredOn", |dice| dice.word(&DATES).into());
            one
        }
        "Coverage" => {
            let mut one = json!({"status": dice.word(&["active", "active", "active", "cancelled"]), "beneficiary": subject,
                "payor": [refer(dice.word(&HOUSES))]});
            maybe(dice, 70, &mut one, "period", period);
            one
        }
        "Claim" => {
            let encounter = format!("Encounter/{}", dice.word(&["e1", "1", "2", "3"]));
            let code = json!({"coding": [coded("http://terminology.hl7.org/CodeSystem/claim-type", "institutional")]});
            json!({"status": dice.word(&["active", "active", "draft"]), "use": "claim", "type": code, "patient": subject,
                "created": dice.word(&["2025-12-24", "2025-07-02"]), "provider": refer("Organization/o0"),
                "priority": {"coding": [coded("http://terminology.hl7.org/CodeSystem/processpriority", "normal")]},
                "insurer": refer(dice.word(&HOUSES)),
                "insurance": [{"sequence": 1, "focal": true, "coverage": refer(&format!("Coverage/{}", dice.below(4)))}],
                "item": [{"sequence": 1, "productOrService": {"coding": [coded(LOINC, "1")]}, "encounter": [refer(&encounter)]}]})
        }
        "CareTeam" => {
            let members: Vec<Value> =
                (0..=dice.below(2)).map(|_| json!({"member": refer(dice.word(&STAFF))})).collect();
            let mut one = json!({"status": dice.word(&["active", "active", "active", "inactive"]), "subject": subject,
                "participant": members});
            maybe(dice, 40, &mut one, "period", period);
            maybe(dice, 20, &mut one, "managingOrganization", |dice| json!([refer(dice.word(&HOUSES))]));
            one
        }
        "RelatedPerson" => {
            let mut one = json!({"patient": subject, "name": [{"family": dice.word(&FAMILIES)}]});
            maybe(dice, 40, &mut one, "active", |dice| dice.chance(60).into());
            maybe(dice, 30, &mut one, "period", period);
            maybe(dice, 50, &mut one, "relationship", |dice| {
                let codes = [
                    ("http://terminology.hl7.org/CodeSystem/v2-0131", "E"),
                    ("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "HPOWATT"),
                ];
                let (system, code) = *dice.pick(&codes);
                json!([{"coding": [coded(system, code)]}])
            });
            one
        }
        "Person" => {
            let mut targets = vec!["RelatedPerson/rp1", "RelatedPerson/rp2", "RelatedPerson/rp3"];
            targets.retain(|_| dice.chance(60));
            let links: Vec<Value> = targets.into_iter().map(|to| json!({"target": refer(to)})).collect();
            let mut one = json!({"name": [{"family": dice.word(&FAMILIES)}]});
            if !links.is_empty() {
                one["link"] = links.into();
            }
            maybe(dice, 15, &mut one, "active", |_| false.into());
            one
        }
        "Consent" => loop {
            if let Some(one) = cases::consents(dice).pop() {
                let mut one = tame(one);
                one["patient"] = subject;
                maybe(dice, 15, &mut one, "performer", |dice| {
                    json!([refer(dice.word(&[
                        "RelatedPerson/rp1",
                        "RelatedPerson/rp2",
                        "Patient/pat",
                        "Practitioner/p1"
                    ]))])
                });
                break one;
            }
        },
        "Provenance" => {
            let kind = dice.word(&["Observation", "Observation", "Condition"]);
            let target = format!("{kind}/{}", dice.below(4));
            json!({"target": [refer(&target)], "recorded": "2025-12-01T00:00:00Z", "agent": [{"who": refer(dice.word(&STAFF))}]})
        }
        _ => clinical(dice, kind, subject),
    };
    one["resourceType"] = kind.into();
    one["id"] = id.into();
    if dice.chance(if matches!(kind, "Patient" | "Consent") { 6 } else { 30 }) {
        let labels: Vec<Value> =
            (0..=dice.below(2)).map(|_| *dice.pick(&LABELS)).map(|(system, code)| coded(system, code)).collect();
        one["meta"]["security"] = labels.into();
    }
    if dice.chance(30) {
        one["meta"]["tag"] = json!([{"system": "urn:test:tag", "code": dice.word(&["t1", "t2"])}]);
    }
    one
}

fn maybe(dice: &mut Dice, percent: usize, one: &mut Value, name: &str, value: impl FnOnce(&mut Dice) -> Value) {
    if dice.chance(percent) {
        one[name] = value(dice);
    }
}

/// In force, over, not begun, long over, of a time ago.
fn period(dice: &mut Dice) -> Value {
    match dice.below(6) {
        0 => json!({"end": "2025-11-30"}),
        1 => json!({"start": "2026-02-01"}),
        2 => json!({"end": "2024-06-30"}),
        3 => json!({"start": "2025-12-10", "end": "2026-01-31"}),
        4 => json!({"start": "2025-06-01", "end": "2025-08-31"}),
        _ => json!({"start": "2025-01-01"}),
    }
}

fn rolled_patient(dice: &mut Dice) -> Value {
    let mut one = json!({"gender": dice.word(&["female", "male"]), "name": [{"family": dice.word(&FAMILIES)}],
        "identifier": [{"system": "urn:test:mrn", "value": dice.word(&FAMILIES)}], "birthDate": dice.word(&["1950-01-01", "1950-02-02"])});
    maybe(dice, 45, &mut one, "generalPractitioner", |dice| {
        json!((0..=dice.below(2)).map(|_| refer(dice.word(&STAFF))).collect::<Vec<_>>())
    });
    maybe(dice, 25, &mut one, "managingOrganization", |dice| refer(dice.word(&HOUSES)));
    one
}

fn clinical(dice: &mut Dice, kind: &str, subject: Value) -> Value {
    let mut one = cases::resource(dice, kind, 0);
    let members = one.as_object_mut().expect("a resource");
    for name in [
        "meta",
        "effectivePeriod",
        "onsetPeriod",
        "onsetString",
        "period",
        "effectiveDateTime",
        "onsetDateTime",
        "recordedDate",
    ] {
        members.remove(name);
    }
    if let Some(context) = members.get_mut("context").and_then(Value::as_object_mut) {
        context.remove("period");
        if context.is_empty() {
            members.remove("context");
        }
    }
    members.insert("subject".into(), subject);
    if members.contains_key("valueCodeableConcept") {
        members.remove("valueQuantity");
    }
    if members.contains_key("valueCodeableConcept") || members.contains_key("valueQuantity") {
        members.remove("component");
    }
    for (name, other) in
        [("asserter", "Organization/o1"), ("source", "Organization/o1"), ("authenticator", "Patient/pat")]
    {
        if let Some(who) = members.get_mut(name).filter(|who| who["reference"] == other) {
            *who = refer("Practitioner/p2");
        }
    }
    match kind {
        "Observation" => {
            one["status"] = "final".into();
            one["category"] = json!([{"coding": [coded(CATEGORY, dice.word(&CATEGORIES))]}]);
            maybe(dice, 60, &mut one, "effectiveDateTime", |dice| dice.word(&DATES).into());
            maybe(dice, 15, &mut one, "derivedFrom", |dice| json!([refer(&format!("Observation/{}", dice.below(8)))]));
        }
        "Condition" => {
            maybe(dice, 50, &mut one, "onsetDateTime", |dice| dice.word(&DATES).into());
            maybe(dice, 50, &mut one, "recordedDate", |dice| dice.word(&DATES).into());
        }
        "DocumentReference" => {
            one["status"] = "current".into();
            if one.get("date").is_some() {
                one["date"] = "2022-06-01T00:00:00Z".into();
                one.as_object_mut().map(|one| one.remove("date"));
            }
        }
        "MedicationRequest" => {
            one["status"] = "active".into();
            one["intent"] = "order".into();
        }
        "QuestionnaireResponse" => one["status"] = "completed".into(),
        "Encounter" => {
            one.as_object_mut().map(|one| one.remove("participant"));
            maybe(dice, 50, &mut one, "participant", |dice| json!([{"individual": refer(dice.word(&STAFF[..6]))}]));
            one["status"] = dice.word(&["planned", "in-progress", "finished", "finished", "cancelled"]).into();
            maybe(dice, 70, &mut one, "period", period);
            maybe(dice, 30, &mut one, "serviceProvider", |dice| refer(dice.word(&HOUSES)));
            maybe(dice, 20, &mut one, "partOf", |dice| refer(&format!("Encounter/{}", dice.word(&["e1", "1", "2"]))));
        }
        _ => {}
    }
    one
}

/// A Consent that R4 allows: what no server takes is nothing that worlds could differ in.
fn tame(mut consent: Value) -> Value {
    walk(&mut consent);
    if consent.get("policy").is_none() && consent.get("policyRule").is_none() {
        consent["policyRule"] = json!({"text": "as it says"});
    }
    consent
}

fn walk(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(walk);
            items.retain(|one| !is_empty(one));
        }
        Value::Object(members) => {
            members.remove("modifierExtension");
            if members.get("type").is_some_and(|kind| kind == "maybe") {
                members.insert("type".into(), "deny".into());
            }
            for name in ["period", "dataPeriod"] {
                let Some(period) = members.get(name) else { continue };
                let (start, end) = (period["start"].as_str(), period["end"].as_str());
                let is_wrong = start == Some("soon") || start.zip(end).is_some_and(|(start, end)| start > end);
                if is_wrong {
                    members.remove(name);
                }
            }
            members.values_mut().for_each(walk);
            members.retain(|_, one| !is_empty(one));
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The same without what lifts labels for organizations: which of it lifts, `policy` has tests of.
pub(super) fn without_sensitivities(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(without_sensitivities);
            items.retain(|one| !is_empty(one));
        }
        Value::Object(members) => {
            if let Some(Value::Array(labels)) = members.get_mut("securityLabel") {
                labels.retain(|label| label["system"] == CONFIDENTIALITY);
                if labels.is_empty() {
                    members.remove("securityLabel");
                }
            }
            members.values_mut().for_each(without_sensitivities);
            members.retain(|_, one| !is_empty(one));
        }
        _ => {}
    }
}

/// With the labels that the house's rule gives when it is written.
pub(super) fn labelled(mut one: Value) -> Value {
    let is_of_type = matches!(one["resourceType"].as_str(), Some("Observation" | "Condition"));
    let has_code = decider::all_codes(&one).contains(&(LOINC.to_owned(), "2".to_owned()));
    if !is_of_type || !has_code {
        return one;
    }
    let mut labels = one["meta"]["security"].as_array().cloned().unwrap_or_default();
    labels.retain(|label| label["system"] != CONFIDENTIALITY || label["code"] == "V");
    if !labels.iter().any(|label| label["system"] == CONFIDENTIALITY) {
        labels.push(coded(CONFIDENTIALITY, "R"));
    }
    if !labels.contains(&coded(ACT_CODE, "PSY")) {
        labels.push(coded(ACT_CODE, "PSY"));
    }
    one["meta"]["security"] = labels.into();
    one
}
