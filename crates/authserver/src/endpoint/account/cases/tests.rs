//! The queue of emergencies: who sees it, what stands there, and who judges. Rows F50, F16.

use super::super::{
    emergency::tests::{clinician, facility, open},
    tests::{Browser, Page, accept, add_second_factor, staff},
};
use crate::{people::account::NewAccount, records::Look, testing::World};
use audit::entry::Outcome;
use oauth::caller::Role;

const QUEUE: &str = "/account/cases";

/// A privacy officer who is no practitioner.
async fn officer<'a>(world: &'a World, login: &str) -> Browser<'a> {
    let new = NewAccount {
        login: login.into(),
        name: "Ines Okafor".into(),
        role: Role::PrivacyOfficer,
        fhir_user: None,
        patients: Vec::new(),
    };
    let (_, link) = world.service.add_user(&new).unwrap();
    let mut browser = Browser::new(world);
    let _ = accept(&mut browser, &link, login).await;
    add_second_factor(&mut browser).await;
    browser
}

async fn judged(browser: &mut Browser<'_>, case: &str, verdict: &str, note: &str) -> Page {
    let csrf = browser.get(&format!("/account/case?case={case}")).await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("case", case), ("verdict", verdict), ("note", note)];
    browser.post("/account/case", &fields).await
}

/// Row F50: at once, oldest first, with who, whom, why and what was looked at; and the verdict ends it.
#[tokio::test]
async fn f50_a_case_is_seen_at_once_and_judged() {
    let world = World::of_accounts();
    facility(&world);
    let mut ines = officer(&world, "ines").await;
    let page = ines.get(QUEUE).await;
    assert!(page.status == 200 && page.body.contains("Nothing is waiting") && !page.body.contains("class=\"badge\""));
    let mut kim = clinician(&world, "kim").await;
    let rosa = open(&mut kim, "MRN-1", "rosa").await;
    world.pass(60);
    let ada = open(&mut kim, "MRN-2", "ada1").await;
    let page = ines.get("/account/security").await;
    assert!(page.body.contains("<span class=\"badge\">2</span>"), "told at once: {}", page.body);
    let page = ines.get(QUEUE).await;
    let at = |what: &str| page.body.find(what).unwrap_or_else(|| panic!("{what}: {}", page.body));
    assert!(at("Rosa Díaz") < at("Ada Berg"), "oldest first");
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.patients.len()), ("break-glass-shown", 2));
    let look = Look { at_s: world.now_s(), code: "search-type".into(), what: vec!["Observation/o1".into()] };
    world.charts.looks.lock().unwrap().push(("rosa".into(), look));
    let page = ines.get(&format!("/account/case?case={rosa}")).await;
    for words in ["Found on the floor.", "Searched", "Observation/o1", "An emergency", "Open now"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert_eq!(ines.get("/account/case?case=nosuch").await.status, 404);
    // A verdict that is none, and one that says nothing.
    for (verdict, note) in [("", ""), ("fine", "x"), ("not-justified", " "), ("follow-up", "")] {
        let page = judged(&mut ines, &rosa, verdict, note).await;
        assert!(page.status == 422 && page.body.contains("Choose what you find"), "{verdict}: {}", page.body);
    }
    // Too long: nothing of it is lost.
    let long = "I asked the ward. ".repeat(60);
    let page = judged(&mut ines, &rosa, "not-justified", &long).await;
    for part in ["more than 1000 letters", long.trim(), "value=\"not-justified\" checked required"] {
        assert!(page.status == 422 && page.body.contains(part), "{part}: {}", page.body);
    }
    assert_eq!(world.service.glass_cases_waiting()[0].reviews.len(), 0);
    let page = judged(&mut ines, &rosa, "follow-up", "I asked the ward.").await;
    assert_eq!((page.status, page.to()), (303, QUEUE));
    assert_eq!(world.service.glass_cases_waiting().len(), 2, "it goes on waiting");
    let _ = judged(&mut ines, &rosa, "not-justified", "Not on that ward.").await;
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.outcome), ("break-glass-reviewed", Outcome::Success));
    let query = entry.query.unwrap();
    assert!(query.contains("verdict=not%2Djustified") && query.contains("note=Not%20on%20that%20ward%2E"), "{query}");
    let waiting = world.service.glass_cases_waiting();
    assert_eq!((waiting.len(), &*waiting[0].id), (1, &*ada));
    let page = ines.get(&format!("/account/case?case={rosa}")).await;
    assert!(page.body.contains("I asked the ward.") && !page.body.contains("name=\"verdict\""), "{}", page.body);
    // It is over: another verdict changes nothing.
    let csrf = ines.get(&format!("/account/case?case={ada}")).await.field("csrf");
    let again = [("csrf", csrf.as_str()), ("case", rosa.as_str()), ("verdict", "justified"), ("note", "")];
    assert_eq!(ines.post("/account/case", &again).await.status, 303);
    assert_eq!(world.service.inner.glasses.case(&rosa).unwrap().reviews.len(), 2);
    // What waits for too long is said.
    assert!(!ines.get(QUEUE).await.body.contains("waited for more than"));
    world.pass(3 * 86_400);
    let mut later = officer(&world, "later").await;
    let page = later.get(QUEUE).await;
    assert!(page.body.contains("waited for more than 3 days"), "{}", page.body);
}

/// Row F66: a verdict asks for a sign-in of just now, and what was typed waits behind it.
#[tokio::test]
async fn f66_a_verdict_asks_who_somebody_is() {
    let world = World::of_accounts();
    facility(&world);
    let mut ines = officer(&world, "ines").await;
    let mut kim = clinician(&world, "kim").await;
    let case = open(&mut kim, "MRN-1", "rosa").await;
    world.pass(301);
    let page = judged(&mut ines, &case, "not-justified", "Not on that ward.").await;
    assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-cases"));
    assert_eq!(world.service.glass_cases_waiting().len(), 1, "nothing is judged");
    let page = ines.get(&format!("/account/case?case={case}")).await;
    for part in ["Not on that ward.", "value=\"not-justified\" checked required"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
}

/// Row F50: privacy officers alone; and nobody judges what they did themselves, under another account neither.
#[tokio::test]
async fn f50_nobody_judges_their_own() {
    let world = World::of_accounts();
    facility(&world);
    let mut kim = clinician(&world, "kim").await;
    let case = open(&mut kim, "MRN-1", "rosa").await;
    let mut office = staff(&world, "office", Role::Administrator).await;
    for browser in [&mut kim, &mut office] {
        for path in [QUEUE, &format!("/account/case?case={case}")] {
            let page = browser.get(path).await;
            assert!(page.status == 403 && !page.body.contains("Rosa"), "{path}");
            assert_eq!(world.last_entry().outcome_text.as_deref(), Some("not a privacy officer"));
        }
    }
    let page = Browser::new(&world).get(QUEUE).await;
    assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-cases"));
    // The same practitioner with an account of a privacy officer: staff of these tests are all Practitioner/d1.
    let mut same = staff(&world, "same", Role::PrivacyOfficer).await;
    let page = same.get(&format!("/account/case?case={case}")).await;
    assert!(page.body.contains("This is your own") && !page.body.contains("name=\"verdict\""), "{}", page.body);
    let inner = &world.service.inner;
    let review = crate::glasses::Review {
        by: "another-account".into(),
        by_name: "Kim".into(),
        verdict: crate::glasses::Verdict::Justified,
        note: "".into(),
        at_s: world.now_s(),
    };
    let judged = inner.glasses.review(&case, review, Some("Practitioner/d1"), |_, _| unreachable!());
    assert!(matches!(judged, Err(crate::glasses::GlassError::Own)));
}
