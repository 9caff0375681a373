//! Tests of the token endpoint: the good way for each algorithm, then each rule broken in turn.

use crate::{
    NewKeys, limits,
    testing::{ISSUER, KEY, STRANGER, TOKEN, World, credentials, encoded, form, jwks, request, token_form},
};
use audit::entry::{Action, Kind, Outcome};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use http::Method;
use oauth::{bearer::LiveTokens, jws::Algorithm, sign::PrivateKey};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const SCOPE: &str = "system/Patient.rs";

fn header() -> Value {
    json!({ "alg": "ES384", "kid": KEY.kid(), "typ": "JWT" })
}

/// Rows C7 and C10, B46, B47: each algorithm, and the response to the letter.
#[tokio::test]
async fn a_token_for_each_algorithm() {
    let world = World::new();
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let client = world.client_with(SCOPE, NewKeys::Inline(jwks(&[&key])));
        let assertion = key.jwt(&world.claims(&client)).unwrap();
        let answer = world.ask(&assertion, SCOPE).await;
        assert_eq!(answer.line(), "200", "{algorithm}");
        let members: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["access_token", "token_type", "expires_in", "scope"]);
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(300)));
        assert_eq!(answer.body["scope"], SCOPE);
        assert_eq!(B64.decode(answer.token()).unwrap().len(), 32);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let grant = world.service.grant(answer.token()).unwrap();
        assert_eq!((&*grant.client_id, &*grant.scope_text), (&*client, SCOPE));
        assert_eq!(grant.expires_at_s, world.now_s() + 300);
    }
}

/// The token is known by its hash only: no table and no log entry has it, nor the assertion (rows F24, C10).
#[tokio::test]
async fn only_the_hash_is_kept() {
    let world = World::new();
    let client = world.client(SCOPE);
    let assertion = world.assertion(&client);
    let answer = world.ask(&assertion, SCOPE).await;
    let tables = world.tables.tables();
    let mut kept = String::new();
    for table in [tables.clients, tables.tokens, tables.assertions] {
        for (key, value) in table.all().unwrap() {
            kept.push_str(&String::from_utf8_lossy(&key));
            kept.push_str(&String::from_utf8_lossy(&value));
        }
    }
    kept.push_str(&format!("{:?}", world.recorded.entries.lock().unwrap()));
    assert!(!kept.contains(answer.token()));
    assert!(!kept.contains(&assertion) && !kept.contains(assertion.rsplit('.').next().unwrap()));
}

/// Row F16.
#[tokio::test]
async fn issued_and_refused_are_recorded() {
    let world = World::new();
    let client = world.client(SCOPE);
    let answer = world.token(&client, SCOPE).await;
    let entry = world.last_entry();
    assert_eq!((entry.kind, &*entry.subtype, entry.action, entry.outcome), {
        (Kind::Security, "token-issued", Action::Execute, Outcome::Success)
    });
    assert_eq!(entry.client_id.as_deref(), Some(&*client));
    assert_eq!(entry.token_name, Some(world.service.grant(answer.token()).unwrap().token_name.clone()));
    assert_eq!(entry.query.as_deref(), Some("scope=system%2FPatient%2Ers&granted=system%2FPatient%2Ers"));
    assert_eq!(entry.address, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(answer.header("x-request-id"), Some(&*entry.request_id));

    let forged = STRANGER.jws(&header(), world.claims(&client).to_string().as_bytes()).unwrap();
    world.ask(&forged, SCOPE).await;
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.outcome), ("token-refused", Outcome::MinorFailure));
    assert_eq!(entry.client_id, None, "nobody was authenticated");
    assert_eq!(entry.outcome_text.as_deref(), Some("invalid_client: client assertion: the signature does not verify"));
    assert_eq!(entry.query.as_deref(), Some(format!("client_id={client}").as_str()));

    world.token(&client, "system/Observation.rs").await;
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("token-refused", Some(&*client)));
    assert_eq!(entry.outcome_text.as_deref(), Some("invalid_scope"));
}

/// Rows C1, C8, C12: what is asked is looked at in the order that a conformance suite breaks it.
#[tokio::test]
async fn requests_that_are_not_token_requests() {
    let world = World::new();
    let client = world.client(SCOPE);
    let good = credentials(&world.assertion(&client));
    let table = [
        (String::new(), "400 invalid_request"),
        (format!("scope={SCOPE}&{good}"), "400 invalid_request"),
        (format!("grant_type=&scope={SCOPE}&{good}"), "400 invalid_request"),
        (format!("grant_type=not_a_grant_type&scope={SCOPE}&{good}"), "400 unsupported_grant_type"),
        (format!("grant_type=password&username=a&password=b&scope={SCOPE}"), "400 unsupported_grant_type"),
        (
            format!("grant_type=authorization_code&code=a&{}", credentials(&world.assertion(&client))),
            "400 unauthorized_client",
        ),
        (format!("grant_type=client_credentials&scope={SCOPE}"), "400 invalid_client"),
        (
            format!(
                "grant_type=client_credentials&scope={SCOPE}&client_assertion_type=not_an_assertion_type&client_assertion=a"
            ),
            "400 invalid_client",
        ),
        (format!("grant_type=client_credentials&scope={SCOPE}&{}", credentials("not_a_jwt")), "400 invalid_client"),
        (
            format!("grant_type=client_credentials&scope={SCOPE}&client_id={client}&client_secret=a"),
            "400 invalid_client",
        ),
        (format!("grant_type=client_credentials&scope={SCOPE}&client_secret=a&{good}"), "400 invalid_request"),
        (
            format!("grant_type=client_credentials&grant_type=client_credentials&scope={SCOPE}&{good}"),
            "400 invalid_request",
        ),
        (format!("grant_type=client_credentials&scope={SCOPE}&scope={SCOPE}&{good}"), "400 invalid_request"),
        (format!("grant_type=client_credentials&scope=%zz&{good}"), "400 invalid_request"),
        (format!("grant_type=client_credentials&scope=%ff&{good}"), "400 invalid_request"),
        (format!("grant_type=client_credentials&{good}"), "400 invalid_scope"),
    ];
    for (body, expected) in table {
        let answer = world.post("/oauth/token", &body).await;
        assert_eq!(answer.line(), expected, "{body}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "B46: on errors too");
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        assert_eq!(&*world.last_entry().subtype, "token-refused");
    }
}

/// Row B46: a form, POSTed, of at most 64 kB.
#[tokio::test]
async fn only_a_posted_form_is_read() {
    let world = World::new();
    let client = world.client(SCOPE);
    let body = || token_form(&world.assertion(&client), SCOPE);
    for content_type in [
        "application/json",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded-not",
        "",
        "application/x-www-form-urlencoded, text/plain",
    ] {
        let answer = world
            .send("192.0.2.1", request(Method::POST, "/oauth/token", &[("content-type", content_type)], &body()))
            .await;
        assert_eq!(answer.line(), "400 invalid_request", "{content_type}");
    }
    let untyped = world.send("192.0.2.1", request(Method::POST, "/oauth/token", &[], &body())).await;
    assert_eq!(untyped.line(), "400 invalid_request");
    let twice = [("content-type", "application/x-www-form-urlencoded"), ("content-type", "text/plain")];
    let answer = world.send("192.0.2.1", request(Method::POST, "/oauth/token", &twice, &body())).await;
    assert_eq!(answer.line(), "400 invalid_request");
    // As browsers write it.
    let charset = [("content-type", "Application/X-WWW-Form-Urlencoded;charset=UTF-8")];
    let answer = world.send("192.0.2.1", request(Method::POST, "/oauth/token", &charset, &body())).await;
    assert_eq!(answer.line(), "200");
    // Parameters in the URL are no parameters: they would stand in logs.
    let in_url = world.send("192.0.2.1", form(&format!("/oauth/token?{}", body()), "")).await;
    assert_eq!(in_url.line(), "400 invalid_request");
    let long = format!("{}&a={}", body(), "a".repeat(64 * 1024));
    assert_eq!(world.post("/oauth/token", &long).await.line(), "413 invalid_request");
}

/// Row C8: 401 with a challenge only for who used Basic; and never two ways at once.
#[tokio::test]
async fn authorization_header() {
    let world = World::new();
    let client = world.client(SCOPE);
    let with = |authorization: &str, body: &str| {
        let fields = [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization)];
        request(Method::POST, "/oauth/token", &fields, body)
    };
    let plain = format!("grant_type=client_credentials&scope={SCOPE}");
    let answer = world.send("192.0.2.1", with("Basic YTpi", &plain)).await;
    assert_eq!(answer.line(), "401 invalid_client");
    assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"handrail\""));
    let both = token_form(&world.assertion(&client), SCOPE);
    for authorization in ["Basic YTpi", "Bearer abc", ""] {
        let answer = world.send("192.0.2.1", with(authorization, &both)).await;
        assert_eq!(answer.line(), "400 invalid_request", "{authorization}");
    }
    // None of these has used the assertion up.
    assert_eq!(world.post("/oauth/token", &both).await.line(), "200");
}

/// Rows C2, C3, C5, C6, F33: each rule of an assertion broken in turn, and always the same answer.
#[tokio::test]
async fn broken_assertions() {
    let world = World::new();
    let client = world.client(SCOPE);
    let now = world.now_s();
    let rsa = PrivateKey::generate(Algorithm::Rs384).unwrap();
    let sign = |header: Value, claims: Value| KEY.jws(&header, claims.to_string().as_bytes()).unwrap();
    let claim = |name: &str, value: Value| {
        let mut claims = world.claims(&client);
        claims[name] = value;
        sign(header(), claims)
    };
    let without = |name: &str| {
        let mut claims = world.claims(&client);
        claims.as_object_mut().unwrap().remove(name);
        sign(header(), claims)
    };
    let head = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        sign(header, world.claims(&client))
    };
    let raw = |header: &str, payload: &str, signature: &str| {
        format!("{}.{}.{}", B64.encode(header), B64.encode(payload), B64.encode(signature))
    };
    let good_claims = world.claims(&client).to_string();
    let duplicate = good_claims.replacen('{', &format!("{{\"iss\":\"{client}\","), 1);
    let mut embedded = header();
    embedded["jwk"] = STRANGER.public().to_jwk();
    let public_as_secret = {
        // HS256 with the public key as secret: the classic confusion. No HMAC is ever computed here, so any bytes do.
        raw(&format!(r#"{{"alg":"HS256","kid":"{}","typ":"JWT"}}"#, KEY.kid()), &good_claims, &jwks(&[&KEY]))
    };
    let broken = [
        ("claims: iss", claim("iss", "other".into())),
        ("claims: sub", claim("sub", "other".into())),
        ("claims: no iss", without("iss")),
        ("claims: no sub", without("sub")),
        ("claims: aud of another server", claim("aud", "https://other.example/token".into())),
        ("claims: aud of several", claim("aud", json!([TOKEN, "https://other.example/token"]))),
        ("claims: aud is the FHIR base", claim("aud", crate::testing::BASE.into())),
        ("claims: aud of the revocation endpoint", claim("aud", format!("{ISSUER}/oauth/revoke").into())),
        ("claims: no aud", without("aud")),
        ("claims: exp past", claim("exp", (now - 61).into())),
        ("claims: exp an hour ahead", claim("exp", (now + 3600).into())),
        ("claims: exp six minutes and a second ahead", claim("exp", (now + 361).into())),
        ("claims: exp as text", claim("exp", (now + 300).to_string().into())),
        ("claims: no exp", without("exp")),
        ("claims: iat in the future", claim("iat", (now + 61).into())),
        ("claims: nbf in the future", claim("nbf", (now + 61).into())),
        ("claims: no jti", without("jti")),
        ("claims: empty jti", claim("jti", "".into())),
        ("claims: jti a number", claim("jti", 1.into())),
        ("header: no kid", sign(json!({ "alg": "ES384", "typ": "JWT" }), world.claims(&client))),
        ("header: unknown kid", head("kid", "other".into())),
        ("header: kid as path", head("kid", "../../../dev/null".into())),
        ("header: kid as query", head("kid", "' OR 1=1 --".into())),
        ("header: kid as list", head("kid", json!([KEY.kid()]))),
        ("header: no typ", sign(json!({ "alg": "ES384", "kid": KEY.kid() }), world.claims(&client))),
        ("header: typ of another token", head("typ", "at+jwt".into())),
        ("header: jku, though keys are inline", head("jku", "https://attacker.example/jwks".into())),
        ("header: crit", head("crit", json!(["exp"]))),
        ("header: b64", head("b64", false.into())),
        ("header: alg none", head("alg", "none".into())),
        ("header: alg None", head("alg", "None".into())),
        ("header: alg of another curve", head("alg", "ES256".into())),
        ("header: alg of another type", head("alg", "RS384".into())),
        ("unsigned", raw(r#"{"alg":"none","typ":"JWT"}"#, &good_claims, "")),
        ("HS256 with the public key", public_as_secret),
        ("embedded key", STRANGER.jws(&embedded, good_claims.as_bytes()).unwrap()),
        ("stranger's key under the client's kid", STRANGER.jws(&header(), good_claims.as_bytes()).unwrap()),
        ("stranger's own", STRANGER.jwt(&world.claims(&client)).unwrap()),
        (
            "other type of key under the client's kid",
            rsa.jws(&json!({ "alg": "RS384", "kid": KEY.kid(), "typ": "JWT" }), good_claims.as_bytes()).unwrap(),
        ),
        ("duplicate claim", KEY.jws(&header(), duplicate.as_bytes()).unwrap()),
        ("duplicate header", raw(r#"{"alg":"ES384","alg":"ES384"}"#, &good_claims, "a")),
        ("claims a list", KEY.jws(&header(), b"[]").unwrap()),
        ("not JSON", KEY.jws(&header(), b"hello").unwrap()),
        ("padding", format!("{}=", sign(header(), world.claims(&client)))),
        ("signature cut off", sign(header(), world.claims(&client)).rsplit_once('.').unwrap().0.to_owned() + "."),
        ("four parts", sign(header(), world.claims(&client)) + ".a"),
        ("over 8 kB", claim("x", "a".repeat(8 * 1024).into())),
        ("unknown client", sign(header(), world.claims("nobody"))),
        ("empty client", sign(header(), world.claims(""))),
    ];
    let mut bodies = Vec::new();
    for (name, assertion) in broken {
        let answer = world.ask(&assertion, SCOPE).await;
        assert_eq!(answer.line(), "400 invalid_client", "{name}");
        bodies.push(answer.response.body().clone());
        assert!(world.tables.tokens.all_keys().is_empty(), "{name}");
    }
    // Row C13: the answer does not tell which it was, nor whether the client exists.
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    // What is left of the rules is what is good.
    assert_eq!(world.ask(&sign(header(), world.claims(&client)), SCOPE).await.line(), "200");
    assert_eq!(world.ask(&claim("aud", ISSUER.into()), SCOPE).await.line(), "200", "C5: the issuer too");
    assert_eq!(world.ask(&claim("aud", json!([TOKEN])), SCOPE).await.line(), "200");
    assert_eq!(world.ask(&claim("exp", (now - 59).into()), SCOPE).await.line(), "200", "A22: skew");
}

/// Row C13: the whole answer to an unknown client is that to a bad key, but for the request id.
#[tokio::test]
async fn unknown_client_and_bad_key_look_alike() {
    let world = World::new();
    let client = world.client(SCOPE);
    let disabled = world.client(SCOPE);
    world.service.set_client_disabled(&disabled, true).unwrap();
    let forged = STRANGER.jws(&header(), world.claims(&client).to_string().as_bytes()).unwrap();
    let mut answers = Vec::new();
    for assertion in [forged, world.assertion("nobody"), world.assertion(&disabled)] {
        let mut response = world.ask(&assertion, SCOPE).await.response;
        assert!(response.headers_mut().remove("x-request-id").is_some());
        answers.push((response.status(), response.headers().clone(), response.body().clone()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn client_id_beside_the_assertion_must_agree() {
    let world = World::new();
    let (client, other) = (world.client(SCOPE), world.client(SCOPE));
    let ask = |id: &str| format!("{}&client_id={id}", token_form(&world.assertion(&client), SCOPE));
    assert_eq!(world.post("/oauth/token", &ask(&client)).await.line(), "200");
    assert_eq!(world.post("/oauth/token", &ask(&other)).await.line(), "400 invalid_client");
    assert_eq!(world.post("/oauth/token", &ask("nobody")).await.line(), "400 invalid_client");
}

/// Row C4: once, also across a restart; another client's same `jti` is another; after its end it may come again.
#[tokio::test]
async fn an_assertion_counts_once() {
    let mut world = World::new();
    let (client, other) = (world.client(SCOPE), world.client(SCOPE));
    let with_jti = |world: &World, client: &str, exp_in_s: i64| {
        let mut claims = world.claims(client);
        claims["jti"] = "same".into();
        claims["exp"] = (world.now_s() + exp_in_s).into();
        KEY.jwt(&claims).unwrap()
    };
    let assertion = with_jti(&world, &client, 300);
    assert_eq!(world.ask(&assertion, SCOPE).await.line(), "200");
    assert_eq!(world.ask(&assertion, SCOPE).await.line(), "400 invalid_client");
    assert!(world.last_entry().outcome_text.unwrap().contains("used before"));
    // Another assertion with the same jti is a replay too.
    assert_eq!(world.ask(&with_jti(&world, &client, 200), SCOPE).await.line(), "400 invalid_client");
    assert_eq!(world.ask(&with_jti(&world, &other, 300), SCOPE).await.line(), "200");
    world.restart();
    assert_eq!(world.ask(&assertion, SCOPE).await.line(), "400 invalid_client", "durable");
    world.pass(359);
    world.service.sweep();
    assert_eq!(world.ask(&assertion, SCOPE).await.line(), "400 invalid_client", "to the end of the skew");
    world.pass(1);
    assert_eq!(world.ask(&assertion, SCOPE).await.line(), "400 invalid_client", "now it has expired");
    assert_eq!(world.ask(&with_jti(&world, &client, 300), SCOPE).await.line(), "200", "the jti may come again");
    assert_eq!(world.ask(&with_jti(&world, &client, 300), SCOPE).await.line(), "400 invalid_client");
    world.pass(1000);
    world.service.sweep();
    assert!(world.tables.assertions.all_keys().is_empty(), "swept");
}

/// Of many at once with one assertion, one gets a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_assertion_counts_once_among_many() {
    let world = std::sync::Arc::new(World::new());
    let client = world.client(SCOPE);
    let body = token_form(&world.assertion(&client), SCOPE);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (world, body) = (std::sync::Arc::clone(&world), body.clone());
            tokio::spawn(async move { world.post("/oauth/token", &body).await.status })
        })
        .collect();
    let mut good = 0;
    for task in tasks {
        good += usize::from(task.await.unwrap() == 200);
    }
    assert_eq!(good, 1);
}

/// Rows C11, B32, B42, B4.
#[tokio::test]
async fn scopes() {
    let world = World::new();
    let client = world.client("system/Patient.rs system/Observation.cruds system/Condition.rs?category=a");
    let table = [
        ("system/Patient.rs", Ok("system/Patient.rs")),
        ("system/Patient.read", Ok("system/Patient.read")),
        ("system/Observation.rs?category=x%7Csurvey", Ok("system/Observation.rs?category=x%7Csurvey")),
        ("system/Patient.rs system/Encounter.rs", Ok("system/Patient.rs")),
        ("system/Condition.rs", Ok("system/Condition.rs?category=a")),
        ("system/*.r", Ok("system/Patient.r system/Observation.r system/Condition.r?category=a")),
        ("system/Patient.dus system/Patient.r", Ok("system/Patient.r")),
        ("system/Encounter.rs", Err("400 invalid_scope")),
        ("system/Patient.c", Err("400 invalid_scope")),
        ("system/Nonsense.rs", Err("400 invalid_scope")),
        ("system/Observation.rs?unknown=1", Err("400 invalid_scope")),
        ("patient/Patient.rs", Err("400 invalid_scope")),
        ("system/Patient.rs patient/Patient.rs", Err("400 invalid_scope")),
        ("openid fhirUser", Err("400 invalid_scope")),
        ("*", Err("400 invalid_scope")),
        ("", Err("400 invalid_scope")),
    ];
    for (scope, expected) in table {
        let answer = world.token(&client, scope).await;
        match expected {
            Ok(granted) => assert_eq!(answer.body["scope"], granted, "{scope}"),
            Err(line) => assert_eq!(answer.line(), line, "{scope}"),
        }
    }
    let long = "system/Patient.rs ".repeat(2000);
    assert_eq!(world.token(&client, &long).await.line(), "400 invalid_scope");
}

/// Row F66: a flood from one address is stopped, told when to come again, and recorded once.
#[tokio::test]
async fn an_address_that_floods_is_limited() {
    let world = World::new();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit")]
    let burst = limits::ADDRESS_RATE.1 as usize;
    for _ in 0..burst {
        assert_eq!(world.post("/oauth/token", "").await.status, 400);
    }
    let before = world.entries();
    for _ in 0..20 {
        let answer = world.post("/oauth/token", "").await;
        assert_eq!(answer.line(), "429 temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(world.entries(), before + 1);
    assert_eq!(world.send("192.0.2.2", form("/oauth/token", "")).await.status, 400, "others are not");
    world.pass(1);
    assert_eq!(world.post("/oauth/token", "").await.status, 400);
}

/// Row F66: a client that takes a token for each request is told to keep it; a replay takes nothing from its rate.
#[tokio::test]
async fn a_client_that_floods_is_limited() {
    let world = World::new();
    let client = world.client(SCOPE);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit")]
    let burst = limits::CLIENT_RATE.1 as usize;
    let first = world.assertion(&client);
    let send = async |n: usize, assertion: &str| {
        world.send(&format!("192.0.2.{}", n % 250), form("/oauth/token", &token_form(assertion, SCOPE))).await
    };
    assert_eq!(send(0, &first).await.status, 200);
    for n in 0..burst {
        assert_eq!(send(n, &first).await.line(), "400 invalid_client");
    }
    for n in 1..burst {
        assert_eq!(send(n, &world.assertion(&client)).await.status, 200);
    }
    let refused = world.assertion(&client);
    let answer = send(0, &refused).await;
    assert_eq!((answer.line().as_str(), answer.header("retry-after")), ("429 temporarily_unavailable", Some("1")));
    world.pass(1);
    assert_eq!(send(0, &refused).await.status, 200, "the assertion was not used up");
}

/// Row F25: without a record there is no token; without a disk neither.
#[tokio::test]
async fn no_record_no_token() {
    let world = World::new();
    let client = world.client(SCOPE);
    world.recorded.down.store(true, Ordering::Relaxed);
    let answer = world.token(&client, SCOPE).await;
    assert_eq!(answer.line(), "503 temporarily_unavailable");
    assert!(answer.body.get("access_token").is_none());
    world.recorded.down.store(false, Ordering::Relaxed);
    world.tables.tokens.full.store(true, Ordering::Relaxed);
    assert_eq!(world.token(&client, SCOPE).await.line(), "503 temporarily_unavailable");
    assert_eq!(world.last_entry().outcome, Outcome::SeriousFailure);
    world.tables.tokens.full.store(false, Ordering::Relaxed);
    world.tables.assertions.full.store(true, Ordering::Relaxed);
    assert_eq!(world.token(&client, SCOPE).await.line(), "503 temporarily_unavailable", "C4: no mark, no token");
    world.tables.assertions.full.store(false, Ordering::Relaxed);
    assert_eq!(world.token(&client, SCOPE).await.line(), "200");
}

/// Nothing of a request comes back in an answer.
#[tokio::test]
async fn answers_echo_nothing() {
    let world = World::new();
    let canary = "<script>canary</script>";
    for name in ["grant_type", "scope", "client_assertion", "client_assertion_type", "client_id", "token", "state"] {
        for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
            let answer = world.post(path, &format!("{name}={}", encoded(canary))).await;
            assert!(!String::from_utf8_lossy(answer.response.body()).contains("canary"), "{path} {name}");
            assert!(!format!("{:?}", answer.response.headers()).contains("canary"));
        }
    }
}

mod properties {
    use super::World;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

        /// Row F67: whatever is posted, the answer is a JSON error.
        #[test]
        fn any_body_is_refused(body in "[ -~]{0,120}", assertion in "[A-Za-z0-9_.-]{0,80}") {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let world = World::new();
            runtime.block_on(async {
                for text in [body.clone(), super::token_form(&assertion, &body), format!("token={body}")] {
                    for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
                        let answer = world.post(path, &text).await;
                        assert!(matches!(answer.status, 400 | 401), "{path} {text}");
                        assert!(answer.body["error"].is_string());
                    }
                }
            });
        }
    }
}
