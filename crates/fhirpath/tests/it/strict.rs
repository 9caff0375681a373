//! What can mean nothing is told before it is evaluated. SPEC: FHIRPath N1, "Type Safety and Strict Evaluation".

use super::{PATIENT, tree};
use fhir::element::Element;
use fhir::schema::{TypeDefinition, TypeKind, r4};
use fhirpath::{Context, EvaluateError, Expression, check, evaluate};
use std::collections::BTreeSet;

fn checked(text: &str, type_name: &str) -> Result<(), String> {
    let expression = Expression::parse(text).expect(text);
    let definition = r4().type_named(type_name).expect(type_name);
    check(&expression, r4(), definition, None).map_err(|error| error.message)
}

#[test]
fn names_that_no_type_has_are_found() {
    for (type_name, text, wanted) in [
        ("Patient", "name.given1", "HumanName has no element given1"),
        ("Patient", "Encounter.status", "Patient is no Encounter"),
        ("Patient", "name.where(used = 'x')", "HumanName has no element used"),
        ("Patient", "name.exists(used.exists())", "HumanName has no element used"),
        ("Patient", "name.select(given | famly)", "HumanName has no element famly"),
        ("Patient", "Nosuch.name", "there is no type Nosuch"),
        ("Patient", "birthDate.as(strng)", "there is no type strng"),
        ("Patient", "name.given.first().value", "string has no element value"),
        ("Patient", "1.toString().given", "String has no element given"),
        ("Patient", "%resource.nosuch", "Patient has no element nosuch"),
        ("Patient", "name.first().extension('x').valueString", "Extension has no element valueString"),
        ("Patient", "children().skip(1)", "skip needs an order, which children have not"),
        ("Patient", "name.children()[0]", "[ ] needs an order, which children have not"),
        ("Patient", "iif('a', 1, 2)", "the condition of iif is String, not a boolean"),
        ("Patient", "birthDate + 7", "a number without unit is added to a date or time"),
        ("Patient", "name.startsWith('a')", "startsWith is a function on text, not on HumanName"),
        ("Patient", "-name", "a sign before HumanName, which is no number"),
        ("Observation", "valueQuantity.unit", "Observation has no element valueQuantity"),
        ("Observation", "(value as Period).unit", "Period has no element unit"),
        ("Observation", "component.value.nosuch", "Quantity or CodeableConcept or string has no element nosuch"),
    ] {
        assert_eq!(checked(text, type_name), Err(wanted.to_owned()), "{text}");
    }
}

#[test]
fn what_may_mean_something_passes() {
    for (type_name, text) in [
        ("Patient", "Resource.id | DomainResource.text"),
        ("Patient", "contained.name | contained.ofType(Observation).value.unit"),
        ("Patient", "generalPractitioner.resolve().anything"),
        ("Patient", "descendants().linkId"),
        ("Patient", "children().given"),
        ("Patient", "%nosuch.name"),
        ("Patient", "name.given.type().name & birthDate.extension('x').value"),
        ("Patient", "name.elementDefinition().type.code"),
        ("Patient", "name.sort(-family, given.first()).first()"),
        ("Patient", "{}.nosuch"),
        ("Patient", "birthDate.is(System.Patient)"),
        ("Bundle", "entry.resource.name.given"),
        ("Questionnaire", "repeat(item).linkId"),
        ("Questionnaire", "item.repeat(item | answerOption).value"),
        ("Observation", "value.value + 1"),
        ("Resource", "Patient.name.given"),
        ("Observation", "(component | $this).value.ofType(Quantity).unit"),
    ] {
        assert_eq!(checked(text, type_name), Ok(()), "{text}");
    }
}

/// What R4 publishes passes, but for what is wrong in it: elements that the type does not have.
#[test]
fn published_expressions_pass_but_for_their_own_faults() {
    let schema = r4();
    let mut wrong = BTreeSet::new();
    let mut see = |key: &str, text: &str, focus: &TypeDefinition, resource: Option<&TypeDefinition>| {
        let expression = Expression::parse(text).expect(text);
        match check(&expression, schema, focus, resource) {
            // A parameter of several types names them all.
            Err(error) if !error.message.contains(" is no ") => _ = wrong.insert(key.to_owned()),
            _ => {}
        }
    };
    for one in &schema.types {
        let resource = one.name.split('.').next().and_then(|name| schema.type_named(name));
        let resource = resource.filter(|resource| resource.kind == TypeKind::Resource);
        one.constraints.iter().for_each(|constraint| see(constraint.key, constraint.expression, one, resource));
        for element in &one.elements {
            for of in element.types.iter().filter_map(|of| schema.type_of(of)) {
                element
                    .constraints
                    .iter()
                    .for_each(|constraint| see(constraint.key, constraint.expression, of, resource));
            }
        }
    }
    for parameter in schema.search_parameters.iter().filter(|parameter| !parameter.expression.is_empty()) {
        for base in parameter.base.iter().filter_map(|base| schema.type_named(base)) {
            see(parameter.url, parameter.expression, base, None);
        }
    }
    // ras-1 asks `low` of a probability that is a decimal; the others name elements of other versions.
    let known = ["cid-0", "evv-1", "http://hl7.org/fhir/SearchParameter/DeviceDefinition-classification", "ras-1"];
    wrong.retain(|key| !known.contains(&key.as_str()));
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_check_ends_however_repeats_are_nested() {
    let nested = format!("{}children(){}", "children().repeat(".repeat(24), ")".repeat(24));
    assert_eq!(checked(&nested, "Bundle"), Ok(()));
}

#[test]
fn as_refuses_several_items_when_it_is_told_to() {
    let patient = tree(PATIENT);
    let root = Element::resource(&patient, r4()).expect("resource");
    let count = |text: &str, strict: bool| {
        let expression = Expression::parse(text).expect(text);
        let context = Context { strict, ..Context::default() };
        evaluate(&expression, root, &context).map(|items| items.len())
    };
    assert_eq!(count("name.as(HumanName).given", false), Ok(3));
    assert_eq!(count("name.as(HumanName).given", true), Err(EvaluateError::NotSingleton));
    assert_eq!(count("(name as HumanName).given", true), Err(EvaluateError::NotSingleton));
    assert_eq!(count("name.first().as(HumanName).given", true), Ok(2));
    assert_eq!(count("name.ofType(HumanName).given", true), Ok(3));
    assert_eq!(count("Patient.deceased.as(dateTime)", true), Ok(0));
    assert_eq!(count("(deceased as boolean) | active", true), Ok(2));
}
