//! Tests of codes and refreshes at the token endpoint: the way as it should be, and each attack on it. Rows B18, B22,
//! B46 to B61; RFC 9700.

use crate::{
    NewClient, NewKeys, NewKind,
    client_certificate::Presented,
    codes::Code,
    families::Lasting,
    limits,
    testing::{Answer, ISSUER, KEY, NOW_S, TOKEN, World, ann, credentials, encoded, jwks, request},
};
use bytes::Bytes;
use http::{Method, Request};
use oauth::{bearer::LiveTokens, dpop, jws::Compact, launch_context::LaunchContext, pkce::Challenge, secret::Secret};
use std::sync::{Arc, atomic::Ordering};

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-0123456789";
const REDIRECT: &str = "https://app.example.org/callback";
const SCOPE: &str = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs";
const DAY_S: i64 = 24 * 3600;

struct Bench {
    world: World,
    app: Arc<str>,
    secret: String,
}

impl Bench {
    /// With a public app.
    fn public() -> Self {
        Self::with(NewKind::Public)
    }

    fn with(kind: NewKind) -> Self {
        let world = World::new();
        world.people.users.lock().unwrap().insert("ann".into(), ann());
        let added = world.service.add_client(&app(kind)).unwrap();
        let secret = added.secret.map(|secret| secret.expose().to_owned()).unwrap_or_default();
        Self { app: Arc::clone(&added.client.id), world, secret }
    }

    fn kept(&self) -> Code {
        Code {
            client_id: Arc::clone(&self.app),
            redirect_uri: REDIRECT.into(),
            names_redirect: true,
            challenge: Some(Challenge::of(VERIFIER)),
            dpop_key: None,
            user: "ann".into(),
            signed_in_s: NOW_S - 20,
            methods: vec!["pwd".into()],
            scope_text: SCOPE.into(),
            launch: Arc::new(LaunchContext { patient: Some("p1".into()), ..LaunchContext::default() }),
            nonce: Some("n-1".into()),
            lasting: Lasting::Offline,
            ends_s: NOW_S + 365 * DAY_S,
            was_pushed: false,
        }
    }

    fn give(&self, code: &Code) -> Secret {
        self.world.service.inner.codes.give(&code.to_kept(), self.world.now_s()).unwrap()
    }

    fn code(&self) -> Secret {
        self.give(&self.kept())
    }

    async fn redeem(&self, code: &Secret) -> Answer {
        self.redeem_as(code, &format!("client_id={}", self.app)).await
    }

    async fn redeem_as(&self, code: &Secret, client: &str) -> Answer {
        self.world.post("/oauth/token", &redemption(code, client)).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.refresh_with(token, "").await
    }

    async fn refresh_with(&self, token: &str, more: &str) -> Answer {
        let body = format!("grant_type=refresh_token&refresh_token={token}&client_id={}{more}", self.app);
        self.world.post("/oauth/token", &body).await
    }

    fn works(&self, token: &str) -> bool {
        self.world.service.grant(token).is_some()
    }
}

fn app(kind: NewKind) -> NewClient {
    let scope = "openid fhirUser launch/patient offline_access online_access patient/*.rs";
    NewClient { redirect_uris: vec![REDIRECT.into()], ..NewClient::new("App", scope, kind) }
}

fn redemption(code: &Secret, client: &str) -> String {
    let redirect = encoded(REDIRECT);
    format!(
        "grant_type=authorization_code&code={}&redirect_uri={redirect}&code_verifier={VERIFIER}&{client}",
        code.expose()
    )
}

fn post(body: &str, headers: &[(&str, &str)]) -> Request<Bytes> {
    let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
    all.extend(headers);
    request(Method::POST, "/oauth/token", &all, body)
}

fn refresh_token(answer: &Answer) -> String {
    answer.body["refresh_token"].as_str().unwrap().to_owned()
}

/// Rows B46, B47, B50, B53.
#[tokio::test]
async fn a_code_becomes_tokens() {
    let bench = Bench::public();
    let answer = bench.redeem(&bench.code()).await;
    assert_eq!(answer.line(), "200");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], limits::TOKEN_LIFE_S);
    assert_eq!(answer.body["scope"], SCOPE);
    assert_eq!(answer.body["patient"], "p1");
    let grant = bench.world.service.grant(answer.token()).unwrap();
    assert_eq!((grant.user.clone(), grant.launch.patient.as_deref()), (Some(ann()), Some("p1")));
    assert_eq!(grant.scopes.len(), 2);
    // Row B53: signed with the published RSA key.
    let id_token = answer.body["id_token"].as_str().unwrap();
    let jws = Compact::parse(id_token).unwrap();
    assert_eq!(jws.algorithm().as_str(), "RS256");
    let keys = bench.world.service.inner.keys.published(bench.world.service.inner.now());
    let claims = jws.verify(keys.matching(jws.kid().unwrap(), jws.algorithm()).unwrap()).unwrap();
    for (name, value) in [("iss", ISSUER), ("sub", "ann"), ("aud", &*bench.app), ("nonce", "n-1")] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["fhirUser"], "https://care.example:8443/fhir/Patient/p1");
    assert_eq!(claims["auth_time"], NOW_S - 20);
    let entry = bench.world.last_entry();
    assert_eq!(&*entry.subtype, "token-issued");
    let recorded = format!("{entry:?}");
    for secret in [answer.token(), id_token, &refresh_token(&answer)] {
        assert!(!recorded.contains(secret), "F24");
    }
    // Without openid there is no id token, without offline_access no refresh token.
    let little = Code { scope_text: "patient/Patient.rs".into(), lasting: Lasting::Once, ..bench.kept() };
    let answer = bench.redeem(&bench.give(&little)).await;
    assert!(answer.body.get("id_token").is_none() && answer.body.get("refresh_token").is_none());
}

/// Rows B22, B48, B49: each way in which a code is not the one who shows it's. Each has one try.
#[tokio::test]
async fn a_code_that_was_stolen_is_worth_nothing() {
    let bench = Bench::public();
    let other = bench.world.add(&app(NewKind::Public));
    let with = |code: &Secret, name: &str, value: Option<&str>| {
        let body = redemption(code, &format!("client_id={}", bench.app));
        let kept: Vec<&str> = body.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        let value = value.map(|value| format!("&{name}={}", encoded(value))).unwrap_or_default();
        format!("{}{value}", kept.join("&"))
    };
    let challenge = Challenge::of(VERIFIER).as_parameter();
    let attacks = [
        ("client_id", Some(&*other)),
        ("redirect_uri", None),
        ("redirect_uri", Some("https://app.example.org/callback/")),
        ("redirect_uri", Some("https://evil.example/callback")),
        // Row B48: no verifier, blank, another one, the challenge itself.
        ("code_verifier", None),
        ("code_verifier", Some("")),
        ("code_verifier", Some("another-verifier-that-is-long-enough-for-anybody-01")),
        ("code_verifier", Some(&*challenge)),
        ("code_verifier", Some(&VERIFIER[..42])),
    ];
    for (name, value) in attacks {
        let code = bench.code();
        let answer = bench.world.post("/oauth/token", &with(&code, name, value)).await;
        assert_eq!(answer.line(), "400 invalid_grant", "{name} {value:?}");
        assert!(answer.body.get("access_token").is_none());
        // The one who was robbed cannot use it either: it is burnt.
        assert_eq!(bench.redeem(&code).await.line(), "400 invalid_grant", "{name} {value:?}");
    }
    for (code, line) in
        [("", "400 invalid_request"), ("x", "400 invalid_grant"), (&*"a".repeat(9000), "400 invalid_grant")]
    {
        assert_eq!(bench.redeem(&Secret::new(code)).await.line(), line, "B48: a bad code is 400");
    }
    // Past its minute.
    let code = bench.code();
    bench.world.pass(60);
    assert_eq!(bench.redeem(&code).await.line(), "400 invalid_grant", "B22");
    // For another server.
    let aimed = format!(
        "{}&resource=https%3A%2F%2Fevil.example",
        redemption(&bench.code(), &format!("client_id={}", bench.app))
    );
    assert_eq!(bench.world.post("/oauth/token", &aimed).await.line(), "400 invalid_target");
    // Of somebody who may not sign in any more.
    let code = bench.code();
    bench.world.people.users.lock().unwrap().clear();
    assert_eq!(bench.redeem(&code).await.line(), "400 invalid_grant");
    assert!(bench.world.tables.families.all_keys().is_empty() && bench.world.tables.tokens.all_keys().is_empty());
}

/// Row B22: a code that comes again ends what came of it, whoever brings it, before and after a restart.
#[tokio::test]
async fn a_code_that_comes_again_ends_what_came_of_it() {
    for restart in [false, true] {
        for thief_is_other in [false, true] {
            let mut bench = Bench::public();
            let other = bench.world.add(&app(NewKind::Public));
            let code = bench.code();
            let answer = bench.redeem(&code).await;
            let next = bench.refresh(&refresh_token(&answer)).await;
            assert!(bench.works(answer.token()) && bench.works(next.token()));
            if restart {
                bench.world.restart();
            }
            let thief = if thief_is_other { format!("client_id={other}") } else { format!("client_id={}", bench.app) };
            assert_eq!(bench.redeem_as(&code, &thief).await.line(), "400 invalid_grant");
            assert!(!bench.works(answer.token()) && !bench.works(next.token()));
            assert_eq!(bench.refresh(&refresh_token(&next)).await.line(), "400 invalid_grant");
            bench.world.restart();
            assert!(!bench.works(next.token()), "it never comes back");
        }
    }
}

/// Of many who redeem one code at once, one at most has tokens that live.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_at_most_lives() {
    let bench = Arc::new(Bench::public());
    for _ in 0..5 {
        let code = bench.code();
        let body = redemption(&code, &format!("client_id={}", bench.app));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (bench, body) = (Arc::clone(&bench), body.clone());
                tokio::spawn(async move { bench.world.post("/oauth/token", &body).await })
            })
            .collect();
        let mut given = Vec::new();
        for task in tasks {
            let answer = task.await.unwrap();
            if answer.status == 200 {
                given.push(answer.token().to_owned());
            } else {
                assert_eq!(answer.line(), "400 invalid_grant");
            }
        }
        assert!(given.len() <= 1, "given out once");
        // The others ended it.
        assert!(given.iter().all(|token| !bench.works(token)));
    }
}

/// Rows B12 and A7: each kind of app by its own way alone.
#[tokio::test]
async fn each_kind_proves_itself_in_its_own_way() {
    let symmetric = Bench::with(NewKind::ConfidentialSymmetric);
    let (id, secret) = (symmetric.app.clone(), symmetric.secret.clone());
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let basic = |name: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
    let send = |bench: &Bench, client: String, authorization: Option<String>| {
        let body = redemption(&bench.code(), &client);
        match authorization {
            Some(field) => post(&body, &[("authorization", field.as_str())]),
            None => post(&body, &[]),
        }
    };
    let line = async |bench: &Bench, request| bench.world.send("192.0.2.1", request).await.line();
    for (client, authorization, expected) in [
        (String::new(), Some(basic(&id, &secret)), "200"),
        (format!("client_id={id}"), Some(basic(&id, &secret)), "200"),
        (format!("client_id={id}&client_secret={secret}"), None, "200"),
        (String::new(), Some(basic(&id, "wrong")), "401 invalid_client"),
        (String::new(), Some(basic("nobody", &secret)), "401 invalid_client"),
        (String::new(), Some("Basic !".into()), "401 invalid_client"),
        (format!("client_id={id}&client_secret=wrong"), None, "400 invalid_client"),
        (format!("client_id={id}"), None, "400 invalid_client"),
        (String::new(), None, "400 invalid_client"),
        (format!("client_secret={secret}"), Some(basic(&id, &secret)), "400 invalid_request"),
        ("client_id=other".into(), Some(basic(&id, &secret)), "401 invalid_client"),
        (format!("client_id={id}&{}", credentials(&symmetric.world.assertion(&id))), None, "400 invalid_client"),
    ] {
        let request = send(&symmetric, client.clone(), authorization.clone());
        assert_eq!(line(&symmetric, request).await, expected, "{client} {authorization:?}");
    }
    // Both failures of Basic look the same.
    let a = symmetric.world.send("192.0.2.1", send(&symmetric, String::new(), Some(basic(&id, "x")))).await;
    let b = symmetric.world.send("192.0.2.1", send(&symmetric, String::new(), Some(basic("x", "x")))).await;
    assert_eq!((a.response.body(), a.header("www-authenticate")), (b.response.body(), b.header("www-authenticate")));
    // Its last use is noted, to the day.
    let secrets = |bench: &Bench| match &bench.world.service.client(&bench.app).unwrap().kind {
        crate::Kind::ConfidentialSymmetric(secrets) => secrets.clone(),
        _ => panic!(),
    };
    assert_eq!(secrets(&symmetric)[0].last_used.map(|used| used.unix_seconds()), Some(NOW_S));

    let asymmetric = Bench::with(NewKind::ConfidentialAsymmetric(NewKeys::Inline(jwks(&[&KEY]))));
    let assertion = asymmetric.world.assertion(&asymmetric.app);
    assert_eq!(line(&asymmetric, send(&asymmetric, credentials(&assertion), None)).await, "200");
    assert_eq!(line(&asymmetric, send(&asymmetric, credentials(&assertion), None)).await, "400 invalid_client", "C4");
    let named = format!("client_id={}", asymmetric.app);
    assert_eq!(line(&asymmetric, send(&asymmetric, named, None)).await, "400 invalid_client", "not as a public one");

    let public = Bench::public();
    let with_secret = format!("client_id={}&client_secret=x", public.app);
    assert_eq!(line(&public, send(&public, with_secret, None)).await, "400 invalid_client");

    let own = Presented::new(vec![b"own".to_vec()], false).unwrap();
    let certificate = crate::NewCertificate::SelfSigned(vec![b"own".to_vec()]);
    let mutual = Bench::with(NewKind::MutualTls(certificate));
    let named = format!("client_id={}", mutual.app);
    assert_eq!(line(&mutual, send(&mutual, named.clone(), None)).await, "400 invalid_client");
    let mut request = send(&mutual, named.clone(), None);
    request.extensions_mut().insert(Presented::new(vec![b"other".to_vec()], true).unwrap());
    assert_eq!(line(&mutual, request).await, "400 invalid_client", "a trusted one that is not registered");
    let mut request = send(&mutual, named, None);
    request.extensions_mut().insert(own.clone());
    let answer = mutual.world.send("192.0.2.1", request).await;
    let grant = mutual.world.service.grant(answer.token()).unwrap();
    assert_eq!(grant.confirmation, Some(oauth::caller::Confirmation::Certificate(own.thumbprint)), "A8");
}

/// No app gets a token that no person gave (row B12), and no system one of a person.
#[tokio::test]
async fn grant_types_go_with_kinds() {
    let bench = Bench::with(NewKind::ConfidentialSymmetric);
    let own = format!("client_id={}&client_secret={}", bench.app, bench.secret);
    let body = format!("grant_type=client_credentials&scope=system%2FPatient.rs&{own}");
    assert_eq!(bench.world.post("/oauth/token", &body).await.line(), "400 unauthorized_client");
    let system = bench.world.client("system/*.rs");
    let body = redemption(&bench.code(), &credentials(&bench.world.assertion(&system)));
    assert_eq!(bench.world.post("/oauth/token", &body).await.line(), "400 unauthorized_client");
    let body = format!("grant_type=password&username=ann&password=x&{own}");
    assert_eq!(bench.world.post("/oauth/token", &body).await.line(), "400 unsupported_grant_type");
}

/// Rows B57, B58, B32: a refresh gives the same and never more.
#[tokio::test]
async fn a_refresh_never_widens() {
    let bench = Bench::public();
    let first = bench.redeem(&bench.code()).await;
    let wide = ["patient/*.rs", "patient/Patient.cruds", "user/Patient.rs", "online_access", "system/*.rs", "nonsense"];
    for scope in wide {
        let answer = bench.refresh_with(&refresh_token(&first), &format!("&scope={}", encoded(scope))).await;
        assert_eq!(answer.line(), "400 invalid_scope", "{scope}");
    }
    // The token is still good, and less can be asked for.
    let less = bench.refresh_with(&refresh_token(&first), "&scope=patient%2FPatient.rs").await;
    assert_eq!((less.line().as_str(), &less.body["scope"]), ("200", &"patient/Patient.rs".into()));
    assert_eq!(bench.world.service.grant(less.token()).unwrap().scopes.len(), 1);
    assert!(less.body.get("id_token").is_none());
    // Asking for less once does not lose the rest.
    let again = bench.refresh(&refresh_token(&less)).await;
    assert_eq!(again.body["scope"], SCOPE);
    assert_eq!(again.body["patient"], "p1", "B57: the context is repeated");
    assert_eq!(again.body["expires_in"], limits::TOKEN_LIFE_S);
    assert!(again.body["id_token"].is_string());
}

/// Row B58 end to end: a replay kills access tokens too, and is recorded as what it is.
#[tokio::test]
async fn a_replayed_refresh_token_ends_everything() {
    let mut bench = Bench::public();
    let first = bench.redeem(&bench.code()).await;
    let second = bench.refresh(&refresh_token(&first)).await;
    let same = bench.refresh(&refresh_token(&first)).await;
    assert_eq!(refresh_token(&same), refresh_token(&second), "the grace");
    bench.world.pass(limits::REFRESH_GRACE_S);
    assert!(bench.works(second.token()));
    assert_eq!(bench.refresh(&refresh_token(&first)).await.line(), "400 invalid_grant");
    let entry = format!("{:?}", bench.world.last_entry());
    assert!(entry.contains("used before"), "{entry}");
    bench.world.restart();
    for answer in [&first, &second, &same] {
        assert!(!bench.works(answer.token()));
    }
    assert_eq!(bench.refresh(&refresh_token(&second)).await.line(), "400 invalid_grant");
}

/// Rows B57, B58: a public app may refresh with nothing but the token, as SMART says; one that has something to prove may
/// not. A token that comes again ends everything all the same.
#[tokio::test]
async fn b57_a_public_app_may_leave_its_id_out() {
    let bare = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");
    let bench = Bench::public();
    let first = bench.redeem(&bench.code()).await;
    let second = bench.world.post("/oauth/token", &bare(&refresh_token(&first))).await;
    assert!(second.line() == "200" && bench.works(second.token()), "{}", second.line());
    bench.world.pass(crate::limits::REFRESH_GRACE_S + 1);
    assert_eq!(bench.world.post("/oauth/token", &bare(&refresh_token(&first))).await.line(), "400 invalid_grant");
    assert!(!bench.works(second.token()));
    assert_eq!(bench.world.post("/oauth/token", &bare(&refresh_token(&second))).await.body["error"], "invalid_client");
    let symmetric = Bench::with(NewKind::ConfidentialSymmetric);
    let own = format!("client_id={}&client_secret={}", symmetric.app, symmetric.secret);
    let first = symmetric.redeem_as(&symmetric.code(), &own).await;
    let answer = symmetric.world.post("/oauth/token", &bare(&refresh_token(&first))).await;
    assert_eq!(answer.line(), "400 invalid_client");
    for body in [bare("made-up"), "grant_type=authorization_code&code=x".into(), "grant_type=refresh_token".into()] {
        assert_ne!(bench.world.post("/oauth/token", &body).await.status, 200, "{body}");
    }
}

/// Row B57: whoever holds another client's refresh token learns nothing from it and ends nothing with it.
#[tokio::test]
async fn another_clients_refresh_token_tells_nothing() {
    let bench = Bench::public();
    let other = bench.world.add(&app(NewKind::Public));
    let first = bench.redeem(&bench.code()).await;
    let token = refresh_token(&first);
    let ask = |scope: &str| format!("grant_type=refresh_token&refresh_token={token}&client_id={other}&scope={scope}");
    let narrow = bench.world.post("/oauth/token", &ask("patient%2FPatient.rs")).await;
    let wide = bench.world.post("/oauth/token", &ask("system%2F*.cruds")).await;
    assert_eq!((narrow.line(), narrow.body), (wide.line(), wide.body));
    bench.world.people.users.lock().unwrap().clear();
    assert_eq!(bench.world.post("/oauth/token", &ask("patient%2FPatient.rs")).await.line(), "400 invalid_grant");
    bench.world.people.users.lock().unwrap().insert("ann".into(), ann());
    assert!(bench.works(first.token()));
    assert_eq!(bench.refresh(&token).await.line(), "200");
}

/// Rows B57 and B61: what ends a consent.
#[tokio::test]
async fn a_consent_ends_with_what_it_hangs_on() {
    // Its session (`online_access`).
    let bench = Bench::public();
    bench.world.people.sessions.lock().unwrap().insert("s1".into());
    let online = Code { lasting: Lasting::Session("s1".into()), ..bench.kept() };
    let first = bench.redeem(&bench.give(&online)).await;
    let second = bench.refresh(&refresh_token(&first)).await;
    assert_eq!(second.line(), "200");
    bench.world.people.sessions.lock().unwrap().clear();
    assert_eq!(bench.refresh(&refresh_token(&second)).await.line(), "400 invalid_grant");
    // Its person's account.
    let first = bench.redeem(&bench.code()).await;
    bench.world.people.users.lock().unwrap().clear();
    assert_eq!(bench.refresh(&refresh_token(&first)).await.line(), "400 invalid_grant");
    assert!(!bench.works(first.token()));
    bench.world.people.users.lock().unwrap().insert("ann".into(), ann());
    assert_eq!(bench.refresh(&refresh_token(&first)).await.line(), "400 invalid_grant", "and it does not come back");
    // Its client.
    let first = bench.redeem(&bench.code()).await;
    bench.world.service.set_client_disabled(&bench.app, true).unwrap();
    assert!(!bench.works(first.token()));
    bench.world.service.set_client_disabled(&bench.app, false).unwrap();
    assert_eq!(bench.refresh(&refresh_token(&first)).await.line(), "400 invalid_grant");
    // The person's word (`my apps`).
    let first = bench.redeem(&bench.code()).await;
    assert_eq!(bench.world.service.inner.end_all_of("ann", Some(&bench.app)).unwrap(), 1);
    assert!(!bench.works(first.token()));
    assert_eq!(bench.refresh(&refresh_token(&first)).await.line(), "400 invalid_grant");
}

/// Row B61: revoking a refresh token ends its access tokens; one of another client is left alone. Row B67: what
/// introspection tells.
#[tokio::test]
async fn revocation_and_introspection_of_an_apps_tokens() {
    let bench = Bench::with(NewKind::ConfidentialSymmetric);
    let own = format!("client_id={}&client_secret={}", bench.app, bench.secret);
    let other = bench.world.add(&app(NewKind::Public));
    let first = bench.redeem_as(&bench.code(), &own).await;
    let (access, refresh) = (first.token().to_owned(), refresh_token(&first));
    let introspected = bench.world.post("/oauth/introspect", &format!("token={access}&{own}")).await;
    assert_eq!(introspected.body["active"], true);
    for (name, value) in [
        ("scope", SCOPE),
        ("client_id", &*bench.app),
        ("patient", "p1"),
        ("sub", "ann"),
        ("iss", ISSUER),
        ("fhirUser", "https://care.example:8443/fhir/Patient/p1"),
    ] {
        assert_eq!(introspected.body[name], value, "{name}");
    }
    // A stranger, even one with an id: nothing (row B69).
    for stranger in [format!("client_id={other}"), String::new()] {
        let answer = bench.world.post("/oauth/introspect", &format!("token={access}&{stranger}")).await;
        assert_eq!(answer.line(), "401 invalid_client");
        let _ = bench.world.post("/oauth/revoke", &format!("token={refresh}&{stranger}")).await;
        let _ = bench.world.post("/oauth/revoke", &format!("token={access}&{stranger}")).await;
    }
    assert!(bench.works(&access));
    let revoked =
        bench.world.post("/oauth/revoke", &format!("token={refresh}&token_type_hint=refresh_token&{own}")).await;
    assert_eq!(revoked.status, 200);
    assert!(!bench.works(&access));
    let body = format!("grant_type=refresh_token&refresh_token={refresh}&{own}");
    assert_eq!(bench.world.post("/oauth/token", &body).await.line(), "400 invalid_grant");
    let introspected = bench.world.post("/oauth/introspect", &format!("token={access}&{own}")).await;
    assert_eq!(introspected.body, serde_json::json!({ "active": false }), "B68");
}

/// RFC 9449: a proof binds the token and, for a public app, its refresh tokens; without the nonce there is none.
#[tokio::test]
async fn dpop_binds() {
    let bench = Bench::public();
    let client = format!("client_id={}", bench.app);
    let key = oauth::sign::PrivateKey::generate(oauth::jws::Algorithm::Es256).unwrap();
    let proof = |jti: &str, nonce: Option<&str>| dpop::signed(&key, "POST", TOKEN, jti, NOW_S, None, nonce).unwrap();
    let send = async |body: &str, proof: &str| bench.world.send("192.0.2.1", post(body, &[("dpop", proof)])).await;
    let code = bench.code();
    let asked = send(&redemption(&code, &client), &proof("1", None)).await;
    assert_eq!(asked.line(), "400 use_dpop_nonce");
    let nonce = asked.header("dpop-nonce").unwrap().to_owned();
    // The code was not touched.
    let good = proof("2", Some(&nonce));
    let answer = send(&redemption(&code, &client), &good).await;
    assert_eq!((answer.line().as_str(), &answer.body["token_type"]), ("200", &"DPoP".into()));
    let jkt = key.public().thumbprint_bytes();
    let grant = bench.world.service.grant(answer.token()).unwrap();
    assert_eq!(grant.confirmation, Some(oauth::caller::Confirmation::Key(jkt)));
    assert_eq!(send(&redemption(&bench.code(), &client), &good).await.line(), "400 invalid_dpop_proof", "replayed");
    // Row B60: the refresh token goes with the key alone.
    let refresh = refresh_token(&answer);
    assert_eq!(bench.refresh(&refresh).await.line(), "400 invalid_grant");
    let body = format!("grant_type=refresh_token&refresh_token={refresh}&{client}");
    assert_eq!(send(&body, &proof("3", Some(&nonce))).await.line(), "200");
    // A code that was asked for with a key goes with that key.
    let bound = Code { dpop_key: Some([9; 32]), ..bench.kept() };
    let answer = send(&redemption(&bench.give(&bound), &client), &proof("4", Some(&nonce))).await;
    assert_eq!(answer.line(), "400 invalid_grant");
    assert_eq!(bench.redeem(&bench.give(&bound)).await.line(), "400 invalid_grant");
}

/// FAPI 2.0: pushed, and bound.
#[tokio::test]
async fn the_fapi2_profile_is_kept() {
    let world = World::new();
    world.people.users.lock().unwrap().insert("ann".into(), ann());
    let new = NewClient { is_fapi2: true, ..app(NewKind::ConfidentialAsymmetric(NewKeys::Inline(jwks(&[&KEY])))) };
    let app = world.add(&new);
    let bench = Bench { world, app, secret: String::new() };
    let client = || credentials(&bench.world.assertion(&bench.app));
    let bound = async |code: &Secret| {
        let key = oauth::sign::PrivateKey::generate(oauth::jws::Algorithm::Es256).unwrap();
        let nonce = bench.world.service.inner.proofs.nonce(NOW_S);
        let proof = dpop::signed(&key, "POST", TOKEN, "a", NOW_S, None, Some(&nonce)).unwrap();
        bench.world.send("192.0.2.1", post(&redemption(code, &client()), &[("dpop", &proof)])).await.line()
    };
    let pushed = Code { was_pushed: true, ..bench.kept() };
    assert_eq!(bench.redeem_as(&bench.give(&pushed), &client()).await.line(), "400 invalid_request", "unbound");
    assert_eq!(bound(&bench.code()).await, "400 invalid_grant", "not pushed");
    assert_eq!(bound(&bench.give(&pushed)).await, "200");
}

/// What the disk does not take is not given out, and what was given out is there after a crash.
#[tokio::test]
async fn nothing_is_given_out_that_is_not_stored() {
    let mut bench = Bench::public();
    let code = bench.code();
    for full in [&bench.world.tables.codes, &bench.world.tables.families, &bench.world.tables.tokens] {
        full.full.store(true, Ordering::Relaxed);
        let answer = bench.redeem(&code).await;
        assert!(
            matches!(answer.line().as_str(), "503 temporarily_unavailable" | "400 invalid_grant"),
            "{}",
            answer.line()
        );
        full.full.store(false, Ordering::Relaxed);
    }
    let first = bench.redeem(&bench.code()).await;
    bench.world.restart();
    assert!(bench.works(first.token()));
    let second = bench.refresh(&refresh_token(&first)).await;
    bench.world.restart();
    assert!(bench.works(second.token()));
    assert_eq!(bench.refresh(&refresh_token(&second)).await.line(), "200");
}
