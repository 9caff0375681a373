//! Certifications, good and worthless. Row D20.

use super::*;
use crate::{
    discovery::GrantType,
    redirect_uri::{ApplicationType, RedirectUri},
    udap::{
        testing::{KEY, NOW_S, OTHER, chain},
        x5c::sign,
    },
};
use serde_json::json;

const CLIENT: &str = "https://client.example/app";
const DAY_S: i64 = 24 * 3600;

fn good() -> Value {
    json!({
        "iss": "https://certifier.example", "sub": CLIENT, "iat": NOW_S - DAY_S, "exp": NOW_S + DAY_S, "jti": "c1",
        "certification_name": "Keeps the rules",
        "certification_uris": ["https://certifier.example/rules"],
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://client.example/back", "https://client.example/other"],
    })
}

fn asked() -> Registration {
    Registration {
        name: "An app".into(),
        contacts: Vec::new(),
        grants: vec![GrantType::AuthorizationCode],
        redirect_uris: vec![RedirectUri::register("https://client.example/back", ApplicationType::Web).unwrap()],
        logo: None,
        website: None,
        terms: None,
        policy: None,
        scope: String::new(),
    }
}

fn read(claims: &Value) -> Result<Certification, CertificationError> {
    let text = sign(&KEY, &chain(), claims).unwrap();
    Unverified::parse(&text)?.verify(KEY.public(), CLIENT, &asked(), NOW_S)
}

fn with(name: &str, value: Value) -> Result<Certification, CertificationError> {
    let mut claims = good();
    claims[name] = value;
    read(&claims)
}

#[test]
fn d20_a_good_one() {
    let text = sign(&KEY, &chain(), &good()).unwrap();
    let unverified = Unverified::parse(&text).unwrap();
    assert_eq!(unverified.uris(), ["https://certifier.example/rules"]);
    assert_eq!(unverified.issuer(), "https://certifier.example");
    let certification = read(&good()).unwrap();
    assert_eq!((certification.name.as_str(), certification.expires_at_s), ("Keeps the rules", NOW_S + DAY_S));
    assert!(with("exp", json!(NOW_S + 3 * 365 * DAY_S)).is_ok());
}

#[test]
fn d20_what_counts_for_nothing() {
    use CertificationError as E;
    assert_eq!(with("sub", json!("https://client.example/app/")), Err(E::OtherClient));
    assert_eq!(with("exp", json!(NOW_S - 60)), Err(E::Claim(ClaimError::Expired)));
    assert_eq!(with("exp", json!(NOW_S + 4 * 365 * DAY_S)), Err(E::Claim(ClaimError::Life)));
    assert_eq!(with("iat", json!(NOW_S + 61)), Err(E::Claim(ClaimError::NotYet)));
    for name in ["jti", "iat", "exp", "sub", "certification_name"] {
        assert_eq!(with(name, Value::Null), Err(E::Claim(ClaimError::Claim(name))));
    }
    assert_eq!(with("certification_uris", json!("x")), Err(E::Claim(ClaimError::Claim("certification_uris"))));
    assert_eq!(with("grant_types", json!(["client_credentials"])), Err(E::Beyond("grant_types")));
    assert_eq!(with("redirect_uris", json!(["https://client.example/other"])), Err(E::Beyond("redirect_uris")));
    assert_eq!(with("client_name", json!("Another")), Err(E::Beyond("client_name")));
    let text = sign(&OTHER, &chain(), &good()).unwrap();
    assert!(Unverified::parse(&text).unwrap().verify(KEY.public(), CLIENT, &asked(), NOW_S).is_err());
}
