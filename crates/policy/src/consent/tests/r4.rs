//! Cases with the meaning of R4's own examples (row G11), where the facility's default is `all-normal`. R4 writes no type
//! at the root: opt-in or opt-out stands in `policyRule`.

use super::*;

fn opt(code: &str, members: &[String]) -> Vec<String> {
    let root = format!("{{{}}}", all_of(members));
    vec![consent(&all_of(&[rule(code), provision(&root)]))]
}

fn check(case: &str, consents: &[String], expected: &[(Who, &str)]) {
    let room = Room::new(Implicit::AllNormal);
    for (at, (who, seen)) in expected.iter().enumerate() {
        assert_eq!(room.sees(*who, consents), *seen, "{case}, caller {at}");
    }
}

#[test]
fn out() {
    check("out", &[consent(&rule("OPTOUT"))], &[(BOB, ""), (PAYER, ""), (ANN, ""), (CAROL_BREAKS, "")]);
    check("in", &[consent(&rule("OPTIN"))], &[(BOB, ALL), (PAYER, ALL)]);
}

#[test]
fn emergency() {
    let only = consent(
        r#""category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentcategorycodes","code":"emrgonly"}]}]"#,
    )
    .replacen(r#""category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"#, "", 1);
    check("emergencies only", &[only], &[(BOB, ""), (CAROL_BREAKS, ALL), (PAYER, "")]);
    let but = opt("OPTOUT", &[below(&[permit(&purposes(&["ETREAT"]))])]);
    check("out, but for emergencies", &but, &[(BOB, ""), (CAROL_BREAKS, ALL)]);
    let not = opt("OPTIN", &[below(&[deny(&purposes(&["ETREAT"]))])]);
    check("no emergencies", &not, &[(BOB, ALL), (CAROL_BREAKS, "")]);
}

#[test]
fn not_labs() {
    let by_code = r#""code":[{"coding":[{"system":"http://loinc.org","code":"2345-7"}]}]"#.to_owned();
    check(
        "not this lab",
        &opt("OPTIN", &[below(&[deny(&by_code)])]),
        &[(BOB, "jack stay weight alcohol mood violence")],
    );
    let category = r#""code":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}]"#;
    let of_class = codings("class", "http://hl7.org/fhir/resource-types", &["Observation"]);
    let labs = deny(&all_of(&[of_class, category.to_owned()]));
    check("not labs", &opt("OPTIN", &[below(&[labs])]), &[(BOB, "jack stay weight alcohol mood violence")]);
    let nothing_observed = deny(&codings("class", "http://hl7.org/fhir/resource-types", &["Observation"]));
    check("no observations", &opt("OPTIN", &[below(&[nothing_observed])]), &[(BOB, "jack stay")]);
}

#[test]
fn not_org() {
    let not = opt("OPTIN", &[below(&[deny(&actors(&["Organization/clinic"]))])]);
    // Bob works on a ward of the clinic.
    check("not this organization", &not, &[(BOB, ""), (CLINIC, ""), (ALICE, ALL), (PAYER, ALL)]);
}

#[test]
fn not_them() {
    let not = opt("OPTIN", &[below(&[deny(&actors(&["Practitioner/bob", "Group/glass"]))])]);
    check("not these people", &not, &[(BOB, ""), (CAROL, ""), (ALICE, ALL), (PAYER, ALL)]);
}

#[test]
fn not_this() {
    let not = opt("OPTIN", &[below(&[deny(&data("related", &["Encounter/stay"]))])]);
    check("not this stay", &not, &[(BOB, "jack lab alcohol mood violence")]);
}

#[test]
fn not_time() {
    let not = opt("OPTIN", &[below(&[deny(r#""dataPeriod":{"start":"2022-01-01","end":"2022-12-31"}"#)])]);
    check("not of that time", &not, &[(BOB, "jack lab mood violence")]);
}

#[test]
fn not_author() {
    let not = opt("OPTIN", &[below(&[deny(&data("authoredby", &["Practitioner/bob"]))])]);
    check("not what one wrote", &not, &[(ALICE, "jack weight")]);
    // Who keeps the data is no recipient: what he may not disclose he discloses to nobody.
    let keeper = actors(&["Organization/clinic"]).replace("IRCP", "CST");
    let kept = opt("OPTIN", &[below(&[deny(&keeper)])]);
    check("not what one keeps", &kept, &[(BOB, ""), (PAYER, "")]);
}

#[test]
fn not_a_label() {
    let not = opt("OPTIN", &[below(&[deny(&labels(&["SUD"]))])]);
    check("not substances", &not, &[(BOB, "jack stay weight lab mood violence")]);
    // High-water mark: a denial of R is one of V as well, and of nothing below.
    check("nothing restricted", &opt("OPTIN", &[below(&[deny(&level("R"))])]), &[(BOB, NORMAL)]);
    check("nothing very restricted", &opt("OPTIN", &[below(&[deny(&level("V"))])]), &[(BOB, ALL)]);
}

#[test]
fn grantor_and_apps() {
    let one = opt("OPTOUT", &[below(&[permit(&all_of(&[actors(&["Practitioner/alice"]), purposes(&["TREAT"])]))])]);
    check("to one alone", &one, &[(ALICE, ALL), (BOB, ""), (PAYER, "")]);
    let disclose =
        r#""action":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentaction","code":"disclose"}]}]"#;
    check("within the house", &opt("OPTIN", &[below(&[deny(disclose)])]), &[(BOB, ALL), (PAYER, ""), (ANN, "")]);
    let correct = disclose.replace("disclose", "correct");
    check("no corrections", &opt("OPTIN", &[below(&[deny(&correct)])]), &[(BOB, ALL), (PAYER, ALL)]);
}

/// Three levels, as a patient's own record keeps them: nothing; but for the clinic; but not psychiatry; but for Bob.
#[test]
fn levels() {
    let psychiatry = deny(&all_of(&[labels(&["PSY"]), below(&[permit(&actors(&["Practitioner/bob"]))])]));
    let clinic = permit(&all_of(&[actors(&["Organization/clinic", "Practitioner/alice"]), below(&[psychiatry])]));
    let kept = opt("OPTOUT", &[below(&[clinic])]);
    let but_mood = "jack stay weight lab alcohol violence";
    check("levels", &kept, &[(BOB, ALL), (ALICE, but_mood), (CLINIC, but_mood), (PAYER, "")]);
}
