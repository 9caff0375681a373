//! The plan of a transaction: which resource each entry is about, and what it will be.

use super::links::Links;
use crate::{
    failure::Failure,
    interaction::{
        Call,
        bundle::Permitted,
        criteria,
        patch::{self, Patched},
        resource::{self, Checked},
        targets::Entries,
        update,
    },
    labels,
    outcome::within_entry,
};
use fhir::{
    LogicalId, ResourceType, VersionId,
    issue::{Issue, Severity},
    json::Tree,
};
use policy::{Interaction, Permit};
use search::{Predicate, Query};
use std::sync::Arc;
use store::{Change, Found, Snapshot};

/// What an entry does, in the order in which R4 processes a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Delete,
    Create,
    Update,
    Read,
}

fn step(interaction: &Interaction) -> Step {
    match interaction {
        Interaction::Delete(..) => Step::Delete,
        Interaction::Create(_) | Interaction::ConditionalCreate(_) => Step::Create,
        Interaction::Update(..) | Interaction::Patch(..) => Step::Update,
        Interaction::Capabilities
        | Interaction::Read(..)
        | Interaction::Vread(..)
        | Interaction::HistoryInstance(..)
        | Interaction::SearchType(_)
        | Interaction::SearchCompartment(..)
        | Interaction::Batch
        | Interaction::Transaction
        | Interaction::Validate(..)
        | Interaction::Relabel(..)
        | Interaction::Terminology(..)
        | Interaction::AccessReport(_)
        | Interaction::KAnonymity(_)
        | Interaction::ExplainAccess(..)
        | Interaction::Rules(_)
        | Interaction::VerifySignature(..) => Step::Read,
    }
}

/// The resource that a create or update entry is about.
pub(super) struct Identity {
    pub(super) kind: ResourceType,
    pub(super) id: LogicalId,
    /// Made by this transaction: its first version is 1.
    pub(super) is_new: bool,
    /// `If-None-Exist` was met by this one: nothing is stored for the entry.
    pub(super) existing: Option<Found>,
    /// `If-None-Exist`.
    unless: Option<Arc<Predicate>>,
}

/// A transaction ready to commit.
pub(super) struct Plan {
    /// The changes in the order of R4, each with its permit.
    pub(super) changes: Vec<(Change, Permit)>,
    /// For each change the entry it comes from.
    pub(super) places: Vec<usize>,
    /// For each change what is worth knowing about its resource.
    pub(super) warnings: Vec<Vec<Issue>>,
    /// For each entry what it is about, when it creates or updates.
    pub(super) identities: Vec<Option<Identity>>,
    /// What conditions and conditional references were resolved to.
    pub(super) resolved: Vec<(ResourceType, Arc<Predicate>, LogicalId, Permit)>,
}

impl Plan {
    /// Assigns ids, resolves links, validates. All invalid resources are reported together.
    pub(super) fn make(call: &Call<'_>, permitted: &[Permitted<'_>]) -> Result<Self, Failure> {
        let snapshot = call.service.snapshot();
        let mut resolved = Vec::new();
        let mut identities = Vec::with_capacity(permitted.len());
        for one in permitted {
            let identity = identify(call, &snapshot, one, &mut resolved);
            identities.push(identity.map_err(|failure| failure.of_entry(one.entry.index))?);
        }
        let mut links = Links::new(call, &snapshot, permitted, &identities)?;
        let mut order: Vec<(Step, usize)> =
            permitted.iter().enumerate().map(|(at, one)| (step(&one.asked.interaction), at)).collect();
        order.sort_unstable();

        // Each resource is whole before the first is validated: what it refers to may come later.
        let mut entries = Entries::new();
        let mut trees: Vec<Option<Written>> = Vec::with_capacity(permitted.len());
        for ((at, one), identity) in permitted.iter().enumerate().zip(&identities) {
            let tree =
                written(call, &snapshot, one, identity.as_ref(), &mut links).map_err(|failure| failure.of_entry(at))?;
            if let (Some(Written { tree, .. }), Some(identity)) = (&tree, identity) {
                entries.insert(format!("{}/{}", identity.kind, identity.id), tree.bytes().clone());
            }
            trees.push(tree);
        }
        let (mut changes, mut places, mut warnings, mut issues) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (_, at) in order {
            let (Some(one), Some(identity)) = (permitted.get(at), identities.get(at)) else { continue };
            let tree = trees.get_mut(at).and_then(Option::take);
            match change(call, one, identity.as_ref(), tree, &entries) {
                Ok(Some((change, found))) => {
                    changes.push((change, one.permit.clone()));
                    places.push(at);
                    warnings.push(found);
                }
                Ok(None) => {}
                Err(Failure::Invalid(found)) => issues.extend(found.into_iter().map(|issue| of_entry(at, issue))),
                Err(failure) => return Err(failure.of_entry(at)),
            }
        }
        if issues.iter().any(|issue: &Issue| issue.severity >= Severity::Error) {
            return Err(Failure::Invalid(issues));
        }
        resolved.extend(links.into_resolved());
        Ok(Self { changes, places, warnings, identities, resolved })
    }
}

/// The issue as seen from the Bundle. Its position goes: it counts from the resource's own start.
fn of_entry(at: usize, mut issue: Issue) -> Issue {
    issue.position = None;
    issue.expression = Some(within_entry(at, issue.expression.as_deref().unwrap_or_default()));
    issue
}

/// Which resource a create or update is about; `None` for other entries.
fn identify(
    call: &Call<'_>,
    snapshot: &Snapshot,
    one: &Permitted<'_>,
    resolved: &mut Vec<(ResourceType, Arc<Predicate>, LogicalId, Permit)>,
) -> Result<Option<Identity>, Failure> {
    let new = |kind, id, unless| Some(Identity { kind, id, is_new: true, existing: None, unless });
    match &one.asked.interaction {
        Interaction::Create(kind) => Ok(new(*kind, call.service.new_id(), None)),
        Interaction::Update(kind, id) | Interaction::Patch(kind, id) => {
            Ok(Some(Identity { kind: *kind, id: id.clone(), is_new: false, existing: None, unless: None }))
        }
        Interaction::ConditionalCreate(kind) => {
            let condition = one.asked.conditions.if_none_exist.as_deref().unwrap_or_default();
            let query = criteria::condition(call.service, *kind, condition)?;
            let predicate = Arc::clone(&query.predicate);
            Ok(match the_one(call, snapshot, &one.permit, &query)? {
                None => new(*kind, call.service.new_id(), Some(predicate)),
                Some(found) => {
                    resolved.push((*kind, predicate, found.id.clone(), one.permit.clone()));
                    let (kind, id) = (*kind, found.id.clone());
                    Some(Identity { kind, id, is_new: false, existing: Some(found), unless: None })
                }
            })
        }
        _ => Ok(None),
    }
}

/// The one resource that a condition means among those the permit covers (row F63).
pub(super) fn the_one(
    call: &Call<'_>,
    snapshot: &Snapshot,
    permit: &Permit,
    query: &Query,
) -> Result<Option<Found>, Failure> {
    let page = snapshot.search(permit, query, None, &call.caller.grant().client_id)?;
    let mut matches = page.matches.into_iter();
    let first = matches.next();
    if matches.next().is_some() { Err(Failure::MultipleMatches) } else { Ok(first) }
}

/// The resource that an entry writes.
struct Written {
    tree: Tree,
    /// The version that it was made from by a patch.
    patched: Option<VersionId>,
}

/// The resource that an entry writes, with its links replaced; `None` when it writes none.
fn written(
    call: &Call<'_>,
    snapshot: &Snapshot,
    one: &Permitted<'_>,
    identity: Option<&Identity>,
    links: &mut Links<'_>,
) -> Result<Option<Written>, Failure> {
    let Some(Identity { existing: None, kind, id, .. }) = identity else { return Ok(None) };
    let (own, patched) = if matches!(one.asked.interaction, Interaction::Patch(..)) {
        let content = patch::of_entry(one.entry.resource)?;
        let Patched { tree, version } =
            patch::patched(call, snapshot, (&one.permit, &one.asked.conditions), (*kind, id), &content)?;
        (tree, Some(version))
    } else {
        (one.entry.resource.ok_or_else(resource::missing_resource)?.to_tree(), None)
    };
    let tree = match links.rewrite(&one.entry, own.root())? {
        Some(bytes) => Tree::parse(bytes)?,
        None => own,
    };
    resource::same_type(&tree, *kind)?;
    if matches!(one.asked.interaction, Interaction::Update(..)) {
        resource::same_id(&tree, id)?;
    }
    Ok(Some(Written { tree, patched }))
}

/// The change that an entry makes, and what is worth knowing about it; `None` when it makes none.
fn change(
    call: &Call<'_>,
    one: &Permitted<'_>,
    identity: Option<&Identity>,
    written: Option<Written>,
    entries: &Entries,
) -> Result<Option<(Change, Vec<Issue>)>, Failure> {
    let conditions = &one.asked.conditions;
    match (&one.asked.interaction, identity, written) {
        (Interaction::Delete(kind, id), ..) => {
            let if_match = update::if_match(conditions)?;
            Ok(Some((Change::Delete { resource_type: *kind, id: id.clone(), if_match }, Vec::new())))
        }
        (interaction, Some(Identity { kind, id, unless, .. }), Some(Written { tree, patched })) => {
            let is_update = matches!(interaction, Interaction::Update(..) | Interaction::Patch(..));
            let updates = Some(id).filter(|_| is_update);
            let Checked { resource, warnings, .. } = resource::validate(call, *kind, tree, Some(entries), updates)?;
            let id = id.clone();
            let change = if is_update {
                let if_match = patched.or(update::if_match(conditions)?);
                let if_none_match_any = update::if_none_match_any(conditions)?;
                Change::Update { id, resource, if_match, if_none_match_any, labels: labels::kept(call) }
            } else {
                Change::Create { id, resource, unless: unless.clone() }
            };
            Ok(Some((change, warnings)))
        }
        _ => Ok(None),
    }
}
