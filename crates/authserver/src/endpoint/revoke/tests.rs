//! Tests of revocation. Row B61, RFC 7009.

use crate::testing::{Answer, ISSUER, KEY, STRANGER, World, credentials, encoded, request};
use http::Method;
use oauth::{bearer::LiveTokens, client_assertion::signed};
use std::sync::atomic::Ordering;

const SCOPE: &str = "system/Patient.rs";

impl World {
    async fn revoke(&self, client: &str, token: &str) -> Answer {
        let body = format!("token={}&{}", encoded(token), credentials(&self.assertion(client)));
        self.post("/oauth/revoke", &body).await
    }
}

/// Rows B61, E4: with effect on the next request, also after a restart.
#[tokio::test]
async fn a_revoked_token_is_gone() {
    let mut world = World::new();
    let client = world.client(SCOPE);
    let (token, other) = (world.token(&client, SCOPE).await, world.token(&client, SCOPE).await);
    let name = world.service.grant(token.token()).unwrap().token_name.clone();
    let answer = world.revoke(&client, token.token()).await;
    assert_eq!((answer.status, answer.response.body().len()), (200, 0));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(world.service.grant(token.token()).is_none());
    assert!(world.service.grant(other.token()).is_some());
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.token_name.as_deref()), ("token-revoked", Some(&*name)));
    world.restart();
    assert!(world.service.grant(token.token()).is_none());
    assert!(world.service.grant(other.token()).is_some());
}

/// 200 for what is not there, or not the client's; and that is left alone.
#[tokio::test]
async fn always_200_for_a_client() {
    let world = World::new();
    let (client, other) = (world.client(SCOPE), world.client(SCOPE));
    let foreign = world.token(&other, SCOPE).await;
    let own = world.token(&client, SCOPE).await;
    world.revoke(&client, own.token()).await;
    for token in [foreign.token(), own.token(), "unknown", "a b"] {
        assert_eq!(world.revoke(&client, token).await.status, 200);
    }
    assert!(world.service.grant(foreign.token()).is_some());
    let body =
        format!("token={}&token_type_hint=refresh_token&{}", foreign.token(), credentials(&world.assertion(&other)));
    assert_eq!(world.post("/oauth/revoke", &body).await.status, 200);
    assert!(world.service.grant(foreign.token()).is_none(), "a wrong hint hinders nothing");
}

#[tokio::test]
async fn who_revokes_must_be_known() {
    let world = World::new();
    let client = world.client(SCOPE);
    let token = world.token(&client, SCOPE).await;
    let forged = signed(&STRANGER, &client, ISSUER, "x", world.now_s(), 300).unwrap();
    let used = world.assertion(&client);
    world.ask(&used, SCOPE).await;
    for body in [
        format!("token={}", token.token()),
        format!("token={}&client_id={client}", token.token()),
        format!("token={}&{}", token.token(), credentials(&forged)),
        format!("token={}&{}", token.token(), credentials(&used)),
        format!("token={}&{}", token.token(), credentials(&world.assertion("nobody"))),
    ] {
        assert_eq!(world.post("/oauth/revoke", &body).await.line(), "400 invalid_client", "{body}");
    }
    let missing = world.post("/oauth/revoke", &credentials(&world.assertion(&client))).await;
    assert_eq!(missing.line(), "400 invalid_request");
    let with = |authorization: &str, body: &str| {
        let fields = [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization)];
        request(Method::POST, "/oauth/revoke", &fields, body)
    };
    let own = format!("token={}", token.token());
    assert_eq!(world.send("192.0.2.1", with("Basic YTpi", &own)).await.line(), "401 invalid_client");
    let bearer = format!("Bearer {}", token.token());
    assert_eq!(world.send("192.0.2.1", with(&bearer, &own)).await.line(), "400 invalid_client");
    let both = format!("{own}&{}", credentials(&world.assertion(&client)));
    assert_eq!(world.send("192.0.2.1", with(&bearer, &both)).await.line(), "400 invalid_request");
    assert!(world.service.grant(token.token()).is_some(), "none of these has revoked it");
    // The endpoint's own URL is an audience here, but not another one's.
    let audience =
        |path: &str, jti: &str| signed(&KEY, &client, &format!("{ISSUER}{path}"), jti, world.now_s(), 60).unwrap();
    let body = |assertion: String| format!("{own}&{}", credentials(&assertion));
    let elsewhere = world.post("/oauth/revoke", &body(audience("/oauth/introspect", "one"))).await;
    assert_eq!(elsewhere.line(), "400 invalid_client");
    assert_eq!(world.post("/oauth/revoke", &body(audience("/oauth/revoke", "two"))).await.status, 200);
    assert!(world.service.grant(token.token()).is_none());
}

/// The client is told when the disk did not take it, and may try again.
#[tokio::test]
async fn a_full_disk_is_told() {
    let world = World::new();
    let client = world.client(SCOPE);
    let token = world.token(&client, SCOPE).await;
    world.tables.tokens.full.store(true, Ordering::Relaxed);
    assert_eq!(world.revoke(&client, token.token()).await.line(), "503 temporarily_unavailable");
    assert!(world.service.grant(token.token()).is_none());
    world.tables.tokens.full.store(false, Ordering::Relaxed);
    assert_eq!(world.revoke(&client, token.token()).await.status, 200);
    assert!(world.tables.tokens.all_keys().is_empty());
}
