//! DPoP proofs (RFC 9449 sections 4.3, 7 and 8): what somebody without the key made is never taken for the key's; what the
//! key's holder made is taken within the rules only, and a replay is known as one.

use crate::choices::Choices;
use oauth::{
    dpop::{Expected, Nonces, Proof, check, signed},
    jws::Algorithm,
    sign::PrivateKey,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW_S: i64 = 1_800_000_000;
const URL: &str = "https://care.example/fhir/Patient/1";
const TOKEN: &str = "an-access-token";

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).expect("a key"));
static STRANGER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).expect("a key"));
static NONCES: LazyLock<Nonces> = LazyLock::new(|| Nonces::new(&[7; 32]));
static GOOD: LazyLock<(String, Proof)> = LazyLock::new(|| {
    let nonce = NONCES.current(NOW_S);
    let text = signed(&KEY, "GET", URL, "one", NOW_S, Some(TOKEN), Some(&nonce)).expect("it is signed");
    let proof = verify(&text, true).expect("it holds");
    (text, proof)
});

fn verify(text: &str, requires_nonce: bool) -> Option<Proof> {
    let expected =
        Expected { method: "GET", url: URL, access_token: Some(TOKEN), nonces: &NONCES, requires_nonce, now_s: NOW_S };
    check(text, &expected).ok()
}

/// The first byte says what is done to the proof.
pub fn dpop(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let (text, good) = &*GOOD;
    match choices.below(4) {
        0 => forged(&choices.all_text(), good),
        1 => forged(&crate::jwt::edited(text, &mut choices), good),
        2 => {
            // A stranger who names the key, or signs what it signed.
            let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.public().to_bare_jwk() });
            let claims = changed(claims(), &mut choices);
            let made = STRANGER.jws(&header, claims.to_string().as_bytes()).expect("it is signed");
            forged(&made, good);
            let words = made.rsplit_once('.').expect("three parts").0;
            forged(&format!("{words}.{}", text.rsplit_once('.').expect("three parts").1), good);
        }
        _ => {
            let mut header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.public().to_bare_jwk() });
            let name = choices.one(&["typ", "alg", "jwk", "kid", "crit", "jku", "x5c"]);
            if choices.once_in(2) {
                header[name] = json!(choices.one(&["none", "JWT", "ES384", "DPOP+JWT", "ES256", ""]));
            }
            let claims = changed(claims(), &mut choices);
            let made = KEY.jws(&header, claims.to_string().as_bytes()).expect("it is signed");
            if let Some(proof) = verify(&made, true) {
                own(&header, &claims);
                assert_eq!(proof.key(), good.key());
                assert_eq!(proof.replay_key() == good.replay_key(), claims["jti"] == "one");
                assert!(proof.replayable_until_s() > NOW_S, "a replay can come that nobody remembers");
            }
        }
    }
}

/// Taken for the key's only when it is the good proof itself, but for spelling that JWS allows nowhere.
fn forged(text: &str, good: &Proof) {
    if let Some(proof) = verify(text, false) {
        assert!(proof.key() != good.key() || proof.replay_key() == good.replay_key(), "accepted: {text}");
    }
}

fn claims() -> Value {
    json!({
        "htm": "GET", "htu": URL, "iat": NOW_S, "jti": "one", "nonce": NONCES.current(NOW_S),
        "ath": GOOD_ATH.as_str(),
    })
}

/// `ath` of the token, as the client's side makes it.
static GOOD_ATH: LazyLock<String> = LazyLock::new(|| {
    let text = signed(&KEY, "GET", URL, "one", NOW_S, Some(TOKEN), None).expect("it is signed");
    let payload = text.split('.').nth(1).expect("three parts");
    let bytes = base64(payload);
    let claims: Value = serde_json::from_slice(&bytes).expect("JSON");
    claims["ath"].as_str().expect("a text").to_owned()
});

/// Base64url without padding, of our own making.
fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte).expect("a digit");
        held = held << 6 | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}

fn own(header: &Value, claims: &Value) {
    assert!(header["typ"].as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")));
    assert_eq!((&header["alg"], &claims["htm"]), (&json!("ES256"), &json!("GET")));
    assert!(header.get("crit").is_none());
    assert!(claims["htu"].as_str().is_some_and(|htu| htu.to_ascii_lowercase().starts_with("https://care.example")));
    assert!(claims["iat"].as_f64().is_some_and(|at| (at - NOW_S as f64).abs() < 122.0), "{claims}");
    assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty() && jti.len() <= 512));
    assert_eq!(claims["ath"], GOOD_ATH.as_str());
    assert!(claims["nonce"].as_str().is_some_and(|nonce| NONCES.knows(nonce, NOW_S)));
}

/// Some claims set to other values, or taken out.
fn changed(mut claims: Value, choices: &mut Choices<'_>) -> Value {
    for _ in 0..choices.below(4) {
        let name = choices.one(&["htm", "htu", "iat", "jti", "nonce", "ath"]);
        claims[name] = match choices.below(9) {
            0 => Value::Null,
            1 => json!(choices.text()),
            2 => json!(NOW_S + i64::from(choices.byte()) * 2 - 256),
            3 => json!("GET"),
            4 => json!(
                ["https://care.example/fhir/Patient/1?x#y", "https://CARE.example:443/fhir/Patient/%31"]
                    [choices.below(2)]
            ),
            5 => json!(["https://care.example/fhir/Patient/2", "http://care.example/fhir/Patient/1"][choices.below(2)]),
            6 => json!([f64::MAX, -1.0e18, 0.5][choices.below(3)]),
            7 => json!(NONCES.current(NOW_S - i64::from(choices.byte()) * 4)),
            _ => {
                claims.as_object_mut().expect("an object").remove(name);
                continue;
            }
        };
    }
    claims
}
