//! The common forms of expressions allocate nothing when they are evaluated again.

use super::{PATIENT, tree};
use fhir::element::Element;
use fhir::schema::{Constraint, TypeKind, r4};
use fhirpath::{Context, Expression, evaluate, evaluate_condition};

/// Allocations of an evaluation as a condition, after a first one.
fn allocations(expression: &Expression, focus: Element<'_>, context: &Context<'_>) -> u64 {
    let first = evaluate_condition(expression, focus, context);
    let counted = allocation_counter::measure(|| {
        let again = evaluate_condition(expression, focus, context);
        assert_eq!(again, first);
    });
    counted.count_total
}

#[test]
fn paths_existence_filters_and_comparisons_allocate_nothing() {
    let patient = tree(PATIENT);
    let root = Element::resource(&patient, r4()).expect("resource");
    let context = Context { resource: Some(root), ..Context::default() };
    for text in [
        "active",
        "name.given.exists()",
        "name.family.empty()",
        "Patient.name.where(use = 'official').given.exists()",
        "name.exists(use = 'official' and family.exists())",
        "name.all(given.exists() or family.exists())",
        "name.given.count() = 3",
        "name.first().family = 'Smith-Johnson'",
        "name.family != 'Other'",
        "gender.empty() or gender = 'female'",
        "birthDate < @2000-01-01",
        "birthDate = @1950-11-15 and deceased = false",
        "telecom.rank > 0",
        "telecom.where(rank = 2).system = 'email'",
        "telecom.system in ('phone' | 'email')",
        "generalPractitioner.reference.exists($this.startsWith('#'))",
        "managingOrganization.reference.matches('^https://').not()",
        "extension.where(url = 'http://example.org/age').value.ofType(Quantity).value >= 71",
        "(deceased as boolean).not() implies active",
        "contained.where(id = 'o1').name.hasValue()",
        "generalPractitioner.where(resolve() is Organization).exists()",
        "name.count() > 1 xor active.empty()",
        "%resource.id = id",
        "telecom.value.length() > 3",
    ] {
        let expression = Expression::parse(text).expect(text);
        assert_eq!(allocations(&expression, root, &context), 0, "{text}");
    }
}

#[test]
fn results_of_two_items_need_no_room() {
    let patient = tree(PATIENT);
    let root = Element::resource(&patient, r4()).expect("resource");
    let context = Context::default();
    for text in ["id", "name", "name.family | id", "telecom.value", "deceased"] {
        let expression = Expression::parse(text).expect(text);
        evaluate(&expression, root, &context).expect(text);
        let counted = allocation_counter::measure(|| drop(evaluate(&expression, root, &context)));
        assert_eq!(counted.count_total, 0, "{text}");
    }
}

/// Of R4's invariants on an element of clinical data, those that allocate are few, and known.
#[test]
fn invariants_on_clinical_data_allocate_nothing() {
    let observation = tree(
        r#"{
          "resourceType": "Observation", "id": "o", "status": "final",
          "category": [{"coding": [{"system": "http://c", "code": "survey"}]}],
          "code": {"coding": [{"system": "http://loinc.org", "code": "1"}]},
          "subject": {"reference": "Patient/1"}, "effectivePeriod": {"start": "2024-01-01", "end": "2024-01-02T10:00:00Z"},
          "valueQuantity": {"value": 1.5, "comparator": "<", "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
          "referenceRange": [{"low": {"value": 1, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}],
          "component": [{"code": {"coding": [{"system": "http://loinc.org", "code": "2"}]}, "valueString": "x"}]
        }"#,
    );
    let root = Element::resource(&observation, r4()).expect("resource");
    let context = Context { resource: Some(root), html_checks: Some(|_| true), ..Context::default() };
    let mut seen = 0;
    walk(root, &mut |element, constraint| {
        let expression = Expression::parse(constraint.expression).expect("parses");
        // The built-in walk of validation does these itself.
        if !["dom-3", "ele-1"].contains(&constraint.key) {
            seen += 1;
            assert_eq!(allocations(&expression, element, &context), 0, "{}", constraint.key);
        }
    });
    assert!(seen > 10, "{seen} evaluations");
}

fn walk<'t>(element: Element<'t>, visit: &mut dyn FnMut(Element<'t>, &Constraint)) {
    let of_element = element.reached_by.map_or(&[][..], |reached_by| &reached_by.constraints[..]);
    for constraint in element.definition.constraints.iter().chain(of_element) {
        visit(element, constraint);
    }
    let mut children = Vec::new();
    element.all_children(|child| children.push(child));
    for child in children.into_iter().filter(|child| child.definition.kind != TypeKind::Primitive) {
        walk(child, visit);
    }
}
