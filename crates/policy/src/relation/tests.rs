//! Who has to do with whom, relation by relation: when it begins, what ends it, and that nobody writes their own. Rows
//! G12 to G17, F7. That the store answers the same on every road: `rest` `it::relations`.

use crate::{Access, Clinicians, Grants, House, Interaction, Need, decide, grants::NEEDS};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::{
    Caller,
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Grant, Role, User},
    launch_context::LaunchContext,
    scope::parse_list,
};
use search::{
    IndexValue, IndexValues, ParameterId, Predicate,
    matcher::{ALWAYS, Related, Subject, matches},
    predicate::{During, Ruling},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// 1 July 2026, noon.
const NOW: Instant = Instant::from_unix_millis(1_782_907_200_000);

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

/// A resource as it is indexed.
struct Known {
    kind: ResourceType,
    id: LogicalId,
    values: IndexValues,
}

impl Known {
    fn new(resource: &Value) -> Self {
        let tree = fhir::json::Tree::parse(resource.to_string().into_bytes()).unwrap();
        let element = fhir::element::Element::resource(&tree, fhir::schema::r4()).unwrap();
        let values = search::extract(search::registry(), element, "https://handrail.test/fhir");
        let text = |name: &str| resource[name].as_str().unwrap();
        Self { kind: kind(text("resourceType")), id: LogicalId::parse(text("id")).unwrap(), values }
    }
}

/// What is there now.
struct World(Vec<Known>);

impl World {
    fn means(&self, predicate: &Predicate, known: &Known) -> bool {
        let (resource_type, id, values) = (known.kind, &known.id, &known.values);
        matches(search::registry(), predicate, Subject { resource_type, id, last_updated: NOW, values }, self)
    }

    fn referring<'a>(
        &'a self,
        (kind, id): (ResourceType, &'a LogicalId),
        source: ResourceType,
        parameter: ParameterId,
        predicate: &'a Predicate,
    ) -> impl Iterator<Item = &'a Known> {
        self.0.iter().filter(move |known| {
            let names = |value: &IndexValue| {
                matches!(value, IndexValue::Reference { target: Some((to, named)), .. } if *to == kind && named == id)
            };
            known.kind == source && known.values.of(parameter).any(names) && self.means(predicate, known)
        })
    }
}

impl Related for World {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.0.iter().any(|known| known.kind == target && known.id == *id && self.means(predicate, known))
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        self.referring(to, by.0, by.1, these).next().is_some()
    }

    fn now(&self) -> Instant {
        NOW
    }

    fn rule(&self, _: &Arc<dyn Ruling>, _: &LogicalId) -> Arc<Predicate> {
        Arc::new(Predicate::All)
    }

    fn periods(&self, patient: (ResourceType, &LogicalId), during: &Arc<During>) -> Arc<[(i64, i64)]> {
        let of = |known: &Known| {
            let span = |value: &IndexValue| match value {
                IndexValue::Date { low, high } => Some((*low, *high)),
                _ => None,
            };
            known.values.of(during.period).find_map(span).unwrap_or(ALWAYS)
        };
        self.referring(patient, during.source, during.by, &during.predicate).map(of).collect()
    }
}

/// Somebody with an app.
#[derive(Clone, Copy)]
struct Somebody {
    role: Role,
    resource: Option<&'static str>,
    patients: &'static [&'static str],
    context: Option<&'static str>,
}

const CARER: Somebody =
    Somebody { role: Role::Caregiver, resource: Some("RelatedPerson/luis"), patients: &[], context: None };
const FAMILY: Somebody = Somebody { resource: Some("Person/luis"), ..CARER };
const DOCTOR: Somebody =
    Somebody { role: Role::Clinician, resource: Some("Practitioner/dr"), patients: &[], context: None };
const IN_ROLE: Somebody = Somebody { resource: Some("PractitionerRole/dr-here"), ..DOCTOR };

fn caller(who: Somebody, scope_text: &str) -> Caller {
    let user = User {
        id: "sub".into(),
        name: "Name".into(),
        role: who.role,
        fhir_user: who.resource.map(Into::into),
        patients: who.patients.iter().map(|id| Arc::from(*id)).collect(),
        glasses: Arc::default(),
        may_break_glass: false,
    };
    let launch = LaunchContext { patient: who.context.map(Into::into), ..LaunchContext::default() };
    let grant = Grant {
        client_id: "app".into(),
        client_name: "App".into(),
        scopes: parse_list(scope_text).filter_map(|(_, scope)| scope.ok()).collect(),
        scope_text: scope_text.into(),
        issued_at_s: 0,
        expires_at_s: 300,
        token_name: "0123456789abcdef".into(),
        user: Some(Arc::new(user)),
        launch: Arc::new(launch),
        confirmation: None,
        family: None,
        acting: None,
        purposes: Arc::default(),
        standing: oauth::caller::Standing::default(),
    };
    authenticate(&Presented::header(Some("Bearer token")), &One(Arc::new(grant)), 1).unwrap()
}

fn grants_in(who: Somebody, scope: &str, house: &House) -> Arc<Grants> {
    Arc::new(Grants::compile(&caller(who, scope), search::registry(), house))
}

fn grants(who: Somebody, scope: &str) -> Arc<Grants> {
    grants_in(who, scope, &House::default())
}

fn covered(world: &World, access: &Access, known: &Known) -> bool {
    match access {
        Access::Nothing => false,
        Access::Everything => true,
        Access::Where(predicate) => world.means(predicate, known),
    }
}

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

/// What is there besides what a test adds: two patients with an observation each, and a house with two wards.
fn world(added: &[Value]) -> World {
    let mut all = vec![
        json!({"resourceType": "Patient", "id": "rosa"}),
        json!({"resourceType": "Patient", "id": "pedro"}),
        json!({"resourceType": "Observation", "id": "o-rosa", "subject": reference("Patient/rosa")}),
        json!({"resourceType": "Observation", "id": "o-pedro", "subject": reference("Patient/pedro")}),
        json!({"resourceType": "Practitioner", "id": "dr"}),
        json!({"resourceType": "Organization", "id": "house"}),
        json!({"resourceType": "Organization", "id": "ward", "partOf": reference("Organization/house")}),
        json!({"resourceType": "Organization", "id": "room", "partOf": reference("Organization/ward")}),
        json!({"resourceType": "Organization", "id": "bed", "partOf": reference("Organization/room")}),
        json!({"resourceType": "Organization", "id": "elsewhere"}),
    ];
    for one in added {
        all.retain(|known| (&known["resourceType"], &known["id"]) != (&one["resourceType"], &one["id"]));
        all.push(one.clone());
    }
    World(all.iter().map(Known::new).collect())
}

/// The patients whom somebody sees, and that all roads agree on it.
fn seen(world: &World, who: Somebody) -> Vec<&'static str> {
    let grants = grants(who, "user/*.rs");
    let sees = |of: &str, id: &str| {
        let known = world.0.iter().find(|known| known.kind == kind(of) && known.id.as_str() == id).unwrap();
        let by = [Need::Read, Need::Search].map(|need| covered(world, grants.access(known.kind, need), known));
        assert_eq!(by[0], by[1], "{of}/{id}");
        by[0]
    };
    let seen: Vec<_> = ["rosa", "pedro"].into_iter().filter(|id| sees("Patient", id)).collect();
    for id in ["rosa", "pedro"] {
        let is_seen = seen.contains(&id);
        assert_eq!(sees("Observation", &format!("o-{id}")), is_seen, "{id}: the record goes with the patient");
        // With `patient/`: as long as they are one of theirs.
        let in_context = self::grants(Somebody { context: Some(id), ..who }, "patient/*.rs");
        for known in &world.0 {
            let is_theirs = [("Patient", id.to_owned()), ("Observation", format!("o-{id}"))]
                .contains(&(known.kind.name(), known.id.to_string()));
            let is_directory = matches!(known.kind.name(), "Practitioner" | "Organization" | "PractitionerRole");
            if matches!(known.kind.name(), "Patient" | "Observation") || is_directory {
                let is_covered = covered(world, in_context.access(known.kind, Need::Read), known);
                assert_eq!(is_covered, is_seen && (is_theirs || is_directory), "{id}: {}/{}", known.kind, known.id);
            }
        }
    }
    seen
}

const NOBODY: [&str; 0] = [];

fn with(mut resource: Value, name: &str, value: Value) -> Value {
    resource[name] = value;
    resource
}

fn related(id: &str, patient: &str) -> Value {
    json!({"resourceType": "RelatedPerson", "id": id, "patient": reference(&format!("Patient/{patient}"))})
}

fn relationship(system: &str, code: &str) -> Value {
    let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
    json!([{"coding": [{"system": system, "code": code}]}])
}

/// What of a RelatedPerson counts, with what is seen.
fn standings() -> Vec<(Value, bool)> {
    let plain = || related("luis", "rosa");
    vec![
        (plain(), true),
        (with(plain(), "active", json!(true)), true),
        (with(plain(), "active", json!(false)), false),
        (with(plain(), "period", json!({"start": "2026-07-01"})), true),
        (with(plain(), "period", json!({"end": "2026-07-01"})), true),
        (with(plain(), "period", json!({"start": "2020", "end": "2026"})), true),
        (with(plain(), "period", json!({"start": "2026-07-02"})), false),
        (with(plain(), "period", json!({"end": "2026-06-30"})), false),
        (with(plain(), "period", json!({"end": "2026-07-01T11:59:59Z"})), false),
        (with(plain(), "relationship", relationship("v3-RoleCode", "DAUC")), true),
        (with(plain(), "relationship", relationship("v2-0131", "N")), true),
        (with(plain(), "relationship", relationship("v2-0131", "I")), false),
        (with(plain(), "relationship", relationship("v2-0131", "E")), false),
    ]
}

/// G13: the relation decides: active, in its period, of a kind that cares.
#[test]
fn a_caregiver_by_related_person() {
    for (relation, is_seen) in standings() {
        let world = world(std::slice::from_ref(&relation));
        assert_eq!(seen(&world, CARER), if is_seen { vec!["rosa"] } else { vec![] }, "{relation}");
    }
    assert_eq!(seen(&world(&[]), CARER), NOBODY, "removed");
    let world = world(&[related("luis", "rosa"), related("ana", "pedro")]);
    assert_eq!(seen(&world, CARER), ["rosa"], "another's relation is another's");
    // The account's list narrows; it adds nothing.
    assert_eq!(seen(&world, Somebody { patients: &["rosa", "pedro"], ..CARER }), ["rosa"]);
    assert_eq!(seen(&world, Somebody { patients: &["pedro"], ..CARER }), NOBODY);
    // Without such a resource the list is all there is.
    assert_eq!(seen(&world, Somebody { resource: None, patients: &["pedro"], ..CARER }), ["pedro"]);
    assert_eq!(seen(&world, Somebody { resource: None, ..CARER }), NOBODY);
    assert_eq!(seen(&world, Somebody { role: Role::Patient, patients: &["pedro"], ..CARER }), ["pedro"], "G12");
}

/// G13: a Person links to several, and to who they are themselves.
#[test]
fn a_caregiver_by_person() {
    let person = |links: &[&str]| {
        let links: Vec<Value> = links.iter().map(|to| json!({"target": reference(to)})).collect();
        json!({"resourceType": "Person", "id": "luis", "link": links})
    };
    for (relation, is_seen) in standings() {
        let world = world(&[relation.clone(), related("other", "pedro"), person(&["RelatedPerson/luis"])]);
        assert_eq!(seen(&world, FAMILY), if is_seen { vec!["rosa"] } else { vec![] }, "{relation}");
    }
    let both = [related("luis", "rosa"), related("luis-2", "pedro")];
    let seen_by = |person: Value| seen(&world(&[both[0].clone(), both[1].clone(), person]), FAMILY);
    let links = ["RelatedPerson/luis", "RelatedPerson/luis-2", "Practitioner/dr"];
    assert_eq!(seen_by(person(&links)), ["rosa", "pedro"]);
    assert_eq!(seen_by(person(&links[1..])), ["pedro"]);
    assert_eq!(seen_by(person(&["Patient/pedro"])), ["pedro"], "they are a patient themselves");
    assert_eq!(seen_by(with(person(&links), "active", json!(false))), NOBODY);
    assert_eq!(seen_by(with(person(&links), "id", json!("somebody"))), NOBODY);
    assert_eq!(seen_by(person(&["Practitioner/dr"])), NOBODY);
}

/// Resources that relate dr to rosa, each with what is seen by an account of the Practitioner and of the role.
fn relations() -> Vec<(&'static str, Value, bool)> {
    let patient = |name: &str, value: Value| with(json!({"resourceType": "Patient", "id": "rosa"}), name, value);
    let about = |of: &str| json!({"resourceType": of, "id": "x", "subject": reference("Patient/rosa")});
    let team = |member: &str| {
        let team = with(about("CareTeam"), "status", json!("active"));
        with(team, "participant", json!([{"member": reference(member)}]))
    };
    let stay = |status: &str, individual: &str| {
        let stay = with(about("Encounter"), "status", json!(status));
        with(stay, "participant", json!([{"individual": reference(individual)}]))
    };
    let order = |name: &str, who: Value| with(with(about("ServiceRequest"), "status", json!("active")), name, who);
    let visit = |status: &str, start: &str| {
        let actors = [json!({"actor": reference("Patient/rosa")}), json!({"actor": reference("Practitioner/dr")})];
        json!({"resourceType": "Appointment", "id": "x", "status": status, "start": start, "participant": actors})
    };
    let housed = |status: &str, house: &str| {
        with(with(about("Encounter"), "status", json!(status)), "serviceProvider", reference(house))
    };
    let role = "PractitionerRole/dr-here";
    vec![
        ("general practitioner", patient("generalPractitioner", json!([reference("Practitioner/dr")])), true),
        ("general practitioner by role", patient("generalPractitioner", json!([reference(role)])), true),
        ("practice", patient("generalPractitioner", json!([reference("Organization/house")])), true),
        ("another's patient", patient("generalPractitioner", json!([reference("Practitioner/other")])), false),
        ("care team", team("Practitioner/dr"), true),
        ("care team by role", team(role), true),
        ("care team by house", team("Organization/house"), true),
        ("a ward in the team is not its people's house", team("Organization/ward"), false),
        ("care team of another", team("Organization/elsewhere"), false),
        ("care team over", with(team("Practitioner/dr"), "status", json!("inactive")), false),
        ("care team past", with(team("Practitioner/dr"), "period", json!({"end": "2026-06-30"})), false),
        ("care team to come", with(team("Practitioner/dr"), "period", json!({"start": "2026-07-02"})), false),
        ("planned", stay("planned", "Practitioner/dr"), true),
        ("arrived", stay("arrived", role), true),
        ("triaged", stay("triaged", "Practitioner/dr"), true),
        ("in progress", stay("in-progress", "Practitioner/dr"), true),
        ("on leave", stay("onleave", "Practitioner/dr"), true),
        ("cancelled", stay("cancelled", "Practitioner/dr"), false),
        ("in error", stay("entered-in-error", "Practitioner/dr"), false),
        ("of another", stay("in-progress", "Practitioner/other"), false),
        ("finished, nobody knows when", stay("finished", "Practitioner/dr"), false),
        ("finished, no end", with(stay("finished", "Practitioner/dr"), "period", json!({"start": "2026-06"})), false),
        ("finished lately", with(stay("finished", role), "period", json!({"end": "2026-06-02"})), true),
        ("finished long ago", with(stay("finished", role), "period", json!({"end": "2026-05-30"})), false),
        ("requester", order("requester", reference("Practitioner/dr")), true),
        ("performer", order("performer", json!([reference(role)])), true),
        ("order done", with(order("requester", reference("Practitioner/dr")), "status", json!("completed")), false),
        ("booked", visit("booked", "2026-09-01T10:00:00Z"), true),
        ("arrived at a visit", visit("arrived", "2026-07-01T10:00:00Z"), true),
        ("never closed", visit("booked", "2026-05-01T10:00:00Z"), false),
        ("no show", visit("noshow", "2026-07-01T10:00:00Z"), false),
        ("proposed", visit("proposed", "2026-09-01T10:00:00Z"), false),
        ("house of the record", patient("managingOrganization", reference("Organization/house")), true),
        ("its ward", patient("managingOrganization", reference("Organization/ward")), true),
        ("its room", patient("managingOrganization", reference("Organization/room")), true),
        ("too deep", patient("managingOrganization", reference("Organization/bed")), false),
        ("another house", patient("managingOrganization", reference("Organization/elsewhere")), false),
        ("stays in the house", housed("in-progress", "Organization/ward"), true),
        (
            "left the house",
            with(housed("finished", "Organization/house"), "period", json!({"end": "2026-06-30"})),
            false,
        ),
    ]
}

fn role(name: &str, value: Value) -> Value {
    let role = json!({
        "resourceType": "PractitionerRole", "id": "dr-here", "practitioner": reference("Practitioner/dr"),
        "organization": reference("Organization/house"),
    });
    if name.is_empty() { role } else { with(role, name, value) }
}

/// G15: each way to have to do with a patient, for an account of the Practitioner and for one of the role.
#[test]
fn clinicians() {
    for (what, resource, is_seen) in relations() {
        let expected = if is_seen { vec!["rosa"] } else { vec![] };
        let there = world(&[role("", json!(null)), resource.clone()]);
        assert_eq!(seen(&there, DOCTOR), expected, "{what}");
        assert_eq!(seen(&there, IN_ROLE), expected, "{what}, in the role");
        // Somebody who left has to do with nobody; nor has who has no resource, or another's.
        let left = json!({"resourceType": "Practitioner", "id": "dr", "active": false});
        let there = world(&[role("", json!(null)), resource.clone(), left]);
        assert_eq!(seen(&there, DOCTOR), NOBODY, "{what}, who left");
        assert_eq!(seen(&there, IN_ROLE), NOBODY, "{what}, in a role of who left");
        assert_eq!(seen(&there, Somebody { resource: None, ..DOCTOR }), NOBODY);
        assert_eq!(seen(&there, Somebody { resource: Some("Practitioner/nobody"), ..DOCTOR }), NOBODY);
        assert_eq!(seen(&there, Somebody { resource: Some("Patient/rosa"), ..DOCTOR }), NOBODY);
        // A role that ended gives nothing; the Practitioner is still the one whom the record names.
        for ended in [role("active", json!(false)), role("period", json!({"end": "2026-06-30"}))] {
            let there = world(&[ended, resource.clone()]);
            assert_eq!(seen(&there, IN_ROLE), NOBODY, "{what}, in an ended role");
            let names_dr = resource.to_string().contains("Practitioner/dr\"");
            assert_eq!(seen(&there, DOCTOR), if names_dr { expected.clone() } else { vec![] }, "{what}, role ended");
        }
    }
    assert_eq!(seen(&world(&[role("", json!(null))]), DOCTOR), NOBODY, "a house alone is no patient");
    let closed = json!({"resourceType": "Organization", "id": "house", "active": false});
    let managed = json!({
        "resourceType": "Patient", "id": "rosa", "managingOrganization": reference("Organization/house"),
    });
    assert_eq!(seen(&world(&[role("", json!(null)), managed, closed]), DOCTOR), NOBODY, "a house that closed");
}

/// G15: the house may say that clinicians see everyone.
#[test]
fn everyone() {
    let house = House { clinicians: Clinicians::Everyone, ..House::default() };
    let grants = grants_in(Somebody { resource: None, ..DOCTOR }, "user/*.cruds", &house);
    for need in NEEDS {
        for name in ["Patient", "Observation", "Group", "Binary", "PractitionerRole"] {
            // Who sees all and changes all has no authority over labels by that (row F45).
            let expected = if need == Need::Relabel { Access::Nothing } else { Access::Everything };
            assert_eq!(*grants.access(kind(name), need), expected, "{name} {need:?}");
        }
    }
    assert_eq!(*grants.access(kind("AuditEvent"), Need::Read), Access::Nothing);
}

/// F12: what is about no patient and in no directory is nothing to a clinician who has to do with some patients.
#[test]
fn what_is_in_nobodys_record() {
    let grants = grants(DOCTOR, "user/*.cruds");
    for name in ["Group", "Person", "Binary", "Bundle", "Slot", "Linkage", "ResearchStudy", "Subscription"] {
        for need in NEEDS {
            assert_eq!(*grants.access(kind(name), need), Access::Nothing, "{name} {need:?}");
        }
    }
    assert_eq!(*grants.access(kind("Organization"), Need::Read), Access::Everything);
    assert_eq!(*grants.access(kind("AuditEvent"), Need::Read), Access::Nothing);
}

/// What somebody may make, or change something into.
fn writes(world: &World, who: Somebody, need: Need, resource: &Value) -> bool {
    let known = Known::new(resource);
    covered(world, grants(who, "user/*.cruds").access(known.kind, need), &known)
}

/// F7, G13, G15: nobody writes themselves nearer to a patient.
#[test]
fn nobody_writes_their_own_relation() {
    let there = world(&[
        role("", json!(null)),
        related("luis", "rosa"),
        json!({"resourceType": "Patient", "id": "rosa", "generalPractitioner": [reference("Practitioner/dr")]}),
    ]);
    let person = json!({"resourceType": "Person", "id": "luis", "link": [{"target": reference("Patient/pedro")}]});
    for need in [Need::Create, Need::Update, Need::Delete] {
        // Caregivers and patients write neither RelatedPerson nor Person, their own patient's neither.
        for who in [
            CARER,
            FAMILY,
            Somebody { patients: &["rosa"], resource: None, ..CARER },
            Somebody { role: Role::Patient, patients: &["rosa"], resource: Some("Patient/rosa"), context: None },
        ] {
            assert!(!writes(&there, who, need, &related("luis", "rosa")));
            assert!(!writes(&there, who, need, &related("luis", "pedro")));
            assert!(!writes(&there, who, need, &person));
            assert!(!writes(&there, who, need, &role("", json!(null))));
        }
        // Clinicians register families of their own patients, and write no staff.
        assert!(writes(&there, DOCTOR, need, &related("new", "rosa")));
        assert!(!writes(&there, DOCTOR, need, &related("new", "pedro")));
        assert!(!writes(&there, DOCTOR, need, &person));
        for name in ["Practitioner", "PractitionerRole", "Organization", "Location"] {
            assert!(!writes(&there, DOCTOR, need, &json!({"resourceType": name, "id": "x"})), "{name}");
        }
        assert!(writes(&there, DOCTOR, need, &json!({"resourceType": "Questionnaire", "id": "x"})));
        for (what, resource, _) in relations() {
            let about = resource.to_string();
            if resource["resourceType"] == "Patient" {
                continue;
            }
            assert!(writes(&there, DOCTOR, need, &resource), "{what}");
            let of_pedro: Value = serde_json::from_str(&about.replace("Patient/rosa", "Patient/pedro")).unwrap();
            assert!(!writes(&there, DOCTOR, need, &of_pedro), "{what}: of somebody else");
        }
        let both = json!({
            "resourceType": "Observation", "id": "x", "subject": reference("Patient/rosa"),
            "performer": [reference("Patient/pedro")],
        });
        assert!(!writes(&there, DOCTOR, need, &both), "it names another patient");
        let gone = json!({
            "resourceType": "Observation", "id": "x", "subject": reference("Patient/rosa"),
            "performer": [reference("Patient/gone")],
        });
        assert!(!writes(&there, DOCTOR, need, &gone), "and one who is not there");
    }
    // They admit whom they or their house will care for, and nobody else.
    let new = |name: &str, value: Value| with(json!({"resourceType": "Patient", "id": "new"}), name, value);
    assert!(writes(&there, DOCTOR, Need::Create, &new("managingOrganization", reference("Organization/ward"))));
    assert!(writes(&there, DOCTOR, Need::Create, &new("generalPractitioner", json!([reference("Practitioner/dr")]))));
    assert!(!writes(&there, DOCTOR, Need::Create, &new("active", json!(true))));
    assert!(!writes(&there, DOCTOR, Need::Update, &new("managingOrganization", reference("Organization/ward"))));
    // Who left writes nothing.
    let left = json!({"resourceType": "Practitioner", "id": "dr", "active": false});
    let there = world(&[role("", json!(null)), left]);
    assert!(!writes(&there, DOCTOR, Need::Create, &new("managingOrganization", reference("Organization/ward"))));
}

/// F22: a caregiver reads what is recorded about their patients, when it is about nobody else.
#[test]
fn events_of_ones_patients() {
    let event = |patients: &[&str]| {
        let entities: Vec<Value> =
            patients.iter().map(|id| json!({"what": reference(&format!("Patient/{id}"))})).collect();
        Known::new(&json!({"resourceType": "AuditEvent", "id": "e", "entity": entities}))
    };
    let there = world(&[related("luis", "rosa")]);
    for scope in ["user/AuditEvent.rs", "patient/AuditEvent.rs"] {
        let grants = grants(Somebody { context: Some("rosa"), ..CARER }, scope);
        let reads = |event: &Known| covered(&there, grants.access(kind("AuditEvent"), Need::Read), event);
        assert!(reads(&event(&["rosa"])));
        assert!(!reads(&event(&["pedro"])) && !reads(&event(&["rosa", "pedro"])) && !reads(&event(&[])));
        assert!(!reads(&event(&["rosa", "gone"])), "one who is not there is another one, too");
    }
    let grants = grants(CARER, "user/*.rs");
    assert_eq!(*grants.access(kind("AuditEvent"), Need::Read), Access::Nothing);
}

/// Grants are of one account's resource: another's are refused.
#[test]
fn grants_of_another_relation_are_refused() {
    let scope = "user/*.rs";
    let asked = Interaction::SearchType(kind("Observation"));
    for other in [FAMILY, Somebody { resource: None, ..CARER }, Somebody { patients: &["rosa"], ..CARER }] {
        assert!(decide(&caller(other, scope), &grants(CARER, scope), &asked).is_err());
    }
    assert!(decide(&caller(CARER, scope), &grants(CARER, scope), &asked).is_ok());
}

/// A package's parameter of the same name says nothing of who has to do with whom: until it is indexed nothing has a
/// value of it, and what has no period holds for ever.
#[test]
fn a_package_does_not_change_what_a_relation_rests_on() {
    use crate::relation::Of;
    use search::added::{Added, Definition, FIRST};
    let added = |at: u16, base: &str, code: &str, kind: &str, expression: &str| {
        let definition = Definition {
            url: format!("http://example.org/{base}-{code}"),
            code: code.into(),
            kind: kind.into(),
            base: vec![base.into()],
            target: Vec::new(),
            expression: expression.into(),
            components: Vec::new(),
        };
        Added { id: ParameterId(FIRST + at), definition, retired: false }
    };
    let packages = [
        added(0, "RelatedPerson", "period", "date", "RelatedPerson.birthDate"),
        added(1, "Person", "active", "token", "Person.gender"),
    ];
    let with = search::Registry::with(fhir::schema::r4(), &packages);
    assert!(
        with.parameter(kind("RelatedPerson"), "period").is_some() && with.parameter(kind("Person"), "active").is_some()
    );
    for registry in [&with, &**search::registry()] {
        let own = |kind: &str, code: &str| Of::new(registry, kind).unwrap().own(code).unwrap();
        let held = Of::new(registry, "RelatedPerson").unwrap().in_force("period").unwrap();
        assert_eq!(*held, Predicate::InForce(own("RelatedPerson", "period")));
        let in_use = Of::new(registry, "Person").unwrap().in_use().unwrap();
        let active = own("Person", "active");
        let Predicate::Not(ended) = &*in_use else { panic!("{in_use:?}") };
        assert!(matches!(&**ended, Predicate::Value { parameter, .. } if *parameter == active));
    }
}
