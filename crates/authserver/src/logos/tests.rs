//! F60, A18: what of another host's picture reaches a page. A page never waits for it.

use super::*;
use crate::{
    NewClient, NewKind,
    testing::{World, request},
};
use http::Method;

const URL: &str = "https://walks.example.org/logo.png";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x40\0\0\0\x40\x08\x06\0\0\0";

fn client(world: &World) -> Arc<Client> {
    let new = NewClient {
        redirect_uris: vec!["https://walks.example.org/callback".into()],
        logo: Some(URL.into()),
        ..NewClient::new("My Walks", "patient/*.rs", NewKind::Public)
    };
    let id = world.add(&new);
    world.service.client(&id).unwrap()
}

/// As a page would show it, after what was begun beside it is done.
async fn shown(world: &World, client: &Client) -> Option<String> {
    let logo = world.service.inner.app_facts(client).logo;
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    logo.map(|path| path.as_str().to_owned())
}

fn put(world: &World, body: &[u8]) {
    let fetched = crate::egress::Fetched { body: Bytes::copy_from_slice(body), cache_control: None, age_s: None };
    world.web.pages.lock().unwrap().insert(URL.into(), Ok(fetched));
}

#[tokio::test]
async fn f60_a_good_logo_is_fetched_once_and_shown_from_here() {
    let world = World::new();
    let client = client(&world);
    put(&world, PNG);
    let path = format!("{PATH}{}", client.id);
    let get = async |headers: &[(&str, &str)]| world.send("192.0.2.1", request(Method::GET, &path, headers, "")).await;
    assert_eq!(get(&[]).await.status, 404, "nobody has us fetch by asking for it");
    assert_eq!(world.web.count(), 0);
    assert_eq!(shown(&world, &client).await, None, "no page waits");
    assert_eq!(shown(&world, &client).await.as_deref(), Some(&*path));
    assert_eq!(shown(&world, &client).await.as_deref(), Some(&*path));
    assert_eq!(world.web.count(), 1);
    let answer = get(&[]).await;
    assert_eq!((answer.status, answer.response.body().as_ref()), (200, PNG));
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    let etag = answer.header("etag").unwrap().to_owned();
    let again = get(&[("if-none-match", &etag)]).await;
    assert_eq!((again.status, again.response.body().len()), (304, 0));
    let head = world.send("192.0.2.1", request(Method::HEAD, &path, &[], "")).await;
    assert_eq!((head.status, head.response.body().len()), (200, 0));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        assert_eq!(world.send("192.0.2.1", request(method, &path, &[], "")).await.status, 405);
    }
    for other in ["/account/logo/", "/account/logo/nobody", "/account/logo/../x"] {
        assert_eq!(world.send("192.0.2.1", request(Method::GET, other, &[], "")).await.status, 404, "{other}");
    }
    // A day later it is looked at again; what is no logo any more is shown no more.
    world.pass(limits::LOGO_LIFE_S);
    put(&world, b"<svg/>");
    assert_eq!(shown(&world, &client).await.as_deref(), Some(&*path));
    assert_eq!(shown(&world, &client).await, None);
    assert_eq!(get(&[]).await.status, 404);
    // A disabled client has none.
    put(&world, PNG);
    world.pass(limits::LOGO_FAILURE_S);
    shown(&world, &client).await;
    assert!(shown(&world, &client).await.is_some());
    world.service.set_client_disabled(&client.id, true).unwrap();
    assert_eq!(get(&[]).await.status, 404);
}

#[tokio::test]
async fn f60_on_any_failure_there_is_no_logo() {
    let failures: [(&str, Result<&[u8], FetchError>); 7] = [
        ("not public", Err(FetchError::Forbidden("10.0.0.1 is not public".into()))),
        ("down", Err(FetchError::Unreachable("refused".into()))),
        ("slow", Err(FetchError::TimedOut)),
        ("large", Err(FetchError::TooLarge)),
        ("gone", Err(FetchError::Status(404))),
        ("a page", Ok(b"<!doctype html><script>alert(1)</script>")),
        ("a script in a picture", Ok(b"<svg onload='alert(1)'/>")),
    ];
    for (name, failure) in failures {
        let world = World::new();
        let client = client(&world);
        match failure {
            Ok(body) => put(&world, body),
            Err(error) => world.web.fail(URL, error),
        }
        for _ in 0..5 {
            assert_eq!(shown(&world, &client).await, None, "{name}");
        }
        assert_eq!(world.web.count(), 1, "{name}: not tried again with each page");
        world.pass(limits::LOGO_FAILURE_S);
        put(&world, PNG);
        shown(&world, &client).await;
        assert!(shown(&world, &client).await.is_some(), "{name}: and later it may be there");
    }
}

#[tokio::test]
async fn f60_what_is_held_and_fetched_is_bounded() {
    let world = World::new();
    put(&world, PNG);
    let logos = &world.service.inner.logos;
    let most = limits::LOGO_FETCH_RATE.1 as usize;
    for at in 0..most + 20 {
        logos.at_hand(&Arc::from(format!("https://a.example/{at}")));
    }
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.web.count(), most, "F66");
    for at in 0..limits::LOGOS_MAX + 20 {
        world.pass(10);
        logos.at_hand(&Arc::from(format!("https://b.example/{at}")));
    }
    assert!(logos.lock().len() <= limits::LOGOS_MAX);
}
