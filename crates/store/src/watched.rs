//! For how long an answer stays what it is: what it asked of other resources and of the moment is noted as it is made.
//!
//! An answer that asked nothing of other resources, but what the consents of some patients say, and of the moment no
//! more than whether it lies in some spans ([`Related::holds`]), is the same whenever these consents are the same and
//! the moment lies between the same ends. Such a one may be kept beyond its view: [`Rests`] says whether it still
//! holds in another. Nothing is told by clocks or by versions of other things, so nothing can be forgotten there.
//!
//! Left out: answers that follow references or ask for relations. They are made anew for each view.

use crate::{
    engine::{Fault, key, memory::Memory},
    limits,
    reader::{Reader, Stored},
};
use fhir::{Instant, LogicalId, ResourceType};
use policy::consent::Directives;
use search::{
    ParameterId, Predicate,
    matcher::Related,
    predicate::{During, Ruling},
};
use std::{
    cell::{Cell, RefCell},
    sync::{Arc, Weak},
};

/// Which consents: these, and no other that stands at their place later. `None`: there are none.
pub(crate) type Which = Option<Weak<Directives>>;

pub(crate) fn which(said: Option<&Arc<Directives>>) -> Which {
    said.map(Arc::downgrade)
}

/// Whether these are still what is said. A weak reference keeps their address from being used again.
pub(crate) fn is_still(which: &Which, said: Option<&Arc<Directives>>) -> bool {
    match (which, said) {
        (None, None) => true,
        (Some(which), Some(said)) => std::ptr::eq(which.as_ptr(), Arc::as_ptr(said)),
        _ => false,
    }
}

/// A span of moments in which every question that was asked has the same answer: `[low, high)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stays {
    low: i64,
    high: i64,
}

impl Stays {
    const ALWAYS: Self = Self { low: i64::MIN, high: i64::MAX };

    pub(crate) fn holds(self, at: Instant) -> bool {
        let at = at.unix_millis();
        self.low <= at && at < self.high
    }

    fn within(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }
}

/// What an answer rests on.
#[derive(Debug, Clone)]
pub(crate) struct Rests {
    stays: Stays,
    patients: Vec<(LogicalId, Which)>,
}

impl Rests {
    /// Whether the answer holds in this view too.
    pub(crate) fn hold(&self, reader: &Reader) -> Result<bool, Fault> {
        if !self.stays.holds(reader.at) {
            return Ok(false);
        }
        for (patient, which) in &self.patients {
            if !is_still(which, reader.said(patient)?.as_ref()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// For how long, when it rests on nobody's consents.
    pub(crate) fn alone(self) -> Option<Stays> {
        self.patients.is_empty().then_some(self.stays)
    }
}

/// Whether a part of a grant means one version.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// The part; held so that no other can have its address.
    part: Weak<Predicate>,
    version: u32,
    means: bool,
    rests: Arc<Rests>,
}

impl Reader {
    /// Whether the rules of patients, as a part of a grant has them, let a current version through: as it is kept, or
    /// found and kept. A rule goes through all codes of a resource, and most versions are looked at again and again.
    pub(crate) fn within_rules(&self, part: &Arc<Predicate>, stored: &Stored) -> Result<bool, Fault> {
        let Memory { hot, verdicts, .. } = &**self.view.memory();
        let version = stored.head()?.version;
        let address = Arc::as_ptr(part).addr();
        let key = (address, key::current(self.types.number(stored.kind), stored.row));
        let hash = hot.hash_with(address, &key.1);
        let kept = verdicts.look(hash, &key, |kept, _| {
            let is_it = kept.version == version && std::ptr::eq(kept.part.as_ptr(), Arc::as_ptr(part));
            is_it.then(|| (kept.means, Arc::clone(&kept.rests)))
        });
        if let Some((means, rests)) = kept
            && rests.hold(self)?
        {
            return Ok(means);
        }
        let (means, rests) = stored.subject(|subject| {
            self.with_related_beside(Some(subject), |related| {
                let watched = Watched::new(self, related);
                let means = search::matcher::matches(&self.registry, part, subject, &watched);
                (means, watched.rests())
            })
        })??;
        // Values of added parameters come and go without a new version.
        if let Some(rests) = rests.filter(|_| !part.asks(&mut |parameter| parameter.is_added())) {
            let names = rests.patients.iter().map(|(id, _)| id.as_str().len() + 64);
            let bytes = 96 + names.sum::<usize>();
            verdicts.keep(
                hash,
                key,
                Verdict { part: Arc::downgrade(part), version, means, rests: Arc::new(rests) },
                bytes,
                0,
            );
        }
        Ok(means)
    }
}

/// The world of a view, with a note of what was asked of it.
pub(crate) struct Watched<'a> {
    reader: &'a Reader,
    related: &'a dyn Related,
    /// Something was asked that nobody tells when it changes.
    is_lost: Cell<bool>,
    stays: Cell<Stays>,
    patients: RefCell<Vec<(LogicalId, Which)>>,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(reader: &'a Reader, related: &'a dyn Related) -> Self {
        let (is_lost, stays) = (Cell::new(false), Cell::new(Stays::ALWAYS));
        Self { reader, related, is_lost, stays, patients: RefCell::default() }
    }

    /// What all that was asked rests on; `None`: on more than can be told.
    pub(crate) fn rests(self) -> Option<Rests> {
        (!self.is_lost.get()).then(|| Rests { stays: self.stays.get(), patients: self.patients.into_inner() })
    }

    fn lost(&self) -> &dyn Related {
        self.is_lost.set(true);
        self.related
    }

    fn rests_on(&self, patient: &LogicalId, said: Option<&Arc<Directives>>) {
        let mut patients = self.patients.borrow_mut();
        if patients.iter().any(|(known, _)| known == patient) {
            return;
        }
        if patients.len() >= limits::FOLDER_GRANT_PATIENTS_MAX {
            self.is_lost.set(true);
        } else {
            patients.push((patient.clone(), which(said)));
        }
    }
}

impl Related for Watched<'_> {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.lost().target_matches(target, id, predicate)
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        self.lost().referred_to(to, by, these)
    }

    fn now(&self) -> Instant {
        self.lost().now()
    }

    fn holds(&self, low: i64, high: i64) -> bool {
        let now = self.related.now().unix_millis();
        let span = match () {
            () if now < low => Stays { low: i64::MIN, high: low },
            () if now < high => Stays { low, high },
            () => Stays { low: high, high: i64::MAX },
        };
        self.stays.set(self.stays.get().within(span));
        low <= now && now < high
    }

    fn rule(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Arc<Predicate> {
        match self.reader.made(ruling, patient, self.related) {
            Ok(made) => {
                match made.stays {
                    Some(stays) => self.stays.set(self.stays.get().within(stays)),
                    None => self.is_lost.set(true),
                }
                self.rests_on(patient, made.said.as_ref());
                made.rule
            }
            // The world of the view keeps the fault.
            Err(_) => self.lost().rule(ruling, patient),
        }
    }

    fn periods(&self, patient: (ResourceType, &LogicalId), during: &Arc<During>) -> Arc<[(i64, i64)]> {
        self.lost().periods(patient, during)
    }
}

#[cfg(test)]
mod tests;
