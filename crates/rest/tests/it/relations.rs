//! Who has to do with whom, over the service: a relation begins and ends for tokens that were issued before, on every
//! road alike, by a write or by the clock. Rows F1 to F7, F12, F14, G12 to G15, G17.

use crate::world::{ALL, create, get, observation, patient, put, shape};
use oauth::caller::Role;
use serde_json::{Value, json};
use store::{Given, limits};
use testkit::{Person, Server};

const CARER: Person = Person {
    id: "u-luis",
    name: "Luis",
    role: Role::Caregiver,
    fhir_user: Some("RelatedPerson/luis-of-rosa"),
    patients: &[],
};
const FAMILY: Person = Person { fhir_user: Some("Person/luis"), ..CARER };
const DOCTOR: Person =
    Person { id: "u-dr", name: "Dora Roth", role: Role::Clinician, fhir_user: Some("Practitioner/dr"), patients: &[] };
const SOMEBODY: Person = Person { fhir_user: None, ..DOCTOR };

const READS: &str = "user/*.rs";

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

fn with(mut resource: Value, name: &str, value: Value) -> Value {
    resource[name] = value;
    resource
}

fn store(server: &Server, id: &str, resource: Value) {
    let all = server.token_for(ALL);
    let reply = put(server, &all, id, resource);
    assert!(reply.status < 300, "{id}: {}", reply.text());
}

fn remove(server: &Server, path: &str) {
    let all = server.token_for(ALL);
    let _ = server.request("DELETE", path).token(&all).send().expect(204);
}

fn related(patient: &str) -> Value {
    json!({"resourceType": "RelatedPerson", "patient": reference(&format!("Patient/{patient}"))})
}

fn person(links: &[&str]) -> Value {
    let links: Vec<Value> = links.iter().map(|to| json!({"target": reference(to)})).collect();
    json!({"resourceType": "Person", "link": links})
}

fn encounter(patient: &str) -> Value {
    json!({
        "resourceType": "Encounter", "status": "in-progress", "class": { "code": "IMP" },
        "subject": reference(&format!("Patient/{patient}")), "period": { "start": "2025-12-01" },
    })
}

/// A patient with something of each kind that a road leads through.
fn record(server: &Server, id: &str) {
    store(server, id, patient(id));
    store(server, &format!("o-{id}"), observation(id, "survey", "1"));
    let provenance = json!({
        "resourceType": "Provenance", "target": [reference(&format!("Observation/o-{id}"))],
        "recorded": "2026-01-01T10:00:00Z", "agent": [{"who": reference("Practitioner/other")}],
    });
    store(server, &format!("prov-{id}"), provenance);
}

fn staffed(server: &Server) {
    for id in ["dr", "other"] {
        store(server, id, json!({"resourceType": "Practitioner", "name": [{"family": id}]}));
    }
    store(server, "house", json!({"resourceType": "Organization", "name": "House"}));
    let ward = json!({"resourceType": "Organization", "name": "Ward", "partOf": reference("Organization/house")});
    store(server, "ward", ward);
}

fn world() -> Server {
    let server = Server::new();
    staffed(&server);
    record(&server, "rosa");
    record(&server, "pedro");
    server
}

/// Whether a live token sees this patient: all roads must agree.
fn sees(server: &Server, token: &str, id: &str) -> bool {
    let found = |path: &str, mode: &str| {
        let mut entries = get(server, token, path).expect(200).entries(mode);
        entries.sort();
        entries
    };
    let seen = get(server, token, &format!("Patient/{id}")).status == 200;
    let (patient, own) = (format!("Patient/{id}"), format!("Observation/o-{id}"));
    for path in [
        format!("Patient/{id}/_history"),
        format!("Patient/{id}/_history/1"),
        own.clone(),
        format!("{own}/_history"),
        format!("{own}/_history/1"),
        format!("Provenance/prov-{id}"),
    ] {
        assert_eq!(get(server, token, &path).status, if seen { 200 } else { 404 }, "{path}");
    }
    let meant = |path: &str, mode: &str, expected: &str| {
        let expected: Vec<&str> = Some(expected).filter(|_| seen).into_iter().collect();
        assert_eq!(found(path, mode), expected, "{path}");
    };
    meant(&format!("Patient?_id={id}"), "match", &patient);
    meant(&format!("Patient?family={id}&_sort=family"), "match", &patient);
    meant(&format!("Patient?_has:Observation:subject:_id=o-{id}"), "match", &patient);
    meant(&format!("Observation?subject=Patient/{id}"), "match", &own);
    meant(&format!("Observation?subject:Patient.family={id}"), "match", &own);
    meant(&format!("Patient/{id}/Observation"), "match", &own);
    meant(&format!("Observation?_id=o-{id}&_include=Observation:subject"), "include", &patient);
    meant(&format!("Patient?_id={id}&_revinclude=Observation:subject"), "include", &own);
    meant(&format!("Provenance?target={own}"), "match", &format!("Provenance/prov-{id}"));
    // Not by way of what everybody sees.
    let agent = format!("Practitioner?_has:Provenance:agent:target={own}");
    meant(&agent, "match", "Practitioner/other");
    let all = found("Observation?_total=accurate", "match");
    assert_eq!(all.contains(&own), seen);
    let total = get(server, token, "Observation?_summary=count").json()["total"].clone();
    assert_eq!(total, all.len());
    let names = |path: &str| get(server, token, path).expect(200).text().contains(&patient);
    assert_eq!(names("Patient?_sort=-_lastUpdated"), seen);
    seen
}

/// G13, G17: begins, ends by `active`, by period, by removal; for a token that was there before.
#[test]
fn a_caregivers_relation() {
    let server = world();
    let token = |person: &Person, context, scope| server.tokens().token_of_person(person, context, scope);
    let carer = token(&CARER, None, READS);
    let in_context = token(&CARER, Some("rosa"), "patient/*.rs");
    let elsewhere = token(&CARER, Some("pedro"), "patient/*.rs");
    let check = |is_seen: bool, what: &str| {
        assert_eq!(sees(&server, &carer, "rosa"), is_seen, "{what}");
        assert!(!sees(&server, &carer, "pedro"), "{what}");
        let status = if is_seen { 200 } else { 404 };
        for path in ["Patient/rosa", "Observation/o-rosa", "Provenance/prov-rosa", "Practitioner/dr"] {
            assert_eq!(get(&server, &in_context, path).status, status, "{what}: {path} in context");
        }
        let found = get(&server, &in_context, "Observation").expect(200).entries("match");
        assert_eq!(found.len(), usize::from(is_seen), "{what}");
        for path in ["Patient/pedro", "Patient/rosa", "Observation/o-pedro", "Practitioner/dr"] {
            assert_eq!(get(&server, &elsewhere, path).status, 404, "{what}: {path}");
        }
    };
    check(false, "before");
    for (what, ended) in [
        ("inactive", with(related("rosa"), "active", json!(false))),
        ("over", with(related("rosa"), "period", json!({"end": "2025-12-31"}))),
        ("to come", with(related("rosa"), "period", json!({"start": "2026-01-02"}))),
    ] {
        store(&server, "luis-of-rosa", related("rosa"));
        check(true, "begun");
        store(&server, "luis-of-rosa", ended);
        check(false, what);
    }
    store(&server, "luis-of-rosa", with(related("rosa"), "active", json!(true)));
    check(true, "begun again");
    remove(&server, "RelatedPerson/luis-of-rosa");
    check(false, "removed");
    store(&server, "luis-of-rosa", related("pedro"));
    assert!(!sees(&server, &carer, "rosa") && sees(&server, &carer, "pedro"), "it is another's now");
}

/// G13: by a Person, several patients; a link that goes takes its patient with it.
#[test]
fn a_person_with_several() {
    let server = world();
    store(&server, "luis-of-rosa", related("rosa"));
    store(&server, "luis-of-pedro", related("pedro"));
    let token = server.tokens().token_of_person(&FAMILY, None, READS);
    let listed = Person { patients: &["pedro"], ..FAMILY };
    let listed = server.tokens().token_of_person(&listed, None, READS);
    let both = ["RelatedPerson/luis-of-rosa", "RelatedPerson/luis-of-pedro"];
    let seen = || (sees(&server, &token, "rosa"), sees(&server, &token, "pedro"));
    assert_eq!(seen(), (false, false));
    store(&server, "luis", person(&both));
    assert_eq!(seen(), (true, true));
    assert!(!sees(&server, &listed, "rosa") && sees(&server, &listed, "pedro"), "the account's list narrows");
    store(&server, "luis", person(&both[..1]));
    assert_eq!(seen(), (true, false));
    assert!(!sees(&server, &listed, "pedro"), "and never widens");
    store(&server, "luis", with(person(&both), "active", json!(false)));
    assert_eq!(seen(), (false, false));
    store(&server, "luis", person(&["Patient/pedro"]));
    assert_eq!(seen(), (false, true));
    remove(&server, "Person/luis");
    assert_eq!(seen(), (false, false));
}

/// G17: a period begins and ends without any write.
#[test]
fn by_the_clock() {
    let server = world();
    let period = json!({"start": "2026-01-01T00:01:00Z", "end": "2026-01-01T00:02:00Z"});
    store(&server, "luis-of-rosa", with(related("rosa"), "period", period.clone()));
    let team = json!({
        "resourceType": "CareTeam", "status": "active", "subject": reference("Patient/rosa"),
        "participant": [{"member": reference("Practitioner/dr")}], "period": period,
    });
    store(&server, "team", team);
    let (carer, doctor) =
        (server.tokens().token_of_person(&CARER, None, READS), server.tokens().token_of_person(&DOCTOR, None, READS));
    let begin_s = server.clock().now().unix_seconds();
    for (after_s, is_seen) in [(0, false), (59, false), (60, true), (119, true), (120, true), (121, false)] {
        server.clock().advance_s(after_s + begin_s - server.clock().now().unix_seconds());
        assert_eq!(sees(&server, &carer, "rosa"), is_seen, "the caregiver after {after_s} s");
        assert_eq!(sees(&server, &doctor, "rosa"), is_seen, "the clinician after {after_s} s");
    }
}

/// G15, G17: each way to have to do with somebody begins and ends with a write, for a token that was there before.
#[test]
fn a_clinicians_relations() {
    let server = world();
    let doctor = server.tokens().token_of_person(&DOCTOR, None, READS);
    let in_context = server.tokens().token_of_person(&DOCTOR, Some("rosa"), "patient/*.rs");
    let check = |is_seen: bool, what: &str| {
        assert_eq!(sees(&server, &doctor, "rosa"), is_seen, "{what}");
        assert!(!sees(&server, &doctor, "pedro"), "{what}");
        let status = if is_seen { 200 } else { 404 };
        assert_eq!(get(&server, &in_context, "Observation/o-rosa").status, status, "{what}");
    };
    check(false, "nothing");
    let role = json!({
        "resourceType": "PractitionerRole", "practitioner": reference("Practitioner/dr"),
        "organization": reference("Organization/house"),
    });
    let rosa = |name: &str, value: Value| with(patient("rosa"), name, value);
    let about = |of: &str| json!({"resourceType": of, "subject": reference("Patient/rosa")});
    let team = with(
        with(about("CareTeam"), "status", json!("active")),
        "participant",
        json!([{"member": reference("Practitioner/dr")}]),
    );
    let took_part = with(encounter("rosa"), "participant", json!([{"individual": reference("Practitioner/dr")}]));
    let order = with(
        json!({
            "resourceType": "ServiceRequest", "status": "active", "intent": "order",
            "subject": reference("Patient/rosa"), "code": {"text": "x"},
        }),
        "requester",
        reference("Practitioner/dr"),
    );
    let visit = json!({
        "resourceType": "Appointment", "status": "booked", "start": "2026-02-01T10:00:00Z", "end": "2026-02-01T10:30:00Z",
        "participant": [
            {"actor": reference("Patient/rosa"), "status": "accepted"},
            {"actor": reference("Practitioner/dr"), "status": "accepted"},
        ],
    });
    let finished = |end: &str| {
        with(with(took_part.clone(), "status", json!("finished")), "period", json!({"start": "2025-11-01", "end": end}))
    };
    for (what, id, begun, ended) in [
        (
            "general practitioner",
            "rosa",
            rosa("generalPractitioner", json!([reference("Practitioner/dr")])),
            patient("rosa"),
        ),
        ("care team", "team", team.clone(), with(team, "status", json!("inactive"))),
        ("encounter", "stay", took_part.clone(), with(took_part.clone(), "status", json!("cancelled"))),
        ("look-back", "stay", finished("2025-12-03"), finished("2025-12-01")),
        ("order", "order", order.clone(), with(order, "status", json!("completed"))),
        ("appointment", "visit", visit.clone(), with(visit, "status", json!("cancelled"))),
    ] {
        store(&server, id, begun);
        check(true, what);
        store(&server, id, ended);
        check(false, &format!("{what}, ended"));
    }
    // By the house: the role begins and ends it, too.
    for (what, id, begun, ended) in [
        ("house", "rosa", rosa("managingOrganization", reference("Organization/ward")), patient("rosa")),
        (
            "stay in the house",
            "stay",
            with(encounter("rosa"), "serviceProvider", reference("Organization/ward")),
            with(
                with(encounter("rosa"), "serviceProvider", reference("Organization/ward")),
                "status",
                json!("cancelled"),
            ),
        ),
    ] {
        store(&server, id, begun);
        check(false, what);
        store(&server, "role", role.clone());
        check(true, what);
        store(&server, "role", with(role.clone(), "active", json!(false)));
        check(false, &format!("{what}, role inactive"));
        store(&server, "role", with(role.clone(), "period", json!({"end": "2025-12-31"})));
        check(false, &format!("{what}, role over"));
        store(&server, "role", role.clone());
        check(true, what);
        store(&server, "dr", json!({"resourceType": "Practitioner", "active": false}));
        check(false, &format!("{what}, left"));
        store(&server, "dr", json!({"resourceType": "Practitioner", "name": [{"family": "dr"}]}));
        store(&server, id, ended);
        check(false, &format!("{what}, ended"));
        remove(&server, "PractitionerRole/role");
    }
    // The version that named them tells them nothing any more.
    store(&server, "rosa", rosa("generalPractitioner", json!([reference("Practitioner/dr")])));
    let version = get(&server, &doctor, "Patient/rosa").json()["meta"]["versionId"].as_str().unwrap().to_owned();
    store(&server, "rosa", patient("rosa"));
    let _ = get(&server, &doctor, &format!("Patient/rosa/_history/{version}")).expect(404);
}

/// G15: an account that no resource stands for has to do with nobody; the directory is everybody's. The house may say
/// otherwise, and that counts with the next request.
#[test]
fn a_clinician_without_a_resource() {
    let server = world();
    let token = server.tokens().token_of_person(&SOMEBODY, None, READS);
    for path in ["Patient", "Observation", "Group", "Binary/x", "AuditEvent"] {
        let _ = get(&server, &token, path).expect(403);
    }
    assert_eq!(get(&server, &token, "Practitioner").expect(200).entries("match").len(), 2);
    server.store().set_house(crate::world::everyone());
    assert_eq!(get(&server, &token, "Patient").expect(200).entries("match").len(), 2);
    server.store().set_house(policy::House::default());
    let _ = get(&server, &token, "Patient").expect(403);
}

/// F7, F8, G13: nobody writes themselves nearer to a patient, on any road of writing.
#[test]
fn nobody_writes_their_own_relation() {
    let server = world();
    store(&server, "luis-of-rosa", related("rosa"));
    store(&server, "luis", person(&["RelatedPerson/luis-of-rosa"]));
    store(&server, "rosa", with(patient("rosa"), "generalPractitioner", json!([reference("Practitioner/dr")])));
    let scope = "user/*.cruds";
    let family = server.tokens().token_of_person(&FAMILY, None, scope);
    let doctor = server.tokens().token_of_person(&DOCTOR, None, scope);
    let refused = |token: &str, resource: &Value| {
        let kind = resource["resourceType"].as_str().unwrap();
        let reply = server.request("POST", kind).token(token).json(resource).send();
        assert_eq!(reply.status, 403, "{resource}");
        let entry = json!({"resource": resource, "request": {"method": "POST", "url": kind}});
        let harmless = json!({"resource": observation("rosa", "survey", "5"), "request": {"method": "POST", "url": "Observation"}});
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [harmless, entry]});
        assert_eq!(server.request("POST", "").token(token).json(&bundle).send().status, 403, "{resource}");
    };
    for resource in [related("pedro"), related("rosa"), person(&["Patient/pedro"])] {
        refused(&family, &resource);
    }
    for (id, resource) in [
        ("luis-of-rosa", with(related("rosa"), "period", json!({"end": "2030"}))),
        ("luis-of-rosa", related("pedro")),
        ("luis", person(&["Patient/pedro"])),
    ] {
        let reply = put(&server, &family, id, resource.clone());
        assert_eq!(reply.status, 403, "{resource}");
        let path = format!("{}/{id}", resource["resourceType"].as_str().unwrap());
        let _ = server.request("DELETE", &path).token(&family).send().expect(403);
    }
    let took_part = with(encounter("pedro"), "participant", json!([{"individual": reference("Practitioner/dr")}]));
    let team = json!({
        "resourceType": "CareTeam", "status": "active", "subject": reference("Patient/pedro"),
        "participant": [{"member": reference("Practitioner/dr")}],
    });
    let role = json!({"resourceType": "PractitionerRole", "practitioner": reference("Practitioner/dr")});
    let both = with(observation("rosa", "survey", "1"), "performer", json!([reference("Patient/pedro")]));
    for resource in [took_part.clone(), team, role, person(&["Patient/pedro"]), related("pedro"), both] {
        refused(&doctor, &resource);
    }
    let _ = put(
        &server,
        &doctor,
        "pedro",
        with(patient("pedro"), "generalPractitioner", json!([reference("Practitioner/dr")])),
    )
    .expect(404);
    assert!(!sees(&server, &doctor, "pedro"));
    // What is within their work works.
    let _ = create(&server, &doctor, &with(took_part, "subject", reference("Patient/rosa")));
    let _ = create(&server, &doctor, &related("rosa"));
    let new = with(patient("new"), "generalPractitioner", json!([reference("Practitioner/dr")]));
    let id = create(&server, &doctor, &new).id();
    let _ = create(&server, &doctor, &observation(&id, "survey", "2"));
    let _ = server.request("POST", "Patient").token(&doctor).json(&patient("another")).send().expect(403);
}

/// Roads, with what could tell of pedro on them.
const ROADS: &[&str] = &[
    "Patient/pedro",
    "Patient/pedro/_history",
    "Patient/pedro/_history/1",
    "Patient?_total=accurate",
    "Patient?_sort=-_lastUpdated",
    "Patient?_sort=family&_count=1",
    "Patient?_id=pedro,rosa",
    "Patient?family:not=rosa",
    "Patient?general-practitioner=Practitioner/dr",
    "Patient?organization=Organization/house",
    "Patient?_has:Observation:subject:code=8867-4",
    "Patient?_has:CareTeam:subject:participant=Practitioner/dr",
    "Patient?_revinclude=Observation:subject&_revinclude=RelatedPerson:patient&_revinclude=CareTeam:patient",
    "Observation/o-pedro",
    "Observation?_total=accurate&_count=1",
    "Observation?_summary=count",
    "Observation?subject=Patient/pedro",
    "Observation?subject:Patient.family=pedro",
    "Observation?code=8867-4&_sort=-date&_count=1",
    "Patient/pedro/Observation",
    "Encounter?participant=Practitioner/dr&_total=accurate",
    "Encounter?service-provider=Organization/house",
    "CareTeam?_total=accurate",
    "CareTeam?status=inactive",
    "RelatedPerson?_total=accurate",
    "RelatedPerson?active=false",
    "Provenance?_include=Provenance:target",
    "Provenance?target=Observation/o-pedro",
    "Practitioner?_has:CareTeam:participant:status=inactive",
    "Practitioner?_has:Encounter:participant:status=cancelled",
    "Practitioner?_revinclude=Encounter:participant&_revinclude=CareTeam:participant",
    "Organization?_has:Encounter:service-provider:status=cancelled",
];

/// Invariant 5: two stores that differ in a patient with whom the caller has nothing to do any more, however near they
/// were, answer with the same bytes.
#[test]
fn twin_worlds() {
    let search = limits::Search { probe_rows: 2, gather_keys: 2, small_join_rows: 2, ..limits::Search::default() };
    let given = Given { secret: [7; 32], search };
    // Equal in both: what the relation to pedro would rest on, without pedro.
    let base = || {
        let server = Server::given(given);
        staffed(&server);
        let role = json!({
            "resourceType": "PractitionerRole", "practitioner": reference("Practitioner/dr"),
            "organization": reference("Organization/house"),
        });
        store(&server, "role", role);
        record(&server, "rosa");
        store(&server, "luis-of-rosa", related("rosa"));
        let links = ["RelatedPerson/luis-of-rosa", "RelatedPerson/luis-of-pedro"];
        store(&server, "luis", person(&links));
        store(&server, "rosa", with(patient("rosa"), "generalPractitioner", json!([reference("Practitioner/dr")])));
        server
    };
    let asked = |server: &Server, person: &Person, context, scope| {
        let token = server.tokens().token_of_person(person, context, scope);
        ROADS.iter().map(|road| shape(&get(server, &token, road), "-")).collect::<Vec<_>>()
    };
    let callers = [
        (&FAMILY, None, "user/*.rs"),
        (&FAMILY, Some("rosa"), "patient/*.rs"),
        (&FAMILY, Some("pedro"), "patient/*.rs user/Observation.rs"),
        (&DOCTOR, None, "user/*.rs"),
        (&DOCTOR, Some("pedro"), "patient/*.rs"),
    ];
    let one = base();
    let before: Vec<_> = callers.iter().map(|(who, context, scope)| asked(&one, who, *context, scope)).collect();
    let two = base();
    record(&two, "pedro");
    store(&two, "luis-of-pedro", with(related("pedro"), "active", json!(false)));
    let team = json!({
        "resourceType": "CareTeam", "status": "inactive", "subject": reference("Patient/pedro"),
        "participant": [{"member": reference("Practitioner/dr")}],
    });
    store(&two, "team", team.clone());
    let stay = with(encounter("pedro"), "participant", json!([{"individual": reference("Practitioner/dr")}]));
    let stay = with(with(stay, "serviceProvider", reference("Organization/ward")), "status", json!("cancelled"));
    store(&two, "stay", stay);
    for ((who, context, scope), before) in callers.iter().zip(&before) {
        for ((ours, theirs), road) in before.iter().zip(asked(&two, who, *context, scope)).zip(ROADS) {
            assert_eq!(*ours, theirs, "{} {context:?} {scope}: {road}", who.id);
        }
    }
    // And it was not in vain: as long as it held, it was seen.
    store(&two, "luis-of-pedro", related("pedro"));
    store(&two, "team", with(team, "status", json!("active")));
    for ((who, context, scope), before) in
        callers.iter().zip(&before).filter(|((_, context, _), _)| *context != Some("rosa"))
    {
        let differ =
            before.iter().zip(asked(&two, who, *context, scope)).filter(|(ours, theirs)| *ours != theirs).count();
        assert!(differ > 10, "{} {context:?}: {differ}", who.id);
    }
}
