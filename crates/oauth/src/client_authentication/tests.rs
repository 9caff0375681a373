//! Client credentials, good and mixed up. Rows A7, B12, C1, C8.

use super::{Credentials, CredentialsError as E, Method};
use crate::{client_assertion, form::Form};
use base64::{Engine as _, engine::general_purpose::STANDARD};

fn read(authorization: Option<&str>, form: &str) -> Result<Credentials, E> {
    Credentials::read(authorization, &Form::parse(form.as_bytes()).unwrap())
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}

fn error(authorization: Option<&str>, form: &str) -> E {
    read(authorization, form).err().unwrap_or_else(|| panic!("{authorization:?} {form} was taken"))
}

#[test]
fn each_way() {
    assert!(matches!(read(None, "client_id=a"), Ok(Credentials::Named { client_id }) if client_id == "a"));
    for header in [basic("a:s%3As+x"), basic("a:s%3As%20x").replace("Basic ", "bAsIc  ")] {
        let Ok(Credentials::Secret { client_id, secret, is_basic: true }) = read(Some(&header), "client_id=a") else {
            panic!("{header}")
        };
        assert_eq!((client_id.as_str(), secret.expose()), ("a", "s:s x"), "B12: both are form-encoded");
    }
    let Ok(Credentials::Secret { secret, is_basic: false, .. }) = read(None, "client_id=a&client_secret=s") else {
        panic!("a secret in the form")
    };
    assert!(secret.is(b"s") && !secret.is(b"t") && !secret.is(b"ss") && !secret.is(b""));
    let form = format!("client_assertion_type={}&client_assertion=x.y.z", client_assertion::TYPE);
    assert!(matches!(read(None, &form), Ok(Credentials::Assertion { client_id: None, .. })));
    let with_name = read(None, &format!("{form}&client_id=a")).unwrap();
    assert_eq!(with_name.client_id(), Some("a"));
}

/// RFC 6749 section 2.3: exactly one way.
#[test]
fn exactly_one() {
    let assertion = format!("client_assertion_type={}&client_assertion=x.y.z", client_assertion::TYPE);
    let header = basic("a:s");
    assert_eq!(error(Some(&header), "client_secret=s"), E::Several);
    assert_eq!(error(Some(&header), &assertion), E::Several);
    assert_eq!(error(Some(&header), "client_assertion=x"), E::Several);
    assert_eq!(error(None, &format!("{assertion}&client_secret=s")), E::Several);
    assert_eq!(error(Some("Bearer x"), "client_id=a&client_secret=s"), E::Several);
    assert_eq!(error(None, ""), E::Missing);
    assert_eq!(error(None, "client_secret=s"), E::Missing);
    assert_eq!(error(None, "client_id="), E::Missing);
    assert_eq!(error(Some(&header), "client_id=b"), E::OtherClientId);
}

/// Row C8.
#[test]
fn malformed() {
    for header in [
        "",
        "Basic",
        "Basic ",
        "Basic ???",
        "Bearer YTpz",
        &basic("a"),
        &basic(":s"),
        &basic("a:"),
        &basic("a:%zz"),
        &format!("Basic {}", STANDARD.encode([0xff, b':', b'a'])),
        &basic(&format!("a:{}", "s".repeat(5000))),
    ] {
        assert_eq!(error(Some(header), ""), E::Basic, "{header}");
    }
    assert_eq!(error(None, "client_id=a&client_assertion=x"), E::AssertionType);
    assert_eq!(error(None, "client_id=a&client_assertion_type=x&client_assertion=x"), E::AssertionType);
    let only_type = format!("client_id=a&client_assertion_type={}", client_assertion::TYPE);
    assert_eq!(error(None, &only_type), E::AssertionType);
}

/// A client proves itself in the way that it is registered for, and in no other: none of them passes as a public one.
#[test]
fn the_registered_way_only() {
    let assertion = format!("client_assertion_type={}&client_assertion=x.y.z", client_assertion::TYPE);
    let shown = [
        ("named", read(None, "client_id=a").unwrap(), false),
        ("certificate", read(None, "client_id=a").unwrap(), true),
        ("secret", read(None, "client_id=a&client_secret=s").unwrap(), false),
        ("basic", read(Some(&basic("a:s")), "").unwrap(), false),
        ("assertion", read(None, &assertion).unwrap(), false),
    ];
    let table: [(Method, &[&str]); 6] = [
        (Method::None, &["named", "certificate"]),
        (Method::ClientSecretBasic, &["secret", "basic"]),
        (Method::ClientSecretPost, &["secret", "basic"]),
        (Method::PrivateKeyJwt, &["assertion"]),
        (Method::TlsClientAuth, &["certificate"]),
        (Method::SelfSignedTlsClientAuth, &["certificate"]),
    ];
    for (method, accepted) in table {
        for (name, credentials, certificate) in &shown {
            assert_eq!(method.accepts(credentials, *certificate), accepted.contains(name), "{method:?} {name}");
        }
        assert_eq!(Method::parse(method.as_str()), Some(method));
    }
    assert_eq!(Method::parse("client_secret_jwt"), None);
    assert!(Method::ALL.iter().all(|method| method.is_confidential() == (*method != Method::None)));
}
