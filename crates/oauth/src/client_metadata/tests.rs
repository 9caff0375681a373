//! Registrations, good and attacked. Rows A7, B11 to B14, F61.

use super::{ClientMetadata, Issued, RegisteredKeys, answer};
use crate::{
    client_authentication::Method, discovery::GrantType, error::ErrorCode as E, fapi2::Profile, jws::Algorithm,
    secret::Secret, sign::PrivateKey,
};
use serde_json::{Value, json};
use std::sync::LazyLock;

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());

fn app() -> Value {
    json!({ "client_name": "Walks", "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none" })
}

fn jwks() -> Value {
    json!({ "keys": [KEY.public().to_jwk()] })
}

fn system() -> Value {
    json!({
        "client_name": "Bulk", "grant_types": ["client_credentials"], "scope": "system/*.rs",
        "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(),
    })
}

fn read(value: &Value) -> Result<ClientMetadata, E> {
    ClientMetadata::read(value.to_string().as_bytes()).map_err(|why| {
        assert!(!why.to_string().is_empty());
        why.code
    })
}

/// The app's registration with some members set.
fn with(members: Value) -> Result<ClientMetadata, E> {
    let mut value = app();
    value.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    read(&value)
}

#[test]
fn apps_and_systems() {
    let metadata = read(&app()).unwrap();
    assert_eq!((metadata.method, metadata.grants), (Method::None, vec![GrantType::AuthorizationCode]));
    let default = with(json!({ "token_endpoint_auth_method": null })).unwrap();
    assert_eq!(default.method, Method::ClientSecretBasic, "RFC 7591: absent means Basic");
    let metadata = read(&system()).unwrap();
    assert!(metadata.redirect_uris.is_empty() && matches!(metadata.keys, RegisteredKeys::Inline(_)));
    let url = with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://app.example/jwks" }));
    assert_eq!(url.unwrap().keys, RegisteredKeys::Url("https://app.example/jwks".into()), "B13");
    let native = with(json!({ "application_type": "native", "redirect_uris": ["com.example.app:/cb"] })).unwrap();
    assert!(native.redirect_uris[0].is_private_use());
    // Keys of a client that does not use them are not kept.
    assert_eq!(with(json!({ "jwks": jwks() })).unwrap().keys, RegisteredKeys::None);
}

/// Row B11 and RFC 7591 section 3.2.2.
#[test]
fn redirect_uris() {
    for uris in [
        json!([]),
        json!(null),
        json!(["https://app.example/*"]),
        json!(["https://app.example/cb#x"]),
        json!(["http://app.example/cb"]),
        json!(["com.example.app:/cb"]),
        json!(["javascript:alert(1)"]),
        json!(["https://app.example/cb", "https://app.example/../x"]),
    ] {
        assert_eq!(with(json!({ "redirect_uris": uris })), Err(E::InvalidRedirectUri), "{uris}");
    }
    let mut value = system();
    value["redirect_uris"] = json!(["https://app.example/cb"]);
    assert_eq!(read(&value), Err(E::InvalidRedirectUri));
}

#[test]
fn what_is_refused() {
    let long_list: Vec<String> = (0..101).map(|n| format!("https://app.example/{n}")).collect();
    for members in [
        json!({ "client_name": null }),
        json!({ "client_name": " " }),
        json!({ "client_name": "a\nb" }),
        json!({ "client_name": "safe\u{202e}gnp" }),
        json!({ "client_name": "zero\u{200b}width" }),
        json!({ "client_name": "n".repeat(201) }),
        json!({ "client_name": 7 }),
        json!({ "redirect_uris": "https://app.example/cb" }),
        json!({ "redirect_uris": [7] }),
        json!({ "redirect_uris": long_list }),
        json!({ "grant_types": ["implicit"] }),
        json!({ "grant_types": ["password"] }),
        json!({ "grant_types": [] }),
        json!({ "grant_types": ["refresh_token"] }),
        json!({ "grant_types": ["authorization_code", "client_credentials"] }),
        json!({ "response_types": ["token"] }),
        json!({ "response_types": ["code", "token"] }),
        json!({ "response_types": [] }),
        json!({ "token_endpoint_auth_method": "client_secret_jwt" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(), "jwks_uri": "https://a.example" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://a.example" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [] } }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": "x" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(), "token_endpoint_auth_signing_alg": "none" }),
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(), "token_endpoint_auth_signing_alg": "HS256" }),
        json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": jwks() }),
        json!({ "token_endpoint_auth_method": "tls_client_auth" }),
        json!({ "tls_client_auth_san_dns": "a.example" }),
        json!({ "id_token_signed_response_alg": "none" }),
        json!({ "id_token_signed_response_alg": "HS256" }),
        json!({ "application_type": "desktop" }),
        json!({ "initiate_login_uri": "javascript:alert(1)" }),
        json!({ "logo_uri": "http://app.example/logo.png" }),
        json!({ "logo_uri": "data:image/svg+xml,<svg onload=alert(1)>" }),
        json!({ "client_uri": "javascript:alert(1)" }),
        json!({ "contacts": [""] }),
        json!({ "dpop_bound_access_tokens": "true" }),
        json!({ "dpop_bound_access_tokens": true, "tls_client_certificate_bound_access_tokens": true }),
        json!({ "handrail_profile": "fapi1" }),
        json!({ "scope": "s".repeat(40_000) }),
    ] {
        assert_eq!(with(members.clone()), Err(E::InvalidClientMetadata), "{members}");
    }
    assert_eq!(with(json!({ "software_statement": "eyJ" })), Err(E::InvalidSoftwareStatement));
    for text in ["", "[]", "{", "{\"client_name\":\"a\",\"client_name\":\"b\"}"] {
        assert!(ClientMetadata::read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(ClientMetadata::read(&vec![b' '; 600_000]).is_err());
    let mut private = system();
    private["jwks"] = json!({ "keys": [serde_json::from_str::<Value>(&KEY.to_private_jwk().unwrap()).unwrap()] });
    assert_eq!(read(&private), Err(E::InvalidClientMetadata), "a private key");
}

/// Row B12: no secret, and no nothing, for a system.
#[test]
fn systems_prove_themselves_by_a_key() {
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        let mut value = system();
        value["token_endpoint_auth_method"] = method.into();
        assert_eq!(read(&value), Err(E::InvalidClientMetadata), "{method}");
    }
}

/// Row F61: members that nobody may set of themselves mean nothing.
#[test]
fn mass_assignment() {
    let trusting = with(json!({
        "client_id": "operator", "client_secret": "known", "introspects_any": true, "verified": true,
        "verified_by_facility": true, "disabled": false, "id": "x", "role": "administrator", "__proto__": { "a": 1 },
    }));
    assert_eq!(trusting, read(&app()));
}

/// Row A7.
#[test]
fn certificates() {
    let tls = |members: Value| {
        let mut value = json!({ "token_endpoint_auth_method": "tls_client_auth" });
        value.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        with(value)
    };
    let metadata = tls(json!({ "tls_client_auth_subject_dn": "CN=app,O=Example" })).unwrap();
    assert!(metadata.subject.is_some());
    let two = json!({ "tls_client_auth_san_dns": "a.example", "tls_client_auth_san_ip": "192.0.2.1" });
    assert_eq!(tls(two), Err(E::InvalidClientMetadata), "exactly one");
    let own = json!({ "keys": [{ "kty": "EC", "x5c": ["TUlJ"] }] });
    let metadata = with(json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": own })).unwrap();
    assert!(matches!(metadata.keys, RegisteredKeys::Inline(_)));
}

#[test]
fn fapi2_clients() {
    let good = json!({
        "handrail_profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(),
        "dpop_bound_access_tokens": true,
    });
    assert_eq!(with(good.clone()).unwrap().profile, Profile::Fapi2);
    for (name, value) in [
        ("token_endpoint_auth_method", json!("none")),
        ("dpop_bound_access_tokens", json!(false)),
        ("redirect_uris", json!(["http://localhost:3000/cb"])),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert_eq!(with(bad), Err(E::InvalidClientMetadata), "{name}");
    }
}

/// RFC 7592 section 2.2.
#[test]
fn updates() {
    let update = |members: Value| {
        let mut value = app();
        value.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        ClientMetadata::read_update(value.to_string().as_bytes(), "own")
            .map(|update| (update.metadata, update.secret.is_some()))
            .map_err(|why| why.code)
    };
    assert_eq!(update(json!({ "client_id": "own" })), Ok((read(&app()).unwrap(), false)));
    assert!(update(json!({ "client_id": "own", "client_secret": "s" })).unwrap().1);
    for members in [
        json!({}),
        json!({ "client_id": "other" }),
        json!({ "client_id": ["own"] }),
        json!({ "client_id": "own", "registration_access_token": "t" }),
        json!({ "client_id": "own", "client_secret_expires_at": 0 }),
    ] {
        assert_eq!(update(members.clone()).err(), Some(E::InvalidRequest), "{members}");
    }
}

/// What is answered registers the same again.
#[test]
fn answers_read_back() {
    let whole = with(json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks(), "contacts": ["a@app.example"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "logo_uri": "https://app.example/logo.png", "client_uri": "https://app.example", "software_id": "s",
        "software_version": "1", "policy_uri": "https://app.example/p", "tos_uri": "https://app.example/t",
        "initiate_login_uri": "https://app.example/launch", "dpop_bound_access_tokens": true,
        "require_pushed_authorization_requests": true, "token_endpoint_auth_signing_alg": "ES256",
        "scope": "patient/*.rs", "handrail_profile": "fapi2",
    }))
    .unwrap();
    let token = Secret::new("t");
    let issued = Issued {
        client_id: "c",
        issued_at_s: 1,
        secret: None,
        scope: "patient/*.rs",
        management: Some(("https://care.example/oauth/register/c", &token)),
    };
    let told = answer(&whole, &issued);
    assert_eq!(read(&told), Ok(whole));
    assert!(told.get("client_secret").is_none() && told.get("client_secret_expires_at").is_none());
    let secret = Secret::new("s3cret");
    let public = with(json!({ "token_endpoint_auth_method": "client_secret_post" })).unwrap();
    let told = answer(&public, &Issued { secret: Some(&secret), management: None, ..issued });
    assert_eq!((&told["client_secret"], &told["client_secret_expires_at"]), (&json!("s3cret"), &json!(0)));
    assert!(told.get("registration_access_token").is_none());
}
