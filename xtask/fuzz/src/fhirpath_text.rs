//! FHIRPath (rows F58, F64): any text is parsed or refused at a place inside it; what was parsed keeps its
//! text, is checked against the type, and evaluates within its budget, also when codes, profiles and other
//! resources can be asked for. That the budget bounds time is libFuzzer's limit for one input.

use crate::samples;
use fhir::{element::Element, schema};
use fhirpath::{
    Code, Conformance, Context, Expression, Item, Resolve, Terminology, Trace, evaluate, evaluate_condition,
};
use std::cell::Cell;
use validation::narrative;

/// Steps of one evaluation here.
const STEPS: u64 = 20_000;

/// What an evaluation may ask of others, answered from the question alone.
struct World<'t> {
    traced: Cell<usize>,
    other: Element<'t>,
}

impl Resolve for World<'_> {
    fn resolve(&self, reference: &str) -> Option<Element<'_>> {
        reference.len().is_multiple_of(2).then_some(self.other)
    }
}

impl Terminology for World<'_> {
    fn member_of(&self, value_set: &str, code: Code<'_>) -> Option<bool> {
        [None, Some(true), Some(false)][(value_set.len() + code.code.len()) % 3]
    }

    fn subsumes(&self, general: Code<'_>, special: Code<'_>) -> Option<bool> {
        (general.system == special.system).then(|| special.code.starts_with(general.code))
    }
}

impl Conformance for World<'_> {
    fn conforms_to(&self, element: Element<'_>, profile: &str) -> Option<bool> {
        profile.contains("StructureDefinition").then(|| profile.ends_with(element.definition.name))
    }

    fn is_in_slice(&self, _: Element<'_>, profile: &str, slice: &str) -> Option<bool> {
        (!slice.is_empty()).then_some(profile.len() > slice.len())
    }
}

impl Trace for World<'_> {
    fn trace(&self, _: &str, items: &[Item<'_>]) {
        assert!(items.len() <= fhirpath::limits::ITEMS_MAX);
        self.traced.set(self.traced.get() + 1);
    }
}

/// The first byte chooses the resource and how strict, the rest is the expression.
pub fn fhirpath(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let expression = match Expression::parse(&text) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(error.offset <= text.len(), "offset {} of {}", error.offset, text.len());
            return;
        }
    };
    assert_eq!(expression.text(), text);
    // What is printed reads as the same; only parentheses may make it longer or deeper than a text may be.
    let printed = expression.normalized();
    match Expression::parse(&printed) {
        Ok(again) => assert_eq!(again.normalized(), printed),
        Err(error) => assert!(error.message.contains("deep") || printed.len() > text.len(), "{printed}: {error}"),
    }
    let (_, tree) = samples::pick(*choice);
    let root = Element::resource(tree, schema::r4()).expect("a resource");
    let _ = fhirpath::check(&expression, schema::r4(), root.definition, None);
    let (_, other) = samples::pick(choice.wrapping_add(1));
    let other = Element::resource(other, schema::r4()).expect("a resource");
    let world = World { traced: Cell::new(0), other };
    let context = Context {
        resource: Some(root),
        now: Some(samples::now()),
        resolver: Some(&world),
        terminology: Some(&world),
        conformance: Some(&world),
        trace: Some(&world),
        html_checks: Some(|text| narrative::check(text).is_ok()),
        strict: *choice >= 0x80,
        steps_max: STEPS,
        ..Context::default()
    };
    if let Ok(items) = evaluate(&expression, root, &context) {
        assert!(items.len() <= fhirpath::limits::ITEMS_MAX);
        // Pure: the same again.
        let again = evaluate(&expression, root, &context).expect("it was evaluated before");
        assert_eq!(again.len(), items.len());
    }
    let (_, steps) = evaluate_condition(&expression, root, &context);
    // The charge that went over may have been the largest: a whole text of a megabyte.
    assert!(steps <= STEPS + 20_000, "{steps} steps");
}
