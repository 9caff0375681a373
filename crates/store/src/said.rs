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
    reader::Reader,
};
use fhir::{LogicalId, ResourceType};
use policy::consent::{ConsentSource, Directives};
use search::{Predicate, matcher::Related, predicate::Ruling};
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
