//! Differentials become snapshots: small ones, each for one rule of R4 profiling.html.

use super::{element, faults, has, profile, registry};
use fhir::schema::BindingStrength;

#[test]
fn cardinality_flags_and_binding_are_narrowed_and_the_rest_inherited() {
    let json = profile(
        "a",
        "Observation",
        "Observation",
        r#"{"id": "Observation", "path": "Observation"},
           {"id": "Observation.category", "path": "Observation.category", "min": 1, "max": "3", "mustSupport": true,
            "binding": {"strength": "required"}},
           {"id": "Observation.code.text", "path": "Observation.code.text", "min": 1, "maxLength": 20}"#,
    );
    let all = registry(&[&json]);
    let one = all.profile("http://example.org/a|1").unwrap();
    let category = element(one, "Observation.category");
    assert_eq!((category.min, category.max, category.must_support), (Some(1), Some(3), true));
    let binding = category.binding.unwrap();
    assert_eq!(binding.strength, BindingStrength::Required);
    assert_eq!(binding.value_set, "http://hl7.org/fhir/ValueSet/observation-category", "that of the base");
    let text = element(one, "Observation.code.text");
    assert_eq!((text.min, text.values, text.is_summary), (Some(1), r#"{"maxLength":20}"#, true));
    assert!(!has(one, "Observation.code"), "only what the type does not say");
    assert!(!has(one, "Observation.status"));
}

#[test]
fn slices_start_from_the_base_and_reslices_from_their_slice() {
    let json = profile(
        "a",
        "Observation",
        "Observation",
        r#"{"id": "Observation.category", "path": "Observation.category", "min": 2, "mustSupport": true,
            "slicing": {"discriminator": [{"type": "pattern", "path": "$this"}], "rules": "closed", "ordered": true}},
           {"id": "Observation.category:outer", "path": "Observation.category", "sliceName": "outer", "max": "5",
            "slicing": {"discriminator": [{"type": "value", "path": "coding.code"}], "rules": "open"}},
           {"id": "Observation.category:outer.text", "path": "Observation.category.text", "min": 1},
           {"id": "Observation.category:outer/inner", "path": "Observation.category", "sliceName": "outer/inner", "min": 1},
           {"id": "Observation.category:other", "path": "Observation.category", "sliceName": "other"},
           {"id": "Observation.category:outer/late", "path": "Observation.category", "sliceName": "outer/late"}"#,
    );
    let all = registry(&[&json]);
    let one = all.profile("http://example.org/a").unwrap();
    let ids: Vec<_> = one.elements.iter().map(|one| one.id).filter(|id| id.contains("category")).collect();
    assert_eq!(
        ids,
        [
            "Observation.category",
            "Observation.category:outer",
            "Observation.category:outer.text",
            "Observation.category:outer/inner",
            "Observation.category:outer/inner.text",
            "Observation.category:outer/late",
            "Observation.category:outer/late.text",
            "Observation.category:other",
        ],
        "a reslice stands behind its slice"
    );
    let sliced = element(one, "Observation.category");
    assert_eq!((sliced.slicing_rules, sliced.slicing_ordered), (Some("closed"), true));
    assert_eq!(sliced.discriminators, [("pattern", "$this")]);
    let outer = element(one, "Observation.category:outer");
    assert_eq!((outer.min, outer.max, outer.must_support), (Some(0), Some(5), false));
    assert_eq!(outer.discriminators, [("value", "coding.code")]);
    let inner = element(one, "Observation.category:outer/inner");
    assert_eq!((inner.min, inner.max, inner.slicing_rules), (Some(1), Some(5), None));
    assert_eq!(element(one, "Observation.category:outer/inner.text").min, Some(1));
}

#[test]
fn a_choice_named_by_its_type_is_narrowed_when_the_type_must_be_there_and_sliced_otherwise() {
    let required = profile(
        "required",
        "Observation",
        "Observation",
        r#"{"id": "Observation.valueQuantity", "path": "Observation.valueQuantity", "min": 1},
           {"id": "Observation.valueQuantity.code", "path": "Observation.valueQuantity.code", "min": 1, "fixedCode": "mm"}"#,
    );
    let optional = required
        .replace("/required", "/optional")
        .replace(r#""Observation.valueQuantity", "min": 1"#, r#""Observation.valueQuantity", "max": "1""#);
    let two = profile(
        "two",
        "Observation",
        "Observation",
        r#"{"id": "Observation.valueQuantity", "path": "Observation.valueQuantity", "mustSupport": true},
           {"id": "Observation.valueString", "path": "Observation.valueString", "maxLength": 9}"#,
    );
    let all = registry(&[&required, &optional, &two]);

    let required = all.profile("http://example.org/required").unwrap();
    let value = element(required, "Observation.value[x]");
    assert_eq!((value.min, value.slicing_rules), (Some(1), None));
    assert_eq!(value.types.iter().map(|one| one.code).collect::<Vec<_>>(), ["Quantity"]);
    assert_eq!(element(required, "Observation.value[x].code").values, r#"{"fixedCode":"mm"}"#);

    let optional = all.profile("http://example.org/optional").unwrap();
    let value = element(optional, "Observation.value[x]");
    assert_eq!((value.types.len(), value.slicing_rules), (11, Some("open")));
    assert_eq!(value.discriminators, [("type", "$this")]);
    let quantity = element(optional, "Observation.value[x]:valueQuantity");
    assert_eq!(quantity.types.iter().map(|one| one.code).collect::<Vec<_>>(), ["Quantity"]);
    assert!(has(optional, "Observation.value[x]:valueQuantity.code"));

    let two = all.profile("http://example.org/two").unwrap();
    assert_eq!(element(two, "Observation.value[x]:valueString").values, r#"{"maxLength":9}"#);
    assert!(element(two, "Observation.value[x]:valueQuantity").must_support);
}

#[test]
fn a_choice_narrowed_by_its_types_has_the_children_of_the_one_that_is_left() {
    let json = profile(
        "a",
        "Observation",
        "Observation",
        r#"{"id": "Observation.value[x].extension", "path": "Observation.value[x].extension", "max": "0"},
           {"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": "CodeableConcept"}]},
           {"id": "Observation.value[x].coding", "path": "Observation.value[x].coding", "min": 1},
           {"id": "Observation.effective[x]:effectiveDateTime", "path": "Observation.effective[x]",
            "sliceName": "effectiveDateTime", "type": [{"code": "dateTime"}]}"#,
    );
    let all = registry(&[&json]);
    let one = all.profile("http://example.org/a").unwrap();
    assert_eq!(element(one, "Observation.value[x].coding").min, Some(1));
    assert_eq!(element(one, "Observation.value[x].extension").max, Some(0));
    assert_eq!(element(one, "Observation.effective[x]").slicing_rules, Some("open"), "a type slice slices by type");
}

#[test]
fn what_is_loosened_is_named_by_element() {
    let cases = [
        (
            r#""id": "Observation.status", "path": "Observation.status", "min": 0"#,
            "Observation.status: min is loosened: 0, where the base says 1",
        ),
        (
            r#""id": "Observation.subject", "path": "Observation.subject", "max": "*""#,
            "Observation.subject: max is loosened: *, where the base says 1",
        ),
        (
            r#""id": "Observation.status", "path": "Observation.status", "binding": {"strength": "preferred", "valueSet": "http://v"}"#,
            "Observation.status: the binding is loosened: preferred, where the base says required",
        ),
        (
            r#""id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": "Money"}]"#,
            "Observation.value[x]: the type is loosened: Money, where the base says Quantity, CodeableConcept",
        ),
        (
            r#""id": "Observation.category", "path": "Observation.category", "min": 3, "max": "2""#,
            "Observation.category: min is not one: \"3 above 2\"",
        ),
        (
            r#""id": "Observation.nothing", "path": "Observation.nothing""#,
            "Observation.nothing: there is no such element",
        ),
        (
            r#""id": "Patient.name", "path": "Patient.name""#,
            "Patient.name: its id or path is not one of this definition",
        ),
        (
            r#""id": "Observation.category:a/b", "path": "Observation.category", "sliceName": "a/b""#,
            "Observation.category:a/b: the slice \"a\" that it stands in is not defined before it",
        ),
        (r#""id": "Observation.value[x].coding", "path": "Observation.value[x].coding""#, "there is no such element"),
        (
            r#""id": "Observation.code", "path": "Observation.code", "type": [{"code": "Codeable"}]"#,
            "\"Codeable\" is no type of R4",
        ),
    ];
    for (json, wanted) in cases {
        let json = profile("a", "Observation", "Observation", &format!("{{{json}}}"));
        let found = faults(&[&json]);
        assert_eq!(found.len(), 1, "{json}");
        assert!(found[0].starts_with("http://example.org/a|1") && found[0].contains(wanted), "{}", found[0]);
    }
}

#[test]
fn facts_of_a_profiled_base_hold_below() {
    let core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter";
    let of = |name: &str, version: &str| {
        profile(
            name,
            "Encounter",
            &format!("{core}{version}"),
            r#"{"id": "Encounter.period", "path": "Encounter.period", "min": 1}"#,
        )
    };
    let all = registry(&[&of("new", ""), &of("old", "|3.1.1")]);
    for (name, is_new) in [("new", true), ("old", false)] {
        let one = all.profile(&format!("http://example.org/{name}")).unwrap();
        assert_eq!(element(one, "Encounter.period").min, Some(1));
        assert!(element(one, "Encounter.subject").must_support, "of the base");
        assert_eq!(has(one, "Encounter.reasonReference"), is_new, "6.1.0 has it, 3.1.1 has not");
    }
    let looser =
        profile("looser", "Encounter", core, r#"{"id": "Encounter.subject", "path": "Encounter.subject", "min": 0}"#);
    assert_eq!(
        faults(&[&looser]),
        ["http://example.org/looser|1, Encounter.subject: min is loosened: 0, where the base says 1"]
    );
}

#[test]
fn children_of_an_extension_are_those_of_its_profile() {
    let json = profile(
        "a",
        "Observation",
        "Observation",
        r#"{"id": "Observation.extension:place", "path": "Observation.extension", "sliceName": "place", "min": 1, "max": "1",
            "type": [{"code": "Extension", "profile": ["http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/event-location"]}]},
           {"id": "Observation.extension:place.value[x]", "path": "Observation.extension.value[x]", "mustSupport": true}"#,
    );
    let all = registry(&[&json]);
    let one = all.profile("http://example.org/a").unwrap();
    assert_eq!(element(one, "Observation.extension").discriminators, [("value", "url")]);
    assert_eq!(element(one, "Observation.extension:place").min, Some(1));
    let value = element(one, "Observation.extension:place.value[x]");
    assert_eq!(value.types.iter().map(|one| one.code).collect::<Vec<_>>(), ["Reference"], "as the extension says");
    assert!(element(one, "Observation.extension:place.url").values.contains("event-location"));
}

#[test]
fn content_references_have_the_children_of_what_they_refer_to() {
    let json = profile(
        "a",
        "Observation",
        "Observation",
        r#"{"id": "Observation.component.referenceRange", "path": "Observation.component.referenceRange", "min": 1},
           {"id": "Observation.component.referenceRange.text", "path": "Observation.component.referenceRange.text", "min": 1}"#,
    );
    let all = registry(&[&json]);
    let one = all.profile("http://example.org/a").unwrap();
    assert_eq!(element(one, "Observation.component.referenceRange").types[0].code, "Observation.referenceRange");
    assert_eq!(element(one, "Observation.component.referenceRange.text").min, Some(1));
}

#[test]
fn invariants_are_added_to_those_of_the_base() {
    let first = profile(
        "first",
        "Observation",
        "Observation",
        r#"{"id": "Observation", "path": "Observation", "constraint": [
             {"key": "one-1", "severity": "error", "human": "x", "expression": "true"},
             {"key": "dom-2", "severity": "error", "human": "x", "expression": "contained.contained.empty()"}]}"#,
    );
    let second = profile(
        "second",
        "Observation",
        "http://example.org/first",
        r#"{"id": "Observation", "path": "Observation", "constraint": [
             {"key": "two-1", "severity": "warning", "human": "x", "expression": "false"}]}"#,
    );
    let all = registry(&[&second, &first]);
    let root = element(all.profile("http://example.org/second").unwrap(), "Observation");
    let found: Vec<_> = root.constraints.iter().map(|one| (one.key, one.is_error, one.expression)).collect();
    assert_eq!(found, [("one-1", true, "true"), ("two-1", false, "false")], "those of the type stand on the type");
}

#[test]
fn references_say_how_their_target_is_held() {
    let json = profile(
        "a",
        "Observation",
        "Observation",
        r#"{"id": "Observation.subject", "path": "Observation.subject", "type": [{"code": "Reference",
            "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Patient|4.0.1", "http://example.org/a"],
            "aggregation": ["bundled", "contained"], "versioning": "specific"}]}"#,
    );
    let all = registry(&[&json]);
    let subject = element(all.profile("http://example.org/a").unwrap(), "Observation.subject");
    let one = &subject.types[0];
    assert_eq!((one.targets.as_slice(), one.versioning), (&["Patient", "http://example.org/a"][..], "specific"));
    assert_eq!(one.aggregation, ["bundled", "contained"]);
}

#[test]
fn elements_without_ids_and_names_with_dots_are_found() {
    let json = profile(
        "a",
        "Observation",
        "Observation",
        r#"{"path": "Observation.component", "slicing": {"discriminator": [{"type": "value", "path": "code"}], "rules": "open"}},
           {"path": "Observation.component", "sliceName": "a.b", "min": 1},
           {"path": "Observation.component.code", "mustSupport": true},
           {"path": "Observation.component", "sliceName": "c"},
           {"path": "Observation.component.code", "fixedCodeableConcept": {"text": "c"}}"#,
    );
    let all = registry(&[&json]);
    let one = all.profile("http://example.org/a").unwrap();
    assert!(element(one, "Observation.component:a%2Eb.code").must_support);
    assert_eq!(element(one, "Observation.component:c.code").values, r#"{"fixedCodeableConcept":{"text":"c"}}"#);
}
