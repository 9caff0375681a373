//! The slow, obvious decider of consents, and random cases that hold the engine to it.
//!
//! [`decider`] works on plain JSON: the Consents as they were written, the resource as it is stored, the other resources
//! of a small world. It knows no predicates, no index values and none of `policy`'s types; where something is in doubt
//! it tries every answer and takes the strictest outcome. `policy::consent` must decide the same (rows G4 to G7):
//! `cargo xtask decide` asks both as long as one likes, `cargo test -p testkit` for some seconds.

pub(crate) mod cases;
pub(crate) mod decider;
mod engine;
mod shrink;

use crate::dice::Dice;
use serde_json::Value;
use std::fmt;

pub use decider::{Caller, Defaults, House, Kind, Outcome, World, decide};

/// How a run went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// Decisions compared.
    pub cases: u64,
    /// Of these, seen by the caller.
    pub permitted: u64,
    /// Of these, given to a caller who is named.
    pub given: u64,
    /// Withheld because the rule is beyond the engine's limit.
    pub too_large: u64,
    /// Sets of Consents.
    pub consents: u64,
}

/// A case in which the two differ, as small as it could be made.
#[derive(Debug, Clone)]
pub struct Difference {
    seed: u64,
    caller: Caller,
    house: House,
    consents: Vec<Value>,
    resource: Value,
    gives: bool,
    engine: bool,
    reference: Outcome,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = if self.gives { "gives" } else { "guard" };
        writeln!(f, "seed {}, {asked}: engine {}, reference {:?}", self.seed, self.engine, self.reference)?;
        writeln!(f, "{:?}\n{:?}", self.caller, self.house)?;
        for consent in &self.consents {
            writeln!(f, "{consent:#}")?;
        }
        writeln!(f, "{:#}", self.resource)
    }
}

/// Compares the engine with the reference on at least so many random cases.
///
/// # Errors
/// The first difference, made small.
pub fn run(cases: u64, seed: u64, mut progress: impl FnMut(&Seen)) -> Result<Seen, Box<Difference>> {
    let world = cases::world();
    let engine = engine::Engine::new(&world);
    let pool = cases::resources(&mut Dice::new(0), &world);
    let pool: Vec<engine::Resource> = pool.into_iter().map(|json| engine.resource(json)).collect();
    let mut seen = Seen::default();
    let mut round = seed;
    while seen.cases < cases {
        let mut dice = Dice::new(round);
        let house = cases::house(&mut dice);
        let consents = cases::consents(&mut dice);
        let read = engine.read(&consents);
        seen.consents += 1;
        for _ in 0..4 {
            let caller = cases::caller(&mut dice);
            let mut asking = engine.asking(&caller, &house, &read);
            for _ in 0..10 {
                let resource = dice.pick(&pool);
                let outcome = decide(&consents, &caller, &house, &resource.json, &world);
                for gives in [false, true] {
                    let wanted = if gives { outcome == Outcome::Given } else { outcome >= Outcome::Permitted };
                    let decided = asking.decides(resource, gives);
                    seen.cases += 1;
                    seen.permitted += u64::from(!gives && wanted);
                    seen.given += u64::from(gives && wanted);
                    if !decided && wanted && asking.is_too_large(resource, gives) {
                        seen.too_large += 1;
                    } else if decided != wanted {
                        let found = (consents.clone(), resource.json.clone());
                        return Err(Box::new(shrink::smallest(&engine, &world, round, &caller, &house, found, gives)));
                    }
                }
            }
        }
        round = round.wrapping_add(1);
        if seen.consents % 4096 == 0 {
            progress(&seen);
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The short run of `cargo xtask decide` (rows G4, G5, G6, G7, G16).
    #[test]
    fn the_engine_decides_as_the_reference_does() {
        let seen = run(20_000, 1, |_| {}).unwrap_or_else(|difference| panic!("{difference}"));
        // Neither all nor nothing: both outcomes are common, and gifts happen.
        assert!(seen.permitted * 10 > seen.cases && seen.permitted * 10 < seen.cases * 9, "{seen:?}");
        assert!(seen.given > 30, "{seen:?}");
        assert!(seen.too_large * 1000 < seen.cases, "{seen:?}");
    }
}
