//! `GET [base]/[type]/[id]`, and its conditional form. SPEC: R4 http.html#read, #cread.

use super::{Answer, Call, resource};
use crate::{failure::Failure, trail::Trail};
use fhir::{LogicalId, ResourceType};

/// The current version. The stored bytes leave as they are.
pub(super) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: &LogicalId,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    resource::no_parameters(call)?;
    let snapshot = call.service.snapshot();
    let found =
        snapshot.read(&call.permit, kind, id).inspect_err(|_| trail.absent(&snapshot, &call.permit, kind, id))?;
    trail.found(&found);
    Ok(Answer::read(resource::reply(found, &call.asked.conditions)?))
}
