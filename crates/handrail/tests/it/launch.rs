//! From the clinician's page to an app and out again, over TLS: a launch handle, what it gives, what becomes of it in
//! other hands, and the end of it all on "my apps". Rows B23, B24, B50, B52, B61, B62, F18.

use crate::{
    authorize::{REDIRECT, VERIFIER, ask, encoded, enrol, field, redemption},
    support::{Http, Server, ok, run},
    users::Browser,
};
use aws_lc_rs::hmac;
use oauth::{form::Form, pkce::Challenge};
use std::time::{SystemTime, UNIX_EPOCH};

const LAUNCH: &str = "https://board.example.org/launch";
const SCOPE: &str =
    "launch openid fhirUser offline_access patient/Patient.rs patient/Encounter.rs patient/Observation.rs";

/// Rosa with a stay and a finding, and Maud; who treats them.
pub(crate) async fn records(server: &Server) -> String {
    let token = server.full_token();
    let mut http = server.http().await;
    let visit = |id: &str, of: &str| {
        format!(
            r#"{{"resourceType":"Encounter","id":"{id}","status":"in-progress","subject":{{"reference":"Patient/{of}"}},
                "class":{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"}},
                "participant":[{{"individual":{{"reference":"Practitioner/kim"}}}},
                    {{"individual":{{"reference":"Practitioner/lee"}}}}],
                "period":{{"start":"2026-02-01"}}}}"#
        )
    };
    for (path, body) in [
        (
            "Patient/rosa",
            r#"{"resourceType":"Patient","id":"rosa","name":[{"family":"Diaz","given":["Rosa"]}]}"#.to_owned(),
        ),
        (
            "Patient/maud",
            r#"{"resourceType":"Patient","id":"maud","name":[{"family":"Okafor","given":["Maud"]}]}"#.to_owned(),
        ),
        ("Practitioner/kim", r#"{"resourceType":"Practitioner","id":"kim","name":[{"family":"Novak"}]}"#.to_owned()),
        ("Practitioner/lee", r#"{"resourceType":"Practitioner","id":"lee","name":[{"family":"Lee"}]}"#.to_owned()),
        ("Encounter/e1", visit("e1", "rosa")),
        ("Encounter/e2", visit("e2", "maud")),
    ] {
        let answer = http.put_as(&token, "PUT", &format!("/fhir/{path}"), &body).await;
        assert_eq!(answer.status, 201, "{path} {answer:?}");
    }
    token
}

/// SPEC: RFC 6238 with the seed of the page, now.
pub(crate) fn one_time_code(page: &str) -> String {
    one_time_code_in(page, 0)
}

/// The same so many steps of 30 seconds from now: a code that was used is none.
pub(crate) fn one_time_code_in(page: &str, steps: u64) -> String {
    let key = page.split_once("class=\"key\">").unwrap().1.split_once('<').unwrap().0.replace(' ', "");
    let value = |letter: u8| if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
    let bits: String = key.bytes().map(|letter| format!("{:05b}", value(letter))).collect();
    let seed: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap())
        .collect();
    let step = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30 + steps;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &seed), &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let four: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// A clinician, signed in with two factors.
pub(crate) async fn clinician<'a>(server: &Server, http: &'a mut Http, login: &str) -> Browser<'a> {
    let itself = format!("Practitioner/{login}");
    let mut browser =
        enrol(server, http, &[login, "--name", "Dr. Kim Novak", "--role", "clinician", "--as", &itself]).await;
    let (status, _, page) = browser.send("GET", "/account/security/authenticator", "").await;
    assert_eq!(status, 200, "{page}");
    let form = format!("csrf={}&code={}", field(&page, "csrf"), one_time_code(&page));
    assert_eq!(browser.send("POST", "/account/security/authenticator", &form).await.0, 303);
    browser
}

/// Opens the app for this patient: `iss` and `launch` as the app gets them.
pub(crate) async fn opened(browser: &mut Browser<'_>, app: &str, patient: &str, encounter: &str) -> (String, String) {
    let (status, _, page) = browser.send("GET", &format!("/account/launch?patient={patient}"), "").await;
    assert_eq!(status, 200, "{page}");
    let form = format!("csrf={}&patient={patient}&encounter={encounter}&client={app}", field(&page, "csrf"));
    let (status, to, page) = browser.send("POST", "/account/launch", &form).await;
    assert_eq!(status, 303, "{page}");
    let query = to.strip_prefix(&format!("{LAUNCH}?")).unwrap_or_else(|| panic!("{to}"));
    let query = Form::parse(query.as_bytes()).unwrap();
    (query.value("iss").unwrap().to_owned(), query.value("launch").unwrap().to_owned())
}

/// Where the app's request leads: status, address, page.
async fn asked(browser: &mut Browser<'_>, app: &str, base: &str, launch: &str) -> (u16, String, String) {
    let path = format!(
        "/oauth/authorize?response_type=code&client_id={app}&redirect_uri={}&scope={}&state=s-1&aud={}&launch={launch}\
         &code_challenge={}&code_challenge_method=S256",
        encoded(REDIRECT),
        encoded(SCOPE),
        encoded(base),
        Challenge::of(VERIFIER).as_parameter()
    );
    let (status, to, page) = browser.send("GET", &path, "").await;
    if to.starts_with("/oauth/") { browser.send("GET", &to, "").await } else { (status, to, page) }
}

/// Row B50: a clinician opens an app for something, in a visit that belongs to an episode of care; what the app's token
/// response tells of it, and again when it refreshes.
#[tokio::test]
async fn b50_the_app_is_told_what_it_was_opened_for_and_what_is_around_the_visit() {
    let server = Server::start();
    let all = records(&server).await;
    let (mut pages, mut http) = (server.http().await, server.http().await);
    let episode =
        r#"{"resourceType":"EpisodeOfCare","id":"stay","status":"active","patient":{"reference":"Patient/rosa"}}"#;
    let visit = r#"{"resourceType":"Encounter","id":"e1","status":"in-progress","subject":{"reference":"Patient/rosa"},
        "class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
        "participant":[{"individual":{"reference":"Practitioner/kim"}}],
        "period":{"start":"2026-02-01"},"episodeOfCare":[{"reference":"EpisodeOfCare/stay"}]}"#;
    assert_eq!(http.put_as(&all, "PUT", "/fhir/EpisodeOfCare/stay", episode).await.status, 201);
    assert_eq!(http.put_as(&all, "PUT", "/fhir/Encounter/e1", visit).await.status, 200);
    let directory = server.directory.to_str().unwrap();
    let fixed = ["client", "add", "Care Board", "--data", directory, "--public", "--redirect", REDIRECT];
    let more = ["--launch", LAUNCH, "--scope", SCOPE, "--intent", "look=Look at the walk"];
    let app = ok(&run([&fixed[..], &more].concat()));
    let app = app.trim();
    let set = ["client", "set-intents", app, "--data", directory, "--intent", "reconcile-medications"];
    ok(&run(set));
    let shown = ok(&run(["client", "show", app, "--data", directory]));
    assert!(
        shown.contains("intent\treconcile-medications=Reconcile medications") && !shown.contains("look"),
        "{shown}"
    );

    let mut kim = clinician(&server, &mut pages, "kim").await;
    let (_, _, page) = kim.send("GET", "/account/launch?patient=rosa", "").await;
    assert!(page.contains("Reconcile medications"), "{page}");
    let refused = format!("csrf={}&patient=rosa&encounter=e1&client={app}+look", field(&page, "csrf"));
    assert_eq!(kim.send("POST", "/account/launch", &refused).await.0, 422);
    let (iss, launch) = opened(&mut kim, &format!("{app}+reconcile-medications"), "rosa", "e1").await;
    let (status, _, page) = asked(&mut kim, app, &iss, &launch).await;
    assert_eq!(status, 200, "{page}");
    let form = format!(
        "csrf={}&continuation={}&decision=share&lasts=180&group=identity&group=person&group=visits&scope=openid\
         &scope=patient%2FPatient.rs&scope=patient%2FEncounter.rs",
        field(&page, "csrf"),
        field(&page, "continuation")
    );
    let (status, to, page) = kim.send("POST", "/account/consent", &form).await;
    assert_eq!(status, 303, "{page}");
    let code = Form::parse(to.split_once('?').unwrap().1.as_bytes()).unwrap().value("code").unwrap().to_owned();
    let own = format!("client_id={app}");
    let mut tokens = ask(&mut http, &redemption(&code, &own), None).await.json();
    for _ in 0..2 {
        assert_eq!(tokens["intent"], "reconcile-medications", "{tokens}");
        assert_eq!(tokens["fhirContext"], serde_json::json!([{ "reference": "EpisodeOfCare/stay" }]), "{tokens}");
        assert_eq!((&tokens["patient"], &tokens["encounter"]), (&"rosa".into(), &"e1".into()), "{tokens}");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let form = format!("grant_type=refresh_token&refresh_token={refresh}&{own}");
        tokens = ask(&mut http, &form, None).await.json();
    }
}

#[tokio::test]
async fn b23_b62_a_clinician_opens_an_app_and_ends_it() {
    let server = Server::start();
    let all = records(&server).await;
    let directory = server.directory.to_str().unwrap();
    let app = ok(&run([
        "client",
        "add",
        "Care Board",
        "--data",
        directory,
        "--public",
        "--redirect",
        REDIRECT,
        "--launch",
        LAUNCH,
        "--scope",
        SCOPE,
    ]));
    let app = app.trim();
    let (mut pages, mut others, mut http) = (server.http().await, server.http().await, server.http().await);
    let issuer = server.base.trim_end_matches("/fhir");
    let smart = http.get("/fhir/.well-known/smart-configuration", &[]).await.json();
    assert_eq!(smart["management_endpoint"], format!("{issuer}/account/apps"), "B62");
    assert!(smart["capabilities"].as_array().unwrap().iter().any(|one| one == "launch-ehr"), "{smart}");

    let mut kim = clinician(&server, &mut pages, "kim").await;
    let (_, _, page) = kim.send("GET", "/account/launch?filter=rosa+dia", "").await;
    assert!(page.contains("patient=rosa") && !page.contains("Okafor"), "{page}");
    let (iss, launch) = opened(&mut kim, app, "rosa", "e1").await;
    assert_eq!(iss, server.base);
    let (status, _, page) = asked(&mut kim, app, &iss, &launch).await;
    assert!(status == 200 && page.contains("Diaz"), "{status} {page}");
    let form = format!(
        "csrf={}&continuation={}&decision=share&lasts=180&group=identity&group=person&group=visits&scope=openid\
         &scope=patient%2FPatient.rs&scope=patient%2FEncounter.rs",
        field(&page, "csrf"),
        field(&page, "continuation")
    );
    let (status, to, page) = kim.send("POST", "/account/consent", &form).await;
    assert_eq!(status, 303, "{page}");
    let code = Form::parse(to.split_once('?').unwrap().1.as_bytes()).unwrap().value("code").unwrap().to_owned();
    let own = format!("client_id={app}");
    let tokens = ask(&mut http, &redemption(&code, &own), None).await.json();
    assert_eq!((&tokens["patient"], &tokens["encounter"]), (&"rosa".into(), &"e1".into()), "B50: {tokens}");
    assert_eq!(tokens["need_patient_banner"], true);
    // How an app may look: JSON that its page can read, wherever it comes from.
    let style = tokens["smart_style_url"].as_str().unwrap();
    let path = style.strip_prefix(server.base.trim_end_matches("/fhir")).unwrap();
    let style = http.get(path, &[("origin", "https://walks.example.org")]).await;
    assert_eq!((style.status.as_u16(), style.header("access-control-allow-origin")), (200, "*"), "B50");
    assert!(style.json()["color_text"].as_str().unwrap().starts_with('#'));
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    for (path, status) in [
        ("/fhir/Patient/rosa", 200),
        ("/fhir/Encounter/e1", 200),
        ("/fhir/Patient/maud", 404),
        ("/fhir/Encounter/e2", 404),
        ("/fhir/Observation", 403),
    ] {
        assert_eq!(http.get_as(&token, path).await.status, status, "B24, B52: {path}");
    }

    // The handle again: nothing but an error at the app. A fresh one in another's browser: a page of ours (B23).
    let (status, to, _) = asked(&mut kim, app, &iss, &launch).await;
    assert!(status == 303 && to.starts_with(REDIRECT) && to.contains("error=access_denied"), "{status} {to}");
    let (_, fresh) = opened(&mut kim, app, "maud", "").await;
    let mut lee = clinician(&server, &mut others, "lee").await;
    let (status, to, page) = asked(&mut lee, app, &iss, &fresh).await;
    assert!(status == 403 && to.is_empty() && !page.contains("Okafor"), "{status} {to} {page}");
    let (status, to, _) = asked(&mut kim, app, &iss, &fresh).await;
    assert!(status == 303 && to.contains("error=access_denied"), "it is known to a stranger: {status} {to}");

    // My apps: what there is, and the end of it with the next request (B61, B62).
    let (_, _, page) = kim.send("GET", "/account/apps", "").await;
    assert!(page.contains("Care Board") && page.contains("Rosa Diaz"), "{page}");
    let grant = page.split_once("/account/app?grant=").unwrap().1.split_once('"').unwrap().0.to_owned();
    let (status, _, _) = lee.send("GET", &format!("/account/app?grant={grant}"), "").await;
    assert_eq!(status, 404);
    let (_, _, page) = kim.send("GET", &format!("/account/app?grant={grant}"), "").await;
    assert!(page.contains("patient/Encounter.rs") && !page.contains("patient/Observation.rs"), "{page}");
    assert_eq!(http.get_as(&token, "/fhir/Patient/rosa").await.status, 200);
    let form = format!("csrf={}&grant={grant}&decision=end", field(&page, "csrf"));
    assert_eq!(kim.send("POST", "/account/app", &form).await.0, 303);
    assert_eq!(http.get_as(&token, "/fhir/Patient/rosa").await.status, 401);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refused = ask(&mut http, &format!("grant_type=refresh_token&refresh_token={refresh}&{own}"), None).await;
    assert_eq!((refused.status.as_u16(), refused.json()["error"].as_str()), (400, Some("invalid_grant")));
    let (_, _, page) = kim.send("GET", "/account/apps", "").await;
    assert!(!page.contains("grant="), "{page}");

    // Row F18: who did it, and for whom.
    for subtype in ["app-opened", "authorization-ended"] {
        let path = format!("/fhir/AuditEvent?agent=Practitioner/kim&subtype={subtype}&patient=rosa");
        let events = http.get_as(&all, &path).await.json();
        assert_eq!(events["entry"].as_array().map(Vec::len), Some(1), "{subtype}: {events}");
    }
    for secret in [launch.as_str(), &fresh, &token, refresh, &code] {
        assert!(!server.log().contains(secret), "F24");
    }
}
