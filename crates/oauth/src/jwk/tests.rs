//! Keys and sets of keys, good and malformed. Rows C6, C7.

use super::{JwkError, Jwks, JwksError, MatchError, PublicKey};
use crate::{jws::Algorithm, sign::PrivateKey};
use proptest::prelude::*;
use serde_json::{Value, json};

fn es384() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es384).unwrap()
}

fn named(mut jwk: Value, kid: &str) -> Value {
    jwk["kid"] = kid.into();
    jwk
}

fn set(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

fn read(jwk: &Value) -> Result<PublicKey, JwkError> {
    PublicKey::from_jwk(jwk.as_object().unwrap())
}

/// The example of RFC 7638 section 3.1.
#[test]
fn thumbprint_of_the_rfc() {
    let jwk = json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
    });
    let key = read(&jwk).unwrap();
    assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!((key.kid(), key.algorithm(), key.key_type()), (Some("2011-04-29"), Some(Algorithm::Rs256), "RSA"));
    assert!(key.fits(Algorithm::Rs256) && !key.fits(Algorithm::Rs384) && !key.fits(Algorithm::Es256));
}

#[test]
fn jwk_round_trips() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        assert_eq!(read(&key.public().to_jwk()).as_ref(), Ok(key.public()));
    }
}

#[test]
fn keys_that_do_not_verify_are_refused() {
    let good = es384().public().to_jwk();
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        read(&jwk)
    };
    let private = Err(JwkError::Private);
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert_eq!(with(name, "AAAA".into()), private, "{name}");
        assert_eq!(with(name, Value::Null), private, "{name} of any type");
    }
    assert_eq!(with("use", "enc".into()), Err(JwkError::Use));
    assert_eq!(with("key_ops", json!(["sign"])), Err(JwkError::Use));
    assert_eq!(with("key_ops", json!("verify")), Err(JwkError::Use));
    assert!(with("key_ops", json!(["verify"])).is_ok());
    assert_eq!(with("alg", "ES256".into()), Err(JwkError::Unsupported));
    assert_eq!(with("alg", "RS384".into()), Err(JwkError::Unsupported));
    assert_eq!(with("alg", "ECDH-ES".into()), Err(JwkError::Unsupported));
    assert_eq!(with("alg", 1.into()), Err(JwkError::Malformed("alg")));
    assert_eq!(with("kty", "OKP".into()), Err(JwkError::Unsupported));
    assert_eq!(with("crv", "secp256k1".into()), Err(JwkError::Unsupported));
    assert_eq!(with("crv", "P-256".into()), Err(JwkError::Malformed("x")));
    assert_eq!(with("x", "AAAA".into()), Err(JwkError::Malformed("x")));
    assert_eq!(with("x", format!("{}=", good["x"].as_str().unwrap()).into()), Err(JwkError::Malformed("x")));
    // Not on the curve: x and y changed places.
    assert_eq!(with("x", good["y"].clone()), Err(JwkError::Numbers));
}

/// Row C7 and A5: RSA keys of 2048 bits and more, with a sound exponent.
#[test]
fn weak_rsa_keys_are_refused() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    let rsa = |bytes: Vec<u8>, exponent: &[u8]| {
        read(&json!({ "kty": "RSA", "n": B64.encode(bytes), "e": B64.encode(exponent) }))
    };
    let modulus = |length: usize| {
        let mut bytes = vec![0xff; length];
        bytes[1] = 0x5a;
        bytes
    };
    assert_eq!(rsa(modulus(128), &[1, 0, 1]), Err(JwkError::Size), "1024 bits");
    assert_eq!(rsa(modulus(255), &[1, 0, 1]), Err(JwkError::Size), "2040 bits");
    let mut padded = modulus(128);
    padded.splice(0..0, vec![0; 128]);
    assert_eq!(rsa(padded, &[1, 0, 1]), Err(JwkError::Size), "1024 bits behind zeros");
    assert_eq!(rsa(modulus(1025), &[1, 0, 1]), Err(JwkError::Size), "8200 bits");
    assert_eq!(rsa(vec![], &[1, 0, 1]), Err(JwkError::Size));
    for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(rsa(modulus(256), exponent), Err(JwkError::Numbers), "{exponent:?}");
    }
    let mut even = modulus(256);
    even[255] = 0xfe;
    assert_eq!(rsa(even, &[1, 0, 1]), Err(JwkError::Numbers));
    assert!(rsa(modulus(256), &[1, 0, 1]).is_ok());
}

/// Row C6: exactly one key.
#[test]
fn matching_by_kid_and_type() {
    let (one, two) = (es384().public().to_jwk(), es384().public().to_jwk());
    let rsa = PrivateKey::generate(Algorithm::Rs384).unwrap().public().to_jwk();
    let jwks = Jwks::parse(&set(&[named(one.clone(), "a"), named(two, "b"), named(rsa, "a")])).unwrap();
    assert_eq!(jwks.matching("a", Algorithm::Es384).unwrap().key_type(), "EC");
    assert_eq!(jwks.matching("a", Algorithm::Rs384).unwrap().key_type(), "RSA");
    assert_eq!(jwks.matching("a", Algorithm::Rs256), Err(MatchError::None));
    assert_eq!(jwks.matching("b", Algorithm::Es256), Err(MatchError::None));
    assert_eq!(jwks.matching("c", Algorithm::Es384), Err(MatchError::None));
    assert_eq!(jwks.matching("", Algorithm::Es384), Err(MatchError::None));
    let twice = Jwks::parse(&set(&[named(one.clone(), "a"), named(one, "a")])).unwrap();
    assert_eq!(twice.matching("a", Algorithm::Es384), Err(MatchError::Several));
}

#[test]
fn registration_says_what_is_wrong() {
    let good = es384().public().to_jwk();
    let mut private = good.clone();
    private["d"] = "AAAA".into();
    let mut unnamed = good.clone();
    unnamed.as_object_mut().unwrap().remove("kid");
    let mut encryption = good.clone();
    encryption["use"] = "enc".into();
    let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "o" });
    let error = |keys: &[Value]| Jwks::register(&set(keys)).unwrap_err();
    assert_eq!(error(&[good.clone(), private]), JwksError::Key(2, JwkError::Private));
    assert_eq!(error(&[unnamed]), JwksError::NoKid(1));
    assert_eq!(error(&[named(good.clone(), "")]), JwksError::NoKid(1));
    assert_eq!(error(&[good.clone(), good.clone()]), JwksError::SameKid(2));
    assert_eq!(error(&[]), JwksError::Empty);
    assert_eq!(error(&[okp.clone(), encryption.clone()]), JwksError::Empty);
    assert_eq!(error(&vec![okp.clone(); 101]), JwksError::TooLarge);
    assert!(error(&[json!({ "kty": "EC", "kid": "x" })]).to_string().starts_with("key 1 of the JWKS"));
    assert_eq!(Jwks::register(&set(&[okp, encryption, good.clone()])).unwrap().keys().len(), 1);
    assert_eq!(Jwks::register(good.to_string().as_bytes()).unwrap().keys().len(), 1, "a single JWK");
    for text in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(Jwks::register(text.as_bytes()), Err(JwksError::Malformed), "{text}");
    }
    assert_eq!(Jwks::parse(&vec![b' '; 256 * 1024 + 1]), Err(JwksError::TooLarge));
}

/// What we store and publish of a set never has private members.
#[test]
fn printed_sets_are_public() {
    let key = es384();
    let printed = Jwks::new(vec![key.public().clone()]).to_json();
    let members: Vec<&String> = printed["keys"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["crv", "kty", "x", "y", "use", "alg", "kid"]);
    assert_eq!(Jwks::register(printed.to_string().as_bytes()).unwrap().keys(), [key.public().clone()]);
}

proptest! {
    /// Row F67.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,100}", member in "(kty|crv|x|n|e|alg|use|kid|key_ops|keys)", value in ".{0,20}", bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Jwks::parse(text.as_bytes());
        let _ = Jwks::register(&bytes);
        let mut jwk = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "a" });
        jwk[member] = value.into();
        prop_assert!(Jwks::register(jwk.to_string().as_bytes()).is_err());
    }

    /// Arbitrary numbers never make the key checks fail other than by error.
    #[test]
    fn any_numbers(n in proptest::collection::vec(any::<u8>(), 250..260), e in proptest::collection::vec(any::<u8>(), 0..6), x in proptest::collection::vec(any::<u8>(), 48), y in proptest::collection::vec(any::<u8>(), 48)) {
        use crate::jwk::{Curve, Material};
        let _ = PublicKey::new(None, None, Material::Rsa { modulus: super::without_leading_zeros(n), exponent: e });
        let mut point = vec![4];
        point.extend(x);
        point.extend(y);
        let material = Material::Ec { curve: Curve::P384, point };
        prop_assert!(PublicKey::new(None, None, material).is_err());
    }
}
