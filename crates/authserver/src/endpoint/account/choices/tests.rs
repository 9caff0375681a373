//! Choices about sharing, over a real store: what is shown is what is confirmed, and what counts; whom it is for; forged,
//! stale and second forms. Rows G7, G9, G10, G17, A18.

use super::super::tests::{Browser, somebody, staff};
use crate::{
    choices::Choices,
    ledger::tests::wait,
    people::account::NewAccount,
    testing::{
        World,
        browser::{PASSWORD, Page, accept},
    },
};
use http_body_util::Full;
use oauth::caller::Role;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Person, Server};

const DOCTOR: Person =
    Person { id: "dr", name: "Dora Roth", role: Role::Clinician, fhir_user: Some("Practitioner/d1"), patients: &[] };

/// Ana's record, her doctor, her daughter who decides for her and her son who does not; and another record.
fn facility() -> Server {
    let server = Server::new();
    let of = |id: &str| json!({"reference": format!("Patient/{id}")});
    let observation = |id: &str, of: Value| json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "Weight"}, "subject": of});
    let related = |id: &str, code: &str| {
        let relationship =
            json!([{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": code}]}]);
        json!({"resourceType": "RelatedPerson", "id": id, "patient": of("p1"), "relationship": relationship,
            "name": [{"given": [id], "family": "Ruiz"}]})
    };
    let doctor = json!([{"reference": "Practitioner/d1"}]);
    for resource in [
        json!({"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Roth", "given": ["Dora"]}]}),
        json!({"resourceType": "Patient", "id": "p1", "name": [{"family": "Ruiz"}], "generalPractitioner": doctor}),
        json!({"resourceType": "Patient", "id": "p2", "name": [{"family": "Young"}], "generalPractitioner": doctor}),
        observation("o1", of("p1")),
        observation("o2", of("p1")),
        observation("other", of("p2")),
        related("daughter", "HPOWATT"),
        related("son", "SON"),
    ] {
        put(&server, &resource, 201);
    }
    server
}

fn put(server: &Server, resource: &Value, status: u16) {
    let path = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    let token = server.tokens().token_of_standing("ehr", "system/*.cruds", oauth::caller::Standing::Custodian);
    drop(server.request("PUT", &path).token(&token).json(resource).send().expect(status));
}

fn sees(server: &Server, path: &str) -> bool {
    let doctor = server.tokens().token_of_person(&DOCTOR, None, "user/*.rs");
    server.request("GET", path).token(&doctor).send().status == 200
}

fn consents(server: &Server) -> Vec<Value> {
    let token = server.tokens().token_of_standing("ehr", "system/*.cruds", oauth::caller::Standing::Custodian);
    let bundle = server.request("GET", "Consent").token(&token).send().json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|mut entry| entry["resource"].take()).collect()
}

/// The authorization server beside it.
fn world(server: &Server) -> World {
    let world = World::new();
    let clock = server.clock().clone();
    let choices = Choices::new(Arc::clone(server.store()), Arc::new(move || clock.now()));
    assert!(world.service.inner.choices.set(Arc::new(choices)).is_ok());
    let rest = Arc::clone(server.service());
    // As the binary has it.
    world.service.writes_by(Arc::new(move |caller, address, request| {
        let (rest, peer) = (Arc::clone(&rest), rest::wire::Accepted::new(address));
        Box::pin(async move { rest.answer_page(peer, caller, request.map(Full::new)).await.into_inner().map(|_| ()) })
    }));
    world
}

const WITHHOLD: [(&str, &str); 5] = [
    ("patient", "p1"),
    ("effect", "withhold"),
    ("who", "Practitioner/d1"),
    ("what", "everything"),
    ("emergency", "yes"),
];

async fn ana(world: &World) -> Browser<'_> {
    somebody(world, "ana").await;
    let mut browser = Browser::new(world);
    browser.sign_in("ana", PASSWORD).await;
    browser
}

async fn caregiver<'a>(world: &'a World, id: &str) -> Browser<'a> {
    caregiver_as(world, id, &format!("RelatedPerson/{id}")).await
}

async fn caregiver_as<'a>(world: &'a World, id: &str, own: &str) -> Browser<'a> {
    let fhir_user = Some(own.to_owned());
    let (login, role) = (id.into(), Role::Caregiver);
    let new = NewAccount { login, name: id.into(), role, fhir_user, patients: Vec::new() };
    let link = world.service.add_user(&new).unwrap().1;
    let mut browser = Browser::new(world);
    accept(&mut browser, &link, id).await;
    browser
}

/// Sends the form of a choice.
async fn choose(browser: &mut Browser<'_>, draft: &[(&str, &str)], decision: &str, shown: Option<&str>) -> Page {
    let csrf = browser.get("/account/choices/new?patient=p1").await.field("csrf");
    let mut fields = vec![("csrf", csrf.as_str()), ("decision", decision)];
    fields.extend(draft);
    fields.extend(shown.map(|shown| ("shown", shown)));
    browser.post("/account/choices/new", &fields).await
}

async fn end(browser: &mut Browser<'_>, id: &str, page: &Page) -> Page {
    let (csrf, shown) = (page.field("csrf"), page.field("shown"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("shown", shown.as_str()),
        ("patient", "p1"),
        ("choice", id),
        ("decision", "confirm"),
    ];
    browser.post("/account/choices/end", &fields).await
}

#[test]
fn g9_a_choice_is_shown_made_and_ended_and_counts_at_once() {
    let server = facility();
    let work = async {
        let world = world(&server);
        let _doctor = staff(&world, "dora", Role::Clinician).await;
        let mut ana = ana(&world).await;
        let page = ana.get("/account/choices").await;
        assert!(page.status == 200 && page.body.contains("There are none."), "{}", page.body);
        let entry = world.last_entry();
        assert_eq!((&*entry.subtype, entry.query.as_deref()), ("search-type", Some("Consent?patient=Patient/p1")));
        let form = ana.get("/account/choices/new?patient=p1&who=Practitioner/d1").await;
        assert!(form.body.contains("value=\"Practitioner/d1\" checked"), "{}", form.body);
        let page = choose(&mut ana, &WITHHOLD, "preview", None).await;
        assert_eq!(page.status, 200, "{}", page.body);
        // The Patient, two observations, and the two people whom the record names as hers.
        assert!(page.body.contains("Dora Roth</bdi> will no longer see 5 things"), "{}", page.body);
        assert!(tokio::task::block_in_place(|| consents(&server)).is_empty(), "nothing counts before");
        let made = choose(&mut ana, &WITHHOLD, "confirm", Some(&page.field("shown"))).await;
        assert_eq!((made.status, made.to()), (303, "/account/choices?patient=p1&done=made"), "{}", made.body);
        let (seen, written) = tokio::task::block_in_place(|| (sees(&server, "Observation/o1"), consents(&server)));
        assert!(!seen);
        let id = written[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(written[0]["performer"][0]["reference"], "Patient/p1");
        let list = ana.get("/account/choices?done=made").await;
        for part in
            ["counts from now on", "Not shared with <bdi>Dora Roth</bdi>", "Staff may see it", "End this choice"]
        {
            assert!(list.body.contains(part), "{part}: {}", list.body);
        }
        let path = format!("/account/choices/end?patient=p1&choice={id}");
        let (page, other_tab) = (ana.get(&path).await, ana.get(&path).await);
        assert!(page.body.contains("Dora Roth</bdi> will see 5 more things"), "{}", page.body);
        let ended = end(&mut ana, &id, &page).await;
        assert_eq!((ended.status, ended.to()), (303, "/account/choices?patient=p1&done=ended"), "{}", ended.body);
        assert!(tokio::task::block_in_place(|| sees(&server, "Observation/o1")));
        // A second tab ends nothing twice, and says how it is.
        let again = end(&mut ana, &id, &other_tab).await;
        assert_eq!((again.status, again.to()), (303, "/account/choices?patient=p1"));
        let written = tokio::task::block_in_place(|| consents(&server));
        assert_eq!((&written[0]["status"], &written[0]["meta"]["versionId"]), (&json!("inactive"), &json!("2")));
        assert!(ana.get("/account/choices").await.body.contains("Ended, or never begun"));
    };
    wait(work);
}

/// What was confirmed is what was shown, or it is shown again and nothing is written.
#[test]
fn what_was_shown_is_what_counts() {
    let server = facility();
    let work = async {
        let world = world(&server);
        let _doctor = staff(&world, "dora", Role::Clinician).await;
        let mut ana = ana(&world).await;
        let page = choose(&mut ana, &WITHHOLD, "preview", None).await;
        let shown = page.field("shown");
        // Another choice than the one that was shown; none shown at all.
        let mut other = WITHHOLD;
        other[2] = ("who", "everybody");
        for (draft, shown) in [(&other, Some(shown.as_str())), (&WITHHOLD, None), (&WITHHOLD, Some("x"))] {
            let page = choose(&mut ana, draft, "confirm", shown).await;
            assert!(page.status == 422 && page.body.contains("Please look again"), "{}", page.body);
        }
        // The record grew meanwhile.
        let new = json!({"resourceType": "Observation", "id": "o3", "status": "final", "code": {"text": "New"},
            "subject": {"reference": "Patient/p1"}});
        tokio::task::block_in_place(|| put(&server, &new, 201));
        let page = choose(&mut ana, &WITHHOLD, "confirm", Some(&shown)).await;
        assert!(page.status == 422 && page.body.contains("will no longer see 6 things"), "{}", page.body);
        assert!(tokio::task::block_in_place(|| consents(&server)).is_empty());
        // Shown again, it can be confirmed; once.
        let shown = page.field("shown");
        assert_eq!(choose(&mut ana, &WITHHOLD, "confirm", Some(&shown)).await.status, 303);
        assert_eq!(choose(&mut ana, &WITHHOLD, "confirm", Some(&shown)).await.status, 422);
        assert_eq!(tokio::task::block_in_place(|| consents(&server)).len(), 1);
    };
    wait(work);
}

#[test]
fn forged_and_foreign_forms_write_nothing() {
    let server = facility();
    let work = async {
        let world = world(&server);
        let _doctor = staff(&world, "dora", Role::Clinician).await;
        let mut ana = ana(&world).await;
        let changed = |at: usize, field: (&'static str, &'static str)| {
            let mut draft = WITHHOLD;
            draft[at] = field;
            draft
        };
        for (draft, status) in [
            (changed(0, ("patient", "p2")), 404),
            (changed(1, ("effect", "everything")), 422),
            (changed(2, ("who", "Practitioner/nobody")), 422),
            (changed(2, ("who", "Patient/p2")), 422),
            (changed(3, ("what", "kinds")), 422),
            (changed(3, ("what", "entry")), 422),
            (changed(4, ("until", "2001-01-01")), 422),
        ] {
            assert_eq!(choose(&mut ana, &draft, "preview", None).await.status, status, "{draft:?}");
        }
        let entry = [("entry", "Observation/other")];
        let draft: Vec<_> = changed(3, ("what", "entry")).into_iter().chain(entry).collect();
        assert_eq!(choose(&mut ana, &draft, "preview", None).await.status, 422, "an entry of somebody else");
        let shared = changed(1, ("effect", "share"));
        let draft: Vec<_> =
            shared.into_iter().map(|one| if one.0 == "who" { ("who", "but-carers") } else { one }).collect();
        assert_eq!(choose(&mut ana, &draft, "preview", None).await.status, 422);
        assert_eq!(ana.post("/account/choices/new", &WITHHOLD).await.status, 403, "no token of the form");
        assert_eq!(ana.post("/account/choices/end", &[("patient", "p1"), ("choice", "c")]).await.status, 403);
        assert_eq!(ana.get("/account/choices?patient=p2").await.status, 404);
        assert_eq!(ana.get("/account/choices/end?patient=p1&choice=none").await.status, 404);
        assert!(tokio::task::block_in_place(|| consents(&server)).is_empty());
        // Who they are was proved too long ago: what was typed waits behind the sign-in.
        let csrf = ana.get("/account/choices/new?patient=p1").await.field("csrf");
        world.pass(301);
        assert_eq!(ana.get("/account/choices").await.status, 200);
        assert_eq!(ana.get("/account/choices/new").await.to(), "/account/sign-in?continuation=to-choices");
        let fields: Vec<_> = WITHHOLD.into_iter().chain([("csrf", csrf.as_str()), ("decision", "preview")]).collect();
        let to = ana.post("/account/choices/new", &fields).await;
        assert_eq!(to.to(), "/account/sign-in?continuation=to-choice-new");
        ana.sign_in("ana", PASSWORD).await;
        let form = ana.get("/account/choices/new").await;
        assert!(form.body.contains("value=\"Practitioner/d1\" checked"), "{}", form.body);
        // Once, and not when somebody asks for a form of their own.
        assert!(!ana.get("/account/choices/new").await.body.contains("value=\"Practitioner/d1\" checked"));
        let fields: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != "csrf").collect();
        let csrf = ana.get("/account/choices/new?patient=p1").await.field("csrf");
        world.pass(301);
        let fields: Vec<_> = fields.into_iter().chain([("csrf", csrf.as_str())]).collect();
        assert_eq!(ana.post("/account/choices/new", &fields).await.status, 303);
        ana.sign_in("ana", PASSWORD).await;
        let form = ana.get("/account/choices/new?patient=p1").await;
        assert!(!form.body.contains("value=\"Practitioner/d1\" checked"), "{}", form.body);
        for role in [Role::Clinician, Role::Administrator] {
            let mut other = staff(&world, role.as_str(), role).await;
            assert_eq!(other.get("/account/choices").await.status, 403, "{role:?}");
        }
    };
    wait(work);
}

/// Who may act for the patient by law makes choices; who cares for her otherwise reads them.
#[test]
fn g9_who_decides_for_somebody() {
    let server = facility();
    let work = async {
        let world = world(&server);
        let mut daughter = caregiver(&world, "daughter").await;
        let draft = [
            ("patient", "p1"),
            ("effect", "withhold"),
            ("who", "RelatedPerson/son"),
            ("what", "matters"),
            ("matter", "mind"),
            ("matter", "genes"),
        ];
        let page = choose(&mut daughter, &draft, "preview", None).await;
        assert!(page.body.contains("son Ruiz</bdi> has no account here"), "{}", page.body);
        let made = choose(&mut daughter, &draft, "confirm", Some(&page.field("shown"))).await;
        assert_eq!(made.status, 303, "{}", made.body);
        let written = tokio::task::block_in_place(|| consents(&server));
        assert_eq!(written[0]["performer"][0]["reference"], "RelatedPerson/daughter");
        let labels = written[0]["provision"]["securityLabel"].as_array().unwrap().len();
        assert_eq!(labels, 4, "{}", written[0]);
        let mut son = caregiver(&world, "son").await;
        let list = son.get("/account/choices").await;
        assert!(list.body.contains("Mental health") && !list.body.contains("End this choice"), "{}", list.body);
        assert!(!list.body.contains("/account/choices/new"));
        assert_eq!(son.get("/account/choices/new?patient=p1").await.status, 403);
        let id = written[0]["id"].as_str().unwrap();
        let path = format!("/account/choices/end?patient=p1&choice={id}");
        assert_eq!(son.get(&path).await.to(), "/account/choices?patient=p1");
        assert_eq!(daughter.get(&path).await.status, 200);
        // The mother did not make it: she sees it, and is told whom to ask.
        let mut ana = ana(&world).await;
        assert!(ana.get("/account/choices").await.body.contains("you cannot end it here"));
    };
    wait(work);
}

/// Each form of a choice is a Consent that the service takes, and its preview tells what it really does.
#[test]
fn every_form_of_a_choice_is_taken() {
    let server = facility();
    let work = async {
        let world = world(&server);
        let _doctor = staff(&world, "dora", Role::Clinician).await;
        let _son = caregiver(&world, "son").await;
        let mut ana = ana(&world).await;
        for (draft, told) in [
            // Who is named sees this and nothing more: the page says so before it counts.
            (
                vec![
                    ("effect", "share"),
                    ("who", "Practitioner/d1"),
                    ("what", "kinds"),
                    ("kind", "results"),
                    ("kind", "care"),
                ],
                "Dora Roth</bdi> will no longer see 3 things",
            ),
            (
                vec![("effect", "withhold"), ("who", "but-carers"), ("what", "everything"), ("until", "2030-01-31")],
                "Dora Roth</bdi> will see 4 more things",
            ),
            (
                vec![
                    ("effect", "withhold"),
                    ("who", "RelatedPerson/son"),
                    ("what", "entry"),
                    ("entry", "Observation/o1"),
                ],
                "son Ruiz</bdi> will no longer see 1 thing<",
            ),
            (
                vec![
                    ("effect", "withhold"),
                    ("who", "everybody"),
                    ("what", "matters"),
                    ("matter", "hiv"),
                    ("purpose", "HRESCH"),
                ],
                "Nothing changes for anybody",
            ),
        ] {
            let draft: Vec<_> = [("patient", "p1")].into_iter().chain(draft).collect();
            let page = choose(&mut ana, &draft, "preview", None).await;
            assert!(page.status == 200 && page.body.contains(told), "{told}: {}", page.body);
            let back = choose(&mut ana, &draft, "change", None).await;
            assert!(back.status == 200 && back.body.contains(" checked"), "{}", back.body);
            let made = choose(&mut ana, &draft, "confirm", Some(&page.field("shown"))).await;
            assert_eq!(made.status, 303, "{draft:?} {}", made.body);
        }
        let written = tokio::task::block_in_place(|| consents(&server));
        let policies: std::collections::BTreeSet<&str> =
            written.iter().map(|one| one["policy"][0]["uri"].as_str().unwrap()).collect();
        assert_eq!((written.len(), policies.len()), (4, 4), "none takes another's place");
        let list = ana.get("/account/choices").await.body;
        assert!(!list.contains("cannot tell in plain words") && list.contains("everybody but"), "{list}");
    };
    wait(work);
}

/// Who acts for somebody cannot shut themselves out, and so nobody is left who could end it.
#[test]
fn who_decides_for_somebody_keeps_what_they_see() {
    let server = facility();
    let work = async {
        let world = world(&server);
        let mut daughter = caregiver(&world, "daughter").await;
        let narrow =
            [("patient", "p1"), ("effect", "share"), ("who", "everybody"), ("what", "kinds"), ("kind", "care")];
        let page = choose(&mut daughter, &narrow, "preview", None).await;
        assert!(page.status == 422 && page.body.contains("would hide things from you"), "{}", page.body);
        let all = [("patient", "p1"), ("effect", "withhold"), ("who", "everybody"), ("what", "everything")];
        let page = choose(&mut daughter, &all, "preview", None).await;
        assert!(page.body.contains("everybody but <bdi>daughter Ruiz"), "{}", page.body);
        let made = choose(&mut daughter, &all, "confirm", Some(&page.field("shown"))).await;
        assert_eq!(made.status, 303, "{}", made.body);
        assert!(daughter.get("/account/choices").await.body.contains("End this choice"));
    };
    wait(work);
}

/// A second click, a form that the browser sends again: one Consent.
#[test]
fn a_form_that_is_sent_twice_at_once_is_one_choice() {
    let server = facility();
    let work = async {
        let world = world(&server);
        let mut ana = ana(&world).await;
        let page = choose(&mut ana, &WITHHOLD, "preview", None).await;
        let mut again = Browser { world: &world, cookies: ana.cookies.clone(), address: ana.address };
        let shown = page.field("shown");
        let (first, second) = tokio::join!(
            choose(&mut ana, &WITHHOLD, "confirm", Some(&shown)),
            choose(&mut again, &WITHHOLD, "confirm", Some(&shown))
        );
        assert_eq!((first.status, second.status), (303, 303), "{} {}", first.body, second.body);
        assert_eq!(tokio::task::block_in_place(|| consents(&server)).len(), 1);
    };
    wait(work);
}

/// What was not looked at is said: here visits of more than one look, whose staff may stand in those left out.
#[test]
fn a_preview_of_a_part_says_so() {
    let server = facility();
    let visit = |at: u32| {
        json!({"resourceType": "Encounter", "id": format!("e{at}"), "status": "finished",
            "class": {"code": "IMP"}, "subject": {"reference": "Patient/p1"}})
    };
    let part = "This is not all.";
    let work = async {
        let world = world(&server);
        let mut ana = ana(&world).await;
        for (count, is_part) in [(0..50, false), (50..51, true)] {
            tokio::task::block_in_place(|| count.for_each(|at| put(&server, &visit(at), 201)));
            let page = choose(&mut ana, &WITHHOLD, "preview", None).await;
            assert_eq!(page.body.contains(part), is_part, "{}", page.body);
        }
    };
    wait(work);
}

/// Row F16: what of a record stands on a page is in the log, and everybody whose name does.
#[test]
fn f16_what_the_pages_show_is_recorded() {
    let server = facility();
    let link = |id: &str| json!({"target": {"reference": format!("RelatedPerson/{id}")}});
    let of_young = json!({"resourceType": "RelatedPerson", "id": "niece", "patient": {"reference": "Patient/p2"}});
    put(&server, &of_young, 201);
    let person = json!({"resourceType": "Person", "id": "luis", "link": [link("son"), link("niece")]});
    put(&server, &person, 201);
    let work = async {
        let world = world(&server);
        let mut ana = ana(&world).await;
        let touched = |world: &World| -> Vec<String> {
            let entry = world.last_entry();
            entry.touched.iter().map(|one| format!("{}/{}", one.resource_type, one.id)).collect()
        };
        let _ = ana.get("/account/choices/new?patient=p1").await;
        assert!(touched(&world).contains(&"Observation/o1".to_owned()), "{:?}", touched(&world));
        let _doctor = staff(&world, "dora", Role::Clinician).await;
        let page = choose(&mut ana, &WITHHOLD, "preview", None).await;
        assert_eq!(touched(&world).len(), 5, "the five that are listed: {:?}", touched(&world));
        let _ = choose(&mut ana, &WITHHOLD, "confirm", Some(&page.field("shown"))).await;
        let _ = ana.get("/account/choices").await;
        let id = tokio::task::block_in_place(|| consents(&server))[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(touched(&world), [format!("Consent/{id}")]);
        let mut luis = caregiver_as(&world, "luis", "Person/luis").await;
        let page = luis.get("/account/choices").await;
        assert!(page.body.contains("Young"), "{}", page.body);
        assert_eq!(world.last_entry().patients.len(), 2, "{:?}", world.last_entry().patients);
    };
    wait(work);
}

/// What words cannot tell is there, with its date and whose it is.
#[test]
fn what_cannot_be_told_is_not_hidden() {
    let server = facility();
    let consent = json!({"resourceType": "Consent", "id": "c", "status": "active", "patient": {"reference": "Patient/p1"},
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"text": "x"}], "policyRule": {"text": "x"}, "dateTime": "2026-03-03",
        "performer": [{"reference": "Practitioner/d1"}], "provision": {"type": "deny", "code": [{"text": "x"}]}});
    put(&server, &consent, 201);
    let work = async {
        let world = world(&server);
        let page = ana(&world).await.get("/account/choices").await;
        for part in ["cannot tell in plain words", "March 3, 2026", "Dora Roth"] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
    };
    wait(work);
}
