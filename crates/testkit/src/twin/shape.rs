//! The resources of a world: a few facts each, from which the JSON and the answers of the scope
//! criteria are made apart from each other, so that the server's matcher does not judge itself.

use super::dice::Dice;
use serde_json::{Value, json};

/// A resource type of the worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Type {
    Patient,
    Practitioner,
    Observation,
    Condition,
    Encounter,
    DiagnosticReport,
    Questionnaire,
    RiskAssessment,
}

use Type::{Condition, DiagnosticReport, Encounter, Observation, Patient, Practitioner, Questionnaire, RiskAssessment};

/// All of them.
pub(super) const TYPES: [Type; 8] =
    [Patient, Practitioner, Observation, Condition, Encounter, DiagnosticReport, Questionnaire, RiskAssessment];

impl Type {
    pub(super) fn name(self) -> &'static str {
        match self {
            Patient => "Patient",
            Practitioner => "Practitioner",
            Observation => "Observation",
            Condition => "Condition",
            Encounter => "Encounter",
            DiagnosticReport => "DiagnosticReport",
            Questionnaire => "Questionnaire",
            RiskAssessment => "RiskAssessment",
        }
    }

    /// How many ids of the type a world has.
    pub(super) fn ids(self) -> usize {
        match self {
            Patient => 4,
            Observation => 8,
            Condition | Encounter => 4,
            Practitioner | DiagnosticReport | Questionnaire | RiskAssessment => 3,
        }
    }

    /// The id at this place.
    pub(super) fn id(self, at: usize) -> String {
        let letter = match self {
            Patient => 'p',
            Practitioner => 'd',
            Observation => 'o',
            Condition => 'c',
            Encounter => 'e',
            DiagnosticReport => 'r',
            Questionnaire => 'q',
            RiskAssessment => 'k',
        };
        format!("{letter}{at}")
    }

    /// Parameter, system and codes of the fact that scopes most often go by.
    pub(super) fn label(self) -> (&'static str, &'static str, [&'static str; 3]) {
        match self {
            Patient | Practitioner => ("gender", "", ["female", "male", "other"]),
            Observation => (
                "category",
                "http://terminology.hl7.org/CodeSystem/observation-category",
                ["survey", "laboratory", "vital-signs"],
            ),
            Condition => (
                "category",
                "http://terminology.hl7.org/CodeSystem/condition-category",
                ["problem-list-item", "encounter-diagnosis", "survey"],
            ),
            Encounter => ("class", "http://terminology.hl7.org/CodeSystem/v3-ActCode", ["AMB", "IMP", "HH"]),
            DiagnosticReport => ("category", "http://terminology.hl7.org/CodeSystem/v2-0074", ["LAB", "RAD", "OTH"]),
            Questionnaire => ("status", "", ["draft", "active", "retired"]),
            RiskAssessment => ("method", "urn:test:method", ["survey", "laboratory", "guess"]),
        }
    }

    /// Parameter and codes of the second fact, where the type has one.
    pub(super) fn status(self) -> Option<(&'static str, [&'static str; 2])> {
        match self {
            Patient | Practitioner => Some(("active", ["true", "false"])),
            Observation | DiagnosticReport => Some(("status", ["final", "preliminary"])),
            Condition => Some(("clinical-status", ["active", "recurrence"])),
            Encounter => Some(("status", ["finished", "in-progress"])),
            Questionnaire | RiskAssessment => None,
        }
    }

    /// The date parameter, where the type has one.
    pub(super) fn date(self) -> Option<&'static str> {
        match self {
            Patient => Some("birthdate"),
            Condition => Some("onset-date"),
            Observation | Encounter | DiagnosticReport | Questionnaire | RiskAssessment => Some("date"),
            Practitioner => None,
        }
    }

    pub(super) fn has_code(self) -> bool {
        matches!(self, Observation | Condition | DiagnosticReport)
    }

    pub(super) fn has_patient(self) -> bool {
        matches!(self, Observation | Condition | Encounter | DiagnosticReport | RiskAssessment)
    }

    /// The parameter of the number, where the type has one.
    pub(super) fn number(self) -> Option<&'static str> {
        match self {
            Observation => Some("value-quantity"),
            RiskAssessment => Some("probability"),
            _ => None,
        }
    }
}

/// Reference parameters that the worlds' resources have values of: source, code, target.
pub(super) const LINKS: [(Type, &str, Type); 24] = [
    (Patient, "general-practitioner", Practitioner),
    (Observation, "subject", Patient),
    (Observation, "patient", Patient),
    (Observation, "derived-from", Observation),
    (Observation, "encounter", Encounter),
    (Observation, "performer", Practitioner),
    (Condition, "subject", Patient),
    (Condition, "patient", Patient),
    (Condition, "encounter", Encounter),
    (Condition, "asserter", Practitioner),
    (Encounter, "subject", Patient),
    (Encounter, "patient", Patient),
    (Encounter, "participant", Practitioner),
    (Encounter, "practitioner", Practitioner),
    (DiagnosticReport, "subject", Patient),
    (DiagnosticReport, "patient", Patient),
    (DiagnosticReport, "result", Observation),
    (RiskAssessment, "subject", Patient),
    (RiskAssessment, "patient", Patient),
    (RiskAssessment, "encounter", Encounter),
    (RiskAssessment, "performer", Practitioner),
    (Observation, "subject", Patient),
    (Condition, "patient", Patient),
    (DiagnosticReport, "result", Observation),
];

pub(super) const CODES: [&str; 3] = ["8867-4", "718-7", "72166-2"];
pub(super) const WORDS: [&str; 5] = ["Alba", "Alder", "Birch", "birch", "Ålesund"];
pub(super) const LOINC: &str = "http://loinc.org";

/// What a version of a resource says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) kind: Type,
    pub(super) id: String,
    pub(super) label: Option<usize>,
    pub(super) status: usize,
    pub(super) code: usize,
    pub(super) patient: Option<String>,
    /// 0 to 99.
    pub(super) number: usize,
    /// Day of January 2026.
    pub(super) day: usize,
    pub(super) word: usize,
    pub(super) other: String,
    pub(super) tag: usize,
}

impl Shape {
    pub(super) fn roll(dice: &mut Dice, kind: Type, id: &str) -> Self {
        let other = match kind {
            Patient => Practitioner,
            Practitioner => Patient,
            Observation => *dice.pick(&[Observation, Encounter, Practitioner]),
            Condition | RiskAssessment => *dice.pick(&[Encounter, Practitioner]),
            Encounter => Practitioner,
            DiagnosticReport => Observation,
            Questionnaire => Questionnaire,
        };
        Self {
            kind,
            id: id.to_owned(),
            label: (!dice.chance(8) || matches!(kind, Encounter | Questionnaire)).then(|| dice.below(3)),
            status: dice.below(2),
            code: dice.below(3),
            patient: (!dice.chance(10) || matches!(kind, Condition | RiskAssessment))
                .then(|| Patient.id(dice.below(4))),
            number: dice.below(100),
            day: 1 + dice.below(28),
            word: dice.below(WORDS.len()),
            other: format!("{}/{}", other.name(), other.id(dice.below(other.ids()))),
            tag: dice.below(3),
        }
    }

    pub(super) fn label_code(&self) -> Option<&'static str> {
        self.label.map(|at| self.kind.label().2[at])
    }

    pub(super) fn date(&self) -> String {
        format!("2026-01-{:02}", self.day)
    }

    /// The resource.
    pub(super) fn json(&self) -> Value {
        let (_, system, _) = self.kind.label();
        let label = self.label_code();
        let concept = label.map(|code| json!({"coding": [{"system": system, "code": code, "display": code}]}));
        let status = self.kind.status().map(|(_, codes)| codes[self.status]);
        let code = json!({"coding": [{"system": LOINC, "code": CODES[self.code], "display": WORDS[self.word]}], "text": WORDS[self.word]});
        let subject = self.patient.as_ref().map(|id| json!({"reference": format!("Patient/{id}")}));
        let other = json!({"reference": self.other});
        let is = |kind: Type| self.other.starts_with(&format!("{}/", kind.name()));
        let mut value = json!({"resourceType": self.kind.name(), "id": self.id});
        if self.tag > 0 {
            value["meta"] = json!({"tag": [{"system": "urn:test:tag", "code": format!("t{}", self.tag)}]});
        }
        let mut set = |name: &str, to: Value| {
            if !to.is_null() {
                value[name] = to;
            }
        };
        match self.kind {
            Patient | Practitioner => {
                set("identifier", json!([{"system": "urn:test:mrn", "value": WORDS[self.word]}]));
                set("active", json!(self.status == 0));
                set("name", json!([{"family": WORDS[self.word], "given": [format!("G{}", self.number)]}]));
                set("gender", json!(label));
                set("birthDate", json!(self.date()));
                if self.kind == Patient {
                    set("generalPractitioner", json!([other]));
                }
            }
            Observation => {
                set("identifier", json!([{"system": "urn:test:obs", "value": format!("n{}", self.number % 4)}]));
                set("status", json!(status));
                set("category", concept.map_or(Value::Null, |concept| json!([concept])));
                set("code", code);
                set("subject", json!(subject));
                let element = if is(Observation) {
                    "derivedFrom"
                } else if is(Encounter) {
                    "encounter"
                } else {
                    "performer"
                };
                set(element, if element == "encounter" { other } else { json!([other]) });
                set("effectiveDateTime", json!(self.date()));
                let unit = "http://unitsofmeasure.org";
                set("valueQuantity", json!({"value": self.number, "system": unit, "code": "/min", "unit": "/min"}));
            }
            Condition => {
                let clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical";
                set("clinicalStatus", json!({"coding": [{"system": clinical, "code": status}]}));
                set("category", concept.map_or(Value::Null, |concept| json!([concept])));
                set("code", code);
                set("subject", json!(subject));
                set(if is(Encounter) { "encounter" } else { "asserter" }, other);
                set("onsetDateTime", json!(self.date()));
            }
            Encounter => {
                set("status", json!(status));
                set("class", json!({"system": system, "code": label}));
                set("subject", json!(subject));
                set("participant", json!([{"individual": other}]));
                set("period", json!({"start": self.date(), "end": self.date()}));
            }
            DiagnosticReport => {
                set("status", json!(status));
                set("category", concept.map_or(Value::Null, |concept| json!([concept])));
                set("code", code);
                set("subject", json!(subject));
                set("effectiveDateTime", json!(self.date()));
                set("result", json!([other]));
            }
            Questionnaire => {
                set("url", json!(format!("http://example.org/q/{}/{}", WORDS[self.word % 3], self.number % 3)));
                set("version", json!(format!("{}.0", self.number % 3)));
                set("name", json!(WORDS[self.word % 4]));
                set("title", json!(WORDS[self.word]));
                set("status", json!(label));
                set("date", json!(self.date()));
            }
            RiskAssessment => {
                set("status", json!("final"));
                set("method", json!(concept));
                set("subject", json!(subject));
                set(if is(Encounter) { "encounter" } else { "performer" }, other);
                set("occurrenceDateTime", json!(self.date()));
                let probability: Value = serde_json::from_str(&format!("0.{:02}", self.number)).expect("a number");
                set("prediction", json!([{"probabilityDecimal": probability}]));
            }
        }
        value
    }
}
