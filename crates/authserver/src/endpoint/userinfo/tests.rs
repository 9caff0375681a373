//! UserInfo as an app meets it. Rows B54, B55, B56, B63, B64, A8; RFC 6750 section 3.

use crate::{
    NewClient, NewKind,
    client_certificate::Presented,
    codes::Code,
    families::Lasting,
    testing::{Answer, ISSUER, NOW_S, TOKEN, World, ann, encoded, request},
};
use http::Method;
use oauth::{caller::User, dpop, jws::Algorithm, pkce::Challenge, sign::PrivateKey};
use serde_json::json;
use std::sync::Arc;

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-0123456789";
const REDIRECT: &str = "https://app.example.org/callback";
const PATH: &str = "/oauth/userinfo";
const URL: &str = "https://care.example:8443/oauth/userinfo";

struct Bench {
    world: World,
    app: Arc<str>,
}

impl Bench {
    fn new() -> Self {
        let world = World::new();
        world.people.users.lock().unwrap().insert("ann".into(), ann());
        let scope = "openid fhirUser profile launch/patient patient/*.rs";
        let new = NewClient { redirect_uris: vec![REDIRECT.into()], ..NewClient::new("App", scope, NewKind::Public) };
        Self { app: world.add(&new), world }
    }

    /// A token request for a code with this scope, as far as its body goes.
    fn redemption(&self, scope: &str) -> String {
        let code = Code {
            client_id: Arc::clone(&self.app),
            redirect_uri: REDIRECT.into(),
            names_redirect: true,
            challenge: Some(Challenge::of(VERIFIER)),
            dpop_key: None,
            user: "ann".into(),
            signed_in_s: NOW_S,
            methods: Vec::new(),
            scope_text: scope.into(),
            launch: Arc::default(),
            nonce: None,
            lasting: Lasting::Offline,
            ends_s: NOW_S + 3600,
            was_pushed: false,
        };
        let code = self.world.service.inner.codes.give(&code.to_kept(), NOW_S).unwrap();
        let (app, redirect) = (&self.app, encoded(REDIRECT));
        format!(
            "grant_type=authorization_code&code={}&redirect_uri={redirect}&code_verifier={VERIFIER}&client_id={app}",
            code.expose()
        )
    }

    async fn token(&self, scope: &str) -> String {
        self.world.post("/oauth/token", &self.redemption(scope)).await.token().to_owned()
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.world.send("192.0.2.1", request(method, path, headers, body)).await
    }

    async fn with(&self, token: &str) -> Answer {
        self.ask(Method::GET, PATH, &[("authorization", &format!("Bearer {token}"))], "").await
    }
}

/// Rows B54 and B56: what was granted, and no more.
#[tokio::test]
async fn b56_an_app_learns_what_was_granted() {
    let bench = Bench::new();
    let fhir_user = format!("{ISSUER}/fhir/Patient/p1");
    for (scope, told) in [
        ("openid patient/Patient.rs", json!({ "sub": "ann" })),
        ("openid fhirUser", json!({ "sub": "ann", "fhirUser": fhir_user })),
        ("openid profile fhirUser", json!({ "sub": "ann", "fhirUser": fhir_user, "name": "Ann" })),
    ] {
        let token = bench.token(scope).await;
        for method in [Method::GET, Method::POST] {
            let bearer = format!("Bearer {token}");
            let answer = bench.ask(method, PATH, &[("authorization", &bearer)], "").await;
            assert_eq!((answer.status, &answer.body), (200, &told), "{scope}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let entry = bench.world.last_entry();
        assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("token-userinfo", Some(&*bench.app)));
        assert_eq!(entry.person.map(|person| person.id.to_string()).as_deref(), Some("ann"));
        assert!(!format!("{:?}", entry.query).contains(&token), "F24");
    }
    // As the account is now.
    let token = bench.token("openid fhirUser profile").await;
    let changed = User { name: "Ann Lee".into(), fhir_user: None, ..User::clone(&ann()) };
    bench.world.people.users.lock().unwrap().insert("ann".into(), Arc::new(changed));
    assert_eq!(bench.with(&token).await.body, json!({ "sub": "ann", "name": "Ann Lee" }), "B55");
    bench.world.people.users.lock().unwrap().clear();
    assert_eq!(bench.with(&token).await.line(), "401 invalid_token");
}

/// Rows B63, B64: each way not to be let in, with the challenge of RFC 6750.
#[tokio::test]
async fn b56_whoever_is_not_let_in_is_told_how() {
    let bench = Bench::new();
    let token = bench.token("openid").await;
    let bearer = format!("Bearer {token}");
    let challenge = async |headers: &[(&str, &str)], path: &str, body: &str| {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let answer = bench.ask(method, path, headers, body).await;
        assert!(answer.body.get("sub").is_none());
        (answer.line(), answer.header("www-authenticate").unwrap().to_owned())
    };
    let missing = challenge(&[], PATH, "").await;
    assert_eq!(missing, ("401 invalid_token".into(), "Bearer realm=\"handrail\"".into()), "no error: none was made");
    let dead = "Bearer realm=\"handrail\", error=\"invalid_token\"";
    for unknown in ["Bearer unknown", "DPoP unknown"] {
        let told = challenge(&[("authorization", unknown)], PATH, "").await;
        assert_eq!(told, ("401 invalid_token".into(), dead.into()), "{unknown}");
    }
    let wrong = ("400 invalid_request".to_owned(), "Bearer realm=\"handrail\", error=\"invalid_request\"".to_owned());
    let in_url = format!("{PATH}?access_token={token}");
    let in_body = format!("access_token={token}");
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(challenge(&[], &in_url, "").await, wrong, "B64");
    assert_eq!(challenge(&[("authorization", &bearer)], &in_url, "").await, wrong, "B64");
    assert_eq!(challenge(&[form], PATH, &in_body).await, wrong, "B64");
    assert_eq!(challenge(&[("authorization", &bearer), ("authorization", &bearer)], PATH, "").await, wrong);
    assert_eq!(challenge(&[("authorization", "Basic YTpi")], PATH, "").await, wrong);
    // A token without openid, and one of a system.
    let without = format!("Bearer {}", bench.token("patient/Patient.rs").await);
    let system = bench.world.client("system/*.rs");
    let system = format!("Bearer {}", bench.world.token(&system, "system/Patient.rs").await.token());
    for narrow in [&without, &system] {
        let (line, told) = challenge(&[("authorization", narrow)], PATH, "").await;
        assert_eq!(line, "403 insufficient_scope");
        assert!(told.contains("error=\"insufficient_scope\"") && told.contains("scope=\"openid\""), "{told}");
    }
    // Past its end, and with its client disabled.
    bench.world.service.set_client_disabled(&bench.app, true).unwrap();
    assert_eq!(bench.with(&token).await.line(), "401 invalid_token");
    bench.world.service.set_client_disabled(&bench.app, false).unwrap();
    let token = bench.token("openid").await;
    bench.world.pass(3600);
    assert_eq!(bench.with(&token).await.line(), "401 invalid_token");
    assert_eq!(bench.ask(Method::PUT, PATH, &[], "").await.header("allow"), Some("GET, POST"));
}

/// Row A8: a bound token goes with its key alone.
#[tokio::test]
async fn a8_a_bound_token_needs_its_key() {
    let bench = Bench::new();
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let nonce = bench.world.service.inner.proofs.nonce(NOW_S);
    let proof = |method: &str, url: &str, jti: &str, token: Option<&str>, nonce: Option<&str>| {
        dpop::signed(&key, method, url, jti, NOW_S, token, nonce).unwrap()
    };
    let form = ("content-type", "application/x-www-form-urlencoded");
    let first = proof("POST", TOKEN, "1", None, Some(&nonce));
    let asked = request(Method::POST, "/oauth/token", &[form, ("dpop", &first)], &bench.redemption("openid"));
    let token = bench.world.send("192.0.2.1", asked).await.token().to_owned();
    let bound = format!("DPoP {token}");
    let ask = async |proof: &str| bench.ask(Method::GET, PATH, &[("authorization", &bound), ("dpop", proof)], "").await;
    assert_eq!(bench.with(&token).await.line(), "401 invalid_token", "as a bearer token");
    assert_eq!(bench.ask(Method::GET, PATH, &[("authorization", &bound)], "").await.line(), "401 invalid_token");
    let answer = ask(&proof("GET", URL, "2", Some(&token), None)).await;
    assert_eq!(answer.line(), "401 use_dpop_nonce");
    assert_eq!(answer.header("www-authenticate"), Some("DPoP error=\"use_dpop_nonce\""));
    let nonce = answer.header("dpop-nonce").unwrap().to_owned();
    let good = proof("GET", URL, "3", Some(&token), Some(&nonce));
    assert_eq!(ask(&good).await.body, json!({ "sub": "ann" }));
    assert_eq!(ask(&good).await.line(), "401 invalid_token", "replayed");
    assert_eq!(ask(&proof("POST", URL, "4", Some(&token), Some(&nonce))).await.line(), "401 invalid_token");
    assert_eq!(ask(&proof("GET", TOKEN, "5", Some(&token), Some(&nonce))).await.line(), "401 invalid_token");
    // Bound to a certificate.
    let certificate = |der: &[u8]| Presented::new(vec![der.to_vec()], true).unwrap();
    let new = NewClient {
        redirect_uris: vec![REDIRECT.into()],
        ..NewClient::new("App", "openid", NewKind::MutualTls(crate::NewCertificate::SelfSigned(vec![b"own".to_vec()])))
    };
    let bench = Bench { app: bench.world.add(&new), world: bench.world };
    let mut asked = request(Method::POST, "/oauth/token", &[form], &bench.redemption("openid"));
    asked.extensions_mut().insert(certificate(b"own"));
    let token = bench.world.send("192.0.2.1", asked).await.token().to_owned();
    for (shown, line) in
        [(Some(&b"own"[..]), "200"), (Some(b"other"), "401 invalid_token"), (None, "401 invalid_token")]
    {
        let mut asked = request(Method::GET, PATH, &[("authorization", &format!("Bearer {token}"))], "");
        if let Some(der) = shown {
            asked.extensions_mut().insert(certificate(der));
        }
        assert_eq!(bench.world.send("192.0.2.1", asked).await.line(), line);
    }
}

/// Row B10: the document follows from what is offered.
#[tokio::test]
async fn b10_the_openid_document_follows_the_offer() {
    let bench = Bench::new();
    let answer = bench.ask(Method::GET, "/.well-known/openid-configuration", &[], "").await;
    match oauth::openid_discovery::document(&bench.world.service.inner.offer) {
        None => assert_eq!(answer.status, 404),
        Some(document) => {
            assert_eq!((answer.status, &answer.body), (200, &document));
            assert_eq!(document["userinfo_endpoint"], URL);
            assert_eq!(document["issuer"], ISSUER);
        }
    }
}
