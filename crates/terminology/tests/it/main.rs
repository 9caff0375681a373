//! Black-box tests of the crate over the compiled-in packages.

use terminology::{Coding, Membership, Terminology};

const STATUS: &str = "http://hl7.org/fhir/ValueSet/observation-status";

#[test]
fn a_code_is_in_is_not_in_or_cannot_be_checked() {
    let terminology = Terminology::builtin();
    assert_eq!(terminology.validate_code(STATUS, Coding::code("final")), Membership::In);
    assert_eq!(
        terminology.validate_code(STATUS, Coding::of("http://hl7.org/fhir/observation-status", "final")),
        Membership::In
    );
    assert_eq!(terminology.validate_code(STATUS, Coding::of("http://example.org", "final")), Membership::NotIn);
    assert_eq!(terminology.validate_code(STATUS, Coding::code("Final")), Membership::NotIn);
    let domains = "http://hl7.org/fhir/us/pacio-pfe/ValueSet/pfe-category-vs";
    let one = terminology.validate_code(domains, Coding::of("http://hl7.org/fhir/sid/icf", "b1"));
    assert!(matches!(one, Membership::Unknown(_)), "ICF is not in the packages: {one:?}");
    let set = terminology.value_set(STATUS, "").expect("observation-status is compiled in");
    assert_eq!(terminology.holds(&set, Coding::code("final")), Membership::In);
}
