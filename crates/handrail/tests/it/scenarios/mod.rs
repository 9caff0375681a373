//! The ten scenarios of post-acute care, each from end to end: a server process, TLS, real tokens. `docs/matrix.txt` lists
//! them with their callers. SPEC: PFE 2.0.0 and RT 1.0.0 (what is exchanged), rows F1 to F21, G4 to G17.

mod choices;
mod facility;
mod others;
mod people;

use crate::{
    authorize::{REDIRECT, VERIFIER, ask, encoded, field, redemption},
    support::{Answer, Http, Server, handrail, ok, run},
    users::Browser,
};
use oauth::pkce::Challenge;
use serde_json::{Value, json};

/// A facility with two residents, those who treat them, and a stay with two timepoints.
pub(crate) struct Facility {
    pub(crate) server: Server,
    /// A token of the facility's own record system.
    pub(crate) own: String,
    pub(crate) http: Http,
}

pub(crate) const CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(crate) const LOINC: &str = "http://loinc.org";

/// A survey observation: one item of an assessment.
pub(crate) fn item(id: &str, patient: &str, encounter: &str, code: &str, date: &str, score: u32) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final",
        "category": [
            { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey" }] },
            { "coding": [{ "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "code": "functional-status" }] },
        ],
        "code": { "coding": [{ "system": LOINC, "code": code }] },
        "subject": { "reference": format!("Patient/{patient}") },
        "encounter": { "reference": format!("Encounter/{encounter}") },
        "effectiveDateTime": date,
        "performer": [{ "reference": "Practitioner/nora" }],
        "valueInteger": score,
    })
}

pub(crate) fn encounter(id: &str, patient: &str, status: &str, period: Value, part_of: Option<&str>) -> Value {
    let mut encounter = json!({
        "resourceType": "Encounter", "id": id, "status": status,
        "class": { "system": CLASS, "code": "IMP" }, "subject": { "reference": format!("Patient/{patient}") },
        "period": period, "serviceProvider": { "reference": "Organization/house" },
    });
    if let Some(whole) = part_of {
        encounter["partOf"] = json!({ "reference": format!("Encounter/{whole}") });
    }
    encounter
}

impl Facility {
    pub(crate) async fn open() -> Self {
        Self::on(Server::start()).await
    }

    pub(crate) async fn on(server: Server) -> Self {
        let own = server.full_token();
        let http = server.http().await;
        let mut facility = Self { server, own, http };
        let period = |start: &str, end: &str| json!({ "start": start, "end": end });
        for resource in [
            json!({ "resourceType": "Organization", "id": "house", "name": "Maple House", "active": true }),
            json!({ "resourceType": "Organization", "id": "home", "name": "Home Care", "active": true }),
            json!({ "resourceType": "Practitioner", "id": "nora", "name": [{ "family": "Silva" }] }),
            json!({ "resourceType": "Practitioner", "id": "hugo", "name": [{ "family": "Lind" }] }),
            json!({ "resourceType": "Patient", "id": "rosa", "name": [{ "family": "Diaz", "given": ["Rosa"] }],
                "gender": "female", "managingOrganization": { "reference": "Organization/house" } }),
            json!({ "resourceType": "Patient", "id": "maud", "name": [{ "family": "Okafor", "given": ["Maud"] }],
                "gender": "female", "managingOrganization": { "reference": "Organization/house" } }),
            encounter("rosa-stay", "rosa", "in-progress", json!({ "start": "2026-02-26" }), None),
            encounter("rosa-t1", "rosa", "in-progress", json!({ "start": "2026-02-26" }), Some("rosa-stay")),
            encounter("maud-stay", "maud", "in-progress", json!({ "start": "2026-02-20" }), None),
            encounter("maud-t1", "maud", "finished", period("2026-02-20", "2026-03-10"), Some("maud-stay")),
            item("rosa-o1", "rosa", "rosa-t1", "54522-8", "2026-03-01T10:00:00Z", 2),
            item("maud-o1", "maud", "maud-t1", "54522-8", "2026-03-01T10:00:00Z", 3),
        ] {
            facility.put(resource).await;
        }
        facility
    }

    /// Puts a resource by the facility's own system.
    pub(crate) async fn put(&mut self, resource: Value) -> Answer {
        let path = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let answer = self.http.put_as(&self.own, "PUT", &path, &resource.to_string()).await;
        assert!(matches!(answer.status.as_u16(), 200 | 201), "{path}: {answer:?}");
        answer
    }

    pub(crate) async fn get(&mut self, token: &str, path: &str) -> Answer {
        self.http.get_as(token, &format!("/fhir/{path}")).await
    }

    pub(crate) async fn status(&mut self, token: &str, path: &str) -> u16 {
        self.get(token, path).await.status.as_u16()
    }

    /// Ids of what a search finds, sorted.
    pub(crate) async fn found(&mut self, token: &str, path: &str) -> Vec<String> {
        let answer = self.get(token, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let mut ids = ids(&answer.json());
        ids.sort();
        ids
    }

    /// The token of a system of the facility, with these scopes.
    pub(crate) fn system(&self, name: &str, scope: &str) -> String {
        let key = self.server.directory.with_file_name(format!("{name}.jwk"));
        let added = handrail()
            .args(["client", "add", name, "--scope", scope, "--custodian", "--data"])
            .arg(&self.server.directory)
            .arg("--generate-key")
            .arg(&key)
            .output()
            .unwrap();
        let id = ok(&added).trim().to_owned();
        let token = handrail()
            .args(["token", "--server", &self.server.base, "--client", &id, "--key"])
            .arg(&key)
            .arg("--ca")
            .arg(self.server.ca())
            .output()
            .unwrap();
        ok(&token).trim().to_owned()
    }

    /// An app of people.
    pub(crate) fn app(&self, name: &str, scope: &str) -> String {
        let directory = self.server.directory.to_str().unwrap();
        let arguments =
            ["client", "add", name, "--data", directory, "--redirect", REDIRECT, "--public", "--scope", scope];
        ok(&run(arguments)).trim().to_owned()
    }
}

pub(crate) fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

/// All values of the fields of a name on a page.
fn offered(page: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in page.split("<input").skip(1) {
        let tag = &part[..part.find('>').unwrap()];
        if tag.contains(&format!("name=\"{name}\""))
            && let Some((_, rest)) = tag.split_once("value=\"")
        {
            let value = rest.split_once('"').unwrap().0;
            found.push(value.replace("&amp;", "&").replace("&#x27;", "'").replace("&quot;", "\""));
        }
    }
    found
}

/// A person lets an app in, without the scopes that have such a part: the token response.
pub(crate) async fn let_in(
    facility: &mut Facility,
    browser: &mut Browser<'_>,
    app: &str,
    scope: &str,
    declined: &[&str],
) -> Value {
    let path = format!(
        "/oauth/authorize?response_type=code&client_id={app}&redirect_uri={}&scope={}&state=s&aud={}&code_challenge={}\
         &code_challenge_method=S256",
        encoded(REDIRECT),
        encoded(scope),
        encoded(&facility.server.base),
        Challenge::of(VERIFIER).as_parameter()
    );
    let (_, to, page) = browser.send("GET", &path, "").await;
    assert!(to.starts_with("/oauth/authorize?continuation="), "{to} {page}");
    let (status, _, page) = browser.send("GET", &to, "").await;
    assert_eq!(status, 200, "{page}");
    let lasts = if scope.contains("offline_access") { "180" } else { "now" };
    let mut form = format!(
        "csrf={}&continuation={}&decision=share&lasts={lasts}",
        field(&page, "csrf"),
        field(&page, "continuation")
    );
    for name in ["group", "scope"] {
        let mut values = offered(&page, name);
        values.dedup();
        for value in values.iter().filter(|value| !declined.iter().any(|part| value.contains(part))) {
            form.push_str(&format!("&{name}={}", encoded(value)));
        }
    }
    let (status, to, page) = browser.send("POST", "/account/consent", &form).await;
    assert_eq!(status, 303, "{form} {page}");
    let code = to.split_once("code=").unwrap_or_else(|| panic!("{to}")).1.split('&').next().unwrap().to_owned();
    let answer = ask(&mut facility.http, &redemption(&code, &format!("client_id={app}")), None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub(crate) fn token_of(response: &Value) -> String {
    response["access_token"].as_str().unwrap().to_owned()
}
