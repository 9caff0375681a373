//! What consents and labels cost: the same requests on the same resources, once by the facility's own system on a store
//! without any Consent, once by a system that consents bind, on a store where every patient has one that matters.
//!
//! Each patient has an active Consent whose nested provision denies what has one code, and resources that it withholds
//! and that are labelled besides. They lie among those that are searched for: who sees one of them has a wrong answer,
//! and that ends the run.

use crate::{load::Work, stage::Served};
use fhir::json::{Tree, Writer};
use live::{
    client::{self, Reply},
    data,
};
use memchr::memmem;
use std::{io, path::PathBuf};

/// The code that consents deny.
const DENIED: &str = "45404-1";

/// Withheld resources of each patient, one for each code that is searched for.
const WITHHELD: usize = data::CODES.len();

/// Patients of one transaction.
const AT_ONCE: usize = 25;

/// Gives every patient a Consent and what it withholds.
pub(crate) async fn fill(served: &Served<'_>, patients: usize) -> io::Result<()> {
    let target = served.target();
    let token = served.token()?;
    let mut connection = client::Connection::open(target.address, &target.tls).await?;
    for first in (0..patients).step_by(AT_ONCE) {
        let mut entries = Vec::new();
        for patient in first..(first + AT_ONCE).min(patients) {
            entries.push(("PUT", format!("Consent/bench-c{patient}"), consent(patient)));
            for place in 0..WITHHELD {
                entries.push(("PUT", format!("Observation/bench-w{patient}-{place}"), withheld(patient, place)?));
            }
        }
        let request = client::request("POST", "/fhir", &token, &data::bundle(&entries));
        let answer = connection.send(&request, true).await?;
        if answer.status != 200 {
            let what = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(io::Error::other(format!("consents: status {}: {what}", answer.status)));
        }
    }
    Ok(())
}

/// A system that consents bind: its id and key.
pub(crate) fn bound(served: &Served<'_>) -> io::Result<(String, PathBuf)> {
    let key = served.data().join("bench-bound.jwk");
    let add = ["client", "add", "bound", "--scope", "system/*.rs", "--generate-key"];
    let id = served.subject.operate(&[add.as_slice(), &[&key.to_string_lossy()]].concat())?;
    Ok((id, key))
}

fn coding(w: &mut Writer, system: &str, code: &str) {
    w.key("coding");
    w.array(|w| {
        w.object(|w| {
            w.member("system", system);
            w.member("code", code);
        });
    });
}

fn consent(patient: usize) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "Consent");
        w.member("id", &format!("bench-c{patient}"));
        w.member("status", "active");
        w.key("scope");
        w.object(|w| coding(w, "http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"));
        w.key("category");
        w.array(|w| w.object(|w| coding(w, "http://loinc.org", "59284-0")));
        w.key("patient");
        w.object(|w| w.member("reference", &format!("Patient/bench-p{patient}")));
        w.member("dateTime", "2026-01-01");
        w.key("policyRule");
        w.object(|w| w.member("text", "As the provisions say"));
        w.key("provision");
        w.object(|w| {
            w.member("type", "permit");
            w.key("provision");
            w.array(|w| {
                w.object(|w| {
                    w.member("type", "deny");
                    w.key("code");
                    w.array(|w| w.object(|w| coding(w, "http://loinc.org", DENIED)));
                });
            });
        });
    });
    w.into_bytes()
}

/// An observation that a search for its code would find, but for its second code and its labels.
fn withheld(patient: usize, place: usize) -> io::Result<Vec<u8>> {
    let id = format!("bench-w{patient}-{place}");
    let json = data::observation(
        patient,
        data::code(place),
        data::DATES - 1,
        Some(&id),
        2_000_000_000 + patient * WITHHELD + place,
    );
    let text = String::from_utf8(json).map_err(io::Error::other)?;
    let labels = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]},"text":"#;
    let second = format!(r#""code":{{"coding":[{{"system":"http://loinc.org","code":"{DENIED}"}},"#);
    let labelled = text.replacen(r#""text":"#, labels, 1);
    let both = labelled.replacen(r#""code":{"coding":["#, &second, 1);
    if both.len() != text.len() + labels.len() - r#""text":"#.len() + second.len() - r#""code":{"coding":["#.len() {
        return Err(io::Error::other("an observation of the bench has another form"));
    }
    Ok(both.into_bytes())
}

/// A GET of a page with so many entries.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) patients: usize,
    pub(crate) token: String,
    pub(crate) of: Of,
}

/// Which page.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    /// The observations of a patient, 50 of 100.
    Patient,
    /// Those of a patient, a code and a time, with the patient.
    Include,
    /// The first of the type.
    Type,
}

impl Of {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Patient => "Observation?patient=, 50 entries of 100",
            Self::Include => "Observation?patient=&code=&date=ge&_include, 21 entries",
            Self::Type => "Observation?_count=20",
        }
    }

    const fn entries(self) -> usize {
        match self {
            Self::Patient => 50,
            Self::Include => 21,
            Self::Type => 20,
        }
    }
}

impl Work for Page {
    fn request(&self, ticket: usize) -> Vec<u8> {
        let pick = ticket.wrapping_mul(2_654_435_761) >> 7;
        let patient = pick % self.patients;
        let path = match self.of {
            Of::Patient => format!("/fhir/Observation?patient=bench-p{patient}&_count=50"),
            Of::Include => format!(
                "/fhir/Observation?patient=bench-p{patient}&code={}&date=ge2026-03-06&_include=Observation:subject&_count=20",
                data::code(pick / 7)
            ),
            Of::Type => "/fhir/Observation?_count=20".to_owned(),
        };
        client::request("GET", &path, &self.token, b"")
    }

    fn is_right(&self, _: usize, reply: &Reply<'_>) -> bool {
        reply.status == 200
            && memmem::find_iter(reply.body, "\"fullUrl\"").count() == self.of.entries()
            && memmem::find(reply.body, b"bench-w").is_none()
    }

    fn is_wholly_right(&self, _: usize, body: &[u8]) -> Result<(), String> {
        Tree::parse(body.to_vec()).map(drop).map_err(|error| error.to_string())
    }
}
