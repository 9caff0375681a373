//! From paths to interactions.

use super::{Asked, Conditions, Exchange, Expects, ROUTES, Route, Segment, asked, below, is_public};
use crate::{
    failure::Failure,
    wire::{Method, Prefer, Request},
};

fn ask(method: Method, path: &str) -> Result<Asked, Failure> {
    asked(method, path, Exchange::default(), Prefer::default(), Conditions::default())
}

#[test]
fn each_path_is_its_interaction() {
    for (method, path, interaction, expects) in [
        (Method::Get, "Patient/1", "Read(Patient, LogicalId(\"1\"))", Expects::Nothing),
        (Method::Get, "Patient/1/_history/2", "Vread(Patient, LogicalId(\"1\"), VersionId(2))", Expects::Nothing),
        (Method::Get, "Patient/1/_history", "HistoryInstance(Patient, LogicalId(\"1\"))", Expects::Nothing),
        (Method::Get, "Patient", "SearchType(Patient)", Expects::Nothing),
        (Method::Post, "Patient/_search", "SearchType(Patient)", Expects::Form),
        (Method::Get, "Patient/1/Observation", "SearchCompartment(LogicalId(\"1\"), Observation)", Expects::Nothing),
        (
            Method::Post,
            "Patient/1/Observation/_search",
            "SearchCompartment(LogicalId(\"1\"), Observation)",
            Expects::Form,
        ),
        (Method::Post, "Patient", "Create(Patient)", Expects::Resource),
        (Method::Put, "Patient/1", "Update(Patient, LogicalId(\"1\"))", Expects::Resource),
        (Method::Delete, "Patient/1", "Delete(Patient, LogicalId(\"1\"))", Expects::Nothing),
        (Method::Post, "", "Transaction", Expects::Bundle),
    ] {
        let asked = ask(method, path).unwrap();
        assert_eq!(format!("{:?}", asked.interaction), interaction);
        assert_eq!(asked.expects, expects, "{path}");
    }
}

#[test]
fn what_is_no_path_of_ours_is_unknown() {
    for path in [
        "Foo",
        "Foo/1",
        "patient/1",
        "Patient/1/2",
        "Patient/1/_history/2/3",
        "_history",
        "Patient/$everything",
        "Patient/_history",
        "Encounter/1/Observation",
        "Patient//Observation",
    ] {
        assert!(matches!(ask(Method::Get, path), Err(Failure::UnknownPath)), "{path}");
    }
}

#[test]
fn a_wrong_method_lists_the_right_ones() {
    let Err(Failure::Method(allow)) = ask(Method::Post, "Patient/1") else { panic!("allowed") };
    assert_eq!(allow, [Method::Get, Method::Put, Method::Patch, Method::Delete]);
    assert!(matches!(ask(Method::Delete, "Patient"), Err(Failure::Method(_))));
    assert!(matches!(ask(Method::Get, ""), Err(Failure::Method(_))));
}

/// F59: an id outside its rule names nothing, and can be chosen by no one.
#[test]
fn ids_outside_the_rule() {
    let long = format!("Patient/{}", "a".repeat(65));
    for path in ["Patient/a%2Fb", "Patient/%2e%2e", "Patient/a b", "Patient/a\u{0}", long.as_str()] {
        assert!(matches!(ask(Method::Get, path), Err(Failure::NotFound)), "{path}");
        assert!(matches!(ask(Method::Put, path), Err(Failure::Id)), "{path}");
    }
    assert!(matches!(ask(Method::Get, "Patient/1/_history/x"), Err(Failure::NotFound)));
}

#[test]
fn only_what_is_below_the_base_is_ours() {
    assert_eq!(below("/fhir/Patient/", "/fhir"), Some("Patient"));
    assert_eq!(below("/fhir", "/fhir"), Some(""));
    assert_eq!(below("/fhirs/Patient", "/fhir"), None);
    assert_eq!(below("/Patient", "/fhir"), None);
}

#[test]
fn the_exchange_is_not_the_search() {
    let exchange = Exchange::of("code=a%2Cb&_format=json&&_pretty=true&_cursor=abc&code=c");
    assert_eq!(exchange.query, "code=a%2Cb&code=c");
    assert_eq!((exchange.format.as_deref(), exchange.cursor.as_deref()), (Some("json"), Some("abc")));
}

#[test]
fn metadata_alone_is_public() {
    let public: Vec<&Route> = ROUTES.iter().filter(|route| route.public).collect();
    assert_eq!(public.len(), 1);
    assert_eq!(public[0].path, [Segment::Word("metadata")]);
    let head =
        |method: &str, uri: &str| Request::split(http::Request::builder().method(method).uri(uri).body(()).unwrap()).0;
    assert!(is_public(&head("GET", "/fhir/metadata?_format=json"), "/fhir"));
    assert!(!is_public(&head("POST", "/fhir/metadata"), "/fhir"));
    assert!(!is_public(&head("GET", "/fhir/metadata/x"), "/fhir"));
}
