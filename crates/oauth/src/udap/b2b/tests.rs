//! The B2B object: what it must have, and what of it is never fetched. Rows D27, D29.

use super::*;

fn full() -> Value {
    json!({
        "version": "1",
        "organization_id": "https://payer.example/org",
        "organization_name": "Payer of Example",
        "purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#HPAYMT"],
        "subject_name": "A. Clerk",
        "subject_id": "urn:oid:2.16.840.1.113883.4.6#1234567893",
        "subject_role": "urn:oid:2.16.840.1.113883.6.101#1041C0700X",
        "consent_policy": ["https://community.example/policy"],
        "consent_reference": ["https://payer.example/fhir/Consent/1"],
    })
}

fn with(name: &str, value: Value) -> Result<B2b, B2bError> {
    let mut object = full();
    object[name] = value;
    B2b::read(&object)
}

fn without(names: &[&str]) -> Result<B2b, B2bError> {
    let mut object = full();
    for name in names {
        object.as_object_mut().unwrap().remove(*name);
    }
    B2b::read(&object)
}

#[test]
fn d27_all_of_it() {
    let b2b = B2b::read(&full()).unwrap();
    assert_eq!(b2b.organization_id, "https://payer.example/org");
    assert_eq!(b2b.purposes, [Purpose::PAYMENT]);
    assert_eq!(b2b.subject_name.as_deref(), Some("A. Clerk"));
    assert_eq!(b2b.consent_reference, ["https://payer.example/fhir/Consent/1"]);
    assert_eq!(b2b.to_value(), full());
    assert_eq!(B2b::read(&b2b.to_value()).unwrap(), b2b);
}

/// What a public test kit for STU 1 sends.
#[test]
fn d27_a_plain_code() {
    let b2b = B2b::read(&json!({
        "version": "1",
        "subject_name": "UDAP Test Kit",
        "organization_name": "A kit",
        "organization_id": "https://kit.example/",
        "purpose_of_use": ["SYSDEV"],
    }))
    .unwrap();
    assert_eq!(b2b.purposes.first().unwrap().code(), "SYSDEV");
}

#[test]
fn d27_what_is_required() {
    for name in ["version", "organization_id", "purpose_of_use"] {
        assert_eq!(without(&[name]), Err(B2bError::Missing(name)));
    }
    assert_eq!(with("purpose_of_use", json!([])), Err(B2bError::Missing("purpose_of_use")));
    assert_eq!(with("organization_id", json!(" ")), Err(B2bError::Missing("organization_id")));
    assert!(without(&["organization_name", "subject_name", "subject_id", "subject_role"]).is_ok());
}

#[test]
fn d27_what_is_conditional() {
    assert_eq!(without(&["subject_name", "subject_id"]), Err(B2bError::Nameless));
    assert_eq!(without(&["subject_name", "subject_role"]), Err(B2bError::Nameless));
    assert!(without(&["subject_id", "subject_role"]).is_ok());
    assert_eq!(without(&["consent_policy"]), Err(B2bError::NoPolicy));
    assert!(without(&["consent_reference"]).is_ok());
}

#[test]
fn d27_what_is_malformed() {
    assert_eq!(B2b::read(&json!([])), Err(B2bError::Shape));
    assert_eq!(B2b::read(&Value::Null), Err(B2bError::Shape));
    assert_eq!(with("version", json!(1)), Err(B2bError::Version));
    assert_eq!(with("version", json!("2")), Err(B2bError::Version));
    assert_eq!(with("purpose_of_use", json!("TREAT")), Err(B2bError::Member("purpose_of_use")));
    assert_eq!(with("purpose_of_use", json!([1])), Err(B2bError::Member("purpose_of_use")));
    assert_eq!(with("purpose_of_use", json!(["TREAT", "FUN"])), Err(B2bError::Purpose));
    assert_eq!(with("purpose_of_use", json!(vec!["TREAT"; 17])), Err(B2bError::Member("purpose_of_use")));
    assert_eq!(with("organization_id", json!("payer")), Err(B2bError::Member("organization_id")));
    assert_eq!(with("subject_name", json!("A\u{202e}B")), Err(B2bError::Member("subject_name")));
    assert_eq!(with("subject_name", json!("a".repeat(501))), Err(B2bError::Member("subject_name")));
    assert_eq!(with("consent_policy", json!(["policy"])), Err(B2bError::Member("consent_policy")));
    for bad in ["Consent/1", "/Consent/1", "https://", "urn:uuid:1", "https:///Consent/1"] {
        assert_eq!(with("consent_reference", json!([bad])), Err(B2bError::Member("consent_reference")), "{bad}");
    }
}

#[test]
fn a_purpose_named_twice_is_one() {
    let b2b = with("purpose_of_use", json!(["TREAT", "urn:oid:2.16.840.1.113883.5.8#TREAT", "HPAYMT"])).unwrap();
    assert_eq!(b2b.purposes, [Purpose::TREATMENT, Purpose::PAYMENT]);
}
