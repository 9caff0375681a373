//! Consents, read and evaluated, case by case: who sees what of one small record. Rows G1 to G8, G11, G16.
//!
//! `pcf` holds cases with the meaning of IHE PCF's examples, `r4` those of R4's own, both written for this record. Random
//! cases against a decider of another making: `testkit::reference`.

mod pcf;
mod r4;
mod reading;
mod ruling;

use super::*;
use crate::{Identity, world::World};
use fhir::{Instant, LogicalId, ResourceType, json::Tree, primitive::date_time::DateTime};
use oauth::udap::purpose::Purpose;
use search::matcher::Related;
use std::sync::Arc;

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The people, and a record: what each resource is stands in its id.
const RESOURCES: &[&str] = &[
    r#"{"resourceType":"Patient","id":"jack"}"#,
    r#"{"resourceType":"Practitioner","id":"alice"}"#,
    r#"{"resourceType":"Practitioner","id":"bob"}"#,
    r#"{"resourceType":"Practitioner","id":"carol"}"#,
    r#"{"resourceType":"Organization","id":"clinic"}"#,
    r#"{"resourceType":"Organization","id":"ward","partOf":{"reference":"Organization/clinic"}}"#,
    r#"{"resourceType":"Organization","id":"payer"}"#,
    r#"{"resourceType":"PractitionerRole","id":"bobs","practitioner":{"reference":"Practitioner/bob"},
        "organization":{"reference":"Organization/ward"}}"#,
    r#"{"resourceType":"Group","id":"glass","type":"practitioner","actual":true,
        "member":[{"entity":{"reference":"Practitioner/carol"}}]}"#,
    r#"{"resourceType":"RelatedPerson","id":"ann","patient":{"reference":"Patient/jack"}}"#,
    r#"{"resourceType":"Encounter","id":"stay","status":"finished","class":{"code":"IMP"},
        "subject":{"reference":"Patient/jack"},"period":{"start":"2022-03-01","end":"2022-03-05"},
        "participant":[{"individual":{"reference":"Practitioner/bob"}}]}"#,
    r#"{"resourceType":"Observation","id":"weight","status":"final","code":{"coding":[{"system":"http://loinc.org",
        "code":"29463-7"}]},"subject":{"reference":"Patient/jack"},"encounter":{"reference":"Encounter/stay"},
        "effectiveDateTime":"2022-03-02","performer":[{"reference":"Practitioner/alice"}]}"#,
    r#"{"resourceType":"Observation","id":"lab","status":"final","code":{"coding":[{"system":"http://loinc.org",
        "code":"2345-7"}]},"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",
        "code":"laboratory"}]}],"subject":{"reference":"Patient/jack"},"effectiveDateTime":"2021-05-01",
        "performer":[{"reference":"Practitioner/bob"}]}"#,
    r#"{"resourceType":"Observation","id":"alcohol","status":"final","meta":{"security":[{"system":
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"},{"system":
        "http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"ETHUD"}]},"code":{"text":"drinks"},
        "subject":{"reference":"Patient/jack"},"effectiveDateTime":"2022-03-03",
        "performer":[{"reference":"Practitioner/bob"}]}"#,
    r#"{"resourceType":"Observation","id":"mood","status":"final","meta":{"security":[{"system":
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"},{"system":
        "http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},"code":{"text":"mood"},
        "subject":{"reference":"Patient/jack"},"effectiveDateTime":"2023-03-03",
        "performer":[{"reference":"Practitioner/bob"}]}"#,
    r#"{"resourceType":"Observation","id":"violence","status":"final","meta":{"security":[{"system":
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"},{"system":
        "http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"SDV"}]},"code":{"text":"violence"},
        "subject":{"reference":"Patient/jack"},"effectiveDateTime":"2023-04-03",
        "performer":[{"reference":"Practitioner/bob"}]}"#,
];

/// The record, in the order in which tests name what is seen.
const RECORD: &[(&str, &str)] = &[
    ("Patient", "jack"),
    ("Encounter", "stay"),
    ("Observation", "weight"),
    ("Observation", "lab"),
    ("Observation", "alcohol"),
    ("Observation", "mood"),
    ("Observation", "violence"),
];

/// All of it.
const ALL: &str = "jack stay weight lab alcohol mood violence";

/// Its unlabelled part.
const NORMAL: &str = "jack stay weight lab";

struct Room {
    world: World<'static>,
    settings: Settings,
}

/// Who asks in a test.
#[derive(Clone, Copy)]
struct Who(Asking, &'static [&'static str], &'static [&'static str]);

const ALICE: Who = Who(Asking::Clinician, &["Practitioner/alice"], &["TREAT"]);
const BOB: Who = Who(Asking::Clinician, &["Practitioner/bob"], &["TREAT"]);
const CAROL: Who = Who(Asking::Clinician, &["Practitioner/carol"], &["TREAT"]);
const CAROL_BREAKS: Who = Who(Asking::Clinician, &["Practitioner/carol"], &["BTG"]);
const BOB_BREAKS: Who = Who(Asking::Clinician, &["Practitioner/bob"], &["BTG"]);
const ANN: Who = Who(Asking::Person, &["RelatedPerson/ann"], &["FAMRQT"]);
const CLINIC: Who = Who(Asking::Organization, &["Organization/clinic"], &["TREAT"]);
const PAYER: Who = Who(Asking::Organization, &["Organization/payer"], &["HPAYMT"]);
const RESEARCH: Who = Who(Asking::System, &[], &["CLINTRCH"]);

impl Room {
    /// Of a facility whose default this is.
    fn new(default: Implicit) -> Self {
        let mut world = World::new(search::registry::registry(), instant("2024-06-15"));
        for text in RESOURCES {
            world.add(&Tree::parse(text.as_bytes().to_vec()).unwrap()).unwrap();
        }
        Self { world, settings: Settings { default, ..Settings::default() } }
    }

    fn view(&self, who: Who) -> Arc<View> {
        let purposes: Vec<Purpose> = who.2.iter().map(|code| Purpose::parse(code).unwrap()).collect();
        let registry = search::registry::registry();
        Arc::new(View::new(who.0, Identity::new(who.1), &purposes, self.settings, registry))
    }

    fn ids(&self, who: Who, consents: &[String], ruling: impl Fn(&Arc<View>, ResourceType) -> Ruling) -> String {
        let (view, said) = (self.view(who), read(consents));
        let seen = RECORD.iter().filter(|(kind, id)| {
            let (kind, id) = (ResourceType::parse(kind).unwrap(), LogicalId::parse(id).unwrap());
            let rule = ruling(&view, kind).of(&patient(), Some(&said), &self.world);
            self.world.target_matches(kind, &id, &rule)
        });
        seen.map(|(_, id)| *id).collect::<Vec<_>>().join(" ")
    }

    /// What is left to them of the record.
    fn sees(&self, who: Who, consents: &[String]) -> String {
        self.ids(who, consents, Ruling::guard)
    }

    /// What is given to them of the record, because they are named.
    fn is_given(&self, who: Who, consents: &[String]) -> String {
        self.ids(who, consents, Ruling::gives)
    }
}

fn instant(date: &str) -> Instant {
    Instant::from_unix_millis(DateTime::parse(date).unwrap().low)
}

fn patient() -> LogicalId {
    LogicalId::parse("jack").unwrap()
}

fn read(consents: &[String]) -> Directives {
    let ids: Vec<String> = (0..consents.len()).map(|at| format!("c{at}")).collect();
    let source = |(id, text)| ConsentSource { id, version: 1, json: str::as_bytes(text) };
    let sources: Vec<ConsentSource<'_>> =
        ids.iter().map(String::as_str).zip(consents.iter().map(String::as_str)).map(source).collect();
    Directives::read(&sources)
}

/// An active privacy Consent of 2022 with these further members.
fn consent(members: &str) -> String {
    dated("2022-06-13", members)
}

fn dated(date: &str, members: &str) -> String {
    format!(
        r#"{{"resourceType":"Consent","status":"active","scope":{{"coding":[{{"system":
        "http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},
        "category":[{{"coding":[{{"system":"http://loinc.org","code":"59284-0"}}]}}],
        "patient":{{"reference":"Patient/jack"}},"dateTime":"{date}"{}{members}}}"#,
        if members.is_empty() { "" } else { "," },
    )
}

fn permit(members: &str) -> String {
    format!(r#"{{"type":"permit"{}{members}}}"#, if members.is_empty() { "" } else { "," })
}

fn deny(members: &str) -> String {
    format!(r#"{{"type":"deny"{}{members}}}"#, if members.is_empty() { "" } else { "," })
}

fn codings(name: &str, system: &str, codes: &[&str]) -> String {
    let codes: Vec<String> = codes.iter().map(|code| format!(r#"{{"system":"{system}","code":"{code}"}}"#)).collect();
    format!(r#""{name}":[{}]"#, codes.join(","))
}

fn purposes(codes: &[&str]) -> String {
    codings("purpose", "http://terminology.hl7.org/CodeSystem/v3-ActReason", codes)
}

fn level(code: &str) -> String {
    codings("securityLabel", CONFIDENTIALITY, &[code])
}

fn labels(codes: &[&str]) -> String {
    codings("securityLabel", ACT_CODE, codes)
}

fn actors(references: &[&str]) -> String {
    let actor = |reference: &&str| {
        format!(
            r#"{{"role":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
            "code":"IRCP"}}]}},"reference":{{"reference":"{reference}"}}}}"#
        )
    };
    format!(r#""actor":[{}]"#, references.iter().map(actor).collect::<Vec<_>>().join(","))
}

fn data(meaning: &str, references: &[&str]) -> String {
    let data = |reference: &&str| format!(r#"{{"meaning":"{meaning}","reference":{{"reference":"{reference}"}}}}"#);
    format!(r#""data":[{}]"#, references.iter().map(data).collect::<Vec<_>>().join(","))
}

fn below(provisions: &[String]) -> String {
    format!(r#""provision":[{}]"#, provisions.join(","))
}

fn all_of(members: &[String]) -> String {
    members.join(",")
}

fn provision(provision: &str) -> String {
    format!(r#""provision":{provision}"#)
}

fn rule(code: &str) -> String {
    format!(r#""policyRule":{{"coding":[{{"system":"{ACT_CODE}","code":"{code}"}}]}}"#)
}

fn uri(policy: &str) -> String {
    format!(r#""policy":[{{"uri":"{policy}"}}]"#)
}
