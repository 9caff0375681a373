//! Whose record: the tables against R4's own definitions.

use super::*;

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

/// B39: each type of R4's compartment is in a patient's record, or is left out for a reason that stands in the module.
/// A type is never both in a record and in the directory.
#[test]
fn every_type_of_the_compartment_is_decided() {
    let registry = search::registry();
    let patient = LogicalId::parse("p").unwrap();
    for resource_type in ResourceType::all() {
        let name = resource_type.name();
        let in_compartment = name == "Patient" || !registry.patient_compartment(resource_type).is_empty();
        let left_out = ["Group", "Person", "AuditEvent"].contains(&name);
        let is_about = is_about_a_patient(resource_type);
        assert_eq!(is_about, (in_compartment && !left_out) || name == "Device", "{name}");
        assert_eq!(record_of(registry, resource_type, Whose::One(&patient)).is_some(), is_about, "{name}");
        assert!(!(is_about && is_directory(resource_type)), "{name}");
    }
    for name in DIRECTORY {
        assert!(ResourceType::parse(name).is_ok(), "{name}");
    }
}

/// The parameter that decides is one of the compartment's own, so the index by patient answers it.
#[test]
fn records_are_found_by_the_index_of_the_compartment() {
    let registry = search::registry();
    for (name, code) in ABOUT.iter().filter(|(name, _)| *name != "Device") {
        let parameter = registry.parameter(kind(name), code).unwrap().id;
        assert!(registry.is_within_patient_compartment(kind(name), parameter), "{name}.{code}");
    }
}

/// B40: a Patient is their own record by id alone, whatever links to whom.
#[test]
fn links_between_patients_are_not_followed() {
    let patient = LogicalId::parse("p").unwrap();
    let record = record_of(search::registry(), kind("Patient"), Whose::One(&patient)).unwrap();
    assert_eq!(*record, Predicate::Id(vec![patient]));
}
