//! `provision.action`: what is done with the data. SPEC: R4 consent.html, code system consentaction; row G4.
//!
//! Consents bind who reads and searches. Reading is `access` and `use`; for whoever is not of the facility it is
//! `disclose` besides. `collect` and `correct` are writing: a provision for them alone meets no reading.

use super::{
    algebra::{Answer, Criterion},
    read::Coded,
    view::View,
};

const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/consentaction";

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are R4's codes")]
pub enum Action {
    Collect,
    Access,
    Use,
    Disclose,
    Correct,
}

impl Action {
    pub(crate) fn read(codes: &[Coded]) -> Option<Self> {
        codes.iter().filter(|one| &*one.system == SYSTEM).find_map(|one| match &*one.code {
            "collect" => Some(Self::Collect),
            "access" => Some(Self::Access),
            "use" => Some(Self::Use),
            "disclose" => Some(Self::Disclose),
            "correct" => Some(Self::Correct),
            _ => None,
        })
    }
}

pub(crate) fn answer(criterion: &Criterion<Action>, view: &View) -> Answer {
    criterion.answer(|action| Answer::is(view.actions.contains(action)))
}
