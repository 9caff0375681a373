//! `provision.securityLabel`: resources with such a label. SPEC: R4 security-labels.html; HL7 v3-Confidentiality,
//! v3-ActCode; IHE PCF; rows G4, F40, F41.
//!
//! - **Confidentiality** is ordered: U, L, M, N, R, V. A permit for one means resources that are at most that
//!   confidential, a deny those that are at least that (high-water mark). A resource without one is N; of several the
//!   highest counts; one that nobody knows counts above V.
//! - **Other labels** mean resources with that label or one below it in the hierarchy of its code system, as far as the
//!   server has the system (v3-ActCode: `SUD` means `ETHUD` too).
//!
//! A resource's labels are those of `meta.security`, of a DocumentReference also `securityLabel`, of a Composition also
//! `confidentiality`.

use super::{
    algebra::{Criterion, Sides, and, not, or},
    code, facts,
    provision::Kind,
    read::Coded,
};
use fhir::{ResourceType, schema::Definitions};
use search::{ParameterId, Predicate, Test, predicate::TokenTest};
use std::sync::Arc;

/// The code system of confidentiality.
pub(crate) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// Its codes, from the least to the most confidential (row F40).
pub(crate) const LEVELS: [&str; 6] = ["U", "L", "M", "N", "R", "V"];

/// What a resource has that says nothing: N.
const UNSAID: usize = 3;

/// A label that a provision names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Label {
    /// A confidentiality, by its place in [`LEVELS`].
    Level(usize),
    /// Any of these: a label and those below it; the label itself is the first.
    Any(Vec<Coded>),
}

pub(crate) fn read(named: Coded) -> Option<Label> {
    if &*named.system == CONFIDENTIALITY {
        return LEVELS.iter().position(|level| *level == &*named.code).map(Label::Level);
    }
    let system = Definitions::builtin().code_system(&named.system);
    let below = system.map(|system| system.tree(&named.code)).unwrap_or_default();
    let below = below.into_iter().filter(|code| *code != &*named.code);
    let below = below.map(|code| Coded { system: Arc::clone(&named.system), code: code.into() }).collect::<Vec<_>>();
    Some(Label::Any(std::iter::once(named).chain(below).collect()))
}

pub(crate) fn sides(criterion: &Criterion<Label>, kind: ResourceType, provision: Kind) -> Sides {
    let parameters = &facts::of(kind).labels;
    criterion.sides(|label| {
        Sides::exact(match label {
            Label::Level(level) if provision == Kind::Permit => not(&above(parameters, *level)),
            Label::Level(0) => super::algebra::everything(),
            Label::Level(level) => above(parameters, level - 1),
            Label::Any(codes) => or(codes.iter().map(|one| code::among(parameters, one))),
        })
    })
}

/// Those that are more confidential than this level.
fn above(parameters: &[ParameterId], level: usize) -> Arc<Predicate> {
    let has = |code: &str| {
        let coded = Coded { system: CONFIDENTIALITY.into(), code: code.into() };
        code::among(parameters, &coded)
    };
    let higher = or(LEVELS.iter().skip(level + 1).map(|code| has(code)));
    let any = or(parameters.iter().map(|parameter| {
        let test = Test::Token(TokenTest::System(CONFIDENTIALITY.to_owned()));
        Arc::new(Predicate::Value { parameter: *parameter, test })
    }));
    let unknown = and([Arc::clone(&any), not(&or(LEVELS.iter().map(|code| has(code))))]);
    let unsaid = if UNSAID > level { not(&any) } else { super::algebra::nothing() };
    or([higher, unknown, unsaid])
}
