//! What a patient's consent lifts: a permit that names a sensitivity, for this caller, lets them see what is labelled so.
//! Rows F41, G4.
//!
//! With the sensitivity goes the confidentiality that mostly stands beside it, up to restricted: of resources that have
//! the sensitivity, of no others. Very restricted stays withheld, and so does every other sensitivity that the resource
//! has. Consents decide besides whether the resource is permitted at all.

use super::{ACT_CODE, CONFIDENTIALITY, Class, Confidentiality, Label};
use crate::consent::{Directives, View};
use fhir::LogicalId;
use search::{
    ParameterId, Predicate, Test,
    matcher::Related,
    predicate::{Ruling, TokenSet, TokenTest},
};
use std::{any::Any, sync::Arc};

/// Gives what each patient's consents lift for one caller.
#[derive(Debug)]
pub(crate) struct Lift {
    /// The caller as consents see them.
    pub(crate) view: Arc<View>,
    /// `_security`.
    pub(crate) parameter: ParameterId,
    /// What the caller is cleared for.
    pub(crate) cleared: Arc<TokenSet>,
}

impl Ruling for Lift {
    fn rule(&self, _: &LogicalId, said: Option<&(dyn Any + Send + Sync)>, related: &dyn Related) -> Arc<Predicate> {
        let directives = said.and_then(|said| said.downcast_ref::<Directives>());
        let permitted = directives.map(|directives| directives.permitted_labels(&self.view, related));
        let labels = permitted.into_iter().flatten().map(|(system, code)| Label { system, code });
        let labels: Vec<Label> =
            labels.filter(|label| matches!(label.class(), Some(Class::Category | Class::Refrain))).collect();
        if labels.is_empty() {
            return Arc::new(Predicate::Nothing);
        }
        let mut tokens = TokenSet::clone(&self.cleared);
        tokens.codes.entry(ACT_CODE.to_owned()).or_default().extend(labels.iter().map(|label| label.code.clone()));
        let levels = Confidentiality::ALL.into_iter().filter(|level| *level <= Confidentiality::Restricted);
        let levels = levels.map(|level| level.code().to_owned());
        tokens.codes.entry(CONFIDENTIALITY.to_owned()).or_default().extend(levels);
        let has = labels.into_iter().map(|Label { system, code }| {
            let test = Test::Token(TokenTest::SystemCode(system, code));
            Arc::new(Predicate::Value { parameter: self.parameter, test })
        });
        Arc::new(Predicate::And(vec![
            Arc::new(Predicate::Only { parameter: self.parameter, tokens: Arc::new(tokens) }),
            Arc::new(Predicate::Or(has.collect())),
        ]))
    }
}
