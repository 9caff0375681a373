//! What other definitions become, and which are refused.

use super::{compiled, faults, profile, registry};

#[test]
fn terminology_is_written_whole() {
    let system = r#"{"resourceType": "CodeSystem", "url": "http://example.org/s", "version": "2", "name": "S",
        "content": "complete", "caseSensitive": false, "hierarchyMeaning": "is-a", "valueSet": "http://example.org/all",
        "property": [{"code": "status", "type": "code"}],
        "concept": [{"code": "a", "display": "Alpha\tone", "designation": [{"language": "de", "value": "Alfa"}],
          "property": [{"code": "status", "valueCode": "retired"}, {"code": "like", "valueCoding": {"system": "x", "code": "y"}}],
          "concept": [{"code": "b", "concept": [{"code": "c"}]}]}]}"#;
    let set = r#"{"resourceType": "ValueSet", "url": "http://example.org/v", "compose": {"inactive": false,
        "include": [{"system": "http://example.org/s", "filter": [{"property": "concept", "op": "is-a", "value": "a"}]},
                    {"valueSet": ["http://example.org/w|1"]}],
        "exclude": [{"system": "http://example.org/s", "concept": [{"code": "c", "display": "Sea"}]}]}}"#;
    let expanded = r#"{"resourceType": "ValueSet", "url": "http://example.org/w", "version": "1", "expansion": {"contains": [
        {"system": "http://example.org/s", "abstract": true, "code": "a", "contains": [
          {"system": "http://example.org/s", "code": "b", "display": "Bee"}]}]}}"#;
    let map = r#"{"resourceType": "ConceptMap", "url": "http://example.org/m", "sourceUri": "http://example.org/v",
        "group": [{"source": "http://example.org/s", "target": "http://t", "unmapped": {"mode": "fixed", "code": "z"},
          "element": [{"code": "a", "target": [{"code": "1", "equivalence": "equivalent"},
            {"code": "2", "equivalence": "wider", "dependsOn": [{"property": "p", "value": "q"}]}]}]}]}"#;
    let all = registry(&[system, set, expanded, map]);
    let system = all.code_system("http://example.org/s|2").unwrap();
    assert!(system.is_complete && !system.is_case_sensitive && system.value_set == "http://example.org/all");
    let codes: Vec<_> = system.concepts.iter().map(|one| (one.code, one.display, one.parent)).collect();
    assert_eq!(codes, [("a", "Alpha one", ""), ("b", "", "a"), ("c", "", "b")]);
    assert_eq!(system.concepts[0].properties().collect::<Vec<_>>(), [("status", "retired"), ("like", "x|y")]);
    assert_eq!(system.concepts[0].designations().next().unwrap().value, "Alfa");
    let set = all.value_set("http://example.org/v").unwrap();
    assert_eq!((set.inactive, set.includes().count(), set.excludes().count()), (Some(false), 2, 1));
    let listed: Vec<_> = all
        .value_set("http://example.org/w")
        .unwrap()
        .parts
        .iter()
        .flat_map(|part| &part.codes)
        .map(|one| one.code)
        .collect();
    assert_eq!(listed, ["b"], "an expansion alone is listed, without what cannot be chosen");
    let group = &all.concept_map("http://example.org/m").unwrap().groups[0];
    assert_eq!((group.mappings.len(), group.mappings[1].is_conditional, group.unmapped_to), (2, true, "z"));
}

#[test]
fn search_parameters_and_capabilities_are_written() {
    let parameter = r#"{"resourceType": "SearchParameter", "url": "http://example.org/sp", "code": "color", "base": ["Patient"],
        "type": "token", "expression": "Patient.extension('http://example.org/color').value"}"#;
    let statement = r#"{"resourceType": "CapabilityStatement", "url": "http://example.org/c", "rest": [{"mode": "server",
        "resource": [{"type": "Patient", "supportedProfile": ["http://example.org/p", "http://example.org/q"],
          "_supportedProfile": [null, {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation",
            "valueCode": "SHALL"}]}], "interaction": [{"code": "read"}]}]}]}"#;
    let all = registry(&[parameter, statement]);
    let found = all.added_search_parameters().next().unwrap();
    assert_eq!((found.code, found.package, found.base.as_slice()), ("color", "handrail.local#1", &["Patient"][..]));
    let statement = all.capability_statements().last().unwrap();
    let patient = &statement.resources[0];
    let expected: Vec<_> = patient.profiles.iter().map(|one| format!("{:?}", one.expectation)).collect();
    assert_eq!(expected, ["Unsaid", "Shall"]);
    assert_eq!(patient.interactions[0].name, "read");
}

#[test]
fn an_extension_has_its_contexts() {
    let json = profile(
        "x",
        "Extension",
        "Extension",
        r#"{"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "0"}"#,
    )
    .replace(
        r#""derivation""#,
        r#""context": [{"type": "element", "expression": "Patient"},
            {"type": "fhirpath", "expression": "Patient.name.given"}], "contextInvariant": ["active"], "derivation""#,
    );
    let all = registry(&[&json]);
    let one = all.profile("http://example.org/x").unwrap();
    assert!(one.is_extension());
    assert_eq!(one.contexts, [("element", "Patient"), ("fhirpath", "Patient.name.given")]);
    assert_eq!(one.context_invariants, ["active"]);
}

#[test]
fn what_cannot_be_used_is_refused_with_its_reason_and_the_rest_stays() {
    let good = profile("good", "Patient", "Patient", r#"{"id": "Patient", "path": "Patient"}"#);
    let logical = good.replace("/good", "/logical").replace(r#""kind": "resource""#, r#""kind": "logical""#);
    let new_type = good.replace("/good", "/type").replace("constraint", "specialization");
    let unknown = profile("unknown", "Patient", "http://example.org/elsewhere", "");
    let other = profile("other", "Patient", "Observation", "");
    let empty = good.replace("/good", "/empty").replace("differential", "nothing");
    let no_url = good.replace("http://example.org/good", "");
    let patient = r#"{"resourceType": "Patient"}"#;
    let upon_faulty = profile("upon", "Patient", "http://example.org/unknown", "");
    let texts = faults(&[&good, &logical, &new_type, &unknown, &other, &empty, &no_url, patient, &upon_faulty]);
    for wanted in [
        "http://example.org/logical|1: logical models are not supported",
        "http://example.org/type|1: it defines a type of its own",
        "http://example.org/unknown|1: its base http://example.org/elsewhere is not loaded",
        "http://example.org/other|1: its base http://hl7.org/fhir/StructureDefinition/Observation is of the type Observation",
        "http://example.org/empty|1: it has neither a snapshot nor a differential",
        "StructureDefinition/: it has no url",
        "Patient: resources of the type \"Patient\" define nothing",
        "http://example.org/upon|1: its base http://example.org/unknown cannot be used",
    ] {
        assert!(texts.iter().any(|text| text.starts_with(wanted)), "{wanted} in {texts:#?}");
    }
    assert_eq!(texts.len(), 8, "{texts:#?}");
    assert!(compiled(&[&good, &logical]).tables.profiles.contains("http://example.org/good"));
}
