//! Purposes of use: their forms, and which lies below which. Rows D27, F48.

use super::*;

fn purpose(text: &str) -> Purpose {
    Purpose::parse(text).expect(text)
}

#[test]
fn d27_three_forms_of_a_code_are_one() {
    for text in
        ["SYSDEV", "urn:oid:2.16.840.1.113883.5.8#SYSDEV", "http://terminology.hl7.org/CodeSystem/v3-ActReason#SYSDEV"]
    {
        assert_eq!(purpose(text).code(), "SYSDEV");
    }
    assert_eq!(purpose("TREAT").to_urn(), "urn:oid:2.16.840.1.113883.5.8#TREAT");
}

#[test]
fn d27_what_is_no_purpose() {
    for text in [
        "",
        "#TREAT",
        "treat",
        " TREAT",
        "PurposeOfUse",
        "NOSUCH",
        "urn:oid:2.16.840.1.113883.5.8",
        "urn:oid:2.16.840.1.113883.5.8#",
        "urn:oid:2.16.840.1.113883.5.80#TREAT",
        "https://terminology.hl7.org/CodeSystem/v3-ActReason#TREAT",
        "http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT",
    ] {
        assert_eq!(Purpose::parse(text), None, "{text}");
    }
}

#[test]
fn f48_kinds_of_payment_and_treatment() {
    for text in ["HPAYMT", "CLMATTCH", "COVERAGE", "ELIGVER", "REMITADV"] {
        assert!(purpose(text).is_payment() && !purpose(text).is_treatment(), "{text}");
    }
    for text in ["TREAT", "COC", "ETREAT", "ERTREAT", "POPHLTH"] {
        assert!(purpose(text).is_treatment() && !purpose(text).is_payment(), "{text}");
    }
    for text in ["SYSDEV", "HTEST", "HOPERAT", "HMARKT", "PATRQT", "HRESCH", "CAREMGT"] {
        assert!(!purpose(text).is_treatment() && !purpose(text).is_payment(), "{text}");
    }
    assert!(purpose("HTEST").is_a(purpose("HOPERAT")));
    assert!(!purpose("HOPERAT").is_a(purpose("HTEST")));
}

#[test]
fn each_code_stands_once_and_leads_to_the_top() {
    for (at, (code, above)) in HIERARCHY.iter().enumerate() {
        assert!(HIERARCHY.iter().skip(at + 1).all(|(other, _)| other != code), "{code} twice");
        // What is above stands before: so no code is its own ancestor.
        assert!(above.is_empty() || HIERARCHY[..at].iter().any(|(known, _)| known == above), "{code}");
    }
}

#[test]
fn f48_what_one_may_say_is_what_lies_within_what_one_may_act_for() {
    let within = |asked: &str, permitted: &[&str]| {
        purpose(asked).is_within(&permitted.iter().map(|text| purpose(text)).collect::<Vec<_>>())
    };
    assert!(within("TREAT", &["TREAT"]) && within("COC", &["TREAT"]) && within("COC", &["HPAYMT", "TREAT"]));
    assert!(!within("TREAT", &["COC"]) && !within("HPAYMT", &["TREAT"]) && !within("TREAT", &[]));
    assert!(within("FAMRQT", &["PATRQT"]) && !within("PATRQT", &["FAMRQT"]));
    // F49: an emergency is nobody's to claim who was not given it, and breaking the glass is nobody's at all.
    assert!(!within("ETREAT", &["TREAT"]) && !within("ERTREAT", &["TREAT"]));
    assert!(within("ETREAT", &["ETREAT"]) && within("ERTREAT", &["TREAT", "ETREAT"]));
    for permitted in ["TREAT", "ETREAT", "BTG"] {
        assert!(!within("BTG", &[permitted]), "{permitted}");
    }
}
