//! Tests of `account`.

use super::*;

fn new(role: Role, fhir_user: Option<&str>, patients: &[&str]) -> Result<Account, AccountError> {
    NewAccount {
        login: "Ana".into(),
        name: "Ana Ruiz".into(),
        role,
        fhir_user: fhir_user.map(str::to_owned),
        patients: patients.iter().map(|id| (*id).to_owned()).collect(),
    }
    .check("0".repeat(32), Instant::from_unix_millis(0))
}

#[test]
fn a_user_name_has_one_form() {
    assert_eq!(login(" Ana.Ruiz@Example.org ").as_deref(), Some("ana.ruiz@example.org"));
    assert_eq!(login("Pen\u{303}a"), login("PE\u{d1}A"));
    for wrong in ["", "a", "a b", "a\nb", "a/b", "<b>", &"a".repeat(201)] {
        assert_eq!(login(wrong), None, "{wrong}");
    }
}

/// Row B25: who somebody is says which patients they may be bound to.
#[test]
fn roles_are_bound_to_what_they_are() {
    use Role as R;
    for (role, fhir_user, patients, fits) in [
        (R::Patient, Some("Patient/p1"), &["p1"][..], true),
        (R::Patient, Some("Patient/p1"), &["p2"], false),
        (R::Patient, Some("Patient/p1"), &["p1", "p2"], false),
        (R::Patient, Some("Patient/p1"), &[], false),
        (R::Patient, Some("Practitioner/p1"), &["p1"], false),
        (R::Patient, None, &["p1"], false),
        (R::Caregiver, Some("RelatedPerson/r1"), &["p1", "p2"], true),
        (R::Caregiver, Some("RelatedPerson/r1"), &[], true),
        (R::Caregiver, Some("Person/r1"), &[], true),
        (R::Caregiver, Some("Practitioner/r1"), &[], false),
        (R::Caregiver, None, &["p1"], false),
        (R::Caregiver, Some("Patient/p1"), &["p1"], false),
        (R::Clinician, Some("Practitioner/d1"), &[], true),
        (R::Clinician, Some("PractitionerRole/d1"), &[], true),
        (R::Clinician, None, &[], false),
        (R::Clinician, Some("Practitioner/d1"), &["p1"], false),
        (R::PrivacyOfficer, None, &[], true),
        (R::Administrator, Some("Practitioner/d1"), &[], true),
        (R::Administrator, Some("Patient/p1"), &[], false),
        (R::Administrator, None, &["p1"], false),
        (R::Clinician, Some("Practitioner/../d1"), &[], false),
        (R::Clinician, Some("Practitioner"), &[], false),
        (R::Caregiver, Some("RelatedPerson/r1"), &["p 1"], false),
    ] {
        assert_eq!(new(role, fhir_user, patients).is_ok(), fits, "{role:?} {fhir_user:?} {patients:?}");
    }
}

#[test]
fn staff_need_two_factors() {
    assert!(!new(Role::Patient, Some("Patient/p1"), &["p1"]).unwrap().needs_two_factors());
    assert!(new(Role::Clinician, Some("Practitioner/d1"), &[]).unwrap().needs_two_factors());
    assert!(new(Role::Administrator, None, &[]).unwrap().needs_two_factors());
}
