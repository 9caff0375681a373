//! Small breaks of a right resource: each is found, at its place.

use super::{OBSERVATION, errors, issues};
use fhir::issue::{IssueType, Severity};
use fhirpath::Expression;

/// Replaces the first occurrence.
fn mutate(from: &str, to: &str) -> String {
    assert!(OBSERVATION.contains(from), "nothing to replace: {from}");
    OBSERVATION.replacen(from, to, 1)
}

/// From, to, place, code, part of the text.
type Row = (&'static str, &'static str, &'static str, IssueType, &'static str);

fn check(rows: &[Row]) {
    let mut wrong = Vec::new();
    for (from, to, place, code, text) in rows {
        let found = errors(&mutate(from, to));
        let hit = found.iter().any(|issue| {
            issue.expression.as_deref() == Some(place) && issue.code == *code && issue.diagnostics.contains(text)
        });
        let positioned = found.iter().all(|issue| issue.position.is_some());
        let parses =
            found.iter().all(|issue| issue.expression.as_deref().is_none_or(|text| Expression::parse(text).is_ok()));
        if !hit || !positioned || !parses {
            wrong.push(format!("{from} -> {to}: wanted {place} {code:?} {text:?}, found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

use IssueType::{CodeInvalid, Invalid, Invariant, NotFound, Required, Structure, Value};

#[test]
fn shapes() {
    check(&[
        (
            r#""status": "final""#,
            r#""status": "final", "colour": "red""#,
            "Observation",
            Structure,
            "no element 'colour'",
        ),
        (
            r#""valueString": "needs help""#,
            r#""valueMoney": {"value": 1}"#,
            "Observation.component[0]",
            Structure,
            "no element",
        ),
        (
            r#""text": "first""#,
            r#""text": ["first"]"#,
            "Observation.component[0].code.text",
            Structure,
            "does not repeat",
        ),
        (
            r#"[{"low": {"value": 1}, "high": {"value": 6}}]"#,
            r#"{"low": {"value": 1}}"#,
            "Observation.referenceRange",
            Structure,
            "expected an array",
        ),
        (
            r#"[{"low": {"value": 1}, "high": {"value": 6}}]"#,
            "[]",
            "Observation.referenceRange",
            Structure,
            "not empty",
        ),
        (
            r#"{"text": "first"}"#,
            r#""first""#,
            "Observation.component[0].code",
            Structure,
            "CodeableConcept is an object, found a string",
        ),
        (r#"{"text": "first"}"#, "{}", "Observation.component[0].code", Invariant, "ele-1"),
        (r#"{"text": "first"}"#, r#"{"id": "x"}"#, "Observation.component[0].code", Invariant, "ele-1"),
        (r#"{"text": "first"}"#, "null", "Observation.component[0].code", Structure, "null"),
        (r#""final""#, "null", "Observation.status", Structure, "null"),
        (r#""needs help""#, r#"{"value": "x"}"#, "Observation.component[0].value", Value, "found an object"),
        (
            r#""valueQuantity": {"#,
            r#""valueBoolean": true, "valueQuantity": {"#,
            "Observation.value",
            Structure,
            "one type",
        ),
    ]);
}

#[test]
fn companions() {
    check(&[
        (r#""_status": {"id": "s1"}"#, r#""_status": "s1""#, "Observation.status", Structure, "is an object"),
        (
            r#""_status": {"id": "s1"}"#,
            r#""_status": [{"id": "s1"}]"#,
            "Observation.status",
            Structure,
            "does not repeat",
        ),
        (
            r#""_status": {"id": "s1"}"#,
            r#""_status": {"value": 1}"#,
            "Observation.status",
            Structure,
            "no element 'value'",
        ),
        (r#""_status": {"id": "s1"}"#, r#""_code": {"id": "s1"}"#, "Observation", Structure, "no element '_code'"),
        (r#""status": "final","#, "", "Observation.status", Invariant, "ele-1"),
        (
            r#""profile": ["#,
            r#""_profile": [{"id": "a"}, {"id": "b"}], "profile": ["#,
            "Observation.meta.profile[1]",
            Structure,
            "same length",
        ),
        (r#""profile": ["#, r#""profile": [null, "#, "Observation.meta.profile[0]", Structure, "null"),
    ]);
}

#[test]
fn primitives() {
    check(&[
        (r#""final""#, "true", "Observation.status", Value, "code is a string in JSON, found a boolean"),
        ("4.0", r#""4.0""#, "Observation.value.value", Value, "found a string"),
        ("\"valueInteger\": 2", "\"valueInteger\": 2.5", "Observation.component[1].value", Value, "whole number"),
        ("\"valueInteger\": 2", "\"valueInteger\": 3000000000", "Observation.component[1].value", Value, "32 bits"),
        ("2024-05-01T10:30:00-05:00", "2024-02-30", "Observation.effective", Value, "dateTime"),
        ("2024-05-01T10:30:00-05:00", "2024-05-01T10:30:00", "Observation.effective", Value, "offset"),
        ("mobility-1", "mobility_1", "Observation.id", Value, "id is 1 to 64"),
        ("needs help", "", "Observation.component[0].value", Value, "string"),
        ("http://loinc.org", "http://loinc org", "Observation.code.coding[0].system", Value, "uri"),
    ]);
}

#[test]
fn cardinality() {
    let text = OBSERVATION.replace(r#""status": "final","#, "").replace(r#""_status": {"id": "s1"},"#, "");
    let found = errors(&text);
    assert_eq!(found[0].diagnostics, "Observation.status is missing: expected at least 1");
    assert_eq!(found[0].code, Required);
    let text =
        mutate(r#"{"code": {"text": "first"}, "valueString": "needs help"}"#, r#"{"valueString": "needs help"}"#);
    assert_eq!(errors(&text)[0].expression.as_deref(), Some("Observation.component[0]"));
}

#[test]
fn codes() {
    check(&[(
        r#""status": "final""#,
        r#""status": "finished""#,
        "Observation.status",
        CodeInvalid,
        "observation-status",
    )]);
    let allergy = r#"{"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/1"},
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "CODE"}]}}"#;
    assert_eq!(errors(&allergy.replace("CODE", "active")), []);
    let found = errors(&allergy.replace("CODE", "sneezing"));
    assert_eq!(
        (found[0].code, found[0].expression.as_deref()),
        (CodeInvalid, Some("AllergyIntolerance.clinicalStatus"))
    );
    // The code of another system is another code.
    assert!(!errors(&allergy.replace("CODE", "active").replace("allergyintolerance-clinical", "other")).is_empty());
}

#[test]
fn references() {
    check(&[
        ("Patient/betsy", "Encounter/betsy", "Observation.subject", Value, "found one to Encounter"),
        ("Patient/betsy", "https://h.example/fhir/Encounter/1/_history/2", "Observation.subject", Value, "Encounter"),
        ("Patient/betsy", "Encounter?identifier=1", "Observation.subject", Value, "Encounter"),
        ("Patient/betsy", "Patient?identifier=urn:a|1", "Observation.subject", Value, "a transaction"),
        ("Patient/betsy", "Patients/betsy", "Observation.subject", Value, "as Type/id"),
        ("Patient/betsy", "betsy", "Observation.subject", Value, "as Type/id"),
        ("Patient/betsy", "#walkers", "Observation.subject", NotFound, "ref-1"),
        (
            r#"{"reference": "Patient/betsy"}"#,
            r#"{"type": "Encounter", "display": "x"}"#,
            "Observation.subject",
            Value,
            "Encounter",
        ),
        ("PractitionerRole/pt", "#walker", "Observation.performer[0]", Value, "Device"),
    ]);
    for right in [
        "urn:uuid:6e1b1c0e-7c0a-4d6c-8a59-3d6a2f0f8d11",
        "Group/1/_history/1",
        "https://h.example/x/Location/3",
        "https://h.example/x/Patient?identifier=1",
    ] {
        assert_eq!(errors(&mutate("Patient/betsy", right)), [], "{right}");
    }
}

#[test]
fn extensions() {
    check(&[
        (
            r#""url": "http://example.org/device", "#,
            "",
            "Observation.extension[0]",
            Required,
            "Extension.url is missing",
        ),
        (
            r##", "valueReference": {"reference": "#walker"}"##,
            "",
            "Observation.extension[0]",
            Invariant,
            "found neither",
        ),
        (
            r#""url": "http://example.org/device", "#,
            r#""url": "http://example.org/device", "extension": [{"url": "a", "valueCode": "b"}], "#,
            "Observation.extension[0]",
            Invariant,
            "found both",
        ),
    ]);
}

#[test]
fn invariants_of_the_tables() {
    check(&[
        (
            r#""valueQuantity": {"#,
            r#""dataAbsentReason": {"text": "x"}, "valueQuantity": {"#,
            "Observation",
            Invariant,
            "obs-6",
        ),
        (r#""system": "http://unitsofmeasure.org", "code""#, r#""code""#, "Observation.value", Invariant, "qty-3"),
        (
            r#"{"low": {"value": 1}, "high": {"value": 6}}"#,
            r#"{"age": {"low": {"value": 1}}}"#,
            "Observation.referenceRange[0]",
            Invariant,
            "obs-3",
        ),
        (
            r#""low": {"value": 1}"#,
            r#""age": {"low": {"value": 9}, "high": {"value": 1}}"#,
            "Observation.referenceRange[0].age",
            Invariant,
            "rng-2",
        ),
        (
            r#""effectiveDateTime": "2024-05-01T10:30:00-05:00""#,
            r#""effectivePeriod": {"start": "2024-05-02", "end": "2024-05-01"}"#,
            "Observation.effective",
            Invariant,
            "per-1",
        ),
    ]);
    // Too coarse to compare is no violation.
    let open = r#""effectivePeriod": {"start": "2024-05-02", "end": "2024"}"#;
    assert_eq!(errors(&mutate(r#""effectiveDateTime": "2024-05-01T10:30:00-05:00""#, open)), []);
    let warned = issues(r#"{"resourceType": "ValueSet", "status": "draft", "name": "no name"}"#);
    assert!(warned.iter().any(|issue| issue.severity == Severity::Warning && issue.diagnostics.contains("vsd-0")));
}

#[test]
fn narratives() {
    check(&[
        ("Walk 10 feet: 4", "<script>1</script>", "Observation.text.div", Invalid, "formatting"),
        ("Walk 10 feet: 4", " ", "Observation.text.div", Invalid, "txt-2"),
    ]);
}

#[test]
fn all_issues_come_at_once_in_the_order_of_the_body() {
    let text = mutate(r#""final""#, r#""finished""#).replace("needs help", "").replace("2024-05-01T", "2024-15-01T");
    let found = errors(&text);
    let places: Vec<_> = found.iter().filter_map(|issue| issue.expression.as_deref()).collect();
    assert_eq!(places, ["Observation.status", "Observation.effective", "Observation.component[0].value"]);
    assert_eq!(found[0].position, Some((8, 13)));
}

#[test]
fn no_value_of_the_resource_is_in_any_text() {
    let secret = "Betsy-Smith-Johnson";
    for from in
        ["final", "mobility-1", "2024-05-01T10:30:00-05:00", "Patient/betsy", "http://loinc.org", "Walk 10 feet: 4"]
    {
        for issue in errors(&mutate(from, &format!("{secret} <{secret}> "))) {
            assert!(!issue.diagnostics.contains("Betsy"), "{issue:?}");
        }
    }
}
