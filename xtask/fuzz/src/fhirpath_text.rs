//! FHIRPath (rows F58, F64): any text is parsed or refused at a place inside it; what was parsed keeps its
//! text and evaluates within its budget. That the budget bounds time is libFuzzer's limit for one input.

use crate::samples;
use fhir::element::Element;
use fhirpath::{Context, Expression, evaluate, evaluate_condition};

/// Steps of one evaluation here.
const STEPS: u64 = 20_000;

/// The first byte chooses the resource, the rest is the expression.
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
    let (_, tree) = samples::pick(*choice);
    let root = Element::resource(tree, fhir::schema::r4()).expect("a resource");
    let context = Context { steps_max: STEPS, now: Some(samples::now()), ..Context::default() };
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
