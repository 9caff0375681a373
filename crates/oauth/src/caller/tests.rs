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
