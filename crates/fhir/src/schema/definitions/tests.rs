//! The registry as others rely on it: versions, dependencies, further tables.

use super::*;
use crate::schema::TablesError;

const ENCOUNTER: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter";

#[test]
fn a_canonical_without_version_means_what_the_asking_package_depends_on() {
    let all = Definitions::builtin();
    assert_eq!(all.profile(ENCOUNTER).unwrap().version, "6.1.0", "the newest");
    assert_eq!(all.profile_for(ENCOUNTER, "hl7.fhir.us.pacio-rt#1.0.0").unwrap().version, "3.1.1");
    assert_eq!(all.profile_for(ENCOUNTER, "hl7.fhir.us.pacio-pfe#2.0.0").unwrap().version, "6.1.0");
    assert_eq!(all.profile_for(ENCOUNTER, "hl7.fhir.us.core#3.1.1").unwrap().version, "3.1.1", "itself");
    assert_eq!(all.profile_for(ENCOUNTER, "example.unknown#1").unwrap().version, "6.1.0");
    let older = format!("{ENCOUNTER}|3.1.1");
    assert_eq!(all.profile_for(&older, "hl7.fhir.us.pacio-pfe#2.0.0").unwrap().version, "3.1.1", "named");
    assert!(all.profile(&format!("{ENCOUNTER}|9.9.9")).is_none());
    assert!(all.package("hl7.fhir.us.pacio-rt#1.0.0").unwrap().dependencies().any(|id| id == "hl7.fhir.us.core#3.1.1"));
}

fn added() -> Tables {
    Tables {
        manifest: "example.one#1.2.0\t\thl7.fhir.us.core#3.1.1\n".to_owned(),
        constraints: "one-1\terror\ttrue\n".to_owned(),
        profiles: "P\thttp://example.org/p\t1.2.0\texample.one#1.2.0\tExtension\thttp://example.org/base\tsnapshot\n\
                   X\telement\tPatient\nY\ttrue\n\
                   E\tExtension\t0\t1\t\t\t\tone-1\n\
                   E\tExtension.value[x]\t1\t1\tReference(bundled;specific)<A>Patient,Group code\tM\trequired http://v|1 http://m\n"
            .to_owned(),
        code_systems: "S\thttp://example.org/s\t2\texample.one#1.2.0\tcomplete\tinsensitive\tName\tis-a\n\
                       Y\tstatus\tcode\thttp://p\n\
                       C\ta\tAlpha\nQ\tstatus\tretired\nD\tde\t\tAlfa\nC\tb\tBeta\ta\n"
            .to_owned(),
        value_sets: "V\thttp://example.org/v\t1\texample.one#1.2.0\timmutable\tName\tfalse\n\
                     I\thttp://example.org/s\t2\nC\ta\tA!\nD\tfr\t\tAlphe\nC\tb\nX\thttp://example.org/s\nF\tconcept\tis-a\tb\nU\thttp://w\n"
            .to_owned(),
        concept_maps: "M\thttp://example.org/m\t1\texample.one#1.2.0\thttp://v\thttp://w\nG\thttp://s\t\thttp://t\t\tfixed\tz\tZed\n\
                       T\ta\tb\tequivalent\tBee\tconditional\n"
            .to_owned(),
        search_parameters: "P\thttp://example.org/sp\tone\tPatient\ttoken\texample.one#1.2.0\t\tPatient.active\n".to_owned(),
        capability: "C\thttp://example.org/c\t1\nR\tPatient\tSHALL\n".to_owned(),
    }
}

#[test]
fn further_tables_stand_beside_those_compiled_in() {
    let all = Definitions::builtin().with(vec![added()]);
    assert_eq!(all.packages().len(), Definitions::builtin().packages().len() + 1);
    assert_eq!(all.profile_for(ENCOUNTER, "example.one#1.2.0").unwrap().version, "3.1.1");

    let profile = all.profile("http://example.org/p|1.2.0").unwrap();
    assert!(profile.is_extension() && Definitions::builtin().profile("http://example.org/p").is_none());
    assert_eq!(
        (profile.contexts.as_slice(), profile.context_invariants.as_slice()),
        (&[("element", "Patient")][..], &["true"][..])
    );
    assert_eq!(profile.elements[0].constraints[0].key, "one-1");
    let value = &profile.elements[1];
    assert_eq!((value.min, value.max, value.must_support, value.is_modifier), (Some(1), Some(1), true, false));
    let reference = &value.types[0];
    assert_eq!((reference.code, reference.versioning), ("Reference", "specific"));
    assert_eq!(
        (&reference.aggregation[..], &reference.profiles[..], &reference.targets[..]),
        (&["bundled"][..], &["A"][..], &["Patient", "Group"][..])
    );
    let binding = value.binding.unwrap();
    assert_eq!((binding.value_set, binding.max_value_set), ("http://v|1", "http://m"));

    let system = all.code_system("http://example.org/s").unwrap();
    assert!(system.is_complete && !system.is_case_sensitive && system.hierarchy_meaning == "is-a");
    assert_eq!(system.properties, [("status", "code", "http://p")]);
    let alpha = system.concept("a").unwrap();
    assert_eq!(alpha.properties().collect::<Vec<_>>(), [("status", "retired")]);
    assert_eq!(alpha.designations().map(|one| (one.language, one.value)).collect::<Vec<_>>(), [("de", "Alfa")]);
    assert_eq!(system.concept("b").unwrap().parent, "a");

    let set = all.value_set("http://example.org/v").unwrap();
    assert!(set.is_immutable && set.inactive == Some(false));
    let listed: Vec<_> = set.includes().flat_map(|part| &part.codes).collect();
    assert_eq!(listed.iter().map(|one| (one.code, one.display)).collect::<Vec<_>>(), [("a", "A!"), ("b", "")]);
    assert_eq!((listed[0].designations().count(), listed[1].designations().count()), (1, 0));
    let exclude = set.excludes().next().unwrap();
    assert_eq!((exclude.filters[0].operator, exclude.value_sets[0]), ("is-a", "http://w"));

    let map = all.concept_map("http://example.org/m").unwrap();
    let group = &map.groups[0];
    assert_eq!((group.source, group.target, group.unmapped, group.unmapped_to), ("http://s", "http://t", "fixed", "z"));
    assert!(group.mappings[0].is_conditional && group.mappings[0].to == "b");
    assert_eq!(all.added_search_parameters().next().unwrap().code, "one");
    assert_eq!(all.capability_statements().last().unwrap().resources[0].name, "Patient");
}

#[test]
fn tables_are_the_same_after_a_way_through_text() {
    let tables = added();
    assert_eq!(Tables::read(&tables.to_text()), Ok(tables));
    assert_eq!(Tables::read(&Tables::default().to_text()), Ok(Tables::default()));
    assert_eq!(Tables::read("handrail tables 0\n"), Err(TablesError::Form));
    assert_eq!(Tables::read(""), Err(TablesError::Form));
    assert_eq!(Tables::read("handrail tables 1\nE\t"), Err(TablesError::Stray));
    assert_eq!(Tables::read("handrail tables 1\n== other\n"), Err(TablesError::Unknown("other".to_owned())));
    let twice = "handrail tables 1\n== profiles\nP\ta\n== profiles\nP\tb\n";
    assert_eq!(Tables::read(twice), Err(TablesError::Twice("profiles".to_owned())));
}

#[test]
fn versions_compare_by_number() {
    for (older, newer) in
        [("3.1.1", "6.1.0"), ("9.0.0", "10.0.0"), ("2.0.0-ballot", "2.0.0"), ("2.0", "2.0.1"), ("", "1")]
    {
        assert_eq!(compare_versions(older, newer), Ordering::Less, "{older} {newer}");
        assert_eq!(compare_versions(newer, older), Ordering::Greater, "{older} {newer}");
    }
    assert_eq!(compare_versions("1.0.0", "1.0.0"), Ordering::Equal);
}

#[test]
fn every_definition_of_the_packages_can_be_read() {
    let all = Definitions::builtin();
    assert!(all.profiles().all(|one| !one.elements.is_empty() && all.package(one.package).is_some()));
    assert!(all.code_systems().all(|one| !one.is_complete || one.content == "complete"));
    assert!(all.value_sets().map(|one| one.parts.len()).sum::<usize>() > 300);
    assert!(all.concept_maps().flat_map(|one| &one.groups).map(|one| one.mappings.len()).sum::<usize>() > 100);
}
