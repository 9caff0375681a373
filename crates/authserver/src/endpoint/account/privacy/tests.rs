//! The privacy officer's pages: found, recorded, reviewed once, and closed to everybody else. Rows F16, F22, F50, A18.

use super::super::tests::{Browser, somebody, staff};
use super::*;
use crate::{
    ledger::tests as log,
    testing::{World, browser::PASSWORD},
};
use std::sync::atomic::Ordering;

const PAGES: [&str; 5] = [
    "/account/privacy",
    "/account/privacy/events",
    "/account/privacy/event?event=x",
    "/account/privacy/unusual",
    "/account/privacy/unusual/one?alarm=x",
];

#[test]
fn f22_a_privacy_officer_searches_the_log_and_that_is_recorded() {
    let server = log::facility();
    log::wait(async {
        let world = World::new();
        assert!(world.service.inner.ledger.set(Arc::new(log::ledger(&server))).is_ok());
        let mut olga = staff(&world, "olga", Role::PrivacyOfficer).await;
        let landing = olga.get("/account/privacy").await;
        assert!(landing.body.contains("/account/privacy/unusual") && landing.body.contains("Nothing waits."));
        assert!(
            landing.body.contains("/account/cases") && landing.body.contains("Say if it was right. Nothing waits.")
        );
        let page = olga.get("/account/privacy/events?person=Dora&patient=p2").await;
        assert!(page.body.contains("Dora Roth") && page.body.contains("read Patient/p2"), "{}", page.body);
        let entry = world.last_entry();
        assert_eq!(entry.query.as_deref(), Some("AuditEvent?agent-name:contains=Dora&patient=Patient/p2"));
        let _ = olga.get("/account/privacy/events?person=Dora%26patient%3DPatient/p1").await;
        let query = world.last_entry().query.unwrap();
        assert_eq!(&*query, "AuditEvent?agent-name:contains=Dora%26patient%3DPatient/p1", "one criterion");
        assert_eq!(entry.patients.iter().map(LogicalId::as_str).collect::<Vec<_>>(), ["p2"]);
        let at = page.body.find("/account/privacy/event?event=").unwrap();
        let link = page.body[at..].split('"').next().unwrap().to_owned();
        let event = olga.get(&link).await;
        assert!(event.status == 200 && event.body.contains("Dora Roth</bdi>, care team"), "{}", event.body);
        assert!(world.last_entry().query.unwrap().starts_with("AuditEvent/"));
        for (query, words) in [
            ("from=2026-13-45", "not a day"),
            ("patient=Rosa%20Young", "no id of a patient"),
            ("person=Nobody&refused=yes&emergency=yes&client=c%7C1", "Nothing was found"),
        ] {
            let page = olga.get(&format!("/account/privacy/events?{query}")).await;
            assert!(page.status == 200 && page.body.contains(words), "{query}: {}", page.body);
        }
        assert_eq!(olga.get("/account/privacy/event?event=0000").await.status, 404);
    });
}

#[test]
fn f50_unusual_access_is_reviewed() {
    let server = log::facility();
    log::wait(async {
        let world = World::new();
        assert!(world.service.inner.ledger.set(Arc::new(log::ledger(&server))).is_ok());
        assert_eq!(world.service.watch_audit().unwrap().get("family"), Some(&1));
        assert_eq!(world.service.unusual_open(), 1);
        let mut olga = staff(&world, "olga", Role::PrivacyOfficer).await;
        assert!(olga.get("/account/privacy").await.body.contains("One waits."));
        let list = olga.get("/account/privacy/unusual").await;
        assert!(list.body.contains("The same family name"), "{}", list.body);
        let id = world.service.inner.ledger().unwrap().alarms().unwrap()[0].id.clone();
        let page = olga.get(&format!("/account/privacy/unusual/one?alarm={id}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let csrf = page.field("csrf");
        let form = |verdict, note| {
            [
                ("csrf", csrf.as_str()),
                ("alarm", id.as_str()),
                ("verdict", verdict),
                ("note", note),
                ("decision", "review"),
            ]
        };
        let page = olga.post("/account/privacy/unusual/one", &form("fine", " ")).await;
        assert!(page.status == 422 && page.body.contains("write what you found out"), "{}", page.body);
        let long = "She asked me to. ".repeat(200);
        let page = olga.post("/account/privacy/unusual/one", &form("unclear", long.as_str())).await;
        for part in ["more than 2000 letters", long.trim(), "value=\"unclear\" checked required"] {
            assert!(page.status == 422 && page.body.contains(part), "{part}: {}", page.body);
        }
        world.recorded.down.store(true, Ordering::Relaxed);
        assert_eq!(olga.post("/account/privacy/unusual/one", &form("fine", "Nothing.")).await.status, 503);
        world.recorded.down.store(false, Ordering::Relaxed);
        assert_eq!(world.service.unusual_open(), 1, "F25: no review without its record");
        let note = format!("Asked her. {}", "She said so. ".repeat(100).trim());
        let done = olga.post("/account/privacy/unusual/one", &form("misuse", note.as_str())).await;
        assert_eq!((done.status, done.to()), (303, "/account/privacy/unusual?done=1"));
        let entry = world.last_entry();
        assert_eq!((&*entry.subtype, entry.patients[0].as_str()), ("access-reviewed", "p1"));
        assert!(olga.get("/account/privacy/unusual").await.body.contains("It was misuse"));
        assert!(olga.get(&format!("/account/privacy/unusual/one?alarm={id}")).await.body.contains(&note), "whole");
        assert_eq!(world.service.unusual_open(), 0);
    });
}

/// Row F66: a review asks for a sign-in of just now, and what was typed waits behind it.
#[test]
fn f66_a_review_asks_who_somebody_is() {
    let server = log::facility();
    log::wait(async {
        let world = World::new();
        assert!(world.service.inner.ledger.set(Arc::new(log::ledger(&server))).is_ok());
        let _ = world.service.watch_audit().unwrap();
        let mut olga = staff(&world, "olga", Role::PrivacyOfficer).await;
        let id = world.service.inner.ledger().unwrap().alarms().unwrap()[0].id.clone();
        let path = format!("/account/privacy/unusual/one?alarm={id}");
        let csrf = olga.get(&path).await.field("csrf");
        world.pass(301);
        let form =
            [("csrf", &*csrf), ("alarm", &*id), ("verdict", "misuse"), ("note", "Asked."), ("decision", "review")];
        let page = olga.post("/account/privacy/unusual/one", &form).await;
        assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-privacy"));
        let page = olga.get(&path).await;
        for part in ["Asked.", "value=\"misuse\" checked required"] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        assert_eq!(world.service.unusual_open(), 1);
    });
}

/// Nobody else gets in, and that they tried is recorded.
#[test]
fn f22_the_officers_pages_are_the_officers() {
    let server = log::facility();
    log::wait(async {
        let world = World::new();
        assert!(world.service.inner.ledger.set(Arc::new(log::ledger(&server))).is_ok());
        let mut office = staff(&world, "office", Role::Administrator).await;
        somebody(&world, "ana").await;
        let mut ana = Browser::new(&world);
        ana.sign_in("ana", PASSWORD).await;
        for page in PAGES {
            for browser in [&mut office, &mut ana] {
                assert_eq!(browser.get(page).await.status, 403, "{page}");
                assert_eq!(&*world.last_entry().subtype, "privacy-pages-refused", "{page}");
            }
            assert_eq!(Browser::new(&world).get(page).await.to(), "/account/sign-in?continuation=to-privacy");
        }
    });
}
