//! A broken glass from end to end over TLS: sign in, prove it again, break, read that one record, and who is told of it.
//! Rows F49, F50, A18, F16.

use crate::{
    authorize::{enrol, field},
    launch::{one_time_code, one_time_code_in},
    scenarios::{Facility, let_in, token_of},
    support::{handrail, ok},
    users::{Browser, user},
};
use serde_json::json;

const CATEGORY: &str =
    "http://terminology.hl7.org/CodeSystem/v3-ActReason#BTG; scheme=\"http://hl7.org/fhir/tag/security\"";
const PAGE: &str = "/account/emergency";

/// Somebody with a second factor; the page that shows its seed.
async fn staff<'a>(facility: &Facility, http: &'a mut crate::support::Http, account: &[&str]) -> (Browser<'a>, String) {
    let mut browser = enrol(&facility.server, http, account).await;
    let (_, _, seed) = browser.send("GET", "/account/security/authenticator", "").await;
    let form = format!("csrf={}&code={}", field(&seed, "csrf"), one_time_code(&seed));
    assert_eq!(browser.send("POST", "/account/security/authenticator", &form).await.0, 303);
    (browser, seed)
}

fn doctor(facility: &Facility) -> String {
    let output = handrail().args(["doctor", "--data"]).arg(&facility.server.directory).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn f49_f50_from_the_sign_in_to_the_verdict() {
    let mut facility = Facility::open().await;
    facility
        .put(json!({ "resourceType": "Patient", "id": "rosa", "name": [{ "family": "Diaz", "given": ["Rosa"] }],
            "birthDate": "1943-05-17", "identifier": [{ "system": "urn:example:mrn", "value": "MRN-1" }],
            "managingOrganization": { "reference": "Organization/house" } }))
        .await;
    let (mut first, mut second, mut third) =
        (facility.server.http().await, facility.server.http().await, facility.server.http().await);
    let account = ["lee", "--name", "Dr. Lee Novak", "--role", "clinician", "--as", "Practitioner/lee"];
    facility.put(json!({ "resourceType": "Practitioner", "id": "lee", "name": [{ "family": "Novak" }] })).await;
    let (mut lee, seed) = staff(&facility, &mut first, &account).await;
    let scope = "openid fhirUser user/Patient.rs user/Observation.rs";
    let app = facility.app("Ward", scope);
    let token = token_of(&let_in(&mut facility, &mut lee, &app, scope, &[]).await);
    for path in ["Patient/rosa", "Observation/rosa-o1", "Patient/maud", "Observation/maud-o1"] {
        assert_eq!(facility.status(&token, path).await, 404, "{path}: nothing relates them");
    }
    // Without the right there is no such page; with it, and nobody to be told, the doctor says so.
    assert_eq!(lee.send("GET", PAGE, "").await.0, 403);
    ok(&user(&facility.server, &["set-break-glass", "lee"]));
    assert!(doctor(&facility).contains("1 person may break the glass, 0 cases wait, and no privacy officer is told"));
    let account = ["olga", "--name", "Olga Roth", "--role", "privacy-officer"];
    let (mut olga, _) = staff(&facility, &mut second, &account).await;
    assert!(!doctor(&facility).contains("no privacy officer is told"));
    let account = ["rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];
    let mut rosa = enrol(&facility.server, &mut third, &account).await;

    // Whoever is not signed in is led to it, and proves who they are with both factors.
    lee.cookies.retain(|(name, _)| name != "__Host-handrail");
    let (status, to, _) = lee.send("GET", PAGE, "").await;
    assert_eq!((status, to.as_str()), (303, "/account/sign-in?continuation=to-emergency"));
    let (_, _, page) = lee.send("GET", &to, "").await;
    let form = |page: &str, rest: &str| {
        format!("csrf={}&continuation={}&{rest}", field(page, "csrf"), field(page, "continuation"))
    };
    let typed = form(&page, "user=lee&password=three+grey+herons");
    let (status, to, page) = lee.send("POST", "/account/sign-in", &typed).await;
    assert!(status == 303 && to.starts_with("/account/second-factor"), "{status} {to} {page}");
    let (_, _, page) = lee.send("GET", &to, "").await;
    let typed = form(&page, &format!("way=authenticator&code={}", one_time_code_in(&seed, 1)));
    let (status, to, page) = lee.send("POST", "/account/second-factor", &typed).await;
    assert_eq!((status, to.as_str()), (303, PAGE), "{page}");

    // One person by all of their number, a reason, and the record is open.
    let (status, _, page) = lee.send("GET", PAGE, "").await;
    assert!(status == 200 && !page.contains("Rosa"), "nobody is listed: {page}");
    let find = format!("csrf={}&decision=find&number=MRN-1&given=&family=&born=", field(&page, "csrf"));
    let (status, _, page) = lee.send("POST", PAGE, &find).await;
    assert!(status == 200 && page.contains("Rosa Diaz"), "{page}");
    let why = "decision=break&patient=rosa&reason=emergency&words=Found+on+the+floor.";
    let (status, to, page) = lee.send("POST", PAGE, &format!("csrf={}&{why}", field(&page, "csrf"))).await;
    assert_eq!((status, to.as_str()), (303, PAGE), "{page}");
    for (path, status) in
        [("Patient/rosa", 200), ("Observation/rosa-o1", 200), ("Patient/maud", 404), ("Observation/maud-o1", 404)]
    {
        assert_eq!(facility.status(&token, path).await, status, "{path}");
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("category", CATEGORY)];
        let marked = facility.http.get(&format!("/fhir/{path}"), &headers).await.status;
        assert_eq!(marked, if status == 200 { 200 } else { 403 }, "{path}, marked");
    }
    assert_eq!(facility.found(&token, "Patient").await, ["rosa"]);

    // The privacy officer is told on whatever page they are; the patient on theirs; the operator by the doctor.
    let (_, _, page) = olga.send("GET", "/account/security", "").await;
    assert!(page.contains("<span class=\"badge\">1</span>"), "{page}");
    let (_, _, page) = olga.send("GET", "/account/privacy", "").await;
    assert!(page.contains("Say if it was right. One waits."), "{page}");
    let (_, _, page) = olga.send("GET", "/account/cases", "").await;
    assert!(page.contains("Rosa Diaz") && page.contains("Dr. Lee Novak"), "{page}");
    let case = page.split_once("/account/case?case=").unwrap().1.split(['"', '&']).next().unwrap().to_owned();
    assert!(doctor(&facility).contains("1 case of broken glasses wait"), "{}", doctor(&facility));
    let (status, _, page) = rosa.send("GET", "/account/seen", "").await;
    assert!(status == 200 && page.contains("Dr. Lee Novak") && page.contains("in an emergency"), "{page}");
    let (_, _, table) = rosa.send("GET", "/account/seen/table", "").await;
    assert!(table.contains("Dr. Lee Novak") && !table.contains("Maud"), "{table}");

    // The verdict, after what was looked at.
    let (status, _, page) = olga.send("GET", &format!("/account/case?case={case}"), "").await;
    assert!(status == 200 && page.contains("Found on the floor.") && page.contains("Observation/rosa-o1"), "{page}");
    assert!(!page.contains("maud"), "what was not opened is no look at it: {page}");
    let typed = format!("csrf={}&case={case}&verdict=justified&note=I+asked+the+ward.", field(&page, "csrf"));
    let (status, to, page) = olga.send("POST", "/account/case", &typed).await;
    assert_eq!((status, to.as_str()), (303, "/account/cases"), "{page}");
    let (_, _, page) = olga.send("GET", "/account/security", "").await;
    assert!(!page.contains("class=\"badge\""), "{page}");
    // Ended, it is shut with the next request.
    let (_, _, page) = lee.send("GET", PAGE, "").await;
    let end = format!("csrf={}&decision=end&case={case}", field(&page, "csrf"));
    assert_eq!(lee.send("POST", PAGE, &end).await.0, 303);
    assert_eq!(facility.status(&token, "Patient/rosa").await, 404);
}
