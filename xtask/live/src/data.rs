//! The resources that bench and soak write: patients with dated observations of about 1.5 KB, shaped
//! like PFE single observations, so that a search can be asked for exactly 20 of them.

use fhir::json::Writer;

/// Codes of the observations: each patient has [`DATES`] of each.
pub const CODES: [&str; 4] = ["83254-3", "83232-9", "83234-5", "83220-4"];
/// Observations of one code of one patient, a day apart.
pub const DATES: usize = 25;
/// Resources of one patient, the patient included.
pub const PER_PATIENT: usize = 1 + CODES.len() * DATES;

/// A Patient.
pub fn patient(n: usize) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "Patient");
        w.member("id", &format!("bench-p{n}"));
        w.key("name");
        w.array(|w| {
            w.object(|w| {
                w.member("family", &format!("Probe{n}"));
                w.key("given");
                w.array(|w| w.string("Ada"));
            });
        });
        w.member("gender", "female");
        w.member("birthDate", "1941-05-17");
    });
    w.into_bytes()
}

fn coding(w: &mut Writer, system: &str, code: &str, display: &str) {
    w.key("coding");
    w.array(|w| {
        w.object(|w| {
            w.member("system", system);
            w.member("code", code);
            w.member("display", display);
        });
    });
}

/// An Observation of about 1.5 KB; `serial` makes it unique.
pub fn observation(patient: usize, code: &str, day: usize, id: Option<&str>, serial: usize) -> Vec<u8> {
    let mut w = Writer::with_capacity(2048);
    w.object(|w| {
        w.member("resourceType", "Observation");
        if let Some(id) = id {
            w.member("id", id);
        }
        w.key("text");
        w.object(|w| {
            w.member("status", "generated");
            let words = "The resident was observed on two shifts by the therapist and the nurse. ".repeat(6);
            w.member("div", &format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{words}</p></div>"));
        });
        w.key("identifier");
        w.array(|w| {
            w.object(|w| {
                w.member("system", "https://bench.example/observations");
                w.member("value", &format!("{serial}"));
            });
        });
        w.member("status", "final");
        w.key("category");
        w.array(|w| {
            w.object(|w| {
                coding(w, "http://terminology.hl7.org/CodeSystem/observation-category", "survey", "Survey");
            });
            w.object(|w| {
                coding(
                    w,
                    "http://hl7.org/fhir/us/core/CodeSystem/us-core-category",
                    "functional-status",
                    "Functional Status",
                );
            });
        });
        w.key("code");
        w.object(|w| coding(w, "http://loinc.org", code, "Functional ability"));
        w.key("subject");
        w.object(|w| w.member("reference", &format!("Patient/bench-p{patient}")));
        w.member("effectiveDateTime", &format!("2026-03-{:02}T09:30:00Z", day + 1));
        w.key("performer");
        w.array(|w| w.object(|w| w.member("display", "A therapist of the bench")));
        w.key("valueCodeableConcept");
        w.object(|w| {
            coding(w, "http://loinc.org", "LA10055-6", "Partial/moderate assistance");
            w.member("text", "Helper does less than half the effort");
        });
    });
    w.into_bytes()
}

/// The n-th code, counted round.
pub fn code(n: usize) -> &'static str {
    CODES.get(n % CODES.len()).copied().unwrap_or_default()
}

/// The id of an Observation of the load: patient, place of its code, day.
pub fn observation_id(patient: usize, code: usize, day: usize) -> String {
    format!("bench-o{patient}-{code}-{day}")
}

/// That Observation as it was sent.
pub fn loaded(patient: usize, place: usize, day: usize) -> Vec<u8> {
    let serial = (patient * CODES.len() + place) * DATES + day;
    observation(patient, code(place), day, Some(&observation_id(patient, place, day)), serial)
}

/// A transaction Bundle of these (method, url, resource) entries.
pub fn bundle(entries: &[(&str, String, Vec<u8>)]) -> Vec<u8> {
    let mut w = Writer::with_capacity(entries.len() * 1800);
    w.object(|w| {
        w.member("resourceType", "Bundle");
        w.member("type", "transaction");
        w.key("entry");
        w.array(|w| {
            for (method, url, resource) in entries {
                w.object(|w| {
                    w.key("resource");
                    w.raw(resource);
                    w.key("request");
                    w.object(|w| {
                        w.member("method", method);
                        w.member("url", url);
                    });
                });
            }
        });
    });
    w.into_bytes()
}

/// A patient and all of its observations, under chosen ids, as one transaction.
pub fn whole_patient(n: usize) -> Vec<u8> {
    let mut entries = vec![("PUT", format!("Patient/bench-p{n}"), patient(n))];
    for place in 0..CODES.len() {
        for day in 0..DATES {
            let url = format!("Observation/{}", observation_id(n, place, day));
            entries.push(("PUT", url, loaded(n, place, day)));
        }
    }
    bundle(&entries)
}
