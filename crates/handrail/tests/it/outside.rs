//! Signing in through an outside OpenID provider: a real server against a real provider over TLS, and attacks on the way
//! between. Row B26, F16, F60; issue 5 item 2.

use crate::{
    authorize::{REDIRECT, VERIFIER, encoded},
    support::{Http, Server, ok, stderr},
    users::{Browser, user},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use oauth::{form::Form, jwk::Jwks, jws::Algorithm, pkce::Challenge, sign::PrivateKey};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const US: &str = "handrail & co";
const SECRET: &str = "s3cret:with/signs";

/// How the provider behaves.
#[derive(Default)]
struct Manners {
    /// Changed in the document.
    document: Value,
    /// Changed in the claims; `null` takes one away.
    claims: Value,
    /// The id token is not signed at all.
    unsigned: bool,
    /// What was asked for, by the code that it got.
    asked: HashMap<String, HashMap<String, String>>,
    /// Token requests that were answered.
    redeemed: usize,
}

/// The provider.
struct Provider {
    own: TempDir,
    issuer: String,
    manners: Arc<Mutex<Manners>>,
}

fn changed(mut object: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().into_iter().flatten() {
        object[name] = value.clone();
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        }
    }
    object
}

fn now_s() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// A query or form as names and values.
fn pairs(text: &str) -> HashMap<String, String> {
    let form = Form::parse(text.as_bytes()).unwrap();
    let names = ["response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "max_age", "code"];
    let more = ["code_challenge", "code_challenge_method", "grant_type", "code_verifier"];
    let value = |name: &&str| form.value(name).map(|value| ((*name).to_owned(), value.to_owned()));
    names.iter().chain(&more).filter_map(value).collect()
}

impl Provider {
    async fn new() -> Self {
        let own = tempfile::tempdir().unwrap();
        let ca_key = rcgen::KeyPair::generate().unwrap();
        let mut ca = rcgen::CertificateParams::default();
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_certificate = ca.self_signed(&ca_key).unwrap();
        std::fs::write(own.path().join("ca.pem"), ca_certificate.pem()).unwrap();
        std::fs::write(own.path().join("secret"), format!("{SECRET}\n")).unwrap();
        let issuer = rcgen::Issuer::new(ca, ca_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("https://127.0.0.1:{}/realm", listener.local_addr().unwrap().port());
        let manners = Arc::new(Mutex::new(Manners::default()));
        let signer = Arc::new(PrivateKey::generate(Algorithm::Es256).unwrap());
        let shared = (issuer.clone(), Arc::clone(&manners), signer);
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (acceptor, shared) = (acceptor.clone(), shared.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(tcp).await else { return };
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (issuer, manners, signer) = shared.clone();
                        async move { Ok::<_, Infallible>(answer(request, &issuer, &manners, &signer).await) }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { own, issuer, manners }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.own.path().join(name)
    }

    fn settings(&self) -> String {
        format!(
            "[openid]\nissuer = \"{}\"\nclient_id = \"{US}\"\nclient_secret_file = \"{}\"\nname = \"Town ID\"\n\
             [egress]\nca = \"{}\"\nallow_networks = [\"127.0.0.0/8\"]\n",
            self.issuer,
            self.path("secret").display(),
            self.path("ca.pem").display()
        )
    }

    fn server(&self) -> Server {
        Server::configured(&self.settings())
    }

    fn behaves(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.manners.lock().unwrap());
    }

    /// What a browser that was sent to this address comes back with, when its person says who they are: path and query.
    fn vouches(&self, url: &str) -> String {
        let asked = pairs(url.strip_prefix(&format!("{}/authorize?", self.issuer)).unwrap());
        let mut manners = self.manners.lock().unwrap();
        let code = format!("code-{}", manners.asked.len());
        let (state, to) = (asked["state"].clone(), asked["redirect_uri"].clone());
        let path = to.splitn(4, '/').nth(3).unwrap().to_owned();
        manners.asked.insert(code.clone(), asked);
        let issuer = utf8_percent_encode(&self.issuer, NON_ALPHANUMERIC);
        format!("/{path}?code={code}&state={state}&iss={issuer}")
    }
}

async fn answer(
    request: Request<Incoming>,
    issuer: &str,
    manners: &Mutex<Manners>,
    signer: &PrivateKey,
) -> Response<Full<bytes::Bytes>> {
    let path = request.uri().path().trim_start_matches("/realm").to_owned();
    let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut manners = manners.lock().unwrap();
    let json = |value: Value| Response::new(Full::new(value.to_string().into()));
    match path.as_str() {
        "/.well-known/openid-configuration" => {
            let document = json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                "authorization_response_iss_parameter_supported": true,
            });
            json(changed(document, &manners.document))
        }
        "/jwks" => json(Jwks::new(vec![signer.public().clone()]).to_json()),
        "/token" => {
            let form = pairs(std::str::from_utf8(&body).unwrap());
            let pair = authorization.as_deref().and_then(|field| field.strip_prefix("Basic "));
            let pair = String::from_utf8(STANDARD.decode(pair.unwrap_or_default()).unwrap()).unwrap();
            let asked = form.get("code").and_then(|code| manners.asked.remove(code));
            let is_right = asked.as_ref().is_some_and(|asked| {
                pair == "handrail%20%26%20co:s3cret%3Awith%2Fsigns"
                    && asked["code_challenge_method"] == "S256"
                    && asked["redirect_uri"] == form["redirect_uri"]
                    && Challenge::of(&form["code_verifier"]).as_parameter() == asked["code_challenge"]
            });
            let Some(asked) = asked.filter(|_| is_right) else {
                return Response::builder()
                    .status(400)
                    .body(Full::new("{\"error\":\"invalid_grant\"}".into()))
                    .unwrap();
            };
            manners.redeemed += 1;
            let claims = json!({
                "iss": issuer, "sub": "town-1", "aud": US, "nonce": asked["nonce"],
                "iat": now_s(), "exp": now_s() + 300, "auth_time": now_s(),
            });
            let claims = changed(claims, &manners.claims);
            let token = if manners.unsigned {
                let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(json!({ "alg": "none" })), part(claims))
            } else {
                signer.jwt(&claims).unwrap()
            };
            json(json!({ "access_token": "unused", "token_type": "Bearer", "id_token": token }))
        }
        _ => Response::builder().status(404).body(Full::default()).unwrap(),
    }
}

const ROSA: &str = r#"{"resourceType":"Patient","id":"rosa","name":[{"family":"Diaz"}]}"#;

/// A server with Rosa's account, whose link comes back.
async fn with_rosa(provider: &Provider) -> (Server, String) {
    let server = provider.server();
    let token = server.full_token();
    server.http().await.put_as(&token, "PUT", "/fhir/Patient/rosa", ROSA).await;
    let add = ["add", "rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];
    let link = ok(&user(&server, &add));
    (server, link.trim().to_owned())
}

fn bind(server: &Server, provider: &Provider, who: &str, subject: &str) -> std::process::Output {
    user(server, &["bind", who, "--issuer", &provider.issuer, "--subject", subject])
}

fn browser<'a>(server: &Server, http: &'a mut Http) -> Browser<'a> {
    Browser { http, origin: server.base.trim_end_matches("/fhir").to_owned(), cookies: Vec::new() }
}

fn is_in(browser: &Browser<'_>) -> bool {
    browser.cookies.iter().any(|(name, _)| name == "__Host-handrail")
}

/// From a page to the provider: follows the page's link; where it leads.
async fn leaves(browser: &mut Browser<'_>, page: &str) -> String {
    let (status, to, body) = browser.send("GET", page, "").await;
    assert_eq!(status, 200, "{page} {to}");
    assert!(body.contains("Sign in with <bdi>Town ID</bdi>"), "{body}");
    let href = body.split_once("href=\"/account/sign-in/outside?").unwrap().1.split_once('"').unwrap().0;
    let href = format!("/account/sign-in/outside?{}", href.replace("&amp;", "&"));
    let (status, to, body) = browser.send("GET", &href, "").await;
    assert_eq!(status, 303, "{body}");
    to
}

const SIGN_IN: &str = "/account/sign-in?continuation=to-security";
const IN_VAIN: &str = "/account/sign-in?continuation=to-security&notice=outside";

/// The whole way; where it ends.
async fn signs_in(browser: &mut Browser<'_>, provider: &Provider) -> String {
    let to = leaves(browser, SIGN_IN).await;
    browser.send("GET", &provider.vouches(&to), "").await.1
}

#[tokio::test]
async fn a_subject_that_the_operator_bound_comes_in() {
    let provider = Provider::new().await;
    let (server, _) = with_rosa(&provider).await;
    ok(&bind(&server, &provider, "rosa", "town-1"));
    assert!(!bind(&server, &provider, "rosa", "town-1").status.success());
    assert!(!user(&server, &["bind", "rosa", "--issuer", "http://id.example", "--subject", "x"]).status.success());
    let mut http = server.http().await;
    let mut one = browser(&server, &mut http);
    let to = leaves(&mut one, SIGN_IN).await;
    let asked = pairs(to.split_once('?').unwrap().1);
    assert_eq!((asked["response_type"].as_str(), asked["scope"].as_str()), ("code", "openid"));
    assert_eq!(asked["redirect_uri"], format!("{}/account/sign-in/outside/back", one.origin));
    assert!(!asked.contains_key("max_age") && asked["state"].len() > 40 && asked["nonce"].len() > 40);
    let back = provider.vouches(&to);
    let (status, to, _) = one.send("GET", &back, "").await;
    assert_eq!((status, to.as_str()), (303, "/account/security"));
    let page = one.send("GET", "/account/security", "").await.2;
    assert!(page.contains("Rosa Diaz") && page.contains("Town ID"), "{page}");
    // Unbound, nobody is left signed in, and nobody comes in.
    ok(&user(&server, &["unbind", "rosa"]));
    assert_eq!(one.send("GET", "/account/security", "").await.0, 303);
    assert_eq!(signs_in(&mut one, &provider).await, IN_VAIN);
    ok(&bind(&server, &provider, "rosa", "town-1"));
    assert_eq!(signs_in(&mut one, &provider).await, "/account/security");
    ok(&user(&server, &["disable", "rosa"]));
    assert_eq!(signs_in(&mut one, &provider).await, IN_VAIN);
}

#[tokio::test]
async fn an_apps_request_waits_for_who_goes_to_the_provider() {
    let provider = Provider::new().await;
    let (server, _) = with_rosa(&provider).await;
    ok(&bind(&server, &provider, "rosa", "town-1"));
    let add = ["client", "add", "Walks", "--public", "--redirect", REDIRECT, "--scope", "launch/patient patient/*.rs"];
    let app = ok(&crate::support::handrail().args(add).arg("--data").arg(&server.directory).output().unwrap());
    let mut http = server.http().await;
    let mut one = browser(&server, &mut http);
    let (challenge, aud) = (Challenge::of(VERIFIER).as_parameter(), encoded(&server.base));
    let path = format!(
        "/oauth/authorize?response_type=code&client_id={}&redirect_uri={}&scope=launch%2Fpatient%20patient%2FPatient.rs\
         &state=s-1&aud={aud}&code_challenge={challenge}&code_challenge_method=S256",
        app.trim(),
        encoded(REDIRECT),
    );
    let (_, continued, _) = one.send("GET", &path, "").await;
    let (_, sign_in, _) = one.send("GET", &continued, "").await;
    assert!(sign_in.starts_with("/account/sign-in?continuation="), "{sign_in}");
    let to = leaves(&mut one, &sign_in).await;
    assert!(!to.contains(sign_in.split_once('=').unwrap().1), "the provider is not told what waits: {to}");
    let (_, back, _) = one.send("GET", &provider.vouches(&to), "").await;
    assert_eq!(back, continued);
    let (status, _, page) = one.send("GET", &back, "").await;
    assert!(status == 200 && page.contains("/account/consent") && page.contains("Walks"), "{page}");
}

#[tokio::test]
async fn a_name_or_an_address_binds_nothing() {
    let provider = Provider::new().await;
    let (server, _) = with_rosa(&provider).await;
    ok(&bind(&server, &provider, "rosa", "town-2"));
    provider.behaves(|manners| {
        manners.claims =
            json!({ "email": "rosa", "email_verified": true, "preferred_username": "rosa", "name": "rosa" });
    });
    let mut http = server.http().await;
    let mut one = browser(&server, &mut http);
    assert_eq!(signs_in(&mut one, &provider).await, IN_VAIN);
    assert!(!is_in(&one));
    let (_, _, page) = one.send("GET", IN_VAIN, "").await;
    assert!(page.contains("That way of signing in did not work"), "{page}");
    // The operator finds out who it was.
    let token = server.full_token();
    let trail = http.get_as(&token, "/fhir/AuditEvent?outcome=4&_count=20").await;
    let details = trail.json()["entry"][0]["resource"]["entity"][1]["query"].as_str().map(|text| STANDARD.decode(text));
    let details = String::from_utf8(details.unwrap().unwrap()).unwrap();
    assert!(details.contains("subject=town%2D1"), "{details}");
}

#[tokio::test]
async fn what_the_provider_did_not_say_of_this_sign_in_is_worth_nothing() {
    let provider = Provider::new().await;
    let (server, _) = with_rosa(&provider).await;
    ok(&bind(&server, &provider, "rosa", "town-1"));
    let mut http = server.http().await;
    let mut one = browser(&server, &mut http);
    for (what, claims) in [
        ("another issuer", json!({ "iss": "https://evil.example" })),
        ("another audience", json!({ "aud": "another" })),
        ("two audiences", json!({ "aud": [US, "another"] })),
        ("no nonce", json!({ "nonce": null })),
        ("another nonce", json!({ "nonce": "x" })),
        ("ended", json!({ "exp": now_s() - 3600 })),
        ("not yet", json!({ "iat": now_s() + 3600 })),
        ("no subject", json!({ "sub": " " })),
    ] {
        provider.behaves(|manners| manners.claims = claims);
        assert_eq!(signs_in(&mut one, &provider).await, IN_VAIN, "{what}");
        assert!(!is_in(&one), "{what}");
    }
    provider.behaves(|manners| (manners.claims, manners.unsigned) = (json!({}), true));
    assert_eq!(signs_in(&mut one, &provider).await, IN_VAIN, "alg none");
    provider.behaves(|manners| manners.unsigned = false);

    // Mix-up: the answer says that it is another provider's, or does not say whose it is (RFC 9207).
    for change in ["&iss=https%3A%2F%2Fevil.example", ""] {
        let to = leaves(&mut one, SIGN_IN).await;
        let back = provider.vouches(&to);
        let back = format!("{}{change}", back.split_once("&iss=").unwrap().0);
        assert_eq!(one.send("GET", &back, "").await.1, IN_VAIN, "{change}");
    }
    // The person said no.
    let to = leaves(&mut one, SIGN_IN).await;
    let back = provider.vouches(&to);
    let (start, rest) = back.split_once("code=").unwrap();
    let back = format!("{start}error=access_denied&{}", rest.split_once('&').unwrap().1);
    assert_eq!(one.send("GET", &back, "").await.1, IN_VAIN);
    assert!(!is_in(&one));
    assert_eq!(signs_in(&mut one, &provider).await, "/account/security");
}

#[tokio::test]
async fn a_state_is_of_one_browser_and_counts_once() {
    let provider = Provider::new().await;
    let (server, _) = with_rosa(&provider).await;
    ok(&bind(&server, &provider, "rosa", "town-1"));
    let (mut first, mut second) = (server.http().await, server.http().await);
    let (mut one, mut other) = (browser(&server, &mut first), browser(&server, &mut second));
    // Login CSRF: an attacker's answer in somebody else's browser, which has begun one of its own.
    let to = leaves(&mut one, SIGN_IN).await;
    let back = provider.vouches(&to);
    leaves(&mut other, SIGN_IN).await;
    assert_eq!(other.send("GET", &back, "").await.1, "/account/sign-in?notice=outside");
    assert!(!is_in(&other));
    let redeemed = || provider.manners.lock().unwrap().redeemed;
    assert_eq!(redeemed(), 0, "nobody was asked");
    // No state, a made-up one, and one whose handle was changed on the way.
    let query = back.split_once('?').unwrap().1;
    let without: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("state=")).collect();
    let path = "/account/sign-in/outside/back?";
    for query in [without.join("&"), format!("{}&state=AAAA", without.join("&"))] {
        assert_eq!(one.send("GET", &format!("{path}{query}"), "").await.1, "/account/sign-in?notice=outside");
    }
    let cookies = one.cookies.clone();
    for (name, value) in &mut one.cookies {
        if name == "__Host-handrail-outside" {
            *value = "to-password".into();
        }
    }
    assert_eq!(one.send("GET", &back, "").await.1, "/account/sign-in?notice=outside");
    one.cookies = cookies.clone();
    assert_eq!((redeemed(), one.send("GET", &back, "").await.1), (0, "/account/security".to_owned()));
    // Once: not in the browser that has come in, nor in that browser as it was.
    assert_eq!(one.send("GET", &back, "").await.1, "/account/sign-in?notice=outside");
    one.cookies = cookies;
    assert_eq!(one.send("GET", &back, "").await.1, "/account/sign-in?notice=outside");
    assert!(!is_in(&one));
    assert_eq!(redeemed(), 1);
    // From another site one is not sent off, and a HEAD or a form is no way back.
    for (method, path) in [("HEAD", path), ("POST", path), ("POST", "/account/sign-in/outside")] {
        assert_eq!(one.send(method, path, "").await.0, 405, "{method} {path}");
    }
    let cookies: Vec<String> = other.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    let fields = [("cookie", cookies.as_str()), ("sec-fetch-site", "cross-site")];
    let answer = second.get("/account/sign-in/outside?provider=outside", &fields).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/account/sign-in"));
}

#[tokio::test]
async fn an_invitation_is_taken_up_through_the_provider() {
    let provider = Provider::new().await;
    let (server, link) = with_rosa(&provider).await;
    let mut http = server.http().await;
    let mut one = browser(&server, &mut http);
    let origin = one.origin.clone();
    let path = |link: &str| link.strip_prefix(&origin).unwrap().to_owned();
    assert_eq!(one.send("GET", &path(&link), "").await.1, "/account/invitation");
    let to = leaves(&mut one, "/account/invitation").await;
    let (status, to, _) = one.send("GET", &provider.vouches(&to), "").await;
    assert!(status == 303 && to.starts_with("/account/") && !to.contains("notice"), "{to}");
    assert!(one.send("GET", "/account/security", "").await.2.contains("Rosa Diaz"));
    // The link is used up, and the subject is Rosa's.
    one.cookies.clear();
    assert_eq!(one.send("GET", &path(&link), "").await.0, 404);
    assert_eq!(signs_in(&mut one, &provider).await, "/account/security");
    one.cookies.clear();
    let link = ok(&user(&server, &["add", "office", "--name", "Office", "--role", "administrator"]));
    one.send("GET", &path(link.trim()), "").await;
    let to = leaves(&mut one, "/account/invitation").await;
    let (_, to, _) = one.send("GET", &provider.vouches(&to), "").await;
    assert_eq!(to, "/account/invitation?notice=outside", "one subject, one account");
    assert!(!is_in(&one));
    // The invitation stands, with a password or with somebody else's subject.
    provider.behaves(|manners| manners.claims = json!({ "sub": "town-9" }));
    let to = leaves(&mut one, &to).await;
    let (_, to, _) = one.send("GET", &provider.vouches(&to), "").await;
    assert!(is_in(&one), "{to}");
    assert!(to.starts_with("/account/passkey/add"), "an administrator needs two factors: {to}");
}

#[tokio::test]
async fn two_factors_are_the_providers_when_it_says_so_and_ours_when_not() {
    let provider = Provider::new().await;
    let server = provider.server();
    ok(&user(&server, &["add", "office", "--name", "Office", "--role", "administrator"]));
    ok(&bind(&server, &provider, "office", "town-1"));
    let mut http = server.http().await;
    let mut one = browser(&server, &mut http);
    assert!(signs_in(&mut one, &provider).await.starts_with("/account/passkey/add"));
    one.cookies.clear();
    provider.behaves(|manners| manners.claims = json!({ "amr": ["pwd", "mfa"] }));
    assert_eq!(signs_in(&mut one, &provider).await, "/account/security");
    // What is dangerous wants a proof that is fresh, from the provider too: it is asked for one, and held to it.
    provider.behaves(|manners| manners.claims = json!({ "amr": ["mfa"], "auth_time": now_s() - 3600 }));
    one.cookies.clear();
    assert_eq!(signs_in(&mut one, &provider).await, "/account/security");
    let (status, to, _) = one.send("GET", "/account/security/password", "").await;
    assert_eq!((status, to.as_str()), (303, "/account/sign-in?continuation=to-password"));
    let away = leaves(&mut one, &to).await;
    assert_eq!(pairs(away.split_once('?').unwrap().1)["max_age"], "0");
    let (_, to, _) = one.send("GET", &provider.vouches(&away), "").await;
    assert_eq!(to, "/account/sign-in?continuation=to-password&notice=outside", "it did not ask");
    provider.behaves(|manners| manners.claims = json!({ "amr": ["mfa"] }));
    let away = leaves(&mut one, &to).await;
    assert_eq!(one.send("GET", &provider.vouches(&away), "").await.1, "/account/security/password");
    assert_eq!(one.send("GET", "/account/security/password", "").await.0, 200);
}

#[tokio::test]
async fn a_provider_that_fails_is_in_nobodys_way() {
    for (what, document) in [
        ("another issuer", json!({ "issuer": "https://evil.example" })),
        ("no TLS", json!({ "token_endpoint": "http://127.0.0.1/token" })),
        ("HMAC alone", json!({ "id_token_signing_alg_values_supported": ["none", "HS256"] })),
        ("too large", json!({ "more": "x".repeat(300_000) })),
        ("gone", Value::Null),
    ] {
        let provider = Provider::new().await;
        let server = if document.is_null() {
            let issuer = &provider.issuer;
            let gone = issuer.replace(issuer.split(['/', ':']).nth(4).unwrap(), "1");
            Server::configured(&provider.settings().replace(issuer, &gone))
        } else {
            provider.behaves(|manners| manners.document = document);
            provider.server()
        };
        let mut http = server.http().await;
        let mut one = browser(&server, &mut http);
        assert_eq!(leaves(&mut one, SIGN_IN).await, IN_VAIN, "{what}");
        let csrf = one.token(SIGN_IN).await;
        let form = format!("csrf={csrf}&user=rosa&password=three+grey+herons&continuation=to-security");
        let (status, _, page) = one.send("POST", "/account/sign-in", &form).await;
        assert!(status == 403 && page.contains("Please check both"), "{what}: {status}");
        // Nothing of it is told, and no secret.
        assert!(!server.log().contains(SECRET), "{what}");
    }
}

#[test]
fn settings_that_do_not_fit_together_are_refused() {
    let own = tempfile::tempdir().unwrap();
    let config = own.path().join("handrail.toml");
    let whole = "[openid]\nissuer = \"https://id.example\"\nclient_id = \"us\"\nclient_secret_file = \"secret\"\n";
    for (text, words) in [
        ("[openid]\nissuer = \"https://id.example\"".to_owned(), "openid.issuer needs openid.client_id"),
        ("[openid]\nname = \"Town ID\"".to_owned(), "openid.name needs openid.issuer"),
        (whole.replace("https://id", "http://id"), "openid.issuer: expected an https URL"),
        (whole.replace(".example", ".example?a=b"), "openid.issuer: expected an https URL"),
    ] {
        std::fs::write(&config, &text).unwrap();
        let output = crate::support::run(["config", "--config", config.to_str().unwrap()]);
        assert!(!output.status.success() && stderr(&output).contains(words), "{text}: {}", stderr(&output));
    }
    std::fs::write(&config, whole).unwrap();
    for (secret, words) in [(None, "secret: "), (Some(" \n"), "expected the provider's secret")] {
        if let Some(secret) = secret {
            std::fs::write(own.path().join("secret"), secret).unwrap();
        }
        let arguments = ["serve", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0", "--data"];
        let output = crate::support::handrail().args(arguments).arg(own.path().join("data")).output().unwrap();
        assert!(!output.status.success() && stderr(&output).contains(words), "{}", stderr(&output));
    }
}
