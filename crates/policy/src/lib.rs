//! Who may do what: the only place that decides, and the only maker of [`Permit`].
//!
//! A grant is a search: every scope becomes a [`search::Predicate`] per resource type and letter.
//! `decide` narrows, never widens: server rules ∩ what a person may ∩ what an organization's purpose gives ∩ scopes
//! (rows B41, F48). The store ANDs the permit's
//! predicate into every road by which a row can leave, so there is no filter to forget afterwards.
//!
//! Pure: no I/O, no clock. SPEC: SMART App Launch 2.2 scopes; rows B30 to B46, F1 to F13.

mod change;
pub mod consent;
mod criteria;
mod decide;
pub mod deidentified;
mod denied;
mod enforceable;
mod explain;
mod foresee;
mod glass;
mod grants;
mod guard;
mod house;
mod identity;
mod interaction;
pub mod label;
pub mod limits;
mod organization;
mod permit;
mod person;
mod record;
mod relation;
pub mod rules;
pub mod shadow;
#[cfg(test)]
mod testing;
mod world;

pub use change::{Shift, Way, shifts};
pub use decide::decide;
pub use denied::Denied;
pub use enforceable::{enforceable, enforceable_for_people};
pub use explain::explain;
pub use foresee::Foresight;
pub use grants::{
    Grants,
    account::{Decision, Effect, Looked, Part, Source, Trace, account},
};
pub use guard::{Asker, acted_for};
pub use house::{Clinicians, DAY_MS, House};
pub use identity::Identity;
pub use interaction::{Interaction, RulesAct};
pub use organization::Organization;
pub use permit::{Access, Need, Permit};
pub use person::Person;
pub use rules::{Facts, Rules};
