//! Token requests, good and malformed. Rows C1, C8, C12.

use super::TokenRequest;
use crate::{error::ErrorCode, form::Form};

const TYPE: &str = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn error(body: &str) -> Option<ErrorCode> {
    TokenRequest::from_form(&Form::parse(body.as_bytes()).unwrap()).err()
}

/// Rows C1, C8, C12: the grant type is named before anything else is looked at.
#[test]
fn what_is_missing_is_named() {
    use ErrorCode as E;
    let good = format!("grant_type=client_credentials&{TYPE}&client_assertion=a&scope=s&client_id=c");
    let request = TokenRequest::from_form(&Form::parse(good.as_bytes()).unwrap()).ok().unwrap();
    assert_eq!(request.scope.as_deref(), Some("s"));
    assert_eq!((request.credentials.assertion.as_str(), request.credentials.client_id.as_deref()), ("a", Some("c")));
    let table = [
        (String::new(), E::InvalidRequest),
        ("grant_type=".into(), E::InvalidRequest),
        ("grant_type=not_a_grant_type".into(), E::UnsupportedGrantType),
        ("grant_type=authorization_code&code=a".into(), E::UnsupportedGrantType),
        ("grant_type=Client_Credentials".into(), E::UnsupportedGrantType),
        ("grant_type=client_credentials".into(), E::InvalidClient),
        ("grant_type=client_credentials&client_assertion=a".into(), E::InvalidClient),
        (
            "grant_type=client_credentials&client_assertion_type=not_an_assertion_type&client_assertion=a".into(),
            E::InvalidClient,
        ),
        (format!("grant_type=client_credentials&{TYPE}"), E::InvalidClient),
        ("grant_type=client_credentials&client_id=a&client_secret=b".into(), E::InvalidClient),
        (format!("grant_type=client_credentials&{TYPE}&client_assertion=a&client_secret=b"), E::InvalidRequest),
    ];
    for (body, expected) in table {
        assert_eq!(error(&body), Some(expected), "{body}");
    }
}

mod asked {
    //! Rows B48, B57, C8, C12: what is asked for, whoever asks.

    use crate::{
        form::Form,
        token_request::{Asked, AskedError as E},
    };

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

    #[test]
    fn refused() {
        let long = format!("grant_type=authorization_code&code={}", "c".repeat(257));
        let table = [
            ("", E::Missing("grant_type")),
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
}
