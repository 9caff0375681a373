//! `POST [base]/[type]`, and its conditional form. SPEC: R4 http.html#create, #ccreate; rows F7, F8.

use super::{Answer, Call, Proof, criteria, location, resource, resource::Checked, written};
use crate::{
    body::Content,
    failure::{Failure, Stopped},
    outcome::Success,
    provenance::Noted,
    trail::Trail,
    wire::{MediaType, Reply},
};
use fhir::{LogicalId, ResourceType, VersionId};
use store::{Change, Transaction};

/// Stores a first version under a new id. With `If-None-Exist`: only when the condition means no
/// resource that the caller may see; one hidden from them is absent (row F8).
pub(super) async fn perform(
    call: Call<'_>,
    kind: ResourceType,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    resource::no_parameters(&call)?;
    let Checked { resource, warnings, missed } = resource::validated(&call, kind, None, content).await?;
    let condition = call.asked.conditions.if_none_exist.as_deref();
    let unless = condition.map(|condition| criteria::condition(call.service, kind, condition)).transpose()?;
    let unless = unless.map(|query| query.predicate);
    let id = call.service.new_id();
    let mut entry = trail.clone();
    entry.only(kind, &id, None);
    let noted = Noted::one(&call, Change::Create { id, resource, unless }, entry.done(), trail)?;
    let missed = missed || noted.missed;
    let transaction = Transaction {
        changes: noted.changes,
        resolved: Vec::new(),
        audit: noted.audit,
        glasses: trail.glasses(),
        now: call.service.now(),
    };
    let committed = match call.service.parts.store.commit(transaction).await.map_err(Stopped::from) {
        Ok(committed) => committed,
        Err(Stopped::Exists(_, kind, id, version)) => return existing(&call, kind, &id, version, trail),
        Err(Stopped::At(_, failure) | Stopped::Whole(failure)) => return Err(failure),
        Err(Stopped::Moved) => return Err(Failure::Conflict),
    };
    let (done, receipt) = committed.into_parts();
    let done = done.into_iter().next().ok_or(Failure::Fault)?;
    let version = done.version.unwrap_or(VersionId::FIRST);
    trail.only(kind, &done.id, Some(version));
    let reply = Reply {
        success: Success::Created,
        etag: Some(version),
        last_modified: Some(done.last_updated),
        location: Some(location(call.service.base_url(), kind, &done.id, version)),
        body: written(call.asked.prefer.returns, done.bytes, "the resource was created", &warnings),
        media: MediaType::Json,
    };
    Ok(Answer { reply, proof: Proof::Recorded(receipt), missed })
}

/// One resource meets the condition: it is the answer, and nothing is stored. The caller gets to
/// see it only as far as their scopes let them read.
fn existing(
    call: &Call<'_>,
    kind: ResourceType,
    id: &LogicalId,
    version: VersionId,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    trail.only(kind, id, Some(version));
    let found = call.service.snapshot().vread(&call.permit, kind, id, version).ok();
    if let Some(found) = &found {
        trail.found(found);
    }
    let last_modified = found.as_ref().map(|found| found.last_updated);
    let stored = found.map(|found| found.json.into_bytes()).transpose()?.unwrap_or_default();
    Ok(Answer::read(Reply {
        success: Success::Ok,
        etag: Some(version),
        last_modified,
        location: Some(location(call.service.base_url(), kind, id, version)),
        body: written(call.asked.prefer.returns, stored, "a resource that meets If-None-Exist was there already", &[]),
        media: MediaType::Json,
    }))
}
