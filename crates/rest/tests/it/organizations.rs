//! Organizations that came by UDAP: what the relation to a patient opens, on every road, and when it begins and ends.
//! Rows D28, F48, G14, G15, G17, F1 to F5.

use crate::{
    batches::{entry, send, statuses},
    world::{ALL, get, observation, patient, put},
};
use serde_json::{Value, json};
use store::{Given, limits};
use testkit::Server;

const READS: &str = "system/*.rs";

/// The payer whose tokens these tests have, and the house that treats.
const PAYER: Option<&str> = Some("Organization/payer");
const HOUSE: Option<&str> = Some("Organization/house");

fn token(server: &Server, organization: Option<&str>, purpose: &str, scope: &str) -> String {
    server.tokens().token_of_organization(organization, &[purpose], scope)
}

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

/// A coverage of `payer` for the patient of the same name, in force.
fn coverage(patient: &str, payer: &str) -> Value {
    json!({
        "resourceType": "Coverage", "status": "active", "beneficiary": reference(&format!("Patient/{patient}")),
        "payor": [reference(&format!("Organization/{payer}"))],
        "period": { "start": "2025-01-01", "end": "2026-12-31" },
    })
}

fn encounter(patient: &str, part_of: Option<&str>) -> Value {
    let mut encounter = json!({
        "resourceType": "Encounter", "status": "in-progress", "class": { "code": "IMP" },
        "subject": reference(&format!("Patient/{patient}")), "period": { "start": "2025-12-01" },
    });
    if let Some(whole) = part_of {
        encounter["partOf"] = reference(&format!("Encounter/{whole}"));
    }
    encounter
}

fn claim(patient: &str, payer: &str, encounter: &str) -> Value {
    let code = json!({ "text": "x" });
    json!({
        "resourceType": "Claim", "status": "active", "type": code, "use": "claim", "priority": code,
        "patient": reference(&format!("Patient/{patient}")), "created": "2026-01-01",
        "provider": reference("Organization/house"), "insurer": reference(&format!("Organization/{payer}")),
        "insurance": [{ "sequence": 1, "focal": true, "coverage": reference(&format!("Coverage/{patient}")) }],
        "item": [{ "sequence": 1, "productOrService": code, "encounter": [reference(&format!("Encounter/{encounter}"))] }],
    })
}

fn benefit(patient: &str, payer: &str, coverage: &str) -> Value {
    let code = json!({ "text": "x" });
    json!({
        "resourceType": "ExplanationOfBenefit", "status": "active", "type": code, "use": "claim",
        "patient": reference(&format!("Patient/{patient}")), "created": "2026-01-01", "outcome": "complete",
        "provider": reference("Organization/house"), "insurer": reference(&format!("Organization/{payer}")),
        "insurance": [{ "focal": true, "coverage": reference(&format!("Coverage/{coverage}")) }],
    })
}

fn team(patient: &str) -> Value {
    json!({
        "resourceType": "CareTeam", "status": "active", "subject": reference(&format!("Patient/{patient}")),
        "participant": [{ "member": reference("Organization/house") }],
    })
}

fn seen(patient: &str, encounter: Option<&str>) -> Value {
    let mut seen = observation(patient, "survey", "1");
    if let Some(encounter) = encounter {
        seen["encounter"] = reference(&format!("Encounter/{encounter}"));
    }
    seen
}

fn store(server: &Server, id: &str, resource: Value) {
    let all = server.token_for(ALL);
    let reply = put(server, &all, id, resource);
    assert!(reply.status < 300, "{id}: {}", reply.text());
}

/// What is the same for each of them; `claimed`: a claim to the payer is for the stay.
fn record(server: &Server, id: &str, claimed: bool) {
    store(server, id, patient(id));
    let named = |what: &str| format!("{id}-{what}");
    store(server, &named("stay"), encounter(id, None));
    store(server, &named("part"), encounter(id, Some(&named("stay"))));
    store(server, &named("visit"), encounter(id, None));
    store(server, &named("seen"), seen(id, Some(&named("part"))));
    store(server, &named("aside"), seen(id, Some(&named("visit"))));
    store(server, &named("loose"), seen(id, None));
    let system = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    let allergy = json!({
        "resourceType": "AllergyIntolerance", "patient": reference(&format!("Patient/{id}")),
        "clinicalStatus": { "coding": [{ "system": system, "code": "active" }] },
    });
    store(server, &named("allergy"), allergy);
    if claimed {
        store(server, &named("claim"), claim(id, "payer", &named("stay")));
    }
}

/// `ann` is a member of the payer, `ben` of another one; both have all of a record.
fn world() -> Server {
    world_on(Server::new())
}

fn world_on(server: Server) -> Server {
    for id in ["payer", "other", "house"] {
        store(&server, id, json!({ "resourceType": "Organization", "name": id }));
    }
    for (id, payer) in [("ann", "payer"), ("ben", "other")] {
        store(&server, id, patient(id));
        store(&server, id, coverage(id, payer));
        record(&server, id, true);
        store(&server, &format!("{id}-other-claim"), claim(id, "other", &format!("{id}-visit")));
        store(&server, &format!("{id}-benefit"), benefit(id, payer, id));
    }
    // A second insurance of ann, and what that pays.
    store(&server, "ann-second", coverage("ann", "other"));
    store(&server, "ann-other-benefit", benefit("ann", "other", "ann-second"));
    server
}

fn found(server: &Server, token: &str, path: &str) -> Vec<String> {
    let mut found = get(server, token, path).expect(200).entries("match");
    found.sort();
    found
}

/// G14, F1, F5: read, vread, history: what is outside is not there, with the same bytes as what never was.
#[test]
fn a_payer_reads_its_members_alone() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", READS);
    for path in [
        "Patient/ann",
        "Patient/ann/_history",
        "Encounter/ann-stay",
        "Encounter/ann-part/_history/1",
        "Observation/ann-seen",
        "Claim/ann-claim",
        "Coverage/ann",
        "ExplanationOfBenefit/ann-benefit",
        "Organization/other",
    ] {
        let _ = get(&server, &payer, path).expect(200);
    }
    for (path, id) in [
        ("Patient/ben", "ben"),
        ("Encounter/ben-stay", "ben-stay"),
        // Claimed from this payer by mistake: still none of its members.
        ("Claim/ben-claim", "ben-claim"),
        ("Observation/ben-seen", "ben-seen"),
        ("Coverage/ben", "ben"),
        // Of a member, and no business of this payer.
        ("Coverage/ann-second", "ann-second"),
        ("Claim/ann-other-claim", "ann-other-claim"),
        ("ExplanationOfBenefit/ann-other-benefit", "ann-other-benefit"),
        ("Observation/ann-aside", "ann-aside"),
        ("Observation/ann-loose", "ann-loose"),
    ] {
        for tail in ["", "/_history", "/_history/1"] {
            let hidden = get(&server, &payer, &format!("{path}{tail}")).expect(404);
            let absent = get(&server, &payer, &format!("{}nobody{tail}", &path[..path.len() - id.len()]));
            assert_eq!(hidden.body, absent.body, "{path}{tail}");
        }
    }
    for path in ["AuditEvent", "Group", "Binary/1"] {
        let _ = get(&server, &payer, path).expect(403);
    }
    // A consent could give it these (row G16); none does.
    let _ = get(&server, &payer, "AllergyIntolerance/ann-allergy").expect(404);
    assert!(found(&server, &payer, "AllergyIntolerance").is_empty());
}

/// F2 to F4: totals, sorting, pages, compartments, includes both ways, chains and `_has`.
#[test]
fn searches_joins_and_includes_stay_within_the_members() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", READS);
    assert_eq!(found(&server, &payer, "Patient"), ["Patient/ann"]);
    assert_eq!(get(&server, &payer, "Patient?_summary=count").json()["total"], 1);
    assert_eq!(get(&server, &payer, "Encounter?_total=accurate&_sort=-date").json()["total"], 3);
    assert_eq!(found(&server, &payer, "Patient?_id=ann,ben"), ["Patient/ann"]);
    assert_eq!(found(&server, &payer, "Coverage?payor=Organization/payer,Organization/other"), ["Coverage/ann"]);
    assert_eq!(found(&server, &payer, "Claim?_sort=created"), ["Claim/ann-claim"]);
    assert_eq!(found(&server, &payer, "Observation"), ["Observation/ann-seen"]);
    let part = "Encounter?part-of=Encounter/ann-stay&date=ge2025-12-01";
    assert_eq!(found(&server, &payer, part), ["Encounter/ann-part"]);
    assert!(found(&server, &payer, "Encounter?part-of=Encounter/ben-stay&date=ge2025-12-01").is_empty());
    assert_eq!(found(&server, &payer, "Patient/ann/Encounter").len(), 3);
    assert!(found(&server, &payer, "Patient/ben/Encounter").is_empty());
    let page = get(&server, &payer, "Encounter?_count=2&_sort=_id").expect(200);
    let next = get(&server, &payer, &page.link("next").unwrap()).expect(200);
    assert_eq!(next.entries("match"), ["Encounter/ann-visit"]);
    assert_eq!(next.link("next"), None, "nothing hints at the others");

    let include = |path: &str| {
        let mut included = get(&server, &payer, path).expect(200).entries("include");
        included.sort();
        included
    };
    let back = "Patient?_revinclude=Encounter:subject&_revinclude=Claim:patient&_revinclude=Observation:subject";
    let own = ["Claim/ann-claim", "Encounter/ann-part", "Encounter/ann-stay", "Encounter/ann-visit"];
    assert_eq!(include(back), [&own[..], &["Observation/ann-seen"]].concat());
    assert!(include("Patient?_revinclude=AllergyIntolerance:patient").is_empty());
    assert_eq!(include("Claim?_include=Claim:patient&_include=Claim:insurer"), ["Organization/payer", "Patient/ann"]);
    // A provider is in the directory, its patients are not.
    let directory =
        get(&server, &payer, "Organization?_revinclude=Claim:insurer&_revinclude=Coverage:payor").expect(200);
    assert_eq!(directory.entries("match").len(), 3);
    assert_eq!(directory.entries("include"), ["Claim/ann-claim", "Coverage/ann"]);

    assert_eq!(found(&server, &payer, "Encounter?subject:Patient.family=ann").len(), 3);
    assert!(found(&server, &payer, "Encounter?subject:Patient.family=ben").is_empty());
    assert_eq!(found(&server, &payer, "Patient?_has:Claim:patient:insurer=Organization/payer"), ["Patient/ann"]);
    for hidden in ["Claim:patient:insurer=Organization/other", "AllergyIntolerance:patient:_id=ann-allergy"] {
        let reply = get(&server, &payer, &format!("Patient?_has:{hidden}"));
        assert!(reply.status == 403 || reply.entries("match").is_empty(), "{hidden}: {}", reply.text());
    }
    assert_eq!(found(&server, &payer, "Organization?_has:Coverage:payor:status=active"), ["Organization/payer"]);
}

/// B31, G14: entries of bundles; nothing is written, whatever the scopes say.
#[test]
fn bundles_and_writes() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", ALL);
    let entries = [
        entry("GET", "Patient/ann", None),
        entry("GET", "Patient/ben", None),
        entry("GET", "Encounter?subject=Patient/ben", None),
        entry("GET", "AllergyIntolerance/ann-allergy", None),
        entry("POST", "Claim", Some(claim("ann", "payer", "ann-stay"))),
        entry("DELETE", "Claim/ann-claim", None),
    ];
    let reply = send(&server, &payer, "batch", &entries).expect(200);
    let statuses: Vec<String> = statuses(&reply).iter().map(|status| status[..3].to_owned()).collect();
    assert_eq!(statuses, ["200", "404", "200", "404", "403", "403"]);
    assert_eq!(reply.json()["entry"][2]["resource"]["total"], 0);
    let read = send(&server, &payer, "transaction", &entries[..3]).expect(200);
    assert_eq!(self::statuses(&read), ["200 OK", "404 Not Found", "200 OK"]);
    let _ = send(&server, &payer, "transaction", &entries[..5]).expect(403);
    for (method, path) in [("POST", "Claim"), ("PUT", "Claim/ann-claim"), ("DELETE", "Claim/ann-claim")] {
        let request = server.request(method, path).token(&payer).json(&claim("ann", "payer", "ann-stay"));
        let refused = request.send().expect(403);
        assert!(refused.text().contains("purpose of use"), "{}", refused.text());
    }
    let unless = server.request("POST", "Claim").token(&payer).header("if-none-exist", "patient=Patient/ben");
    let _ = unless.json(&claim("ben", "payer", "ben-stay")).send().expect(403);
}

/// F14: as for every caller for whom a part is hidden.
#[test]
fn what_could_tell_by_its_time_is_held_back() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", READS);
    for path in ["Patient/ben", "Patient/nobody", "Encounter?subject=Patient/ben", "Encounter/ann-stay/_history"] {
        let before = server.holds();
        let _ = get(&server, &payer, path);
        assert_eq!(server.holds() - before, 1, "{path}");
    }
}

/// G17: a change of what the relation is made of counts with the next request, for a live token too.
#[test]
fn a_coverage_that_changes_changes_what_is_seen_at_once() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", READS);
    let sees = |id: &str| {
        let is_found = !found(&server, &payer, &format!("Patient?_id={id}")).is_empty();
        assert_eq!(get(&server, &payer, &format!("Patient/{id}")).status == 200, is_found, "{id}: roads agree");
        let encounters = found(&server, &payer, &format!("Encounter?subject=Patient/{id}"));
        assert_eq!(encounters.len() == 3, is_found, "{id}: {encounters:?}");
        is_found
    };
    let with = |pointer: &str, value: Value| {
        let mut changed = coverage("ann", "payer");
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    assert!(sees("ann") && !sees("ben"));
    for (pointer, value) in [
        ("/status", json!("cancelled")),
        ("/status", json!("draft")),
        ("/status", json!("entered-in-error")),
        ("/payor/0/reference", json!("Organization/other")),
        ("/payor/0/reference", json!("Patient/payer")),
        ("/payor/0", json!({ "identifier": { "system": "urn:ietf:rfc:3986", "value": "https://partner.test" } })),
        ("/payor/0", json!({ "display": "payer" })),
        ("/beneficiary/reference", json!("Patient/cleo")),
        ("/period", json!({ "start": "2024-01-01", "end": "2024-12-31" })),
        ("/period", json!({ "start": "2026-01-02" })),
        ("/period", json!({ "end": "2024-12" })),
    ] {
        store(&server, "ann", with(pointer, value.clone()));
        assert!(!sees("ann"), "{pointer} {value}");
        store(&server, "ann", coverage("ann", "payer"));
        assert!(sees("ann"));
    }
    for (pointer, value) in [
        ("/period", json!({ "start": "2026-01-01" })),
        ("/period", json!({ "end": "2026-01-01" })),
        ("/period", json!({ "end": "2026" })),
    ] {
        store(&server, "ann", with(pointer, value.clone()));
        assert!(sees("ann"), "{pointer} {value}");
    }
    let mut always = coverage("ann", "payer");
    always.as_object_mut().unwrap().remove("period");
    store(&server, "ann", always);
    assert!(sees("ann"), "no period, no end");
    let all = server.token_for(ALL);
    let _ = server.request("DELETE", "Coverage/ann").token(&all).send().expect(204);
    assert!(!sees("ann"));
    store(&server, "ben-new", coverage("ben", "payer"));
    assert!(sees("ben"), "and a new one counts at once");
}

/// G17: a period begins and ends without any write.
#[test]
fn a_coverage_begins_and_ends_by_the_clock() {
    let server = world();
    let mut house = policy::House::default();
    house.payer_lookback_ms = 0;
    server.store().set_house(house);
    let mut short = coverage("ann", "payer");
    short["period"] = json!({ "start": "2026-01-01T00:01:00Z", "end": "2026-01-01T00:02:00Z" });
    store(&server, "ann", short);
    let payer = token(&server, PAYER, "HPAYMT", READS);
    let begin_s = server.clock().now().unix_seconds();
    for (after_s, status) in [(0, 404), (59, 404), (60, 200), (119, 200), (120, 200), (121, 404), (200, 404)] {
        server.clock().advance_s(after_s + begin_s - server.clock().now().unix_seconds());
        assert_eq!(get(&server, &payer, "Patient/ann").status, status, "after {after_s} s");
        assert_eq!(found(&server, &payer, "Encounter").is_empty(), status == 404, "after {after_s} s");
        assert_eq!(get(&server, &payer, "Encounter/ann-stay").status, status, "after {after_s} s");
    }
}

/// G14: what a Coverage covered is settled after it ended: for as long as the facility says, and what it covered alone.
#[test]
fn what_was_covered_is_seen_for_a_while_after() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", READS);
    let covers = |period: Value| {
        let mut covered = coverage("ann", "payer");
        covered["period"] = period;
        store(&server, "ann", covered);
        get(&server, &payer, "Patient/ann").status == 200
    };
    assert!(covers(json!({ "start": "2024-06-01", "end": "2025-01-02" })), "365 days ago");
    assert_eq!(found(&server, &payer, "Encounter"), [] as [&str; 0], "but not what came after it");
    assert!(get(&server, &payer, "Observation/ann-seen").status == 404);
    assert_eq!(found(&server, &payer, "Claim"), ["Claim/ann-claim"], "what was sent to it");
    assert!(!covers(json!({ "start": "2024-06-01", "end": "2024-12-31" })), "366 days ago");
    let mut house = policy::House::default();
    house.payer_lookback_ms = 0;
    server.store().set_house(house);
    assert!(!covers(json!({ "start": "2024-06-01", "end": "2025-12-31" })));
}

/// G14: of a member, the stays and what was done within a covered period; one billing period is one timepoint's window.
#[test]
fn a_payer_sees_the_covered_period_alone() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", READS);
    let covered = |period: Value| {
        let mut coverage = coverage("ann", "payer");
        coverage["period"] = period;
        store(&server, "ann", coverage);
    };
    let stay = |id: &str, part_of: Option<&str>, period: Value| {
        let mut stay = encounter("ann", part_of);
        stay["period"] = period;
        store(&server, id, stay);
    };
    let seen_on = |id: &str, encounter: &str, date: &str| {
        let mut seen = seen("ann", Some(encounter));
        seen["effectiveDateTime"] = json!(date);
        store(&server, id, seen);
    };
    // Two timepoints of one stay, at the border of the coverage.
    stay("ann-stay", None, json!({ "start": "2025-11-01", "end": "2025-12-31" }));
    stay("ann-part", Some("ann-stay"), json!({ "start": "2025-11-01", "end": "2025-11-30" }));
    stay("ann-part-2", Some("ann-stay"), json!({ "start": "2025-12-01", "end": "2025-12-31" }));
    stay("ann-visit", None, json!({ "start": "2025-10-01", "end": "2025-10-01" }));
    seen_on("ann-seen", "ann-part", "2025-11-15T10:00:00Z");
    seen_on("ann-seen-2", "ann-part-2", "2025-12-15T10:00:00Z");
    seen_on("ann-seen-3", "ann-part-2", "2025-11-29T10:00:00Z");
    covered(json!({ "start": "2025-12-01" }));
    assert_eq!(found(&server, &payer, "Encounter"), ["Encounter/ann-part-2", "Encounter/ann-stay"]);
    let audit = "Encounter?patient=Patient/ann&part-of=Encounter/ann-stay&date=ge2025-11";
    assert_eq!(found(&server, &payer, audit), ["Encounter/ann-part-2"], "one billing period is one window");
    assert_eq!(found(&server, &payer, "Observation"), ["Observation/ann-seen-2"], "done in it, and covered itself");
    for (path, status) in [
        ("Encounter/ann-part", 404),
        ("Encounter/ann-part-2", 200),
        ("Encounter/ann-visit", 404),
        ("Observation/ann-seen", 404),
        ("Observation/ann-seen-3", 404),
    ] {
        assert_eq!(get(&server, &payer, path).status, status, "{path}");
    }
    let joined = "Encounter?_has:Observation:encounter:_id=ann-seen,ann-seen-2,ann-seen-3";
    assert_eq!(found(&server, &payer, joined), ["Encounter/ann-part-2"]);
    let along = get(&server, &payer, "Encounter?_id=ann-stay&_revinclude=Encounter:part-of").entries("include");
    assert_eq!(along, ["Encounter/ann-part-2"]);
    // Two coverages of this payer add up; another's lends it nothing.
    let mut earlier = coverage("ann", "other");
    earlier["period"] = json!({ "end": "2025-11-30" });
    store(&server, "ann-earlier", earlier.clone());
    assert_eq!(found(&server, &payer, "Encounter").len(), 2);
    earlier["payor"] = json!([reference("Organization/payer")]);
    store(&server, "ann-earlier", earlier);
    assert_eq!(found(&server, &payer, "Encounter").len(), 4);
    // A stay without a period is in none, unless all time is covered.
    let mut undated = encounter("ann", None);
    undated.as_object_mut().unwrap().remove("period");
    store(&server, "ann-undated", undated);
    assert_eq!(found(&server, &payer, "Encounter").len(), 4);
    let mut always = coverage("ann", "payer");
    always.as_object_mut().unwrap().remove("period");
    store(&server, "ann", always);
    assert_eq!(found(&server, &payer, "Encounter").len(), 5);
}

/// G14: what a claim rests on is seen while there is an active claim to this payer for it.
#[test]
fn clinical_data_goes_with_a_claim() {
    let server = world();
    let payer = token(&server, PAYER, "HPAYMT", READS);
    let sees = || get(&server, &payer, "Observation/ann-seen").status == 200;
    assert!(sees(), "of a part of the stay that is claimed");
    let mut cancelled = claim("ann", "payer", "ann-stay");
    cancelled["status"] = json!("cancelled");
    store(&server, "ann-claim", cancelled);
    assert!(!sees());
    store(&server, "ann-claim", claim("ann", "other", "ann-stay"));
    assert!(!sees(), "claimed from another");
    store(&server, "ann-claim", claim("ann", "payer", "ann-part"));
    assert!(sees());
    store(&server, "ann-claim", claim("ann", "payer", "ann-visit"));
    assert!(!sees());
    assert_eq!(found(&server, &payer, "Observation"), ["Observation/ann-aside"]);
}

/// G15: the record of those whom the organization treats, and of nobody else.
#[test]
fn a_house_that_treats_reads_records() {
    let server = world();
    let house = token(&server, HOUSE, "TREAT", READS);
    let payer = token(&server, PAYER, "TREAT", READS);
    let sees = |id: &str| {
        let is_found = !found(&server, &house, &format!("Patient?_id={id}")).is_empty();
        assert_eq!(get(&server, &house, &format!("Patient/{id}")).status == 200, is_found);
        assert_eq!(get(&server, &house, &format!("AllergyIntolerance/{id}-allergy")).status == 200, is_found);
        assert_eq!(
            found(&server, &house, &format!("Observation?subject=Patient/{id}")).len(),
            usize::from(is_found) * 3
        );
        assert!(get(&server, &payer, &format!("Patient/{id}")).status == 404, "to pay is not to treat");
        is_found
    };
    assert!(!sees("ann"));
    let team_with = |pointer: &str, value: Value| {
        let mut changed = team("ann");
        changed["period"] = json!({ "start": "2025-01-01" });
        changed["managingOrganization"] = json!([]);
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.as_object_mut().unwrap().retain(|_, value| *value != json!([]));
        changed
    };
    store(&server, "ann-team", team("ann"));
    assert!(sees("ann") && !sees("ben"));
    for (pointer, value) in [
        ("/status", json!("inactive")),
        ("/period", json!({ "start": "2025-01-01", "end": "2025-12-31" })),
        ("/participant", json!([{ "member": reference("Organization/other") }])),
        ("/subject/reference", json!("Patient/ben")),
    ] {
        store(&server, "ann-team", team_with(pointer, value.clone()));
        assert!(!sees("ann"), "{pointer} {value}");
    }
    assert!(sees("ben"), "the team is ben's now");
    let mut manages = team_with("/participant", json!([]));
    manages["managingOrganization"] = json!([reference("Organization/house")]);
    store(&server, "ann-team", manages);
    assert!(sees("ann") && !sees("ben"));
    store(&server, "ann-team", team_with("/status", json!("inactive")));
    assert!(!sees("ann"));
    for (member, value) in [
        ("generalPractitioner", json!([reference("Organization/house")])),
        ("managingOrganization", reference("Organization/house")),
    ] {
        let mut named = patient("ann");
        named[member] = value;
        store(&server, "ann", named);
        assert!(sees("ann"), "{member}");
        let version = get(&server, &house, "Patient/ann").json()["meta"]["versionId"].as_str().unwrap().to_owned();
        store(&server, "ann", patient("ann"));
        assert!(!sees("ann"), "{member}");
        // The version that named it tells it nothing any more.
        let _ = get(&server, &house, &format!("Patient/ann/_history/{version}")).expect(404);
        let _ = get(&server, &house, "Patient/ann/_history").expect(404);
    }
}

/// F48: other purposes, and an organization that nobody here stands for, have the directory.
#[test]
fn other_purposes_and_strangers() {
    let server = world();
    for (organization, purpose) in
        [(PAYER, "SYSDEV"), (PAYER, "HOPERAT"), (HOUSE, "PATRQT"), (None, "HPAYMT"), (None, "TREAT")]
    {
        let token = token(&server, organization, purpose, ALL);
        assert_eq!(found(&server, &token, "Organization").len(), 3, "{purpose}");
        // Whom somebody here stands for a consent could give something; none does.
        let (searched, read) = if organization.is_some() { (200, 404) } else { (403, 403) };
        for path in ["Patient", "Coverage", "Patient/ann/Encounter"] {
            let reply = get(&server, &token, path).expect(searched);
            assert!(reply.entries("match").is_empty(), "{purpose}: {path}");
        }
        for path in ["Patient/ann", "Claim/ann-claim"] {
            assert_eq!(get(&server, &token, path).status, read, "{purpose}: {path}");
        }
        let _ = get(&server, &token, "AuditEvent").expect(403);
        assert!(get(&server, &token, "Organization?_revinclude=Claim:insurer").entries("include").is_empty());
    }
    // Of two purposes what both open, and scopes narrow.
    let both = server.tokens().token_of_organization(HOUSE, &["TREAT", "HPAYMT"], "system/Patient.rs");
    store(&server, "ben-house", coverage("ben", "house"));
    store(&server, "ann-team", team("ann"));
    assert!(found(&server, &both, "Patient").is_empty());
    store(&server, "ben-team", team("ben"));
    assert_eq!(found(&server, &both, "Patient"), ["Patient/ben"]);
    let _ = get(&server, &both, "Encounter").expect(403);
    // For marketing nothing is given, whatever else it is for.
    let more = server.tokens().token_of_organization(HOUSE, &["TREAT", "HMARKT"], "system/Patient.rs");
    assert!(found(&server, &more, "Patient").is_empty());
    assert_eq!(found(&server, &token(&server, HOUSE, "TREAT", "system/Patient.rs"), "Patient").len(), 2);
}

/// D28, F16, F18: the log says for whom and why, of what was answered and of what was refused.
#[test]
fn the_log_names_the_organization_and_its_purpose() {
    let server = world();
    let payer = token(&server, PAYER, "CLMATTCH", READS);
    let _ = get(&server, &payer, "Patient/ann").expect(200);
    let _ = get(&server, &payer, "Group/ann-group").expect(403);
    let auditor = server.token_for("system/AuditEvent.rs");
    let events = get(&server, &auditor, "AuditEvent?agent=Organization/payer").expect(200).json();
    let events = events["entry"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    for (event, outcome) in events.iter().zip(["4", "0"]) {
        let event = &event["resource"];
        assert_eq!(event["outcome"], outcome);
        assert_eq!(event["purposeOfEvent"][0]["coding"][0]["code"], "CLMATTCH");
        let agents = event["agent"].as_array().unwrap();
        assert_eq!(agents.len(), 4);
        assert_eq!(agents[2]["name"], "Nightly review");
        assert_eq!(agents[3]["who"]["identifier"]["value"], "https://partner.test");
        assert_eq!(agents[3]["purposeOfUse"], event["purposeOfEvent"]);
    }
    let by_uri = "AuditEvent?agent:identifier=urn:ietf:rfc:3986|https://partner.test&subtype=read";
    assert_eq!(get(&server, &auditor, by_uri).expect(200).entries("match").len(), 2);
}

/// Roads that a payer can go, with what could tell of others on them.
const ROADS: &[&str] = &[
    "Patient/ann",
    "Patient/zed",
    "Patient/zed/_history",
    "Patient/zed/_history/1",
    "Patient?_total=accurate",
    "Patient?_sort=-_lastUpdated",
    "Patient?_sort=family&_count=1",
    "Patient?_id=zed,ann",
    "Patient?family=zed",
    "Patient?family:not=ann",
    "Patient?_has:Claim:patient:insurer=Organization/payer",
    "Patient?_has:Coverage:beneficiary:payor=Organization/payer",
    "Patient?_revinclude=Encounter:subject&_revinclude=Coverage:beneficiary&_revinclude=Claim:patient",
    "Coverage?_total=accurate",
    "Coverage?payor=Organization/payer&_sort=-_lastUpdated",
    "Coverage?beneficiary=Patient/zed",
    "Coverage?status:not=active",
    "Coverage/zed",
    "Encounter?_count=1&_sort=-date",
    "Encounter?_summary=count",
    "Encounter?subject:Patient.family=zed",
    "Encounter?part-of=Encounter/zed-stay&date=ge2025",
    "Patient/zed/Encounter",
    "Claim?insurer=Organization/payer&_total=accurate",
    "Claim?encounter=Encounter/zed-stay",
    "Claim/zed-claim",
    "Observation?_total=accurate",
    "Observation?encounter=Encounter/zed-part",
    "Observation?encounter.subject:Patient.family=zed",
    "Organization?_has:Coverage:payor:status=cancelled",
    "Organization?_has:Coverage:payor:beneficiary=Patient/zed",
    "Organization?_revinclude=Coverage:payor&_revinclude=Claim:insurer",
    "ExplanationOfBenefit?_total=accurate",
    "ExplanationOfBenefit?coverage.payor=Organization/payer",
];

/// Invariant 5: two stores that differ in a patient who is no member, however near they came to be one, answer with the
/// same bytes.
#[test]
fn twin_worlds() {
    let mut ended = coverage("zed", "payer");
    ended["period"] = json!({ "end": "2024-12-31" });
    let mut future = coverage("zed", "payer");
    future["period"] = json!({ "start": "2026-06" });
    let mut cancelled = coverage("zed", "payer");
    cancelled["status"] = json!("cancelled");
    // Equal positions have equal cursors, and small worlds go every way that a search can go.
    let search = limits::Search { probe_rows: 2, gather_keys: 2, small_join_rows: 2, ..limits::Search::default() };
    let given = Given { secret: [7; 32], search };
    let one = world_on(Server::given(given));
    let asked = |server: &Server| {
        let token = token(server, PAYER, "HPAYMT", READS);
        let batch: Vec<Value> = ROADS.iter().map(|path| entry("GET", path, None)).collect();
        let mut replies: Vec<_> = ROADS.iter().map(|path| get(server, &token, path)).collect();
        replies.push(send(server, &token, "batch", &batch));
        replies
    };
    let before = asked(&one);
    for (what, coverage) in
        [("of another", coverage("zed", "other")), ("ended", ended), ("to come", future), ("cancelled", cancelled)]
    {
        let two = world_on(Server::given(given));
        record(&two, "zed", true);
        store(&two, "zed", coverage);
        store(&two, "zed-benefit", benefit("zed", "payer", "zed"));
        let after = asked(&two);
        for (at, (ours, theirs)) in before.iter().zip(&after).enumerate() {
            let road = ROADS.get(at).copied().unwrap_or("batch");
            assert_eq!((ours.status, ours.text()), (theirs.status, theirs.text()), "{what}: {road}");
        }
        // And it was not in vain: a member would be seen.
        store(&two, "zed", self::coverage("zed", "payer"));
        assert!(asked(&two).iter().zip(&before).filter(|(ours, theirs)| ours.body != theirs.body).count() > 20);
    }
}

/// F48: what a request says that it is for narrows it, within what was asserted, in bundles too.
#[test]
fn a_request_names_the_purpose_it_is_for() {
    let server = world();
    store(&server, "team-of-ben", team("ben"));
    let both = server.tokens().token_of_organization(Some("Organization/house"), &["TREAT", "HPAYMT"], READS);
    let asks =
        |path: &str, purpose: &str| server.request("GET", path).token(&both).header("x-purpose-of-use", purpose).send();
    assert!(found(&server, &both, "Patient").is_empty(), "for payment there is nothing");
    for purpose in ["TREAT", "COC,TREAT", "http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT"] {
        assert_eq!(asks("Patient", purpose).expect(200).entries("match"), ["Patient/ben"], "{purpose}");
    }
    assert!(asks("Patient", "CLMATTCH").expect(200).entries("match").is_empty());
    let hidden = asks("Patient/ben", "HPAYMT").expect(404);
    assert_eq!(hidden.body, get(&server, &both, "Patient/nobody").body);
    // What it may not act for, what claims an emergency, and what is no purpose.
    for purpose in ["HRESCH", "TREAT,HRESCH", "ETREAT", "BTG", "treat", "", ",", "urn:x|TREAT"] {
        let refused = asks("Patient", purpose).expect(403).json();
        assert_eq!(refused["issue"][0]["expression"][0], "http.x-purpose-of-use", "{purpose}");
        let text = refused["issue"][0]["diagnostics"].as_str().unwrap();
        assert!(text.contains("may name TREAT, HPAYMT and what lies below"), "{text}");
    }
    let twice = server.request("GET", "Patient").token(&both).header("x-purpose-of-use", "TREAT");
    let _ = twice.header("x-purpose-of-use", "HPAYMT").send().expect(400);
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [entry("GET", "Patient/ben", None)] });
    let send = |purpose: &str| {
        let request = server.request("POST", "").token(&both).header("x-purpose-of-use", purpose);
        statuses(&request.json(&batch).send().expect(200))
    };
    assert_eq!((send("TREAT"), send("HPAYMT")), (vec!["200 OK".to_owned()], vec!["404 Not Found".to_owned()]));
    // A system of the facility's own: treatment, unless it was registered for more.
    let own = server.token_for(READS);
    let _ = server.request("GET", "Patient").token(&own).header("x-purpose-of-use", "COC").send().expect(200);
    let _ = server.request("GET", "Patient").token(&own).header("x-purpose-of-use", "HPAYMT").send().expect(403);
}
