//! `provision.dataPeriod`: resources of a time. SPEC: R4 consent.html; row G4.
//!
//! The time of a resource is its clinical time; where it has none, when it was written ([`super::facts`]). It surely
//! lies in the period when all of it does, and may when some of it does. A resource without a time may be of any: a
//! permit for a period does not give it, a deny of one withholds it. But the Patient, who is of all times, goes with a
//! permit for a period and stays with a deny of one: a record nobody may name is no part of a record.

use super::{
    algebra::{Sides, and, not, nothing, or, whether},
    facts,
    provision::Kind,
    read::{Period, Span},
};
use fhir::ResourceType;
use search::{
    ParameterId, Predicate, Test,
    predicate::{DateTest, Prefix},
};
use std::sync::Arc;

pub(crate) fn sides(period: Period, kind: ResourceType, provision: Kind) -> Sides {
    let span = match period {
        Period::None => return Sides::met(),
        Period::Unreadable => return Sides::doubtful(),
        Period::Span(span) => span,
    };
    if kind.name() == "Patient" {
        return Sides::exact(whether(provision == Kind::Permit));
    }
    let (mut surely, mut maybe) = (nothing(), super::algebra::everything());
    // From the last to the first: what a parameter says counts where those before it say nothing.
    for parameter in facts::of(kind).times.iter().rev() {
        let missing = Arc::new(Predicate::Missing { parameter: *parameter, missing: true });
        let test = |prefix| test(*parameter, prefix, span);
        let within = and([test(Prefix::Eq), not(&test(Prefix::Ne))]);
        surely = or([within, and([Arc::clone(&missing), surely])]);
        maybe = or([test(Prefix::Ap), and([missing, maybe])]);
    }
    Sides { surely, maybe }
}

fn test(parameter: ParameterId, prefix: Prefix, span: Span) -> Arc<Predicate> {
    let test = Test::Date(DateTest { prefix, low: span.low, high: span.high });
    Arc::new(Predicate::Value { parameter, test })
}
