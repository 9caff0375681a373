//! What the consents of a patient say, and the rule that follows for a caller. Rows G4, G7, G17.
//!
//! A grant may hold a rule for each patient (`search::Predicate::Ruled`). What it is made of, the patient's Consents,
//! is read here: once, and then kept in memory within its bytes, whole as [`policy::consent`] understands it. Whatever
//! is kept proves that it is of the view's moment, as a folder does (`engine::hot`): a commit that changes a Consent
//! writes its number into the slot of that patient's Consents before it becomes visible. So an older view never sees a
//! newer consent, and a view that was taken after the commit never an older one.
//!
//! A rule is made once for each view, caller and patient. Periods count at the moment of the view, so nothing has to
//! end them.
//!
//! Left out: what a Consent without a resource for a patient says, which is about nobody here.

use crate::{
    engine::{Fault, Said, Space, key, record::Damaged},
    limits,
    reader::{Reader, Stored},
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
    sync::{Arc, Mutex, PoisonError},
};

/// Whether resources of this type say what others may see.
pub(crate) fn is_consent(kind: ResourceType) -> bool {
    kind.name() == "Consent"
}

/// Rules that were made for one view.
#[derive(Debug, Default)]
pub(crate) struct Rules(Mutex<Made>);

type ByPatient = HashMap<LogicalId, Arc<Predicate>>;

#[derive(Debug, Default)]
struct Made {
    /// Each ruling with the rules of patients, held so that no other can have its address.
    of: Vec<(Arc<dyn Ruling>, ByPatient)>,
    /// How many there are.
    count: usize,
}

impl Rules {
    fn known(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Option<Arc<Predicate>> {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, rules) = made.of.iter().find(|(other, _)| Arc::ptr_eq(other, ruling))?;
        rules.get(patient).cloned()
    }

    fn note(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId, rule: &Arc<Predicate>) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if made.count >= limits::FOLLOWED_TARGETS_MAX {
            return;
        }
        made.count += 1;
        let of = match made.of.iter().position(|(other, _)| Arc::ptr_eq(other, ruling)) {
            Some(at) => made.of.get_mut(at),
            None => {
                made.of.push((Arc::clone(ruling), ByPatient::new()));
                made.of.last_mut()
            }
        };
        if let Some((_, rules)) = of {
            rules.insert(patient.clone(), Arc::clone(rule));
        }
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
        let rules = &self.followed.rules;
        if let Some(known) = rules.known(ruling, patient) {
            return Ok(known);
        }
        let said = self.said(patient)?;
        let rule = ruling.rule(patient, said.as_deref().map(|said| said as _), related);
        rules.note(ruling, patient, &rule);
        Ok(rule)
    }

    /// What the consents of a patient say; `None`: there are none.
    pub(crate) fn said(&self, patient: &LogicalId) -> Result<Option<Arc<Directives>>, Fault> {
        let Ok(consent) = ResourceType::parse("Consent") else { return Ok(None) };
        let number = self.types.number(consent);
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
        let of_patient = key::folder(patient.as_str(), number);
        match self.view.said(&of_patient) {
            Some(Said::Something(said)) => return Ok(said),
            Some(Said::Nothing) => return Ok(None),
            None => {}
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
