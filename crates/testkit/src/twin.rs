//! Twin worlds: two stores that differ only in what a caller may not see answer any sequence of
//! that caller's requests with the same bytes (rows F1 to F10, F13, F14; invariant 5).
//!
//! A seed makes scopes, two worlds, up to thirty requests and some operations after them. A difference is shrunk, requests
//! first, then what is hidden, and printed as lines for `curl`.
//!
//! Equal by nature they cannot be where a visible version tells of hidden ones before it: its
//! number, and the place in the default order that its first version took (docs/adr/0008). The
//! worlds agree there. Names of audit events are opaque and compared as labels. The time that an
//! answer takes is measured by `cargo xtask twin --timing`.

mod ask;
mod bundle;
mod compare;
mod guarded;
mod house;
mod lens;
mod memory;
mod operation;
mod plant;
mod query;
mod report;
mod script;
mod shape;
mod shrink;
mod world;

pub use ask::Ask;
pub use guarded::{Forgets, Guarded, SEQUENCES};
pub use lens::Lens;
pub use plant::{PLANTS, Plant};
pub use script::Moment;

use crate::dice::{self, Dice};
use ask::Asker;
use compare::Labels;
use std::collections::{BTreeMap, BTreeSet};
use world::{Plan, World};

/// Requests of one sequence at most.
pub const REQUESTS_MAX: usize = 30;

/// Operations after them at most.
const OPERATIONS_MAX: usize = 4;

/// Tells the dice of the operations from the others.
const OPERATIONS: u64 = 0x6f70_6572_6174_696f;

/// Seeds from here on are of apps that act for people.
pub const PEOPLE: u64 = 1 << 32;

/// Seeds from here on are of systems of organizations that came by UDAP.
pub const ORGANIZATIONS: u64 = 1 << 33;

/// Requests about what names a patient, for people.
const ENTANGLED: usize = 8;

/// Every so many seeds one is crowded.
const CROWDED_EVERY: u64 = 8;

/// Two worlds, a caller and a sequence of requests.
#[derive(Debug, Clone)]
pub struct Case {
    seed: u64,
    lens: Lens,
    plan: Plan,
    asks: Vec<Ask>,
}

/// What was run, to see that it was not in vain.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Requests answered, by status.
    pub statuses: BTreeMap<u16, usize>,
    /// Moments at which the worlds differ.
    pub hidden: usize,
    /// Sequences.
    pub sequences: usize,
    /// `Type?parameter:modifier` of searches that were answered.
    pub forms: BTreeSet<String>,
    /// Sequences by kind of caller, of guarded worlds.
    pub kinds: BTreeMap<String, usize>,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.hidden += other.hidden;
        self.sequences += other.sequences;
        self.forms.extend(other.forms);
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}

/// The first request whose answers differ.
#[derive(Debug, Clone)]
struct Difference {
    at: usize,
    text: String,
}

impl Case {
    /// The case of a seed. One in eight has crowds: so many of a kind that searches go other ways.
    ///
    /// # Panics
    /// When the worlds that were made differ in what is visible.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let crowded = seed.is_multiple_of(CROWDED_EVERY);
        let mut dice = Dice::new(seed);
        let of_organization = seed >= ORGANIZATIONS;
        let of_person = seed >= PEOPLE && !of_organization;
        let mut lens = match (of_organization, of_person) {
            (true, _) => Lens::of_organization(&mut dice),
            (_, true) => Lens::of_person(&mut dice),
            _ => Lens::roll(&mut dice),
        };
        if crowded && !of_person && !of_organization {
            lens = lens.searching(&mut dice);
        }
        let mut moments = script::roll(&mut dice, &lens);
        if crowded {
            let at = dice.below(moments.len());
            moments.splice(at..at, script::crowds(&mut dice, &lens));
        }
        if of_person {
            script::entangle(&mut dice, &mut moments);
        }
        if let Some(house) = lens.house() {
            script::keep_members(house, &mut moments);
        }
        assert!(script::is_fair(&lens, &moments), "seed {seed}: the worlds differ in what is visible");
        let differ = moments.iter().filter(|moment| moment.events[0] != moment.events[1]);
        let marked = differ.map(|moment| (moment.kind, moment.id.clone())).collect();
        let asker = Asker { lens: lens.clone(), marked, crowded };
        let mut asks: Vec<Ask> = (0..REQUESTS_MAX - dice.below(10)).map(|_| asker.roll(&mut dice)).collect();
        // Of dice of their own: what a seed means stays as it was.
        let mut own = Dice::new(seed ^ OPERATIONS);
        asks.extend((0..1 + own.below(OPERATIONS_MAX)).map(|_| Ask::Send(operation::roll(&mut own, &asker))));
        if of_person {
            asks.extend((0..ENTANGLED).map(|_| Ask::Send(asker.entangled(&mut own))));
        }
        let plan = Plan {
            actor: lens.actor().cloned(),
            house: lens.house().cloned(),
            moments,
            scope: lens.scope(),
            small: dice.chance(60),
            plant: None,
        };
        Self { seed, lens, plan, asks }
    }

    /// The same with a token that has these scopes: to see that a caller who may see tells the
    /// worlds apart.
    #[must_use]
    pub fn with_scope(mut self, scope: &str) -> Self {
        scope.clone_into(&mut self.plan.scope);
        self
    }

    /// The same before servers that leak.
    #[must_use]
    pub fn with_plant(mut self, plant: Plant) -> Self {
        self.plan.plant = Some(plant);
        self
    }

    /// Whether the worlds are told apart; not shrunk.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.run(&mut Tally::default()).is_some()
    }

    /// Runs it; a difference comes shrunk, in words.
    ///
    /// # Errors
    /// The shortest sequence found whose answers differ.
    pub fn check(&self) -> Result<Tally, String> {
        self.check_within(shrink::RUNS_MAX)
    }

    fn check_within(&self, runs: usize) -> Result<Tally, String> {
        let mut tally = Tally::default();
        match self.run(&mut tally) {
            None => Ok(tally),
            Some(_) => Err(report::of(&shrink::smallest(self, runs))),
        }
    }

    fn run(&self, tally: &mut Tally) -> Option<Difference> {
        let [mut one, mut two] = [0, 1].map(|which| World::new(&self.plan, which));
        let mut labels = [Labels::default(), Labels::default()];
        tally.sequences += 1;
        tally.hidden += self.plan.moments.iter().filter(|moment| moment.events[0] != moment.events[1]).count();
        for (at, ask) in self.asks.iter().enumerate() {
            let text = match (one.ask(ask), two.ask(ask)) {
                (None, None) => None,
                (Some(ours), Some(theirs)) => {
                    *tally.statuses.entry(ours.status).or_default() += 1;
                    if let Ask::Send(plain) = ask
                        && ours.status == 200
                    {
                        tally.forms.extend(plain.forms());
                    }
                    compare::difference(&ours, &theirs, &mut labels)
                }
                _ => Some("one world has a next page, the other has none".to_owned()),
            };
            if let Some(text) = text {
                return Some(Difference { at, text });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
