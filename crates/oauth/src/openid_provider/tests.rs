//! An outside OpenID provider, good and attacked: state and nonce loss, mix-up, algorithm confusion.

use super::{Begun, Credentials, Expected, Person, Provider, ProviderError as E, id_token_of};
use crate::{
    form::Form,
    jwk::Jwks,
    jws::{Algorithm, JwsError},
    secret::Secret,
    sign::PrivateKey,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::sync::LazyLock;

const ISSUER: &str = "https://id.example";
const NOW: i64 = 1_800_000_000;

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());
static OTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());

fn document() -> Value {
    json!({
        "issuer": ISSUER, "authorization_endpoint": "https://id.example/authorize?tenant=1",
        "token_endpoint": "https://id.example/token", "jwks_uri": "https://id.example/jwks",
        "id_token_signing_alg_values_supported": ["none", "HS256", "ES256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn provider() -> Provider {
    Provider::read(document().to_string().as_bytes(), ISSUER).unwrap()
}

fn begun() -> Begun {
    Begun {
        issuer: ISSUER.into(),
        state: Secret::new("state-1"),
        nonce: Secret::new("nonce-1"),
        verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "person-1", "aud": "us", "iat": NOW, "exp": NOW + 300, "nonce": "nonce-1",
        "auth_time": NOW - 10, "amr": ["pwd"],
    })
}

fn verify(token: &str, max_age_s: Option<u32>) -> Result<Person, E> {
    let (provider, keys) = (provider(), Jwks::new(vec![KEY.public().clone()]));
    let expected = Expected { provider: &provider, keys: &keys, client_id: "us", max_age_s, now_s: NOW };
    begun().person(&Secret::new(token), &expected)
}

fn with(name: &str, value: Value) -> Result<Person, E> {
    let mut claims = claims();
    claims[name] = value;
    verify(&KEY.jwt(&claims).unwrap(), None)
}

#[test]
fn documents() {
    let provider = provider();
    assert_eq!((provider.algorithms.as_slice(), provider.names_itself), (&[Algorithm::Es256][..], true));
    let read = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        Provider::read(document.to_string().as_bytes(), ISSUER).err()
    };
    assert_eq!(read("issuer", json!("https://evil.example")), Some(E::Issuer));
    assert_eq!(read("issuer", json!("https://id.example/")), Some(E::Issuer), "to the letter");
    assert_eq!(read("token_endpoint", json!("http://id.example/token")), Some(E::Member("token_endpoint")));
    assert_eq!(read("jwks_uri", json!(null)), Some(E::Member("jwks_uri")));
    let algorithms = "id_token_signing_alg_values_supported";
    assert_eq!(read(algorithms, json!(["none", "HS256"])), Some(E::Algorithms));
    assert_eq!(read(algorithms, json!(["RS384", "PS256", "ES512"])), Some(E::Algorithms), "RS256 and ES256 alone");
    let ways = |ways: Value| {
        let mut document = document();
        document["token_endpoint_auth_methods_supported"] = ways;
        Provider::read(document.to_string().as_bytes(), ISSUER).unwrap().secret_in_form
    };
    assert!(ways(json!(["client_secret_post"])));
    assert!(!ways(json!(["client_secret_post", "client_secret_basic"])) && !ways(json!(null)));
    assert_eq!(Provider::read(b"[]", ISSUER), Err(E::Document));
    assert_eq!(Provider::read(br#"{"issuer":"a","issuer":"https://id.example"}"#, ISSUER), Err(E::Document));
}

#[test]
fn the_way_there() {
    let url = begun().url(&provider(), "us", "https://care.example/account/sign-in/outside", "openid", Some(60));
    let query = url.strip_prefix("https://id.example/authorize?tenant=1&").unwrap();
    let form = Form::parse(query.as_bytes()).unwrap();
    let expected = [
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", "https://care.example/account/sign-in/outside"),
        ("scope", "openid"),
        ("state", "state-1"),
        ("nonce", "nonce-1"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("max_age", "60"),
    ];
    for (name, value) in expected {
        assert_eq!(form.value(name), Some(value));
    }
    let secret = Secret::new("s:e/c");
    let own = Credentials { client_id: "us & them", secret: &secret };
    let redeem =
        |provider: &Provider| begun().redemption(provider, &Secret::new("c&d"), "https://care.example/cb", &own);
    let basic = redeem(&provider());
    assert!(basic.form.expose().contains("code=c%26d&") && basic.form.expose().contains("code_verifier=dBjf"));
    assert!(!basic.form.expose().contains("client_secret"));
    let field = basic.authorization.unwrap();
    let pair = STANDARD.decode(field.expose().strip_prefix("Basic ").unwrap()).unwrap();
    assert_eq!(pair, b"us%20%26%20them:s%3Ae%2Fc");
    let form = redeem(&Provider { secret_in_form: true, ..provider() });
    assert!(form.authorization.is_none() && form.form.expose().contains("client_secret=s%3Ae%2Fc"));
}

/// State loss, mix-up, and answers that are none.
#[test]
fn the_way_back() {
    let back = |query: &str| begun().answered(&provider(), query.as_bytes()).map(|code| code.expose().to_owned());
    assert_eq!(back("code=c&state=state-1&iss=https%3A%2F%2Fid.example"), Ok("c".into()));
    for query in ["code=c&iss=https://id.example", "code=c&state=&iss=https://id.example", "code=c&state=state-2", ""] {
        assert_eq!(back(query), Err(E::State), "{query}");
    }
    assert_eq!(back("code=c&state=state-1"), Err(E::Mixed), "it says that it names itself");
    assert_eq!(back("code=c&state=state-1&iss=https://evil.example"), Err(E::Mixed));
    assert_eq!(back("error=access_denied&state=state-1&iss=https://id.example"), Err(E::Refused));
    assert_eq!(back("state=state-1&iss=https://id.example"), Err(E::Answer));
    assert_eq!(back("code=c&error=x&state=state-1&iss=https://id.example"), Err(E::Answer));
    assert_eq!(back("code=c&code=d&state=state-1&iss=https://id.example"), Err(E::Answer));
    let other = Provider { issuer: "https://other.example".into(), names_itself: false, ..provider() };
    assert_eq!(begun().answered(&other, b"code=c&state=state-1").err(), Some(E::Mixed), "begun with another one");
    let silent = Provider { names_itself: false, ..provider() };
    assert!(begun().answered(&silent, b"code=c&state=state-1").is_ok());
}

#[test]
fn a_good_id_token() {
    let person = verify(&KEY.jwt(&claims()).unwrap(), Some(60)).unwrap();
    assert_eq!((person.issuer.as_str(), person.subject.as_str()), (ISSUER, "person-1"));
    assert_eq!((person.authenticated_at_s, person.amr), (NOW - 10, vec!["pwd".to_owned()]));
    let no_kid = KEY.jws(&json!({ "alg": "ES256" }), claims().to_string().as_bytes()).unwrap();
    assert!(verify(&no_kid, None).is_ok(), "one key, no name");
    assert!(with("aud", json!(["us"])).is_ok() && with("azp", json!("us")).is_ok());
    let response = json!({ "access_token": "a", "id_token": "x.y.z" }).to_string();
    assert_eq!(id_token_of(response.as_bytes()).unwrap().expose(), "x.y.z");
    assert_eq!(id_token_of(b"{}").err(), Some(E::Member("id_token")));
}

/// Algorithm confusion, `none`, keys of strangers, keys that the token brings.
#[test]
fn keys_and_algorithms() {
    let claims = claims();
    let by = |key: &PrivateKey, header: Value| verify(&key.jws(&header, claims.to_string().as_bytes()).unwrap(), None);
    assert_eq!(by(&OTHER, json!({ "alg": "ES256", "kid": KEY.kid() })), Err(E::Jws(JwsError::Signature)));
    assert_eq!(by(&OTHER, json!({ "alg": "ES256", "kid": OTHER.kid() })), Err(E::Key));
    assert_eq!(
        by(&OTHER, json!({ "alg": "ES256", "jwk": OTHER.public().to_bare_jwk() })),
        Err(E::Jws(JwsError::Signature))
    );
    for algorithm in ["none", "HS256", "EdDSA"] {
        assert_eq!(by(&KEY, json!({ "alg": algorithm, "kid": KEY.kid() })), Err(E::Jws(JwsError::Algorithm)));
    }
    assert_eq!(by(&KEY, json!({ "alg": "RS256", "kid": KEY.kid() })), Err(E::Algorithms), "not one that it names");
}

#[test]
fn claims_that_do_not_hold() {
    let table = [
        ("iss", json!("https://evil.example"), E::Issuer),
        ("aud", json!("others"), E::Audience),
        ("aud", json!(["us", "others"]), E::Audience),
        ("aud", json!([]), E::Audience),
        ("azp", json!("others"), E::Audience),
        ("exp", json!(NOW - 60), E::Time),
        ("exp", json!(null), E::Time),
        ("iat", json!(NOW + 61), E::Time),
        ("iat", json!("now"), E::Time),
        ("nonce", json!("nonce-2"), E::Nonce),
        ("nonce", json!(null), E::Nonce),
        ("nonce", json!(""), E::Nonce),
        ("sub", json!(" "), E::Subject),
        ("sub", json!(7), E::Subject),
        ("sub", json!("s".repeat(256)), E::Subject),
    ];
    for (name, value, why) in table {
        assert_eq!(with(name, value.clone()), Err(why), "{name}: {value}");
    }
    let aged = |claims: &Value| verify(&KEY.jwt(claims).unwrap(), Some(60));
    let mut old = claims();
    old["auth_time"] = json!(NOW - 121);
    assert_eq!(aged(&old), Err(E::TooLongAgo));
    old.as_object_mut().unwrap().remove("auth_time");
    assert_eq!(aged(&old), Err(E::TooLongAgo), "required when a time was asked for");
}
