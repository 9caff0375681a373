//! Clients that register themselves over TLS with an initial access token of `handrail client invite`. Rows B13 to B15,
//! F16, F60, F61.

use crate::{
    support::{Http, Server, handrail, ok, run, stderr},
    users::Browser,
};
use serde_json::{Value, json};

fn invite(server: &Server, arguments: &[&str]) -> std::process::Output {
    handrail().args(["client", "invite"]).args(arguments).arg("--data").arg(&server.directory).output().unwrap()
}

async fn send(http: &mut Http, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = http.send(method, path, &headers, body.to_owned()).await;
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn system(folder: &std::path::Path) -> (Value, std::path::PathBuf) {
    let made = crate::support::add_client(&folder.join("elsewhere"), "pair", "system/*.rs");
    let mut public: Value = serde_json::from_slice(&std::fs::read(&made.key).unwrap()).unwrap();
    public.as_object_mut().unwrap().remove("d");
    let body = json!({
        "client_name": "Lab",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": "system/Patient.rs",
        "jwks": { "keys": [public] },
    });
    (body, made.key)
}

fn token_of(server: &Server, id: &str, key: &std::path::Path) -> std::process::Output {
    let mut command = handrail();
    command.args(["token", "--server", &server.base, "--client", id]).arg("--key").arg(key);
    command.arg("--ca").arg(server.ca()).output().unwrap()
}

#[tokio::test]
async fn b14_a_system_registers_itself_and_works() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let directory = server.directory.to_str().unwrap();
    let mut http = server.http().await;
    let offered = http.get("/fhir/.well-known/smart-configuration", &[]).await.json();
    let endpoint = offered["registration_endpoint"].as_str().unwrap();
    let path = endpoint.strip_prefix(server.base.trim_end_matches("/fhir")).unwrap().to_owned();
    let scope = ["--scope", "system/Patient.rs system/Observation.rs", "--kind", "backend-service"];
    let output = invite(&server, &[&["Lab Inc."], &scope[..]].concat());
    let token = ok(&output);
    assert_eq!(token.lines().count(), 1, "the token alone");
    let token = token.trim();
    let listed = ok(&run(["client", "invitations", "--data", directory]));
    assert!(listed.contains("\t1\tLab Inc.\tbackend-service\tsystem/Patient.rs"), "{listed}");
    assert!(!listed.contains(token));
    let (body, key) = system(own.path());
    // Without leave, and beyond it: nothing.
    assert_eq!(send(&mut http, "POST", &path, "x", &body.to_string()).await.0, 401);
    let mut wide = body.clone();
    wide["scope"] = "system/*.cruds".into();
    let (status, refused) = send(&mut http, "POST", &path, token, &wide.to_string()).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_client_metadata")));
    assert!(refused["error_description"].as_str().unwrap().contains("scope"), "{refused}");
    let (status, made) = send(&mut http, "POST", &path, token, &body.to_string()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(send(&mut http, "POST", &path, token, &body.to_string()).await.0, 401, "once");
    assert_eq!(ok(&run(["client", "invitations", "--data", directory])), "");
    let id = made["client_id"].as_str().unwrap();
    let access = ok(&token_of(&server, id, &key)).trim().to_owned();
    assert_eq!(http.get_as(&access, "/fhir/Patient").await.status, 200);
    assert_eq!(http.get_as(&access, "/fhir/Observation").await.status, 403);
    // The same register as the operator's.
    let shown = ok(&run(["client", "show", id, "--data", directory]));
    assert!(shown.contains("registered itself by invitation\t") && shown.contains("name\tLab"), "{shown}");
    // RFC 7592 over the wire.
    let own_url = made["registration_client_uri"].as_str().unwrap();
    let own_path = own_url.strip_prefix(server.base.trim_end_matches("/fhir")).unwrap();
    let own_token = made["registration_access_token"].as_str().unwrap();
    assert_eq!(send(&mut http, "GET", own_path, own_token, "").await, (200, made.clone()));
    assert_eq!(send(&mut http, "GET", own_path, &access, "").await.0, 401, "an access token is none of these");
    assert_eq!(http.get_as(own_token, "/fhir/Patient").await.status, 401, "and the other way round");
    for secret in [token, own_token, &access] {
        assert!(!server.log().contains(secret), "F24");
    }
    assert_eq!(send(&mut http, "DELETE", own_path, own_token, "").await.0, 204);
    assert_eq!(http.get_as(&access, "/fhir/Patient").await.status, 401);
    assert_eq!(ok(&run(["client", "list", "--data", directory])), "");
}

#[tokio::test]
async fn b14_leave_that_was_withdrawn_is_none() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let directory = server.directory.to_str().unwrap();
    let arguments = ["Lab", "--kind", "backend-service", "--scope", "system/*.rs", "--uses", "3"];
    let token = ok(&invite(&server, &arguments)).trim().to_owned();
    let listed = ok(&run(["client", "invitations", "--data", directory]));
    let name = listed.split('\t').next().unwrap().to_owned();
    ok(&run(["client", "withdraw", &name, "--data", directory]));
    let again = run(["client", "withdraw", &name, "--data", directory]);
    assert!(!again.status.success() && stderr(&again).contains("initial access token"), "{}", stderr(&again));
    let mut http = server.http().await;
    let (body, _) = system(own.path());
    assert_eq!(send(&mut http, "POST", "/oauth/register", &token, &body.to_string()).await.0, 401);
    for wrong in [
        &["Lab", "--kind", "nonsense", "--scope", "system/*.rs"][..],
        &["Lab", "--kind", "public", "--scope", "system/Nonsense.rs"],
        &["Lab", "--kind", "public", "--scope", "patient/*.rs", "--uses", "0"],
        &["Lab", "--kind", "public", "--scope", "patient/*.rs", "--days", "100000"],
        &["Lab", "--scope", "patient/*.rs"],
    ] {
        assert!(!invite(&server, wrong).status.success(), "{wrong:?}");
    }
}

/// F60: an address inside that a stranger registers is never connected to.
#[tokio::test]
async fn f60_a_registered_address_inside_is_not_reached() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let arguments = ["Lab", "--kind", "backend-service", "--scope", "system/*.rs", "--uses", "9"];
    let token = ok(&invite(&server, &arguments)).trim().to_owned();
    let mut http = server.http().await;
    let (body, key) = system(own.path());
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove("jwks");
        body["jwks_uri"] = format!("https://{host}:{port}/jwks").into();
        let (status, made) = send(&mut http, "POST", "/oauth/register", &token, &body.to_string()).await;
        assert_eq!(status, 201, "{made}");
        let refused = token_of(&server, made["client_id"].as_str().unwrap(), &key);
        assert!(!refused.status.success() && stderr(&refused).contains("invalid_client"), "{}", stderr(&refused));
    }
    let nobody = std::future::poll_fn(|cx| std::task::Poll::Ready(listener.poll_accept(cx).is_pending())).await;
    assert!(nobody, "somebody connected");
}

/// The six digits of an authenticator app now (RFC 6238), from the key that the page shows.
fn digits(key: &str) -> String {
    let mut bits = 0u64;
    let (mut held, mut seed) = (0, Vec::new());
    for letter in key.bytes().filter(|letter| letter.is_ascii_alphanumeric()) {
        let value = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter.to_ascii_uppercase() - b'A' };
        (bits, held) = (bits << 5 | u64::from(value), held + 5);
        if held >= 8 {
            held -= 8;
            seed.push((bits >> held & 0xff) as u8);
        }
    }
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed);
    let tag = aws_lc_rs::hmac::sign(&key, &(now_s / 30).to_be_bytes());
    let hash = tag.as_ref();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Rows B12, A18: an administrator signs in with two factors and registers a system at the page.
#[tokio::test]
async fn b13_an_administrator_registers_a_system_at_the_page() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let add = ["user", "add", "office", "--name", "Office", "--role", "administrator", "--data"];
    let link = ok(&handrail().args(add).arg(&server.directory).output().unwrap());
    let origin = server.base.trim_end_matches("/fhir").to_owned();
    let path = link.trim().strip_prefix(&origin).unwrap().to_owned();
    let mut http = server.http().await;
    let mut browser = Browser { http: &mut http, origin, cookies: Vec::new() };
    browser.send("GET", &path, "").await;
    let csrf = browser.token("/account/invitation").await;
    let form = format!("csrf={csrf}&user=office&password=three+grey+herons&again=three+grey+herons");
    browser.send("POST", "/account/invitation", &form).await;
    let (status, to, _) = browser.send("GET", "/account/clients", "").await;
    assert_eq!((status, to.starts_with("/account/passkey/add")), (303, true), "one factor is not enough: {to}");
    let (_, _, page) = browser.send("GET", "/account/security/authenticator", "").await;
    let key = page.split_once("class=\"key\">").unwrap().1.split_once('<').unwrap().0;
    let csrf = browser.token("/account/security/authenticator").await;
    let (_, _, page_again) = browser.send("GET", "/account/security/authenticator", "").await;
    let key_again = page_again.split_once("class=\"key\">").unwrap().1.split_once('<').unwrap().0;
    assert!(!key.is_empty());
    let form = format!("csrf={csrf}&code={}", digits(key_again));
    let (status, _, page) = browser.send("POST", "/account/security/authenticator", &form).await;
    assert_eq!(status, 303, "{page}");
    let (body, key) = system(own.path());
    let csrf = browser.token("/account/clients/new").await;
    let jwks: String = url_encoded(&body["jwks"].to_string());
    let form = format!("csrf={csrf}&name=Lab&kind=backend-service&scopes=system%2FPatient.rs&jwks={jwks}");
    let (status, _, page) = browser.send("POST", "/account/clients/new", &form).await;
    assert_eq!(status, 200, "{page}");
    let id = page.split_once("class=\"key\">").unwrap().1.split_once('<').unwrap().0.to_owned();
    let access = ok(&token_of(&server, &id, &key)).trim().to_owned();
    let listed = ok(&run(["client", "list", "--data", server.directory.to_str().unwrap()]));
    assert!(listed.contains(&id), "{listed}");
    let csrf = browser.token(&format!("/account/client?client={id}")).await;
    let form = format!("csrf={csrf}&client={id}&decision=disable");
    assert_eq!(browser.send("POST", "/account/client", &form).await.0, 303);
    assert_eq!(http.get_as(&access, "/fhir/Patient").await.status, 401);
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Row F60: another host's picture comes through the guarded client, and pages show it from here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f60_a_logo_comes_through_the_guarded_client_alone() {
    let own = tempfile::tempdir().unwrap();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x40\0\0\0\x40\x08\x06\0\0\0";
    let (port, ca) = crate::clients::document(&png[..], own.path()).await;
    let logo = format!("https://127.0.0.1:{port}/logo.png");
    for (allowed, is_shown) in [("\"127.0.0.0/8\"", true), ("", false)] {
        let server =
            Server::configured(&format!("[egress]\nca = \"{}\"\nallow_networks = [{allowed}]\n", ca.display()));
        let add = ["client", "add", "My Walks", "--public", "--scope", "patient/*.rs", "--logo", &logo];
        let mut command = handrail();
        command.args(add).args(["--redirect", "https://walks.example.org/cb", "--data"]).arg(&server.directory);
        let id = ok(&command.output().unwrap()).trim().to_owned();
        let mut http = server.http().await;
        let path = format!("/account/logo/{id}");
        // It is fetched beside the registration: soon there, or refused soon and never there.
        let mut answer = http.get(&path, &[]).await;
        let began = std::time::Instant::now();
        while is_shown && answer.status == 404 && began.elapsed().as_secs() < 30 {
            answer = http.get(&path, &[]).await;
        }
        assert_eq!(answer.status == 200, is_shown);
        if is_shown {
            assert_eq!((answer.body.as_ref(), answer.header("content-type")), (&png[..], "image/png"));
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
            assert_eq!(answer.header("access-control-allow-origin"), "");
            assert!(answer.header("content-security-policy").contains("sandbox"));
        }
    }
}

/// Rows A12, B70: apps of any origin learn whose server this is.
#[tokio::test]
async fn b70_the_brands_are_published() {
    let server = Server::configured("[facility]\nname = \"Maple House\"\nwebsite = \"https://www.maple.example\"\n");
    let mut http = server.http().await;
    let offered = http.get("/fhir/.well-known/smart-configuration", &[]).await.json();
    let bundle = offered["user_access_brand_bundle"].as_str().unwrap();
    let path = bundle.strip_prefix(server.base.trim_end_matches("/fhir")).unwrap().to_owned();
    assert_eq!(offered["user_access_brand_identifier"]["value"], "https://maple.example");
    let answer = http.get(&path, &[("origin", "https://any.example")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/fhir+json"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with("W/"));
    let body = answer.json();
    // Row B71: the endpoint that it names answers.
    let address = body["entry"][1]["resource"]["address"].as_str().unwrap();
    assert_eq!(address, server.base);
    assert_eq!(http.get("/fhir/metadata", &[]).await.status, 200);
    assert_eq!(http.get(&path, &[("if-none-match", &etag)]).await.status, 304);
    // FHIR by our own validator.
    let own = tempfile::tempdir().unwrap();
    let file = own.path().join("brands.json");
    std::fs::write(&file, &answer.body).unwrap();
    let output = handrail().arg("validate").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", crate::support::stdout(&output));
    let plain = Server::start();
    let mut http = plain.http().await;
    assert_eq!(http.get("/brands", &[]).await.status, 404);
    let offered = http.get("/fhir/.well-known/smart-configuration", &[]).await.json();
    assert!(offered.get("user_access_brand_bundle").is_none());
}
