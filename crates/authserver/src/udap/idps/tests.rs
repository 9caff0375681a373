//! A person comes by an identity provider that an app named: two servers of ours, each the web of the other. Rows D34 to
//! D39.

use crate::{
    Branding, Client, NewCommunity,
    egress::{FetchError, Said},
    people::account::NewAccount,
    records::PatientRecord,
    testing::{
        Answer, NOW_S, World,
        browser::{Browser, PASSWORD, Page, accept},
        communities::{Lab, REDIRECT, with},
        encoded,
    },
};
use oauth::{caller::Role, form::Form, pkce::Challenge, udap::x5c::Signed};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::pki::Held;

const IDP: &str = "https://riverbend.example/fhir";
const IDP_ORIGIN: &str = "https://riverbend.example";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-0123456789";
const SCOPE: &str = "openid udap launch/patient patient/Patient.rs";

/// A data holder with an app, and an identity provider, in one community.
struct Bench {
    holder: World,
    idp: World,
    lab: Lab,
    held: Held,
    app: Arc<Client>,
}

fn brand() -> Branding {
    let logo = Some("https://maple.example/logo.png".into());
    Branding { website: "https://maple.example".into(), logo, ..Branding::default() }
}

fn tiered(lab: &Lab, base: &str) -> NewCommunity {
    NewCommunity { identity_providers: true, name: Some("Valley Trust".into()), ..lab.community_of(base) }
}

impl Bench {
    async fn new() -> Self {
        Self::of(Some(brand()), |lab| tiered(lab, crate::testing::BASE)).await
    }

    async fn of(brand: Option<Branding>, community: impl FnOnce(&Lab) -> NewCommunity) -> Self {
        let holder = World::of_accounts_at(crate::testing::BASE, brand);
        let idp = World::of_accounts_at(IDP, None);
        let patient = PatientRecord { id: "p1".into(), name: "Ana Ruiz".into(), born: None };
        holder.charts.patients.lock().unwrap().push(patient);
        let lab = Lab::new("lab");
        holder.service.add_community(&community(&lab)).unwrap();
        idp.service.add_community(&tiered(&lab, IDP)).unwrap();
        holder.web.servers.lock().unwrap().insert(IDP_ORIGIN.into(), idp.service.clone());
        let statement = with(holder.app_statement(), &[("scope", json!(format!("{SCOPE} fhirUser")))]);
        let (held, app) = holder.registered(&lab, &statement).await;
        Self { holder, idp, lab, held, app }
    }

    /// Somebody with an account at both, bound to each other; signed in at the provider alone.
    async fn ana(&self) -> (Browser<'_>, Browser<'_>) {
        let mut there = Browser::new(&self.idp);
        let new = NewAccount {
            login: "ana".into(),
            name: "Ana".into(),
            role: Role::Patient,
            fhir_user: Some("Patient/p9".into()),
            patients: vec!["p9".into()],
        };
        let (account, link) = self.idp.service.add_user(&new).unwrap();
        accept(&mut there, &link, "ana").await;
        let new = NewAccount { fhir_user: Some("Patient/p1".into()), patients: vec!["p1".into()], ..new };
        let here = self.holder.service.add_user(&new).unwrap().0;
        self.holder.service.bind_user(&here.id, IDP, &account.id).unwrap();
        (Browser::new(&self.holder), there)
    }

    fn query(&self, changes: &[(&str, &str)]) -> String {
        let challenge = Challenge::of(VERIFIER).as_parameter();
        let usual = [
            ("response_type", "code"),
            ("client_id", &*self.app.id),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "the app's"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("idp", IDP),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
        let all = kept.chain(changes.iter().copied().filter(|(_, value)| !value.is_empty()));
        all.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
    }

    /// From the app to the page that says where one is sent, or to whatever comes in its place.
    async fn asked(&self, here: &mut Browser<'_>, changes: &[(&str, &str)]) -> Page {
        follow(here, &format!("/oauth/authorize?{}", self.query(changes))).await
    }

    /// On by the page's link: the address at the provider.
    async fn sent(&self, here: &mut Browser<'_>, page: &Page) -> String {
        assert_eq!(page.status, 200, "{} {}", page.to(), page.body);
        let at = page.body.find("/account/udap/go?").unwrap();
        let link = page.body[at..].split('"').next().unwrap().replace("&amp;", "&");
        let gone = click(here, &link).await;
        assert_eq!(gone.status, 303, "{}", gone.body);
        gone.to().to_owned()
    }

    /// What the person does at the provider: consents; the address that leads back.
    async fn there(&self, there: &mut Browser<'_>, url: &str) -> String {
        let page = follow(there, url.strip_prefix(IDP_ORIGIN).unwrap()).await;
        assert_eq!(page.status, 200, "{} {}", page.to(), page.body);
        let (csrf, continuation) = (page.field("csrf"), page.field("continuation"));
        let fields = [
            ("csrf", csrf.as_str()),
            ("continuation", &continuation),
            ("decision", "share"),
            ("lasts", "now"),
            ("group", "identity"),
            ("scope", "openid"),
        ];
        let back = there.post("/account/consent", &fields).await;
        assert_eq!(back.status, 303, "{}", back.body);
        back.to().to_owned()
    }

    /// From the app through the provider to what comes then.
    async fn through(&self, here: &mut Browser<'_>, there: &mut Browser<'_>) -> Page {
        let page = self.asked(here, &[]).await;
        let url = self.sent(here, &page).await;
        let back = self.there(there, &url).await;
        follow(here, local(&back)).await
    }

    /// Back with an answer of ours in place of the provider's token endpoint's.
    async fn with_token(&self, here: &mut Browser<'_>, there: &mut Browser<'_>, status: u16, body: Value) -> Page {
        let page = self.asked(here, &[]).await;
        let url = self.sent(here, &page).await;
        let back = self.there(there, &url).await;
        let said = Said { status, body: body.to_string().into() };
        self.holder.web.instead.lock().unwrap().push(("/oauth/token".into(), said));
        follow(here, local(&back)).await
    }

    fn asked_of_idp(&self, what: &str) -> usize {
        let asked = self.holder.web.asked.lock().unwrap();
        asked.iter().filter(|(url, _)| url.split('?').next() == Some(what)).count()
    }
}

fn local(url: &str) -> &str {
    url.strip_prefix("https://care.example:8443").unwrap_or_else(|| panic!("{url}"))
}

async fn click(browser: &mut Browser<'_>, link: &str) -> Page {
    browser.send(http::Method::GET, link, &[("sec-fetch-site", "same-origin")], "").await
}

async fn follow(browser: &mut Browser<'_>, path: &str) -> Page {
    let mut path = path.to_owned();
    for _ in 0..6 {
        let page = browser.get(&path).await;
        // From the provider one goes on by a page, for its form-action knows no app.
        if let Some(on) = page.headers.get("refresh") {
            path = on.to_str().unwrap().strip_prefix("0; url=").unwrap().to_owned();
            continue;
        }
        if page.status != 303 || !page.to().starts_with('/') {
            return page;
        }
        path = page.to().to_owned();
    }
    panic!("redirects without end: {path}");
}

/// A parameter of what goes to the app, with its own state.
fn told(page: &Page, name: &str) -> Option<String> {
    let query = page.to().strip_prefix(&format!("{REDIRECT}?"));
    let query = query.unwrap_or_else(|| panic!("{} {} {}", page.status, page.to(), page.body));
    let form = Form::parse(query.as_bytes()).unwrap();
    assert_eq!(form.value("state"), Some("the app's"));
    assert_eq!(form.value("iss"), Some(crate::testing::BASE));
    form.value(name).map(str::to_owned)
}

fn error(page: &Page) -> String {
    told(page, "error").unwrap_or_else(|| panic!("{}", page.to()))
}

fn parameter(url: &str, name: &str) -> Option<String> {
    Form::parse(url.split_once('?').unwrap().1.as_bytes()).unwrap().value(name).map(str::to_owned)
}

/// D34, D35, D37, D39: all the way: discovery, registration, sign-in there, our own consent, tokens.
#[tokio::test]
async fn d35_all_the_way() {
    let bench = Bench::new().await;
    let (mut here, mut there) = bench.ana().await;
    let from = bench.holder.entries();
    let page = bench.asked(&mut here, &[]).await;
    assert!(page.body.contains("riverbend.example") && page.body.contains("Valley Trust"), "{}", page.body);
    assert!(!page.body.contains(IDP_ORIGIN), "the address is not on the page");
    let url = bench.sent(&mut here, &page).await;
    // D35: own state, nonce, PKCE, both scopes; the app's state stays here.
    assert!(url.starts_with(&format!("{IDP_ORIGIN}/oauth/authorize?")), "{url}");
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid udap"));
    assert!(parameter(&url, "state").is_some_and(|state| state.len() >= 43 && state != "the app's"));
    assert!(parameter(&url, "nonce").is_some_and(|nonce| nonce.len() >= 43));
    assert_eq!(parameter(&url, "code_challenge_method").as_deref(), Some("S256"));
    // D39: the provider says by whose name it answers.
    let back = bench.there(&mut there, &url).await;
    assert_eq!(parameter(&back, "iss").as_deref(), Some(IDP));
    let page = follow(&mut here, local(&back)).await;
    assert_eq!(page.status, 200, "{} {}", page.to(), page.body);
    // Our own consent page, which names who vouched.
    assert!(page.body.contains("riverbend.example</") || page.body.contains("riverbend.example, of"), "{}", page.body);
    let (csrf, continuation) = (page.field("csrf"), page.field("continuation"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("continuation", &continuation),
        ("decision", "share"),
        ("lasts", "now"),
        ("group", "person"),
        ("group", "identity"),
        ("scope", "openid"),
        ("scope", "patient/Patient.rs"),
    ];
    let page = here.post("/account/consent", &fields).await;
    let code = told(&page, "code").unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
        encoded(REDIRECT)
    );
    let claims = with(bench.holder.udap_claims(&bench.app.id), &[("extensions", Value::Null)]);
    let answer: Answer = bench.holder.udap_ask(&bench.held, &claims, &form).await;
    assert_eq!(answer.line(), "200", "{}", answer.body);
    assert_eq!(answer.body["patient"], "p1");
    // D39: who asked for `openid udap` gets an id token with our certificate, by our base URL.
    let id_token = answer.body["id_token"].as_str().unwrap();
    let signed = Signed::parse(id_token).unwrap();
    let leaf = oauth::x509::Certificate::read(&signed.x5c()[0]).unwrap();
    assert_eq!(leaf.uris(), [crate::testing::BASE]);
    assert_eq!(signed.verify(leaf.key()).unwrap()["iss"], crate::testing::BASE);
    // Registered once; what the provider was asked for.
    assert_eq!(bench.asked_of_idp(&format!("POST {IDP_ORIGIN}/oauth/udap/register")), 1);
    assert_eq!(bench.asked_of_idp(&format!("POST {IDP_ORIGIN}/oauth/token")), 1);
    assert_eq!(bench.asked_of_idp(&format!("GET {IDP}/.well-known/udap")), 1);
    let entries = bench.holder.recorded.entries.lock().unwrap();
    let subtypes: Vec<&str> = entries[from..].iter().map(|entry| &*entry.subtype).collect();
    let order: Vec<&str> = subtypes.iter().copied().filter(|subtype| *subtype != "read").collect();
    assert_eq!(order, ["sign-in-begun", "sign-in", "authorization-granted", "token-issued"]);
}

/// D35: the registration lasts over a restart, is made anew after a day, and once when the provider forgot us.
#[tokio::test]
async fn d35_registrations_last_and_are_made_anew() {
    let mut bench = Bench::new().await;
    let registered = format!("POST {IDP_ORIGIN}/oauth/udap/register");
    {
        let (mut here, mut there) = bench.ana().await;
        assert_eq!(bench.through(&mut here, &mut there).await.status, 200);
    }
    bench.holder.restart();
    let mut here = Browser::new(&bench.holder);
    let page = bench.asked(&mut here, &[]).await;
    let first = parameter(&bench.sent(&mut here, &page).await, "client_id");
    assert_eq!(bench.asked_of_idp(&registered), 1);
    for world in [&bench.holder, &bench.idp] {
        world.pass(crate::limits::IDP_REGISTRATION_S + 1);
    }
    let mut here = Browser::new(&bench.holder);
    let page = bench.asked(&mut here, &[]).await;
    let url = bench.sent(&mut here, &page).await;
    assert_eq!((bench.asked_of_idp(&registered), parameter(&url, "client_id")), (2, first.clone()));
    // It forgets us while the person is there.
    let mut there = Browser::new(&bench.idp);
    there.sign_in("ana", PASSWORD).await;
    let back = bench.there(&mut there, &url).await;
    bench.idp.service.cancel_udap(&first.clone().unwrap()).unwrap();
    let page = follow(&mut here, local(&back)).await;
    let url = bench.sent(&mut here, &page).await;
    assert_eq!(bench.asked_of_idp(&registered), 3);
    assert_ne!(parameter(&url, "client_id"), first);
    let back = bench.there(&mut there, &url).await;
    let page = follow(&mut here, local(&back)).await;
    assert!(page.body.contains("Ana Ruiz"), "{}", page.body);
}

/// D34: without `udap`, without `idp`, or where the community's members are no providers, one signs in here.
#[tokio::test]
async fn d34_what_is_no_tiered_request() {
    let bench = Bench::new().await;
    let mut here = Browser::new(&bench.holder);
    for changes in [[("scope", "openid patient/Patient.rs")], [("idp", "")]] {
        let page = bench.asked(&mut here, &changes).await;
        assert!(page.body.contains("name=\"password\""), "{changes:?}: {}", page.body);
    }
    assert!(bench.holder.web.asked.lock().unwrap().is_empty(), "nothing was asked of the provider");
    let plain = Bench::of(Some(brand()), |lab| lab.community()).await;
    assert!(!plain.app.scope_text.contains("udap"), "not registered: {}", plain.app.scope_text);
    let mut here = Browser::new(&plain.holder);
    let page = plain.asked(&mut here, &[]).await;
    assert!(page.body.contains("name=\"password\"") && plain.holder.web.asked.lock().unwrap().is_empty());
    let document = |world: &World| {
        let asked = crate::testing::request(http::Method::GET, "/fhir/.well-known/udap", &[], "");
        let service = world.service.clone();
        async move {
            let answer = service.answer("192.0.2.1".parse().unwrap(), asked).await.into_inner();
            serde_json::from_slice::<Value>(answer.body()).unwrap()
        }
    };
    let (with, without) = (document(&bench.holder).await, document(&plain.holder).await);
    let has = |document: &Value, member: &str, value: &str| {
        document[member].as_array().unwrap().iter().any(|item| item.as_str() == Some(value))
    };
    assert!(has(&with, "scopes_supported", "udap") && has(&with, "udap_profiles_supported", "udap_to"));
    assert!(!has(&without, "scopes_supported", "udap") && !has(&without, "udap_profiles_supported", "udap_to"));
}

/// D36, D38: who is not trusted; nothing but metadata is fetched from there.
#[tokio::test]
async fn d38_only_metadata_are_fetched_of_who_is_not_trusted() {
    let bench = Bench::new().await;
    let stranger = World::of_accounts_at("https://evil.example/fhir", None);
    let other = Lab::new("other");
    stranger.service.add_community(&tiered(&other, "https://evil.example/fhir")).unwrap();
    bench.holder.web.servers.lock().unwrap().insert("https://evil.example".into(), stranger.service.clone());
    let mut here = Browser::new(&bench.holder);
    for idp in ["https://evil.example/fhir", "https://nobody.example/fhir", "https://riverbend.example/fhir/"] {
        let page = bench.asked(&mut here, &[("idp", idp)]).await;
        assert_eq!(error(&page), "invalid_idp", "{idp}");
    }
    for idp in ["http://riverbend.example/fhir", "https://127.0.0.1@riverbend.example/", "file:///etc/passwd"] {
        let page = bench.asked(&mut here, &[("idp", idp)]).await;
        assert_eq!(error(&page), "invalid_idp", "{idp}");
    }
    let asked = bench.holder.web.asked.lock().unwrap();
    assert!(asked.iter().all(|(url, _)| url.starts_with("GET ") && url.contains("/.well-known/udap?community=")));
    let entries = bench.holder.recorded.entries.lock().unwrap();
    assert!(entries.iter().any(|entry| *entry.subtype == *"sign-in-failed"));
}

/// D38, F60: of many who name a provider that fails, one asks; it is left alone for a while then.
#[tokio::test]
async fn d38_a_provider_that_fails_is_left_alone() {
    let bench = Bench::new().await;
    bench.holder.web.servers.lock().unwrap().clear();
    let url = oauth::udap::tiered::metadata_url(IDP, &bench.lab.uri);
    bench.holder.web.fail(&url, FetchError::TimedOut);
    let before = bench.holder.web.count_of_documents();
    let inner = &bench.holder.service.inner;
    let all = tokio::join!(inner.idp(IDP), inner.idp(IDP), inner.idp(IDP), inner.idp(IDP));
    assert!(all.0.is_err() && all.1.is_err() && all.2.is_err() && all.3.is_err());
    assert_eq!(bench.holder.web.count_of_documents() - before, 1);
    bench.holder.pass(crate::limits::JWKS_FAILURE_S);
    bench.holder.web.servers.lock().unwrap().insert(IDP_ORIGIN.into(), bench.idp.service.clone());
    let both = tokio::join!(inner.idp(IDP), inner.idp(IDP));
    assert!(both.0.is_ok() && both.1.is_ok());
    assert_eq!(bench.asked_of_idp(&format!("POST {IDP_ORIGIN}/oauth/udap/register")), 1);
    assert_eq!(bench.holder.web.count_of_documents() - before, 2);
}

/// D36: without what providers ask of us there is no registration, and the log says what is missing.
#[tokio::test]
async fn d36_we_do_not_register_with_half_a_statement() {
    for logo in [None, Some("https://maple.example/logo.svg".to_owned())] {
        let bench = Bench::of(Some(Branding { logo, ..brand() }), |lab| tiered(lab, crate::testing::BASE)).await;
        let mut here = Browser::new(&bench.holder);
        assert_eq!(error(&bench.asked(&mut here, &[]).await), "invalid_idp");
        assert_eq!(bench.asked_of_idp(&format!("POST {IDP_ORIGIN}/oauth/udap/register")), 0);
        let reason = bench.holder.last_entry().outcome_text.unwrap_or_default();
        assert!(reason.contains("facility.logo"), "{reason}");
    }
    let refusing = Bench::new().await;
    let said = Said { status: 400, body: json!({ "error": "unapproved_software_statement" }).to_string().into() };
    refusing.holder.web.instead.lock().unwrap().push(("/oauth/udap/register".into(), said));
    let mut here = Browser::new(&refusing.holder);
    assert_eq!(error(&refusing.asked(&mut here, &[]).await), "invalid_idp");
}

/// D36: a state that is missing, wrong, of another browser or used; an error of the provider.
#[tokio::test]
async fn d36_states_and_errors() {
    let bench = Bench::new().await;
    let (mut here, mut there) = bench.ana().await;
    for broken in ["", "&state=", "&state=AAAA", "&state=the%20app%27s"] {
        let page = bench.asked(&mut here, &[]).await;
        bench.sent(&mut here, &page).await;
        let page = follow(&mut here, &format!("/account/udap/back?code=c{broken}")).await;
        assert_eq!(error(&page), "server_error", "{broken}");
    }
    // A browser that went nowhere gets a page of ours.
    let mut other = Browser::new(&bench.holder);
    assert_eq!(other.get("/account/udap/back?code=c&state=s").await.status, 404);
    // The provider, or the person there, says no.
    let page = bench.asked(&mut here, &[]).await;
    let url = bench.sent(&mut here, &page).await;
    let state = parameter(&url, "state").unwrap();
    let page = follow(&mut here, &format!("/account/udap/back?error=access_denied&state={state}")).await;
    assert_eq!(error(&page), "access_denied");
    // Once alone: the same again finds nothing that waits.
    assert_eq!(here.get(&format!("/account/udap/back?error=access_denied&state={state}")).await.status, 404);
    // A code, in a browser that did not leave with this state.
    let page = bench.asked(&mut here, &[]).await;
    let url = bench.sent(&mut here, &page).await;
    let back = bench.there(&mut there, &url).await;
    let page = bench.asked(&mut other, &[]).await;
    bench.sent(&mut other, &page).await;
    assert_eq!(error(&follow(&mut other, local(&back)).await), "server_error");
    assert!(!other.is_signed_in());
    // The answer of another provider (mix-up).
    let mixed = back.replace("riverbend.example", "evil.example");
    assert_ne!(mixed, back);
    assert_eq!(error(&follow(&mut here, local(&mixed)).await), "invalid_idp");
    assert!(!here.is_signed_in());
}

/// D36, D37: id tokens that say nothing, or not of this person, time, place, or by whose certificate.
#[tokio::test]
async fn d37_id_tokens_that_do_not_count() {
    let bench = Bench::new().await;
    let (mut here, mut there) = bench.ana().await;
    for (status, body) in [
        (200, json!({ "access_token": "t", "token_type": "Bearer" })),
        (200, json!({ "id_token": "x.y.z" })),
        (400, json!({ "error": "invalid_grant" })),
        (500, json!({})),
    ] {
        let page = bench.with_token(&mut here, &mut there, status, body).await;
        assert_eq!(error(&page), "invalid_idp", "{status}");
        assert!(!here.is_signed_in());
    }
    let stranger = Lab::new("other").member(IDP);
    let elsewhere = bench.lab.member("https://elsewhere.example/fhir");
    let own = bench.lab.member(IDP);
    for (held, changes, name) in [
        (&stranger, json!({}), "another community's certificate"),
        (&elsewhere, json!({}), "another member's certificate"),
        (&own, json!({ "iss": "https://elsewhere.example/fhir" }), "iss"),
        (&own, json!({ "aud": "somebody" }), "aud"),
        (&own, json!({ "exp": NOW_S - 600 }), "exp"),
        (&own, json!({ "nonce": "n" }), "nonce"),
    ] {
        let page = bench.asked(&mut here, &[]).await;
        let url = bench.sent(&mut here, &page).await;
        let back = bench.there(&mut there, &url).await;
        let mut claims = json!({
            "iss": IDP, "sub": "s", "aud": parameter(&url, "client_id"), "nonce": parameter(&url, "nonce"),
            "iat": NOW_S, "exp": NOW_S + 300,
        });
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let body = json!({ "id_token": held.jws(&claims.to_string()) }).to_string();
        let said = Said { status: 200, body: body.into() };
        bench.holder.web.instead.lock().unwrap().push(("/oauth/token".into(), said));
        assert_eq!(error(&follow(&mut here, local(&back)).await), "invalid_idp", "{name}");
        assert!(!here.is_signed_in(), "{name}");
    }
}

/// D37: whom nobody here is bound to, and whose account is disabled, gets nothing.
#[tokio::test]
async fn d37_nobody_here_is_bound_to_them() {
    let bench = Bench::new().await;
    let (mut here, mut there) = bench.ana().await;
    let ana = bench.holder.service.users().into_iter().next().unwrap();
    bench.holder.service.unbind_user(&ana.id).unwrap();
    let page = bench.through(&mut here, &mut there).await;
    assert_eq!(error(&page), "access_denied");
    let entry = bench.holder.last_entry();
    assert_eq!(&*entry.subtype, "sign-in-failed");
    assert!(entry.query.as_deref().unwrap_or_default().contains("subject="), "the operator binds by it");
}

/// D37: somebody else's session here does not stand in for who the provider vouches for; nor does one's own.
#[tokio::test]
async fn d37_a_session_here_is_not_enough() {
    let bench = Bench::new().await;
    let (mut here, mut there) = bench.ana().await;
    let other = NewAccount {
        login: "luis".into(),
        name: "Luis".into(),
        role: Role::Patient,
        fhir_user: Some("Patient/p2".into()),
        patients: vec!["p2".into()],
    };
    let link = bench.holder.service.add_user(&other).unwrap().1;
    accept(&mut here, &link, "luis").await;
    assert!(here.is_signed_in());
    let page = bench.through(&mut here, &mut there).await;
    assert!(page.body.contains("Ana Ruiz") && !page.body.contains("Luis"), "{}", page.body);
    // `prompt=none` cannot send anybody anywhere.
    let page = bench.asked(&mut here, &[("prompt", "none")]).await;
    assert_eq!(error(&page), "login_required");
}

/// D39: the scope is for members alone.
#[tokio::test]
async fn d39_whom_the_scope_udap_is_for() {
    let bench = Bench::new().await;
    let new = crate::NewClient {
        redirect_uris: vec![REDIRECT.into()],
        ..crate::NewClient::new("App", "openid udap", crate::NewKind::Public)
    };
    let refused = bench.holder.service.add_client(&new).unwrap_err().to_string();
    assert!(refused.contains("trust communities"), "{refused}");
}
