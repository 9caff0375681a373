//! What the facility decided on who may see what, beside what standards say. One value for the whole server: the store
//! hands it to all who compile grants, and grants that were compiled under another are compiled anew.

use crate::{consent, label::Labels, rules::Rules};
use std::sync::Arc;

/// What the facility decided. The default is what a server does that was told nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct House {
    /// How consents count. `None`: not at all, which no server does that was started; a caller is then withheld nothing
    /// by them (rows G1 to G8).
    pub consents: Option<consent::Settings>,
    /// What labels mean here, and who is cleared for which (rows F40 to F47).
    pub labels: Arc<Labels>,
    /// The operator's rules.
    pub rules: Arc<Rules>,
    /// Whom clinicians see.
    pub clinicians: Clinicians,
    /// How long after its end an Encounter still relates who took part in it, and an Appointment after its time;
    /// milliseconds.
    pub encounter_lookback_ms: i64,
    /// How long after its end a Coverage still relates its payer: what it covered is settled; milliseconds.
    pub payer_lookback_ms: i64,
}

impl Default for House {
    fn default() -> Self {
        Self {
            labels: Arc::default(),
            rules: Arc::default(),
            consents: None,
            clinicians: Clinicians::default(),
            encounter_lookback_ms: ENCOUNTER_LOOKBACK_DAYS * DAY_MS,
            payer_lookback_ms: PAYER_LOOKBACK_DAYS * DAY_MS,
        }
    }
}

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Days for which a finished Encounter relates who took part in it, when nothing else is said: letters, results that
/// come late, questions of who goes on.
pub(crate) const ENCOUNTER_LOOKBACK_DAYS: i64 = 30;

/// Days for which an ended Coverage relates its payer, when nothing else is said: claims are filed for up to a year.
pub(crate) const PAYER_LOOKBACK_DAYS: i64 = 365;

/// Whom clinicians see (row G15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clinicians {
    /// Those whom they have to do with.
    #[default]
    Related,
    /// Every patient.
    Everyone,
}
