//! What value sets of the compiled-in packages hold.

use fhir::schema::{self, Definitions};
use terminology::{Coding, Membership, Terminology, Unknown};

const STATUS: &str = "http://hl7.org/fhir/ValueSet/observation-status";
const PFE: &str = "http://hl7.org/fhir/us/pacio-pfe/ValueSet/";
const LOINC: &str = "http://loinc.org";
const SNOMED: &str = "http://snomed.info/sct";
const ICF: &str = "http://hl7.org/fhir/sid/icf";

#[test]
fn a_code_is_in_is_not_in_or_cannot_be_checked() {
    let terminology = Terminology::builtin();
    assert_eq!(terminology.validate_code(STATUS, Coding::code("final")), Membership::In);
    let system = "http://hl7.org/fhir/observation-status";
    assert_eq!(terminology.validate_code(STATUS, Coding::of(system, "final")), Membership::In);
    assert_eq!(terminology.validate_code(STATUS, Coding::of("http://example.org", "final")), Membership::NotIn);
    assert_eq!(terminology.validate_code(STATUS, Coding::code("Final")), Membership::NotIn);
    let unknown = terminology.validate_code("http://example.org/ValueSet/none", Coding::code("a"));
    assert_eq!(unknown, Membership::Unknown(Unknown::ValueSet("http://example.org/ValueSet/none")));
    let set = terminology.value_set(STATUS, "").expect("observation-status is compiled in");
    assert_eq!(terminology.holds(&set, Coding::code("final")), Membership::In);
}

#[test]
fn what_the_tables_enumerate_is_held_and_nothing_else() {
    let terminology = Terminology::builtin();
    let mut enumerated = 0;
    for set in Definitions::builtin().value_sets() {
        let canonical = format!("{}|{}", set.url, set.version);
        let Some(codes) = schema::r4().value_set_codes(&canonical) else { continue };
        enumerated += 1;
        for (system, code) in codes {
            let held = terminology.validate_code(&canonical, Coding::of(system, code));
            assert_eq!(held, Membership::In, "{canonical} {system}#{code}");
            let wrong = format!("{code}-not");
            let held = terminology.validate_code(&canonical, Coding::of(system, &wrong));
            assert_ne!(held, Membership::In, "{canonical} {system}#{wrong}");
        }
    }
    assert!(enumerated > 250, "{enumerated}");
}

#[test]
fn pfe_domain_categories_work_without_icf() {
    let terminology = Terminology::builtin();
    let set = format!("{PFE}pfe-category-vs");
    // The guide's examples use these.
    for code in ["b", "b1", "b2", "d4", "d5", "s3", "e1"] {
        assert_eq!(terminology.validate_code(&set, Coding::of(ICF, code)), Membership::In, "{code}");
    }
    // The guide's pages write this; it is no ICF code.
    for code in ["mental_functions", "b9", "d10"] {
        assert_eq!(terminology.validate_code(&set, Coding::of(ICF, code)), Membership::NotIn, "{code}");
    }
    let below = terminology.validate_code(&set, Coding::of(ICF, "d450"));
    assert_eq!(below, Membership::Unknown(Unknown::Part(ICF)), "needs the classification");
    assert_eq!(terminology.validate_code(&set, Coding::of(LOINC, "b1")), Membership::NotIn);
}

#[test]
fn pfe_loinc_domains_work_without_loinc() {
    let terminology = Terminology::builtin();
    let holds = |set: &str, code: &str| {
        terminology.validate_code(&format!("{PFE}{set}"), Coding::of(LOINC, code)) == Membership::In
    };
    assert!(holds("pfe-mental-functions-vs", "52731-7") && holds("pfe-panel-vs", "52491-8"));
    assert!(holds("pfe-self-care-vs", "10158-4") && holds("pfe-mobility-vs", "10158-4"), "one code, two domains");
    assert!(holds("pfe-body-structures-vs", "3137-7") && holds("pfe-voice-and-speech-vs", "54600-2"));
    assert!(!holds("pfe-mobility-vs", "52731-7") && !holds("pfe-body-structures-vs", "54600-2"));
    let survey = format!("{PFE}pfe-survey-category-vs");
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    // The set names version 1.0.1 of the system, the packages have another: a list does not depend on it.
    assert_eq!(terminology.validate_code(&survey, Coding::of(category, "survey")), Membership::In);
    assert_eq!(terminology.validate_code(&survey, Coding::of(category, "laboratory")), Membership::NotIn);
}

#[test]
fn a_system_that_is_not_loaded_is_never_wrong() {
    let terminology = Terminology::builtin();
    let conditions = "http://hl7.org/fhir/us/core/ValueSet/us-core-condition-code";
    let held = terminology.validate_code(conditions, Coding::of(SNOMED, "38341003"));
    assert_eq!(held, Membership::Unknown(Unknown::System(SNOMED)));
    // A system that the set does not name is wrong all the same.
    assert_eq!(terminology.validate_code(conditions, Coding::of("http://example.org", "x")), Membership::NotIn);
    for set in ["http://loinc.org/vs/LL4309-2", "http://loinc.org/vs"] {
        let held = terminology.validate_code(set, Coding::of(LOINC, "LA11539-6"));
        assert_eq!(held, Membership::Unknown(Unknown::System(LOINC)), "{set}");
        assert_eq!(terminology.validate_code(set, Coding::of(SNOMED, "1")), Membership::NotIn, "{set}");
    }
    let held = terminology.validate_code("http://snomed.info/sct?fhir_vs=ecl/<404684003", Coding::of(SNOMED, "1"));
    assert!(matches!(held, Membership::Unknown(Unknown::Unsupported(_))), "{held:?}");
    assert_eq!(
        terminology.validate_code("http://snomed.info/sct?fhir_vs=isa/404684003", Coding::of(SNOMED, "1")),
        Membership::Unknown(Unknown::System(SNOMED))
    );
}

#[test]
fn codes_by_rule() {
    let terminology = Terminology::builtin();
    let mime = "http://hl7.org/fhir/ValueSet/mimetypes";
    assert_eq!(terminology.validate_code(mime, Coding::code("application/fhir+json")), Membership::In);
    assert_eq!(terminology.validate_code(mime, Coding::code("pdf")), Membership::NotIn);
    let simple = "http://hl7.org/fhir/us/core/ValueSet/simple-language";
    assert_eq!(terminology.validate_code(simple, Coding::of("urn:ietf:bcp:47", "en-US")), Membership::In);
    assert_eq!(terminology.validate_code(simple, Coding::of("urn:ietf:bcp:47", "zh-Hant")), Membership::NotIn);
}

#[test]
fn hierarchy_and_versions_of_packages() {
    let terminology = Terminology::builtin();
    let v3 = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    let class = "http://hl7.org/fhir/us/pacio-rt/ValueSet/timepoint-class-vs";
    // From v3-ActEncounterCode by `is-a`, and from the guide's own system.
    assert_eq!(terminology.validate_code(class, Coding::of(v3, "HH")), Membership::In);
    assert_eq!(terminology.validate_code(class, Coding::of(v3, "ABUSE")), Membership::NotIn);
    let own = "http://hl7.org/fhir/us/pacio-rt/CodeSystem/timepoint-class-cs";
    assert_eq!(terminology.validate_code(class, Coding::of(own, "SNF")), Membership::In);
    assert_eq!(terminology.validate_code(class, Coding::of(own, "snf")), Membership::NotIn);
}
