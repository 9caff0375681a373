//! What the consents of a patient say, and the rule that follows for a caller. Rows G4, G7, G17.
//!
//! A grant may hold a rule for each patient (`search::Predicate::Ruled`). What it is made of, the patient's Consents,
//! is read here: once, and then kept in memory within its bytes, whole as [`policy::consent`] understands it. Whatever
//! is kept proves that it is of the view's moment, as a folder does (`engine::hot`): a commit that changes a Consent
//! writes its number into the slot of that patient's Consents before it becomes visible. So an older view never sees a
//! newer consent, and a view that was taken after the commit never an older one.
//!
//! A rule is made once for each caller and patient, and kept for as long as what it was made of stays the same
//! ([`crate::watched`]): the consents, and the answers to what was asked of the moment. What asked for more, a role or a
//! team of somebody whom a Consent names, is made anew for each view. So nothing has to end a rule.
//!
//! Left out: what a Consent without a resource for a patient says, which is about nobody here.

use crate::{
    engine::{Fault, Said, Space, key, memory::Memory, record::Damaged},
    limits,
    reader::{Reader, Stored},
    watched::{Rests, Stays, Watched},
};
use fhir::{LogicalId, ResourceType};
use policy::consent::{ConsentSource, Directives};
use search::{
    Predicate, Registry, Test, ValueRef,
    matcher::{Related, Subject},
    predicate::{Ruled, Ruling, TokenTest},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// Whether resources of this type say what others may see.
pub(crate) fn is_consent(kind: ResourceType) -> bool {
    kind.name() == "Consent"
}

/// A rule of a patient, as it was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) rule: Arc<Predicate>,
    /// What it was made of.
    pub(crate) said: Option<Arc<Directives>>,
    /// The moments in which it is the same; `None`: nobody can say.
    pub(crate) stays: Option<Stays>,
}

/// A rule that is kept beyond its view, with what it was made of.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    ruling: Weak<dyn Ruling>,
    said: Weak<Directives>,
    stays: Stays,
    rule: Arc<Predicate>,
}

/// What was made and read for one view.
#[derive(Debug, Default)]
pub(crate) struct Rules(Mutex<OfView>);

#[derive(Debug, Default)]
struct OfView {
    /// The first ones, looked through: mostly there are no more.
    few: Vec<(Arc<dyn Ruling>, LogicalId, Made)>,
    /// The others by the address of their ruling, which is held with them so that no other can have it.
    many: HashMap<(usize, LogicalId), (Arc<dyn Ruling>, Made)>,
    /// What was read last.
    said: Option<(LogicalId, Option<Arc<Directives>>)>,
}

fn address(ruling: &Arc<dyn Ruling>) -> usize {
    Arc::as_ptr(ruling).cast::<()>().addr()
}

impl Rules {
    fn of_view(&self) -> MutexGuard<'_, OfView> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Option<Made> {
        let of = self.of_view();
        let is_it = |other: &Arc<dyn Ruling>, of: &LogicalId| of == patient && Arc::ptr_eq(other, ruling);
        if let Some((.., made)) = of.few.iter().find(|(other, patient, _)| is_it(other, patient)) {
            return Some(made.clone());
        }
        if of.many.is_empty() {
            return None;
        }
        of.many.get(&(address(ruling), patient.clone())).map(|(_, made)| made.clone())
    }

    fn note(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId, made: &Made) {
        let mut of = self.of_view();
        if of.few.len() < limits::RULES_FEW {
            of.few.push((Arc::clone(ruling), patient.clone(), made.clone()));
        } else if of.many.len() < limits::FOLLOWED_TARGETS_MAX {
            of.many.insert((address(ruling), patient.clone()), (Arc::clone(ruling), made.clone()));
        }
    }
}

/// Bytes of a rule on the heap, about.
fn bytes_of(rule: &Predicate) -> usize {
    match rule {
        Predicate::And(parts) | Predicate::Or(parts) => 64 + parts.iter().map(|part| 8 + bytes_of(part)).sum::<usize>(),
        Predicate::Not(part) | Predicate::Now(part) => 64 + bytes_of(part),
        Predicate::Chain { predicate, .. } | Predicate::Has { predicate, .. } => 96 + bytes_of(predicate),
        Predicate::Only { tokens, .. } => {
            let codes = tokens.codes.iter().map(|(system, codes)| system.len() + 64 * codes.len());
            192 + codes.sum::<usize>() + 64 * tokens.systems.len()
        }
        _ => 224,
    }
}

impl Reader {
    /// The rule of a patient.
    pub(crate) fn rule(
        &self,
        ruling: &Arc<dyn Ruling>,
        patient: &LogicalId,
        related: &dyn Related,
    ) -> Result<Arc<Predicate>, Fault> {
        Ok(self.made(ruling, patient, related)?.rule)
    }

    /// The rule of a patient, with what it was made of.
    pub(crate) fn made(
        &self,
        ruling: &Arc<dyn Ruling>,
        patient: &LogicalId,
        related: &dyn Related,
    ) -> Result<Made, Fault> {
        let rules = &self.followed.rules;
        if let Some(known) = rules.known(ruling, patient) {
            return Ok(known);
        }
        let said = self.said(patient)?;
        // Without consents a rule is made as soon as it is found.
        let made = match said.as_ref().and_then(|said| self.kept(ruling, patient, said)) {
            Some(made) => made,
            None => self.made_anew(ruling, patient, said, related),
        };
        rules.note(ruling, patient, &made);
        Ok(made)
    }

    fn kept(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId, said: &Arc<Directives>) -> Option<Made> {
        let Memory { hot, rules, .. } = &**self.view.memory();
        let hash = hot.hash_with(address(ruling), patient.as_str().as_bytes());
        rules.look(hash, patient, |kept, _| {
            let is_it = std::ptr::addr_eq(kept.ruling.as_ptr(), Arc::as_ptr(ruling))
                && std::ptr::eq(kept.said.as_ptr(), Arc::as_ptr(said))
                && kept.stays.holds(self.at);
            is_it.then(|| Made { rule: Arc::clone(&kept.rule), said: Some(Arc::clone(said)), stays: Some(kept.stays) })
        })
    }

    fn made_anew(
        &self,
        ruling: &Arc<dyn Ruling>,
        patient: &LogicalId,
        said: Option<Arc<Directives>>,
        related: &dyn Related,
    ) -> Made {
        let watched = Watched::new(self, related);
        let rule = ruling.rule(patient, said.as_deref().map(|said| said as _), &watched);
        let stays = watched.rests().and_then(Rests::alone);
        if let (Some(said), Some(stays)) = (&said, stays) {
            let Memory { hot, rules, .. } = &**self.view.memory();
            let hash = hot.hash_with(address(ruling), patient.as_str().as_bytes());
            let (ruling, said) = (Arc::downgrade(ruling), Arc::downgrade(said));
            let bytes = patient.as_str().len() + 32 + bytes_of(&rule);
            rules.keep(hash, patient.clone(), Kept { ruling, said, stays, rule: Arc::clone(&rule) }, bytes, 0);
        }
        Made { rule, said, stays }
    }

    /// What the consents of a patient say; `None`: there are none.
    pub(crate) fn said(&self, patient: &LogicalId) -> Result<Option<Arc<Directives>>, Fault> {
        if let Some((_, said)) = self.followed.rules.of_view().said.as_ref().filter(|(last, _)| last == patient) {
            return Ok(said.clone());
        }
        let said = self.said_now(patient)?;
        self.followed.rules.of_view().said = Some((patient.clone(), said.clone()));
        Ok(said)
    }

    fn said_now(&self, patient: &LogicalId) -> Result<Option<Arc<Directives>>, Fault> {
        let Ok(consent) = ResourceType::parse("Consent") else { return Ok(None) };
        let number = self.types.number(consent);
        let of_patient = key::folder(patient.as_str(), number);
        match self.view.said(&of_patient) {
            Some(Said::Something(said)) => return Ok(said),
            Some(Said::Nothing) => return Ok(None),
            None => {}
        }
        // Most stores have few consents, and one without any asks for no patient.
        let all = key::folder("", number);
        let are_any = match self.view.said(&all) {
            Some(Said::Nothing) => false,
            Some(Said::Something(_)) => true,
            None => {
                let are_any = self.live(consent)? > 0;
                let said = if are_any { Said::Something(None) } else { Said::Nothing };
                self.view.keep_said(&all, said, 0);
                are_any
            }
        };
        if !are_any {
            return Ok(None);
        }
        let (said, bytes) = self.said_anew(consent, patient)?;
        let kept = said.as_ref().map_or(Said::Nothing, |said| Said::Something(Some(Arc::clone(said))));
        self.view.keep_said(&of_patient, kept, bytes);
        Ok(said)
    }

    /// The Consents in force of patients whose rules withhold this version, as far as a grant says so by itself.
    pub(crate) fn withholding(&self, grant: &Predicate, stored: &Stored) -> Result<Vec<LogicalId>, Fault> {
        let mut rules = Vec::new();
        ruled(grant, &mut rules);
        let mut consents = Vec::new();
        for ruled in rules {
            if self.meant(&Predicate::Ruled(ruled.clone()), stored)? {
                continue;
            }
            let about = stored.subject(|subject| about(&self.registry, ruled, subject))?;
            for patient in about {
                let rule = self.with_related(|related| self.rule(&ruled.ruling, &patient, related))??;
                if !self.meant(&rule, stored)? {
                    consents.extend(self.active_consents(&patient)?);
                }
            }
        }
        consents.sort();
        consents.dedup();
        Ok(consents)
    }

    fn active_consents(&self, patient: &LogicalId) -> Result<Vec<LogicalId>, Fault> {
        let Ok(consent) = ResourceType::parse("Consent") else { return Ok(Vec::new()) };
        let Some(status) = self.registry.parameter(consent, "status") else { return Ok(Vec::new()) };
        let test = Test::Token(TokenTest::Code("active".into()));
        let active = Predicate::Value { parameter: status.id, test };
        let prefix = key::compartment(patient.as_str(), self.types.number(consent), key::MEMBERSHIP, &[]);
        let mut keys = self.view.prefix(Space::Compartment, &prefix)?;
        let mut found = Vec::new();
        while let Some(key) = keys.next_key()? {
            let row = key::row_of(&key).ok_or(Damaged("index key"))?;
            let stored = self.current(consent, row)?.ok_or(Damaged("index key"))?;
            if self.meant(&active, &stored)? {
                found.push(LogicalId::parse(stored.head()?.id).map_err(|_| Damaged("id"))?);
            }
        }
        Ok(found)
    }

    /// Reads the consents, with about how many bytes that takes.
    fn said_anew(&self, consent: ResourceType, patient: &LogicalId) -> Result<(Option<Arc<Directives>>, usize), Fault> {
        let number = self.types.number(consent);
        let prefix = key::compartment(patient.as_str(), number, key::MEMBERSHIP, &[]);
        let mut keys = self.view.prefix(Space::Compartment, &prefix)?;
        let mut versions = Vec::new();
        while let Some(key) = keys.next_key()? {
            let row = key::row_of(&key).ok_or(Damaged("index key"))?;
            // Read once and kept as what it says: it need not be kept as it stands, too.
            versions.push(self.current_once(consent, row)?.ok_or(Damaged("index key"))?);
        }
        if versions.is_empty() {
            return Ok((None, 0));
        }
        let mut sources = Vec::with_capacity(versions.len());
        let mut bytes = 0;
        for stored in &versions {
            let version = stored.version()?;
            bytes += version.json.len();
            sources.push(ConsentSource { id: version.id, version: version.version, json: version.json });
        }
        Ok((Some(Arc::new(Directives::read(&sources))), bytes))
    }
}

/// The rules that a grant has for every resource.
fn ruled<'a>(grant: &'a Predicate, found: &mut Vec<&'a Ruled>) {
    match grant {
        Predicate::Ruled(one) => found.push(one),
        Predicate::And(parts) => parts.iter().for_each(|part| ruled(part, found)),
        _ => {}
    }
}

/// Patients whom a resource is about.
fn about(registry: &Registry, ruled: &Ruled, subject: Subject<'_>) -> Vec<LogicalId> {
    if registry.is_patient(subject.resource_type) {
        return vec![subject.id.clone()];
    }
    let mut patients = Vec::new();
    for parameter in &*ruled.about {
        subject.values.any(*parameter, &mut |value| {
            if let ValueRef::Reference { target: Some((kind, id)), .. } = value
                && registry.is_patient(kind)
            {
                patients.extend(LogicalId::parse(id));
            }
            false
        });
    }
    patients
}
