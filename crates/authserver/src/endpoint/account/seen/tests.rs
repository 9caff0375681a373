//! The page and the table of who saw a record. Rows F21, F22, F61, A18.

use super::super::tests::{Browser, somebody, staff};
use crate::{
    ledger::tests as log,
    testing::{World, browser::PASSWORD},
};
use oauth::caller::Role;
use std::sync::Arc;

#[test]
fn f21_a_patient_reads_who_saw_their_record_and_that_is_recorded() {
    let server = log::facility();
    log::wait(async {
        let world = World::new();
        assert!(world.service.inner.ledger.set(Arc::new(log::ledger(&server))).is_ok());
        let mut nobody = Browser::new(&world);
        assert_eq!(nobody.get("/account/seen").await.to(), "/account/sign-in?continuation=to-seen");
        let mut rosa = Browser::new(&world);
        somebody(&world, "rosa").await;
        rosa.sign_in("rosa", PASSWORD).await;
        let page = rosa.get("/account/seen").await;
        assert_eq!(page.status, 200, "{}", page.body);
        for part in
            ["Dora Roth</bdi>, care team", "name, birthday, address and phone", "to give care", "/account/seen/table"]
        {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        assert!(!page.body.contains("Young"));
        let entry = world.last_entry();
        assert_eq!((&*entry.subtype, entry.query.as_deref()), ("operation", Some("Patient/p1/$access-report")));
        assert_eq!(entry.patients[0].as_str(), "p1");
        let table = rosa.get("/account/seen/table").await;
        assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
        assert!(table.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        assert!(table.body.contains("\"Dora Roth\",\"care team\""), "{}", table.body);
        assert_eq!(world.last_entry().query.as_deref(), Some("Patient/p1/$access-report"));
        assert_eq!(rosa.get("/account/seen?patient=p2").await.status, 404);
        assert_eq!(rosa.get("/account/seen?until=soon").await.status, 422);
        assert!(rosa.get("/account/seen?until=0").await.body.contains("nothing older"));
        let mut office = staff(&world, "office", Role::Administrator).await;
        assert_eq!(office.get("/account/seen").await.status, 403);
    });
}

/// From who saw it to what they may see: for the patient, of people by name.
#[test]
fn who_is_named_can_be_chosen_about() {
    let server = log::facility();
    log::wait(async {
        let world = World::new();
        assert!(world.service.inner.ledger.set(Arc::new(log::ledger(&server))).is_ok());
        let _dora = staff(&world, "dora", Role::Clinician).await;
        let people = &world.service.inner.people;
        let dora = people.some_users(10).into_iter().find(|user| user.role == Role::Clinician).unwrap();
        tokio::task::block_in_place(|| {
            let token = server.tokens().token_of_user(oauth::caller::User::clone(&dora), None, "user/*.rs");
            drop(server.request("GET", "Patient/p1").token(&token).send().expect(200));
            server.store().log().sync().unwrap();
        });
        let mut rosa = Browser::new(&world);
        somebody(&world, "rosa").await;
        rosa.sign_in("rosa", PASSWORD).await;
        let page = rosa.get("/account/seen").await;
        let link = "/account/choices/new?patient=p1&amp;who=Practitioner%2Fd1";
        assert_eq!(page.body.matches(link).count(), 1, "{}", page.body);
    });
}
