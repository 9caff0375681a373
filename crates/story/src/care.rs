//! What is planned and ordered around the stay: conditions, goals, devices, therapy orders, diet
//! with allergies, and the narrative history of status.
//!
//! SPEC: PFE 2.0.0 condition profiles, pfe-goal, pfe-use-of-device, pfe-service-request,
//! pfe-nutrition-order, pfe-narrative-history-of-status; US Core allergyintolerance.

use crate::{
    assessment,
    cast::Role,
    codes::{
        ICD10, ICF, LOINC, PFE, SNOMED, US_CORE, US_CORE_CATEGORY, coding, concept, profile, reference, terminology,
        text,
    },
    course::{Course, Setting, Trend},
    json::{Json, array, object},
    scene::Scene,
    stay::Stay,
};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Why the patient came: ICD-10-CM and SNOMED CT.
type Reason = (&'static str, &'static str, &'static str);

const REASONS: &[Reason] = &[
    ("I63.9", "Cerebral infarction, unspecified", "422504002"),
    ("S72.001A", "Fracture of neck of right femur, initial encounter", "5913000"),
    ("J44.1", "COPD with acute exacerbation", "195951007"),
    ("I50.9", "Heart failure, unspecified", "84114007"),
    ("J18.9", "Pneumonia, unspecified organism", "233604007"),
];

const PROBLEMS: &[(&str, &str)] = &[
    ("38341003", "High blood pressure"),
    ("44054006", "Type 2 diabetes mellitus"),
    ("709044004", "Chronic kidney disease"),
    ("396275006", "Osteoarthritis"),
    ("49436004", "Atrial fibrillation"),
    ("35489007", "Depressive disorder"),
];

const ALLERGIES: &[(&str, &str, &str)] = &[
    ("372733002", "Angiotensin-converting enzyme inhibitor", "medication"),
    ("764146007", "Penicillin", "medication"),
    ("256349002", "Peanut", "food"),
    ("44027008", "Seafood", "food"),
];

/// The conditions of one patient.
#[derive(Debug)]
pub(crate) struct Conditions {
    /// ICD-10-CM code and text of what brought the patient.
    pub(crate) reason: (&'static str, &'static str),
    /// Encounter diagnosis of each stay, by the stay's key.
    diagnoses: Vec<(&'static str, String)>,
    /// Loss of strength: what goals and therapy address.
    concern: String,
}

impl Conditions {
    /// The encounter diagnosis of a stay.
    pub(crate) fn of_stay(&self, key: &str) -> String {
        self.diagnoses.iter().find(|(stay, _)| *stay == key).map_or(&self.concern, |(_, reference)| reference).clone()
    }
}

fn condition(
    profile_name: &str,
    categories: Vec<Json>,
    code: Json,
    scene: &Scene<'_>,
    onset: String,
    rest: Json,
) -> Json {
    let mut members = object! {
        "meta": profile(format!("{PFE}{profile_name}")),
        "clinicalStatus": terminology("condition-clinical", "active"),
        "verificationStatus": terminology("condition-ver-status", "confirmed"),
        "category": categories,
        "code": code,
        "subject": reference(&scene.patient),
        "onsetDateTime": &onset,
    };
    if let (Json::Object(all), Json::Object(more)) = (&mut members, rest) {
        all.extend(more);
    }
    members
}

/// Adds encounter diagnoses, problems, and the functional concern.
pub(crate) fn conditions(scene: &mut Scene<'_>, stays: &[Stay<'_>]) -> Conditions {
    let (icd, name, snomed) = *scene.random.pick(REASONS);
    let mut diagnoses = Vec::new();
    for stay in stays {
        let onset = stay.stage.start.at(12, 0);
        let code = object! { "coding": array![coding(SNOMED, snomed), coding(ICD10, icd)], "text": name };
        let rest = object! {
            "encounter": reference(&stay.encounter),
            "recordedDate": &onset,
            "asserter": reference(&stay.facility.practitioner(Role::Physician)),
        };
        let category = vec![terminology("condition-category", "encounter-diagnosis")];
        let members = condition("pfe-condition-encounter-diagnosis", category, code, scene, onset.clone(), rest);
        diagnoses.push((stay.key, scene.add("Condition", &format!("diagnosis-{}", stay.key), members)));
    }
    let start = stays.first().map(|stay| stay.stage.start);
    let count = scene.random.range(1, 3) as usize;
    let first = scene.random.range(0, 5) as usize;
    for (number, (snomed, name)) in PROBLEMS.iter().cycle().skip(first).take(count).enumerate() {
        let years = scene.random.range(1, 12);
        let onset = start.map_or_else(String::new, |start| start.minus(years * 365).date());
        let category = vec![terminology("condition-category", "problem-list-item")];
        let code = concept(SNOMED, snomed, name);
        let members =
            condition("pfe-condition-problems-health-concerns", category, code, scene, onset.clone(), Json::Nothing);
        scene.add("Condition", &format!("problem-{}", number + 1), members);
    }
    let evidence = stays.first().map(|stay| scene.reference("Observation", &assessment::key(stay, 0, "83212-1")));
    let asserter = stays.first().map(|stay| reference(&stay.facility.practitioner(Role::PhysicalTherapist)));
    let category = vec![
        object! { "coding": array![coding("http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern")] },
        object! { "coding": array![coding(US_CORE_CATEGORY, "functional-status")] },
    ];
    let onset = start.map_or_else(String::new, |start| start.plus(2).date());
    let rest = object! {
        "recordedDate": &onset,
        "asserter": asserter,
        "evidence": evidence.map(|one| array![object! { "detail": array![reference(&one)] }]),
    };
    let code = concept(SNOMED, "31031000119102", "Physical deconditioning");
    let members = condition("pfe-condition-problems-health-concerns", category, code, scene, onset.clone(), rest);
    let concern = scene.add("Condition", "concern-strength", members);
    Conditions { reason: (icd, name), diagnoses, concern }
}

/// Adds everything else.
pub(crate) fn add(
    scene: &mut Scene<'_>,
    course: &Course,
    stays: &[Stay<'_>],
    conditions: &Conditions,
    panels: &[Vec<Vec<String>>],
    caregivers: &[String],
) {
    devices(scene, course);
    narrative(scene, stays);
    let Some(stay) = stays.iter().find(|stay| stay.is_post_acute()) else { return };
    goals(scene, course, stay, conditions);
    orders(scene, stay, conditions);
    diet(scene, stay);
    transfer_report(scene, stays, panels, caregivers);
}

fn devices(scene: &mut Scene<'_>, course: &Course) {
    let used =
        course.stages.iter().flat_map(|stage| &stage.assessments).filter_map(|one| assessment::device(one.mobility));
    let mut all: Vec<(&str, &str)> = used.collect();
    all.sort_unstable();
    all.dedup();
    for (key, name) in all {
        let members = object! {
            "status": "active",
            "deviceName": array![object! { "name": name, "type": "user-friendly-name" }],
            "type": text(name),
            "patient": reference(&scene.patient),
        };
        scene.add("Device", key, members);
    }
}

fn narrative(scene: &mut Scene<'_>, stays: &[Stay<'_>]) {
    let Some(stay) = stays.first() else { return };
    let (answer, answer_text, story) = *scene.random.pick(&[
        (
            "LA11539-6",
            "Independent",
            "Before this illness the patient walked without help, cooked, and managed the house alone.",
        ),
        (
            "LA11539-6",
            "Independent",
            "Before this illness the patient lived alone, drove short ways, and walked with a cane outdoors.",
        ),
        (
            "LA30364-6",
            "Needed some help",
            "Before this illness the patient walked indoors with a walker and had help with bathing and shopping.",
        ),
    ]);
    let start = stay.stage.start;
    let members = object! {
        "meta": profile(format!("{PFE}pfe-narrative-history-of-status")),
        "extension": array![
            object! {
                "url": "http://hl7.org/fhir/StructureDefinition/event-location",
                "valueReference": reference(&stay.facility.location()),
            },
            object! {
                "url": format!("{PFE}assistance-required"),
                "valueCodeableConcept": concept(LOINC, answer, answer_text),
            },
        ],
        "status": "final",
        "category": array![
            object! { "coding": array![coding(LOINC, "LP7839-6")] },
            concept(ICF, "d4", "Mobility"),
            concept(ICF, "d5", "Self-care"),
        ],
        "code": concept(LOINC, "10158-4", "History of functional status"),
        "subject": reference(&scene.patient),
        "encounter": reference(&stay.encounter),
        "effectivePeriod": object! { "start": start.minus(365).date(), "end": start.date() },
        "issued": start.plus(1).at(11, 0),
        "performer": array![reference(&stay.facility.practitioner_role(Role::Physician))],
        "presentedForm": array![object! { "contentType": "text/plain", "data": STANDARD.encode(story) }],
    };
    scene.add("DiagnosticReport", "history-of-status", members);
}

fn goals(scene: &mut Scene<'_>, course: &Course, stay: &Stay<'_>, conditions: &Conditions) {
    let ended = course.stages.last().is_some_and(|stage| stage.end.is_some());
    let (lifecycle, achievement) = match (ended, course.trend) {
        (false, Trend::Improves) => ("active", "improving"),
        (false, _) => ("active", "in-progress"),
        (true, Trend::Improves) => ("completed", "achieved"),
        (true, Trend::Holds) => ("completed", "sustaining"),
        (true, Trend::Declines) => ("completed", "not-achieved"),
    };
    let start = stay.stage.start.plus(2);
    let wishes = [
        ("walking", concept(SNOMED, "715032004", "Able to walk in room"), "83204-8", Role::PhysicalTherapist),
        ("dressing", text("Dresses the lower body alone"), "83222-0", Role::OccupationalTherapist),
    ];
    for (key, description, question, role) in wishes {
        let observation = scene.reference("Observation", &assessment::key(stay, 0, question));
        let therapist = stay.facility.practitioner(role);
        let members = object! {
            "meta": profile(format!("{PFE}pfe-goal")),
            "lifecycleStatus": lifecycle,
            "achievementStatus": terminology("goal-achievement", achievement),
            "description": description,
            "subject": reference(&scene.patient),
            "startDate": start.date(),
            "target": array![object! {
                "measure": object! { "coding": array![coding(LOINC, question)] },
                "detailCodeableConcept": concept(LOINC, "LA9983-3", "Independent"),
                "dueDate": start.plus(28).date(),
            }],
            "expressedBy": reference(&therapist),
            "addresses": array![reference(&conditions.concern), reference(&observation)],
            "note": array![object! {
                "authorReference": reference(&therapist),
                "time": start.at(9, 0),
                "text": "Agreed with the patient and the family at the first visit.",
            }],
        };
        scene.add("Goal", &format!("goal-{key}"), members);
    }
}

fn orders(scene: &mut Scene<'_>, stay: &Stay<'_>, conditions: &Conditions) {
    let therapies = [
        ("pt", "91251008", "Physical therapy"),
        ("ot", "84478008", "Occupational therapy"),
        ("slp", "5154007", "Speech therapy"),
    ];
    let count = if scene.random.chance(40) { 3 } else { 2 };
    for (key, code, name) in therapies.iter().take(count) {
        let members = object! {
            "meta": profile(format!("{PFE}pfe-service-request")),
            "status": if stay.stage.end.is_some() { "completed" } else { "active" },
            "intent": "order",
            "category": array![concept(SNOMED, "386053000", "Evaluation procedure")],
            "priority": "routine",
            "code": concept(SNOMED, code, name),
            "subject": reference(&scene.patient),
            "encounter": reference(&stay.encounter),
            "occurrencePeriod": object! {
                "start": stay.stage.start.plus(1).date(),
                "end": stay.stage.end.map(crate::calendar::Day::date),
            },
            "authoredOn": stay.stage.start.at(17, 0),
            "requester": reference(&stay.facility.practitioner_role(Role::Physician)),
            "reasonReference": array![reference(&conditions.concern)],
        };
        scene.add("ServiceRequest", &format!("order-{key}"), members);
    }
}

fn diet(scene: &mut Scene<'_>, stay: &Stay<'_>) {
    let (code, name, category) = *scene.random.pick(ALLERGIES);
    let members = object! {
        "meta": profile(format!("{US_CORE}us-core-allergyintolerance")),
        "clinicalStatus": terminology("allergyintolerance-clinical", "active"),
        "verificationStatus": terminology("allergyintolerance-verification", "confirmed"),
        "category": array![category],
        "criticality": "low",
        "code": concept(SNOMED, code, name),
        "patient": reference(&scene.patient),
    };
    let allergy = scene.add("AllergyIntolerance", "allergy", members);
    let (kind, name, instruction) = *scene.random.pick(&[
        ("437421000124105", "Decreased sodium diet", "No added salt; a snack in the evening if wished."),
        ("1237451006", "Regular diet, IDDSI level 7", "Encourage fluids with each meal."),
        ("1055201009", "Decreased protein diet", "Small portions, six times a day."),
    ]);
    let start = stay.stage.start.plus(1);
    let members = object! {
        "meta": profile(format!("{PFE}pfe-nutrition-order")),
        "status": if stay.stage.end.is_some() { "completed" } else { "active" },
        "intent": "order",
        "patient": reference(&scene.patient),
        "encounter": reference(&stay.encounter),
        "dateTime": start.at(8, 0),
        "orderer": reference(&stay.facility.practitioner_role(Role::Dietitian)),
        "allergyIntolerance": array![reference(&allergy)],
        "oralDiet": object! {
            "type": array![concept(SNOMED, kind, name)],
            "schedule": array![object! {
                "repeat": object! {
                    "boundsPeriod": object! { "start": start.date() },
                    "frequency": 3, "period": 1, "periodUnit": "d",
                },
            }],
            "instruction": instruction,
        },
    };
    scene.add("NutritionOrder", "diet", members);
}

/// The note that goes with a patient from the SNF to home health: what was found at the end.
fn transfer_report(scene: &mut Scene<'_>, stays: &[Stay<'_>], panels: &[Vec<Vec<String>>], caregivers: &[String]) {
    let Some((at, stay)) = stays.iter().enumerate().find(|(_, stay)| stay.stage.setting == Setting::Snf) else {
        return;
    };
    let (Some(end), Some(last)) = (stay.stage.end, panels.get(at).and_then(|panels| panels.last())) else { return };
    let at_home = if caregivers.len() > 1 { "two family caregivers" } else { "a family caregiver" };
    let note = format!("Leaves with a home program; {at_home} were shown transfers and safe walking.");
    let members = object! {
        "meta": profile(format!("{PFE}pfe-diagnostic-report-note-exchange")),
        "status": "final",
        "category": array![object! { "coding": array![coding(LOINC, "LP7839-6")] }],
        "code": concept(LOINC, "18842-5", "Discharge summary"),
        "subject": reference(&scene.patient),
        "encounter": reference(&stay.encounter),
        "effectiveDateTime": end.at(9, 0),
        "issued": end.at(9, 30),
        "performer": array![reference(&stay.facility.practitioner_role(Role::PhysicalTherapist))],
        "result": Json::Array(last.iter().map(|panel| reference(panel)).collect()),
        "conclusion": &note,
        "presentedForm": array![object! { "contentType": "text/plain", "data": STANDARD.encode(&note) }],
    };
    scene.add("DiagnosticReport", "transfer-note", members);
}
