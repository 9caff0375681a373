//! The generator on an example of our own, without the packages.

use super::*;

const OBSERVATION: &str = r#"{
    "resourceType": "Observation", "id": "mobility-1",
    "meta": {"profile": ["http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single"]},
    "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Walk 10 feet: 4</p></div>"},
    "status": "final",
    "category": [
        {"coding": [{"system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "code": "functional-status"}]},
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "83254-3"}]},
    "subject": {"reference": "Patient/betsy"},
    "effectiveDateTime": "2024-05-01T10:30:00-05:00",
    "performer": [{"reference": "PractitionerRole/pt", "display": "PT"}],
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/observation-replaces",
        "valueReference": {"reference": "Observation/before"}}],
    "valueQuantity": {"value": 4, "system": "http://unitsofmeasure.org", "code": "{score}"}}"#;

fn example() -> Example {
    let tree = Tree::parse(OBSERVATION).expect("JSON");
    Example { name: "own".to_owned(), package: "hl7.fhir.us.pacio-pfe#2.0.0", node: Node::of(tree.root()) }
}

fn bounds() -> Rc<Bounds> {
    Rc::new(Bounds::of(&[example()]).expect("profiles"))
}

fn mutants(example: &Example) -> Vec<Mutant> {
    let mut made = Mutants::new(false, &bounds());
    site::walk(&example.node, example.package, &mut made);
    made.by_rule.into_values().flat_map(|(_, mutants)| mutants).collect()
}

#[test]
fn an_example_gives_mutants_of_each_kind_and_all_are_found() {
    let example = example();
    assert_eq!(errors(Tree::parse(OBSERVATION).expect("JSON"), example.package), []);
    let all = mutants(&example);
    let kinds: std::collections::BTreeSet<Kind> = all.iter().map(|one| one.kind).collect();
    // A fixed value that tells no slice is not in it.
    assert_eq!(kinds.len(), 15, "{kinds:?}");
    for what in [
        "Observation.status of R4",
        "Observation.performer of pfe-observation-single",
        "Observation.category:survey of pfe-observation-single",
        "Observation.hasMember of pfe-observation-single",
        "Observation.subject of pfe-observation-single",
        "observation-replaces",
        "Observation.performer.display too long",
        "Observation.value[x] above",
        "Observation.effective[x] before",
        "obs-6 on Observation",
        "script",
    ] {
        assert!(all.iter().any(|one| one.what == what), "no mutant breaks {what}");
    }
    let bounds = bounds();
    let missed: Vec<String> =
        all.iter().filter_map(|one| Some(format!("{}: {}", one.what, missed(&example, one, &bounds)?))).collect();
    assert_eq!(missed, Vec::<String>::new());
}

#[test]
fn what_does_no_harm_is_missed() {
    let harmless = Mutant {
        example: 0,
        kind: Kind::Missing,
        what: "no rule".to_owned(),
        edits: vec![Edit::Remove(node::member(&[], "valueQuantity"))],
        at: vec!["Observation".to_owned()],
        extra: Extra::Nothing,
    };
    assert_eq!(missed(&example(), &harmless, &bounds()).as_deref(), Some("not seen"));
    let elsewhere = Mutant {
        edits: vec![Edit::Remove(node::member(&[], "status"))],
        at: vec!["Observation.code".to_owned()],
        ..harmless
    };
    assert!(missed(&example(), &elsewhere, &bounds()).is_some_and(|seen| seen.starts_with("seen at Observation:")));
}

#[test]
fn the_sample_is_the_same_each_time() {
    let example = example();
    let sample = || {
        let mut made = Mutants::new(true, &bounds());
        site::walk(&example.node, example.package, &mut made);
        chosen(made).into_iter().map(|one| (one.kind, one.what, one.edits.len())).collect::<Vec<_>>()
    };
    assert_eq!(sample(), sample());
    assert!(sample().len() < mutants(&example).len());
}
