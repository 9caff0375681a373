//! Tests of introspection. Rows B67 to B69.

use crate::{
    NewClient, NewKeys, NewKind,
    testing::{Answer, ISSUER, KEY, STRANGER, World, credentials, encoded, jwks, request},
};
use audit::entry::Outcome;
use http::Method;
use oauth::client_assertion::signed;
use serde_json::json;

const SCOPE: &str = "system/Patient.rs system/Observation.read";

impl World {
    /// Introspects with an assertion of this client.
    async fn introspect(&self, asker: &str, token: &str) -> Answer {
        let body = format!("token={}&{}", encoded(token), credentials(&self.assertion(asker)));
        self.post("/oauth/introspect", &body).await
    }

    /// Introspects with a Bearer token.
    async fn introspect_as(&self, bearer: &str, token: &str) -> Answer {
        let authorization = format!("Bearer {bearer}");
        let fields = [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization.as_str())];
        self.send("192.0.2.1", request(Method::POST, "/oauth/introspect", &fields, &format!("token={token}"))).await
    }
}

fn any_introspecting(world: &World) -> std::sync::Arc<str> {
    let kind = NewKind::BackendService(NewKeys::Inline(jwks(&[&KEY])));
    world.add(&NewClient { introspects_any: true, ..NewClient::new("Resource server", "system/Patient.r", kind) })
}

/// Row B67; B68: scope and client as in the token response.
#[tokio::test]
async fn a_live_token_of_its_own() {
    let world = World::new();
    let client = world.client(SCOPE);
    let issued = world.token(&client, SCOPE).await;
    world.pass(10);
    let answer = world.introspect(&client, issued.token()).await;
    let expected = json!({
        "active": true, "scope": issued.body["scope"], "client_id": &*client, "token_type": "Bearer",
        "iat": world.now_s() - 10, "exp": world.now_s() + 290,
        "aud": &*world.service.inner.endpoints.fhir_base,
    });
    assert_eq!((answer.status, &answer.body), (200, &expected));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(world.introspect_as(issued.token(), issued.token()).await.body, expected);
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.outcome), ("token-introspected", Outcome::Success));
    assert_eq!(entry.client_id.as_deref(), Some(&*client));
    assert!(!format!("{entry:?}").contains(issued.token()));
}

/// Row B68: nothing but `active: false`, whatever the reason.
#[tokio::test]
async fn everything_else_is_inactive() {
    let world = World::new();
    let (client, other) = (world.client(SCOPE), world.client(SCOPE));
    let inactive = json!({ "active": false });
    let foreign = world.token(&other, SCOPE).await;
    let ended = world.token(&client, SCOPE).await;
    world.pass(300);
    // Not swept yet: its end alone makes it inactive.
    assert!(world.service.inner.tokens.grant(ended.token()).is_some());
    assert_eq!(world.introspect(&client, ended.token()).await.body, inactive);
    let revoked = world.token(&client, SCOPE).await;
    let body = format!("token={}&{}", revoked.token(), credentials(&world.assertion(&client)));
    assert_eq!(world.post("/oauth/revoke", &body).await.status, 200);
    let live_foreign = world.token(&other, SCOPE).await;
    let long = "a".repeat(5000);
    for token in [foreign.token(), ended.token(), revoked.token(), live_foreign.token(), "unknown", "a b", &long] {
        let answer = world.introspect(&client, token).await;
        assert_eq!((answer.status, &answer.body), (200, &inactive));
    }
}

/// Row B69: who is registered for it learns of all tokens, by assertion and by token.
#[tokio::test]
async fn others_tokens_for_who_may() {
    let world = World::new();
    let client = world.client(SCOPE);
    let server = any_introspecting(&world);
    let token = world.token(&client, SCOPE).await;
    assert_eq!(world.introspect(&server, token.token()).await.body["client_id"], &*client);
    let own = world.token(&server, "system/Patient.r").await;
    assert_eq!(world.introspect_as(own.token(), token.token()).await.body["active"], true);
    assert_eq!(world.introspect_as(token.token(), own.token()).await.body, json!({ "active": false }));
}

/// Row B69: unauthenticated is 401, and that asks for a Bearer token.
#[tokio::test]
async fn who_asks_must_be_known() {
    let world = World::new();
    let client = world.client(SCOPE);
    let token = world.token(&client, SCOPE).await;
    let challenge = Some("Bearer realm=\"handrail\"");
    let forged = signed(&STRANGER, &client, ISSUER, "x", world.now_s(), 300).unwrap();
    let used = world.assertion(&client);
    world.ask(&used, SCOPE).await;
    for body in [
        format!("token={}", token.token()),
        format!("token={}&client_id={client}", token.token()),
        format!("token={}&client_id={client}&client_secret=a", token.token()),
        format!("token={}&{}", token.token(), credentials(&forged)),
        format!("token={}&{}", token.token(), credentials(&world.assertion("nobody"))),
        format!("token={}&{}", token.token(), credentials(&used)),
    ] {
        let answer = world.post("/oauth/introspect", &body).await;
        assert_eq!(
            (answer.line().as_str(), answer.header("www-authenticate")),
            ("401 invalid_client", challenge),
            "{body}"
        );
    }
    for bearer in ["unknown", "", "a b"] {
        let answer = world.introspect_as(bearer, token.token()).await;
        assert_eq!(answer.line(), "401 invalid_token", "{bearer}");
        assert!(answer.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    }
    let fields = [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic YTpi")];
    let basic = world.send("192.0.2.1", request(Method::POST, "/oauth/introspect", &fields, "token=a")).await;
    assert_eq!(basic.line(), "401 invalid_client");
    world.pass(300);
    assert_eq!(world.introspect_as(token.token(), token.token()).await.line(), "401 invalid_token", "expired");
    let again = world.token(&client, SCOPE).await;
    world.service.set_client_disabled(&client, true).unwrap();
    assert_eq!(world.introspect_as(again.token(), again.token()).await.line(), "401 invalid_token");
}

#[tokio::test]
async fn requests() {
    let world = World::new();
    let client = world.client(SCOPE);
    let token = world.token(&client, SCOPE).await;
    let missing = world.post("/oauth/introspect", &credentials(&world.assertion(&client))).await;
    assert_eq!(missing.line(), "400 invalid_request");
    let authorization = format!("Bearer {}", token.token());
    let fields = [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization.as_str())];
    let body = format!("token=a&{}", credentials(&world.assertion(&client)));
    let both = world.send("192.0.2.1", request(Method::POST, "/oauth/introspect", &fields, &body)).await;
    assert_eq!(both.line(), "400 invalid_request");
    // An assertion may name this endpoint as its audience.
    let own = signed(&KEY, &client, &format!("{ISSUER}/oauth/introspect"), "own", world.now_s(), 60).unwrap();
    assert_eq!(world.post("/oauth/introspect", &format!("token=a&{}", credentials(&own))).await.status, 200);
}
