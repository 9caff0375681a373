//! Tests of `outcome`: the whole table, as a client sees it.

use super::{Refusal, refused};
use http::header;
use serde_json::Value;

/// Every refusal, with what goes over the wire. A new variant does not compile into `order` without a row here.
const TABLE: [(Refusal, &str); 20] = [
    (Refusal::NotFound, "404 invalid_request"),
    (Refusal::Method("GET, HEAD"), "405 invalid_request; allow: GET, HEAD"),
    (Refusal::TooLarge, "413 invalid_request"),
    (Refusal::MediaType, "400 invalid_request"),
    (Refusal::Form, "400 invalid_request"),
    (Refusal::Missing("grant_type"), "400 invalid_request"),
    (Refusal::Missing("token"), "400 invalid_request"),
    (Refusal::Missing("other"), "400 invalid_request"),
    (Refusal::SeveralCredentials, "400 invalid_request"),
    (Refusal::GrantType, "400 unsupported_grant_type"),
    (Refusal::Client, "400 invalid_client"),
    (Refusal::ClientBasic, "401 invalid_client; www-authenticate: Basic realm=\"handrail\""),
    (Refusal::ClientIntrospecting, "401 invalid_client; www-authenticate: Bearer realm=\"handrail\""),
    (Refusal::Bearer, "401 invalid_token; www-authenticate: Bearer realm=\"handrail\", error=\"invalid_token\""),
    (Refusal::NoScope, "400 invalid_scope"),
    (Refusal::MixedScopes, "400 invalid_scope"),
    (Refusal::ScopeSize, "400 invalid_scope"),
    (Refusal::Scope, "400 invalid_scope"),
    (Refusal::TooMany(7), "429 temporarily_unavailable; retry-after: 7"),
    (Refusal::Unavailable, "503 temporarily_unavailable; retry-after: 5"),
];

/// Place of each variant; the match makes the compiler ask for a new one.
fn order(refusal: Refusal) -> usize {
    match refusal {
        Refusal::NotFound => 0,
        Refusal::Method(_) => 1,
        Refusal::TooLarge => 2,
        Refusal::MediaType => 3,
        Refusal::Form => 4,
        Refusal::Missing(_) => 5,
        Refusal::SeveralCredentials => 6,
        Refusal::GrantType => 7,
        Refusal::Client => 8,
        Refusal::ClientBasic => 9,
        Refusal::ClientIntrospecting => 10,
        Refusal::Bearer => 11,
        Refusal::NoScope => 12,
        Refusal::MixedScopes => 13,
        Refusal::ScopeSize => 14,
        Refusal::Scope => 15,
        Refusal::TooMany(_) => 16,
        Refusal::Unavailable => 17,
    }
}

#[test]
fn the_whole_table() {
    let mut seen: Vec<usize> = TABLE.iter().map(|(refusal, _)| order(*refusal)).collect();
    seen.dedup();
    assert_eq!(seen, (0..=17).collect::<Vec<_>>(), "each variant has a row");
    for (refusal, expected) in TABLE {
        let response = refused(refusal);
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let mut line = format!("{} {}", response.status().as_u16(), body["error"].as_str().unwrap());
        for name in [header::ALLOW, header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
            if let Some(value) = response.headers().get(&name) {
                line.push_str(&format!("; {name}: {}", value.to_str().unwrap()));
            }
        }
        assert_eq!(line, expected, "{refusal:?}");
        // Row B46, on errors too.
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::PRAGMA], "no-cache");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        // SPEC: RFC 6749 section 5.2: no quote, no backslash, printable ASCII.
        let description = body["error_description"].as_str().unwrap();
        assert!(description.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{description}");
        assert_eq!(body.as_object().unwrap().len(), 2);
    }
}
