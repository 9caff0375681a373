//! Everything that lets somebody in, held against everything that the server wrote: all log lines at their most verbose,
//! all audit entries, all files, the metrics, and every page after the one that shows it. Rows F24, F61, A18, B13.
//!
//! `logs.rs` does the same for what people and clients send that is none of their business to keep.

use crate::{
    authorize::{REDIRECT, VERIFIER, ask, encoded, field, redemption},
    launch,
    support::{Server, handrail, ok, run},
    users::{Browser, user},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth::{form::Form, pkce::Challenge};
use serde_json::{Value, json};

/// What must stand nowhere, each with the name of what it is.
#[derive(Default)]
struct Secrets {
    all: Vec<(&'static str, String)>,
    /// Kept by the server while it needs them, as they were sent: of no use to a thief, but nobody's business.
    kept: Vec<(&'static str, String)>,
}

impl Secrets {
    fn hold(&mut self, name: &'static str, value: &str) {
        assert!(value.len() > 8 && value.trim() == value, "{name}: '{value}' is found by accident");
        self.all.push((name, value.to_owned()));
    }

    /// The name of the first one in these bytes, as it is or percent-encoded.
    fn within(&self, bytes: &[u8], with_kept: bool) -> Option<&'static str> {
        let kept = self.kept.iter().filter(|_| with_kept);
        self.all.iter().chain(kept).find_map(|(name, value)| {
            let forms = [value.clone(), encoded(value), value.replace(' ', "+")];
            let is_in = |form: &String| bytes.windows(form.len()).any(|window| window == form.as_bytes());
            forms.iter().any(is_in).then_some(*name)
        })
    }

    /// The same of all files below a directory. The server's own key files are not looked into: they hold nothing of
    /// anybody else's.
    fn below(&self, directory: &std::path::Path) -> Option<String> {
        std::fs::read_dir(directory).unwrap().map(Result::unwrap).find_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                return self.below(&path);
            }
            let found = self.within(&std::fs::read(&path).unwrap_or_default(), false)?;
            Some(format!("{}: {found}", path.display()))
        })
    }
}

#[test]
fn a_planted_secret_is_found() {
    let mut secrets = Secrets::default();
    secrets.hold("password", "three grey herons");
    secrets.hold("refresh token", "abc/def+ghi=");
    secrets.kept.push(("state", "CANARYq9-state".to_owned()));
    assert_eq!(secrets.within(b"{\"message\":\"three grey herons\"}", false), Some("password"));
    assert_eq!(secrets.within(b"user=rosa&password=three+grey+herons", false), Some("password"));
    assert_eq!(secrets.within(b"token=abc%2Fdef%2Bghi%3D&x=1", false), Some("refresh token"));
    assert_eq!(secrets.within(b"state=CANARYq9-state", true), Some("state"));
    assert_eq!(secrets.within(b"state=CANARYq9-state", false), None);
    let own = tempfile::tempdir().unwrap();
    std::fs::create_dir(own.path().join("deep")).unwrap();
    assert_eq!(secrets.below(own.path()), None);
    std::fs::write(own.path().join("deep/file"), b"\0\x01three grey herons\0").unwrap();
    assert!(secrets.below(own.path()).unwrap().ends_with("deep/file: password"));
}

const STATE: &str = "CANARYq9-state";
const NONCE: &str = "CANARYq9-nonce";
const PASSWORD: &str = "three grey herons";
const LAUNCH: &str = "https://board.example.org/launch";
const SCOPE: &str = "launch launch/patient openid fhirUser offline_access patient/Patient.rs patient/Encounter.rs patient/Observation.rs";

/// Somebody takes up an account and signs in once more; all of it is held.
async fn came_in<'a>(
    server: &Server,
    http: &'a mut crate::support::Http,
    account: &[&str],
    secrets: &mut Secrets,
) -> Browser<'a> {
    let link = ok(&user(server, &[&["add"], account].concat()));
    let origin = server.base.trim_end_matches("/fhir").to_owned();
    let path = link.trim().strip_prefix(&origin).unwrap().to_owned();
    secrets.hold("invitation", path.split_once('=').unwrap().1);
    let mut browser = Browser { http, origin, cookies: Vec::new() };
    assert_eq!(browser.send("GET", &path, "").await.0, 303);
    cookies(&browser, secrets);
    let csrf = browser.token("/account/invitation").await;
    secrets.hold("form token", &csrf);
    let typed = PASSWORD.replace(' ', "+");
    let form = format!("csrf={csrf}&user={}&password={typed}&again={typed}", account[0]);
    let (status, _, page) = browser.send("POST", "/account/invitation", &form).await;
    assert_eq!(status, 200, "{page}");
    let codes: Vec<&str> = page.split("<li><code>").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
    assert!(codes.len() >= 8, "{page}");
    codes.iter().for_each(|code| secrets.hold("recovery code", code));
    cookies(&browser, secrets);
    browser.cookies.retain(|(name, _)| name != "__Host-handrail");
    let csrf = browser.token("/account/sign-in").await;
    secrets.hold("form token", &csrf);
    let form = format!("csrf={csrf}&continuation=&user={}&password={typed}", account[0]);
    assert_eq!(browser.send("POST", "/account/sign-in", &form).await.0, 303);
    cookies(&browser, secrets);
    browser
}

fn cookies(browser: &Browser<'_>, secrets: &mut Secrets) {
    for (name, value) in &browser.cookies {
        if value.len() > 8 {
            secrets.hold(if name == "__Host-handrail" { "session cookie" } else { "cookie" }, value);
        }
    }
}

/// From an app's request (with a launch handle, or without) to its tokens.
async fn let_in(
    server: &Server,
    browser: &mut Browser<'_>,
    (app, basic): (&str, Option<&str>),
    launch: Option<&str>,
    secrets: &mut Secrets,
) -> Value {
    let scope = if launch.is_some() { SCOPE.replace(" launch/patient", "") } else { SCOPE.replacen("launch ", "", 1) };
    let mut path = format!(
        "/oauth/authorize?response_type=code&client_id={app}&redirect_uri={}&scope={}&state={STATE}&nonce={NONCE}&aud={}\
         &code_challenge={}&code_challenge_method=S256",
        encoded(REDIRECT),
        encoded(&scope),
        encoded(&server.base),
        Challenge::of(VERIFIER).as_parameter()
    );
    if let Some(launch) = launch {
        path.push_str(&format!("&launch={launch}"));
    }
    let (_, to, page) = browser.send("GET", &path, "").await;
    let (status, page) = if to.starts_with("/oauth/") {
        let (status, _, page) = browser.send("GET", &to, "").await;
        (status, page)
    } else {
        (0, page)
    };
    assert_eq!(status, 200, "{to} {page}");
    assert_eq!(secrets.within(page.as_bytes(), true), None, "the consent page");
    let (csrf, continuation) = (field(&page, "csrf"), field(&page, "continuation"));
    secrets.hold("form token", &csrf);
    secrets.hold("continuation", &continuation);
    let form = format!(
        "csrf={csrf}&continuation={continuation}&decision=share&lasts=180&group=identity&group=person&group=visits\
         &scope=openid&scope=fhirUser&scope=patient%2FPatient.rs&scope=patient%2FEncounter.rs"
    );
    let (status, to, page) = browser.send("POST", "/account/consent", &form).await;
    assert_eq!(status, 303, "{page}");
    let answer = Form::parse(to.split_once('?').unwrap().1.as_bytes()).unwrap();
    assert_eq!(answer.value("state"), Some(STATE));
    let code = answer.value("code").unwrap().to_owned();
    secrets.hold("code", &code);
    let mut http = server.http().await;
    let own = if basic.is_some() { String::new() } else { format!("client_id={app}") };
    let tokens = ask(&mut http, &redemption(&code, &own), basic).await.json();
    for (name, field) in
        [("access token", "access_token"), ("refresh token", "refresh_token"), ("id token", "id_token")]
    {
        secrets.hold(name, tokens[field].as_str().unwrap_or_else(|| panic!("no {field}: {tokens}")));
    }
    secrets.hold("signature of an id token", tokens["id_token"].as_str().unwrap().rsplit('.').next().unwrap());
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let again = ask(&mut http, &format!("grant_type=refresh_token&refresh_token={refresh}&{own}"), basic).await.json();
    secrets.hold("access token", again["access_token"].as_str().unwrap());
    secrets.hold("refresh token", again["refresh_token"].as_str().unwrap());
    // Used a second time: what is written of a theft tells the thief nothing.
    if basic.is_some() {
        assert_eq!(ask(&mut http, &redemption(&code, &own), basic).await.status, 400);
    }
    again
}

/// An app that registers itself.
async fn registered(server: &Server, secrets: &mut Secrets) {
    let output = handrail()
        .args(["client", "invite", "Maker", "--kind", "confidential-symmetric", "--scope", "patient/*.rs", "--data"])
        .arg(&server.directory)
        .output()
        .unwrap();
    let token = ok(&output).trim().to_owned();
    secrets.hold("initial access token", &token);
    let body = json!({
        "client_name": "Self", "redirect_uris": [REDIRECT], "grant_types": ["authorization_code"],
        "response_types": ["code"], "token_endpoint_auth_method": "client_secret_basic", "scope": "patient/Patient.rs",
    });
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let mut http = server.http().await;
    let answer = http.send("POST", "/oauth/register", &headers, body.to_string()).await;
    let made = answer.json();
    assert_eq!(answer.status, 201, "{made}");
    let secret = made["client_secret"].as_str().unwrap();
    secrets.hold("client secret", secret);
    secrets.hold("registration access token", made["registration_access_token"].as_str().unwrap());
    let own = format!("Bearer {}", made["registration_access_token"].as_str().unwrap());
    let path = made["registration_client_uri"].as_str().unwrap().strip_prefix(server.base.trim_end_matches("/fhir"));
    let shown = http.send("GET", path.unwrap(), &[("authorization", &own)], String::new()).await;
    assert_eq!(shown.status, 200);
    assert!(!String::from_utf8_lossy(&shown.body).contains(secret), "a secret is shown once");
}

/// All pages that somebody who is signed in may open, and what a wrong form is answered with.
async fn pages(browser: &mut Browser<'_>, more: &[String], secrets: &Secrets) -> usize {
    let mut shown = 0;
    let fixed = [
        "/account/security",
        "/account/apps",
        "/account/invitation",
        "/account/sign-in",
        "/account/recovery",
        "/account/launch",
        "/account/launch?patient=rosa",
        "/account/clients",
        "/account/clients/new",
        "/account/passkey/add",
        "/account/security/authenticator",
        "/account/nowhere",
        "/oauth/authorize?continuation=wrong",
        "/oauth/authorize?client_id=wrong",
    ];
    for path in fixed.into_iter().map(str::to_owned).chain(more.iter().cloned()) {
        for (method, body) in [("GET", ""), ("POST", "csrf=wrong&user=rosa&password=wrong")] {
            let (_, to, page) = browser.send(method, &path, body).await;
            // A page's own form token is the same each time that this session opens it: that is what it is for.
            let others = Secrets {
                all: secrets.all.iter().filter(|(name, _)| *name != "form token").cloned().collect(),
                kept: secrets.kept.clone(),
            };
            assert_eq!(others.within(page.as_bytes(), true), None, "{method} {path} shows a secret: {page}");
            assert_eq!(others.within(to.as_bytes(), true), None, "{method} {path} leads on with a secret: {to}");
            shown += usize::from(!page.is_empty());
        }
    }
    shown
}

/// Every entry that a reader of the audit log can have, as text.
async fn entries(server: &Server, token: &str) -> String {
    let mut http = server.http().await;
    let (mut all, mut next) = (String::new(), Some("/fhir/AuditEvent?_count=200".to_owned()));
    while let Some(path) = next {
        let page = http.get_as(token, &path).await.json();
        all.push_str(&page.to_string());
        let links = page["link"].as_array().cloned().unwrap_or_default();
        let link = links.iter().find(|link| link["relation"] == "next").and_then(|link| link["url"].as_str());
        next = link.map(|url| url[url.find("/fhir").unwrap()..].to_owned());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_nothing_that_lets_somebody_in_is_in_anything_that_was_written() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let mut server = Server::telling_all(&data);
    let mut secrets = Secrets::default();
    secrets.hold("password", PASSWORD);
    secrets.kept.extend([("state", STATE.to_owned()), ("nonce", NONCE.to_owned())]);
    let all = launch::records(&server).await;
    secrets.hold("access token", &all);
    let directory = data.to_str().unwrap();
    let add = |name: &str, how: &[&str]| {
        let fixed = ["client", "add", name, "--data", directory, "--redirect", REDIRECT, "--scope", SCOPE];
        ok(&run([&fixed, how].concat())).trim().to_owned()
    };
    let public = add("Care Board", &["--public", "--launch", LAUNCH]);
    let file = own.path().join("app.secret");
    let symmetric = add("Walks", &["--generate-secret", file.to_str().unwrap()]);
    let secret = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    let credentials = STANDARD.encode(format!("{symmetric}:{secret}"));
    secrets.hold("client secret", &secret);
    secrets.hold("client secret, as it is sent", &credentials);
    registered(&server, &mut secrets).await;

    // A patient lets an app with a secret in.
    let mut connections = [server.http().await, server.http().await];
    let [first, second] = &mut connections;
    let account = ["rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];
    let mut rosa = came_in(&server, first, &account, &mut secrets).await;
    let basic = format!("Basic {credentials}");
    let_in(&server, &mut rosa, (&symmetric, Some(&basic)), None, &mut secrets).await;

    // A clinician with an authenticator opens an app, which asks what its token is worth and gives it back.
    let account = ["kim", "--name", "Dr. Kim Novak", "--role", "clinician", "--as", "Practitioner/kim"];
    let mut kim = came_in(&server, second, &account, &mut secrets).await;
    let (_, _, page) = kim.send("GET", "/account/security/authenticator", "").await;
    let seed = page.split_once("class=\"key\">").unwrap().1.split_once('<').unwrap().0;
    secrets.hold("seed of an authenticator, as it is shown", seed);
    secrets.hold("seed of an authenticator", &seed.replace(' ', ""));
    let form = format!("csrf={}&code={}", field(&page, "csrf"), launch::one_time_code(&page));
    assert_eq!(kim.send("POST", "/account/security/authenticator", &form).await.0, 303);
    cookies(&kim, &mut secrets);
    let (_, handle) = launch::opened(&mut kim, &public, "rosa", "e1").await;
    secrets.hold("launch handle", &handle);
    let tokens = let_in(&server, &mut kim, (&public, None), Some(&handle), &mut secrets).await;
    let access = tokens["access_token"].as_str().unwrap();
    let mut http = server.http().await;
    assert_eq!(http.get_as(access, "/fhir/Patient/rosa").await.status, 200);
    let (bearer, form) = (format!("Bearer {access}"), ("content-type", "application/x-www-form-urlencoded"));
    let headers = [form, ("authorization", bearer.as_str())];
    let asked = http.send("POST", "/oauth/introspect", &headers, format!("token={access}")).await;
    assert_eq!(asked.json()["active"], true);
    // A credential in an address is refused, and not written either.
    http.get(&format!("/fhir/Patient?access_token={access}"), &[]).await;
    let grant = {
        let (_, _, page) = kim.send("GET", "/account/apps", "").await;
        page.split_once("/account/app?grant=").unwrap().1.split_once('"').unwrap().0.to_owned()
    };
    let more = [format!("/account/app?grant={grant}"), format!("/account/client?client={symmetric}")];
    let shown = pages(&mut kim, &more, &secrets).await + pages(&mut rosa, &more, &secrets).await;
    assert!(shown > 30, "{shown} pages");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    http.send("POST", "/oauth/revoke", &[form], format!("token={refresh}&client_id={public}")).await;

    let entries = entries(&server, &all).await;
    for subtype in ["token-revoked", "token-introspected", "app-opened"] {
        assert!(entries.contains(subtype), "no {subtype}: {entries}");
    }
    assert_eq!(secrets.within(entries.as_bytes(), true), None, "an audit entry");
    let (_, metrics) = server.scrape("GET /metrics");
    assert_eq!(secrets.within(metrics.as_bytes(), true), None, "the metrics");
    server.stop("TERM");
    let log = server.log();
    assert!(log.lines().count() > 100, "the log is verbose: {log}");
    for line in log.lines() {
        assert_eq!(secrets.within(line.as_bytes(), true), None, "log: {line}");
    }
    assert_eq!(secrets.below(&data), None, "a file");
}

/// What a record says of somebody: never in what is not the record.
const PHI: [&str; 5] = ["CANARYz7-family", "CANARYz7-given", "CANARYz7-number", "CANARYz7 walks", "1931-01-07"];

/// A repository of audit messages: where it is, who vouches for it, and what it gets.
async fn repository(own: &std::path::Path) -> (String, String, tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>) {
    use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
    use tokio::io::AsyncReadExt;
    let pair = || rcgen::KeyPair::generate().unwrap();
    let (ca_key, leaf_key) = (pair(), pair());
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&ca_pem, ca_key).unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let key = PrivateKeyDer::from_pem_slice(leaf_key.serialize_pem().as_bytes()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let (send, got) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                let _ = send.send(buffer[..count].to_vec());
            }
        }
    });
    let ca = own.join("repository.pem");
    std::fs::write(&ca, ca_pem).unwrap();
    (to, ca.to_str().unwrap().to_owned(), got)
}

/// Row F24, F61: names, numbers and findings of a record, and tokens, are in no log line, metric, audit message, table of
/// who saw, explanation, or output of a command that is about rules and labels.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_no_phi_in_what_leaves_beside_the_record() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let (to, ca, mut got) = repository(own.path()).await;
    let labels = own.path().join("labels.rules");
    std::fs::write(&labels, "label SDV when type Observation\n").unwrap();
    let rules = own.path().join("rules.policy");
    std::fs::write(&rules, "deny \"Nobody sees goals\"\n  who anyone\n  may not see\n  what Goal\n").unwrap();
    let mut command = handrail();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log-level", "trace"])
        .args(["--log-access", "all", "--log-format", "json", "--audit-syslog", &to, "--audit-syslog-ca", &ca])
        .arg("--labels-rules")
        .arg(&labels)
        .arg("--policy-file")
        .arg(&rules)
        .arg("--data")
        .arg(&data)
        .env("RUST_LOG", "trace");
    let mut server = Server::spawn(command, &data);
    let token = server.full_token();
    let mut http = server.http().await;
    let patient = json!({ "resourceType": "Patient", "id": "rosa", "birthDate": PHI[4],
        "name": [{ "family": PHI[0], "given": [PHI[1]] }], "identifier": [{ "system": "urn:x", "value": PHI[2] }] });
    let observation = |id: &str| {
        json!({ "resourceType": "Observation", "id": id, "status": "final", "code": { "text": PHI[3] },
            "subject": { "reference": "Patient/rosa" }, "valueString": PHI[3] })
    };
    for resource in [patient, observation("first"), observation("last-one")] {
        let path = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert_eq!(http.put_as(&token, "PUT", &path, &resource.to_string()).await.status, 201, "{path}");
    }
    for path in ["Observation/first", "Observation?patient=rosa", "Patient/rosa", "Patient/rosa/_history", "Goal/none"]
    {
        let _ = http.get_as(&token, &format!("/fhir/{path}")).await;
    }
    let mut shown: Vec<(&str, String)> = Vec::new();
    let text = |answer: crate::support::Answer| String::from_utf8_lossy(&answer.body).into_owned();
    let explained = http.get_as(&token, "/fhir/Observation/first/$explain-access").await;
    shown.push(("explain-access", text(explained)));
    let mut pages = server.http().await;
    let account = ["rosa", "--name", "R. D.", "--role", "patient", "--as", "Patient/rosa"];
    let mut rosa = crate::authorize::enrol(&server, &mut pages, &account).await;
    for (name, path) in [("page of who saw", "/account/seen"), ("table of who saw", "/account/seen/table")] {
        let (status, _, body) = rosa.send("GET", path, "").await;
        assert_eq!(status, 200, "{body}");
        shown.push((name, body));
    }
    let (data_text, labels, rules) = (data.to_str().unwrap(), labels.to_str().unwrap(), rules.to_str().unwrap());
    for (name, arguments) in [
        ("labels apply, only to look", vec!["labels", "apply", "--only-look", "--data", data_text]),
        ("labels apply", vec!["labels", "apply", "--data", data_text]),
        ("labels check", vec!["labels", "check", labels]),
        ("policy check", vec!["policy", "check", rules]),
        ("policy test", vec!["policy", "test", rules]),
        ("policy reload", vec!["policy", "reload", "--data", data_text]),
        (
            "policy explain",
            vec![
                "policy",
                "explain",
                "Observation/first",
                "--as",
                "role clinician, user Practitioner/q",
                "--data",
                data_text,
            ],
        ),
        ("doctor", vec!["doctor", "--data", data_text]),
        ("audit verify", vec!["audit", "verify", "--data", data_text]),
    ] {
        let output = handrail().env("RUST_LOG", "trace").args(&arguments).output().unwrap();
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.is_empty() || name == "policy test", "{name}");
        shown.push((name, String::from_utf8_lossy(&all).into_owned()));
    }
    // Until the repository has the last one that was asked for.
    assert_eq!(http.get_as(&token, "/fhir/Observation/the-end-of-it").await.status, 404);
    let mut messages = Vec::new();
    let told = async {
        while let Some(more) = got.recv().await {
            messages.extend(more);
            if String::from_utf8_lossy(&messages).contains("the-end-of-it") {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), told).await.unwrap();
    let messages = String::from_utf8_lossy(&messages).into_owned();
    assert!(messages.matches("<AuditMessage").count() > 8, "{messages}");
    shown.push(("syslog", messages));
    shown.push(("metrics", server.scrape("GET /metrics").1));
    server.stop("TERM");
    let log = server.log();
    assert!(log.lines().count() > 12, "each request has its line: {log}");
    shown.push(("log", log));
    for (name, text) in &shown {
        for secret in PHI.iter().copied().chain([token.as_str()]) {
            assert!(!text.contains(secret) && !text.contains(&encoded(secret)), "{name} tells {secret}: {text}");
        }
    }
}
