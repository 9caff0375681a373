//! Tests of the door: every route attacked, the life of a client, the keys, the documents.

use super::{Ground, Service};
use crate::{
    ClientError, Endpoint, NewClient, NewKeys, NewKind, ROUTES, Route, StartError,
    egress::NoFetch,
    tables::Tables,
    testing::{ISSUER, KEY, World, communities::Lab, credentials, jwks, request},
};
use audit::entry::{Action, Outcome};
use fhir::Instant;
use http::Method;
use oauth::{bearer::LiveTokens, jwk::Jwks};
use std::sync::{Arc, atomic::Ordering};

const SCOPE: &str = "system/Patient.rs";

/// Whether it takes a token rather than a form.
fn is_borne(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::UserInfo | Endpoint::Register | Endpoint::Registration)
}

/// Whether it takes a form and authenticates the client.
fn is_form(route: &&Route) -> bool {
    route.allow == "POST" && !is_borne(route.endpoint) && route.endpoint != Endpoint::UdapRegister
}

/// Whether a document is there: some are when what they tell of is.
fn is_there(world: &World, endpoint: Endpoint) -> bool {
    let offer = &world.service.inner.offer;
    match endpoint {
        Endpoint::OpenIdConfiguration => offer.has(oauth::discovery::Feature::OpenIdConnect),
        Endpoint::Brands => offer.has(oauth::discovery::Feature::Brands),
        _ => true,
    }
}

/// Each route with each method, without credentials: a form endpoint refuses, a document has nothing to hide, and
/// every other method is a 405 that names those there are.
#[tokio::test]
async fn every_route_is_attacked() {
    let world = World::new();
    Lab::joined("lab", &world);
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"];
    for route in ROUTES {
        assert!(Service::owns(route.path));
        for method in methods {
            let allowed = route.allow.split(", ").any(|allow| allow == method);
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let before = world.entries();
            let answer = world.send("192.0.2.9", request(method.clone(), route.path, &[], "")).await;
            let name = format!("{method} {}", route.path);
            if !allowed {
                assert_eq!(answer.status, 405, "{name}");
                assert_eq!(answer.header("allow"), Some(route.allow), "{name}");
            } else if route.endpoint == Endpoint::Authorize {
                // A page for a person: there is no request in it, or no form.
                assert_eq!(answer.status, if method == Method::POST { 415 } else { 422 }, "{name}");
                assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{name}");
            } else if method == Method::POST {
                let is_borne = is_borne(route.endpoint);
                let refused = if is_borne { "401 invalid_token" } else { "400 invalid_request" };
                assert_eq!(answer.line(), refused, "{name}");
                assert_eq!(world.entries(), before + 1, "{name}: F16");
            } else if !is_there(&world, route.endpoint) {
                assert_eq!((answer.status, world.entries()), (404, before), "{name}");
            } else if is_borne(route.endpoint) {
                assert_eq!((answer.line().as_str(), world.entries()), ("401 invalid_token", before + 1), "{name}");
            } else {
                assert_eq!(answer.status, 200, "{name}");
                assert_eq!(answer.response.body().is_empty(), method == Method::HEAD, "{name}");
                assert_eq!(answer.header("content-type"), Some("application/json"), "B1");
            }
        }
        // Whatever Accept says (row B1).
        if route.allow == "GET, HEAD" && is_there(&world, route.endpoint) {
            for accept in ["text/html", "application/fhir+json", "*/*;q=0", ""] {
                let answer = world.send("192.0.2.9", request(Method::GET, route.path, &[("accept", accept)], "")).await;
                assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
            }
        }
    }
    for path in
        ["/oauth/", "/oauth/authorize/", "/oauth/token/", "/oauth/TOKEN", "/oauth/../oauth/token", "/oauth/%74oken"]
    {
        assert!(Service::owns(path));
        for method in [Method::GET, Method::POST] {
            let answer = world.send("192.0.2.9", request(method, path, &[], "")).await;
            assert_eq!(answer.line(), "404 invalid_request", "{path}");
        }
    }
    for path in ["/", "/oauth", "/fhir/Patient", "/fhir/metadata", "/livez", "/.well-known/udap"] {
        assert!(!Service::owns(path), "{path}");
    }
}

/// Each form endpoint with credentials that do not count: none, expired, for another server, of another client,
/// replayed, of a removed client.
#[tokio::test]
async fn every_form_endpoint_is_attacked() {
    let world = World::new();
    let (client, removed) = (world.client(SCOPE), world.client(SCOPE));
    let victim = world.token(&client, SCOPE).await;
    let replayed = world.assertion(&client);
    assert_eq!(world.ask(&replayed, SCOPE).await.status, 200);
    let of_removed = world.assertion(&removed);
    world.service.remove_client(&removed).unwrap();
    let claims = |name: &str, value: serde_json::Value| {
        let mut claims = world.claims(&client);
        claims[name] = value;
        KEY.jwt(&claims).unwrap()
    };
    let attacks = [
        claims("exp", 1.into()),
        claims("aud", "https://other.example".into()),
        claims("sub", "other".into()),
        replayed,
        of_removed,
    ];
    for route in ROUTES.iter().filter(is_form) {
        for assertion in &attacks {
            let body = format!(
                "grant_type=client_credentials&scope={SCOPE}&token={}&{}",
                victim.token(),
                credentials(assertion)
            );
            let answer = world.post(route.path, &body).await;
            assert!(matches!(answer.line().as_str(), "400 invalid_client" | "401 invalid_client"), "{}", route.path);
        }
    }
    assert!(world.service.grant(victim.token()).is_some());
}

/// Row A24: the host of a request changes no document.
#[tokio::test]
async fn documents_come_from_configuration() {
    let world = World::new();
    for path in ["/fhir/.well-known/smart-configuration", "/.well-known/oauth-authorization-server"] {
        let fields = [("host", "attacker.example"), ("x-forwarded-host", "attacker.example"), ("forwarded", "host=a")];
        let answer = world.send("192.0.2.9", request(Method::GET, path, &fields, "")).await;
        assert_eq!(answer.body["token_endpoint"], format!("{ISSUER}/oauth/token"));
        assert!(!answer.body.to_string().contains("attacker"));
    }
}

/// Rows B4 and B6: what is listed is granted.
#[tokio::test]
async fn scopes_supported_are_granted() {
    let world = World::new();
    let answer = world.send("192.0.2.9", request(Method::GET, "/fhir/.well-known/smart-configuration", &[], "")).await;
    let scopes: Vec<&str> =
        answer.body["scopes_supported"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    assert!(scopes.contains(&"system/*.cruds") && scopes.contains(&"system/Observation.rs"));
    assert_eq!(scopes.iter().filter(|scope| scope.contains("?category=")).count(), 3 * 9, "B35");
    let (of_systems, of_apps): (Vec<&str>, Vec<&str>) = scopes.iter().partition(|scope| scope.starts_with("system/"));
    let client = world.client(&of_systems.join(" "));
    let all = world.token(&client, &of_systems.join(" ")).await;
    assert_eq!(all.body["scope"], of_systems.join(" "));
    // What an app may be given of it: endpoint/authorize.
    let redirect_uris = vec!["https://app.example.org/callback".to_owned()];
    world.add(&NewClient { redirect_uris, ..NewClient::new("App", &of_apps.join(" "), NewKind::Public) });
}

#[tokio::test]
async fn published_keys() {
    let world = World::new();
    let get = async || world.send("192.0.2.9", request(Method::GET, "/oauth/jwks", &[], "")).await;
    let before = Jwks::register(get().await.response.body()).unwrap();
    assert_eq!(before.keys().len(), 2);
    world.service.rotate_keys().unwrap();
    assert_eq!(Jwks::register(get().await.response.body()).unwrap().keys().len(), 4);
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("keys-rotated", Some("operator")));
    world.pass(crate::limits::KEY_OVERLAP_S);
    let after = Jwks::register(get().await.response.body()).unwrap();
    assert_eq!(after.keys().len(), 2);
    assert!(before.keys().iter().all(|key| !after.keys().contains(key)));
}

/// A client from registration to removal; its tokens stop with it, and a restart changes nothing.
#[tokio::test]
async fn the_life_of_a_client() {
    let mut world = World::new();
    let (client, other) = (world.client(SCOPE), world.client(SCOPE));
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.action, entry.outcome), ("client-added", Action::Create, Outcome::Success));
    assert!(
        entry
            .query
            .unwrap()
            .starts_with(&format!("client_id={other}&name=System&kind=backend%2Dservice&scope=system%2FPatient"))
    );
    let before = world.service.clients();
    world.restart();
    assert_eq!(world.service.clients(), before, "durable, keys and all");

    let (token, foreign) = (world.token(&client, SCOPE).await, world.token(&other, SCOPE).await);
    world.service.set_client_disabled(&client, true).unwrap();
    assert_eq!(&*world.last_entry().subtype, "client-disabled");
    assert!(world.service.grant(token.token()).is_none(), "A11: on the next request");
    assert!(world.service.grant(foreign.token()).is_some());
    assert_eq!(world.token(&client, SCOPE).await.line(), "400 invalid_client");
    world.restart();
    assert_eq!(world.token(&client, SCOPE).await.line(), "400 invalid_client");
    world.service.set_client_disabled(&client, false).unwrap();
    assert!(world.service.grant(token.token()).is_none(), "what was revoked stays so");
    let token = world.token(&client, SCOPE).await;

    world.service.remove_client(&client).unwrap();
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.action), ("client-removed", Action::Delete));
    assert!(entry.query.unwrap().ends_with("tokens_revoked=1"));
    assert!(world.service.grant(token.token()).is_none());
    assert_eq!(world.token(&client, SCOPE).await.line(), "400 invalid_client");
    assert!(world.service.client(&client).is_none());
    assert!(matches!(world.service.remove_client(&client), Err(ClientError::NotFound)));
    assert!(matches!(world.service.set_client_disabled(&client, true), Err(ClientError::NotFound)));
    world.restart();
    assert!(world.service.client(&client).is_none());
    assert!(world.service.grant(token.token()).is_none());
    assert!(world.service.grant(foreign.token()).is_some());
    assert_eq!(world.service.clients().len(), 1);
}

/// A client that could not be recorded or stored does not exist; one that cannot be removed still does.
#[tokio::test]
async fn failures_of_log_and_disk() {
    let world = World::new();
    let new = NewClient::new("a", SCOPE, NewKind::BackendService(NewKeys::Inline(jwks(&[&KEY]))));
    world.recorded.down.store(true, Ordering::Relaxed);
    assert!(matches!(world.service.add_client(&new), Err(ClientError::Unavailable(_))));
    assert!(world.service.clients().is_empty() && world.tables.clients.all_keys().is_empty());
    world.recorded.down.store(false, Ordering::Relaxed);
    world.tables.clients.full.store(true, Ordering::Relaxed);
    assert!(matches!(world.service.add_client(&new), Err(ClientError::Unavailable(_))));
    assert!(world.service.clients().is_empty());
    world.tables.clients.full.store(false, Ordering::Relaxed);
    let client = world.service.add_client(&new).unwrap().client;
    world.tables.clients.full.store(true, Ordering::Relaxed);
    assert!(matches!(world.service.remove_client(&client.id), Err(ClientError::Unavailable(_))));
    assert_eq!(world.token(&client.id, SCOPE).await.status, 200, "the operator was told that it is still there");
    world.tables.clients.full.store(false, Ordering::Relaxed);
    world.recorded.down.store(true, Ordering::Relaxed);
    assert!(matches!(world.service.set_client_disabled(&client.id, true), Err(ClientError::Unavailable(_))));
    assert!(!world.service.client(&client.id).unwrap().disabled);
}

/// Row C10: after five minutes it is over, and says so while it is remembered.
#[tokio::test]
async fn tokens_end() {
    use oauth::bearer::{BearerError, Presented, authenticate};
    let world = World::new();
    let client = world.client(SCOPE);
    let token = world.token(&client, SCOPE).await;
    let header = format!("Bearer {}", token.token());
    let use_it = || authenticate(&Presented::header(Some(&header)), &world.service, world.now_s()).err();
    world.pass(299);
    assert_eq!(use_it(), None);
    world.pass(1);
    assert_eq!(use_it(), Some(BearerError::Expired));
    world.service.sweep();
    assert_eq!(use_it(), Some(BearerError::Unknown));
    assert!(world.tables.tokens.all_keys().is_empty());
}

/// Requests sweep by themselves, so that an unattended server does not grow; but not each of them.
#[tokio::test]
async fn requests_sweep() {
    let world = World::new();
    let client = world.client(SCOPE);
    for _ in 0..5 {
        world.token(&client, SCOPE).await;
    }
    assert!(world.service.inner.sweep_when_due().is_none());
    world.pass(1000);
    world.service.inner.sweep_when_due().unwrap().await.unwrap();
    assert!(world.tables.tokens.all_keys().is_empty() && world.tables.assertions.all_keys().is_empty());
    world.pass(1000);
    world.token(&client, SCOPE).await;
    assert!(world.service.inner.sweep_when_due().is_none(), "the request saw to it");
}

fn ground(world: &World, tables: Tables, base: &str, clock: Arc<dyn Fn() -> Instant + Send + Sync>) -> Ground {
    Ground {
        tables,
        recorder: world.recorded.clone(),
        records: world.charts.clone(),
        base_url: base.into(),
        clock,
        egress: Arc::new(NoFetch),
        enforceable: Arc::new(|_| Ok(())),
        facility: crate::Facility::default(),
        persons: None,
    }
}

#[test]
fn a_base_url_must_be_ours() {
    let world = World::new();
    for base in ["http://care.example/fhir", "https://care.example/", "care.example/fhir", ""] {
        let clock = Arc::new(|| Instant::from_unix_millis(0));
        let tables = world.tables.tables();
        let service = Service::of(ground(&world, tables, base, clock));
        assert!(matches!(service.err(), Some(StartError::BaseUrl)), "{base}");
    }
}

/// A row that this program did not write stops the start: better than serving half of the clients.
#[test]
fn spoiled_tables_stop_the_start() {
    use crate::tables::Table;
    for spoil in 0..6 {
        let world = World::new();
        let tables = &world.tables;
        let table =
            [&tables.clients, &tables.tokens, &tables.assertions, &tables.keys, &tables.codes, &tables.families][spoil];
        table.put(b"signing", b"{\"name\":1}").unwrap();
        let clock = Arc::new(|| Instant::from_unix_millis(0));
        let opened = Service::of(ground(&world, tables.tables(), crate::testing::BASE, clock));
        assert!(matches!(opened.err(), Some(StartError::Tables(_))), "{spoil}");
    }
}

/// F48: what a system may act for is what the register says now, for tokens of before as well, and over a restart.
#[tokio::test]
async fn f48_purposes_are_the_registers() {
    let mut world = World::new();
    let id = world.client(SCOPE);
    let token = world.token(&id, SCOPE).await.token().to_owned();
    let purposes = |world: &World| {
        let grant = world.service.grant(&token).unwrap();
        grant.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>()
    };
    assert!(purposes(&world).is_empty());
    world.service.set_client_purposes(&id, &["HPAYMT".into(), "HRESCH".into()]).unwrap();
    assert_eq!(purposes(&world), ["HPAYMT", "HRESCH"]);
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("client-changed", Some("operator")));
    assert!(entry.query.unwrap().contains("purpose_of_use=HRESCH"));
    world.restart();
    assert_eq!(purposes(&world), ["HPAYMT", "HRESCH"]);
    for wrong in ["BTG", "NOSUCH"] {
        assert!(world.service.set_client_purposes(&id, &[wrong.into()]).is_err(), "{wrong}");
    }
    world.service.set_client_purposes(&id, &[]).unwrap();
    assert!(purposes(&world).is_empty());
}

/// G4: a token that was made while the standing of its client changed has the old one, and is no token any more.
#[tokio::test]
async fn g4_a_token_of_another_standing_is_none() {
    use oauth::caller::Standing;
    let world = World::new();
    let id = world.client(SCOPE);
    let token = world.token(&id, SCOPE).await.token().to_owned();
    assert!(world.service.grant(&token).is_some());
    let stand = |standing: Standing| {
        let changed = |client: crate::Client| Ok(crate::Client { standing, ..client });
        world.service.inner.change_client(&id, &crate::registering::By::Operator, changed).unwrap();
    };
    stand(Standing::Deidentified);
    assert!(world.service.grant(&token).is_none());
}
