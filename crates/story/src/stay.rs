//! The stays: root Encounters, episodes of care, and the reassessment timepoints that divide a
//! post-acute stay, each with the clinical impressions that open and close it.
//!
//! SPEC: RT 1.0.0 reassessment-timepoints-encounter; US Core encounter.

use crate::{
    calendar::Day,
    care::Conditions,
    cast::{Facility, Role},
    codes::{
        ACT_CODE, ICD10, IDENTIFIERS, RT, SNOMED, US_CORE, coding, concept, profile, reference, terminology, text,
    },
    course::{Assessment, Course, Occasion, Setting, Stage},
    json::{Json, array, object},
    scene::Scene,
};

/// One stage of the course in a facility.
#[derive(Debug)]
pub(crate) struct Stay<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) facility: &'a Facility,
    /// `hospital`, `snf`, `hha`: part of ids.
    pub(crate) key: &'static str,
    /// Reference to the root Encounter.
    pub(crate) encounter: String,
    /// Where the patient went afterwards.
    pub(crate) next: Option<Setting>,
    /// Whether it follows a SNF stay, so that cognition and mood are known.
    pub(crate) follows_snf: bool,
}

impl Stay<'_> {
    pub(crate) fn is_post_acute(&self) -> bool {
        self.stage.setting != Setting::Hospital
    }
}

/// Chooses a facility for each stage.
pub(crate) fn plan<'a>(scene: &mut Scene<'a>, course: &'a Course) -> Vec<Stay<'a>> {
    let mut stays = Vec::new();
    for (at, stage) in course.stages.iter().enumerate() {
        let key = match stage.setting {
            Setting::Hospital => "hospital",
            Setting::Snf => "snf",
            Setting::HomeHealth => "hha",
        };
        let facility = scene.cast.facility(stage.setting, &mut scene.random);
        stays.push(Stay {
            stage,
            facility,
            key,
            encounter: scene.reference("Encounter", key),
            next: course.stages.get(at + 1).map(|next| next.setting),
            follows_snf: course.stages.iter().take(at).any(|before| before.setting == Setting::Snf),
        });
    }
    stays
}

fn class(setting: Setting) -> Json {
    match setting {
        Setting::Hospital => coding(ACT_CODE, "IMP"),
        Setting::Snf => coding(&format!("{RT}CodeSystem/timepoint-class-cs"), "SNF"),
        Setting::HomeHealth => coding(ACT_CODE, "HH"),
    }
}

fn participants(stay: &Stay<'_>) -> Json {
    let roles: &[Role] = match stay.stage.setting {
        Setting::Hospital => &[Role::Physician, Role::Nurse],
        Setting::Snf => &[Role::Nurse, Role::PhysicalTherapist, Role::OccupationalTherapist],
        Setting::HomeHealth => &[Role::Nurse, Role::PhysicalTherapist],
    };
    let one = |role: &Role| {
        object! {
            "type": array![terminology("v3-ParticipationType", "PART")],
            "individual": reference(&stay.facility.practitioner(*role)),
        }
    };
    Json::Array(roles.iter().map(one).collect())
}

/// Adds the root Encounter and, after the hospital, the EpisodeOfCare.
pub(crate) fn add(scene: &mut Scene<'_>, stay: &Stay<'_>, conditions: &Conditions) {
    let stage = stay.stage;
    let disposition = match (stage.end, stay.next) {
        (None, _) => None,
        (_, Some(Setting::Snf)) => Some("snf"),
        _ => Some("home"),
    };
    let episode = stay.is_post_acute().then(|| scene.reference("EpisodeOfCare", stay.key));
    let diagnosis = conditions.of_stay(stay.key);
    let members = object! {
        "meta": profile(format!("{US_CORE}us-core-encounter")),
        "identifier": array![object! {
            "system": format!("{IDENTIFIERS}stay"),
            "value": format!("{}-{}", scene.number(), stay.key),
        }],
        "status": if stage.end.is_some() { "finished" } else { "in-progress" },
        "class": class(stage.setting),
        "type": array![concept(SNOMED, "185347001", "Encounter for problem")],
        "subject": reference(&scene.patient),
        "episodeOfCare": episode.as_deref().map(|episode| array![reference(episode)]),
        "participant": participants(stay),
        "period": object! { "start": stage.start.at(15, 0), "end": stage.end.map(|end| end.at(10, 30)) },
        "reasonCode": array![concept(ICD10, conditions.reason.0, conditions.reason.1)],
        "diagnosis": array![object! {
            "condition": reference(&diagnosis),
            "use": terminology("diagnosis-role", "AD"),
            "rank": 1,
        }],
        "hospitalization": disposition.map(|code| {
            object! { "dischargeDisposition": terminology("discharge-disposition", code) }
        }),
        "location": array![object! { "location": reference(&stay.facility.location()) }],
        "serviceProvider": reference(&stay.facility.organization()),
    };
    scene.add("Encounter", stay.key, members);
    if stay.is_post_acute() {
        let members = object! {
            "status": if stage.end.is_some() { "finished" } else { "active" },
            "type": array![terminology("episodeofcare-type", "pac")],
            "diagnosis": array![object! { "condition": reference(&diagnosis) }],
            "patient": reference(&scene.patient),
            "managingOrganization": reference(&stay.facility.organization()),
            "period": object! { "start": stage.start.date(), "end": stage.end.map(Day::date) },
            "careManager": reference(&stay.facility.practitioner_role(Role::Nurse)),
        };
        scene.add("EpisodeOfCare", stay.key, members);
    }
}

/// Adds a ClinicalImpression for each assessment of a post-acute stay, and the timepoints between
/// them: neighbours share the impression at their border. `panels` are those of each assessment.
pub(crate) fn timepoints(scene: &mut Scene<'_>, stay: &Stay<'_>, conditions: &Conditions, panels: &[Vec<String>]) {
    if !stay.is_post_acute() {
        return;
    }
    let assessments = &stay.stage.assessments;
    let impressions: Vec<String> = assessments
        .iter()
        .enumerate()
        .map(|(at, one)| impression(scene, stay, at, one, panels.get(at).map_or(&[], Vec::as_slice)))
        .collect();
    // A timepoint opens with every assessment but the last; the last one opens one too while the
    // patient is still there.
    let opened = if stay.stage.end.is_some() { assessments.len().saturating_sub(1) } else { assessments.len() };
    for (at, opening) in assessments.iter().enumerate().take(opened) {
        let start = if at == 0 { stay.stage.start } else { opening.day };
        let closing = assessments.get(at + 1);
        let end = match closing {
            Some(one) if one.occasion == Occasion::End => stay.stage.end,
            Some(one) => Some(one.day.minus(1)),
            None => None,
        };
        let based_on = [impressions.get(at), impressions.get(at + 1)];
        timepoint(scene, stay, conditions, at + 1, (start, end), &based_on);
    }
}

fn occasion_text(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::HospitalDischarge => "before discharge from the hospital",
        Occasion::Start => "at the start of the stay",
        Occasion::Interim => "interim assessment",
        Occasion::End => "at the end of the stay",
    }
}

fn impression(scene: &mut Scene<'_>, stay: &Stay<'_>, at: usize, one: &Assessment, panels: &[String]) -> String {
    let summary = match one.mobility {
        ability if ability < 2.5 => "Needs help with most movement; focus on safe transfers.",
        ability if ability < 4.0 => "Moves with some help; focus on walking and dressing.",
        ability if ability < 5.2 => "Moves with supervision; focus on endurance and balance.",
        _ => "Moves alone; ready for the next step.",
    };
    let members = object! {
        "status": "completed",
        "description": format!("Assessment and impression {}", occasion_text(one.occasion)),
        "subject": reference(&scene.patient),
        "encounter": reference(&stay.encounter),
        "effectiveDateTime": one.day.date(),
        "date": one.day.at(16, 0),
        "assessor": reference(&stay.facility.practitioner_role(Role::Nurse)),
        "investigation": array![object! {
            "code": text("Assessment panels"),
            "item": Json::Array(panels.iter().map(|panel| reference(panel)).collect()),
        }],
        "summary": summary,
    };
    scene.add("ClinicalImpression", &format!("{}-{}", stay.key, at + 1), members)
}

fn timepoint(
    scene: &mut Scene<'_>,
    stay: &Stay<'_>,
    conditions: &Conditions,
    number: usize,
    (start, end): (Day, Option<Day>),
    impressions: &[Option<&String>],
) {
    let (service, service_text) = match stay.stage.setting {
        Setting::HomeHealth => ("oasis", "Outcome and Assessment Information Set"),
        _ => ("mds", "Minimum Data Set"),
    };
    let based_on = |impression: &String| {
        object! {
            "extension": array![object! {
                "url": format!("{RT}StructureDefinition/clinicalImpression"),
                "valueReference": reference(impression),
            }],
        }
    };
    let members = object! {
        "meta": profile(format!("{RT}StructureDefinition/reassessment-timepoints-encounter")),
        "identifier": array![object! {
            "system": format!("{IDENTIFIERS}timepoint"),
            "value": format!("{}-{}-{number}", scene.number(), stay.key),
        }],
        "status": if end.is_some() { "finished" } else { "in-progress" },
        "class": class(stay.stage.setting),
        "type": array![object! {
            "coding": array![
                coding(&format!("{RT}CodeSystem/timepoint-entity-cs"), "payer"),
                coding(SNOMED, "185347001"),
            ],
        }],
        "serviceType": concept(&format!("{RT}CodeSystem/timepoint-service-type-cs"), service, service_text),
        "subject": reference(&scene.patient),
        "episodeOfCare": array![reference(&scene.reference("EpisodeOfCare", stay.key))],
        "basedOn": Json::Array(impressions.iter().flatten().map(|one| based_on(one)).collect()),
        "participant": participants(stay),
        "period": object! { "start": start.date(), "end": end.map(Day::date) },
        "reasonCode": array![concept(ICD10, conditions.reason.0, conditions.reason.1)],
        "reasonReference": array![reference(&conditions.of_stay(stay.key))],
        "location": array![object! { "location": reference(&stay.facility.location()) }],
        "serviceProvider": reference(&stay.facility.organization()),
        "partOf": reference(&stay.encounter),
    };
    scene.add("Encounter", &format!("{}-timepoint-{number}", stay.key), members);
}
