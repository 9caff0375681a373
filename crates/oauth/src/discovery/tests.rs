//! Discovery documents as a client reads them. Rows A8, B2 to B8, B10.

use super::{
    Endpoints, Feature as F, GrantType, MtlsHost, Offer, authorization_server, scopes_supported, smart_configuration,
};
use crate::{client_authentication::Method, granular, scope::ScopeContext};
use serde_json::{Value, json};

/// A server for systems alone.
pub(crate) fn systems() -> Offer {
    Offer {
        endpoints: Endpoints::of_fhir_base("https://care.example/fhir").unwrap(),
        grants: vec![GrantType::ClientCredentials],
        methods: vec![Method::PrivateKeyJwt],
        features: vec![F::ScopesV1, F::ScopesV2],
        scopes: scopes_supported(&[], &[ScopeContext::System], |_| true),
        languages: vec![],
        brand_identifier: None,
        mtls: None,
    }
}

/// All that issue 5 speaks of.
pub(crate) fn whole() -> Offer {
    let specials = [
        "openid",
        "fhirUser",
        "profile",
        "launch",
        "launch/patient",
        "launch/encounter",
        "offline_access",
        "online_access",
    ];
    let contexts = [ScopeContext::Patient, ScopeContext::User, ScopeContext::System];
    Offer {
        grants: GrantType::ALL.to_vec(),
        methods: Method::ALL.to_vec(),
        features: vec![
            F::EhrLaunch,
            F::StandaloneLaunch,
            F::AuthorizePost,
            F::OpenIdConnect,
            F::ContextBanner,
            F::ContextStyle,
            F::EhrPatient,
            F::EhrEncounter,
            F::StandalonePatient,
            F::StandaloneEncounter,
            F::OfflineAccess,
            F::OnlineAccess,
            F::PatientScopes,
            F::UserScopes,
            F::ScopesV1,
            F::ScopesV2,
            F::PushedRequests,
            F::Registration,
            F::Management,
            F::Brands,
            F::UserInfo,
            F::Dpop,
            F::CertificateBoundTokens,
        ],
        scopes: scopes_supported(&specials, &contexts, |_| true),
        languages: vec!["en", "es"],
        brand_identifier: Some(("urn:ietf:rfc:3986".into(), "https://care.example".into())),
        mtls: Some(MtlsHost { base: "https://mtls.care.example".into() }),
        ..systems()
    }
}

fn list(document: &Value, name: &str) -> Vec<String> {
    let values = document[name].as_array().unwrap_or_else(|| panic!("{name}"));
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// Row A24: endpoints come from the configured base, whatever path stands before `/fhir`.
#[test]
fn endpoints_of_the_base() {
    let endpoints = Endpoints::of_fhir_base("https://care.example:8443/a/fhir").unwrap();
    assert_eq!(endpoints.issuer, "https://care.example:8443/a");
    assert_eq!(endpoints.token, "https://care.example:8443/a/oauth/token");
    assert_eq!(endpoints.management, "https://care.example:8443/a/account/apps");
    for base in [
        "http://care.example/fhir",
        "https://care.example",
        "https://care.example/fhir/",
        "https:///fhir",
        "https://a@b/fhir",
        "https://a?b/fhir",
        "",
    ] {
        assert!(Endpoints::of_fhir_base(base).is_none(), "{base}");
    }
}

/// Rows B2, B3, B6: what a conformance suite reads off a server for systems, and that nothing else is claimed.
#[test]
fn documents_of_a_server_for_systems() {
    let offer = systems();
    assert_eq!(offer.contradictions(), [""; 0]);
    let document = smart_configuration(&offer);
    for name in ["token_endpoint", "introspection_endpoint", "revocation_endpoint"] {
        assert!(document[name].as_str().unwrap().starts_with("https://care.example/oauth/"), "{name}");
    }
    assert_eq!(list(&document, "grant_types_supported"), ["client_credentials"]);
    assert_eq!(list(&document, "code_challenge_methods_supported"), ["S256"]);
    assert_eq!(list(&document, "token_endpoint_auth_methods_supported"), ["private_key_jwt"]);
    let algorithms = list(&document, "token_endpoint_auth_signing_alg_values_supported");
    assert!(algorithms.contains(&"RS384".into()) && algorithms.contains(&"ES384".into()));
    assert!(!algorithms.iter().any(|alg| alg == "none" || alg.starts_with("HS")));
    assert_eq!(list(&document, "capabilities"), ["client-confidential-asymmetric", "permission-v1", "permission-v2"]);
    for name in [
        "issuer",
        "jwks_uri",
        "authorization_endpoint",
        "registration_endpoint",
        "management_endpoint",
        "user_access_brand_bundle",
        "response_types_supported",
    ] {
        assert!(document.get(name).is_none(), "{name} is not built");
    }
    let document = authorization_server(&offer);
    assert_eq!(document["issuer"], "https://care.example");
    assert_eq!(document["response_types_supported"], json!([]));
    assert_eq!(document["jwks_uri"], "https://care.example/oauth/jwks");
    assert!(document.get("dpop_signing_alg_values_supported").is_none());
    assert!(document.get("tls_client_certificate_bound_access_tokens").is_none());
}

/// Rows B2 to B8: the whole, as the (g)(10) tests look at it.
#[test]
fn documents_of_the_whole() {
    let offer = whole();
    assert_eq!(offer.contradictions(), [""; 0]);
    let document = smart_configuration(&offer);
    assert_eq!(document["issuer"], "https://care.example");
    assert_eq!(document["authorization_endpoint"], "https://care.example/oauth/authorize");
    assert_eq!(list(&document, "grant_types_supported"), ["authorization_code", "refresh_token", "client_credentials"]);
    let capabilities = list(&document, "capabilities");
    for capability in [
        // Row B7: standalone, EHR, and what US Core adds.
        "launch-standalone",
        "client-public",
        "client-confidential-symmetric",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-standalone-patient",
        "permission-offline",
        "permission-patient",
        "authorize-post",
        "permission-v2",
        "permission-v1",
        "launch-ehr",
        "context-banner",
        "context-style",
        "context-ehr-patient",
        "permission-user",
        "context-ehr-encounter",
        "permission-online",
        "context-standalone-encounter",
    ] {
        assert!(capabilities.contains(&capability.to_owned()), "{capability}");
    }
    assert!(!capabilities.contains(&"smart-app-state".to_owned()));
    assert_eq!(document["user_access_brand_identifier"]["value"], "https://care.example");
    let mut names: Vec<(&String, &Value)> = document.as_object().unwrap().iter().collect();
    names.retain(|(name, _)| name.ends_with("_endpoint") || name.ends_with("_bundle") || name.ends_with("_uri"));
    assert_eq!(names.len(), 8);
    assert!(names.iter().all(|(_, url)| url.as_str().unwrap().starts_with("https://")), "B2: absolute");
}

/// RFC 8414 with RFC 8705, 9126, 9207 and 9449; row A8.
#[test]
fn the_authorization_server() {
    let document = authorization_server(&whole());
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["pushed_authorization_request_endpoint"], "https://care.example/oauth/par");
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    assert_eq!(document["mtls_endpoint_aliases"]["token_endpoint"], "https://mtls.care.example/oauth/token");
    assert_eq!(list(&document, "response_types_supported"), ["code"]);
    assert_eq!(list(&document, "code_challenge_methods_supported"), ["S256"]);
    assert!(list(&document, "dpop_signing_alg_values_supported").contains(&"ES256".into()));
    assert!(!list(&document, "introspection_endpoint_auth_methods_supported").contains(&"none".into()), "B69");
    assert!(list(&document, "token_endpoint_auth_methods_supported").contains(&"tls_client_auth".into()));
}

/// Row B4: each claim that needs another one is found when that is missing.
#[test]
fn a_claim_that_cannot_work_is_found() {
    let without = |feature: F| {
        let mut offer = whole();
        offer.features.retain(|other| *other != feature);
        offer.contradictions()
    };
    for feature in [
        F::EhrLaunch,
        F::StandaloneLaunch,
        F::OpenIdConnect,
        F::StandalonePatient,
        F::StandaloneEncounter,
        F::OfflineAccess,
        F::OnlineAccess,
        F::PatientScopes,
        F::UserScopes,
        F::Brands,
        F::CertificateBoundTokens,
    ] {
        assert!(!without(feature).is_empty(), "{feature:?}");
    }
    for feature in [F::AuthorizePost, F::Dpop, F::PushedRequests, F::Management, F::ContextStyle, F::UserInfo] {
        assert_eq!(without(feature), [""; 0], "{feature:?}");
    }
    let no_codes = Offer { grants: vec![GrantType::ClientCredentials], ..whole() };
    assert!(no_codes.contradictions().len() >= 5);
    let by_secret = Offer { methods: vec![Method::ClientSecretBasic], ..systems() };
    assert_eq!(by_secret.contradictions().len(), 1, "B12: no secrets for systems");
}

/// Rows B4, B35, B37, E2: all that US Core demands, in each context; and nothing that cannot be enforced.
#[test]
fn scopes() {
    let scopes = whole().scopes;
    for context in ["patient", "user", "system"] {
        for name in granular::RESOURCE_TYPES {
            assert!(scopes.contains(&format!("{context}/{name}.rs")), "{context} {name}");
        }
        let granular =
            scopes.iter().filter(|text| text.starts_with(&format!("{context}/")) && text.contains("?category="));
        assert_eq!(granular.count(), 9);
    }
    let none_granular = scopes_supported(&["openid"], &[ScopeContext::User], |scope| scope.query.is_empty());
    assert_eq!(none_granular.len(), 1 + 5 + 26);
}
