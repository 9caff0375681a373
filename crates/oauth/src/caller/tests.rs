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
