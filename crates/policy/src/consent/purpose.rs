//! `provision.purpose`: why somebody asks. SPEC: R4 consent.html; HL7 v3-ActReason below PurposeOfUse; rows G4, F48.
//!
//! A purpose meets one that it is or lies below: who asks for emergency treatment asks for treatment. The hierarchy is
//! [`oauth::udap::purpose`]. Who says no purpose at all may have any.
//!
//! Who says **several** asks for data that may be used for each of them. So all of them have to be met for a permission
//! to count, each by one of the purposes that the provision names, and any of them for a denial. SPEC: IHE PCF (the
//! purposes of a token are those that the data is to be used for); UDAP B2B `purpose_of_use`.

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
    if !criterion.is_populated() || criterion.repeats.contains(&Named::Any) {
        return Answer::YES;
    }
    if view.purposes.is_empty() {
        return Answer::DOUBTFUL;
    }
    let named =
        |one: Purpose| criterion.repeats.iter().any(|wanted| matches!(wanted, Named::One(wanted) if one.is_a(*wanted)));
    let answer = view.asks_for(named);
    Answer { maybe: answer.maybe || criterion.doubtful, ..answer }
}
