//! What the caller knows: codes, profiles, a sink for traces. SPEC: R4 fhirpath.html#functions, #txapi.

use super::{PATIENT, tree};
use fhir::element::Element;
use fhirpath::{Code, Conformance, Context, EvaluateError, Expression, Item, Terminology, Trace, evaluate};
use std::cell::RefCell;

const CONDITION: &str = r#"{
  "resourceType": "Condition", "subject": {"reference": "Patient/1"},
  "code": {"coding": [{"system": "urn:local", "code": "flu"}, {"system": "urn:far", "code": "x9"}]},
  "severity": {"coding": [{"system": "urn:local", "code": "mild"}]},
  "modifierExtension": [{"url": "urn:not", "valueBoolean": true}]
}"#;

/// Knows one code system, `urn:local`, in which every code is below `root`; and the slice of a profile.
struct Knows;

impl Terminology for Knows {
    fn member_of(&self, value_set: &str, code: Code<'_>) -> Option<bool> {
        if code.system == Some("urn:far") { None } else { Some(value_set == "urn:vs" && code.code == "flu") }
    }

    fn subsumes(&self, general: Code<'_>, special: Code<'_>) -> Option<bool> {
        (special.system == Some("urn:local")).then_some(general.code == "root")
    }
}

impl Conformance for Knows {
    fn conforms_to(&self, element: Element<'_>, profile: &str) -> Option<bool> {
        (profile == "urn:profile").then(|| element.child("code").is_some())
    }

    fn is_in_slice(&self, element: Element<'_>, profile: &str, slice: &str) -> Option<bool> {
        let is_local = || element.child("system").and_then(|system| system.text()).as_deref() == Some("urn:local");
        (profile == "urn:profile" && slice == "local").then(is_local)
    }
}

#[derive(Default)]
struct Lines(RefCell<Vec<String>>);

impl Trace for Lines {
    fn trace(&self, name: &str, items: &[Item<'_>]) {
        let texts: Vec<String> = items.iter().map(|item| item.to_text().unwrap_or_default().into()).collect();
        self.0.borrow_mut().push(format!("{name}: {}", texts.join(",")));
    }
}

fn ask(text: &str, context: &Context<'_>) -> Result<String, EvaluateError> {
    let tree = tree(CONDITION);
    let root = Element::resource(&tree, fhir::schema::r4()).expect("resource");
    let expression = Expression::parse(text).expect(text);
    let context = Context { resource: None, root_resource: None, variables: &[], ..*context };
    let items = evaluate(&expression, root, &context)?;
    let texts: Vec<String> =
        items.iter().map(|item| item.to_text().map_or_else(|| "?".to_owned(), Into::into)).collect();
    Ok(texts.join("|"))
}

#[test]
fn codes_and_profiles_are_asked_of_the_caller_and_unknown_is_an_error() {
    let knows = Context { terminology: Some(&Knows), conformance: Some(&Knows), ..Context::default() };
    for (text, wanted) in [
        ("code.memberOf('urn:vs')", Ok("true")),
        ("severity.memberOf('urn:vs')", Ok("false")),
        // One of its codes cannot be told, the other is not in it.
        ("code.memberOf('urn:other')", Err(EvaluateError::Unavailable("this value set"))),
        ("code.coding.first().code.memberOf('urn:vs')", Ok("true")),
        ("bodySite.memberOf('urn:vs')", Ok("")),
        ("code.coding.first().subsumes(severity.coding.first())", Ok("false")),
        ("severity.subsumedBy(severity)", Ok("true")),
        ("code.coding.last().subsumedBy(code.coding.last())", Ok("true")),
        ("conformsTo('urn:profile')", Ok("true")),
        ("subject.conformsTo('urn:profile')", Ok("false")),
        ("conformsTo('urn:nosuch')", Err(EvaluateError::Unavailable("this profile"))),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/Condition')", Ok("true")),
        ("code.coding.slice('urn:profile', 'local').code", Ok("flu")),
        ("code.coding.slice('urn:profile', 'other')", Err(EvaluateError::Unavailable("this slice"))),
        ("checkModifiers('urn:not').subject.reference", Ok("Patient/1")),
        ("checkModifiers('urn:other')", Err(EvaluateError::Modifier)),
        ("subject.checkModifiers().reference", Ok("Patient/1")),
    ] {
        assert_eq!(ask(text, &knows).as_deref().map_err(|error| *error), wanted, "{text}");
    }
    let alone = Context::default();
    for text in ["code.memberOf('urn:vs')", "code.subsumes(severity)", "conformsTo('urn:profile')"] {
        assert!(ask(text, &alone).is_err() || text.contains("subsumes"), "{text}");
    }
}

#[test]
fn a_trace_goes_to_the_sink_and_changes_nothing() {
    let lines = Lines::default();
    let patient = tree(PATIENT);
    let root = Element::resource(&patient, fhir::schema::r4()).expect("resource");
    let context = Context { trace: Some(&lines), ..Context::default() };
    let expression = Expression::parse("name.trace('names', given).given.trace('given').count()").expect("parses");
    let items = evaluate(&expression, root, &context).expect("evaluates");
    assert_eq!(items.first().and_then(Item::as_integer), Some(3));
    assert_eq!(*lines.0.borrow(), ["names: Betsy,Ann,Bets", "given: Betsy,Ann,Bets"]);
}
