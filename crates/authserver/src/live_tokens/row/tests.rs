//! Rows of tokens: what is written is read, the old form too, and nothing else.

use super::*;

fn hash() -> TokenHash {
    TokenHash::of("token")
}

fn person() -> Grant {
    let scope_text = "launch/patient openid fhirUser offline_access patient/Observation.rs?category=a%7Cb user/*.rs";
    Grant {
        client_id: "app".into(),
        client_name: "App".into(),
        scopes: parse_list(scope_text).filter_map(|(_, scope)| scope.ok()).collect(),
        scope_text: scope_text.into(),
        issued_at_s: 1,
        expires_at_s: 2,
        token_name: hash().name().into(),
        user: Some(Arc::new(User {
            id: "sub-1".into(),
            name: "Ada \"B\"".into(),
            role: Role::Caregiver,
            fhir_user: Some("RelatedPerson/r".into()),
            patients: Arc::new(["p".into(), "q".into()]),
            glasses: Arc::default(),
            may_break_glass: false,
        })),
        launch: Arc::new(LaunchContext {
            patient: Some("p".into()),
            encounter: Some("e".into()),
            ..LaunchContext::default()
        }),
        confirmation: Some(Confirmation::Key([9; 32])),
        family: Some("consent-1".into()),
        acting: None,
        standing: Standing::Ordinary,
        purposes: Arc::default(),
    }
}

fn of_an_organization() -> Grant {
    let b2b = json!({
        "version": "1", "organization_id": "https://payer.example", "purpose_of_use": ["HPAYMT", "CLMATTCH"],
        "subject_name": "Re \"V\" Iewer", "subject_role": "urn:x", "consent_policy": ["urn:p"],
        "consent_reference": ["https://payer.example/Consent/1"],
    });
    let acting = Acting {
        community: "https://community.example".into(),
        uri: "https://payer.example/client".into(),
        b2b: B2b::read(&b2b).unwrap(),
        organization: Some("Organization/1".into()),
    };
    let scope_text = "system/Patient.rs";
    Grant {
        scopes: parse_list(scope_text).filter_map(|(_, scope)| scope.ok()).collect(),
        scope_text: scope_text.into(),
        user: None,
        launch: Arc::default(),
        confirmation: None,
        family: None,
        acting: Some(Arc::new(acting)),
        standing: Standing::Ordinary,
        purposes: Arc::default(),
        ..person()
    }
}

fn same(a: &Grant, b: &Grant) {
    assert_eq!((&a.client_id, &a.client_name, &a.scope_text), (&b.client_id, &b.client_name, &b.scope_text));
    assert_eq!((&a.scopes, a.issued_at_s, a.expires_at_s), (&b.scopes, b.issued_at_s, b.expires_at_s));
    assert_eq!((&a.user, &a.launch, a.confirmation, &a.family), (&b.user, &b.launch, b.confirmation, &b.family));
    assert_eq!((&a.token_name, &a.acting, a.standing), (&b.token_name, &b.acting, b.standing));
}

#[test]
fn what_is_written_is_read() {
    for role in Role::ALL {
        for fhir_user in [None, Some("Practitioner/1".into())] {
            for confirmation in [None, Some(Confirmation::Certificate([1; 32])), Some(Confirmation::Key([2; 32]))] {
                let grant = person();
                let user = User { role, fhir_user: fhir_user.clone(), ..User::clone(grant.user.as_ref().unwrap()) };
                let grant = Grant { user: Some(Arc::new(user)), confirmation, ..grant };
                same(&decode(&hash(), &encode(&grant)).unwrap(), &grant);
            }
        }
    }
    assert_eq!(person().scopes.len(), 2, "words that are no resource scopes are no scopes");
}

/// Row G4: that consents do not bind it outlives a restart, and comes of nothing else.
#[test]
fn a_custodians_token_is_one_after_a_restart() {
    let system = Grant { user: None, scope_text: "system/*.rs".into(), standing: Standing::Custodian, ..person() };
    let again = decode(&hash(), &encode(&system)).unwrap();
    assert!(again.is_custodian());
    let other = decode(&hash(), &encode(&Grant { standing: Standing::Ordinary, ..system })).unwrap();
    assert!(!other.is_custodian());
}

/// Row D28: purpose, subject and organization outlive a restart.
#[test]
fn an_organizations_token_keeps_for_whom_and_why() {
    let grant = of_an_organization();
    same(&decode(&hash(), &encode(&grant)).unwrap(), &grant);
    let nobody_here = Acting { organization: None, ..Acting::clone(grant.acting.as_ref().unwrap()) };
    let grant = Grant { acting: Some(Arc::new(nobody_here)), ..grant };
    same(&decode(&hash(), &encode(&grant)).unwrap(), &grant);
}

/// A row of the first stage.
#[test]
fn an_old_row_is_a_systems() {
    let old = br#"{"client_id":"a","client_name":"b","exp":9,"iat":0,"scope":"system/Patient.rs"}"#;
    let grant = decode(&hash(), old).unwrap();
    assert_eq!((grant.user.clone(), grant.confirmation, grant.family.clone()), (None, None, None));
    assert_eq!(*grant.launch, LaunchContext::default());
    let value = |row: &[u8]| serde_json::from_slice::<Value>(row).unwrap();
    assert_eq!(value(&encode(&grant)), value(old), "and a system's row is still that");
}

/// What cannot be read is no grant: it would be a wider one.
#[test]
fn a_damaged_row_is_none() {
    let whole: Value = serde_json::from_slice(&encode(&person())).unwrap();
    let damaged = [
        ("/user", Value::Null),
        ("/user/sub", json!(1)),
        ("/user/role", json!("king")),
        ("/user/fhirUser", json!(7)),
        ("/user/patients", json!("p")),
        ("/user/patients", json!([1])),
        ("/launch", Value::Null),
        ("/launch/patient", Value::Null),
        ("/cnf", json!({})),
        ("/cnf", json!({ "jkt": "short" })),
        ("/cnf", json!({ "x5t": "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk" })),
        ("/family", json!(1)),
        ("/scope", json!("patient/nonsense")),
    ];
    for (pointer, value) in damaged {
        let mut row = whole.clone();
        *row.pointer_mut(pointer).unwrap() = value.clone();
        assert!(decode(&hash(), row.to_string().as_bytes()).is_none(), "{pointer} {value}");
    }
    let organizations: Value = serde_json::from_slice(&encode(&of_an_organization())).unwrap();
    let damaged = [
        ("/acting", Value::Null),
        ("/acting/community", json!(1)),
        ("/acting/uri", Value::Null),
        ("/acting/organization", json!(["Organization/1"])),
        ("/acting/hl7-b2b", Value::Null),
        ("/acting/hl7-b2b/purpose_of_use", json!([])),
    ];
    for (pointer, value) in damaged {
        let mut row = organizations.clone();
        *row.pointer_mut(pointer).unwrap() = value.clone();
        assert!(decode(&hash(), row.to_string().as_bytes()).is_none(), "{pointer} {value}");
    }
    for member in ["sub", "name", "role", "patients"] {
        let mut row = whole.clone();
        row.pointer_mut("/user").and_then(Value::as_object_mut).unwrap().remove(member);
        assert!(decode(&hash(), row.to_string().as_bytes()).is_none(), "{member}");
    }
}
