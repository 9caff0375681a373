//! What a patient's consent lifts: a permit that names a sensitivity, for this caller, lets them see what is labelled so.
//! Rows F41, G4.
//!
//! Of the resources of which the permit speaks, and of no others: a permit for documents lifts nothing of observations.
//! With the sensitivity goes the confidentiality that mostly stands beside it, up to restricted. Very restricted stays
//! withheld, and so does every other sensitivity that the resource has. A refrain is not the patient's to lift (`NOPAT`
//! would be no more than a wish). Consents decide besides whether the resource is permitted at all.

use super::{ACT_CODE, CONFIDENTIALITY, Class, Confidentiality, class};
use crate::consent::{
    Directives, View,
    algebra::{and, is_within, not, nothing, or},
    limits::PARTS_MAX,
};
use fhir::{LogicalId, ResourceType};
use search::{
    ParameterId, Predicate, Test,
    matcher::Related,
    predicate::{Ruling, TokenSet, TokenTest},
};
use std::{any::Any, collections::BTreeMap, sync::Arc};

/// Gives what each patient's consents lift for one caller, of one type.
#[derive(Debug)]
pub(crate) struct Lift {
    /// The caller as consents see them.
    pub(crate) view: Arc<View>,
    /// The type.
    pub(crate) kind: ResourceType,
    /// `_security`.
    pub(crate) parameter: ParameterId,
    /// What the caller is cleared for.
    pub(crate) cleared: Arc<TokenSet>,
    /// What says nothing of its confidentiality is very restricted.
    pub(crate) silence_is_shut: bool,
}

impl Lift {
    fn has(&self, test: TokenTest) -> Arc<Predicate> {
        Arc::new(Predicate::Value { parameter: self.parameter, test: Test::Token(test) })
    }

    fn has_any<'c>(&self, codes: impl Iterator<Item = &'c String>) -> Arc<Predicate> {
        or(codes.map(|code| self.has(TokenTest::SystemCode(ACT_CODE.to_owned(), code.clone()))))
    }
}

impl Ruling for Lift {
    fn rule(&self, _: &LogicalId, said: Option<&(dyn Any + Send + Sync)>, related: &dyn Related) -> Arc<Predicate> {
        let Some(directives) = said.and_then(|said| said.downcast_ref::<Directives>()) else { return nothing() };
        let permitted = directives.permitted_labels(&self.view, self.kind, related);
        // Sensitivities by the permits that name them.
        let mut named: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
        for (at, permit) in permitted.iter().enumerate() {
            for (system, code) in &permit.labels {
                if class(system, code) == Some(Class::Category) {
                    named.entry(code).or_default().push(at);
                }
            }
        }
        // Mostly they lift nothing.
        if named.is_empty() {
            return nothing();
        }
        let mut groups: BTreeMap<Vec<usize>, Vec<&String>> = BTreeMap::new();
        for (code, permits) in named {
            groups.entry(permits).or_default().push(code);
        }
        let mut tokens = TokenSet::clone(&self.cleared);
        let levels = Confidentiality::ALL.into_iter().filter(|level| *level <= Confidentiality::Restricted);
        let levels = levels.map(|level| level.code().to_owned());
        tokens.codes.entry(CONFIDENTIALITY.to_owned()).or_default().extend(levels);
        // One of the sensitivities is there, and none that no permit lifts of this resource.
        let (mut lifted, mut all) = (Vec::new(), Vec::new());
        for (permits, codes) in groups {
            let of = or(permits.iter().filter_map(|at| permitted.get(*at)).map(|permit| Arc::clone(&permit.of)));
            lifted.push(and([self.has_any(codes.iter().copied()), Arc::clone(&of)]));
            let uncleared = codes.iter().copied().filter(|code| !self.cleared.has(Some(ACT_CODE), code));
            all.push(or([not(&self.has_any(uncleared)), of]));
            tokens.codes.entry(ACT_CODE.to_owned()).or_default().extend(codes.into_iter().cloned());
        }
        all.push(or(lifted));
        all.push(Arc::new(Predicate::Only { parameter: self.parameter, tokens: Arc::new(tokens) }));
        if self.silence_is_shut {
            all.push(self.has(TokenTest::System(CONFIDENTIALITY.to_owned())));
        }
        let rule = and(all);
        if is_within(&rule, PARTS_MAX) { rule } else { nothing() }
    }
}
