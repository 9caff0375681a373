//! Which parameters of packages are taken, and that they search.

use super::*;
use fhir::schema::SearchParameterDefinition as Own;

fn own(url: &'static str, code: &'static str, base: &[&'static str], kind: &'static str, text: &'static str) -> Own {
    Own {
        url,
        code,
        base: base.to_vec(),
        kind,
        expression: text,
        target: Vec::new(),
        components: Vec::new(),
        package: "a#1",
        also: Vec::new(),
    }
}

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

fn choice(list: &[Own]) -> Choice {
    choose(fhir::schema::r4(), list)
}

#[test]
fn a_new_parameter_is_known_by_its_code_and_draws_out_values() {
    let chosen = choice(&[own("u:note", "note-text", &["Observation", "Nowhere"], "string", "Observation.note.text")]);
    assert!(chosen.left.is_empty(), "{:?}", chosen.left);
    let [definition] = chosen.taken.as_slice() else { panic!("{chosen:?}") };
    assert_eq!(definition.base, ["Observation"]);
    let added = Added { id: ParameterId(FIRST + 7), definition: definition.clone(), retired: false };
    let registry = Registry::with(fhir::schema::r4(), std::slice::from_ref(&added));
    assert_eq!(registry.parameter(kind("Observation"), "note-text").map(|one| one.id), Some(added.id));
    assert_eq!(registry.fingerprint(), crate::registry().fingerprint(), "stores are not indexed anew for it");
    let json = br#"{"resourceType":"Observation","status":"final","code":{"text":"c"},"note":[{"text":"Walks"}]}"#;
    let tree = fhir::json::Tree::parse(json.to_vec()).unwrap();
    let resource = fhir::element::Element::resource(&tree, registry.schema()).unwrap();
    let whole = crate::extract(&registry, resource, "");
    assert_eq!(whole.of(added.id).count(), 1);
    let only = crate::extract_added(&registry, resource, "");
    assert!(only.0.iter().all(|(id, _)| *id == added.id) && only.0.len() == 1);
    let retired = Registry::with(fhir::schema::r4(), &[Added { retired: true, ..added.clone() }]);
    assert!(retired.parameter(kind("Observation"), "note-text").is_none());
    assert!(retired.by_id(added.id).is_some() && crate::extract_added(&retired, resource, "").0.is_empty());
}

/// Scopes are written in the parameters that are known: adding a package must not widen one.
#[test]
fn what_is_known_keeps_its_meaning() {
    let wider = own("u:cat", "category", &["Observation"], "token", "Observation.category | Observation.code");
    let chosen = choice(&[wider]);
    assert!(chosen.taken.is_empty());
    assert!(chosen.left[0].1.contains("keeps its meaning"), "{:?}", chosen.left);
}

#[test]
fn of_two_with_one_url_the_later_wins_and_of_two_urls_the_earlier() {
    let old = own("u:a", "spoken", &["Observation"], "string", "Observation.note.text");
    let new = own("u:a", "spoken", &["Observation"], "string", "Observation.method.text");
    let other = own("u:b", "spoken", &["Observation", "Goal"], "string", "Observation.value | Goal.note.text");
    let chosen = choice(&[old, new, other]);
    let taken: Vec<_> = chosen.taken.iter().map(|one| (one.url.as_str(), one.base.join(","))).collect();
    assert_eq!(taken, [("u:a", "Observation".into()), ("u:b", "Goal".into())]);
    assert_eq!(chosen.taken[0].expression, "Observation.method.text");
    assert!(chosen.left[0].1.contains("u:a"), "{:?}", chosen.left);
}

#[test]
fn what_cannot_be_searched_is_left_with_its_reason() {
    let faulty = [
        own("u:1", "_count", &["Observation"], "token", "Observation.code"),
        own("u:2", "a.b", &["Observation"], "token", "Observation.code"),
        own("u:3", "near", &["Observation"], "special", "Observation.code"),
        own("u:4", "broken", &["Observation"], "token", "Observation.("),
        own("u:5", "empty", &["Observation"], "token", ""),
        own("u:6", "nowhere", &["Nothing"], "token", "Nothing.code"),
        own("u:7", "stamped", &["Observation"], "date", "Observation.meta.lastUpdated"),
        own("u:8", "parts", &["Observation"], "composite", "Observation"),
    ];
    let chosen = choice(&faulty);
    assert!(chosen.taken.is_empty(), "{:?}", chosen.taken);
    let left: Vec<&str> = chosen.left.iter().map(|(url, _)| url.as_str()).collect();
    for one in &faulty {
        assert!(left.contains(&one.url), "{} in {left:?}", one.url);
    }
}

#[test]
fn a_composite_finds_its_components_also_by_a_url_that_repeats_one_of_r4() {
    let repeats = own("u:code", "code", &["Observation"], "token", "Observation.code");
    let mut composite = own("u:both", "code-and-note", &["Observation"], "composite", "Observation");
    composite.components = vec![("u:code", "code"), ("u:note", "note.text")];
    let note = own("u:note", "note-text", &["Observation"], "string", "Observation.note.text");
    let chosen = choice(&[repeats, composite, note]);
    assert_eq!(chosen.taken.len(), 2, "{:?}", chosen.left);
    assert_eq!(chosen.taken[0].components[0].0, "http://hl7.org/fhir/SearchParameter/clinical-code");
}

#[test]
fn definitions_survive_their_text() {
    let definition = Definition {
        url: "u:a".into(),
        code: "a".into(),
        kind: "composite".into(),
        base: vec!["Observation".into(), "Goal".into()],
        target: vec![],
        expression: "Observation | Goal".into(),
        components: vec![("u:b".into(), "code".into()), ("u:c".into(), "value".into())],
    };
    assert_eq!(Definition::parse(&definition.to_text()), Some(definition));
    assert_eq!(Definition::parse("u:a\tb"), None);
}
