//! Requests that were pushed. Row B29; RFC 9126, RFC 9449 section 10.1, FAPI 2.0.

use super::*;
use crate::{
    NewKeys,
    testing::{credentials, jwks, request},
};
use http::Method;
use oauth::{dpop, jws::Algorithm, sign::PrivateKey};

const PAR: &str = "https://care.example:8443/oauth/par";
const SCOPE: &str = "launch/patient patient/Patient.rs";

fn uri(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.body["expires_in"].as_i64()), (201, Some(120)), "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.body["request_uri"].as_str().unwrap().to_owned()
}

/// What the browser brings is the handle: once, for two minutes, for the client that left the request.
#[tokio::test]
async fn b29_a_pushed_request_works_once() {
    let bench = Bench::with(&app(NewKind::ConfidentialSymmetric));
    let mut ana = bench.ana().await;
    let own = format!("client_secret={}", bench.secret);
    let push = async |more: &str| {
        let body = format!("{}&{own}{more}", bench.query(SCOPE, &[]));
        bench.world.post("/oauth/par", &body).await
    };
    let short = |uri: &str, client: &str| format!("/oauth/authorize?client_id={client}&request_uri={}", encoded(uri));
    let pushed = uri(&push("").await);
    // What stands beside the handle counts for nothing.
    let more = "&scope=patient%2F*.cruds&redirect_uri=https%3A%2F%2Fevil.example&state=other";
    let page = follow(&mut ana, &format!("{}{more}", short(&pushed, &bench.app))).await;
    assert!(page.status == 200 && !page.body.contains("patient/*.cruds"), "{}", page.body);
    let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    assert_eq!(answer(&back, "state").as_deref(), Some(STATE));
    assert_eq!(bench.redeem(&back).await.status, 200);
    let gone = |page: Page| assert_eq!((page.status, page.to()), (422, ""), "{}", page.body);
    gone(follow(&mut ana, &short(&pushed, &bench.app)).await);
    let late = uri(&push("").await);
    bench.world.pass(120);
    gone(follow(&mut ana, &short(&late, &bench.app)).await);
    let other = bench.world.add(&app(NewKind::Public));
    gone(follow(&mut ana, &short(&uri(&push("").await), &other)).await);
    gone(follow(&mut ana, &short("urn:ietf:params:oauth:request_uri:abcdefghijklmnopqrstuvwxyz", &bench.app)).await);
    // One of somebody else is no pushed request of ours: not fetched (row F60), told to the app.
    let foreign = bench.query(SCOPE, &[("request_uri", "https://evil.example/request")]);
    let page = follow(&mut ana, &format!("/oauth/authorize?{foreign}")).await;
    assert_eq!(error(&page), "request_uri_not_supported");
    assert_eq!(bench.world.web.count(), 0);
}

/// What was pushed outlives a restart, and works once after it.
#[tokio::test]
async fn b29_over_a_restart() {
    let mut bench = Bench::with(&app(NewKind::ConfidentialSymmetric));
    let body = format!("{}&client_secret={}", bench.query(SCOPE, &[]), bench.secret);
    let pushed = uri(&bench.world.post("/oauth/par", &body).await);
    bench.world.restart();
    let path = format!("/oauth/authorize?client_id={}&request_uri={}", bench.app, encoded(&pushed));
    assert!(Browser::new(&bench.world).get(&path).await.to().starts_with("/oauth/authorize?continuation="));
    bench.world.restart();
    assert_eq!(Browser::new(&bench.world).get(&path).await.status, 422);
}

/// Who pushes proves who they are, and what is wrong is told there.
#[tokio::test]
async fn b29_what_cannot_be_pushed() {
    let bench = Bench::with(&app(NewKind::ConfidentialSymmetric));
    let own = format!("client_secret={}", bench.secret);
    let line = async |body: String| bench.world.post("/oauth/par", &body).await.line();
    let usual = |changes: &[(&str, &str)]| format!("{}&{own}", bench.query(SCOPE, changes));
    assert_eq!(line(bench.query(SCOPE, &[])).await, "400 invalid_client");
    assert_eq!(line(format!("{}&client_secret=x", bench.query(SCOPE, &[]))).await, "400 invalid_client");
    for (changes, expected) in [
        (&[("request_uri", "urn:ietf:params:oauth:request_uri:abcdefghijklmnopqrstuvwxyz")][..], "400 invalid_request"),
        (&[("request", "eyJ")], "400 request_not_supported"),
        (&[("redirect_uri", "https://evil.example/")], "400 invalid_request"),
        (&[("code_challenge", "")], "400 invalid_request"),
        (&[("code_challenge_method", "plain")], "400 invalid_request"),
        (&[("state", "")], "400 invalid_request"),
        (&[("aud", "https://evil.example/fhir")], "400 invalid_request"),
        (&[("scope", "system/*.rs")], "400 invalid_scope"),
        (&[("response_type", "token")], "400 unsupported_response_type"),
    ] {
        assert_eq!(line(usual(changes)).await, expected, "{changes:?}");
    }
    assert_eq!(line(format!("{}&scope=a", usual(&[]))).await, "400 invalid_request", "twice");
    let get = bench.world.send("192.0.2.1", request(Method::GET, "/oauth/par", &[], "")).await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
}

/// FAPI 2.0: such a client pushes its requests, and its code is bound to the key that it pushed with.
#[tokio::test]
async fn b29_fapi2_clients_must_push_and_bind() {
    let own = PrivateKey::generate(Algorithm::Es256).unwrap();
    let new = NewClient { is_fapi2: true, ..app(NewKind::ConfidentialAsymmetric(NewKeys::Inline(jwks(&[&own])))) };
    let bench = Bench::with(&new);
    let mut ana = bench.ana().await;
    assert_eq!(error(&bench.asked(&mut ana, SCOPE, &[]).await), "invalid_request");
    let inner = &bench.world.service.inner;
    let (key, thief) =
        (PrivateKey::generate(Algorithm::Es256).unwrap(), PrivateKey::generate(Algorithm::Es256).unwrap());
    let proof = |key: &PrivateKey, url: &str| {
        let nonce = inner.proofs.nonce(bench.world.now_s());
        dpop::signed(key, "POST", url, &bench.world.jti(), bench.world.now_s(), None, Some(&nonce)).unwrap()
    };
    let assertion = || {
        let jti = bench.world.jti();
        let signed = oauth::client_assertion::signed(&own, &bench.app, ISSUER, &jti, bench.world.now_s(), 60).unwrap();
        credentials(&signed)
    };
    let post = async |path: &str, proof: String, body: String| {
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", proof.as_str())];
        bench.world.send("192.0.2.1", request(Method::POST, path, &headers, &body)).await
    };
    let mut codes = Vec::new();
    for _ in 0..2 {
        let body = format!("{}&{}", bench.query(SCOPE, &[]), assertion());
        let pushed = uri(&post("/oauth/par", proof(&key, PAR), body).await);
        let path = format!("/oauth/authorize?client_id={}&request_uri={}", bench.app, encoded(&pushed));
        let page = follow(&mut ana, &path).await;
        let back =
            if page.status == 200 { bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await } else { page };
        codes.push(answer(&back, "code").unwrap());
    }
    let token = "https://care.example:8443/oauth/token";
    for (code, key, expected) in [(&codes[0], &thief, "400 invalid_grant"), (&codes[1], &key, "200")] {
        let body = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}&{}",
            encoded(REDIRECT),
            assertion()
        );
        assert_eq!(post("/oauth/token", proof(key, token), body).await.line(), expected);
    }
}
