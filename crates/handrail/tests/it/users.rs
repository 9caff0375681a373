//! `handrail user`, and people in front of the pages of a real server. Rows A17, A20, B25, B26, F24.

use crate::support::{Http, Server, handrail, ok, run, stderr};
use http::header;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"rosa","name":[{"family":"Diaz"}]}"#;
const RELATED: &str =
    r#"{"resourceType":"RelatedPerson","id":"luis","active":true,"patient":{"reference":"Patient/rosa"}}"#;

pub(crate) fn user(server: &Server, arguments: &[&str]) -> std::process::Output {
    handrail().arg("user").args(arguments).arg("--data").arg(&server.directory).output().unwrap()
}

/// A browser that does without scripts: cookies and forms.
pub(crate) struct Browser<'a> {
    pub(crate) http: &'a mut Http,
    pub(crate) origin: String,
    pub(crate) cookies: Vec<(String, String)>,
}

impl Browser<'_> {
    pub(crate) async fn send(&mut self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = [
            ("cookie", cookies.as_str()),
            ("origin", self.origin.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = self.http.send(method, path, &headers, body.to_owned()).await;
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{path}: row A17");
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let to = answer.header("location").to_owned();
        (answer.status.as_u16(), to, String::from_utf8(answer.body.to_vec()).unwrap())
    }

    /// GETs a page and gives its form token.
    pub(crate) async fn token(&mut self, path: &str) -> String {
        let (status, to, body) = self.send("GET", path, "").await;
        assert_eq!(status, 200, "{path} {to} {body}");
        let main = &body[body.find("<main").unwrap()..];
        let rest = main.split_once("name=\"csrf\" value=\"").unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    }
}

#[tokio::test]
async fn accounts_are_bound_to_what_is_there() {
    let server = Server::start();
    let token = server.full_token();
    let mut http = server.http().await;
    let add = |arguments: &[&str]| {
        let mut all = vec!["add"];
        all.extend(arguments);
        user(&server, &all)
    };
    let rosa = ["rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];
    let output = add(&rosa);
    assert!(
        !output.status.success() && stderr(&output).contains("there is no Patient/rosa here: load it"),
        "{}",
        stderr(&output)
    );
    http.put_as(&token, "PUT", "/fhir/Patient/rosa", PATIENT).await;
    http.put_as(&token, "PUT", "/fhir/RelatedPerson/luis", RELATED).await;
    let link = ok(&add(&rosa));
    assert_eq!(link.lines().count(), 1);
    let origin = server.base.trim_end_matches("/fhir");
    assert!(link.starts_with(&format!("{origin}/account/invitation?invitation=")), "{link}");
    ok(&add(&["luis", "--name", "Luis", "--role", "caregiver", "--as", "RelatedPerson/luis"]));
    ok(&add(&["ana", "--name", "Ana", "--role", "caregiver", "--as", "RelatedPerson/luis", "--as", "Patient/rosa"]));
    ok(&add(&["office", "--name", "Office", "--role", "administrator"]));
    for wrong in [
        &["rosa", "--name", "Another", "--role", "patient", "--as", "Patient/rosa"][..],
        &["x1", "--name", "X", "--role", "patient"],
        &["x1", "--name", "X", "--role", "clinician", "--as", "Patient/rosa"],
        &["x1", "--name", "X", "--role", "caregiver", "--as", "RelatedPerson/nobody"],
        &["x1", "--name", "X", "--role", "caregiver", "--as", "RelatedPerson/luis", "--as", "RelatedPerson/luis"],
        &["x1", "--name", "X", "--role", "caregiver", "--as", "Patient/rosa"],
        &["x1", "--name", "X", "--role", "patient", "--as", "../fhir/Patient/rosa"],
    ] {
        assert!(!add(wrong).status.success(), "{wrong:?}");
    }
    let nobody = add(&["x1", "--name", "X", "--role", "caregiver"]);
    assert!(stderr(&nobody).contains("fix: say who it is with --as"), "{}", stderr(&nobody));
    let directory = server.directory.to_str().unwrap();
    let listed = ok(&run(["user", "list", "--data", directory]));
    assert_eq!(listed.lines().count(), 4, "{listed}");
    let narrowed = "\tana\tcaregiver\tinvited\tRelatedPerson/luis\trosa\t";
    assert!(listed.contains(narrowed), "{listed}");
    assert!(
        listed.lines().any(|line| line.contains("\tluis\tcaregiver\tinvited\tRelatedPerson/luis\t-\t")),
        "{listed}"
    );
    let again = ok(&user(&server, &["invite", "rosa"]));
    assert_ne!(again, link);
    ok(&user(&server, &["disable", "rosa"]));
    assert!(!user(&server, &["invite", "rosa"]).status.success());
    ok(&user(&server, &["enable", "rosa"]));
    assert!(!user(&server, &["disable", "nobody"]).status.success());
}

#[tokio::test]
async fn a_person_comes_in_and_the_api_reads_no_cookie() {
    let server = Server::start();
    let token = server.full_token();
    let mut http = server.http().await;
    http.put_as(&token, "PUT", "/fhir/Patient/rosa", PATIENT).await;
    let add = ["add", "rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];
    let link = ok(&user(&server, &add));
    let origin = server.base.trim_end_matches("/fhir").to_owned();
    let path = link.trim().strip_prefix(&origin).unwrap().to_owned();
    let mut browser = Browser { http: &mut http, origin, cookies: Vec::new() };
    let (status, to, _) = browser.send("GET", &path, "").await;
    assert_eq!((status, to.as_str()), (303, "/account/invitation"));
    let csrf = browser.token("/account/invitation").await;
    let form = format!("csrf={csrf}&user=rosa&password=three+grey+herons&again=three+grey+herons");
    let (status, _, codes) = browser.send("POST", "/account/invitation", &form).await;
    assert_eq!(status, 200, "{codes}");
    let (status, _, page) = browser.send("GET", "/account/security", "").await;
    assert_eq!(status, 200);
    assert!(page.contains("Rosa Diaz"));
    // Row A20: the session is of the pages alone.
    let (status, _, _) = browser.send("GET", "/fhir/Patient/rosa", "").await;
    assert_eq!(status, 401);
    ok(&user(&server, &["disable", "rosa"]));
    let (status, to, _) = browser.send("GET", "/account/security", "").await;
    assert_eq!((status, to.as_str()), (303, "/account/sign-in?continuation=to-security"));
}
