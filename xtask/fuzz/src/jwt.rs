//! Client assertions and compact JWS (rows C2 to C7, F33): whatever is done to a signed assertion without its
//! key, it is refused; what the client itself signed is taken only within the rules.

use crate::choices::Choices;
use oauth::{
    client_assertion::{Expected, Unverified},
    jwk::Jwks,
    jws::Algorithm,
    sign::PrivateKey,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW_S: i64 = 1_800_000_000;
const AUDIENCES: [&str; 2] = ["https://localhost:8443/oauth/token", "https://localhost:8443"];
const JWKS_URL: &str = "https://client.example/jwks.json";

struct Client {
    key: PrivateKey,
    keys: Jwks,
    good: String,
}

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let key = PrivateKey::generate(Algorithm::Es384).expect("a key");
    let other = PrivateKey::generate(Algorithm::Rs384).expect("a key");
    let keys = Jwks::new(vec![key.public().clone(), other.public().clone()]);
    let good = key.jws(&header(&key), claims().to_string().as_bytes()).expect("an assertion");
    Client { key, keys, good }
});

static STRANGER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es384).expect("a key"));

fn header(key: &PrivateKey) -> Value {
    json!({ "alg": "ES384", "kid": key.kid(), "typ": "JWT" })
}

fn claims() -> Value {
    json!({ "iss": "client", "sub": "client", "aud": AUDIENCES[0], "exp": NOW_S + 300, "iat": NOW_S, "jti": "one" })
}

/// The first byte says what is done to the assertion.
pub fn jwt(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    match choices.below(5) {
        0 => forged(&choices.all_text()),
        1 => forged(&edited(&CLIENT.good, &mut choices)),
        2 => {
            let header = changed(header(&CLIENT.key), &mut choices);
            let claims = changed(claims(), &mut choices);
            let signed = STRANGER.jws(&header, claims.to_string().as_bytes()).expect("it is signed");
            forged(&signed);
            // The stranger's words over the client's signature.
            let words = signed.rsplit_once('.').expect("three parts").0;
            let signature = CLIENT.good.rsplit_once('.').expect("three parts").1;
            forged(&format!("{words}.{signature}"));
        }
        3 => {
            let header = changed(header(&CLIENT.key), &mut choices);
            let claims = changed(claims(), &mut choices);
            own(&CLIENT.key.jws(&header, claims.to_string().as_bytes()).expect("it is signed"), &header, &claims);
        }
        _ => {
            let payload = choices.all_text();
            let text = CLIENT.key.jws(&header(&CLIENT.key), payload.as_bytes()).expect("it is signed");
            if verify(&text) {
                own(&text, &header(&CLIENT.key), &serde_json::from_str(&payload).expect("it was read"));
            }
        }
    }
}

fn verify(text: &str) -> bool {
    let Ok(unverified) = Unverified::parse(text) else { return false };
    let expected = Expected { keys: &CLIENT.keys, jwks_url: Some(JWKS_URL), audiences: &AUDIENCES, now_s: NOW_S };
    unverified.verify(expected).is_ok()
}

/// A text that someone without the key made.
fn forged(text: &str) {
    let signed = |text: &str| text.rsplit_once('.').map(|(signed, _)| signed.to_owned());
    assert!(!verify(text) || signed(text) == signed(&CLIENT.good), "accepted: {text}");
}

/// A text that the client signed: taken only when all of the rules hold.
fn own(text: &str, header: &Value, claims: &Value) {
    if !verify(text) {
        return;
    }
    let text_of = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(text_of(header, "alg"), "ES384");
    assert!(text_of(header, "typ").eq_ignore_ascii_case("JWT"));
    assert!(header.get("crit").is_none() && header.get("b64").is_none());
    assert!(header.get("jku").is_none_or(|jku| jku == JWKS_URL));
    assert_eq!(claims["iss"], claims["sub"]);
    assert!(!text_of(claims, "iss").is_empty() && !text_of(claims, "jti").is_empty());
    let audience = match &claims["aud"] {
        Value::Array(one) if one.len() == 1 => one[0].clone(),
        other => other.clone(),
    };
    assert!(audience.as_str().is_some_and(|audience| AUDIENCES.contains(&audience)), "{audience}");
    let time = |name: &str| claims[name].as_f64();
    let now = NOW_S as f64;
    assert!(time("exp").is_some_and(|exp| exp > now - 61.0 && exp < now + 362.0), "{claims}");
    for name in ["iat", "nbf"] {
        assert!(claims.get(name).is_none() || time(name).is_some_and(|at| at < now + 62.0), "{claims}");
    }
}

/// The text with some bytes changed, put in, or taken out, or its parts moved.
pub(crate) fn edited(text: &str, choices: &mut Choices<'_>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    while !choices.is_empty() && !bytes.is_empty() {
        let at = (choices.below(256) * 256 + choices.below(256)) % bytes.len();
        match choices.below(6) {
            0 => bytes[at] = choices.byte(),
            1 => bytes.insert(at, choices.byte()),
            2 => _ = bytes.remove(at),
            3 => bytes.truncate(at),
            4 => bytes.splice(at..at, choices.text().into_bytes()).for_each(drop),
            _ => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let mut parts: Vec<&str> = text.split('.').collect();
                let (one, other) = (choices.below(parts.len()), choices.below(parts.len()));
                parts.swap(one, other);
                bytes = parts.join(".").into_bytes();
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The object with some members set to other values, or taken out.
fn changed(mut object: Value, choices: &mut Choices<'_>) -> Value {
    const NAMES: [&str; 17] = [
        "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "alg", "kid", "typ", "crit", "b64", "jku", "jwk", "x5u",
        "x5c", "zip",
    ];
    for _ in 0..choices.below(4) {
        let name = choices.one(&NAMES);
        let value = match choices.below(12) {
            0 => {
                object.as_object_mut().expect("an object").remove(name);
                continue;
            }
            1 => json!(choices.text()),
            2 => json!(NOW_S + i64::from(choices.byte()) * 4 - 400),
            3 => json!(["none", "None", "HS384", "ES256", "ES384", "RS384", ""][choices.below(7)]),
            4 => json!([AUDIENCES[0], AUDIENCES[1]]),
            5 => json!([AUDIENCES[1]]),
            6 => Value::Null,
            7 => json!(true),
            8 => json!([f64::MAX, f64::MIN, 1.0e18, -1.0e18, 0.5, 1_800_000_360.9][choices.below(6)]),
            9 => json!([u64::MAX, 0, 1 << 63, u64::MAX / 2][choices.below(4)]),
            10 => json!({ "kty": "EC", "crv": "P-384" }),
            _ => json!(
                [JWKS_URL, "http://169.254.169.254/", "https://client.example/jwks.json#", "JWT", "client"]
                    [choices.below(5)]
            ),
        };
        object[name] = value;
    }
    object
}
