//! Tests of the clinician's page: from the search to the app. Rows A18, B23, F1, F16, F18, F25.

use super::super::tests::{Browser, PASSWORD, Page, somebody, staff};
use crate::{
    NewClient, NewKind,
    launches::{LaunchError, Launched},
    limits,
    records::{PatientRecord, VisitRecord},
    testing::World,
};
use oauth::caller::Role;
use std::sync::{Arc, atomic::Ordering};

const LAUNCH: &str = "https://gait.example:9443/launch.html?x=1";
const REDIRECT: &str = "https://back.example/callback";

fn app(world: &World, name: &str, scope: &str, launch_url: Option<&str>) -> Arc<str> {
    let new = NewClient {
        redirect_uris: vec![REDIRECT.into()],
        launch_url: launch_url.map(str::to_owned),
        ..NewClient::new(name, scope, NewKind::Public)
    };
    world.add(&new)
}

fn facility(world: &World) -> Arc<str> {
    let patient =
        |id: &str, name: &str| PatientRecord { id: id.into(), name: name.into(), born: Some("1943-05-17".into()) };
    *world.charts.patients.lock().unwrap() = vec![patient("p1", "Rosa Díaz"), patient("p2", "Rolf Diaz")];
    let visit = |of: &str, id: &str, ended: Option<&str>| {
        let visit = VisitRecord {
            id: id.into(),
            class: Some("SNF".into()),
            words: None,
            began: Some("2026-02-01T10:00:00Z".into()),
            ended: ended.map(str::to_owned),
        };
        (of.to_owned(), visit)
    };
    *world.charts.visits.lock().unwrap() = vec![visit("p1", "e1", None), visit("p2", "e2", Some("2026-03-01"))];
    app(world, "Gait Lab", "launch patient/Observation.rs", Some(LAUNCH))
}

async fn opened(browser: &mut Browser<'_>, patient: &str, encounter: &str, client: &str) -> Page {
    let csrf = browser.get("/account/launch?patient=p1").await.field("csrf");
    let form = [("csrf", csrf.as_str()), ("patient", patient), ("encounter", encounter), ("client", client)];
    browser.post("/account/launch", &form).await
}

fn handle(page: &Page) -> String {
    let start = "https://gait.example:9443/launch.html?x=1&iss=https%3A%2F%2Fcare.example%3A8443%2Ffhir&launch=";
    page.to().strip_prefix(start).unwrap_or_else(|| panic!("{} {}", page.status, page.to())).to_owned()
}

/// Row B23: search, patient, app; and the handle stands for exactly that, once, in this session.
#[tokio::test]
async fn from_the_search_to_the_app() {
    let world = World::new();
    let client = facility(&world);
    let mut kim = staff(&world, "kim", Role::Clinician).await;
    let page = kim.get("/account/launch").await;
    assert!(page.status == 200 && !page.body.contains("Rosa"), "nobody is shown who was not looked for");
    let page = kim.get("/account/launch?filter=Rosa").await;
    assert!(page.body.contains("Rosa Díaz") && !page.body.contains("Rolf"));
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.query.as_deref()), ("search-type", Some("Patient?name=Rosa")));
    let shown: Vec<&str> = entry.patients.iter().map(|id| id.as_str()).collect();
    assert_eq!((shown, &*entry.person.unwrap().name), (vec!["p1"], "Ana Ruiz"), "row F18");
    let page = kim.get("/account/launch?patient=p1").await;
    for words in ["Rosa Díaz", "May 17, 1943", "Gait Lab", "Nursing facility stay, since February 1, 2026"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    // Row A18: the form may lead to the app and nowhere else.
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let targets = "form-action 'self' https://back.example https://gait.example:9443;";
    assert!(policy.contains(targets), "{policy}");
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.touched.len()), ("read", 1));
    let page = opened(&mut kim, "p1", "e1", &client).await;
    assert_eq!((page.status, page.body.as_str()), (303, ""));
    assert_eq!(page.headers["cache-control"], "no-store");
    let handle = handle(&page);
    let told = ["patient=", "encounter=", "=p1", "=e1", "%2Fp1", "%2Fe1"];
    assert!(told.iter().all(|part| !page.to().contains(part)), "the handle alone: {}", page.to());
    let entry = world.last_entry();
    assert_eq!(&*entry.subtype, "app-opened");
    assert!(entry.query.as_deref().unwrap().contains("encounter=e1") && entry.patients.len() == 1);
    assert!(!format!("{entry:?}").contains(&handle), "row F24");
    let inner = &world.service.inner;
    let session = inner.people.sessions_of(&entry.person.unwrap().id).pop().unwrap().session;
    let Launched { context, user } = inner.launches.take(&handle, &client, &session, world.now_s()).unwrap();
    assert_eq!((context.patient.as_deref(), context.encounter.as_deref()), (Some("p1"), Some("e1")));
    assert_eq!((context.need_patient_banner, &user), (Some(true), &session.account));
    let again = inner.launches.take(&handle, &client, &session, world.now_s());
    assert_eq!(again, Err(LaunchError::Used));
    // Without a visit; and what nobody takes is forgotten.
    let page = opened(&mut kim, "p1", "", &client).await;
    let unused = self::handle(&page);
    world.pass(limits::LAUNCH_LIFE_S);
    let late = inner.launches.take(&unused, &client, &session, world.now_s());
    assert_eq!(late, Err(LaunchError::Unknown));
}

/// Row B50: what the app is opened for, and what is in context with the visit.
#[tokio::test]
async fn b50_an_app_is_opened_for_something_and_told_what_is_around_the_visit() {
    let world = World::new();
    facility(&world);
    let told = ["EpisodeOfCare/stay-1", "ServiceRequest/order-1"];
    *world.charts.around.lock().unwrap() = told.map(|reference| ("e1".to_owned(), Arc::from(reference))).to_vec();
    let new = NewClient {
        redirect_uris: vec![REDIRECT.into()],
        launch_url: Some(LAUNCH.into()),
        intents: vec!["reconcile-medications".into(), "gait-review=Look at the walk".into()],
        ..NewClient::new("Med Board", "launch patient/Observation.rs", NewKind::Public)
    };
    let client = world.add(&new);
    let mut kim = staff(&world, "kim", Role::Clinician).await;
    let page = kim.get("/account/launch?patient=p1").await.body;
    for (word, name) in [("reconcile-medications", "Reconcile medications"), ("gait-review", "Look at the walk")] {
        let button = format!("name=\"client\" value=\"{client} {word}\"><bdi>{name}</bdi></button>");
        assert!(page.contains(&button), "{button}: {page}");
    }
    assert!(page.contains("role=\"group\" aria-label=\"Open Med Board for one thing\""), "{page}");
    let inner = &world.service.inner;
    let mut context = async |value: &str, encounter: &str| {
        let handle = handle(&opened(&mut kim, "p1", encounter, value).await);
        let entry = world.last_entry();
        let session = inner.people.sessions_of(&entry.person.unwrap().id).pop().unwrap().session;
        let context = inner.launches.take(&handle, &client, &session, world.now_s()).unwrap().context;
        (context, entry.query.unwrap_or_default())
    };
    let (launch, recorded) = context(&format!("{client} gait-review"), "e1").await;
    assert_eq!(launch.intent.as_deref(), Some("gait-review"));
    assert_eq!(
        launch.members()["fhirContext"],
        serde_json::json!([{ "reference": told[0] }, { "reference": told[1] }])
    );
    for word in ["intent=gait%2Dreview", "context=EpisodeOfCare%2Fstay%2D1", "encounter=e1"] {
        assert!(recorded.contains(word), "{word}: {recorded}");
    }
    // For nothing in particular, and without a visit.
    let (launch, _) = context(&client, "").await;
    assert!(launch.intent.is_none() && launch.fhir_context.is_empty());
    // What this app is not opened for.
    for intent in ["fall-risk", "", "Gait-review", "gait-review gait-review"] {
        let page = opened(&mut kim, "p1", "e1", &format!("{client} {intent}")).await;
        assert_eq!((page.status, page.to()), (422, ""), "{intent:?}");
    }
}

/// What the page did not offer is not opened.
#[tokio::test]
async fn only_what_was_offered() {
    let world = World::new();
    let client = facility(&world);
    let no_url = app(&world, "No URL", "launch patient/Observation.rs", None);
    let no_context = app(&world, "No context", "launch/patient patient/Observation.rs", Some(LAUNCH));
    let mut kim = staff(&world, "kim", Role::Clinician).await;
    let page = kim.get("/account/launch?patient=p1").await;
    assert!(!page.body.contains("No URL") && !page.body.contains("No context"));
    for (patient, encounter, client, status) in [
        ("p1", "e2", &*client, 422),
        ("p1", "e3", &client, 422),
        ("p1", "e1", &no_url, 422),
        ("p1", "e1", &no_context, 422),
        ("p1", "e1", "nobody", 422),
        ("p1", "e1", "", 422),
        ("p3", "", &client, 404),
        ("", "", &client, 404),
    ] {
        let page = opened(&mut kim, patient, encounter, client).await;
        assert_eq!((page.status, page.to()), (status, ""), "{patient} {encounter} {client}");
    }
    world.service.set_client_disabled(&client, true).unwrap();
    assert!(kim.get("/account/launch?patient=p1").await.body.contains("No app is registered"));
    assert_eq!(kim.get("/account/launch?patient=p3").await.status, 404);
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.outcome), ("read", audit::entry::Outcome::MinorFailure));
    assert!(world.tables.launches.all_keys().is_empty());
}

/// It is for clinicians, in their own browser, from our own page.
#[tokio::test]
async fn nobody_else_opens_anything() {
    let world = World::new();
    let client = facility(&world);
    somebody(&world, "ana").await;
    let mut ana = Browser::new(&world);
    ana.sign_in("ana", PASSWORD).await;
    let mut office = staff(&world, "office", Role::Administrator).await;
    let mut privacy = staff(&world, "privacy", Role::PrivacyOfficer).await;
    for browser in [&mut ana, &mut office, &mut privacy] {
        for path in ["/account/launch", "/account/launch?filter=Ro", "/account/launch?patient=p1"] {
            let page = browser.get(path).await;
            assert!(page.status == 403 && !page.body.contains("Rosa"), "{path}");
        }
    }
    let mut nobody = Browser::new(&world);
    let page = nobody.get("/account/launch?patient=p1").await;
    assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-launch"));
    let mut kim = staff(&world, "kim", Role::Clinician).await;
    let mut lee = staff(&world, "lee", Role::Clinician).await;
    let theirs = lee.get("/account/launch?patient=p1").await.field("csrf");
    for csrf in [theirs.as_str(), ""] {
        let form = [("csrf", csrf), ("patient", "p1"), ("encounter", ""), ("client", &*client)];
        assert_eq!(kim.post("/account/launch", &form).await.status, 403);
    }
    assert!(world.tables.launches.all_keys().is_empty());
}

/// Row F25, and a store or disk that does not answer.
#[tokio::test]
async fn when_something_does_not_answer() {
    let world = World::new();
    let client = facility(&world);
    let mut kim = staff(&world, "kim", Role::Clinician).await;
    let csrf = kim.get("/account/launch?patient=p1").await.field("csrf");
    world.recorded.down.store(true, Ordering::Relaxed);
    for path in ["/account/launch?filter=Ro", "/account/launch?patient=p1"] {
        let page = kim.get(path).await;
        assert!(page.status == 503 && !page.body.contains("Rosa"), "{path}");
    }
    let form = [("csrf", csrf.as_str()), ("patient", "p1"), ("encounter", ""), ("client", &*client)];
    let page = kim.post("/account/launch", &form).await;
    assert_eq!((page.status, page.to()), (503, ""), "a handle that nobody hears of");
    world.recorded.down.store(false, Ordering::Relaxed);
    world.tables.launches.full.store(true, Ordering::Relaxed);
    assert_eq!(kim.post("/account/launch", &form).await.status, 503);
    world.charts.down.store(true, Ordering::Relaxed);
    assert_eq!(kim.get("/account/launch?filter=Ro").await.status, 503);
}
