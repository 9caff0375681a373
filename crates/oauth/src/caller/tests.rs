//! Who the operator is, and what they may make of themselves.

use super::*;

#[test]
fn the_operator_can_only_narrow_themselves() {
    let within = Caller::operator_within("explain", "system/Observation.rs?code=a system/Patient.r").unwrap();
    assert_eq!(within.kind(), CallerKind::System, "scopes count, as a client's do");
    assert_eq!(&*within.grant().client_id, "operator", "the record says who it was");
    assert_eq!(within.grant().scopes.len(), 2);
    assert_eq!(&*within.grant().scope_text, "system/Observation.rs?code=a system/Patient.r");
    assert!(Caller::operator_within("explain", "").unwrap().grant().scopes.is_empty());
    assert!(Caller::operator_within("explain", "system/Patient.rs nonsense").is_err());
    assert_eq!(Caller::operator("explain").kind(), CallerKind::Operator);
}

#[test]
fn roles_and_confirmations_are_read_as_they_are_written() {
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
    assert_eq!(Role::parse("Patient"), None);
    for confirmation in [Confirmation::Certificate([7; 32]), Confirmation::Key([255; 32])] {
        let (name, value) = confirmation.member();
        assert_eq!(Confirmation::from_member(name, &value), Some(confirmation));
        assert_eq!(Confirmation::from_member("x5t", &value), None);
        assert_eq!(Confirmation::from_member(name, &value[1..]), None);
    }
}

/// A page acts for the person who is signed in, with no more than it says (rows A20, B41).
#[test]
fn a_page_has_the_scopes_that_it_names() {
    let user = User {
        id: "u".into(),
        name: "U".into(),
        role: Role::Clinician,
        fhir_user: Some("Practitioner/u".into()),
        patients: Arc::new([]),
    };
    let page = Caller::at_page(Arc::new(user.clone()), "user/Patient.rs").unwrap();
    assert_eq!((page.kind(), page.user().map(|user| user.as_ref())), (CallerKind::Person, Some(&user)));
    assert_eq!((page.grant().scopes.len(), page.grant().launch.as_ref()), (1, &LaunchContext::default()));
    assert!(Caller::at_page(Arc::new(user), "user/Patient.rs nonsense").is_err());
}
