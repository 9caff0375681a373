//! What a change of consents would do, before anybody makes it, by what the consents alone say. With all else that
//! decides, for the page where people choose: [`crate::Foresight`].
//!
//! Whoever asks brings the resources of the record and those who might look; what comes back is a list of what each
//! would no longer see, or see anew. Nothing is stored.

use super::{Directives, Ruling, View};
use fhir::LogicalId;
use search::matcher::{Related, Subject};
use std::sync::Arc;

/// What a change does to one resource, for one who might look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Seen before and after.
    Stays,
    /// Seen no more.
    Hides,
    /// Seen anew.
    Shows,
    /// Seen neither before nor after.
    StaysHidden,
}

/// What becomes of each resource of a patient's record for one who might look; in the order of the resources.
#[must_use]
pub fn changes(
    view: &Arc<View>,
    patient: &LogicalId,
    (before, after): (&Directives, &Directives),
    resources: &[Subject<'_>],
    related: &dyn Related,
) -> Vec<Change> {
    let change = |subject: &Subject<'_>| {
        let ruling = Ruling::guard(view, subject.resource_type);
        let seen = |said| ruling.allows(patient, Some(said), *subject, related);
        match (seen(before), seen(after)) {
            (true, true) => Change::Stays,
            (true, false) => Change::Hides,
            (false, true) => Change::Shows,
            (false, false) => Change::StaysHidden,
        }
    };
    resources.iter().map(change).collect()
}
