//! The tables hold what the standards name.

use super::*;

/// F40: the order, and that each code is one of the code system's.
#[test]
fn confidentiality_has_its_order() {
    let codes: String = Confidentiality::ALL.iter().map(|level| level.code()).collect();
    assert_eq!(codes, "ULMNRV");
    assert!(Confidentiality::Normal < Confidentiality::Restricted);
    let system = Definitions::builtin().code_system(CONFIDENTIALITY).unwrap();
    assert!(Confidentiality::ALL.iter().all(|level| system.concept(level.code()).is_some()));
    // Codes that the code system retired are none of ours.
    assert_eq!(class(CONFIDENTIALITY, "PSY"), None);
}

/// F41: the hierarchies come from the tables.
#[test]
fn hierarchies_are_those_of_the_code_systems() {
    for code in ["PSY", "ETH", "HIV", "SDV", "SUD", "OPIOIDUD", "CEL", "HRCOMPT", "42CFRPart2"] {
        assert!(class(ACT_CODE, code).is_some(), "{code}");
    }
    assert_eq!(class(ACT_CODE, "NOREUSE"), Some(Class::Refrain));
    assert_eq!(class(ACT_CODE, "DELAU"), Some(Class::Obligation));
    assert_eq!(class(ACT_CODE, PROCESS_INLINE), Some(Class::Obligation));
    assert_eq!(class(ACT_REASON, "HTEST"), Some(Class::Purpose));
    assert_eq!(class(OBSERVATION_VALUE, "REDACTED"), Some(Class::Informative));
    // Of the same systems, and no labels.
    for code in ["AMB", "OPTIN", "_InformationSensitivityPolicy"] {
        assert_eq!(class(ACT_CODE, code), None, "{code}");
    }
    assert!(with_below(ACT_CODE, "SPI").is_superset(&BTreeSet::from(["SPI", "PSY", "SUD", "OPIOIDUD", "COGN"])));
    assert_eq!(with_below(ACT_CODE, "HIV"), BTreeSet::from(["HIV"]));
    assert_eq!(with_above(ACT_REASON, "BTG"), ["BTG", "ETREAT", "TREAT"]);
}

/// What is unrecognised has no class: no system, another system, another case.
#[test]
fn what_is_unknown_has_no_class() {
    assert_eq!(class("", "R"), None);
    assert_eq!(class("http://example.org", "R"), None);
    assert_eq!(class(CONFIDENTIALITY, "r"), None);
}
