//! A case that differs, made as short as it goes: one question, few changes, small predicates.

use super::{
    case::{Case, Round},
    check::{Difference, check},
    coverage::Coverage,
    queries::Asked,
};
use crate::{limits, tests::world::everything};
use policy::Access;
use search::{Predicate, predicate::During};
use std::sync::Arc;

/// Tries before what is there has to do.
const TRIES_MAX: usize = 1500;

pub(super) struct Shrunk {
    pub(super) case: Case,
    pub(super) difference: Difference,
    tries: usize,
}

/// The shortest case found that still differs.
pub(super) fn shrunk(case: &Case, difference: Difference) -> Shrunk {
    let mut shrunk = Shrunk { case: case.clone(), difference, tries: 0 };
    shrunk.one_question();
    loop {
        let before = shrunk.tries;
        let progress = shrunk.rounds() | shrunk.changes() | shrunk.values() | shrunk.question() | shrunk.limits();
        if !progress || shrunk.tries >= TRIES_MAX || shrunk.tries == before {
            return shrunk;
        }
    }
}

impl Shrunk {
    /// Takes the candidate when it differs as well.
    fn try_with(&mut self, candidate: Case) -> bool {
        self.tries += 1;
        if self.tries > TRIES_MAX {
            return false;
        }
        match check(&candidate, &mut Coverage::default()) {
            Ok(()) => false,
            Err(difference) => {
                (self.case, self.difference) = (candidate, difference);
                true
            }
        }
    }

    /// Leaves one question, if it is one that differs.
    fn one_question(&mut self) {
        let of = (self.difference.round, self.difference.asked);
        let mut candidate = self.case.clone();
        for (at, round) in candidate.rounds.iter_mut().enumerate() {
            let kept = of.1.filter(|_| at == of.0).and_then(|asked| round.asked.get(asked).cloned());
            round.asked = kept.into_iter().collect();
            if of.1.is_some() {
                round.looked.clear();
            }
        }
        self.try_with(candidate);
    }

    fn rounds(&mut self) -> bool {
        let mut progress = false;
        let mut at = 0;
        while at < self.case.rounds.len() {
            let mut without = self.case.clone();
            without.rounds.remove(at);
            let mut merged = self.case.clone();
            let joins = at + 1 < merged.rounds.len();
            if joins {
                let first = merged.rounds.remove(at);
                let second: &mut Round = &mut merged.rounds[at];
                second.changes.splice(0..0, first.changes);
                second.asked.splice(0..0, first.asked);
            }
            if self.try_with(without) || (joins && self.try_with(merged)) {
                progress = true;
            } else {
                at += 1;
            }
        }
        progress
    }

    /// Leaves out changes, many at once first.
    fn changes(&mut self) -> bool {
        let mut progress = false;
        for round in 0..self.case.rounds.len() {
            let mut size = self.case.rounds[round].changes.len();
            while size > 0 {
                let mut at = 0;
                while at < self.case.rounds[round].changes.len() {
                    let mut candidate = self.case.clone();
                    let changes = &mut candidate.rounds[round].changes;
                    changes.drain(at..(at + size).min(changes.len()));
                    if self.try_with(candidate) {
                        progress = true;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
        }
        progress
    }

    /// Leaves out values of resources. Those of `patient` go with those of `subject`.
    fn values(&mut self) -> bool {
        let mut progress = false;
        for round in 0..self.case.rounds.len() {
            for change in 0..self.case.rounds[round].changes.len() {
                let mut at = 0;
                loop {
                    let mut candidate = self.case.clone();
                    let one = &mut candidate.rounds[round].changes[change];
                    let Some(values) = &mut one.becomes else { break };
                    if at >= values.0.len() {
                        break;
                    }
                    let (parameter, value) = values.0.remove(at);
                    let code = &search::registry().by_id(parameter).unwrap().code;
                    if code == "patient" || code == "subject" {
                        values.0.retain(|(other, left)| {
                            let other = &search::registry().by_id(*other).unwrap().code;
                            *left != value || !(other == "patient" || other == "subject")
                        });
                    }
                    if self.try_with(candidate) {
                        progress = true;
                    } else {
                        at += 1;
                    }
                }
            }
        }
        progress
    }

    /// Makes what is asked plainer.
    fn question(&mut self) -> bool {
        let mut progress = false;
        for round in 0..self.case.rounds.len() {
            for asked in 0..self.case.rounds[round].asked.len() {
                while plainer(&self.case.rounds[round].asked[asked]).into_iter().any(|plain| {
                    let mut candidate = self.case.clone();
                    candidate.rounds[round].asked[asked] = plain;
                    self.try_with(candidate)
                }) {
                    progress = true;
                }
            }
        }
        progress
    }

    fn limits(&mut self) -> bool {
        if self.case.limits == limits::Search::default() {
            return false;
        }
        let mut candidate = self.case.clone();
        candidate.limits = limits::Search::default();
        self.try_with(candidate)
    }
}

/// The same question, a little plainer in one place.
fn plainer(asked: &Asked) -> Vec<Asked> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Asked)| {
        let mut plain = asked.clone();
        change(&mut plain);
        found.push(plain);
    };
    if asked.permit.of.values().any(|access| *access != Access::Everything) {
        with(&|plain| plain.permit = everything());
    }
    for (key, access) in &asked.permit.of {
        if let Access::Where(grant) = access {
            let mut without = asked.permit.as_ref().clone();
            without.of.remove(key);
            with(&|plain| plain.permit = Arc::new(without.clone()));
            for part in parts(grant) {
                let mut narrower = asked.permit.as_ref().clone();
                narrower.of.insert(*key, Access::Where(part));
                with(&|plain| plain.permit = Arc::new(narrower.clone()));
            }
        }
    }
    for part in parts(&asked.predicate) {
        with(&|plain| plain.predicate = Arc::clone(&part));
    }
    for at in 0..asked.sort.len() {
        with(&|plain| {
            let _ = plain.sort.remove(at);
        });
    }
    for at in 0..asked.includes.len() {
        with(&|plain| {
            let _ = plain.includes.remove(at);
        });
    }
    for at in 0..asked.revincludes.len() {
        with(&|plain| {
            let _ = plain.revincludes.remove(at);
        });
    }
    if asked.goes_on_later {
        with(&|plain| plain.goes_on_later = false);
    }
    found
}

/// Predicates that are a little plainer than this one.
fn parts(predicate: &Arc<Predicate>) -> Vec<Arc<Predicate>> {
    let mut found: Vec<Arc<Predicate>> = Vec::new();
    match predicate.as_ref() {
        Predicate::And(inner) | Predicate::Or(inner) => {
            let same = |parts| match predicate.as_ref() {
                Predicate::And(_) => Arc::new(Predicate::And(parts)),
                _ => Arc::new(Predicate::Or(parts)),
            };
            found.extend(inner.iter().cloned());
            for at in 0..inner.len() {
                let mut without = inner.clone();
                without.remove(at);
                found.push(same(without));
                for part in parts(&inner[at]) {
                    let mut with = inner.clone();
                    with[at] = part;
                    found.push(same(with));
                }
            }
        }
        Predicate::Not(inner) => {
            found.push(Arc::clone(inner));
            found.extend(parts(inner).into_iter().map(|part| Arc::new(Predicate::Not(part))));
        }
        Predicate::Now(inner) => {
            found.push(Arc::clone(inner));
            found.extend(parts(inner).into_iter().map(|part| Arc::new(Predicate::Now(part))));
        }
        Predicate::Chain { parameter, target, predicate } => {
            let (parameter, target) = (*parameter, *target);
            let plain = parts(predicate).into_iter();
            found.extend(plain.map(|predicate| Arc::new(Predicate::Chain { parameter, target, predicate })));
        }
        Predicate::Has { source, parameter, predicate } => {
            let (source, parameter) = (*source, *parameter);
            let plain = parts(predicate).into_iter();
            found.extend(plain.map(|predicate| Arc::new(Predicate::Has { source, parameter, predicate })));
        }
        Predicate::While { target, id, predicate } => {
            found.push(Arc::new(Predicate::All));
            let plain = parts(predicate).into_iter();
            found.extend(
                plain.map(|predicate| Arc::new(Predicate::While { target: *target, id: id.clone(), predicate })),
            );
        }
        Predicate::NoPatientBut(inner) => {
            found.push(Arc::new(Predicate::All));
            found.extend(parts(inner).into_iter().map(|part| Arc::new(Predicate::NoPatientBut(part))));
        }
        Predicate::During(during) => {
            found.push(Arc::new(Predicate::All));
            let plain = parts(&during.predicate).into_iter();
            found.extend(
                plain.map(|predicate| {
                    Arc::new(Predicate::During(Arc::new(During { predicate, ..During::clone(during) })))
                }),
            );
        }
        Predicate::All => {}
        Predicate::Nothing
        | Predicate::Id(_)
        | Predicate::LastUpdated(_)
        | Predicate::Value { .. }
        | Predicate::Missing { .. }
        | Predicate::PatientCompartment(_)
        | Predicate::InForce(_)
        | Predicate::Near { .. }
        | Predicate::FromNow(_)
        | Predicate::Only { .. }
        | Predicate::Ruled(_)
        | Predicate::NoOtherPatient(_) => found.push(Arc::new(Predicate::All)),
    }
    found
}
