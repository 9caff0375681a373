//! Assessments: the QuestionnaireResponse as source, a PFE single Observation for each answer, and
//! PFE collections that hold them. Total scores are derived from their items.
//!
//! SPEC: PFE 2.0.0 pfe-collection, pfe-observation-single, event-location, device-patient-used.

use crate::{
    calendar::Day,
    cast::Role,
    codes::{
        Answer, ICF, LOINC, MOBILITY, MOOD, NOT_ATTEMPTED, PFE, Question, RECALL, REPETITION, SELF_CARE, TEMPORAL,
        US_CORE, US_CORE_CATEGORY, coding, concept, profile, reference, terminology,
    },
    course::{Assessment, Occasion, Setting},
    json::{Json, array, object},
    scene::Scene,
    stay::Stay,
};

/// A device that a patient moves with, by ability: key, name.
pub(crate) fn device(mobility: f64) -> Option<(&'static str, &'static str)> {
    match mobility {
        ability if ability < 2.6 => Some(("wheelchair", "Manual wheelchair")),
        ability if ability < 4.3 => Some(("walker", "Rolling walker")),
        ability if ability < 5.4 => Some(("cane", "Cane")),
        _ => None,
    }
}

/// What the answers of one panel have in common.
struct Panel<'a> {
    key: String,
    code: &'static str,
    text: &'static str,
    /// US Core category, ICF code and its text.
    category: (&'static str, &'static str, &'static str),
    performer: Role,
    stay: &'a Stay<'a>,
    /// Which assessment of the stay, from 0.
    at: usize,
    day: Day,
    response: String,
}

/// An answer given: LOINC answer code, text, and points.
type Given = (&'static str, &'static str, u32);

const FUNCTION: &str = "functional-status";
const COGNITION: &str = "cognitive-status";

/// Key of the Observation of a question: what goals and concerns refer to.
pub(crate) fn key(stay: &Stay<'_>, assessment: usize, code: &str) -> String {
    format!("{}-{}-{code}", stay.key, assessment + 1)
}

/// Adds all assessments of a stay; gives the panels of each.
pub(crate) fn add(scene: &mut Scene<'_>, stay: &Stay<'_>) -> Vec<Vec<String>> {
    stay.stage.assessments.iter().enumerate().map(|(at, one)| assessment(scene, stay, at, one)).collect()
}

fn assessment(scene: &mut Scene<'_>, stay: &Stay<'_>, at: usize, one: &Assessment) -> Vec<String> {
    let (mobility, self_care) = panel_codes(stay.stage.setting, one.occasion);
    let cognition = match one.occasion {
        Occasion::Start => !stay.follows_snf,
        Occasion::End => stay.stage.setting == Setting::Snf && stay.next.is_none(),
        _ => false,
    };
    let mood = one.occasion == Occasion::Start && !stay.follows_snf;
    let response_key = format!("{}-{}", stay.key, at + 1);
    let response = scene.reference("QuestionnaireResponse", &response_key);
    let panel = |code: &'static str, text: &'static str, category, performer| Panel {
        key: key(stay, at, code),
        code,
        text,
        category,
        performer,
        stay,
        at,
        day: one.day,
        response: response.clone(),
    };
    let (mut panels, mut items) = (Vec::new(), Vec::new());
    if cognition {
        let panel = panel(
            "52491-8",
            "Brief interview for mental status",
            (COGNITION, "b1", "Mental functions"),
            Role::SpeechTherapist,
        );
        panels.push(bims(scene, &panel, one.cognition, &mut items));
    }
    if mood {
        let panel = panel("54635-8", "Mood interview", (COGNITION, "b1", "Mental functions"), Role::Nurse);
        panels.push(mood_interview(scene, &panel, one.mood, &mut items));
    }
    let panel_mobility = panel(mobility, "Mobility", (FUNCTION, "d4", "Mobility"), Role::PhysicalTherapist);
    let used = device_use(scene, stay, at, one, &panel_mobility);
    panels.push(abilities(scene, &panel_mobility, one.mobility, MOBILITY, used, &mut items));
    if let Some(code) = self_care {
        let panel = panel(code, "Self-care", (FUNCTION, "d5", "Self-care"), Role::OccupationalTherapist);
        panels.push(abilities(scene, &panel, one.self_care, SELF_CARE, None, &mut items));
    }
    let author = if stay.stage.setting == Setting::Snf { Role::MdsCoordinator } else { Role::Nurse };
    let members = object! {
        "meta": profile(format!("{US_CORE}us-core-questionnaireresponse")),
        "questionnaire": "http://example.org/handrail-story/Questionnaire/post-acute-assessment",
        "status": "completed",
        "subject": reference(&scene.patient),
        "encounter": reference(&stay.encounter),
        "authored": one.day.at(15, 30),
        "author": reference(&stay.facility.practitioner_role(author)),
        "item": Json::Array(items),
    };
    scene.add("QuestionnaireResponse", &response_key, members);
    panels
}

/// LOINC codes of the mobility and the self-care panel. SPEC: PFE panel value set; RT examples.
fn panel_codes(setting: Setting, occasion: Occasion) -> (&'static str, Option<&'static str>) {
    match (setting, occasion) {
        (Setting::HomeHealth, Occasion::Start) => ("89477-4", Some("89479-0")),
        (Setting::HomeHealth, Occasion::End) => ("89474-1", Some("89475-8")),
        (Setting::HomeHealth, _) => ("88486-6", Some("88485-8")),
        (_, Occasion::Start) => ("88330-6", Some("83233-7")),
        (_, Occasion::Interim) => ("90541-4", Some("90540-6")),
        (_, Occasion::End) => ("88331-4", Some("95734-0")),
        (_, Occasion::HospitalDischarge) => ("88331-4", None),
    }
}

fn device_use(
    scene: &mut Scene<'_>,
    stay: &Stay<'_>,
    at: usize,
    one: &Assessment,
    panel: &Panel<'_>,
) -> Option<String> {
    let (device, _) = device(one.mobility)?;
    let members = object! {
        "meta": profile(format!("{PFE}pfe-use-of-device")),
        "status": "active",
        "subject": reference(&scene.patient),
        "derivedFrom": array![reference(&scene.reference("Observation", &panel.key))],
        "recordedOn": one.day.at(14, 0),
        "source": reference(&stay.facility.practitioner(Role::PhysicalTherapist)),
        "device": reference(&scene.reference("Device", device)),
    };
    Some(scene.add("DeviceUseStatement", &format!("{}-{}", stay.key, at + 1), members))
}

/// Members common to every Observation of a panel, with what makes it a single one or a collection.
fn observation(
    scene: &mut Scene<'_>,
    panel: &Panel<'_>,
    key: &str,
    of: &str,
    code: Json,
    devices: &[String],
    rest: Json,
) -> String {
    let (category, icf, icf_text) = panel.category;
    let mut extension = vec![object! {
        "url": "http://hl7.org/fhir/StructureDefinition/event-location",
        "valueReference": reference(&panel.stay.facility.location()),
    }];
    extension.extend(devices.iter().map(|used| {
        object! { "url": format!("{PFE}device-patient-used"), "valueReference": reference(used) }
    }));
    let mut members = object! {
        "meta": profile(format!("{PFE}{of}")),
        "extension": extension,
        "status": "final",
        "category": array![
            object! { "coding": array![coding(US_CORE_CATEGORY, category)] },
            terminology("observation-category", "survey"),
            concept(ICF, icf, icf_text),
        ],
        "code": code,
        "subject": reference(&scene.patient),
        "encounter": reference(&panel.stay.encounter),
        "effectiveDateTime": panel.day.at(14, 0),
        "performer": array![reference(&panel.stay.facility.practitioner_role(panel.performer))],
    };
    if let (Json::Object(all), Json::Object(more)) = (&mut members, rest) {
        all.extend(more);
    }
    scene.add("Observation", key, members)
}

fn collection(
    scene: &mut Scene<'_>,
    panel: &Panel<'_>,
    key: &str,
    code: (&str, &str),
    devices: &[String],
    members: &[String],
) -> String {
    let rest = object! {
        "hasMember": Json::Array(members.iter().map(|member| reference(member)).collect()),
        "derivedFrom": array![reference(&panel.response)],
    };
    observation(scene, panel, key, "pfe-collection", concept(LOINC, code.0, code.1), devices, rest)
}

fn single(
    scene: &mut Scene<'_>,
    panel: &Panel<'_>,
    question: &Question,
    given: Given,
    items: &mut Vec<Json>,
) -> String {
    let (code, text, _) = given;
    items.push(object! {
        "linkId": question.code,
        "text": question.text,
        "answer": array![object! { "valueCoding": object! { "system": LOINC, "code": code, "display": text } }],
    });
    let rest = object! {
        "valueCodeableConcept": concept(LOINC, code, text),
        "derivedFrom": array![reference(&panel.response)],
    };
    let code = concept(LOINC, question.code, question.text);
    observation(scene, panel, &key(panel.stay, panel.at, question.code), "pfe-observation-single", code, &[], rest)
}

fn total(
    scene: &mut Scene<'_>,
    panel: &Panel<'_>,
    code: &str,
    text: &str,
    points: u32,
    from: &[String],
    items: &mut Vec<Json>,
) -> String {
    items.push(object! { "linkId": code, "text": text, "answer": array![object! { "valueInteger": points }] });
    let derived = std::iter::once(&panel.response).chain(from).map(|one| reference(one)).collect();
    let rest = object! {
        "valueQuantity": object! {
            "value": points, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}",
        },
        "derivedFrom": Json::Array(derived),
    };
    observation(
        scene,
        panel,
        &key(panel.stay, panel.at, code),
        "pfe-observation-single",
        concept(LOINC, code, text),
        &[],
        rest,
    )
}

/// The answer with these points, or the nearest below.
fn with_points(answers: &'static [Answer], points: u32) -> Given {
    let below = answers.iter().rev().find(|(_, _, value)| *value <= points);
    below.or(answers.first()).copied().unwrap_or_default()
}

/// The answer to a question of which the patient reaches this share (0 to 1) of the points.
fn share(scene: &mut Scene<'_>, question: &'static Question, share: f64) -> Given {
    let most = question.answers.last().map_or(0, |(_, _, points)| *points);
    let reached = (f64::from(most) * share + scene.random.real(-0.35, 0.35)).round().clamp(0.0, f64::from(most));
    with_points(question.answers, whole(reached))
}

/// A small number that is not negative, as it is.
fn whole(value: f64) -> u32 {
    (0..=30).rev().find(|whole| f64::from(*whole) <= value).unwrap_or(0)
}

fn group(panel: &Panel<'_>, inner: Vec<Json>) -> Json {
    object! { "linkId": panel.code, "text": panel.text, "item": inner }
}

fn abilities(
    scene: &mut Scene<'_>,
    panel: &Panel<'_>,
    ability: f64,
    questions: &'static [(Question, f64)],
    device: Option<String>,
    items: &mut Vec<Json>,
) -> String {
    let mut inner = Vec::new();
    let mut members = Vec::new();
    for (question, ease) in questions {
        let reached = (ability + ease + scene.random.real(-0.4, 0.4)).round().clamp(1.0, 6.0);
        let unsafe_to_try = question.text.starts_with("Walk") && ability < 2.2;
        let given = if unsafe_to_try {
            (NOT_ATTEMPTED.0, NOT_ATTEMPTED.1, 0)
        } else {
            with_points(question.answers, whole(reached))
        };
        members.push(single(scene, panel, question, given, &mut inner));
    }
    items.push(group(panel, inner));
    let devices: Vec<String> = device.into_iter().collect();
    collection(scene, panel, &panel.key, (panel.code, panel.text), &devices, &members)
}

/// Three words, orientation, recall, and the score of them: two collections inside one.
fn bims(scene: &mut Scene<'_>, panel: &Panel<'_>, cognition: f64, items: &mut Vec<Json>) -> String {
    let reached = cognition / 15.0;
    let (mut inner, mut answered, mut points) = (Vec::new(), Vec::new(), 0);
    let mut ask = |scene: &mut Scene<'_>, question: &'static Question, ease: f64, items: &mut Vec<Json>| {
        let given = share(scene, question, (reached + ease).clamp(0.0, 1.0));
        points += given.2;
        let made = single(scene, panel, question, given, items);
        answered.push(made.clone());
        made
    };
    let repetition = ask(scene, &REPETITION, 0.15, &mut inner);
    let mut members = vec![repetition];
    for (code, text, questions, ease) in
        [("54510-3", "Temporal orientation", TEMPORAL, 0.05), ("52493-4", "Recall", RECALL, -0.1)]
    {
        let mut nested = Vec::new();
        let asked: Vec<String> = questions.iter().map(|question| ask(scene, question, ease, &mut nested)).collect();
        inner.push(object! { "linkId": code, "text": text, "item": nested });
        members.push(collection(scene, panel, &key(panel.stay, panel.at, code), (code, text), &[], &asked));
    }
    members.push(total(scene, panel, "54614-3", "Summary score", points, &answered, &mut inner));
    items.push(group(panel, inner));
    collection(scene, panel, &panel.key, (panel.code, panel.text), &[], &members)
}

fn mood_interview(scene: &mut Scene<'_>, panel: &Panel<'_>, mood: f64, items: &mut Vec<Json>) -> String {
    let (mut inner, mut members, mut points) = (Vec::new(), Vec::new(), 0);
    for question in MOOD {
        // The story holds nobody who thinks of harming themselves.
        let given = if question.code == "54653-1" {
            with_points(question.answers, 0)
        } else {
            share(scene, question, (mood / 24.0).clamp(0.0, 1.0))
        };
        points += given.2;
        members.push(single(scene, panel, question, given, &mut inner));
    }
    let derived = members.clone();
    members.push(total(scene, panel, "54654-9", "Severity score", points, &derived, &mut inner));
    items.push(group(panel, inner));
    collection(scene, panel, &panel.key, (panel.code, panel.text), &[], &members)
}
