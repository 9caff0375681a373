//! The commit of a planned transaction, and its answer.

use super::plan::{Identity, Plan};
use crate::{
    body::{Content, Expects},
    failure::{Failure, Stopped},
    interaction::{self, Answer, Call, Proof, bundle, bundle::Permitted, location, written},
    labels::Mark,
    limits,
    outcome::{self, Success},
    provenance::{self, Notes},
    trail::Trail,
    wire::{MediaType, Method, Reply, Return},
};
use audit::{Entry, log::Receipt};
use bytes::Bytes;
use fhir::{VersionId, issue::Issue, json::Writer};
use store::{Change, Transaction, transaction::Done};

/// What came of a plan.
pub(super) enum Outcome {
    /// It is on stable storage.
    Done(Committed),
    /// A condition holds no more.
    PlanAnew,
}

/// A committed transaction: what became of each entry that changed something.
pub(super) struct Committed {
    replies: Vec<Option<Reply>>,
    /// None when there was nothing to write: then the whole is recorded with its answer.
    receipt: Option<Receipt>,
    /// Something that the client's own Provenance refers to was not found.
    missed: bool,
}

/// Commits the plan's changes with their audit entries.
pub(super) async fn commit(
    call: &Call<'_>,
    permitted: &[Permitted<'_>],
    plan: Plan,
    trail: &Trail,
) -> Result<Outcome, Failure> {
    let Plan { changes, places, warnings, identities, resolved } = plan;
    let mut replies: Vec<Option<Reply>> = permitted.iter().map(|_| None).collect();
    let methods = places.iter().map(|at| permitted.get(*at).map_or(Method::Other, |one| bundle::method(&one.entry)));
    let audited = changes.iter().zip(methods);
    let mut audit: Vec<Entry> = audited.map(|((change, _), method)| entry_of(change, method, trail)).collect();
    let header = call.asked.provenance.as_deref().map(provenance::read).transpose()?;
    let bytes = changes.len().saturating_mul(limits::PROVENANCE_BYTES);
    let notes = call.service.aside.run(bytes, || Notes::of(call, &changes, header.as_ref(), trail)).await?;
    audit.extend(notes.audit);
    for ((one, identity), reply) in permitted.iter().zip(&identities).zip(&mut replies) {
        if let Some(Identity { existing: Some(found), .. }) = identity {
            let mut met = trail.of_entry(Method::Post);
            met.found(found);
            audit.push(met.done());
            let body = match one.asked.prefer.returns {
                // The condition needed search; the resource itself leaves only when it may be read.
                Some(Return::Representation) => {
                    let snapshot = call.service.snapshot();
                    snapshot.vread(&one.permit, found.resource_type, &found.id, found.version).ok()
                }
                _ => None,
            };
            *reply = Some(Reply {
                success: Success::Ok,
                etag: Some(found.version),
                last_modified: Some(found.last_updated),
                location: Some(location(call.service.base_url(), found.resource_type, &found.id, found.version)),
                body: body.map(|found| found.json.into_bytes()).transpose()?.unwrap_or_default(),
                media: MediaType::Json,
            });
        }
    }
    let log = call.service.parts.store.log();
    if changes.is_empty() {
        if !audit.is_empty() {
            log.record_all(&audit)?;
        }
        return Ok(Outcome::Done(Committed { replies, receipt: None, missed: false }));
    }
    audit.push(trail.clone().done());
    let mut changes = changes;
    changes.extend(notes.changes);
    let transaction = Transaction { changes, resolved, audit, glasses: trail.glasses(), now: call.service.now() };
    let committed = match call.service.parts.store.commit(transaction).await.map_err(Stopped::from) {
        Ok(committed) => committed,
        Err(Stopped::Moved) => return Ok(Outcome::PlanAnew),
        Err(Stopped::Exists(at, ..)) => {
            let index = places.get(at).copied().unwrap_or_default();
            let is_update =
                matches!(permitted.get(index).map(|one| &one.asked.interaction), Some(policy::Interaction::Update(..)));
            // A create's condition: it is met now, so the next plan finds the resource.
            return if is_update { Err(Failure::Exists.of_entry(index)) } else { Ok(Outcome::PlanAnew) };
        }
        Err(Stopped::At(at, Failure::VersionMismatch(_))) if is_patched_anew(permitted, &places, at) => {
            return Ok(Outcome::PlanAnew);
        }
        Err(Stopped::At(at, failure)) => {
            let own = at.checked_sub(places.len()).and_then(|note| notes.of.get(note)).copied().unwrap_or(at);
            return Err(failure.of_entry(places.get(own).copied().unwrap_or_default()));
        }
        Err(Stopped::Whole(failure)) => return Err(failure),
    };
    let (done, receipt) = committed.into_parts();
    for ((done, at), warnings) in done.into_iter().zip(places).zip(warnings) {
        if let (Some(reply), Some(one)) = (replies.get_mut(at), permitted.get(at)) {
            *reply = Some(reply_of(call, one, done, &warnings));
        }
    }
    Ok(Outcome::Done(Committed { replies, receipt: Some(receipt), missed: notes.missed }))
}

/// Whether this change is a patch of whatever version is there: then the next plan makes it from that one.
fn is_patched_anew(permitted: &[Permitted<'_>], places: &[usize], at: usize) -> bool {
    let one = places.get(at).and_then(|index| permitted.get(*index));
    one.is_some_and(|one| one.asked.expects == Expects::Patch && one.asked.conditions.if_match.is_none())
}

/// The audit entry of one change.
fn entry_of(change: &Change, method: Method, trail: &Trail) -> Entry {
    let (kind, id) = match change {
        Change::Create { id, resource, .. }
        | Change::Update { id, resource, .. }
        | Change::Note { id, resource, .. } => (resource.resource_type(), id),
        Change::Delete { resource_type, id, .. } => (*resource_type, id),
    };
    let mut entry = trail.of_entry(method);
    entry.only(kind, id, None);
    entry.done()
}

fn reply_of(call: &Call<'_>, one: &Permitted<'_>, done: Done, warnings: &[Issue]) -> Reply {
    if matches!(one.asked.interaction, policy::Interaction::Delete(..)) {
        let etag = done.version;
        return Reply {
            success: Success::Deleted,
            etag,
            last_modified: None,
            location: None,
            body: Bytes::new(),
            media: MediaType::Json,
        };
    }
    let version = done.version.unwrap_or(VersionId::FIRST);
    Reply {
        success: if done.created { Success::Created } else { Success::Ok },
        etag: Some(version),
        last_modified: Some(done.last_updated),
        location: Some(location(call.service.base_url(), done.resource_type, &done.id, version)),
        body: written(one.asked.prefer.returns, done.bytes, "the resource was stored", warnings),
        media: MediaType::Json,
    }
}

/// The transaction's answer, entries in the order of the request. Reads are done here.
pub(super) async fn answer(
    call: &Call<'_>,
    permitted: Vec<Permitted<'_>>,
    committed: Committed,
    trail: &Trail,
) -> Result<Answer, Failure> {
    let house = call.service.parts.store.house();
    let mut mark = Mark::new(&house.labels);
    let mut entries = Vec::with_capacity(permitted.len());
    for (mut one, reply) in permitted.into_iter().zip(committed.replies) {
        let mut w = Writer::new();
        match reply {
            Some(reply) => {
                one.note(call.service, trail);
                let body_is_outcome = one.asked.prefer.returns == Some(Return::OperationOutcome);
                bundle::done(&mut w, &reply, body_is_outcome, &mut mark);
            }
            None => read(call, one, trail, &mut w, &mut mark).await?,
        }
        entries.push(w.into_bytes());
    }
    let reply = bundle::response("transaction-response", mark, |w| entries.iter().for_each(|entry| w.raw(entry)));
    let proof = committed.receipt.map_or(Proof::ToRecord, Proof::Recorded);
    Ok(Answer { reply, proof, missed: committed.missed })
}

/// A read entry, recorded.
async fn read(
    call: &Call<'_>,
    mut one: Permitted<'_>,
    trail: &Trail,
    w: &mut Writer,
    mark: &mut Mark<'_>,
) -> Result<(), Failure> {
    let mut trail = one.trail(trail);
    let Permitted { asked, permit, entry, .. } = one;
    let takes = matches!(asked.expects, Expects::Parameters | Expects::Checked);
    let content = Content::of_entry(entry.resource.filter(|_| takes));
    let single = Call { service: call.service, caller: call.caller, asked, permit };
    let log = call.service.parts.store.log();
    match interaction::perform_one(single, content, &mut trail).await {
        Ok(answer) => {
            trail.note(&call.service.shadows, None);
            log.record(&trail.done())?;
            bundle::done(w, &answer.reply, false, mark);
        }
        Err(failure) => {
            trail.note(&call.service.shadows, Some(&failure));
            let mapped = outcome::map(failure);
            log.record(&trail.failed(&mapped, || "unknown"))?;
            bundle::failed(w, &mapped);
        }
    }
    Ok(())
}
