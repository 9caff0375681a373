//! `DELETE [base]/[type]/[id]`. What is absent, hidden or deleted already gives the same answer as
//! what was deleted just now. SPEC: R4 http.html#delete. Left out: conditional delete.

use super::{Answer, Call, Proof, resource, update};
use crate::{
    failure::{Failure, Stopped},
    outcome::Success,
    provenance::Noted,
    trail::Trail,
    wire::{MediaType, Reply},
};
use bytes::Bytes;
use fhir::{LogicalId, ResourceType};
use store::{Change, Transaction};

/// Ends a resource; its history stays.
pub(super) async fn perform(
    call: Call<'_>,
    kind: ResourceType,
    id: LogicalId,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    resource::no_parameters(&call)?;
    let if_match = update::if_match(&call.asked.conditions)?;
    let change = Change::Delete { resource_type: kind, id, if_match };
    let noted = Noted::one(&call, change, trail.clone().done(), trail)?;
    let noted_missed = noted.missed;
    let transaction = Transaction {
        changes: noted.changes,
        resolved: Vec::new(),
        audit: noted.audit,
        glasses: trail.glasses(),
        now: call.service.now(),
    };
    let committed = match call.service.parts.store.commit(transaction).await.map_err(Stopped::from) {
        Ok(committed) => committed,
        Err(Stopped::Exists(..)) => return Err(Failure::Conflict),
        Err(Stopped::At(_, failure) | Stopped::Whole(failure)) => return Err(failure),
        Err(Stopped::Moved) => return Err(Failure::Conflict),
    };
    let (done, receipt) = committed.into_parts();
    let etag = done.first().and_then(|done| done.version);
    let reply = Reply {
        success: Success::Deleted,
        etag,
        last_modified: None,
        location: None,
        body: Bytes::new(),
        media: MediaType::Json,
    };
    Ok(Answer { reply, proof: Proof::Recorded(receipt), missed: noted_missed })
}
