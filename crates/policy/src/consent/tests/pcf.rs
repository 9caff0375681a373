//! Cases with the meaning of IHE PCF's examples (row G11). The facility's default is PCF's `deny`, as where a Consent
//! must be signed before anything is shared.

use super::*;

/// Treatment, payment, operations.
const TPO: &[&str] = &["TREAT", "HPAYMT", "HOPERAT"];

fn under(root: &str) -> Vec<String> {
    vec![consent(&all_of(&[uri("http://example.org/policies/base"), provision(root)]))]
}

fn tpo(members: &[String]) -> Vec<String> {
    let members: Vec<String> = std::iter::once(purposes(TPO)).chain(members.iter().cloned()).collect();
    under(&permit(&all_of(&members)))
}

fn check(case: &str, consents: &[String], expected: &[(Who, &str)]) {
    let room = Room::new(Implicit::Deny);
    for (at, (who, seen)) in expected.iter().enumerate() {
        assert_eq!(room.sees(*who, consents), *seen, "{case}, caller {at}");
    }
}

const IN_2022: &str = r#""dataPeriod":{"start":"2022-01","end":"2022-12"}"#;

#[test]
fn basic() {
    check("no Consent", &[], &[(BOB, ""), (PAYER, ""), (ANN, "")]);
    let treat = tpo(&[]);
    check("treat", &treat, &[(BOB, ALL), (PAYER, ALL), (RESEARCH, ""), (ANN, ""), (CAROL_BREAKS, ALL)]);
    // Signed with ink: the paper is a source, and changes nothing.
    let ink = consent(&all_of(&[
        uri("http://example.org/policies/base"),
        r#""sourceReference":{"reference":"DocumentReference/ink"}"#.to_owned(),
        provision(&permit(&purposes(TPO))),
    ]));
    check("ink", &[ink], &[(BOB, ALL), (RESEARCH, "")]);
    check("reject", &under(&deny(&purposes(TPO))), &[(BOB, ""), (PAYER, ""), (RESEARCH, "")]);
    let expired = tpo(&[r#""period":{"end":"2022-12-31"}"#.to_owned()]);
    check("expired", &expired, &[(BOB, ""), (PAYER, "")]);
    let until = tpo(&[r#""period":{"end":"2024-06-15"}"#.to_owned()]);
    check("its last day", &until, &[(BOB, ALL)]);
    // Somebody's parent signs: who signed changes nothing.
    let signed = consent(&all_of(&[
        r#""performer":[{"reference":"RelatedPerson/ann"}]"#.to_owned(),
        provision(&permit(&purposes(TPO))),
    ]));
    check("of a mother", &[signed], &[(BOB, ALL), (ANN, "")]);
    check("research", &under(&permit(&purposes(&["HRESCH"]))), &[(BOB, ""), (RESEARCH, ALL)]);
}

#[test]
fn intermediate_time() {
    let only = tpo(&[IN_2022.to_owned()]);
    // The Patient is of all times.
    check("timeframe", &only, &[(BOB, "jack stay weight alcohol"), (PAYER, "jack stay weight alcohol"), (ANN, "")]);
    let not = tpo(&[below(&[deny(IN_2022)])]);
    check("not timeframe", &not, &[(BOB, "jack lab mood violence"), (RESEARCH, "")]);
}

#[test]
fn intermediate_data() {
    let only = tpo(&[data("instance", &["Observation/weight", "Encounter/stay"])]);
    check("data", &only, &[(BOB, "stay weight"), (RESEARCH, "")]);
    let not = tpo(&[below(&[deny(&data("instance", &["Observation/alcohol"]))])]);
    check("not data", &not, &[(BOB, "jack stay weight lab mood violence")]);
}

#[test]
fn intermediate_author() {
    let only = tpo(&[data("authoredby", &["Practitioner/alice"])]);
    check("authored by", &only, &[(BOB, "weight"), (ALICE, "weight")]);
    let not = tpo(&[below(&[deny(&data("authoredby", &["Practitioner/alice"]))])]);
    check("not authored by", &not, &[(BOB, "jack stay lab alcohol mood violence")]);
}

#[test]
fn intermediate_encounter() {
    let only = tpo(&[data("related", &["Encounter/stay"])]);
    check("encounter", &only, &[(BOB, "stay weight")]);
    let not = tpo(&[below(&[deny(&data("related", &["Encounter/stay"]))])]);
    check("not encounter", &not, &[(BOB, "jack lab alcohol mood violence")]);
}

#[test]
fn intermediate_purpose() {
    let also_trials = tpo(&[below(&[permit(&purposes(&["CLINTRCH"]))])]);
    // An exception stays within the purposes of what it is an exception to.
    check("purpose below", &also_trials, &[(BOB, ALL), (RESEARCH, "")]);
    let trials = under(&permit(&purposes(&["TREAT", "HPAYMT", "HOPERAT", "CLINTRCH"])));
    check("purpose", &trials, &[(BOB, ALL), (RESEARCH, ALL)]);
    let emergencies = [permit(&all_of(&[actors(&["Group/glass"]), purposes(&["BTG"])]))];
    let dissent = consent(&all_of(&[
        uri("https://profiles.ihe.net/ITI/PCF/Policy-break-glass-only"),
        provision(&deny(&below(&emergencies))),
    ]));
    check(
        "dissent but for a broken glass",
        &[dissent],
        &[(BOB, ""), (CAROL, ""), (CAROL_BREAKS, ALL), (BOB_BREAKS, ""), (PAYER, "")],
    );
}

#[test]
fn advanced() {
    let normal = tpo(&[level("N")]);
    check("normal", &normal, &[(BOB, NORMAL), (PAYER, NORMAL), (RESEARCH, "")]);
    let not_restricted = tpo(&[level("N"), below(&[deny(&level("R"))])]);
    check("normal, not restricted", &not_restricted, &[(BOB, NORMAL)]);
    let both = tpo(&[codings("securityLabel", CONFIDENTIALITY, &["N", "R"])]);
    check("normal and restricted", &both, &[(BOB, ALL), (RESEARCH, "")]);
    let focused = |members: &[String]| tpo(&[level("N"), below(&[permit(&all_of(members))])]);
    let restricted = focused(&[actors(&["Practitioner/alice"]), level("R")]);
    check("restricted to one", &restricted, &[(ALICE, ALL), (BOB, NORMAL)]);
    let psychiatry = focused(&[actors(&["Practitioner/alice"]), labels(&["PSY"])]);
    check("psychiatry to one", &psychiatry, &[(ALICE, "jack stay weight lab mood"), (BOB, NORMAL)]);
    let either = focused(&[actors(&["Practitioner/alice"]), labels(&["PSY", "SDV"])]);
    check("psychiatry or violence to one", &either, &[(ALICE, "jack stay weight lab mood violence"), (BOB, NORMAL)]);
    let glass = focused(&[actors(&["Group/glass"]), level("R"), purposes(&["BTG"])]);
    check(
        "restricted behind glass",
        &glass,
        &[(CAROL_BREAKS, ALL), (CAROL, NORMAL), (BOB_BREAKS, NORMAL), (BOB, NORMAL)],
    );
}

/// PCF's four implicit policies, without any Consent (row G3).
#[test]
fn implicit_policies() {
    for (default, bob, payer, ann, carol) in [
        (Implicit::AllNormal, ALL, ALL, ALL, ALL),
        (Implicit::BasicNormal, ALL, "", "", ALL),
        (Implicit::BreakGlassOnly, "", "", "", ALL),
        (Implicit::Deny, "", "", "", ""),
    ] {
        let room = Room::new(default);
        let seen = [BOB, PAYER, ANN, CAROL_BREAKS].map(|who| room.sees(who, &[]));
        assert_eq!(seen, [bob, payer, ann, carol], "{default:?}");
    }
}

/// A Consent that names one of them and says no type means what it says (row G2).
#[test]
fn a_consent_that_names_a_policy() {
    for (policy, bob, payer, carol) in [
        ("all-normal", ALL, ALL, ALL),
        ("basic-normal", ALL, "", ALL),
        ("break-glass-only", "", "", ALL),
        ("deny", "", "", ""),
    ] {
        let room = Room::new(Implicit::AllNormal);
        let consents = [consent(&uri(&format!("https://profiles.ihe.net/ITI/PCF/Policy-{policy}")))];
        let seen = [BOB, PAYER, CAROL_BREAKS].map(|who| room.sees(who, &consents));
        assert_eq!(seen, [bob, payer, carol], "{policy}");
    }
}
