//! Those who ask, and what they ask about: two systems, a clinician, a patient, a privacy officer; six patients.
#![expect(clippy::indexing_slicing, reason = "what a JSON value does not have is null; a chance is below its end")]

use super::book::Asker;
use crate::{
    client::{self, Connection},
    subject::Subject,
    visitor::{App, REDIRECT, Visitor},
};
use serde_json::{Value, json};
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
};

/// Patients; the clinician treats the first three, the last one's Consent forbids the partner all.
pub(crate) const PATIENTS: usize = 6;

/// Places of [`Facility::askers`].
pub(crate) const OWN: usize = 0;
pub(crate) const PARTNER: usize = 1;
pub(crate) const CLINICIAN: usize = 2;
pub(crate) const PATIENT: usize = 3;
pub(crate) const NOBODY: usize = 4;
/// Those who ask at the pages, by no token.
pub(crate) const CLINICIAN_AT_PAGE: usize = 5;
pub(crate) const PATIENT_AT_PAGE: usize = 6;
pub(crate) const OFFICER_AT_PAGE: usize = 7;

/// The patient for whom the clinician broke the glass.
pub(crate) const IN_EMERGENCY: usize = 3;

/// Whose record nobody outside may see.
pub(crate) const FORBIDDEN: &str = "zq5p";

/// Somebody at a browser.
pub(crate) struct Person {
    pub(crate) visitor: Visitor,
    /// Place in [`Facility::askers`].
    pub(crate) who: usize,
}

/// All of them.
pub(crate) struct Facility {
    pub(crate) askers: Arc<[Asker]>,
    pub(crate) people: Vec<Person>,
}

/// The id of a patient.
pub(crate) fn patient(number: usize) -> String {
    format!("zq{number}p")
}

fn wrong(why: impl Into<String>) -> io::Error {
    io::Error::other(why.into())
}

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

/// An Observation; what is about a patient says so in its words too.
pub(crate) fn observation(id: Option<&str>, patient: &str, value: usize) -> Value {
    let code = if value.is_multiple_of(2) { "83254-3" } else { "83232-9" };
    let mut observation = json!({
        "resourceType": "Observation", "status": "final",
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }] },
        "subject": reference(&format!("Patient/{patient}")),
        "effectiveDateTime": format!("2026-03-{:02}T09:30:00Z", value % 28 + 1),
        "valueString": format!("{patient} walks {value} steps"),
    });
    if let Some(id) = id {
        observation["id"] = json!(id);
    }
    observation
}

impl Facility {
    /// Makes it all on a server that was just started.
    pub(crate) async fn open(subject: &Subject, data: &Path) -> io::Result<Self> {
        let own = subject.register("system/*.cruds")?;
        let own_token = subject.token(&own)?;
        let key = data.join("partner.jwk");
        let add = ["client", "add", "partner", "--scope", "system/*.rs", "--generate-key"];
        let partner = (subject.operate(&[&add[..], &[&*key.to_string_lossy()]].concat())?, key);
        let partner_token = subject.token(&partner)?;
        fill(subject, &own_token).await?;
        let origin = subject.base.trim_end_matches("/fhir").to_owned();
        let app = |scope: &str| -> io::Result<App> {
            let add = ["client", "add", "Walks", "--public", "--redirect", REDIRECT, "--scope", scope];
            Ok(App { client_id: subject.operate(&add)?, fhir_base: subject.base.clone() })
        };
        let enrol = async |account: &[&str], number: u8| -> io::Result<Visitor> {
            let link = subject.operate(&[&["user", "add"], account].concat())?;
            let login = account.first().copied().unwrap_or_default();
            let mut visitor = Visitor::enrol(subject.address, &subject.tls, &origin, login, &link).await?;
            visitor.reconnect(subject.address, &subject.tls, address(number)).await?;
            Ok(visitor)
        };
        let account = ["kim", "--name", "Dr. Kim", "--role", "clinician", "--as", "Practitioner/kim", "--break-glass"];
        let mut kim = enrol(&account, 1).await?;
        kim.take_authenticator().await?;
        break_glass(&mut kim, IN_EMERGENCY).await?;
        let scope = "openid fhirUser user/Patient.rs user/Observation.rs user/Goal.rs user/Practitioner.rs";
        let kims = app(scope)?;
        let code = kim.code_for(&kims, scope).await?;
        let kim_token = token_of(&kim.redeem(&kims, &code).await?)?;

        let account = ["rosa", "--name", "Rosa", "--role", "patient", "--as", "Patient/zq0p"];
        let mut rosa = enrol(&account, 2).await?;
        let scope = "launch/patient patient/Patient.rs patient/Observation.rs patient/Goal.rs patient/AuditEvent.rs";
        let rosas = app(scope)?;
        let code = rosa.code_for(&rosas, scope).await?;
        let rosa_token = token_of(&rosa.redeem(&rosas, &code).await?)?;

        let mut officer = enrol(&["olga", "--name", "Olga", "--role", "privacy-officer"], 3).await?;
        officer.take_authenticator().await?;

        let clinician = Some(("clinician", "Practitioner/kim"));
        let person = Some(("patient", "Patient/zq0p"));
        let of = |token: &str, client: &str, person| Asker {
            token: Some(token.to_owned()),
            client: Some(client.to_owned()),
            person,
        };
        let at_page = |person| Asker { person, ..Asker::default() };
        let askers = [
            of(&own_token, &own.0, None),
            of(&partner_token, &partner.0, None),
            of(&kim_token, &kims.client_id, clinician),
            of(&rosa_token, &rosas.client_id, person),
            Asker::default(),
            at_page(clinician),
            at_page(person),
            at_page(Some(("privacy-officer", ""))),
        ];
        let people = vec![
            Person { visitor: kim, who: CLINICIAN_AT_PAGE },
            Person { visitor: rosa, who: PATIENT_AT_PAGE },
            Person { visitor: officer, who: OFFICER_AT_PAGE },
        ];
        Ok(Self { askers: Arc::from(askers), people })
    }

    /// People come again to a server that was started again.
    pub(crate) async fn reconnect(&mut self, subject: &Subject) -> io::Result<()> {
        for (person, number) in self.people.iter_mut().zip(1..) {
            person.visitor.reconnect(subject.address, &subject.tls, address(number)).await?;
        }
        Ok(())
    }
}

/// Each at an address of their own: the server limits what one address asks.
fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 2, number))
}

fn token_of(response: &Value) -> io::Result<String> {
    let token = response.get("access_token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| wrong("no access token"))
}

/// The clinician opens one record that they do not see otherwise.
async fn break_glass(kim: &mut Visitor, number: usize) -> io::Result<()> {
    const PAGE: &str = "/account/emergency";
    let id = patient(number);
    let csrf = kim.page(PAGE).await?.field("csrf")?;
    let find = format!("csrf={csrf}&decision=find&number=MRN-{id}&given=&family=&born=");
    let found = kim.submit(PAGE, &find).await?;
    let form =
        format!("csrf={}&decision=break&patient={id}&reason=emergency&words=Found+on+the+floor.", found.field("csrf")?);
    let done = kim.submit(PAGE, &form).await?;
    if done.status == 303 { Ok(()) } else { Err(wrong(format!("the glass: {} {}", done.status, done.text()))) }
}

async fn fill(subject: &Subject, token: &str) -> io::Result<()> {
    let mut entries = Vec::new();
    let mut put = |resource: Value| {
        let kind = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let id = resource.get("id").and_then(Value::as_str).unwrap_or_default();
        entries.push(json!({ "request": { "method": "PUT", "url": format!("{kind}/{id}") }, "resource": resource }));
    };
    put(json!({ "resourceType": "Practitioner", "id": "kim", "name": [{ "family": "Kim" }] }));
    for number in 0..PATIENTS {
        let id = patient(number);
        let mut resource = json!({
            "resourceType": "Patient", "id": id, "birthDate": "1943-05-17",
            "identifier": [{ "system": "urn:example:mrn", "value": format!("MRN-{id}") }],
            "name": [{ "family": format!("Family-{id}"), "given": ["Ada"] }],
        });
        if number < 3 {
            resource["generalPractitioner"] = json!([reference("Practitioner/kim")]);
        }
        put(resource);
        put(json!({ "resourceType": "Goal", "id": format!("g{number}"), "lifecycleStatus": "active",
            "subject": reference(&format!("Patient/{id}")), "description": { "text": format!("{id} walks to the garden") } }));
        for n in 0..4 {
            put(observation(Some(&format!("o{number}-{n}")), &id, n));
        }
    }
    let scope = json!({ "coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy" }] });
    put(json!({
        "resourceType": "Consent", "id": "says-no", "status": "active", "scope": scope,
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": reference(&format!("Patient/{FORBIDDEN}")), "dateTime": "2026-03-01T10:00:00Z",
        "policyRule": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT" }] },
        "provision": { "type": "deny" },
    }));
    let body = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries }).to_string();
    let request = client::request("POST", "/fhir", token, body.as_bytes());
    let mut connection = Connection::open(subject.address, &subject.tls).await?;
    let answer = connection.send(&request, true).await?;
    if answer.status == 200 { Ok(()) } else { Err(wrong(String::from_utf8_lossy(&answer.body))) }
}
