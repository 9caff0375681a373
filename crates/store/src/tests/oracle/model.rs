//! The obvious store: a list of resources with all their versions, searched by the matcher alone.

use super::{queries::Asked, values::KINDS};
use crate::{reader::Covers, tests::world::kind};
use fhir::{Instant, LogicalId, ResourceType};
use policy::{Access, Need};
use search::{
    IndexValue, IndexValues, ParameterId, Predicate,
    matcher::{ALWAYS, Related, Subject, matches},
    order::sort_key,
    predicate::{During, Ruling},
    query::Include,
};
use std::sync::Arc;

/// When its questions are asked.
pub(super) const NOW: Instant = Instant::from_unix_millis(3 * 86_400_000);

/// One version. A deletion keeps the values of what it ended.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) last_updated: Instant,
    pub(super) values: IndexValues,
    pub(super) is_deletion: bool,
}

/// One resource, with all versions from the first.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) kind: ResourceType,
    pub(super) id: LogicalId,
    pub(super) versions: Vec<Version>,
}

impl Known {
    pub(super) fn live(&self) -> Option<&Version> {
        self.versions.last().filter(|version| !version.is_deletion)
    }

    pub(super) fn subject<'a>(&'a self, version: &'a Version) -> Subject<'a> {
        Subject { resource_type: self.kind, id: &self.id, last_updated: version.last_updated, values: &version.values }
    }
}

/// All resources, in the order in which they were first created.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) rows: Vec<Known>,
    /// Entries of the audit log.
    pub(super) audited: u64,
}

/// Where a match stands: sort key, then row.
pub(super) type Place = (Vec<u8>, usize);

/// What others see of the model through a permit, or all of it.
struct Through<'a> {
    model: &'a Model,
    permit: Option<&'a dyn Covers>,
}

impl Through<'_> {
    fn means(&self, predicate: &Predicate, known: &Known) -> bool {
        let Some(version) = known.live() else { return false };
        let sees = match self.permit {
            Some(permit) => self.model.covers(permit, Need::Search, known, version),
            None => true,
        };
        sees && matches(search::registry(), predicate, known.subject(version), self)
    }
}

impl Related for Through<'_> {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        self.model.rows.iter().any(|known| known.kind == target && known.id == *id && self.means(predicate, known))
    }

    fn referred_to(&self, to: (ResourceType, &LogicalId), by: (ResourceType, ParameterId), these: &Predicate) -> bool {
        self.model.rows.iter().any(|known| {
            let refers = |version: &Version| targets(version, by.1).contains(&(to.0, to.1.clone()));
            known.kind == by.0 && known.live().is_some_and(refers) && self.means(these, known)
        })
    }

    fn now(&self) -> Instant {
        NOW
    }

    fn rule(&self, ruling: &Arc<dyn Ruling>, patient: &LogicalId) -> Arc<Predicate> {
        ruling.rule(patient, None, self)
    }

    fn periods(&self, patient: (ResourceType, &LogicalId), during: &Arc<During>) -> Arc<[(i64, i64)]> {
        let mut periods = Vec::new();
        for known in self.model.rows.iter().filter(|known| known.kind == during.source) {
            let Some(version) = known.live().filter(|_| self.means(&during.predicate, known)) else { continue };
            if !targets(version, during.by).contains(&(patient.0, patient.1.clone())) {
                continue;
            }
            let spans: Vec<_> = version.values.of(during.period).collect();
            if spans.is_empty() {
                periods.push(ALWAYS);
            }
            periods.extend(spans.into_iter().filter_map(|value| match value {
                IndexValue::Date { low, high } => Some((*low, *high)),
                _ => None,
            }));
        }
        periods.into()
    }
}

/// The local targets of a reference parameter, in the order of its values.
fn targets(version: &Version, parameter: ParameterId) -> Vec<(ResourceType, LogicalId)> {
    let target = |value: &IndexValue| match value {
        IndexValue::Reference { target, .. } => target.clone(),
        _ => None,
    };
    version.values.of(parameter).filter_map(target).collect()
}

impl Model {
    pub(super) fn row(&self, of: ResourceType, id: &LogicalId) -> Option<(usize, &Known)> {
        self.rows.iter().enumerate().find(|(_, known)| known.kind == of && known.id == *id)
    }

    /// Whether the permit covers a version.
    pub(super) fn covers(&self, permit: &dyn Covers, need: Need, known: &Known, version: &Version) -> bool {
        match permit.access(known.kind, need) {
            Access::Everything => true,
            Access::Nothing => false,
            Access::Where(grant) => {
                let all = Through { model: self, permit: None };
                matches(search::registry(), grant, known.subject(version), &all)
            }
        }
    }

    /// All matches with their places, in order.
    pub(super) fn found(&self, asked: &Asked) -> Vec<(Place, &Known)> {
        let through = Through { model: self, permit: Some(asked.permit.as_ref()) };
        let mut found: Vec<(Place, &Known)> = Vec::new();
        for (row, known) in self.rows.iter().enumerate() {
            if known.kind == kind(asked.of)
                && through.means(&asked.predicate, known)
                && let Some(version) = known.live()
            {
                found.push(((sort_key(known.subject(version), &asked.sort), row), known));
            }
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        found
    }

    /// What goes along with these matches, in the order in which it is met.
    pub(super) fn included(&self, asked: &Asked, page: &[(Place, &Known)]) -> Vec<(ResourceType, LogicalId)> {
        let mut seen: Vec<usize> = page.iter().map(|(place, _)| place.1).collect();
        let mut found = Vec::new();
        let mut add = |row: usize| {
            let Some(known) = self.rows.get(row).filter(|_| !seen.contains(&row)) else { return };
            seen.push(row);
            if let Some(version) = known.live()
                && self.covers(asked.permit.as_ref(), Need::Read, known, version)
            {
                found.push((known.kind, known.id.clone()));
            }
        };
        for (_, known) in page {
            let Some(version) = known.live() else { continue };
            let fits = |include: &Include, target: ResourceType| include.target.is_none_or(|wanted| wanted == target);
            for include in asked.includes.iter().filter(|include| include.source == known.kind) {
                for (of, id) in targets(version, include.parameter).into_iter().filter(|(of, _)| fits(include, *of)) {
                    self.row(of, &id).into_iter().for_each(|(row, _)| add(row));
                }
            }
            for include in asked.revincludes.iter().filter(|include| fits(include, known.kind)) {
                for (row, referrer) in self.rows.iter().enumerate() {
                    let refers = |version: &Version| {
                        targets(version, include.parameter).contains(&(known.kind, known.id.clone()))
                    };
                    if referrer.kind == include.source && referrer.live().is_some_and(refers) {
                        add(row);
                    }
                }
            }
        }
        found
    }

    /// Live resources of each type.
    pub(super) fn live(&self) -> impl Iterator<Item = (&'static str, u64)> {
        KINDS.into_iter().map(|name| {
            let live = |known: &&Known| known.kind == kind(name) && known.live().is_some();
            (name, self.rows.iter().filter(live).count() as u64)
        })
    }
}

/// Whether the permit hides a part of a type that the search looks at.
pub(super) fn is_narrowed(asked: &Asked) -> bool {
    fn types(predicate: &Predicate, found: &mut Vec<ResourceType>) {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => parts.iter().for_each(|part| types(part, found)),
            Predicate::Not(part) | Predicate::Now(part) => types(part, found),
            Predicate::Chain { target, predicate, .. } => {
                found.push(*target);
                types(predicate, found);
            }
            Predicate::Has { source, predicate, .. } => {
                found.push(*source);
                types(predicate, found);
            }
            Predicate::While { target, predicate, .. } => {
                found.push(*target);
                types(predicate, found);
            }
            Predicate::NoPatientBut(part) => {
                found.push(kind("Patient"));
                types(part, found);
            }
            Predicate::During(during) => {
                found.push(during.source);
                types(&during.predicate, found);
            }
            _ => {}
        }
    }
    let mut of = vec![kind(asked.of)];
    types(&asked.predicate, &mut of);
    of.into_iter().any(|of| *asked.permit.access(of, Need::Search) != Access::Everything)
}
