//! The committed matrix is what policy says, and leaves nothing out.

use super::*;

#[test]
fn the_committed_matrix_is_fresh() {
    run(true).unwrap();
}

#[test]
fn every_interaction_has_its_column() {
    let patient = ResourceType::parse("Patient").unwrap();
    let listed =
        type_interactions(patient).unwrap().map(|(_, one)| one).into_iter().chain(system_interactions().unwrap());
    let mut seen: Vec<&str> = listed
        .map(|one| match one {
            // A new interaction does not compile here until it has a column above.
            Interaction::Capabilities => "capabilities",
            Interaction::Read(..) => "read",
            Interaction::Vread(..) => "vread",
            Interaction::HistoryInstance(..) => "history-instance",
            Interaction::Create(_) => "create",
            Interaction::ConditionalCreate(_) => "conditional-create",
            Interaction::Update(..) => "update",
            Interaction::Patch(..) => "patch",
            Interaction::Delete(..) => "delete",
            Interaction::SearchType(_) => "search-type",
            Interaction::SearchCompartment(..) => "search-compartment",
            Interaction::Batch => "batch",
            Interaction::Transaction => "transaction",
            Interaction::Validate(..) => "$validate",
            Interaction::Terminology(..) => "terminology",
            Interaction::VerifySignature(..) => "$verify-signature",
            Interaction::ExplainAccess(..) => "$explain-access",
            Interaction::AccessReport(_) => "access-report",
            Interaction::Relabel(..) => "$meta",
            Interaction::KAnonymity(_) => "$k-anonymity",
            Interaction::Rules(_) => "$policy",
        })
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 21);
}

#[test]
fn every_scenario_has_its_test() {
    let folder = crate::repository().join("crates/handrail/tests/it/scenarios");
    let texts: String =
        fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert_eq!(SCENARIOS.len(), texts.matches("async fn scenario_").count());
    for (.., test) in SCENARIOS {
        assert!(texts.contains(&format!("async fn {test}(")), "{test}");
    }
}

#[test]
fn every_form_of_scope_has_its_section() {
    let all: Vec<Scope> = GRANTS.iter().flat_map(|(_, scopes)| parse_list(scopes)).map(|(_, s)| s.unwrap()).collect();
    for context in ["system/", "user/", "patient/"] {
        assert!(all.iter().any(|scope| scope.text.starts_with(context)), "{context}");
    }
    for suffix in [".c", ".r", ".u", ".d", ".s", ".cruds", ".rs", ".read", ".write", ".*"] {
        assert!(all.iter().any(|scope| scope.text.ends_with(suffix)), "{suffix}");
    }
    assert!(all.iter().any(|scope| !scope.query.is_empty() && scope.resource_type.is_none()));
    assert!(all.iter().any(|scope| !scope.query.is_empty() && scope.resource_type.is_some()));
}

/// Rows B31, B34, B35, B42, B44, F22, read off the matrix by hand.
#[test]
fn known_answers() {
    let ask = |scopes: &str, kind: &str, column: &str| {
        let caller = caller(scopes).unwrap();
        let grants = Arc::new(Grants::compile(&caller, search::registry(), &House::default()));
        let columns = type_interactions(ResourceType::parse(kind).unwrap()).unwrap();
        let (_, interaction) = columns.into_iter().find(|(head, _)| *head == column).unwrap();
        answer(&caller, &grants, &interaction)
    };
    for (scopes, kind, column, word) in [
        ("", "Patient", "read", "-"),
        ("system/*.rs", "Patient", "read", "yes"),
        ("system/*.rs", "Patient", "create", "-"),
        ("system/*.c", "Patient", "conditional-create", "-"),
        ("system/*.cruds", "AuditEvent", "search-type", "yes"),
        ("system/*.c", "Patient", "$validate", "yes"),
        ("system/*.d", "Patient", "$validate", "-"),
        ("system/*.s", "ValueSet", "terminology", "-"),
        ("system/Observation.rs?category=survey", "Observation", "$validate", "some"),
        ("system/*.cruds", "AuditEvent", "delete", "-"),
        ("system/Observation.rs", "Patient", "read", "-"),
        ("system/Observation.r", "Observation", "search-type", "-"),
        ("system/Observation.rs?category=survey", "Observation", "vread", "some"),
        ("system/Observation.rs?category=survey", "Observation", "search-compartment", "some"),
        ("system/Observation.rs?category=survey system/Observation.r", "Observation", "read", "yes"),
        ("system/Observation.rs?no-such-parameter=1", "Observation", "read", "-"),
        ("user/*.cruds", "Patient", "read", "-"),
        ("patient/*.cruds", "Patient", "read", "-"),
    ] {
        assert_eq!(ask(scopes, kind, column), word, "{scopes} {kind} {column}");
    }
}
