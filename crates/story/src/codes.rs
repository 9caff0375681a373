//! Codes of the story: systems, and the questions of the assessments with their answers.
//!
//! Facts only: LOINC codes and answer codes as the PFE and RT examples and the published MDS forms
//! use them. The texts beside them are ours and short; no questionnaire wording is reproduced.

use crate::json::{Json, array, object};

pub(crate) const LOINC: &str = "http://loinc.org";
pub(crate) const SNOMED: &str = "http://snomed.info/sct";
pub(crate) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";
pub(crate) const ICF: &str = "http://hl7.org/fhir/sid/icf";
pub(crate) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(crate) const US_CORE_CATEGORY: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category";
pub(crate) const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/";
pub(crate) const PFE: &str = "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/";
pub(crate) const RT: &str = "http://hl7.org/fhir/us/pacio-rt/";
/// Identifiers of the story; `example.org` belongs to nobody.
pub(crate) const IDENTIFIERS: &str = "http://example.org/handrail-story/";

pub(crate) fn coding(system: &str, code: &str) -> Json {
    object! { "system": system, "code": code }
}

pub(crate) fn concept(system: &str, code: &str, text: &str) -> Json {
    object! { "coding": array![coding(system, code)], "text": text }
}

pub(crate) fn terminology(name: &str, code: &str) -> Json {
    object! { "coding": array![coding(&format!("http://terminology.hl7.org/CodeSystem/{name}"), code)] }
}

pub(crate) fn text(text: &str) -> Json {
    object! { "text": text }
}

pub(crate) fn reference(to: &str) -> Json {
    object! { "reference": to }
}

pub(crate) fn profile(url: String) -> Json {
    object! { "profile": array![url] }
}

/// An answer: LOINC code, our text, and what it counts.
pub(crate) type Answer = (&'static str, &'static str, u32);

/// A question: LOINC code, our text, its answers.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
    pub(crate) answers: &'static [Answer],
}

/// Section GG: 6 is independent, 1 dependent.
pub(crate) const ASSISTANCE: &[Answer] = &[
    ("LA27665-1", "Dependent", 1),
    ("LA11759-0", "Substantial or maximal assistance", 2),
    ("LA10055-4", "Partial or moderate assistance", 3),
    ("LA28225-3", "Supervision or touching assistance", 4),
    ("LA10073-7", "Setup or clean-up assistance", 5),
    ("LA9983-3", "Independent", 6),
];

/// Not attempted for a medical reason or for safety.
pub(crate) const NOT_ATTEMPTED: (&str, &str) = ("LA26735-3", "Not attempted: medical condition or safety");

const fn ability(code: &'static str, text: &'static str) -> Question {
    Question { code, text, answers: ASSISTANCE }
}

/// Mobility, with how much harder than the average each is (steps of the scale).
pub(crate) const MOBILITY: &[(Question, f64)] = &[
    (ability("83214-7", "Lying to sitting on side of bed"), 0.5),
    (ability("83212-1", "Sit to stand"), 0.2),
    (ability("83210-5", "Chair or bed-to-chair transfer"), 0.0),
    (ability("83208-9", "Toilet transfer"), -0.2),
    (ability("83204-8", "Walk 10 feet"), -0.5),
    (ability("83202-2", "Walk 50 feet with two turns"), -0.9),
];

/// Self-care, likewise.
pub(crate) const SELF_CARE: &[(Question, f64)] = &[
    (ability("83232-9", "Eating"), 1.2),
    (ability("83230-3", "Oral hygiene"), 0.8),
    (ability("83228-7", "Toileting hygiene"), -0.2),
    (ability("83226-1", "Shower or bathe self"), -0.9),
    (ability("83224-6", "Upper body dressing"), 0.2),
    (ability("83222-0", "Lower body dressing"), -0.5),
];

pub(crate) const REPETITION: Question = Question {
    code: "52731-7",
    text: "Words repeated",
    answers: &[("LA137-2", "None", 0), ("LA6306-0", "One", 1), ("LA6404-3", "Two", 2), ("LA6395-3", "Three", 3)],
};

pub(crate) const TEMPORAL: &[Question] = &[
    Question {
        code: "52732-5",
        text: "Knows the year",
        answers: &[
            ("LA10965-4", "More than 5 years off, or no answer", 0),
            ("LA10966-2", "2 to 5 years off", 1),
            ("LA10008-3", "1 year off", 2),
            ("LA9960-1", "Correct", 3),
        ],
    },
    Question {
        code: "52733-3",
        text: "Knows the month",
        answers: &[
            ("LA10969-6", "More than 1 month off, or no answer", 0),
            ("LA10010-9", "6 days to 1 month off", 1),
            ("LA9927-0", "Within 5 days", 2),
        ],
    },
    Question {
        code: "54609-3",
        text: "Knows the day of the week",
        answers: &[("LA9981-7", "Incorrect, or no answer", 0), ("LA9960-1", "Correct", 1)],
    },
];

pub(crate) const RECALL: &[Question] = &[
    Question {
        code: "52735-8",
        text: "Recall, first word",
        answers: &[("LA10974-6", "No", 0), ("LA10126-3", "After a cue", 1), ("LA10134-7", "Without a cue", 2)],
    },
    Question {
        code: "52736-6",
        text: "Recall, second word",
        answers: &[("LA10974-6", "No", 0), ("LA10978-7", "After a cue", 1), ("LA10134-7", "Without a cue", 2)],
    },
    Question {
        code: "52737-4",
        text: "Recall, third word",
        answers: &[("LA10974-6", "No", 0), ("LA10125-5", "After a cue", 1), ("LA10134-7", "Without a cue", 2)],
    },
];

const FREQUENCY: &[Answer] = &[
    ("LA10997-7", "Never or 1 day", 0),
    ("LA10998-5", "2 to 6 days", 1),
    ("LA10999-3", "7 to 11 days", 2),
    ("LA11000-9", "12 to 14 days", 3),
];

const fn mood(code: &'static str, text: &'static str) -> Question {
    Question { code, text, answers: FREQUENCY }
}

/// How often in two weeks, nine questions of mood.
pub(crate) const MOOD: &[Question] = &[
    mood("54637-4", "Interest: how often low"),
    mood("54639-0", "Low mood: how often"),
    mood("54641-6", "Sleep: how often disturbed"),
    mood("54643-2", "Energy: how often low"),
    mood("54645-7", "Appetite: how often disturbed"),
    mood("54647-3", "Self-esteem: how often low"),
    mood("54649-9", "Concentration: how often poor"),
    mood("54651-5", "Pace: how often slowed or restless"),
    mood("54653-1", "Thoughts of harm: how often"),
];
