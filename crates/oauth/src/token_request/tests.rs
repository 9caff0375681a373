//! Token requests, good and malformed. Rows B48, B57, C1, C8, C12.

use super::{Asked, AskedError as E};
use crate::form::Form;

fn read(form: &str) -> Result<Asked, E> {
    Asked::from_form(&Form::parse(form.as_bytes()).unwrap(), "https://care.example/fhir")
}

#[test]
fn each_grant() {
    let code = read("grant_type=authorization_code&code=c&redirect_uri=https://a/b&code_verifier=v").unwrap();
    assert!(matches!(code, Asked::AuthorizationCode { redirect_uri: Some(_), verifier: Some(_), .. }));
    let bare = read("grant_type=authorization_code&code=c").unwrap();
    assert!(matches!(bare, Asked::AuthorizationCode { redirect_uri: None, verifier: None, .. }));
    let refresh = read("grant_type=refresh_token&refresh_token=r&scope=a%20b").unwrap();
    assert!(matches!(refresh, Asked::RefreshToken { scope: Some(scope), .. } if scope == "a b"));
    let system = read("grant_type=client_credentials&aud=https://care.example/fhir").unwrap();
    assert!(matches!(system, Asked::ClientCredentials { scope: None }));
}

/// Rows C8, C12: the grant type is named before anything else is looked at.
#[test]
fn what_is_missing_is_named() {
    let long = format!("grant_type=authorization_code&code={}", "c".repeat(257));
    let table = [
        ("", E::Missing("grant_type")),
        ("grant_type=", E::Missing("grant_type")),
        ("grant_type=not_a_grant_type", E::GrantType),
        ("grant_type=Client_Credentials", E::GrantType),
        ("grant_type=authorization_code", E::Missing("code")),
        ("grant_type=authorization_code&code=", E::Missing("code")),
        ("grant_type=refresh_token", E::Missing("refresh_token")),
        (&long, E::Grant),
        ("grant_type=password&username=a&password=b", E::GrantType),
        ("grant_type=implicit", E::GrantType),
        ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer", E::GrantType),
        ("grant_type=client_credentials&resource=https://evil.example", E::Target),
    ];
    for (form, why) in table {
        assert_eq!(read(form).err(), Some(why), "{form}");
        assert!(!why.code().as_str().is_empty());
    }
}
