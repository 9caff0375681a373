//! A patient chooses at a page what others may see: what her clinician's app gets over TLS follows with the next request.
//! Rows G7, G9, G17.

use super::{Facility, encoded, field, let_in, token_of};
use crate::{authorize::enrol, launch::clinician, users::Browser};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CHOICE: &str = "patient=rosa&effect=withhold&who=Practitioner%2Fnora&what=kinds&kind=results&purpose=TREAT";

async fn sent(browser: &mut Browser<'_>, path: &str, form: &str, page: &str) -> (u16, String, String) {
    let form = format!("{form}&csrf={}&shown={}", field(page, "csrf"), encoded(&field(page, "shown")));
    browser.send("POST", path, &form).await
}

#[tokio::test]
async fn g9_a_choice_at_the_page_counts_with_the_next_request() {
    let mut facility = Facility::open().await;
    facility
        .put(json!({ "resourceType": "Patient", "id": "rosa", "name": [{ "family": "Diaz", "given": ["Rosa"] }],
            "gender": "female", "generalPractitioner": [{ "reference": "Practitioner/nora" }] }))
        .await;
    let scope = "openid fhirUser user/Patient.rs user/Observation.rs user/Encounter.rs";
    let app = facility.app("Rounds", scope);
    let mut staff = facility.server.http().await;
    let mut nora = clinician(&facility.server, &mut staff, "nora").await;
    let token = token_of(&let_in(&mut facility, &mut nora, &app, scope, &[]).await);
    assert_eq!(facility.status(&token, "Observation/rosa-o1").await, 200);
    let mut pages = facility.server.http().await;
    let account = ["rosa", "--name", "Rosa Diaz", "--role", "patient", "--as", "Patient/rosa"];
    let mut rosa = enrol(&facility.server, &mut pages, &account).await;
    let (status, _, form) = rosa.send("GET", "/account/choices/new?patient=rosa", "").await;
    assert_eq!(status, 200, "{form}");
    let asked = format!("{CHOICE}&decision=preview&csrf={}", field(&form, "csrf"));
    let (status, _, page) = rosa.send("POST", "/account/choices/new", &asked).await;
    assert!(status == 200 && page.contains("will no longer see 1 thing"), "{page}");
    let (status, to, page) =
        sent(&mut rosa, "/account/choices/new", &format!("{CHOICE}&decision=confirm"), &page).await;
    assert_eq!((status, to.as_str()), (303, "/account/choices?patient=rosa&done=made"), "{page}");
    let made = Instant::now();
    assert_eq!(facility.status(&token, "Observation/rosa-o1").await, 404);
    assert!(made.elapsed() < Duration::from_secs(1), "with the next request, and within a second");
    assert_eq!(facility.found(&token, "Observation?patient=rosa").await, [""; 0]);
    assert_eq!(facility.status(&token, "Patient/rosa").await, 200, "only what she chose");
    let own = facility.own.clone();
    let written = facility.get(&own, "Consent?patient=rosa").await.json()["entry"][0]["resource"].clone();
    assert_eq!(written["performer"][0]["reference"], "Patient/rosa");
    let id = written["id"].as_str().unwrap();
    // As `$validate` reads it, it has no faults.
    let path = "/fhir/Consent/$validate";
    let checked = facility.http.put_as(&own, "POST", path, &written.to_string()).await.json();
    let is_fault = |issue: &Value| matches!(issue["severity"].as_str(), Some("error" | "fatal"));
    assert!(!checked["issue"].as_array().unwrap().iter().any(is_fault), "{checked}");
    let path = format!("/account/choices/end?patient=rosa&choice={id}");
    let (status, _, page) = rosa.send("GET", &path, "").await;
    assert!(status == 200 && page.contains("will see 1 more thing"), "{page}");
    let form = format!("patient=rosa&choice={id}&decision=confirm");
    let (status, to, page) = sent(&mut rosa, "/account/choices/end", &form, &page).await;
    assert_eq!((status, to.as_str()), (303, "/account/choices?patient=rosa&done=ended"), "{page}");
    assert_eq!(facility.status(&token, "Observation/rosa-o1").await, 200);
    let versions = facility.get(&own, &format!("Consent/{id}/_history")).await.json();
    assert_eq!(versions["total"], 2, "ended, never deleted");
    let said: Vec<Value> =
        versions["entry"].as_array().unwrap().iter().map(|one| one["resource"]["status"].clone()).collect();
    assert_eq!(said, ["inactive", "active"]);
}
