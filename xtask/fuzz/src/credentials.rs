//! Client credentials in a request to the token endpoint (RFC 6749 section 2.3; rows A7, B12, C8): never two at once, and
//! none of them passes for what its client is not registered for.

use oauth::{
    client_authentication::{Credentials, Method},
    form::Form,
    token_request::{Asked, AskedError},
};

/// The first line is the Authorization header, when it is not empty; the rest is the form.
pub fn credentials(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, body) = bytes.split_at(at);
    let header = std::str::from_utf8(header).ok().filter(|header| !header.is_empty());
    let Ok(form) = Form::parse(body.strip_prefix(b"\n").unwrap_or(body)) else { return };
    if let Err(why) = Asked::from_form(&form, "https://care.example/fhir") {
        assert!(!why.code().as_str().is_empty());
        assert!(why != AskedError::Missing("grant_type") || form.value("grant_type").is_none());
    }
    let Ok(shown) = Credentials::read(header, &form) else { return };
    let has = |name: &str| form.value(name).is_some();
    let assertion = has("client_assertion") || has("client_assertion_type");
    match &shown {
        Credentials::Named { client_id } => {
            assert!(header.is_none() && !has("client_secret") && !assertion);
            assert_eq!(form.value("client_id"), Some(client_id.as_str()));
        }
        Credentials::Secret { client_id, secret, is_basic } => {
            assert_eq!((header.is_some(), has("client_secret")), (*is_basic, !is_basic));
            assert!(!assertion && !client_id.is_empty() && !secret.expose().is_empty());
            assert!(form.value("client_id").is_none_or(|named| named == client_id));
            assert!(secret.is(secret.expose().as_bytes()));
        }
        Credentials::Assertion { assertion, client_id } => {
            assert!(header.is_none() && !has("client_secret"));
            assert_eq!(form.value("client_assertion"), Some(assertion.expose()));
            assert_eq!(form.value("client_id"), client_id.as_deref());
        }
    }
    let accepting: Vec<Method> = Method::ALL.into_iter().filter(|method| method.accepts(&shown, false)).collect();
    let proves = !matches!(shown, Credentials::Named { .. });
    assert!(accepting.iter().all(|method| method.is_confidential() == proves), "{accepting:?}");
}
