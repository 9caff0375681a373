//! The audit log of the directory: its chain, its checkpoints, its mark, and which versions its
//! entries tell of.

use super::{EVIDENCE, Facts, Findings, START, Severity};
use crate::{audit_event::Events, engine::audit_files};
use audit::{
    Entry,
    entry::{Action, Outcome},
    frame::Segment,
    verify::What,
};
use fhir::{LogicalId, ResourceType};
use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    path::Path,
};

/// Versions that entries of the log say were made, as hashes: 8 bytes each.
#[derive(Debug, Default)]
pub(super) struct Told(HashSet<u64>);

impl Told {
    fn hash(kind: ResourceType, id: &str, version: u32) -> u64 {
        BuildHasherDefault::<DefaultHasher>::new().hash_one((kind.name(), id, version))
    }

    /// Notes what an entry tells of.
    pub(super) fn note(&mut self, entry: &Entry) {
        if entry.action == Action::Read || entry.outcome != Outcome::Success {
            return;
        }
        for touched in &entry.touched {
            // Whoever searched the log itself read versions that no store holds.
            if let Some(version) = touched.version.filter(|_| !Events::are(touched.resource_type)) {
                self.0.insert(Self::hash(touched.resource_type, touched.id.as_str(), version.number()));
            }
        }
    }

    /// Notes a version.
    pub(super) fn note_version(&mut self, kind: ResourceType, id: &LogicalId, version: u32) {
        self.0.insert(Self::hash(kind, id.as_str(), version));
    }

    /// How many of these are not among the others.
    pub(super) fn beyond(&self, others: &Self) -> usize {
        self.0.difference(&others.0).count()
    }

    /// Whether an entry tells of this version.
    pub(super) fn tells_of(&self, kind: ResourceType, id: &LogicalId, version: u32) -> bool {
        self.0.contains(&Self::hash(kind, id.as_str(), version))
    }
}

/// Examines the log; gives what it tells of when it is whole from record 1 on.
pub(super) fn examine(data: &Path, mark: Option<u64>, findings: &mut Findings, facts: &mut Facts) -> Option<Told> {
    let report = match crate::verify_audit(data) {
        Ok(Ok(report)) => report,
        Ok(Err(broken)) => {
            let place = if broken.what == What::Checkpoint { "audit/checkpoints" } else { "audit" };
            findings.add(Severity::Damage, "audit log", place, broken.to_string(), EVIDENCE);
            return None;
        }
        Err(error) => {
            findings.add(Severity::Damage, "audit log", "audit", super::words(&error), EVIDENCE);
            return None;
        }
    };
    (facts.audit_records, facts.checkpoints) = (report.last, report.checkpoints);
    if let Some(mark) = mark.filter(|mark| *mark > report.last) {
        let what = format!("it ends at record {}, and record {mark} was on stable storage", report.last);
        findings.add(Severity::Damage, "audit log", "audit", what, EVIDENCE);
    } else if report.torn_end {
        let what = "it ends in an unfinished record, as after a crash; the next start cuts it off";
        findings.add(Severity::Note, "unfinished record", "audit", what, START);
    }
    if report.first != 1 {
        return None;
    }
    let mut told = Told::default();
    for segment in audit_files::segments(&data.join("audit")).ok()? {
        let Ok(mut segment) = Segment::open(segment) else { continue };
        while let Ok(Some(record)) = segment.next_record() {
            if let Ok(entry) = Entry::decode(&record.entry) {
                told.note(&entry);
            }
        }
    }
    Some(told)
}
