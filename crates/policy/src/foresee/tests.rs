//! What a change would do, by all that decides: nobody loses what they never saw, nobody gains what is withheld by
//! something else. Rows G7, G9, G16.

use super::*;
use crate::{
    Clinicians,
    consent::{ConsentSource, Settings},
    world::World,
};
use fhir::json::Tree;
use oauth::{
    caller::{Role, User},
    udap::purpose::Purpose,
};

const RECORD: &[&str] = &[
    r#"{"resourceType":"Patient","id":"jack","generalPractitioner":[{"reference":"Practitioner/bob"},
        {"reference":"Organization/clinic"}]}"#,
    r#"{"resourceType":"Practitioner","id":"bob"}"#,
    r#"{"resourceType":"Practitioner","id":"carol"}"#,
    r#"{"resourceType":"Organization","id":"clinic"}"#,
    r#"{"resourceType":"Observation","id":"weight","status":"final","code":{"text":"weight"},
        "subject":{"reference":"Patient/jack"}}"#,
    r#"{"resourceType":"Observation","id":"secret","status":"final","code":{"text":"secret"},
        "meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]},
        "subject":{"reference":"Patient/jack"}}"#,
];

fn clinician(id: &str) -> Caller {
    let user = User {
        id: id.into(),
        name: id.into(),
        role: Role::Clinician,
        fhir_user: Some(format!("Practitioner/{id}").into()),
        patients: Arc::new([]),
        glasses: Arc::default(),
        may_break_glass: false,
    };
    Caller::at_page(Arc::new(user), "user/*.rs").unwrap()
}

fn says(provision: &str) -> Arc<Directives> {
    let json = format!(
        r#"{{"resourceType":"Consent","status":"active","scope":{{"coding":[{{"system":
        "http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},
        "patient":{{"reference":"Patient/jack"}},"provision":{provision}}}"#
    );
    Arc::new(Directives::read(&[ConsentSource { id: "c", version: 1, json: json.as_bytes() }]))
}

/// What becomes of weight and secret.
fn changes(caller: &Caller, clinicians: Clinicians, before: &Arc<Directives>, after: &Arc<Directives>) -> [Change; 2] {
    let registry = search::registry();
    let mut world = World::new(registry, Instant::from_unix_millis(1_800_000_000_000));
    for text in RECORD {
        world.add(&Tree::parse(text.as_bytes().to_vec()).unwrap()).unwrap();
    }
    let labels = Arc::new(crate::label::Labels::standard());
    let house = House { consents: Some(Settings::default()), clinicians, labels, ..House::default() };
    let patient = LogicalId::parse("jack").unwrap();
    let said = (Arc::clone(before), Arc::clone(after));
    let foresight = Foresight::new(caller.clone(), registry, &house, patient, said);
    let kind = ResourceType::parse("Observation").unwrap();
    ["weight", "secret"].map(|id| {
        let id = LogicalId::parse(id).unwrap();
        world.look(kind, &id, |looked| foresight.change(looked.subject, looked.related)).unwrap()
    })
}

#[test]
fn who_treats_somebody_loses_what_they_saw_and_gets_it_back() {
    let none = Arc::new(Directives::default());
    let deny = says(r#"{"type":"deny","actor":[{"reference":{"reference":"Practitioner/bob"}}]}"#);
    let of = |id, from, to| changes(&clinician(id), Clinicians::Related, from, to);
    assert_eq!(of("bob", &none, &deny), [Change::Hides, Change::StaysHidden]);
    assert_eq!(of("bob", &deny, &none), [Change::Shows, Change::StaysHidden]);
    assert_eq!(of("carol", &none, &deny), [Change::StaysHidden; 2], "she never saw it");
    assert_eq!(changes(&clinician("carol"), Clinicians::Everyone, &none, &deny)[0], Change::Stays);
}

/// Row G16: a Consent that stands nowhere yet gives whom it names, and takes no label away.
#[test]
fn whom_a_draft_names_gains_what_labels_leave() {
    let none = Arc::new(Directives::default());
    let permit = says(r#"{"type":"permit","actor":[{"reference":{"reference":"Practitioner/carol"}}]}"#);
    let of = |from, to| changes(&clinician("carol"), Clinicians::Related, from, to);
    assert_eq!(of(&none, &permit), [Change::Shows, Change::StaysHidden]);
    assert_eq!(of(&permit, &none), [Change::Hides, Change::StaysHidden]);
}

#[test]
fn organizations_are_foreseen_by_their_purpose() {
    let none = Arc::new(Directives::default());
    let deny = says(r#"{"type":"deny","actor":[{"reference":{"reference":"Organization/clinic"}}]}"#);
    let of = |code: &str| {
        let purposes = [Purpose::parse(code).unwrap()];
        let clinic = Caller::foreseen_organization("Organization/clinic", &purposes);
        changes(&clinic, Clinicians::Related, &none, &deny)[0]
    };
    assert_eq!((of("TREAT"), of("HPAYMT")), (Change::Hides, Change::StaysHidden));
}

/// Row G9: who acts for whom.
#[test]
fn patients_act_for_themselves_and_staff_for_nobody() {
    let user =
        |role| User { role, patients: Arc::new(["jack".into()]), ..User::clone(clinician("bob").user().unwrap()) };
    let jack = Predicate::Id(vec![LogicalId::parse("jack").unwrap()]);
    assert_eq!(crate::acted_for(&user(Role::Patient), search::registry()).as_deref(), Some(&jack));
    for role in [Role::Clinician, Role::Caregiver, Role::PrivacyOfficer, Role::Administrator] {
        assert!(crate::acted_for(&user(role), search::registry()).is_none(), "{role:?}");
    }
}
