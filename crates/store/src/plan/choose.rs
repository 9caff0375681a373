//! The choice: which paths give candidates, and which parts are left to be tested on their values.
//!
//! The first rows of each posting are looked at, then those of each range. One that ends there drives,
//! and all else is tested: that is the usual search within a patient's record. Else equal-value postings are
//! intersected, joins are gathered when they are small, then ranges; a scan of the type is last.

use super::{
    Budget,
    account::Shape,
    path::{Path, Place},
    source::{Posting, Source},
};
use crate::{
    ReadError,
    engine::{Space, key::Row},
    folder::Folder,
    limits,
    reader::{Reader, is_relation},
};
use fhir::{LogicalId, ResourceType};
use search::{Predicate, Test, predicate::ReferenceTest};
use std::sync::Arc;

/// A plan: candidates, and what they must still pass.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) source: Source,
    /// Nothing: every candidate is meant.
    pub(crate) residual: Option<Vec<Arc<Predicate>>>,
    /// All rows of the type are candidates.
    pub(crate) whole_type: bool,
    /// Where the candidates come from, when that is a folder.
    pub(crate) folder: Option<Arc<Folder>>,
    /// The search names a patient and more: see [`Plan::tells_total`].
    within_patient: bool,
}

impl Plan {
    /// Whether a total over several pages may come by the way: the index alone tells it. Within a
    /// patient's record it is told for the whole record only: else it would depend on what is kept
    /// in memory, and answers must not.
    pub(crate) fn tells_total(&self) -> bool {
        self.residual.is_none() && !self.within_patient
    }
}

struct Part {
    predicate: Arc<Predicate>,
    path: Path,
    /// All rows of the type in one patient's compartment, at least.
    whole_compartment: bool,
}

pub(crate) fn plan(
    reader: &Reader,
    kind: ResourceType,
    predicate: &Arc<Predicate>,
    use_folders: bool,
    budget: &Budget,
) -> Result<Plan, ReadError> {
    let mut parts = Vec::new();
    flatten(predicate, &mut parts);
    let holds = conditions_hold(reader, &mut parts)?;
    if !holds || parts.iter().any(|part| matches!(part.as_ref(), Predicate::Nothing)) {
        budget.account.note(kind, Shape::PlanNothing);
        return Ok(Plan {
            source: Source::empty(),
            residual: None,
            whole_type: false,
            folder: None,
            within_patient: false,
        });
    }
    let patient = parts.iter().find_map(|part| patient_of(reader, kind, part)).cloned();
    let within_patient = patient.is_some() && parts.len() > 1;
    if let Some(patient) = &patient
        && use_folders
        && let Some(folder) = crate::folder::folder(reader, kind, patient)?
        && let Some((rows, left)) = folder.rows(reader, kind, &parts)?
    {
        budget.account.note_on(kind, Shape::PlanFolder, None, Some(rows.len()));
        return Ok(Plan {
            source: Source::ascending(rows),
            residual: all_of(left),
            whole_type: false,
            folder: Some(folder),
            within_patient,
        });
    }
    let place = Place { reader, kind, patient: patient.as_ref(), budget };
    let mut found = Vec::with_capacity(parts.len());
    for predicate in parts {
        let path = place.path(&predicate)?;
        budget.account.path(kind, &predicate, &path);
        let whole_compartment = patient_of(reader, kind, &predicate).is_some();
        found.push(Part { predicate, path, whole_compartment });
    }
    let mut parts = found;

    if let Some(plan) = smallest(&mut parts, &place)? {
        return Ok(plan);
    }
    let streams = parts.iter().any(|part| matches!(part.path, Path::Stream(..)));
    let has_joins = parts.iter().any(|part| matches!(part.path, Path::Join));
    let shortest = if streams && has_joins { shortest(&mut parts, &place)? } else { None };
    for part in &mut parts {
        if matches!(part.path, Path::Join) {
            // To look through ten thousand members of a payer costs more than to ask each of a few hundred rows.
            if let Some(rows) = shortest
                && budget.account.within(|| place.is_wider(&part.predicate, rows))?
            {
                budget.account.note_on(kind, Shape::JoinTested, Some(&part.predicate), None);
                part.path = Path::None;
                continue;
            }
            if is_relation(&part.predicate) {
                let members = reader.members(kind, &part.predicate)?;
                let shape = if members.is_some() { Shape::HasGathered } else { Shape::HasTooWide };
                budget.account.note_on(kind, shape, Some(&part.predicate), members.as_ref().map(|rows| rows.len()));
                part.path = members.map_or(Path::None, |rows| Path::Stream(Source::ascending(rows.to_vec()), true));
                continue;
            }
            let max = if streams { reader.search.small_join_rows } else { reader.search.join_rows_max };
            let rows = budget.account.within(|| place.join(&part.predicate, max))?;
            let back = matches!(part.predicate.as_ref(), Predicate::Has { .. });
            let shape = match (&rows, back) {
                (Some(_), false) => Shape::ChainGathered,
                (None, false) => Shape::ChainTooWide,
                (Some(_), true) => Shape::HasGathered,
                (None, true) => Shape::HasTooWide,
            };
            budget.account.note_on(kind, shape, Some(&part.predicate), rows.as_ref().map(Vec::len));
            part.path = rows.map_or(Path::None, |rows| Path::Stream(Source::list(rows), true));
        }
    }
    if !parts.iter().any(|part| matches!(part.path, Path::Stream(..))) {
        gather_one(&mut parts, &place)?;
    }
    let mut sources = Vec::new();
    let mut residual = Vec::new();
    for part in parts {
        match part.path {
            Path::Stream(source, exact) => {
                sources.push(source);
                if !exact {
                    residual.push(part.predicate);
                }
            }
            Path::Ranges(..) | Path::Join | Path::None => residual.push(part.predicate),
        }
    }
    let whole_type = sources.is_empty();
    let residual = all_of(residual);
    let shape = match (sources.len(), &residual) {
        (0, None) => Shape::PlanWhole,
        (0, Some(_)) => Shape::PlanScan,
        (1, None) => Shape::PlanOneAlone,
        (1, Some(_)) => Shape::PlanOne,
        (_, None) => Shape::PlanIntersectedAlone,
        (_, Some(_)) => Shape::PlanIntersected,
    };
    budget.account.note(kind, shape);
    let source = match sources.len() {
        0 => {
            let prefix = reader.types.number(kind).0.to_be_bytes().to_vec();
            Source::Posting(Posting::new(&reader.view, Space::Current, prefix))
        }
        1 => sources.swap_remove(0),
        _ => Source::Both(sources),
    };
    Ok(Plan { source, residual, whole_type, folder: None, within_patient })
}

fn flatten(predicate: &Arc<Predicate>, parts: &mut Vec<Arc<Predicate>>) {
    match predicate.as_ref() {
        Predicate::All => {}
        Predicate::And(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        Predicate::Or(inner) if inner.is_empty() => parts.push(Arc::new(Predicate::Nothing)),
        // As it stands its rows are known by it.
        Predicate::Now(_) if is_relation(predicate) => parts.push(Arc::clone(predicate)),
        Predicate::Now(inner) => flatten(inner, parts),
        Predicate::Or(inner) if inner.len() == 1 => inner.iter().for_each(|part| flatten(part, parts)),
        _ => parts.push(Arc::clone(predicate)),
    }
}

/// Takes out what is the same for every row, and says whether it all holds.
fn conditions_hold(reader: &Reader, parts: &mut Vec<Arc<Predicate>>) -> Result<bool, ReadError> {
    for part in parts.iter() {
        if let Predicate::While { target, id, predicate } = part.as_ref()
            && !reader.target_means(*target, id, predicate)?
        {
            return Ok(false);
        }
    }
    parts.retain(|part| !matches!(part.as_ref(), Predicate::While { .. }));
    Ok(true)
}

/// The patient in whose compartment a row must lie when it meets this part.
fn patient_of<'a>(reader: &Reader, kind: ResourceType, part: &'a Predicate) -> Option<&'a LogicalId> {
    match part {
        Predicate::PatientCompartment(patient) => Some(patient),
        Predicate::Value { parameter, test: Test::Reference(ReferenceTest::Target(target, id)) }
            if reader.registry.is_patient(*target)
                && reader.registry.is_within_patient_compartment(kind, *parameter) =>
        {
            Some(id)
        }
        _ => None,
    }
}

/// The plan that the shortest posting drives, when one ends within the rows looked at.
fn smallest(parts: &mut [Part], place: &Place<'_>) -> Result<Option<Plan>, ReadError> {
    let (probe_rows, kind, budget) = (place.reader.search.probe_rows, place.kind, place.budget);
    let mut best: Option<(usize, Vec<Row>)> = None;
    // A whole compartment comes last: what was found within it is never longer.
    let (whole, within): (Vec<_>, Vec<_>) = parts.iter_mut().enumerate().partition(|(_, part)| part.whole_compartment);
    for (at, part) in within.into_iter().chain(whole) {
        let Path::Stream(source, _) = &mut part.path else { continue };
        if part.whole_compartment && best.is_some() {
            break;
        }
        let max = best.as_ref().map_or(probe_rows, |(_, rows)| rows.len());
        if let Some(rows) = source.drain(max, budget)? {
            best = Some((at, rows));
        }
        source.rewind();
        if best.as_ref().is_some_and(|(_, rows)| rows.is_empty()) {
            break;
        }
    }
    if best.is_none() {
        best = short_range(parts, place)?;
    }
    let Some((driver, rows)) = best else { return Ok(None) };
    let residual = parts
        .iter()
        .enumerate()
        .filter(|(at, part)| *at != driver || !matches!(part.path, Path::Stream(_, true) | Path::Ranges(_, true)))
        .map(|(_, part)| Arc::clone(&part.predicate))
        .collect();
    let residual = all_of(residual);
    let shape = if residual.is_none() { Shape::PlanDrivenAlone } else { Shape::PlanDriven };
    let part = parts.get(driver).map(|part| &part.predicate);
    budget.account.note_on(kind, shape, part, Some(rows.len()));
    Ok(Some(Plan { source: Source::list(rows), residual, whole_type: false, folder: None, within_patient: false }))
}

/// Rows of the shortest stream, when it has no more than a join may reach beside it.
fn shortest(parts: &mut [Part], place: &Place<'_>) -> Result<Option<usize>, ReadError> {
    let mut least = None;
    for part in parts {
        let Path::Stream(source, _) = &mut part.path else { continue };
        let max = least.unwrap_or(place.reader.search.small_join_rows);
        if let Some(rows) = source.drain(max, place.budget)? {
            least = Some(rows.len());
        }
        source.rewind();
    }
    Ok(least)
}

/// Where no posting is short, a range may be: the last week of a long record.
fn short_range(parts: &[Part], place: &Place<'_>) -> Result<Option<(usize, Vec<Row>)>, ReadError> {
    for (at, part) in parts.iter().enumerate() {
        let Path::Ranges(spans, _) = &part.path else { continue };
        if let Some(rows) = place.gather(spans, 2 * place.reader.search.probe_rows)? {
            place.budget.account.note_on(place.kind, Shape::RangeGathered, Some(&part.predicate), Some(rows.len()));
            return Ok(Some((at, rows)));
        }
    }
    Ok(None)
}

/// Makes the range with the fewest keys a list, when it is clearly smaller than the type.
fn gather_one(parts: &mut [Part], place: &Place<'_>) -> Result<(), ReadError> {
    let live = usize::try_from(place.reader.live(place.kind)?).unwrap_or(usize::MAX);
    let cap = (live / 4 + place.reader.search.gather_keys).min(limits::SEARCH_ROWS_MAX);
    let mut max = place.reader.search.gather_keys.clamp(1, cap.max(1));
    loop {
        for part in parts.iter_mut() {
            let Path::Ranges(spans, exact) = &part.path else { continue };
            let exact = *exact;
            if let Some(rows) = place.gather(spans, max)? {
                let account = &place.budget.account;
                account.note_on(place.kind, Shape::RangeGathered, Some(&part.predicate), Some(rows.len()));
                part.path = Path::Stream(Source::list(rows), exact);
                return Ok(());
            }
        }
        if max >= cap {
            if parts.iter().any(|part| matches!(part.path, Path::Ranges(..))) {
                place.budget.account.note(place.kind, Shape::RangeTooWide);
            }
            return Ok(());
        }
        max = max.saturating_mul(8).min(cap);
    }
}

fn all_of(parts: Vec<Arc<Predicate>>) -> Option<Vec<Arc<Predicate>>> {
    (!parts.is_empty()).then_some(parts)
}
