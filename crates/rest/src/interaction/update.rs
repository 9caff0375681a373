//! `PUT [base]/[type]/[id]`: a new version, or a first one under an id that the client chose.
//! SPEC: R4 http.html#update, #upsert, #concurrency; rows F7, F8, F59.

use super::{Answer, Call, Proof, location, resource, resource::Checked, written};
use crate::{
    body::Content,
    failure::{Failure, Stopped},
    labels::kept,
    outcome::Success,
    provenance::Noted,
    route::Conditions,
    trail::Trail,
    wire::{MediaType, Reply, Tags},
};
use fhir::{
    LogicalId, ResourceType, VersionId,
    issue::{Issue, IssueType},
};
use store::{Change, Transaction};

/// Stores the next version.
pub(super) async fn perform(
    call: Call<'_>,
    kind: ResourceType,
    id: LogicalId,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    resource::no_parameters(&call)?;
    let Checked { resource, warnings, missed } = resource::validated(&call, kind, Some(&id), content).await?;
    let if_match = if_match(&call.asked.conditions)?;
    let if_none_match_any = if_none_match_any(&call.asked.conditions)?;
    let change = Change::Update { id, resource, if_match, if_none_match_any, labels: kept(&call) };
    let noted = Noted::one(&call, change, trail.clone().done(), trail)?;
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
        Err(Stopped::Exists(..)) => return Err(Failure::Exists),
        Err(Stopped::At(_, failure) | Stopped::Whole(failure)) => return Err(failure),
        Err(Stopped::Moved) => return Err(Failure::Conflict),
    };
    let (done, receipt) = committed.into_parts();
    let done = done.into_iter().next().ok_or(Failure::Fault)?;
    let version = done.version.unwrap_or(VersionId::FIRST);
    let reply = Reply {
        success: if done.created { Success::Created } else { Success::Ok },
        etag: Some(version),
        last_modified: Some(done.last_updated),
        location: Some(location(call.service.base_url(), kind, &done.id, version)),
        body: written(call.asked.prefer.returns, done.bytes, "the resource was stored", &warnings),
        media: MediaType::Json,
    };
    Ok(Answer { reply, proof: Proof::Recorded(receipt), missed })
}

/// `If-Match`: one version. A tag that is not ours names no version that could be current.
pub(super) fn if_match(conditions: &Conditions) -> Result<Option<VersionId>, Failure> {
    match &conditions.if_match {
        None => Ok(None),
        Some(Tags::Versions(versions)) => match versions.as_slice() {
            [version] => Ok(Some(*version)),
            [] => Err(Failure::VersionMismatch(None)),
            _ => Err(unsupported("If-Match takes one version of this server, W/\"3\"", "If-Match")),
        },
        Some(Tags::Any) => Err(unsupported("If-Match takes one version of this server, W/\"3\", not *", "If-Match")),
    }
}

/// `If-None-Match: *` on a write: only when it does not exist.
pub(super) fn if_none_match_any(conditions: &Conditions) -> Result<bool, Failure> {
    match &conditions.if_none_match {
        None => Ok(false),
        Some(Tags::Any) => Ok(true),
        Some(Tags::Versions(_)) => Err(unsupported("on a write, If-None-Match takes * alone", "If-None-Match")),
    }
}

fn unsupported(text: &'static str, header: &str) -> Failure {
    Failure::request(Issue::error(IssueType::NotSupported, text).at(format!("http.{header}")))
}
