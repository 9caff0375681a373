//! Tests of `check`: what may be registered, and what an operator is told otherwise.

use super::is_origin;
use crate::{
    ClientError, Keys, NewClient, NewKeys, limits,
    testing::{KEY, World, jwks},
};
use oauth::jwk::Jwks;
use proptest::prelude::*;

fn good() -> NewClient {
    NewClient {
        name: "Post-acute exchange".into(),
        scope: "system/Patient.rs system/Observation.rs?category=a".into(),
        keys: NewKeys::Inline(jwks(&[&KEY])),
        origins: vec![],
        introspects_any: false,
    }
}

fn error(world: &World, new: &NewClient) -> String {
    match world.service.add_client(new) {
        Ok(client) => panic!("registered: {client:?}"),
        Err(ClientError::Invalid(why)) => why,
        Err(why) => panic!("{why:?}"),
    }
}

#[test]
fn a_client_is_registered() {
    let world = World::new();
    let client = world.service.add_client(&NewClient { name: "  A name ".into(), ..good() }).unwrap();
    assert_eq!(&*client.name, "A name");
    assert_eq!(client.id.len(), 32);
    assert!(client.id.bytes().all(|b| b.is_ascii_hexdigit()), "pastes into a command line");
    assert_eq!(&*client.scope_text, "system/Patient.rs system/Observation.rs?category=a");
    let Keys::Inline(keys) = &client.keys else { panic!() };
    assert_eq!(**keys, Jwks::new(vec![KEY.public().clone()]));
    assert!(!client.disabled);
    let other = world.service.add_client(&good()).unwrap();
    assert_ne!(other.id, client.id);
    let by_url = NewClient { keys: NewKeys::Url("https://client.example:8443/jwks?x=y".into()), ..good() };
    assert!(world.service.add_client(&by_url).is_ok());
    let repeated = NewClient { scope: "system/Patient.rs  system/Patient.rs".into(), ..good() };
    assert_eq!(&*world.service.add_client(&repeated).unwrap().scope_text, "system/Patient.rs");
}

/// Each message says what to change.
#[test]
fn what_is_wrong_is_named() {
    let world = World::new();
    let scope = |scope: &str| error(&world, &NewClient { scope: scope.into(), ..good() });
    assert!(scope("").contains("at least one scope"));
    assert!(scope("system/Patient.sr").starts_with("scope system/Patient.sr: after the dot"));
    assert!(scope("patient/Patient.rs").contains("system/"));
    assert!(scope("openid").starts_with("scope openid:"));
    assert!(scope("system/Patients.rs").contains("not a resource type"));
    assert!(scope("system/Observation.rs?unknown=1").contains("no such search parameter"), "B4");
    assert!(scope(&"system/Patient.rs ".repeat(2000)).contains("32 kB"));
    for name in ["", "   ", "a\nb", "\u{7f}", &"a".repeat(limits::CLIENT_NAME_BYTES_MAX + 1)] {
        assert!(error(&world, &NewClient { name: name.into(), ..good() }).starts_with("the name"), "{name:?}");
    }
    let keys = |text: String| error(&world, &NewClient { keys: NewKeys::Inline(text), ..good() });
    assert!(keys("hello".into()).contains("not a JWKS"));
    assert!(keys(KEY.to_private_jwk().unwrap()).contains("private"));
    assert!(keys(r#"{"keys":[]}"#.into()).contains("no key"));
    assert!(world.service.clients().is_empty());
    assert!(world.tables.clients.all_keys().is_empty());
    assert_eq!(world.entries(), 0);
}

/// Row F60: what is fetched later is checked for shape now.
#[test]
fn jwks_urls() {
    let world = World::new();
    let long = format!("https://a/{}", "a".repeat(2048));
    for url in [
        "",
        "http://client.example/jwks",
        "HTTPS://client.example/jwks",
        "file:///etc/passwd",
        "https://",
        "https:///jwks",
        "https://:443/jwks",
        "https://user@client.example/jwks",
        "https://user:password@client.example/jwks",
        "https://client.example/jwks#fragment",
        "https://client.example/a b",
        "https://client.example\\@attacker.example/",
        "https://client.example/\r\nHost: a",
        "https://client.ex\u{e4}mple/jwks",
        &long,
    ] {
        let why = error(&world, &NewClient { keys: NewKeys::Url(url.into()), ..good() });
        assert!(why.starts_with("the JWKS URL"), "{url:?}: {why}");
    }
}

/// Row A16: origins are compared to the letter, so they are registered as browsers write them.
#[test]
fn origins() {
    for origin in [
        "https://app.example",
        "https://app.example:8443",
        "https://[2001:db8::1]:8443",
        "http://localhost:3000",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
    ] {
        assert!(is_origin(origin), "{origin}");
    }
    for origin in [
        "",
        "null",
        "*",
        "https://*.app.example",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?x",
        "https://APP.example",
        "https://app.example:443",
        "https://app.example:0443",
        "https://app.example:99999",
        "https://app.example:",
        "https://user@app.example",
        "https://.app.example",
        "https://",
        "https://[::1",
        "https://[0:0::1]",
        "http://app.example",
        "http://localhost:80",
        "http://localhost.attacker.example",
        "ftp://app.example",
        "app.example",
    ] {
        assert!(!is_origin(origin), "{origin}");
    }
    let world = World::new();
    let with = |origins: &[&str]| NewClient { origins: origins.iter().map(|o| (*o).into()).collect(), ..good() };
    assert!(error(&world, &with(&["https://app.example", "null"])).starts_with("null: an origin is"));
    assert!(error(&world, &with(&["https://app.example"; 33])).contains("at most 32"));
    let client = world.service.add_client(&with(&["https://app.example"])).unwrap();
    assert!(world.service.knows_origin("https://app.example"));
    for other in
        ["https://app.example:8443", "http://app.example", "https://x.app.example", "https://app.example.x", "null"]
    {
        assert!(!world.service.knows_origin(other), "{other}");
    }
    world.service.set_client_disabled(&client.id, true).unwrap();
    assert!(!world.service.knows_origin("https://app.example"));
    world.service.set_client_disabled(&client.id, false).unwrap();
    assert!(world.service.knows_origin("https://app.example"));
    world.service.remove_client(&client.id).unwrap();
    assert!(!world.service.knows_origin("https://app.example"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Row F67.
    #[test]
    fn any_text_is_judged(text in ".{0,60}", url in "https://[a-z:/@.?#\\[\\]]{0,20}") {
        let _ = is_origin(&text);
        let _ = is_origin(&url);
        let _ = super::jwks_url(&text);
        let _ = super::jwks_url(&url);
        let _ = super::scopes(&text, &|_| Ok(()));
    }
}
