//! FAPI 2.0: registrations and token requests.

use super::{Profile, Registration, TokenFacts, Violation as V, registration, token_request};
use crate::{
    client_authentication::Method,
    jwk::Jwks,
    jws::Algorithm,
    redirect_uri::{ApplicationType, RedirectUri},
    sign::PrivateKey,
};

fn uris(texts: &[&str]) -> Vec<RedirectUri> {
    texts.iter().map(|text| RedirectUri::register(text, ApplicationType::Native).unwrap()).collect()
}

#[test]
fn registrations() {
    let https = uris(&["https://app.example/cb"]);
    let good = Registration {
        method: Method::PrivateKeyJwt,
        redirect_uris: &https,
        binds_by_dpop: true,
        binds_by_certificate: false,
        keys: None,
    };
    assert_eq!(registration(&good), []);
    let certificate =
        Registration { method: Method::TlsClientAuth, binds_by_dpop: false, binds_by_certificate: true, ..good };
    assert_eq!(registration(&certificate), []);
    for method in [Method::None, Method::ClientSecretBasic, Method::ClientSecretPost] {
        assert_eq!(registration(&Registration { method, ..good }), [V::Authentication]);
    }
    let loopback = uris(&["https://app.example/cb", "http://127.0.0.1/cb"]);
    let bad = Registration { redirect_uris: &loopback, binds_by_dpop: false, ..good };
    assert_eq!(registration(&bad), [V::RedirectUri, V::UnboundTokens]);
    let keys = |algorithm| Jwks::new(vec![PrivateKey::generate(algorithm).unwrap().public().clone()]);
    for (algorithm, broken) in [(Algorithm::Es256, &[][..]), (Algorithm::Es384, &[V::Keys])] {
        let keys = keys(algorithm);
        assert_eq!(registration(&Registration { keys: Some(&keys), ..good }), broken, "{algorithm}");
    }
}

#[test]
fn token_requests() {
    let issuer = "https://care.example";
    let good = TokenFacts {
        assertion_algorithm: Some(Algorithm::Ps256),
        assertion_audience: Some(issuer),
        dpop_algorithm: Some(Algorithm::Es256),
        certificate: false,
        pushed: Some(true),
    };
    assert_eq!(token_request(&good, issuer), Ok(()));
    let by_certificate = TokenFacts {
        assertion_algorithm: None,
        assertion_audience: None,
        dpop_algorithm: None,
        certificate: true,
        pushed: None,
    };
    assert_eq!(token_request(&by_certificate, issuer), Ok(()));
    let bad = [
        (TokenFacts { assertion_algorithm: Some(Algorithm::Rs256), ..good }, V::Algorithm),
        (TokenFacts { dpop_algorithm: Some(Algorithm::Es384), ..good }, V::Algorithm),
        (TokenFacts { assertion_algorithm: None, ..good }, V::Authentication),
        (TokenFacts { assertion_audience: Some("https://care.example/oauth/token"), ..good }, V::Audience),
        (TokenFacts { assertion_audience: None, ..good }, V::Audience),
        (TokenFacts { dpop_algorithm: None, ..good }, V::UnboundTokens),
        (TokenFacts { pushed: Some(false), ..good }, V::NotPushed),
    ];
    for (facts, why) in bad {
        assert_eq!(token_request(&facts, issuer), Err(why));
    }
}

#[test]
fn profiles_have_names() {
    for profile in [Profile::Smart, Profile::Fapi2] {
        assert_eq!(Profile::parse(profile.as_str()), Some(profile));
    }
    assert_eq!(Profile::parse("FAPI2"), None);
    assert!(Profile::Smart.allows(Algorithm::Rs384) && !Profile::Fapi2.allows(Algorithm::Rs384));
    assert!(Profile::Fapi2.requires_pushed() && Profile::Fapi2.requires_bound_tokens());
    assert!(!Profile::Smart.requires_pushed() && !Profile::Smart.requires_bound_tokens());
}
