//! Queries as clients write them: what they mean, and what is refused with which words.

use super::{Context, Direction, Handling, Query, SortKey, Total, compile_condition, compile_criteria, parse};
use crate::{
    Predicate, extract, limits,
    matcher::{Alone, Subject, matches},
    predicate::{ReferenceTest, Test},
    registry::registry,
};
use fhir::{
    Instant, LogicalId, ResourceType,
    element::Element,
    issue::{Issue, IssueType},
    json::Tree,
    schema,
};
use proptest::prelude::*;

const BASE: &str = "https://here.example/fhir";
/// 2024-01-01T00:00:00Z.
const NOW: Instant = Instant::from_unix_millis(1_704_067_200_000);

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

fn context(handling: Handling) -> Context<'static> {
    Context { handling, base_url: BASE, now: NOW, compartment: None }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

fn strict(of: &str, query: &str) -> Result<Query, Vec<Issue>> {
    parse(registry(), kind(of), &pairs(query), &context(Handling::Strict))
}

fn ok(of: &str, query: &str) -> Query {
    strict(of, query).unwrap_or_else(|issues| panic!("{of}?{query}: {issues:?}"))
}

fn refused(of: &str, query: &str) -> Vec<(IssueType, Option<String>)> {
    match strict(of, query) {
        Ok(query) => panic!("accepted as {query:?}"),
        Err(issues) => issues.into_iter().map(|issue| (issue.code, issue.expression)).collect(),
    }
}

fn finds(of: &str, query: &str, json: &str) -> bool {
    let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
    let resource = Element::resource(&tree, schema::r4()).unwrap();
    let values = extract(registry(), resource, BASE);
    let id = LogicalId::parse("1").unwrap();
    let subject = Subject { resource_type: kind(of), id: &id, last_updated: NOW, values: &values };
    matches(registry(), &ok(of, query).predicate, subject, &Alone)
}

const PATIENT: &str = r#"{"resourceType":"Patient","active":true,"gender":"male","birthDate":"1974-12-25",
    "identifier":[{"system":"urn:oid:1.2.36","value":"12345"}],
    "name":[{"family":"Chalmers","given":["Peter","James"]},{"family":"D'Été, Sr"}],
    "address":[{"city":"PleasantVille"}],"generalPractitioner":[{"reference":"Practitioner/7"}],
    "meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0"],
            "security":[{"system":"http://l","code":"R"}]}}"#;

#[test]
fn searches_of_patients() {
    for query in [
        "",
        "family=chal",
        "family:exact=Chalmers",
        "family:contains=MERS",
        "name=peter james chal",
        "family=dete",
        r"family:exact=D'Été\, Sr",
        "identifier=12345",
        "identifier=urn:oid:1.2.36|12345",
        "identifier=urn:oid:1.2.36|",
        "gender=male",
        "gender=female,male",
        "gender:not=female",
        "gender=http://hl7.org/fhir/administrative-gender|male",
        "birthdate=1974",
        "birthdate=ge1974-12-25",
        "birthdate=gt1974-12-24&birthdate=lt1974-12-26",
        "birthdate=ap1975",
        "deceased=false",
        "death-date:missing=true",
        "birthdate:missing=false",
        "general-practitioner=7",
        "general-practitioner=Practitioner/7",
        "general-practitioner:Practitioner=7",
        "general-practitioner=https://here.example/fhir/Practitioner/7",
        "_id=1",
        "_id=0,1",
        "_lastUpdated=2024",
        "_lastUpdated=ge2023-12-31&_lastUpdated=lt2025",
        "_profile=http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient",
        "_profile:below=http://hl7.org/fhir/us/core",
        "_security=http://l|R",
        "active=true&gender=male&family=Chalmers&_sort=family&_count=5",
    ] {
        assert!(finds("Patient", query, PATIENT), "Patient?{query} finds him");
    }
    for query in [
        "family:exact=chalmers",
        "family=halmers",
        "identifier=|12345",
        "identifier=urn:oid:9|12345",
        "gender=female",
        "gender:not=male",
        "birthdate=ne1974",
        "birthdate=1974-12-24",
        "birthdate=sa1974-12-25",
        "birthdate:missing=true",
        "general-practitioner=8",
        "general-practitioner:Organization=7",
        "_id=2",
        "_id:not=1",
        "_lastUpdated=lt2024",
        "_profile=http://hl7.org/fhir/us/core",
        "active=true&gender=female",
    ] {
        assert!(!finds("Patient", query, PATIENT), "Patient?{query} does not find him");
    }
}

#[test]
fn searches_of_observations() {
    let pressure = r#"{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/1"},
        "code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure"}]},
        "effectiveDateTime":"2024-01-01T10:00:00+01:00","component":[
        {"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":150,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
        {"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":80,"system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}"#;
    for query in [
        "patient=1&code=http://loinc.org|85354-9&date=ge2024",
        "code:text=blood",
        "component-value-quantity=gt140|http://unitsofmeasure.org|mm[Hg]",
        "component-value-quantity=gt18|http://unitsofmeasure.org|kPa",
        "component-code-value-quantity=8480-6$gt140",
        "date=2024-01-01T09:00Z",
        "date=2024-01-01T10:00 01:00",
    ] {
        assert!(finds("Observation", query, pressure), "{query}");
    }
    for query in [
        "component-code-value-quantity=8462-4$gt140",
        "component-value-quantity=gt20|http://unitsofmeasure.org|kPa",
        "component-value-quantity=150|http://unitsofmeasure.org|mg",
        "value-quantity=150",
    ] {
        assert!(!finds("Observation", query, pressure), "{query}");
    }
}

/// R4: an unknown parameter is refused by name, or left out and said so.
/// Row F22: events lie in the log, where no index leads; a join with them says so instead of finding nothing.
#[test]
fn nothing_is_joined_with_audit_events() {
    for (of, query) in [
        ("AuditEvent", "patient.name=x"),
        ("AuditEvent", "_has:Provenance:target:_id=1"),
        ("AuditEvent", "_include=AuditEvent:patient"),
        ("AuditEvent", "_revinclude=Provenance:target"),
        ("Patient", "_has:AuditEvent:patient:outcome=0"),
        ("Patient", "_revinclude=AuditEvent:patient"),
        ("Provenance", "target:AuditEvent.action=R"),
        ("Provenance", "_include=Provenance:target:AuditEvent"),
    ] {
        let name = query.split_once('=').unwrap().0;
        assert_eq!(refused(of, query), [(IssueType::NotSupported, Some(name.to_owned()))], "{of}?{query}");
    }
}

#[test]
fn a_refusal_names_the_key_or_the_reference_it_is_about() {
    let said = |query: &str| strict("Observation", query).unwrap_err().remove(0).diagnostics.into_owned();
    assert_eq!(said("_sort=-date,colour"), "_sort: Observation cannot be sorted by colour");
    assert_eq!(said("_include=Observation:colour"), "_include: Observation has no reference parameter colour");
    assert!(said("date=banana").contains("prefixes"));
}

#[test]
fn unknown_parameters_are_refused_or_left_out_with_a_warning() {
    assert_eq!(refused("Patient", "colour=red"), [(IssueType::NotSupported, Some("colour".into()))]);
    for query in ["_text=x", "_filter=x", "_list=1", "_elements=id", "_summary=true", "_include=*", "_sort=colour"] {
        assert_eq!(refused("Patient", query)[0].0, IssueType::NotSupported, "{query}");
    }
    let lenient =
        parse(registry(), kind("Patient"), &pairs("colour=red&gender=male&_text=x"), &context(Handling::Lenient));
    let lenient = lenient.unwrap();
    assert_eq!(lenient.applied, "gender=male&_count=20");
    assert_eq!(lenient.warnings.len(), 2);
    assert!(lenient.warnings[0].diagnostics.starts_with("colour: "));
    let odd = strict("Patient", "<b>Jane Doe</b>=1").unwrap_err();
    assert!(!odd[0].diagnostics.contains("Jane"), "what is no parameter name is not repeated");
}

/// A wrong value is an error whatever the handling, and all errors come at once.
#[test]
fn wrong_values_are_always_errors() {
    for query in [
        "birthdate=1974-13",
        "birthdate=xx1974",
        "birthdate=yesterday",
        "gender=male,,female",
        "gender:missing=maybe",
        "gender:exact=male",
        "gender:of-type=a|b|c",
        "family:nonsense=x",
        "identifier=|",
        "identifier=a|b|c",
        "general-practitioner=a b",
        "general-practitioner:Patient=1",
        "general-practitioner=Practitioner?identifier=1",
        "_id=no_id",
        "_count=many",
        "_count=-1",
        "_count=1&_count=2",
        "_total=some",
        "_has:Observation:code:x=1",
        "_has:Observation=1",
        "_include=Patient",
        "_include=Observation:subject",
        "_revinclude=Encounter:subject:Group",
        "_include:iterate=Patient:general-practitioner",
    ] {
        for handling in [Handling::Strict, Handling::Lenient] {
            let found = parse(registry(), kind("Patient"), &pairs(query), &context(handling));
            let issues = found.err().unwrap_or_else(|| panic!("{query} is accepted when {handling:?}"));
            let name = query.split('=').next().unwrap();
            assert_eq!(issues[0].expression.as_deref(), Some(name), "{query}");
            let value = query.split_once('=').unwrap().1;
            assert!(value.len() < 4 || !issues[0].diagnostics.contains(value), "no value in the text: {query}");
        }
    }
    for query in
        ["value-quantity=5|mg", "value-quantity=x", "value-quantity=1e2000", "code-value-quantity=a", "value-quantity="]
    {
        assert_eq!(refused("Observation", query).len(), 1, "{query}");
    }
    assert_eq!(refused("Patient", "birthdate=x&colour=y&_count=z").len(), 3, "all at once");
}

/// Row F58.
#[test]
fn limits_hold() {
    let many = vec!["gender=male"; limits::PARAMETERS_MAX + 1].join("&");
    assert_eq!(refused("Patient", &many)[0].0, IssueType::TooCostly);
    let long = format!("family={}", "x".repeat(limits::VALUE_BYTES_MAX + 1));
    assert_eq!(refused("Patient", &long)[0].0, IssueType::TooCostly);
    let either = format!("gender={}", vec!["a"; limits::OR_VALUES_MAX + 1].join(","));
    assert_eq!(refused("Patient", &either)[0].0, IssueType::TooCostly);
    let keys = format!("_sort={}", ["family"; limits::SORT_KEYS_MAX + 1].join(","));
    assert_eq!(refused("Patient", &keys)[0].0, IssueType::TooCostly);
    let joins = ["general-practitioner:Practitioner.name=a"; limits::JOINS_MAX + 1].join("&");
    assert_eq!(refused("Patient", &joins)[0].0, IssueType::TooCostly);
    assert_eq!(refused("Observation", "subject:Patient.organization.name=x")[0].0, IssueType::NotSupported);
    assert_eq!(ok("Patient", "_count=1000000").count, limits::COUNT_MAX);
}

#[test]
fn pages_totals_and_order() {
    let plain = ok("Patient", "");
    assert_eq!((plain.count, plain.total, plain.predicate.as_ref()), (20, Total::WhenKnown, &Predicate::All));
    let counted = ok("Patient", "_summary=count");
    assert_eq!((counted.count, counted.total), (0, Total::Accurate));
    assert_eq!(ok("Patient", "_count=0").total, Total::Accurate);
    assert_eq!(ok("Patient", "_total=none").total, Total::None);
    let sorted = ok("Patient", "_sort=family,-birthdate,_id,-_lastUpdated").sort;
    assert!(matches!(
        sorted.as_slice(),
        [
            SortKey::Parameter(_, Direction::Ascending),
            SortKey::Parameter(_, Direction::Descending),
            SortKey::Id(Direction::Ascending),
            SortKey::LastUpdated(Direction::Descending)
        ]
    ));
}

#[test]
fn includes_name_type_parameter_and_target() {
    let query = ok(
        "Encounter",
        "_include=Encounter:subject&_include=Encounter:based-on:ClinicalImpression&_revinclude=Observation:encounter",
    );
    assert_eq!((query.includes.len(), query.revincludes.len()), (2, 1));
    assert_eq!(query.includes[1].target, Some(kind("ClinicalImpression")));
    assert_eq!(query.revincludes[0].source, kind("Observation"));
}

#[test]
fn the_self_link_says_what_was_applied() {
    let query = ok("Observation", "code=http://loinc.org|8480-6&_format=json&date=ge2024&_count=5&_sort=-date");
    assert_eq!(query.applied, "code=http://loinc.org%7C8480-6&date=ge2024&_sort=-date&_count=5");
    let odd = [("name".to_owned(), "a b&c=d+é".to_owned())];
    let query = parse(registry(), kind("Patient"), &odd, &context(Handling::Strict)).unwrap();
    assert_eq!(query.applied, "name=a%20b%26c%3Dd%2B%C3%A9&_count=20");
}

#[test]
fn ids_become_targets_where_the_type_is_known() {
    let test = |of: &str, query: &str| match ok(of, query).predicate.as_ref() {
        Predicate::Value { test: Test::Reference(test), .. } => test.clone(),
        other => panic!("{other:?}"),
    };
    let id = LogicalId::parse("1").unwrap();
    assert_eq!(test("Observation", "patient=1"), ReferenceTest::Target(kind("Patient"), id.clone()));
    assert_eq!(test("Observation", "subject=1"), ReferenceTest::AnyType(id.clone()));
    assert_eq!(test("Observation", "subject=Group/1"), ReferenceTest::Target(kind("Group"), id.clone()));
    assert_eq!(
        test("Observation", "subject=https://here.example/fhir/Group/1"),
        ReferenceTest::Target(kind("Group"), id)
    );
    let away = "https://there.example/Group/1";
    assert_eq!(test("Observation", &format!("subject={away}")), ReferenceTest::Url(away.into()));
}

#[test]
fn chains_are_tried_on_the_types_that_know_the_code() {
    let one = ok("Observation", "subject.family=x");
    let Predicate::Chain { target, .. } = one.predicate.as_ref() else { panic!("{one:?}") };
    assert_eq!(target.name(), "Patient", "of the subject types only Patient has family");
    let several = ok("Observation", "subject.identifier=x");
    let Predicate::Or(parts) = several.predicate.as_ref() else { panic!("{several:?}") };
    assert!(parts.len() > 1 && parts.iter().all(|part| matches!(part.as_ref(), Predicate::Chain { .. })));
    assert!(matches!(ok("Observation", "patient.name:exact=X").predicate.as_ref(), Predicate::Chain { .. }));
    assert!(matches!(ok("Observation", "patient._id=x").predicate.as_ref(), Predicate::Chain { .. }));
    let has = ok("Patient", "_has:Observation:patient:code=8480-6");
    let Predicate::Has { source, predicate, .. } = has.predicate.as_ref() else { panic!("{has:?}") };
    assert_eq!(source.name(), "Observation");
    assert!(matches!(predicate.as_ref(), Predicate::Value { .. }));
    assert_eq!(refused("Observation", "subject.colour=x")[0].0, IssueType::NotSupported);
    assert_eq!(refused("Observation", "code.name=x")[0].0, IssueType::Invalid);
}

#[test]
fn a_compartment_narrows_and_needs_a_type_that_can_be_in_it() {
    let patient = LogicalId::parse("p").unwrap();
    let within = Context { compartment: Some(patient.clone()), ..context(Handling::Strict) };
    let query = parse(registry(), kind("Observation"), &pairs("code=x"), &within).unwrap();
    let Predicate::And(parts) = query.predicate.as_ref() else { panic!("{query:?}") };
    assert_eq!(parts[0].as_ref(), &Predicate::PatientCompartment(patient));
    assert!(parse(registry(), kind("Organization"), &pairs(""), &within).is_err());
}

/// B35: a granular scope's query becomes the same predicate as a search's; what it cannot hold is refused.
#[test]
fn criteria_of_scopes_and_conditions() {
    let criteria = |query: &str| compile_criteria(registry(), kind("Observation"), &pairs(query));
    let survey = "category=http://terminology.hl7.org/CodeSystem/observation-category|survey";
    assert_eq!(criteria(survey).unwrap(), ok("Observation", survey).predicate.as_ref().clone());
    for query in [
        "",
        "_count=5",
        "_sort=date",
        "colour=red",
        "category=",
        "date=ap2020",
        "category=a&_include=Observation:subject",
    ] {
        assert!(criteria(query).is_err(), "{query:?} must not widen a grant");
    }
    let condition =
        compile_condition(registry(), kind("Patient"), &pairs("identifier=http://mrn|1"), &context(Handling::Lenient));
    assert!(matches!(condition, Ok(Predicate::Value { .. })));
    let unknown = compile_condition(registry(), kind("Patient"), &pairs("colour=red"), &context(Handling::Lenient));
    assert!(unknown.is_err(), "a condition is never loosened");
}

fn names() -> BoxedStrategy<String> {
    let codes = registry().of_type(kind("Observation")).map(|one| one.code.clone()).collect::<Vec<_>>();
    let modifier = prop_oneof![
        Just(""),
        Just(":not"),
        Just(":missing"),
        Just(":exact"),
        Just(":Patient"),
        Just(":identifier"),
        Just(":text")
    ];
    prop_oneof![
        (proptest::sample::select(codes), modifier).prop_map(|(code, modifier)| format!("{code}{modifier}")),
        "(_has:)?[A-Za-z_:.-]{0,20}",
        proptest::sample::select(vec!["_sort", "_count", "_include", "_revinclude", "_total", "_id", "_summary"])
            .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
    .boxed()
}

proptest! {
    #[test]
    fn parse_never_panics(name in names(), value in "[a-z0-9|$,:.\\\\/+-]{0,16}|(ge|ap|ne)?20[0-9-]{0,8}(T[0-9:]{0,9})?|\\PC{0,12}", lenient in any::<bool>()) {
        let handling = if lenient { Handling::Lenient } else { Handling::Strict };
        let asked = [(name, value)];
        let _ = compile_criteria(registry(), kind("Observation"), &asked);
        if let Ok(query) = parse(registry(), kind("Observation"), &asked, &context(handling)) {
            prop_assert!(query.count <= limits::COUNT_MAX);
            prop_assert!(query.applied.is_ascii());
        }
    }
}

/// What the guides' CapabilityStatements expect of searches is parsed: parameters, their
/// combinations, includes. A sample value of its type stands in for each.
#[test]
fn what_us_core_pfe_and_rt_expect_is_parsed() {
    let value = |parameter: &crate::Parameter| match parameter.kind {
        crate::ParameterKind::Date => "ge2020-01-01T00:00:00Z",
        crate::ParameterKind::Number => "1",
        crate::ParameterKind::Quantity => "gt1|http://unitsofmeasure.org|mg",
        crate::ParameterKind::Uri => "http://a/b",
        _ => "a",
    };
    let sample = |of: ResourceType, code: &str| {
        let parameter = registry().parameter(of, code).unwrap_or_else(|| panic!("{of} has no {code}"));
        let components: Vec<&str> =
            parameter.components.iter().map(|(id, _)| value(registry().by_id(*id).unwrap())).collect();
        let value = if components.is_empty() { value(parameter).to_owned() } else { components.join("$") };
        format!("{code}={value}")
    };
    let (mut counted, mut refused) = (0, Vec::new());
    for statement in schema::capability_statements() {
        for resource in &statement.resources {
            let of = kind(resource.name);
            for parameter in resource.parameters.iter() {
                ok(resource.name, &sample(of, parameter.name));
                counted += 1;
            }
            for combination in &resource.combinations {
                let all: Vec<String> = combination.name.split(' ').map(|code| sample(of, code)).collect();
                ok(resource.name, &all.join("&"));
                counted += 1;
            }
            let includes = resource.includes.iter().map(|one| ("_include", one.name));
            for (name, value) in includes.chain(resource.revincludes.iter().map(|one| ("_revinclude", one.name))) {
                match strict(resource.name, &format!("{name}={value}")) {
                    Ok(_) => counted += 1,
                    Err(_) => refused.push((resource.name, value)),
                }
            }
        }
    }
    assert!(counted > 300, "{counted} expectations");
    refused.sort_unstable();
    refused.dedup();
    assert_eq!(refused, FAULTY_INCLUDES);
}

/// Includes that PFE names by mistake: elements that are no references, names of elements instead of
/// parameters, parameters of STU3.
const FAULTY_INCLUDES: [(&str, &str); 14] = [
    ("Condition", "Condition:bodySite"),
    ("Condition", "Condition:code"),
    ("Condition", "Condition:identifier"),
    ("Condition", "Condition:recordedDate"),
    ("Goal", "Goal:achievementStatus"),
    ("Goal", "Goal:identifier"),
    ("NutritionOrder", "NutritionOrder:identifier"),
    ("NutritionOrder", "NutritionOrder:status"),
    ("Observation", "Observation:context"),
    ("Observation", "QuestionnaireResponse:parent"),
    ("ServiceRequest", "ServiceRequest:code"),
    ("ServiceRequest", "ServiceRequest:identifier"),
    ("ServiceRequest", "ServiceRequest:reasonReference"),
    ("ServiceRequest", "ServiceRequest:status"),
];
