//! `resolve()` fetches nothing. SPEC: R4 fhirpath.html#functions.

use super::{PATIENT, texts, tree};
use fhir::element::Element;
use fhirpath::{Context, Expression, Resolve, evaluate};

fn count(text: &str) -> String {
    texts(text, PATIENT).expect("evaluates").join("|")
}

#[test]
fn a_reference_shows_its_type_without_being_fetched() {
    assert_eq!(count("generalPractitioner.where(resolve() is Practitioner).reference"), "Practitioner/7");
    assert_eq!(count("generalPractitioner.where(resolve() is PractitionerRole).reference"), "urn:uuid:1");
    assert_eq!(count("managingOrganization.where(resolve() is Organization).exists()"), "true");
    assert_eq!(count("managingOrganization.where(resolve() is Patient).exists()"), "false");
    assert_eq!(count("managingOrganization.resolve().name.exists()"), "false");
}

#[test]
fn a_contained_resource_is_found_in_its_container() {
    assert_eq!(count("generalPractitioner.where(resolve() is Organization).reference"), "#o1");
    assert_eq!(count("generalPractitioner.resolve().name"), "Home Health");
}

#[test]
fn a_resolver_of_the_caller_is_asked_first() {
    struct One<'t>(Element<'t>);
    impl Resolve for One<'_> {
        fn resolve(&self, reference: &str) -> Option<Element<'_>> {
            (reference == "Practitioner/7").then_some(self.0)
        }
    }
    let schema = fhir::schema::r4();
    let practitioner = tree(r#"{"resourceType": "Practitioner", "id": "7", "gender": "female"}"#);
    let resolver = One(Element::resource(&practitioner, schema).expect("resource"));
    let patient = tree(PATIENT);
    let expression = Expression::parse("generalPractitioner.resolve().gender").expect("parses");
    let context = Context { resolver: Some(&resolver), ..Context::default() };
    let root = Element::resource(&patient, schema).expect("resource");
    let found = evaluate(&expression, root, &context).expect("evaluates");
    assert_eq!(found.first().and_then(|item| item.as_str()).as_deref(), Some("female"));
}
