//! G18: the parts of a decision are what it is made of, for callers of every kind, with consents, labels and rules.

use super::*;
use crate::{consent, label::Labels, rules::Rules, world::World};
use fhir::{Instant, json::Tree};
use search::registry;

const NOW: Instant = Instant::from_unix_millis(1_800_000_000_000);

const RESOURCES: &[&str] = &[
    r#"{"resourceType":"Patient","id":"anna","generalPractitioner":[{"reference":"Practitioner/gp"}]}"#,
    r#"{"resourceType":"Patient","id":"bo"}"#,
    r#"{"resourceType":"Practitioner","id":"gp"}"#,
    r#"{"resourceType":"Observation","id":"a1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/anna"}}"#,
    r#"{"resourceType":"Observation","id":"a2","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/anna"},
        "meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]}}"#,
    r#"{"resourceType":"Observation","id":"b1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/bo"}}"#,
    r#"{"resourceType":"CareTeam","id":"t","status":"active","subject":{"reference":"Patient/bo"},
        "participant":[{"member":{"reference":"Practitioner/gp"}}]}"#,
    r#"{"resourceType":"Consent","id":"c","status":"active","patient":{"reference":"Patient/bo"},
        "scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
        "category":[{"coding":[{"code":"59284-0"}]}],"dateTime":"2026-01-01",
        "policyRule":{"coding":[{"code":"OPTIN"}]},
        "provision":{"type":"permit","provision":[{"type":"deny","actor":[{"role":{"coding":[{"code":"PRCP"}]},"reference":{"reference":"Practitioner/gp"}}]}]}}"#,
];

const RULES: &str = "
deny \"No b1\"
    who      role clinician
    may not  see
    what     Observation?_id=b1
allow \"Partners see anna\"
    who   any organization
    may   see
    what  record of Patient?_id=anna
limit \"The lab sees observations\"
    who       client lab
    may only  see
    what      Observation
";

const CALLERS: &[&str] = &[
    "role clinician, user Practitioner/gp",
    "role clinician, user Practitioner/other",
    "role clinician, user Practitioner/gp, scope user/Observation.rs?code=x user/Patient.r",
    "role clinician, user Practitioner/gp, patient anna, scope patient/*.rs",
    "role patient, patients anna",
    "role patient, patients bo, patient bo, scope patient/Observation.rs",
    "role caregiver, patients anna bo",
    "role privacy-officer",
    "role administrator",
    "client lab",
    "client lab, custodian",
    "client ehr, custodian, scope system/Observation.crs",
    "organization https://o.example Organization/o, purpose TREAT",
    "organization https://o.example, purpose HRESCH",
    // Who comes by a certificate is narrowed as a person, too: their own resource counts for nothing then.
    "role patient, patients anna, user Patient/anna, organization https://o.example, purpose SYSDEV",
    "role patient, patients bo, user Patient/bo, organization https://o.example Organization/o, purpose TREAT",
];

fn houses() -> Vec<House> {
    let rules = Arc::new(Rules::read(RULES, registry()).unwrap());
    let plain = House::default();
    let full = House {
        rules,
        labels: Arc::new(Labels::standard()),
        consents: Some(consent::Settings::default()),
        ..House::default()
    };
    vec![plain, full]
}

#[test]
fn the_parts_of_a_decision_are_the_decision() {
    let mut world = World::new(registry(), NOW);
    let mut all = Vec::new();
    for json in RESOURCES {
        let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
        let kind = ResourceType::parse(&tree.resource_type().unwrap()).unwrap();
        let id = LogicalId::parse(&tree.root().get("id").unwrap().as_str().unwrap()).unwrap();
        world.add(&tree).unwrap();
        all.push((kind, id));
    }
    let (mut yes, mut no) = (0, 0);
    for house in houses() {
        for described in CALLERS {
            let caller = crate::rules::caller(described).unwrap();
            let grants = Grants::compile(&caller, registry(), &house);
            for (kind, id) in &all {
                for need in [Need::Read, Need::Search, Need::Create, Need::Update, Need::Delete] {
                    let decision = Decision { caller: &caller, registry: registry(), house: &house, need, whole: true };
                    let trace = world.look(*kind, id, |looked| of(decision, &grants, looked)).unwrap();
                    assert!(trace.adds_up, "{described}: {need:?} {kind}/{id}: {trace:#?}");
                    if trace.may { yes += 1 } else { no += 1 }
                }
            }
        }
    }
    assert!(yes > 100 && no > 100, "{yes} {no}");
}

/// Each kind of part names what it is.
#[test]
fn what_counts_is_named() {
    let mut world = World::new(registry(), NOW);
    for json in RESOURCES {
        world.add(&Tree::parse(json.as_bytes().to_vec()).unwrap()).unwrap();
    }
    let house = houses().pop().unwrap();
    let explain = |described: &str, kind: &str, id: &str| {
        let caller = crate::rules::caller(described).unwrap();
        let decision = Decision { caller: &caller, registry: registry(), house: &house, need: Need::Read, whole: true };
        let kind = ResourceType::parse(kind).unwrap();
        world.look(kind, &LogicalId::parse(id).unwrap(), |looked| account(decision, looked)).unwrap()
    };
    let has = |trace: &Trace, source: Source, effect: Effect, name: &str| {
        let found =
            trace.parts.iter().any(|part| part.source == source && part.effect == effect && part.name.contains(name));
        assert!(found, "{source:?} {effect:?} {name}: {trace:#?}");
    };
    let gp = "role clinician, user Practitioner/gp";
    let seen = explain(gp, "Observation", "a1");
    assert!(seen.may);
    has(&seen, Source::Scope, Effect::Gives, "user/*.cruds");
    has(&seen, Source::Reach, Effect::Gives, "role clinician");
    has(&seen, Source::Rule, Effect::Lets, "No b1");
    has(&seen, Source::Label, Effect::Lets, "security labels");
    let denied = explain(gp, "Observation", "b1");
    assert!(!denied.may);
    has(&denied, Source::Rule, Effect::Withholds, "No b1");
    has(&denied, Source::Consent, Effect::Withholds, "Consent/c version 1");
    let labelled = explain(gp, "Observation", "a2");
    has(&labelled, Source::Label, Effect::Withholds, "security labels");
    assert!(labelled.parts.iter().any(|part| part.why.contains("v3-Confidentiality|V")), "{labelled:#?}");
    let stranger = explain("role clinician, user Practitioner/other", "Observation", "a1");
    assert!(!stranger.may);
    has(&stranger, Source::Reach, Effect::GivesNot, "role clinician");
    let limited = explain("client lab, custodian", "Patient", "anna");
    has(&limited, Source::Rule, Effect::Withholds, "The lab sees observations");
    let added = explain("organization https://o.example, purpose HRESCH", "Patient", "anna");
    has(&added, Source::Rule, Effect::Gives, "Partners see anna");
}

/// What is about several patients tells none of them what the others said.
#[test]
fn consents_of_others_are_not_told() {
    let mut world = World::new(registry(), NOW);
    let together = r#"{"resourceType":"Appointment","id":"both","status":"booked","participant":[
        {"actor":{"reference":"Patient/anna"},"status":"accepted"},{"actor":{"reference":"Patient/bo"},"status":"accepted"}]}"#;
    for json in RESOURCES.iter().chain([&together]) {
        world.add(&Tree::parse(json.as_bytes().to_vec()).unwrap()).unwrap();
    }
    let house = houses().pop().unwrap();
    let (kind, id) = (ResourceType::parse("Appointment").unwrap(), LogicalId::parse("both").unwrap());
    let told = |described: &str, whole: bool| {
        let caller = crate::rules::caller(described).unwrap();
        let decision = Decision { caller: &caller, registry: registry(), house: &house, need: Need::Read, whole };
        let trace = world.look(kind, &id, |looked| account(decision, looked)).unwrap();
        assert!(trace.adds_up, "{trace:#?}");
        trace.parts.iter().any(|part| part.name.contains("Consent/c"))
    };
    assert!(told("role patient, patients anna", true) && !told("role patient, patients anna", false));
    assert!(!told("role patient, patients bo", false), "one's own record is not asked for one's own consents");
}
