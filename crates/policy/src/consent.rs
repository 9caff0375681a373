//! What patients allow and forbid: R4 Consents, read once per patient, evaluated for one caller as a predicate.
//!
//! | file | thing of the standard |
//! |---|---|
//! | [`directive`] | one Consent: status, scope, dateTime, policy, verification, period |
//! | [`provision`] | a provision and the ones below it |
//! | [`actor`], [`action`], [`purpose`] | criteria of who asks and why: decided when the predicate is made |
//! | [`class`], [`code`], [`data_period`], [`data`], [`security_label`] | criteria of what is asked for: parts of the predicate |
//! | [`implicit`] | what holds where no Consent speaks (IHE PCF's four policies) |
//! | [`combine`] | several Consents of one patient |
//! | [`rule`] | the result: [`Ruling`], a [`search::predicate::Ruling`] |
//! | [`trace`], [`preview`] | why, and what a change would do |
//!
//! **What cannot be understood fails safe.** Each criterion has two sides: what surely meets it and what may meet it
//! ([`algebra::Sides`]). A denial counts for what may meet it, a permission for what surely does. So a deny that cannot
//! be read denies, and a permit that cannot be read permits nothing, at every depth.
//!
//! SPEC: R4 consent.html; IHE Privacy Consent on FHIR 1.1; rows G1 to G8, G11, G16, G18. In plain words:
//! docs/consent.md. Left out: `Consent.organization` (what a patient said counts here, whoever keeps the paper),
//! `Consent.source` and signatures, codes below a code (a code means itself), resources within others.

pub(crate) mod action;
pub(crate) mod actor;
pub(crate) mod algebra;
pub(crate) mod class;
pub(crate) mod code;
pub(crate) mod combine;
pub(crate) mod data;
pub(crate) mod data_period;
pub(crate) mod directive;
pub(crate) mod facts;
pub(crate) mod implicit;
pub(crate) mod limits;
pub mod preview;
pub(crate) mod provision;
pub(crate) mod purpose;
pub(crate) mod read;
pub(crate) mod rule;
pub(crate) mod security_label;
pub(crate) mod trace;
pub(crate) mod view;

pub use action::Action;
pub use combine::Combine;
pub use directive::{ConsentSource, Directives, Idle, Ignored};
pub use implicit::Implicit;
pub use provision::Kind;
pub use rule::Ruling;
pub use trace::{Element, Met, OfConsent, Step, Trace, Verdict};
pub use view::{Asking, Glass, Settings, View};

#[cfg(test)]
mod tests;
