//! An app on its whole way over TLS: discovery, sign-in, consent, code, tokens, the record, and out again. Rows A14, B2,
//! B9, B10, B16, B22, B58, B52, B57, B61, E2, E5; the pages themselves are tested beside their code.

use crate::{
    support::{Answer, Http, Server, ok, run},
    users::{Browser, user},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth::{client_assertion, pkce::Challenge, sign::PrivateKey};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const REDIRECT: &str = "https://walks.example.org/callback";
const ORIGIN: &str = "https://walks.example.org";
pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-0123456789";
const SCOPE: &str =
    "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs patient/Condition.rs";

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// An app registered by the command, which tells its id.
fn register(server: &Server, name: &str, how: &[&str]) -> String {
    let directory = server.directory.to_str().unwrap();
    let mut arguments = vec!["client", "add", name, "--data", directory, "--redirect", REDIRECT, "--scope", SCOPE];
    arguments.extend(how);
    ok(&run(arguments)).trim().to_owned()
}

/// A patient with an observation and a condition, and another patient.
async fn records(server: &Server) {
    let token = server.full_token();
    let mut http = server.http().await;
    for (path, body) in [
        ("/fhir/Patient/rosa", r#"{"resourceType":"Patient","id":"rosa","name":[{"family":"Diaz"}]}"#.to_owned()),
        ("/fhir/Patient/maud", r#"{"resourceType":"Patient","id":"maud","name":[{"family":"Okafor"}]}"#.to_owned()),
        (
            "/fhir/Observation/o1",
            r#"{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"Walking"},
                "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"survey"}]}],
                "subject":{"reference":"Patient/rosa"},"valueString":"alone"}"#
                .to_owned(),
        ),
        (
            "/fhir/Condition/c1",
            r#"{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/rosa"},"code":{"text":"Gait"},
                "clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}"#
                .to_owned(),
        ),
    ] {
        let answer = http.put_as(&token, "PUT", path, &body).await;
        assert_eq!(answer.status, 201, "{path} {answer:?}");
    }
}

/// Somebody takes up an account and is signed in.
pub(crate) async fn enrol<'a>(server: &Server, http: &'a mut Http, account: &[&str]) -> Browser<'a> {
    let link = ok(&user(server, &[&["add"], account].concat()));
    let origin = server.base.trim_end_matches("/fhir").to_owned();
    let path = link.trim().strip_prefix(&origin).unwrap().to_owned();
    let mut browser = Browser { http, origin, cookies: Vec::new() };
    assert_eq!(browser.send("GET", &path, "").await.0, 303);
    let csrf = browser.token("/account/invitation").await;
    let form = format!("csrf={csrf}&user={}&password=three+grey+herons&again=three+grey+herons", account[0]);
    let (status, _, page) = browser.send("POST", "/account/invitation", &form).await;
    assert_eq!(status, 200, "{page}");
    browser
}

pub(crate) fn field(page: &str, name: &str) -> String {
    let main = &page[page.find("<main").unwrap()..];
    let rest = main.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {page}")).1;
    rest.split_once('"').unwrap().0.to_owned()
}

/// From the app's request to its code, with these scopes chosen.
async fn code(server: &Server, browser: &mut Browser<'_>, client: &str, chosen: &[&str]) -> String {
    let challenge = Challenge::of(VERIFIER).as_parameter();
    let path = format!(
        "/oauth/authorize?response_type=code&client_id={client}&redirect_uri={}&scope={}&state=s-1&aud={}\
         &code_challenge={challenge}&code_challenge_method=S256",
        encoded(REDIRECT),
        encoded(SCOPE),
        encoded(&server.base)
    );
    let (status, to, page) = browser.send("GET", &path, "").await;
    assert!(status == 303 && to.starts_with("/oauth/authorize?continuation="), "{status} {to} {page}");
    let (status, to, page) = browser.send("GET", &to, "").await;
    assert_eq!(status, 200, "{to} {page}");
    let scopes: String = chosen.iter().map(|scope| format!("&scope={}", encoded(scope))).collect();
    let groups = ["person", "identity", "health", "results"].map(|group| format!("&group={group}")).concat();
    let form = format!(
        "csrf={}&continuation={}&decision=share&lasts=180{groups}{scopes}",
        field(&page, "csrf"),
        field(&page, "continuation")
    );
    let (status, to, page) = browser.send("POST", "/account/consent", &form).await;
    assert_eq!(status, 303, "{page}");
    let query = to.strip_prefix(&format!("{REDIRECT}?")).unwrap_or_else(|| panic!("{to}"));
    let answer = oauth::form::Form::parse(query.as_bytes()).unwrap();
    let issuer = server.base.trim_end_matches("/fhir");
    assert_eq!((answer.value("state"), answer.value("iss")), (Some("s-1"), Some(issuer)));
    answer.value("code").unwrap().to_owned()
}

/// A token request of a page in a browser.
pub(crate) async fn ask(http: &mut Http, body: &str, authorization: Option<&str>) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded"), ("origin", ORIGIN)];
    headers.extend(authorization.map(|value| ("authorization", value)));
    http.send("POST", "/oauth/token", &headers, body.to_owned()).await
}

pub(crate) fn redemption(code: &str, client: &str) -> String {
    let redirect = encoded(REDIRECT);
    format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={VERIFIER}&{client}")
}

const ROSA: [&str; 7] = ["rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];

/// Rows A14, B2, B9, B16, B52, B57, B61, E2, E5: what was declined is refused, exactly that.
#[tokio::test]
async fn b52_e5_a_public_app_gets_what_the_person_gave_and_no_more() {
    let server = Server::start();
    records(&server).await;
    let app = register(&server, "My Walks", &["--public"]);
    let mut http = server.http().await;
    // What the documents say is where the app goes.
    let issuer = server.base.trim_end_matches("/fhir").to_owned();
    let smart = http.get("/fhir/.well-known/smart-configuration", &[]).await.json();
    assert_eq!(smart["authorization_endpoint"], format!("{issuer}/oauth/authorize"));
    let capabilities = smart["capabilities"].as_array().unwrap();
    for capability in [
        "launch-ehr",
        "launch-standalone",
        "client-public",
        "context-standalone-patient",
        "context-standalone-encounter",
        "permission-offline",
    ] {
        assert!(capabilities.iter().any(|one| one == capability), "{capability}: {capabilities:?}");
    }
    let openid = http.get("/.well-known/openid-configuration", &[]).await.json();
    assert_eq!(
        (&openid["issuer"], &openid["authorization_endpoint"]),
        (&issuer.clone().into(), &smart["authorization_endpoint"]),
        "B10"
    );
    let statement = http.get("/fhir/metadata", &[]).await.json();
    let uris = statement["rest"][0]["security"]["extension"][0]["extension"].as_array().unwrap();
    let authorize = uris.iter().find(|uri| uri["url"] == "authorize").unwrap();
    assert_eq!(authorize["valueUri"], smart["authorization_endpoint"], "B9");

    let mut pages = server.http().await;
    let mut rosa = enrol(&server, &mut pages, &ROSA).await;
    let chosen = ["openid", "fhirUser", "patient/Patient.rs", "patient/Observation.rs"];
    let code = code(&server, &mut rosa, &app, &chosen).await;
    let own = format!("client_id={app}");
    let answer = ask(&mut http, &redemption(&code, &own), None).await;
    let tokens = answer.json();
    assert_eq!(answer.status, 200, "{tokens}");
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "A14");
    assert_eq!(tokens["scope"], SCOPE.replace(" patient/Condition.rs", ""));
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let patient = tokens["patient"].as_str().unwrap().to_owned();
    assert_eq!(http.get_as(&token, &format!("/fhir/Patient/{patient}")).await.status, 200, "B52");
    assert_eq!(http.get(&format!("/fhir/Patient/{patient}"), &[]).await.status, 401, "B52");
    let found = http.get_as(&token, "/fhir/Observation?patient=rosa").await.json();
    assert_eq!(found["entry"][0]["resource"]["id"], "o1", "{found}");
    for (path, status) in [
        ("/fhir/Condition?patient=rosa", 403),
        ("/fhir/Condition/c1", 403),
        ("/fhir/Patient/maud", 404),
        ("/fhir/Encounter", 403),
    ] {
        assert_eq!(http.get_as(&token, path).await.status, status, "{path}");
    }
    assert_eq!(http.get_as(&token, "/fhir/Patient?_id=maud").await.json()["entry"], serde_json::Value::Null);
    // Who is it? By the document of OpenID Connect (B10, B56).
    let openid = http.get("/.well-known/openid-configuration", &[("origin", ORIGIN)]).await;
    assert_eq!((openid.status.as_u16(), openid.header("access-control-allow-origin")), (200, "*"), "A12");
    let openid = openid.json();
    for (name, path) in [
        ("issuer", ""),
        ("authorization_endpoint", "/oauth/authorize"),
        ("token_endpoint", "/oauth/token"),
        ("jwks_uri", "/oauth/jwks"),
        ("userinfo_endpoint", "/oauth/userinfo"),
    ] {
        assert_eq!(openid[name], format!("{issuer}{path}"), "{name}");
    }
    assert_eq!(openid["id_token_signing_alg_values_supported"][0], "RS256");
    let me = http.get_as(&token, "/oauth/userinfo").await.json();
    assert_eq!(me["fhirUser"], format!("{}/Patient/rosa", server.base));
    // Refreshed, once each; then the person's consent is called back, and all of it is over.
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let refreshed = ask(&mut http, &format!("grant_type=refresh_token&refresh_token={refresh}&{own}"), None).await;
    let next = refreshed.json();
    assert_eq!((refreshed.status.as_u16(), &next["patient"]), (200, &tokens["patient"]), "{next}");
    let newer = next["access_token"].as_str().unwrap().to_owned();
    assert_eq!(http.get_as(&newer, "/fhir/Patient/rosa").await.status, 200);
    let revoke = format!("token={}&{own}", next["refresh_token"].as_str().unwrap());
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(http.send("POST", "/oauth/revoke", &headers, revoke).await.status, 200);
    for token in [&token, &newer] {
        assert_eq!(http.get_as(token, "/fhir/Patient/rosa").await.status, 401, "B61");
    }
    // The code came and went; nobody finds a secret in what the server wrote.
    let again = ask(&mut http, &redemption(&code, &own), None).await;
    assert_eq!((again.status.as_u16(), again.json()["error"].as_str()), (400, Some("invalid_grant")));
    for secret in [code.as_str(), &token, &refresh] {
        assert!(!server.log().contains(secret), "F24");
    }
}

/// Rows B12, B16: with a secret, and with a key.
#[tokio::test]
async fn b16_confidential_apps_prove_who_they_are() {
    let server = Server::start();
    records(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let (secret, key) = (folder.path().join("app.secret"), folder.path().join("app.jwk"));
    let symmetric = register(&server, "Board", &["--generate-secret", secret.to_str().unwrap()]);
    let asymmetric = register(&server, "Signer", &["--generate-key", key.to_str().unwrap()]);
    let (mut pages, mut http) = (server.http().await, server.http().await);
    let mut rosa = enrol(&server, &mut pages, &ROSA).await;

    let secret = std::fs::read_to_string(secret).unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("{symmetric}:{}", secret.trim())));
    let first = code(&server, &mut rosa, &symmetric, &["patient/Patient.rs"]).await;
    assert_eq!(ask(&mut http, &redemption(&first, &format!("client_id={symmetric}")), None).await.status, 400);
    let second = code(&server, &mut rosa, &symmetric, &["patient/Patient.rs"]).await;
    let answer = ask(&mut http, &redemption(&second, ""), Some(&basic)).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let key = PrivateKey::parse(&std::fs::read_to_string(key).unwrap(), None).unwrap();
    let url = format!("{}/oauth/token", server.base.trim_end_matches("/fhir"));
    let now_s = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let assertion = client_assertion::signed(&key, &asymmetric, &url, "once", now_s, 60).unwrap();
    let proof = format!(
        "client_assertion={assertion}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let third = code(&server, &mut rosa, &asymmetric, &["patient/Patient.rs"]).await;
    let answer = ask(&mut http, &redemption(&third, &proof), None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(http.get_as(&token, "/fhir/Patient/rosa").await.status, 200);
    assert_eq!(http.get_as(&token, "/fhir/Observation").await.status, 403);
}

/// Row B25: a clinician's picker shows what the store holds, and the log says who looked.
#[tokio::test]
async fn b25_a_caregiver_picks_from_the_record() {
    let server = Server::start();
    records(&server).await;
    let token = server.full_token();
    let mut http = server.http().await;
    for (id, patient) in [("r1", "rosa"), ("r2", "maud")] {
        let body = format!(
            r#"{{"resourceType":"RelatedPerson","id":"{id}","active":true,"patient":{{"reference":"Patient/{patient}"}}}}"#
        );
        assert_eq!(http.put_as(&token, "PUT", &format!("/fhir/RelatedPerson/{id}"), &body).await.status, 201);
    }
    let links = r#"[{"target":{"reference":"RelatedPerson/r1"}},{"target":{"reference":"RelatedPerson/r2"}}]"#;
    let person = format!(r#"{{"resourceType":"Person","id":"luis","active":true,"link":{links}}}"#);
    assert_eq!(http.put_as(&token, "PUT", "/fhir/Person/luis", &person).await.status, 201);
    let app = register(&server, "My Walks", &["--public"]);
    let mut pages = server.http().await;
    let account = ["luis", "--name", "Luis", "--role", "caregiver", "--as", "Person/luis"];
    let mut luis = enrol(&server, &mut pages, &account).await;
    let challenge = Challenge::of(VERIFIER).as_parameter();
    let path = format!(
        "/oauth/authorize?response_type=code&client_id={app}&redirect_uri={}&scope={}&state=s-1&aud={}\
         &code_challenge={challenge}&code_challenge_method=S256",
        encoded(REDIRECT),
        encoded("launch/patient patient/Patient.rs"),
        encoded(&server.base)
    );
    let (_, to, _) = luis.send("GET", &path, "").await;
    let (status, _, page) = luis.send("GET", &to, "").await;
    assert!(status == 200 && page.contains("Diaz") && page.contains("Okafor"), "{page}");
    let form = format!("csrf={}&continuation={}&patient=maud", field(&page, "csrf"), field(&page, "continuation"));
    let (status, _, page) = luis.send("POST", "/account/patient", &form).await;
    assert!(status == 200 && page.contains("Okafor") && !page.contains("Diaz"), "{page}");
    let form = format!(
        "csrf={}&continuation={}&decision=share&lasts=now&group=identity&scope=patient%2FPatient.rs",
        field(&page, "csrf"),
        field(&page, "continuation")
    );
    let (_, to, _) = luis.send("POST", "/account/consent", &form).await;
    let code = to.split_once("code=").unwrap().1.split('&').next().unwrap();
    let answer = ask(&mut http, &redemption(code, &format!("client_id={app}")), None).await.json();
    assert_eq!(answer["patient"], "maud");
    let given = answer["access_token"].as_str().unwrap();
    assert_eq!(http.get_as(given, "/fhir/Patient/maud").await.status, 200);
    assert_eq!(http.get_as(given, "/fhir/Patient/rosa").await.status, 404, "not the one that was picked");
    let events = http.get_as(&token, "/fhir/AuditEvent?agent=Person/luis&subtype=search-type").await.json();
    assert_eq!(events["entry"].as_array().map(Vec::len), Some(1), "{events}");
    assert!(events.to_string().contains("Person/luis"), "{events}");
}

/// Rows B22, B58, B61: kill -9 at any moment loses nothing that was answered, and gives nothing twice.
#[tokio::test]
async fn b22_b58_a_kill_loses_nothing_and_gives_nothing_twice() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    let mut server = Server::on(&data, &[]);
    records(&server).await;
    let app = register(&server, "My Walks", &["--public"]);
    let client = format!("client_id={app}");
    let refresh = |token: &str| format!("grant_type=refresh_token&refresh_token={token}&{client}");
    let chosen = ["patient/Patient.rs"];
    let text = |answer: &serde_json::Value, name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let (mut pages, mut http) = (server.http().await, server.http().await);
    let mut rosa = enrol(&server, &mut pages, &ROSA).await;
    let used = code(&server, &mut rosa, &app, &chosen).await;
    let given = ask(&mut http, &redemption(&used, &client), None).await.json();
    let ended = code(&server, &mut rosa, &app, &chosen).await;
    let ended = ask(&mut http, &redemption(&ended, &client), None).await.json();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let revoke = format!("token={}&{client}", text(&ended, "refresh_token"));
    assert_eq!(http.send("POST", "/oauth/revoke", &headers, revoke).await.status, 200);
    let unused = code(&server, &mut rosa, &app, &chosen).await;
    server.stop("KILL");

    let mut server = Server::on(&data, &[]);
    let mut http = server.http().await;
    let late = ask(&mut http, &redemption(&unused, &client), None).await;
    assert_eq!(late.status, 200, "what was given out is there: {late:?}");
    assert_eq!(http.get_as(&text(&given, "access_token"), "/fhir/Patient/rosa").await.status, 200);
    let next = ask(&mut http, &refresh(&text(&given, "refresh_token")), None).await.json();
    assert_eq!(http.get_as(&text(&next, "access_token"), "/fhir/Patient/rosa").await.status, 200);
    server.stop("KILL");

    let mut server = Server::on(&data, &[]);
    let mut http = server.http().await;
    // Within its grace the old one has the same successor, never another.
    let again = ask(&mut http, &refresh(&text(&given, "refresh_token")), None).await.json();
    assert_eq!(text(&again, "refresh_token"), text(&next, "refresh_token"));
    let ended_is_gone = async |http: &mut Http| {
        assert_eq!(http.get_as(&text(&ended, "access_token"), "/fhir/Patient/rosa").await.status, 401);
        assert_eq!(ask(http, &refresh(&text(&ended, "refresh_token")), None).await.status, 400);
    };
    ended_is_gone(&mut http).await;
    // Codes that were used are known for what they are, and end what came of them.
    for (code, came) in [(&used, text(&next, "access_token")), (&unused, text(&late.json(), "access_token"))] {
        let answer = ask(&mut http, &redemption(code, &client), None).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some("invalid_grant")));
        assert_eq!(http.get_as(&came, "/fhir/Patient/rosa").await.status, 401);
    }
    server.stop("KILL");

    let server = Server::on(&data, &[]);
    let mut http = server.http().await;
    ended_is_gone(&mut http).await;
    assert_eq!(ask(&mut http, &refresh(&text(&next, "refresh_token")), None).await.status, 400, "it stays ended");
}
