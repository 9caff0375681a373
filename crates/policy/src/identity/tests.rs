//! Who stands for whom, at this moment (rows G4, G13, G17).

use super::*;
use crate::world::World;
use fhir::{Instant, json::Tree};

const RESOURCES: &[&str] = &[
    r#"{"resourceType":"Practitioner","id":"p"}"#,
    r#"{"resourceType":"Organization","id":"top"}"#,
    r#"{"resourceType":"Organization","id":"house","partOf":{"reference":"Organization/top"}}"#,
    r#"{"resourceType":"Organization","id":"ward","partOf":{"reference":"Organization/house"}}"#,
    r#"{"resourceType":"Organization","id":"past"}"#,
    r#"{"resourceType":"Organization","id":"closed"}"#,
    r#"{"resourceType":"PractitionerRole","id":"now","practitioner":{"reference":"Practitioner/p"},
        "organization":{"reference":"Organization/ward"},"period":{"start":"1960"}}"#,
    r#"{"resourceType":"PractitionerRole","id":"over","practitioner":{"reference":"Practitioner/p"},
        "organization":{"reference":"Organization/past"},"period":{"end":"1969"}}"#,
    r#"{"resourceType":"PractitionerRole","id":"off","active":false,"practitioner":{"reference":"Practitioner/p"},
        "organization":{"reference":"Organization/closed"}}"#,
    r#"{"resourceType":"CareTeam","id":"team","participant":[{"member":{"reference":"Organization/house"}}]}"#,
    r#"{"resourceType":"CareTeam","id":"dissolved","status":"inactive",
        "participant":[{"member":{"reference":"Practitioner/p"}}]}"#,
    r#"{"resourceType":"Group","id":"group","type":"practitioner","actual":true,
        "member":[{"entity":{"reference":"CareTeam/team"}}]}"#,
    r#"{"resourceType":"Group","id":"left","type":"practitioner","actual":true,
        "member":[{"entity":{"reference":"Practitioner/p"},"inactive":true}]}"#,
    r#"{"resourceType":"RelatedPerson","id":"r","patient":{"reference":"Patient/a"}}"#,
    r#"{"resourceType":"RelatedPerson","id":"s","patient":{"reference":"Patient/b"}}"#,
    r#"{"resourceType":"Person","id":"person","link":[{"target":{"reference":"RelatedPerson/r"}}]}"#,
];

fn standing(own: &str) -> Vec<&'static str> {
    let registry = search::registry::registry();
    let mut world = World::new(registry, Instant::from_unix_millis(0));
    for text in RESOURCES {
        world.add(&Tree::parse(text.as_bytes().to_vec()).unwrap()).unwrap();
    }
    let standing = Identity::new([own]).standing(registry, Reading::Wide);
    let named = [
        "Practitioner/p",
        "PractitionerRole/now",
        "PractitionerRole/over",
        "PractitionerRole/off",
        "Organization/ward",
        "Organization/house",
        "Organization/top",
        "Organization/past",
        "Organization/closed",
        "CareTeam/team",
        "CareTeam/dissolved",
        "Group/group",
        "Group/left",
        "RelatedPerson/r",
        "RelatedPerson/s",
    ];
    let stands = |reference: &&&str| {
        let (kind, id) = reference.split_once('/').unwrap();
        let (kind, id) = (ResourceType::parse(kind).unwrap(), LogicalId::parse(id).unwrap());
        stands_for(&standing, kind, &id, &world)
    };
    named.iter().filter(stands).copied().collect()
}

#[test]
fn a_practitioner_stands_for_their_roles_organizations_teams_and_groups() {
    let all = [
        "Practitioner/p",
        "PractitionerRole/now",
        "Organization/ward",
        "Organization/house",
        "Organization/top",
        "CareTeam/team",
        "Group/group",
    ];
    assert_eq!(standing("Practitioner/p"), all);
    assert_eq!(standing("PractitionerRole/now"), all);
}

#[test]
fn an_organization_is_those_that_it_is_part_of_and_none_of_its_parts() {
    assert_eq!(
        standing("Organization/house"),
        ["Organization/house", "Organization/top", "CareTeam/team", "Group/group"]
    );
    assert_eq!(standing("Organization/top"), ["Organization/top"]);
}

#[test]
fn a_person_is_whom_they_are_linked_to() {
    assert_eq!(standing("Person/person"), ["RelatedPerson/r"]);
    assert_eq!(standing("RelatedPerson/s"), ["RelatedPerson/s"]);
    assert!(Identity::new(["nobody", "No/1", "Practitioner/"]).is_nobody());
}
