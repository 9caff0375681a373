//! What counts, and what happens to what cannot be understood (rows G1, G2, G5).

use super::*;

fn sees(default: Implicit, consents: &[String]) -> String {
    Room::new(default).sees(BOB, consents)
}

fn root(members: &str) -> String {
    consent(&provision(members))
}

#[test]
fn only_what_is_active_and_about_privacy_counts() {
    let out = consent(&rule("OPTOUT"));
    assert_eq!(sees(Implicit::AllNormal, std::slice::from_ref(&out)), "");
    for status in ["draft", "proposed", "rejected", "inactive", "entered-in-error"] {
        let other = out.replace(r#""active""#, &format!("{status:?}"));
        assert_eq!(sees(Implicit::AllNormal, &[other]), ALL, "{status}");
    }
    for scope in ["research", "treatment", "adr"] {
        assert_eq!(sees(Implicit::AllNormal, &[out.replace("patient-privacy", scope)]), ALL, "{scope}");
    }
    // A scope that nobody knows may be about privacy: its denials count, its permits do not.
    let unknown = |text: &str| text.replace("CodeSystem/consentscope", "CodeSystem/other");
    assert_eq!(sees(Implicit::AllNormal, &[unknown(&out)]), "");
    assert_eq!(sees(Implicit::AllNormal, &[out.replace("patient-privacy", "patient-privacy-2")]), "");
    assert_eq!(sees(Implicit::Deny, &[unknown(&root(&permit("")))]), "");
    assert_eq!(sees(Implicit::AllNormal, &[unknown(&root(&permit(&level("L"))))]), ALL, "takes no default's place");
}

#[test]
fn nobody_verified_it() {
    let verified =
        |yes: bool| consent(&all_of(&[format!(r#""verification":[{{"verified":{yes}}}]"#), provision(&permit(""))]));
    assert_eq!(sees(Implicit::Deny, &[verified(true)]), ALL);
    assert_eq!(sees(Implicit::Deny, &[verified(false)]), "");
    let refused = verified(false).replace("permit", "deny");
    assert_eq!(sees(Implicit::AllNormal, &[refused]), "", "a denial needs no proof");
}

#[test]
fn what_cannot_be_understood_fails_safe() {
    let unreadable = [
        r#""actor":[{"role":{"text":"doctor"},"reference":{"display":"my doctor"}}]"#,
        r#""actor":[{"role":{},"reference":{"reference":"https://elsewhere.example/Practitioner/bob"}}]"#,
        r##""actor":[{"role":{},"reference":{"reference":"#inside"}}]"##,
        r#""actor":[]"#,
        r#""action":[{"text":"look"}]"#,
        r#""action":[{"coding":[{"system":"urn:x","code":"access"}]}]"#,
        r#""purpose":[{"system":"urn:x","code":"TREAT"}]"#,
        r#""purpose":[{"code":"TREAT"}]"#,
        r#""purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"NOSUCH"}]"#,
        r#""class":[{"system":"http://hl7.org/fhir/resource-types","code":"NoSuchType"}]"#,
        r#""code":[{"text":"what I said in March"}]"#,
        r#""securityLabel":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"Q"}]"#,
        r#""dataPeriod":{"start":"2023","end":"2022"}"#,
        r#""dataPeriod":{}"#,
        r#""period":{"start":"soon"}"#,
        r#""data":[{"meaning":"instance","reference":{"display":"that one"}}]"#,
        r#""data":[{"meaning":"other","reference":{"reference":"Observation/lab"}}]"#,
        r#""modifierExtension":[{"url":"urn:x","valueBoolean":true}]"#,
    ];
    for element in unreadable {
        assert_eq!(sees(Implicit::AllNormal, &[root(&deny(element))]), "", "a denial holds: {element}");
        assert_eq!(sees(Implicit::Deny, &[root(&permit(element))]), "", "a permit gives nothing: {element}");
        let within = root(&permit(&below(&[deny(element)])));
        assert_eq!(sees(Implicit::Deny, &[within]), "", "a denial below holds: {element}");
        let within = root(&deny(&below(&[permit(element)])));
        assert_eq!(sees(Implicit::AllNormal, &[within]), "", "a permit below gives nothing: {element}");
    }
    for text in ["", "{", "[]", r#"{"resourceType":"Consent","status":"active"}"#] {
        let seen = sees(Implicit::AllNormal, &[text.to_owned()]);
        assert_eq!(seen, if text.len() > 2 { ALL } else { "" }, "{text}");
    }
}

#[test]
fn a_type_below_must_be_there() {
    assert_eq!(sees(Implicit::Deny, &[root(&permit(&below(&["{}".to_owned()])))]), "");
    assert_eq!(sees(Implicit::Deny, &[root(&permit(&below(&[r#"{"type":"perhaps"}"#.to_owned()])))]), "");
}

#[test]
fn the_root_says_its_type_or_its_policy_does() {
    // Row G2: the type first, then policies, then categories, then the default.
    let typed = consent(&all_of(&[rule("OPTOUT"), provision(&permit(""))]));
    assert_eq!(sees(Implicit::Deny, &[typed]), ALL);
    let by_category = consent("").replace("59284-0", "OPTOUT").replace("http://loinc.org", ACT_CODE);
    assert_eq!(sees(Implicit::AllNormal, std::slice::from_ref(&by_category)), "");
    let policy_first = by_category.replacen('{', &format!("{{{},", rule("OPTIN")), 1);
    assert_eq!(sees(Implicit::Deny, &[policy_first]), ALL);
    let says_nothing = root(&format!("{{{}}}", below(&[deny(&level("R"))])));
    assert_eq!(sees(Implicit::AllNormal, std::slice::from_ref(&says_nothing)), NORMAL);
    assert_eq!(sees(Implicit::Deny, &[says_nothing]), "");
    let both = consent(&all_of(&[rule("OPTIN"), uri("https://profiles.ihe.net/ITI/PCF/Policy-deny")]));
    assert_eq!(sees(Implicit::AllNormal, &[both]), "", "the strictest of several");
}

#[test]
fn depth_has_its_limit() {
    let deep = |levels: usize| (0..levels).fold(permit(""), |inner, _| permit(&below(&[inner])));
    assert_eq!(sees(Implicit::Deny, &[root(&deep(8))]), ALL);
    assert_eq!(sees(Implicit::Deny, &[root(&deep(9))]), "");
    let wide: Vec<String> = (0..600).map(|_| permit("")).collect();
    assert_eq!(sees(Implicit::AllNormal, &[root(&permit(&below(&wide)))]), "");
    let many: Vec<String> = (0..300).map(|_| root(&permit(""))).collect();
    assert_eq!(sees(Implicit::AllNormal, &many), "");
}

/// A predicate that would cost too much for each candidate is none: nothing is left.
#[test]
fn a_rule_has_a_size() {
    let codes: Vec<String> =
        (0..200).map(|at| format!(r#"{{"coding":[{{"system":"http://loinc.org","code":"{at}"}}]}}"#)).collect();
    let codes = format!(r#""code":[{}]"#, codes.join(","));
    assert_eq!(sees(Implicit::AllNormal, &[root(&deny(&codes))]), ALL, "this much is usual");
    let deep = (0..8).fold(deny(&codes), |inner, _| {
        deny(&all_of(&[codes.clone(), below(&[permit(&all_of(&[codes.clone(), below(&[inner])]))])]))
    });
    let seen = sees(Implicit::AllNormal, &[root(&deep)]);
    assert!(seen.is_empty(), "{seen}");
}

/// What costs everybody who asks for anything of the patient has a limit, in one Consent and in all of them.
#[test]
fn too_many_codes_deny() {
    let codes = |count: usize| {
        let one = |at| format!(r#"{{"system":"urn:x","code":"{at}"}}"#);
        let codings: Vec<String> = (0..count).map(one).collect();
        root(&permit(&below(&[deny(&format!(r#""code":[{{"coding":[{}]}}]"#, codings.join(",")))])))
    };
    let said = |consents: &[String]| read(consents).directives.iter().map(|one| one.root.items()).sum::<usize>();
    let half = crate::consent::limits::ITEMS_MAX / 2;
    assert_eq!(said(&[codes(half), codes(half)]), 2 * half);
    let too_many = [codes(half), codes(half), codes(1)];
    assert_eq!(said(&too_many), 0, "nothing of it is evaluated");
    assert_eq!(sees(Implicit::AllNormal, &too_many), "");
}
