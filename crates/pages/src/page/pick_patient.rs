//! Whose record an app shall see, for who may see several. SPEC: row B25; SMART App Launch 2.2 `launch/patient`.

use crate::{PatientFacts, Secret, Text};

/// The patient picker: one, some, or many with a filter.
#[derive(Clone, Debug)]
pub struct PickPatient {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// The app that wants to know.
    pub app: Text,
    /// Those to choose from, at most [`crate::limits::ROWS_MAX`]; only those that the person may see.
    pub patients: Vec<PatientFacts>,
    /// There are more than these: shows the filter and says so.
    pub has_more: bool,
    /// What was looked for; `Some` shows the filter.
    pub filter: Option<Text>,
}
