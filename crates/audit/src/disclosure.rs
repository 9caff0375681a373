//! What counts as a disclosure in the accounting that a patient may ask for (row F21; 45 CFR 164.528).
//!
//! - It left to somebody outside the house: an organization that came by UDAP, or a system that is not the house's own.
//! - Something of a patient was read or found. What somebody outside wrote is no disclosure.
//! - [`Rule::Outside`]: unless every purpose is treatment, payment, health care operations, or the patient's own wish:
//!   these need no accounting. A purpose that is not known needs one.
//! - [`Rule::All`]: whatever the purpose.
//!
//! What staff look at is a use, and what patients and caregivers see is their own: neither is a disclosure.

use crate::entry::{Action, Entry, Kind, Outcome};
use oauth::udap::purpose::Purpose;

/// Which of what left to others counts (`audit.disclosures`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// What left for another purpose than treatment, payment, operations or the patient's own wish.
    #[default]
    Outside,
    /// Everything that left to somebody outside.
    All,
}

/// Purposes whose disclosures need no accounting, with those below them.
const EXEMPT: [&str; 4] = ["TREAT", "HPAYMT", "HOPERAT", "PATRQT"];

impl Rule {
    /// Whether this counts; the caller says whether it left to somebody outside.
    #[must_use]
    pub fn counts(self, entry: &Entry) -> bool {
        let showed = entry.kind == Kind::Rest
            && entry.outcome == Outcome::Success
            && matches!(entry.action, Action::Read | Action::Execute)
            && !entry.patients.is_empty();
        let is_exempt = |code: &str| {
            let purpose = Purpose::parse(code);
            let below = |ancestor: &&str| {
                purpose.zip(Purpose::parse(ancestor)).is_some_and(|(purpose, ancestor)| purpose.is_a(ancestor))
            };
            EXEMPT.iter().any(below)
        };
        let purposes = entry.purposes();
        showed
            && match self {
                Self::All => true,
                Self::Outside => purposes.is_empty() || !purposes.iter().all(|purpose| is_exempt(purpose)),
            }
    }
}

#[cfg(test)]
mod tests {
    //! F21, row by row.

    use super::*;
    use crate::{entry::Grounds, log::tests::entry};
    use fhir::LogicalId;

    fn left(purposes: &[&str]) -> Entry {
        let purposes = purposes.iter().map(|code| (*code).into()).collect();
        let grounds = Some(Box::new(Grounds { purposes, ..Grounds::default() }));
        Entry { patients: vec![LogicalId::parse("p").unwrap()], grounds, ..entry(1) }
    }

    #[test]
    fn f21_what_counts() {
        for purposes in [&["TREAT"][..], &["HPAYMT"], &["CLMATTCH"], &["HOPERAT", "TREAT"], &["FAMRQT"], &["BTG"]] {
            assert!(!Rule::Outside.counts(&left(purposes)), "{purposes:?}");
            assert!(Rule::All.counts(&left(purposes)), "{purposes:?}");
        }
        for purposes in [&["PUBHLTH"][..], &["HRESCH"], &["HMARKT"], &["TREAT", "PUBHLTH"], &[], &["unknown"]] {
            assert!(Rule::Outside.counts(&left(purposes)), "{purposes:?}");
        }
        let nothing = [
            Entry { patients: Vec::new(), ..left(&["PUBHLTH"]) },
            Entry { outcome: Outcome::MinorFailure, ..left(&["PUBHLTH"]) },
            Entry { action: Action::Create, ..left(&["PUBHLTH"]) },
            Entry { kind: Kind::Security, ..left(&["PUBHLTH"]) },
        ];
        for entry in nothing {
            assert!(!Rule::All.counts(&entry) && !Rule::Outside.counts(&entry));
        }
    }
}
