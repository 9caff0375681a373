//! What partners find, by the reader of the other side, who builds the chain from `x5c` and anchors. Rows D1 to D7.

use crate::testing::{BASE, ISSUER, World, communities::Lab, request};
use http::Method;
use oauth::udap::{
    metadata::{Document, SignedMetadata},
    x5c::Signed,
};
use serde_json::{Value, json};

const PATH: &str = "/fhir/.well-known/udap";

async fn get(world: &World, query: &str) -> crate::testing::Answer {
    world.send("192.0.2.1", request(Method::GET, &format!("{PATH}{query}"), &[], "")).await
}

/// The signed part, when a partner with this community's anchors may believe it.
fn believed(world: &World, lab: &Lab, document: &Value) -> SignedMetadata {
    let document = Document::read(document.to_string().as_bytes()).unwrap();
    assert_eq!(document.broken_rules(), [""; 0]);
    let signed = Signed::parse(&document.signed).unwrap();
    assert_eq!(signed.algorithm().as_str(), "RS256");
    let anchors = oauth::x509::Anchors::new(&[lab.root.der()]).unwrap();
    let chain = anchors.chain(signed.x5c(), world.now_s()).unwrap();
    let leaf = chain.leaf().unwrap();
    assert_eq!(leaf.uris(), [BASE]);
    SignedMetadata::read(&signed, leaf.key(), BASE, world.now_s()).unwrap()
}

/// Row D1.
#[tokio::test]
async fn d1_without_a_community_nothing_is_there() {
    let world = World::new();
    assert_eq!(get(&world, "").await.status, 404);
    assert_eq!(world.register_with(&json!({})).await.status, 404);
    Lab::joined("lab", &world);
    let answer = get(&world, "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let head = world.send("192.0.2.1", request(Method::HEAD, PATH, &[], "")).await;
    assert_eq!((head.status, head.response.body().len()), (200, 0));
    let post = world.send("192.0.2.1", request(Method::POST, PATH, &[], "")).await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

/// Rows D2, D3: lists to the letter, and what is told is there.
#[tokio::test]
async fn d2_the_document() {
    let world = World::new();
    Lab::joined("lab", &world);
    let body = get(&world, "").await.body;
    assert_eq!(body["udap_versions_supported"], json!(["1"]));
    assert_eq!(body["udap_profiles_supported"], json!(["udap_dcr", "udap_authn", "udap_authz"]));
    assert_eq!(body["token_endpoint_auth_methods_supported"], json!(["private_key_jwt"]));
    assert_eq!(body["registration_endpoint"], format!("{ISSUER}/oauth/udap/register"));
    assert_eq!(body["token_endpoint"], format!("{ISSUER}/oauth/token"));
    assert_eq!(body["authorization_endpoint"], format!("{ISSUER}/oauth/authorize"));
    let scopes = body["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("system/*.rs")) && scopes.contains(&json!("openid")));
    // Rows D34, B23: what is not built, and what does not go by UDAP.
    assert!(!scopes.contains(&json!("udap")) && !scopes.contains(&json!("launch")));
}

/// Row D4: signed once for a while, then anew with another `jti`; never near its end.
#[tokio::test]
async fn d4_the_signed_part_is_made_anew_in_time() {
    let world = World::new();
    let lab = Lab::joined("lab", &world);
    let first = get(&world, "").await.body;
    let metadata = believed(&world, &lab, &first);
    assert_eq!(metadata.token_endpoint, first["token_endpoint"].as_str().unwrap());
    world.pass(12 * 3600 - 1);
    assert_eq!(get(&world, "").await.body, first);
    world.pass(1);
    let second = believed(&world, &lab, &get(&world, "").await.body);
    assert_ne!(second.jti, metadata.jti);
    assert_eq!(second.expires_at_s, world.now_s() + 24 * 3600);
}

/// Row D5: each community gets what its own certificate signed.
#[tokio::test]
async fn d5_a_known_community_by_its_own_certificate() {
    let world = World::new();
    let (one, other) = (Lab::joined("one", &world), Lab::joined("other", &world));
    believed(&world, &one, &get(&world, "").await.body);
    for lab in [&one, &other] {
        let query = format!("?community={}", crate::testing::encoded(&lab.uri));
        believed(&world, lab, &get(&world, &query).await.body);
    }
    assert_eq!(get(&world, "?community=a&community=b").await.line(), "400 invalid_request");
}

/// Row D5, where 1.0 disagrees with 1.1 and 2.0: 1.0 had 404 for a community that nobody knows, later ones have 204; all
/// allow the default document, which is what there is unless the operator is strict.
#[tokio::test]
async fn d5_an_unknown_community_in_1_0_and_later() {
    let mut world = World::new();
    let lab = Lab::joined("lab", &world);
    // To the letter (row D6).
    let unknown = format!("?community={}%2F", crate::testing::encoded(&lab.uri));
    believed(&world, &lab, &get(&world, &unknown).await.body);
    world.strict_community = true;
    world.restart();
    let answer = get(&world, &unknown).await;
    assert_eq!((answer.status, answer.response.body().len()), (204, 0));
    assert_eq!(get(&world, "").await.status, 200);
}
