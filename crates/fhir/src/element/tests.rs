//! Walking: companions, null items, choices, resources inside resources.

use super::*;
use crate::schema;

fn walk(json: &str, path: &[&str]) -> Vec<(String, String)> {
    let tree = Tree::parse(json.to_owned()).unwrap();
    let root = Element::resource(&tree, schema::r4()).unwrap();
    let mut at = vec![root];
    for name in path {
        let mut next = Vec::new();
        for element in at {
            element.children(name, |child| next.push(child));
        }
        at = next;
    }
    let text = |e: &Element<'_>| e.value.map_or("-".to_owned(), |v| v.raw().to_owned());
    at.iter().map(|e| (e.definition.name.to_owned(), text(e))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn a_value_and_its_companion_are_one_element() {
    let json = r#"{"resourceType":"Patient","_birthDate":{"id":"b","extension":[{"url":"u","valueDateTime":"1950"}]},"birthDate":"1950-01-02"}"#;
    assert_eq!(walk(json, &["birthDate"]), pairs(&[("date", "\"1950-01-02\"")]));
    assert_eq!(walk(json, &["birthDate", "id"]), pairs(&[("string", "\"b\"")]));
    assert_eq!(walk(json, &["birthDate", "extension", "value"]), pairs(&[("dateTime", "\"1950\"")]));
    assert_eq!(walk(json, &["birthDate", "extension", "url"]), pairs(&[("uri", "\"u\"")]));
}

#[test]
fn a_primitive_with_only_extensions_is_an_element_without_value() {
    let json = r#"{"resourceType":"Patient","_gender":{"extension":[{"url":"u","valueCode":"unknown"}]}}"#;
    assert_eq!(walk(json, &["gender"]), pairs(&[("code", "-")]));
    assert_eq!(walk(json, &["gender", "extension", "value"]), pairs(&[("code", "\"unknown\"")]));
}

#[test]
fn null_items_take_their_companions_and_empty_pairs_vanish() {
    let json = r#"{"resourceType":"Patient","name":[{"given":["A",null,null,"D"],"_given":[null,{"id":"b"},null,{"id":"d"},{"id":"e"}]}]}"#;
    let expected = pairs(&[("string", "\"A\""), ("string", "-"), ("string", "\"D\""), ("string", "-")]);
    assert_eq!(walk(json, &["name", "given"]), expected);
    let ids = pairs(&[("string", "\"b\""), ("string", "\"d\""), ("string", "\"e\"")]);
    assert_eq!(walk(json, &["name", "given", "id"]), ids);
}

#[test]
fn a_choice_is_found_by_its_name_without_type() {
    let json = r#"{"resourceType":"Observation","valueQuantity":{"value":1.50},"effectiveDateTime":"2024","_effectiveDateTime":{"id":"x"}}"#;
    assert_eq!(walk(json, &["value"]), pairs(&[("Quantity", "{\"value\":1.50}")]));
    assert_eq!(walk(json, &["value", "value"]), pairs(&[("decimal", "1.50")]));
    assert_eq!(walk(json, &["effective"]), pairs(&[("dateTime", "\"2024\"")]));
    assert_eq!(walk(json, &["effective", "id"]), pairs(&[("string", "\"x\"")]));
    assert_eq!(walk(json, &["valueQuantity"]), pairs(&[]));
    let only_companion = r#"{"resourceType":"Observation","_valueString":{"id":"x"}}"#;
    assert_eq!(walk(only_companion, &["value"]), pairs(&[("string", "-")]));
}

#[test]
fn resources_inside_resources_have_their_own_type() {
    let json = r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","contained":[{"resourceType":"Observation","valueBoolean":true}]}},{"resource":{"resourceType":"Nonsense"}}]}"#;
    let names: Vec<_> = walk(json, &["entry", "resource"]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Patient", "Resource"]);
    assert_eq!(walk(json, &["entry", "resource", "contained", "value"]), pairs(&[("boolean", "true")]));
}

#[test]
fn content_references_have_the_type_they_refer_to() {
    let json = r#"{"resourceType":"Observation","component":[{"referenceRange":[{"text":"x"}]}]}"#;
    assert_eq!(walk(json, &["component", "referenceRange"])[0].0, "Observation.referenceRange");
    assert_eq!(walk(json, &["component", "referenceRange", "text"]), pairs(&[("string", "\"x\"")]));
}

#[test]
fn all_children_come_in_document_order_once_each() {
    let json = r#"{"resourceType":"Observation","_status":{"id":"s"},"valueString":"v","status":"final","category":[{"text":"a"},{"text":"b"}],"unknown":1,"_valueString":{"id":"v"},"_issued":{"id":"i"},"id":"1"}"#;
    let tree = Tree::parse(json).unwrap();
    let root = Element::resource(&tree, schema::r4()).unwrap();
    let mut seen = Vec::new();
    root.all_children(|child| {
        seen.push((child.reached_by.unwrap().name, child.value.is_some(), child.companion.is_some()));
    });
    let expected = [
        ("value", true, true),
        ("status", true, true),
        ("category", true, false),
        ("category", true, false),
        ("issued", false, true),
        ("id", true, false),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn text_is_that_of_primitives_only() {
    let json = r#"{"resourceType":"Observation","status":"fi\u006eal","valueInteger":12,"code":{"text":"x"}}"#;
    let tree = Tree::parse(json).unwrap();
    let root = Element::resource(&tree, schema::r4()).unwrap();
    assert_eq!(root.child("status").unwrap().text().unwrap(), "final");
    assert_eq!(root.child("value").unwrap().text().unwrap(), "12");
    assert_eq!(root.child("code").unwrap().text(), None);
    assert!(root.child("nonsense").is_none());
}

#[test]
fn what_is_no_resource_has_no_element() {
    for json in [r#"{"resourceType":"HumanName"}"#, r#"{"resourceType":3}"#, "[]", r#"{"a":1}"#] {
        let tree = Tree::parse(json).unwrap();
        assert!(Element::resource(&tree, schema::r4()).is_none(), "{json}");
    }
}

#[test]
fn malformed_shapes_do_not_stop_the_walk() {
    for json in [
        r#"{"resourceType":"Patient","name":"text","gender":{"a":1},"_gender":[1],"birthDate":["x"],"deceasedBoolean":{}}"#,
        r#"{"resourceType":"Patient","contained":[1,null,{}],"meta":[],"_name":[null],"extension":{"url":[]}}"#,
    ] {
        let tree = Tree::parse(json).unwrap();
        let mut open = vec![Element::resource(&tree, schema::r4()).unwrap()];
        while let Some(element) = open.pop() {
            let _ = element.text();
            element.all_children(|child| open.push(child));
        }
    }
}
