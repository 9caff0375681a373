//! Random Consents, callers and resources from small alphabets, so that they meet; and the world they are in.

use super::decider::{Caller, Defaults, House, Kind, PURPOSES, World};
use crate::dice::Dice;
use serde_json::{Map, Value, json};

/// 2024-06-15, noon.
const NOW: i64 = 1_718_452_800_000;

const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

const CODES: &[(&str, &str)] = &[(LOINC, "1"), (LOINC, "2"), (SNOMED, "1"), (SNOMED, "3")];
const DATES: &[&str] = &["2022", "2022-06", "2023-01-15", "2024-06-15", "2024-07", "2021-12-31"];
const AUTHORS: &[&str] = &[
    "Practitioner/p1",
    "Practitioner/p2",
    "PractitionerRole/r1",
    "PractitionerRole/r2",
    "Organization/o1",
    "Patient/pat",
];

/// Who and what there is.
pub(crate) fn world() -> World {
    let resources = vec![
        json!({ "resourceType": "Patient", "id": "pat" }),
        json!({ "resourceType": "Patient", "id": "other" }),
        json!({ "resourceType": "Practitioner", "id": "p1" }),
        json!({ "resourceType": "Practitioner", "id": "p2" }),
        json!({ "resourceType": "Organization", "id": "o0" }),
        json!({ "resourceType": "Organization", "id": "o1", "partOf": { "reference": "Organization/o0" } }),
        json!({ "resourceType": "Organization", "id": "o2", "partOf": { "reference": "Organization/o1" } }),
        json!({ "resourceType": "Organization", "id": "o3" }),
        json!({ "resourceType": "PractitionerRole", "id": "r1", "active": true,
            "practitioner": { "reference": "Practitioner/p1" }, "organization": { "reference": "Organization/o2" } }),
        json!({ "resourceType": "PractitionerRole", "id": "r2", "active": false,
            "practitioner": { "reference": "Practitioner/p1" }, "organization": { "reference": "Organization/o3" } }),
        json!({ "resourceType": "PractitionerRole", "id": "r3", "period": { "end": "2023" },
            "practitioner": { "reference": "Practitioner/p2" }, "organization": { "reference": "Organization/o1" } }),
        json!({ "resourceType": "Practitioner", "id": "p3", "active": false }),
        json!({ "resourceType": "PractitionerRole", "id": "r5", "practitioner": { "reference": "Practitioner/p3" },
            "organization": { "reference": "Organization/o1" } }),
        json!({ "resourceType": "Organization", "id": "o4", "active": false, "partOf": { "reference": "Organization/o1" } }),
        json!({ "resourceType": "RelatedPerson", "id": "rp3", "patient": { "reference": "Patient/pat" }, "period": { "end": "2023" } }),
        json!({ "resourceType": "Person", "id": "per2", "active": false, "link": [{ "target": { "reference": "RelatedPerson/rp1" } }] }),
        json!({ "resourceType": "PractitionerRole", "id": "r4",
            "practitioner": { "reference": "Practitioner/p2" }, "organization": { "reference": "Organization/o3" } }),
        json!({ "resourceType": "RelatedPerson", "id": "rp1", "patient": { "reference": "Patient/pat" } }),
        json!({ "resourceType": "RelatedPerson", "id": "rp2", "patient": { "reference": "Patient/pat" } }),
        json!({ "resourceType": "Person", "id": "per1", "link": [{ "target": { "reference": "RelatedPerson/rp1" } }] }),
        json!({ "resourceType": "CareTeam", "id": "t1", "status": "active", "subject": { "reference": "Patient/pat" },
            "participant": [{ "member": { "reference": "Practitioner/p2" } }, { "member": { "reference": "Organization/o1" } }] }),
        json!({ "resourceType": "CareTeam", "id": "t2", "status": "inactive",
            "participant": [{ "member": { "reference": "Practitioner/p1" } }] }),
        json!({ "resourceType": "CareTeam", "id": "t3", "period": { "start": "2025" },
            "participant": [{ "member": { "reference": "Practitioner/p1" } }] }),
        json!({ "resourceType": "Group", "id": "g1", "type": "practitioner", "actual": true, "member": [
            { "entity": { "reference": "Practitioner/p2" } }, { "entity": { "reference": "Practitioner/p1" }, "inactive": true }] }),
        json!({ "resourceType": "Group", "id": "g2", "type": "practitioner", "actual": true, "active": false,
            "member": [{ "entity": { "reference": "PractitionerRole/r1" } }] }),
        json!({ "resourceType": "Group", "id": "g3", "type": "practitioner", "actual": true,
            "member": [{ "entity": { "reference": "CareTeam/t1" } }, { "entity": { "reference": "PractitionerRole/r1" } }] }),
        json!({ "resourceType": "Encounter", "id": "e1", "status": "finished", "class": { "system": ACT_CODE, "code": "AMB" },
            "subject": { "reference": "Patient/pat" }, "diagnosis": [{ "condition": { "reference": "Condition/3" } }] }),
        json!({ "resourceType": "Provenance", "id": "v1", "target": [{ "reference": "Observation/1" }, { "reference": "Condition/2" }],
            "recorded": "2024-01-01T00:00:00Z", "agent": [{ "who": { "reference": "Practitioner/p2" } }] }),
    ];
    World { resources, now: NOW }
}

pub(crate) fn house(dice: &mut Dice) -> House {
    let defaults =
        [Defaults::AllNormal, Defaults::AllNormal, Defaults::BasicNormal, Defaults::BreakGlassOnly, Defaults::Deny];
    House { default: *dice.pick(&defaults), newest: dice.chance(25), glass_overrides: dice.chance(25) }
}

pub(super) fn caller(dice: &mut Dice) -> Caller {
    const CALLERS: &[(Kind, &[&str])] = &[
        (Kind::Clinician, &["Practitioner/p1"]),
        (Kind::Clinician, &["Practitioner/p2"]),
        (Kind::Clinician, &["PractitionerRole/r1"]),
        (Kind::Clinician, &["PractitionerRole/r2"]),
        (Kind::Clinician, &["Practitioner/p3"]),
        (Kind::Clinician, &["PractitionerRole/r5"]),
        (Kind::Clinician, &[]),
        (Kind::Person, &["RelatedPerson/rp1"]),
        (Kind::Person, &["RelatedPerson/rp2"]),
        (Kind::Person, &["RelatedPerson/rp3"]),
        (Kind::Person, &["Person/per1"]),
        (Kind::Person, &["Person/per2"]),
        (Kind::Person, &["Patient/other"]),
        (Kind::Organization, &["Organization/o1"]),
        (Kind::Organization, &["Organization/o2"]),
        (Kind::Organization, &["Organization/o3"]),
        (Kind::Organization, &["Organization/o4"]),
        (Kind::System, &[]),
    ];
    let (kind, own) = *dice.pick(CALLERS);
    let count = *dice.pick(&[0, 1, 1, 1, 1, 2]);
    let purposes = (0..count).map(|_| dice.pick(&PURPOSES[1..]).0).collect();
    Caller { kind, own: own.to_vec(), purposes }
}

/// Resources of the record, of each type that cases know.
pub(super) fn resources(dice: &mut Dice, world: &World) -> Vec<Value> {
    let mut all: Vec<Value> =
        world.resources.iter().filter(|one| one["resourceType"] == "Encounter").cloned().collect();
    for at in 0..60 {
        for kind in
            ["Observation", "Condition", "DocumentReference", "Encounter", "MedicationRequest", "QuestionnaireResponse"]
        {
            all.push(resource(dice, kind, at));
        }
    }
    for at in 0..12 {
        all.push(resource(dice, "Patient", at));
        all.push(resource(dice, "Coverage", at));
    }
    all
}

fn concept(dice: &mut Dice) -> Value {
    let coding = |dice: &mut Dice| coded(*dice.pick(CODES));
    let codings: Vec<Value> = (0..=dice.below(2)).map(|_| coding(dice)).collect();
    json!({ "coding": codings })
}

fn coded((system, code): (&str, &str)) -> Value {
    json!({ "system": system, "code": code })
}

fn refer(dice: &mut Dice, from: &[&'static str]) -> Value {
    json!({ "reference": dice.word(from) })
}

pub(crate) fn resource(dice: &mut Dice, kind: &str, at: usize) -> Value {
    let mut own = Map::new();
    let mut set = |name: &str, value: Value| _ = own.insert(name.to_owned(), value);
    set("resourceType", kind.into());
    set("id", at.to_string().into());
    let mut meta = Map::new();
    if dice.chance(60) {
        let labels = [
            (CONFIDENTIALITY, "N"),
            (CONFIDENTIALITY, "R"),
            (CONFIDENTIALITY, "V"),
            (CONFIDENTIALITY, "L"),
            (CONFIDENTIALITY, "X"),
            (ACT_CODE, "ETHUD"),
            (ACT_CODE, "PSY"),
            (ACT_CODE, "SUD"),
            (SNOMED, "1"),
        ];
        let labels: Vec<Value> = (0..=dice.below(2)).map(|_| coded(*dice.pick(&labels))).collect();
        meta.insert("security".into(), labels.into());
    }
    if dice.chance(40) {
        let profiles = [
            "http://hl7.org/fhir/StructureDefinition/bp",
            "http://example.org/StructureDefinition/x",
            "http://example.org/y",
        ];
        meta.insert("profile".into(), json!([dice.word(&profiles)]));
    }
    if !meta.is_empty() {
        set("meta", meta.into());
    }
    let period = |dice: &mut Dice| match dice.below(3) {
        0 => json!({ "start": dice.word(DATES) }),
        1 => json!({ "start": "2022-01-01", "end": dice.word(DATES) }),
        _ => json!({ "end": dice.word(DATES) }),
    };
    let encounters = ["Encounter/e1", "Encounter/1", "Encounter/2"];
    let subject = json!({ "reference": "Patient/pat" });
    match kind {
        "Observation" => {
            set("subject", subject);
            set("code", concept(dice));
            if dice.chance(30) {
                set("valueCodeableConcept", concept(dice));
            }
            if dice.chance(30) {
                set("component", json!([{ "code": concept(dice) }]));
            }
            if dice.chance(20) {
                set("interpretation", json!([concept(dice)]));
            }
            if dice.chance(10) {
                set("valueQuantity", json!({ "value": 1, "system": "http://unitsofmeasure.org", "code": "1" }));
            }
            match dice.below(3) {
                0 => set("effectiveDateTime", dice.word(DATES).into()),
                1 => set("effectivePeriod", period(dice)),
                _ => {}
            }
            if dice.chance(50) {
                set("performer", json!([refer(dice, AUTHORS)]));
            }
            if dice.chance(50) {
                set("encounter", refer(dice, &encounters));
            }
        }
        "Condition" => {
            set("subject", subject);
            set("code", concept(dice));
            match dice.below(4) {
                0 => set("onsetDateTime", dice.word(DATES).into()),
                1 => set("onsetPeriod", period(dice)),
                2 => set("onsetString", "long ago".into()),
                _ => {}
            }
            if dice.chance(50) {
                set("recordedDate", dice.word(DATES).into());
            }
            if dice.chance(50) {
                set("asserter", refer(dice, AUTHORS));
            }
            if dice.chance(40) {
                set("encounter", refer(dice, &encounters));
            }
        }
        "DocumentReference" => {
            set("subject", subject);
            set("type", concept(dice));
            if dice.chance(40) {
                set("category", json!([concept(dice)]));
            }
            if dice.chance(30) {
                set(
                    "securityLabel",
                    json!([{ "coding": [coded(*dice.pick(&[(CONFIDENTIALITY, "R"), (ACT_CODE, "PSY")]))] }]),
                );
            }
            let media = dice.word(&["application/pdf", "application/hl7-cda+xml"]);
            set("content", json!([{ "attachment": { "contentType": media }, "format": coded(*dice.pick(CODES)) }]));
            let mut context = Map::new();
            if dice.chance(30) {
                context.insert("period".into(), period(dice));
            }
            if dice.chance(40) {
                context.insert("encounter".into(), json!([refer(dice, &encounters)]));
            }
            if !context.is_empty() {
                set("context", context.into());
            }
            if dice.chance(50) {
                set("date", format!("{}T00:00:00Z", "2022-06-01").replace("T00:00:00Z", "").into());
            }
            if dice.chance(40) {
                set("author", json!([refer(dice, AUTHORS)]));
            }
            if dice.chance(20) {
                set("authenticator", refer(dice, AUTHORS));
            }
        }
        "Encounter" => {
            set("subject", subject);
            set("class", coded((ACT_CODE, "AMB")));
            set("type", json!([concept(dice)]));
            if dice.chance(60) {
                set("period", period(dice));
            }
            if dice.chance(50) {
                set("participant", json!([{ "individual": refer(dice, AUTHORS) }]));
            }
            if dice.chance(30) {
                set("diagnosis", json!([{ "condition": refer(dice, &["Condition/1", "Condition/2"]) }]));
            }
        }
        "MedicationRequest" => {
            set("subject", subject);
            set("medicationCodeableConcept", concept(dice));
            if dice.chance(30) {
                set("reasonCode", json!([concept(dice)]));
            }
            if dice.chance(60) {
                set("authoredOn", dice.word(DATES).into());
            }
            if dice.chance(50) {
                set("requester", refer(dice, AUTHORS));
            }
            if dice.chance(30) {
                set("encounter", refer(dice, &encounters));
            }
        }
        "QuestionnaireResponse" => {
            set("subject", subject);
            if dice.chance(60) {
                set("authored", dice.word(DATES).into());
            }
            if dice.chance(50) {
                set("author", refer(dice, AUTHORS));
            }
            if dice.chance(30) {
                set("source", refer(dice, AUTHORS));
            }
            if dice.chance(50) {
                let answer = json!({ "linkId": "a", "answer": [{ "valueCoding": coded(*dice.pick(CODES)) }] });
                let within = json!({ "linkId": "b", "answer": [{ "valueString": "x", "item": [answer.clone()] }] });
                set(
                    "item",
                    if dice.chance(50) { json!([answer]) } else { json!([{ "linkId": "c", "item": [within] }]) },
                );
            }
        }
        "Coverage" => {
            set("beneficiary", subject);
            set("type", concept(dice));
            if dice.chance(60) {
                set("period", period(dice));
            }
        }
        _ => {}
    }
    own.into()
}

/// Up to four Consents of one patient.
pub(crate) fn consents(dice: &mut Dice) -> Vec<Value> {
    let count = *dice.pick(&[0, 1, 1, 1, 2, 2, 3, 4]);
    (0..count).map(|_| consent(dice)).collect()
}

fn consent(dice: &mut Dice) -> Value {
    const POLICIES: &[&str] = &[
        "http://example.org/policy",
        "http://example.org/policy",
        "https://profiles.ihe.net/ITI/PCF/Policy-basic-normal",
        "https://profiles.ihe.net/ITI/PCF/Policy-all-normal",
        "https://profiles.ihe.net/ITI/PCF/Policy-break-glass-only",
        "https://profiles.ihe.net/ITI/PCF/Policy-deny",
    ];
    let mut own = Map::new();
    let mut set = |name: &str, value: Value| _ = own.insert(name.to_owned(), value);
    let concept = |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
    set("resourceType", "Consent".into());
    set("status", if dice.chance(95) { "active".into() } else { dice.word(&["draft", "inactive", "rejected"]).into() });
    set(
        "scope",
        match dice.below(40) {
            0 => concept(SCOPE, "research"),
            3 => concept(SCOPE, "privacy"),
            1 => json!({ "text": "privacy" }),
            2 => concept("http://example.org/scopes", "patient-privacy"),
            _ => concept(SCOPE, "patient-privacy"),
        },
    );
    set(
        "category",
        json!([match dice.below(6) {
            0 => concept(ACT_CODE, "OPTOUT"),
            1 => concept("http://terminology.hl7.org/CodeSystem/consentcategorycodes", "emrgonly"),
            _ => concept(LOINC, "59284-0"),
        }]),
    );
    if dice.chance(80) {
        set("dateTime", dice.word(&["2022", "2022-03-01", "2023-05", "2023-05-02", "2024"]).into());
    }
    if dice.chance(60) {
        set("policy", json!([{ "uri": dice.word(POLICIES) }]));
    }
    if dice.chance(25) {
        set("policyRule", concept(ACT_CODE, dice.word(&["OPTIN", "OPTOUT", "ELSE"])));
    }
    if dice.chance(5) {
        set("verification", json!([{ "verified": dice.chance(50) }]));
    }
    if dice.chance(3) {
        set("modifierExtension", json!([{ "url": "http://example.org/m", "valueBoolean": true }]));
    }
    if dice.chance(92) {
        set("provision", provision(dice, 0));
    }
    own.into()
}

fn provision(dice: &mut Dice, depth: usize) -> Value {
    let mut own = Map::new();
    let mut set = |name: &str, value: Value| _ = own.insert(name.to_owned(), value);
    match dice.below(20) {
        0 if depth > 0 => {}
        1 => set("type", "maybe".into()),
        0..=4 if depth == 0 => {}
        0..=12 => set("type", "permit".into()),
        _ => set("type", "deny".into()),
    }
    if dice.chance(12) {
        let period = match dice.below(5) {
            0 => json!({ "end": "2023" }),
            1 => json!({ "start": "soon" }),
            2 => json!({ "start": "2025" }),
            _ => json!({ "start": "2022", "end": "2026" }),
        };
        set("period", period);
    }
    if dice.chance(35) {
        set("actor", some(dice, 2, actor));
    }
    if dice.chance(15) {
        let action = |dice: &mut Dice| {
            let action = dice.word(&["collect", "access", "use", "disclose", "correct", "look"]);
            json!({ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": action }] })
        };
        set("action", some(dice, 2, action));
    }
    if dice.chance(25) {
        let label = |dice: &mut Dice| {
            let labels = [
                (CONFIDENTIALITY, "N"),
                (CONFIDENTIALITY, "R"),
                (CONFIDENTIALITY, "V"),
                (CONFIDENTIALITY, "U"),
                (CONFIDENTIALITY, "?"),
                (ACT_CODE, "SUD"),
                (ACT_CODE, "PSY"),
                (ACT_CODE, "ETHUD"),
                (SNOMED, "1"),
            ];
            coded(*dice.pick(&labels))
        };
        set("securityLabel", some(dice, 2, label));
    }
    if dice.chance(30) {
        let purpose = |dice: &mut Dice| match dice.below(14) {
            0 => json!({ "system": REASON, "code": "NOSUCH" }),
            1 => json!({ "code": "TREAT" }),
            _ => json!({ "system": REASON, "code": dice.pick(PURPOSES).0 }),
        };
        set("purpose", some(dice, 3, purpose));
    }
    if dice.chance(25) {
        let class = |dice: &mut Dice| {
            let types =
                ["Observation", "Condition", "DocumentReference", "Patient", "Resource", "NoSuchType", "Encounter"];
            match dice.below(8) {
                0 => coded(("urn:ietf:rfc:3986", "http://hl7.org/fhir/StructureDefinition/bp")),
                1 => coded(("urn:ietf:rfc:3986", "http://example.org/StructureDefinition/x")),
                2 => coded(("urn:ietf:bcp:13", "application/hl7-cda+xml")),
                3 => coded(*dice.pick(CODES)),
                _ => json!({ "system": "http://hl7.org/fhir/resource-types", "code": dice.word(&types) }),
            }
        };
        set("class", some(dice, 2, class));
    }
    if dice.chance(20) {
        let code = |dice: &mut Dice| if dice.chance(8) { json!({ "text": "anything" }) } else { concept(dice) };
        set("code", some(dice, 2, code));
    }
    if dice.chance(20) {
        let period = match dice.below(6) {
            0 => json!({ "start": "2023", "end": "2022" }),
            1 => json!({ "end": "2022-12" }),
            2 => json!({ "start": "2023" }),
            _ => json!({ "start": "2022", "end": "2023" }),
        };
        set("dataPeriod", period);
    }
    if dice.chance(20) {
        set("data", some(dice, 2, data));
    }
    if dice.chance(2) {
        set("modifierExtension", json!([{ "url": "http://example.org/m", "valueBoolean": true }]));
    }
    if depth < 9 && dice.chance(if depth == 0 { 60 } else { 30 }) {
        set("provision", some(dice, 3, |dice| provision(dice, depth + 1)));
    } else if depth == 0 && dice.chance(1) {
        set(
            "provision",
            json!([
                (0..9).fold(json!({ "type": "permit" }), |below, _| json!({ "type": "permit", "provision": [below] }))
            ]),
        );
    }
    own.into()
}

fn some(dice: &mut Dice, most: usize, mut one: impl FnMut(&mut Dice) -> Value) -> Value {
    let count = 1 + dice.below(most);
    if dice.chance(1) {
        return json!([]);
    }
    (0..count).map(|_| one(dice)).collect::<Vec<_>>().into()
}

fn actor(dice: &mut Dice) -> Value {
    let who = [
        "Practitioner/p1",
        "Practitioner/p2",
        "PractitionerRole/r1",
        "PractitionerRole/r2",
        "PractitionerRole/r3",
        "Organization/o0",
        "Organization/o1",
        "Organization/o2",
        "Organization/o3",
        "CareTeam/t1",
        "CareTeam/t2",
        "CareTeam/t3",
        "Group/g1",
        "Group/g2",
        "Group/g3",
        "RelatedPerson/rp1",
        "RelatedPerson/rp2",
        "Patient/other",
        "Device/d1",
        "Practitioner/p3",
        "PractitionerRole/r5",
        "Organization/o4",
        "RelatedPerson/rp3",
        "Practitioner/gone",
    ];
    let reference = match dice.below(20) {
        0 => json!({ "display": "my doctor" }),
        1 => json!({ "reference": "https://elsewhere.example/Practitioner/p1" }),
        _ => refer(dice, &who),
    };
    let role = dice.word(&["IRCP", "IRCP", "PRCP", "IRCP", "CST", "AUT"]);
    let system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
    json!({ "role": { "coding": [{ "system": system, "code": role }] }, "reference": reference })
}

fn data(dice: &mut Dice) -> Value {
    let meaning = dice.word(&["instance", "related", "dependents", "authoredby", "authoredby"]);
    let reference = match (meaning, dice.below(16)) {
        (_, 0) => json!({ "identifier": { "value": "1" } }),
        ("authoredby", _) => refer(dice, AUTHORS),
        ("instance", 1) => json!({ "reference": "Observation/1/_history/2" }),
        ("instance", _) => {
            refer(dice, &["Observation/1", "Condition/2", "Encounter/1", "Patient/1", "DocumentReference/3"])
        }
        _ => refer(dice, &["Encounter/e1", "Encounter/1", "Encounter/2", "Condition/2", "Patient/pat"]),
    };
    json!({ "meaning": meaning, "reference": reference })
}
