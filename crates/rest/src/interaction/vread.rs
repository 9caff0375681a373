//! `GET [base]/[type]/[id]/_history/[version]`. SPEC: R4 http.html#vread; row F5.

use super::{Answer, Call, resource};
use crate::{failure::Failure, trail::Trail};
use fhir::{LogicalId, ResourceType, VersionId};

/// One version; the permit is held against that version, not the current one.
pub(super) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: &LogicalId,
    version: VersionId,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    resource::no_parameters(call)?;
    let snapshot = call.service.snapshot();
    let found = snapshot
        .vread(&call.permit, kind, id, version)
        .inspect_err(|_| trail.absent(&snapshot, &call.permit, kind, id))?;
    trail.found(&found);
    Ok(Answer::read(resource::reply(found, &call.asked.conditions)?))
}
