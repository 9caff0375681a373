//! Breaking the glass at the page: who may, whom they find, why, and what becomes of it. Rows F49, F50, A18, F16, F66.

use super::super::tests::{Browser, PASSWORD, Page, somebody, staff};
use crate::{
    glasses::{Reason, Verdict},
    limits,
    records::PatientRecord,
    testing::World,
};
use audit::entry::Outcome;
use oauth::caller::Role;
use pages::{CaseVerdict, EmergencyReason};
use std::sync::atomic::Ordering;

const PAGE: &str = "/account/emergency";

/// Rosa and two who cannot be told apart, none of whom the clinician sees otherwise.
pub(in crate::endpoint::account) fn facility(world: &World) {
    let patient =
        |id: &str, name: &str| PatientRecord { id: id.into(), name: name.into(), born: Some("1943-05-17".into()) };
    let twin = ["Ada", "Berg", "1950-01-01"];
    *world.charts.emergency.lock().unwrap() = vec![
        ("MRN-1", ["Rosa", "Díaz", "1943-05-17"], patient("rosa", "Rosa Díaz")),
        ("MRN-2", twin, patient("ada1", "Ada Berg")),
        ("MRN-3", twin, patient("ada2", "Ada Berg")),
    ];
}

/// A clinician with the right.
pub(in crate::endpoint::account) async fn clinician<'a>(world: &'a World, login: &str) -> Browser<'a> {
    let browser = staff(world, login, Role::Clinician).await;
    world.service.set_user_break_glass(login, true).unwrap();
    browser
}

async fn found(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Page {
    let csrf = browser.get(PAGE).await.field("csrf");
    let mut all = vec![("csrf", csrf.as_str()), ("decision", "find")];
    for name in ["number", "given", "family", "born"] {
        all.push(fields.iter().find(|(known, _)| *known == name).copied().unwrap_or((name, "")));
    }
    browser.post(PAGE, &all).await
}

async fn broken(browser: &mut Browser<'_>, patient: &str, reason: &str, words: &str) -> Page {
    let csrf = browser.get(PAGE).await.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("patient", patient), ("reason", reason), ("words", words)];
    browser.post(PAGE, &[&fields[..], &[("decision", "break")]].concat()).await
}

/// From the search to an open record; the id of the case.
pub(in crate::endpoint::account) async fn open(browser: &mut Browser<'_>, number: &str, patient: &str) -> String {
    let page = found(browser, &[("number", number)]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let page = broken(browser, patient, "emergency", "Found on the floor.").await;
    assert_eq!((page.status, page.to()), (303, PAGE), "{}", page.body);
    let waiting = browser.world.service.glass_cases_waiting();
    waiting.iter().rev().find(|case| *case.patient == *patient).unwrap().id.to_string()
}

/// Row F49: one patient, a reason, a time; and what every step leaves in the log.
#[tokio::test]
async fn f49_from_the_search_to_the_end() {
    let world = World::of_accounts();
    facility(&world);
    let mut kim = clinician(&world, "kim").await;
    let page = kim.get(PAGE).await;
    assert!(page.status == 200 && !page.body.contains("Rosa"), "nobody is listed");
    assert!(page.body.contains("privacy officer is told at once") && page.body.contains("for 60 minutes"));
    let page = found(&mut kim, &[("given", "Rosa"), ("family", "Díaz"), ("born", "1943-05-17")]).await;
    assert!(page.body.contains("Rosa Díaz") && page.body.contains("May 17, 1943"), "{}", page.body);
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.patients.len()), ("search-type", 1));
    assert_eq!(entry.query.as_deref(), Some("Patient?given=Rosa&family=D%C3%ADaz&birthdate=1943%2D05%2D17"));
    assert_eq!(entry.grounds.unwrap().purposes, ["BTG".into()]);
    // A reason that says nothing, or none.
    for (reason, words) in
        [("emergency", "Help me"), ("emergency", "- - - - !"), ("nosuch", "Found on the floor."), ("", "")]
    {
        let page = broken(&mut kim, "rosa", reason, words).await;
        assert_eq!(page.status, 422, "{reason} {words}");
        assert!(page.body.contains("Choose a reason") && page.body.contains("Rosa Díaz"), "{}", page.body);
    }
    let long = "word ".repeat(limits::GLASS_WORDS_CHARS_MAX);
    assert_eq!(broken(&mut kim, "rosa", "emergency", &long).await.status, 422);
    assert_eq!((world.service.glasses_broken(), world.service.glass_cases_waiting().len()), (0, 0));
    // Nobody but who was found.
    assert_eq!(broken(&mut kim, "ada1", "emergency", "Found on the floor.").await.status, 422);
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.outcome), ("break-glass-refused", Outcome::MinorFailure));
    let page = broken(&mut kim, "rosa", "cannot-speak", "Found on the floor.").await;
    assert_eq!((page.status, page.to()), (303, PAGE));
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.outcome), ("break-glass-opened", Outcome::Success));
    let query = entry.query.as_deref().unwrap();
    assert!(query.contains("reason=cannot%2Dspeak") && query.contains("words=Found%20on%20the%20floor%2E"), "{query}");
    let (patients, grounds) = (entry.patients.iter().map(|id| id.as_str()).collect::<Vec<_>>(), entry.grounds.unwrap());
    let case = world.service.glass_cases_waiting().pop().unwrap();
    assert_eq!((patients, grounds.glass.as_deref()), (vec!["rosa"], Some(&*case.id)));
    assert_eq!((&*entry.person.unwrap().name, case.until_s - case.opened_s), ("Ana Ruiz", 3600));
    assert_eq!(world.service.glasses_broken(), 1);
    let page = kim.get(PAGE).await;
    assert!(page.body.contains("Rosa Díaz") && page.body.contains("End it now"), "{}", page.body);
    // The same form once more makes no second case, and does not lengthen the first.
    let page = broken(&mut kim, "rosa", "emergency", "Found on the floor.").await;
    assert_eq!((page.status, page.to()), (303, PAGE));
    assert_eq!((world.service.glasses_broken(), world.service.glass_cases_waiting().len()), (1, 1));
    let csrf = kim.get(PAGE).await.field("csrf");
    let end = |case: &str| [("csrf", csrf.clone()), ("decision", "end".to_owned()), ("case", case.to_owned())];
    let send = async |browser: &mut Browser<'_>, fields: [(&str, String); 3]| {
        browser.post(PAGE, &fields.each_ref().map(|(name, value)| (*name, value.as_str()))).await
    };
    assert_eq!(send(&mut kim, end("nosuch")).await.status, 303);
    let page = send(&mut kim, end(&case.id)).await;
    assert_eq!((page.status, page.to()), (303, PAGE));
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.patients.len()), ("break-glass-ended", 1));
    assert!(!kim.get(PAGE).await.body.contains("End it now"));
    let page = broken(&mut kim, "rosa", "emergency", "Found on the floor.").await;
    assert_eq!(page.status, 422, "who wants it again looks for them anew");
    assert!(world.service.glass_cases_waiting().len() == 1, "F50: the case stays");
}

/// Row F49: by all of a number, or by names and birthday; several are nobody; and few searches, each recorded.
#[tokio::test]
async fn f49_one_person_or_nobody() {
    let world = World::of_accounts();
    facility(&world);
    let mut kim = clinician(&world, "kim").await;
    let before = world.entries();
    for fields in [&[][..], &[("family", "Díaz")], &[("given", "Rosa"), ("family", "Díaz"), ("born", "1943")]] {
        let page = found(&mut kim, fields).await;
        assert_eq!((page.status, world.entries()), (422, before), "nothing was looked for");
        assert!(page.body.contains("Give the record number, or both names"));
    }
    let ada = [("given", "Ada"), ("family", "Berg"), ("born", "1950-01-01")];
    let (none, two) = (found(&mut kim, &[("number", "MRN")]).await, found(&mut kim, &ada).await);
    assert_eq!((none.status, two.status), (200, 200));
    let visible = |page: &Page| page.body.split("<main").nth(1).map(str::to_owned);
    assert_eq!(visible(&none), visible(&two), "which of them there are, nobody is told");
    assert!(none.body.contains("We did not find one person") && !two.body.contains("Ada"));
    assert!(world.last_entry().patients.is_empty());
    assert!(found(&mut kim, &[("number", "MRN-2")]).await.body.contains("Ada Berg"));
    for _ in 0..2 {
        let _ = found(&mut kim, &[("number", "MRN-1")]).await;
    }
    let before = world.entries();
    let page = found(&mut kim, &[("number", "MRN-1")]).await;
    assert!(page.status == 429 && !page.body.contains("Rosa"), "F66");
    assert_eq!((world.entries(), world.last_entry().outcome), (before + 1, Outcome::MinorFailure));
    let _ = found(&mut kim, &[("number", "MRN-1")]).await;
    assert_eq!(world.entries(), before + 1, "a flood is recorded once");
    // Whom somebody found, they found: in their own session.
    let mut lee = clinician(&world, "lee").await;
    assert_eq!(broken(&mut lee, "rosa", "emergency", "Found on the floor.").await.status, 422);
    assert_eq!(world.service.glasses_broken(), 0);
}

/// Row F49: with the right alone, as a clinician, and with a proof of who they are that is minutes old.
#[tokio::test]
async fn f49_nobody_else() {
    let world = World::of_accounts();
    facility(&world);
    somebody(&world, "ana").await;
    let mut ana = Browser::new(&world);
    ana.sign_in("ana", PASSWORD).await;
    let mut nurse = staff(&world, "nurse", Role::Clinician).await;
    let mut privacy = staff(&world, "privacy", Role::PrivacyOfficer).await;
    let mut office = staff(&world, "office", Role::Administrator).await;
    for login in ["ana", "privacy", "office"] {
        assert!(world.service.set_user_break_glass(login, true).is_err(), "{login}");
    }
    for browser in [&mut ana, &mut nurse, &mut privacy, &mut office] {
        let page = browser.get(PAGE).await;
        assert!(page.status == 403 && !page.body.contains("Find this person"));
        assert_eq!(world.last_entry().outcome_text.as_deref(), Some("without the right"));
        assert!(!browser.get("/account/security").await.body.contains(PAGE), "no way leads there");
    }
    let page = Browser::new(&world).get(PAGE).await;
    assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-emergency"));
    let mut kim = clinician(&world, "kim").await;
    assert!(kim.get("/account/security").await.body.contains(PAGE));
    let entry =
        world.recorded.entries.lock().unwrap().iter().rev().find(|entry| entry.subtype.starts_with("user-")).cloned();
    assert_eq!(&*entry.unwrap().subtype, "user-break-glass-granted");
    world.pass(301);
    let page = kim.get(PAGE).await;
    assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-emergency"), "step-up");
}

/// Row F49: the right taken, or the account disabled, ends what is open with the next request; a restart does not.
#[tokio::test]
async fn f49_who_loses_the_right_loses_the_glass() {
    let mut world = World::of_accounts();
    facility(&world);
    for loses in ["right", "account"] {
        let mut kim = clinician(&world, loses).await;
        let _ = open(&mut kim, "MRN-1", "rosa").await;
        let id = world.service.users().iter().find(|account| *account.login == *loses).unwrap().id.clone();
        let count = |world: &World| world.service.inner.glasses.of(&id).len();
        assert_eq!(count(&world), 1);
        drop(kim);
        world.restart();
        assert_eq!(count(&world), 1, "it is durable");
        match loses {
            "right" => world.service.set_user_break_glass(loses, false).unwrap(),
            _ => world.service.set_user_disabled(loses, true).unwrap(),
        }
        assert_eq!(count(&world), 0);
        let entries = world.recorded.entries.lock().unwrap();
        assert!(entries.iter().rev().take(2).any(|entry| &*entry.subtype == "break-glass-ended"));
        drop(entries);
        world.restart();
        assert_eq!(count(&world), 0);
        assert!(world.service.glass_cases_waiting().iter().any(|case| case.user == id && case.ended_s.is_some()));
    }
}

/// Row F25: without its entry nothing is opened.
#[tokio::test]
async fn f25_no_glass_without_its_record() {
    let world = World::of_accounts();
    facility(&world);
    let mut kim = clinician(&world, "kim").await;
    let page = found(&mut kim, &[("number", "MRN-1")]).await;
    let csrf = page.field("csrf");
    world.recorded.down.store(true, Ordering::Relaxed);
    let fields = [("csrf", csrf.as_str()), ("patient", "rosa"), ("reason", "safety"), ("words", "She is in danger.")];
    let page = kim.post(PAGE, &[&fields[..], &[("decision", "break")]].concat()).await;
    assert_eq!(page.status, 503);
    world.recorded.down.store(false, Ordering::Relaxed);
    assert!(world.tables.glasses.all_keys().is_empty() && world.tables.open_glasses.all_keys().is_empty());
    assert_eq!(world.service.glasses_broken(), 0);
}

/// Row F49: of one form that comes twice at once, one opens the record.
#[test]
fn f49_whom_somebody_found_is_taken_once() {
    let world = World::new();
    let glasses = &world.service.inner.glasses;
    glasses.found([7; 32], "rosa".into(), "Rosa".into(), None, world.now_s());
    assert!(!glasses.take_sought(&[7; 32], "ada") && !glasses.take_sought(&[8; 32], "rosa"));
    assert!(glasses.take_sought(&[7; 32], "rosa") && !glasses.take_sought(&[7; 32], "rosa"));
}

#[test]
fn reasons_and_verdicts_have_one_name() {
    assert_eq!(Reason::ALL.map(Reason::as_str), EmergencyReason::ALL.map(EmergencyReason::value));
    assert_eq!(Verdict::ALL.map(Verdict::as_str), CaseVerdict::ALL.map(CaseVerdict::value));
}
