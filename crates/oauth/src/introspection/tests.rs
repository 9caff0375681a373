//! Introspection answers. Rows B67, B68, A8.

use super::{active, inactive};
use crate::{
    caller::{Acting, Confirmation, Grant, Role, Standing, User},
    launch_context::LaunchContext,
    udap::b2b::B2b,
};
use serde_json::{Value, json};
use std::sync::Arc;

fn grant(scope: &str) -> Grant {
    Grant {
        client_id: "app".into(),
        client_name: "An app".into(),
        scopes: Arc::new([]),
        scope_text: scope.into(),
        issued_at_s: 1,
        expires_at_s: 301,
        token_name: "0123".into(),
        user: None,
        launch: Arc::default(),
        confirmation: None,
        family: Some("f".into()),
        acting: None,
        standing: Standing::Ordinary,
        purposes: Arc::default(),
    }
}

fn of_person(scope: &str) -> Grant {
    let user = User {
        id: "u".into(),
        name: "Ann Example".into(),
        role: Role::Clinician,
        fhir_user: Some("Practitioner/1".into()),
        patients: Arc::new([]),
        glasses: Arc::default(),
        may_break_glass: false,
    };
    let launch = LaunchContext { patient: Some("p".into()), encounter: Some("e".into()), ..LaunchContext::default() };
    Grant { user: Some(Arc::new(user)), launch: Arc::new(launch), ..grant(scope) }
}

fn answer(grant: &Grant) -> Value {
    active(grant, "https://care.example", "https://care.example/fhir")
}

/// Row B67: all that the token response told, and who the person is when the id token did.
#[test]
fn of_a_person() {
    let scope = "openid fhirUser launch/patient patient/*.rs";
    let expected = json!({
        "active": true, "scope": scope, "client_id": "app", "token_type": "Bearer", "iat": 1, "exp": 301,
        "aud": "https://care.example/fhir", "iss": "https://care.example", "sub": "u",
        "fhirUser": "https://care.example/fhir/Practitioner/1", "patient": "p", "encounter": "e",
    });
    assert_eq!(answer(&of_person(scope)), expected);
    let without_id = answer(&of_person("launch/patient patient/*.rs fhirUserX"));
    assert!(["iss", "sub", "fhirUser"].iter().all(|name| without_id.get(name).is_none()), "{without_id}");
    let no_user_resource = answer(&of_person("openid patient/*.rs"));
    assert!(no_user_resource.get("sub").is_some() && no_user_resource.get("fhirUser").is_none());
    assert!(!answer(&of_person(scope)).to_string().contains("Ann"), "no name");
}

/// Rows A8, B67: what a token is bound to.
#[test]
fn bound() {
    let certificate = Grant { confirmation: Some(Confirmation::Certificate([0; 32])), ..grant("system/*.rs") };
    assert_eq!(answer(&certificate)["cnf"]["x5t#S256"], "A".repeat(43));
    assert_eq!(answer(&certificate)["token_type"], "Bearer");
    let key = Grant { confirmation: Some(Confirmation::Key([0; 32])), ..grant("system/*.rs") };
    assert_eq!(answer(&key)["cnf"], json!({ "jkt": "A".repeat(43) }));
    assert_eq!(answer(&key)["token_type"], "DPoP");
}

/// Row D28: for whom and why.
#[test]
fn of_an_organization() {
    let b2b = json!({
        "version": "1", "organization_id": "https://payer.example", "organization_name": "A payer",
        "purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#HPAYMT"], "subject_name": "Reviewer",
    });
    let acting = Acting {
        community: "https://community.example".into(),
        uri: "https://payer.example/client".into(),
        b2b: B2b::read(&b2b).unwrap(),
        organization: Some("Organization/7".into()),
    };
    let told = answer(&Grant { acting: Some(Arc::new(acting)), ..grant("system/Patient.rs") });
    assert_eq!(told["extensions"], json!({ "hl7-b2b": b2b }));
    assert!(!told.to_string().contains("Organization/7"), "no name of a resource here");
    assert!(answer(&grant("system/Patient.rs")).get("extensions").is_none());
}

/// Row B68.
#[test]
fn nothing_more() {
    assert_eq!(inactive(), json!({ "active": false }));
}
