//! The words of predicates, as operators read them.

use crate::{
    query::{Context, Handling, parse},
    registry,
};
use fhir::{Instant, ResourceType};

fn words(kind: &str, pairs: &[(&str, &str)]) -> String {
    let context = Context {
        handling: Handling::Strict,
        base_url: "https://here.example/fhir",
        now: Instant::from_unix_millis(0),
        compartment: None,
    };
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let query = parse(registry(), ResourceType::parse(kind).unwrap(), &pairs, &context).unwrap();
    [super::predicate(registry(), &query.predicate), super::sort(registry(), &query.sort)].join(" | ")
}

#[test]
fn searches_read_as_they_were_meant() {
    assert_eq!(
        words("Observation", &[("patient", "p1"), ("code", "http://loinc.org|8480-6,x"), ("_sort", "-date")]),
        "patient = Patient/p1 and (code = http://loinc.org|8480-6 or code = x) | -date"
    );
    assert_eq!(
        words("Patient", &[("family", "An"), ("_has:Observation:patient:code", "y"), ("gender:not", "male")]),
        "family begins with \"an\" and a Observation refers to it by patient, with (code = y) and not (gender = male) | "
    );
    assert_eq!(
        words(
            "Observation",
            &[("date", "ge2024-01-01"), ("subject:Patient.family", "B"), ("performer:missing", "true")]
        ),
        "date in or after 2024-01-01T00:00:00.000Z to 2024-01-02T00:00:00.000Z and subject refers to a Patient with \
         (family begins with \"b\") and performer is missing | "
    );
}
