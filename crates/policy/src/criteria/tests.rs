//! Granular scopes through the real search.

use crate::{Access, Grants, House, Need};
use fhir::ResourceType;
use oauth::{
    Caller,
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Grant, Standing},
    scope::parse_list,
};
use std::sync::Arc;

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

fn grants(scope_text: &str) -> Grants {
    let grant = Grant {
        client_id: "client".into(),
        client_name: "Client".into(),
        scopes: parse_list(scope_text).map(|(_, scope)| scope.unwrap()).collect(),
        scope_text: scope_text.into(),
        issued_at_s: 0,
        expires_at_s: 1,
        token_name: "0".into(),
        user: None,
        launch: Arc::default(),
        confirmation: None,
        family: None,
        acting: None,
        standing: Standing::Ordinary,
        purposes: Arc::default(),
    };
    let caller: Caller = authenticate(&Presented::header(Some("Bearer token")), &One(Arc::new(grant)), 0).unwrap();
    Grants::compile(&caller, search::registry(), &House::default())
}

fn observation() -> ResourceType {
    ResourceType::parse("Observation").unwrap()
}

/// B35: the scope's criteria are the search's own predicate.
#[test]
fn a_granular_scope_is_the_search_it_names() {
    let survey = "http://terminology.hl7.org/CodeSystem/observation-category|survey";
    let pairs = [("category".to_owned(), survey.to_owned())];
    let expected = search::query::compile_criteria(search::registry(), observation(), &pairs).unwrap();
    let grants = grants(&format!("system/Observation.rs?category={survey}"));
    assert_eq!(grants.access(observation(), Need::Read), &Access::Where(Arc::new(expected)));
    assert_eq!(grants.access(observation(), Need::Create), &Access::Nothing);
    assert!(grants.unusable().is_empty());
}

/// B36: the misprinted system of US Core means the right one.
#[test]
fn the_misprinted_system_means_the_right_one() {
    let with = |system: &str| grants(&format!("system/Observation.rs?category={system}|social-history"));
    let right = with("http://terminology.hl7.org/CodeSystem/observation-category");
    let misprint = with("http://terminology.hl7.org//CodeSystem-observation-category");
    assert!(matches!(right.access(observation(), Need::Search), Access::Where(_)));
    assert_eq!(right.access(observation(), Need::Search), misprint.access(observation(), Need::Search));
}

/// B33 with B35: on every type that has the parameter, and on no other.
#[test]
fn a_granular_wildcard_grants_where_the_parameter_exists() {
    let grants = grants("system/*.rs?category=survey");
    assert!(matches!(grants.access(observation(), Need::Read), Access::Where(_)));
    assert_eq!(grants.access(ResourceType::parse("Encounter").unwrap(), Need::Read), &Access::Nothing);
}

/// Joins and everything that is not a criterion grant nothing, and are reported.
#[test]
fn what_is_no_criterion_grants_nothing() {
    for query in [
        "patient.name=x",
        "_has:Provenance:target:agent=x",
        "_include=Observation:subject",
        "_sort=date",
        "_count=1",
        "_total=accurate",
        "_elements=id",
        "no-such=1",
    ] {
        let grants = grants(&format!("system/Observation.rs?{query}"));
        for need in crate::grants::NEEDS {
            assert_eq!(grants.access(observation(), need), &Access::Nothing, "{query}");
        }
        assert_eq!(grants.unusable().len(), 1, "{query}");
    }
}

struct Alone;

impl search::matcher::Related for Alone {
    fn target_matches(&self, _: ResourceType, _: &fhir::LogicalId, _: &Arc<search::Predicate>) -> bool {
        false
    }

    fn referred_to(
        &self,
        _: (ResourceType, &fhir::LogicalId),
        _: (ResourceType, search::ParameterId),
        _: &search::Predicate,
    ) -> bool {
        false
    }

    fn now(&self) -> fhir::Instant {
        fhir::Instant::from_unix_millis(0)
    }

    fn rule(&self, _: &Arc<dyn search::predicate::Ruling>, _: &fhir::LogicalId) -> Arc<search::Predicate> {
        Arc::new(search::Predicate::Nothing)
    }
}

fn granted(grants: &Grants, json: &str) -> bool {
    let tree = fhir::json::Tree::parse(json.as_bytes().to_vec()).unwrap();
    let element = fhir::element::Element::resource(&tree, fhir::schema::r4()).unwrap();
    let values = search::extract::extract(search::registry(), element, "https://handrail.test/fhir");
    let subject = search::matcher::Subject {
        resource_type: observation(),
        id: &fhir::LogicalId::parse("o").unwrap(),
        last_updated: fhir::Instant::from_unix_millis(0),
        values: &values,
    };
    match grants.access(observation(), Need::Read) {
        Access::Nothing => false,
        Access::Everything => true,
        Access::Where(predicate) => search::matcher::matches(search::registry(), predicate, subject, &Alone),
    }
}

/// B34, B35, B38: a resource with the category is granted even when it has others; another is not;
/// repeated parameters must both hold, comma is either, scopes are a union.
#[test]
fn granular_scopes_grant_whole_resources() {
    let with = |categories: &[&str], code: &str| {
        let categories: Vec<String> = categories
            .iter()
            .map(|one| format!(r#"{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"{one}"}}]}}"#))
            .collect();
        format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","category":[{}],"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}}}}"#,
            categories.join(",")
        )
    };
    let (survey, vital, both) =
        (with(&["survey"], "52491-8"), with(&["vital-signs"], "8480-6"), with(&["survey", "exam"], "83233-7"));
    let rows = [
        ("system/Observation.rs?category=survey", [true, false, true]),
        ("system/Observation.rs?category=survey&category=exam", [false, false, true]),
        ("system/Observation.rs?category=vital-signs,exam", [false, true, true]),
        ("system/Observation.rs?category=survey&code=http://loinc.org|52491-8", [true, false, false]),
        ("system/Observation.rs?category=exam system/Observation.r?code=8480-6", [false, true, true]),
        ("system/Observation.rs?category=survey system/Observation.rs", [true, true, true]),
        ("system/Observation.s?category=survey", [false, false, false]),
    ];
    for (scope_text, expected) in rows {
        let grants = grants(scope_text);
        assert_eq!([&survey, &vital, &both].map(|json| granted(&grants, json)), expected, "{scope_text}");
    }
}
