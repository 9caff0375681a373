//! `provision.purpose`: why somebody asks. SPEC: R4 consent.html; HL7 v3-ActReason below PurposeOfUse; rows G4, F48.
//!
//! A purpose meets one that it is or lies below: who asks for emergency treatment asks for treatment. The hierarchy is
//! [`oauth::udap::purpose`]. Who says no purpose at all may have any.

use super::{
    algebra::{Answer, Criterion},
    read::Coded,
    view::View,
};
use oauth::udap::purpose::{self, Purpose};

/// A purpose that a provision names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// `PurposeOfUse`: each of them.
    Any,
    /// This one and what lies below it.
    One(Purpose),
}

pub(crate) fn read(code: &Coded) -> Option<Named> {
    if &*code.system != purpose::SYSTEM || code.code.contains('#') {
        return None;
    }
    if &*code.code == "PurposeOfUse" { Some(Named::Any) } else { Purpose::parse(&code.code).map(Named::One) }
}

pub(crate) fn answer(criterion: &Criterion<Named>, view: &View) -> Answer {
    criterion.answer(|named| match named {
        Named::Any => Answer::YES,
        Named::One(_) if view.purposes.is_empty() => Answer::DOUBTFUL,
        Named::One(wanted) => Answer::is(view.purposes.iter().any(|one| one.is_a(*wanted))),
    })
}
