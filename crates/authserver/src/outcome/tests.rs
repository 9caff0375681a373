//! Tests of `outcome`: the whole table, as a client sees it, and as `docs/authorization.md` has it.

use super::{Refusal, refused};
use http::header;
use oauth::error::ErrorCode;
use serde_json::Value;

/// Every refusal. A new variant does not compile into `order` without a row here, nor pass without one in the page.
const TABLE: [Refusal; 42] = [
    Refusal::NotFound,
    Refusal::Method("GET, HEAD"),
    Refusal::TooLarge,
    Refusal::MediaType,
    Refusal::Form,
    Refusal::Missing("grant_type"),
    Refusal::Missing("token"),
    Refusal::Missing("code"),
    Refusal::Missing("refresh_token"),
    Refusal::Missing("other"),
    Refusal::SeveralCredentials,
    Refusal::GrantType,
    Refusal::GrantTypeOfClient,
    Refusal::Grant,
    Refusal::Target,
    Refusal::Pushed(ErrorCode::InvalidRequest, "code_challenge is missing (PKCE is required)"),
    Refusal::DpopProof,
    Refusal::DpopNonce,
    Refusal::Unbound,
    Refusal::Client,
    Refusal::ClientBasic,
    Refusal::ClientIntrospecting,
    Refusal::Bearer,
    Refusal::NoToken,
    Refusal::BearerRequest,
    Refusal::BearerNonce,
    Refusal::OpenIdScope,
    Refusal::JsonType,
    Refusal::Metadata(ErrorCode::InvalidClientMetadata),
    Refusal::Metadata(ErrorCode::InvalidRedirectUri),
    Refusal::Metadata(ErrorCode::InvalidSoftwareStatement),
    Refusal::Metadata(ErrorCode::UnapprovedSoftwareStatement),
    Refusal::ClientDisabled,
    Refusal::NoScope,
    Refusal::MixedScopes,
    Refusal::ScopeSize,
    Refusal::Scope,
    Refusal::TooMany(7),
    Refusal::Unavailable,
    Refusal::Udap("udap must be 1"),
    Refusal::Unapproved,
    Refusal::B2b,
];

/// The page that clients read.
const PAGE: &str = include_str!("../../../../docs/authorization.md");

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
        Refusal::GrantTypeOfClient => 8,
        Refusal::Grant => 9,
        Refusal::Target => 10,
        Refusal::Pushed(..) => 11,
        Refusal::DpopProof => 12,
        Refusal::DpopNonce => 13,
        Refusal::Unbound => 14,
        Refusal::Client => 15,
        Refusal::ClientBasic => 16,
        Refusal::ClientIntrospecting => 17,
        Refusal::Bearer => 18,
        Refusal::NoToken => 19,
        Refusal::BearerRequest => 20,
        Refusal::BearerNonce => 21,
        Refusal::OpenIdScope => 22,
        Refusal::JsonType => 23,
        Refusal::Metadata(_) => 24,
        Refusal::ClientDisabled => 25,
        Refusal::NoScope => 26,
        Refusal::MixedScopes => 27,
        Refusal::ScopeSize => 28,
        Refusal::Scope => 29,
        Refusal::TooMany(_) => 30,
        Refusal::Unavailable => 31,
        Refusal::Udap(_) => 32,
        Refusal::Unapproved => 33,
        Refusal::B2b => 34,
    }
}

/// What goes over the wire is what the page says, row by row and in this order.
#[test]
fn the_whole_table() {
    let mut seen: Vec<usize> = TABLE.iter().map(|refusal| order(*refusal)).collect();
    seen.dedup();
    assert_eq!(seen, (0..=34).collect::<Vec<_>>(), "each variant has a row");
    let mut table = String::from("| status | error | headers | text |\n|---|---|---|---|\n");
    for refusal in TABLE {
        let response = refused(refusal);
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let (error, description) = (body["error"].as_str().unwrap(), body["error_description"].as_str().unwrap());
        let headers: Vec<String> = [header::ALLOW, header::WWW_AUTHENTICATE, header::RETRY_AFTER]
            .into_iter()
            .filter_map(|name| Some(format!("`{name}: {}`", response.headers().get(&name)?.to_str().unwrap())))
            .collect();
        let status = response.status().as_u16();
        table.push_str(&format!("| {status} | `{error}` | {} | {description} |\n", headers.join(" ")));
        // Row B46, on errors too.
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::PRAGMA], "no-cache");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        // SPEC: RFC 6749 section 5.2: no quote, no backslash, printable ASCII.
        assert!(description.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{description}");
        assert_eq!(body.as_object().unwrap().len(), 2);
    }
    assert!(PAGE.contains(&table), "docs/authorization.md must hold:\n{table}");
}

/// The page's numbers are the limits'.
#[test]
fn the_page_tells_the_limits() {
    use crate::limits as l;
    let words = PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        format!("A client may take {} tokens a second, {} at once", l::CLIENT_RATE.0, l::CLIENT_RATE.1),
        format!(
            "an address may send {} requests a second to these endpoints, {} at once",
            l::ADDRESS_RATE.0,
            l::ADDRESS_RATE.1
        ),
        format!("A body has {} kB at most, a scope string {} kB", l::BODY_BYTES_MAX / 1024, l::SCOPE_BYTES_MAX / 1024),
        format!("`expires_in` ({})", l::TOKEN_LIFE_S),
    ] {
        assert!(words.contains(&sentence), "{sentence}");
    }
}
