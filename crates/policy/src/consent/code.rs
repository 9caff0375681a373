//! `provision.code`: resources with one of these codes anywhere in them. SPEC: R4 consent.html; row G4.
//!
//! Anywhere: in what R4's token parameters of the type find, and in all other Codings of the type and of contained
//! resources, which two hidden parameters of the server find (`search::registry::own`). Left out: codes in extensions
//! other than those that a token parameter finds, and codes below the code. A CodeableConcept with text alone cannot be
//! read.

use super::{
    algebra::{Criterion, Sides, or},
    facts,
    read::Coded,
};
use fhir::ResourceType;
use search::{ParameterId, Predicate, Test, predicate::TokenTest};
use std::sync::Arc;

/// The Codings of one CodeableConcept, all of the same meaning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Code(pub(crate) Vec<Coded>);

pub(crate) fn sides(criterion: &Criterion<Code>, kind: ResourceType) -> Sides {
    let parameters = &facts::of(kind).codes;
    criterion.sides(|code| Sides::exact(or(code.0.iter().map(|one| among(parameters, one)))))
}

/// Those in which one of the parameters has this code.
pub(crate) fn among(parameters: &[ParameterId], code: &Coded) -> Arc<Predicate> {
    or(parameters.iter().map(|parameter| has(*parameter, code)))
}

pub(crate) fn has(parameter: ParameterId, code: &Coded) -> Arc<Predicate> {
    let test = Test::Token(TokenTest::SystemCode(code.system.to_string(), code.code.to_string()));
    Arc::new(Predicate::Value { parameter, test })
}
