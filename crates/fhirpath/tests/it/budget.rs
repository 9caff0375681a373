//! Costly expressions end (row F57).

use super::{PATIENT, texts, tree};
use fhir::element::Element;
use fhirpath::{Context, EvaluateError, Expression, evaluate};

#[test]
fn steps_run_out() {
    for text in [
        "name.given.repeat($this & 'x')",
        "'x'.repeat($this & $this)",
        "'xxxxxxxxxxxxxxxx'.repeat($this.replace('x', 'xxxxxxxxxxxxxxxx'))",
        "(1 | 2 | 3).repeat($this + 1).select('a'.matches($this.toString()))",
        "'ab'.repeat($this.replaceMatches('(.+)', '$1$1'))",
        "descendants().select(%resource.descendants().select(%resource.descendants().select(%resource.descendants())))",
    ] {
        assert_eq!(texts(text, PATIENT), Err(EvaluateError::TooCostly), "{text}");
    }
}

/// Linear time can be long: the states of these double with each repeat, and each byte pays for them.
#[test]
fn a_regular_expression_cannot_run_away() {
    let text = "ab".repeat(100_000);
    let patient = format!(r#"{{"resourceType": "Patient", "name": [{{"family": "{text}"}}]}}"#);
    for pattern in ["[ab]*a[ab]{60}c", "(a|b|ab)*(a|b|ab)*c", "(.*)(.*)(.*)(.*)x", "[ab]*a[ab]{2000}c"] {
        for call in ["matches", "matchesFull"] {
            let found = texts(&format!("name.family.{call}('{pattern}')"), &patient);
            assert_eq!(found, Err(EvaluateError::TooCostly), "{pattern}");
        }
        let replaced = texts(&format!("name.family.replaceMatches('{pattern}', 'x')"), &patient);
        assert_eq!(replaced, Err(EvaluateError::TooCostly), "{pattern}");
    }
    // What is in use costs little, on texts as they are.
    let short = r#"{"resourceType": "Patient", "name": [{"family": "Smith-Johnson"}]}"#;
    assert_eq!(texts("name.family.matches('[A-Z]([A-Za-z0-9_]){0,254}')", short), Ok(vec!["true".to_owned()]));
}

#[test]
fn the_caller_sets_the_budget() {
    let tree = tree(PATIENT);
    let root = Element::resource(&tree, fhir::schema::r4()).expect("resource");
    let expression = Expression::parse("descendants().count()").expect("parses");
    let context = Context { steps_max: 10, ..Context::default() };
    assert_eq!(evaluate(&expression, root, &context).err(), Some(EvaluateError::TooCostly));
}

#[test]
fn nesting_is_bounded() {
    let deep = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    for text in [
        deep("(", ")", 5000),
        deep("-", "", 5000),
        deep("a.where(", ")", 1000),
        deep("a[", "]", 1000),
        format!("1{}", " + 1".repeat(2000)),
        format!("a{}", ".exists()".repeat(1500)),
        format!("a{}", ".as(Patient)".repeat(1000)),
        format!("a{}", " as Patient".repeat(1000)),
        format!("a{}", ".resolve()".repeat(1000)),
        format!("a{}", ".where(b)".repeat(1000)),
        format!("a{}", ".matches('a')".repeat(20)),
    ] {
        assert!(Expression::parse(&text).is_err());
    }
    // Deep enough for every use, and evaluated without trouble for the stack.
    let sum = format!("1{}", " + 1".repeat(60));
    assert_eq!(texts(&sum, PATIENT), Ok(vec!["61".to_owned()]));
    for (open, close) in [
        ("iif(true, ", ")"),
        ("name.first().select(Patient | ", ")"),
        ("%resource.where(id = 'p1' and ", ")"),
        ("(1 | 2).aggregate(", ")"),
        ("name.sort(", ")"),
        ("1 in (2 | ", ")"),
        ("name.repeat(", ")"),
        ("(", " = 1)"),
    ] {
        let nested = format!("{}true{}", open.repeat(28), close.repeat(28));
        match Expression::parse(&nested) {
            Ok(_) => drop(texts(&nested, PATIENT)),
            Err(error) => assert!(error.message.contains("deep"), "{nested}: {error}"),
        }
    }
    let children = format!("Patient{}.id", ".extension".repeat(1500));
    assert_eq!(texts(&children, PATIENT), Ok(Vec::new()));
    let wheres = format!("{}true{}", "Patient.exists(".repeat(28), ")".repeat(28));
    assert_eq!(texts(&wheres, PATIENT), Ok(vec!["true".to_owned()]));
}

#[test]
fn a_large_set_is_not_quadratic() {
    let given: Vec<String> = (0..20_000).map(|at| format!("\"n{at}\"")).collect();
    let patient = format!(r#"{{"resourceType": "Patient", "name": [{{"given": [{}]}}]}}"#, given.join(","));
    assert_eq!(texts("name.given.isDistinct()", &patient), Ok(vec!["true".to_owned()]));
    assert_eq!(texts("(name.given | name.given).count()", &patient), Ok(vec!["20000".to_owned()]));
}
