//! The entries about one patient, for the report of who saw a record, and entries in the order of the log, for who
//! follows it. Rows F21, F22, F26.

use super::{Access, Events, decoded, patients};
use crate::{ReadError, Snapshot, Store, engine::record::Damaged, reader::Covers};
use audit::{
    Entry,
    balp::{self, Facet},
    entry::{Action, Kind, Outcome, Touched},
    facts::facts_for_search,
    frame::Record,
    report::DISORDER_MS,
};
use fhir::{Instant, LogicalId, ResourceType};
use policy::{Need, Permit};
use search::{ParameterId, Predicate, matcher::Subject};
use std::{ops::ControlFlow, sync::Arc};

/// An entry with its place in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its sequence.
    pub sequence: u64,
    /// The entry.
    pub entry: Entry,
}

impl Snapshot {
    /// The entries that name this patient, newest first, from about `end` on (or a little later) until `take` has enough.
    /// Those that name others too are among them: who asks tells nothing of these.
    ///
    /// # Errors
    /// `NotFound` unless the permit lets one search the events about this patient.
    pub fn accesses(
        &self,
        permit: &Permit,
        patient: &LogicalId,
        end: Option<Instant>,
        take: &mut dyn FnMut(&Entry) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        if !self.may_see_accesses(permit, patient)? {
            return Err(ReadError::NotFound);
        }
        let events = &self.events;
        let last = match end {
            None => events.last,
            Some(end) => events.before(end.unix_millis().saturating_add(DISORDER_MS))?,
        };
        let keys: Arc<[patients::Key]> = Arc::new([patients::key(patient.as_str())]);
        let mut records = events.files.backwards(last).about(keys);
        while let Some(record) = records.next_record()? {
            let entry = decoded(&record)?;
            if audit::report::is_about(&entry, patient) && take(&entry).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Whether the permit lets one search an event that is about this patient and says nothing else.
    fn may_see_accesses(&self, permit: &dyn Covers, patient: &LogicalId) -> Result<bool, ReadError> {
        let kind = ResourceType::parse("AuditEvent").map_err(|_| ReadError::NotFound)?;
        let grant = match permit.access(kind, Need::Search) {
            Access::Nothing => return Ok(false),
            Access::Everything => return Ok(true),
            Access::Where(grant) => grant,
        };
        let patient_parameter = self.reader.registry.parameter(kind, "patient").map(|parameter| parameter.id);
        let grant = of_all_events(grant, patient_parameter);
        let touched = ResourceType::parse("Patient").map_err(|_| ReadError::NotFound)?;
        let entry = Entry {
            recorded: Instant::from_unix_millis(0),
            kind: Kind::Rest,
            subtype: "read".into(),
            action: Action::Read,
            outcome: Outcome::Success,
            outcome_text: None,
            client_id: None,
            token_name: None,
            person: None,
            organization: None,
            grounds: None,
            address: None,
            request_id: "".into(),
            query: None,
            touched: vec![Touched { resource_type: touched, id: patient.clone(), version: None }],
            patients: vec![patient.clone()],
        };
        let facts = facts_for_search(&balp::event(&entry, patient, &self.events.server));
        let values = super::values(&self.reader.registry, kind, facts);
        let subject = Subject { resource_type: kind, id: patient, last_updated: entry.recorded, values: &values };
        Ok(self.reader.means(&grant, subject)?)
    }
}

/// What of a grant hangs on nothing of an event but whom it is about. A report is of all that was done: what gives events
/// of some kind or time alone gives none.
fn of_all_events(grant: &Arc<Predicate>, patient: Option<ParameterId>) -> Arc<Predicate> {
    let each = |parts: &[Arc<Predicate>]| parts.iter().map(|part| of_all_events(part, patient)).collect();
    let is_of_all = match grant.as_ref() {
        Predicate::And(parts) => return Arc::new(Predicate::And(each(parts))),
        Predicate::Or(parts) => return Arc::new(Predicate::Or(each(parts))),
        Predicate::Not(part) | Predicate::Now(part) => of_all_events(part, patient) == *part,
        Predicate::Value { parameter, .. }
        | Predicate::Missing { parameter, .. }
        | Predicate::Chain { parameter, .. } => Some(*parameter) == patient,
        Predicate::Ruled(ruled) => ruled.about.iter().all(|parameter| Some(*parameter) == patient),
        Predicate::All
        | Predicate::Nothing
        | Predicate::PatientCompartment(_)
        | Predicate::NoOtherPatient(_)
        | Predicate::NoPatientBut(_)
        | Predicate::While { .. } => true,
        Predicate::Id(_)
        | Predicate::LastUpdated(_)
        | Predicate::InForce(_)
        | Predicate::FromNow(_)
        | Predicate::Only { .. }
        | Predicate::Near { .. }
        | Predicate::During(_)
        | Predicate::Has { .. } => false,
    };
    if is_of_all { Arc::clone(grant) } else { Arc::new(Predicate::Nothing) }
}

impl Events {
    /// The last record before which all were recorded at this moment or earlier; times hardly ever go back in the log.
    pub(super) fn before(&self, millis: i64) -> Result<u64, ReadError> {
        let (mut low, mut high) = (self.files.first(), self.last.saturating_add(1));
        while low < high {
            let middle = low.midpoint(high);
            let Some(record) = self.files.record(middle)? else { break };
            if decoded(&record)?.recorded.unix_millis() <= millis {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.saturating_sub(1))
    }
}

impl Store {
    /// Entries after this place in the log, as many as this at most, that are on stable storage. The place before the
    /// first one that there still is counts as the beginning.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] when the log cannot be read or is not what was recorded.
    pub fn audit_after(&self, sequence: u64, count: usize) -> Result<Vec<Seen>, ReadError> {
        self.audit_after_by(sequence, count, decoded)
    }

    /// The same with what the rules for unusual access look at ([`Entry::decode_brief`]), for who follows all of the log.
    ///
    /// # Errors
    /// As [`Store::audit_after`].
    pub fn audit_briefly_after(&self, sequence: u64, count: usize) -> Result<Vec<Seen>, ReadError> {
        self.audit_after_by(sequence, count, |record| {
            Ok(Entry::decode_brief(&record.entry).map_err(|_| Damaged("audit entry"))?)
        })
    }

    fn audit_after_by(
        &self,
        sequence: u64,
        count: usize,
        decoded: impl Fn(&Record) -> Result<Entry, ReadError>,
    ) -> Result<Vec<Seen>, ReadError> {
        let files = self.audit_files();
        let first = files.first().max(sequence.saturating_add(1));
        let last = self.log().synced().min(sequence.max(first - 1).saturating_add(count as u64));
        let mut records = files.forwards(first, last);
        let mut found = Vec::new();
        while let Some(record) = records.next_record()? {
            found.push(Seen { sequence: record.sequence, entry: decoded(&record)? });
        }
        Ok(found)
    }

    /// The AuditEvents of an entry as they leave this server: logical id and JSON.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] when the cipher of names fails.
    pub fn audit_events(&self, seen: &Seen) -> Result<Vec<(LogicalId, Vec<u8>)>, ReadError> {
        let mut events = Vec::with_capacity(1);
        for facet in Facet::ALL.into_iter().filter(|facet| facet.is_of(&seen.entry)) {
            let id = self.names.id(seen.sequence, facet)?;
            let json = balp::event_of(facet, &seen.entry, &id, self.audit_server()).to_json();
            events.push((id, json));
        }
        Ok(events)
    }

    /// The same as DICOM audit messages.
    ///
    /// # Errors
    /// As [`Store::audit_events`].
    pub fn audit_messages(&self, seen: &Seen) -> Result<Vec<String>, ReadError> {
        let of = |facet: Facet| {
            let id = self.names.id(seen.sequence, facet)?;
            Ok(audit::dicom::message(&balp::event_of(facet, &seen.entry, &id, self.audit_server())))
        };
        Facet::ALL.into_iter().filter(|facet| facet.is_of(&seen.entry)).map(of).collect()
    }

    /// The entry whose own event has this id; the further events of an entry have none.
    ///
    /// # Errors
    /// [`ReadError::NotFound`], [`ReadError::Unavailable`].
    pub fn audit_event(&self, id: &LogicalId) -> Result<Seen, ReadError> {
        let named = self.names.event(id).filter(|(_, facet)| *facet == Facet::Itself);
        let (sequence, _) = named.ok_or(ReadError::NotFound)?;
        let record = self.audit_files().record(sequence)?.ok_or(ReadError::NotFound)?;
        Ok(Seen { sequence, entry: decoded(&record)? })
    }

    /// The logical id of an entry's own event.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] when the cipher of names fails.
    pub fn audit_id(&self, sequence: u64) -> Result<LogicalId, ReadError> {
        self.names.id(sequence, Facet::Itself)
    }

    /// Brings the list of who is named in the newest part of the log up to date.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`].
    pub fn keep_up_audit(&self) -> Result<(), ReadError> {
        Ok(self.audit_files().keep_up()?)
    }

    /// Copies what of the audit log is finished to a directory of write-once files; the last record that is there now.
    /// What is written is finished first when its first record is older than this.
    ///
    /// # Errors
    /// What the file system says; nothing is lost by it.
    pub fn export_audit(&self, to: &std::path::Path, sealed_before: Instant) -> std::io::Result<u64> {
        let files = self.audit_files();
        if files.began_ms().is_some_and(|began| began < sealed_before.unix_millis()) {
            files.seal()?;
        }
        files.export(to)
    }

    /// Removes finished segments of the audit log of which all was recorded before this moment, oldest first, and of
    /// those only what stands in the directory of the export where there is one; how many. A signed cut says first that
    /// the log begins later.
    ///
    /// # Errors
    /// What the file system says, or that the log is not signed here.
    pub fn give_up_audit(
        &self,
        before: Instant,
        exported: Option<&std::path::Path>,
        now: Instant,
    ) -> std::io::Result<u64> {
        let files = self.audit_files();
        let mut count = 0;
        while let Some((sequence, hash)) = files.due(before.unix_millis(), exported)? {
            let cut = self.log().cut(sequence, hash, now).map_err(|why| why.0)?;
            let cut = cut.ok_or_else(|| std::io::Error::other("the audit log is not signed, so its cut cannot be"))?;
            files.give_up(&cut)?;
            count += 1;
        }
        Ok(count)
    }
}
