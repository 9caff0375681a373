//! The tables as others rely on them: counts, look-ups, mended faults.

use super::*;
use std::collections::BTreeSet;

#[test]
fn types_are_sorted_and_every_reference_is_resolved() {
    let schema = r4();
    assert!(schema.types.windows(2).all(|pair| pair[0].name < pair[1].name));
    for one in &schema.types {
        assert!(schema.type_named(one.name).is_some());
        for element in &one.elements {
            assert!(!element.types.is_empty(), "{}", element.path);
            for reference in &element.types {
                let found = schema.type_of(reference).unwrap_or_else(|| panic!("{}", element.path));
                assert_eq!(found.name, reference.code);
            }
        }
    }
}

#[test]
fn r4_has_146_concrete_resource_types_and_two_abstract() {
    assert_eq!(resource_type_names().len(), 146);
    let all = r4().types.iter().filter(|one| one.kind == TypeKind::Resource).count();
    assert_eq!(all, 148);
    assert!(!resource_type_names().contains(&"SubscriptionStatus"), "R4B only");
    let primitives: Vec<_> =
        r4().types.iter().filter(|one| one.kind == TypeKind::Primitive).map(|one| one.name).collect();
    assert_eq!(primitives.len(), 20, "{primitives:?}");
}

#[test]
fn a_member_name_finds_its_element_and_type() {
    let observation = r4().type_named("Observation").unwrap();
    let (element, one) = observation.member("valueQuantity").unwrap();
    assert_eq!((element.path, one.code), ("Observation.value[x]", "Quantity"));
    let (_, one) = observation.member("valueString").unwrap();
    assert_eq!(one.code, "string");
    assert_eq!(observation.member("status").unwrap().1.code, "code");
    assert_eq!(observation.member("id").unwrap().1.code, "id");
    assert_eq!(observation.member("component").unwrap().1.code, "Observation.component");
    for wrong in ["value", "valuequantity", "valueMoney", "valueQuantityX", "_status", "", "ValueQuantity"] {
        assert!(observation.member(wrong).is_none(), "{wrong}");
    }
    let component = r4().type_named("Observation.component").unwrap();
    assert_eq!(component.member("referenceRange").unwrap().1.code, "Observation.referenceRange", "content reference");
}

#[test]
fn every_json_name_of_every_type_is_found() {
    for one in &r4().types {
        for element in &one.elements {
            assert_eq!(one.element(element.name).unwrap().path, element.path);
            for reference in &element.types {
                let name = if element.is_choice {
                    let (head, tail) = reference.code.split_at(1);
                    format!("{}{}{tail}", element.name, head.to_ascii_uppercase())
                } else {
                    element.name.to_owned()
                };
                let (found, of) = one.member(&name).unwrap_or_else(|| panic!("{}: {name}", element.path));
                assert_eq!(found.path, element.path);
                assert!(!element.is_choice || of.code == reference.code);
            }
        }
    }
}

#[test]
fn primitives_have_id_and_extension_and_no_value() {
    let string = r4().type_named("string").unwrap();
    assert_eq!(string.kind, TypeKind::Primitive);
    assert_eq!(string.elements.iter().map(|e| e.name).collect::<Vec<_>>(), ["id", "extension"]);
    assert_eq!(r4().type_named("xhtml").unwrap().kind, TypeKind::Primitive);
}

#[test]
fn elements_know_cardinality_targets_bindings_and_invariants() {
    let observation = r4().type_named("Observation").unwrap();
    let status = observation.element("status").unwrap();
    assert_eq!((status.min, status.max, status.is_modifier, status.is_summary), (1, Some(1), true, true));
    assert_eq!(status.binding.unwrap().strength, BindingStrength::Required);
    assert_eq!(observation.element("performer").unwrap().max, None);
    assert_eq!(observation.element("encounter").unwrap().types[0].targets, ["Encounter"]);
    let keys: Vec<_> = observation.constraints.iter().map(|c| c.key).collect();
    assert!(keys.contains(&"obs-6") && keys.contains(&"dom-2"), "{keys:?}");
    assert!(status.constraints.is_empty(), "ele-1 stands on the type");
    assert!(r4().types.iter().flat_map(|t| &t.constraints).all(|c| !c.expression.is_empty() && !c.key.contains('~')));
}

#[test]
fn evidence_variable_is_that_of_r4() {
    let one = r4().type_named("EvidenceVariable.characteristic").unwrap();
    assert_eq!(
        one.member("definitionCodeableConcept").unwrap().0.path,
        "EvidenceVariable.characteristic.definition[x]"
    );
    assert!(r4().type_named("EvidenceVariable.characteristic.definitionByCombination").is_none());
}

#[test]
fn elements_of_later_versions_and_of_vendors_are_not_known() {
    for (holder, name) in [
        ("Meta", "project"),
        ("Meta", "accounts"),
        ("Binary", "url"),
        ("DeviceDefinition", "bodySite"),
        ("ObservationDefinition", "publisher"),
        ("ResearchStudy", "studyDesign"),
        ("ResearchStudy", "recruitment"),
    ] {
        assert!(r4().type_named(holder).unwrap().element(name).is_none(), "{holder}.{name}");
    }
    let names: Vec<_> = r4().type_named("Meta").unwrap().elements.iter().map(|e| e.name).collect();
    assert_eq!(names, ["id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag"]);
    let targets = r4().types.iter().flat_map(|one| &one.elements).flat_map(|e| &e.types).flat_map(|t| &t.targets);
    let strange: Vec<_> = targets.filter(|name| r4().type_named(name).is_none()).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn no_two_search_parameters_have_the_same_type_and_code() {
    let mut seen = BTreeSet::new();
    for parameter in &r4().search_parameters {
        for base in &parameter.base {
            assert!(seen.insert((base, parameter.code)), "{base} {}", parameter.code);
            assert!(r4().type_named(base).is_some(), "{base}");
        }
        assert!(parameter.target.iter().all(|t| resource_type_names().contains(t)), "{}", parameter.url);
        assert_eq!(parameter.kind == "composite", !parameter.components.is_empty(), "{}", parameter.url);
    }
    assert_eq!(r4().search_parameters.len(), 1388);
}

#[test]
fn only_the_full_text_and_named_query_parameters_have_no_expression() {
    let empty: Vec<_> = r4().search_parameters.iter().filter(|p| p.expression.is_empty()).map(|p| p.code).collect();
    assert_eq!(empty, ["_text", "_content", "_query"]);
}

#[test]
fn faults_of_the_guides_parameters_are_mended() {
    let find = |base: &str, code: &str| {
        let mut all = r4().search_parameters.iter().filter(|p| p.code == code && p.base.contains(&base));
        all.next()
    };
    for (base, code) in [("Goal", "addresses"), ("NutritionOrder", "orderer"), ("ServiceRequest", "reason-reference")] {
        let parameter = find(base, code).unwrap();
        assert_eq!((parameter.kind, parameter.package), ("reference", "hl7.fhir.us.pacio-pfe#2.0.0"));
        assert!(!parameter.target.is_empty());
        assert!(find(base, "name").is_none());
    }
    let based_on = find("Encounter", "based-on").unwrap();
    assert_eq!(based_on.package, "hl7.fhir.us.pacio-rt#1.0.0");
    assert!(based_on.expression.ends_with(").value"));
    assert_eq!(based_on.also, ["http://hl7.org/fhir/SearchParameter/Encounter-based-on"]);
    assert!(find("Condition", "asserted-date").unwrap().expression.ends_with(").value"));
    let patient = find("Observation", "patient").unwrap();
    assert_eq!(patient.url, "http://hl7.org/fhir/SearchParameter/clinical-patient");
    assert!(patient.also.contains(&"http://hl7.org/fhir/us/core/SearchParameter/us-core-observation-patient"));
    assert!(find("Resource", "_id").unwrap().also.iter().any(|url| url.ends_with("us-core-patient-id")));
}

#[test]
fn every_parameter_of_the_patient_compartment_exists() {
    let compartment = &r4().patient_compartment;
    assert!(compartment.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(compartment.len(), 67);
    for (kind, codes) in compartment {
        for code in codes {
            let found = r4().search_parameters.iter().any(|p| p.code == *code && p.base.contains(kind));
            assert!(found, "{kind} {code}");
        }
    }
}

#[test]
fn required_value_sets_are_enumerated_or_known_not_to_be() {
    let mut unknown = BTreeSet::new();
    for element in r4().types.iter().flat_map(|one| &one.elements) {
        let Some(binding) = element.binding.filter(|b| b.strength == BindingStrength::Required) else { continue };
        match r4().value_set_codes(binding.value_set) {
            Some(codes) => assert!(!codes.is_empty(), "{}", binding.value_set),
            None => _ = unknown.insert(binding.value_set.split('|').next().unwrap()),
        }
    }
    // Their code systems are registries outside FHIR.
    assert_eq!(
        unknown.into_iter().collect::<Vec<_>>(),
        [
            "http://hl7.org/fhir/ValueSet/currencies",
            "http://hl7.org/fhir/ValueSet/mimetypes",
            "http://hl7.org/fhir/ValueSet/ucum-units",
            "http://loinc.org/vs/LL379-9",
        ]
    );
}

#[test]
fn value_sets_hold_their_codes() {
    let schema = r4();
    let status = "http://hl7.org/fhir/ValueSet/observation-status|4.0.1";
    assert_eq!(schema.value_set_holds(status, None, "final"), Some(true));
    assert_eq!(schema.value_set_holds(status, Some("http://hl7.org/fhir/observation-status"), "final"), Some(true));
    assert_eq!(schema.value_set_holds(status, Some("http://loinc.org"), "final"), Some(false));
    assert_eq!(schema.value_set_holds(status, None, "done"), Some(false));
    assert_eq!(schema.value_set_codes("http://example.org/none"), None);
    let survey = "http://hl7.org/fhir/us/pacio-pfe/ValueSet/pfe-survey-category-vs";
    let category = "http://terminology.hl7.org/CodeSystem/observation-category";
    assert_eq!(schema.value_set_holds(survey, Some(category), "survey"), Some(true));
    let race = "http://hl7.org/fhir/us/core/ValueSet/detailed-race|3.1.1";
    let codes = schema.value_set_codes(race).unwrap();
    assert!(codes.len() > 800, "is-a within a complete code system: {}", codes.len());
    assert!(codes.windows(2).all(|pair| (pair[0].1, pair[0].0) < (pair[1].1, pair[1].0)));
}

#[test]
fn every_value_set_can_be_asked_for() {
    // An import cycle would never come back.
    for line in include_str!("../../definitions/value-sets.tsv").lines().filter(|line| line.starts_with('V')) {
        let mut cells = line.split('\t').skip(1);
        let (url, version) = (cells.next().unwrap(), cells.next().unwrap());
        let _ = r4().value_set_codes(&format!("{url}|{version}"));
    }
}

#[test]
fn profiles_of_two_versions_stand_side_by_side() {
    let url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter";
    assert_eq!(Definitions::builtin().profile(url).unwrap().version, "6.1.0");
    assert_eq!(Definitions::builtin().profile(&format!("{url}|3.1.1")).unwrap().version, "3.1.1");
    assert!(Definitions::builtin().profile(&format!("{url}|9.9.9")).is_none());
    let collection =
        Definitions::builtin().profile("http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-collection").unwrap();
    assert_eq!((collection.package, collection.type_name), ("hl7.fhir.us.pacio-pfe#2.0.0", "Observation"));
    let category = collection.elements.iter().find(|e| e.id == "Observation.category").unwrap();
    assert_eq!((category.min, category.max), (Some(2), Some(u32::MAX)));
    assert_eq!(category.discriminators, [("pattern", "$this")]);
    assert_eq!(category.slicing_rules, Some("open"));
    let survey = collection.elements.iter().find(|e| e.slice_name() == Some("survey")).unwrap();
    assert!(survey.must_support && survey.binding.unwrap().strength == BindingStrength::Required);
    assert_eq!(survey.steps().collect::<Vec<_>>(), [("category", Some("survey"))]);
    let rt = "http://hl7.org/fhir/us/pacio-rt/StructureDefinition/reassessment-timepoints-encounter";
    let rt = Definitions::builtin().profile(rt).unwrap();
    let subject = rt.elements.iter().find(|e| e.id == "Encounter.subject").unwrap();
    assert_eq!((subject.min, subject.must_support), (Some(1), true), "of US Core 3.1.1, which RT derives from");
}

#[test]
fn the_guides_expectations_are_known() {
    let statements = capability_statements();
    assert_eq!(statements.clone().count(), 4);
    let pfe = statements.clone().find(|s| s.url.contains("pacio-pfe")).unwrap();
    let condition = pfe.resources.iter().find(|r| r.name == "Condition").unwrap();
    let patient = condition.parameters.iter().find(|p| p.name == "patient").unwrap();
    assert_eq!(patient.expectation, Expectation::Shall);
    assert_eq!(patient.definition, "http://hl7.org/fhir/SearchParameter/clinical-patient");
    for resource in statements.flat_map(|s| &s.resources) {
        for parameter in &resource.parameters {
            let known = r4().search_parameters.iter().any(|p| {
                p.code == parameter.name
                    && [resource.name, "Resource", "DomainResource"].iter().any(|b| p.base.contains(b))
            });
            assert!(known, "{} {}", resource.name, parameter.name);
        }
    }
}

#[test]
fn packages_are_listed_with_their_versions() {
    let list: Vec<_> = packages().iter().map(|p| format!("{}#{}", p.name, p.version)).collect();
    assert_eq!(list[0], "hl7.fhir.r4.core#4.0.1");
    assert_eq!(list.len(), 5);
    assert!(packages().iter().all(|p| p.sha256.len() == 64));
}
