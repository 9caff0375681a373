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
