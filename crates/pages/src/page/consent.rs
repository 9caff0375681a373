//! Consent: what an app asks to see, and the person's choice. SPEC: SMART App Launch 2.2; rows B27, B28, A18, E2, E3.
//!
//! Things are put in groups that a person thinks in, by [`crate::words`]. A group has one switch; behind "details" each
//! scope has its own, and both must be on. What is private, what changes the record, and what reaches beyond one record
//! stands apart and is off until switched on. Read the answer with [`crate::words::chosen`].

use crate::{AppFacts, Lasts, PatientFacts, Secret, words::Ask};

/// The consent page.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// Who asks.
    pub app: AppFacts,
    /// Whose record: of `launch/patient` or a launch. `None`: the records that the person may see (`user/` scopes), or
    /// none at all.
    pub patient: Option<PatientFacts>,
    /// What the app asks for, each with the state of its switch. Without `launch…`, `offline_access` and
    /// `online_access`, which are no choices of this kind.
    pub asks: Vec<Ask>,
    /// The choices of how long, one or more. With more than [`Lasts::Now`] the page tells of offline access.
    pub lasts: Vec<Lasts>,
    /// Which of them is chosen at first.
    pub lasts_chosen: Lasts,
    /// Nothing was chosen, yet "share" pressed.
    pub was_empty: bool,
}
