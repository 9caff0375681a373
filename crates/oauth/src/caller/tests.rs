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
        glasses: Arc::default(),
        may_break_glass: false,
    };
    let page = Caller::at_page(Arc::new(user.clone()), "user/Patient.rs").unwrap();
    assert_eq!((page.kind(), page.user().map(|user| user.as_ref())), (CallerKind::Person, Some(&user)));
    assert_eq!((page.grant().scopes.len(), page.grant().launch.as_ref()), (1, &LaunchContext::default()));
    assert!(Caller::at_page(Arc::new(user), "user/Patient.rs nonsense").is_err());
    assert!(page.is_at_page());
    let mut of_token = person(Role::Patient, &[]);
    (of_token.client_id, of_token.token_name) = ("page".into(), "0123456789abcdef".into());
    assert!(!caller(of_token).is_at_page() && !Caller::operator("x").is_at_page());
    let clinic = Caller::foreseen_organization("Organization/clinic", &purposes(&["TREAT"]));
    assert!(!clinic.is_at_page() && clinic.acting().is_some_and(|acting| acting.organization.is_some()));
    assert_eq!((codes(&clinic), clinic.grant().scopes[0].text.as_ref()), (vec!["TREAT"], "system/*.rs"));
}

fn codes(caller: &Caller) -> Vec<&'static str> {
    caller.purposes().iter().map(|purpose| purpose.code()).collect()
}

fn purposes(codes: &[&str]) -> Vec<Purpose> {
    codes.iter().map(|code| Purpose::parse(code).unwrap()).collect()
}

fn person(role: Role, glasses: &[(&str, i64)]) -> Grant {
    let glass = |(patient, until_s): &(&str, i64)| Glass {
        id: format!("case-{patient}").into(),
        patient: (*patient).into(),
        until_s: *until_s,
    };
    let user = User {
        id: "u".into(),
        name: "U".into(),
        role,
        fhir_user: None,
        patients: Arc::new([]),
        glasses: glasses.iter().map(glass).collect(),
        may_break_glass: false,
    };
    system(&[], Some(user), None)
}

fn system(registered: &[&str], user: Option<User>, asserted: Option<&[&str]>) -> Grant {
    let acting = asserted.map(|asserted| {
        let b2b = B2b::read(&serde_json::json!({
            "version": "1", "organization_id": "https://payer.example",
            "purpose_of_use": asserted.iter().map(|code| format!("urn:oid:2.16.840.1.113883.5.8#{code}")).collect::<Vec<_>>(),
        }));
        let (community, uri) = ("urn:c".into(), "https://payer.example".into());
        Arc::new(Acting { community, uri, b2b: b2b.unwrap(), organization: None })
    });
    let operator = Caller::operator_within("a test", "system/*.rs").unwrap();
    Grant { purposes: purposes(registered).into(), user: user.map(Arc::new), acting, ..Grant::clone(operator.grant()) }
}

fn caller(grant: Grant) -> Caller {
    let kind = if grant.user.is_some() { CallerKind::Person } else { CallerKind::System };
    Caller::of(Arc::new(grant), kind, 1_000)
}

#[test]
fn f48_purposes_by_role_register_and_assertion() {
    for (role, code) in [
        (Role::Patient, "PATRQT"),
        (Role::Caregiver, "FAMRQT"),
        (Role::Clinician, "TREAT"),
        (Role::PrivacyOfficer, "HCOMPL"),
        (Role::Administrator, "HSYSADMIN"),
    ] {
        assert_eq!(codes(&caller(person(role, &[]))), [code]);
    }
    assert_eq!(codes(&caller(system(&[], None, None))), ["TREAT"]);
    assert_eq!(codes(&caller(system(&["HPAYMT", "HRESCH"], None, None))), ["HPAYMT", "HRESCH"]);
    assert_eq!(codes(&Caller::operator("a command")), ["HSYSADMIN"]);
    assert_eq!(codes(&caller(system(&["HRESCH"], None, Some(&["HPAYMT"])))), ["HPAYMT"], "what it asserts counts");
    // F49: an organization breaks no glass.
    assert_eq!(codes(&caller(system(&[], None, Some(&["BTG", "HPAYMT"])))), ["TREAT", "HPAYMT"]);
    let page = Caller::at_page(Arc::clone(caller(person(Role::Patient, &[])).user().unwrap()), "user/Patient.r");
    assert_eq!(codes(&page.unwrap()), ["PATRQT"]);
}

#[test]
fn f48_a_request_narrows_and_never_widens() {
    let payer = || caller(system(&["HPAYMT", "HRESCH"], None, None));
    assert_eq!(codes(&payer().for_purposes(&purposes(&["CLMATTCH", "CLMATTCH"])).unwrap()), ["CLMATTCH"]);
    let narrowed = payer().for_purposes(&purposes(&["HPAYMT"])).unwrap();
    assert_eq!(narrowed.clone().for_purposes(&purposes(&["HRESCH"])).unwrap_err(), NotPermitted, "not back again");
    assert!(payer().for_purposes(&purposes(&["HPAYMT", "TREAT"])).is_err());
    assert!(payer().for_purposes(&[]).is_err());
    let clinician = || caller(person(Role::Clinician, &[("p", 2_000)]));
    assert_eq!(codes(&clinician().for_purposes(&purposes(&["COC"])).unwrap()), ["COC"]);
    for code in ["ETREAT", "BTG", "HPAYMT", "PATRQT"] {
        assert!(clinician().for_purposes(&purposes(&[code])).is_err(), "{code}");
    }
}

#[test]
fn f49_glasses_count_until_they_end() {
    let ids = |caller: &Caller| caller.glasses().iter().map(|glass| glass.patient.to_string()).collect::<Vec<_>>();
    let two = caller(person(Role::Clinician, &[("p", 1_001), ("q", 1_000)]));
    assert_eq!(ids(&two), ["p"], "q's has ended at this second");
    assert!(!two.is_break_glass());
    assert_eq!(codes(&two), ["TREAT"], "the purpose of what has nothing to do with p");
    let marked = two.clone().breaking_glass().unwrap();
    assert_eq!((codes(&marked), marked.is_break_glass(), ids(&marked)), (vec!["BTG"], true, vec!["p".to_owned()]));
    let none = caller(person(Role::Clinician, &[("q", 999)]));
    assert_eq!(none.breaking_glass().unwrap_err(), NotPermitted);
    // A page of ours has no part in it.
    let page = Caller::at_page(Arc::clone(two.user().unwrap()), "user/Patient.r").unwrap();
    assert!(page.glasses().is_empty() && page.user().unwrap().glasses.is_empty());
}
