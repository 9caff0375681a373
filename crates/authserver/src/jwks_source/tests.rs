//! Tests of `jwks_source`, through the token endpoint. Rows C2, C9.

use crate::{
    NewKeys,
    egress::FetchError,
    limits,
    testing::{KEY, STRANGER, World, jwks},
};
use oauth::{jws::Algorithm, sign::PrivateKey};
use serde_json::json;
use std::sync::Arc;

const URL: &str = "https://client.example/jwks.json";
const SCOPE: &str = "system/Patient.rs";

struct Case {
    world: World,
    client: Arc<str>,
}

impl Case {
    fn new(cache_control: Option<&str>) -> Self {
        let world = World::new();
        world.web.put(URL, jwks(&[&KEY]), cache_control);
        let client = world.client_with(SCOPE, NewKeys::Url(URL.into()));
        Self { world, client }
    }

    async fn ask_with(&self, key: &PrivateKey) -> u16 {
        let assertion = key.jwt(&self.world.claims(&self.client)).unwrap();
        self.world.ask(&assertion, SCOPE).await.status
    }

    async fn ask(&self) -> u16 {
        self.ask_with(&KEY).await
    }

    fn fetches(&self) -> usize {
        self.world.web.count()
    }
}

/// Never kept longer than Cache-Control says, nor than our own cap.
#[tokio::test]
async fn a_copy_lives_as_long_as_stated() {
    let default_s = limits::JWKS_CACHE_S_DEFAULT;
    let cap_s = limits::JWKS_CACHE_S_MAX;
    for (cache_control, life_s) in
        [(Some("max-age=40"), 40), (None, default_s), (Some("max-age=999999"), cap_s), (Some("public, max-age=7"), 7)]
    {
        let case = Case::new(cache_control);
        assert_eq!((case.fetches(), case.ask().await, case.fetches()), (0, 200, 1), "fetched when needed");
        case.world.pass(life_s - 1);
        assert_eq!((case.ask().await, case.fetches()), (200, 1), "{cache_control:?}");
        case.world.pass(1);
        assert_eq!((case.ask().await, case.fetches()), (200, 2), "{cache_control:?}");
    }
    for cache_control in ["no-store", "no-cache", "max-age=0", "max-age=x"] {
        let case = Case::new(Some(cache_control));
        case.ask().await;
        case.ask().await;
        assert_eq!(case.fetches(), 2, "{cache_control}");
    }
}

/// A withdrawn key stops working when the copy ends, a new one works at once: an unknown kid makes us look again,
/// but not each time.
#[tokio::test]
async fn keys_are_rotated() {
    let case = Case::new(Some("max-age=600"));
    assert_eq!((case.ask().await, case.fetches()), (200, 1));
    // A stranger's kid right after a fetch: not again yet.
    assert_eq!((case.ask_with(&STRANGER).await, case.fetches()), (400, 1));
    let new = PrivateKey::generate(Algorithm::Es256).unwrap();
    case.world.web.put(URL, jwks(&[&new]), Some("max-age=600"));
    case.world.pass(limits::JWKS_REFETCH_S);
    assert_eq!((case.ask_with(&new).await, case.fetches()), (200, 2));
    assert_eq!(case.ask().await, 400, "the old key is gone");
    for _ in 0..10 {
        assert_eq!(case.ask_with(&STRANGER).await, 400);
    }
    assert_eq!(case.fetches(), 2, "rate-limited");
}

/// A failure is remembered for a while, and an old copy does not outlive its time because of it.
#[tokio::test]
async fn failures() {
    let failures = [
        FetchError::TimedOut,
        FetchError::Status(500),
        FetchError::TooLarge,
        FetchError::Forbidden("private address".into()),
        FetchError::Unreachable("refused".into()),
    ];
    for failure in failures {
        let case = Case::new(Some("max-age=60"));
        assert_eq!(case.ask().await, 200);
        case.world.web.fail(URL, failure);
        case.world.pass(60);
        let answer = case.world.token(&case.client, SCOPE).await;
        assert_eq!(answer.line(), "400 invalid_client", "and nothing about why");
        assert!(case.world.last_entry().outcome_text.unwrap().contains("JWKS URL"), "the log says why");
        assert_eq!((case.ask().await, case.fetches()), (400, 2), "negative cache");
        case.world.web.put(URL, jwks(&[&KEY]), Some("max-age=60"));
        case.world.pass(limits::JWKS_FAILURE_S);
        assert_eq!((case.ask().await, case.fetches()), (200, 3));
    }
    for body in ["", "<html>", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA","kid":"a"}]}"#] {
        let case = Case::new(None);
        case.world.web.put(URL, body.into(), None);
        assert_eq!(case.ask().await, 400, "{body}");
    }
}

/// Private keys that a client publishes by mistake are not used.
#[tokio::test]
async fn published_private_keys_are_passed_over() {
    let case = Case::new(None);
    let jwk: serde_json::Value = serde_json::from_str(&KEY.to_private_jwk().unwrap()).unwrap();
    case.world.web.put(URL, json!({ "keys": [jwk] }).to_string(), None);
    assert_eq!(case.ask().await, 400);
}

/// Row C2: `jku` may be the registered URL, and no other is ever fetched.
#[tokio::test]
async fn jku_is_compared_and_never_fetched() {
    let case = Case::new(None);
    let attacker = "https://attacker.example/jwks.json";
    case.world.web.put(attacker, jwks(&[&STRANGER]), None);
    let with_jku = |key: &PrivateKey, jku: &str| {
        let header = json!({ "alg": "ES384", "kid": key.kid(), "typ": "JWT", "jku": jku });
        key.jws(&header, case.world.claims(&case.client).to_string().as_bytes()).unwrap()
    };
    assert_eq!(case.world.ask(&with_jku(&KEY, URL), SCOPE).await.status, 200);
    assert_eq!(case.world.ask(&with_jku(&STRANGER, attacker), SCOPE).await.status, 400);
    assert_eq!(case.world.ask(&with_jku(&KEY, attacker), SCOPE).await.status, 400);
    assert_eq!(case.fetches(), 1, "only the registered URL");
}

/// Many requests at once need one fetch.
#[tokio::test]
async fn fetches_are_shared() {
    let case = Case::new(Some("no-store"));
    let sources = &case.world.service.inner.sources;
    let url: Arc<str> = URL.into();
    let (a, b, c) = tokio::join!(sources.jwks(&url), sources.jwks(&url), sources.jwks(&url));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(case.fetches(), 1);
}

/// What a stranger can make us send to a client's host is bounded, even where that host forbids caching.
#[tokio::test]
async fn fetches_of_a_url_are_limited() {
    let case = Case::new(Some("no-store"));
    for _ in 0..60 {
        case.ask_with(&STRANGER).await;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit")]
    let burst = limits::JWKS_FETCH_RATE.1 as usize;
    assert_eq!(case.fetches(), burst);
}
