//! UDAP (rows D2, D8, D14, D26, D27): JWTs with certificates, software statements, metadata and B2B objects. What a stranger
//! changes is refused; what the client itself says is taken within the rules only; what is read is written as it was.

use crate::choices::Choices;
use oauth::{
    discovery::GrantType,
    jws::Algorithm,
    sign::PrivateKey,
    udap::{assertion, b2b::B2b, certification, metadata::Document, statement, x5c},
};
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW_S: i64 = 1_800_000_000;
const ENDPOINT: &str = "https://care.example/oauth/udap/register";
const CLIENT: &str = "https://client.example/app";

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).expect("a key"));
static GOOD: LazyLock<String> = LazyLock::new(|| signed(&claims()));

fn claims() -> Value {
    json!({
        "iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "iat": NOW_S, "exp": NOW_S + 300, "jti": "one",
        "client_name": "An app", "contacts": ["mailto:ops@client.example"], "scope": "user/*.rs",
        "grant_types": ["authorization_code"], "response_types": ["code"], "logo_uri": "https://client.example/a.png",
        "redirect_uris": ["https://client.example/back"], "token_endpoint_auth_method": "private_key_jwt",
    })
}

fn signed(claims: &Value) -> String {
    x5c::sign(&KEY, &[b"leaf".to_vec()], claims).expect("it is signed")
}

/// The first byte says what the others are.
pub fn udap(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    match choices.below(5) {
        0 => readers(&choices.all_text()),
        1 => {
            let text = crate::jwt::edited(&GOOD, &mut choices);
            readers(&text);
            let taken = statement::Unverified::parse(&text).and_then(|it| it.verify(KEY.public(), ENDPOINT, NOW_S));
            assert!(taken.is_err() || text == *GOOD, "{text}");
        }
        2 => own(&choices.all_text()),
        3 => {
            let Ok(document) = Document::read(choices.all_text().as_bytes()) else { return };
            assert!(document.broken_rules().iter().all(|rule| !rule.is_empty()));
            let again = Document::read(document.to_value().to_string().as_bytes());
            assert_eq!(again.as_ref(), Ok(&document));
        }
        _ => {
            let Ok(value) = serde_json::from_str::<Value>(&choices.all_text()) else { return };
            let Ok(b2b) = B2b::read(&value) else { return };
            assert!(!b2b.purposes.is_empty() && !b2b.organization_id.is_empty());
            assert!(b2b.subject_name.is_some() || (b2b.subject_id.is_none() && b2b.subject_role.is_none()));
            assert!(!b2b.consent_policy.is_empty() || b2b.consent_reference.is_empty());
            assert_eq!(B2b::read(&b2b.to_value()).as_ref(), Ok(&b2b));
        }
    }
}

/// Whatever comes, each reader says something of it.
fn readers(text: &str) {
    if let Ok(signed) = x5c::Signed::parse(text) {
        assert!((1..=10).contains(&signed.x5c().len()) && x5c::ALGORITHMS.contains(&signed.algorithm()));
    }
    if let Ok(read) = assertion::Unverified::parse(text) {
        assert!(!read.client_id().is_empty());
    }
    if let Ok(read) = statement::Unverified::parse(text) {
        assert!(read.uri().contains(':'));
    }
    if let Ok(read) = certification::Unverified::parse(text) {
        assert!(!read.issuer().is_empty());
    }
}

/// What the client itself signs: members of a good statement in the place of what it has.
fn own(text: &str) {
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else { return };
    let mut claims = claims();
    for (name, value) in members {
        claims[name.as_str()] = value;
    }
    let text = signed(&claims);
    let Ok(unverified) = statement::Unverified::parse(&text) else { return };
    let Ok(statement) = unverified.verify(KEY.public(), ENDPOINT, NOW_S) else { return };
    assert_eq!(claims["iss"], claims["sub"]);
    assert!(!statement.jti().is_empty() && statement.replayable_until_s() > NOW_S);
    let Some(registration) = &statement.registration else {
        assert_eq!(claims["grant_types"], json!([]));
        return;
    };
    let has = |grant| registration.grants.contains(&grant);
    assert!(has(GrantType::AuthorizationCode) != has(GrantType::ClientCredentials));
    assert!(has(GrantType::AuthorizationCode) || !has(GrantType::RefreshToken));
    assert_eq!(registration.is_app(), !registration.redirect_uris.is_empty());
    assert_eq!(registration.is_app(), registration.logo.is_some());
    assert!(registration.redirect_uris.iter().all(|uri| uri.as_str().starts_with("https://")));
    assert!(registration.contacts.iter().any(|contact| contact.starts_with("mailto:")));
    let answer = statement.answer("id", &registration.scope);
    assert_eq!(answer["software_statement"], json!(text));
    assert!(["iss", "sub", "aud", "iat", "exp", "jti"].iter().all(|name| answer.get(*name).is_none()));
}
