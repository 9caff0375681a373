//! F68: what is left of a resource, by what a client may search, and how alike people are then.

use super::*;
use fhir::{json::Tree, schema::r4};

fn pseudonym(kind: ResourceType, id: &str) -> String {
    format!("x-{}-{}", kind.name().len(), id.len())
}

/// In 2026.
fn of(json: &str) -> Result<String, Withheld> {
    let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
    safe_harbor(&tree, r4(), 2026, &pseudonym).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Whatever says who somebody is carries this mark in the texts below.
const MARK: &str = "SECRET";

#[test]
fn of_a_patient_year_sex_state_and_area_stay() {
    let made = of(r#"{"resourceType":"Patient","id":"SECRET-1","meta":{"versionId":"3","lastUpdated":"2026-01-01T00:00:00Z","source":"SECRET","profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"],"tag":[{"code":"SECRET"}],"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R","display":"SECRET"}]},"language":"en","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">SECRET</div>"},"contained":[{"resourceType":"Organization","id":"o","name":"SECRET"}],"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3","display":"SECRET"}},{"url":"text","valueString":"SECRET"}]},{"url":"http://example.org/SECRET","valueString":"SECRET"}],"identifier":[{"value":"SECRET"}],"active":true,"name":[{"family":"SECRET"}],"telecom":[{"value":"SECRET"}],"gender":"female","birthDate":"1946-07-02","_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"1946-07-02T01:00:00Z"}]},"deceasedDateTime":"2025-11-30T10:00:00Z","address":[{"text":"SECRET","line":["SECRET"],"city":"SECRET","state":"MI","postalCode":"48226-1111","country":"US"}],"contact":[{"name":{"family":"SECRET"}}],"generalPractitioner":[{"reference":"Practitioner/SECRET"}]}"#).unwrap();
    assert!(!made.contains(MARK), "{made}");
    assert_eq!(
        made,
        r#"{"resourceType":"Patient","id":"x-7-8","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"],"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"PSEUDED"}]},"language":"en","extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3"}}]}],"active":true,"gender":"female","birthDate":"1946","deceasedDateTime":"2025","address":[{"state":"MI","postalCode":"482","country":"US"}]}"#
    );
}

#[test]
fn the_oldest_and_the_few_are_not_told() {
    let patient = |more: &str| of(&format!(r#"{{"resourceType":"Patient","id":"p",{more}}}"#)).unwrap();
    assert!(patient(r#""birthDate":"1937-01-01""#).contains(r#""birthDate":"1937""#), "89 years");
    assert!(!patient(r#""birthDate":"1936-12-31""#).contains("birthDate"));
    assert!(!patient(r#""address":[{"postalCode":"03601"}]"#).contains("address"), "few live there");
    assert!(!patient(r#""address":[{"postalCode":"SW1A 1AA","state":"a village"}]"#).contains("address"));
    let observed = |value: &str| {
        of(&format!(r#"{{"resourceType":"Observation","id":"o","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"30525-0"}}]}},{value}}}"#)).unwrap()
    };
    assert!(
        observed(r#""valueQuantity":{"value":89,"unit":"years","system":"http://unitsofmeasure.org","code":"a"}"#)
            .contains("\"value\":89")
    );
    assert!(
        !observed(r#""valueQuantity":{"value":92,"unit":"years","system":"http://unitsofmeasure.org","code":"a"}"#)
            .contains("92")
    );
    assert!(!observed(r#""valueQuantity":{"value":92,"unit":"years"}"#).contains("92"));
    assert!(
        observed(
            r#""valueQuantity":{"value":120,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}"#
        )
        .contains("120")
    );
}

#[test]
fn of_an_observation_codes_numbers_and_years_stay() {
    let made = of(r#"{"resourceType":"Observation","id":"o","identifier":[{"value":"SECRET"}],"status":"final","category":[{"coding":[{"system":"s","code":"survey","display":"SECRET"}],"text":"SECRET"}],"code":{"text":"SECRET"},"subject":{"reference":"Patient/SECRET","display":"SECRET"},"encounter":{"reference":"Encounter/SECRET/_history/4"},"effectivePeriod":{"start":"2026-03-01","end":"2026-03-02T10:00:00Z"},"issued":"2026-03-02T10:00:00Z","performer":[{"reference":"Practitioner/SECRET"}],"valueString":"SECRET","note":[{"text":"SECRET"}],"specimen":{"reference":"Specimen/SECRET"},"derivedFrom":[{"reference":"https://elsewhere.example/Observation/SECRET"},{"reference":"Observation/a"}]}"#).unwrap();
    assert!(!made.contains(MARK), "{made}");
    assert!(made.contains(r#""subject":{"reference":"Patient/x-7-6"},"encounter":{"reference":"Encounter/x-9-6"},"effectivePeriod":{"start":"2026","end":"2026"},"derivedFrom":[{"reference":"Observation/x-11-1"}]"#), "{made}");
    // A required element of which nothing is left says so.
    assert!(made.contains(r#""code":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#), "{made}");
}

/// Nothing that changes the meaning goes silently.
#[test]
fn what_would_lose_a_modifier_is_withheld() {
    let observation = |more: &str| {
        of(&format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","code":{{"coding":[{{"code":"c"}}]}}{more}}}"#
        ))
    };
    assert!(observation("").is_ok());
    assert_eq!(
        observation(r#","modifierExtension":[{"url":"http://example.org/not","valueBoolean":true}]"#),
        Err(Withheld)
    );
    assert_eq!(observation(r#","implicitRules":"http://example.org/rules""#), Err(Withheld));
    assert_eq!(
        observation(r#","component":[{"modifierExtension":[{"url":"u"}],"code":{"coding":[{"code":"c"}]}}]"#),
        Err(Withheld)
    );
    // What is not offered is nothing at all.
    assert_eq!(of(r#"{"resourceType":"Practitioner","id":"p"}"#), Err(Withheld));
    assert_eq!(of(r#"{"resourceType":"Observation"}"#), Err(Withheld));
}

/// What is dropped leaves no stranger behind: what is made is valid by its types, whatever the resource was.
#[test]
fn a_status_that_is_not_there_is_masked() {
    let made = of(r#"{"resourceType":"Observation","id":"o","_status":{"extension":[{"url":"u"}]},"code":{"coding":[{"code":"c"}]}}"#).unwrap();
    assert!(made.contains(r#""_status":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#), "{made}");
}

#[test]
fn searches_ask_for_what_is_shown() {
    let observation = ResourceType::parse("Observation").unwrap();
    for (name, value) in [
        ("code", "http://loinc.org|1-8"),
        ("category:not", "survey"),
        ("date", "ge2024"),
        ("date", "2024,lt2020"),
        ("_count", "50"),
        ("_total", "accurate"),
    ] {
        assert_eq!(parameter(observation, name, value), Ok(()), "{name}={value}");
    }
    for (name, value) in [
        ("_id", "1"),
        ("identifier", "1"),
        ("patient", "Patient/1"),
        ("subject:Patient.name", "x"),
        ("_has:Provenance:target:_id", "1"),
        ("_include", "Observation:subject"),
        ("_sort", "date"),
        ("_lastUpdated", "ge2024-01-01"),
        ("_filter", "code eq x"),
        ("_text", "x"),
        ("code:text", "x"),
        ("value-string", "x"),
        ("value-quantity", "gt89"),
        ("_elements", "subject"),
        ("birthdate", "1930"),
        ("address-city", "x"),
    ] {
        assert_eq!(parameter(observation, name, value), Err(Refused::Hidden), "{name}={value}");
    }
    for value in ["2024-03", "ge2024-03-05", "24", "2024,2023-01", "ap2024", "x2024", "", "２０２４"] {
        assert_eq!(parameter(observation, "date", value), Err(Refused::NotAYear), "{value}");
    }
    let practitioner = ResourceType::parse("Practitioner").unwrap();
    assert_eq!(parameter(practitioner, "gender", "female"), Err(Refused::Hidden));
}

#[test]
fn how_many_are_alike() {
    let mut groups = Groups::default();
    assert_eq!((groups.people(), groups.smallest(), groups.below(11)), (0, None, (0, 0)));
    let mut add = |year: &str, gender: &str, area: &str| {
        let patient = format!(
            r#"{{"resourceType":"Patient","id":"p","gender":"{gender}","birthDate":"{year}","address":[{{"state":"MI","postalCode":"{area}"}}]}}"#
        );
        groups.add(of(&patient).unwrap().as_bytes());
    };
    for _ in 0..12 {
        add("1950-01-01", "female", "48226");
        add("1950-12-31", "female", "48201");
    }
    add("1950-01-01", "male", "48226");
    add("1951-01-01", "male", "48226");
    assert_eq!((groups.people(), groups.groups(), groups.smallest()), (26, 3, Some(1)));
    assert_eq!((groups.below(2), groups.below(11), groups.below(25)), ((2, 2), (2, 2), (3, 26)));
}

/// A name that means a code on one type and a reference on another would be a question about what is hidden.
#[test]
fn what_is_searched_by_is_a_code_or_a_date_on_every_type() {
    use search::registry::ParameterKind;
    for name in TYPES {
        let kind = ResourceType::parse(name).unwrap();
        for one in search::registry().of_type(kind).filter(|one| parameter(kind, &one.code, "2024").is_ok()) {
            assert!(matches!(one.kind, ParameterKind::Token | ParameterKind::Date), "{name}.{}", one.code);
        }
    }
}
