//! Whom consents bind, and what they withhold. What they give, with Consents in a store: `rest` `it::consents`.

use super::*;
use crate::{
    Grants,
    consent::{Implicit, Settings},
    testing,
    world::World,
};
use fhir::{Instant, json::Tree};
use oauth::caller::Role;
use search::matcher::{Related, Subject, matches};

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

/// Where consents count, and where none speaks this holds.
fn house(default: Implicit) -> House {
    let consents = Some(Settings { default, ..Settings::default() });
    House { consents, ..House::default() }
}

fn access(caller: &Caller, house: &House, name: &str, need: Need) -> Access {
    Grants::compile(caller, search::registry(), house).access(kind(name), need).clone()
}

/// Row G4: everybody but the operator, the facility's own system, and who sees no patient's data.
#[test]
fn g4_whom_consents_bind() {
    let house = house(Implicit::Deny);
    let is_bound = |caller: &Caller| bound(caller, &house, search::registry()).is_some();
    let registered = |is_custodian| testing::system(is_custodian, "system/*.cruds");
    assert!(!is_bound(&Caller::operator("test")) && !is_bound(&registered(true)));
    assert!(is_bound(&registered(false)));
    for role in Role::ALL {
        let sees = !matches!(role, Role::PrivacyOfficer | Role::Administrator);
        assert_eq!(is_bound(&testing::of_role(role, "user/*.cruds")), sees, "{role:?}");
    }
    assert!(bound(&registered(false), &House::default(), search::registry()).is_none());
    // Nobody is ruled by nothing: the operator alone.
    assert_eq!(access(&Caller::operator("test"), &house, "Observation", Need::Read), Access::Everything);
    assert_eq!(access(&registered(true), &house, "Observation", Need::Read), Access::Everything);
}

/// Row F7, G4: to write down what one may not read back is no reading; to change it is.
#[test]
fn consents_bind_what_must_be_seen() {
    let (caller, house) = (testing::system(false, "system/*.cruds"), house(Implicit::AllNormal));
    let of = |name, need| access(&caller, &house, name, need);
    for need in [Need::Read, Need::Search, Need::Update, Need::Delete] {
        assert!(matches!(of("Observation", need), Access::Where(_)), "{need:?}");
        assert_eq!(of("Organization", need), Access::Everything);
    }
    assert_eq!(of("Observation", Need::Create), Access::Everything);
}

/// Row F1: whatever R4 ties to a patient is guarded; what is left out is named.
#[test]
fn every_type_about_a_patient_is_guarded() {
    let (caller, house) = (testing::system(false, "system/*.cruds"), house(Implicit::AllNormal));
    for kind in ResourceType::all() {
        let ties = !search::registry().patient_compartment(kind).is_empty();
        let also = ["Patient", "Device", "Provenance", "AuditEvent", "Person", "Group"].contains(&kind.name());
        let is_guarded = matches!(access(&caller, &house, kind.name(), Need::Read), Access::Where(_));
        assert_eq!(is_guarded, ties || also, "{}", kind.name());
    }
}

struct Tried<'a> {
    world: World<'a>,
    caller: Caller,
    house: House,
}

impl Tried<'_> {
    /// Whether a caller sees a resource.
    fn sees(&self, json: &str) -> bool {
        let registry = search::registry();
        let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
        let element = fhir::element::Element::resource(&tree, registry.schema()).unwrap();
        let kind = kind(element.definition.name);
        let id = fhir::LogicalId::parse(&tree.root().get("id").unwrap().as_str().unwrap()).unwrap();
        let values = search::extract(registry, element, "https://world.invalid/fhir");
        let subject =
            Subject { resource_type: kind, id: &id, last_updated: Instant::from_unix_millis(0), values: &values };
        match access(&self.caller, &self.house, kind.name(), Need::Read) {
            Access::Everything => true,
            Access::Nothing => false,
            Access::Where(predicate) => matches(registry, &predicate, subject, &self.world),
        }
    }
}

/// With everything about patients withheld: what is it that is about one?
#[test]
fn what_is_withheld_is_what_is_about_a_patient() {
    let mut world = World::new(search::registry(), Instant::from_unix_millis(0));
    for json in [
        r#"{"resourceType":"Patient","id":"p"}"#,
        r#"{"resourceType":"Observation","id":"of-p","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#,
        r#"{"resourceType":"Observation","id":"of-nobody","status":"final","code":{"text":"x"}}"#,
    ] {
        world.add(&Tree::parse(json.as_bytes().to_vec()).unwrap()).unwrap();
    }
    let (caller, house) = (testing::system(false, "system/*.cruds"), house(Implicit::Deny));
    let tried = Tried { world, caller, house };
    let of = |json: &str| tried.sees(json);
    assert!(!of(r#"{"resourceType":"Patient","id":"p"}"#));
    assert!(!of(r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/p"}}"#));
    assert!(of(r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Group/g"}}"#));
    // Who measured it is not whom it is about.
    assert!(of(
        r#"{"resourceType":"Observation","id":"o","subject":{"reference":"Group/g"},"performer":[{"reference":"Patient/p"}]}"#
    ));
    let message =
        |parts: &str| of(&format!(r#"{{"resourceType":"Communication","id":"c","status":"completed"{parts}}}"#));
    assert!(message(""));
    assert!(!message(r#","subject":{"reference":"Patient/p"}"#));
    assert!(!message(r#","recipient":[{"reference":"Patient/p"}]"#));
    assert!(message(r#","subject":{"reference":"Group/g"},"recipient":[{"reference":"Patient/p"}]"#));
    let provenance = |target: &str| {
        of(&format!(
            r#"{{"resourceType":"Provenance","id":"v","target":[{{"reference":"Organization/1"}},{{"reference":"{target}"}}],"recorded":"2026-01-01T00:00:00Z","agent":[{{"who":{{"display":"x"}}}}]}}"#
        ))
    };
    assert!(!provenance("Patient/p") && !provenance("Observation/of-p"));
    assert!(provenance("Observation/of-nobody") && provenance("Organization/2"));
    assert!(!of(
        r#"{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p"}}]}"#
    ));
    assert!(of(r#"{"resourceType":"Group","id":"g","type":"person","actual":true}"#));
    assert!(!of(r#"{"resourceType":"Person","id":"x","link":[{"target":{"reference":"Patient/p"}}]}"#));
    assert!(!of(r#"{"resourceType":"Device","id":"d","patient":{"reference":"Patient/p"}}"#));
    assert!(of(r#"{"resourceType":"Practitioner","id":"d"}"#));
}

/// Row G9: who may act for a patient, now: whatever else reaches the record.
#[test]
fn who_may_act_for_a_patient_may_now() {
    let may = |more: &str| {
        let mut world = World::new(search::registry(), Instant::from_unix_millis(0));
        let related = format!(
            r#"{{"resourceType":"RelatedPerson","id":"r","patient":{{"reference":"Patient/p"}},"relationship":[{{"coding":[{{"system":"{ROLE_CODE}","code":"GUARD"}}]}}]{more}}}"#
        );
        for json in [r#"{"resourceType":"Patient","id":"p"}"#, &related] {
            world.add(&Tree::parse(json.as_bytes().to_vec()).unwrap()).unwrap();
        }
        let patients = patients_of_representative(search::registry(), "r").unwrap();
        world.target_matches(kind("Patient"), &LogicalId::parse("p").unwrap(), &patients)
    };
    assert!(may("") && may(r#","active":true,"period":{"start":"1960"}"#));
    assert!(!may(r#","active":false"#));
    assert!(!may(r#","period":{"end":"1960"}"#) && !may(r#","period":{"start":"1980"}"#));
}

/// Row G4: whom nobody here can name may have denied it. Who keeps the records sees it.
#[test]
fn who_is_named_by_an_identifier_alone_is_withheld() {
    let house = house(Implicit::AllNormal);
    let mut world = World::new(search::registry(), Instant::from_unix_millis(0));
    let mut sees = |name: &str, named: &str, is_custodian: bool| {
        let patient = r#"{"resourceType":"Patient","id":"p"}"#;
        let json = format!(r#"{{"resourceType":"{name}","id":"o"{named}}}"#);
        for json in [patient, &json] {
            world.add(&Tree::parse(json.as_bytes().to_vec()).unwrap()).unwrap();
        }
        match access(&testing::system(is_custodian, "system/*.rs"), &house, name, Need::Search) {
            Access::Everything => true,
            Access::Nothing => false,
            Access::Where(left) => world.target_matches(kind(name), &LogicalId::parse("o").unwrap(), &left),
        }
    };
    let here = r#"{"reference":"Patient/p"}"#;
    let logical = r#"{"identifier":{"system":"urn:oid:1.2","value":"7"}}"#;
    let foreign = r#"{"reference":"https://elsewhere.example/fhir/Patient/7"}"#;
    for (name, element) in [("Observation", "subject"), ("Condition", "subject"), ("Coverage", "beneficiary")] {
        let named = |one: &str| format!(r#","{element}":{one}"#);
        assert!(sees(name, &named(here), false) && sees(name, "", false), "{name}");
        for other in [logical, foreign] {
            assert!(!sees(name, &named(other), false) && sees(name, &named(other), true), "{name} {other}");
        }
    }
    // Somebody else who takes part may be named in any way.
    let actors = |all: &[&str]| {
        let all: Vec<String> = all.iter().map(|one| format!(r#"{{"actor":{one},"status":"accepted"}}"#)).collect();
        format!(r#","participant":[{}]"#, all.join(","))
    };
    assert!(sees("Appointment", &actors(&[here, logical]), false) && !sees("Appointment", &actors(&[logical]), false));
}
