//! The conditions of a change, held against the view that its group began with: existence,
//! `If-Match`, `If-None-Match`, `If-None-Exist`, conditional references, and the permit against
//! the version before (not visible is not found) and the version after (denied).
//! SPEC: R4 http.html#concurrency, #ccreate; rows F5 to F7.

use super::prepare::{Action, Body, Prepared, Work};
use crate::{
    CommitError, Labels, ReadError,
    audit_event::Events,
    engine::{Fault, record::Place},
    plan,
    reader::{Covers, Reader, Stored},
    redaction,
    transaction::Condition,
};
use fhir::{Instant, LogicalId, ResourceType, VersionId};
use policy::{Access, Need, label::Label};
use search::{ValueRef, Values, encoded::EncodedValues, matcher::Subject};

/// What a change found before it.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) place: Option<Place>,
    /// The live version, when there is one.
    pub(crate) live: Option<Stored>,
    /// Nothing is to be done: a deletion of what is not there, or not for these eyes.
    pub(crate) idle: bool,
}

fn fault(fault: Fault) -> CommitError {
    CommitError::Unavailable(fault.0)
}

/// Holds all conditions of a transaction; gives what each change found.
pub(crate) fn transaction(reader: &Reader, work: &Work) -> Result<Vec<Before>, CommitError> {
    let parameters = &reader.parameters;
    for (condition, _, permit) in &work.resolved {
        parameters.answers_under(permit.as_ref(), condition.kind, &condition.predicate)?;
    }
    for change in &work.changes {
        parameters.holds(change.permit.as_ref(), change.kind, need(&change.action))?;
        if let Action::Create { unless: Some(condition), .. } = &change.action {
            parameters.answers_under(change.permit.as_ref(), condition.kind, &condition.predicate)?;
        }
    }
    for (at, (condition, id, permit)) in work.resolved.iter().enumerate() {
        let met = met_by(reader, condition, permit.as_ref())?;
        if met.len() != 1 || met.first().is_none_or(|(found, _)| found != id) {
            return Err(CommitError::Moved(at));
        }
    }
    let mut seen = std::collections::HashSet::new();
    let mut befores = Vec::with_capacity(work.changes.len());
    for (at, change) in work.changes.iter().enumerate() {
        if !seen.insert((change.kind, &change.id)) {
            return Err(CommitError::Duplicate(at));
        }
        let before = match &change.action {
            Action::Note { body, of, .. } => note(reader, work, (change, at), body, *of)?,
            _ => one(reader, change, at, work.now)?,
        };
        befores.push(before);
    }
    Ok(befores)
}

/// The first two resources that meet a condition, as far as the permit lets a search see.
fn met_by(
    reader: &Reader,
    condition: &Condition,
    permit: &dyn Covers,
) -> Result<Vec<(LogicalId, VersionId)>, CommitError> {
    let met = plan::first(reader, permit, condition.kind, &condition.predicate, 2).map_err(|error| match error {
        ReadError::TooCostly(what) => CommitError::TooCostly(what),
        ReadError::Unavailable(why) => CommitError::Unavailable(why),
        ReadError::Busy => CommitError::Busy,
        ReadError::NotIndexed(what) => CommitError::NotIndexed(what),
        error @ (ReadError::NotFound | ReadError::Gone | ReadError::Cursor | ReadError::Redacted) => {
            CommitError::Unavailable(error.to_string())
        }
    })?;
    let met = reader.whole(&met).map_err(fault)?;
    Ok(met.into_iter().map(|found| (found.id, found.version)).collect())
}

fn need(action: &Action) -> Need {
    match action {
        Action::Create { .. } | Action::Note { .. } => Need::Create,
        Action::Update { labels, .. } => labels.need(),
        Action::Delete { .. } => Need::Delete,
    }
}

fn one(reader: &Reader, change: &Prepared, at: usize, now: Instant) -> Result<Before, CommitError> {
    let place = reader.place(change.kind, change.id.as_str()).map_err(fault)?;
    let live = match place.filter(|place| !place.deleted) {
        Some(place) => {
            let stored = reader.current_once(change.kind, place.row).map_err(fault)?;
            Some(stored.ok_or_else(|| CommitError::Unavailable("a current version is missing".into()))?)
        }
        None => None,
    };
    let access = change.permit.access(change.kind, need(&change.action));
    // Audit events are the server's own, whatever a permit says (row F22).
    if *access == Access::Nothing || Events::are(change.kind) {
        return Err(CommitError::Denied(at, change.kind));
    }
    let visible = match &live {
        Some(stored) => reader.covers(access, stored).map_err(fault)?,
        None => false,
    };
    let version = place.and_then(|place| VersionId::new(place.version)).filter(|_| visible);
    let mut idle = false;
    match &change.action {
        Action::Create { body, unless } => {
            if let Some(condition) = unless {
                let met = met_by(reader, condition, change.permit.as_ref())?;
                match met.as_slice() {
                    [] => {}
                    [(id, version)] => return Err(CommitError::Exists(at, change.kind, id.clone(), *version)),
                    _ => return Err(CommitError::MultipleMatches(at)),
                }
            }
            if place.is_some() {
                return Err(CommitError::Unavailable("a new id is taken already".into()));
            }
            result(reader, access, change, body, at, now)?;
        }
        Action::Update { body, if_match, if_none_match_any, labels } => {
            matched(*if_match, version, at)?;
            if !visible && !may_make(reader, access, change.kind, place)? {
                return Err(CommitError::NotFound(at));
            }
            if *if_none_match_any && let Some(version) = version {
                return Err(CommitError::Exists(at, change.kind, change.id.clone(), version));
            }
            if *labels == Labels::Kept && visible {
                sees_all(reader, change, live.as_ref(), &[Need::Update, Need::Read], at)?;
            }
            if *labels == Labels::Kept
                && let Some(before) = &live
                && !keeps_labels(reader, change.kind, before, body).map_err(fault)?
            {
                return Err(CommitError::Labels(at));
            }
            result(reader, access, change, body, at, now)?;
        }
        // Held by `note`.
        Action::Note { .. } => {}
        Action::Delete { if_match } => {
            // INVARIANT 5: what is hidden is deleted like what is absent: nothing happens, no error.
            matched(*if_match, version, at)?;
            idle = !visible;
            if visible {
                sees_all(reader, change, live.as_ref(), &[Need::Delete], at)?;
            }
        }
    }
    Ok(Before { place, live, idle })
}

/// Whether the new version has the labels of the one before, none of them lowered (row F45).
fn keeps_labels(reader: &Reader, kind: ResourceType, before: &Stored, body: &Body) -> Result<bool, Fault> {
    let Some(parameter) = reader.registry.parameter(kind, "_security").map(|parameter| parameter.id) else {
        return Ok(true);
    };
    let labels = |values: &[u8]| {
        let mut labels = Vec::new();
        EncodedValues::new(values).any(parameter, &mut |value| {
            if let ValueRef::Token { system, code, .. } = value {
                labels.push(Label::new(system.unwrap_or_default(), code));
            }
            false
        });
        labels
    };
    let after = labels(&body.values);
    if before.head()?.labelled {
        let json = body.json.stamp(VersionId::FIRST, Instant::from_unix_millis(0));
        let taken: Vec<Label> = redaction::taken(&before.version()?, &json)?.into_iter().collect();
        if policy::label::set::lost(&taken, &after).is_some() {
            return Ok(false);
        }
    }
    let before = labels(before.values()?);
    Ok(before.is_empty() || policy::label::set::lost(&before, &after).is_none())
}

/// Who does not see all of what is there does not take its place, and does not end it.
fn sees_all(
    reader: &Reader,
    change: &Prepared,
    live: Option<&Stored>,
    needs: &[Need],
    at: usize,
) -> Result<(), CommitError> {
    let Some(stored) = live else { return Ok(()) };
    let sees = redaction::sees_all(reader, change.permit.as_ref(), needs, stored).map_err(fault)?;
    if sees { Ok(()) } else { Err(CommitError::Redacted(at)) }
}

/// A resource about what another change of the transaction makes. What it points at is seen as it will be: before the
/// commit it may not be there at all.
fn note(
    reader: &Reader,
    work: &Work,
    (change, at): (&Prepared, usize),
    body: &Body,
    of: usize,
) -> Result<Before, CommitError> {
    let access = change.permit.access(change.kind, Need::Create);
    let covered = match access {
        Access::Nothing => false,
        Access::Everything => true,
        Access::Where(predicate) => {
            let about = work.changes.get(of).and_then(|about| match &about.action {
                Action::Create { body, .. } | Action::Update { body, .. } => Some((about, body)),
                Action::Delete { .. } | Action::Note { .. } => None,
            });
            let about_values = about.map(|(_, body)| EncodedValues::new(&body.values));
            let about = about.zip(about_values.as_ref()).map(|((about, _), values)| Subject {
                resource_type: about.kind,
                id: &about.id,
                last_updated: work.now,
                values,
            });
            let values = EncodedValues::new(&body.values);
            let subject =
                Subject { resource_type: change.kind, id: &change.id, last_updated: work.now, values: &values };
            reader.means_beside(predicate, subject, about).map_err(fault)?
        }
    };
    if !covered || Events::are(change.kind) {
        return Err(CommitError::Denied(at, change.kind));
    }
    if reader.place(change.kind, change.id.as_str()).map_err(fault)?.is_some() {
        return Err(CommitError::Unavailable("a new id is taken already".into()));
    }
    Ok(Before { place: None, live: None, idle: false })
}

/// Whether a `PUT` may make a resource where the caller sees none. Under a grant of part of a type
/// it may not: the answer would tell whether a hidden one has that id, or had it (row F8;
/// docs/adr/0008). A deletion that the caller may see hides nothing.
fn may_make(reader: &Reader, access: &Access, kind: ResourceType, place: Option<Place>) -> Result<bool, CommitError> {
    match (access, place) {
        (Access::Nothing, _) | (Access::Where(_), None) => Ok(false),
        (Access::Everything, _) => Ok(true),
        (Access::Where(_), Some(place)) => {
            if !place.deleted {
                return Ok(false);
            }
            let deletion = reader.past(kind, place.row, place.version).map_err(fault)?;
            deletion.map_or(Ok(false), |deletion| reader.covers(access, &deletion).map_err(fault))
        }
    }
}

fn matched(if_match: Option<VersionId>, version: Option<VersionId>, at: usize) -> Result<(), CommitError> {
    match if_match {
        Some(wanted) if Some(wanted) != version => Err(CommitError::Version(at, version)),
        _ => Ok(()),
    }
}

/// The permit must cover the resource as it would be (row F7).
fn result(
    reader: &Reader,
    access: &Access,
    change: &Prepared,
    body: &Body,
    at: usize,
    now: Instant,
) -> Result<(), CommitError> {
    let covered = match access {
        Access::Nothing => false,
        Access::Everything => true,
        Access::Where(predicate) => {
            let values = EncodedValues::new(&body.values);
            let subject = Subject { resource_type: change.kind, id: &change.id, last_updated: now, values: &values };
            reader.means(predicate, subject).map_err(fault)?
        }
    };
    if covered { Ok(()) } else { Err(CommitError::Denied(at, change.kind)) }
}

/// The types whose resources decide about a transaction, beside those that it names.
pub(crate) fn types_looked_at(work: &Work) -> Vec<ResourceType> {
    let mut types = Vec::new();
    for (condition, _, permit) in &work.resolved {
        types.extend(condition.types());
        add_access(permit.as_ref(), condition.kind, Need::Search, &mut types);
    }
    for change in &work.changes {
        let need = match &change.action {
            Action::Create { unless, .. } => {
                if let Some(condition) = unless {
                    types.extend(condition.types());
                    add_access(change.permit.as_ref(), change.kind, Need::Search, &mut types);
                }
                Need::Create
            }
            Action::Note { .. } => Need::Create,
            Action::Update { labels, .. } => {
                add_access(change.permit.as_ref(), change.kind, Need::Read, &mut types);
                labels.need()
            }
            Action::Delete { .. } => Need::Delete,
        };
        add_access(change.permit.as_ref(), change.kind, need, &mut types);
    }
    types
}

fn add_access(permit: &dyn Covers, kind: ResourceType, need: Need, types: &mut Vec<ResourceType>) {
    if let Access::Where(predicate) = permit.access(kind, need) {
        crate::transaction::joined_types(predicate, types);
    }
}
