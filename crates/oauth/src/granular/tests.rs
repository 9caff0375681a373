//! Finer scopes. Rows B27, B32, B35 to B37.

use super::{CATEGORIES, RESOURCE_TYPES, parts};
use crate::scope::Scope;

fn texts(scope: &str) -> Vec<String> {
    parts(&Scope::parse(scope).unwrap()).iter().map(|part| part.text.to_string()).collect()
}

/// Row B35: the eight that US Core demands, in every context and with the letters that were asked for.
#[test]
fn whole_types_are_offered_in_parts() {
    assert_eq!(
        texts("patient/Condition.rs"),
        [
            "patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
            "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
            "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
        ]
    );
    let observation = texts("user/Observation.r");
    assert_eq!(observation.len(), 5);
    assert!(observation.iter().all(|text| text.starts_with("user/Observation.r?category=http://")));
    for code in ["|sdoh", "|social-history", "|laboratory", "|survey", "|vital-signs"] {
        assert!(observation.iter().any(|text| text.ends_with(code)), "{code}");
    }
    // Row B36: the misprint is never emitted.
    assert!(!observation.iter().any(|text| text.contains(".org//")));
}

/// Rows B27, B32: v1, what is granular already, wildcards, and types without categories stay as they are.
#[test]
fn others_stay_whole() {
    for text in [
        "patient/Observation.read",
        "patient/Observation.*",
        "patient/Observation.rs?category=survey",
        "patient/*.rs",
        "patient/Patient.rs",
        "patient/DocumentReference.rs",
    ] {
        assert!(texts(text).is_empty(), "{text}");
    }
}

/// Row B37.
#[test]
fn the_lists() {
    assert!(RESOURCE_TYPES.is_sorted());
    assert!(CATEGORIES.iter().all(|category| RESOURCE_TYPES.contains(&category.resource_type)));
}
