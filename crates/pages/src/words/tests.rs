//! What scopes are called, where they stand, and what a person's answer lets through.

use super::*;

/// Resource types that the guides and US Core name (rows B35, B37; PACIO PFE and RT).
const NAMED: [&str; 38] = [
    "AllergyIntolerance",
    "CarePlan",
    "CareTeam",
    "ClinicalImpression",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DeviceRequest",
    "DeviceUseStatement",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "Goal",
    "Immunization",
    "ImmunizationRecommendation",
    "Location",
    "Media",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "NutritionOrder",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RiskAssessment",
    "ServiceRequest",
    "Specimen",
    "AuditEvent",
    "Composition",
];

/// The granular ones of US Core 8 and PACIO PFE, and the misprint of row B36.
const GRANULAR: [(&str, &str); 17] = [
    ("Condition", "http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern"),
    ("Condition", "http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis"),
    ("Condition", "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"),
    ("Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh"),
    ("Observation", "http://terminology.hl7.org//CodeSystem-observation-category|social-history"),
    ("Observation", "http://terminology.hl7.org/CodeSystem/observation-category|social-history"),
    ("Observation", "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"),
    ("Observation", "http://terminology.hl7.org/CodeSystem/observation-category|survey"),
    ("Observation", "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"),
    ("Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|functional-status"),
    ("Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|cognitive-status"),
    ("Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|treatment-intervention-preference"),
    ("Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|care-experience-preference"),
    ("Observation", "vital-signs"),
    ("DocumentReference", "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note"),
    ("ServiceRequest", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh"),
    ("DiagnosticReport", "http://loinc.org|LP29684-5"),
];

fn scope(context: Context, name: &str, letters: &str, category: &str) -> Scope {
    let query = if category.is_empty() { Vec::new() } else { vec![("category".to_owned(), category.to_owned())] };
    let exact = format!("{context:?}/{name}.{letters}?{category}");
    Scope::resources(&exact, context, (name != "*").then_some(name), letters, &query)
}

fn ask(context: Context, name: &str, letters: &str) -> Ask {
    Ask { scope: scope(context, name, letters, ""), on: None }
}

fn english(scope: &Scope) -> Words {
    of(scope, Language::English)
}

#[test]
fn b37_every_type_that_the_guides_name_has_words_of_its_own() {
    for name in NAMED {
        for language in Language::ALL {
            let words = of(&scope(Context::Patient, name, "rs", ""), language);
            assert_ne!(words.group, Group::Other, "{name}");
            assert!(!words.words.contains(name), "{name}: {}", words.words);
        }
    }
}

#[test]
fn b35_b36_every_granular_scope_has_words_of_its_own() {
    let whole = |name: &str| english(&scope(Context::Patient, name, "rs", "")).words;
    let mut seen = Vec::new();
    for (name, category) in GRANULAR {
        let words = english(&scope(Context::Patient, name, "rs", category));
        assert!(!words.words.starts_with("a part of") && words.words != whole(name), "{category}");
        seen.push(words.words);
    }
    assert_eq!(seen[4], seen[5], "the misprinted system means the same");
}

#[test]
fn others_are_called_by_their_name_and_a_part_is_called_a_part() {
    let other = english(&scope(Context::Patient, "ImplementationGuide", "rs", ""));
    assert_eq!((other.words.as_str(), other.group), ("records of the kind “ImplementationGuide”", Group::Other));
    assert!(other.is_private, "what we cannot explain is off at first");
    let part = |name: &str, category: &str| english(&scope(Context::Patient, name, "rs", category)).words;
    assert_eq!(part("Condition", "http://acme.example|x"), "a part of: health problems");
    assert_eq!(part("Observation", "http://acme.example|survey"), "a part of: measurements and findings of every kind");
    assert_eq!(
        part("Observation", "laboratory,vital-signs"),
        "lab results and blood pressure, weight and other vital signs"
    );
    let query = [("code".to_owned(), "http://loinc.org|8310-5".to_owned())];
    let coded = Scope::resources("x", Context::Patient, Some("Observation"), "rs", &query);
    assert_eq!(english(&coded).words, "a part of: measurements and findings of every kind");
    let strange = english(&Scope::special("smart/<b>\u{202e}x"));
    assert_eq!(strange.words, "something called “smart/<b>x” that we have no words for");
    assert!(strange.is_private);
}

#[test]
fn what_is_private_is_private_alone_and_in_company() {
    let private = |name: &str, category: &str| english(&scope(Context::Patient, name, "rs", category)).is_private;
    for (name, category) in [
        ("DocumentReference", ""),
        ("MolecularSequence", ""),
        ("*", ""),
        ("Observation", "sdoh"),
        ("Observation", "survey,sdoh"),
    ] {
        assert!(private(name, category), "{name} {category}");
    }
    for (name, category) in [("Patient", ""), ("Observation", "survey"), ("MedicationRequest", "")] {
        assert!(!private(name, category), "{name} {category}");
    }
}

#[test]
fn letters_are_told_as_verbs() {
    let letters = |letters: &str| {
        let words = english(&scope(Context::Patient, "Goal", letters, ""));
        (words.letters, words.writes)
    };
    assert_eq!(letters("rs"), ("see".to_owned(), false));
    assert_eq!(letters("s"), ("see".to_owned(), false));
    assert_eq!(letters("c"), ("add".to_owned(), true));
    assert_eq!(letters("cruds"), ("see, add, change and delete".to_owned(), true));
    assert_eq!(of(&scope(Context::Patient, "Goal", "cru", ""), Language::Spanish).letters, "ver, agregar y cambiar");
}

#[test]
fn b27_private_writing_and_wide_ones_stand_apart_and_are_off() {
    let asks = [
        ask(Context::Patient, "DocumentReference", "rs"),
        ask(Context::Patient, "Goal", "cruds"),
        ask(Context::User, "Encounter", "rs"),
        ask(Context::Patient, "Patient", "rs"),
        ask(Context::Patient, "MedicationRequest", "rs"),
        ask(Context::Patient, "Immunization", "rs"),
        ask(Context::Patient, "*", "rs"),
    ];
    let arranged = arrange(&asks, UserReach::Records, texts::of(Language::English));
    let parts: Vec<(Part, usize)> = arranged.iter().map(|(part, rows)| (*part, rows.len())).collect();
    assert_eq!(parts, [(Part::Plain, 2), (Part::Private, 2), (Part::Change, 1), (Part::Wide, 1)]);
    for (part, rows) in &arranged {
        for (ask, _) in rows.iter().flat_map(|row| &row.items) {
            assert_eq!(ask.is_on(*part), *part == Part::Plain, "{}", ask.scope.exact());
        }
    }
    let alone = arrange(&asks, UserReach::OneRecord, texts::of(Language::English));
    assert!(alone.iter().all(|(part, _)| *part != Part::Wide), "user/ of who has one record reaches no other");
}

#[test]
fn b27_a_whole_type_beside_its_parts_is_more_than_they_and_off() {
    let part = |category: &str| Ask { scope: scope(Context::Patient, "Observation", "rs", category), on: None };
    let asks =
        [ask(Context::Patient, "Observation", "rs"), part("laboratory"), part("vital-signs"), part("social-history")];
    let arranged = arrange(&asks, UserReach::OneRecord, texts::of(Language::English));
    let of_part = |wanted: Part| -> Vec<String> {
        let rows = arranged.iter().filter(|(part, _)| *part == wanted).flat_map(|(_, rows)| rows);
        rows.flat_map(|row| row.items.iter().map(|(_, words)| words.words.clone())).collect()
    };
    assert_eq!(of_part(Part::Plain), ["lab results", "blood pressure, weight and other vital signs"]);
    let whole = "measurements and findings of every kind: all there are, also private ones";
    assert_eq!(of_part(Part::Private), ["smoking, drinking and way of life", whole]);
    let alone = [ask(Context::Patient, "Observation", "rs"), part("")];
    let arranged = arrange(&alone, UserReach::OneRecord, texts::of(Language::English));
    assert_eq!(arranged.len(), 1, "without parts it is one of the usual");
}

#[test]
fn b27_a_scope_counts_when_its_switch_and_its_groups_are_on() {
    let asks = [
        ask(Context::Patient, "Patient", "rs"),
        ask(Context::Patient, "MedicationRequest", "rs"),
        ask(Context::Patient, "Immunization", "rs"),
        ask(Context::Patient, "DocumentReference", "rs"),
    ];
    let all: Vec<&str> = asks.iter().map(|ask| ask.scope.exact()).collect();
    let names = |groups: &[&str], scopes: &[&str]| -> Vec<String> {
        let chosen = chosen(&asks, UserReach::OneRecord, groups, scopes);
        chosen.iter().map(|ask| ask.scope.exact().split(['/', '.']).nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["medicines"], &all), ["Patient", "MedicationRequest", "Immunization", "DocumentReference"]);
    assert_eq!(names(&[], &all), ["Patient", "DocumentReference"], "a group that is off takes all its scopes with it");
    assert_eq!(names(&["medicines"], &all[..2]), ["Patient", "MedicationRequest"], "one of a group");
    assert!(names(&["medicines", "identity"], &[]).is_empty(), "a group alone gives nothing");
    assert!(
        names(&["medicines"], &["patient/Claim.rs", "Patient/*.cruds?"]).is_empty(),
        "nothing that was not asked for"
    );
}
