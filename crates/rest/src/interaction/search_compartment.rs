//! `GET [base]/Patient/[id]/[type]?…`: a search within a patient's compartment.
//!
//! SPEC: R4 http.html#search, compartmentdefinition-patient.html. Left out: `*` for all types, other
//! compartments.

use super::{Answer, Call, search_type};
use crate::{body::Content, failure::Failure, trail::Trail};
use fhir::{LogicalId, ResourceType};

/// A search that the compartment narrows. A type that is in no patient's compartment has no such URL.
pub(super) fn perform(
    call: &Call<'_>,
    patient: LogicalId,
    kind: ResourceType,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let compartment = &call.service.parts.schema.patient_compartment;
    if compartment.binary_search_by(|(name, _)| (*name).cmp(kind.name())).is_err() {
        return Err(Failure::UnknownPath);
    }
    search_type::perform(call, kind, Some(patient), content, trail)
}
