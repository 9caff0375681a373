//! What a clearance says and passes.

use super::*;
use crate::label::{CONFIDENTIALITY, OBSERVATION_VALUE};

fn clearance(text: &str) -> Clearance {
    Clearance::parse(&text.split(' ').collect::<Vec<_>>()).unwrap()
}

fn passes(text: &str, system: &str, code: &str) -> bool {
    clearance(text).labels(&[], &["TREAT"], false).contains(&(system, code))
}

/// F40, F41: the order of confidentiality, and matching codes with what is below them.
#[test]
fn passes_what_it_names() {
    assert!(passes("R none", CONFIDENTIALITY, "R") && passes("R none", CONFIDENTIALITY, "L"));
    assert!(!passes("R all", CONFIDENTIALITY, "V"));
    assert!(!passes("N none", CONFIDENTIALITY, "R"));
    assert!(passes("N SUD", ACT_CODE, "OPIOIDUD") && !passes("N SUD", ACT_CODE, "PSY"));
    assert!(passes("N all", ACT_CODE, "HRCOMPT") && !passes("N all -HRCOMPT", ACT_CODE, "HRCOMPT"));
    assert!(!passes("N all -SPI", ACT_CODE, "PSY") && passes("N all,-SPI", ACT_CODE, "HIV"));
    // Integrity, obligations and refrains restrict nobody by themselves.
    for (system, code) in [(OBSERVATION_VALUE, "PATAST"), (ACT_CODE, "DELAU"), (ACT_CODE, "NOREUSE")] {
        assert!(passes("N", system, code), "{code}");
    }
    // A purpose's label passes for who comes for it.
    assert!(passes("N", ACT_REASON, "TREAT") && !passes("N", ACT_REASON, "HPAYMT"));
    assert!(!passes("N", ACT_REASON, "BTG"), "treatment is not breaking the glass");
}

#[test]
fn refrains_and_test_data_bind() {
    let bound = |text: &str| clearance(text).labels(&["NOPAT"], &["PATRQT"], true);
    assert!(!bound("V all").contains(&(ACT_CODE, "NOPAT")));
    assert!(bound("V all NOPAT").contains(&(ACT_CODE, "NOPAT")));
    assert!(!bound("V all").contains(&(ACT_REASON, "HTEST")));
    assert!(bound("V all test-data").contains(&(ACT_REASON, "HTEST")));
}

#[test]
fn both_and_either() {
    let (one, other) = (clearance("R PSY,HIV"), clearance("N HIV,SDV"));
    assert_eq!(one.and(&other), clearance("N HIV"));
    assert_eq!(one.or(&other), clearance("R PSY,HIV,SDV"));
    assert_eq!(clearance("everything").and(&one), one);
}

#[test]
fn what_is_no_clearance_says_why() {
    for words in [&[][..], &["X"], &["R", "PSYCH"], &["R", "DELAU"], &["everything", "all"], &["all"]] {
        assert!(Clearance::parse(words).is_err(), "{words:?}");
    }
}
