//! Registration as a maker of apps meets it, and as attackers do. Rows B11 to B14, F16, F24, F60, F61, F66.

use crate::{
    KindName, NewInvitation, limits,
    testing::{Answer, ISSUER, KEY, NOW_S, STRANGER, World, credentials, encoded, jwks, request},
};
use http::Method;
use oauth::bearer::LiveTokens;
use serde_json::{Value, json};
use std::sync::{Arc, atomic::Ordering};

const PATH: &str = "/oauth/register";
const REACH: &str = "openid fhirUser launch/patient offline_access patient/*.rs system/Observation.rs";

fn invitation(uses: u32) -> NewInvitation {
    NewInvitation { note: "Walks Inc.".into(), kinds: KindName::ALL.to_vec(), scope: REACH.into(), uses, life_s: 3600 }
}

/// An initial access token.
fn invited(world: &World, new: &NewInvitation) -> String {
    world.service.invite_client(new).unwrap().0.expose().to_owned()
}

async fn send(world: &World, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    world.send("192.0.2.1", request(method, path, &headers, &body)).await
}

async fn register(world: &World, token: &str, body: &Value) -> Answer {
    send(world, Method::POST, PATH, token, body).await
}

/// Of another address, so that the rate of one does not matter.
async fn manage(world: &World, method: Method, answer: &Value, body: &Value) -> Answer {
    let (path, token) = (own_path(answer), text(answer, "registration_access_token"));
    send(world, method, &path, &token, body).await
}

fn own_path(answer: &Value) -> String {
    text(answer, "registration_client_uri").strip_prefix(ISSUER).unwrap().to_owned()
}

fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned()
}

fn app() -> Value {
    json!({
        "client_name": "My Walks",
        "redirect_uris": ["https://walks.example.org/callback"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid fhirUser launch/patient offline_access patient/Observation.rs",
        "logo_uri": "https://walks.example.org/logo.png",
        "client_uri": "https://walks.example.org",
        "contacts": ["help@walks.example.org"],
        "software_id": "walks",
        "initiate_login_uri": "https://walks.example.org/launch",
    })
}

fn system() -> Value {
    json!({
        "client_name": "Lab",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": serde_json::from_str::<Value>(&jwks(&[&KEY])).unwrap(),
    })
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

#[tokio::test]
async fn b14_a_client_registers_itself_once() {
    let mut world = World::new();
    let token = invited(&world, &invitation(1));
    let answer = register(&world, &token, &app()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    for (name, value) in app().as_object().unwrap() {
        assert_eq!(&answer.body[name], value, "{name}");
    }
    assert_eq!(answer.body["client_id_issued_at"], NOW_S);
    assert!(answer.body.get("client_secret").is_none(), "B12: a public client has none");
    let id = text(&answer.body, "client_id");
    let client = world.service.client(&id).unwrap();
    assert_eq!((client.kind.kind_name(), &*client.scope_text), (KindName::Public, app()["scope"].as_str().unwrap()));
    assert_eq!(client.redirect_uris[0].as_str(), "https://walks.example.org/callback");
    assert_eq!(client.launch_url.as_deref(), Some("https://walks.example.org/launch"));
    let entry = world.last_entry();
    assert_eq!(&*entry.subtype, "client-added");
    assert!(entry.query.as_deref().unwrap().contains("invitation="), "F16");
    assert!(entry.address.is_some());
    // Once.
    let again = register(&world, &token, &app()).await;
    assert_eq!(again.line(), "401 invalid_token");
    assert_eq!(&*world.last_entry().subtype, "client-registration-refused");
    assert_eq!(world.service.clients().len(), 1);
    // What was said is there after a restart, and can be read with the token alone that was given.
    world.restart();
    assert_eq!(register(&world, &token, &app()).await.line(), "401 invalid_token", "not after a restart either");
    let read = manage(&world, Method::GET, &answer.body, &Value::Null).await;
    assert_eq!((read.status, &read.body), (200, &answer.body));
    assert_eq!(&*world.last_entry().subtype, "client-registration-read");
    // F24: none of the secrets is in the log or a row's key.
    let log = format!("{:?}", world.recorded.entries.lock().unwrap());
    for secret in [&token, &text(&answer.body, "registration_access_token")] {
        assert!(!log.contains(secret.as_str()));
    }
}

/// Rows B12 and B13: of each kind, and each can do what it is for.
#[tokio::test]
async fn b14_clients_of_all_kinds() {
    let world = World::new();
    let token = invited(&world, &invitation(10));
    // A system: its token works.
    let answer = register(&world, &token, &system()).await;
    assert_eq!((answer.status, &answer.body["scope"]), (201, &json!("system/Observation.rs")), "{}", answer.body);
    let id = text(&answer.body, "client_id");
    assert_eq!(world.token(&id, "system/Observation.rs").await.status, 200);
    assert_eq!(world.token(&id, "system/Patient.rs").await.line(), "400 invalid_scope");
    // With a secret, shown once.
    let secretly = with(app(), "token_endpoint_auth_method", json!("client_secret_post"));
    let answer = register(&world, &token, &secretly).await;
    let (id, secret) = (text(&answer.body, "client_id"), text(&answer.body, "client_secret"));
    assert_eq!(answer.body["client_secret_expires_at"], 0);
    let form = format!("token=x&client_id={id}&client_secret={}", encoded(&secret));
    assert_eq!(world.post("/oauth/introspect", &form).await.body, json!({ "active": false }), "the secret is known");
    let read = manage(&world, Method::GET, &answer.body, &Value::Null).await;
    assert!(read.body.get("client_secret").is_none());
    assert!(!world.tables.clients.all_keys().iter().any(|key| key == secret.as_bytes()));
    // By keys, by the name of a certificate, by a certificate of its own.
    let keys =
        with(with(app(), "token_endpoint_auth_method", json!("private_key_jwt")), "jwks", system()["jwks"].clone());
    let named = json!({
        "client_name": "Named", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "lab.example.org",
    });
    let own = json!({
        "client_name": "Own", "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": { "keys": [{ "kty": "RSA", "x5c": ["b3du"] }] },
    });
    for (body, kind) in
        [(&keys, KindName::ConfidentialAsymmetric), (&named, KindName::MutualTls), (&own, KindName::MutualTls)]
    {
        let answer = register(&world, &token, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let client = world.service.client(&text(&answer.body, "client_id")).unwrap();
        assert_eq!(client.kind.kind_name(), kind);
        let read = manage(&world, Method::GET, &answer.body, &Value::Null).await;
        assert_eq!(read.body, answer.body);
    }
}

/// Whoever has no leave registers nothing.
#[tokio::test]
async fn b14_no_leave_no_client() {
    let world = World::new();
    let token = invited(&world, &invitation(5));
    let system = world.client("system/*.rs");
    let access = world.token(&system, "system/Patient.rs").await.token().to_owned();
    let before = world.service.clients().len();
    let ask = async |headers: &[(&str, &str)], path: &str| {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        let answer = world.send("192.0.2.2", request(Method::POST, path, &all, &app().to_string())).await;
        (answer.line(), answer.header("www-authenticate").unwrap_or_default().to_owned())
    };
    let bearer = |token: &str| format!("Bearer {token}");
    let dead = "Bearer realm=\"handrail\", error=\"invalid_token\"";
    assert_eq!(ask(&[], PATH).await, ("401 invalid_token".into(), "Bearer realm=\"handrail\"".into()));
    for wrong in ["unknown", &access, &token.to_lowercase(), &token[1..]] {
        assert_eq!(ask(&[("authorization", &bearer(wrong))], PATH).await, ("401 invalid_token".into(), dead.into()));
    }
    for path in [&format!("{PATH}?access_token={token}")[..], &format!("{PATH}/x?access_token={token}")] {
        let answer = send(&world, Method::POST, path, "x", &app()).await;
        assert!(matches!(answer.status, 400 | 405), "B64");
    }
    assert_eq!(ask(&[("authorization", "Basic YTpi")], PATH).await.0, "400 invalid_request");
    let two = bearer(&token);
    assert_eq!(ask(&[("authorization", &two), ("authorization", &two)], PATH).await.0, "400 invalid_request");
    // Another type than JSON: no form of another site can be one.
    let headers = [("authorization", two.as_str()), ("content-type", "text/plain")];
    let answer = world.send("192.0.2.3", request(Method::POST, PATH, &headers, &app().to_string())).await;
    assert_eq!(answer.line(), "400 invalid_request");
    // Withdrawn, and past its end.
    let (withdrawn, made) = world.service.invite_client(&invitation(5)).unwrap();
    world.service.withdraw_client_invitation(&made.name).unwrap();
    assert_eq!(&*world.last_entry().subtype, "client-invitation-withdrawn");
    assert_eq!(register(&world, withdrawn.expose(), &app()).await.line(), "401 invalid_token");
    world.pass(3600);
    assert_eq!(register(&world, &token, &app()).await.line(), "401 invalid_token");
    assert_eq!(world.service.clients().len(), before);
    assert!(world.service.client_invitations().is_empty());
}

/// F61: nobody registers as more than they are.
#[tokio::test]
async fn f61_mass_assignment_does_nothing() {
    let world = World::new();
    let token = invited(&world, &invitation(2));
    let mut body = app();
    for (name, value) in [
        ("client_id", json!("chosen")),
        ("client_secret", json!("chosen")),
        ("is_verified", json!(true)),
        ("verified", json!(true)),
        ("introspects_any", json!(true)),
        ("calls_without_token", json!(true)),
        ("without_token", json!(true)),
        ("origins", json!(["https://evil.example"])),
        ("disabled", json!(false)),
        ("kind", json!("backend-service")),
        ("own", json!({ "scope": "patient/*.cruds" })),
        ("reach", json!("patient/*.cruds")),
        ("registration_access_token", json!("chosen")),
        ("registration_client_uri", json!("https://evil.example")),
        ("client_id_issued_at", json!(0)),
    ] {
        body[name] = value;
    }
    let answer = register(&world, &token, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(!answer.body.to_string().contains("chosen") && !answer.body.to_string().contains("evil"));
    let client = world.service.client(&text(&answer.body, "client_id")).unwrap();
    assert!(!client.is_verified && !client.introspects_any && !client.calls_without_token && !client.disabled);
    assert_eq!((client.kind.kind_name(), client.origins.len()), (KindName::Public, 0));
    assert!(!world.service.knows_origin("https://evil.example"));
    assert_eq!(client.own.as_ref().unwrap().reach.scope_text.as_ref(), REACH);
    // Nor later.
    let mut later = body;
    for ours in ["registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret"] {
        later.as_object_mut().unwrap().remove(ours);
    }
    later["client_id"] = answer.body["client_id"].clone();
    assert_eq!(manage(&world, Method::PUT, &answer.body, &later).await.status, 200);
    let client = world.service.client(&text(&answer.body, "client_id")).unwrap();
    assert!(!client.is_verified && !client.introspects_any && client.origins.is_empty());
}

/// Rows B11, B14, F60, F61: what is not taken is told by its member, and spends no use.
#[tokio::test]
async fn b14_what_is_not_acceptable_spends_no_use() {
    let world = World::new();
    let only_public = NewInvitation { kinds: vec![KindName::Public], ..invitation(1) };
    let token = invited(&world, &only_public);
    let redirect = |uri: &str| with(app(), "redirect_uris", json!([uri]));
    let bad_redirects = [
        "http://walks.example.org/cb",
        "https://walks.example.org/cb#x",
        "https://*.example.org/cb",
        "https://user@walks.example.org/cb",
        "https://walks.example.org/cb?code=x",
        "https://walks.example.org/a/../cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/cb",
        "https://walks.example.org\\@evil.example/cb",
        "",
    ];
    let mut wrong: Vec<(Value, &str)> =
        bad_redirects.iter().map(|uri| (redirect(uri), "400 invalid_redirect_uri")).collect();
    let invalid = "400 invalid_client_metadata";
    wrong.extend([
        (with(app(), "redirect_uris", json!([])), "400 invalid_redirect_uri"),
        (with(app(), "scope", json!("patient/*.cruds")), invalid),
        (with(app(), "scope", json!("user/*.rs")), invalid),
        (with(app(), "scope", json!("openid online_access")), invalid),
        (with(app(), "scope", json!("system/Observation.rs")), invalid),
        (with(app(), "scope", json!("nonsense")), invalid),
        (with(app(), "grant_types", json!(["authorization_code"])), invalid),
        (with(app(), "grant_types", json!(["implicit"])), invalid),
        (with(app(), "token_endpoint_auth_method", json!("client_secret_basic")), invalid),
        (system(), invalid),
        (with(app(), "client_name", json!("")), invalid),
        (with(app(), "client_name", json!("Your \u{202e}knab")), invalid),
        (with(app(), "logo_uri", json!("http://walks.example.org/logo.png")), invalid),
        (with(app(), "software_statement", json!("a.b.c")), "400 invalid_software_statement"),
        (json!([]), invalid),
    ]);
    for (at, (body, line)) in wrong.into_iter().enumerate() {
        let address = format!("198.51.100.{at}");
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let answer = world.send(&address, request(Method::POST, PATH, &headers, &body.to_string())).await;
        assert_eq!(answer.line(), line, "{body}");
        let description = text(&answer.body, "error_description");
        assert!(description.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{description}");
        assert!(world.service.clients().is_empty());
    }
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.outcome), ("client-registration-refused", audit::entry::Outcome::MinorFailure));
    assert_eq!(register(&world, &token, &app()).await.status, 201, "the use is still there");
    // A registration that comes twice in one text is none.
    let token = invited(&world, &invitation(1));
    let twice = r#"{"client_name":"A","scope":"openid","scope":"patient/*.rs"}"#;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = world.send("192.0.2.1", request(Method::POST, PATH, &headers, twice)).await;
    assert_eq!(answer.line(), invalid);
}

/// Row F60: an address of keys is looked at by nobody but the guarded client, and not when it is registered.
#[tokio::test]
async fn f60_jwks_uri_is_fetched_by_the_guarded_client_alone() {
    let world = World::new();
    let token = invited(&world, &invitation(5));
    let by_url = |url: &str| {
        let mut body = system();
        body.as_object_mut().unwrap().remove("jwks");
        with(body, "jwks_uri", json!(url))
    };
    let refused = ["http://lab.example/jwks", "file:///etc/passwd", "https://a@lab.example/jwks", "gopher://x"];
    for url in refused {
        assert_eq!(register(&world, &token, &by_url(url)).await.line(), "400 invalid_client_metadata", "{url}");
    }
    let inside = "https://169.254.169.254/latest/meta-data";
    let answer = register(&world, &token, &by_url(inside)).await;
    assert_eq!((answer.status, world.web.count()), (201, 0));
    world.web.fail(inside, crate::egress::FetchError::Forbidden("not public".into()));
    let id = text(&answer.body, "client_id");
    let refused = world.token(&id, "system/Observation.rs").await;
    assert_eq!(refused.line(), "400 invalid_client");
    assert!(!refused.body.to_string().contains("169.254"), "what is there is told to nobody");
    let good = "https://lab.example/jwks";
    world.web.put(good, jwks(&[&KEY]), None);
    let changed = with(by_url(good), "client_id", json!(id));
    assert_eq!(manage(&world, Method::PUT, &answer.body, &changed).await.status, 200);
    assert_eq!(world.token(&id, "system/Observation.rs").await.status, 200, "B13: keys by URL");
}

/// RFC 7592: what a client may change of itself.
#[tokio::test]
async fn b14_a_client_changes_its_own_registration() {
    let world = World::new();
    let token = invited(&world, &invitation(9));
    let answer = register(&world, &token, &system()).await.body;
    let other = register(&world, &token, &system()).await.body;
    let id = text(&answer, "client_id");
    let access = world.token(&id, "system/Observation.rs").await.token().to_owned();
    let own = |body: Value| with(body, "client_id", json!(id));
    // New keys; its tokens go on.
    let mut renamed = own(with(system(), "client_name", json!("Lab 2")));
    renamed["jwks"] = serde_json::from_str(&jwks(&[&STRANGER])).unwrap();
    let changed = manage(&world, Method::PUT, &answer, &renamed).await;
    assert_eq!((changed.status, &changed.body["client_name"]), (200, &json!("Lab 2")), "{}", changed.body);
    assert_eq!(&*world.last_entry().subtype, "client-changed");
    assert_eq!(world.last_entry().client_id.as_deref(), Some(&*id));
    assert_eq!(world.token(&id, "system/Observation.rs").await.line(), "400 invalid_client", "by the old key");
    assert!(world.service.grant(&access).is_some());
    // No wider than the initial access token allowed, no other kind, no other client.
    for (body, line) in [
        (own(with(system(), "scope", json!("system/*.rs"))), "400 invalid_client_metadata"),
        (own(app()), "400 invalid_client_metadata"),
        (own(with(app(), "token_endpoint_auth_method", json!("client_secret_basic"))), "400 invalid_client_metadata"),
        (system(), "400 invalid_request"),
        (with(system(), "client_id", other["client_id"].clone()), "400 invalid_request"),
        (own(with(system(), "client_secret", json!("guessed"))), "400 invalid_request"),
        (own(with(system(), "registration_access_token", json!("x"))), "400 invalid_request"),
    ] {
        assert_eq!(manage(&world, Method::PUT, &answer, &body).await.line(), line, "{body}");
    }
    // Neither reads, changes nor removes another one's.
    let path = own_path(&other);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let mine = send(&world, method.clone(), &path, &text(&answer, "registration_access_token"), &system()).await;
        assert_eq!(mine.line(), "401 invalid_token", "{method}");
        let initial = send(&world, method.clone(), &own_path(&answer), &token, &system()).await;
        assert_eq!(initial.line(), "401 invalid_token", "{method}: the initial access token is none of its own");
    }
    // A client that the operator added has no such token.
    let added = world.client("system/*.rs");
    let path = format!("{PATH}/{added}");
    let zero = text(&answer, "registration_access_token");
    assert_eq!(send(&world, Method::GET, &path, &zero, &Value::Null).await.line(), "401 invalid_token");
    // Narrower: what was given by more ends.
    world.pass(60);
    let narrow = own(with(system(), "scope", json!("system/Observation.rs?category=survey")));
    assert_eq!(manage(&world, Method::PUT, &answer, &narrow).await.status, 200);
    assert!(world.service.grant(&access).is_none());
}

#[tokio::test]
async fn b14_a_client_takes_itself_away() {
    let world = World::new();
    let token = invited(&world, &invitation(9));
    let answer = register(&world, &token, &system()).await.body;
    let id = text(&answer, "client_id");
    let access = world.token(&id, "system/Observation.rs").await.token().to_owned();
    // Not when the facility has stopped it: it would come back as another one.
    world.service.set_client_disabled(&id, true).unwrap();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let body = with(system(), "client_id", json!(id));
        assert_eq!(manage(&world, method, &answer, &body).await.line(), "403 access_denied");
    }
    world.service.set_client_disabled(&id, false).unwrap();
    let gone = manage(&world, Method::DELETE, &answer, &Value::Null).await;
    assert_eq!((gone.status, gone.response.body().len()), (204, 0));
    assert_eq!(&*world.last_entry().subtype, "client-removed");
    assert!(world.service.client(&id).is_none());
    assert!(world.service.grant(&access).is_none());
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(manage(&world, method, &answer, &Value::Null).await.line(), "401 invalid_token");
    }
}

/// What was registered is kept: each promise of the metadata.
#[tokio::test]
async fn b14_what_it_asked_to_be_held_to_it_is_held_to() {
    let world = World::new();
    let token = invited(&world, &invitation(9));
    let bound = with(system(), "dpop_bound_access_tokens", json!(true));
    let id = text(&register(&world, &token, &bound).await.body, "client_id");
    assert_eq!(world.token(&id, "system/Observation.rs").await.line(), "400 invalid_request", "no DPoP proof");
    let bound = with(system(), "tls_client_certificate_bound_access_tokens", json!(true));
    let id = text(&register(&world, &token, &bound).await.body, "client_id");
    assert_eq!(world.token(&id, "system/Observation.rs").await.line(), "400 invalid_request", "no certificate");
    let body =
        format!("grant_type=client_credentials&scope=system%2FObservation.rs&{}", credentials(&world.assertion(&id)));
    let mut asked = crate::testing::form("/oauth/token", &body);
    asked.extensions_mut().insert(crate::client_certificate::Presented::new(vec![b"own".to_vec()], false).unwrap());
    let answer = world.send("192.0.2.1", asked).await;
    let grant = world.service.grant(answer.token()).unwrap();
    assert!(matches!(grant.confirmation, Some(oauth::caller::Confirmation::Certificate(_))));
    let other = with(system(), "token_endpoint_auth_signing_alg", json!("RS384"));
    let id = text(&register(&world, &token, &other).await.body, "client_id");
    assert_eq!(world.token(&id, "system/Observation.rs").await.line(), "400 invalid_client", "ES384 is not RS384");
    let pushed = with(app(), "require_pushed_authorization_requests", json!(true));
    let id = text(&register(&world, &token, &pushed).await.body, "client_id");
    assert!(world.service.client(&id).unwrap().must_push());
}

/// Rows F16, F66 and B22's kin: without its record or its row there is no client, and the use is not lost.
#[tokio::test]
async fn b14_failures_of_log_and_disk() {
    let mut world = World::new();
    let token = invited(&world, &invitation(1));
    world.recorded.down.store(true, Ordering::Relaxed);
    assert_eq!(register(&world, &token, &app()).await.line(), "503 temporarily_unavailable");
    world.recorded.down.store(false, Ordering::Relaxed);
    for full in [&world.tables.clients, &world.tables.client_invitations] {
        full.full.store(true, Ordering::Relaxed);
        assert_eq!(register(&world, &token, &app()).await.line(), "503 temporarily_unavailable");
        full.full.store(false, Ordering::Relaxed);
    }
    world.restart();
    assert!(world.service.clients().is_empty());
    assert_eq!(register(&world, &token, &app()).await.status, 201);
}

/// Of many at once, one comes of a token for one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b14_of_many_at_once_one_registers() {
    let world = Arc::new(World::new());
    let token = invited(&world, &invitation(1));
    let many: Vec<_> = (0..16)
        .map(|_| {
            let (world, token) = (Arc::clone(&world), token.clone());
            tokio::spawn(async move { register(&world, &token, &app()).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in many {
        statuses.push(one.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(world.service.clients().len(), 1);
}

/// Row F66: an address guesses seldom, and the log is not filled by it.
#[tokio::test]
async fn f66_an_address_has_few_tries() {
    let world = World::new();
    let most = limits::REGISTRATION_RATE.1 as usize;
    for _ in 0..most {
        assert_eq!(register(&world, "guess", &app()).await.status, 401);
    }
    let entries = world.entries();
    for _ in 0..5 {
        let answer = register(&world, "guess", &app()).await;
        assert_eq!(answer.line(), "429 temporarily_unavailable");
        assert!(answer.header("retry-after").is_some());
        let path = format!("{PATH}/some-client");
        assert_eq!(send(&world, Method::DELETE, &path, "guess", &Value::Null).await.status, 429);
    }
    assert_eq!(world.entries(), entries + 1);
    // Tokens are not meant by it, and others neither.
    assert_eq!(world.token(&world.client("system/*.rs"), "system/Patient.rs").await.status, 200);
    let bearer = "Bearer guess";
    let headers = [("authorization", bearer), ("content-type", "application/json")];
    assert_eq!(world.send("198.51.100.9", request(Method::POST, PATH, &headers, "{}")).await.status, 401);
}
