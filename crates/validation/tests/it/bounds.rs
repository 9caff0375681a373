//! Bounds (rows F51, F57): issues are limited, time is about linear, the tables fit the bits.

use super::{issues, tree};
use crate::made::{Made, issues_of, url};
use fhir::issue::{IssueType, Severity};
use fhirpath::Expression;
use validation::Options;

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

/// Bodies that ask for the same work many times over (F57): each is a few hundred kilobytes, and any work that
/// grows with its square would take minutes in a debug build.
#[test]
fn profiles_extensions_and_questionnaires_are_not_quadratic() {
    let note = url("note");
    let v = Made::default()
        .profile("note", "Extension")
        .context("fhirpath", "Patient.name.family | Patient")
        .element("Extension", &[("max", "1")])
        .profile("named", "Patient")
        .element("Patient.name", &[("min", "1")])
        .profile("o", "Observation")
        .element("Observation.hasMember", &[("types", &format!("Reference>{}", url("o")))])
        .element("Observation.focus", &[("types", &format!("Reference>{}", url("named")))])
        .validator();
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(", ");
    let check = |text: &str| {
        let _ = v.validate_with(tree(text), None, &Options::default());
    };
    // The same extension, which does not repeat and stands by an expression.
    check(&format!(
        r#"{{"resourceType": "Patient", "extension": [{}]}}"#,
        many(4000, &|_| format!(r#"{{"url": "{note}", "valueCode": "x"}}"#))
    ));
    // Many references to one large target that does not conform.
    let claims = many(2000, &|at| format!("\"http://example.org/{at}\""));
    let target = format!(
        r#"{{"resourceType": "Patient", "id": "p", "meta": {{"profile": [{claims}]}}, "address": [{}]}}"#,
        many(2000, &|_| r#"{"city": "x"}"#.to_owned())
    );
    let focus = many(3000, &|_| r##"{"reference": "#p"}"##.to_owned());
    check(&format!(
        r#"{{"resourceType": "Observation", "meta": {{"profile": ["{}"]}}, "status": "final", "code": {{"text": "x"}}, "contained": [{target}], "focus": [{focus}]}}"#,
        url("o")
    ));
    // A chain in a Bundle, each member of the other.
    let entry = |at: usize| {
        format!(
            r#"{{"resource": {{"resourceType": "Observation", "id": "{at}", "meta": {{"profile": ["{}"]}}, "status": "final", "code": {{"text": "x"}}, "hasMember": [{{"reference": "Observation/{}"}}]}}}}"#,
            url("o"),
            (at + 1) % 1000
        )
    };
    check(&format!(r#"{{"resourceType": "Bundle", "type": "collection", "entry": [{}]}}"#, many(1000, &entry)));
    // Groups that repeat, each against a long questionnaire with conditions on one question of many answers.
    let item = |at: usize| {
        format!(
            r#"{{"linkId": "{at}", "type": "string", "enableWhen": [{{"question": "q", "operator": "=", "answerString": "no"}}]}}"#
        )
    };
    let questionnaire = format!(
        r#"{{"resourceType": "Questionnaire", "id": "q", "status": "active", "item": [{{"linkId": "q", "type": "string", "repeats": true}},
        {{"linkId": "g", "type": "group", "repeats": true, "item": [{}]}}]}}"#,
        many(1000, &item)
    );
    let response = format!(
        r##"{{"resourceType": "QuestionnaireResponse", "contained": [{questionnaire}], "questionnaire": "#q", "status": "completed",
        "item": [{{"linkId": "q", "answer": [{}]}}, {}]}}"##,
        many(2000, &|_| r#"{"valueString": "x"}"#.to_owned()),
        many(1000, &|_| r#"{"linkId": "g", "item": [{"linkId": "999", "answer": [{"valueString": "x"}]}]}"#.to_owned())
    );
    check(&response);
}

#[test]
fn a_resource_claims_so_many_profiles_and_no_more() {
    let mut made = Made::default();
    for at in 0..30 {
        made = made.profile(&format!("p{at}"), "Patient").element("Patient", &[]);
    }
    let v = made.validator();
    let claims: Vec<String> = (0..30).map(|at| format!("\"{}\"", url(&format!("p{at}")))).collect();
    let text =
        format!(r#"{{"resourceType": "Patient", "meta": {{"profile": [{}]}}, "active": true}}"#, claims.join(", "));
    let found = issues_of(&v, &text, &[]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].diagnostics.contains("at most"), "{found:#?}");
}
