//! Private keys: what they sign, their public half verifies.

use super::{KeyError, PrivateKey};
use crate::{
    jwk::Jwks,
    jws::{Algorithm, Compact},
};
use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn verifies(signer: &PrivateKey, public: &PrivateKey) -> bool {
    let text = signer.jwt(&json!({})).unwrap();
    Compact::parse(&text).unwrap().verify(public.public()).is_ok()
}

/// A key written to a file and read again is the same key, with its name and algorithm.
#[test]
fn private_jwk_round_trips() {
    for algorithm in Algorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let text = key.to_private_jwk().unwrap();
        for text in [text.clone(), format!("{{\"keys\":[{text}]}}\n")] {
            let again = PrivateKey::parse(&text, None).unwrap();
            assert_eq!((again.kid(), again.algorithm()), (key.kid(), algorithm));
            assert_eq!(again.public(), key.public());
            assert!(verifies(&again, &key), "{algorithm}");
        }
        // What a client must not register by mistake.
        assert!(Jwks::register(text.as_bytes()).is_err());
    }
}

#[test]
fn pem_is_read() {
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let key = PrivateKey::parse(&pem("PRIVATE KEY", ec.to_pkcs8v1().unwrap().as_ref()), None).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Es256);
    assert_eq!(key.kid(), key.public().thumbprint());
    let sec1 = AsDer::<aws_lc_rs::encoding::EcPrivateKeyRfc5915Der>::as_der(&ec.private_key()).unwrap();
    let with_parameters = format!("{}{}", pem("EC PARAMETERS", &[6, 1, 0]), pem("EC PRIVATE KEY", sec1.as_ref()));
    assert!(verifies(&PrivateKey::parse(&with_parameters, None).unwrap(), &key));

    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = rsa.as_der().unwrap();
    let text = pem("PRIVATE KEY", pkcs8.as_ref());
    let key = PrivateKey::parse(&text, None).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Rs384);
    let other = PrivateKey::parse(&text, Some(Algorithm::Rs256)).unwrap();
    assert_eq!((other.algorithm(), other.kid()), (Algorithm::Rs256, key.kid()));
    assert_eq!(PrivateKey::parse(&text, Some(Algorithm::Es384)).unwrap().algorithm(), Algorithm::Rs384);
    assert!(verifies(&key, &key));
}

#[test]
fn what_is_no_key_is_named() {
    let der = [0x30, 0];
    let table = [
        (String::new(), KeyError::Format),
        ("hello".into(), KeyError::Format),
        ("{".into(), KeyError::Format),
        ("{}".into(), KeyError::Malformed("d")),
        (r#"{"keys":[]}"#.into(), KeyError::Several),
        (pem("CERTIFICATE", &der), KeyError::PemKind),
        (pem("ENCRYPTED PRIVATE KEY", &der), KeyError::PemKind),
        (pem("PUBLIC KEY", &der), KeyError::PemKind),
        (pem("PRIVATE KEY", &der), KeyError::Unsupported),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----".into(),
            KeyError::PemKind,
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA".into(), KeyError::Format),
    ];
    for (text, expected) in table {
        assert_eq!(PrivateKey::parse(&text, None).err(), Some(expected), "{text}");
    }
    let jwk: Value =
        serde_json::from_str(&PrivateKey::generate(Algorithm::Rs256).unwrap().to_private_jwk().unwrap()).unwrap();
    let mut lacking = jwk.clone();
    lacking.as_object_mut().unwrap().remove("qi");
    assert_eq!(PrivateKey::parse(&lacking.to_string(), None).err(), Some(KeyError::Malformed("qi")));
    let mut wrong = jwk.clone();
    wrong["p"] = jwk["q"].clone();
    assert_eq!(PrivateKey::parse(&wrong.to_string(), None).err(), Some(KeyError::Failed));
    let (one, two) = (PrivateKey::generate(Algorithm::Es384).unwrap(), PrivateKey::generate(Algorithm::Es384).unwrap());
    let mut mixed: Value = serde_json::from_str(&one.to_private_jwk().unwrap()).unwrap();
    let other: Value = serde_json::from_str(&two.to_private_jwk().unwrap()).unwrap();
    mixed["d"] = other["d"].clone();
    assert_eq!(PrivateKey::parse(&mixed.to_string(), None).err(), Some(KeyError::Failed));
}
