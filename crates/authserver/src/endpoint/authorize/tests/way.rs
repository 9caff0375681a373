//! The way as it should be: from asking to tokens. Rows A18, B16, B19, B20, B22, B24, B25, B27, B50, B57, B59, E2, E5.

use super::*;
use crate::families::Lasting;
use http::Method;

const SURVEY: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey";

/// Rows B16, B20, B22, B27, B50, A18, E2: the page says who asks for what, and what was chosen is what the token gives.
#[tokio::test]
async fn b16_from_the_request_to_the_token() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let scope = "openid fhirUser launch/patient patient/Patient.rs patient/Observation.rs patient/Condition.rs";
    let page = bench.asked(&mut ana, scope, &[("nonce", "n-1")]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for shown in ["My Walks", "Ana Ruiz", "app.example.org"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    // Row A18: never in a frame; the form may lead to the app and nowhere else.
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self' https://app.example.org;"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert_eq!(page.headers["cache-control"], "no-store");
    // Row B27: of the whole type a part can be given; the whole itself is declined, and another type too (E2, E5).
    for offered in ["patient/Patient.rs", "patient/Observation.rs", SURVEY, "patient/Condition.rs"] {
        assert!(page.body.contains(&html(offered)), "{offered}");
    }
    let from = bench.world.entries();
    let back = bench.share(&mut ana, &page, &["openid", "fhirUser", "patient/Patient.rs", SURVEY], &[]).await;
    assert_eq!(back.status, 303);
    assert_eq!(back.headers["referrer-policy"], "no-referrer");
    assert_eq!(back.headers["cache-control"], "no-store");
    assert_eq!((answer(&back, "state").as_deref(), answer(&back, "iss").as_deref()), (Some(STATE), Some(ISSUER)));
    let answered = bench.redeem(&back).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    let granted = format!("openid fhirUser launch/patient patient/Patient.rs {SURVEY}");
    assert_eq!((answered.body["scope"].as_str(), answered.body["patient"].as_str()), (Some(&*granted), Some("p1")));
    assert!(answered.body["id_token"].is_string() && answered.body.get("refresh_token").is_none());
    let grant = bench.grant(&answered);
    assert_eq!(grant.scopes.iter().map(|scope| &*scope.text).collect::<Vec<_>>(), ["patient/Patient.rs", SURVEY]);
    assert_eq!((grant.launch.patient.as_deref(), &*grant.user.as_ref().unwrap().name), (Some("p1"), "The ana"));
    // Rows F16, F24: recorded with its person, and no code, handle or token in it.
    assert_eq!(bench.events(from), ["authorization-granted", "token-issued"]);
    let entries = format!("{:?}", bench.world.recorded.entries.lock().unwrap());
    for secret in [answer(&back, "code").unwrap(), page.field("continuation"), answered.token().to_owned()] {
        assert!(!entries.contains(&secret), "{entries}");
    }
}

/// Row B16: a posted request comes from another site, so it has no cookie; it goes on with a redirect to ourselves.
#[tokio::test]
async fn b16_by_post_too() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let cookies = std::mem::take(&mut ana.cookies);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://app.example.org"),
        ("sec-fetch-site", "cross-site"),
    ];
    let body = bench.query("launch/patient patient/Patient.rs", &[]);
    let to = ana.send(Method::POST, "/oauth/authorize", &headers, &body).await;
    assert!(to.status == 303 && to.to().starts_with("/oauth/authorize?continuation="), "{} {}", to.status, to.to());
    ana.cookies = cookies;
    let page = follow(&mut ana, to.to()).await;
    let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    assert_eq!(bench.redeem(&back).await.status, 200);
    // Not a form.
    let other = ana.send(Method::POST, "/oauth/authorize", &[("content-type", "application/json")], "{}").await;
    assert_eq!(other.status, 415);
    for method in [Method::PUT, Method::DELETE] {
        let refused = ana.send(method, "/oauth/authorize", &[], "").await;
        assert_eq!((refused.status, refused.headers["allow"].to_str().unwrap()), (405, "GET, POST"));
    }
}

/// Rows B57, B59: how long is a choice of its own.
#[tokio::test]
async fn b59_how_long_is_chosen() {
    const DAY_S: i64 = 24 * 3600;
    let bench = Bench::with(&app(NewKind::ConfidentialSymmetric));
    let mut ana = bench.ana().await;
    let session = ana.cookie_field();
    for (scope, lasts, kept) in [
        ("offline_access", "now", None),
        ("offline_access", "180", Some(180)),
        ("offline_access", "365", Some(365)),
        ("online_access", "now", Some(0)),
        ("online_access offline_access", "now", Some(0)),
    ] {
        let asked = format!("{scope} launch/patient patient/Patient.rs");
        let page = bench.asked(&mut ana, &asked, &[("prompt", "consent")]).await;
        let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[("lasts", lasts)]).await;
        let answered = bench.redeem(&back).await;
        let grant = bench.grant(&answered);
        let family = bench.world.service.inner.families.family(grant.family.as_deref().unwrap()).unwrap().unwrap();
        let refresh = answered.body["refresh_token"].as_str();
        assert_eq!(refresh.is_some(), kept.is_some(), "{scope} {lasts}: {}", answered.body);
        match (kept, family.lasting) {
            (None, Lasting::Once) => {}
            (Some(0), Lasting::Session(_)) => assert!(grant.scope_text.contains("online_access")),
            (Some(days), Lasting::Offline) => assert_eq!(family.ends_s, bench.world.now_s() + days * DAY_S),
            (_, lasting) => panic!("{scope} {lasts}: {lasting:?}"),
        }
        assert_eq!(grant.scope_text.contains("offline_access"), kept.is_some_and(|days| days > 0));
        if let Some(refresh) = refresh {
            let body = format!(
                "grant_type=refresh_token&refresh_token={refresh}&client_id={}&client_secret={}",
                bench.app, bench.secret
            );
            assert_eq!(bench.world.post("/oauth/token", &body).await.status, 200);
        }
    }
    assert_eq!(ana.cookie_field(), session, "nothing of it changes the session");
    // What was not among the choices.
    for lasts in ["", "until-ended", "90", "100000"] {
        let page = bench.asked(&mut ana, "offline_access launch/patient patient/Patient.rs", &[]).await;
        let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[("lasts", lasts)]).await;
        assert_eq!(back.status, 422, "{lasts}");
    }
}

/// Row B27: nothing is given without a choice, and who chooses nothing is asked again; who declines ends it.
#[tokio::test]
async fn b27_what_is_declined_is_not_given() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let scope = "openid launch/patient patient/Patient.rs patient/AllergyIntolerance.rs";
    let page = bench.asked(&mut ana, scope, &[]).await;
    let again = bench.share(&mut ana, &page, &[], &[]).await;
    assert_eq!(again.status, 422);
    assert!(again.body.contains("name=\"decision\""), "the page again: {}", again.body);
    // A group that is off takes its scopes along; the form is the same without its `group`.
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let only_who = [
        ("csrf", csrf.as_str()),
        ("continuation", &handle),
        ("decision", "share"),
        ("lasts", "now"),
        ("scope", "openid"),
    ];
    let back = ana.post("/account/consent", &only_who).await;
    let answered = bench.redeem(&back).await;
    assert_eq!(answered.body["scope"], "openid launch/patient");
    assert!(bench.grant(&answered).scopes.is_empty());
    let page = bench.asked(&mut ana, scope, &[]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let no =
        [("csrf", csrf.as_str()), ("continuation", &handle), ("decision", "deny"), ("scope", "patient/Patient.rs")];
    let back = ana.post("/account/consent", &no).await;
    assert_eq!(error(&back), "access_denied");
    assert_eq!(follow(&mut ana, &format!("/oauth/authorize?continuation={handle}")).await.status, 404, "it is over");
}

/// More scopes than a usual form has fields.
#[tokio::test]
async fn b27_a_long_list_is_taken_whole() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let types = oauth::granular::RESOURCE_TYPES;
    let scope: Vec<String> = ["patient", "user"]
        .into_iter()
        .flat_map(|context| types.map(|name| format!("{context}/{name}.rs")))
        .chain(types.map(|name| format!("patient/{name}.cud")))
        .collect();
    let scope = scope.join(" ");
    assert!(scope.split(' ').count() > oauth::limits::FORM_PARAMETERS_MAX);
    let answered = bench.tokens(&mut ana, &scope, &[]).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert_eq!(bench.grant(&answered).scopes.len(), scope.split(' ').count());
}
