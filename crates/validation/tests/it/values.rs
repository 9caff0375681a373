//! Fixed and pattern values, bounds, lengths, counts, types, invariants of profiles.

use crate::made::{Made, issues_of, only, right, url, wrong};
use fhir::issue::IssueType::{Invariant, Required, Structure, TooLong, Value};
use fhir::issue::Severity::{Error, Warning};
use validation::Validator;

fn patient(members: &str) -> String {
    format!(r#"{{"resourceType": "Patient", {members}}}"#)
}

fn observation(members: &str) -> String {
    format!(r#"{{"resourceType": "Observation", "status": "final", "code": {{"text": "x"}}, {members}}}"#)
}

fn one(of: &str, id: &str, cells: &[(&str, &str)]) -> Validator<'static> {
    Made::default().profile("p", of).element(id, cells).validator()
}

#[test]
fn fixed_is_the_same_value_member_by_member() {
    let v = one(
        "Patient",
        "Patient.maritalStatus",
        &[("values", r#"{"fixedCodeableConcept":{"coding":[{"system":"http://s","code":"M"}],"text":"Married"}}"#)],
    );
    let status = |value: &str| patient(&format!(r#""maritalStatus": {value}"#));
    let quiet = |text: &str| -> Vec<_> {
        issues_of(&v, text, &[&url("p")]).into_iter().filter(|one| one.severity == Error).collect()
    };
    assert_eq!(quiet(&status(r#"{"text": "Married", "coding": [{"code": "M", "system": "http://s"}]}"#)), []);
    for other in [
        r#"{"coding": [{"system": "http://s", "code": "M"}]}"#,
        r#"{"coding": [{"system": "http://s", "code": "M", "display": "x"}], "text": "Married"}"#,
        r#"{"coding": [{"system": "http://s", "code": "M"}, {"code": "N"}], "text": "Married"}"#,
    ] {
        only(&quiet(&status(other)), (Error, "Patient.maritalStatus", Value, "fixed value"), other);
    }
    let v = one("Patient", "Patient.active", &[("values", r#"{"fixedBoolean":true}"#)]);
    right(&v, "p", &patient(r#""active": true"#));
    wrong(&v, "p", &patient(r#""active": false"#), (Error, "Patient.active", Value, "fixed value true"));
}

#[test]
fn a_pattern_is_met_by_more() {
    let v = one(
        "Patient",
        "Patient.identifier",
        &[(
            "values",
            r#"{"patternIdentifier":{"system":"urn:x","type":{"coding":[{"code":"MR","system":"http://terminology.hl7.org/CodeSystem/v2-0203"}]}}}"#,
        )],
    );
    right(
        &v,
        "p",
        &patient(
            r#""identifier": [{"value": "1", "type": {"text": "t", "coding": [{"code": "A"}, {"code": "MR", "id": "d", "system": "http://terminology.hl7.org/CodeSystem/v2-0203"}]}, "system": "urn:x"}]"#,
        ),
    );
    let text = patient(
        r#""identifier": [{"system": "urn:y", "type": {"coding": [{"code": "MR", "system": "http://terminology.hl7.org/CodeSystem/v2-0203"}]}}]"#,
    );
    wrong(&v, "p", &text, (Error, "Patient.identifier[0]", Value, "expected a value that has"));
    // Escapes are resolved before texts are compared.
    let v = one("Patient", "Patient.gender", &[("values", r#"{"patternCode":"other"}"#)]);
    right(&v, "p", &patient(r#""gender": "oth\u0065r""#));
}

#[test]
fn bounds_and_lengths() {
    let v =
        one("Patient", "Patient.birthDate", &[("values", r#"{"minValueDate":"1900-01-01","maxValueDate":"2020"}"#)]);
    let born = |date: &str| patient(&format!(r#""birthDate": "{date}""#));
    for date in ["1900-01-01", "2019-12-31", "2020", "1900"] {
        right(&v, "p", &born(date));
    }
    wrong(&v, "p", &born("1899-12-31"), (Error, "Patient.birthDate", Value, "below the least"));
    wrong(&v, "p", &born("2021-01"), (Error, "Patient.birthDate", Value, "above the most"));

    let v = one("Patient", "Patient.multipleBirth[x]", &[("values", r#"{"minValueInteger":1,"maxValueInteger":12}"#)]);
    right(&v, "p", &patient(r#""multipleBirthInteger": 12"#));
    wrong(&v, "p", &patient(r#""multipleBirthInteger": 0"#), (Error, "Patient.multipleBirth", Value, "below"));

    let v = one(
        "Observation",
        "Observation.value[x]",
        &[("values", r#"{"maxValueQuantity":{"value":6.0,"system":"http://unitsofmeasure.org","code":"{score}"}}"#)],
    );
    let score = |value: &str, code: &str| {
        observation(&format!(
            r#""valueQuantity": {{"value": {value}, "system": "http://unitsofmeasure.org", "code": "{code}"}}"#
        ))
    };
    right(&v, "p", &score("6", "{score}"));
    right(&v, "p", &score("7", "kg"));
    let grams = r#"{"minValueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"kg"}}"#;
    let weight = one("Observation", "Observation.value[x]", &[("values", grams)]);
    right(&weight, "p", &score("1000", "g"));
    wrong(&weight, "p", &score("999", "g"), (Error, "Observation.value", Value, "below"));
    wrong(&v, "p", &score("6.01", "{score}"), (Error, "Observation.value", Value, "above"));

    let v = one("Patient", "Patient.name.family", &[("values", r#"{"maxLength":4}"#)]);
    right(&v, "p", &patient(r#""name": [{"family": "Žižk"}]"#));
    wrong(&v, "p", &patient(r#""name": [{"family": "Smith"}]"#), (Error, "Patient.name[0].family", TooLong, "found 5"));
}

#[test]
fn counts() {
    let v = Made::default()
        .profile("p", "Patient")
        .element("Patient.name", &[("min", "2"), ("max", "3")])
        .element("Patient.photo", &[("max", "0")])
        .element("Patient.name.given", &[("min", "1"), ("max", "*")])
        .validator();
    let names = |count: usize| patient(&format!(r#""name": [{}]"#, vec![r#"{"given": ["a"]}"#; count].join(", ")));
    right(&v, "p", &names(2));
    wrong(&v, "p", &names(1), (Error, "Patient.name", Structure, "has 1 repeats: expected at least 2"));
    wrong(&v, "p", &names(4), (Error, "Patient.name", Structure, "expected at most 3"));
    wrong(
        &v,
        "p",
        &patient(r#""active": true"#),
        (Error, "Patient", Required, "Patient.name is missing: expected at least 2"),
    );
    let text = names(2).replace(r#""name""#, r#""photo": [{"title": "x"}], "name""#);
    wrong(&v, "p", &text, (Error, "Patient.photo", Structure, "not allowed"));
    let text = names(2).replacen(r#"{"given": ["a"]}"#, r#"{"family": "x"}"#, 1);
    wrong(&v, "p", &text, (Error, "Patient.name[0]", Required, "Patient.name.given is missing"));
    // A primitive with extensions alone is there.
    let text = names(2).replacen(r#"{"given": ["a"]}"#, r#"{"_given": [{"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}]}"#, 1);
    assert!(issues_of(&v, &text, &[&url("p")]).iter().all(|one| one.severity < Error));
}

#[test]
fn narrower_types() {
    let v = one("Observation", "Observation.effective[x]", &[("min", "1"), ("types", "dateTime")]);
    right(&v, "p", &observation(r#""effectiveDateTime": "2024-05-01""#));
    let text = observation(r#""effectivePeriod": {"start": "2024"}"#);
    wrong(&v, "p", &text, (Error, "Observation.effective", Structure, "expected dateTime, found Period"));
    wrong(
        &v,
        "p",
        &observation(r#""id": "x""#),
        (Error, "Observation", Required, "Observation.effective[x] is missing"),
    );
    // A data type with a profile: SimpleQuantity of R4 has no comparator.
    let made = Made::default()
        .profile("plain", "Quantity")
        .element("Quantity.comparator", &[("max", "0")])
        .profile("unitless", "Quantity")
        .element("Quantity.code", &[("max", "0")])
        .profile("p", "Observation")
        .element("Observation.value[x]", &[("types", &format!("Quantity<{}", url("plain")))])
        .profile("either", "Observation")
        .element("Observation.value[x]", &[("types", &format!("Quantity<{},{}", url("plain"), url("unitless")))]);
    let v = made.validator();
    let quantity = |members: &str| observation(&format!(r#""valueQuantity": {{"value": 1, {members}}}"#));
    right(&v, "p", &quantity(r#""unit": "x""#));
    let text = quantity(r#""comparator": "<""#);
    wrong(&v, "p", &text, (Error, "Observation.value.comparator", Structure, "Quantity.comparator is not allowed"));
    right(&v, "either", &text);
    let text = quantity(r#""comparator": "<", "system": "http://unitsofmeasure.org", "code": "1""#);
    wrong(&v, "either", &text, (Error, "Observation.value", Value, "meets"));
}

#[test]
fn invariants_have_the_severity_of_the_profile() {
    let v = Made::default()
        .invariant("t-1", "error", "value.exists() or note.exists()")
        .invariant("t-2", "warning", "performer.exists()")
        .invariant("t-3", "error", "$this.length() < 4")
        .profile("p", "Observation")
        .element("Observation", &[("invariants", "t-1 t-2 obs-6")])
        .element("Observation.code.text", &[("invariants", "t-3")])
        .validator();
    let performer = r#""performer": [{"display": "x"}]"#;
    right(&v, "p", &observation(&format!(r#"{performer}, "valueString": "x""#)));
    wrong(&v, "p", &observation(performer), (Error, "Observation", Invariant, "t-1 does not hold"));
    wrong(&v, "p", &observation(r#""valueString": "x""#), (Warning, "Observation", Invariant, "t-2"));
    let text =
        observation(&format!(r#"{performer}, "valueString": "x""#)).replace(r#""text": "x""#, r#""text": "long""#);
    wrong(&v, "p", &text, (Error, "Observation.code.text", Invariant, "t-3"));
    // An invariant of base R4 that the profile repeats is told once.
    let text = observation(&format!(r#"{performer}, "valueString": "x", "dataAbsentReason": {{"text": "y"}}"#));
    let found = issues_of(&v, &text, &[&url("p")]);
    assert_eq!(found.iter().filter(|one| one.diagnostics.contains("obs-6")).count(), 1, "{found:#?}");
}

#[test]
fn invariants_may_ask_for_profiles_codes_and_targets() {
    let v = Made::default()
        .invariant("t-1", "error", "contained.all(conformsTo('http://example.org/StructureDefinition/tagged'))")
        .invariant("t-2", "error", "code.memberOf('http://hl7.org/fhir/us/pacio-pfe/ValueSet/pfe-survey-category-vs')")
        .invariant("t-3", "error", "subject.resolve().active = true")
        .profile("tagged", "Patient")
        .element("Patient.active", &[("min", "1")])
        .profile("p", "Observation")
        .element("Observation", &[("invariants", "t-1 t-3")])
        .element("Observation.category.coding", &[("invariants", "t-2")])
        .validator();
    let sliced = Made::default()
        .invariant("t-4", "error", "category.slice('http://example.org/StructureDefinition/p', 'b').count() = 1")
        .profile("p", "Observation")
        .element("Observation", &[("invariants", "t-4")])
        .element("Observation.category", &[("slicing", "value:text;open")])
        .element("Observation.category:b", &[])
        .element("Observation.category:b.text", &[("values", r#"{"fixedString":"b"}"#)])
        .validator();
    right(&sliced, "p", &observation(r#""category": [{"text": "a"}, {"text": "b"}]"#));
    let text = observation(r#""category": [{"text": "a"}]"#);
    wrong(&sliced, "p", &text, (Error, "Observation", Invariant, "t-4"));
    let text = r##"{"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "contained": [{"resourceType": "Patient", "id": "p", "active": true}], "subject": {"reference": "#p"},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}]}"##;
    right(&v, "p", text);
    let found = issues_of(&v, &text.replace(r#", "active": true"#, ""), &[&url("p")]);
    only(&found, (Error, "Observation", Invariant, "t-1"), "conformsTo");
    let found = issues_of(&v, &text.replace("true", "false"), &[&url("p")]);
    only(&found, (Error, "Observation", Invariant, "t-3"), "resolve");
}

#[test]
fn what_is_defined_elsewhere_has_the_rules_of_there() {
    let v = Made::default()
        .profile("p", "Questionnaire")
        .element("Questionnaire.item", &[("min", "1"), ("max", "2")])
        .element("Questionnaire.item.text", &[("min", "1"), ("values", r#"{"maxLength":3}"#)])
        .validator();
    let nested = |inner: &str| {
        format!(
            r#"{{"resourceType": "Questionnaire", "status": "draft", "item": [{{"linkId": "1", "type": "group", "text": "abc",
            "item": [{{"linkId": "2", "type": "group", "text": "abc", "item": [{{"linkId": "3", "type": "string"{inner}}}]}}]}}]}}"#
        )
    };
    right(&v, "p", &nested(r#", "text": "abc""#));
    let place = "Questionnaire.item[0].item[0].item[0]";
    wrong(&v, "p", &nested(""), (Error, place, Required, "Questionnaire.item.text is missing"));
    let place = "Questionnaire.item[0].item[0].item[0].text";
    wrong(&v, "p", &nested(r#", "text": "abcd""#), (Error, place, TooLong, "at most 3"));
}
