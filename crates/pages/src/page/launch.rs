//! A clinician chooses a patient, then an app to open for them. SPEC: SMART App Launch 2.2, EHR launch; row B23.

use crate::{AppFacts, Date, Literal, PatientFacts, Secret, Text};

/// The way to open an app.
#[derive(Clone, Debug)]
pub struct Launch {
    /// How far it has come.
    pub step: LaunchStep,
}

/// How far it has come.
#[derive(Clone, Debug)]
pub enum LaunchStep {
    /// Choose a patient.
    Patient {
        /// What was looked for.
        filter: Option<Text>,
        /// Found, or lately seen; at most [`crate::limits::ROWS_MAX`].
        patients: Vec<PatientFacts>,
        /// There are more than these.
        has_more: bool,
    },
    /// The patient is chosen: choose a visit and an app.
    App {
        /// Form token.
        csrf: Secret,
        /// Whose record.
        patient: PatientFacts,
        /// Visits to choose from, latest first.
        encounters: Vec<EncounterFacts>,
        /// Apps that can be opened, with their client ids.
        apps: Vec<(Literal, AppFacts)>,
    },
}

/// A visit or a stay.
#[derive(Clone, Debug)]
pub struct EncounterFacts {
    /// Logical id.
    pub id: Literal,
    /// What it is: `Skilled nursing stay`.
    pub name: Text,
    /// First day.
    pub began: Option<Date>,
    /// Last day; `None`: goes on.
    pub ended: Option<Date>,
}
