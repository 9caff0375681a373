//! Who signs in, whose record it is, and when nobody need be asked. Rows A18, B21, B23 to B26, B28, B52, F16.

use super::*;
use crate::records::VisitRecord;
use oauth::launch_context::LaunchContext;

const SCOPE: &str = "openid launch/patient patient/Patient.rs";

/// Rows B21, B26: nobody is signed in, or not recently enough; the page knows the app and the name to sign in with.
#[tokio::test]
async fn b26_signing_in_and_proving_it_again() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let mut new = Browser::new(&bench.world);
    let page = bench.asked(&mut new, SCOPE, &[("login_hint", "ana")]).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("My Walks") && page.body.contains("value=\"ana\""), "{}", page.body);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https://app.example.org;"), "the way back begins here: {policy}");
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let form =
        |password| [("csrf", csrf.as_str()), ("continuation", &*handle), ("user", "ana"), ("password", password)];
    let wrong = new.post("/account/sign-in", &form("three grey geese!")).await;
    assert!(
        wrong.status == 403 && wrong.headers["content-security-policy"].to_str().unwrap().contains("app.example.org")
    );
    let to = new.post("/account/sign-in", &form(crate::testing::browser::PASSWORD)).await;
    assert_eq!(to.to(), format!("/oauth/authorize?continuation={handle}"));
    let page = follow(&mut new, to.to()).await;
    let back = bench.share(&mut new, &page, &["patient/Patient.rs"], &[]).await;
    assert_eq!(bench.redeem(&back).await.status, 200);

    // Row B21: an app that wants nothing shown is told what would have to be.
    let mut nobody = Browser::new(&bench.world);
    let none = [("prompt", "none")];
    assert_eq!(error(&bench.asked(&mut nobody, SCOPE, &none).await), "login_required");
    assert_eq!(error(&bench.asked(&mut ana, "patient/Condition.rs", &none).await), "consent_required");
    bench.world.pass(100);
    assert_eq!(error(&bench.asked(&mut ana, SCOPE, &[("prompt", "none"), ("max_age", "99")]).await), "login_required");

    // The same session does not do, however often it comes; a new one does.
    for changes in [&[("prompt", "login")][..], &[("prompt", "select_account")], &[("max_age", "99")]] {
        let page = bench.asked(&mut ana, SCOPE, changes).await;
        let handle = page.field("continuation");
        assert!(page.body.contains("name=\"password\""), "{changes:?}: {}", page.body);
        let again = follow(&mut ana, &format!("/oauth/authorize?continuation={handle}")).await;
        assert!(again.body.contains("name=\"password\""), "{changes:?}");
    }
    let page = bench.asked(&mut ana, SCOPE, &[("prompt", "login")]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let password = crate::testing::browser::PASSWORD;
    let fields = [("csrf", csrf.as_str()), ("continuation", &*handle), ("user", "ana"), ("password", password)];
    let to = ana.post("/account/sign-in", &fields).await;
    let page = follow(&mut ana, to.to()).await;
    assert!(page.body.contains("name=\"decision\""), "{}", page.body);
    assert_eq!(bench.asked(&mut ana, SCOPE, &[("max_age", "99")]).await.status, 200);
}

/// `ui_locales`: the app's wish counts until the person has chosen.
#[tokio::test]
async fn the_app_may_wish_for_a_language() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let wish = [("ui_locales", "fr es-MX en")];
    let mut new = Browser::new(&bench.world);
    for browser in [&mut new, &mut ana] {
        let page = bench.asked(browser, SCOPE, &wish).await;
        assert!(page.status == 200 && page.headers["content-language"] == "es", "{}", page.body);
    }
    drop(ana.get("/account/security?language=en").await);
    assert_eq!(bench.asked(&mut ana, SCOPE, &wish).await.headers["content-language"], "en");
}

/// Rows B24, B25, F16: a caregiver picks one of those in their care, and no other; what was shown is recorded.
#[tokio::test]
async fn b25_a_caregiver_picks_one_of_two() {
    let bench = Bench::public();
    let mut luis = bench.somebody("luis", Role::Caregiver, "RelatedPerson/r1", &["p1", "p2"]).await;
    let from = bench.world.entries();
    let page = bench.asked(&mut luis, SCOPE, &[]).await;
    assert_eq!(page.status, 200);
    for (name, is_there) in [("Ana Ruiz", true), ("Luis Ruiz", true), ("Maud Okafor", false)] {
        assert_eq!(page.body.contains(name), is_there, "{name}");
    }
    assert_eq!(bench.events(from), ["search-type"]);
    let shown = bench.world.last_entry();
    assert_eq!(shown.patients.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["p1", "p2"]);
    assert_eq!(error(&bench.asked(&mut luis, SCOPE, &[("prompt", "none")]).await), "interaction_required");
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let pick = |patient| [("csrf", csrf.as_str()), ("continuation", &*handle), ("patient", patient)];
    for stranger in ["p3", "", "p1/_history", "nobody"] {
        assert_eq!(luis.post("/account/patient", &pick(stranger)).await.status, 403, "{stranger}");
    }
    // Consent before the pick decides nothing: the picker comes again.
    let consent =
        [("csrf", csrf.as_str()), ("continuation", &*handle), ("decision", "share"), ("scope", "patient/Patient.rs")];
    assert_eq!(luis.post("/account/consent", &consent).await.status, 403, "the token is the other form's");
    let page = luis.post("/account/patient", &pick("p2")).await;
    assert!(
        page.status == 200 && page.body.contains("Luis Ruiz") && page.body.contains("name=\"decision\""),
        "{}",
        page.body
    );
    let back = bench.share(&mut luis, &page, &["patient/Patient.rs"], &[]).await;
    let answered = bench.redeem(&back).await;
    assert_eq!(answered.body["patient"], "p2");
    assert_eq!(bench.grant(&answered).launch.patient.as_deref(), Some("p2"));
    // Sharing nothing.
    let page = bench.asked(&mut luis, SCOPE, &[]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let no = [("csrf", csrf.as_str()), ("continuation", &*handle), ("decision", "deny")];
    assert_eq!(error(&luis.post("/account/patient", &no).await), "access_denied");
    // Without any patient there is nobody to pick: who runs the server sees no record.
    let mut office = bench.somebody("office", Role::Administrator, "Practitioner/o1", &[]).await;
    add_second_factor(&mut office).await;
    assert_eq!(error(&bench.asked(&mut office, SCOPE, &[]).await), "access_denied");
}

/// Rows B51, B25: an app that was not opened from here asks for a visit; the person picks one of the patient's, or none.
#[tokio::test]
async fn b51_a_visit_is_picked() {
    const VISIT_SCOPE: &str = "openid launch/patient launch/encounter patient/Patient.rs";
    let scope = format!("{VISIT_SCOPE} user/Patient.rs");
    let bench = Bench::with(&NewClient { scope, ..app(NewKind::Public) });
    let visit = |of: &str, id: &str| {
        let began = Some("2026-02-01".into());
        let record = VisitRecord { id: id.into(), class: Some("SNF".into()), words: None, began, ended: None };
        (of.to_owned(), record)
    };
    *bench.world.charts.visits.lock().unwrap() = vec![visit("p1", "e1"), visit("p2", "e2")];
    bench.world.charts.around.lock().unwrap().push(("e1".into(), "EpisodeOfCare/stay".into()));
    let mut ana = bench.ana().await;
    assert_eq!(error(&bench.asked(&mut ana, VISIT_SCOPE, &[("prompt", "none")]).await), "interaction_required");
    let page = bench.asked(&mut ana, VISIT_SCOPE, &[]).await;
    assert!(page.status == 200 && page.body.contains("value=\"e1\""), "{}", page.body);
    assert!(page.body.contains("Nursing facility stay") && !page.body.contains("e2"), "{}", page.body);
    let entry = bench.world.last_entry();
    assert_eq!((&*entry.subtype, entry.query.as_deref()), ("search-type", Some("Encounter?patient=p1")), "F18");
    assert_eq!(entry.patients.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["p1"]);
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let pick = |visit| [("csrf", csrf.as_str()), ("continuation", &*handle), ("encounter", visit)];
    for stranger in ["e2", "e3", "Encounter/e1"] {
        assert_eq!(ana.post("/account/visit", &pick(stranger)).await.status, 403, "{stranger}");
    }
    let nothing = [("csrf", csrf.as_str()), ("continuation", &*handle)];
    assert_eq!(ana.post("/account/visit", &nothing).await.status, 403);
    // Consent before the pick decides nothing.
    assert_eq!(bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await.status, 403);
    let page = ana.post("/account/visit", &pick("e1")).await;
    assert!(page.body.contains("name=\"decision\""), "{}", page.body);
    let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    let answered = bench.redeem(&back).await;
    assert_eq!((&answered.body["patient"], &answered.body["encounter"]), (&"p1".into(), &"e1".into()));
    assert_eq!(answered.body["fhirContext"], serde_json::json!([{ "reference": "EpisodeOfCare/stay" }]));
    assert!(answered.body["scope"].as_str().unwrap().contains("launch/encounter"));
    assert_eq!(bench.grant(&answered).launch.encounter.as_deref(), Some("e1"));
    // Without one: the app has no visit, and not the scope.
    let page = bench.asked(&mut ana, VISIT_SCOPE, &[("prompt", "consent")]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let without = [("csrf", csrf.as_str()), ("continuation", &*handle), ("decision", "without")];
    let page = ana.post("/account/visit", &without).await;
    let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    let answered = bench.redeem(&back).await;
    assert_eq!(answered.body["scope"], "launch/patient patient/Patient.rs");
    assert!(answered.body.get("encounter").is_none() && answered.body["patient"] == "p1");
    // Sharing nothing.
    let page = bench.asked(&mut ana, VISIT_SCOPE, &[("prompt", "consent")]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let no = [("csrf", csrf.as_str()), ("continuation", &*handle), ("decision", "deny")];
    assert_eq!(error(&ana.post("/account/visit", &no).await), "access_denied");
    // Whoever picks a patient picks a visit of that one; another pick of the patient begins that anew.
    let mut luis = bench.somebody("luis", Role::Caregiver, "RelatedPerson/r1", &["p1", "p2"]).await;
    let page = bench.asked(&mut luis, VISIT_SCOPE, &[]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let patient = |patient| [("csrf", csrf.as_str()), ("continuation", &*handle), ("patient", patient)];
    let page = luis.post("/account/patient", &patient("p1")).await;
    let visits = page.field("csrf");
    let pick = |visit| [("csrf", visits.as_str()), ("continuation", &*handle), ("encounter", visit)];
    assert_eq!(luis.post("/account/visit", &pick("e2")).await.status, 403);
    assert!(luis.post("/account/visit", &pick("e1")).await.body.contains("name=\"decision\""));
    let page = luis.post("/account/patient", &patient("p2")).await;
    assert!(page.body.contains("value=\"e2\""), "{}", page.body);
    let page = luis.post("/account/visit", &pick("e2")).await;
    let back = bench.share(&mut luis, &page, &["patient/Patient.rs"], &[]).await;
    let answered = bench.redeem(&back).await;
    assert_eq!((&answered.body["patient"], &answered.body["encounter"]), (&"p2".into(), &"e2".into()));
}

/// Row B25: a clinician says whom they look for; what is found is what they may see.
#[tokio::test]
async fn b25_a_clinician_looks_for_a_patient() {
    let bench = Bench::public();
    let mut doc = bench.clinician().await;
    let page = bench.asked(&mut doc, SCOPE, &[]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("name=\"filter\"") && !page.body.contains("Ruiz"), "{}", page.body);
    let handle = page.field("continuation");
    let path = |words: &str| format!("/account/patient?continuation={handle}&filter={}", encoded(words));
    let found = doc.get(&path("Ruiz")).await;
    assert!(found.body.contains("Ana Ruiz") && !found.body.contains("Maud"), "{}", found.body);
    assert_eq!(bench.world.last_entry().patients.len(), 2);
    assert!(doc.get(&path("Nobody")).await.body.contains("name=\"filter\""));
    let csrf = found.field("csrf");
    let pick = |patient| [("csrf", csrf.as_str()), ("continuation", &*handle), ("patient", patient)];
    assert_eq!(doc.post("/account/patient", &pick("p9")).await.status, 403);
    let page = doc.post("/account/patient", &pick("p1")).await;
    let back = bench.share(&mut doc, &page, &["patient/Patient.rs"], &[]).await;
    assert_eq!(bench.redeem(&back).await.body["patient"], "p1");
    // Without patient/ scopes there is no patient, and no picker.
    let page = bench.asked(&mut doc, "user/Patient.rs", &[]).await;
    let back = bench.share(&mut doc, &page, &["user/Patient.rs"], &[]).await;
    assert!(bench.redeem(&back).await.body.get("patient").is_none());
}

/// Row B23: an app that was opened here gets what it was opened for, once, in that session.
#[tokio::test]
async fn b23_a_launch_works_once_and_for_who_made_it() {
    let bench = Bench::public();
    let other = bench.world.add(&app(NewKind::Public));
    let mut doc = bench.clinician().await;
    let scope = "launch openid fhirUser patient/Patient.rs patient/Observation.rs";
    let context = LaunchContext {
        patient: Some("p1".into()),
        encounter: Some("e1".into()),
        intent: Some("review".into()),
        ..LaunchContext::default()
    };
    let give = |client: &str, browser: &Browser<'_>| {
        let inner = &bench.world.service.inner;
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::COOKIE, browser.cookie_field().parse().unwrap());
        let session = inner.people.session_of(&headers).unwrap();
        inner.launches.give(&context, client, &session, bench.world.now_s()).unwrap().expose().to_owned()
    };
    let handle = give(&bench.app, &doc);
    let page = bench.asked(&mut doc, scope, &[("launch", &handle)]).await;
    assert!(page.status == 200 && page.body.contains("Ana Ruiz"), "{}", page.body);
    // The pages of one request may be looked at again; another request has lost it.
    let continuation = page.field("continuation");
    assert_eq!(follow(&mut doc, &format!("/oauth/authorize?continuation={continuation}")).await.status, 200);
    assert_eq!(error(&bench.asked(&mut doc, scope, &[("launch", &handle)]).await), "access_denied", "replayed");
    let back = bench.share(&mut doc, &page, &["openid", "fhirUser", "patient/Patient.rs"], &[]).await;
    let answered = bench.redeem(&back).await;
    for (name, value) in [("patient", "p1"), ("encounter", "e1"), ("intent", "review")] {
        assert_eq!(answered.body[name], value, "{}", answered.body);
    }
    assert!(answered.body["scope"].as_str().unwrap().starts_with("launch "));

    for (what, handle) in
        [("unknown", "no-such-handle".to_owned()), ("another app's", give(&other, &doc)), ("blank", " ".to_owned())]
    {
        assert_eq!(error(&bench.asked(&mut doc, scope, &[("launch", &handle)]).await), "access_denied", "{what}");
    }
    let late = give(&bench.app, &doc);
    bench.world.pass(crate::limits::LAUNCH_LIFE_S);
    assert_eq!(error(&bench.asked(&mut doc, scope, &[("launch", &late)]).await), "access_denied", "too old");
    // In another browser: a page, and the app learns nothing.
    let theirs = give(&bench.app, &doc);
    let mut ana = bench.ana().await;
    for browser in [&mut ana, &mut Browser::new(&bench.world)] {
        let page = bench.asked(browser, scope, &[("launch", &theirs)]).await;
        assert_eq!((page.status, page.to()), (403, ""), "{}", page.body);
    }
    // The scope alone opens nothing: a patient is picked as ever (row B24).
    let page = bench.asked(&mut doc, scope, &[]).await;
    assert!(page.body.contains("name=\"filter\""), "{}", page.body);
}

/// Row B28: who gave the same before, and still does, need not be asked again.
#[tokio::test]
async fn b28_a_live_consent_is_remembered() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let scope = "openid launch/patient online_access patient/Patient.rs patient/AllergyIntolerance.rs";
    let is_asked = |page: &Page| page.body.contains("name=\"decision\"");
    let first = bench.tokens(&mut ana, scope, &[]).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let back = bench.asked(&mut ana, scope, &[]).await;
    let second = bench.redeem(&back).await;
    assert_eq!((second.body["scope"].as_str(), &second.body["patient"]), (Some(scope), &"p1".into()));
    assert!(
        bench
            .world
            .recorded
            .entries
            .lock()
            .unwrap()
            .iter()
            .any(|entry| { entry.query.as_deref().is_some_and(|query| query.contains("remembered=yes")) })
    );
    assert!(answer(&bench.asked(&mut ana, scope, &[("prompt", "none")]).await, "code").is_some());
    assert!(answer(&bench.asked(&mut ana, SCOPE, &[]).await, "code").is_some(), "less than before");
    // More, other, riskier, wished for: asked.
    for (scope, changes) in [
        (format!("{scope} patient/Condition.rs"), &[][..]),
        (format!("{scope} offline_access"), &[]),
        (format!("{scope} fhirUser"), &[]),
        ("patient/Patient.cruds".to_owned(), &[]),
        ("user/Patient.rs".to_owned(), &[]),
        (scope.to_owned(), &[("prompt", "consent")]),
    ] {
        assert!(is_asked(&bench.asked(&mut ana, &scope, changes).await), "{scope}");
    }
    // Once it is ended it is forgotten.
    for token in [&first, &second] {
        let family = bench.grant(token).family.clone().unwrap();
        bench.world.service.inner.end_family(&family).unwrap();
    }
    for family in bench.world.service.inner.families.of_client(&bench.app) {
        bench.world.service.inner.end_family(&family).unwrap();
    }
    assert!(is_asked(&bench.asked(&mut ana, scope, &[]).await));
    // Another person's consent is nothing.
    bench.tokens(&mut ana, scope, &[]).await;
    let mut bob = bench.somebody("bob", Role::Patient, "Patient/p2", &["p2"]).await;
    assert!(is_asked(&bench.asked(&mut bob, scope, &[]).await));
}

/// Row B28: an app that another program could pose as is asked about each time; RFC 8252 section 8.6.
#[tokio::test]
async fn b28_never_for_who_can_be_posed_as() {
    for redirect in ["com.example.walks:/callback", "http://127.0.0.1/callback"] {
        let native = NewClient {
            redirect_uris: vec![redirect.into()],
            application: oauth::redirect_uri::ApplicationType::Native,
            ..app(NewKind::Public)
        };
        let bench = Bench::with(&native);
        let mut ana = bench.ana().await;
        for _ in 0..2 {
            let page = bench.asked(&mut ana, SCOPE, &[("redirect_uri", redirect)]).await;
            assert!(page.body.contains("name=\"decision\""), "{redirect}");
            let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
            assert!(back.status == 303 && back.to().starts_with(redirect), "{}", back.to());
            let code = back.to().split_once("code=").unwrap().1.split('&').next().unwrap();
            let body = format!(
                "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}&client_id={}",
                encoded(redirect),
                bench.app
            );
            assert_eq!(bench.world.post("/oauth/token", &body).await.status, 200);
        }
    }
}
