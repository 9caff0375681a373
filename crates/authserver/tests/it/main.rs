//! The authorization server on a real store: what must last, lasts over closing and opening it again.
//!
//! Rows C4, B61, A11, F16. The rules themselves are tested beside the code, on tables in memory.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

use authserver::{ClientError, NewClient, NewKeys, NewKind, Parts, Service, egress::NoFetch};
use bytes::Bytes;
use fhir::Instant;
use http::{Request, Response};
use oauth::{
    bearer::{self, LiveTokens},
    client_assertion,
    jwk::Jwks,
    jws::Algorithm,
    scope::ScopeContext,
    sign::PrivateKey,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use store::{Options, Store};

const BASE: &str = "https://handrail.test/fhir";
const TOKEN: &str = "https://handrail.test/oauth/token";
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

struct Server {
    store: Arc<Store>,
    service: Service,
    now_ms: Arc<AtomicI64>,
}

impl Server {
    fn open(directory: &Path, now_ms: &Arc<AtomicI64>) -> Self {
        let registry = Arc::clone(search::registry::registry());
        let options = Options { base_url: BASE.into(), strict_audit: false };
        let store = Arc::new(Store::open(directory, Arc::clone(&registry), options).unwrap());
        let shown = Arc::clone(now_ms);
        let service = Service::new(Parts {
            store: Arc::clone(&store),
            base_url: BASE.into(),
            clock: Arc::new(move || Instant::from_unix_millis(shown.load(Ordering::SeqCst))),
            egress: Arc::new(NoFetch),
            enforceable: Arc::new(move |scope| match scope.context {
                ScopeContext::System => policy::enforceable(scope, &registry),
                ScopeContext::Patient | ScopeContext::User => policy::enforceable_for_people(scope, &registry),
            }),
            facility: Default::default(),
        });
        Self { store, service: service.unwrap(), now_ms: Arc::clone(now_ms) }
    }

    fn now_s(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst) / 1000
    }

    fn add(&self, scope: &str, key: &PrivateKey) -> Result<Arc<str>, ClientError> {
        let jwks = Jwks::new(vec![key.public().clone()]).to_json().to_string();
        let new = NewClient::new("Test", scope, NewKind::BackendService(NewKeys::Inline(jwks)));
        self.service.add_client(&new).map(|added| Arc::clone(&added.client.id))
    }

    fn assertion(&self, key: &PrivateKey, client: &str, jti: &str) -> String {
        client_assertion::signed(key, client, TOKEN, jti, self.now_s(), 300).unwrap()
    }

    async fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Response<Bytes> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let body: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body.join("&")))
            .unwrap();
        self.service.answer(ADDRESS, request).await.into_inner()
    }

    async fn token(&self, assertion: &str, scope: &str) -> Result<String, String> {
        let parameters = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", client_assertion::TYPE),
            ("client_assertion", assertion),
        ];
        let response = self.post("/oauth/token", &parameters).await;
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        match body["access_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(body["error"].as_str().unwrap().to_owned()),
        }
    }
}

fn clock() -> Arc<AtomicI64> {
    Arc::new(AtomicI64::new(1_800_000_000_000))
}

#[tokio::test]
async fn everything_lasts() {
    let directory = tempfile::tempdir().unwrap();
    let now_ms = clock();
    let key = PrivateKey::generate(Algorithm::Rs384).unwrap();
    let scope = "system/Observation.rs?category=survey system/Patient.read";

    let server = Server::open(directory.path(), &now_ms);
    let (client, removed) = (server.add(scope, &key).unwrap(), server.add(scope, &key).unwrap());
    let used = server.assertion(&key, &client, "one");
    let token = server.token(&used, scope).await.unwrap();
    let revoked = server.token(&server.assertion(&key, &client, "two"), scope).await.unwrap();
    let of_removed = server.token(&server.assertion(&key, &removed, "one"), scope).await.unwrap();
    let credentials = server.assertion(&key, &client, "three");
    let parameters = [
        ("token", revoked.as_str()),
        ("client_assertion_type", client_assertion::TYPE),
        ("client_assertion", &credentials),
    ];
    assert_eq!(server.post("/oauth/revoke", &parameters).await.status().as_u16(), 200);
    server.service.remove_client(&removed).unwrap();
    let published = jwks(&server).await;
    let recorded = server.store.log().last().0;
    assert_eq!(recorded, 7, "two clients added, three tokens issued, one revoked, one client removed");
    drop(server);

    let server = Server::open(directory.path(), &now_ms);
    assert_eq!(server.service.clients().len(), 1);
    assert_eq!(jwks(&server).await, published);
    assert_eq!(server.store.log().last().0, recorded);
    let header = format!("Bearer {token}");
    let presented = bearer::Presented::header(Some(&header));
    let caller = bearer::authenticate(&presented, &server.service, server.now_s()).unwrap();
    assert_eq!((&*caller.grant().client_id, &*caller.grant().scope_text), (&*client, scope));
    assert!(server.service.grant(&revoked).is_none(), "B61");
    assert!(server.service.grant(&of_removed).is_none(), "A11");
    assert_eq!(server.token(&used, scope).await, Err("invalid_client".into()), "C4");
    let of_removed = server.assertion(&key, &removed, "two");
    assert_eq!(server.token(&of_removed, scope).await, Err("invalid_client".into()));
    assert!(server.token(&server.assertion(&key, &client, "four"), scope).await.is_ok());

    // What has ended is swept from the tables, and the server starts without it.
    now_ms.fetch_add(1_000_000, Ordering::SeqCst);
    server.service.sweep();
    let table = |name| server.store.table(name).unwrap().all().unwrap().len();
    assert_eq!((table("oauth_tokens"), table("oauth_assertions"), table("oauth_clients")), (0, 0, 1));
}

async fn jwks(server: &Server) -> Bytes {
    let request = Request::get("/oauth/jwks").body(Bytes::new()).unwrap();
    server.service.answer(ADDRESS, request).await.into_inner().into_body()
}

/// Of many at once with one assertion, one gets a token: the real table's `insert_new` decides (row C4).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many() {
    let directory = tempfile::tempdir().unwrap();
    let server = Arc::new(Server::open(directory.path(), &clock()));
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    let client = server.add("system/Patient.rs", &key).unwrap();
    let assertion = server.assertion(&key, &client, "same");
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (server, assertion) = (Arc::clone(&server), assertion.clone());
            tokio::spawn(async move { server.token(&assertion, "system/Patient.rs").await.is_ok() })
        })
        .collect();
    let mut good = 0;
    for task in tasks {
        good += usize::from(task.await.unwrap());
    }
    assert_eq!(good, 1);
}

/// Row B4: the discovery document lists only what the real search registry can enforce, which is all that US Core asks
/// for; a scope that it cannot is neither registered nor granted.
#[tokio::test]
async fn scopes_are_those_that_can_be_enforced() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::open(directory.path(), &clock());
    let key = PrivateKey::generate(Algorithm::Es384).unwrap();
    let request = Request::get("/fhir/.well-known/smart-configuration").body(Bytes::new()).unwrap();
    let document = server.service.answer(ADDRESS, request).await.into_inner();
    let document: Value = serde_json::from_slice(document.body()).unwrap();
    let scopes: Vec<&str> =
        document["scopes_supported"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect();
    let of_systems: Vec<&str> = scopes.iter().copied().filter(|scope| scope.starts_with("system/")).collect();
    assert_eq!(of_systems.len(), 5 + 26 + 9);
    for context in ["patient/", "user/"] {
        assert_eq!(scopes.iter().filter(|scope| scope.starts_with(context)).count(), 5 + 26 + 9, "{context}");
    }
    server.add(&of_systems.join(" "), &key).unwrap();
    let client = server.add("system/*.cruds", &key).unwrap();
    for scope in ["system/Observation.rs?no-such-parameter=1", "system/Patient.rs?birthdate=yesterday"] {
        assert!(matches!(server.add(scope, &key), Err(ClientError::Invalid(_))), "{scope}");
        let assertion = server.assertion(&key, &client, scope);
        assert_eq!(server.token(&assertion, scope).await, Err("invalid_scope".into()), "{scope}");
    }
}
