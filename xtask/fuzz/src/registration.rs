//! Registrations of clients (RFC 7591; rows B11 to B14, F61): what is taken keeps the rules, and what is answered
//! registers the same again.

use oauth::{
    client_authentication::Method,
    client_metadata::{ClientMetadata, Issued, RegisteredKeys, answer},
    discovery::GrantType,
    redirect_uri::ApplicationType,
};
use serde_json::Value;

/// JSON, or nearly.
pub fn registration(bytes: &[u8]) {
    if let Err(why) = ClientMetadata::read_update(bytes, "own") {
        assert!(!why.to_string().is_empty());
    }
    let Ok(metadata) = ClientMetadata::read(bytes) else { return };
    assert!(!metadata.name.is_empty() && metadata.name.len() <= 200 && !metadata.name.chars().any(char::is_control));
    let is_for_people = metadata.grants.contains(&GrantType::AuthorizationCode);
    assert_eq!(is_for_people, !metadata.grants.contains(&GrantType::ClientCredentials));
    assert_eq!(is_for_people, !metadata.redirect_uris.is_empty());
    assert!(is_for_people || (metadata.method.is_confidential() && !metadata.method.has_secret()), "B12");
    for uri in &metadata.redirect_uris {
        let text = uri.as_str();
        let scheme = text.split(':').next().unwrap_or_default();
        let is_fine = scheme == "https"
            || (scheme == "http" && uri.origin().is_some_and(|origin| is_loopback(&origin)))
            || (metadata.application == ApplicationType::Native && scheme.contains('.'));
        assert!(is_fine && !text.contains(['#', '*', '\\', '@']) && text.is_ascii(), "{text}");
    }
    let needs_keys = matches!(metadata.method, Method::PrivateKeyJwt | Method::SelfSignedTlsClientAuth);
    assert_eq!(needs_keys, metadata.keys != RegisteredKeys::None);
    assert_eq!(metadata.method == Method::TlsClientAuth, metadata.subject.is_some());
    for url in [&metadata.logo, &metadata.website, &metadata.policy, &metadata.terms].into_iter().flatten() {
        assert!(url.starts_with("https://") && url.bytes().all(|byte| byte.is_ascii_graphic()), "{url}");
        assert!(!url.contains(['"', '<', '>', '#']), "{url}");
    }
    let scope = metadata.scope.clone().unwrap_or_default();
    let issued = Issued { client_id: "own", issued_at_s: 1, secret: None, scope: &scope, management: None };
    let told: Value = answer(&metadata, &issued);
    let again = ClientMetadata::read(told.to_string().as_bytes());
    // An algorithm of assertions is told only to those who make them.
    let expected = ClientMetadata {
        assertion_algorithm: metadata.assertion_algorithm.filter(|_| metadata.method == Method::PrivateKeyJwt),
        application: if is_for_people { metadata.application } else { ApplicationType::Web },
        ..metadata
    };
    assert_eq!(again.as_ref(), Ok(&expected), "{told}");
}

fn is_loopback(origin: &str) -> bool {
    let host = origin.trim_start_matches("http://");
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}
