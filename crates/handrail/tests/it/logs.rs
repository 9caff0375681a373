//! Log lines: what they say, and that nothing of a request, a token or a secret is ever in them (invariant 11; rows
//! F15, F24, F61). The audit directory holds queries and ids by design, and no token or key.

use crate::support::{Http, Server, add_client, handrail, handshake, stderr, stdout, tls};
use rustls::pki_types::ServerName;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// In everything that must not be seen.
const CANARY: &str = "CANARYq9";

fn lines(log: &str) -> Vec<Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn answered(log: &str) -> Vec<Value> {
    lines(log).into_iter().filter(|line| line["target"] == "handrail::access").collect()
}

#[tokio::test]
async fn a_request_is_one_line_joined_by_its_id_to_answer_and_audit_log() {
    let mut server = Server::configured("[log]\naccess = \"all\"\nformat = \"json\"\n");
    let client = server.client("reader", "system/*.cruds");
    let token = server.token(&client);
    let mut http = server.http().await;
    let body = r#"{"resourceType":"Patient","id":"p"}"#;
    let created = http.put_as(&token, "PUT", "/fhir/Patient/p", body).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("x-request-id", "from-the-client-1")];
    let missing = http.get("/fhir/Observation/none", &headers).await;
    assert_eq!((created.status.as_u16(), missing.status.as_u16()), (201, 404));
    http.get("/livez", &[]).await;
    server.stop("TERM");
    let log = server.log();
    let find = |id: &str| {
        let found: Vec<Value> = answered(&log).into_iter().filter(|line| line["request_id"] == id).collect();
        assert_eq!(found.len(), 1, "{id}: {log}");
        found[0].clone()
    };
    let line = find(created.header("x-request-id"));
    for (field, value) in
        [("interaction", "update"), ("type", "Patient"), ("client", client.id.as_str()), ("peer", "127.0.0.1")]
    {
        assert_eq!(line[field], value, "{line}");
    }
    assert_eq!((line["status"].as_u64(), line["level"].as_str()), (Some(201), Some("INFO")));
    assert!(line["ms"].as_f64().unwrap() > 0.0 && line["bytes"].as_u64().is_some(), "{line}");
    let line = find("from-the-client-1");
    assert_eq!((line["refused"].as_str(), line["status"].as_u64()), (Some("not-found"), Some(404)));
    let interactions: Vec<_> = answered(&log).iter().map(|line| line["interaction"].to_string()).collect();
    for name in ["\"health\"", "\"discovery\"", "\"token\""] {
        assert!(interactions.iter().any(|seen| seen == name), "{name}: {interactions:?}");
    }
    let own = lines(&log);
    assert_eq!(own.len(), log.lines().count(), "every line is JSON: {log}");
    for message in ["started", "stopping: requests in flight finish first", "stopped"] {
        assert!(own.iter().any(|line| line["message"] == message), "{message}: {log}");
    }
}

#[tokio::test]
async fn by_default_only_problems_have_a_line() {
    let mut server = Server::start();
    let mut http = server.http().await;
    assert_eq!(http.get("/fhir/metadata", &[]).await.status, 200);
    assert_eq!(http.get("/fhir/Patient", &[]).await.status, 401);
    server.stop("TERM");
    let log = server.log();
    let seen: Vec<_> = answered(&log).iter().map(|line| line["refused"].to_string()).collect();
    assert_eq!(seen, ["\"token-missing\""], "{log}");
}

/// A name that holds the canary, of one place.
fn canary(place: &str) -> String {
    format!("{CANARY}-{place}")
}

fn patient() -> String {
    let text = |place: &str| canary(place);
    serde_json::json!({
        "resourceType": "Patient", "id": "p1",
        "name": [{"family": text("family"), "given": [text("given")]}],
        "identifier": [{"system": format!("urn:{}", text("system")), "value": text("identifier")}],
        "telecom": [{"system": "phone", "value": text("phone")}],
        "address": [{"line": [text("street")], "city": text("city")}],
        "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", text("div"))},
    })
    .to_string()
}

/// Puts a canary into every place that a stranger or a client can fill.
async fn over_http(http: &mut Http, token: &str) {
    let bearer = format!("Bearer {token}");
    let authorized = ("authorization", bearer.as_str());
    let json = ("content-type", "application/fhir+json");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let stored = http.put_as(token, "PUT", "/fhir/Patient/p1", &patient()).await;
    assert!(matches!(stored.status.as_u16(), 200 | 201), "{stored:?}");
    for path in [
        format!("/fhir/Patient?family={}&identifier={}", canary("value"), canary("token")),
        format!("/fhir/Patient?{}=x", canary("parameter")),
        format!("/fhir/Patient?birthdate={}", canary("date")),
        format!("/fhir/Patient?_sort={}&_count={}", canary("sort"), canary("count")),
        format!("/fhir/Patient?_cursor={}", canary("cursor")),
        format!("/fhir/Patient?_include={}", canary("include")),
        format!("/fhir/Observation?patient.name={}&code={}%7C1", canary("chain"), canary("code")),
        format!("/fhir/Patient?_has:Observation:patient:code={}", canary("has")),
        format!("/fhir/Patient?_format={}", canary("format")),
        format!("/fhir/Patient/{}", canary("id")),
        format!("/fhir/Patient/{}/_history/{}", canary("id"), canary("version")),
        format!("/fhir/{}", canary("type")),
        format!("/fhir/{}/$everything", canary("path")),
        format!("/{}", canary("door")),
        format!("/oauth/{}", canary("endpoint")),
        "/fhir/Patient/p1".to_owned(),
    ] {
        http.get(&path, &[authorized]).await;
        http.get(&path, &[]).await;
        http.send("PATCH", &path, &[authorized, json], canary("patch")).await;
        http.send("POST", &path, &[authorized, json], canary("body")).await;
    }
    let search = format!("family={}&{}=1", canary("posted"), canary("posted-parameter"));
    http.send("POST", "/fhir/Patient/_search", &[authorized, form], search).await;
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{},"request":{{"method":"PUT","url":"Patient/{}"}}}},
            {{"request":{{"method":"GET","url":"Patient?name={}"}}}}]}}"#,
        patient(),
        canary("entry"),
        canary("entry-query")
    );
    for body in [
        bundle,
        format!(r#"{{"resourceType":"Patient","id":"p1","gender":"{}"}}"#, canary("gender")),
        format!(r#"{{"resourceType":"Patient","{}":true}}"#, canary("element")),
        format!(r#"{{"resourceType":"{}"}}"#, canary("resource-type")),
        format!(r#"{{"resourceType":"Patient","name":[{{"family":"{}"#, canary("cut")),
        canary("no-json"),
    ] {
        for (method, path) in [("PUT", "/fhir/Patient/p1"), ("POST", "/fhir/Patient"), ("POST", "/fhir")] {
            http.send(method, path, &[authorized, json], body.clone()).await;
        }
    }
    let (plain, tagged) = (canary("header"), format!("W/\"{}\"", canary("etag")));
    let credentials = format!("Bearer {}", canary("bad-token-of-a-plausible-length-000000000"));
    let basic = format!("Basic {}", canary("basic"));
    for header in [
        ("x-secret", plain.as_str()),
        ("cookie", &plain),
        ("if-match", &tagged),
        ("if-none-match", &tagged),
        ("if-none-exist", &plain),
        ("prefer", &plain),
        ("accept", &plain),
        ("origin", &plain),
        ("content-encoding", &plain),
        ("host", &plain),
        ("x-request-id", "CANARYq9 not plain"),
    ] {
        http.put_as(token, "PUT", "/fhir/Patient/p1", &patient()).await;
        http.send("PUT", "/fhir/Patient/p1", &[authorized, json, header], patient()).await;
        http.send("POST", "/fhir/Patient", &[authorized, json, header], patient()).await;
    }
    for bad in [&credentials, &basic, &plain] {
        http.get("/fhir/Patient/p1", &[("authorization", bad)]).await;
    }
    let jwt = format!("eyJhbGciOiJFUzM4NCJ9.{}.{}", "eyJzdWIiOiJDQU5BUllxOSJ9", canary("signature"));
    for (path, body) in [
        ("/oauth/token", format!("grant_type={}", canary("grant"))),
        (
            "/oauth/token",
            format!(
                "grant_type=client_credentials&scope={}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion={jwt}",
                canary("scope")
            ),
        ),
        ("/oauth/introspect", format!("token={}", canary("token"))),
        ("/oauth/revoke", format!("token={token}&{}=1", canary("field"))),
        ("/oauth/token", canary("form")),
    ] {
        http.send("POST", path, &[form], body.clone()).await;
        http.send("POST", path, &[form, ("authorization", &basic)], body).await;
    }
}

/// Below HTTP: names and bytes that are no request.
async fn below_http(server: &Server) {
    let name = format!("{}.example", canary("sni").to_ascii_lowercase());
    let config = Arc::new(tls(&server.ca(), rustls::ALL_VERSIONS, &[b"http/1.1"]));
    let tcp = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
    let _ = TlsConnector::from(Arc::clone(&config)).connect(ServerName::try_from(name).unwrap(), tcp).await;
    let alpn = canary("alpn");
    let _ = handshake(server.port, tls(&server.ca(), rustls::ALL_VERSIONS, &[alpn.as_bytes()])).await;
    for bytes in
        [canary("not-tls"), format!("GET /{} HTTP/1.1\r\nHost: {}\r\n\r\n", canary("plain"), canary("plain-host"))]
    {
        let mut tcp = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        tcp.write_all(bytes.as_bytes()).await.unwrap();
        let mut stream = handshake(server.port, tls(&server.ca(), rustls::ALL_VERSIONS, &[b"http/1.1"])).await.unwrap();
        stream.write_all(format!("{bytes}\r\n\r\n").as_bytes()).await.unwrap();
        let _ = stream.flush().await;
        let mut stream = handshake(server.port, tls(&server.ca(), rustls::ALL_VERSIONS, &[b"h2"])).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let _ = stream.flush().await;
    }
}

/// The control socket, by hand and by the commands; what they print.
fn beside_http(server: &Server, token: &str, own: &Path) -> String {
    let mut printed = String::new();
    for line in [
        canary("order"),
        format!(r#"{{"order":"{}"}}"#, canary("kind")),
        format!(r#"{{"order":"remove-client","id":"{}"}}"#, canary("client")),
        format!(
            r#"{{"order":"add-client","name":"n","scope":"{}","keys":{{"inline":"{}"}},"origins":[]}}"#,
            canary("scope"),
            canary("keys")
        ),
    ] {
        let mut socket = UnixStream::connect(server.directory.join("control.sock")).unwrap();
        writeln!(socket, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).unwrap();
        printed.push_str(&answer);
    }
    let key = own.join("canary.jwk");
    std::fs::write(&key, format!(r#"{{"kty":"EC","crv":"P-384","d":"{}"}}"#, canary("private"))).unwrap();
    let resource = own.join("resource.json");
    std::fs::write(&resource, patient().replace("generated", &canary("status"))).unwrap();
    let ca = server.ca();
    let (ca, key, resource) = (ca.to_str().unwrap(), key.to_str().unwrap(), resource.to_str().unwrap());
    let bad = canary("cli-token");
    for arguments in [
        vec!["token", "--server", &server.base, "--client", "nobody", "--key", key, "--ca", ca],
        vec!["load", resource, "--server", &server.base, "--token", &bad, "--ca", ca],
        vec!["load", resource, "--server", &server.base, "--token", token, "--ca", ca],
    ] {
        let output =
            handrail().env("HANDRAIL_LOG_LEVEL", "trace").env("RUST_LOG", "trace").args(arguments).output().unwrap();
        printed.push_str(&stdout(&output));
        printed.push_str(&stderr(&output));
    }
    let secret = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", canary("config"));
    let output = handrail().arg("serve").env("HANDRAIL_TLS_KEY", secret).output().unwrap();
    assert!(!output.status.success());
    printed + &stderr(&output)
}

/// Whether any file below a directory holds one of these.
fn holds(directory: &Path, secrets: &[&str]) -> Option<String> {
    std::fs::read_dir(directory).unwrap().map(Result::unwrap).find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, secrets);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        let found =
            secrets.iter().find(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()))?;
        Some(format!("{}: {found}", path.display()))
    })
}

/// Somebody takes an account up, types secrets in all the wrong places, and signs in. What must stand nowhere: the link,
/// the codes, the cookies, the form tokens.
async fn people(server: &Server, token: &str) -> Vec<String> {
    use crate::users::{Browser, user};
    let mut http = server.http().await;
    let resource = r#"{"resourceType":"Patient","id":"someone"}"#;
    http.put_as(token, "PUT", "/fhir/Patient/someone", resource).await;
    let name = canary("person");
    let add = ["add", "someone", "--name", &name, "--role", "patient", "--as", "Patient/someone"];
    let link = stdout(&user(server, &add));
    let (origin, path) = link.trim().split_at(link.find("/account/").unwrap());
    let mut browser = Browser { http: &mut http, origin: origin.to_owned(), cookies: Vec::new() };
    let mut secrets = vec![path.split_once('=').unwrap().1.to_owned()];
    browser.send("GET", &format!("/account/invitation?invitation={}", canary("invitation")), "").await;
    browser.send("GET", path, "").await;
    let password = canary("a password nobody guesses").replace(' ', "+");
    let csrf = browser.token("/account/invitation").await;
    let form = format!("csrf={csrf}&user=someone&password={password}&again={password}");
    let (status, _, page) = browser.send("POST", "/account/invitation", &form).await;
    assert_eq!(status, 200, "{page}");
    let codes = page.split("<li><code>").skip(1).map(|rest| rest.split_once('<').unwrap().0.to_owned());
    secrets.extend(codes.chain([csrf]));
    secrets.extend(browser.cookies.drain(..).map(|(_, value)| value));
    let csrf = browser.token(&format!("/account/sign-in?continuation={}", canary("handle"))).await;
    for (user, password) in [("someone", canary("wrong")), (&canary("user"), canary("wrong")), ("someone", password)] {
        let form = format!("csrf={csrf}&user={user}&password={password}&continuation={}", canary("c"));
        browser.send("POST", "/account/sign-in", &form).await;
    }
    browser.send("POST", "/account/recovery", &format!("csrf={csrf}&user=someone&code={}", canary("code"))).await;
    secrets.extend(browser.cookies.drain(..).map(|(_, value)| value));
    secrets.retain(|secret| secret.len() > 8);
    secrets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_canary_is_in_any_output() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let mut server = Server::telling_all(&data);
    let token = server.full_token();
    // A client whose keys are fetched from an address that answers nothing, and whose name is a canary.
    let far = handrail()
        .args(["client", "add", &canary("client-name"), "--scope", "system/*.rs", "--data"])
        .arg(&data)
        .args(["--jwks", &format!("https://127.0.0.1:1/{}", canary("jwks"))])
        .output()
        .unwrap();
    assert!(far.status.success(), "{}", stderr(&far));
    let key = add_client(&data, "known", "system/*.rs").key;
    let asked = handrail()
        .args(["token", "--server", &server.base, "--client", stdout(&far).trim(), "--key"])
        .arg(&key)
        .arg("--ca")
        .arg(server.ca())
        .output()
        .unwrap();
    assert!(!asked.status.success());

    over_http(&mut server.http().await, &token).await;
    let other = server.full_token();
    over_http(&mut Http::connect(server.port, &server.ca(), true).await, &other).await;
    below_http(&server).await;
    let secrets = people(&server, &token).await;
    let last = server.full_token();
    let printed = beside_http(&server, &last, own.path());

    // To someone else: what was asked before is not told.
    let mut stranger = server.http().await;
    for path in ["/fhir/Patient/p1", "/fhir/metadata", "/fhir/.well-known/smart-configuration", "/nowhere"] {
        let body = stranger.get(path, &[]).await.body;
        assert!(!String::from_utf8_lossy(&body).contains(CANARY), "{path}");
    }
    let (_, metrics) = server.scrape("GET /metrics");
    timeout(Duration::from_secs(30), async { server.stop("TERM") }).await.unwrap();
    let log = server.log();
    assert!(log.lines().count() > 100, "the log is verbose: {log}");
    for line in log.lines() {
        let lower = line.to_ascii_lowercase();
        assert!(!lower.contains(&CANARY.to_ascii_lowercase()), "log: {line}");
        assert!(!line.contains("p1") && !line.contains("family"), "log: {line}");
        for secret in [&token, &other, &last].into_iter().chain(&secrets) {
            assert!(!line.contains(secret.as_str()), "log: {line}");
        }
    }
    assert!(!metrics.contains(CANARY) && !metrics.contains(token.as_str()), "{metrics}");
    // The commands may name files and elements, never credentials.
    for secret in [&canary("cli-token"), &canary("private"), &canary("config"), &canary("family"), &last] {
        assert!(!printed.contains(secret.as_str()), "{secret}: {printed}");
    }
    // The audit log holds queries by design, and no credential; nor does anything else on disk.
    let private = std::fs::read_to_string(&key).unwrap();
    let private: Value = serde_json::from_str(&private).unwrap();
    let bad = [canary("bad-token"), canary("signature"), canary("basic"), canary("cli-token")];
    let secrets = [&token, &other, &last, private["d"].as_str().unwrap(), &bad[0], &bad[1], &bad[2], &bad[3]];
    assert_eq!(holds(&data, &secrets), None);
}
