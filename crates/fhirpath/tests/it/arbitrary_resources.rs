//! No resource makes the evaluator panic, hang or grow without bound, whatever stands in its elements (F64).

use fhir::element::Element;
use fhir::json::Tree;
use fhir::schema::r4;
use fhirpath::{Context, EvaluateError, Expression, evaluate, evaluate_condition, limits};
use proptest::prelude::*;
use std::sync::LazyLock;

const NAMES: &[&str] = &[
    "id",
    "extension",
    "url",
    "valueQuantity",
    "valueDateTime",
    "valueString",
    "valueBoolean",
    "valuePeriod",
    "value",
    "unit",
    "system",
    "code",
    "comparator",
    "coding",
    "name",
    "given",
    "family",
    "use",
    "period",
    "start",
    "end",
    "birthDate",
    "_birthDate",
    "_given",
    "gender",
    "contained",
    "resourceType",
    "subject",
    "reference",
    "type",
    "component",
    "telecom",
    "rank",
    "item",
    "linkId",
    "text",
    "div",
    "status",
    "entry",
    "resource",
    "fullUrl",
    "effectiveDateTime",
    "active",
    "deceasedBoolean",
    "multipleBirthInteger",
];

const SCALARS: &[&str] = &[
    "null",
    "true",
    "0",
    "-0",
    "1e400",
    "1e-6144",
    "99999999999999999999999999999999999999",
    "9223372036854775807",
    "0.1",
    "\"\"",
    "\"Patient\"",
    "\"Observation\"",
    "\"#\"",
    "\"#c\"",
    "\"Patient/1\"",
    "\"urn:uuid:1\"",
    "\"http://unitsofmeasure.org\"",
    "\"mg\"",
    "\"Cel\"",
    "\"10*99\"",
    "\"a\"",
    "\"9999-12-31T23:59:60.999+14:00\"",
    "\"0001-01-01T00:00:00-14:00\"",
    "\"2024\"",
    "\"2024-02-30\"",
    "\"\\ud83d\\udd25\"",
    "\"a\\u0000b\"",
    "\"24:00:00\"",
];

/// Expressions that look at everything in every way.
static EXPRESSIONS: LazyLock<Vec<Expression>> = LazyLock::new(|| {
    [
        "descendants().distinct().count()",
        "descendants().where($this is Quantity).select(value + 1)",
        "descendants().ofType(Quantity).select($this = $this.first() or $this > 1 'g' or $this ~ 1 'kg')",
        "descendants().ofType(dateTime).select($this < now() or $this + 1 year > today() or $this.lowBoundary() < $this.highBoundary())",
        "descendants().ofType(date).select($this - 9999 years | $this + 300000 days)",
        "descendants().select(toString() & '' | toInteger() | toDecimal() | toQuantity() | toDateTime() | toTime() | toBoolean())",
        "descendants().select(iif(hasValue(), getValue(), type().name))",
        "descendants().ofType(string).select(length() | upper() | matches('a+') | replace('a', 'b') | encode('base64').decode('base64'))",
        "descendants().ofType(decimal).select(abs() | ceiling() | sqrt() | exp() | power(99) | round(3) | lowBoundary(31) | precision())",
        "repeat(contained | item | entry.resource | component).repeat(children())",
        "contained.resolve() | subject.resolve() | descendants().resolve()",
        "descendants().elementDefinition().type.code.distinct()",
        "descendants().sort(id, -value)",
        "children() ~ children() and descendants() = descendants()",
        "descendants().aggregate($total & $this.toString(), '')",
        "descendants().intersect(children()).exclude(contained).isDistinct()",
        "descendants().memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')",
        "descendants().subsumes(code) | descendants().checkModifiers()",
        "name.given.join(',').split(',').toChars().distinct()",
        "descendants().extension('a').value",
    ]
    .map(|text| Expression::parse(text).expect(text))
    .into()
});

fn json() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(SCALARS).prop_map(str::to_owned);
    scalar.prop_recursive(5, 48, 5, |inner| {
        let members = prop::collection::vec((prop::sample::select(NAMES), inner.clone()), 0..6);
        prop_oneof![
            2 => members.prop_map(|members| object(None, members)),
            1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
}

/// An object whose names come once.
fn object(kind: Option<&str>, members: Vec<(&'static str, String)>) -> String {
    let mut seen = Vec::new();
    let mut parts: Vec<String> = kind.iter().map(|kind| format!("\"resourceType\":\"{kind}\"")).collect();
    for (name, value) in members {
        let is_given = kind.is_some() && name == "resourceType";
        if !is_given && !seen.contains(&name) {
            seen.push(name);
            parts.push(format!("\"{name}\":{value}"));
        }
    }
    format!("{{{}}}", parts.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn everything_in_every_way(
        kind in prop::sample::select(&["Patient", "Observation", "Questionnaire", "Bundle", "QuestionnaireResponse"][..]),
        members in prop::collection::vec((prop::sample::select(NAMES), json()), 0..10),
    ) {
        let text = object(Some(kind), members);
        // What JSON itself refuses (a lone surrogate, say) never gets here.
        let Ok(tree) = Tree::parse(text) else { return Ok(()) };
        let root = Element::resource(&tree, r4()).expect("a type");
        let now = Some(fhir::Instant::from_unix_millis(1_763_200_000_000));
        let context = Context { now, steps_max: 10_000, ..Context::default() };
        for expression in EXPRESSIONS.iter() {
            match evaluate(expression, root, &context) {
                Ok(items) => {
                    prop_assert!(items.len() <= limits::ITEMS_MAX);
                    items.iter().for_each(|item| drop(item.to_text()));
                }
                Err(EvaluateError::Pattern | EvaluateError::UnknownType) => prop_assert!(false, "{}", expression),
                Err(_) => {}
            }
        }
        let of_type = root.definition.constraints.iter();
        for constraint in of_type.chain(root.definition.elements.iter().flat_map(|element| &element.constraints)) {
            let invariant = Expression::parse(constraint.expression).expect("parses");
            let (_, steps) = evaluate_condition(&invariant, root, &context);
            prop_assert!(steps <= context.steps_max + 20_000, "{} steps", steps);
        }
    }
}
