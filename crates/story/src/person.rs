//! The patient, the family caregivers, and who pays.
//!
//! SPEC: US Core 6.1.0 patient, relatedperson, coverage.

use crate::{
    calendar::Day,
    cast::{Role, address, phone},
    codes::{IDENTIFIERS, US_CORE, coding, profile, reference, terminology},
    course::{Course, Setting},
    json::{Json, array, object},
    names::{FAMILIES, MEN, WOMEN},
    scene::Scene,
};

/// Adds Patient, RelatedPerson and Coverage. Gives the references of the caregivers.
pub(crate) fn add(scene: &mut Scene<'_>, course: &Course) -> Vec<String> {
    let start = course.stages.first().map_or(Day::new(2024, 1, 2), |stage| stage.start);
    let woman = scene.random.chance(58);
    let given = *scene.random.pick(if woman { WOMEN } else { MEN });
    let family = *scene.random.pick(FAMILIES);
    let age_days = scene.random.range(65 * 366, 95 * 365);
    let home = *scene.random.pick(crate::names::TOWNS);
    let hospital = scene.cast.facility(Setting::Hospital, &mut scene.random);
    let address = address(&mut scene.random, home);
    let marital = *scene.random.pick(&["M", "W", "W", "D", "S"]);
    let members = object! {
        "meta": profile(format!("{US_CORE}us-core-patient")),
        "identifier": array![object! {
            "use": "usual",
            "type": object! { "coding": array![coding("http://terminology.hl7.org/CodeSystem/v2-0203", "MR")] },
            "system": format!("{IDENTIFIERS}patient"),
            "value": scene.number(),
            "assigner": reference(&hospital.organization()),
        }],
        "active": true,
        "name": array![object! { "use": "official", "family": family, "given": array![given] }],
        "telecom": array![home_phone(scene)],
        "gender": if woman { "female" } else { "male" },
        "birthDate": start.minus(age_days).date(),
        "address": array![address.clone()],
        "maritalStatus": terminology("v3-MaritalStatus", marital),
        "communication": array![object! {
            "language": object! { "coding": array![coding("urn:ietf:bcp:47", "en")] },
            "preferred": true,
        }],
        "generalPractitioner": array![reference(&hospital.practitioner(Role::Physician))],
    };
    scene.add("Patient", "", members);
    let caregivers = caregivers(scene, marital, woman, family, &address);
    coverages(scene, start);
    caregivers
}

fn home_phone(scene: &mut Scene<'_>) -> Json {
    let Json::Object(mut members) = phone(&mut scene.random) else { return Json::Nothing };
    members.retain(|(name, _)| *name != "use");
    members.push(("use", Json::from("home")));
    Json::Object(members)
}

fn caregivers(
    scene: &mut Scene<'_>,
    marital: &str,
    patient_is_woman: bool,
    family: &str,
    address: &Json,
) -> Vec<String> {
    let mut added = Vec::new();
    let count = scene.random.range(1, 2);
    for number in 1..=count {
        let spouse = number == 1 && marital == "M";
        let woman = if spouse { !patient_is_woman } else { scene.random.chance(60) };
        // v3-RoleCode: wife, husband, daughter, son.
        let relation = match (spouse, woman) {
            (true, true) => "WIFE",
            (true, false) => "HUSB",
            (false, true) => "DAUC",
            (false, false) => "SONC",
        };
        let given = *scene.random.pick(if woman { WOMEN } else { MEN });
        let telecom = home_phone(scene);
        let members = object! {
            "meta": profile(format!("{US_CORE}us-core-relatedperson")),
            "active": true,
            "patient": reference(&scene.patient),
            "relationship": array![terminology("v3-RoleCode", relation)],
            "name": array![object! { "family": family, "given": array![given] }],
            "telecom": array![telecom],
            "gender": if woman { "female" } else { "male" },
            "address": spouse.then(|| array![address.clone()]),
        };
        added.push(scene.add("RelatedPerson", &format!("caregiver-{number}"), members));
    }
    added
}

fn coverages(scene: &mut Scene<'_>, start: Day) {
    let second = scene.random.chance(40);
    let first = if scene.random.chance(35) { 1 } else { 0 };
    let mut chosen = vec![first];
    if second {
        chosen.push(if scene.random.chance(40) { 2 } else { 3 });
    }
    let since = start.minus(scene.random.range(100, 1500));
    for (order, payer) in chosen.into_iter().enumerate() {
        let Some(payer) = scene.cast.payers.get(payer) else { continue };
        let member = format!("{}{}", payer.typology, scene.random.digits(9));
        let members = object! {
            "meta": profile(format!("{US_CORE}us-core-coverage")),
            "identifier": array![object! {
                "type": object! { "coding": array![coding("http://terminology.hl7.org/CodeSystem/v2-0203", "MB")] },
                "system": format!("{IDENTIFIERS}member"),
                "value": &member,
            }],
            "status": "active",
            "type": object! {
                "coding": array![coding("https://nahdo.org/sopt", payer.typology)],
                "text": payer.name,
            },
            "subscriberId": &member,
            "beneficiary": reference(&scene.patient),
            "relationship": terminology("subscriber-relationship", "self"),
            "period": object! { "start": since.date() },
            "payor": array![reference(&format!("Organization/{}", payer.id))],
            "order": u32::try_from(order + 1).unwrap_or(1),
        };
        scene.add("Coverage", &format!("coverage-{}", order + 1), members);
    }
}
