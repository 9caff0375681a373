//! Bounds (rows F51, F57): issues are limited, time is about linear, the tables fit the bits.

use super::{issues, tree};
use fhir::issue::{IssueType, Severity};
use fhirpath::Expression;

#[test]
fn issues_are_limited_and_the_last_says_so() {
    let bad = vec!["1"; 5000].join(",");
    let found = issues(&format!(r#"{{"resourceType": "Patient", "name": [{{"given": [{bad}]}}]}}"#));
    assert_eq!(found.len(), validation::limits::ISSUES_MAX + 1);
    assert_eq!(found.last().map(|issue| issue.code), Some(IssueType::TooLong));
}

#[test]
fn warnings_do_not_hide_an_error() {
    let warned = vec![r#"{"resource": {"resourceType": "Patient"}}"#; 600].join(",");
    let text = format!(
        r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{warned}, {{"resource": {{"resourceType": "Patient", "gender": 1}}}}]}}"#
    );
    assert!(
        issues(&text)
            .iter()
            .any(|issue| issue.severity == Severity::Error && issue.diagnostics.contains("found a number"))
    );
    assert!(validation::r4().validate(tree(&text), None).is_err());
}

#[test]
fn large_resources_are_checked_in_a_bounded_number_of_steps() {
    let entry = r#"{"fullUrl": "urn:uuid:NUMBER", "resource": {"resourceType": "Basic", "id": "bNUMBER", "code": {"text": "x"}}}"#;
    let entries: Vec<String> = (0..5000).map(|at| entry.replace("NUMBER", &at.to_string())).collect();
    let bundle = format!(r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{}]}}"#, entries.join(","));
    let found = issues(&bundle);
    assert!(found.iter().all(|issue| issue.severity < Severity::Error), "{:?}", found.first());
    assert!(found.iter().all(|issue| issue.code != IssueType::TooCostly));
}

#[test]
fn many_contained_resources_are_not_quadratic() {
    let contained: Vec<String> =
        (0..3000).map(|at| format!(r#"{{"resourceType": "Basic", "id": "b{at}", "code": {{"text": "x"}}}}"#)).collect();
    let references: Vec<String> = (0..3000).map(|at| format!(r##"{{"reference": "#b{at}"}}"##)).collect();
    let text = format!(
        r#"{{"resourceType": "List", "status": "current", "mode": "working", "contained": [{}], "entry": [{}]}}"#,
        contained.join(","),
        references.iter().map(|one| format!(r#"{{"item": {one}}}"#)).collect::<Vec<_>>().join(",")
    );
    assert!(issues(&text).iter().all(|issue| issue.severity < Severity::Error));
}

#[test]
fn every_type_fits_the_bits_that_count_its_elements() {
    for definition in &fhir::schema::r4().types {
        assert!(definition.elements.len() <= validation::limits::ELEMENTS_MAX, "{}", definition.name);
    }
}

#[test]
fn every_invariant_parses_or_is_listed_as_skipped() {
    for definition in &fhir::schema::r4().types {
        let of_elements = definition.elements.iter().flat_map(|element| &element.constraints);
        for constraint in definition.constraints.iter().chain(of_elements) {
            let parsed = Expression::parse(constraint.expression);
            assert!(parsed.is_ok(), "{}: {parsed:?}", constraint.key);
        }
    }
    for (key, _) in validation::SKIPPED {
        let types = &fhir::schema::r4().types;
        let known = types.iter().any(|definition| {
            let of_elements = definition.elements.iter().flat_map(|element| &element.constraints);
            definition.constraints.iter().chain(of_elements).any(|constraint| constraint.key == *key)
        });
        assert!(known, "{key} is listed but not in the tables");
    }
}
