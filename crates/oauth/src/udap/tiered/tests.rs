//! A provider's metadata, answer and id token, good and broken. Rows D34 to D38.

use super::{
    super::{
        metadata::{self, Document, Offered},
        statement,
        testing::{KEY, NOW_S, OTHER, chain},
        x5c::{self, Signed},
    },
    Idp, IdpError as E, Ours, is_base_url, is_unknown_client, metadata_url, proof, registered,
};
use crate::{
    form::Form,
    id_token::Claims,
    openid_provider::{Begun, Person, ProviderError as P},
    secret::Secret,
    udap::assertion,
};
use serde_json::{Value, json};

const BASE: &str = "https://idp.example/fhir";
const OURS: &str = "https://care.example/fhir";
const BACK: &str = "https://care.example/account/udap/back";

fn begun() -> Begun {
    Begun {
        issuer: BASE.into(),
        state: Secret::new("state-1"),
        nonce: Secret::new("nonce-1"),
        verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    }
}

fn document(scopes: &[&str], authorize: &str) -> Document {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let mut document = Document::offered(&Offered {
        authorization_endpoint: authorize,
        token_endpoint: "https://idp.example/token",
        registration_endpoint: "https://idp.example/register",
        scopes: &scopes,
        certifications: &[],
        is_tiered: false,
    });
    document.signed = metadata::signed(&document, BASE, &KEY, &chain(), "jti-1", NOW_S, 3600).unwrap();
    document
}

fn read(document: &Document, base_url: &str) -> Result<Idp, E> {
    let signed = Signed::parse(&document.signed).unwrap();
    Idp::read(document, &signed, KEY.public(), base_url, NOW_S)
}

fn idp() -> Idp {
    read(&document(&["openid", "udap"], "https://idp.example/authorize"), BASE).unwrap()
}

/// D35: both scopes, all endpoints signed, https, and of this very base URL.
#[test]
fn d35_metadata_of_a_provider() {
    let good = document(&["openid", "udap", "fhirUser"], "https://idp.example/authorize");
    let idp = read(&good, BASE).unwrap();
    assert_eq!(
        (idp.authorize.as_str(), idp.token.as_str()),
        ("https://idp.example/authorize", "https://idp.example/token")
    );
    // What stands beside the signed part means nothing.
    let forged = Document { token_endpoint: "https://evil.example/token".into(), ..good.clone() };
    assert_eq!(read(&forged, BASE).unwrap(), idp);
    assert!(matches!(read(&good, "https://idp.example/fhir/"), Err(E::Signed(_))), "one slash more");
    assert_eq!(read(&document(&["openid"], "https://idp.example/a"), BASE), Err(E::Scopes));
    assert_eq!(read(&document(&["udap"], "https://idp.example/a"), BASE), Err(E::Scopes));
    let plain = document(&["openid", "udap"], "http://idp.example/a");
    assert_eq!(read(&plain, BASE), Err(E::Endpoint("authorization_endpoint")));
    let signed = Signed::parse(&good.signed).unwrap();
    assert!(matches!(Idp::read(&good, &signed, OTHER.public(), BASE, NOW_S), Err(E::Signed(_))), "another's key");
}

/// D38: a base URL is https and nothing that could mislead.
#[test]
fn d38_base_urls() {
    assert!(is_base_url(BASE) && is_base_url("https://idp.example:8443"));
    for bad in [
        "http://idp.example",
        "https://",
        "https://u@idp.example",
        "https://idp.example/?x",
        "idp.example",
        "file:///x",
    ] {
        assert!(!is_base_url(bad), "{bad}");
    }
    let url = metadata_url("https://idp.example/fhir/", "urn:c:1&x");
    assert_eq!(url, "https://idp.example/fhir/.well-known/udap?community=urn%3Ac%3A1%26x");
}

/// D35: what we send is what a server of ours would take.
#[test]
fn d35_our_statement_and_proof_are_good() {
    let idp = idp();
    let ours = Ours {
        base_url: OURS,
        name: "Maple House",
        contact: "mailto:it@care.example",
        logo: "https://care.example/logo.png",
        redirect_uri: BACK,
    };
    let text = x5c::sign(&KEY, &chain(), &ours.statement(&idp, "jti-2", NOW_S)).unwrap();
    let statement = statement::Unverified::parse(&text).unwrap().verify(KEY.public(), &idp.register, NOW_S).unwrap();
    assert_eq!(statement.uri, OURS);
    assert!(statement.registration.unwrap().is_app());
    let text = x5c::sign(&KEY, &chain(), &proof("us", &idp, "jti-3", NOW_S)).unwrap();
    assert!(assertion::Unverified::parse(&text).unwrap().verify(KEY.public(), &idp.token, NOW_S).is_ok());
    assert_eq!(registered(br#"{"client_id":"c1","x":1}"#), Ok("c1".into()));
    for bad in [&br#"{"client_id":""}"#[..], br#"{"client_id":7}"#, b"[]", b"{}"] {
        assert_eq!(registered(bad), Err(E::Registration));
    }
    assert!(is_unknown_client(br#"{"error":"invalid_client"}"#) && !is_unknown_client(br#"{"error":"invalid_grant"}"#));
}

/// D35: own state and nonce, PKCE, both scopes.
#[test]
fn d35_the_way_there() {
    let url = begun().url_of_idp(&idp(), "us", BACK, Some(0));
    let form = Form::parse(url.split_once('?').unwrap().1.as_bytes()).unwrap();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "us"),
        ("redirect_uri", BACK),
        ("scope", "openid udap"),
        ("state", "state-1"),
        ("nonce", "nonce-1"),
        ("code_challenge_method", "S256"),
        ("max_age", "0"),
    ] {
        assert_eq!(form.value(name), Some(value), "{name}");
    }
    assert!(form.value("code_challenge").is_some());
    let sent = begun().redemption_at_idp(&Secret::new("c"), BACK, "a.b.c");
    let form = Form::parse(sent.expose().as_bytes()).unwrap();
    assert_eq!((form.value("udap"), form.value("client_assertion")), (Some("1"), Some("a.b.c")));
    assert_eq!(form.value("code_verifier"), Some(begun().verifier.expose()));
}

/// D36: the state before all else; an error of the provider; another provider's answer.
#[test]
fn d36_the_way_back() {
    let back = |query: &str| begun().code_of_idp(query.as_bytes()).map(|code| code.expose().to_owned());
    assert_eq!(back("code=c&state=state-1"), Ok("c".into()));
    assert_eq!(back("code=c&state=state-1&iss=https%3A%2F%2Fidp.example%2Ffhir"), Ok("c".into()));
    assert_eq!(back("code=c"), Err(P::State));
    assert_eq!(back("error=access_denied&state=state-2"), Err(P::State));
    assert_eq!(back("error=access_denied&state=state-1"), Err(P::Refused));
    assert_eq!(back("code=c&state=state-1&iss=https%3A%2F%2Fevil.example"), Err(P::Mixed));
    assert_eq!(back("state=state-1"), Err(P::Answer));
}

fn claims() -> Value {
    json!({ "iss": BASE, "sub": "p1", "aud": "us", "iat": NOW_S, "exp": NOW_S + 300, "nonce": "nonce-1" })
}

fn person(claims: &Value) -> Result<Person, E> {
    let token = x5c::sign(&KEY, &chain(), claims).unwrap();
    begun().person_of_idp(&Signed::parse(&token).unwrap(), KEY.public(), "us", None, NOW_S)
}

/// D37: signature, then what OpenID Connect checks; `iss` is the provider's base URL.
#[test]
fn d37_id_token() {
    let good = person(&claims()).unwrap();
    assert_eq!((good.issuer.as_str(), good.subject.as_str()), (BASE, "p1"));
    for (name, value, why) in [
        ("iss", json!("https://idp.example"), P::Issuer),
        ("aud", json!("others"), P::Audience),
        ("aud", json!(["us", "others"]), P::Audience),
        ("azp", json!("others"), P::Audience),
        ("exp", json!(NOW_S - 1000), P::Time),
        ("iat", json!(NOW_S + 1000), P::Time),
        ("nonce", json!("nonce-2"), P::Nonce),
        ("nonce", Value::Null, P::Nonce),
        ("sub", json!(" "), P::Subject),
    ] {
        let mut claims = claims();
        claims[name] = value;
        assert_eq!(person(&claims), Err(E::Provider(why)), "{name}");
    }
    let token = x5c::sign(&OTHER, &chain(), &claims()).unwrap();
    let signed = Signed::parse(&token).unwrap();
    let outcome = begun().person_of_idp(&signed, KEY.public(), "us", None, NOW_S);
    assert!(matches!(outcome, Err(E::IdToken(_))), "another's key");
    assert!(Signed::parse(&KEY.jwt(&claims()).unwrap()).is_err(), "no certificates");
}

/// D39: the id token that this server signs for a data holder is one that it would take itself.
#[test]
fn d39_our_id_token_with_certificates() {
    let claims = Claims {
        issuer: BASE,
        subject: "p1",
        client_id: "us",
        issued_at_s: NOW_S,
        expires_at_s: NOW_S + 300,
        authenticated_at_s: Some(NOW_S - 10),
        nonce: Some("nonce-1"),
        acr: None,
        amr: &["pwd", "mfa"],
        fhir_user: None,
        name: None,
        session: None,
    };
    for key in [&*KEY, &*OTHER] {
        let token = claims.signed_with(key, &chain(), &Secret::new("token")).unwrap();
        let signed = Signed::parse(token.expose()).unwrap();
        assert_eq!(signed.x5c(), chain());
        let person = begun().person_of_idp(&signed, key.public(), "us", Some(60), NOW_S).unwrap();
        assert_eq!((person.subject.as_str(), person.authenticated_at_s), ("p1", NOW_S - 10));
    }
}
