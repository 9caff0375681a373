//! The administrator's pages of the facility's apps, and everybody else in front of them. Rows A18, B11 to B13, F16, F24.

use super::super::tests::{Browser, staff};
use crate::{
    KindName, NewClient, NewKind,
    testing::{KEY, World, encoded, jwks},
};
use oauth::caller::Role;
use pages::ClientKind;
use std::sync::atomic::Ordering;

const NEW: &str = "/account/clients/new";
const ONE: &str = "/account/client";

/// The fields of the form for an app of this kind, as a browser sends them: all, the empty ones too.
fn fields<'a>(csrf: &'a str, kind: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("csrf", csrf),
        ("name", "My Walks"),
        ("maker", "Walks Inc."),
        ("purpose", "Shows how far you walk."),
        ("logo_url", ""),
        ("kind", kind),
        ("redirect_uris", "https://walks.example.org/callback\r\n\r\n"),
        ("launch_url", ""),
        ("intents", ""),
        ("scopes", "openid launch/patient\r\n  patient/Observation.rs"),
        ("jwks_url", ""),
        ("jwks", ""),
        ("certificate_subject", ""),
    ];
    for (name, value) in more {
        all.retain(|(known, _)| known != name);
        all.push((*name, *value));
    }
    all
}

async fn register(browser: &mut Browser<'_>, kind: &str, more: &[(&str, &str)]) -> (u16, String) {
    let page = browser.get(NEW).await;
    assert_eq!(page.status, 200, "{}", page.to());
    let csrf = page.field("csrf");
    let answer = browser.post(NEW, &fields(&csrf, kind, more)).await;
    (answer.status, answer.body)
}

/// The texts that stand alone as keys on the page: client id, then secret.
fn keys(body: &str) -> Vec<String> {
    let parts = body.split("<code class=\"key\">").skip(1);
    parts.map(|part| part.split("</code>").next().unwrap().to_owned()).collect()
}

#[test]
fn kinds_have_one_name() {
    let names: Vec<&str> = ClientKind::ALL.into_iter().map(ClientKind::value).collect();
    assert_eq!(names, KindName::ALL.map(KindName::as_str));
}

#[tokio::test]
async fn b12_an_administrator_registers_an_app_and_sees_its_secret_once() {
    let world = World::new();
    let mut office = staff(&world, "office", Role::Administrator).await;
    let list = office.get("/account/clients").await;
    assert_eq!(list.status, 200);
    assert!(list.body.contains(NEW), "{}", list.body);
    let (status, page) = register(&mut office, "confidential-symmetric", &[("verified", "on")]).await;
    assert_eq!(status, 200, "{page}");
    let shown = keys(&page);
    let [id, secret] = &shown[..] else { panic!("{page}") };
    let client = world.service.client(id).unwrap();
    assert_eq!(client.kind.kind_name(), KindName::ConfidentialSymmetric);
    assert_eq!(&*client.scope_text, "openid launch/patient patient/Observation.rs");
    assert_eq!(client.redirect_uris.len(), 1);
    assert!(client.is_verified && !client.is_fapi2 && !client.introspects_any);
    assert_eq!(client.purpose.as_deref(), Some("Shows how far you walk."));
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("client-added", None));
    assert_eq!(entry.person.as_ref().map(|person| person.role), Some(Role::Administrator));
    assert!(entry.address.is_some(), "F16");
    // It works, and is shown nowhere again.
    let form = format!("token=x&client_id={id}&client_secret={}", encoded(secret));
    assert_eq!(world.post("/oauth/introspect", &form).await.status, 200);
    let path = format!("{ONE}?client={id}");
    for again in ["/account/clients", &path] {
        let page = office.get(again).await;
        assert!(page.body.contains("My Walks") && !page.body.contains(secret.as_str()), "{again}");
    }
    let log = format!("{:?}", world.recorded.entries.lock().unwrap());
    assert!(!log.contains(secret.as_str()), "F24");
    // A second one for rotation; both work, and then the newer alone.
    let csrf = office.get(&path).await.field("csrf");
    let decide =
        |decision: &'static str| [("csrf", csrf.clone()), ("client", id.clone()), ("decision", decision.into())];
    let post = async |office: &mut Browser<'_>, decision| {
        let fields = decide(decision);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        office.post(ONE, &fields).await
    };
    let page = post(&mut office, "new-secret").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let second = keys(&page.body).pop().unwrap();
    assert_eq!(&*world.last_entry().subtype, "client-secret-added");
    let works = async |secret: &str| {
        let form = format!("token=x&client_id={id}&client_secret={}", encoded(secret));
        world.post("/oauth/introspect", &form).await.status == 200
    };
    assert!(works(secret).await && works(&second).await);
    let done = post(&mut office, "drop-secret").await;
    assert_eq!((done.status, done.to()), (303, path.as_str()));
    assert!(!works(secret).await && works(&second).await);
    // Stopped, and on again.
    for (decision, subtype, is_on) in [("disable", "client-disabled", false), ("enable", "client-enabled", true)] {
        assert_eq!(post(&mut office, decision).await.status, 303);
        assert_eq!(&*world.last_entry().subtype, subtype);
        assert!(world.last_entry().person.is_some());
        assert_eq!((world.service.client(id).unwrap().disabled, works(&second).await), (!is_on, is_on));
    }
    assert_eq!(post(&mut office, "nonsense").await.status, 422);
}

/// Rows B11 to B13: each kind by its form.
#[tokio::test]
async fn b13_apps_of_each_kind() {
    let world = World::new();
    let mut office = staff(&world, "office", Role::Administrator).await;
    let keys_text = jwks(&[&KEY]);
    let system = [("redirect_uris", ""), ("scopes", "system/Patient.rs")];
    let kinds: [(&str, Vec<(&str, &str)>); 6] = [
        ("public", vec![]),
        ("public", vec![("redirect_uris", "org.example.walks:/callback")]),
        ("confidential-asymmetric", vec![("jwks", &keys_text), ("fapi2", "on")]),
        ("confidential-asymmetric", vec![("jwks_url", "https://walks.example.org/jwks")]),
        ("backend-service", [&system[..], &[("jwks", &keys_text)]].concat()),
        ("mutual-tls", [&system[..], &[("certificate_subject", "CN=lab,O=Example")]].concat()),
    ];
    for (kind, more) in &kinds {
        let (status, page) = register(&mut office, kind, more).await;
        assert_eq!(status, 200, "{kind}: {page}");
        let shown = keys(&page);
        assert_eq!(shown.len(), 1, "B12: no secret");
        assert_eq!(world.service.client(&shown[0]).unwrap().kind.name(), *kind);
    }
    assert_eq!(world.service.clients().len(), kinds.len());
}

/// Row B50: what an app can be opened for.
#[tokio::test]
async fn b50_an_app_with_what_it_can_be_opened_for() {
    let world = World::new();
    let mut office = staff(&world, "office", Role::Administrator).await;
    let launch = ("launch_url", "https://walks.example.org/launch");
    let intents = ("intents", "reconcile-medications\r\n\r\ngait.review = Look at the walk\r\n");
    let (status, page) = register(&mut office, "public", &[launch, intents]).await;
    assert_eq!(status, 200, "{page}");
    let id = keys(&page)[0].clone();
    let page = office.get(&format!("{ONE}?client={id}")).await.body;
    for shown in ["reconcile-medications=Reconcile medications", "gait.review=Look at the walk"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // The operator says it anew.
    world.service.set_client_intents(&id, &["fall-risk".into()]).unwrap();
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("client-changed", Some("operator")));
    let page = office.get(&format!("{ONE}?client={id}")).await.body;
    assert!(page.contains("fall-risk=Fall risk") && !page.contains("gait.review"), "{page}");
    world.service.set_client_intents(&id, &["no word".into()]).unwrap_err();
    world.service.set_client_intents(&id, &[]).unwrap();
    assert!(world.service.client(&id).unwrap().intents.is_empty());
    assert!(world.service.set_client_intents("nobody", &[]).is_err());
}

/// What is wrong is told beside its field, what was typed stays, and nothing is registered.
#[tokio::test]
async fn b11_what_is_wrong_is_told_beside_its_field() {
    let world = World::new();
    let mut office = staff(&world, "office", Role::Administrator).await;
    for (kind, more, told) in [
        ("public", vec![("redirect_uris", "http://walks.example.org/cb")], "http://walks.example.org/cb"),
        ("public", vec![("redirect_uris", "")], "at least one redirect URI"),
        ("public", vec![("redirect_uris", "javascript:alert(1)")], "javascript"),
        ("public", vec![("scopes", "system/*.rs")], "system/*.rs is for a backend service"),
        ("public", vec![("scopes", "")], "At least one scope"),
        ("public", vec![("name", "")], "must not be empty"),
        ("public", vec![("logo_url", "http://walks.example.org/logo.png")], "https://"),
        ("public", vec![("launch_url", "ftp://x")], "have no iss or launch"),
        ("public", vec![("intents", "reconcile-medications")], "Give a launch URL too"),
        (
            "public",
            vec![("launch_url", "https://a.example/l"), ("intents", "fine\r\nnot fine")],
            "not fine is not a short word",
        ),
        ("public", vec![("jwks", "{}")], "does not have one"),
        ("public", vec![("fapi2", "on")], "needs an app with a key"),
        ("public", vec![("certificate_subject", "CN=x")], "does not have one"),
        ("confidential-asymmetric", vec![], "are needed"),
        ("confidential-asymmetric", vec![("jwks", "{}"), ("jwks_url", "https://a.example/k")], "not both"),
        ("confidential-asymmetric", vec![("jwks", "{}")], "not a JWKS"),
        ("backend-service", vec![("jwks_url", "http://a.example/k")], "https://"),
        ("mutual-tls", vec![("certificate_subject", "no name")], "not the name of a certificate"),
        ("nonsense", vec![], "Choose one"),
    ] {
        let (status, page) = register(&mut office, kind, &more).await;
        assert_eq!(status, 422, "{kind} {more:?}");
        assert!(page.contains(told), "{kind} {more:?}: {page}");
        assert!(page.contains("Walks Inc."), "what was typed is still there");
        assert!(!page.contains("<script>alert"));
    }
    assert!(world.service.clients().is_empty());
    // In the person's language, all of it.
    assert_eq!(office.get("/account/clients?language=es").await.status, 200);
    for (more, told) in [
        (("jwks", "{}"), "Una app de este tipo no lo lleva."),
        (("redirect_uris", "ftp://x"), "ftp://x debe empezar por https://"),
        (("scopes", "patient/Patients.rs"), "patient/Patients.rs tiene un tipo"),
        (("fapi2", "on"), "El perfil FAPI 2 pide una app"),
    ] {
        let (status, page) = register(&mut office, "public", &[more]).await;
        assert_eq!(status, 422);
        assert!(page.contains(told), "{more:?}: {page}");
    }
}

/// Row A18 and step-up: who may not, and who did not prove it just now.
#[tokio::test]
async fn a18_nobody_else_registers() {
    let world = World::new();
    let secret_client = NewClient {
        redirect_uris: vec!["https://a.example/cb".into()],
        ..NewClient::new("Board", "user/*.rs", NewKind::ConfidentialSymmetric)
    };
    let id = world.add(&secret_client);
    let one = format!("{ONE}?client={id}");
    let all = ["/account/clients", NEW, &one];
    let mut stranger = Browser::new(&world);
    for path in all {
        let page = stranger.get(path).await;
        assert_eq!(page.status, 303);
        assert!(page.to().starts_with("/account/sign-in?continuation=to-client"), "{}", page.to());
    }
    for role in [Role::Clinician, Role::PrivacyOfficer, Role::Patient] {
        let login = role.as_str();
        let mut browser = staff(&world, login, role).await;
        for path in all {
            let page = browser.get(path).await;
            assert_eq!(page.status, 403, "{login} {path}");
            assert!(!page.body.contains("Board"));
        }
        assert_eq!(&*world.last_entry().subtype, "client-pages-refused");
        // With a form token of another page of theirs, and with none.
        let csrf = browser.get("/account/security").await.field("csrf");
        for token in [csrf.as_str(), ""] {
            let forged = browser.post(NEW, &fields(token, "public", &[])).await;
            assert_eq!(forged.status, 403);
            let forged = browser.post(ONE, &[("csrf", token), ("client", &id), ("decision", "new-secret")]).await;
            assert_eq!(forged.status, 403);
        }
    }
    let mut office = staff(&world, "office", Role::Administrator).await;
    let csrf = office.get(NEW).await.field("csrf");
    // Another site's form, with the administrator's cookies.
    let body: String =
        fields(&csrf, "public", &[]).iter().map(|(name, value)| format!("{name}={}&", encoded(value))).collect();
    let foreign = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    assert_eq!(office.send(http::Method::POST, NEW, &foreign, &body).await.status, 403);
    // Later: signed in still, but it must be them.
    world.pass(crate::limits::people::STEP_UP_S + 1);
    assert_eq!(office.get("/account/clients").await.status, 200);
    assert_eq!(office.get(NEW).await.to(), "/account/sign-in?continuation=to-client-new");
    let late = office.post(NEW, &fields(&csrf, "public", &[])).await;
    assert_eq!((late.status, late.to()), (303, "/account/sign-in?continuation=to-client-new"));
    let late = office.post(ONE, &[("csrf", &csrf), ("client", &id), ("decision", "disable")]).await;
    assert_eq!((late.status, late.to()), (303, "/account/sign-in?continuation=to-clients"));
    assert_eq!(world.service.clients().len(), 1);
    assert!(!world.service.client(&id).unwrap().disabled);
    // What there is not, and a form where there is none.
    assert_eq!(office.get("/account/client?client=nobody").await.status, 404);
    assert_eq!(office.post("/account/clients", &[("csrf", &csrf)]).await.status, 405);
}

/// Rows F16 and F25: without its record there is no client, and no secret is shown.
#[tokio::test]
async fn without_its_record_nothing_is_registered() {
    let world = World::new();
    let mut office = staff(&world, "office", Role::Administrator).await;
    let csrf = office.get(NEW).await.field("csrf");
    world.recorded.down.store(true, Ordering::Relaxed);
    let page = office.post(NEW, &fields(&csrf, "confidential-symmetric", &[])).await;
    assert_eq!((page.status, keys(&page.body).len()), (503, 0));
    world.recorded.down.store(false, Ordering::Relaxed);
    world.tables.clients.full.store(true, Ordering::Relaxed);
    let page = office.post(NEW, &fields(&csrf, "confidential-symmetric", &[])).await;
    assert_eq!((page.status, keys(&page.body).len()), (503, 0));
    assert!(world.service.clients().is_empty());
}
